"""What a run will do: new, changed, failed and duplicate recordings, cut into shards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from callanalytics.config import Engine as EngineSettings
from callanalytics.engine.intake import Refused
from callanalytics.files import sha256_of
from callanalytics.records import CallSource
from callanalytics.store.bucket import is_remote
from callanalytics.store.datasets import Published, Store


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run will do."""

    found: int
    todo: tuple[CallSource, ...]
    refused: tuple[Refused, ...]
    resumed: int
    outdated: int  # published under another fingerprint: processed again
    rescored: tuple[str, ...]  # of the resumed: words stand, the scorecard is new; scored again from what is stored
    standing: int  # failed before, and would again
    duplicates: int  # the same content as another recording
    erased: int  # erased or purged from OUT: not processed again
    growing: int  # still being written
    left: int  # beyond --limit


def plan_run(
    calls: Sequence[CallSource | Refused],
    store: Store,
    fingerprint: str,
    scoring: str,
    limit: int | None,
    settings: EngineSettings,
    is_gone: Callable[[str, str | None], bool],
) -> RunPlan:
    published = store.published()
    contents = {p.recording_sha256 for p in published.values() if p.fingerprint == fingerprint}
    standing = {
        (row["call_id"], row["recording"], row["recording_sha256"])
        for row in store.failures()
        if row["pipeline_fingerprint"] == fingerprint and row.get("state") in ("final", "quarantined")
    }
    todo: list[CallSource] = []
    again: list[str] = []
    resumed = outdated = stood = duplicates = erased = 0
    for call in (replace(c, sha256=hash_or_none(c)) for c in calls if isinstance(c, CallSource)):
        before = published.get(call.call_id)
        if is_gone(call.call_id, call.sha256):
            erased += 1
        elif before and before.fingerprint == fingerprint and _is_what_was_published(call, before):
            resumed += 1
            if before.scoring != scoring:
                again.append(call.call_id)
        elif call.sha256 and (call.call_id, call.recording, call.sha256) in standing:
            stood += 1
        elif settings.skip_duplicates and call.sha256 in contents:
            duplicates += 1
        else:
            outdated += before is not None
            todo.append(call)
            if call.sha256:
                contents.add(call.sha256)
    order = {queue: i for i, queue in enumerate(settings.first_queues)}
    todo.sort(key=lambda call: order.get(call.queue or "", len(order)))
    taken = todo if limit is None else todo[:limit]
    return RunPlan(
        found=len(calls),
        todo=tuple(taken),
        refused=tuple(c for c in calls if isinstance(c, Refused)),
        resumed=resumed,
        outdated=outdated,
        rescored=tuple(again),
        standing=stood,
        duplicates=duplicates,
        erased=erased,
        growing=0,
        left=len(todo) - len(taken),
    )


def _is_what_was_published(call: CallSource, before: Published) -> bool:
    """By content; an object in storage, which would have to be fetched for that, by when it was last written."""
    if call.modified_at:
        # Storage tells whole seconds, so an object as old as its row may have been written after it.
        return bool(call.modified_at + timedelta(seconds=1) < before.processed_at)
    return call.sha256 == before.recording_sha256


def hash_or_none(call: CallSource) -> str | None:
    if is_remote(call.path):
        return None
    try:
        return sha256_of(Path(call.path))
    except OSError:
        return None


def cut_shards(calls: Sequence[CallSource], size: int, workers: int) -> list[list[CallSource]]:
    """Shards of at most `size` calls, smaller when there would not be one for every worker."""
    size = max(1, min(size, -(-len(calls) // max(1, workers))))
    return [list(calls[i : i + size]) for i in range(0, len(calls), size)]
