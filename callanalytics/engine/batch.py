"""A batch: list, skip what is published, run, publish, report.  The only module that keeps time.

Calls are dealt out in shards; a shard is recognised together and published together.  The same `Worker` runs in
processes of this machine, as Ray actors, or in this process.
"""

from __future__ import annotations

import os
import platform
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from callanalytics.config import Config
from callanalytics.engine.intake import Refused, list_calls, list_remote_calls, split_settled
from callanalytics.engine.plan import RunPlan, cut_shards, hash_or_none, plan_run
from callanalytics.errors import CallError
from callanalytics.models import find_model, model_entry
from callanalytics.privacy.rights import Rights
from callanalytics.records import CallResult, CallSource, FailureRow, RunRow
from callanalytics.store.bucket import Bucket
from callanalytics.store.datasets import Store
from callanalytics.store.run_page import run_page
from callanalytics.texts import Lang, to_words

if TYPE_CHECKING:
    from callanalytics.call.pipeline import ShardOutcome
    from callanalytics.scoring.phrases import CriteriaFiles


@dataclass(slots=True)
class Progress:
    """How far a run is; handed to the observer after every shard."""

    total: int
    published: int = 0
    failed: int = 0
    audio_ms: int = 0
    wall_ms: int = 0
    wall_ms_by_stage: dict[str, int] = field(default_factory=dict)


class Observer(Protocol):
    """Somebody who watches a run, such as the command line's progress bar."""

    def planned(self, plan: RunPlan) -> None:
        """What will be done, before anything is."""

    def advanced(self, progress: Progress) -> None:
        """After every shard."""

    def failed(self, row: FailureRow) -> None:
        """A call could not be processed."""


def run(
    config: Config,
    recordings: Path | str,
    output: Path | str,
    observer: Observer,
    *,
    calls_csv: Path | None = None,
    engine: str = "local",
    workers: int | None = None,
    until: str | None = None,
    limit: int | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> RunRow:
    """Process every recording that isn't published yet; returns the row of this run, also written to OUT.

    `recordings` is a folder, a file, or a URL like s3://bucket/folder; `output` a folder or such a URL.
    `until` is a local time HH:MM at which no new shard is begun; `limit` the number of calls to take at most; once
    `stopped` says so no new shard is begun either, and what is under way is finished and published.
    Raises InputError, ManifestError, StoreError, StoreLocked, ModelMissing, ModelRefused, DeviceMissing before
    anything is processed, WorkerError when processes end whatever they work on, InputError for trained models that
    can't be read; what goes wrong with a call becomes a row of failures.
    """
    from callanalytics.call.fingerprint import fingerprint, scoring_fingerprint
    from callanalytics.engine.rescore import rescore_calls
    from callanalytics.scoring import load_files

    started, clock = datetime.now(UTC), time.monotonic()
    calls = _list(recordings, calls_csv, config)
    for name in config.models.used:
        find_model(name)
    current, scoring = fingerprint(config), scoring_fingerprint(config)
    files = load_files(config)  # so that a mistake in them comes before any work
    store = Store(output, files.ids, tuple(config.scorecard.items), config.storage)
    store.open()
    try:
        is_gone = Rights(store, config).settle()
        settled, growing = split_settled(calls, config.engine.settle_s)
        plan = plan_run(settled, store, current, scoring, limit, config.engine, is_gone)
        plan = replace(plan, found=len(calls), growing=len(growing))
        store.check_space(len(plan.todo), config.engine.min_free_mb)
        observer.planned(plan)
        rescore_calls(store, config, files, plan.rescored)
        run_id = f"{started:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        progress = Progress(total=len(plan.todo) + len(plan.refused))
        recorder = _Recorder(store, observer, progress, run_id, current, scoring, clock, config.lang)
        count = workers or config.engine.workers
        shards = cut_shards(plan.todo, config.engine.shard_calls, count)
        deadline = _deadline(until, config)

        def is_over() -> bool:
            return stopped() or (deadline is not None and time.monotonic() >= deadline)

        recorder.keep()
        for wait_s in (0.0, *config.engine.retry_waits_s):
            if not shards or not _slept(wait_s, is_over):
                break
            for shard, outcome in run_shards(config, shards, count, is_over, engine=engine, files=files):
                recorder.shard(shard, outcome)
            shards = cut_shards(recorder.passing, config.engine.shard_calls, count)
        recorder.record_passing()
        # Last: publishing a call takes away failures of its id, and a refused recording may share one.
        for refused in plan.refused:
            call = refused.call
            recorder.failure(call, CallError(call_id=call.call_id, stage="intake", reason=refused.reason))
        row = _row_of(plan, recorder, started, clock, config)
        store.publish_run(row)
        store.write_report(row, run_page(row, recorder.failures, config.lang))
    finally:
        store.close()
    return row


def _list(recordings: Path | str, calls_csv: Path | None, config: Config) -> list[CallSource | Refused]:
    if isinstance(recordings, str):
        return list_remote_calls(Bucket(recordings, config.storage), calls_csv)
    return list_calls(recordings, calls_csv)


def _row_of(plan: RunPlan, recorder: _Recorder, started: datetime, clock: float, config: Config) -> RunRow:
    """Return the row of a run that has ended."""
    progress = recorder.progress
    return RunRow(
        run_id=recorder.run_id,
        started_at=started,
        finished_at=datetime.now(UTC),
        found=plan.found,
        resumed=plan.resumed,
        published=progress.published,
        failed=progress.failed,
        standing=plan.standing,
        duplicates=plan.duplicates,
        left=plan.left + plan.growing + progress.total - progress.published - progress.failed,
        audio_ms=progress.audio_ms,
        wall_ms=round((time.monotonic() - clock) * 1000),
        wall_ms_by_stage=progress.wall_ms_by_stage,
        versions=_versions(config),
        pipeline_fingerprint=recorder.fingerprint,
    )


class _Recorder:
    """Turns outcomes into published rows and counts them."""

    def __init__(
        self,
        store: Store,
        observer: Observer,
        progress: Progress,
        run_id: str,
        fingerprint: str,
        scoring: str,
        clock: float,
        lang: Lang,
    ) -> None:
        self.progress = progress
        self._store, self._observer = store, observer
        self.run_id, self.fingerprint, self._scoring = run_id, fingerprint, scoring
        self._clock, self._lang = clock, lang
        self._parts = 0
        self._passing: dict[str, tuple[CallSource, CallError]] = {}  # failed, and may pass when tried again
        self._tries: dict[str, int] = {}
        self.failures: list[FailureRow] = []
        self._attempts = {
            (row["call_id"], row["recording"]): row["attempts"]
            for row in store.failures()
            if row["pipeline_fingerprint"] == fingerprint
        }

    def shard(self, calls: Sequence[CallSource], outcome: ShardOutcome) -> None:
        results, wall_ms = outcome
        now = datetime.now(UTC)
        done = [
            replace(
                r,
                call=replace(
                    r.call,
                    pipeline_fingerprint=self.fingerprint,
                    scoring_fingerprint=self._scoring,
                    run_id=self.run_id,
                    processed_at=now,
                ),
            )
            for r in results
            if isinstance(r, CallResult)
        ]
        if done:
            self._store.publish(done, f"part-{self.run_id}-{self._parts:05d}")
            self._parts += 1
        self.progress.published += len(done)
        self.progress.audio_ms += sum(r.call.duration_ms for r in done)
        for stage, ms in wall_ms.items():
            self.progress.wall_ms_by_stage[stage] = self.progress.wall_ms_by_stage.get(stage, 0) + ms
        for call, result in zip(calls, results, strict=True):
            self._passing.pop(call.path, None)
            if isinstance(result, CallError):
                self._tries[call.path] = self._tries.get(call.path, 0) + 1
                if result.state == "failed":
                    self._passing[call.path] = (call, result)
                else:
                    self.failure(call, result)
        self.keep()
        self._observer.advanced(self.progress)

    def keep(self) -> None:
        """Write down how far the run is, for `status`."""
        done = self.progress
        done.wall_ms = round((time.monotonic() - self._clock) * 1000)
        state = {"run_id": self.run_id, "at": datetime.now(UTC), "waiting": done.total - done.published - done.failed}
        self._store.write_progress(state | {"published": done.published, "failed": done.failed})

    @property
    def passing(self) -> list[CallSource]:
        """Return the calls that failed of something that may pass."""
        return [call for call, _ in self._passing.values()]

    def record_passing(self) -> None:
        """Nothing more will be tried: what failed has failed."""
        for call, error in self._passing.values():
            self.failure(call, error)

    def failure(self, call: CallSource, error: CallError) -> None:
        row = FailureRow(
            call_id=call.call_id,
            recording=call.recording,
            recording_sha256=call.sha256 or hash_or_none(call),
            stage=error.stage,
            error=type(error).__name__,
            message=str(to_words(error.reason, self._lang)),
            attempts=self._attempts.get((call.call_id, call.recording), 0) + self._tries.get(call.path, 1),
            state=error.state,
            pipeline_fingerprint=self.fingerprint,
            run_id=self.run_id,
            failed_at=datetime.now(UTC),
        )
        self._store.publish_failure(row)
        self.failures.append(row)
        self.progress.failed += 1
        self._observer.failed(row)


def _slept(seconds: float, is_over: Callable[[], bool]) -> bool:
    """Wait; false when the run is to end before."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not is_over():
        time.sleep(min(0.2, left))
    return seconds == 0 or not is_over()


def _deadline(until: str | None, config: Config) -> float | None:
    """Return the monotonic time at which the local time is `until` next, None when there is no end."""
    if until is None:
        return None
    hour, minute = (int(part) for part in until.split(":"))
    now = datetime.now(ZoneInfo(config.municipality.timezone))
    end = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if end <= now:
        end += timedelta(days=1)
    # In UTC, or a night in which the clock changes is an hour too short or too long.
    return time.monotonic() + (end.astimezone(UTC) - now.astimezone(UTC)).total_seconds()


def run_shards(
    config: Config,
    shards: Sequence[list[CallSource]],
    workers: int,
    is_over: Callable[[], bool],
    *,
    engine: str = "local",
    files: CriteriaFiles | None = None,
) -> Iterator[tuple[list[CallSource], ShardOutcome]]:
    """Shards with their outcomes, in the order they are done: from `workers` processes of this machine or of a Ray
    cluster, or from this process where that is configured; then `files` are the phrase files if they were read before.
    """
    from callanalytics.call.pipeline import Worker
    from callanalytics.engine.workers import run_processes

    waiting = iter(shards)

    def upcoming() -> list[CallSource] | None:
        return None if is_over() else next(waiting, None)

    if not shards:
        return
    workers = min(workers, len(shards))
    threads = _threads(config, workers)
    if engine == "ray":
        from callanalytics.engine.cluster import run_on_ray

        yield from run_on_ray(Worker, config, upcoming, workers, threads)
    elif workers == 1 and not config.engine.isolated:
        yield from Worker(config, threads, files).stream(upcoming)
    else:
        yield from run_processes(Worker, config, upcoming, workers, threads)


def _threads(config: Config, workers: int) -> int:
    """Threads of each worker: as configured, else an equal share of the cores."""
    return config.models.threads or max(1, (os.cpu_count() or 1) // workers)


def _versions(config: Config) -> dict[str, str]:
    packages = ("callanalytics", "faster-whisper", "ctranslate2", "pyannote-audio", "spacy", "scikit-learn", "pyarrow")
    software = {"python": platform.python_version(), **{package: version(package) for package in packages}}
    return software | {f"model:{model_entry(name).task}": name for name in config.models.used}
