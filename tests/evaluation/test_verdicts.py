"""One call judged: every definition against values worked out by hand."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.evaluation.outcomes import Outcome
from callanalytics.evaluation.promises import PromiseMatches, is_same_due, match_promises
from callanalytics.evaluation.redaction import Redactions, carry_over, is_intelligible, judge_redaction
from callanalytics.evaluation.speakers import (
    HoldMatches,
    SpeakerErrors,
    diarization_error,
    match_holds,
    role_times,
)
from callanalytics.evaluation.truth import TruePromise, TrueTurn, Truth, parse_truth
from callanalytics.evaluation.verdict import count, judge_criteria
from callanalytics.evaluation.words import WordErrors, call_word_errors, merge_numbers, plain_words, word_errors
from callanalytics.records import PromiseRow, Role, Segment, Turn, Word
from tests.support.truths import criterion_of, row_of, tree

ZONE = ZoneInfo("Europe/Amsterdam")
def truth_of(*texts: str, pii: tuple[tuple[str, str], ...] = ()) -> Truth:
    """A truth whose only speaker, the agent, says these turns, ten seconds each."""
    turns = [{"speaker": "A", "start": 10 * i, "end": 10 * i + 10, "text": text} for i, text in enumerate(texts)]
    data = [{"kind": kind, "s": "A", "text": text} for kind, text in pii]
    return parse_truth(tree(turns=turns, pii=data, promise=[], holds=[]))


def errors_of(truth: Truth, *texts: str, numbers: bool = False) -> WordErrors:
    return word_errors(truth, range(len(truth.turns)), texts, merge_numbers if numbers else list)


def turn_of(role: Role, start_ms: int, text: str, channel: int | None = None, step_ms: int = 500) -> Turn:
    """A turn whose words follow each other every `step_ms`."""
    words = tuple(
        Word(word, start_ms + i * step_ms, start_ms + (i + 1) * step_ms) for i, word in enumerate(text.split())
    )
    return Turn(0, role, start_ms, words[-1].end_ms, text, words, channel)


# --- words ----------------------------------------------------------------------------------------------------------


def test_plain_words_drop_case_and_punctuation_and_keep_placeholders_whole() -> None:
    assert plain_words("Nul-zes, met [NAME]'s É 50.000!") == ["nul", "zes", "met", "□", "é", "50", "000"]


def test_wer_counts_substitution_deletion_and_insertion() -> None:
    truth = truth_of("een twee drie vier", "vijf zes")
    assert errors_of(truth, "Een, twee drie vier vijf zes.") == WordErrors(0, 6)
    assert errors_of(truth, "een x drie vijf zes zeven") == WordErrors(3, 6)
    assert errors_of(truth) == WordErrors(6, 6)


def test_a_placeholder_on_a_datum_is_no_word_and_no_error() -> None:
    truth = truth_of("u spreekt met Piet de Boer vandaag", pii=(("person_name", "Piet de Boer"),))
    assert errors_of(truth, "u spreekt met [NAME], vandaag") == WordErrors(0, 4, excluded=1)
    # One datum may come out as two placeholders.
    assert errors_of(truth, "u spreekt met [NAME] [NAME] vandaag") == WordErrors(0, 4, excluded=1)


def test_a_datum_left_standing_is_judged_as_words() -> None:
    truth = truth_of("met Piet de Boer vandaag", pii=(("person_name", "Piet de Boer"),))
    assert errors_of(truth, "met piet te boer vandaag") == WordErrors(1, 5, restored_data=1)


def test_a_placeholder_without_a_datum_counts_against_the_words_it_hides() -> None:
    truth = truth_of("dat kost drie euro vijftig")
    assert errors_of(truth, "dat kost [PHONE]") == WordErrors(3, 5, unmatched_placeholders=1)


def test_lost_and_met_data_in_one_text_are_told_apart() -> None:
    pii = (("person_name", "Jansen"), ("person_name", "Pieters"))
    truth = truth_of("met Jansen en ook met Pieters daarna", pii=pii)
    assert errors_of(truth, "met [NAME] en ook met pieters daarna") == WordErrors(0, 6, excluded=1, restored_data=1)


def test_no_words_on_both_sides_are_no_error() -> None:
    assert errors_of(truth_of("[]")) == WordErrors()


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("vijftigduizend euro", "50 000 euro"),
        ("nul zes twaalf vierendertig", "06 1234"),
        ("nummer vier vier zeven een twee", "nummer 44712"),
        ("drieëntwintig", "23"),
        ("negentienhonderd eenenveertig", "1941"),
    ],
)
def test_numbers_agree_however_they_are_written(one: str, two: str) -> None:
    assert merge_numbers(one.split()) == merge_numbers(two.split())


def test_numbers_stay_apart_from_words_and_masks() -> None:
    assert merge_numbers(["twee", "□", "drie", "en", "vier", "keer"]) == ["2", "□", "3", "en", "4", "keer"]
    assert merge_numbers(["eenmalig", "driehoek"]) == ["eenmalig", "driehoek"]
    assert merge_numbers(["1234567890123"]) == ["1234567890123"]


def test_headline_wer_does_not_forgive_numbers_and_the_normalised_one_does() -> None:
    truth = truth_of("dat is twee euro")
    assert errors_of(truth, "dat is 2 euro").errors == 1
    assert errors_of(truth, "dat is 2 euro", numbers=True) == WordErrors(0, 4)


def test_stereo_is_compared_per_side_whatever_the_roles() -> None:
    truth = parse_truth(tree(pii=[]))
    citizen, agent = (
        " ".join(turn.text for turn in truth.turns if (turn.role == "citizen") == is_citizen)
        for is_citizen in (True, False)
    )
    turns = (turn_of("unknown", 0, agent, channel=1), turn_of("agent", 500, citizen, channel=0))
    words = sum(len(turn.text.split()) for turn in truth.turns)
    assert call_word_errors(Outcome("stereo", 60_000, turns), truth, list) == WordErrors(0, words)
    # As one text in this order the same words are wrong.
    assert call_word_errors(Outcome("mono", 60_000, turns), truth, list).errors > 0


@given(st.lists(st.sampled_from(["ja", "nee", "twee", "3", "[NAME]", "goed"]), max_size=12))
def test_word_errors_are_never_negative(words: list[str]) -> None:
    truth = truth_of("ja met Jansen om drie uur", pii=(("person_name", "Jansen"),))
    for numbers in (False, True):
        errors = errors_of(truth, " ".join(words), numbers=numbers)
        assert min(dataclasses.astuple(errors)) >= 0
        assert errors.excluded + errors.restored_data == 1


# --- speakers and roles ---------------------------------------------------------------------------------------------


def test_der_of_a_worked_example() -> None:
    reference = [Segment("A", 0, 10_000), Segment("B", 10_000, 20_000)]
    found = [Segment("x", 0, 12_000), Segment("y", 12_000, 20_000)]
    # 250 ms on each side of 0, 10 and 20 s are not scored: 19.0 s are, of which 10.25 to 12 s go to the wrong one.
    assert diarization_error(found, reference, 20_000) == SpeakerErrors(19_000, 0, 0, 1750)


def test_der_tells_missed_speech_from_false_alarm_and_scores_overlap() -> None:
    reference = [Segment("A", 0, 10_000), Segment("B", 5000, 10_000)]
    found = [Segment("x", 0, 10_000), Segment("x", 9000, 10_000), Segment("x", 15_000, 20_000)]
    errors = diarization_error(found, reference, 20_000)
    assert (errors.missed_ms, errors.false_alarm_ms, errors.confusion_ms) == (4500, 5000, 0)
    assert errors.total_ms == 4500 + 2 * 4500


def test_der_forgives_a_boundary_within_the_collar() -> None:
    reference = [Segment("A", 1000, 5000)]
    assert diarization_error([Segment("x", 800, 5200)], reference, 6000).error_ms == 0
    assert diarization_error([Segment("x", 500, 5000)], reference, 6000).false_alarm_ms == 250


def test_der_without_true_speech_has_no_rate() -> None:
    errors = diarization_error([Segment("x", 0, 1000)], [], 2000)
    assert (errors.rate, errors.false_alarm_ms) == (None, 1000)
    assert diarization_error([], [Segment("A", 0, 2000)], 2000).rate == 1.0


def test_roles_are_right_where_a_stored_turn_of_the_role_has_words() -> None:
    true = [TrueTurn("A", "agent", 0, 4000, ""), TrueTurn("C", "citizen", 4000, 8000, "")]
    # Words at 0-2 s and 3-3.5 s (a gap of 1 s is no speech), the citizen's second half under the wrong role.
    stored = [
        Turn(0, "agent", 0, 3500, "", (Word("a", 0, 2000), Word("b", 3000, 3500))),
        Turn(1, "citizen", 4000, 6000, ""),
        Turn(2, "unknown", 6000, 8000, ""),
    ]
    times = role_times(stored, true)
    assert (times.spoken_ms, times.heard_ms, times.right_ms) == (8000, 6500, 4500)


def test_a_pause_of_700_ms_is_bridged_and_a_longer_one_not() -> None:
    true = [TrueTurn("A", "agent", 0, 3000, "")]
    for gap_ms, heard_ms in ((700, 2700), (701, 2000)):
        words = (Word("a", 0, 1000), Word("b", 1000 + gap_ms, 2000 + gap_ms))
        assert role_times([Turn(0, "agent", 0, 3000, "", words)], true).heard_ms == heard_ms


def test_overlapped_time_counts_for_each_speaker() -> None:
    true = [TrueTurn("A", "agent", 0, 2000, ""), TrueTurn("C", "citizen", 1000, 2000, "")]
    times = role_times([Turn(0, "agent", 0, 2000, "")], true)
    assert (times.spoken_ms, times.heard_ms, times.right_ms) == (3000, 3000, 2000)


# --- holds ----------------------------------------------------------------------------------------------------------


def test_holds_found_missed_and_false() -> None:
    matches = match_holds([(1100, 9800), (50_000, 60_000)], [(1000, 10_000), (20_000, 30_000)])
    assert matches == HoldMatches(1, 1, 1, (100, 200))
    # Less than half of the true hold is both: missed and false.
    assert match_holds([(1000, 5000)], [(1000, 10_000)]) == HoldMatches(0, 1, 1, ())
    # One stored hold can't be two true ones.
    assert match_holds([(0, 10_000)], [(0, 4000), (6000, 10_000)]).found == 1


# --- criteria -------------------------------------------------------------------------------------------------------


def test_uncertain_rows_count_by_their_probability() -> None:
    rows = [criterion_of("a", False, "uncertain", 0.55), criterion_of("b", True, "uncertain", 0.45)]
    found = {one.criterion: one.is_found for one in judge_criteria(rows, {"a": "yes", "b": "yes"}, {"a", "b"})}
    assert found == {"a": True, "b": False}


def test_not_applicable_is_not_found_and_na_is_not_judged() -> None:
    rows = [criterion_of("a", True, "not_applicable", applicable=False), criterion_of("b", True)]
    a, b = judge_criteria(rows, {"a": "yes", "b": "na"}, {"a", "b"})
    assert (a.is_found, a.is_wrong) == (False, True)
    assert (b.is_judged, b.is_wrong) == (False, False)
    assert count([a, b]).n == 1


def test_a_call_that_could_not_be_scored_costs_its_criteria() -> None:
    a, b = judge_criteria([], {"a": "yes", "b": "no", "unknown": "yes"}, {"a", "b"})
    assert (a.is_wrong, b.is_wrong) == (True, False)
    assert a.probability is None


# --- promises -------------------------------------------------------------------------------------------------------


def promise_of(type_: str, quote: str, due_at: datetime | None = None, start_ms: int = 0, end_ms: int = 1000) -> Any:
    return row_of(PromiseRow, type=type_, quote=quote, due_at=due_at, start_ms=start_ms, end_ms=end_ms)


def test_due_dates_compare_on_local_clocks_and_times_exactly() -> None:
    late = datetime(2026, 10, 6, 22, 30, tzinfo=UTC)  # half past midnight on the 7th in Amsterdam
    assert is_same_due(late, "2026-10-07", ZONE)
    assert not is_same_due(late, "2026-10-06", ZONE)
    assert is_same_due(datetime(2026, 10, 7, 10, tzinfo=UTC), "2026-10-07T12:00:00+02:00", ZONE)
    assert not is_same_due(datetime(2026, 10, 7, 10, 1, tzinfo=UTC), "2026-10-07T12:00:00+02:00", ZONE)
    assert is_same_due(None, "", ZONE)
    assert not is_same_due(None, "2026-10-07", ZONE)
    assert not is_same_due(late, "", ZONE)


def test_promises_pair_by_words_or_time_and_once() -> None:
    true = [
        TruePromise("callback", "2026-10-06", "mijn collega belt u morgen terug", (0, 3000)),
        TruePromise("letter_or_email", "", "u krijgt een brief", (20_000, 22_000)),
    ]
    by_words = promise_of("callback", "Mijn collega belt u terug", datetime(2026, 10, 6, tzinfo=UTC), 90_000, 91_000)
    by_time = promise_of("action", "onverstaanbaar", None, 20_500, 21_500)
    elsewhere = promise_of("visit", "we komen langs", None, 50_000, 51_000)
    matches = match_promises([elsewhere, by_time, by_words], true, ZONE)
    assert matches == PromiseMatches(true=2, stored=3, matched=2, found=1, due_right=1, dated=1, dated_right=1)
    assert match_promises([by_words, by_words], true[:1], ZONE).matched == 1
    assert match_promises([], true, ZONE) == PromiseMatches(true=2)


def test_of_two_rows_for_one_promise_the_right_type_wins() -> None:
    true = [TruePromise("visit", "", "wij komen morgen langs", (0, 2000))]
    rows = [promise_of("action", "wij komen morgen langs"), promise_of("visit", "wij komen morgen langs")]
    assert match_promises(rows, true, ZONE).found == 1


# --- redaction ------------------------------------------------------------------------------------------------------


def test_a_datum_is_hidden_by_a_placeholder_or_by_recognition_but_not_when_it_can_be_read() -> None:
    truth = truth_of("u spreekt met Willem Jansen goedemorgen", pii=(("person_name", "Willem Jansen"),))
    for text, is_hidden, is_marked in (
        ("u spreekt met [NAME] goedemorgen", True, True),
        ("u spreekt met [NAME] jansen goedemorgen", False, True),
        ("u spreekt met willem jansens goedemorgen", False, False),
        ("u spreekt met geel ja goedemorgen", True, False),
    ):
        found = judge_redaction([turn_of("agent", 100, text)], truth)
        assert found.data == (("person_name", is_hidden, is_marked),), text


def test_digits_of_a_number_left_standing_are_readable() -> None:
    truth = truth_of("dat is nul zes twaalf vierendertig zesenvijftig zegt u", pii=(
        ("phone", "nul zes twaalf vierendertig zesenvijftig"),))  # fmt: skip
    assert judge_redaction([turn_of("agent", 0, "dat is 06 12 34 56 zegt u")], truth).data[0][1] is False
    assert judge_redaction([turn_of("agent", 0, "dat is 06 [PHONE] zegt u")], truth).data[0][1] is True


def test_placeholders_are_right_at_a_datum_and_wrong_elsewhere() -> None:
    truth = truth_of("met Jansen de kosten zijn twaalf euro", pii=(("person_name", "Jansen"),))
    turns = [turn_of("agent", 0, "met [NAME] de kosten zijn [PHONE] euro"), turn_of("agent", 60_000, "[BSN]")]
    assert judge_redaction(turns, truth).placeholders == (("person_name", True), ("phone", False), ("bsn", False))


def test_a_placeholder_beside_its_datum_is_right() -> None:
    truth = truth_of("met Jansen ja hoor", pii=(("person_name", "Jansen"),))
    beside = turn_of("agent", 0, "met jannie [NAME] hoor")
    assert judge_redaction([beside], truth) == Redactions(
        (("person_name", True, True),), (("person_name", True),)
    )  # fmt: skip
    assert judge_redaction([turn_of("agent", 0, "met jannie ja [NAME]")], truth).placeholders[0][1] is False


def test_words_are_looked_for_on_the_speakers_channel() -> None:
    truth = parse_truth(
        tree(
            turns=[
                {"speaker": "A", "start": 0, "end": 5, "text": "met Jansen goedemorgen hier"},
                {"speaker": "C", "start": 1, "end": 5, "text": "ja dag hallo daar"},
            ],
            pii=[{"kind": "person_name", "s": "A", "text": "Jansen"}],
        )
    )
    turns = [
        turn_of("agent", 100, "met [NAME] goedemorgen hier", channel=0, step_ms=1100),
        turn_of("citizen", 1100, "ja jansen hallo daar", channel=1, step_ms=900),
    ]
    assert judge_redaction(turns, truth).data == (("person_name", True, True),)


@pytest.mark.parametrize(
    ("kind", "said", "heard", "expected"),
    [
        ("house_number", "achttien", "18", True),
        ("house_number", "achttien", "8", False),
        ("person_name", "Mo", "mo", True),
        ("person_name", "Mo", "mot", False),
        ("person_name", "de Boer", "de", False),
        ("bsn", "een twee drie vier vijf zes", "1 2 3", False),
        ("bsn", "een twee drie vier vijf zes", "1 2 3 4", True),
        ("email", "jan apenstaart post punt nl", "jan apenstaat post .nl", True),
        ("email", "jan apenstaart post punt nl", "iets anders dus", False),
    ],
)
def test_intelligible(kind: str, said: str, heard: str, expected: bool) -> None:
    assert is_intelligible(kind, said, heard.split()) is expected
    assert not is_intelligible(kind, said, [])


def test_words_carry_over_across_what_was_misheard() -> None:
    assert carry_over(["a", "b", "c", "d"], ["a", "x", "d"]) == {0: [0], 1: [1], 2: [1], 3: [2]}
    # The word postcode is no datum: the placeholder stands for what was said before it.
    assert carry_over(["3", "maart", "postcode"], ["[POSTCODE]", "postkouder"]) == {0: [0], 1: [0, 1], 2: [1]}
