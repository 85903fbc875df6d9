"""Copies of recordings in which what redaction replaced can't be heard.

The worker says where: every placeholder among the words of its result has the times of what it stands for.  What it
says nothing about is not trusted either: speech without words, unsure words beside a datum and holds go as well.
"""

from __future__ import annotations

import os
import wave
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from callanalytics.call.audio import decode_original
from callanalytics.config import Config
from callanalytics.engine.intake import Refused, list_calls, list_remote_calls
from callanalytics.errors import CallError, InputError, StoreError
from callanalytics.files import sha256_of
from callanalytics.records import CallSource
from callanalytics.redaction.sound import Pcm, _muted_ms, find_data, find_holds, find_unheard, silenced
from callanalytics.store.bucket import Bucket, local_copy
from callanalytics.texts import Message

if TYPE_CHECKING:
    from callanalytics.call.pipeline import Worker


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of a recording: how much of its copy is silent, or the error."""

    call_id: str
    data: int = 0
    muted_ms: int = 0
    error: CallError | None = None


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
        from callanalytics.call.pipeline import Worker

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
        raise InputError(path=folder, reason=Message("errors.copies_would_lie_among"))
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
            reason = Message("errors.no_dutch_recognised_so")
            raise CallError(call_id=call.call_id, stage="redact", reason=reason)
        decoded = worker.decode(call)
        samples, rate = decode_original(path, call.call_id, config.audio)
        if sha256_of(path) != result.call.recording_sha256:
            reason = Message("errors.recording_changed_while_read")
            raise CallError(call_id=call.call_id, stage="decode", reason=reason, state="failed")
    data = find_data(result)
    spans = [*data, *find_holds(result, len(samples))]
    for channel, speech in enumerate(decoded.activity.speech):
        words = [
            (word.start_ms, word.end_ms)
            for turn in result.turns
            if decoded.is_mixed or turn.channel == channel
            for word in turn.words
        ]
        spans += find_unheard(speech, words)
    _write(folder / f"{call.call_id}.wav", silenced(samples, rate, spans, tone), rate)
    return Copied(call.call_id, len(data), _muted_ms(spans, decoded.recording.duration_ms))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            path=folder, reason=Message("errors.choose_folder_you_write", problem=error.strerror)
        ) from None


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
        raise StoreError(path=path.parent, reason=Message("errors.copies_whole", reason=error.strerror)) from None
    finally:
        part.unlink(missing_ok=True)
