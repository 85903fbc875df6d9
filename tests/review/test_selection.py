"""The work list without its page: who sees which calls, in which order, what a filter does, how a sample is drawn."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.config import Config, Privacy
from callanalytics.review.desk import Desk
from callanalytics.review.selection import (
    Filters,
    SampleRequest,
    allocate,
    choose_places,
    draw_calls,
    learning_weight,
    list_calls,
    read_filters,
)
from callanalytics.store.reviews.people import Person, add_user
from callanalytics.store.reviews.reviews import Said
from tests.support.centre import HARD, PASSWORD, SURE, carded, let_in, publish

LEAD, REVIEWER = Person(1, "eva", "lead", None, "nl"), Person(2, "bram", "reviewer", None, "nl")
AGENT = Person(3, "anna", "agent", "hash of anna", "nl")


@pytest.fixture(scope="module")
def _all_sorts(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine calls of all sorts, and a lead and a reviewer."""
    out = tmp_path_factory.mktemp("sorts") / "out"
    calls = [
        carded("plain-1", 0, normalized_score=0.8),
        carded("plain-2", 1, queue="belasting", compliance_status="not_met", normalized_score=0.3),
        carded("doubtful", 2, p=0.5, hard=0.55, compliance_status="uncertain"),
        carded("half", 3, p=0.5, hard=0.95),
        carded("care", 4, topic="wmo", topic_sensitive=True),
        carded("anna-1", 5, agent_ref="hash of anna"),
        carded("anna-care", 6, agent_ref="hash of anna", topic="wmo", topic_sensitive=True),
        carded("short", 7, scorable=False, normalized_score=None, compliance_status=None),
        carded("no-queue", 8, queue=None),
    ]
    return let_in(config, publish(out, calls, config=config), eva="lead", bram="reviewer")


@pytest.fixture
def desk(config: Config, _all_sorts: Path, tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(config, shutil.copytree(_all_sorts, tmp_path / "out"))
    yield opened
    opened.close()


def ids(desk: Desk, person: Person = LEAD, may_tell_apart: bool = False, **asked: str) -> list[str]:
    filters, ignored = read_filters({name.removesuffix("_"): value for name, value in asked.items()})
    assert not ignored
    with desk.reviews.reading() as orm:
        return [row.call.call_id for row in list_calls(orm, filters, person, may_tell_apart).rows]


def test_the_newest_call_is_on_top_and_sensitive_topics_are_apart(desk: Desk) -> None:
    plain = ["no-queue", "short", "anna-1", "half", "doubtful", "plain-2", "plain-1"]
    assert ids(desk) == plain == ids(desk, REVIEWER)
    assert ids(desk, sensitive="true") == ["anna-care", "care"]
    assert ids(desk, REVIEWER, sensitive="true") == plain


@pytest.mark.parametrize("role", ["admin", "privacy_officer", "nobody"])
def test_who_may_not_see_calls_sees_none(desk: Desk, role: str) -> None:
    assert ids(desk, Person(9, "x", role, None, "nl")) == []


def test_an_agent_sees_the_own_calls_and_only_with_the_consent_of_the_works_council(desk: Desk) -> None:
    assert ids(desk, AGENT) == []
    assert ids(desk, AGENT, may_tell_apart=True) == ["anna-care", "anna-1"]
    assert ids(desk, replace(AGENT, agent_ref=None), may_tell_apart=True) == []
    assert ids(desk, replace(AGENT, agent_ref="' OR 1=1 --"), may_tell_apart=True) == []


@pytest.mark.parametrize("person", [LEAD, REVIEWER, AGENT, Person(9, "x", "admin", None, "nl")])
@pytest.mark.parametrize("has_consent", [False, True])
def test_the_list_and_the_page_of_a_call_go_by_one_rule(desk: Desk, person: Person, has_consent: bool) -> None:
    consent = {"or_consent_ref": "2026-1", "or_consent_date": date(2026, 1, 1)} if has_consent else {}
    desk.config = desk.config.model_copy(update={"privacy": Privacy(**(desk.config.privacy.model_dump() | consent))})
    every = [*ids(desk), *ids(desk, sensitive="true")]
    listed = {*ids(desk, person, has_consent), *ids(desk, person, has_consent, sensitive="true")}
    assert listed == {one for one in every if (call := desk.find(one)) and desk.may_see(person, call)}


def test_a_reviewer_may_open_a_sensitive_call_while_a_lead_has_it_in_a_sample(desk: Desk) -> None:
    call = desk.find("care")
    assert call
    assert not desk.may_see(REVIEWER, call)
    sample_id = desk.reviews.draw(1, "zorg", "chosen", ["care"], 1)
    assert desk.may_see(REVIEWER, call)
    with desk.reviews.saving() as orm:
        from callanalytics.store.reviews.tables import Sample

        found = orm.get(Sample, sample_id)
        assert found
        found.closed_at = datetime.now(UTC)
    assert not desk.may_see(REVIEWER, call)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"from": "2026-11-18", "to": "2026-11-19"}, {"half", "doubtful"}),
        ({"queue": "belasting"}, {"plain-2"}),
        ({"topic": "wmo"}, set()),
        ({"criterion": HARD, "verdict": "uncertain"}, {"doubtful"}),
        ({"verdict": "uncertain"}, {"doubtful", "half"}),
        ({"uncertain": "2"}, {"doubtful"}),
        ({"compliance": "not_met"}, {"plain-2"}),
        ({"score_max": "30"}, {"plain-2"}),
        ({"score_min": "31", "score_max": "79"}, set()),
        ({"queue": "belasting' OR '1'='1"}, set()),
        ({"queue": "%"}, set()),
        ({"topic": "afval'; DROP TABLE indexed_calls; --"}, set()),
    ],
)
def test_a_filter_leaves_what_it_asks_for(desk: Desk, asked: dict[str, str], expected: set[str]) -> None:
    filters, ignored = read_filters(asked)
    assert not ignored
    with desk.reviews.reading() as orm:
        assert {row.call.call_id for row in list_calls(orm, filters, LEAD, False).rows} == expected


def test_the_state_of_a_call_is_what_people_did_with_it(desk: Desk) -> None:
    desk.reviews.finish(2, "plain-1", {}, 0.25, "token-1")
    desk.reviews.finish(1, "half", {}, 0.5, "token-2", sample_id=desk.reviews.draw(1, "b", "random", ["half"], 1))
    desk.reviews.finish(1, "anna-1", {}, 0.5, "token-3")
    desk.reviews.contest(1, "anna-1", None, "niet eens", "token-4")
    assert ids(desk, state="reviewed") == ["plain-1"]
    assert ids(desk, state="contested") == ["anna-1"]
    assert "half" in ids(desk, state="machine")
    assert ids(desk, REVIEWER, by="me") == ["plain-1"]
    assert ids(desk, by="me") == ["anna-1"]
    assert {"plain-1", "anna-1"}.isdisjoint(ids(desk, by="nobody"))
    assert ids(desk, score_max="26", queue="algemeen") == ["plain-1"]  # what the person made of it, not the machine


def test_values_that_make_no_sense_are_left_out_and_named() -> None:
    filters, ignored = read_filters({"queue": " afval ", "page": "0", "from": "gisteren", "order": "x", "extra": "1"})
    assert filters == Filters(queue="afval")
    assert ignored == ["from", "order", "page"]


@given(
    st.dictionaries(
        st.sampled_from([*(field.alias or name for name, field in Filters.model_fields.items()), "x"]),
        st.text() | st.sampled_from(["1e999", "9" * 400, "-1", "nan", "2026-11-31", "\x00", "true", "me", "1,2"]),
    )
)
def test_no_address_is_too_odd_to_read(asked: dict[str, str]) -> None:
    filters, ignored = read_filters(asked)
    assert set(ignored) <= set(asked)
    again, still = read_filters(dict(parse_qsl(filters.address().partition("?")[2])))
    assert (again, still) == (filters, [])


def test_the_most_uncertain_call_is_first_and_what_is_reviewed_is_left_out(desk: Desk) -> None:
    order = ids(desk, order="uncertain")
    assert order[:2] == ["doubtful", "half"]
    desk.reviews.finish(1, "doubtful", {}, 0.5, "token-1")
    assert ids(desk, order="uncertain")[0] == "half"
    assert "doubtful" not in ids(desk, order="uncertain")


def test_what_much_was_said_of_is_asked_less(config: Config, tmp_path: Path) -> None:
    calls = [carded("known", p=0.5, hard=0.99), carded("new", p=0.99, hard=0.45), carded("other", p=0.99, hard=0.99)]
    publish(tmp_path / "out", calls, config=config)
    desk = Desk(config, tmp_path / "out")
    desk.refresh()
    add_user(desk.reviews, "eva", PASSWORD, "lead")
    assert ids(desk, order="uncertain")[:2] == ["known", "new"]
    result = desk.read("other")
    assert result
    for i in range(3):
        desk.reviews.judge(1, result, [Said(SURE, "met")], f"token-{i}")
    assert ids(desk, order="uncertain")[:2] == ["new", "known"]
    assert learning_weight(3) == 0.5
    desk.close()


def test_calls_that_fail_the_law_come_first_when_asked(desk: Desk) -> None:
    assert ids(desk, order="compliance")[:3] == ["plain-2", "doubtful", "no-queue"]


def test_pages_hold_every_call_once(config: Config, tmp_path: Path) -> None:
    publish(tmp_path / "out", [carded(f"c{i:03}", i % 7, p=i / 130) for i in range(120)], config=config)
    desk = Desk(config, tmp_path / "out")
    desk.refresh()
    for order in ("newest", "uncertain", "compliance"):
        pages = [ids(desk, order=order, page=str(page)) for page in (1, 2, 3, 4)]
        assert list(map(len, pages)) == [50, 50, 20, 0]
        assert len({call_id for page in pages for call_id in page}) == 120
    desk.close()


@given(
    st.dictionaries(st.text(max_size=3), st.integers(0, 40), max_size=8),
    st.integers(1, 60),
    st.sampled_from(["proportional", "equal"]),
)
def test_every_stratum_gives_at_least_one_and_none_more_than_it_has(
    sizes: dict[str, int], count: int, spread: Any
) -> None:
    given_ = allocate(sizes, count, spread)
    held = {name: size for name, size in sizes.items() if size}
    assert sum(given_.values()) == min(count, sum(held.values()))
    assert all(given_[name] <= held[name] for name in given_)
    if count >= len(held):
        assert given_.keys() == held.keys()
        assert all(given_.values())


def test_shares_follow_sizes_or_are_the_same_for_all() -> None:
    assert allocate({"a": 90, "b": 9, "c": 1}, 10, "proportional") == {"a": 8, "b": 1, "c": 1}
    assert allocate({"a": 90, "b": 9, "c": 1}, 9, "equal") == {"a": 4, "b": 4, "c": 1}


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 2**31 - 1))
def test_places_are_drawn_once_each_and_again_with_the_same_seed(sizes: dict[str, int], seed: int) -> None:
    counts = allocate(sizes, 12, "equal")
    places = choose_places(sizes, counts, seed)
    assert places == choose_places(dict(reversed(sizes.items())), counts, seed)
    assert len(set(places)) == len(places)
    assert Counter(name for name, _ in places) == counts
    assert all(1 <= place <= sizes[name] for name, place in places)


def test_a_random_place_is_as_likely_as_any_other() -> None:
    drawn = Counter(place for seed in range(2000) for _, place in choose_places({"": 10}, {"": 3}, seed))
    # 600 each; 5 standard deviations of a binomial with n = 2000 and p = 0.3 are 102.
    assert set(drawn) == set(range(1, 11))
    assert all(abs(n - 600) < 102 for n in drawn.values())


@pytest.fixture(scope="module")
def month(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A hundred and twenty calls in November, in three queues, by two agents, some sensitive, some not scorable."""
    out = tmp_path_factory.mktemp("month") / "out"
    calls = [
        carded(
            f"m{i:03}", i % 28 - 15, p=0.5 + i / 250, queue=("a", "a", "a", "b", "b", "c")[i % 6],
            agent_ref=("x", "y")[i % 2], topic_sensitive=i % 10 == 9, scorable=i % 15 != 14,
            compliance_status="not_met" if i % 3 == 0 else "met",
        )
        for i in range(120)
    ]  # fmt: skip
    publish(out, calls, config=config)
    desk = Desk(config, out)
    desk.refresh()
    yield desk
    desk.close()


def drawn(desk: Desk, seed: int = 7, may_tell_apart: bool = False, person: Person = LEAD, **plan: Any) -> list[Any]:
    asked = {name: str(plan.pop(name)) for name in ("queue",) if name in plan}
    with desk.reviews.reading() as orm:
        wanted, chosen = SampleRequest(name="x", **plan), plan.get("chosen", ())
        found = draw_calls(orm, wanted, read_filters(asked)[0], person, may_tell_apart, seed, chosen)
    return [desk.find(call_id) for call_id in found]


@pytest.mark.parametrize("kind", ["random", "stratified", "uncertain", "compliance", "monthly"])
def test_a_sample_holds_scorable_calls_and_no_sensitive_ones_unless_asked(month: Desk, kind: str) -> None:
    calls = drawn(month, kind=kind, count=60, month="2026-11")
    assert calls
    assert all(call.scorable and not call.sensitive for call in calls)
    assert any(call.sensitive for call in drawn(month, kind=kind, count=100, month="2026-11", with_sensitive=True))
    assert not any(
        call.sensitive
        for call in drawn(month, kind=kind, count=100, with_sensitive=True, month="2026-11", person=REVIEWER)
    )


@pytest.mark.parametrize("kind", ["random", "stratified", "compliance", "monthly"])
def test_a_sample_can_be_drawn_again_by_its_seed(month: Desk, kind: str) -> None:
    first, again = (drawn(month, 7, kind=kind, month="2026-11") for _ in range(2))
    assert [call.call_id for call in first] == [call.call_id for call in again]
    assert [call.call_id for call in drawn(month, 8, kind=kind, month="2026-11")] != [c.call_id for c in first]


def test_each_plan_draws_what_it_says(month: Desk) -> None:
    by_queue = Counter(call.queue for call in drawn(month, kind="stratified", count=12))
    assert (sum(by_queue.values()), set(by_queue)) == (12, {"a", "b", "c"})
    assert by_queue["a"] > by_queue["b"] > by_queue["c"]
    assert set(Counter(c.queue for c in drawn(month, kind="stratified", count=12, spread="equal")).values()) == {4}
    assert {call.compliance_status for call in drawn(month, kind="compliance", count=9)} == {"not_met"}
    uncertain = [call.uncertainty for call in drawn(month, kind="uncertain", count=9)]
    assert uncertain == sorted(uncertain, reverse=True)
    assert {call.queue for call in drawn(month, kind="random", count=9, queue="b")} == {"b"}


def test_four_times_three_a_month_of_each_queue_or_of_each_agent_with_consent(month: Desk) -> None:
    def week(call: Any) -> int:
        return min((call.day.day - 1) // 7, 3)

    of_queues = Counter((call.queue, week(call)) for call in drawn(month, kind="monthly", month="2026-11"))
    assert len(of_queues) == 12
    assert max(of_queues.values()) == 3 == of_queues["a", 1]
    of_agents = Counter(
        (c.agent_ref, week(c)) for c in drawn(month, kind="monthly", month="2026-11", may_tell_apart=True)
    )
    assert of_agents == dict.fromkeys([(agent, i) for agent in "xy" for i in range(4)], 3)
    assert drawn(month, kind="monthly", month="2026-12") == []


def test_calls_chosen_by_hand_are_those_that_may_be_in_a_sample(desk: Desk) -> None:
    with desk.reviews.reading() as orm:
        chosen = ["half", "care", "short", "nowhere", "half", "plain-1"]
        plan = SampleRequest(name="x", kind="chosen")
        assert draw_calls(orm, plan, Filters(), LEAD, False, 1, chosen) == ["half", "plain-1"]
