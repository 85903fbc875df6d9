"""The figures of the report: what they leave out, what moves, what became of promises, which fragments are chosen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callanalytics.config import Config
from callanalytics.records import CallResult, CriterionRow, PromiseRow
from callanalytics.report import page as pages
from callanalytics.report.items import find_breaks
from callanalytics.report.moments import Moment, around, choose_moments
from callanalytics.report.statistics import (
    Rate,
)
from callanalytics.report.write import write_report
from tests.support.centre import publish
from tests.support.fakes import call_row
from tests.support.report_centre import PERIOD, figures_of, make_calls
from tests.support.report_numbers import ask_plainly


def test_fragments_are_five_good_and_bad_and_never_sensitive_or_contested(
    centre: tuple[Path, Path], settings: Config
) -> None:
    figures = figures_of(centre[0], settings)
    sql, _ = ask_plainly(centre[0], settings, PERIOD)
    found = sql.execute("SELECT call_id FROM calls WHERE topic_sensitive UNION FROM contested").fetchall()
    barred = {row[0] for row in found}
    assert len(figures.moments) == 5
    assert {moment.is_good for moment in figures.moments} == {True, False}
    assert len({moment.call_id for moment in figures.moments}) == 5
    assert not {moment.call_id for moment in figures.moments} & barred
    # Enough calls were reviewed: nothing that only the machine says.
    assert all(moment.is_reviewed for moment in figures.moments)


def test_movers_are_clear_changes_first_with_what_makes_them(centre: tuple[Path, Path], settings: Config) -> None:
    movers = figures_of(centre[0], settings).movers
    assert len(movers) == 3
    clear = [mover.line.is_clear for mover in movers]
    assert clear == sorted(clear, reverse=True)
    (opening,) = [mover for mover in movers if mover.line.item == "opening"]
    # As the calls were made: the offer of help slips at belastingen.
    assert [(c.kind, c.name) for c in opening.causes][:2] == [("part", "greeting_offer_help"), ("queue", "belastingen")]


def test_rules_that_changed_leave_no_comparison(settings: Config, tmp_path: Path) -> None:
    calls = make_calls(settings, n=400)
    new = [c for c in calls if (c.local_date or "") >= PERIOD.first.isoformat()]
    changed = [replace(c, call=replace(c.call, scoring_fingerprint="card=2")) for c in new]
    publish(tmp_path / "out", [*calls[: -len(new)], *changed], config=settings)
    figures = figures_of(tmp_path / "out", settings)
    assert figures.is_broken
    assert figures.movers == ()
    assert figures.breaks == {1}
    # What came before under other rules draws no limits.
    assert all(line.limits is None for line in figures.items)
    write_report(settings, tmp_path / "out", PERIOD, tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text()
    assert "zijn gewijzigd" in page
    assert "|change" not in page


def test_items_that_nobody_gauged_say_so(settings: Config, tmp_path: Path) -> None:
    from callanalytics.store.reviews.people import add_user
    from callanalytics.store.reviews.reviews import open_reviews

    publish(tmp_path, make_calls(settings, n=60), config=settings)
    reviews = open_reviews(settings, tmp_path)
    add_user(reviews, "k", None, "lead")
    for criterion, is_live in (("summary_check", True), ("anything_else", True), ("closing_farewell", True),
                               ("closing_farewell", False), ("greeting_agent_name", True)):  # fmt: skip
        reviews.open_gate(1, criterion, is_live, {})
    reviews.close()
    figures = figures_of(tmp_path, settings)
    assert {line.item for line in figures.items if line.is_gauged} == {"summary"}
    page = pages.render("report.html", pages.Writer(figures, settings, {}, {}), figures, settings)
    assert "Samenvatten of controleren</span></th>" in page
    assert "Verder nog iets, en afscheid</span>°</th>" in page
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)


def promised(call_id: str, caller: str, kind: str = "callback", due_days: int | None = 1) -> CallResult:
    """A call of 10 November with one promise."""
    due_at = None if due_days is None else NOON + timedelta(days=due_days)
    row = call_row(call_id, started_at=NOON, caller_ref=caller, topic="afval", topics=(), queue="a",
                   direction="inbound", topic_sensitive=False, scorable=True, scoring_fingerprint="card=1")  # fmt: skip
    promise = PromiseRow(call_id, 0, kind, None, "morgen", due_at, True, "Ik bel u.", 0, 900)
    return CallResult(row, promises=(promise,), local_date="2026-11-10")


def later(call_id: str, caller: str, days: int, direction: str, complains: bool = False) -> CallResult:
    """A call of the same caller about the same, some days later."""
    call = promised(call_id, caller)
    at = NOON + timedelta(days=days)
    row = replace(call.call, started_at=at, direction=direction)
    status = "met" if complains else "not_met"
    told = CriterionRow(call_id, "promise_broken_reported", True, complains, status, 0.9, "rule", (), "2")
    return CallResult(row, criteria=(told,), local_date=at.date().isoformat())


@pytest.mark.parametrize(
    ("fate", "kind", "due_days", "after"),
    [
        ("today", "callback", 13, []),
        ("overdue", "action", 1, []),
        ("open", "visit", 20, []),
        ("vague", "callback", None, []),
        ("kept", "callback", 2, [(1, "outbound", False)]),
        ("kept", "callback", None, [(1, "outbound", False)]),
        ("late", "callback", 2, [(5, "outbound", False)]),
        ("broken", "callback", 2, [(5, "inbound", True)]),
        ("broken", "callback", 2, [(5, "inbound", True), (6, "outbound", False)]),
        ("overdue", "callback", 2, [(5, "inbound", False)]),  # calls again, but says nothing of it
        ("open", "callback", 20, [(5, "inbound", True)]),  # complains of something that is not due yet
        ("overdue", "action", 2, [(1, "outbound", False)]),  # a call does not show that an action was done
    ],
)
def test_what_became_of_a_promise(
    fate: str, kind: str, due_days: int | None, after: list[tuple[int, str, bool]], config: Config, tmp_path: Path
) -> None:
    calls = [promised("p", "x", kind, due_days), *(later(f"l{i}", "x", *one) for i, one in enumerate(after))]
    publish(tmp_path, [*calls, later("other", "y", 1, "outbound")], config=config)
    (line,) = figures_of(tmp_path, config).register.lines
    assert line.fate == fate
    # 11 to 23 November: the 11th was a Wednesday.
    assert line.overdue_by == {1: 8, 2: 7}.get(due_days or 0) if fate == "overdue" else line.overdue_by is None


def test_a_person_knows_better_than_a_later_call(config: Config, tmp_path: Path) -> None:
    from callanalytics.store.reviews.people import add_user
    from callanalytics.store.reviews.reviews import SaidOfPromise, open_reviews

    publish(tmp_path, [promised("p", "x"), later("l", "x", 5, "inbound", True), promised("q", "z")], config=config)
    reviews = open_reviews(config, tmp_path)
    add_user(reviews, "k", None, "lead")
    reviews.judge_promise(1, "p", SaidOfPromise(0, 0, "confirmed", "callback", registered=False, kept=True), "t1")
    reviews.judge_promise(1, "q", SaidOfPromise(0, 0, "rejected", "callback"), "t2")
    reviews.close()
    register = figures_of(tmp_path, config).register
    assert [(line.call_id, line.fate, line.registered) for line in register.lines] == [("p", "kept", False)]
    assert register.absent == Rate(1, 1)


def test_a_break_is_the_week_with_other_rules() -> None:
    assert find_breaks({3: {"a"}, 2: {"a"}, 1: {"a", "b"}, 0: {"b"}}) == {1, 0}
    assert find_breaks({5: {"a"}, 2: {"a"}}) == set()
    assert find_breaks({}) == set()


def test_a_quote_comes_with_its_sentence() -> None:
    text = "Dat klopt. Ik zoek het voor u uit, hoor. Nog iets?"
    assert around(text, "zoek het voor u uit") == ("Ik", "zoek het voor u uit", ", hoor.")
    assert around(text, "uit, hoor. Nog") == ("Ik zoek het voor u", "uit, hoor. Nog", "iets?")
    assert around("", "weg") == ("", "weg", "")


def moment(item: str, call_id: str, is_good: bool, is_reviewed: bool = False) -> Moment:
    return Moment(item, item, call_id, "afval", 0, "", "een twee drie vier", "", is_good, is_reviewed, 0.9)


def test_fragments_are_reviewed_first_and_of_different_items() -> None:
    found = [moment(item, f"{item}{i}", good) for item in "abc" for i in range(3) for good in (True, False)]
    found = [replace(m, call_id=f"{m.call_id}{m.is_good}") for m in found] + [moment("d", "r", True, True)]
    chosen = choose_moments(found, ())
    assert [m.is_good for m in chosen] == [True, True, True, False, False]
    assert any(m.call_id == "r" for m in chosen)
    assert len({(m.item, m.is_good) for m in chosen}) == 5
    assert choose_moments([moment("a", "1", True), moment("a", "1", False)], ())[1:] == ()
