"""The index of calls and promises that the pages ask, its schema, and the same answers from PostgreSQL."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from callanalytics.config import Config
from callanalytics.review.desk import Desk
from callanalytics.review.register import VIEWS, count_kept, list_promises, today_of
from callanalytics.review.selection import SampleRequest, draw_calls, list_calls, read_filters, sample_progress, visible
from callanalytics.store.reviews.people import Person, add_user, users
from callanalytics.store.reviews.reviews import Said, SaidOfPromise, open_reviews
from callanalytics.store.reviews.tables import IndexedPromise, Table
from tests.support.centre import PASSWORD, carded, promising, publish
from tests.support.databases import new_database, postgres, why_no_postgres
from tests.support.paths import PACKAGE
from tests.support.visitor import PEOPLE

NOW = datetime.now(UTC)


def test_promises_follow_their_calls_in_and_out_of_the_index(config: Config, tmp_path: Path) -> None:
    def held(desk: Desk) -> set[tuple[str, int, bool]]:
        with desk.reviews.reading() as orm:
            return {(p.call_id, p.promise_index, p.due_at is None) for p in orm.scalars(select(IndexedPromise))}

    out = tmp_path / "out"
    publish(out, [promising("a", NOW, None), promising("b", NOW)], config=config)
    desk = Desk(config, out)
    desk.refresh()
    assert held(desk) == {("a", 0, False), ("a", 1, True), ("b", 0, False)}
    publish(out, [promising("x", NOW)], [promising("a", None), promising("y", None), promising("z")], config=config)
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
    publish(out, [carded("new")], config=config)
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
            plan = SampleRequest(name="x", kind=kind, month="2026-11", with_sensitive=True)  # type: ignore[arg-type]
            answers.append((kind, draw_calls(orm, plan, read_filters({})[0], person, True, 4)))
        scope = visible(person, True, "all")
        days = today_of(ZoneInfo("Europe/Amsterdam"), NOW)
        for view in VIEWS:
            promises, counts = list_promises(orm, scope, view, days)
            answers.append((view, counts, [(p.call.call_id, p.start_ms, p.type, p.due_at, p.kept) for p in promises]))
        answers.append(count_kept(orm, scope))
    sample_id = desk.reviews.draw(eva.id, "s", "random", ["soon", "late"], 1)
    with desk.reviews.reading() as orm:
        answers += [(one.total, one.done, one.next_call) for one in sample_progress(orm, person, sample_id)]
    desk.close()
    return answers
