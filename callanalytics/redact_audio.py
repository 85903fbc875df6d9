"""Copies of recordings in which what redaction replaced can't be heard.

The worker says where: every placeholder among the words of its result has the times of what it stands for.  What it
says nothing about is not trusted either: speech without words, unsure words beside a datum and holds go as well.
"""

from __future__ import annotations

import os
import wave
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from callanalytics.audio import decode_original
from callanalytics.bucket import Bucket, local_copy
from callanalytics.config import Config
from callanalytics.errors import CallError, InputError, StoreError
from callanalytics.intake import Refused, list_calls, list_remote_calls
from callanalytics.models import sha256_of
from callanalytics.reading import PLACEHOLDER
from callanalytics.records import CallResult, CallSource, StoredWord

if TYPE_CHECKING:
    from callanalytics.pipeline import Worker

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


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of a recording: how much of its copy is silent, or the error."""

    call_id: str
    data: int = 0
    muted_ms: int = 0
    error: CallError | None = None


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
    """A sine that swells and fades, for a hard edge clicks; its phase is that of the recording's clock."""
    at = np.arange(start, end)
    ramp = np.minimum(at - start, end - 1 - at) / max(1, TONE_EDGE_MS * rate // 1000)
    sine = np.sin(2 * np.pi * TONE_HZ * at / rate) * np.minimum(ramp, 1)
    return np.asarray(np.round(sine * TONE_LEVEL * np.iinfo(np.int16).max), dtype=np.int16)


def find_data(result: CallResult) -> list[Muted]:
    """Where personal data is said, on all channels: a mono recording and an echo carry it there too."""
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
    """The last of the unsure words that follow a datum without a pause, in one direction."""
    while 0 <= at + step < len(words):
        word, other = sorted((words[at], words[at + step]), key=lambda w: w.start_ms)
        if words[at + step].confidence >= UNSURE or other.start_ms - word.end_ms > NEAR_MS:
            break
        at += step
    return at


def find_holds(result: CallResult, channels: int) -> list[Muted]:
    """Every hold, on the citizen's channel; on all channels when nobody knows which that is."""
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


def redact_recordings(
    config: Config,
    recordings: Path | str,
    folder: Path,
    told: Callable[[Copied], object],
    *,
    calls_csv: Path | None = None,
    tone: bool = False,
    worker: Worker | None = None,
) -> list[Copied]:
    """Write `folder`/<call_id>.wav for every recording, one after the other; `told` hears of each.

    A recording that fails leaves no copy.  Raises InputError and ManifestError for what can't be read or would be
    overwritten, StoreError when the folder can't be written, and the errors of Worker.
    """
    calls = _list(config, recordings, folder, calls_csv)
    if worker is None:
        from callanalytics.pipeline import Worker

        worker = Worker(config)
    _make_folder(folder)
    done = []
    for call in calls:
        try:
            copied = _redact_one(config, worker, _taken(call), folder, tone)
        except CallError as error:
            copied = Copied(str(error.fields["call_id"]), error=error)
        done.append(copied)
        told(copied)
    return done


def _list(config: Config, recordings: Path | str, folder: Path, calls_csv: Path | None) -> list[CallSource | Refused]:
    if isinstance(recordings, str):
        return list_remote_calls(Bucket(recordings, config.storage), calls_csv)
    calls = list_calls(recordings, calls_csv)
    root = (recordings if recordings.is_dir() else recordings.parent).resolve()
    if folder.resolve().is_relative_to(root):
        raise InputError(path=folder, reason="copies would lie among the recordings; choose a folder outside of them.")
    return calls


def _taken(call: CallSource | Refused) -> CallSource:
    if isinstance(call, CallSource):
        return call
    refused = call
    raise CallError(call_id=refused.call.call_id, stage="intake", reason=refused.reason)


def _redact_one(config: Config, worker: Worker, source: CallSource, folder: Path, tone: bool) -> Copied:
    with local_copy(source.path, source.call_id, config.storage) as path:
        call = replace(source, path=str(path))
        (result,), _ = worker([call])
        if isinstance(result, CallError):
            raise result
        if result.call.not_scorable_reason == "other_language":
            reason = "no Dutch was recognised, so personal data in it can't be found; no copy is made."
            raise CallError(call_id=call.call_id, stage="redact", reason=reason)
        heard = worker.listen(call)
        samples, rate = decode_original(path, call.call_id, config.audio)
        if sha256_of(path) != result.call.recording_sha256:
            reason = "the recording changed while it was read; the next run takes it as it is then."
            raise CallError(call_id=call.call_id, stage="decode", reason=reason, state="failed")
    data = find_data(result)
    spans = [*data, *find_holds(result, len(samples))]
    for channel, speech in enumerate(heard.activity.speech):
        words = [
            (word.start_ms, word.end_ms)
            for turn in result.turns
            if heard.is_mixed or turn.channel == channel
            for word in turn.words
        ]
        spans += find_unheard(speech, words)
    _write(folder / f"{call.call_id}.wav", silenced(samples, rate, spans, tone), rate)
    return Copied(call.call_id, len(data), _muted_ms(spans, heard.recording.duration_ms))


def _muted_ms(spans: Iterable[Muted], duration_ms: int) -> int:
    """How long something is silent, on whichever channel."""
    total = last = 0
    for start, end in sorted((max(0, span.start_ms), min(duration_ms, span.end_ms)) for span in spans):
        total += max(0, end - max(start, last))
        last = max(last, end)
    return total


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(path=folder, reason=f"{error.strerror}; choose a folder you may write to.") from None


def _write(path: Path, samples: Pcm, rate: int) -> None:
    """Write a WAV beside its place, then rename it: a copy that is there is whole, and only its owner may hear it."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            with wave.open(stream) as target:
                target.setnchannels(len(samples))
                target.setsampwidth(2)
                target.setframerate(rate)
                target.writeframes(np.ascontiguousarray(samples.T, dtype="<i2").tobytes())
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        raise StoreError(path=path.parent, reason=f"{error.strerror}; the copies that are there are whole.") from None
    finally:
        part.unlink(missing_ok=True)
