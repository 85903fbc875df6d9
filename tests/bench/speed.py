"""Side by side: the script people write, faster-whisper's batches, whisperX where it is installed, and ours.

usage: .venv/bin/python -m tests.bench.speed [--recordings DIR] [--truth DIR] [--systems a,b,...] [--rounds N]
                                             [--json FILE] [--whisperx PYTHON] [--copies N]

Every round runs each system once, one after the other, each in a process of its own on the same recordings, with the
same weights and cores.  Prints a table with each system's best round, and the ratios to ours; what changes from round
to round is the machine.  Memory is the peak of the process; CPU seconds are those of all its threads.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import jiwer

from tests.support.paths import DEV

HERE = Path(__file__).resolve().parent
SYSTEMS = ("script", "batched", "whisperx", "ours")
TITLES = {
    "script": "(a) faster-whisper, then pyannote",
    "batched": "(b) faster-whisper's batches, then pyannote",
    "whisperx": "(c) whisperX, recognition alone",
    "ours": "(d) callanalytics run",
}


def measure(name: str, recordings: Path, python: str) -> dict[str, Any]:
    """One run of a system: wall, CPU, peak memory, and what it heard.  Raises RuntimeError when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        result, errors = Path(folder) / "result.json", Path(folder) / "errors.txt"
        began = time.perf_counter()
        with errors.open("w") as log:
            command = [python, str(HERE / "systems.py"), name, str(recordings), str(result)]
            process = subprocess.Popen(command, stdout=log, stderr=log)
            _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
        if status:
            raise RuntimeError(f"{name} failed:\n{errors.read_text()[-2000:]}")
        spent = {"wall_s": wall_s, "cpu_s": usage.ru_utime + usage.ru_stime, "memory_mib": usage.ru_maxrss / 1024}
        return json.loads(result.read_text()) | spent


def copy_calls(recordings: Path, folder: Path, copies: int) -> Path:
    """A night's worth of calls: every recording `copies` times, as d01.1.wav, d01.2.wav ..."""
    for path in sorted(path for path in recordings.iterdir() if path.is_file()):
        for i in range(1, copies + 1):
            shutil.copy(path, folder / f"{path.stem}.{i}{path.suffix}")
    return folder


def truth_of(call_id: str, truth: Path) -> Path:
    """The truth file of a call, which its copies share."""
    return truth / f"{call_id.partition('.')[0]}.json"


def plain_text(text: str) -> str:
    """Lower case, no punctuation."""
    return " ".join(re.sub(r"[^\w\s]", " ", text.lower()).split())


def word_errors(calls: dict[str, Any], truth: Path) -> float | None:
    """WER over all calls with a truth file, words in time order on both sides."""
    references, hypotheses = [], []
    for call_id, call in sorted(calls.items()):
        path = truth_of(call_id, truth)
        if path.is_file():
            turns = sorted(json.loads(path.read_text())["turns"], key=lambda t: t["start"])
            references.append(plain_text(" ".join(t["text"] for t in turns)))
            hypotheses.append(plain_text(" ".join(w for w, *_ in sorted(call["words"], key=lambda w: w[1]))))
    return float(jiwer.wer(references, hypotheses)) if references else None


def speaker_errors(calls: dict[str, Any], truth: Path) -> float | None:
    """DER over all calls with a truth file, without a collar, overlap counted; None for a system without speakers."""
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate

    metric: Any = DiarizationErrorRate()
    scored = 0
    for call_id, call in sorted(calls.items()):
        path = truth_of(call_id, truth)
        if not path.is_file() or not call["segments"]:
            continue
        reference, hypothesis = Annotation(), Annotation()
        for i, turn in enumerate(json.loads(path.read_text())["turns"]):
            reference[Segment(turn["start"], turn["end"]), i] = turn["speaker"]
        for i, (speaker, start, end) in enumerate(call["segments"]):
            hypothesis[Segment(start, end), i] = speaker
        metric(reference, hypothesis)
        scored += 1
    return float(abs(metric)) if scored else None


def table(best: dict[str, dict[str, Any]]) -> str:
    """A row for each system, with ratios to ours."""
    lines = [
        "| | audio s | wall s | × realtime | CPU s | peak MiB | WER | DER | wall / ours | peak / ours |",
        "| --- |" + " --- |" * 9,
    ]
    own = best.get("ours")
    for name, run in best.items():
        wer, der = run["wer"], run["der"]
        ratios = [f"{run[key] / own[key]:.2f}" if own else "–" for key in ("wall_s", "memory_mib")]
        figures = [
            f"{run['audio_s']:.0f}", f"{run['wall_s']:.0f}", f"{run['audio_s'] / run['wall_s']:.1f}",
            f"{run['cpu_s']:.0f}", f"{run['memory_mib']:.0f}",
            "–" if wer is None else f"{wer:.3f}", "–" if der is None else f"{der:.3f}", *ratios,
        ]  # fmt: skip
        lines.append(f"| {TITLES[name]} | " + " | ".join(figures) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=Path, default=DEV / "recordings")
    parser.add_argument("--truth", type=Path, default=DEV / "truth")
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--whisperx", metavar="PYTHON", help="the Python of an environment that holds whisperX")
    parser.add_argument("--copies", type=int, default=1, help="take every recording N times: 3 make over two hours")
    options = parser.parse_args()
    if not options.recordings.is_dir():
        print(f"skipped: no recordings at {options.recordings}", file=sys.stderr)
        return 0
    names = [n for n in options.systems.split(",") if n != "whisperx" or options.whisperx]
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        recordings = copy_calls(options.recordings, Path(folder), options.copies)
        for _ in range(options.rounds):
            for name in names:
                python = options.whisperx if name == "whisperx" else sys.executable
                runs[name].append(run := measure(name, recordings, python))
                calls = run["calls"]
                run |= {"wer": word_errors(calls, options.truth), "der": speaker_errors(calls, options.truth)}
                print(f"{name}: {run['wall_s']:.1f} s, {run['memory_mib']:.0f} MiB", file=sys.stderr, flush=True)
    best = {name: min(found, key=lambda run: run["wall_s"]) for name, found in runs.items()}
    print(table(best))
    if options.json:
        kept = {n: [{k: v for k, v in run.items() if k != "calls"} for run in found] for n, found in runs.items()}
        options.json.write_text(json.dumps(kept, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
