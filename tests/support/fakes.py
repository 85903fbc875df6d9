"""Stand-ins: synthetic sounds, recordings of any format made on the fly, scripted results, a worker without models."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from callanalytics.call.audio import SAMPLE_RATE_HZ, Recording, Samples
from callanalytics.config import Config
from callanalytics.engine.batch import Progress
from callanalytics.engine.plan import RunPlan
from callanalytics.errors import CallError
from callanalytics.records import (
    CallResult,
    CallRow,
    CallSource,
    CriterionRow,
    EventRow,
    Evidence,
    FailureRow,
    OldStatus,
    PromiseRow,
    ScoreHistoryRow,
    StoredWord,
    TurnRow,
    Word,
)

# --- sounds ---------------------------------------------------------------------------------------------------------


def tone(hz: float, seconds: float, rate: int = SAMPLE_RATE_HZ, level: float = 0.3) -> Samples:
    """A sine, (n,)."""
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def noise(seconds: float, colour: str = "white", level: float = 0.05, seed: int = 0) -> Samples:
    """White or pink noise of an RMS level, (n,) at 16 kHz."""
    n = round(seconds * SAMPLE_RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    if colour == "pink":
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    sound = np.fft.irfft(spectrum, n)
    return (sound * level / np.sqrt(np.mean(sound**2))).astype(np.float32)


# Harmonics of an instrument as (multiple, strength); seconds to decay to a third (0 = held); vibrato in semitones.
INSTRUMENTS: dict[str, tuple[Sequence[tuple[float, float]], float, float]] = {
    "organ": (((1, 1.0), (2, 0.5), (3, 0.25), (4, 0.4), (8, 0.2)), 0.0, 0.0),
    "piano": (((1, 1.0), (2, 0.6), (3, 0.3), (4, 0.15), (5, 0.1)), 0.8, 0.0),
    "strings": (((1, 1.0), (2, 0.7), (3, 0.5), (4, 0.4), (5, 0.3), (6, 0.2)), 0.0, 0.3),
    "marimba": (((1, 1.0), (4, 0.3), (9.2, 0.1)), 0.4, 0.0),
    "flute": (((1, 1.0), (2, 0.3), (3, 0.1)), 0.0, 0.15),
}
CHORDS = ((60, 64, 67), (57, 60, 64), (65, 69, 72), (55, 59, 62))  # C, a, F, G


def music(instrument: str, seconds: float, beat_s: float = 0.5, level: float = 0.15) -> Samples:
    """A chord progression with a melody over it, as a telephone exchange plays it, (n,) at 16 kHz."""
    harmonics, decay_s, vibrato = INSTRUMENTS[instrument]
    sound = np.zeros(round(seconds * SAMPLE_RATE_HZ))
    t = np.arange(round(beat_s * 4 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    for beat in range(int(seconds / beat_s) + 1):
        chord = CHORDS[beat // 4 % len(CHORDS)]
        notes = [(chord[beat % 3] + 12, 1.0)] + ([(note, 0.6) for note in chord] if beat % 4 == 0 else [])
        for note, strength in notes:
            at = round(beat * beat_s * SAMPLE_RATE_HZ)
            length = min(len(t) if beat % 4 == 0 else len(t) // 4, len(sound) - at)
            if length <= 0:
                continue
            time = t[:length]
            swing = vibrato * np.sin(2 * np.pi * 5.5 * time) / 12
            phase = 2 * np.pi * np.cumsum(440 * 2 ** ((note - 69) / 12 + swing)) / SAMPLE_RATE_HZ
            envelope = np.exp(-time / decay_s) if decay_s else np.minimum(1, time / 0.02)
            envelope = envelope * np.minimum(1, (time[-1] - time) / 0.01)
            for multiple, power in harmonics:
                sound[at : at + length] += strength * power * envelope * np.sin(multiple * phase)
    return (sound * level / np.sqrt(np.mean(sound**2))).astype(np.float32)


def dial_tone(seconds: float) -> Samples:
    """The Dutch ringing tone: 425 Hz, one second on, four off."""
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (0.2 * np.sin(2 * np.pi * 425 * t) * (t % 5 < 1)).astype(np.float32)


def busy_tone(seconds: float) -> Samples:
    """Engaged: 425 Hz, half a second on, half a second off."""
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (0.2 * np.sin(2 * np.pi * 425 * t) * (t % 1 < 0.5)).astype(np.float32)


def telephone(sound: Samples) -> Samples:
    """The sound as a telephone line carries it: 300 to 3400 Hz, a floor of line noise."""
    spectrum = np.fft.rfft(sound)
    hz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE_HZ)
    spectrum[(hz < 300) | (hz > 3400)] = 0
    line = np.random.default_rng(7).standard_normal(len(sound)) * 1e-3
    return np.asarray(np.fft.irfft(spectrum, len(sound)) + line, dtype=np.float32)


# --- recordings -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clip:
    """A stretch of a bundled recording as it was recorded: (channels, n) float32 at 8 kHz."""

    samples: NDArray[np.float32]
    rate: int = 8000

    @property
    def wide(self) -> Samples:
        """(channels, n) at 16 kHz."""
        return resample(self.samples, self.rate, SAMPLE_RATE_HZ)


def cut_clip(path: Path, start_s: float, end_s: float) -> Clip:
    """Seconds of a recording at 8 kHz, channels kept, levels as they are."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        layout = "mono" if stream.channels == 1 else "stereo"
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=8000)
        blocks = [f.to_ndarray() for frame in container.decode(stream) for f in resampler.resample(frame)]
        blocks += [f.to_ndarray() for f in resampler.resample(None)]
    return Clip(np.concatenate(blocks, axis=1)[:, round(start_s * 8000) : round(end_s * 8000)])


def resample(samples: NDArray[np.float32], rate: int, to_rate: int) -> NDArray[np.float32]:
    """(channels, n) at another rate."""
    import soxr

    return np.ascontiguousarray(soxr.resample(samples.T, rate, to_rate).T, dtype=np.float32)


SOUNDFILE_KINDS = {
    "pcm16": "PCM_16", "pcm24": "PCM_24", "float": "FLOAT", "alaw": "ALAW", "mulaw": "ULAW", "gsm": "GSM610",
}  # fmt: skip
CODECS = {"mp3": ("libmp3lame", "mp3"), "opus": ("libopus", "ogg"), "m4a": ("aac", "mp4"), "flac": ("flac", "flac")}


def write_audio(path: Path, samples: NDArray[np.float32], rate: int, kind: str = "pcm16") -> Path:
    """Write (channels, n) samples at `rate`; WAV kinds by libsndfile, the others by FFmpeg."""
    if kind in SOUNDFILE_KINDS:
        soundfile.write(path, np.atleast_2d(samples).T, rate, subtype=SOUNDFILE_KINDS[kind], format="WAV")
        return path
    codec, container_format = CODECS[kind]
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(samples)]
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        sound = np.ascontiguousarray(samples, dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        encoder = av.AudioResampler(
            format=stream.format.name, layout=layout, rate=rate, frame_size=stream.codec_context.frame_size or 1152
        )
        for piece in [*encoder.resample(frame), *encoder.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def recording_of(*channels: Samples) -> Recording:
    """A decoded recording of these channels, (n,) at 16 kHz each, levels left as they are."""
    samples = np.stack(channels).astype(np.float32)
    layout = "mono" if len(channels) == 1 else "stereo"
    is_silent = bool(np.abs(samples).max(initial=0) < 2e-4)
    return Recording(samples, (0.0,) * len(channels), layout, samples.shape[1] // 16, "", is_silent)


# --- results --------------------------------------------------------------------------------------------------------

ITEMS = ("opening",)
CRITERIA = ("greeting", "farewell")
MOMENT = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)


def call_row(call_id: str, **values: object) -> CallRow:
    """A row of calls with something of the right type in every column."""
    blank = {str: "", int: 0, float: 0.5, bool: True, datetime: MOMENT}
    hints = typing.get_type_hints(CallRow)
    base = {f.name: blank.get(hints[f.name]) for f in dataclasses.fields(CallRow)}
    return CallRow(**(base | {"call_id": call_id, "layout": "mono", "schema_version": 1} | values))


def call_result(call_id: str, date: str | None = "2026-11-16", turns: int = 2, **values: object) -> CallResult:
    """A whole result: `turns` turns, an answer per criterion, a promise, an event, an old score."""
    said = (StoredWord("goedemorgen", 0, 400, 0.9),)
    evidence = (Evidence(0, "agent", 0, 400, "goedemorgen"),)
    old = tuple(OldStatus(c, "not_met", 0.1) for c in CRITERIA)
    return CallResult(
        call=call_row(call_id, **values),
        turns=tuple(
            TurnRow(call_id, i, "agent", None, "", i * 500, i * 500 + 400, "goedemorgen", said) for i in range(turns)
        ),
        criteria=tuple(CriterionRow(call_id, c, True, True, "met", 1.0, "rule", evidence, "1") for c in CRITERIA),
        promises=(PromiseRow(call_id, 0, "callback", "ik", "morgen", MOMENT, True, "ik bel u morgen", 0, 400),),
        events=(EventRow(call_id, "hold", "agent", 400, 9000),),
        score_history=(ScoreHistoryRow(call_id, "0", "card=1", 1.0, 2.0, 0.5, "met", old, MOMENT),),
        items={"opening": "met"},
        local_date=date,
    )


def failure_row(call_id: str, recording: str = "a.wav", **values: object) -> FailureRow:
    """A row of failures."""
    row = FailureRow(call_id, recording, None, "decode", "CallError", "broken", 1, "final", "f1", "r1", MOMENT)
    return dataclasses.replace(row, **values)  # type: ignore[arg-type]


class Watcher:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.plan: RunPlan | None = None
        self.failures: list[FailureRow] = []
        self.steps: list[int] = []

    def planned(self, plan: RunPlan) -> None:
        self.plan = plan

    def advanced(self, progress: Progress) -> None:
        self.steps.append(progress.published + progress.failed)

    def failed(self, row: FailureRow) -> None:
        self.failures.append(row)


class ScriptedWorker:
    """A worker without models: what a recording's bytes say is what becomes of it.

    "bad" fails for good, "busy" in a way that may pass; anything else is the topic of the call.  `made` counts the
    workers, `seen` holds the shards, `given` are the phrase files that the last one got.
    """

    made = 0
    seen: typing.ClassVar[list[list[str]]] = []
    given: typing.Any = None

    def __init__(self, config: Config, threads: int = 0, files: typing.Any = None) -> None:
        type(self).made += 1
        type(self).given = files
        self.storage = config.storage

    def stream(self, upcoming: Callable[[], list[CallSource] | None]) -> Iterator[tuple[list[CallSource], typing.Any]]:
        while shard := upcoming():
            yield shard, self(shard)

    def __call__(self, calls: Sequence[CallSource]) -> tuple[list[CallResult | CallError], dict[str, int]]:
        from callanalytics.files import sha256_of
        from callanalytics.store.bucket import local_copy

        self.seen.append([c.call_id for c in calls])
        results: list[CallResult | CallError] = []
        for call in calls:
            try:
                with local_copy(call.path, call.call_id, self.storage) as path:
                    text, digest = path.read_text(), sha256_of(path)
            except CallError as error:
                results.append(error)
                continue
            if text.startswith("bad"):
                results.append(CallError(call_id=call.call_id, stage="decode", reason="it is bad; mend it."))
                continue
            if text.startswith("busy"):
                error = CallError(call_id=call.call_id, stage="decode", reason="it is busy; wait.", state="failed")
                results.append(error)
                continue
            results.append(
                call_result(
                    call.call_id, topic=text, recording=call.recording, recording_sha256=digest, duration_ms=1000,
                    started_at=call.started_at, agent_channel=call.agent_channel,
                )
            )  # fmt: skip
        return results, {"decode": 1}


def words_of(text: str, start_ms: int = 0, step_ms: int = 300, length_ms: int | None = None) -> tuple[Word, ...]:
    """The words of a text one after the other."""
    length = step_ms if length_ms is None else length_ms
    return tuple(
        Word(word, start_ms + i * step_ms, start_ms + i * step_ms + length, 0.9) for i, word in enumerate(text.split())
    )


class FaultyWorker(ScriptedWorker):
    """A worker of a process that dies, hangs or grows when a recording says so, as native code would."""

    on_step: Callable[[float], object] = staticmethod(lambda heard_s: None)

    def __call__(self, calls: Sequence[CallSource]) -> tuple[list[CallResult | CallError], dict[str, int]]:
        import os
        import signal
        import time

        for call in calls:
            text = Path(call.path).read_text()
            if text == "die" or (text == "die once" and not Path(call.path + ".died").exists()):
                Path(call.path + ".died").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            if text == "hang":
                time.sleep(1000)
            if text == "long":
                self.on_step(1000.0)  # a long recording: its steps take long, too
                time.sleep(4)
            if text == "grow":
                blocks = [b"x" * 1_000_000 for _ in range(1500)]
                time.sleep(1000)
                blocks.clear()
            self.on_step(0.0)
        return super().__call__(calls)


class SteadyWorker(ScriptedWorker):
    """A worker that takes its time, so that there is a moment to be killed in."""

    def __call__(self, calls: Sequence[CallSource]) -> tuple[list[CallResult | CallError], dict[str, int]]:
        import time

        time.sleep(0.02)
        return super().__call__(calls)


class RayWorker(SteadyWorker):
    """A worker that takes longer, and says in the calls' queue on which node it ran."""

    def __call__(self, calls: Sequence[CallSource]) -> tuple[list[CallResult | CallError], dict[str, int]]:
        import time

        import ray

        time.sleep(0.5)
        node = ray.get_runtime_context().get_node_id()
        results, spent = super().__call__(calls)
        return [
            dataclasses.replace(r, call=dataclasses.replace(r.call, queue=node)) if isinstance(r, CallResult) else r
            for r in results
        ], spent


class NeverLoads:
    """A worker whose process dies before its models are loaded."""

    def __init__(self, config: Config, threads: int) -> None:
        import os

        os._exit(1)


class Misconfigured:
    """A worker that can't be made."""

    def __init__(self, config: Config, threads: int) -> None:
        from callanalytics.errors import ConfigError

        raise ConfigError(path="x.toml", reason="it is wrong.")


class Killed(BaseException):
    """Stands for SIGKILL: nothing may catch it and tidy up."""


def killed_before(
    k: int,
    steps: Sequence[tuple[object, str]],
    work: Callable[[], object],
    counts: Callable[..., bool] = lambda *_, **__: True,
) -> tuple[bool, int]:
    """Do the work and die before its k-th step; whether it died, and how many steps were begun.

    A step is a call of one of these attributes of a module or class whose arguments `counts` takes for one.
    """
    begun = 0

    def step(original: Callable[..., typing.Any]) -> Callable[..., typing.Any]:
        def wrapped(*args: typing.Any, **kwargs: typing.Any) -> typing.Any:
            nonlocal begun
            if counts(*args, **kwargs):
                begun += 1
                if begun == k:
                    raise Killed
            return original(*args, **kwargs)

        return wrapped

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in steps:
            patch.setattr(owner, name, step(getattr(owner, name)))
        try:
            work()
        except Killed:
            return True, begun
    return False, begun
