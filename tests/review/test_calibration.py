"""Blind rounds: what counts, what is hidden, figures and their warnings, the gate, differences, drift, the pages."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.config import Config, load_config
from callanalytics.evaluation.agreement import Agreement
from callanalytics.records import CallResult, CriterionRow
from callanalytics.review.app import create_app
from callanalytics.review.calibration import (
    FEWEST_CALLS,
    Figures,
    blind_answers,
    compare,
    find_differences,
    follow_weeks,
    live_criteria,
    open_to,
)
from callanalytics.review.desk import Desk
from callanalytics.review.pages.calibration import _chart
from callanalytics.scoring import load_files
from callanalytics.store.reviews.people import add_user, change_user, users
from callanalytics.store.reviews.reviews import Said
from callanalytics.store.reviews.tables import Finished, Gate, Judgement, Sample
from callanalytics.texts import texts_of
from tests.support.browser import PASSWORD, assert_accessible, log_in
from tests.support.centre import judgement, publish
from tests.support.fakes import call_result
from tests.support.paths import PACKAGE
from tests.support.visitor import Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Page

START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)  # a Monday
ids = itertools.count(1)


def said(call_id: str, user_id: int, answer: str, machine: str = "met", **values: Any) -> Judgement:
    """An answer in a blind round, as the store would give it."""
    at = values.pop("at", START)
    return judgement(call_id, answer, user_id, machine, made_at=at, **({"how": "blind", "sample_id": 1} | values))


def done(call_id: str, user_id: int, sample_id: int | None = 1, at: datetime = START) -> Finished:
    """A person finished a call."""
    return Finished(
        id=next(ids), call_id=call_id, user_id=user_id, sample_id=sample_id, items={}, made_at=at, token=str(next(ids))
    )


def a_round(closed_at: datetime | None = None, number: int = 1) -> Sample:
    """A blind round."""
    return Sample(id=number, name="ronde", kind="chosen", blind=True, filters={}, seed=1, user_id=1, made_at=START,
                  closed_at=closed_at)  # fmt: skip


def scored(answers: Sequence[tuple[str, str, str]], criterion: str = "empathy") -> list[Judgement]:
    """Calls scored by two people, with what the machine said."""
    return [
        said(f"c{i}", user, answer, machine, criterion=criterion)
        for i, (one, two, machine) in enumerate(answers)
        for user, answer in ((1, one), (2, two))
    ]


def figures_of(answers: Sequence[tuple[str, str, str]]) -> Figures:
    return compare(scored(answers), ["empathy"])["empathy"]


BALANCED = [("met", "met", "met")] * 30 + [("not_met", "not_met", "not_met")] * 30


# --- what counts ----------------------------------------------------------------------------------------------------


def test_the_newest_answer_until_the_call_was_finished_counts() -> None:
    hour = timedelta(hours=1)
    rows = [
        said("c1", 1, "not_met", at=START),
        said("c1", 1, "met", at=START + hour),
        said("c1", 1, "not_met", at=START + 3 * hour),  # after seeing what the other said
        said("c1", 2, "met", at=START),  # never finished
    ]
    finished = [done("c1", 1, at=START + 2 * hour), done("c1", 1, at=START + 4 * hour)]
    assert [(r.user_id, r.answer) for r in blind_answers(rows, finished, [a_round()])] == [(1, "met")]
    closed = blind_answers(rows, finished, [a_round(closed_at=START + 5 * hour)])
    assert sorted((r.user_id, r.answer) for r in closed) == [(1, "met"), (2, "met")]


def test_only_blind_answers_of_known_rounds_count() -> None:
    rows = [said("c1", 1, "met", how="single", sample_id=None), said("c1", 1, "met", sample_id=7)]
    assert blind_answers(rows, [done("c1", 1)], [a_round()]) == []


def test_a_call_is_open_to_who_finished_it_and_to_all_once_the_round_is_closed() -> None:
    finished = [done("c1", 1), done("c2", 1, sample_id=None), done("c1", 2, sample_id=2)]
    calls = [(1, "c1"), (1, "c2"), (2, "c1")]
    assert open_to(1, finished, [a_round(), a_round(number=2)], calls) == {(1, "c1")}
    assert open_to(3, finished, [a_round(), a_round(START, 2)], calls) == {(2, "c1")}


# --- figures, warnings, advice --------------------------------------------------------------------------------------


def test_people_and_machine_who_agree_are_ready() -> None:
    found = figures_of(BALANCED)
    assert (found.calls, found.people.n, found.machine.n) == (60, 60, 60)
    assert found.people.kappa == found.machine.ac1 == pytest.approx(1)
    assert (found.warnings, found.advice) == ((), "ready")


def test_a_machine_that_is_clearly_worse_is_not() -> None:
    found = figures_of([(a, b, machine) for (a, b, _), machine in zip(BALANCED, ["met", "not_met"] * 30, strict=True)])
    assert found.machine.ac1 == pytest.approx(0, abs=0.01)
    assert found.difference_interval is not None
    assert found.difference_interval[1] < 0
    assert found.advice == "worse"


def test_a_machine_a_little_worse_is_not_called_either() -> None:
    answers = BALANCED[:27] + [("met", "met", "not_met")] * 3 + BALANCED[30:57] + [("not_met", "not_met", "met")] * 3
    found = figures_of(answers)
    assert found.advice in ("unknown", "worse")
    assert not found.warnings


def test_people_who_do_not_agree_need_a_definition_first() -> None:
    found = figures_of([("met", "not_met", "met"), ("not_met", "met", "met")] * 20 + BALANCED[:6] + BALANCED[-6:])
    assert found.advice == "people_differ"


def test_too_few_calls_are_no_proof() -> None:
    half = BALANCED[: FEWEST_CALLS // 2 - 1] + BALANCED[-FEWEST_CALLS // 2 :]
    assert figures_of(half).warnings == ("too_few",)
    assert figures_of(half).advice == "unknown"
    assert "too_few" not in figures_of([*half, BALANCED[0]]).warnings


def test_one_answer_all_the_time_says_nothing_of_the_other() -> None:
    found = figures_of([("met", "met", "met")] * 60)
    assert found.warnings == ("one_answer",)
    assert found.people.kappa is None
    assert found.people.ac1 == 1
    assert found.advice == "unknown"


@pytest.mark.parametrize("rare", ["not_met", "not_applicable"])
def test_too_few_of_an_answer_is_told(rare: str) -> None:
    found = figures_of([("met", "met", "met")] * 56 + [(rare, rare, rare)] * 4)
    assert found.warnings == ("few_each",)
    assert found.advice == "unknown"


def test_too_many_unclear_is_told_and_they_do_not_count() -> None:
    found = figures_of([*BALANCED, *[("unclear", "met", "met")] * 10, *[("met", "met", "uncertain")] * 15])
    assert (found.people.n, found.machine.n) == (75, 70)
    assert found.warnings == ("unclear",)
    assert found.unclear == pytest.approx(40 / 170)  # 10 of people, 15 of the machine beside two people each
    assert found.people.kappa == pytest.approx(1)


def test_whether_a_criterion_applies_is_an_answer_too() -> None:
    alike = [*BALANCED, *[("not_applicable",) * 3] * 20]
    differ = [*BALANCED, *[("not_applicable", "met", "not_applicable")] * 20]
    assert figures_of(alike).people.kappa == pytest.approx(1)
    assert (figures_of(differ).people.kappa or 1) < 0.7


def test_three_people_are_compared_two_by_two_within_a_round() -> None:
    rows = [said("c1", user, "met") for user in (1, 2, 3)] + [said("c1", 4, "not_met", sample_id=2)]
    found = compare(rows, ["empathy", "apology"])
    assert (found["empathy"].people.n, found["empathy"].people.share) == (1, 1)
    assert found["apology"].people == Agreement(0)
    assert found["apology"].advice == "unknown"


@given(st.lists(st.tuples(*[st.sampled_from(("met", "not_met", "not_applicable", "unclear"))] * 3), max_size=12))
def test_figures_do_not_depend_on_who_is_who_or_on_the_order(answers: list[tuple[str, str, str]]) -> None:
    rows = scored([(a, b, c.replace("unclear", "uncertain")) for a, b, c in answers])
    mixed = random.Random(1).sample(rows, len(rows))
    for row in mixed:
        row.user_id = 3 - row.user_id
    first, second = compare(scored(answers), ["empathy"])["empathy"], compare(mixed, ["empathy"])["empathy"]
    assert first.warnings == second.warnings
    assert first.advice == second.advice
    for one, two in ((first.people, second.people), (first.machine, second.machine)):
        assert one.n == two.n
        assert one.ac1 == (None if two.ac1 is None else pytest.approx(two.ac1))


# --- differences ----------------------------------------------------------------------------------------------------


def test_differences_come_by_criterion_the_most_frequent_first() -> None:
    rows = [
        *scored([("met", "not_met", "met")] * 3, "empathy"),
        *scored([("met", "met", "not_met"), ("met", "met", "met"), ("met", "met", "uncertain")], "apology"),
        *scored([("not_met", "not_met", "uncertain"), ("unclear", "unclear", "met")], "ownership"),
    ]
    found = find_differences(rows)
    assert [(name, len(differences)) for name, differences in found] == [("empathy", 3), ("apology", 1)]
    assert found[0][1][0].is_among_people
    assert not found[1][1][0].is_among_people


def test_notes_are_shown_where_they_are_about_the_definition() -> None:
    rows = [
        said("c1", 1, "met", reason="definition_unclear", note="geldt dit ook voor een collega"),
        said("c1", 2, "not_met", reason="wrong_recognition", note="verkeerd verstaan"),
    ]
    ((_, (one,)),) = find_differences(rows)
    assert one.notes == (("definition_unclear", "geldt dit ook voor een collega"),)


def test_reviewer_one_is_not_always_the_same_person() -> None:
    rows = scored([("met", "not_met", "met")] * 30)
    ((_, found),) = find_differences(rows)
    assert {one.answers for one in found} == {("met", "not_met"), ("not_met", "met")}


# --- drift ----------------------------------------------------------------------------------------------------------


def week(number: int, kept: int, changed: int) -> list[Judgement]:
    at = START + timedelta(weeks=number, days=number % 5)
    return [
        said(f"w{number}-{i}", 1, "met", "met" if i < kept else "not_met", how="single", sample_id=None, at=at)
        for i in range(kept + changed)
    ]


def test_a_week_far_below_the_first_has_fallen() -> None:
    rows = [row for number in range(4) for row in week(number, 28, 2)] + week(4, 27, 3) + week(5, 15, 15)
    found = follow_weeks(rows, 10)["empathy"]
    assert [one.has_fallen for one in found] == [False] * 5 + [True]
    assert (found[5].n, found[5].share) == (30, 0.5)
    assert all(one.monday.weekday() == 0 for one in found)


def test_steady_weeks_never_fall_and_small_ones_show_nothing() -> None:
    rows = [row for number in range(30) for row in week(number, 19, number % 2)] + week(30, 2, 3)
    found = follow_weeks(rows, 10)["empathy"]
    assert not any(one.has_fallen for one in found)
    assert (found[30].n, found[30].share) == (5, None)


def test_only_single_looks_with_an_answer_are_followed() -> None:
    rows = [
        said("c1", 1, "met", how="rest", sample_id=None),
        said("c2", 1, "met"),
        said("c3", 1, "unclear", how="single", sample_id=None),
        said("c4", 1, "met", "uncertain", how="single", sample_id=None),
        said("c5", 1, "not_met", how="single", sample_id=None),
        said("c5", 1, "met", how="single", sample_id=None),  # the same person again: the newest counts
    ]
    (only,) = follow_weeks(rows, 1)["empathy"]
    assert (only.n, only.share) == (1, 1)


def test_the_chart_has_a_point_for_each_week_that_may_be_shown() -> None:
    weeks = follow_weeks([row for number in range(6) for row in week(number, 20, 1)] + week(6, 1, 0), 10)["empathy"]
    chart = _chart(weeks)
    assert chart is not None
    assert len(chart["points"]) == 6
    assert all(p.high <= p.y <= p.low for p in chart["points"])
    assert _chart(weeks[:1]) is None


# --- the gate -------------------------------------------------------------------------------------------------------


def test_the_newest_line_of_the_gate_counts() -> None:
    def line(number: int, criterion: str, is_live: bool) -> Gate:
        return Gate(id=number, criterion=criterion, live=is_live, figures={}, user_id=1, made_at=START)

    rows = [line(3, "empathy", False), line(1, "empathy", True), line(2, "apology", True)]
    assert live_criteria(rows) == {"apology"}
    assert live_criteria([]) == frozenset()


# --- pages ----------------------------------------------------------------------------------------------------------

TEAM = {"eva": "lead", "bram": "reviewer", "tess": "reviewer", "fien": "privacy_officer"}


class App:
    """The app over an OUT of calls, and people who score them."""

    def __init__(self, config: Config, out: Path, calls: int = 40) -> None:
        self.config = config
        rows = tuple(
            CriterionRow("", c, True, True, "met", 0.9, "rule", (), config.scorecard.version)
            for c in load_files(config).ids
        )
        self.results = []
        for i in range(calls):
            result = call_result(f"gesprek-{i}", topic_sensitive=False, scorecard_version=config.scorecard.version)
            own = tuple(replace(r, call_id=f"gesprek-{i}", status="met" if i % 2 else "not_met") for r in rows)
            items = dict.fromkeys(config.scorecard.items, "met")
            self.results.append(replace(result, criteria=own, items=items, score_history=()))
        self.app = create_app(config, publish(out, self.results, config=config))
        self.desk: Desk = self.app.state.desk
        self.desk.refresh()
        for name, role in TEAM.items():
            add_user(self.desk.reviews, name, None, role)  # type: ignore[arg-type]
        self.ids = {user.name: user.id for user in users(self.desk.reviews)}
        calls_of_round = [result.call.call_id for result in self.results]
        self.round = self.desk.reviews.draw(self.ids["eva"], "november", "chosen", calls_of_round, 1, is_blind=True)

    def client(self, name: str) -> Visitor:
        """A browser of somebody's, logged in."""
        return Visitor(self.app, name)

    def score(self, name: str, result: CallResult, answer: str, note: str = "", criterion: str = "empathy") -> None:
        """Somebody scores a call blind and finishes it."""
        one = Said(criterion, answer, "definition_unclear" if note else None, note)  # type: ignore[arg-type]
        token = str(next(ids))
        self.desk.reviews.judge(self.ids[name], result, [one], token, "blind", self.round)
        self.desk.reviews.finish(self.ids[name], result.call.call_id, {}, None, token, self.round)

    def close(self) -> None:
        """The lead closes the round."""
        self.client("eva").send("/sample/close", id=self.round)

    def score_all(self, names: Sequence[str]) -> None:
        """Everybody of these says what the machine says."""
        for name, result in itertools.product(names, self.results):
            self.score(name, result, result.criteria[0].status)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    made = App(load_config(), tmp_path / "out")
    yield made
    made.desk.close()


def test_nothing_of_a_blind_round_is_shown_before_ones_own_answer(app: App) -> None:
    first, second = app.results[:2]
    app.score("bram", first, "unclear", note="telt een zucht mee")
    app.score("tess", first, "met")
    bram = app.client("bram")
    eva = app.client("eva")  # has scored nothing
    assert "telt een zucht mee" in bram.get("/calibration/queue").text
    assert first.call.call_id in bram.get("/calibration/queue").text
    for path in ("/calibration", "/calibration/queue", "/calibration/queue?criterion=empathy",
                 "/calibration/criteria/empathy"):  # fmt: skip
        text = eva.get(path).text
        assert "telt een zucht mee" not in text
        assert first.call.call_id not in text
        assert texts_of("review")["cal_hidden"]["nl"].format(n=len(app.results)) in text or "40" in text
    app.score("tess", second, "not_met")
    app.score("eva", second, "met")
    app.score("eva", first, "met")
    assert "telt een zucht mee" in eva.get("/calibration/queue").text


def test_a_closed_round_is_open_to_the_team_and_takes_nothing_more(app: App) -> None:
    app.score("tess", app.results[0], "met", note="wat is dit")
    bram = app.client("bram")
    assert "wat is dit" not in bram.get("/calibration/queue").text
    app.close()
    assert "wat is dit" in bram.get("/calibration/queue").text
    app.score("bram", app.results[1], "not_met", note="te laat gezegd")
    assert "te laat gezegd" not in bram.get("/calibration/queue").text


def test_figures_of_few_calls_are_not_shown(app: App) -> None:
    for result in app.results[:9]:
        app.score("bram", result, "met")
        app.score("tess", result, "met")
    bram = app.client("bram")
    for path in ("/calibration", "/calibration/criteria/empathy"):
        text = bram.get(path).text
        assert texts_of("review")["cal_too_small"]["nl"].format(n=10) in text
        assert "AC1</td>" not in text
        assert 'class="range"' not in text


def test_a_lead_opens_the_gate_when_the_figures_allow_it_and_takes_it_back(app: App) -> None:
    app.score_all(["eva", "tess"])
    eva = app.client("eva")
    bram = app.client("bram")
    page = eva.get("/calibration/criteria/empathy").text
    assert texts_of("review")["cal_trial"]["nl"] in page
    gate = "/calibration/criteria/empathy/gate"
    bram.send(gate, 404, live="true")
    assert eva.client.post(gate, data={"live": "true"}).status_code == 403
    # Forty calls on which all agree: the interval is as wide as 40 calls allow, and that is too wide for the margin.
    assert texts_of("review")["cal_refused"]["nl"] in eva.send(gate, 409, live="true")
    with app.desk.reviews.reading() as orm:
        assert not live_criteria(orm.query(Gate))
    eva.send("/calibration/criteria/nonsense/gate", 404, live="true")


def test_enough_calls_open_the_gate_with_the_figures_of_that_moment(tmp_path: Path) -> None:
    app = App(load_config(), tmp_path / "out", calls=80)
    app.score_all(["eva", "tess"])
    eva = app.client("eva")
    gate = "/calibration/criteria/empathy/gate"
    assert texts_of("review")["cal_advice_ready"]["nl"] in eva.get("/calibration/criteria/empathy").text
    eva.send(gate, live="true")
    with app.desk.reviews.reading() as orm:
        lines = list(orm.query(Gate))
    assert live_criteria(lines) == {"empathy"}
    assert lines[0].figures["people"]["n"] == 80
    assert lines[0].figures["machine"]["ac1"] == pytest.approx(1)
    assert lines[0].figures["scorecard_version"] == app.config.scorecard.version
    page = eva.get("/calibration/criteria/empathy").text
    assert texts_of("review")["cal_take_back"]["nl"] in page
    assert texts_of("review")["cal_has_changed"]["nl"] not in page
    assert texts_of("review")["cal_live"]["nl"] in eva.get("/calibration").text
    eva.send(gate, live="false")
    with app.desk.reviews.reading() as orm:
        assert live_criteria(orm.query(Gate)) == frozenset()
    app.desk.close()


def test_answers_under_another_scorecard_are_counted_apart(app: App) -> None:
    old = [replace(r, call=replace(r.call, scorecard_version="1")) for r in app.results]
    for result in old:
        app.score("bram", result, "met")
    bram = app.client("bram")
    assert texts_of("review")["cal_older"]["nl"].format(n=len(old)) in bram.get("/calibration").text


def test_pages_are_for_who_calibrates(app: App) -> None:
    fien = app.client("fien")
    for path in ("/calibration", "/calibration/queue", "/calibration/criteria/empathy"):
        assert fien.get(path).status_code == 404
        assert Visitor(app.app).get(path).status_code == 303
    eva = app.client("eva")
    assert eva.get("/calibration/criteria/nonsense").status_code == 404


def test_nobody_is_named_and_nothing_is_styled_inline(app: App) -> None:
    app.score_all(["bram", "tess"])
    for result in app.results[:3]:
        app.score("eva", result, "unclear")
    eva = app.client("eva")
    for path in ("/calibration", "/calibration/queue", "/calibration/criteria/empathy"):
        text = eva.get(path).text
        assert "bram" not in text
        assert "tess" not in text
        assert not re.search(r"<style|style=|<script(?! src)", text)


def test_drift_is_shown_as_chart_and_table(app: App) -> None:
    rows = [row for number in range(4) for row in week(number, 15, 0)] + week(4, 3, 12) + week(5, 2, 0)
    with app.desk.reviews.saving() as orm:
        for row in rows:
            row.id, row.scorecard_version = None, app.config.scorecard.version
            orm.add(row)
    eva = app.client("eva")
    text = eva.get("/calibration/criteria/empathy").text
    assert text.count("<circle") == 4
    assert text.count('<rect class="fallen"') == 1
    assert texts_of("review")["cal_has_fallen"]["nl"] in text
    assert texts_of("review")["cal_fallen"]["nl"] in eva.get("/calibration").text


# --- in a browser ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def review_out(review_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OUT with a round that two people have scored, differences, and weeks to follow."""
    out = tmp_path_factory.mktemp("calibrated") / "out"
    app = App(review_config, out)
    app.score_all(["eva", "tess"])
    for result in app.results[:12]:
        app.score("bram", result, "not_applicable", note="hoort dit er nog bij", criterion="apology")
        app.score("eva", result, "met", criterion="apology")
    for result in app.results:
        app.score("bram", result, "met", criterion="ownership")
        app.score("eva", result, "met", criterion="ownership")
    with app.desk.reviews.saving() as orm:
        for row in [row for number in range(5) for row in week(number, 15, number % 2)] + week(5, 3, 12):
            row.id, row.scorecard_version = None, review_config.scorecard.version  # type: ignore[assignment]
            orm.add(row)
    app.close()
    change_user(app.desk.reviews, "eva", password=PASSWORD)
    app.desk.close()
    return out


def test_the_pages_are_accessible_in_a_browser(chromium: Page) -> None:
    log_in(chromium, "eva")
    for path in (
        "/calibration",
        "/calibration/queue",
        "/calibration/criteria/empathy",
        "/calibration/criteria/apology",
    ):
        chromium.goto(path)
        assert chromium.locator("h1").count() == 1
        assert_accessible(chromium)
        chromium.set_viewport_size({"width": 380, "height": 800})
        width = chromium.evaluate("document.documentElement.scrollWidth")
        assert width <= 380, path
        chromium.set_viewport_size({"width": 1440, "height": 900})
    chromium.goto("/calibration/criteria/empathy")
    assert chromium.locator("svg.chart circle").count() == 5
    chromium.goto("/calibration/queue")
    chromium.locator(".differs a").first.click()
    assert "/call?id=" in chromium.url


def test_every_text_of_the_pages_is_there_in_both_languages() -> None:
    folder = PACKAGE / "review" / "templates"
    for template in folder.glob("calibration*.html"):
        for key in re.findall(r'say\("([a-z_0-9]+)"', template.read_text(encoding="utf-8")):
            if not key.endswith("_"):
                assert {"nl", "en"} <= texts_of("review")[key].keys(), key
    for prefix, names in {
        "cal_warn_": ("too_few", "one_answer", "few_each", "unclear"),
        "cal_advice_": ("ready", "worse", "people_differ", "unknown"),
        "cal_answer_": ("met", "not_met", "not_applicable", "unclear", "uncertain"),
        "cal_reason_": ("definition_unclear", "rule_too_strict", "rule_too_loose"),
    }.items():
        assert all({"nl", "en"} <= texts_of("review")[prefix + name].keys() for name in names)
