"""Lets the recogniser hear written utterances over a simulated telephone line, for `callanalytics train criteria`.

usage: .venv/bin/python -m tests.measure.hear_phrases PHRASES.jsonl HEARD.jsonl [--seed N]

Each line of PHRASES has `role` and `text`; HEARD gets `text`, `role`, `voice`, `codec` and `words`, a list of
[text, confidence].  Utterances of one voice are spoken one after the other, as in a channel of a call, and recognised
by the engine's own Transcriber; from track to track the voice is a little higher or lower, faster or slower.  Needs
../shared/calls/render.py and what that needs (espeak-ng, Mbrola voices, sox, ffmpeg).  The result is kept in
models/criteria, so neither building nor testing needs any of this.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from callanalytics.call.audio import SAMPLES_PER_MS
from callanalytics.call.transcribe import Track, Transcriber
from callanalytics.config import load_config
from tests.support.paths import SHARED

RENDER = SHARED / "calls" / "render.py"
RATE = 16_000
CODECS = {
    "alaw": ("wav", ["-ar", "8000", "-c:a", "pcm_alaw"]),
    "mulaw": ("wav", ["-ar", "8000", "-c:a", "pcm_mulaw"]),
    "gsm": ("wav", ["-ar", "8000", "-c:a", "libgsm_ms"]),
    "mp3": ("mp3", ["-ar", "8000", "-b:a", "16k"]),
    "opus": ("opus", ["-ar", "8000", "-c:a", "libopus", "-b:a", "16k"]),
}
A_TRACK = 40  # utterances
VARIED = "varied"  # the voice of a track among render's


def load_render() -> Any:
    spec = importlib.util.spec_from_file_location("render", RENDER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def through(codec: str, sound: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The sound, (n,) at 16 kHz, encoded and decoded again."""
    kind, options = CODECS[codec]
    wav = io.BytesIO()
    sf.write(wav, sound, RATE, format="WAV", subtype="PCM_16")
    quiet = ["ffmpeg", "-loglevel", "error"]
    coded = subprocess.run(
        [*quiet, "-i", "-", *options, "-f", kind, "-"], input=wav.getvalue(), capture_output=True, check=True
    ).stdout
    plain = subprocess.run(
        [*quiet, "-i", "-", "-ac", "1", "-ar", str(RATE), "-f", "f32le", "-"],
        input=coded,
        capture_output=True,
        check=True,
    ).stdout
    return np.frombuffer(plain, dtype=np.float32)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phrases", type=Path)
    parser.add_argument("heard", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not RENDER.exists():
        sys.exit(f"{RENDER} is not here: nothing can be spoken")
    render = load_render()
    rng = np.random.default_rng(options.seed)
    lines = [json.loads(line) for line in options.phrases.read_text(encoding="utf-8").splitlines() if line.strip()]
    voices = [name for name in render.VOICES if name != "ivr"]
    chosen = rng.choice(voices, len(lines))
    config = load_config()
    transcriber = Transcriber(config.recognition, config.models, config.municipality)
    with options.heard.open("a", encoding="utf-8") as out:
        for voice in voices:
            own = rng.permutation([i for i in range(len(lines)) if chosen[i] == voice])
            for first in range(0, len(own), A_TRACK):
                part = [lines[i] for i in own[first : first + A_TRACK]]
                codec = str(rng.choice(list(CODECS), p=[0.4, 0.2, 0.1, 0.15, 0.15]))
                render.VOICES[VARIED] = vary(render.VOICES[voice], rng)
                heard = hear(part, VARIED, codec, render, transcriber, rng)
                for line, words in zip(part, heard, strict=True):
                    row = {"text": line["text"], "role": line["role"], "voice": voice, "codec": codec, "words": words}
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")
                out.flush()
                print(voice, codec, first + len(part), "of", len(own), flush=True)
    return 0


def vary(voice: tuple[str, int, int, int], rng: Any) -> tuple[str, int, int, int]:
    """The voice with other pitch, words a minute and shift in cents: another speaker, older or younger."""
    name, pitch, speed, cents = voice
    higher, faster, shifted = int(rng.integers(-6, 7)), int(rng.integers(-18, 13)), int(rng.integers(-60, 61))
    return name, pitch + higher, speed + faster, cents + shifted


def hear(
    lines: list[dict[str, Any]], voice: str, codec: str, render: Any, transcriber: Transcriber, rng: Any
) -> list[list[list[Any]]]:
    """The recognised words of each line: [text, confidence] each."""
    sounds = [render.speak("ivr" if line["role"] == "ivr" else voice, line["text"]) for line in lines]
    pieces, spans, at = [], [], 0
    for sound in sounds:
        gap = int(rng.uniform(0.5, 1.2) * RATE)
        pieces += [np.zeros(gap, dtype=np.float32), sound]
        at += gap
        spans.append((at // SAMPLES_PER_MS, (at + len(sound)) // SAMPLES_PER_MS))
        at += len(sound)
    track = np.concatenate([*pieces, np.zeros(RATE, dtype=np.float32)])
    noise = 0.5 * 10 ** (-(rng.uniform(14, 32) + 15) / 20) * 0.35
    track = render.band(rng.uniform(0.7, 1.0) * track + noise * rng.standard_normal(len(track)).astype(np.float32))
    track = through(codec, np.clip(track * 1.2, -1, 1))
    speech = tuple((max(0, start - 150), end + 150) for start, end in spans)
    [hypothesis] = transcriber([Track(np.ascontiguousarray(track), speech)])
    found: list[list[list[Any]]] = [[] for _ in lines]
    for word in hypothesis.words:
        middle = (word.start_ms + word.end_ms) / 2
        nearest = min(range(len(spans)), key=lambda i: max(spans[i][0] - middle, middle - spans[i][1], 0))
        found[nearest].append([word.text, round(word.confidence, 2)])
    return found


if __name__ == "__main__":
    sys.exit(main())
