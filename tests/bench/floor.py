"""How near recognition is to what the hardware allows: our wall over (windows x encoder + tokens x decoder).

usage: .venv/bin/python -m tests.bench.floor [--recordings DIR] [--json FILE]

The floor is measured with CTranslate2 itself, on windows of real speech: encoder seconds for a 30 s window and decoder
seconds for a token of the answer, each at the best of several batches and layouts of the cores (workers x threads).
The decoder is measured as it is used, with the beam and the context of the configuration.  Only stereo recordings are
taken: they need nothing but recognition to know who speaks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copy2
from typing import Any

import numpy as np

from callanalytics.call.audio import decode_recording
from callanalytics.call.speech import SpeechDetector
from callanalytics.call.transcribe import Track, Transcriber, _joined, assemble, pack
from callanalytics.config import Config, load_config
from callanalytics.models import find_model
from tests.support.paths import DEV

BATCHES = (1, 4, 8)
ROUNDS = 2


def layouts(cores: int) -> list[tuple[int, int]]:
    """(workers, threads of each) that use all cores.   4 -> (1, 4) (2, 2) (4, 1)"""
    return [(n, cores // n) for n in range(1, cores + 1) if cores % n == 0]


def stereo_tracks(config: Config, folder: Path) -> tuple[list[Path], list[Track], float]:
    """The stereo recordings, their tracks, and how many seconds they last."""
    find_speech = SpeechDetector(config.speech)
    paths, tracks, audio_s = [], [], 0.0
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        recording = decode_recording(path, path.stem, config.audio)
        if recording.layout == "stereo":
            spans = find_speech(recording).speech
            tracks += [Track(s, found) for s, found in zip(recording.samples, spans, strict=True)]
            paths.append(path)
            audio_s += recording.duration_ms / 1000
    return paths, tracks, audio_s


def fastest(work: Callable[[], Any]) -> float:
    """Seconds of the fastest of some rounds: what the machine can do when it is left alone."""
    work()
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def measure_floor(config: Config, tracks: list[Track]) -> tuple[dict[str, Any], int, int]:
    """Seconds per window and per token with their best layouts; windows and tokens in the tracks."""
    import ctranslate2

    cores = os.cpu_count() or 1
    whole = Transcriber(config.recognition, config.models, config.municipality, cores)
    windows = sorted(
        (w for i, track in enumerate(tracks) for w in pack(track.speech, config.recognition, i)),
        key=lambda w: -w.length_ms,
    )
    features = np.stack([whole._features(assemble(w, tracks[w.track].samples)) for w in windows])
    prompt = whole._whisper.get_prompt(whole._tokenizer, whole._context, without_timestamps=True)
    folder = str(find_model(config.models.recognition))
    best: dict[str, Any] = {}
    tokens = 0
    for workers, threads in layouts(cores):
        model = ctranslate2.models.Whisper(
            folder, device="cpu", compute_type=config.models.compute_type, inter_threads=workers, intra_threads=threads
        )
        for size in BATCHES:
            # Every worker gets batches, and there are enough of them to keep all busy to the end.
            count = min(len(windows), -(-16 // (size * workers)) * size * workers)
            batches = [features[i : i + size] for i in range(0, count, size)]
            with ThreadPoolExecutor(workers) as pool:

                def encode(batch: Any, model: Any = model) -> Any:
                    return model.encode(ctranslate2.StorageView.from_array(batch), to_cpu=False)

                def decode(encoded: Any, model: Any = model) -> int:
                    answers = model.generate(
                        encoded,
                        [prompt] * encoded.shape[0],
                        beam_size=config.recognition.beam_size,
                        max_length=whole._whisper.max_length,
                        suppress_tokens=whole._suppressed,
                    )
                    return sum(len(answer.sequences_ids[0]) for answer in answers)

                encoder_s = fastest(lambda: list(pool.map(encode, batches))) / count  # noqa: B023
                encoded = list(pool.map(encode, batches))
                decoded = sum(pool.map(decode, encoded))
                decoder_s = fastest(lambda: list(pool.map(decode, encoded))) / decoded  # noqa: B023
            layout = {"workers": workers, "threads": threads, "batch": size}
            print(f"{layout}: {encoder_s * 1000:.1f} ms a window, {decoder_s * 1000:.2f} ms a token", file=sys.stderr)
            for name, seconds in (("encoder", encoder_s), ("decoder", decoder_s)):
                if name not in best or seconds < best[name]["seconds"]:
                    best[name] = {"seconds": seconds, **layout}
        del model
    parts = [features[i : i + BATCHES[1]] for i in range(0, len(features), BATCHES[1])]
    with ThreadPoolExecutor(cores) as pool:
        for texts in pool.map(lambda part: whole._decode(_joined(whole._encode(part)), len(part)), parts):
            tokens += sum(len(text.tokens) for text in texts)
    return best, len(windows), tokens


def run_ours(paths: list[Path]) -> tuple[float, dict[str, int]]:
    """Wall seconds of the fastest of some runs over the recordings, models loaded in each; and its ms per stage."""
    runs = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            recordings = Path(folder) / "recordings"
            recordings.mkdir()
            for path in paths:
                copy2(path, recordings)  # as old as they are: a run waits for what was written just now
            command = [sys.executable, "-m", "callanalytics.cli.main", "run", str(recordings), "--json", "--output"]
            done = subprocess.run([*command, f"{folder}/out"], stdout=subprocess.PIPE, check=True)
            runs.append(json.loads(done.stdout))
    best = min(runs, key=lambda row: row["wall_ms"])
    return best["wall_ms"] / 1000, best["wall_ms_by_stage"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=Path, default=DEV / "recordings")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not options.recordings.is_dir():
        print(f"skipped: no recordings at {options.recordings}", file=sys.stderr)
        return 0
    config = load_config()
    paths, tracks, audio_s = stereo_tracks(config, options.recordings)
    best, windows, tokens = measure_floor(config, tracks)
    wall_s, stages = run_ours(paths)
    floor_s = windows * best["encoder"]["seconds"] + tokens * best["decoder"]["seconds"]
    for name in ("encoder", "decoder"):
        found = best[name]
        layout = f"{found['workers']} x {found['threads']} threads, batch {found['batch']}"
        print(f"{name}: {found['seconds'] * 1000:.2f} ms a {'window' if name == 'encoder' else 'token'} ({layout})")
    print(f"floor: {windows} windows, {tokens} tokens: {floor_s:.1f} s for {audio_s:.0f} s of stereo audio")
    print(f"ours: {wall_s:.1f} s wall, {wall_s / floor_s:.2f} x the floor; stages in ms {stages}")
    if options.json:
        options.json.write_text(
            json.dumps({**best, "windows": windows, "tokens": tokens, "floor_s": floor_s, "wall_s": wall_s}, indent=1)
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
