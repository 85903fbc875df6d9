"""Time and memory for 10, 100 and 1000 short calls: do they grow with the number of calls, and with nothing else?

usage: .venv/bin/python -m tests.bench.growth [--counts 10,100,1000] [--seconds 6] [--json FILE]

Short calls are cut from the bundled recordings.  One worker does all runs, as it would do a night's shards; it is
loaded and warmed up before the clock runs.  Prints seconds per call for each count, how far each is from the line
through the origin that fits all of them best, and the resident memory of the process as the largest run goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from callanalytics.call import pipeline
from callanalytics.call.audio import decode_recording
from callanalytics.config import Config, load_config, project_root
from callanalytics.engine import batch as engine

RATE_HZ = 8000
DISTINCT = 10  # recordings


def cut_calls(config: Config, folder: Path, count: int, seconds: int) -> None:
    """`count` recordings of a length, both layouts, from the bundled calls: ten over and over, so that a larger run has
    more of the same and nothing else.
    """
    sources = []
    for path in sorted((project_root() / "callanalytics" / "demo" / "recordings").iterdir()):
        recording = decode_recording(path, path.stem, config.audio)
        sources.append(recording.samples[:, ::2])  # telephone sound holds nothing above 4 kHz
    for i in range(count):
        samples = sources[i % len(sources)]
        length = seconds * RATE_HZ
        first = (i % DISTINCT * 7919 * 16) % (samples.shape[1] - length)  # a prime, so that hardly two cuts are alike
        soundfile.write(folder / f"call-{i:04}.wav", samples[:, first : first + length].T, RATE_HZ, subtype="PCM_16")


def resident_mib() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Watching:
    """Notes the resident memory after every shard."""

    def __init__(self) -> None:
        self.memory: list[tuple[int, float]] = []

    def planned(self, plan: Any) -> None: ...

    def advanced(self, progress: Any) -> None:
        self.memory.append((progress.published + progress.failed, resident_mib()))

    def failed(self, row: Any) -> None:
        print(f"failed: {row.message}", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", default="10,100,1000")
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    counts = [int(n) for n in options.counts.split(",")]
    config = load_config()
    here = {"isolated": False, "skip_duplicates": False, "settle_s": 0.0}
    config = config.model_copy(update={"engine": config.engine.model_copy(update=here)})
    worker = pipeline.Worker(config)
    pipeline.Worker = lambda *_: worker  # type: ignore[misc,assignment]
    rows: list[tuple[int, float]] = []
    watching = Watching()
    with tempfile.TemporaryDirectory() as folder:
        for count in (16, *counts):  # the first warms up and is not counted
            recordings = Path(folder) / f"in-{count}-{len(rows)}"
            recordings.mkdir()
            cut_calls(config, recordings, count, options.seconds)
            watching = Watching()
            began = time.perf_counter()
            engine.run(config, recordings, Path(folder) / f"out-{count}-{len(rows)}", watching)
            rows.append((count, time.perf_counter() - began))
            print(f"{count} calls: {rows[-1][1]:.1f} s, {resident_mib():.0f} MiB", file=sys.stderr, flush=True)
    rows = rows[1:]
    n, wall = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    slope = float((n * wall).sum() / (n * n).sum())
    print("| calls | wall s | s a call | beside the line |\n| --- | --- | --- | --- |")
    for count, seconds in rows:
        print(f"| {count} | {seconds:.1f} | {seconds / count:.3f} | {seconds / (slope * count) - 1:+.1%} |")
    print("\n| calls done | resident MiB |\n| --- | --- |")
    step = max(1, len(watching.memory) // 10)
    for done, mib in [*watching.memory[::step], watching.memory[-1]]:
        print(f"| {done} | {mib:.0f} |")
    # A single reading depends on what is under way at that moment, so the readings of a hundred calls are averaged.
    around = {at: [mib for done, mib in watching.memory if at - 50 <= done <= at + 50] for at in (100, counts[-1])}
    print("\n" + ", ".join(f"around call {at}: {np.mean(found):.0f} MiB" for at, found in around.items() if found))
    if options.json:
        options.json.write_text(json.dumps({"wall_s": rows, "memory": watching.memory}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
