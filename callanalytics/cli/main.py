"""The commands: arguments in, data to stdout, progress to stderr, exit codes 0, 1 and 2.  Nothing else prints."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from callanalytics import __version__
from callanalytics.call.memory import keep_no_dumps
from callanalytics.cli.guide import add_guide
from callanalytics.config import Config, load_config, project_root
from callanalytics.errors import CallAnalyticsError, ConfigError, InputError, QueryError, StoreError
from callanalytics.privacy.ledger import Ledger
from callanalytics.store.bucket import is_remote
from callanalytics.texts import Lang, Message, say, to_words

if TYPE_CHECKING:
    from callanalytics.engine.batch import Progress
    from callanalytics.engine.plan import Plan
    from callanalytics.evaluation.check import PhraseFind
    from callanalytics.records import FailureRow, PromiseRow, RunRow, Transcript
    from callanalytics.store.datasets import Store

DEMO = Path(__file__).parents[1] / "demo"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0 when all is done, 1 when some calls failed, 2 when it could not run."""
    parser = _parser()
    options, left = parser.parse_known_args(arguments)
    if len(left) == 1 and getattr(options, "query", "") is None:
        options.query = left.pop()  # argparse takes no optional argument that stands behind an option
    if left:
        parser.error(f"unrecognized arguments: {' '.join(left)}")
    # Nothing of a call may be readable by others of this machine.
    os.umask(0o077)
    keep_no_dumps()
    lang: Lang = options.lang or "nl"
    try:
        config = load_config(options.config)
        lang = options.lang or config.lang
        config = config.model_copy(update={"lang": lang})
        return int(options.command(config, options))
    except CallAnalyticsError as error:
        print(f"callanalytics: {error.say(lang)}", file=sys.stderr)
        return error.exit_code if error.exit_code != 1 else 2
    except KeyboardInterrupt:
        print(say("cli.interrupted", lang), file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader (head, less) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="callanalytics",
        description="Listens to recorded calls of a municipal contact centre and turns them into reviewed quality.",
        parents=[_common(None)],
    )
    parser.add_argument("--version", action="version", version=f"callanalytics {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, command: Any, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text, parents=[_common(argparse.SUPPRESS)])
        sub.set_defaults(command=command)
        return sub

    demo = add("demo", _demo, "the main job on the bundled recordings")
    demo.add_argument("--output", type=Path, default=Path("out/demo"), help="where the data goes (default: out/demo)")
    run = add("run", _run, "process recordings: a folder or one file")
    run.add_argument("recordings", type=_place, metavar="RECORDINGS", help="a folder, a file, or s3://bucket/folder")
    run.add_argument("--output", type=_place, required=True, metavar="OUT", help="a folder, or s3://bucket/folder")
    run.add_argument("--calls", type=Path, help="calls.csv: what is known about the calls")
    run.add_argument("--engine", choices=("local", "ray"), default="local")
    run.add_argument("--ray-address", metavar="HOST:PORT", help="the head of a Ray cluster (default: this machine)")
    run.add_argument("--workers", type=_positive, help="processes, each with its own models")
    run.add_argument("--until", type=_clock, metavar="HH:MM", help="begin nothing new after this time")
    run.add_argument("--log", choices=("bar", "json"), default="bar", help="progress: a bar, or a JSON object a line")
    run.add_argument("--limit", type=_positive, help="take at most this many calls")
    for name, command, text in (
        ("status", _status, "how far OUT is"),
        ("failures", _failures, "which calls failed, where and why"),
    ):
        add(name, command, text).add_argument("output", type=_place, metavar="OUT")
    compact = add("compact", _compact, "merge the many small files of each date of OUT into one per dataset")
    compact.add_argument("output", type=_place, metavar="OUT")
    _add_rights(add)
    doctor = add("doctor", _doctor, "is this machine fit for a night: models, key, memory, codecs, clock, disk")
    doctor.add_argument("output", type=Path, nargs="?", metavar="OUT")
    retry = add("retry", _retry, "let the next run try failed calls again, also those that it would leave alone")
    retry.add_argument("output", type=_place, metavar="OUT")
    retry.add_argument("call_ids", nargs="*", metavar="CALL_ID", help="these alone (default: all)")
    retry.add_argument("--stage", help="those that failed at this stage")
    retry.add_argument("--state", choices=("final", "quarantined"), help="those in this state")
    for name, command, text in (
        ("score", _score, "criteria, promises and topic of a transcript made elsewhere"),
        ("redact", _redact, "a transcript with personal data replaced"),
    ):
        add(name, command, text).add_argument("transcript", type=Path, metavar="TRANSCRIPT.json|.jsonl")
    rescore = add("rescore", _rescore, "the scorecard of now over stored calls: no audio, the old scores are kept")
    rescore.add_argument("output", type=_place, metavar="OUT")
    evaluate = add("evaluate", _evaluate, "figures of OUT against truth files")
    evaluate.add_argument("output", type=Path, metavar="OUT")
    evaluate.add_argument("--truth", type=Path, required=True, metavar="DIR")
    _add_review(add)
    _add_analysis(add)
    models = add("models", _models, "the models: list, pull, verify")
    models.add_argument("action", choices=("list", "pull", "verify"))
    models.add_argument("names", nargs="*", help="models of the manifest (default: those that the config names)")
    models.add_argument("--from", dest="source", type=Path, help="a folder with <model>/<file>, tried first")
    _add_train(add)
    config = add("config", _config, "the settings in force; check: mistakes in settings and phrase files explained")
    config.add_argument("action", choices=("show", "check"), nargs="?", default="show")
    config.add_argument("output", type=Path, nargs="?", metavar="OUT", help="for check: show what phrases match here")
    config.add_argument("--criterion", metavar="ID", help="for check with OUT: every phrase of this criterion")
    add_guide(add)
    add("schema", _schema, "the data dictionary: every column of every dataset")
    return parser


def _add_review(add: Callable[[str, Any, str], argparse.ArgumentParser]) -> None:
    """The app of the quality team, and who may log in to it."""
    review = add("review", _review, "the web app of the quality team")
    review.add_argument("output", type=Path, metavar="OUT")
    review.add_argument("--recordings", type=Path, metavar="DIR", help="the recordings, for listening")
    review.add_argument("--host", help="the address to listen on (default: this machine alone)")
    review.add_argument("--port", type=int)
    who = review.add_mutually_exclusive_group()
    who.add_argument("--add-user", metavar="NAME", help="let somebody in; the password is asked for or read")
    who.add_argument("--password", metavar="NAME", help="give somebody a new password")
    who.add_argument("--disable", metavar="NAME", help="shut somebody out")
    who.add_argument("--enable", metavar="NAME", help="let somebody in again")
    who.add_argument("--users", action="store_true", help="who may log in")
    review.add_argument("--role", choices=("reviewer", "lead", "privacy_officer", "admin", "agent"), default="reviewer")
    review.add_argument("--agent", metavar="AGENT_ID", help="for the role agent: the id as in calls.csv")
    report = add("report", _report, "the quality team's report on two pages, its appendix and the promise register")
    report.add_argument("output", type=_place, metavar="OUT")
    report.add_argument("--from", dest="first", type=_day, required=True, metavar="DATE", help="first day: 2026-11-09")
    report.add_argument("--to", dest="last", type=_day, required=True, metavar="DATE", help="last day")
    report.add_argument("--output", dest="folder", type=Path, required=True, metavar="DIR", help="where the pages go")
    report.add_argument("--today", type=_day, metavar="DATE", help="promises are due or overdue on this day (today)")


def _add_analysis(add: Callable[[str, Any, str], argparse.ArgumentParser]) -> None:
    """What analysts use."""
    sql = add("sql", _sql, "SQL (DuckDB) over every dataset of OUT and its reviews; without a query, a prompt")
    sql.description = (
        f"{sql.description}.  It reads the views and nothing else, and writes nothing.  Rows are pseudonymised calls: "
        "what you add up is yours to judge, so publish nothing that tells of fewer calls than privacy.smallest_group."
    )
    sql.add_argument("output", type=_place, metavar="OUT")
    sql.add_argument("query", nargs="?", metavar="SELECT ...", help="default: a prompt, or what comes on stdin")
    kept = sql.add_mutually_exclusive_group()
    kept.add_argument("--csv", type=Path, metavar="FILE", help="the answer as CSV for a Dutch Excel")
    kept.add_argument("--excel", type=Path, metavar="FILE", help="the answer as a workbook (.xlsx)")
    tables = add("tables", _tables, "every dataset, review table and joined view as CSV or Excel")
    tables.add_argument("output", type=_place, metavar="OUT")
    tables.add_argument("--output", dest="folder", type=Path, required=True, metavar="DIR", help="where the files go")
    tables.add_argument("--excel", action="store_true", help="one workbook, a sheet a table (default: CSV files)")


def _add_train(add: Callable[[str, Any, str], argparse.ArgumentParser]) -> None:
    """Training: the shipped models from their data, and those of criteria from reviews, too."""
    train = add("train", _train, "train the models that the project ships from its own data")
    train.add_argument("what", choices=("roles", "topics", "criteria", "dutch"))
    train.add_argument("--treebank", type=Path, metavar="DIR", help="dutch: the folder with the .conllu files")
    train.add_argument("--from-reviews", type=Path, metavar="OUT", help="criteria: learn from the reviews of OUT, too")
    train.add_argument("--output", type=Path, metavar="DIR", help="with --from-reviews: for new models (OUT/models)")
    train.add_argument("--any-treebank", action="store_true", help="dutch: other files than the pinned ones will do")


def _add_rights(add: Callable[[str, Any, str], argparse.ArgumentParser]) -> None:
    """Commands of the privacy officer."""
    erase = add("erase", _erase, "remove every trace of a call from OUT; its recording is not processed again")
    hold = add("hold", _hold, "legal hold: until its end nothing of the call is erased or purged")
    for sub in (erase, hold):
        sub.add_argument("output", type=_place, metavar="OUT")
        sub.add_argument("call_id", metavar="CALL_ID")
        sub.add_argument("--reason", required=True, help="for the ledger; without personal data")
    hold.add_argument("--end", action="store_true", help="end the hold")
    purge = add("purge", _purge, "remove what is older than the terms of [retention]")
    purge.add_argument("output", type=_place, metavar="OUT")
    purge.add_argument("--recordings", type=Path, metavar="DIR", help="where the recordings lie, if they have a term")
    export = add("export", _export, "what is kept of a citizen's call, to hand to that citizen; or as --as says")
    export.add_argument("output", type=_place, metavar="OUT")
    export.add_argument("call_id", metavar="CALL_ID")
    export.add_argument(
        "--as", dest="form", choices=("vcon", "klantcontact"),
        help="JSON for another system: a vCon, or requests to Open Klant 2.x",
    )  # fmt: skip
    copies = add("redact-audio", _redact_audio, "copies of recordings without the personal data that is said in them")
    copies.add_argument("recordings", type=_place, metavar="RECORDINGS", help="a folder, a file, or s3://bucket/folder")
    copies.add_argument("folder", type=Path, metavar="OUT_DIR", help="where <call_id>.wav goes")
    copies.add_argument("--calls", type=Path, help="calls.csv: what is known about the calls")
    copies.add_argument("--tone", action="store_true", help="a tone in the place of what was said (default: silence)")
    add("ledger", _ledger, "who saw, exported, erased or held calls; checks that no line was changed").add_argument(
        "output", type=_place, metavar="OUT"
    )
    add("privacy-report", _privacy_report, "the facts for DPIA, register of processing and AI Act file").add_argument(
        "output", type=_place, metavar="OUT"
    )


def _common(default: str | None) -> argparse.ArgumentParser:
    """Options of every command; a command's own have no default, so that they mean the same before and after it."""
    common = argparse.ArgumentParser(add_help=False, argument_default=default)
    common.add_argument("--config", type=Path, help="a TOML file over the defaults of configs/default.toml")
    common.add_argument("--lang", choices=("nl", "en"), help="language of what is printed (default: from the config)")
    is_set = False if default is None else default
    common.add_argument("--json", action="store_true", default=is_set, help="JSON instead of a table")
    return common


def _place(text: str) -> Path | str:
    return text if is_remote(text) else Path(text)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of 1 or more")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date like 2026-11-09") from None


def _clock(text: str) -> str:
    try:
        datetime.strptime(text, "%H:%M")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no time like 06:00") from None
    return text


# --- run ------------------------------------------------------------------------------------------------------------


def _run(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.engine.batch import run
    from callanalytics.engine.notify import tell

    if options.ray_address:
        settings = config.engine.model_copy(update={"ray_address": options.ray_address})
        config = config.model_copy(update={"engine": settings})
    with _JsonLog() if options.log == "json" else _Bar(config.lang) as bar, _stop_on_sigterm(bar) as stopped:
        row = run(
            config,
            options.recordings,
            options.output,
            bar,
            calls_csv=options.calls,
            engine=options.engine,
            workers=options.workers,
            until=options.until,
            limit=options.limit,
            stopped=stopped,
        )
    if options.log == "bar":
        _summarise(config.lang, row, options.output)
        if not config.privacy.legal_basis:
            print(say("cli.plan_no_basis", config.lang), file=sys.stderr)
    else:
        _log("done", _plain(row))
    if options.json:
        print(json.dumps(_plain(row), indent=1))
    for problem in tell(config.notify, row, config.lang):
        print(problem, file=sys.stderr)
    return 1 if row.failed or row.standing else 0


@contextmanager
def _stop_on_sigterm(bar: _Bar | _JsonLog) -> Iterator[Callable[[], bool]]:
    """Whether SIGTERM (systemd, shutdown) asked to stop: a run then finishes the calls under way and begins no more."""
    asked = Event()

    def stop(*_: object) -> None:
        if not asked.is_set():
            bar.stopping()
        asked.set()

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGTERM, before)


def _rescore(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.engine.rescore import as_tree, rescore, shortened

    _existing(config, options.output)
    result = rescore(config, options.output)
    if options.json:
        print(json.dumps(as_tree(result), indent=1, ensure_ascii=False))
        return 0
    lang = config.lang
    print(say("cli.rescored", lang, calls=result.calls, standing=result.standing))
    for (before, after), calls in sorted(result.versions.items()):
        print(say("cli.rescored_version", lang, before=before, after=after, calls=calls))
    if result.causes:
        causes = ", ".join(say(f"cli.cause_{name}", lang) for name in sorted(result.causes))
        print(say("cli.rescored_because", lang, causes=causes))
    before_mean, after_mean = result.mean_score(0), result.mean_score(1)
    if before_mean is not None and after_mean is not None:
        print(say("cli.rescored_mean", lang, before=f"{before_mean:.1%}", after=f"{after_mean:.1%}"))
    if result.changes:
        table = _table("", *_t(config, "criterion", "was", "becomes", "count", "call"))
        for change in result.changes:
            statuses = [say(f"cli.{status}", lang) if status else "–" for status in (change.before, change.after)]
            table.add_row(change.criterion, *statuses, str(len(change.calls)), shortened(change.calls))
        _show(table)
    elif result.calls:
        print(say("cli.rescored_same", lang))
    return 0


def _summarise(lang: Lang, row: RunRow, output: Path | str) -> None:
    seconds = row.wall_ms / 1000
    print(
        say(
            "cli.run_done",
            lang,
            published=row.published,
            failed=row.failed,
            resumed=row.resumed,
            left=row.left,
            hours=f"{row.audio_ms / 3_600_000:.2f}",
            wall=_length(row.wall_ms),
            speed=f"{row.audio_ms / 1000 / seconds:.1f}" if seconds else "0",
        ),
        file=sys.stderr,
    )
    print(say("cli.report", lang, path=f"{output}/reports/{row.run_id}.html"), file=sys.stderr)
    if row.failed or row.standing:
        print(say("cli.run_failures_hint", lang, output=output), file=sys.stderr)


class _Bar:
    """The progress of a run on stderr: calls, hours of audio, speed, time left."""

    def __init__(self, lang: Lang) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._lang = lang
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(say("cli.calls", lang)),
            TextColumn("{task.fields[hours]:.2f} " + say("cli.hours", lang)),
            TextColumn("{task.fields[speed]:.1f} " + say("cli.realtime", lang)),
            TextColumn(say("cli.left", lang)),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._task = self._progress.add_task("", total=None, hours=0.0, speed=0.0)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def planned(self, plan: Plan) -> None:
        new = len(plan.todo) - plan.outdated
        if plan.rescored:
            self._console.print(say("cli.plan_rescored", self._lang, calls=len(plan.rescored)))
        line = say(
            "cli.plan", self._lang, found=plan.found, resumed=plan.resumed, outdated=plan.outdated, new=max(0, new)
        )
        self._console.print(line)
        for key in ("standing", "duplicates", "erased", "growing"):
            count = getattr(plan, key)
            if count:
                self._console.print(say(f"cli.plan_{key}", self._lang, n=count))
        undated = sum(call.started_at is None for call in plan.todo)
        if undated:
            self._console.print(say("cli.no_start", self._lang, n=undated))
        if plan.todo:
            self._console.print(say("cli.loading", self._lang))
        self._progress.update(self._task, total=len(plan.todo) + len(plan.refused))

    def stopping(self) -> None:
        """SIGTERM came."""
        self._console.print(say("cli.stopping", self._lang))

    def advanced(self, progress: Progress) -> None:
        self._progress.update(
            self._task,
            completed=progress.published + progress.failed,
            hours=progress.audio_ms / 3_600_000,
            speed=progress.audio_ms / max(1, progress.wall_ms),
        )

    def failed(self, row: FailureRow) -> None:
        text = say("cli.call_failed", self._lang, call_id=row.call_id, stage=row.stage, message=row.message)
        self._console.print(text, markup=False)


class _JsonLog:
    """A run on stderr for programs: an object a line, with counts and ids and nothing that was said."""

    def __enter__(self) -> _JsonLog:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def planned(self, plan: Plan) -> None:
        values = ((field.name, getattr(plan, field.name)) for field in dataclasses.fields(plan))
        _log("planned", {name: value if isinstance(value, int) else len(value) for name, value in values})

    def stopping(self) -> None:
        """SIGTERM came."""
        _log("stopping")

    def advanced(self, progress: Progress) -> None:
        _log("advanced", _plain(progress))

    def failed(self, row: FailureRow) -> None:
        _log("failed", {k: v for k, v in _plain(row).items() if k != "recording"}, "warning")


def _log(event: str, values: dict[str, Any] | None = None, level: str = "info") -> None:
    at = datetime.now().astimezone().isoformat(timespec="milliseconds")
    print(json.dumps({"at": at, "level": level, "event": event, **(values or {})}), file=sys.stderr, flush=True)


# --- what OUT holds -------------------------------------------------------------------------------------------------


def _status(config: Config, options: argparse.Namespace) -> int:
    store = _existing(config, options.output)
    with store.reading():
        runs = store.runs()
        published, not_scorable = store.count_calls()
        failures = store.failures()
    progress = store.progress()
    is_running = store.is_being_written()
    state = {
        "running": is_running,
        "waiting": progress["waiting"] if progress else 0,
        "published": published,
        "not_scorable": not_scorable,
        "failed": len(failures),
        "quarantined": sum(row.get("state") == "quarantined" for row in failures),
        "last_run": _plain_row(runs[-1]) if runs else None,
    }
    # A run that was killed left how far it was, and no row.
    known = {row["run_id"] for row in runs}
    was_killed = progress is not None and not is_running and progress["run_id"] not in known
    state["killed"] = was_killed
    if runs and not is_running and not was_killed:
        state["waiting"] = runs[-1]["left"]
    if options.json:
        print(json.dumps(state, indent=1, default=str))
        return 0
    if not runs and not published and not progress:
        print(say("cli.status_none", config.lang, output=options.output))
        return 0
    table = _table(say("cli.status_title", config.lang, output=options.output), *(_t(config, "state", "count")))
    for key in ("waiting", "published", "not_scorable", "failed", "quarantined"):
        table.add_row(say(f"cli.{key}", config.lang), str(state[key]))
    if runs:
        table.add_row(say("cli.last_run", config.lang), f"{runs[-1]['finished_at']:%Y-%m-%d %H:%M} UTC")
    _show(table)
    if is_running or was_killed:
        print(say("cli.status_running" if is_running else "cli.status_killed", config.lang))
    return 0


def _doctor(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.engine.doctor import examine

    findings = examine(config, options.output)
    lines = [finding.message.say(config.lang) for finding in findings]
    if options.json:
        rows = [{"subject": f.subject, "level": f.level, "text": line} for f, line in zip(findings, lines, strict=True)]
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        table = _table("", *_t(config, "subject", "state", "description"))
        colours = {"ok": "green", "warning": "yellow", "bad": "red"}
        for finding, line in zip(findings, lines, strict=True):
            level = f"[{colours[finding.level]}]{say(f'doctor.level_{finding.level}', config.lang)}[/]"
            table.add_row(say(f"doctor.of_{finding.subject}", config.lang), level, line)
        _show(table)
    return 2 if any(finding.level == "bad" for finding in findings) else 0


def _retry(config: Config, options: argparse.Namespace) -> int:
    def is_chosen(row: dict[str, Any]) -> bool:
        return (
            (not options.call_ids or row["call_id"] in options.call_ids)
            and options.stage in (None, row["stage"])
            and options.state in (None, row.get("state"))
        )

    with _open(config, options.output) as store:
        released = store.release(is_chosen)
    if options.json:
        print(json.dumps(released))
    else:
        print(say("cli.released", config.lang, n=len(released)))
    if unknown := set(options.call_ids) - set(released):
        print(say("cli.not_failed", config.lang, calls=", ".join(sorted(unknown))), file=sys.stderr)
        return 2
    return 0


def _compact(config: Config, options: argparse.Namespace) -> int:
    if is_remote(options.output):
        raise StoreError(path=options.output, reason=Message("errors.files_object_storage_not"))
    with _open(config, options.output) as store:
        done = store.compact()
    if options.json:
        print(json.dumps(_plain(done)))
    else:
        print(say("cli.compacted", config.lang, before=done.before, after=done.after))
        if done.held:
            print(say("cli.compact_held", config.lang, dates=done.held), file=sys.stderr)
    return 1 if done.held else 0


@contextmanager
def _open(config: Config, output: Path | str) -> Iterator[Store]:
    store = _existing(config, output)
    store.open()
    try:
        yield store
    finally:
        store.close()


def _erase(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.privacy.rights import Rights

    with _open(config, options.output) as store:
        Rights(store, config).erase(options.call_id, options.reason)
    print(say("cli.erased", config.lang))
    return 0


def _hold(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.privacy.rights import Rights

    with _open(config, options.output) as store:
        rights = Rights(store, config)
        (rights.end_hold if options.end else rights.hold)(options.call_id, options.reason)
        print(say("cli.holds", config.lang, n=len(store.holds())))
    return 0


def _purge(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.privacy.rights import Rights

    with _open(config, options.output) as store:
        rights = Rights(store, config)
        rights.settle()
        done = rights.purge(datetime.now(ZoneInfo(config.municipality.timezone)).date(), options.recordings)
    counts = {name: len(getattr(done, name)) for name in ("calls", "texts", "failures", "reviews")}
    counts |= {"recordings": done.recordings, "held": done.held}
    print(json.dumps(counts) if options.json else say("cli.purged", config.lang, **counts))
    return 0


def _export(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.privacy.rights import Rights, as_text

    if options.form:
        return _hand_over(config, options)
    with _open(config, options.output) as store:
        own = Rights(store, config).export(options.call_id)
    print(json.dumps(own, indent=1, ensure_ascii=False, default=str) if options.json else as_text(own, config.lang))
    return 0


def _hand_over(config: Config, options: argparse.Namespace) -> int:
    """A call for another system."""
    from datetime import UTC

    from callanalytics.privacy.pseudonyms import Pseudonyms
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
    ledger = Ledger(_existing(config, options.output).place, Pseudonyms(config.privacy))
    ledger.add("export", [(options.call_id, one.call["recording_sha256"])], options.form)
    print(json.dumps(tree, indent=1, ensure_ascii=False, default=as_json))
    return 0


def _ledger(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.privacy.pseudonyms import Pseudonyms

    entries = Ledger(_existing(config, options.output).place, Pseudonyms(config.privacy)).entries()
    if options.json:
        print(json.dumps([_plain(entry) for entry in entries], indent=1, ensure_ascii=False))
        return 0
    table = _table("", *_t(config, "at", "who", "done", "call", "reason"))
    for entry in entries:
        table.add_row(entry.at, entry.who, say(f"cli.action_{entry.action}", config.lang), entry.call, entry.reason)
    _show(table)
    return 0


def _privacy_report(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.report.privacy import privacy_report

    print(privacy_report(_existing(config, options.output), config))
    return 0


def _failures(config: Config, options: argparse.Namespace) -> int:
    rows = sorted(_existing(config, options.output).failures(), key=lambda row: (row["call_id"], row["recording"]))
    if options.json:
        print(json.dumps([_plain_row(row) for row in rows], indent=1, default=str))
        return 0
    if not rows:
        print(say("cli.no_failures", config.lang))
        return 0
    table = _table("", *_t(config, "call", "recording", "stage", "state", "attempts", "message"))
    for row in rows:
        state = say(f"cli.state_{row.get('state') or 'failed'}", config.lang)
        table.add_row(row["call_id"], row["recording"], row["stage"], state, str(row["attempts"]), row["message"])
    _show(table)
    return 0


def _existing(config: Config, output: Path | str) -> Store:
    from callanalytics.store.datasets import Store

    store = Store(output, storage=config.storage)
    store.check_is_there()
    return store


# --- analysis -------------------------------------------------------------------------------------------------------


def _report(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.report.figures import Period
    from callanalytics.report.write import write_report

    today = options.today or datetime.now(ZoneInfo(config.municipality.timezone)).date()
    written = write_report(config, options.output, Period(options.first, options.last, today), options.folder)
    if options.json:
        print(json.dumps({"files": [str(path) for path in written.paths], "pdf": not written.lacks_pdf}, indent=1))
    else:
        print(*written.paths, sep="\n")
    if written.lacks_pdf:
        print(say("report.no_pdf", config.lang), file=sys.stderr)
        return 1
    return 0


SHOWN = 1000  # rows of an answer on the screen


def _sql(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.privacy.pseudonyms import Pseudonyms
    from callanalytics.store.catalog import open_catalog, read_reviews

    with open_catalog(config, options.output, read_reviews(config, options.output)) as sql:
        if options.csv or options.excel:
            # What was asked is not told: it may name somebody.
            Ledger(_existing(config, options.output).place, Pseudonyms(config.privacy)).add(
                "export", [("", None)], "sql"
            )
        elif options.query is None and sys.stdin.isatty():
            return _prompt(config, sql)
        _answer(config, sql, sys.stdin.read() if options.query is None else options.query, options)
    return 0


def _answer(config: Config, sql: Any, query: str, options: argparse.Namespace | None = None) -> None:
    """Print what a query gives, or keep it in the file that the options name."""
    from rich.text import Text

    from callanalytics.report.tables import as_json, run_query, write_csv, write_excel

    columns, rows = run_query(sql, query)
    if options and options.csv:
        write_csv(options.csv, columns, rows)
    elif options and options.excel:
        write_excel(options.excel, [("query", columns, rows)])
    elif options and options.json:
        comma = ""
        print("[", end="")
        for row in rows:
            values = (None if isinstance(one, float) and not math.isfinite(one) else one for one in row)  # 1 / 0
            line = json.dumps(dict(zip(columns, values, strict=True)), ensure_ascii=False, default=as_json)
            print(f"{comma}\n{line}", end="")
            comma = ","
        print("\n]")
    elif columns:
        table, left = _table("", *columns), 0
        for number, row in enumerate(rows):
            left += number >= SHOWN
            if number < SHOWN:
                table.add_row(*(Text(_cell(value)) for value in row))
        _show(table)
        if left:
            print(say("cli.sql_more", config.lang, left=left), file=sys.stderr)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(round(value, 4) if isinstance(value, float) else value)


def _prompt(config: Config, sql: Any) -> int:
    """Queries until .quit.  What is typed is kept nowhere: it may name a citizen."""
    from contextlib import suppress

    from callanalytics.store.catalog import find_columns, find_views

    with suppress(ImportError):
        import readline  # noqa: F401  # input() then knows arrows and the lines before

    print(say("cli.sql_welcome", config.lang), file=sys.stderr)
    lines: list[str] = []
    while True:
        try:
            line = input("...> " if lines else "sql> ")
            command, _, name = line.strip().rstrip(";").partition(" ")
            if not lines and command == ".quit":
                return 0
            if not lines and command == ".tables":
                _show_rows(_t(config, "view", "meaning"), find_views(sql))
            elif not lines and command == ".schema":
                found = find_columns(sql, name.strip())
                if not found:
                    raise QueryError(reason=Message("errors.no_view_tables_lists", view=name.strip()))
                _show_rows(_t(config, "view", "column", "type", "meaning"), found)
            elif line.strip():
                lines.append(line)
                if line.rstrip().endswith(";"):
                    query, lines = "\n".join(lines), []
                    _answer(config, sql, query)
        except QueryError as error:
            print(error.say(config.lang), file=sys.stderr)
        except KeyboardInterrupt:
            lines = []
            print()
        except EOFError:
            print()
            return 0


def _show_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich.text import Text

    table = _table("", *columns)
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    _show(table)


def _tables(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.privacy.pseudonyms import Pseudonyms
    from callanalytics.report.tables import write_tables
    from callanalytics.store.catalog import open_catalog, read_reviews

    with open_catalog(config, options.output, read_reviews(config, options.output)) as sql:
        # One line without a call: it is about all of them.
        Ledger(_existing(config, options.output).place, Pseudonyms(config.privacy)).add(
            "export", [("", None)], "tables"
        )
        counts = write_tables(sql, options.folder, config.municipality.timezone, options.excel)
    if options.json:
        print(json.dumps(counts, indent=1))
    else:
        _show_rows(_t(config, "view", "rows"), list(counts.items()))
    print(say("cli.tables_written", config.lang, path=options.folder), file=sys.stderr)
    return 0


# --- demo -----------------------------------------------------------------------------------------------------------


def _demo(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.engine.batch import run
    from callanalytics.store.catalog import open_catalog

    lang = config.lang
    if options.config is None:
        config = load_config(DEMO / "config.toml").model_copy(update={"lang": lang})
    print(say("cli.demo_intro", lang), file=sys.stderr)
    with _Bar(lang) as bar:
        row = run(config, DEMO / "recordings", options.output, bar, calls_csv=DEMO / "calls.csv")
    _summarise(lang, row, options.output)
    with open_catalog(config, options.output) as sql:
        # The call with most points shows most evidence.
        best = sql.execute("SELECT call_id FROM calls WHERE scorable ORDER BY score DESC, call_id LIMIT 1").fetchone()
        if best:
            _demo_card(config, sql, best[0])
        _demo_promises(config, sql)
        _demo_table(config, sql)
    print("\n" + say("cli.demo_next", lang))
    criteria = options.output / "criteria" / "*" / "*.parquet"
    print(
        f"  SELECT call_id, criterion, status, evidence[1].quote FROM '{criteria}'\n"
        "  WHERE status = 'not_met' ORDER BY call_id;"
    )
    print("\n" + say("cli.demo_review", lang, output=options.output, recordings=DEMO))
    return 1 if row.failed else 0


def _demo_card(config: Config, sql: Any, call_id: str) -> None:
    from callanalytics.scoring import load_detector

    lang, detector = config.lang, load_detector(config)
    title = say("cli.demo_card", lang, call_id=call_id)
    table = _table(title, *_t(config, "item", "verdict", "probability", "evidence"))
    rows = sql.execute(
        "SELECT criterion, status, probability, evidence FROM criteria WHERE call_id = ?", [call_id]
    ).fetchall()
    found = {row[0]: row[1:] for row in rows}
    columns = ", ".join(f"item_{name}" for name in config.scorecard.items) or "NULL"
    statuses = sql.execute(f"SELECT compliance_status, {columns} FROM calls WHERE call_id = ?", [call_id]).fetchone()
    by_item = dict(zip(config.scorecard.items, statuses[1:], strict=False))
    callbacks = sql.execute(
        # "by" is a word of SQL too
        """SELECT "by", deadline_text FROM promises WHERE call_id = ? AND type = 'callback' ORDER BY start_ms""",
        [call_id],
    ).fetchall()
    # What the register says of each promised callback; the item's verdict weighs it.
    said = {"callback.who": [row[0] for row in callbacks], "callback.when": [row[1] for row in callbacks]}

    def add(name: str, title: str) -> None:
        status, probability, evidence = found[name]
        first = evidence[0] if evidence else None
        quote = f"{_length(first['start_ms'])}  “{first['quote']}”" if first else ""
        if first and first["alternative"]:
            quote += "  " + say("cli.say_instead", lang, plain=first["alternative"])
        verdict = _coloured(lang, status)
        if detector.criterion(name).polarity == "signal" and status in ("met", "not_met"):
            verdict = say("cli.yes" if status == "met" else "cli.no", lang)
        table.add_row(title, verdict, f"{probability:.2f}", quote)

    for item_id, item in config.scorecard.items.items():
        status, item_name = by_item[item_id], getattr(item.name, lang)
        if len(item.parts) == 1 and item.parts[0] in found:
            add(item.parts[0], f"[bold]{item_name}[/bold]")
            continue
        table.add_row(f"[bold]{item_name}[/bold]", _coloured(lang, status))
        for name in item.parts if status != "not_applicable" else ():
            if name not in found:
                table.add_row(
                    f"  {say(f'cli.{name}', lang)}", "", "", "; ".join(text or "?" for text in said.get(name, ()))
                )
                continue
            criterion = detector.criterion(name)
            add(name, f"  {criterion.name_nl if lang == 'nl' else criterion.name_en}")
    table.add_section()
    table.add_row(f"[bold]{say('cli.compliance', lang)}[/bold]", _coloured(lang, statuses[0]))
    for name in config.scorecard.compliance:
        if name in found:
            criterion = detector.criterion(name)
            add(name, f"  {criterion.name_nl if lang == 'nl' else criterion.name_en}")
    _show(table)


def _demo_promises(config: Config, sql: Any) -> None:
    from zoneinfo import ZoneInfo

    table = _table(say("cli.demo_promises", config.lang), *_t(config, "call", "what", "due", "said"))
    rows = sql.execute("SELECT call_id, type, due_at, quote FROM promises ORDER BY call_id, start_ms").fetchall()
    zone = ZoneInfo(config.municipality.timezone)
    for call_id, kind, due_at, quote in rows:
        due = f"{due_at.astimezone(zone):%d-%m-%Y %H:%M}" if due_at else "?"
        table.add_row(call_id, say(f"cli.{kind}", config.lang), due, f"“{quote}”")
    if rows:
        _show(table)


def _demo_table(config: Config, sql: Any) -> None:
    table = _table(
        say("cli.demo_all", config.lang),
        *_t(config, "call", "layout", "duration", "topic", "hold", "agent_share", "score"),
    )
    rows = sql.execute(
        "SELECT call_id, layout, duration_ms, topic, hold_ms, talk_ratio_agent, normalized_score FROM calls ORDER BY 1"
    ).fetchall()
    for call_id, layout, duration_ms, topic, hold_ms, ratio, score in rows:
        share = f"{ratio:.0%}" if ratio is not None else "?"
        points = f"{score:.0%}" if score is not None else "?"
        table.add_row(call_id, layout, _length(duration_ms), topic, _length(hold_ms), share, points)
    _show(table)


def _coloured(lang: Lang, status: str) -> str:
    colour = {"met": "green", "not_met": "red", "uncertain": "yellow", "not_applicable": "dim"}[status]
    return f"[{colour}]{say(f'cli.{status}', lang)}[/{colour}]"


# --- transcripts made elsewhere -------------------------------------------------------------------------------------


def _score(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.redaction.redactor import Redactor
    from callanalytics.scoring.scorer import Scorer

    redactor, score = Redactor(config), Scorer(config)
    for transcript in _read_transcripts(options.transcript):
        verdict = score(redactor(transcript).transcript)
        keep = ("criterion", "applicable", "detected", "status", "probability", "evidence")
        result = {
            "call_id": transcript.call_id,
            "items": verdict.items,
            **verdict.columns,
            "topics": [dataclasses.asdict(share) for share in verdict.topics],
            "criteria": [{k: v for k, v in _plain(row).items() if k in keep} for row in verdict.criteria],
            "promises": [_plain(_local(row, config)) for row in verdict.promises],
        }
        _print_json(result, options.transcript)
    return 0


def _local(promise: PromiseRow, config: Config) -> PromiseRow:
    """A deadline as the clock on the wall shows it: people read this output."""
    from zoneinfo import ZoneInfo

    due_at = promise.due_at.astimezone(ZoneInfo(config.municipality.timezone)) if promise.due_at else None
    return dataclasses.replace(promise, due_at=due_at)


def _redact(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.redaction.redactor import Redactor

    redactor = Redactor(config)
    for transcript in _read_transcripts(options.transcript):
        redacted = redactor(transcript).transcript
        turns = [{"role": t.role, "start_ms": t.start_ms, "end_ms": t.end_ms, "text": t.text} for t in redacted.turns]
        started = redacted.started_at.isoformat() if redacted.started_at else None
        result = {"call_id": redacted.call_id, "started_at": started, "turns": turns, "holds": redacted.holds}
        _print_json(result, options.transcript)
    return 0


def _redact_audio(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.engine.copies import Copied, redact_recordings

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
    failed = [copied for copied in done if copied.error]
    if options.json:
        rows = [
            {"call_id": c.call_id, "data": c.data, "muted_ms": c.muted_ms, "error": c.error and c.error.reason}
            for c in done
        ]
        print(json.dumps(rows, indent=1))
    else:
        counts = {"copies": len(done) - len(failed), "failed": len(failed)}
        print(say("cli.copies_done", config.lang, folder=options.folder, **counts))
    return 1 if failed else 0


def _print_json(result: dict[str, Any], source: Path) -> None:
    indent = None if source.suffix == ".jsonl" else 1
    print(json.dumps(result, ensure_ascii=False, indent=indent, default=str))


def _read_transcripts(path: Path) -> Iterator[Transcript]:
    """One JSON object, or one a line in .jsonl; raises InputError naming the line and the key at fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(path=path, reason=f"{error.strerror}.") from None
    except UnicodeDecodeError:
        raise InputError(path=path, reason=Message("errors.not_utf8_text")) from None
    documents = text.splitlines() if path.suffix == ".jsonl" else [text]
    for number, document in enumerate(documents, start=1):
        if not document.strip():
            continue
        try:
            yield _transcript(json.loads(document))
        except json.JSONDecodeError as error:
            raise InputError(path=path, reason=Message("errors.line_no_json", line=error.lineno + number - 1)) from None
        except KeyError as error:
            raise InputError(
                path=path, reason=Message("errors.document_key_missing", number=number, key=error)
            ) from None
        except (TypeError, ValueError, AttributeError):
            raise InputError(path=path, reason=Message("errors.document_role_time_ms", number=number)) from None


def _transcript(tree: dict[str, Any]) -> Transcript:
    from callanalytics.records import Transcript, Turn

    roles = {"agent", "citizen", "ivr", "unknown"}
    started = tree.get("started_at")
    turns = []
    for index, turn in enumerate(tree["turns"]):
        if turn["role"] not in roles:
            raise ValueError("role")
        turns.append(Turn(index, turn["role"], int(turn["start_ms"]), int(turn["end_ms"]), str(turn["text"])))
    ends = [turn.end_ms for turn in turns]
    holds = tuple((int(start), int(end)) for start, end in tree.get("holds", ()))
    return Transcript(
        call_id=str(tree["call_id"]),
        started_at=datetime.fromisoformat(started) if started else None,
        turns=tuple(turns),
        holds=holds,
        duration_ms=max([*ends, *(end for _, end in holds)], default=0),
    )


# --- the rest -------------------------------------------------------------------------------------------------------


def _evaluate(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.evaluation.evaluate import evaluate

    _existing(config, options.output)
    print(json.dumps(evaluate(options.output, options.truth, config), indent=1, ensure_ascii=False))
    return 0


def _review(config: Config, options: argparse.Namespace) -> int:
    _existing(config, options.output)
    changed = {"host": options.host, "port": options.port, "recordings": options.recordings and str(options.recordings)}
    settings = config.review.model_copy(update={key: value for key, value in changed.items() if value is not None})
    config = config.model_copy(update={"review": settings})
    if options.users or any((options.add_user, options.password, options.disable, options.enable)):
        return _people(config, options)
    try:
        import uvicorn

        from callanalytics.review.app import create_app
        from callanalytics.store.reviews.people import users
    except ImportError:
        reason = Message("errors.review_app_needs_more")
        raise ConfigError(path="[review]", reason=reason) from None
    app = create_app(config, options.output)
    if not users(app.state.desk.reviews):
        print(say("cli.review_nobody", config.lang, output=options.output), file=sys.stderr)
    with _listening(settings.host, settings.port) as listening:
        port = listening.getsockname()[1]
        print(say("cli.review_at", config.lang, url=f"http://{settings.host}:{port}/"), file=sys.stderr)
        # Its own log would hold addresses and paths with ids of calls.
        quiet: dict[str, Any] = {"log_level": "critical", "access_log": False, "server_header": False}
        uvicorn.Server(uvicorn.Config(app, **quiet)).run(sockets=[listening])
    return 0


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens.  Raises ConfigError, where uvicorn would end without a word."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError:
        reason = Message("errors.port_taken_not_ours", port=port, host=host)
        raise ConfigError(path="[review]", reason=reason) from None


def _people(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.privacy.pseudonyms import Pseudonyms
    from callanalytics.store.reviews.people import add_user, change_user, users
    from callanalytics.store.reviews.reviews import open_reviews

    reviews = open_reviews(config, options.output)
    if options.users:
        table = _table("", *_t(config, "user", "role", "since", "state"))
        for user in users(reviews):
            state = say("cli.user_out" if user.disabled_at else "cli.user_in", config.lang)
            table.add_row(user.name, say(f"cli.role_{user.role}", config.lang), f"{user.made_at:%Y-%m-%d}", state)
        _show(table)
    elif options.add_user:
        agent_ref = Pseudonyms(config.privacy)("agent", options.agent) if options.role == "agent" else None
        add_user(reviews, options.add_user, _new_password(config), options.role, agent_ref, config.lang)
    elif options.password:
        change_user(reviews, options.password, password=_new_password(config))
    else:
        change_user(reviews, options.disable or options.enable, is_disabled=bool(options.disable))
    reviews.close()
    return 0


def _new_password(config: Config) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    import getpass

    return getpass.getpass(say("cli.ask_password", config.lang))


def _models(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.errors import ModelMissing, ModelRefused
    from callanalytics.models import find_model, model_entry, pull_model, read_manifest

    names = options.names or (list(read_manifest()) if options.action == "list" else config.models.used)
    if options.action == "pull":
        for name in names:
            for line in pull_model(name, options.source):
                print(line, file=sys.stderr)
        return 0
    rows, worst = [], 0
    for name in names:
        entry = model_entry(name)
        state = "models_ok"
        try:
            find_model(name)
        except ModelMissing:
            state = "models_missing"
        except ModelRefused:
            state = "models_bad"
        worst = max(worst, 0 if state == "models_ok" else 2)
        rows.append({"model": name, "task": entry.task, "licence": entry.licence, "state": state})
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        table = _table("", *_t(config, "model", "task", "licence", "state"))
        for row in rows:
            table.add_row(row["model"], row["task"], row["licence"], say(f"cli.{row['state']}", config.lang))
        _show(table)
    return worst if options.action == "verify" else 0


def _train(config: Config, options: argparse.Namespace) -> int:
    models = project_root() / "models"
    folder = models / options.what
    if options.from_reviews is not None:
        return _train_from_reviews(config, options)
    if options.what == "criteria":
        from callanalytics.training.criteria import train_criteria

        learnt = train_criteria(folder, config)
    elif options.what == "topics":
        from callanalytics.training.topics import train_topics

        learnt = train_topics(folder / "turns.jsonl", models / "roles" / "turns.jsonl", folder, config)
    elif options.what == "dutch":
        from callanalytics.training.dutch import train_dutch

        learnt = train_dutch(
            options.treebank or Path("treebank"), folder, any_treebank=options.any_treebank, progress=_say_step
        )
    else:
        from callanalytics.training.roles import train_roles

        learnt = train_roles(folder / "turns.jsonl", folder)
    print(json.dumps(learnt, indent=1))
    return 0


def _train_from_reviews(config: Config, options: argparse.Namespace) -> int:
    if options.what != "criteria":
        raise InputError(path=options.from_reviews, reason=Message("errors.criteria_alone_learn_from"))
    from callanalytics.training.from_reviews import learn_from_reviews

    learnt = learn_from_reviews(config, options.from_reviews, options.output or options.from_reviews / "models")
    print(json.dumps(learnt, indent=1))
    print(say(f"cli.learnt_{learnt['verdict']}", config.lang, **learnt.get("needed", {})), file=sys.stderr)
    return 0


def _say_step(step: int, losses: dict[str, float]) -> None:
    print(f"{step}: {json.dumps(losses)}", file=sys.stderr)


def _config(config: Config, options: argparse.Namespace) -> int:
    if options.action == "check":
        return _check(config, options)
    from callanalytics.config import masked

    tree = config.model_dump(mode="json")
    # People paste this where others read it.
    tree["notify"]["webhook"] = masked(config.notify.webhook)
    tree["storage"]["endpoint"] = masked(config.storage.endpoint)
    tree["review"]["database"] = masked(config.review.database)
    print(json.dumps(tree, indent=1, ensure_ascii=False))
    return 0


def _check(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.evaluation.check import find_mistakes, trace_phrases

    mistakes = find_mistakes(config)
    for mistake in mistakes:
        print(f"- {mistake.say(config.lang)}")
    if mistakes:
        print(say("cli.mistakes", config.lang, n=len(mistakes)))
        return 2
    print(say("cli.no_mistakes", config.lang))
    if options.output is None:
        return 0
    _existing(config, options.output)
    traces = trace_phrases(config, options.output, options.criterion)
    if options.criterion is None:
        table = _table("", *_t(config, "criterion", "finds", "calls", "taken_back", "evidence"))
        for trace in traces:
            calls = {find.call_id for find in trace.kept}
            counts = (len(trace.kept), len(calls), len(trace.finds) - len(trace.kept))
            table.add_row(trace.name, *map(str, counts), _quotes(trace.kept, 2))
        _show(table)
        return 0
    for trace in traces:
        table = _table(trace.name, *_t(config, "phrase", "finds", "evidence", "taken_back"))
        for line in trace.lines:
            of_line = [find for find in trace.finds if find.line == line]
            back = [f"{say(f'cli.why_{find.why}', config.lang)}: “{find.quote}”" for find in of_line if find.why]
            kept = [find for find in of_line if not find.why]
            table.add_row(line, str(len(kept)), _quotes(kept, 3), "\n".join(back[:3]))
        _show(table)
    return 0


def _quotes(finds: Sequence[PhraseFind], most: int) -> str:
    return "\n".join(f"{find.call_id} {_length(find.start_ms)} “{find.quote}”" for find in finds[:most])


def _schema(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.records import DATASETS, arrow_schema
    from callanalytics.scoring import load_files

    ids = load_files(config).ids
    schemas = {name: arrow_schema(name, ids, tuple(config.scorecard.items)) for name in DATASETS}
    if options.json:
        tree = {
            name: [
                {"column": f.name, "type": str(f.type), "description": f.metadata[b"description"].decode()}
                for f in schema
            ]
            for name, schema in schemas.items()
        }
        print(json.dumps(tree, indent=1))
        return 0
    for name, schema in schemas.items():
        title = f"{name}: {schema.metadata[b'description'].decode()}"
        table = _table(title, *_t(config, "column", "type", "description"))
        for field in schema:
            table.add_row(field.name, str(field.type), field.metadata[b"description"].decode())
        _show(table)
    return 0


def _t(config: Config, *keys: str) -> list[str]:
    return [say(f"cli.{key}", config.lang) for key in keys]


def _table(title: str, *columns: str) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _show(table: Any) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 140)
    console.print(table)


def _plain(row: Any) -> dict[str, Any]:
    return _plain_row(dataclasses.asdict(row))


def _plain_row(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}


def _length(ms: int) -> str:
    """Minutes and seconds.   83000 -> "1:23" """
    return f"{ms // 60_000}:{ms // 1000 % 60:02d}"


if __name__ == "__main__":
    sys.exit(main())
