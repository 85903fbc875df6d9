"""Workers as actors of a Ray cluster, like those of `workers`; IN and OUT lie on a disk that all nodes share.

An actor or a node may be lost like a process: what it had under way is tried again call by call, and a call that is
alone with its actor and ends it once more is at fault.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from callanalytics.call.pipeline import UNDER_WAY
from callanalytics.config import Config
from callanalytics.engine.workers import MAX_DEATHS, Shard, blame
from callanalytics.errors import CallError, WorkerError
from callanalytics.records import CallSource

if TYPE_CHECKING:
    from callanalytics.call.pipeline import ShardOutcome

def run_on_ray(
    make: Callable[..., Any], config: Config, upcoming: Callable[[], Shard | None], workers: int, threads: int
) -> Iterator[tuple[Shard, ShardOutcome]]:
    """Shards with their outcomes, in the order they are done, until `upcoming` has none.

    The cluster is the one at engine.ray_address, else one of this machine alone.  A call that hangs is not noticed.
    Raises what `make` raises, and WorkerError when the cluster can't be reached or actors end whatever they work on.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # it would report home
    import ray

    is_ours = not ray.is_initialized()
    if is_ours:
        options: dict[str, Any] = {"include_dashboard": False} if not config.engine.ray_address else {}
        try:
            ray.init(config.engine.ray_address or None, log_to_driver=False, logging_level=logging.ERROR, **options)
        except (ConnectionError, RuntimeError):
            raise WorkerError from None
    actors = _Actors(make, config, workers, threads)
    try:
        while actors.give(upcoming):
            yield from actors.wait()
    finally:
        actors.end()
        if is_ours:
            ray.shutdown()


class _Actors:
    """The actors and what each has under way."""

    def __init__(self, make: Callable[..., Any], config: Config, workers: int, threads: int) -> None:
        import ray

        remote: Any = ray.remote  # its types know functions alone
        kind = remote(num_cpus=threads, num_gpus=config.engine.ray_gpus, max_concurrency=UNDER_WAY)(make)
        self._start: Callable[[], Any] = lambda: kind.remote(config, threads)
        self._actors = [self._start() for _ in range(workers)]
        self._running: dict[Any, tuple[Any, Shard]] = {}
        self._suspects: deque[CallSource] = deque()
        self._on_trial: set[Any] = set()  # actors alone with a suspect
        self._deaths = 0

    def give(self, upcoming: Callable[[], Shard | None]) -> bool:
        """Fill every actor's hands, the rest waits here and not in Ray; false when there is nothing to wait for."""
        for actor in self._actors:
            load = len(self._shards_of(actor))
            while load < UNDER_WAY and actor not in self._on_trial and (shard := upcoming()):
                self._send(actor, shard)
                load += 1
            if not load and self._suspects:
                self._on_trial.add(actor)
                self._send(actor, [self._suspects.popleft()])
        return bool(self._running)

    def wait(self) -> Iterator[tuple[Shard, ShardOutcome]]:
        """Yield the next shard that is done, or the call whose actor died of it."""
        import ray

        (done, *_), _ = ray.wait(list(self._running))
        actor, shard = self._running.pop(done)
        try:
            outcome: ShardOutcome = ray.get(done)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayError:
            if blamed := self._lost(actor, shard):
                yield shard, ([blamed], {})
        else:
            self._deaths = 0
            self._on_trial.discard(actor)
            yield shard, outcome

    def end(self) -> None:
        """End all actors, whatever they are doing."""
        import ray

        for actor in self._actors:
            ray.kill(actor)

    def _send(self, actor: Any, shard: Shard) -> None:
        self._running[actor.__call__.remote(shard)] = (actor, shard)

    def _shards_of(self, actor: Any) -> list[Shard]:
        return [shard for busy, shard in self._running.values() if busy is actor]

    def _lost(self, actor: Any, shard: Shard) -> CallError | None:
        """Another actor for one that died; the error of the call that it was alone with."""
        self._deaths += 1
        if self._deaths >= MAX_DEATHS:
            raise WorkerError
        was_on_trial = actor in self._on_trial
        if not was_on_trial:
            self._suspects += [call for lost in (shard, *self._shards_of(actor)) for call in lost]
        self._running = {ref: work for ref, work in self._running.items() if work[0] is not actor}
        self._on_trial.discard(actor)
        self._actors[self._actors.index(actor)] = self._start()
        return blame(shard[0], "died") if was_on_trial else None
