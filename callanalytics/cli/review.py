"""Commands of the quality team: the review app with its users, and the report."""

from __future__ import annotations

import argparse
import socket
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from callanalytics.cli.options import Commands, find_store, place
from callanalytics.cli.output import print_json, print_table
from callanalytics.config import Config
from callanalytics.errors import ConfigError
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.texts import Message, say


def add(commands: Commands) -> None:
    """Add the commands of this file."""
    review = commands.add("review", _review, Path)
    review.add_argument("--recordings", type=Path, metavar="DIR", help="review_recordings")
    review.add_argument("--host", metavar="ADDRESS", help="review_host")
    review.add_argument("--port", type=int, metavar="N")
    who = review.add_mutually_exclusive_group()
    who.add_argument("--add-user", metavar="NAME", help="review_add_user")
    who.add_argument("--password", metavar="NAME", help="review_password")
    who.add_argument("--disable", metavar="NAME", help="review_disable")
    who.add_argument("--enable", metavar="NAME", help="review_enable")
    who.add_argument("--users", action="store_true", help="review_users")
    review.add_argument("--role", choices=("reviewer", "lead", "privacy_officer", "admin", "agent"), default="reviewer")
    review.add_argument("--agent", metavar="AGENT_ID", help="review_agent")
    report = commands.add("report", _report, place)
    report.add_argument("--from", dest="first", type="day", required=True, metavar="DATE", help="report_from")
    report.add_argument("--to", dest="last", type="day", required=True, metavar="DATE", help="report_to")
    report.add_argument("--output", dest="folder", type=Path, required=True, metavar="DIR", help="report_output")
    report.add_argument("--today", type="day", metavar="DATE", help="report_today")


def _review(config: Config, options: argparse.Namespace) -> None:
    find_store(config, options.output)
    changed = {"host": options.host, "port": options.port, "recordings": options.recordings and str(options.recordings)}
    settings = config.review.model_copy(update={key: value for key, value in changed.items() if value is not None})
    config = config.model_copy(update={"review": settings})
    if options.users or any((options.add_user, options.password, options.disable, options.enable)):
        _manage_users(config, options)
        return
    try:
        import uvicorn

        from callanalytics.review.app import create_app
        from callanalytics.store.reviews.people import users
    except ImportError:
        raise ConfigError(path="[review]", reason=Message("errors.review_app_needs_more")) from None
    app = create_app(config, options.output)
    if not users(app.state.desk.reviews):
        print(say("cli.review_nobody", config.lang, output=options.output), file=sys.stderr)
    with _listen(settings.host, settings.port) as listening:
        port = listening.getsockname()[1]
        print(say("cli.review_at", config.lang, url=f"http://{settings.host}:{port}/"), file=sys.stderr)
        # Its own log would hold addresses and paths with ids of calls.
        quiet: dict[str, Any] = {"log_level": "critical", "access_log": False, "server_header": False}
        uvicorn.Server(uvicorn.Config(app, **quiet)).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.  Raises ConfigError, where uvicorn would end without a word."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError:
        reason = Message("errors.port_taken_not_ours", port=port, host=host)
        raise ConfigError(path="[review]", reason=reason) from None


def _manage_users(config: Config, options: argparse.Namespace) -> None:
    from callanalytics.store.reviews.people import add_user, change_user, users
    from callanalytics.store.reviews.reviews import open_reviews

    reviews, lang = open_reviews(config, options.output), config.lang
    if options.users:
        rows = []
        for user in users(reviews):
            state = say("cli.user_out" if user.disabled_at else "cli.user_in", lang)
            rows.append((user.name, say(f"cli.role_{user.role}", lang), f"{user.made_at:%Y-%m-%d}", state))
        print_table(lang, ("user", "role", "since", "state"), rows)
    elif options.add_user:
        agent_ref = Pseudonyms(config.privacy)("agent", options.agent) if options.role == "agent" else None
        add_user(reviews, options.add_user, _new_password(config), options.role, agent_ref, lang)
    elif options.password:
        change_user(reviews, options.password, password=_new_password(config))
    else:
        change_user(reviews, options.disable or options.enable, is_disabled=bool(options.disable))
    reviews.close()


def _new_password(config: Config) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    import getpass

    return getpass.getpass(say("cli.ask_password", config.lang))


def _report(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.report.queries import Period
    from callanalytics.report.write import write_report

    today = options.today or datetime.now(ZoneInfo(config.municipality.timezone)).date()
    written = write_report(config, options.output, Period(options.first, options.last, today), options.folder)
    if options.json:
        print_json({"files": [str(path) for path in written.paths], "pdf": not written.lacks_pdf})
    else:
        print(*written.paths, sep="\n")
    if written.lacks_pdf:
        print(say("report.no_pdf", config.lang), file=sys.stderr)
    return int(written.lacks_pdf)
