"""Who speaks when, judged alone: voice activity and diarization on recordings with known speakers.

usage: .venv/bin/python -m tests.measure.diarization [NAME ...] [--shared DIR] [--threads N]

Prints a row per file: DER with its parts (pyannote.metrics, 250 ms collar on each side, overlap scored), speakers true
and found.  dev: the mono development calls, a second agent being a speaker of its own; nl: calls put together from
two real Dutch voices; en: English recordings of two to four speakers.  Stereo files are mixed down first.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from callanalytics.call.audio import Recording, decode_recording
from callanalytics.call.diarize import Diarizer
from callanalytics.call.speech import SpeechDetector
from callanalytics.config import load_config
from callanalytics.evaluation.speakers import SpeakerErrors, diarization_error
from callanalytics.evaluation.truth import load_truth
from callanalytics.intervals import ratio_interval
from callanalytics.records import Segment
from tests.support.paths import SHARED

TUNED = {"d01", *(f"d{n:02d}" for n in range(9, 17))}


@dataclass(frozen=True, slots=True)
class Sample:
    """A recording and who speaks in it."""

    group: str
    path: Path
    speakers: tuple[Segment, ...]


def dev_calls(folder: Path) -> Iterator[Sample]:
    for truth_path in sorted((folder / "truth").glob("*.json")):
        truth = load_truth(truth_path)
        [path] = [p for p in (folder / "recordings").glob(f"{truth.call_id}.*") if p.suffix != ".json"]
        group = "dev tuned" if truth.call_id in TUNED else "dev held out"
        yield Sample(group, path, tuple(Segment(t.speaker, t.start_ms, t.end_ms) for t in truth.turns))


def labelled(group: str, folder: Path) -> Iterator[Sample]:
    for path in sorted(folder.glob("*.rttm")):
        yield Sample(group, path.with_suffix(".wav"), tuple(read_rttm(path.read_text(encoding="utf-8"))))


def read_rttm(text: str) -> Iterator[Segment]:
    """Yield the speakers of an RTTM file: lines "SPEAKER file 1 start duration <NA> <NA> name ...", in seconds."""
    for parts in (line.split() for line in text.splitlines() if line.startswith("SPEAKER")):
        start, length = float(parts[3]), float(parts[4])
        yield Segment(parts[7], round(start * 1000), round((start + length) * 1000))


def mixed_down(recording: Recording) -> Recording:
    """One channel, half the sum of both as they are."""
    return replace(
        recording, samples=recording.samples.mean(axis=0, keepdims=True), gains_db=(sum(recording.gains_db) / 2,),
        layout="mono",
    )  # fmt: skip


def show(name: str, errors: SpeakerErrors, rest: str) -> None:
    parts = [part / max(1, errors.total_ms) for part in (errors.missed_ms, errors.false_alarm_ms, errors.confusion_ms)]
    shares = "  ".join(f"{title} {part:.3f}" for title, part in zip(("miss", "fa", "conf"), parts, strict=True))
    print(f"{name:18} DER {errors.rate or 0:.3f}  {shares}  scored {errors.total_ms / 1000:7.1f} s  {rest}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="stems of the files to take; all when none is given")
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="1 on a busy machine")
    options = parser.parse_args()
    if not options.shared.is_dir():
        print(f"skipped: no recordings at {options.shared}", file=sys.stderr)
        return 0
    config = load_config()
    find_speech, diarize = SpeechDetector(config.speech), Diarizer(config.diarization, config.models, options.threads)
    audio = options.shared / "audio"
    samples = [
        *dev_calls(options.shared / "calls" / "dev"),
        *labelled("nl constructed", audio / "nl_calls_constructed"),
        *labelled("en two-speaker", audio / "two_speaker"),
    ]
    found: dict[str, list[tuple[SpeakerErrors, int]]] = {}
    for sample in samples:
        if options.names and sample.path.stem not in options.names:
            continue
        recording = decode_recording(sample.path, sample.path.stem, config.audio)
        if recording.layout == "stereo":
            if sample.group.startswith("dev"):
                continue  # never diarized: a party per channel
            recording = mixed_down(recording)
        segments, _ = diarize(recording.samples[0], find_speech(recording).speech[0])
        errors = diarization_error(segments, sample.speakers, recording.duration_ms)
        found.setdefault(sample.group, []).append((errors, recording.duration_ms))
        speakers = [len({s.speaker for s in side}) for side in (sample.speakers, segments)]
        show(sample.path.stem, errors, f"speakers {speakers[0]} found {speakers[1]}")
    for name, files in {**found, "all": [one for group in found.values() for one in group]}.items():
        total = sum((errors for errors, _ in files), SpeakerErrors())
        interval = ratio_interval([(errors.error_ms, errors.total_ms) for errors, _ in files])
        within = f"  95 % [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else ""
        show(name, total, f"files {len(files)}, {sum(ms for _, ms in files) / 1000:.0f} s{within}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
