"""What was promised, by whom and by when."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from callanalytics.config import Config, load_config
from callanalytics.dutch.dates import add_working_days, is_working_day, parse_deadline
from callanalytics.records import PromiseRow, Role, Transcript, Turn
from callanalytics.scoring import Detector, load_detector
from callanalytics.scoring.promises import promises_in
from tests.support.cases import sentences

MONDAY = "2026-10-05T09:42"
THURSDAY = "2026-11-12T13:30"
FRIDAY = "2026-11-13T16:30"
SATURDAY = "2026-11-14T11:00"

# said, start of the call (local), due (local; a day alone ends at 17:00), empty for a vague one
DEADLINES = sentences("deadlines")


@pytest.mark.parametrize(("said", "start", "due"), DEADLINES)
def test_deadlines_are_resolved_from_the_start_of_the_call(said: str, start: str, due: str) -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    found = parse_deadline(f"wij regelen dat {said} voor u", datetime.fromisoformat(start).replace(tzinfo=zone),
                           zone="Europe/Amsterdam")  # fmt: skip
    assert found is not None
    expected = (
        None if not due else datetime.fromisoformat(due if "T" in due else f"{due}T17:00").replace(tzinfo=zone)
    )
    assert found[0] == expected


@pytest.mark.parametrize(
    "text",
    sentences("no_deadlines"),
)
def test_what_is_no_deadline_gives_none(text: str) -> None:
    assert parse_deadline(text, datetime.fromisoformat("2026-11-12T13:30:00+01:00")) is None


def test_the_words_of_the_deadline_are_given_as_said() -> None:
    start = datetime.fromisoformat("2026-11-10T08:50:00+01:00")
    found = parse_deadline("Ik bel u vanmiddag zelf, tussen drie en vier, dan weet ik het.", start)
    assert found is not None
    assert found[1] == "vanmiddag zelf, tussen drie en vier"


def test_a_working_day_ends_when_the_municipality_closes() -> None:
    start = datetime.fromisoformat("2026-11-12T13:30:00+01:00")
    found = parse_deadline("morgen", start, opening_hours=(480, 960))
    assert found is not None
    assert found[0] == datetime.fromisoformat("2026-11-13T16:00:00+01:00")


def test_weekends_and_public_holidays_are_no_working_days() -> None:
    day = datetime.fromisoformat
    assert not is_working_day(day("2026-12-25").date())
    assert not is_working_day(day("2026-11-14").date())
    assert is_working_day(day("2026-11-13").date())
    assert add_working_days(day("2026-12-31").date(), 1) == day("2027-01-04").date()


# --- promises -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config()


@cache
def detector() -> Detector:
    return load_detector(load_config())


def promises(config: Config, *said: tuple[Role, str], started: bool = True) -> tuple[PromiseRow, ...]:
    start = datetime.fromisoformat("2026-11-09T10:24:00+01:00") if started else None
    turns = [Turn(0, "agent", 0, 4000, "Goedemorgen, gemeente [NAME], met [NAME]."),
             Turn(1, "citizen", 5000, 9000, "Ja hallo, het gaat over mijn melding van vorige week.")]  # fmt: skip
    turns += [Turn(i, r, 5000 * i, 5000 * i + 4500, t) for i, (r, t) in enumerate(said, start=2)]
    return promises_in(detector().read(Transcript("c1", start, tuple(turns))), detector(), config)


@pytest.mark.parametrize(
    ("text", "kind", "by"),
    sentences("promises"),
)
def test_a_promise_has_a_type_and_a_doer(config: Config, text: str, kind: str, by: str) -> None:
    (promise,) = promises(config, ("agent", text))
    assert promise.type == kind
    if by:
        assert (promise.by or "").lower() == by


@pytest.mark.parametrize(
    "text",
    sentences("no_promises"),
)
def test_offers_questions_denials_and_the_past_are_no_promise(config: Config, text: str) -> None:
    assert promises(config, ("agent", text)) == ()


def test_a_question_about_calling_back_is_no_promise(config: Config) -> None:
    assert promises(config, ("agent", "Moet mijn collega u daarover terugbellen?")) == ()


def test_what_the_citizen_will_do_is_no_promise(config: Config) -> None:
    assert promises(config, ("citizen", "Ik bel u morgen wel even terug.")) == ()


def test_two_promises_in_one_sentence_are_two(config: Config) -> None:
    rows = promises(
        config, ("agent", "Ik maak een melding voor u aan, en mijn collega belt u uiterlijk donderdag terug.")
    )
    assert [r.type for r in rows] == ["action", "callback"]
    assert rows[0].due_at is None
    assert rows[1].deadline_text == "uiterlijk donderdag"
    assert rows[1].due_at == datetime.fromisoformat("2026-11-12T17:00:00+01:00")


def test_a_summary_repeats_no_promise(config: Config) -> None:
    rows = promises(
        config,
        ("agent", "Mijn collega belt u uiterlijk donderdag terug."),
        ("citizen", "Dat is goed."),
        ("agent", "Even samengevat: mijn collega belt u donderdag terug. Klopt dat?"),
    )
    assert len(rows) == 1


def test_word_to_come_by_the_hour_of_a_callback_repeats_it(config: Config) -> None:
    rows = promises(
        config,
        ("agent", "De consulent belt u voor drie uur."),
        ("citizen", "Dat is goed."),
        ("agent", "Voor drie uur hoort u van ons."),
    )
    assert [r.type for r in rows] == ["callback"]


def test_the_deadline_may_come_in_the_answer_to_when(config: Config) -> None:
    (promise,) = promises(
        config,
        ("agent", "De behandelaar belt u daar nog over."),
        ("citizen", "En wanneer dan?"),
        ("agent", "Uiterlijk vrijdag."),
    )
    assert promise.deadline_text == "Uiterlijk vrijdag"
    assert promise.due_at == datetime.fromisoformat("2026-11-13T17:00:00+01:00")


def test_a_vague_deadline_keeps_its_words_and_has_no_date(config: Config) -> None:
    (promise,) = promises(config, ("agent", "Mijn collega belt u zo snel mogelijk terug."))
    assert promise.deadline_text == "zo snel mogelijk"
    assert promise.due_at is None


def test_without_a_start_a_promise_keeps_its_words_and_has_no_date(config: Config) -> None:
    (promise,) = promises(config, ("agent", "Mijn collega belt u morgen terug."), started=False)
    assert promise.deadline_text == "morgen"
    assert promise.due_at is None


def test_a_callback_says_whether_the_number_was_checked(config: Config) -> None:
    promised: tuple[Role, str] = ("agent", "Mijn collega belt u morgen terug.")
    (bare,) = promises(config, promised)
    (asked,) = promises(config, promised, ("agent", "Op welk nummer bent u bereikbaar?"))
    (read_back,) = promises(config, promised, ("agent", "Ik heb hier [PHONE] staan, is dat nog goed?"))
    (own,) = promises(config, promised, ("agent", "U bereikt ons op nummer [PHONE]."))
    assert asked.number_confirmed is True
    assert read_back.number_confirmed is True
    assert bare.number_confirmed is False
    assert own.number_confirmed is False


def test_rows_are_numbered_and_timed_in_order(config: Config) -> None:
    rows = promises(
        config, ("agent", "Ik stuur u een brief."), ("citizen", "Fijn."), ("agent", "En ik bel u vrijdag terug.")
    )
    assert [r.promise_index for r in rows] == [0, 1]
    assert rows[0].end_ms <= rows[1].start_ms
    assert all(r.start_ms < r.end_ms for r in rows)
