"""The work list: who sees which calls, in which order, what a filter does, how a sample is drawn; and its pages."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.config import Config, Privacy, load_config
from callanalytics.records import CallResult, CriterionRow
from callanalytics.review.app import create_app
from callanalytics.review.desk import Desk
from callanalytics.review.selection import (
    Filters,
    Plan,
    allocate,
    choose_places,
    draw_calls,
    learning_weight,
    list_calls,
    read_filters,
)
from callanalytics.review.session import COOKIE
from callanalytics.scoring import load_files
from callanalytics.store.datasets import Store
from callanalytics.store.reviews.people import Person, add_user, log_in_by_proxy
from callanalytics.store.reviews.reviews import Said
from tests.support.browser import _browser, assert_accessible, chromium, log_in, served  # noqa: F401  # two of them are fixtures
from tests.support.fakes import MOMENT, call_result

PASSWORD = "een lang wachtwoord"
LEAD, REVIEWER = Person(1, "eva", "lead", None, "nl"), Person(2, "bram", "reviewer", None, "nl")
AGENT = Person(3, "anna", "agent", "hash of anna", "nl")
SURE, HARD = "greeting_agent_name", "empathy"  # criteria of the shipped card


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLANALYTICS_KEY", "a key of twenty signs")


def made(call_id: str, day: int = 0, p: float = 0.9, hard: float = 0.9, **values: Any) -> CallResult:
    """A call of so many days after MOMENT with two criteria, of these probabilities."""
    started = MOMENT + timedelta(days=day)
    base = {
        "started_at": started, "processed_at": started, "queue": "algemeen", "topic": "afval", "topic_sensitive": False,
        "compliance_status": "met", "normalized_score": 0.8, "recording_sha256": f"sha of {call_id}", "agent_ref": None,
        "duration_ms": 125_000,
    }  # fmt: skip
    result = call_result(call_id, started.date().isoformat(), **(base | values))

    def row(criterion: str, probability: float) -> CriterionRow:
        status = "uncertain" if 0.3 < probability < 0.7 else "met" if probability >= 0.7 else "not_met"
        return CriterionRow(call_id, criterion, True, probability >= 0.5, status, probability, "rule", (), "1")

    return replace(result, criteria=(row(SURE, p), row(HARD, hard)), items={})


def publish(config: Config, out: Path, *parts: list[CallResult]) -> None:
    store = Store(out, load_files(config).ids, tuple(config.scorecard.items), config.storage)
    store.open()
    for i, part in enumerate(parts):
        store.publish(part, f"part-{i}-{len(part)}")
    store.close()


@pytest.fixture(scope="module")
def _all_sorts(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine calls of all sorts, and a lead and a reviewer."""
    out = tmp_path_factory.mktemp("sorts") / "out"
    calls = [
        made("plain-1", 0, normalized_score=0.8),
        made("plain-2", 1, queue="belasting", compliance_status="not_met", normalized_score=0.3),
        made("doubtful", 2, p=0.5, hard=0.55, compliance_status="uncertain"),
        made("half", 3, p=0.5, hard=0.95),
        made("care", 4, topic="wmo", topic_sensitive=True),
        made("anna-1", 5, agent_ref="hash of anna"),
        made("anna-care", 6, agent_ref="hash of anna", topic="wmo", topic_sensitive=True),
        made("short", 7, scorable=False, normalized_score=None, compliance_status=None),
        made("no-queue", 8, queue=None),
    ]
    publish(config, out, calls)
    return prepare(config, out, {"eva": "lead", "bram": "reviewer"})


def prepare(config: Config, out: Path, people: dict[str, str]) -> Path:
    """Index an OUT and let people in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALLANALYTICS_KEY", "a key of twenty signs")
        desk = Desk(config, out)
        desk.refresh()
        for name, role in people.items():
            add_user(desk.reviews, name, PASSWORD, role)  # type: ignore[arg-type]
        desk.close()
    return out


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


# --- who sees what --------------------------------------------------------------------------------------------------


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


# --- filters --------------------------------------------------------------------------------------------------------


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


# --- order ----------------------------------------------------------------------------------------------------------


def test_the_most_uncertain_call_is_first_and_what_is_reviewed_is_left_out(desk: Desk) -> None:
    order = ids(desk, order="uncertain")
    assert order[:2] == ["doubtful", "half"]
    desk.reviews.finish(1, "doubtful", {}, 0.5, "token-1")
    assert ids(desk, order="uncertain")[0] == "half"
    assert "doubtful" not in ids(desk, order="uncertain")


def test_what_much_was_said_of_is_asked_less(config: Config, tmp_path: Path) -> None:
    calls = [made("known", p=0.5, hard=0.99), made("new", p=0.99, hard=0.45), made("other", p=0.99, hard=0.99)]
    publish(config, tmp_path / "out", calls)
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
    publish(config, tmp_path / "out", [made(f"c{i:03}", i % 7, p=i / 130) for i in range(120)])
    desk = Desk(config, tmp_path / "out")
    desk.refresh()
    for order in ("newest", "uncertain", "compliance"):
        pages = [ids(desk, order=order, page=str(page)) for page in (1, 2, 3, 4)]
        assert list(map(len, pages)) == [50, 50, 20, 0]
        assert len({call_id for page in pages for call_id in page}) == 120
    desk.close()


# --- samples --------------------------------------------------------------------------------------------------------


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
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALLANALYTICS_KEY", "a key of twenty signs")
        out = tmp_path_factory.mktemp("month") / "out"
        calls = [
            made(
                f"m{i:03}", i % 28 - 15, p=0.5 + i / 250, queue=("a", "a", "a", "b", "b", "c")[i % 6],
                agent_ref=("x", "y")[i % 2], topic_sensitive=i % 10 == 9, scorable=i % 15 != 14,
                compliance_status="not_met" if i % 3 == 0 else "met",
            )
            for i in range(120)
        ]  # fmt: skip
        publish(config, out, calls)
        desk = Desk(config, out)
        desk.refresh()
        yield desk
        desk.close()


def drawn(desk: Desk, seed: int = 7, may_tell_apart: bool = False, person: Person = LEAD, **plan: Any) -> list[Any]:
    asked = {name: str(plan.pop(name)) for name in ("queue",) if name in plan}
    with desk.reviews.reading() as orm:
        found = draw_calls(
            orm, Plan(name="x", **plan), read_filters(asked)[0], person, may_tell_apart, seed, plan.get("chosen", ())
        )
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
        plan = Plan(name="x", kind="chosen")
        assert draw_calls(orm, plan, Filters(), LEAD, False, 1, chosen) == ["half", "plain-1"]


# --- pages ----------------------------------------------------------------------------------------------------------


class Visitor:
    """Somebody with a browser that has no JavaScript."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def log_in(self, name: str) -> Visitor:
        token = log_in_by_proxy(self.client.app.state.desk.reviews, name)  # type: ignore[attr-defined]
        assert token
        self.client.cookies.clear()
        self.client.cookies.set(COOKIE, token)
        return self

    def csrf(self, path: str = "/") -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.client.get(path).text)
        assert found
        return found[1]

    def text(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status
        return answer.text

    def send(self, path: str, status: int = 200, **values: Any) -> str:
        answer = self.client.post(path, data={"csrf": self.csrf()} | values)
        assert answer.status_code == status, answer.text[:500]
        return answer.text


@pytest.fixture(scope="module")
def _few(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few calls, one of which has a script for a queue and an id that wants quoting."""
    out, evil = tmp_path_factory.mktemp("few") / "out", "<script>alert(1)</script>"
    calls = [
        made("plain-1", 0),
        made("zaak/1 é&2", 1, queue=evil, topic=evil),
        made("care", 2, topic="wmo", topic_sensitive=True),
        made("short", 3, scorable=False),
    ]
    publish(config, out, calls)
    return prepare(config, out, {"eva": "lead", "bram": "reviewer", "otto": "admin", "fien": "privacy_officer"})


@pytest.fixture
def visitor(config: Config, _few: Path, tmp_path: Path) -> Iterator[Visitor]:
    """An app over those."""
    app = create_app(config, shutil.copytree(_few, tmp_path / "out"))
    with TestClient(app, base_url="http://localhost") as client:
        app.state.desk.refresh()
        yield Visitor(client)


def test_without_a_session_every_page_leads_to_the_log_in(visitor: Visitor) -> None:
    for path in ("/", "/samples", "/sample?id=1"):
        answer = visitor.client.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/log-in")
    assert visitor.client.post("/samples", data={}).status_code == 403


def test_who_may_not_see_calls_starts_at_the_page_that_is_theirs(visitor: Visitor) -> None:
    for name, path in (("otto", "/people"), ("fien", "/ledger")):
        visitor.log_in(name)
        assert visitor.client.get("/").url.path == path
        for other in ("/samples", "/sample?id=1"):
            assert "plain-1" not in visitor.text(other, 404)


def test_a_script_in_a_queue_is_shown_as_its_words_and_ids_are_quoted_in_links(visitor: Visitor) -> None:
    text = visitor.log_in("eva").text("/")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert 'href="/call?id=zaak%2F1%20%C3%A9%262"' in text
    assert "<script>alert" not in visitor.text(
        "/?queue=%3Cscript%3Ealert(1)%3C/script%3E&topic=<script>alert(2)</script>"
    )


def test_filters_that_make_no_sense_are_named_on_a_page_that_works(visitor: Visitor) -> None:
    text = visitor.log_in("bram").text("/?from=gisteren&criterion=nope&sensitive=true&page=99999&queue=%00")
    assert "overgeslagen" in text
    for name in ("vanaf", "criterium", "gevoelige onderwerpen", "pagina", "wachtrij"):
        assert name in text
    assert "plain-1" in text
    assert "care" not in re.findall(r"/call\?id=([^\"&]+)", text)


def test_the_sensitive_tab_is_for_leads(visitor: Visitor) -> None:
    assert "/call?id=care" in visitor.log_in("eva").text("/?sensitive=true")
    assert "Gevoelige onderwerpen" not in visitor.log_in("bram").text("/")


def test_a_lead_draws_a_sample_and_a_reviewer_sees_how_far_it_is(visitor: Visitor) -> None:
    text = visitor.log_in("eva").send("/samples", name="November", kind="random", count="5", seed="4")
    assert "0 van 2" in text  # the sensitive call and the one that can't be scored stay out
    assert ">4</dd>" in text
    desk = visitor.client.app.state.desk  # type: ignore[attr-defined]
    desk.reviews.finish(2, "plain-1", {}, 0.5, "token-12")
    text = visitor.log_in("bram").text("/sample?id=1")
    assert "1 van 2" in text
    assert 'href="/call?id=zaak%2F1%20%C3%A9%262&amp;sample=1"' in text
    assert "Steekproef sluiten" not in text
    visitor.send("/sample/close", 404, id="1")
    visitor.log_in("eva").send("/sample/close", id="1")
    visitor.send("/sample/close", 404, id="1")
    assert "Gesloten" in visitor.text("/sample?id=1")


def test_a_blind_sample_shows_nothing_that_the_machine_or_others_said(visitor: Visitor) -> None:
    visitor.log_in("eva").send("/samples", name="Kalibratie", kind="random", count="5", blind="true")
    desk = visitor.client.app.state.desk  # type: ignore[attr-defined]
    desk.reviews.finish(1, "plain-1", {}, 0.5, "token-12", sample_id=1)
    assert "1 van 2" in visitor.text("/sample?id=1")
    text = visitor.log_in("bram").text("/sample?id=1")
    assert "0 van 2" in text
    for word in ("80", "Gehaald", "Onzeker", "Nagekeken"):
        assert word not in text.split("<table")[1]
    listed = visitor.text("/?queue=algemeen").split("<table")[1]
    assert "Eerst zelf scoren" in listed
    assert "80\N{NO-BREAK SPACE}%" not in listed


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"kind": "all"}, {"count": "0"}, {"count": "x"}, {"seed": "-1"}, {"from": "x"}, {"month": "2026-13"},
     {"name": "x\x00"}],
)  # fmt: skip
def test_a_sample_that_makes_no_sense_is_not_drawn(visitor: Visitor, wrong: dict[str, str]) -> None:
    values = {"name": "x", "kind": "random", "count": "3"} | wrong
    assert "niet getrokken" in visitor.log_in("eva").send("/samples", 422, **values)
    visitor.text("/sample?id=1", 404)


def test_only_leads_draw_and_only_with_the_token_of_their_page(visitor: Visitor) -> None:
    good = {"name": "x", "kind": "random"}
    visitor.log_in("bram").send("/samples", 404, **good)
    visitor.log_in("eva")
    assert visitor.client.post("/samples", data=good).status_code == 403
    assert visitor.client.post("/samples", data=good | {"csrf": "guessed"}).status_code == 403
    assert visitor.client.post("/sample/close", data={"id": "1"}).status_code == 403
    assert "niet getrokken" in visitor.send("/samples", 422, **good, queue="there is none")


@pytest.mark.parametrize("number", ["0", "-1", "7", "99999999999999999999"])
def test_a_sample_that_is_not_there_is_not_found(visitor: Visitor, number: str) -> None:
    visitor.log_in("eva").text(f"/sample?id={number}", 404)


def test_every_page_is_under_a_policy_without_inline_code(visitor: Visitor) -> None:
    visitor.log_in("eva")
    for path in ("/", "/samples"):
        answer = visitor.client.get(path)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=|<style", answer.text)


# --- it grows -------------------------------------------------------------------------------------------------------


def test_a_page_of_the_list_reads_no_dataset_and_asks_as_much_of_few_calls_as_of_many(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import event

    counted: dict[int, tuple[int, int]] = {}
    for count in (60, 600):
        out = tmp_path / f"out-{count}"
        publish(config, out, [made(f"c{i:04}", i % 9, p=(i % 97) / 97) for i in range(count)])
        app = create_app(config, prepare(config, out, {"eva": "lead"}))
        asked: list[str] = []
        with TestClient(app, base_url="http://localhost") as client, monkeypatch.context() as patch:
            app.state.desk.refresh()
            visitor = Visitor(client).log_in("eva")
            patch.setattr(app.state.desk, "keep_up", lambda: None)  # which reads beside the pages
            patch.setattr("callanalytics.store.place._read", None)  # a Parquet file opened from here on fails the page
            patch.setattr("pyarrow.parquet.read_table", None)
            event.listen(
                app.state.desk.reviews._engine, "after_cursor_execute", lambda *one, to=asked: to.append(one[2])
            )
            pages = ("/", "/?order=uncertain", "/?order=compliance", "/?page=2", "/?state=machine", "/samples")
            rows = [visitor.text(path).count('<tr role="row">') for path in pages]
        counted[count] = len(asked), max(rows)
    assert counted[600] == counted[60] == (counted[60][0], 51)  # fifty and the head of the table


# --- in a browser ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app over seventy calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALLANALYTICS_KEY", "a key of twenty signs")
        config, out = load_config(), tmp_path_factory.mktemp("seen") / "out"
        calls = [made(f"gesprek-{i:02}", i % 9, p=i / 90, queue=("algemeen", "afval")[i % 2]) for i in range(70)]
        publish(config, out, calls)
        with served(config, prepare(config, out, {"eva": "lead"})) as url:
            yield url


@pytest.mark.parametrize("width", [1440, 400])
def test_a_lead_filters_pages_and_draws_a_sample_in_a_browser(chromium: Any, width: int) -> None:  # noqa: F811
    page = chromium
    page.set_viewport_size({"width": width, "height": 900})
    log_in(page, "eva")
    page.get_by_text("70 gesprekken").wait_for()
    assert_accessible(page)
    page.get_by_label("Wachtrij").first.select_option("afval")  # htmx asks at once, and keeps the address
    page.get_by_text("35 gesprekken").wait_for()
    assert "queue=afval" in page.url
    draw = page.get_by_role("link", name="Steekproef uit deze selectie")
    assert "queue=afval" in (draw.get_attribute("href") or "")
    page.reload()
    page.get_by_text("35 gesprekken").wait_for()
    page.get_by_role("link", name="Filters wissen").click()
    page.get_by_role("link", name="Volgende").click()
    page.get_by_text("Pagina 2 van 2").wait_for()
    page.get_by_role("link", name="Leerzaamste").click()
    page.get_by_text("Bovenaan staan gesprekken").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="Steekproef uit deze selectie").click()
    page.get_by_label("Naam", exact=True).fill(f"Breed {width}")
    page.get_by_label("Verdeeld over wachtrijen").check()
    page.get_by_label("Aantal gesprekken").fill("6")
    assert_accessible(page)
    page.get_by_role("button", name="Steekproef trekken").click()
    page.get_by_text("0 van 6").wait_for()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_list_can_be_walked_with_the_keyboard(chromium: Any) -> None:  # noqa: F811
    page = chromium
    log_in(page, "eva")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.getAttribute('href') || ''"))
    for one in ("from", "queue", "state", "/?order=uncertain"):
        assert one in seen
    assert any(one.startswith("/call?id=") for one in seen)
