"""The sound of a call for who may review it: found in the folder of recordings, checked, silenced, drawn, served.

Recordings lie outside OUT, in the folder `review.recordings`; a call has sound while its recording may still be kept,
is the file that was analysed, and its words still say where personal data is.  What is heard is a copy in memory, in
which holds (of the citizen's channel) and the places of placeholders are silent.  Speech in which no word was
recognised stays: hearing what the machine missed is what a review is for.
"""

from __future__ import annotations

import hashlib
import io
import re
import wave
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from callanalytics.config import Config
from callanalytics.errors import CallError
from callanalytics.files import sha256_of
from callanalytics.privacy.rights import is_over
from callanalytics.records import CallResult
from callanalytics.redaction.sound import find_data, find_holds, silenced
from callanalytics.texts import Message

Silence = Literal["off", "over", "words_gone", "other_language", "absent", "changed"]
POINTS = 1500  # of the drawing, a channel
MAX_RATE_HZ = 16_000  # what recognition heard; a recording of a studio would be ten times as long to send
KEPT_BYTES = 192 * 2**20  # of finished copies in memory: some twenty calls of five minutes
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class Sound:
    """A call to listen to: a WAV of 16 bits, and the loudest of each of at most POINTS stretches, 0 to 100."""

    wav: bytes
    peaks: tuple[tuple[int, ...], ...]  # by channel
    duration_ms: int


class Sounds:
    """The recordings of one folder; the last copies made are kept in memory, none on disk."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._folder = config.resolve(config.review.recordings).resolve() if config.review.recordings else None
        self._hashes: dict[tuple[str, int, int, int], str] = {}
        self._made: OrderedDict[str, Sound] = OrderedDict()
        self._making = Lock()

    def find(self, result: CallResult, today: date, is_held: bool = False) -> Path | Silence:
        """Return the recording of a call, or why there is no sound.  `is_held`: a legal hold keeps it past its term."""
        if self._folder is None:
            return "off"
        row = result.call
        day = (row.started_at or row.processed_at).date()
        if not is_held and is_over(today - day, self._config.retention.recordings_days):
            return "over"
        if not result.turns and (row.turns_agent or row.turns_citizen):
            return "words_gone"  # and with them where personal data is said
        if row.not_scorable_reason == "other_language":
            return "other_language"  # nobody looked for personal data in it
        found = False
        for name in dict.fromkeys((row.recording, row.recording.replace("\\", "/").rsplit("/", 1)[-1])):
            path = self._inside(name)
            if path is not None:
                found = True
                if self._hash(path) == row.recording_sha256:
                    return path
        return "changed" if found else "absent"

    def _inside(self, name: str) -> Path | None:
        """Return a file of the folder, never one that a name or a link finds outside of it."""
        assert self._folder
        try:
            path = (self._folder / name).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            return None
        return path if path.is_relative_to(self._folder) and path.is_file() else None

    def _hash(self, path: Path) -> str | None:
        try:
            state = path.stat()
            key = (str(path), state.st_ino, state.st_mtime_ns, state.st_size)
            if key not in self._hashes:
                self._hashes[key] = sha256_of(path)
        except OSError:
            return None
        return self._hashes[key]

    def make(self, path: Path, result: CallResult) -> Sound:
        """Return the copy to listen to.  Raises CallError when the recording can't be decoded or changes meanwhile."""
        key = _key(result)
        with self._making:
            if key not in self._made:
                self._made[key] = self._render(path, result)
            self._made.move_to_end(key)
            while len(self._made) > 1 and sum(len(one.wav) for one in self._made.values()) > KEPT_BYTES:
                self._made.popitem(last=False)
            return self._made[key]

    def _render(self, path: Path, result: CallResult) -> Sound:
        from callanalytics.call.audio import decode_original  # reviewing without playing loads no audio code

        samples, rate = decode_original(path, result.call.call_id, self._config.audio)
        if sha256_of(path) != result.call.recording_sha256:
            reason = Message("errors.recording_changed_while_read_2")
            raise CallError(call_id=result.call.call_id, stage="decode", reason=reason, state="failed")
        heard = silenced(samples, rate, [*find_data(result), *find_holds(result, len(samples))])
        if rate > MAX_RATE_HZ:
            import soxr

            heard, rate = soxr.resample(heard.T, rate, MAX_RATE_HZ).T, MAX_RATE_HZ
        return Sound(_as_wav(heard, rate), measure_peaks(heard), heard.shape[1] * 1000 // rate)


def _key(result: CallResult) -> str:
    """Changes with all that a copy hangs on: the recording, the spans that are silent, the agent's channel."""
    spans = [*find_data(result), *find_holds(result, 2)]
    return hashlib.sha256(f"{result.call.recording_sha256} {spans}".encode()).hexdigest()


def _as_wav(samples: NDArray[np.int16], rate: int) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as target:
        target.setnchannels(len(samples))
        target.setsampwidth(2)
        target.setframerate(rate)
        target.writeframes(np.ascontiguousarray(samples.T, dtype="<i2").tobytes())
    return stream.getvalue()


def measure_peaks(samples: NDArray[np.int16], points: int = POINTS) -> tuple[tuple[int, ...], ...]:
    """For each channel the loudest sample of each of at most `points` equal stretches, 0 to 100, the loudest 100.

    0 8 -4 2, two stretches   ->   100 50
    """
    count = samples.shape[1]
    edges = np.unique(np.linspace(0, count, min(points, count) + 1).astype(int))[:-1]
    if not len(edges):
        return tuple(() for _ in samples)
    loudest = np.maximum.reduceat(np.abs(samples.astype(np.int32)), edges, axis=1)
    top = max(1, int(loudest.max()))
    return tuple(tuple(int(value) for value in np.round(row * 100 / top)) for row in loudest)


def cut_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The bytes [start, end) that a Range header asks for; all of them without one that is understood (RFC 9110, 14.2).

    Null when it asks for what is not there.    "bytes=2-" of 10   ->   2, 10      "bytes=-3" of 10   ->   7, 10
    """
    asked = RANGE.fullmatch(header.strip()) if header else None
    if asked is None or asked.groups() == ("", ""):
        return 0, size
    first, last = asked.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    return (start, end) if start < end else None
