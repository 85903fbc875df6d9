"""The processes that calls are worked on in: dealt shards, watched, ended when they hang or grow, replaced.

A recording can crash, hang or bloat the native code that reads it.  Whatever a process dies of, the calls it had under
way are tried again one by one; a call that is alone with its process and ends it once more is at fault.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Literal

from callanalytics.config import Config
from callanalytics.config import Engine as EngineSettings
from callanalytics.errors import CallAnalyticsError, CallError, WorkerError
from callanalytics.records import CallSource
from callanalytics.texts import Message

if TYPE_CHECKING:
    from callanalytics.call.pipeline import ShardOutcome

Shard = list[CallSource]
Cause = Literal["died", "hung", "grew"]
WATCH_S = 1.0  # how often the processes are looked at
MAX_DEATHS = 10  # of calls alone, one after the other: then it is not the calls


def run_processes(
    make: Callable[..., Any], config: Config, upcoming: Callable[[], Shard | None], workers: int, threads: int
) -> Iterator[tuple[Shard, ShardOutcome]]:
    """Shards with their outcomes, in the order they are done, until `upcoming` has none.

    `make(config, threads)` gives the worker of a process and goes to it by its name; `threads` are those of each.
    Raises what `make` raises, and WorkerError when processes die whatever they work on.
    """
    processes = [_Process(make, config, threads) for _ in range(workers)]
    suspects: deque[CallSource] = deque()
    deaths = 0

    def give(process: _Process) -> Shard | None:
        if process.on_trial:
            return None
        if shard := upcoming():
            return shard
        if suspects and not process.shards:
            process.on_trial = True
            return [suspects.popleft()]
        return None

    try:
        while True:
            for process in processes:
                if process.is_idle and (shard := give(process)):
                    process.send(shard)
            busy = [process for process in processes if not process.is_idle]
            if not busy:
                return
            connection.wait([c for p in busy for c in (p.connection, p.sentinel)], WATCH_S)
            for process in busy:
                for shard, outcome in process.read(give):
                    deaths = 0
                    yield shard, outcome
                cause = process.trouble(config.engine)
                if cause is None:
                    continue
                process.end()
                processes[processes.index(process)] = _Process(make, config, threads)
                if process.on_trial:
                    deaths += 1
                    (call,) = process.shards[0]
                    yield [call], ([blame(call, cause)], {})
                else:
                    deaths += not process.is_ready
                    suspects += [call for shard in process.shards for call in shard]
                if deaths >= (MAX_DEATHS if process.is_ready else 2):
                    raise WorkerError
    finally:
        for process in processes:
            process.end()


@dataclass
class _Process:
    """A process with a worker, seen from the run."""

    make: Callable[..., Any]
    config: Config
    threads: int
    shards: deque[Shard] = field(default_factory=deque)
    is_ready: bool = False  # its models are loaded
    on_trial: bool = False  # alone with a call that was under way when another process died
    is_idle: bool = True
    longest_s: float = 0.0  # recording of the shards under way

    def __post_init__(self) -> None:
        # Spawned, not forked: a fork would copy the threads' locks of the libraries loaded here.
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self.make, self.config, self.threads))
        self._process.daemon = True
        self._process.start()
        theirs.close()
        self.sentinel = self._process.sentinel
        self._alive_at = time.monotonic()

    def send(self, shard: Shard) -> None:
        """Begin work on a shard."""
        if self.is_idle:
            self._alive_at, self.longest_s = time.monotonic(), 0.0
        self.is_idle = False
        self.shards.append(shard)
        self._answer(shard)

    def read(self, give: Callable[[_Process], Shard | None]) -> Iterator[tuple[Shard, ShardOutcome]]:
        """Yield the shards done since; a process that asks for more work gets what `give` has for it."""
        try:
            while self.connection.poll():
                kind, value = self.connection.recv()
                self._alive_at = time.monotonic()
                if kind == "ready":
                    self.is_ready = True
                elif kind == "broken":
                    raise value
                elif kind == "step":
                    self.longest_s = max(self.longest_s, value)
                elif kind == "next":
                    if shard := give(self):
                        self.send(shard)
                    else:
                        self._answer(None)
                elif kind == "done":
                    shard = self.shards.popleft()
                    self.on_trial = False
                    yield shard, value
                elif kind == "idle":
                    self.is_idle = True
        except (EOFError, ConnectionError):
            pass  # it died in the middle of a message; its sentinel tells

    def _answer(self, shard: Shard | None) -> None:
        with suppress(ConnectionError):  # it is dead, and `trouble` will say so
            self.connection.send(shard)

    def trouble(self, settings: EngineSettings) -> Cause | None:
        """Return what is wrong with the process, if anything."""
        if not self._process.is_alive():
            return "died"
        if settings.memory_mib and _memory_mib(self._process.pid) > settings.memory_mib:
            return "grew"
        silent_s = time.monotonic() - self._alive_at
        return "hung" if silent_s > settings.patience_s + settings.patience_per_s * self.longest_s else None

    def end(self) -> None:
        """End the process, whatever it is doing: what it has under way is not published."""
        self._process.kill()
        self._process.join()
        self.connection.close()


def blame(call: CallSource, cause: Cause) -> CallError:
    """Return the error of a call that ended a process among others and then one that it was alone with."""
    reason = (
        Message("errors.killed_process_worked_twice")
        if cause == "died"
        else Message("errors.process_worked_gave_no")
        if cause == "hung"
        else Message("errors.process_worked_took_more")
    )
    return CallError(call_id=call.call_id, stage="worker", reason=reason, state="quarantined")


def _memory_mib(pid: int | None) -> float:
    """Resident memory of a process, 0 when it is gone."""
    import psutil

    try:
        return float(psutil.Process(pid).memory_info().rss) / (1 << 20)
    except psutil.NoSuchProcess:
        return 0.0


def _serve(pipe: connection.Connection, make: Callable[..., Any], config: Config, threads: int) -> None:
    """The process itself: load the models, work on what it is sent until the run is gone."""
    # The run decides when to stop; a signal to the whole group must not take the calls under way.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.umask(0o077)
    Thread(target=_leave_with_the_run, daemon=True).start()
    _stand_back(config.engine)
    sending = Lock()

    def send(kind: str, value: Any = None) -> None:
        with sending:
            pipe.send((kind, value))

    def upcoming() -> Shard | None:
        if given:
            return given.pop()
        send("next")
        answer: Shard | None = pipe.recv()
        return answer

    try:
        worker = make(config, threads)
        worker.on_step = partial(send, "step")
        send("ready")
        while True:
            given: list[Shard] = [pipe.recv()]
            for _, outcome in worker.stream(upcoming):
                send("done", outcome)
            send("idle")
    except CallAnalyticsError as error:
        send("broken", error)
    except Exception as error:
        # Its text may hold what was said in a call, so only its kind and place are told.
        place = traceback.extract_tb(error.__traceback__)[-1]
        send("broken", RuntimeError(f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"))


def _leave_with_the_run() -> None:
    """Ends this process as soon as the run is gone, however that ended: nobody is left to publish for."""
    parent = parent_process()
    if parent:
        connection.wait([parent.sentinel])
        os._exit(1)


def _stand_back(settings: EngineSettings) -> None:
    """Let other work of this machine go first, as configured."""
    import psutil

    if settings.nice:
        os.nice(settings.nice)
        if hasattr(psutil, "IOPRIO_CLASS_IDLE"):
            psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
