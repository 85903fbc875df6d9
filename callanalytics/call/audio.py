"""Recordings to samples: probe, decode with PyAV, tell the layout, bring each channel to one level.

Channels are never mixed here: a party per channel is the best diarization there is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callanalytics.config import Audio as AudioSettings
from callanalytics.errors import CallError
from callanalytics.records import FailureState, Layout
from callanalytics.texts import Message

SAMPLE_RATE_HZ = 16_000
SAMPLES_PER_MS = SAMPLE_RATE_HZ // 1000
FRAME_MS = 32  # the step of the voice activity detector; levels are measured on the same grid
FRAME_SAMPLES = FRAME_MS * SAMPLES_PER_MS
SILENT_PEAK = 5e-4  # A-law has no zero: an idle line is +-8 / 32768, which a resampler lets overshoot a little
# What recorders write.  Not FFmpeg's playlists (concat, hls): they open other files than the one that was named.
FORMATS = "wav,w64,mp3,ogg,mov,mp4,m4a,3gp,flac,aac,gsm,amr,asf,matroska,webm,aiff,au,caf,voc"

FULL_SCALE_LIMIT = 4.0  # floating-point recordings may exceed full scale a little; what is far beyond is damage

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recording:
    """A decoded recording: `samples` (channels, n) float32 at 16 kHz, one row unless the parties are on two channels.

    `gains_db` is what level normalisation added to each row, so levels as recorded stay known.  `is_silent` says that
    no row ever holds a signal.
    """

    samples: Samples
    gains_db: tuple[float, ...]
    layout: Layout
    duration_ms: int
    sha256: str
    is_silent: bool


def decode_recording(path: str | Path, call_id: str, settings: AudioSettings) -> Recording:
    """Decode a recording of any container and codec that FFmpeg reads, 1 or 2 channels, any rate.

    Two channels that differ by no more than `dual_mono_db` are one (layout dual_mono); a second channel that holds
    nothing is dropped (mono).  The duration is that of the decoded samples, whatever the header says.  A recording
    that breaks off is used as far as it goes.

    Raises CallError (stage "decode") for a file that is empty, holds no audio, has more than two channels or is
    longer than `max_duration_s`.
    """
    samples = _decode(Path(path), call_id, settings.max_duration_s)
    with open(path, "rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    samples, layout = _choose_channels(samples, settings.dual_mono_db)
    is_silent = bool(np.abs(samples).max(initial=0.0) < SILENT_PEAK)
    gains_db = tuple(_level_gain_db(row, settings.target_level_dbfs) for row in samples)
    samples *= np.asarray([10 ** (gain_db / 20) for gain_db in gains_db], dtype=np.float32)[:, None]
    np.clip(samples, -1.0, 1.0, out=samples)
    return Recording(samples, gains_db, layout, samples.shape[1] // SAMPLES_PER_MS, sha256, is_silent)


def decode_original(path: str | Path, call_id: str, settings: AudioSettings) -> tuple[NDArray[np.int16], int]:
    """Return a recording as it was recorded: (channels, n) in 16 bits, and its rate; 16-bit files come out bit for bit.

    Raises CallError as decode_recording does.
    """
    return _read_samples(Path(path), call_id, settings.max_duration_s, "s16p", None)


def _decode(path: Path, call_id: str, max_duration_s: float) -> Samples:
    samples, _ = _read_samples(path, call_id, max_duration_s, "fltp", SAMPLE_RATE_HZ)
    samples = samples.astype(np.float32, copy=False)
    # Floating-point recordings can hold anything, and one NaN would make the whole call NaN.
    return np.clip(np.nan_to_num(samples, copy=False, nan=0.0), -FULL_SCALE_LIMIT, FULL_SCALE_LIMIT, out=samples)


def _read_samples(
    path: Path, call_id: str, max_duration_s: float, sample_format: str, rate: int | None
) -> tuple[NDArray[Any], int]:
    """Samples (channels, n) in one of FFmpeg's formats at `rate`, or at the recording's own; and the rate."""
    import av

    def fail(reason: Message, *, state: FailureState = "final") -> CallError:
        return CallError(call_id=call_id, stage="decode", reason=reason, state=state)

    try:
        if path.stat().st_size == 0:
            raise fail(Message("errors.file_empty_record_copy"))
        # Absolute, or FFmpeg takes a name like "tcp:host" or "concat:other.wav" for another place to read from.
        options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
        container = av.open(str(path.absolute()), mode="r", metadata_errors="ignore", options=options)
    except av.FFmpegError:
        raise fail(Message("errors.no_audio_file_read")) from None
    except OSError as error:
        raise fail(
            Message("errors.file_cannot_opened_check", problem=error.strerror), state="failed"
        ) from None
    with container:
        if set(container.format.name.split(",")).isdisjoint(FORMATS.split(",")):
            # The whitelist doesn't bind what FFmpeg guesses from the contents: a playlist would open other files.
            raise fail(Message("errors.no_audio_file_read"))
        if not container.streams.audio:
            raise fail(Message("errors.file_holds_no_audio"))
        stream = container.streams.audio[0]
        channels = stream.codec_context.channels
        if channels not in (1, 2):
            raise fail(Message("errors.recording_channels_export_as", channels=channels))
        rate = rate or int(stream.codec_context.sample_rate)
        resampler = av.AudioResampler(format=sample_format, layout="mono" if channels == 1 else "stereo", rate=rate)
        blocks: list[NDArray[Any]] = []
        count = 0

        def keep(frames: list[Any]) -> None:
            nonlocal count
            for frame in frames:
                block = frame.to_ndarray()
                count += block.shape[1]
                if count > max_duration_s * rate:
                    raise fail(Message("errors.recording_longer_than_s", seconds=f"{max_duration_s:.0f}"))
                blocks.append(block)

        try:
            for frame in container.decode(stream):
                if frame.layout.nb_channels != channels:
                    raise fail(Message("errors.number_channels_changes_inside"))
                keep(resampler.resample(frame))
            keep(resampler.resample(None))
        except av.FFmpegError:
            # A file that was cut off or is damaged half-way still holds the call up to there.
            if not blocks:
                raise fail(Message("errors.sound_file_damaged_record")) from None
    if not count:
        raise fail(Message("errors.file_holds_no_sound"))
    return np.concatenate(blocks, axis=1), rate


def _choose_channels(samples: Samples, dual_mono_db: float) -> tuple[Samples, Layout]:
    if samples.shape[0] == 1:
        return samples, "mono"
    left, right = samples
    if min(np.abs(left).max(), np.abs(right).max()) < SILENT_PEAK:
        return samples[[int(np.abs(right).max() > np.abs(left).max())]], "mono"
    difference, together = float(np.mean((left - right) ** 2)), float(np.mean((left + right) ** 2))
    if difference <= together * 10 ** (dual_mono_db / 10):
        return ((left + right) / 2)[None, :], "dual_mono"
    return samples, "stereo"


def _level_gain_db(row: Samples, target_dbfs: float) -> float:
    """Gain that brings the loud part of a channel (frames within 30 dB of its loudest) to the target level.

    At most 40 dB up: a line with nothing but noise is not made to roar.
    """
    levels = frame_levels_db(row)
    loud = levels[levels > levels.max(initial=-120.0) - 30]
    peak = float(np.abs(row).max(initial=0.0))
    if not loud.size or peak < SILENT_PEAK:
        return 0.0
    mean_db = 10 * float(np.log10(np.mean(10 ** (loud / 10))))
    peak_db = 20 * float(np.log10(peak))
    return min(target_dbfs - mean_db, 40.0, max(0.0, -1.0 - peak_db) + 12.0)


def frame_levels_db(row: Samples) -> NDArray[np.float32]:
    """RMS level of each whole 32 ms frame in dBFS, shape (frames,), no lower than -120."""
    frames = row[: len(row) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    power = np.mean(frames.astype(np.float32) ** 2, axis=1)
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)), dtype=np.float32)
