"""Commands of the privacy officer: erase, hold, purge, export, redact-audio, ledger and privacy-report."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from callanalytics.cli.options import Commands, find_store, open_store, place
from callanalytics.cli.output import plain, print_json, print_table
from callanalytics.config import Config
from callanalytics.privacy.ledger import Ledger
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.texts import say, to_words

if TYPE_CHECKING:
    from callanalytics.engine.copies import Copied


def add(commands: Commands) -> None:
    """Add the commands of this file."""
    erase, hold = commands.add("erase", _erase, place), commands.add("hold", _hold, place)
    for command in (erase, hold):
        command.add_argument("call_id", metavar="CALL_ID")
        command.add_argument("--reason", required=True, metavar="TEXT", help="reason")
    hold.add_argument("--end", action="store_true", help="hold_end")
    purge = commands.add("purge", _purge, place)
    purge.add_argument("--recordings", type=Path, metavar="DIR", help="purge_recordings")
    export = commands.add("export", _export, place)
    export.add_argument("call_id", metavar="CALL_ID")
    export.add_argument("--as", dest="form", choices=("vcon", "klantcontact"), help="export_as")
    copies = commands.add("redact-audio", _redact_audio)
    copies.add_argument("recordings", type=place, metavar="RECORDINGS", help="recordings")
    copies.add_argument("folder", type=Path, metavar="OUT_DIR", help="redact-audio_folder")
    copies.add_argument("--calls", type=Path, metavar="FILE", help="calls_csv")
    copies.add_argument("--tone", action="store_true", help="redact-audio_tone")
    commands.add("ledger", _ledger, place)
    commands.add("privacy-report", _privacy_report, place)


def open_ledger(config: Config, output: Path | str) -> Ledger:
    """Return the ledger of OUT.  Raises StoreError where there is no OUT."""
    return Ledger(find_store(config, output).place, Pseudonyms(config.privacy))


def _erase(config: Config, options: argparse.Namespace) -> None:
    from callanalytics.privacy.rights import Rights

    with open_store(config, options.output) as store:
        Rights(store, config).erase(options.call_id, options.reason)
    print(say("cli.erased", config.lang))


def _hold(config: Config, options: argparse.Namespace) -> None:
    from callanalytics.privacy.rights import Rights

    with open_store(config, options.output) as store:
        rights = Rights(store, config)
        (rights.end_hold if options.end else rights.hold)(options.call_id, options.reason)
        print(say("cli.holds", config.lang, n=len(store.holds())))


def _purge(config: Config, options: argparse.Namespace) -> None:
    from callanalytics.privacy.rights import Rights

    with open_store(config, options.output) as store:
        rights = Rights(store, config)
        rights.settle()
        done = rights.purge(datetime.now(ZoneInfo(config.municipality.timezone)).date(), options.recordings)
    counts = {name: len(getattr(done, name)) for name in ("calls", "texts", "failures", "reviews")}
    counts |= {"recordings": done.recordings, "held": done.held}
    if options.json:
        print_json(counts, indent=None)
    else:
        print(say("cli.purged", config.lang, **counts))


def _export(config: Config, options: argparse.Namespace) -> None:
    from callanalytics.privacy.rights import Rights, as_text

    if options.form:
        _hand_over(config, options)
        return
    with open_store(config, options.output) as store:
        own = Rights(store, config).export(options.call_id)
    if options.json:
        print_json(own, ensure_ascii=False)
    else:
        print(as_text(own, config.lang))


def _hand_over(config: Config, options: argparse.Namespace) -> None:
    """Print a call as JSON for another system."""
    from callanalytics.report.one_call import read_call, to_klantcontact, to_vcon
    from callanalytics.report.tables import as_json
    from callanalytics.scoring.topics import read_topics
    from callanalytics.store.catalog import open_catalog, read_reviews

    with open_catalog(config, options.output, read_reviews(config, options.output)) as sql:
        one = read_call(sql, options.call_id, options.output)
    if options.form == "vcon":
        tree = to_vcon(one, config, datetime.now(UTC))
    else:
        names = {topic.id: topic.name_nl for topic in read_topics(config)}
        tree = to_klantcontact(one, names.get(one.call["topic"], one.call["topic"]))
    open_ledger(config, options.output).add("export", [(options.call_id, one.call["recording_sha256"])], options.form)
    print_json(tree, ensure_ascii=False, default=as_json)


def _redact_audio(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.engine.copies import redact_recordings

    def tell(copied: Copied) -> None:
        if copied.error:
            text = {"stage": copied.error.stage, "message": to_words(copied.error.reason, config.lang)}
            print(say("cli.call_failed", config.lang, call_id=copied.call_id, **text), file=sys.stderr)
        else:
            seconds = f"{copied.muted_ms / 1000:.1f}"
            print(say("cli.copied", config.lang, call_id=copied.call_id, data=copied.data, s=seconds), file=sys.stderr)

    done = redact_recordings(
        config, options.recordings, options.folder, tell, calls_csv=options.calls, tone=options.tone
    )
    failed = sum(copied.error is not None for copied in done)
    if options.json:
        rows = [
            {"call_id": c.call_id, "data": c.data, "muted_ms": c.muted_ms,
             "error": c.error and to_words(c.error.reason, config.lang)}
            for c in done
        ]  # fmt: skip
        print_json(rows)
    else:
        print(say("cli.copies_done", config.lang, folder=options.folder, copies=len(done) - failed, failed=failed))
    return 1 if failed else 0


def _ledger(config: Config, options: argparse.Namespace) -> None:
    entries = open_ledger(config, options.output).entries()
    if options.json:
        print_json([plain(entry) for entry in entries], ensure_ascii=False)
        return
    rows = (
        (entry.at, entry.who, say(f"cli.action_{entry.action}", config.lang), entry.call, entry.reason)
        for entry in entries
    )
    print_table(config.lang, ("at", "who", "done", "call", "reason"), rows)


def _privacy_report(config: Config, options: argparse.Namespace) -> None:
    from callanalytics.report.privacy import privacy_report

    print(privacy_report(find_store(config, options.output), config))
