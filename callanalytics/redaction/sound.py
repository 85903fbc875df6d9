"""Silence spans of a recording.  Pure, apart from reading samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callanalytics.records import PLACEHOLDER, CallResult, StoredWord

Pcm = NDArray[np.int16]  # (channels, n)

PAD_MS = 150  # times of words are about right

UNSURE = 0.5  # a word recognised with less beside a datum may belong to it

NEAR_MS = 600

UNHEARD_MS = 500  # speech without any word that is longer than a breath or an "hm"

WORD_PAD_MS = 300

TONE_HZ, TONE_LEVEL, TONE_EDGE_MS = 1000, 0.1, 5


@dataclass(frozen=True, slots=True)
class Muted:
    """A stretch of a recording to silence, on these channels or, when None, on all of them."""

    start_ms: int
    end_ms: int
    channels: tuple[int, ...] | None = None


def silenced(samples: Pcm, rate: int, spans: Iterable[Muted], tone: bool = False) -> Pcm:
    """A copy of the samples with nothing, or with a tone, in the spans; everything else is the same to the bit."""
    result = samples.copy()
    count = samples.shape[1]
    for span in spans:
        start, end = max(0, span.start_ms * rate // 1000), min(count, -(-span.end_ms * rate // 1000))
        rows = range(len(samples)) if span.channels is None else span.channels
        for row in rows if end > start else ():
            result[row, start:end] = _tone(start, end, rate) if tone else 0
    return result


def _tone(start: int, end: int, rate: int) -> Pcm:
    """Return a sine that swells and fades, for a hard edge clicks; its phase is that of the recording's clock."""
    at = np.arange(start, end)
    ramp = np.minimum(at - start, end - 1 - at) / max(1, TONE_EDGE_MS * rate // 1000)
    sine = np.sin(2 * np.pi * TONE_HZ * at / rate) * np.minimum(ramp, 1)
    return np.asarray(np.round(sine * TONE_LEVEL * np.iinfo(np.int16).max), dtype=np.int16)


def find_data(result: CallResult) -> list[Muted]:
    """Return where personal data is said, on all channels: a mono recording and an echo carry it there too."""
    spans = []
    for turn in result.turns:
        words = turn.words
        for at, word in enumerate(words):
            if PLACEHOLDER.search(word.text):
                first, last = _with_unsure(words, at, -1), _with_unsure(words, at, 1)
                spans.append(Muted(words[first].start_ms - PAD_MS, words[last].end_ms + PAD_MS))
        if not words and PLACEHOLDER.search(turn.text):
            spans.append(Muted(turn.start_ms - PAD_MS, turn.end_ms + PAD_MS))
    return spans


def _with_unsure(words: Sequence[StoredWord], at: int, step: int) -> int:
    """Return the last of the unsure words that follow a datum without a pause, in one direction."""
    while 0 <= at + step < len(words):
        word, other = sorted((words[at], words[at + step]), key=lambda w: w.start_ms)
        if words[at + step].confidence >= UNSURE or other.start_ms - word.end_ms > NEAR_MS:
            break
        at += step
    return at


def find_holds(result: CallResult, channels: int) -> list[Muted]:
    """Return every hold, on the citizen's channel; on all channels when nobody knows which that is."""
    agent = result.call.agent_channel
    rows = None if agent is None else tuple(row for row in range(channels) if row != agent)
    return [Muted(e.start_ms - PAD_MS, e.end_ms + PAD_MS, rows) for e in result.events if e.type == "hold"]


def find_unheard(speech: Sequence[tuple[int, int]], words: Sequence[tuple[int, int]]) -> list[Muted]:
    """Speech of a channel in which no word was recognised: what nobody read nobody has redacted."""
    spans = []
    busy = sorted(words)
    for start, end in speech:
        at = start
        for word_start, word_end in [*busy, (end + WORD_PAD_MS, end + WORD_PAD_MS)]:
            if min(word_start - WORD_PAD_MS, end) - at >= UNHEARD_MS:
                spans.append(Muted(at - PAD_MS, min(word_start, end) + PAD_MS))
            at = max(at, word_end + WORD_PAD_MS)
    return spans


def _muted_ms(spans: Iterable[Muted], duration_ms: int) -> int:
    """Return how long something is silent, on whichever channel."""
    total = last = 0
    for start, end in sorted((max(0, span.start_ms), min(duration_ms, span.end_ms)) for span in spans):
        total += max(0, end - max(start, last))
        last = max(last, end)
    return total
