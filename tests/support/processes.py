"""Shards of calls for processes that work on them, and the processes that a run started."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from callanalytics.records import CallSource


def shards_of(folder: Path, texts: Sequence[Sequence[str]]) -> list[list[CallSource]]:
    """Shards of calls whose recordings hold these texts."""
    shards = []
    for i, shard in enumerate(texts):
        paths = [folder / f"{i}{j}.wav" for j in range(len(shard))]
        for path, text in zip(paths, shard, strict=True):
            path.write_text(text)
        shards.append([CallSource(path.stem, path.name, str(path)) for path in paths])
    return shards


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    """The processes that a run started, without the helper of multiprocessing that cleans up after them."""
    found = []
    with suppress(psutil.NoSuchProcess):
        for child in process.children():
            with suppress(psutil.NoSuchProcess):
                if "spawn_main" in " ".join(child.cmdline()):
                    found.append(child)
    return found
