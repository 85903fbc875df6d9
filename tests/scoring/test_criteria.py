"""The scorecard: phrase language, guards, windows, order and state, and the mistakes a file can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from callanalytics.config import Config, load_config
from callanalytics.errors import ConfigError
from callanalytics.records import CriterionRow, Event, Role, Transcript, Turn, Word
from callanalytics.scoring import Detector, load_detector
from callanalytics.scoring.patterns import PatternError, parse_pattern
from callanalytics.scoring.phrases import read_criteria
from tests.support.paths import SHARED


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config()


@pytest.fixture(scope="module")
def detector(config: Config) -> Detector:
    return load_detector(config)


def call(
    *said: tuple[Role, float, str],
    holds: Sequence[tuple[float, float]] = (),
    events: Sequence[Event] = (),
    length_s: float = 200,
    speakers: Sequence[str] = (),
) -> Transcript:
    """A call from (role, start in seconds, text); a word takes 0.3 s."""
    turns = tuple(
        Turn(i, role, round(at * 1000), round(at * 1000) + 300 * len(text.split()), text,
             speaker=speakers[i] if speakers else "")
        for i, (role, at, text) in enumerate(said)
    )  # fmt: skip
    spans = tuple((round(a * 1000), round(b * 1000)) for a, b in holds)
    return Transcript("c1", None, turns, spans, tuple(events), round(length_s * 1000))


OPENING: tuple[Role, float, str] = (
    "agent",
    1,
    "Goedemorgen, gemeente [NAME], u spreekt met [NAME]. Waar kan ik u mee helpen?",
)
QUESTION: tuple[Role, float, str] = (
    "citizen",
    8,
    "Ja hallo, ik heb een vraag over een lantaarnpaal bij ons in de straat.",
)


def row(detector: Detector, transcript: Transcript, criterion: str) -> CriterionRow:
    return detector(transcript)[detector.ids.index(criterion)]


# --- the phrase language --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("ik (bel u", "never closes"),
        ("ik bel) u", "nothing opened"),
        ("ik (bel] u", "where"),
        ("ik bel {iemand}", "{naam}"),
        ("ik @niemand bel", "@niemand"),
        ("ik | bel", "outside"),
        ("[even]", "without any word"),
        ("... bel", "begins with"),
    ],
)
def test_a_mistake_in_a_phrase_is_explained(line: str, complaint: str) -> None:
    with pytest.raises(PatternError) as error:
        parse_pattern(line)
    assert complaint in str(error.value)
    assert line in str(error.value)


def test_alternatives_options_and_lists_unfold() -> None:
    pattern = parse_pattern("@wij (bel|mail nog) [even] u", {"wij": ("ik", "wij")})
    assert {next(sorted(token.texts) for token in sequence)[0] for sequence in pattern.sequences} == {"ik"}
    assert pattern.words == {"ik", "wij", "bel", "mail", "nog", "even", "u"}


def test_a_slot_for_a_part_of_speech_takes_words_that_nobody_listed(detector: Detector) -> None:
    cat = ("citizen", 20, "Mijn man is net overleden en nu krijg ik deze brief.")
    for text, is_met in (("Wat akelig voor u.", True), ("Wat zuur voor u.", True), ("Wat is het voor nummer?", False)):
        assert row(detector, call(OPENING, cat, ("agent", 30, text)), "empathy").detected == is_met, text


MINIMAL = """
[greeting]
name.nl = "Groet"
name.en = "Greeting"
definition = "De medewerker groet."
speaker = "agent"
polarity = "desired"
error_class = "non_critical"
patterns = ["goedemorgen"]
"""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ('speaker = "agent"', 'speaker = "agnet"'),
            ["greeting.toml", "[greeting]", "speaker", "line 6", "agnet", "citizen"],
        ),
        (('polarity = "desired"', ""), ["[greeting]", "polarity", "is missing"]),
        (('"goedemorgen"]', '"goede(morgen"]'), ["[greeting]", "patterns", "line 9", "never closes"]),
        (("patterns", "pattern"), ["[greeting]", "pattern", "line 9", 'perhaps you mean "patterns"']),
        (
            ('error_class = "non_critical"', 'error_class = "non_critical"\nwegiht = 2'),
            ["[greeting]", "wegiht", "line 9", "weight"],
        ),
        (('speaker = "agent"', 'speaker = "agent"\nwindow = "first half"'), ["window", "first half", "first 40%"]),
        (
            ('speaker = "agent"', 'speaker = "agent"\napplies = ["holdd"]'),
            ["applies", "line 7", 'perhaps you mean "hold"'],
        ),
        (('["goedemorgen"]', '["goedemorgen"'), ["greeting.toml"]),
    ],
)
def test_a_mistake_in_a_criterion_file_names_file_table_and_key(
    tmp_path: Path, change: tuple[str, str], told: list[str]
) -> None:
    (tmp_path / "greeting.toml").write_text(MINIMAL.replace(*change))
    with pytest.raises(ConfigError) as error:
        read_criteria(tmp_path)
    for part in told:
        assert part in str(error.value)


def test_a_folder_without_criteria_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no criterion files"):
        read_criteria(tmp_path)


# --- rows -----------------------------------------------------------------------------------------------------------


def test_every_call_gets_one_row_per_criterion_in_fixed_order(detector: Detector) -> None:
    rows = detector(call(OPENING, QUESTION))
    assert tuple(r.criterion for r in rows) == detector.ids
    assert len(set(detector.ids)) == 39
    assert all(0 <= r.probability <= 1 for r in rows)


def test_an_empty_call_meets_nothing_and_does_not_fail(detector: Detector) -> None:
    rows = detector(Transcript("c1", None, ()))
    assert not any(r.detected for r in rows)


def test_the_same_call_gives_the_same_rows(detector: Detector) -> None:
    transcript = call(OPENING, QUESTION)
    assert detector(transcript) == detector(transcript)


def test_evidence_quotes_the_transcript_with_the_times_of_its_words(detector: Detector) -> None:
    words = tuple(
        Word(t, 60_000 + 500 * i, 60_400 + 500 * i)
        for i, t in enumerate(["Goed,", "ik", "bel", "u", "morgen", "terug."])
    )
    turn = Turn(2, "agent", 60_000, 63_000, "Goed, ik bel u morgen terug.", words)
    start = call(OPENING, QUESTION)
    found = row(detector, replace(start, turns=(*start.turns, turn)), "callback_promise")
    assert found.status == "met"
    assert found.evidence[0].turn_index == 2
    assert found.evidence[0].quote.startswith("ik bel u")
    assert found.evidence[0].start_ms == 60_500


def test_a_time_shift_moves_evidence_and_nothing_else(detector: Detector) -> None:
    transcript = call(OPENING, QUESTION, ("agent", 40, "Mijn collega belt u morgen terug."))
    later = replace(
        transcript,
        duration_ms=transcript.duration_ms + 7000,
        turns=tuple(replace(t, start_ms=t.start_ms + 7000, end_ms=t.end_ms + 7000) for t in transcript.turns),
    )
    for one, two in zip(detector(transcript), detector(later), strict=True):
        assert (one.status, one.probability) == (two.status, two.probability)
        assert [e.start_ms + 7000 for e in one.evidence] == [e.start_ms for e in two.evidence]


# --- speaker, guards, window ----------------------------------------------------------------------------------------


def test_the_citizen_cannot_meet_the_agents_criterion(detector: Detector) -> None:
    agent = call(OPENING, QUESTION, ("agent", 60, "Ik bel u morgen terug."))
    citizen = call(OPENING, QUESTION, ("citizen", 60, "Ik bel u morgen terug."))
    assert row(detector, agent, "callback_promise").detected
    assert not row(detector, citizen, "callback_promise").detected


def test_words_of_an_unknown_speaker_leave_the_criterion_uncertain(detector: Detector) -> None:
    found = row(detector, call(OPENING, QUESTION, ("unknown", 60, "Ik bel u morgen terug.")), "callback_promise")
    assert found.status == "uncertain"


@pytest.mark.parametrize(
    "text",
    [
        "Wij bellen niet terug.",
        "Ik kan u niet terugbellen.",
        "U kunt ons altijd terugbellen.",
        "Wilt u teruggebeld worden?",
        "Ze zouden u terugbellen.",
        "Ik heb u teruggebeld maar u nam niet op.",
        "U hoeft mij niet terug te bellen.",
        "Neem gerust contact met ons op.",
    ],
)
def test_denials_offers_questions_and_the_past_are_no_callback_promise(detector: Detector, text: str) -> None:
    assert not row(detector, call(OPENING, QUESTION, ("agent", 60, text)), "callback_promise").detected


@pytest.mark.parametrize(
    "text",
    [
        "Dan belt de behandelaar u morgen even terug.",
        "ik bel u morgen trug",
        "u wordt binnen twee werkdagen terug gebeld",
        "Onze planner neemt deze week contact met u op.",
        "Ik zet een terug bel verzoek voor u klaar.",
        "Ik bel u vrijdag terug, is dat goed?",
    ],
)
def test_a_callback_promise_is_found_in_many_wordings(detector: Detector, text: str) -> None:
    assert row(detector, call(OPENING, QUESTION, ("agent", 60, text)), "callback_promise").detected


@pytest.mark.parametrize(
    "text",
    [
        "Goedemorgen, gemeente Zutphen, u spreekt met [NAME], waarmee kan ik u helpen?",
        "Gemeente Zutphen, met [NAME], zegt u het maar, wat is uw vraag?",
    ],
)
def test_a_question_behind_the_greeting_does_not_make_the_greeting_a_question(detector: Detector, text: str) -> None:
    found = detector(call(("agent", 1, text), QUESTION))
    rows = {row.criterion: row.status for row in found}
    assert rows["greeting_municipality"] == rows["greeting_agent_name"] == "met"


def test_a_greeting_counts_in_the_opening_only(detector: Detector) -> None:
    late = call(
        ("agent", 1, "Ja?"),
        QUESTION,
        ("agent", 20, "Oké."),
        ("agent", 30, "Ja."),
        ("agent", 90, "U spreekt met [NAME]."),
    )
    assert row(detector, call(OPENING, QUESTION), "greeting_agent_name").status == "met"
    assert row(detector, late, "greeting_agent_name").status == "not_met"


def test_a_window_looks_at_the_words_and_not_at_the_turn_they_stand_in(detector: Detector) -> None:
    # One long turn from 1 s: its last words fall behind the opening, its first in it.
    filler = " ".join(["en dan gaat het zo verder met de uitleg"] * 40)
    long = call(
        ("agent", 1, "Hallo."), ("agent", 3, "Ja."), ("agent", 5, f"{filler} waarmee kan ik u helpen"), QUESTION
    )
    turns = tuple(replace(t, end_ms=150_000) if t.turn_index == 2 else t for t in long.turns)
    turns = (
        *turns[:2],
        replace(turns[3], turn_index=2, start_ms=2000, end_ms=2500),
        replace(turns[2], turn_index=3, start_ms=44_000),
    )
    assert not row(detector, replace(long, turns=turns), "greeting_offer_help").detected


# --- order and state ------------------------------------------------------------------------------------------------


def test_hold_criteria_apply_only_when_there_was_a_hold(detector: Detector) -> None:
    asked = ("agent", 60, "Ik zet u even in de wacht, een ogenblikje.")
    thanked = ("agent", 86, "Daar ben ik weer, bedankt voor het wachten.")
    with_hold = call(OPENING, QUESTION, asked, thanked, holds=[(65, 85)])
    assert row(detector, with_hold, "hold_request").status == "met"
    assert row(detector, with_hold, "hold_thanks").status == "met"
    assert row(detector, call(OPENING, QUESTION, asked, thanked), "hold_request").status == "not_applicable"


def test_thanking_before_the_hold_is_not_thanking_after_it(detector: Detector) -> None:
    early = call(OPENING, QUESTION, ("agent", 60, "Bedankt voor het wachten."), holds=[(65, 85)])
    assert row(detector, early, "hold_thanks").status == "not_met"


def test_a_second_agent_makes_transfer_criteria_apply(detector: Detector) -> None:
    said: tuple[tuple[Role, float, str], ...] = (
        OPENING,
        QUESTION,
        ("agent", 60, "Oké."),
        ("agent", 70, "Team jeugd, met [NAME]."),
    )
    one = call(*said, speakers=("A", "C", "A", "A"))
    two = call(*said[:3], ("agent", 70, "Ja hallo."), speakers=("A", "C", "A", "B"))
    assert row(detector, two, "transfer_announcement").status == "not_met"
    assert row(detector, one, "transfer_announcement").status == "not_met"  # the words alone say so too
    assert row(detector, call(OPENING, QUESTION), "transfer_announcement").status == "not_applicable"


def test_the_number_is_asked_for_only_after_a_callback_promise(detector: Detector) -> None:
    asked = ("agent", 70, "Op welk nummer bent u bereikbaar?")
    promised = ("agent", 60, "Mijn collega belt u morgen terug.")
    assert row(detector, call(OPENING, QUESTION, promised, asked), "callback_number_check").status == "met"
    assert row(detector, call(OPENING, QUESTION, promised), "callback_number_check").status == "not_met"
    assert row(detector, call(OPENING, QUESTION, asked), "callback_number_check").status == "not_applicable"


def test_empathy_applies_after_an_occasion_only(detector: Detector) -> None:
    trouble = ("citizen", 15, "Ik ben het helemaal zat, ik vind het een schande.")
    kind = ("agent", 25, "Wat vervelend voor u.")
    assert row(detector, call(OPENING, trouble, kind), "empathy").status == "met"
    assert row(detector, call(OPENING, trouble), "empathy").status == "not_met"
    assert row(detector, call(OPENING, QUESTION), "empathy").status == "not_applicable"


PERSONAL: tuple[Role, float, str] = ("citizen", 8, "Ja hallo, hoe staat het met mijn aanvraag voor de traplift?")
DISCLOSED = "Ik zie dat uw aanvraag op drie mei is binnengekomen."


def test_identity_needs_two_factors(detector: Detector) -> None:
    one = call(OPENING, PERSONAL, ("agent", 20, "Mag ik uw geboortedatum?"), ("agent", 40, DISCLOSED))
    two = call(OPENING, PERSONAL, ("agent", 20, "Mag ik uw geboortedatum en uw postcode?"), ("agent", 40, DISCLOSED))
    assert row(detector, one, "identity_verification").status == "not_met"
    assert row(detector, two, "identity_verification").status == "met"


def test_identity_checked_after_telling_comes_too_late(detector: Detector) -> None:
    late = call(OPENING, PERSONAL, ("agent", 20, DISCLOSED), ("agent", 40, "Mag ik uw geboortedatum en uw postcode?"))
    assert row(detector, late, "identity_verification").status == "not_met"


def test_identity_does_not_apply_to_a_general_question(detector: Detector) -> None:
    assert row(detector, call(OPENING, QUESTION), "identity_verification").status == "not_applicable"


def test_jargon_counts_when_nobody_explains_it(detector: Detector) -> None:
    bare = call(OPENING, QUESTION, ("agent", 30, "U krijgt daarover een beschikking."))
    explained = call(OPENING, QUESTION, ("agent", 30, "U krijgt een beschikking, dat is een brief met ons besluit."))
    next_turn = call(OPENING, QUESTION, ("agent", 30, "U krijgt een beschikking."), ("citizen", 34, "Een wat?"),
                     ("agent", 36, "Een brief met ons besluit."))  # fmt: skip
    citizen_first = call(
        OPENING, ("citizen", 8, "Ik heb een beschikking gekregen."), ("agent", 30, "Die beschikking klopt.")
    )
    assert row(detector, bare, "unexplained_jargon").status == "not_met"
    for fine in (explained, next_turn, citizen_first):
        assert row(detector, fine, "unexplained_jargon").status == "met"


def test_a_solution_within_ten_seconds_cancels_blame(detector: Detector) -> None:
    bare = call(OPENING, QUESTION, ("agent", 30, "Daar ga ik niet over."))
    solved = call(OPENING, QUESTION, ("agent", 30, "Daar ga ik niet over, maar ik verbind u door met de afdeling."))
    late = call(OPENING, QUESTION, ("agent", 30, "Daar ga ik niet over."), ("agent", 60, "Ik verbind u door."))
    assert row(detector, bare, "blame_shifting").detected
    assert not row(detector, solved, "blame_shifting").detected
    assert row(detector, late, "blame_shifting").detected


def test_the_agents_measured_interruption_counts_the_citizens_does_not(detector: Detector) -> None:
    by_agent = call(OPENING, QUESTION, events=[Event("interruption", "agent", 9000, 10_000)])
    by_citizen = call(OPENING, QUESTION, events=[Event("interruption", "citizen", 9000, 10_000)])
    assert row(detector, by_agent, "interruption").status == "not_met"
    assert row(detector, by_agent, "interruption").source == "metric"
    assert row(detector, by_citizen, "interruption").status == "met"


def test_an_announced_silence_is_no_dead_air(detector: Detector) -> None:
    silence = [Event("dead_air", "", 24_000, 45_000)]
    bare = call(OPENING, QUESTION, ("agent", 20, "Ja, dat is goed."), ("agent", 45, "Ja."), events=silence)
    announced = call(
        OPENING, QUESTION, ("agent", 20, "Ik zoek het even op in het systeem."), ("agent", 45, "Ja."), events=silence
    )
    assert row(detector, bare, "dead_air").status == "not_met"
    assert row(detector, announced, "dead_air").status == "met"


def test_anything_else_does_not_apply_to_a_call_that_ends_in_a_transfer(detector: Detector) -> None:
    away = call(OPENING, QUESTION, ("agent", 40, "Ik verbind u door met de afdeling belastingen."), length_s=45)
    assert row(detector, away, "anything_else").status == "not_applicable"


# --- the phrases of the domain report -------------------------------------------------------------------------------


@pytest.mark.shared
def test_the_phrases_of_the_domain_report_are_told_apart(detector: Detector) -> None:
    source = SHARED / "domain" / "criteria.yaml"
    if not source.is_file():
        pytest.skip("needs ../shared/domain/criteria.yaml, which is not part of the project")
    yaml = pytest.importorskip("yaml")
    from tests.measure.criteria import wrap

    right: dict[str, list[bool]] = {"positives": [], "negatives": [], "wrong_speaker": []}
    for criterion in yaml.safe_load(source.read_text())["criteria"]:
        own: Role = (
            "citizen" if criterion["speaker"] in ("citizen", "both") or criterion["id"] == "interruption" else "agent"
        )
        for kind, results in right.items():
            role: Role = own if kind != "wrong_speaker" else "agent" if own == "citizen" else "citizen"
            for phrase in criterion[kind]:
                transcript = wrap(criterion, phrase, role, kind == "negatives")
                results.append(row(detector, transcript, criterion["id"]).detected == (kind == "positives"))
    for kind, results in right.items():
        assert sum(results) / len(results) >= 0.95, kind
