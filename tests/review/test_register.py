"""The promise register: what stands where, and what people say became of a promise."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, true

from callanalytics.config import Config
from callanalytics.review.desk import Desk
from callanalytics.review.register import VIEWS, list_promises, today_of
from callanalytics.store.catalog import open_catalog
from callanalytics.store.reviews.reviews import SaidOfPromise, confirmed
from callanalytics.store.reviews.tables import PromiseJudgement
from tests.support.browser import log_in
from tests.support.centre import let_in, promising, publish
from tests.support.report_centre import figures_of
from tests.support.visitor import PEOPLE, Visitor

NOW = datetime.now(UTC)


def test_a_promise_stands_where_its_date_says(visitor: Visitor) -> None:
    visitor.log_in("bram")
    shown = {
        view: visitor.text(f"/register?view={view}")
        for view in ("overdue", "today", "soon", "later", "undated", "done")
    }
    assert "belofte 0 van late" in shown["overdue"]
    assert "belofte 1 van late" in shown["undated"]
    assert "belofte 0 van soon" in shown["soon"]
    assert not any("van care" in text for text in shown.values())
    assert "van care" in visitor.log_in("eva").text("/register?view=overdue")


def test_what_became_of_a_promise_is_kept_and_what_was_known_stays(visitor: Visitor) -> None:
    desk = visitor.desk
    moved = NOW - timedelta(days=1)
    said = SaidOfPromise(0, 0, "corrected", "visit", moved, note="een bezoek")
    desk.reviews.judge_promise(2, "late", said, "token-1")
    assert "Bezoek" in visitor.log_in("bram").text("/register?view=overdue")
    text = visitor.send("/register", call_id="late", start_ms="0", registered="no", kept="yes", token="t-12345678")
    assert "belofte 0 van late" not in text
    assert "belofte 0 van late" in visitor.text("/register?view=done")
    with desk.reviews.reading() as orm:
        last = orm.scalars(select(PromiseJudgement).order_by(PromiseJudgement.id.desc())).first()
    assert last
    assert (last.answer, last.type, last.due_at, last.note) == ("corrected", "visit", moved, "een bezoek")
    assert (last.registered, last.kept, last.promise_index) == (False, True, 0)


def test_a_rejected_promise_is_gone_and_one_that_was_missed_is_there(visitor: Visitor) -> None:
    reviews = visitor.desk.reviews
    reviews.judge_promise(2, "late", SaidOfPromise(0, 0, "rejected", "callback"), "token-1")
    reviews.judge_promise(2, "soon", SaidOfPromise(None, 9000, "missed", "visit", NOW - timedelta(days=2)), "token-2")
    text = visitor.log_in("bram").text("/register?view=overdue")
    assert "belofte 0 van late" not in text
    assert "toegevoegd door een reviewer" in text


def test_sql_page_report_and_score_agree_on_what_counts(config: Config, tmp_path: Path) -> None:
    heard, said = datetime(2026, 11, 12, 12, tzinfo=UTC), datetime(2026, 11, 17, 9, 30, tzinfo=UTC)
    made = datetime(2026, 11, 10, 12, tzinfo=UTC)
    answers = {
        "silent": None,
        "kept": SaidOfPromise(0, 0, "confirmed", "callback"),
        "corrected": SaidOfPromise(0, 0, "corrected", "visit", said),
        "removed": SaidOfPromise(0, 0, "corrected", "callback", None),
        "rejected": SaidOfPromise(0, 0, "rejected", "callback", said),
        "added": SaidOfPromise(None, 9000, "missed", "visit", said),
        "outlived": SaidOfPromise(3, 7000, "confirmed", "callback", said),
        "heard-too": SaidOfPromise(None, 0, "missed", "visit", None),
    }
    calls = [promising(name, heard, started_at=made, processed_at=made) for name in answers]
    calls = [replace(call, local_date="2026-11-10") for call in calls]
    out = let_in(config, publish(tmp_path / "out", calls, config=config), **PEOPLE)
    desk = Desk(config, out)
    desk.refresh()
    for name, answer in answers.items():
        if answer:
            desk.reviews.judge_promise(1, name, answer, f"token-{name}")
            # What is answered later on whether it was kept leaves the rest as it was.
            desk.reviews.judge_promise(1, name, replace(answer, registered=True), f"again-{name}")
    expected = {
        ("silent", 0, "callback", heard), ("kept", 0, "callback", heard), ("corrected", 0, "visit", said),
        ("removed", 0, "callback", None), ("added", 0, "callback", heard), ("added", 9000, "visit", said),
        ("outlived", 0, "callback", heard), ("outlived", 7000, "callback", said), ("heard-too", 0, "visit", None),
    }  # fmt: skip
    with open_catalog(config, out, desk.reviews.as_arrow()) as sql:
        query = "SELECT call_id, start_ms, final_type, final_due_at FROM register WHERE NOT is_rejected"
        in_sql = sql.execute(query).fetchall()
    with desk.reviews.reading() as orm:
        days = today_of(ZoneInfo("Europe/Amsterdam"), NOW)
        pages = [one for view in VIEWS for one in list_promises(orm, true(), view, days)[0]]
        judged = list(orm.scalars(select(PromiseJudgement).order_by(PromiseJudgement.id)))
    on_page = [(one.call.call_id, one.start_ms, one.type, one.due_at) for one in pages]
    in_report = [
        (line.call_id, line.start_ms, line.type, line.due_at) for line in figures_of(out, config).register.lines
    ]
    for found in (in_sql, on_page, in_report):
        assert len(found) == len(expected)
        assert set(found) == expected
    for call in calls:  # a call is scored with the promises that the machine heard
        own = [one for one in judged if one.call_id == call.call.call_id]
        counted = {(one.call_id, one.start_ms, one.type, one.due_at) for one in confirmed(call.promises, own)}
        assert counted == {one for one in expected if one[:2] == (call.call.call_id, 0)}
    desk.close()


def test_a_date_that_a_person_took_away_stays_away_on_the_page_of_the_call(visitor: Visitor) -> None:
    visitor.log_in("bram")
    assert 'name="due" value="20' in visitor.text("/call", id="soon")
    visitor.desk.reviews.judge_promise(2, "soon", SaidOfPromise(0, 0, "corrected", "callback"), "token-1")
    assert 'name="due" value="20' not in visitor.text("/call", id="soon")


@pytest.mark.parametrize(
    ("values", "status"),
    [({"call_id": "nergens"}, 404), ({"call_id": "care"}, 404), ({"start_ms": "77"}, 404), ({"start_ms": "-1"}, 422),
     ({"kept": "maybe"}, 422), ({"token": "x"}, 422), ({"call_id": "a\x00"}, 422), ({"view": "all"}, 422)],
)  # fmt: skip
def test_an_answer_on_a_promise_that_is_not_theirs_is_refused(
    visitor: Visitor, values: dict[str, str], status: int
) -> None:
    whole = {"call_id": "late", "start_ms": "0", "kept": "yes", "token": "t-12345678"} | values
    visitor.log_in("bram").send("/register", status, **whole)


def test_the_ledger_is_told_once_a_day_whose_words_were_shown(visitor: Visitor) -> None:
    desk = visitor.desk
    visitor.log_in("bram")
    for view in ("overdue", "undated", "overdue"):
        visitor.text(f"/register?view={view}")
    told = [(entry.who, entry.action, entry.call) for entry in desk.ledger.entries()]
    assert told == [("bram", "view", desk.pseudonyms("call", "late"))]


def test_the_share_that_was_kept_has_its_interval_and_needs_enough_calls(visitor: Visitor) -> None:
    reviews = visitor.desk.reviews
    least = visitor.desk.config.privacy.smallest_group
    for i in range(least - 1):
        said = SaidOfPromise(None, 10_000 + i, "missed", "visit", kept=i % 2 == 0)
        reviews.judge_promise(2, "late", said, f"token-{i}")
    assert "interval" not in visitor.log_in("bram").text("/register")
    reviews.judge_promise(2, "late", SaidOfPromise(None, 99_000, "missed", "visit", kept=True), "token-x")
    assert "6 van de 10" in visitor.text("/register")
    assert "95%-interval" in visitor.text("/register")


def test_a_day_is_that_of_the_municipality() -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    first, second = today_of(zone, datetime(2026, 10, 24, 23, 30, tzinfo=UTC))  # half past one, on the day of 25 hours
    assert first == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert second - first == timedelta(hours=25)


@pytest.fixture(scope="module")
def review_out(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `filled` for the browser to change."""
    return shutil.copytree(filled, tmp_path_factory.mktemp("seen") / "out")


def test_a_reviewer_says_in_a_browser_what_became_of_a_promise(chromium: Any) -> None:
    log_in(chromium, "bram")
    chromium.goto("/register?view=soon")
    chromium.get_by_label("Nagekomen").select_option("yes")
    chromium.get_by_role("button", name=re.compile("^Bewaren")).click()
    chromium.get_by_text("Er zijn hier geen toezeggingen.").wait_for()
    chromium.get_by_role("link", name=re.compile("^Nagegaan")).click()
    assert chromium.get_by_label("Nagekomen").input_value() == "yes"
