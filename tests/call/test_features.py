"""Measures of a call, each on a call small enough to check by hand."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.call.features import GAP_MS, Features, measure, talk_spans
from callanalytics.call.turns import find_events, join_turns
from callanalytics.config import load_config
from callanalytics.records import Event, Role, Span, Turn, Word
from callanalytics.scoring.plainness import count_syllables, measure_plainness
from callanalytics.spans import merge
from tests.support.fakes import words_of
from tests.support.strategies import any_spans, sorted_words

SETTINGS = load_config().turns


def turn(role: Role, start_ms: int, text: str = "een twee drie", step_ms: int = 1000) -> Turn:
    words = words_of(text, start_ms, step_ms)
    return Turn(0, role, start_ms, words[-1].end_ms, text, words, speaker=role)


def measured(
    *turns: Turn, events: Sequence[Event] = (), holds: Sequence[Span] = (), duration_ms: int = 60_000
) -> Features:
    speech = merge([(t.start_ms, t.end_ms) for t in turns], 0)
    return measure(turns, events, speech, holds, duration_ms)


def test_an_empty_call_measures_nothing() -> None:
    found = measured(duration_ms=10_000)
    assert found.non_talk_ms == found.max_non_talk_ms == 10_000
    unknown = {name for name, value in asdict(found).items() if value is None}
    assert unknown == {
        "asr_confidence", "talk_ratio_agent", "wpm_agent", "wpm_citizen", "response_latency_ms_agent",
    }  # fmt: skip
    silence = {"non_talk_ms", "max_non_talk_ms"}
    assert all(value == 0 for name, value in asdict(found).items() if name not in unknown | silence)


def test_talk_time_ratio_and_turns() -> None:
    found = measured(turn("agent", 0), turn("citizen", 4000, "a b c d e f"), turn("agent", 11_000), turn("ivr", 20_000))
    assert (found.talk_ms_agent, found.talk_ms_citizen) == (6000, 6000)
    assert found.talk_ratio_agent == 0.5
    assert (found.turns_agent, found.turns_citizen) == (2, 1)
    assert found.speech_ms == 15_000
    assert found.non_talk_ms == 45_000


def test_a_pause_for_thought_is_no_talk() -> None:
    words = (Word("a", 0, 1000), Word("b", 1000 + GAP_MS, 2000 + GAP_MS), Word("c", 2001 + 2 * GAP_MS, 4000))
    said = Turn(0, "agent", 0, 4000, "a b c", words)
    assert talk_spans([said]) == ((0, 2000 + GAP_MS), (2001 + 2 * GAP_MS, 4000))


def test_the_longest_silence_does_not_count_holds() -> None:
    found = measured(
        turn("agent", 5000), turn("agent", 40_000), holds=[(10_000, 36_000)], duration_ms=60_000
    )
    # Silence is 0-5, 8-40 (of which 26 s on hold) and 43-60 s.
    assert found.max_non_talk_ms == 17_000
    assert found.non_talk_ms == 54_000
    assert (found.hold_ms, found.hold_count) == (26_000, 1)


def test_words_a_minute_are_counted_over_own_talk() -> None:
    found = measured(turn("agent", 0, " ".join(["ja"] * 20), 300), turn("citizen", 10_000, "a b"))
    assert found.wpm_agent == 200.0
    assert found.wpm_citizen is None  # two seconds say nothing


@pytest.mark.parametrize(("talk_ms", "known"), [(4999, False), (5000, True)])
def test_words_a_minute_need_five_seconds(talk_ms: int, known: bool) -> None:
    said = Turn(0, "agent", 0, talk_ms, "a", (Word("a", 0, talk_ms),))
    assert (measured(said).wpm_agent is not None) is known


def test_the_answer_comes_after_the_median_pause() -> None:
    turns = [turn("citizen", 0), turn("agent", 3500), turn("citizen", 10_000), turn("agent", 14_000)]
    turns += [turn("citizen", 20_000), turn("agent", 28_000)]
    assert measured(*turns).response_latency_ms_agent == 1000  # 500, 1000, 5000


def test_an_answer_that_overlaps_came_at_once() -> None:
    assert measured(turn("citizen", 0), turn("agent", 2500)).response_latency_ms_agent == 0


def test_only_the_citizens_turn_just_before_counts() -> None:
    turns = [turn("citizen", 0), turn("ivr", 4000), turn("agent", 20_000)]
    assert measured(*turns).response_latency_ms_agent is None


def test_events_are_counted_by_who_caused_them() -> None:
    events = [
        Event("interruption", "agent", 0, 10), Event("interruption", "agent", 20, 30),
        Event("interruption", "citizen", 40, 50), Event("overlap", "agent", 0, 700),
        Event("overlap", "citizen", 500, 900),
    ]  # fmt: skip
    found = measured(turn("agent", 0), events=events)
    assert (found.interruptions_agent, found.interruptions_citizen) == (2, 1)
    assert found.overlap_ms == 900


def test_confidence_is_the_mean_over_all_words() -> None:
    words = (Word("a", 0, 10, 1.0), Word("b", 10, 20, 0.5))
    assert measured(Turn(0, "agent", 0, 20, "a b", words)).asr_confidence == 0.75


def any_call(words: list[Word], speakers: list[str]) -> list[Turn]:
    turns = join_turns(list(zip(words, speakers, strict=False)), SETTINGS)
    roles: dict[str, Role] = {"A": "agent", "B": "citizen", "C": "unknown"}
    return [replace(t, role=roles[t.speaker]) for t in turns]


st_speakers = st.lists(st.sampled_from("ABC"), min_size=25, max_size=25)


@given(sorted_words(), st_speakers, any_spans)
def test_measures_of_any_call_fit_together(words: list[Word], speakers: list[str], holds: list[Span]) -> None:
    turns = any_call(words, speakers)
    speech = merge([(t.start_ms, t.end_ms) for t in turns], 0)
    duration_ms = max([end for _, end in [*speech, *holds]], default=0) + 1000
    apart = merge(holds, 0)
    events = find_events(turns, apart, speech, duration_ms, SETTINGS)
    found = measure(turns, events, speech, apart, duration_ms)
    assert found.speech_ms + found.non_talk_ms == duration_ms
    assert 0 <= found.max_non_talk_ms <= found.non_talk_ms
    assert 0 <= found.overlap_ms <= min(found.talk_ms_agent, found.talk_ms_citizen)
    assert found.talk_ratio_agent is None or 0 <= found.talk_ratio_agent <= 1
    assert found.hold_ms <= duration_ms
    values: dict[str, Any] = asdict(found)
    assert all(value is None or value >= 0 for value in values.values())


@given(sorted_words(), st_speakers, st.integers(1, 10_000))
def test_silence_at_the_end_changes_nothing_but_silence(words: list[Word], speakers: list[str], more_ms: int) -> None:
    turns = any_call(words, speakers)
    speech = merge([(t.start_ms, t.end_ms) for t in turns], 0)
    short, long = (measure(turns, (), speech, (), 200_000 + extra) for extra in (0, more_ms))
    changed = {k for (k, a), (_, b) in zip(asdict(short).items(), asdict(long).items(), strict=True) if a != b}
    assert changed <= {"non_talk_ms", "max_non_talk_ms"}
    assert long.non_talk_ms == short.non_talk_ms + more_ms


def test_every_measure_is_a_column_of_calls() -> None:
    from callanalytics.records import CallRow

    columns = list(CallRow.__dataclass_fields__)
    assert set(asdict(measured())) <= set(columns)
    assert len(set(columns)) == len(columns)
    assert not [pair for pair in itertools.pairwise(columns) if pair[0] == pair[1]]


# --- plain language -------------------------------------------------------------------------------------------------

SYLLABLES = """gemeente 3 over 2 adres 2 omgevingsvergunning 6 uw 1 kwijtschelding 3 goedemorgen 4 beschikking 3 eigen 2
    oké 2 informatie 4 burgerservicenummer 7 idee 2 geïnformeerd 4 auto 2 minuut 2 terugbellen 4 afvalstoffenheffing 6
    identiteit 4 legitimatiebewijs 7 even 2 onze 2 via 2 ogenblikje 4 coördinator 5 financiële 5 beëindigd 3 leeuw 1
    mooi 1 waaien 2 buiten 2 ideeën 3 zijn 1 lantaarnpaal 3 huisnummer 3 w 1"""


def test_syllables_are_counted_by_their_vowels() -> None:
    pairs = SYLLABLES.split()
    counted = {word: count_syllables(word) for word in pairs[::2]}
    assert counted == dict(zip(pairs[::2], map(int, pairs[1::2]), strict=True))


def spoken(role: Role, text: str) -> Turn:
    return Turn(0, role, 0, 1000, text)


def test_reading_ease_by_hand() -> None:
    """Ten times "Ik bel u morgen terug": 5 words and 7 syllables each: 206.84 - 77 x 1.4 - 0.93 x 5 = 94.39."""
    found = measure_plainness([spoken("agent", "Ik bel u morgen terug. " * 10)], "agent")
    assert (found.readability, found.sentence_words) == (94.4, 5.0)


def test_long_words_and_sentences_are_harder() -> None:
    """One sentence of 60 words of 4 syllables: 206.84 - 77 x 4 - 0.93 x 60 = -156.96."""
    found = measure_plainness([spoken("agent", "identiteit " * 60)], "agent")
    assert (found.readability, found.sentence_words) == (-157.0, 60.0)


def test_a_sentence_ends_at_a_mark_and_with_the_turn() -> None:
    turns = [spoken("agent", "Dat zoek ik uit! Ik kom zo terug"), spoken("agent", "Het duurt niet lang?")] * 6
    assert measure_plainness(turns, "agent").sentence_words == 4.0


def test_short_answers_placeholders_numbers_and_the_other_party_do_not_count() -> None:
    said = [spoken("agent", "Ik bel u morgen terug. " * 10)]
    noise = [spoken("agent", "Ja. Prima hoor. [NAME], [BSN] 0612."), spoken("citizen", "verantwoordelijkheid " * 80)]
    assert measure_plainness(said + noise, "agent") == measure_plainness(said, "agent")


def test_too_few_words_give_no_reading_ease() -> None:
    found = measure_plainness([spoken("agent", "Ik bel u morgen terug. " * 9)], "agent")
    assert (found.readability, found.sentence_words) == (None, None)
