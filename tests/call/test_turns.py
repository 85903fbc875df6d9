"""Turns and events: who gets a word, what cuts a turn, and each threshold of the configuration from both sides."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.call.turns import assign_speakers, find_events, is_backchannel, join_turns
from callanalytics.config import load_config
from callanalytics.records import Event, Role, Segment, Span, Turn, Word
from tests.support.fakes import words_of
from tests.support.strategies import exclusive_segments, sorted_words, spans_apart

SETTINGS = load_config().turns


def said(speaker: str, text: str, start_ms: int, step_ms: int = 300) -> list[tuple[Word, str]]:
    return [(word, speaker) for word in words_of(text, start_ms, step_ms)]


def turn(role: Role, start_ms: int, end_ms: int, text: str = "een twee drie vier", speaker: str = "") -> Turn:
    """A turn whose words fill all of its time."""
    words = text.split()
    bounds = [start_ms + (end_ms - start_ms) * i // len(words) for i in range(len(words) + 1)]
    spoken = tuple(Word(w, a, b) for w, (a, b) in zip(words, itertools.pairwise(bounds), strict=True))
    return Turn(0, role, start_ms, end_ms, text, spoken, speaker=speaker or role)


def events(
    *turns: Turn, holds: Sequence[Span] = (), speech: Sequence[Span] | None = None, duration_ms: int = 100_000
) -> list[Event]:
    ordered = [replace(t, turn_index=i) for i, t in enumerate(sorted(turns, key=lambda t: t.start_ms))]
    spoken = speech if speech is not None else [(t.start_ms, t.end_ms) for t in turns]
    return find_events(ordered, holds, spoken, duration_ms, SETTINGS)


def of_type(found: list[Event], kind: str) -> list[tuple[str, int, int]]:
    return [(e.by, e.start_ms, e.end_ms) for e in found if e.type == kind]


# --- words to speakers ----------------------------------------------------------------------------------------------


def test_a_word_belongs_to_whom_it_overlaps_most() -> None:
    segments = [Segment("A", 0, 1000), Segment("B", 1000, 2000)]
    words = [Word("hello", 0, 900), Word("well", 700, 1200), Word("yes", 900, 1900)]
    assert [speaker for _, speaker in assign_speakers(words, segments)] == ["A", "A", "B"]


def test_a_word_between_segments_belongs_to_the_nearest() -> None:
    segments = [Segment("A", 0, 1000), Segment("B", 5000, 6000)]
    words = [Word("a", 1100, 1300), Word("b", 4500, 4900), Word("c", 9000, 9100)]
    assert [speaker for _, speaker in assign_speakers(words, segments)] == ["A", "B", "B"]


def test_without_segments_nobody_is_named() -> None:
    assert assign_speakers([Word("a", 0, 100)], []) == [(Word("a", 0, 100), "")]
    assert assign_speakers([], [Segment("A", 0, 100)]) == []


@given(sorted_words(), exclusive_segments())
def test_every_word_gets_the_best_speaker_there_is(words: list[Word], segments: list[Segment]) -> None:
    joined = assign_speakers(words, segments)
    assert [word for word, _ in joined] == words
    for word, speaker in joined:
        def shared(s: Segment, word: Word = word) -> int:
            return max(0, min(word.end_ms, s.end_ms) - max(word.start_ms, s.start_ms))

        def distance(s: Segment, word: Word = word) -> int:
            return max(0, s.start_ms - word.end_ms, word.start_ms - s.end_ms)

        own = [s for s in segments if s.speaker == speaker]
        if not segments:
            assert speaker == ""
        elif best := max(map(shared, segments)):
            assert max(map(shared, own)) == best
        else:
            assert min(map(distance, own)) == min(map(distance, segments))


@given(sorted_words(), exclusive_segments(), st.integers(0, 10_000_000))
def test_speakers_follow_a_time_shift(words: list[Word], segments: list[Segment], dt: int) -> None:
    later = [replace(w, start_ms=w.start_ms + dt, end_ms=w.end_ms + dt) for w in words]
    moved = [replace(s, start_ms=s.start_ms + dt, end_ms=s.end_ms + dt) for s in segments]
    assert [s for _, s in assign_speakers(later, moved)] == [s for _, s in assign_speakers(words, segments)]


# --- words to turns -------------------------------------------------------------------------------------------------


def test_speakers_take_turns() -> None:
    turns = join_turns(said("A", "goedemorgen met Sanne", 0) + said("B", "hallo met Henk", 1200), SETTINGS)
    assert [(t.speaker, t.text) for t in turns] == [("A", "goedemorgen met Sanne"), ("B", "hallo met Henk")]
    assert [t.turn_index for t in turns] == [0, 1]
    assert all(t.role == "unknown" for t in turns)


def test_a_turn_spans_its_words_and_knows_its_channel() -> None:
    (turn_,) = join_turns(said("A", "een twee drie", 500), SETTINGS, {"A": 1})
    assert (turn_.start_ms, turn_.end_ms, turn_.channel) == (500, 1400, 1)
    assert turn_.text == "een twee drie"
    assert turn_.words == words_of("een twee drie", 500)


@pytest.mark.parametrize(("pause_ms", "turns"), [(SETTINGS.pause_ms, 1), (SETTINGS.pause_ms + 1, 2)])
def test_a_long_pause_ends_a_turn(pause_ms: int, turns: int) -> None:
    words = said("A", "ik kijk even", 0) + said("A", "daar heb ik het", 900 + pause_ms)
    assert len(join_turns(words, SETTINGS)) == turns


@pytest.mark.parametrize("text", ["ja", "hmhm", "oké ja", "Ja, ja. Precies!"])
def test_a_backchannel_is_a_turn_of_its_own_and_cuts_nothing(text: str) -> None:
    words = said("A", "ik leg u even uit hoe dat gaat bij ons", 0) + said("B", text, 1300, 100)
    turns = join_turns(words, SETTINGS)
    assert [(t.speaker, t.text) for t in turns] == [("A", "ik leg u even uit hoe dat gaat bij ons"), ("B", text)]


def test_words_of_substance_cut_the_others_turn_in_two() -> None:
    words = said("A", "ik leg u even uit", 0) + said("B", "dat hoeft niet", 1600) + said("A", "toch wel hoor", 2600)
    assert [t.speaker for t in join_turns(words, SETTINGS)] == ["A", "B", "A"]


@pytest.mark.parametrize("offset_ms", [0, 70, 130, 200, 290])
def test_whoever_speaks_through_the_other_keeps_one_turn(offset_ms: int) -> None:
    long = "een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien"
    words = said("A", long, 0) + said("B", "nee wacht even dat is niet waar", 1200 + offset_ms, 280)
    turns = join_turns(words, SETTINGS)
    assert [(t.speaker, t.text) for t in turns] == [("A", long), ("B", "nee wacht even dat is niet waar")]
    known: list[Turn] = [replace(t, role="citizen" if t.speaker == "A" else "agent") for t in turns]
    (event,) = [e for e in find_events(known, (), (), 10_000, SETTINGS) if e.type == "interruption"]
    assert (event.by, event.start_ms) == ("agent", 1200 + offset_ms)


def test_times_that_overrun_a_little_do_not_hide_who_took_the_floor() -> None:
    words = said("A", "waar kan ik mee helpen", 0) + said("B", "niets", 1450) + said("A", "goed tot ziens", 1650)
    assert [t.speaker for t in join_turns(words, SETTINGS)] == ["A", "B", "A"]


def test_four_words_of_agreement_are_no_backchannel() -> None:
    assert is_backchannel(["Ja,", "ja.", "oké"], SETTINGS.backchannels)
    assert not is_backchannel(["ja", "ja", "ja", "ja"], SETTINGS.backchannels)
    assert not is_backchannel(["ja", "maar"], SETTINGS.backchannels)


st_said = st.lists(st.sampled_from("AB"), min_size=25, max_size=25)


@given(sorted_words(), st_said)
def test_every_word_is_in_exactly_one_turn_of_its_speaker(words: list[Word], speakers: list[str]) -> None:
    pairs = list(zip(words, speakers, strict=False))
    turns = join_turns(pairs, SETTINGS)
    assert sorted((w.start_ms, w.end_ms, w.text, t.speaker) for t in turns for w in t.words) == sorted(
        (w.start_ms, w.end_ms, w.text, s) for w, s in pairs
    )
    assert [t.turn_index for t in turns] == list(range(len(turns)))
    assert all(a.start_ms <= b.start_ms for a, b in itertools.pairwise(turns))
    for t in turns:
        assert t.words
        assert t.start_ms == t.words[0].start_ms
        assert t.end_ms == max(w.end_ms for w in t.words)
        assert t.text == " ".join(w.text for w in t.words)
        assert all(b.start_ms - a.end_ms <= SETTINGS.pause_ms for a, b in itertools.pairwise(t.words))


@given(sorted_words(), st_said, st.integers(0, 10_000_000))
def test_turns_follow_a_time_shift(words: list[Word], speakers: list[str], dt: int) -> None:
    pairs = list(zip(words, speakers, strict=False))

    def later(word: Word) -> Word:
        return replace(word, start_ms=word.start_ms + dt, end_ms=word.end_ms + dt)

    shifted = join_turns([(later(w), s) for w, s in pairs], SETTINGS)
    assert shifted == [
        replace(t, start_ms=t.start_ms + dt, end_ms=t.end_ms + dt, words=tuple(map(later, t.words)))
        for t in join_turns(pairs, SETTINGS)
    ]


@given(sorted_words(), st_said, st.randoms(use_true_random=False))
def test_turns_do_not_depend_on_the_order_in_which_tracks_come(
    words: list[Word], speakers: list[str], random: Random
) -> None:
    # Two words of one speaker at exactly the same time have no order of their own.
    pairs = list({(w.start_ms, w.end_ms, s): (w, s) for w, s in zip(words, speakers, strict=False)}.values())
    shuffled = random.sample(pairs, len(pairs))
    assert join_turns(shuffled, SETTINGS) == join_turns(pairs, SETTINGS)


def test_no_words_no_turns_no_events_but_holds() -> None:
    assert join_turns([], SETTINGS) == []
    assert find_events([], [(0, 9000)], [], 10_000, SETTINGS) == [Event("hold", "agent", 0, 9000)]


# --- interruptions --------------------------------------------------------------------------------------------------

OVERLAP, AFTER = SETTINGS.interruption_overlap_ms, SETTINGS.interruption_after_ms


def test_the_thresholds_are_those_of_the_rule() -> None:
    assert (OVERLAP, AFTER, SETTINGS.interruption_min_words) == (500, 1000, 3)


@pytest.mark.parametrize(("intruder", "other"), [("agent", "citizen"), ("citizen", "agent")])
def test_starting_while_the_other_speaks_on_is_an_interruption(intruder: Role, other: Role) -> None:
    found = events(turn(other, 0, 6000), turn(intruder, 2000, 5000, "nee dat is niet zo"))
    assert of_type(found, "interruption") == [(intruder, 2000, 5000)]


@pytest.mark.parametrize(("goes_on_ms", "count"), [(AFTER - 1, 0), (AFTER, 1), (AFTER + 1, 1)])
def test_the_other_goes_on_for_a_second(goes_on_ms: int, count: int) -> None:
    found = events(turn("citizen", 0, 3000 + goes_on_ms), turn("agent", 3000, 6000, "nee dat is niet zo"))
    assert len(of_type(found, "interruption")) == count


@pytest.mark.parametrize(("overlap_ms", "count"), [(OVERLAP - 1, 0), (OVERLAP, 1)])
def test_both_speak_for_half_a_second(overlap_ms: int, count: int) -> None:
    found = events(turn("citizen", 0, 9000), turn("agent", 3000, 3000 + overlap_ms, "nee dat niet"))
    assert len(of_type(found, "interruption")) == count


@pytest.mark.parametrize(("into_ms", "count"), [(OVERLAP - 1, 0), (OVERLAP, 1)])
def test_starting_together_is_no_interruption(into_ms: int, count: int) -> None:
    """The rule: the intruder starts half a second or more into the other's speech."""
    found = events(turn("citizen", 1000, 9000), turn("agent", 1000 + into_ms, 5000, "nee dat is niet zo"))
    assert len(of_type(found, "interruption")) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [("nee wacht", 0), ("nee wacht even", 1), ("ja ja precies", 0), ("ja maar nee", 1), ("ja ja ja oké", 1)],
)
def test_an_interruption_has_three_words_and_is_no_backchannel(text: str, count: int) -> None:
    found = events(turn("citizen", 0, 9000), turn("agent", 3000, 5000, text))
    assert len(of_type(found, "interruption")) == count


@pytest.mark.parametrize("role", ["ivr", "unknown"])
def test_only_agent_and_citizen_interrupt_each_other(role: Role) -> None:
    found = events(turn(role, 0, 9000), turn("agent", 3000, 5000))
    assert not of_type(found, "interruption")
    assert not of_type(found, "overlap")


# --- overlaps -------------------------------------------------------------------------------------------------------


def test_overlap_is_where_words_of_both_sound_at_once() -> None:
    found = events(turn("citizen", 0, 4000), turn("agent", 3000, 6000))
    assert of_type(found, "overlap") == [("agent", 3000, 4000)]


def test_a_word_that_falls_in_the_others_gap_is_no_overlap() -> None:
    long = Turn(0, "citizen", 0, 5000, "a b", (Word("a", 0, 1000), Word("b", 2500, 5000)), speaker="C")
    assert not of_type(events(long, turn("agent", 1200, 2400, "ja")), "overlap")


@given(sorted_words(), st_said)
def test_overlaps_lie_inside_both_parties_turns(words: list[Word], speakers: list[str]) -> None:
    turns = join_turns(list(zip(words, speakers, strict=False)), SETTINGS)
    known: list[Turn] = [replace(t, role="agent" if t.speaker == "A" else "citizen") for t in turns]
    for _, start, end in of_type(find_events(known, (), (), 200_000, SETTINGS), "overlap"):
        assert start < end
        for role in ("agent", "citizen"):
            assert any(t.role == role and t.start_ms <= start and end <= t.end_ms for t in known)


# --- dead air -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("quiet_ms", "count"), [(SETTINGS.dead_air_ms - 1, 0), (SETTINGS.dead_air_ms, 1)])
def test_nobody_speaking_for_long_is_dead_air(quiet_ms: int, count: int) -> None:
    found = events(turn("agent", 0, 5000), turn("citizen", 5000 + quiet_ms, 30_000))
    assert of_type(found, "dead_air") == [("", 5000, 5000 + quiet_ms)][:count]


def test_a_hold_is_no_dead_air() -> None:
    found = events(turn("agent", 0, 5000), turn("agent", 45_000, 50_000), holds=[(6000, 44_000)])
    assert not of_type(found, "dead_air")
    assert of_type(found, "hold") == [("agent", 6000, 44_000)]


def test_silence_before_the_first_and_after_the_last_word_is_no_dead_air() -> None:
    assert not of_type(events(turn("agent", 30_000, 35_000), duration_ms=100_000), "dead_air")


def test_speech_that_was_not_understood_is_no_dead_air() -> None:
    spoken = [(0, 5000), (12_000, 13_000), (25_000, 30_000)]
    found = events(turn("agent", 0, 5000), turn("citizen", 25_000, 30_000), speech=spoken)
    assert not of_type(found, "dead_air")


# --- transfers ------------------------------------------------------------------------------------------------------


def test_another_voice_on_the_agents_side_is_a_transfer() -> None:
    found = events(
        turn("agent", 0, 5000, speaker="S1"), turn("citizen", 5000, 8000), turn("agent", 10_000, 15_000, speaker="S2")
    )
    assert of_type(found, "transfer") == [("agent", 5000, 10_000)]


def test_a_voice_that_comes_back_was_not_transferred() -> None:
    found = events(
        turn("agent", 0, 5000, speaker="S1"),
        turn("agent", 6000, 7000, speaker="S2"),
        turn("agent", 9000, 12_000, speaker="S1"),
    )
    assert not of_type(found, "transfer")


def test_one_agent_throughout_is_no_transfer() -> None:
    found = events(turn("agent", 0, 5000), turn("citizen", 5000, 8000), turn("agent", 9000, 9900))
    assert not of_type(found, "transfer")


# --- all events -----------------------------------------------------------------------------------------------------


@given(sorted_words(), st_said, spans_apart(max_size=3), st.integers(0, 1_000_000))
def test_events_follow_a_time_shift(
    words: list[Word], speakers: list[str], holds: tuple[Span, ...], dt: int
) -> None:
    turns: list[Turn] = [
        replace(t, role="agent" if t.speaker == "A" else "citizen")
        for t in join_turns(list(zip(words, speakers, strict=False)), SETTINGS)
    ]

    def later(word: Word) -> Word:
        return replace(word, start_ms=word.start_ms + dt, end_ms=word.end_ms + dt)

    moved = [
        replace(t, start_ms=t.start_ms + dt, end_ms=t.end_ms + dt, words=tuple(map(later, t.words))) for t in turns
    ]
    speech = [(t.start_ms, t.end_ms) for t in turns]
    here = find_events(turns, holds, speech, 400_000, SETTINGS)
    there = find_events(
        moved, [(a + dt, b + dt) for a, b in holds], [(a + dt, b + dt) for a, b in speech], 400_000 + dt, SETTINGS
    )
    assert there == [replace(e, start_ms=e.start_ms + dt, end_ms=e.end_ms + dt) for e in here]
    assert all(0 <= e.start_ms < e.end_ms or e.type == "transfer" for e in here)
    assert here == sorted(here, key=lambda e: e.start_ms)
