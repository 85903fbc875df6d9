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

MONDAY = "2026-10-05T09:42"
THURSDAY = "2026-11-12T13:30"
FRIDAY = "2026-11-13T16:30"
SATURDAY = "2026-11-14T11:00"

# said, start of the call (local), due (local; a day alone ends at 17:00), None = vague
DEADLINES = [
    # days by name
    ("uiterlijk woensdag zeven oktober voor twaalf uur 's middags", MONDAY, "2026-10-07T12:00"),
    ("vandaag nog", THURSDAY, "2026-11-12"),
    ("vandaag komt er een losse taxi, die staat om half tien voor de deur", "2026-08-31T08:50", "2026-08-31T09:30"),
    ("morgen", THURSDAY, "2026-11-13"),
    ("morgen voor twaalf uur", THURSDAY, "2026-11-13T12:00"),
    ("overmorgen", THURSDAY, "2026-11-14"),
    ("vandaag of morgen", THURSDAY, "2026-11-13"),
    ("morgen of overmorgen", THURSDAY, "2026-11-14"),
    ("donderdag voor twaalven", "2026-11-09T10:24", "2026-11-12T12:00"),
    ("uiterlijk donderdagmiddag vijf uur", "2026-11-03T09:41", "2026-11-05T17:00"),
    ("uiterlijk vrijdag de dertiende", "2026-11-09T10:24", "2026-11-13"),
    ("woensdag achttien november", THURSDAY, "2026-11-18"),
    ("aanstaande maandag", THURSDAY, "2026-11-16"),
    ("komende dinsdag", THURSDAY, "2026-11-17"),
    ("donderdag", THURSDAY, "2026-11-19"),  # said on a Thursday: today would be "vandaag"
    ("volgende week dinsdag", THURSDAY, "2026-11-17"),
    ("dinsdag volgende week", MONDAY, "2026-10-13"),
    ("vrijdag over een week", MONDAY, "2026-10-16"),
    ("voor vrijdag", MONDAY, "2026-10-08"),
    ("voor maandag", THURSDAY, "2026-11-13"),  # the working day before a Monday
    ("vrij dag", MONDAY, "2026-10-09"),
    ("maandagochtend", THURSDAY, "2026-11-16T12:00"),
    ("woensdag ochtend", MONDAY, "2026-10-07T12:00"),
    # times
    ("vanmiddag zelf, tussen drie en vier", "2026-11-10T08:50", "2026-11-10T16:00"),
    ("morgenochtend om kwart voor acht", "2026-11-10T08:50", "2026-11-11T07:45"),
    ("voor drie uur", THURSDAY, "2026-11-12T15:00"),
    ("om half vier", THURSDAY, "2026-11-12T15:30"),
    ("om tien voor half drie", MONDAY, "2026-10-05T14:20"),
    ("om kwart over tien", MONDAY, "2026-10-05T10:15"),
    ("om negen uur", THURSDAY, "2026-11-13T09:00"),  # past nine already
    ("vanavond voor negen uur", THURSDAY, "2026-11-12T21:00"),
    ("vanavond", THURSDAY, "2026-11-12T21:00"),
    ("vanochtend nog", MONDAY, "2026-10-05T12:00"),
    ("vanmiddag", THURSDAY, "2026-11-12"),
    ("morgen tussen negen en twaalf uur", THURSDAY, "2026-11-13T12:00"),
    ("maandag om tien uur", FRIDAY, "2026-11-16T10:00"),
    ("voor twaalven", MONDAY, "2026-10-05T12:00"),
    ("om vier uur 's middags", MONDAY, "2026-10-05T16:00"),
    ("donderdag voor de middag", MONDAY, "2026-10-08T12:00"),
    ("morgen rond het middaguur", THURSDAY, "2026-11-13T12:00"),
    ("morgen tussen de middag", THURSDAY, "2026-11-13T13:00"),
    ("vrijdag voor de lunch", MONDAY, "2026-10-09T12:00"),
    ("voor sluitingstijd", THURSDAY, "2026-11-12"),
    ("overmorgen rond de klok van tien", THURSDAY, "2026-11-14T10:00"),
    # lengths of time
    ("binnen een uur", THURSDAY, "2026-11-12T14:30"),
    ("binnen 24 uur", THURSDAY, "2026-11-13T13:30"),
    ("over anderhalf uur", THURSDAY, "2026-11-12T15:00"),
    ("binnen een half uur", THURSDAY, "2026-11-12T14:00"),
    ("binnen tien minuten", THURSDAY, "2026-11-12T13:40"),
    ("binnen een kwartier", THURSDAY, "2026-11-12T13:45"),
    ("binnen een week", "2026-10-29T14:05", "2026-11-05"),
    ("binnen twee weken", THURSDAY, "2026-11-26"),
    ("binnen twee tot drie weken", THURSDAY, "2026-12-03"),
    ("na hooguit zes weken", "2026-11-04T15:10", "2026-12-16"),
    ("dat duurt ongeveer twee weken", FRIDAY, "2026-11-27"),
    ("binnen drie dagen", THURSDAY, "2026-11-15"),
    ("binnen een maand", THURSDAY, "2026-12-12"),
    ("over een half jaar", THURSDAY, "2027-05-12"),
    ("maximaal acht weken", MONDAY, "2026-11-30"),
    # working days: weekends, holidays, year ends
    ("binnen vijf werkdagen", "2026-11-04T15:10", "2026-11-11"),
    ("binnen vijf werk dagen", "2026-11-04T15:10", "2026-11-11"),
    ("binnen 2 werkdagen", FRIDAY, "2026-11-17"),
    ("binnen een werkdag", SATURDAY, "2026-11-16"),
    ("de eerstvolgende werkdag", FRIDAY, "2026-11-16"),
    ("binnen twee werkdagen", "2026-12-24T10:00", "2026-12-29"),  # Christmas is a Friday, Boxing Day a Saturday
    ("binnen drie werkdagen", "2026-12-30T10:00", "2027-01-05"),  # New Year's Day is a Friday
    ("binnen tien werkdagen", "2026-12-21T10:00", "2027-01-06"),
    ("binnen twee werkdagen", "2026-04-02T10:00", "2026-04-08"),  # Good Friday and Easter Monday
    ("binnen een werkdag", "2026-04-24T10:00", "2026-04-28"),  # King's Day on Monday 27 April
    ("binnen eenentwintig werkdagen", MONDAY, "2026-11-03"),
    ("binnen een en twintig werkdagen", MONDAY, "2026-11-03"),
    # ends of periods
    ("voor het weekend", "2026-11-04T15:10", "2026-11-06"),
    ("na het weekend", THURSDAY, "2026-11-16"),
    ("eind van de week", THURSDAY, "2026-11-13"),
    ("voor het eind van de dag", THURSDAY, "2026-11-12"),
    ("aan het eind van de ochtend", MONDAY, "2026-10-05T12:00"),
    ("in de loop van de middag", THURSDAY, "2026-11-12"),
    ("in de loop van volgende week", THURSDAY, "2026-11-20"),
    ("begin volgende week", THURSDAY, "2026-11-17"),
    ("volgende week", THURSDAY, "2026-11-20"),
    ("deze week nog", MONDAY, "2026-10-09"),
    ("eind volgende week", MONDAY, "2026-10-16"),
    ("eind van de maand", THURSDAY, "2026-11-30"),
    ("volgende maand", THURSDAY, "2026-12-31"),
    ("half december", THURSDAY, "2026-12-15"),
    ("eind februari", THURSDAY, "2027-02-28"),
    ("voor de kerst", THURSDAY, "2026-12-24"),
    ("eind van het jaar", THURSDAY, "2026-12-31"),
    # dates
    ("uiterlijk de vijftiende", THURSDAY, "2026-11-15"),
    ("uiterlijk de vijfde", THURSDAY, "2026-12-05"),
    ("voor 1 december", THURSDAY, "2026-11-30"),
    ("op drie januari", THURSDAY, "2027-01-03"),
    ("zestien december", "2026-11-04T15:10", "2026-12-16"),
    ("uiterlijk eenendertig december", THURSDAY, "2026-12-31"),
    # "een uur" that is no one o'clock
    ("rond een uur of drie", MONDAY, "2026-10-05T15:00"),
    ("morgen tegen een uur of vier", MONDAY, "2026-10-06T16:00"),
    ("vrijdag om een uur", MONDAY, "2026-10-09T13:00"),
    ("vrijdag om een afspraak te maken", MONDAY, "2026-10-09"),
    ("morgen, voor twee personen", MONDAY, "2026-10-06"),
    # as a recogniser hears them
    ("zeven october", MONDAY, "2026-10-07"),
    ("van dag nog", MONDAY, "2026-10-05"),
    ("roensdag", MONDAY, "2026-10-07"),
    ("winsdag", MONDAY, "2026-10-06"),
    ("woon dag om drie vuur", MONDAY, "2026-10-07T15:00"),
    ("winnen vijf werkdagen", "2026-11-04T15:10", "2026-11-11"),
    # across a change of the clock
    ("binnen 24 uur", "2026-10-24T12:00", "2026-10-25T11:00"),  # winter time begins: the wall clock shows an hour less
    ("morgen om tien uur", "2026-10-24T12:00", "2026-10-25T10:00"),
    ("binnen een week", "2027-03-25T09:00", "2027-04-01"),
    # vague
    ("zo snel mogelijk", THURSDAY, None),
    ("zo gauw als het hem uitkomt", THURSDAY, None),
    ("zo meteen", THURSDAY, None),
    ("binnenkort", THURSDAY, None),
    ("op korte termijn", THURSDAY, None),
    ("een dezer dagen", THURSDAY, None),
    ("binnen een paar dagen", THURSDAY, None),
]  # fmt: skip


@pytest.mark.parametrize(("said", "start", "due"), DEADLINES)
def test_deadlines_are_resolved_from_the_start_of_the_call(said: str, start: str, due: str | None) -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    found = parse_deadline(f"wij regelen dat {said} voor u", datetime.fromisoformat(start).replace(tzinfo=zone),
                           zone="Europe/Amsterdam")  # fmt: skip
    assert found is not None
    expected = (
        None if due is None else datetime.fromisoformat(due if "T" in due else f"{due}T17:00").replace(tzinfo=zone)
    )
    assert found[0] == expected


@pytest.mark.parametrize(
    "text",
    [
        "ik heb u twee weken geleden gebeld",
        "u woont op nummer drie",
        "dat kost vijftig euro",
        "een vraag over uw aanvraag",
        "om u verder te helpen",
        "ik bel u om een afspraak te maken",
        "een brief voor een nieuwe pas",
        "het gaat over de weken daarvoor",
        "goede morgen met de gemeente",
        "",
    ],
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
    [
        ("Ik bel u morgen terug.", "callback", "ik"),
        ("De behandelaar belt u daar nog over.", "callback", "de behandelaar"),
        ("Ik stuur u het formulier toe.", "letter_or_email", "ik"),
        ("Er gaat een brief naar u toe.", "letter_or_email", None),
        ("Dan komt er een monteur bij u langs.", "visit", None),
        ("Ik maak er een spoedmelding van.", "action", "ik"),
        ("De lamp is vrijdag gemaakt.", "action", None),
        ("Ik laat de opzichter contact met u opnemen.", "callback", "de opzichter"),
        ("U hoort vanmiddag van mij, aan de telefoon dus.", "callback", None),
        ("De brief valt binnen tien werkdagen bij u in de bus.", "letter_or_email", None),
        ("Ik leg het bij de afdeling neer.", "action", "ik"),
    ],
)
def test_a_promise_has_a_type_and_a_doer(config: Config, text: str, kind: str, by: str | None) -> None:
    (promise,) = promises(config, ("agent", text))
    assert promise.type == kind
    if by is not None:
        assert (promise.by or "").lower() == by


@pytest.mark.parametrize(
    "text",
    [
        "Wilt u teruggebeld worden?",
        "U kunt ons altijd terugbellen.",
        "Zal ik u morgen terugbellen?",
        "Wij bellen daar niet over terug.",
        "Ik heb u gisteren een brief gestuurd.",
        "U kunt een mail sturen naar de gemeente.",
        "Ik kan u niets beloven.",
        "Ik ga even bij de vergunningverlener langs, blijft u aan de lijn.",
        "Dat doe ik nu meteen voor u.",
        "Dan ga ik even bij mijn collega van het loket zorg na of hij meteen tijd heeft.",
    ],
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
