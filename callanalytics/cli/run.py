"""Commands of the operator: run, rescore, status, failures, retry, compact and doctor."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from callanalytics.cli.options import Commands, find_store, open_store, place
from callanalytics.cli.output import length, plain, print_json, print_table
from callanalytics.config import Config
from callanalytics.errors import StoreError
from callanalytics.store.bucket import is_remote
from callanalytics.texts import Lang, Message, say

if TYPE_CHECKING:
    from callanalytics.engine.batch import Progress
    from callanalytics.engine.plan import RunPlan
    from callanalytics.records import FailureRow, RunRow

COLOURS = {"ok": "green", "warning": "yellow", "bad": "red"}


def add(commands: Commands) -> None:
    """Add the commands of this file."""
    run = commands.add("run", _run)
    run.add_argument("recordings", type=place, metavar="RECORDINGS", help="recordings")
    run.add_argument("--output", type=place, required=True, metavar="OUT", help="run_output")
    run.add_argument("--calls", type=Path, metavar="FILE", help="calls_csv")
    run.add_argument("--engine", choices=("local", "ray"), default="local")
    run.add_argument("--ray-address", metavar="HOST:PORT", help="run_ray_address")
    run.add_argument("--workers", type="positive", metavar="N", help="run_workers")
    run.add_argument("--until", type="clock", metavar="HH:MM", help="run_until")
    run.add_argument("--log", choices=("bar", "json"), default="bar", help="run_log")
    run.add_argument("--limit", type="positive", metavar="N", help="run_limit")
    for name, command in (("rescore", _rescore), ("status", _status), ("failures", _failures), ("compact", _compact)):
        commands.add(name, command, place)
    retry = commands.add("retry", _retry, place)
    retry.add_argument("call_ids", nargs="*", metavar="CALL_ID", help="retry_call_ids")
    retry.add_argument("--stage", metavar="STAGE", help="retry_stage")
    retry.add_argument("--state", choices=("final", "quarantined"), help="retry_state")
    commands.add("doctor", _doctor).add_argument("output", type=Path, nargs="?", metavar="OUT")


def _run(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.engine.batch import run
    from callanalytics.engine.notify import tell

    if options.ray_address:
        settings = config.engine.model_copy(update={"ray_address": options.ray_address})
        config = config.model_copy(update={"engine": settings})
    log: AbstractContextManager[Bar | JsonLog] = nullcontext(JsonLog()) if options.log == "json" else Bar(config.lang)
    with log as watcher, stop_on_sigterm(watcher) as stopped:
        row = run(
            config,
            options.recordings,
            options.output,
            watcher,
            calls_csv=options.calls,
            engine=options.engine,
            workers=options.workers,
            until=options.until,
            limit=options.limit,
            stopped=stopped,
        )
    if options.log == "bar":
        summarise(config.lang, row, options.output)
        if not config.privacy.legal_basis:
            print(say("cli.plan_no_basis", config.lang), file=sys.stderr)
    else:
        _log("done", plain(row))
    if options.json:
        print_json(plain(row))
    for problem in tell(config.notify, row, config.lang):
        print(problem, file=sys.stderr)
    return 1 if row.failed or row.standing else 0


@contextmanager
def stop_on_sigterm(watcher: Bar | JsonLog) -> Iterator[Callable[[], bool]]:
    """Yield whether SIGTERM (systemd, shutdown) asked to stop.

    A run then finishes the calls under way and begins no more.
    """
    asked = Event()

    def stop(*_: object) -> None:
        if not asked.is_set():
            watcher.stopping()
        asked.set()

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGTERM, before)


def summarise(lang: Lang, row: RunRow, output: Path | str) -> None:
    """Print the counts of a run, where its page is, and how to see what failed."""
    line = say(
        "cli.run_done",
        lang,
        published=row.published,
        failed=row.failed,
        resumed=row.resumed,
        left=row.left,
        hours=f"{row.audio_ms / 3_600_000:.2f}",
        wall=length(row.wall_ms),
        speed=f"{row.audio_ms / row.wall_ms:.1f}" if row.wall_ms else "0",
    )
    print(line, file=sys.stderr)
    print(say("cli.report", lang, path=f"{output}/reports/{row.run_id}.html"), file=sys.stderr)
    if row.failed or row.standing:
        print(say("cli.run_failures_hint", lang, output=output), file=sys.stderr)


class Bar:
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

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _print(self, key: str, **values: Any) -> None:
        self._console.print(say(f"cli.{key}", self._lang, **values))

    def planned(self, plan: RunPlan) -> None:
        """Print what a run is going to do."""
        if plan.rescored:
            self._print("plan_rescored", calls=len(plan.rescored))
        new = max(0, len(plan.todo) - plan.outdated)
        self._print("plan", found=plan.found, resumed=plan.resumed, outdated=plan.outdated, new=new)
        for key in ("standing", "duplicates", "erased", "growing"):
            if count := getattr(plan, key):
                self._print(f"plan_{key}", n=count)
        if undated := sum(call.started_at is None for call in plan.todo):
            self._print("no_start", n=undated)
        if plan.todo:
            self._print("loading")
        self._progress.update(self._task, total=len(plan.todo) + len(plan.refused))

    def stopping(self) -> None:
        """Print that SIGTERM came."""
        self._print("stopping")

    def advanced(self, progress: Progress) -> None:
        """Move the bar."""
        self._progress.update(
            self._task,
            completed=progress.published + progress.failed,
            hours=progress.audio_ms / 3_600_000,
            speed=progress.audio_ms / max(1, progress.wall_ms),
        )

    def failed(self, row: FailureRow) -> None:
        """Print why a call failed."""
        text = say("cli.call_failed", self._lang, call_id=row.call_id, stage=row.stage, message=row.message)
        self._console.print(text, markup=False)


class JsonLog:
    """The progress of a run on stderr for programs: an object a line, with counts and ids and no text of a call."""

    def planned(self, plan: RunPlan) -> None:
        """Print the counts of what a run is going to do."""
        values = ((field.name, getattr(plan, field.name)) for field in dataclasses.fields(plan))
        _log("planned", {name: value if isinstance(value, int) else len(value) for name, value in values})

    def stopping(self) -> None:
        """Print that SIGTERM came."""
        _log("stopping")

    def advanced(self, progress: Progress) -> None:
        """Print how far the run is."""
        _log("advanced", plain(progress))

    def failed(self, row: FailureRow) -> None:
        """Print why a call failed, without the name of its recording."""
        _log("failed", {k: v for k, v in plain(row).items() if k != "recording"}, "warning")


def _log(event: str, values: dict[str, Any] | None = None, level: str = "info") -> None:
    at = datetime.now().astimezone().isoformat(timespec="milliseconds")
    print(json.dumps({"at": at, "level": level, "event": event, **(values or {})}), file=sys.stderr, flush=True)


def _rescore(config: Config, options: argparse.Namespace) -> None:
    from callanalytics.engine.rescore import as_tree, rescore, shortened

    find_store(config, options.output)
    lang, result = config.lang, rescore(config, options.output)
    if options.json:
        print_json(as_tree(result), ensure_ascii=False)
        return
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
        rows = []
        for change in result.changes:
            statuses = [say(f"cli.{status}", lang) if status else "–" for status in (change.before, change.after)]
            rows.append((change.criterion, *statuses, str(len(change.calls)), shortened(change.calls)))
        print_table(lang, ("criterion", "was", "becomes", "count", "call"), rows)
    elif result.calls:
        print(say("cli.rescored_same", lang))


def _status(config: Config, options: argparse.Namespace) -> None:
    store, lang = find_store(config, options.output), config.lang
    with store.reading():
        runs = store.runs()
        published, not_scorable = store.count_calls()
        failures = store.failures()
    progress = store.progress()
    is_running = store.is_being_written()
    last = runs[-1] if runs else None
    # A run that was killed left how far it was, and no row.
    was_killed = bool(progress and not is_running and progress["run_id"] not in {row["run_id"] for row in runs})
    waiting = progress["waiting"] if progress else 0
    counts = {
        "waiting": last["left"] if last and not is_running and not was_killed else waiting,
        "published": published,
        "not_scorable": not_scorable,
        "failed": len(failures),
        "quarantined": sum(row.get("state") == "quarantined" for row in failures),
    }
    if options.json:
        print_json({"running": is_running, **counts, "last_run": last and plain(last), "killed": was_killed})
        return
    if not runs and not published and not progress:
        print(say("cli.status_none", lang, output=options.output))
        return
    rows = [(say(f"cli.{key}", lang), str(count)) for key, count in counts.items()]
    if last:
        rows.append((say("cli.last_run", lang), f"{last['finished_at']:%Y-%m-%d %H:%M} UTC"))
    print_table(lang, ("state", "count"), rows, say("cli.status_title", lang, output=options.output))
    if is_running or was_killed:
        print(say("cli.status_running" if is_running else "cli.status_killed", lang))


def _failures(config: Config, options: argparse.Namespace) -> None:
    failures = find_store(config, options.output).failures()
    failures.sort(key=lambda row: (row["call_id"], row["recording"]))
    if options.json:
        print_json([plain(row) for row in failures])
    elif not failures:
        print(say("cli.no_failures", config.lang))
    else:
        rows = []
        for row in failures:
            state = say(f"cli.state_{row.get('state') or 'failed'}", config.lang)
            rows.append((row["call_id"], row["recording"], row["stage"], state, str(row["attempts"]), row["message"]))
        print_table(config.lang, ("call", "recording", "stage", "state", "attempts", "message"), rows)


def _retry(config: Config, options: argparse.Namespace) -> int:
    def is_chosen(row: dict[str, Any]) -> bool:
        return (
            (not options.call_ids or row["call_id"] in options.call_ids)
            and options.stage in (None, row["stage"])
            and options.state in (None, row.get("state"))
        )

    with open_store(config, options.output) as store:
        released = store.release(is_chosen)
    if options.json:
        print_json(released, indent=None)
    else:
        print(say("cli.released", config.lang, n=len(released)))
    unknown = set(options.call_ids) - set(released)
    if unknown:
        print(say("cli.not_failed", config.lang, calls=", ".join(sorted(unknown))), file=sys.stderr)
    return 2 if unknown else 0


def _compact(config: Config, options: argparse.Namespace) -> int:
    if is_remote(options.output):
        raise StoreError(path=options.output, reason=Message("errors.files_object_storage_not"))
    with open_store(config, options.output) as store:
        done = store.compact()
    if options.json:
        print_json(plain(done), indent=None)
    else:
        print(say("cli.compacted", config.lang, before=done.before, after=done.after))
        if done.held:
            print(say("cli.compact_held", config.lang, dates=done.held), file=sys.stderr)
    return 1 if done.held else 0


def _doctor(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.engine.doctor import examine

    lang = config.lang
    found = [(one.subject, one.level, one.message.say(lang)) for one in examine(config, options.output)]
    if options.json:
        print_json([dict(zip(("subject", "level", "text"), row, strict=True)) for row in found], ensure_ascii=False)
    else:
        rows = [
            (say(f"doctor.of_{subject}", lang), f"[{COLOURS[level]}]{say(f'doctor.level_{level}', lang)}[/]", text)
            for subject, level, text in found
        ]
        print_table(lang, ("subject", "state", "description"), rows)
    return 2 if any(level == "bad" for _, level, _ in found) else 0
