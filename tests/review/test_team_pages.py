"""The pages around the calls: users, the PDCA log, the ledger, contests, the promise register; and the schema below."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from callanalytics.config import Config, load_config
from callanalytics.errors import UserError
from callanalytics.privacy.ledger import NAME, check_chain, read_tail
from callanalytics.records import CallResult, PromiseRow
from callanalytics.review.app import create_app
from callanalytics.review.desk import Desk
from callanalytics.review.register import VIEWS, count_kept, list_promises, today_of
from callanalytics.review.selection import Plan, draw_calls, list_calls, read_filters, standings, visible
from callanalytics.store.reviews.people import Person, add_user, change_user, log_in_by_proxy, person_of, users
from callanalytics.store.reviews.reviews import Said, SaidOfPromise, open_reviews
from callanalytics.store.reviews.tables import IndexedPromise, PromiseJudgement, Table
from tests.review.test_worklist import PASSWORD, Visitor, made, prepare, publish
from tests.support.browser import _browser, assert_accessible, chromium, log_in, served  # noqa: F401  # two of them are fixtures
from tests.support.databases import new_database, postgres, why_no_postgres
from tests.support.paths import PACKAGE

PEOPLE = {"eva": "lead", "bram": "reviewer", "otto": "admin", "fien": "privacy_officer"}
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLANALYTICS_KEY", "a key of twenty signs")


def promising(call_id: str, *due: datetime | None, **values: Any) -> CallResult:
    """A call with a promise to call back for each moment."""
    promises = tuple(
        PromiseRow(
            call_id, i, "callback", "ik", "morgen", at, False, f"belofte {i} van {call_id}", i * 1000, i * 1000 + 400
        )
        for i, at in enumerate(due)
    )  # fmt: skip
    return replace(made(call_id, **values), promises=promises)


@pytest.fixture(scope="module")
def filled(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("team") / "out"
    calls = [
        promising("late", NOW - timedelta(days=3), None),
        promising("soon", NOW + timedelta(days=3)),
        promising("care", NOW - timedelta(days=3), topic="wmo", topic_sensitive=True),
    ]
    publish(config, out, calls)
    return prepare(config, out, PEOPLE)


@pytest.fixture
def visitor(config: Config, filled: Path, tmp_path: Path) -> Iterator[Visitor]:
    app = create_app(config, shutil.copytree(filled, tmp_path / "out"))
    with TestClient(app, base_url="http://localhost") as client:
        app.state.desk.refresh()
        yield Visitor(client)


def desk_of(visitor: Visitor) -> Desk:
    desk: Desk = visitor.client.app.state.desk  # type: ignore[attr-defined]
    return desk


# --- who comes where ------------------------------------------------------------------------------------------------

OPEN_TO = {
    "/people": {"otto"},
    "/ledger": {"fien"},
    "/plan": {"eva", "bram"},
    "/contests": {"eva", "bram"},
    "/register": {"eva", "bram"},
}


@pytest.mark.parametrize("path", OPEN_TO)
def test_a_page_is_there_for_its_roles_alone(visitor: Visitor, path: str) -> None:
    answer = visitor.client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/log-in")
    for name in PEOPLE:
        visitor.log_in(name).text(path, 200 if name in OPEN_TO[path] else 404)


@pytest.mark.parametrize(
    ("path", "right", "wrong", "values"),
    [
        ("/people/add", "otto", "eva", {"name": "nieuw", "role": "admin", "password": PASSWORD}),
        ("/people/change", "otto", "eva", {"name": "bram", "what": "disable"}),
        ("/plan", "eva", "bram", {"action": "a", "hypothesis": "h", "item": "opening", "starts_on": "2026-11-28"}),
        ("/plan/conclude", "eva", "bram", {"id": "1", "conclusion": "c"}),
        ("/contests/settle", "eva", "bram", {"id": "1", "outcome": "upheld"}),
        ("/register", "eva", "otto", {"call_id": "late", "start_ms": "0", "kept": "yes"}),
    ],
)
def test_a_change_wants_the_right_and_the_token_of_the_page(
    visitor: Visitor, path: str, right: str, wrong: str, values: dict[str, str]
) -> None:
    values = values | {"token": "token-of-a-page"}
    assert visitor.client.post(path, data=values).status_code == 403
    visitor.log_in(wrong).send(path, 404, **values)
    visitor.log_in(right)
    assert visitor.client.post(path, data=values).status_code == 403
    assert visitor.client.post(path, data=values | {"csrf": "guessed"}).status_code == 403
    desk = desk_of(visitor)
    assert len(users(desk.reviews)) == len(PEOPLE)
    with desk.reviews.reading() as orm:
        assert not orm.scalar(select(func.count()).select_from(PromiseJudgement))


# --- people ---------------------------------------------------------------------------------------------------------


def test_an_admin_lets_people_in_and_out_and_sees_no_calls(visitor: Visitor) -> None:
    text = visitor.log_in("otto").text("/people")
    assert "late" not in re.findall(r"\b[\w-]+\b", re.sub(r"<[^>]+>", " ", text))
    assert "toegevoegd" in visitor.send("/people/add", name="nieuw", role="reviewer", password=PASSWORD)
    reviews = desk_of(visitor).reviews
    token = log_in_by_proxy(reviews, "nieuw")
    assert token
    visitor.send("/people/change", name="nieuw", what="role", role="lead")
    assert person_of(reviews, token, 1) is None  # who has another role comes in anew
    token = log_in_by_proxy(reviews, "nieuw")
    assert token
    visitor.send("/people/change", name="nieuw", what="disable")
    assert person_of(reviews, token, 1) is None
    assert log_in_by_proxy(reviews, "nieuw") is None
    visitor.send("/people/change", name="nieuw", what="enable")
    assert log_in_by_proxy(reviews, "nieuw")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"name": "bram", "role": "lead", "password": PASSWORD}, "bestaat al"),
        ({"name": "a b", "role": "lead", "password": PASSWORD}, "letters, cijfers"),
        ({"name": "nieuw", "role": "lead", "password": "kort"}, "12 tekens"),
        ({"name": "nieuw", "role": "lead"}, "12 tekens"),
        ({"name": "nieuw", "role": "agent", "password": PASSWORD}, "medewerkersnummer"),
        ({"name": "nieuw", "role": "lead", "password": PASSWORD, "agent": "a1"}, "medewerkersnummer"),
    ],
)
def test_a_user_that_makes_no_sense_is_not_added(visitor: Visitor, values: dict[str, str], told: str) -> None:
    assert told in visitor.log_in("otto").send("/people/add", 422, **values)
    assert len(users(desk_of(visitor).reviews)) == len(PEOPLE)


def test_an_agent_is_kept_as_a_keyed_hash(visitor: Visitor) -> None:
    visitor.log_in("otto").send("/people/add", name="anna", role="agent", password=PASSWORD, agent="a-17")
    desk = desk_of(visitor)
    (anna,) = [user for user in users(desk.reviews) if user.name == "anna"]
    assert anna.agent_ref == desk.pseudonyms("agent", "a-17")


def test_the_last_admin_can_be_neither_shut_out_nor_given_another_role(visitor: Visitor) -> None:
    visitor.log_in("otto")
    for change in ({"what": "disable"}, {"what": "role", "role": "lead"}):
        assert "laatste beheerder" in visitor.send("/people/change", 422, name="otto", **change)
    reviews = desk_of(visitor).reviews
    with pytest.raises(UserError):
        change_user(reviews, "otto", is_disabled=True)
    add_user(reviews, "tweede", PASSWORD, "admin")
    visitor.send("/people/change", name="tweede", what="role", role="lead")  # one is left
    add_user(reviews, "derde", PASSWORD, "admin")
    change_user(reviews, "otto", is_disabled=True)
    with pytest.raises(UserError):
        change_user(reviews, "derde", role="reviewer")


def test_a_name_that_nobody_has_is_not_found(visitor: Visitor) -> None:
    visitor.log_in("otto").send("/people/change", 404, name="niemand", what="disable")


# --- plan -----------------------------------------------------------------------------------------------------------


def test_an_action_is_kept_once_read_by_the_team_and_concluded_once(visitor: Visitor) -> None:
    action = {
        "action": "<b>Herhaal</b>",
        "hypothesis": "Van 40 naar 60 procent.",
        "item": "opening",
        "token": "t-12345678",
    }
    visitor.log_in("eva")
    for _ in range(2):
        text = visitor.send("/plan", **action, starts_on="2026-11-28")
    assert text.count("&lt;b&gt;Herhaal&lt;/b&gt;") == 1
    assert "<b>Herhaal" not in visitor.log_in("bram").text("/plan")
    visitor.log_in("eva").send("/plan/conclude", id="1", conclusion="Van 40 naar 55.")
    visitor.send("/plan/conclude", 404, id="1", conclusion="nog eens")
    visitor.send("/plan/conclude", 404, id="7", conclusion="nergens")
    visitor.send("/plan/conclude", 422, id="x", conclusion="nergens")
    text = visitor.text("/plan")
    assert "Van 40 naar 55." in text
    assert "nog eens" not in text
    visitor.send("/plan", 422, **(action | {"item": "none", "token": "t-87654321"}), starts_on="2026-11-28")


# --- ledger ---------------------------------------------------------------------------------------------------------


def write_ledger(desk: Desk, lines: int) -> Path:
    desk.ledger.add("view", [(f"c{i}", None) for i in range(lines)], "", "eva")
    return desk.output / NAME


@pytest.mark.parametrize("lines", [1, 9, 10, 11, 300])
def test_the_ledger_is_read_from_its_end_a_page_at_a_time(visitor: Visitor, lines: int) -> None:
    desk = desk_of(visitor)
    path = write_ledger(desk, lines)
    read: list[Any] = []
    before: int | None = None
    while True:
        tail = read_tail(path, 10, before)
        assert tail.is_whole
        assert len(tail.entries) == min(10, lines - len(read))
        read += tail.entries
        before = tail.before
        if before is None:
            break
    assert read[::-1] == desk.ledger.entries()


def test_a_page_of_a_large_ledger_reads_its_end_alone(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_ledger(desk_of(visitor), 3)
    whole = path.read_bytes()
    filler = b"x" * 5_000_000 + b"\n"
    path.write_bytes(filler + whole)  # what stands there is no line at all, and nobody looks at it
    assert [entry and entry.call for entry in read_tail(path, 2).entries] == [
        json.loads(line)["call"] for line in whole.splitlines()[:0:-1]
    ]
    monkeypatch.setattr("callanalytics.privacy.ledger.check_chain", None)
    assert "Controleer de hele keten" in visitor.log_in("fien").text("/ledger")


def test_a_line_that_was_changed_is_told(visitor: Visitor) -> None:
    path = write_ledger(desk_of(visitor), 12)
    assert "De keten klopt: 12 regels" in visitor.log_in("fien").text("/ledger")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:4], lines[4].replace('"view"', '"hold"'), *lines[5:]]))
    assert check_chain(path).broken_at == 5
    assert "Regel 5 van het logboek" in visitor.text("/ledger")
    path.write_text("".join(lines[:4] + lines[5:]))
    assert check_chain(path).broken_at == 5
    assert not read_tail(path, 50).is_whole
    path.write_text("".join([*lines[:4], "no line\n", *lines[5:]]))
    assert "onleesbaar" in visitor.text("/ledger")


@pytest.mark.parametrize("before", ["0", "1", "17", "99999999", "x", "-1", "9" * 30])
def test_any_place_in_the_ledger_may_be_asked_for(visitor: Visitor, before: str) -> None:
    write_ledger(desk_of(visitor), 3)
    answer = visitor.log_in("fien").client.get(f"/ledger?before={before}")
    assert answer.status_code in (200, 422)


def test_an_empty_ledger_is_a_page(visitor: Visitor) -> None:
    assert "nog niets" in visitor.log_in("fien").text("/ledger")


# --- contests -------------------------------------------------------------------------------------------------------


def test_a_contest_waits_until_a_lead_settles_it(visitor: Visitor) -> None:
    reviews = desk_of(visitor).reviews
    reviews.contest(1, "late", "empathy", "<i>Ik zei sorry.</i>", "token-1")
    reviews.contest(1, "care", None, "over zorg", "token-2")
    text = visitor.log_in("bram").text("/contests")
    assert "&lt;i&gt;Ik zei sorry." in text
    assert "over zorg" not in text  # a sensitive call
    assert "Medewerker heeft gelijk" not in text
    assert "over zorg" in visitor.log_in("eva").text("/contests")
    visitor.send("/contests/settle", 422, id="1", outcome="other")
    visitor.send("/contests/settle", id="1", outcome="upheld")
    visitor.send("/contests/settle", 404, id="1", outcome="declined")
    visitor.send("/contests/settle", 404, id="77", outcome="declined")
    assert reviews.states(["late"]) == {"late": "machine"}
    assert "Medewerker kreeg gelijk" in visitor.text("/contests")


# --- promise register -----------------------------------------------------------------------------------------------


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
    desk = desk_of(visitor)
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
    reviews = desk_of(visitor).reviews
    reviews.judge_promise(2, "late", SaidOfPromise(0, 0, "rejected", "callback"), "token-1")
    reviews.judge_promise(2, "soon", SaidOfPromise(None, 9000, "missed", "visit", NOW - timedelta(days=2)), "token-2")
    text = visitor.log_in("bram").text("/register?view=overdue")
    assert "belofte 0 van late" not in text
    assert "toegevoegd door een reviewer" in text


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
    desk = desk_of(visitor)
    visitor.log_in("bram")
    for view in ("overdue", "undated", "overdue"):
        visitor.text(f"/register?view={view}")
    told = [(entry.who, entry.action, entry.call) for entry in desk.ledger.entries()]
    assert told == [("bram", "view", desk.pseudonyms("call", "late"))]


def test_the_share_that_was_kept_has_its_interval_and_needs_enough_calls(visitor: Visitor) -> None:
    reviews = desk_of(visitor).reviews
    least = desk_of(visitor).config.privacy.smallest_group
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


# --- the index and its schema ---------------------------------------------------------------------------------------


def test_promises_follow_their_calls_in_and_out_of_the_index(config: Config, tmp_path: Path) -> None:
    def held(desk: Desk) -> set[tuple[str, int, bool]]:
        with desk.reviews.reading() as orm:
            return {(p.call_id, p.promise_index, p.due_at is None) for p in orm.scalars(select(IndexedPromise))}

    out = tmp_path / "out"
    publish(config, out, [promising("a", NOW, None), promising("b", NOW)])
    desk = Desk(config, out)
    desk.refresh()
    assert held(desk) == {("a", 0, False), ("a", 1, True), ("b", 0, False)}
    publish(config, out, [promising("x", NOW)], [promising("a", None), promising("y", None), promising("z")])
    desk.refresh()
    assert held(desk) == {("a", 0, True), ("b", 0, False), ("x", 0, False), ("y", 0, True)}
    desk.reviews.forget(["b"])
    assert ("b", 0, False) not in held(desk)
    desk.close()


def test_the_words_of_a_promise_are_not_in_the_review_store(config: Config, filled: Path) -> None:
    assert b"belofte" not in (filled / "reviews.sqlite").read_bytes()


def test_the_migrations_make_the_schema_of_the_tables(config: Config, tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    reviews = open_reviews(config, tmp_path)
    with reviews._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []
    reviews.close()


def test_an_older_store_gets_its_promises_from_the_parts_it_knew(config: Config, filled: Path, tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config as Alembic

    out = shutil.copytree(filled, tmp_path / "out")
    desk = Desk(config, out)
    alembic = Alembic()
    alembic.set_main_option("script_location", str(PACKAGE / "store" / "reviews" / "migrations"))
    with desk.reviews._engine.begin() as connection:
        alembic.attributes["connection"] = connection
        command.downgrade(alembic, "0001")
    desk.close()
    desk = Desk(config, out)
    assert desk.refresh() > 0
    with desk.reviews.reading() as orm:
        assert orm.scalar(select(func.count()).select_from(IndexedPromise)) == 4
    desk.close()


def test_out_is_read_along_beside_the_pages_and_not_at_every_click(
    config: Config, filled: Path, tmp_path: Path
) -> None:
    out = shutil.copytree(filled, tmp_path / "out")
    desk = Desk(config, out)
    publish(config, out, [made("new")])
    desk.keep_up()
    first = desk._reader
    assert first
    first.join(30)
    assert desk.find("new")
    desk.keep_up()
    assert desk._reader is first  # less than REFRESH_S ago
    desk.close()


def test_postgresql_gives_the_same_lists_samples_and_promises(config: Config, filled: Path, tmp_path: Path) -> None:
    if why_no_postgres():
        pytest.skip(str(why_no_postgres()))
    # A socket's path is 107 characters at most, and others than its owner must reach it.
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with postgres(Path(folder) / "s") as url:
            review = config.review.model_copy(update={"database": new_database(url)})
            found = [
                everything_asked(Desk(one, shutil.copytree(filled, tmp_path / f"out-{i}")), i == 0)
                for i, one in enumerate((config, config.model_copy(update={"review": review})))
            ]
    assert found[0] == found[1]


def everything_asked(desk: Desk, has_people: bool) -> list[Any]:
    """The answers to every kind of question that the pages ask of the database."""
    if not has_people:
        for name in ("bram", "eva"):  # the order of their names, for what each did has to be the same
            add_user(desk.reviews, name, PASSWORD, PEOPLE[name])  # type: ignore[arg-type]
    desk.refresh()
    eva = next(user for user in users(desk.reviews) if user.name == "eva")
    person = Person(eva.id, "eva", "lead", None, "nl")
    result = desk.read("soon")
    assert result
    desk.reviews.judge(eva.id, result, [Said("empathy", "met")], "token-1")
    desk.reviews.finish(eva.id, "late", {}, 0.25, "token-2")
    desk.reviews.judge_promise(eva.id, "late", SaidOfPromise(1, 1000, "confirmed", "visit", kept=True), "token-3")
    desk.reviews.judge_promise(eva.id, "late", SaidOfPromise(None, 7000, "missed", "visit", NOW), "token-4")
    answers: list[Any] = []
    addresses: list[dict[str, str]] = [
        {}, {"order": "uncertain"}, {"order": "compliance"}, {"sensitive": "true"}, {"state": "reviewed"}, {"by": "me"},
        {"from": "2026-01-01", "to": "2027-01-01", "queue": "algemeen", "topic": "afval", "state": "machine"},
        {"criterion": "empathy", "verdict": "met", "uncertain": "0", "compliance": "met"}, {"score_max": "25"},
    ]  # fmt: skip
    with desk.reviews.reading() as orm:
        for asked in addresses:
            listing = list_calls(orm, read_filters(asked)[0], person, True)
            answers.append((asked, listing.total, [(row.call.call_id, row.state, row.score) for row in listing.rows]))
        for kind in ("random", "stratified", "uncertain", "compliance", "monthly"):
            plan = Plan(name="x", kind=kind, month="2026-11", with_sensitive=True)  # type: ignore[arg-type]
            answers.append((kind, draw_calls(orm, plan, read_filters({})[0], person, True, 4)))
        scope = visible(person, True, "all")
        days = today_of(ZoneInfo("Europe/Amsterdam"), NOW)
        for view in VIEWS:
            promises, counts = list_promises(orm, scope, view, days)
            answers.append((view, counts, [(p.call.call_id, p.start_ms, p.type, p.due_at, p.kept) for p in promises]))
        answers.append(count_kept(orm, scope))
    sample_id = desk.reviews.draw(eva.id, "s", "random", ["soon", "late"], 1)
    with desk.reviews.reading() as orm:
        answers += [(one.total, one.done, one.next_call) for one in standings(orm, person, sample_id)]
    desk.close()
    return answers


# --- in a browser ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def app_url(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALLANALYTICS_KEY", "a key of twenty signs")
        with served(load_config(), shutil.copytree(filled, tmp_path_factory.mktemp("seen") / "out")) as url:
            yield url


@pytest.mark.parametrize("width", [1440, 400])
@pytest.mark.parametrize(
    ("name", "paths"),
    [("eva", ("/register?view=overdue", "/contests", "/plan")), ("otto", ("/people",)), ("fien", ("/ledger",))],
)
def test_the_pages_are_for_everybody(chromium: Any, name: str, paths: tuple[str, ...], width: int) -> None:  # noqa: F811
    chromium.set_viewport_size({"width": width, "height": 900})
    log_in(chromium, name)
    for path in paths:
        chromium.goto(path)
        assert_accessible(chromium)
        assert chromium.evaluate("document.documentElement.scrollWidth") <= width
        assert chromium.locator("h1").count() == 1


def test_a_reviewer_says_in_a_browser_what_became_of_a_promise(chromium: Any) -> None:  # noqa: F811
    log_in(chromium, "bram")
    chromium.goto("/register?view=soon")
    chromium.get_by_label("Nagekomen").select_option("yes")
    chromium.get_by_role("button", name=re.compile("^Bewaren")).click()
    chromium.get_by_text("Er zijn hier geen toezeggingen.").wait_for()
    chromium.get_by_role("link", name=re.compile("^Nagegaan")).click()
    assert chromium.get_by_label("Nagekomen").input_value() == "yes"
