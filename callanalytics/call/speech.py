"""Where somebody speaks, per channel, and where the line is on hold.  What is neither is never recognised.

Silero's voice activity, as faster-whisper ships it, decides *what* is speech; the level decides *where* it begins and
ends, because on narrow-band telephone speech Silero often drops out inside a sentence.  On its 32 ms grid:
a channel that only carries the other party's echo is silent; sound that is loud, tonal, lasting and to Silero no
speech is hold music; a channel that falls far below its own noise is muted.  Whatever any channel carries during a
hold is cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callanalytics.call.audio import FRAME_MS, FRAME_SAMPLES, Recording, Samples, frame_levels_db
from callanalytics.config import Speech as SpeechSettings
from callanalytics.records import Span
from callanalytics.spans import cut, merge

LOUD_ABOVE_NOISE_DB = 8.0  # a voice or music on a telephone line is well above the noise between words
TONAL_FLATNESS = 0.25  # spectral flatness: white noise about 0.56, voiced speech and music below 0.2
MUTE_BELOW_NOISE_DB = 15.0
VAD_CONTEXT = 64  # samples, as Silero was trained
VAD_SLICE = 500  # frames a step
MUTE_MIN_MS = 8000  # domain.md: a hold is more than 8 s of music or silence on the agent's channel
FAINT = 0.1  # Silero's probability that even badly understood speech passes in most frames and music in few
MUSIC_MAX_FAINT = 0.15  # share of frames above FAINT around music; in speech it is 0.4 to 0.9
SPEECH_MIN_FAINT = 0.12
MUSIC_MIN_LOUD = 0.9  # music has no pauses between words: in speech at most 0.85 of 5 s is loud
MUSIC_MIN_TONAL = 0.5
SMOOTH_MS = 5000
MERGE_MS = 3500  # a phrase over the music ("een moment geduld") doesn't end a hold

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Activity:
    """Speech spans per channel (ms, sorted, apart) and the holds of the call (ms)."""

    speech: tuple[tuple[Span, ...], ...]
    holds: tuple[Span, ...]


class SpeechDetector:
    """Silero's voice activity with the rules above; loads its model once."""

    def __init__(self, settings: SpeechSettings) -> None:
        from faster_whisper.vad import get_vad_model

        self._settings = settings
        self._vad = get_vad_model()

    def __call__(self, recording: Recording) -> Activity:
        """Speech and holds of a recording; a silent one has neither."""
        if recording.is_silent or recording.samples.shape[1] < FRAME_SAMPLES:
            return Activity(tuple(() for _ in recording.samples), ())
        rows = [row[: len(row) // FRAME_SAMPLES * FRAME_SAMPLES] for row in recording.samples]
        probabilities = np.stack([self._probabilities(row) for row in rows])  # (channels, frames)
        levels = np.stack(
            [frame_levels_db(row) - gain for row, gain in zip(rows, recording.gains_db, strict=True)]
        )  # (channels, frames), as recorded
        holds = find_holds(probabilities, levels, np.stack([tonality(row) for row in rows]), self._settings)
        if len(rows) == 2:
            is_echo = find_crosstalk(levels, self._settings.crosstalk_db)
            probabilities = np.where(is_echo, np.float32(0), probabilities)
            levels = np.where(is_echo, np.float32(-120), levels)
        for start_ms, end_ms in holds:
            probabilities[:, start_ms // FRAME_MS : end_ms // FRAME_MS] = 0
            levels[:, start_ms // FRAME_MS : end_ms // FRAME_MS] = -120
        speech = tuple(
            tuple(cut(speech_spans(p, level, self._settings), holds))
            for p, level in zip(probabilities, levels, strict=True)
        )
        return Activity(speech, holds)

    def _probabilities(self, row: Samples) -> Floats:
        """Silero's probability per 32 ms frame, (frames,); the same as faster-whisper's whole call, a slice at a time,
        which needs 12 MB instead of 250 and a tenth less time.
        """
        frames = row.reshape(-1, FRAME_SAMPLES)
        before = np.roll(frames[:, -VAD_CONTEXT:], 1, axis=0)  # each frame comes after the end of the one before
        before[0] = 0
        frames = np.concatenate([before, frames], axis=1)
        h = c = np.zeros((1, 1, 128), dtype=np.float32)  # the network's memory, carried from slice to slice
        found: list[Floats] = []
        for start in range(0, len(frames), VAD_SLICE):
            output, h, c = self._vad.session.run(None, {"input": frames[start : start + VAD_SLICE], "h": h, "c": c})
            found.append(np.asarray(output, dtype=np.float32).reshape(-1))
        return np.concatenate(found)


def tonality(row: Samples) -> Floats:
    """Spectral flatness of the telephone band (250-3400 Hz) per 32 ms frame, 0 (a tone) to 1 (noise), (frames,)."""
    frames = row.reshape(-1, FRAME_SAMPLES) * np.hanning(FRAME_SAMPLES).astype(np.float32)
    power = np.abs(np.fft.rfft(frames, axis=1)[:, 8:109]) ** 2 + 1e-12  # bins of 31.25 Hz
    return np.asarray(np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1), dtype=np.float32)


def find_crosstalk(levels: Floats, crosstalk_db: float) -> Bools:
    """Frames (2, frames) in which a channel is `crosstalk_db` or more below the other one: only its echo.

    Levels are averaged over about 0.2 s, so that a gap between the other's words doesn't let the echo through.
    """
    kernel = np.ones(7, dtype=np.float32) / 7
    # Not mode="same": of a call shorter than the kernel that gives the kernel's length.
    power = np.stack([np.convolve(10 ** (row / 10), kernel)[3:-3] for row in levels])
    averaged = 10 * np.log10(np.maximum(power, 1e-12))
    return np.asarray(averaged - averaged[::-1] < crosstalk_db, dtype=np.bool_)


def is_loud(level: Floats) -> Bools:
    """Frames (frames,) whose level in dBFS stands out from the channel's own noise between words."""
    return level > noise_floor_db(level) + LOUD_ABOVE_NOISE_DB


def noise_floor_db(level: Floats) -> float:
    """Return the channel's noise between words: the level that a tenth of the frames that carry anything stay below."""
    carried = level[level > -85.0]  # digital silence is a muted line, not its noise
    return float(np.percentile(carried, 10)) if carried.size else -85.0


def find_holds(probabilities: Floats, levels: Floats, flatness: Floats, settings: SpeechSettings) -> tuple[Span, ...]:
    """Holds in ms from speech probability, level (dBFS) and spectral flatness, each (channels, frames)."""
    spans: list[Span] = []
    for speech, level, flat in zip(probabilities, levels, flatness, strict=True):
        is_tonal = is_loud(level) & (flat < TONAL_FLATNESS)
        is_lasting = (smooth(is_loud(level)) > MUSIC_MIN_LOUD) & (smooth(is_tonal) > MUSIC_MIN_TONAL)
        is_music = is_lasting & (smooth(speech > FAINT) < MUSIC_MAX_FAINT)
        for start_ms, end_ms in merge(spans_of(is_music), MERGE_MS):
            # Smoothing blurs the ends: the music reaches as far as tonal frames hang together with its core.
            core = [run for run in merge(spans_of(is_tonal), 320) if run[1] > start_ms and run[0] < end_ms]
            if core and core[-1][1] - core[0][0] >= settings.hold_min_ms:
                spans.append((max(core[0][0], start_ms - SMOOTH_MS // 2), min(core[-1][1], end_ms + SMOOTH_MS // 2)))
        if len(levels) == 2:  # in a mix the other party's noise fills a muted line
            is_muted = level < min(noise_floor_db(level), -40.0) - MUTE_BELOW_NOISE_DB
            spans += [span for span in spans_of(is_muted) if span[1] - span[0] >= MUTE_MIN_MS]
    return merge(spans, 0)


def smooth(flags: Bools) -> Floats:
    """Share of true frames in the 5 s around each frame, (frames,)."""
    width = SMOOTH_MS // FRAME_MS
    padded = np.pad(flags.astype(np.float32), width // 2, mode="edge")
    sums = np.concatenate([[0.0], np.cumsum(padded, dtype=np.float64)])
    return np.asarray((sums[width:] - sums[:-width]) / width, dtype=np.float32)[: len(flags)]


def speech_spans(probability: Floats, level: Floats, settings: SpeechSettings) -> list[Span]:
    """Spans of speech in ms from Silero's probability and the level in dBFS, each (frames,).

    A stretch of loud frames (gaps up to `min_silence_ms` closed) is speech when Silero is sure of some frame in it
    and finds speech at least faintly in an eighth of it.  Stretches shorter than `min_speech_ms` are dropped, the
    rest is padded on both sides.
    """
    is_candidate = is_loud(level) | (probability >= settings.threshold)
    total_ms = len(probability) * FRAME_MS
    spans = []
    for start_ms, end_ms in merge(spans_of(is_candidate), settings.min_silence_ms):
        inside = probability[start_ms // FRAME_MS : end_ms // FRAME_MS]
        is_sure = inside.max() >= settings.threshold and (inside > FAINT).mean() >= SPEECH_MIN_FAINT
        if end_ms - start_ms >= settings.min_speech_ms and is_sure:
            spans.append((max(0, start_ms - settings.pad_ms), min(total_ms, end_ms + settings.pad_ms)))
    return list(merge(spans, 0))


def spans_of(flags: Bools) -> list[Span]:
    """Runs of true frames as spans in ms.   0 1 1 0 -> [(32, 96)]"""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a) * FRAME_MS, int(b) * FRAME_MS) for a, b in zip(edges[::2], edges[1::2], strict=True)]
