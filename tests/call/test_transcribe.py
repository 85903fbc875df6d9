"""Words: the laws of windows and word times, the guards against invention, and the real model on short sound."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.call.audio import Samples, decode_recording
from callanalytics.call.speech import SpeechDetector
from callanalytics.call.transcribe import (
    Hypothesis,
    Track,
    Transcriber,
    Window,
    assemble,
    deal,
    drop_blocked,
    drop_loops,
    pack,
    to_track_time,
)
from callanalytics.config import Config, Recognition, load_config
from callanalytics.records import Span, Word
from callanalytics.spans import merge
from tests.support.fakes import (
    INSTRUMENTS,
    Clip,
    busy_tone,
    dial_tone,
    music,
    noise,
    recording_of,
    telephone,
    words_of,
    write_audio,
)
from tests.support.strategies import spans_apart

SETTINGS = load_config().recognition
LONGEST_MS = int(SETTINGS.window_s * 1000)


def texts(words: list[Word]) -> str:
    return " ".join(w.text for w in words)


@given(st.integers(0, 200), st.integers(1, 16), st.integers(1, 8))
def test_batches_are_alike_and_as_many_for_every_lane(count: int, most: int, lanes: int) -> None:
    dealt = deal([Window(i, ()) for i in range(count)], most, lanes)
    assert [window.track for batch in dealt for window in batch] == list(range(count))
    sizes = [len(batch) for batch in dealt]
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
    assert all(1 <= size <= most for size in sizes)
    assert len(sizes) % lanes == 0 or len(sizes) == count
    assert len(sizes) < count / most + lanes


# --- windows --------------------------------------------------------------------------------------------------------


@given(spans_apart(longest_ms=80_000))
def test_windows_cover_all_speech_exactly_and_in_order(speech: tuple[Span, ...]) -> None:
    windows = pack(speech, SETTINGS, track=3)
    pieces = [(p.in_track_ms, p.in_track_ms + p.length_ms) for w in windows for p in w.pieces]
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(pieces))
    assert merge(pieces, 0) == speech
    assert sum(end - start for start, end in pieces) == sum(end - start for start, end in speech)
    assert all(w.track == 3 for w in windows)


@given(spans_apart(longest_ms=80_000))
def test_no_window_is_longer_than_allowed_or_empty(speech: tuple[Span, ...]) -> None:
    for window in pack(speech, SETTINGS):
        assert 0 < window.length_ms <= LONGEST_MS
        assert window.pieces[0].in_window_ms == 0
        for a, b in itertools.pairwise(window.pieces):
            pause_ms = b.in_track_ms - a.in_track_ms - a.length_ms
            assert b.in_window_ms - a.in_window_ms - a.length_ms == min(SETTINGS.gap_ms, pause_ms)


@given(spans_apart(), st.integers(0, 3_600_000))
def test_windows_move_with_the_speech(speech: tuple[Span, ...], shift_ms: int) -> None:
    moved = pack(tuple((a + shift_ms, b + shift_ms) for a, b in speech), SETTINGS)
    back = [[p._replace(in_track_ms=p.in_track_ms - shift_ms) for p in w.pieces] for w in moved]
    assert back == [list(w.pieces) for w in pack(speech, SETTINGS)]


@given(spans_apart(longest_ms=60_000), st.data())
def test_a_words_time_stays_inside_a_piece(speech: tuple[Span, ...], data: st.DataObject) -> None:
    for window in pack(speech, SETTINGS):
        start = data.draw(st.integers(0, window.length_ms + 500))
        end = data.draw(st.integers(start, window.length_ms + 2000))
        word_start, word_end = to_track_time(window, start, end, SETTINGS.max_word_ms)
        assert 0 < word_end - word_start <= SETTINGS.max_word_ms
        inside = [p for p in window.pieces if p.in_track_ms <= word_start and word_end <= p.in_track_ms + p.length_ms]
        assert len(inside) == 1


@given(spans_apart(max_size=6, longest_ms=9000), st.data())
def test_a_word_inside_a_piece_keeps_its_place(speech: tuple[Span, ...], data: st.DataObject) -> None:
    for window in pack(speech, SETTINGS):
        piece = data.draw(st.sampled_from(window.pieces))
        start = data.draw(st.integers(0, piece.length_ms - 1))
        end = min(piece.length_ms, start + data.draw(st.integers(1, SETTINGS.max_word_ms)))
        at = to_track_time(window, piece.in_window_ms + start, piece.in_window_ms + end, SETTINGS.max_word_ms)
        assert at == (piece.in_track_ms + start, piece.in_track_ms + end)


def test_the_last_word_does_not_swallow_the_pause_behind_it() -> None:
    (window,) = pack([(0, 1000), (60_000, 61_000)], SETTINGS)
    # Recognised from 0.9 s in the first piece into the second one, which begins at 1.3 s in the window.
    assert to_track_time(window, 600, 1400, SETTINGS.max_word_ms) == (600, 1000)


def test_speech_is_cut_at_its_longest_pause_rather_than_in_a_sentence() -> None:
    speech = [(0, 9000), (9100, 18_000), (20_000, 26_000), (26_100, 36_000)]
    first, second = pack(speech, SETTINGS)
    assert first.pieces[-1].in_track_ms == 9100
    assert second.pieces[0].in_track_ms == 20_000


@given(spans_apart(max_size=5, longest_ms=40_000))
def test_a_window_holds_the_sound_of_its_pieces_and_silence_between(speech: tuple[Span, ...]) -> None:
    total_ms = speech[-1][1] if speech else 10
    samples = np.arange(1, total_ms * 16 + 1, dtype=np.float32)
    for window in pack(speech, SETTINGS):
        sound = assemble(window, samples)
        assert len(sound) == window.length_ms * 16
        for piece in window.pieces:
            at = piece.in_window_ms * 16
            assert sound[at] == piece.in_track_ms * 16 + 1
            assert (np.diff(sound[at : at + piece.length_ms * 16]) == 1).all()
        assert np.count_nonzero(sound) == sum(p.length_ms for p in window.pieces) * 16


# --- guards against invention ---------------------------------------------------------------------------------------


def blocked(settings: Recognition = SETTINGS) -> list[re.Pattern[str]]:
    from callanalytics.call.transcribe import _loose

    return [re.compile(_loose(phrase)) for phrase in settings.blocklist]


@pytest.mark.parametrize("phrase", SETTINGS.blocklist)
def test_subtitle_credits_are_dropped_and_what_stands_beside_them_stays(phrase: str) -> None:
    said = words_of(f"tot ziens {phrase.capitalize()}. Goedemiddag met Lotte")
    assert texts(drop_blocked(list(said), blocked())) == "tot ziens Goedemiddag met Lotte"


def test_blocked_phrases_are_whole_words() -> None:
    said = list(words_of("De ondertitelde doorlichting op TV Gelderlanden, bedankt voor het kijkje."))
    assert drop_blocked(said, blocked()) == said


def test_a_phrase_split_by_punctuation_is_dropped() -> None:
    said = list(words_of("Bedankt, voor het kijken!"))
    assert drop_blocked(said, blocked()) == []


@pytest.mark.parametrize("phrase", ["ja", "dank u wel", "ik ga het even voor u na"])
@pytest.mark.parametrize("times", [4, 5, 30])
def test_a_loop_is_kept_once(phrase: str, times: int) -> None:
    said = list(words_of(" ".join(["goedemorgen", *[phrase] * times, "dag"])))
    assert texts(drop_loops(said)) == f"goedemorgen {phrase} dag"


@pytest.mark.parametrize(
    "text", ["ja ja ja dat klopt", "nee nee nee", "nul nul nul nul", "twee twee twee twee twee", "1 1 1 1", ""]
)
def test_what_people_do_repeat_stays(text: str) -> None:
    said = list(words_of(text))
    assert drop_loops(said) == said


def test_a_number_said_without_end_is_a_loop() -> None:
    said = list(words_of(" ".join(["was", "15", *["-10"] * 50, "op", "welke"])))
    assert texts(drop_loops(said)) == "was 15 -10 op welke"


@given(st.lists(st.sampled_from(["a", "b", "c", "nul", "een"]), max_size=40))
def test_dropping_loops_keeps_an_ordered_part_and_nothing_new(keys: list[str]) -> None:
    said = list(words_of(" ".join(keys)))
    kept = drop_loops(said)
    assert [w for w in said if w in kept] == kept
    assert set(w.text for w in kept) == set(keys)


# --- the real model -------------------------------------------------------------------------------------------------


def recognise(transcriber: Transcriber, find_speech: SpeechDetector, *channels: Samples) -> list[Hypothesis]:
    recording = recording_of(*channels)
    activity = find_speech(recording)
    return transcriber([Track(s, spans) for s, spans in zip(recording.samples, activity.speech, strict=True)])


@pytest.fixture(scope="module")
def tracks(find_speech: SpeechDetector, stereo_clip: Clip, mono_clip: Clip, hold_clip: Clip) -> list[Track]:
    """Tracks of three calls, four in all."""
    found = []
    for clip in (stereo_clip, mono_clip, hold_clip):
        recording = recording_of(*clip.wide)
        activity = find_speech(recording)
        found += [Track(s, spans) for s, spans in zip(recording.samples, activity.speech, strict=True)]
    return found


@pytest.fixture(scope="module")
def alone(transcriber: Transcriber, tracks: list[Track]) -> list[Hypothesis]:
    """Each track recognised by itself."""
    return [transcriber([track])[0] for track in tracks]


@pytest.mark.models
def test_words_come_out(alone: list[Hypothesis]) -> None:
    agent, citizen = (texts(list(h.words)).lower() for h in alone[:2])
    assert "waarmee" in agent
    assert "controle" in agent
    assert "wasmachine" in citizen
    assert "wasmachine" not in agent
    assert all(h.language_probability is not None and 0 < h.language_probability <= 1 for h in alone)
    assert alone[1].language_probability > 0.5


@pytest.mark.models
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2), (2, 3)])
def test_a_calls_words_are_the_same_alone_and_in_any_batch(
    transcriber: Transcriber, tracks: list[Track], alone: list[Hypothesis], order: tuple[int, ...]
) -> None:
    together = transcriber([tracks[i] for i in order])
    assert together == [alone[i] for i in order]


@pytest.mark.models
def test_word_times_are_monotone_short_and_inside_the_speech(tracks: list[Track], alone: list[Hypothesis]) -> None:
    for track, hypothesis in zip(tracks, alone, strict=True):
        words = hypothesis.words
        assert words
        assert all(a.start_ms <= b.start_ms for a, b in itertools.pairwise(words))
        for word in words:
            assert 0 < word.end_ms - word.start_ms <= SETTINGS.max_word_ms
            assert 0 <= word.confidence <= 1
            assert any(start <= word.start_ms and word.end_ms <= end for start, end in track.speech)


@pytest.mark.models
def test_words_stand_where_they_are_spoken(alone: list[Hypothesis]) -> None:
    """Truth of demo 1: the citizen says "wasmachine" between 11 and 14 s, the agent "waarmee" between 5 and 6 s."""
    (said,) = [w for w in alone[1].words if w.text.lower().startswith("wasmachine")]
    assert 10_500 < said.start_ms < said.end_ms < 14_500
    (said,) = [w for w in alone[0].words if w.text.lower().startswith("waarmee")]
    assert 4900 < said.start_ms < said.end_ms < 6100


@pytest.mark.models
def test_a_long_pause_is_not_swallowed(
    transcriber: Transcriber, find_speech: SpeechDetector, stereo_clip: Clip
) -> None:
    agent = stereo_clip.wide[0]
    first, second = agent[: 7 * 16_000], agent[16 * 16_000 :]
    quiet = np.random.default_rng(0).standard_normal(20 * 16_000).astype(np.float32) * 1e-4
    (found,) = recognise(transcriber, find_speech, np.concatenate([first, quiet, second]))
    assert "waarmee" in {w.text.lower().strip(".,?!") for w in found.words if w.end_ms < 7500}
    assert [w for w in found.words if w.start_ms > 26_500]
    assert not [w for w in found.words if w.end_ms > 7500 and w.start_ms < 26_500]


NO_SPEECH = {
    "silence": lambda: np.zeros(15 * 16_000, np.float32),
    "white noise": lambda: noise(15),
    "pink noise": lambda: noise(15, "pink", level=0.1),
    "ringing": lambda: dial_tone(15) + noise(15, level=1e-3),
    "engaged": lambda: busy_tone(15) + noise(15, level=1e-3),
    **{f"{name} music": lambda name=name: telephone(music(name, 15)) for name in INSTRUMENTS},
}


@pytest.mark.models
@pytest.mark.parametrize("kind", ["pcm16", "alaw", "mp3"])
def test_hold_music_silence_and_noise_yield_no_words(
    transcriber: Transcriber, find_speech: SpeechDetector, config: Config, tmp_path: Path, kind: str
) -> None:
    tracks = []
    for name, sound in NO_SPEECH.items():
        path = write_audio(tmp_path / f"{name}.x", sound()[None, ::2], 8000, kind)
        recording = decode_recording(path, name, config.audio)
        (spans,) = find_speech(recording).speech
        tracks.append(Track(recording.samples[0], spans))
    found = transcriber(tracks)
    assert {name: texts(list(h.words)) for name, h in zip(NO_SPEECH, found, strict=True) if h.words} == {}
    assert all(h.language_probability is None for h in found)


@pytest.mark.models
def test_music_on_hold_yields_no_words_between_those_of_the_call(
    tracks: list[Track], alone: list[Hypothesis]
) -> None:
    said = alone[3].words
    assert not [w for w in said if 7500 < (w.start_ms + w.end_ms) / 2 < 15_800]
    assert [w for w in said if w.end_ms < 7000]
    assert [w for w in said if w.start_ms > 16_000]


@pytest.mark.models
def test_a_track_without_speech_has_no_words_and_no_language(transcriber: Transcriber) -> None:
    assert transcriber([Track(np.zeros(16_000, np.float32), ())]) == [Hypothesis((), None)]
    assert transcriber([]) == []


@pytest.mark.models
def test_noise_taken_for_speech_yields_nothing_that_is_blocked_or_loops(transcriber: Transcriber) -> None:
    """Even where the voice activity errs: whatever is invented passes the guards."""
    sounds = [noise(12, "pink", 0.05, seed) for seed in range(2)] + [telephone(music("piano", 12))]
    for hypothesis in transcriber([Track(s, ((0, 12_000),)) for s in sounds]):
        words = list(hypothesis.words)
        assert drop_blocked(drop_loops(words), blocked()) == words
