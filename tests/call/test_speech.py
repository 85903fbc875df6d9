"""Where somebody speaks and where the line is on hold: sounds that are no speech, echo, mute, and the laws of spans."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.call.audio import FRAME_MS, Samples, decode_recording
from callanalytics.call.speech import SpeechDetector, find_crosstalk, smooth, spans_of, speech_spans
from callanalytics.config import Config, load_config
from callanalytics.records import Span
from callanalytics.spans import cut, merge
from tests.support.fakes import (
    INSTRUMENTS,
    Clip,
    busy_tone,
    dial_tone,
    music,
    noise,
    recording_of,
    telephone,
    tone,
    write_audio,
)
from tests.support.strategies import any_spans

SECOND = 16_000
SPEECH = load_config().speech


def covered(spans: tuple[Span, ...] | list[Span]) -> set[int]:
    return {ms for start, end in spans for ms in range(start, end)}


def length(spans: tuple[Span, ...]) -> int:
    return sum(end - start for start, end in spans)


def test_probabilities_are_those_of_faster_whisper(find_speech: SpeechDetector, mono_clip: Clip) -> None:
    """Silero a slice at a time carries its memory over; a second slice of other sound would show if it didn't."""
    row = np.concatenate([mono_clip.samples[0], mono_clip.samples[0][::-1]]).astype(np.float32)
    row = row[: len(row) // 512 * 512]
    assert len(row) > 512 * 600
    ours, theirs = find_speech._probabilities(row), find_speech._vad(row.copy()).reshape(-1)
    # All but the last frame: faster-whisper 1.2 blanks the end of it.
    np.testing.assert_allclose(ours[:-1], theirs[:-1], atol=1e-6)


# --- what is no speech ----------------------------------------------------------------------------------------------

SOUNDS = {
    "silence": lambda: np.zeros(20 * SECOND, np.float32),
    "white noise": lambda: noise(20, "white"),
    "pink noise": lambda: noise(20, "pink"),
    "loud noise": lambda: noise(20, "pink", level=0.2),
    "hum": lambda: tone(50, 20, level=0.1) + noise(20, level=0.002),
    "a tone": lambda: tone(425, 20),
    "ringing tone": lambda: dial_tone(20) + noise(20, level=1e-3),
    "busy tone": lambda: busy_tone(20) + noise(20, level=1e-3),
    "a click": lambda: np.pad(tone(900, 0.05), (SECOND, 5 * SECOND)),
    **{f"{name} music": lambda name=name: telephone(music(name, 20)) for name in INSTRUMENTS},
    "slow music": lambda: telephone(music("strings", 20, beat_s=1.0)),
    "wide-band music": lambda: music("piano", 20),
}


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_no_speech_gives_no_spans(
    find_speech: SpeechDetector, config: Config, tmp_path: Path, sound: str, channels: int
) -> None:
    samples = SOUNDS[sound]()
    both = [samples, np.random.default_rng(1).standard_normal(len(samples)).astype(np.float32) * 1e-3][:channels]
    path = write_audio(tmp_path / "a.wav", np.stack(both), SECOND)
    assert all(spans == () for spans in find_speech(decode_recording(path, "c1", config.audio)).speech)


def test_a_recording_shorter_than_a_frame_has_neither_speech_nor_hold(find_speech: SpeechDetector) -> None:
    activity = find_speech(recording_of(tone(440, 0.01)))
    assert activity.speech == ((),)
    assert activity.holds == ()


# --- speech ---------------------------------------------------------------------------------------------------------


def test_speech_is_found_where_it_is(find_speech: SpeechDetector, stereo_clip: Clip) -> None:
    activity = find_speech(recording_of(*stereo_clip.wide))
    agent, citizen = activity.speech
    assert activity.holds == ()
    # Truth of demo 1: the agent speaks 1.07-6.74 and 16.48-22.95 s, the citizen 7.23-16.31 s.
    truth = covered([(1074, 6736), (16483, 22954)])
    assert len(covered(agent) & truth) / len(truth) > 0.9
    assert len(covered(agent) & covered([(7500, 16_000)])) < 500
    truth = covered([(7225, 16311)])
    assert len(covered(citizen) & truth) / len(truth) > 0.9
    assert len(covered(citizen) - covered([(6900, 16_700)])) < 500


def test_speech_moves_with_the_sound(find_speech: SpeechDetector, mono_clip: Clip) -> None:
    spoken = mono_clip.wide[0]
    shift_ms = 100 * FRAME_MS
    here = find_speech(recording_of(spoken)).speech[0]
    later = find_speech(recording_of(np.pad(spoken, (shift_ms * 16, 0)))).speech[0]
    moved = covered([(a + shift_ms, b + shift_ms) for a, b in here])
    assert len(moved ^ covered(later)) / len(moved) < 0.05


def test_spans_are_sorted_apart_and_inside_the_call(find_speech: SpeechDetector, hold_clip: Clip) -> None:
    recording = recording_of(*hold_clip.wide)
    for spans in find_speech(recording).speech:
        assert all(0 <= start < end <= recording.duration_ms for start, end in spans)
        assert all(a_end < b_start for (_, a_end), (b_start, _) in itertools.pairwise(spans))


# --- holds ----------------------------------------------------------------------------------------------------------


def between_speech(clip: Clip, middle: Samples) -> Samples:
    """Speech, a sound, speech; the sound as loud as the speech."""
    spoken = clip.wide[0]
    level = np.sqrt(np.mean(spoken**2)) / max(float(np.sqrt(np.mean(middle**2))), 1e-9)
    line = np.random.default_rng(4).standard_normal(SECOND // 2).astype(np.float32) * 2e-4
    return np.concatenate([spoken[: 10 * SECOND], line, middle * level, line, spoken[10 * SECOND : 20 * SECOND]])


@pytest.mark.parametrize("instrument", INSTRUMENTS)
@pytest.mark.parametrize("seconds", [8, 20])
def test_music_between_speech_is_a_hold(
    find_speech: SpeechDetector, mono_clip: Clip, instrument: str, seconds: int
) -> None:
    activity = find_speech(recording_of(between_speech(mono_clip, telephone(music(instrument, seconds)))))
    start, end = 10_500, 10_500 + seconds * 1000
    found = covered(activity.holds)
    inside = len(found & covered([(start, end)])) / (end - start)
    assert inside > 0.75
    assert len(found - covered([(start - 500, end + 500)])) < 1500
    # Whatever sounds during a hold is not recognised.
    assert not covered(activity.speech[0]) & found


def test_the_music_of_a_bundled_call_is_its_only_hold(find_speech: SpeechDetector, hold_clip: Clip) -> None:
    activity = find_speech(recording_of(*hold_clip.wide))
    (hold,) = activity.holds
    assert hold[0] == pytest.approx(6593, abs=700)
    assert hold[1] == pytest.approx(16_593, abs=700)


def test_music_shorter_than_a_hold_is_none(find_speech: SpeechDetector, mono_clip: Clip) -> None:
    jingle = telephone(music("piano", 2))
    assert find_speech(recording_of(between_speech(mono_clip, jingle))).holds == ()


def test_speech_is_no_hold(find_speech: SpeechDetector, mono_clip: Clip, stereo_clip: Clip) -> None:
    assert find_speech(recording_of(*mono_clip.wide)).holds == ()
    assert find_speech(recording_of(*stereo_clip.wide)).holds == ()


def with_line_noise(clip: Clip) -> Samples:
    """Two channels at 16 kHz, each with the noise of its own line."""
    wide = clip.wide
    return wide + np.random.default_rng(2).standard_normal(wide.shape).astype(np.float32) * 1e-3


@pytest.mark.parametrize("channel", [0, 1])
def test_a_muted_channel_is_a_hold(find_speech: SpeechDetector, stereo_clip: Clip, channel: int) -> None:
    samples = with_line_noise(stereo_clip)
    samples[channel, 8 * SECOND : 17 * SECOND] = 0
    (hold,) = find_speech(recording_of(*samples)).holds
    assert hold[0] == pytest.approx(8000, abs=64)
    assert hold[1] == pytest.approx(17_000, abs=64)


def test_a_channel_muted_for_less_than_eight_seconds_is_no_hold(
    find_speech: SpeechDetector, stereo_clip: Clip
) -> None:
    samples = with_line_noise(stereo_clip)
    samples[0, 8 * SECOND : 15 * SECOND] = 0
    assert find_speech(recording_of(*samples)).holds == ()


def test_what_the_citizen_says_during_a_hold_is_cut(find_speech: SpeechDetector, stereo_clip: Clip) -> None:
    samples = with_line_noise(stereo_clip)
    samples[0, 7 * SECOND : 16 * SECOND] = 0  # the agent has muted; the citizen speaks all that time
    activity = find_speech(recording_of(*samples))
    assert len(covered(activity.speech[1]) & covered([(7000, 16_000)])) == 0


def test_a_listener_without_noise_on_the_line_is_not_on_hold(
    find_speech: SpeechDetector, stereo_clip: Clip
) -> None:
    """A digital line carries exact zeros between words; the other party just listens."""
    samples = stereo_clip.wide.copy()
    samples[1, : 7 * SECOND] = 0
    samples[1, 17 * SECOND :] = 0
    assert find_speech(recording_of(*samples)).holds == ()


# --- cross-talk -----------------------------------------------------------------------------------------------------


def test_the_other_channels_echo_is_no_speech(find_speech: SpeechDetector, stereo_clip: Clip) -> None:
    samples = with_line_noise(stereo_clip)
    gain = 10 ** (-34 / 20)
    leaking = np.stack([samples[0] + gain * samples[1], samples[1] + gain * samples[0]])
    clean, echoed = find_speech(recording_of(*samples)), find_speech(recording_of(*leaking))
    for one, other in zip(clean.speech, echoed.speech, strict=True):
        assert len(covered(one) ^ covered(other)) / len(covered(one)) < 0.05


def test_both_parties_speaking_at_once_are_both_kept(find_speech: SpeechDetector, stereo_clip: Clip) -> None:
    samples = with_line_noise(stereo_clip)
    both = np.stack([np.roll(samples[0], 6 * SECOND), samples[1]])  # agent now 7.1-12.7 s, citizen 7.2-16.3 s
    agent, citizen = find_speech(recording_of(*both)).speech
    assert len(covered(agent) & covered(citizen) & covered([(7300, 12_500)])) > 4000


@given(st.integers(1, 60), st.floats(-40, -16))
def test_echo_is_found_at_any_level_below_the_threshold(frames: int, echo_db: float) -> None:
    levels = np.stack([np.full(frames, -20.0), np.full(frames, -20.0 + echo_db)]).astype(np.float32)
    is_echo = find_crosstalk(levels, -15.0)
    assert not is_echo[0].any()
    assert is_echo[1].all()


@pytest.mark.parametrize("frames", [1, 2, 6, 7, 8])
def test_a_stereo_call_of_a_few_frames_is_looked_at(find_speech: SpeechDetector, frames: int) -> None:
    found = find_speech(recording_of(noise(1)[: frames * 512], tone(300, 1)[: frames * 512]))
    assert len(found.speech) == 2


def test_equal_channels_are_nobodys_echo() -> None:
    levels = np.random.default_rng(0).uniform(-60, -20, (1, 50)).astype(np.float32).repeat(2, axis=0)
    assert not find_crosstalk(levels, -15.0).any()


# --- laws of spans --------------------------------------------------------------------------------------------------


@given(any_spans, st.integers(0, 500))
def test_merging_keeps_what_was_covered_and_joins_what_is_near(spans: list[Span], gap_ms: int) -> None:
    merged = merge(spans, gap_ms)
    assert covered(spans) <= covered(merged)
    assert all(b[0] - a[1] > gap_ms for a, b in itertools.pairwise(merged))
    assert merge(merged, gap_ms) == merged
    assert merge(spans[::-1], gap_ms) == merged
    # Only gaps were added, and none of them longer than allowed.
    assert all(end - start <= gap_ms for start, end in spans_between(covered(merged) - covered(spans)))


def spans_between(points: set[int]) -> list[Span]:
    ordered = sorted(points)
    starts = [p for p in ordered if p - 1 not in points]
    ends = [p + 1 for p in ordered if p + 1 not in points]
    return list(zip(starts, ends, strict=True))


@given(any_spans, any_spans)
def test_cutting_takes_exactly_the_holes(spans: list[Span], holes: list[Span]) -> None:
    assert covered(cut(spans, holes)) == covered(spans) - covered(holes)


@given(any_spans, any_spans)
def test_cutting_leaves_no_empty_pieces_and_no_more_sound(spans: list[Span], holes: list[Span]) -> None:
    pieces = cut(merge(spans, 0), merge(holes, 0))
    assert all(end > start for start, end in pieces)
    assert pieces == sorted(pieces)
    assert cut(pieces, merge(holes, 0)) == pieces


@given(st.lists(st.booleans(), max_size=60))
def test_runs_of_frames_become_their_spans(flags: list[bool]) -> None:
    spans = spans_of(np.array(flags, dtype=bool))
    assert {i for i, flag in enumerate(flags) if flag} == {
        i for start, end in spans for i in range(start // FRAME_MS, end // FRAME_MS)
    }


@given(st.lists(st.booleans(), min_size=1, max_size=500))
def test_smoothing_gives_a_share_per_frame(flags: list[bool]) -> None:
    shares = smooth(np.array(flags))
    assert len(shares) == len(flags)
    assert ((shares >= 0) & (shares <= 1 + 1e-6)).all()
    if len(set(flags)) == 1:
        assert shares == pytest.approx(float(flags[0]))


@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.floats(-90, 0, width=32)), min_size=1, max_size=200))
def test_speech_spans_stay_inside_and_apart(frames: list[tuple[float, float]]) -> None:
    probability, level = (np.array(column, dtype=np.float32) for column in zip(*frames, strict=True))
    spans = speech_spans(probability, level, SPEECH)
    assert all(0 <= start < end <= len(frames) * FRAME_MS for start, end in spans)
    assert all(b[0] > a[1] for a, b in itertools.pairwise(spans))
    if (probability < SPEECH.threshold).all():
        assert spans == []
