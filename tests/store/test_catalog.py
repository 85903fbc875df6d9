"""OUT as a database: every view there and explained, what people say joined to the machine's word, nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.config import Config
from callanalytics.errors import InputError, QueryError, StoreError
from callanalytics.intervals import wilson_interval
from callanalytics.records import DATASETS, CallResult, CriterionRow, PromiseRow, RunRow
from callanalytics.report.tables import run_query
from callanalytics.store import catalog
from callanalytics.store.catalog import (
    DERIVED,
    REPEAT_DAYS,
    REVIEWS,
    find_columns,
    find_views,
    open_catalog,
    read_reviews,
)
from callanalytics.store.datasets import Store
from callanalytics.store.reviews.people import add_user
from callanalytics.store.reviews.reviews import FILE, Said, open_reviews
from callanalytics.store.reviews.tables import arrow_schemas
from tests.support.centre import LATER, finished, judged, promised, publish, review_tables
from tests.support.fakes import CRITERIA, ITEMS, MOMENT, call_result
from tests.support.paths import GUIDES


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Two calls, one of them of nobody knows when."""
    return publish(tmp_path / "out", [call_result("c1"), call_result("c2", None)])


def ask(config: Config, out: Path, query: str, reviews: Mapping[str, pa.Table] | None = None) -> list[dict[str, Any]]:
    with open_catalog(config, out, reviews) as sql:
        found = sql.execute(query)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    (row,) = rows
    return row


# --- every view -----------------------------------------------------------------------------------------------------


def test_every_view_is_there_with_all_its_columns_before_there_is_any_data(tmp_path: Path, config: Config) -> None:
    with open_catalog(config, tmp_path) as sql:
        names = [name for name, _ in find_views(sql)]
        assert set(names) == {*DATASETS, *REVIEWS, *DERIVED, "reviews_of_calls"}
        for name in names:
            assert sql.execute(f"SELECT * FROM {name}").fetchall() == []
        for name, row in DATASETS.items():
            columns = [column for _, column, _, _ in find_columns(sql, name)]
            assert {field.name for field in dataclasses.fields(row)} | {"date"} <= set(columns)
        assert "item_opening" in [column for _, column, _, _ in find_columns(sql, "calls")]


def test_every_view_and_every_column_of_ours_explains_itself(tmp_path: Path, config: Config) -> None:
    with open_catalog(config, tmp_path) as sql:
        assert [name for name, text in find_views(sql) if not text] == []
        for name in (*DATASETS, *DERIVED):
            assert [column for _, column, _, text in find_columns(sql, name) if not text] == []
        views = Path(catalog.__file__).with_name("views.sql").read_text()
        for name in DERIVED:
            columns = re.findall(rf'^COMMENT ON COLUMN {name}\."?(\w+)', views, re.M)
            assert [column for _, column, _, _ in find_columns(sql, name)] == columns


def test_the_tables_of_the_review_store_are_those_it_shows(tmp_path: Path, config: Config) -> None:
    with open_catalog(config, tmp_path) as sql:
        for name, schema in arrow_schemas().items():
            assert [column for _, column, _, _ in find_columns(sql, name)] == schema.names
    assert set(REVIEWS) == set(arrow_schemas())


def test_rows_are_those_of_the_parquet_files(out: Path, config: Config) -> None:
    rows = ask(config, out, "SELECT call_id, started_at, queue, item_opening, topics, date FROM calls ORDER BY 1")
    stored = pq.read_table(out / "calls" / "date=2026-11-16" / "part-0-2.parquet", partitioning=None).to_pylist()
    assert [row["call_id"] for row in rows] == ["c1", "c2"]
    assert [row["date"] for row in rows] == [date(2026, 11, 16), None]
    assert rows[0]["item_opening"] == stored[0]["item_opening"] == "met"
    (word,) = ask(config, out, "SELECT words[1].text AS word FROM turns WHERE call_id = 'c1' AND turn_index = 0")
    assert word == {"word": "goedemorgen"}
    assert len(ask(config, out, "SELECT * FROM score_history WHERE date = '2026-11-16'")) == 1


def test_times_are_moments_that_print_in_the_zone_of_the_municipality(tmp_path: Path, config: Config) -> None:
    root = publish(tmp_path, [call_result("c1", started_at=MOMENT)])
    (row,) = ask(config, root, "SELECT started_at, started_at::VARCHAR AS text FROM calls")
    assert row["started_at"] == MOMENT
    assert row["text"].startswith("2026-11-16 10:00:00")


def test_columns_that_older_files_lack_are_null(out: Path, config: Config) -> None:
    path = out / "criteria" / "date=2026-11-16" / "old.parquet"
    old = pa.table(
        {
            "call_id": ["c0"],
            "criterion": ["greeting"],
            "evidence": [[{"turn_index": 0, "role": "agent", "start_ms": 0, "end_ms": 9, "quote": "hallo"}]],
        }
    )
    pq.write_table(old, path)
    row = only(ask(config, out, "SELECT status, date, evidence FROM criteria WHERE call_id = 'c0'"))
    assert row["status"] is None
    assert row["date"] == date(2026, 11, 16)
    assert row["evidence"][0] == {
        "turn_index": 0, "role": "agent", "start_ms": 0, "end_ms": 9, "quote": "hallo", "alternative": None,
    }  # fmt: skip


def test_an_out_in_object_storage_or_nowhere_is_refused(tmp_path: Path, config: Config) -> None:
    with pytest.raises(InputError, match="copy OUT to one first"), open_catalog(config, "s3://bucket/out"):
        pass
    with pytest.raises(StoreError, match="no such folder"), open_catalog(config, tmp_path / "gone"):
        pass


# --- nothing else ---------------------------------------------------------------------------------------------------


def seen(root: Path) -> dict[str, str]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('{out}/legal_holds.json')",
        "SELECT * FROM read_parquet('{out}/calls/*/*.parquet')",
        "SELECT * FROM '{out}/calls/date=2026-11-16/part-0-2.parquet'",
        "SELECT * FROM glob('{out}/*')",
        "SELECT * FROM read_csv('https://example.org/x.csv')",
        "COPY calls TO '{out}/calls/date=2026-11-16/part-0-2.parquet'",
        "COPY calls TO '{beside}/x.csv'",
        "EXPORT DATABASE '{beside}/db'",
        "ATTACH '{beside}/x.db'",
        "INSTALL httpfs",
        "LOAD sqlite",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SET python_enable_replacements = true",
        "RESET lock_configuration",
        "SELECT * FROM secret_table",
        "INSERT INTO calls (call_id) VALUES ('x')",
        "DELETE FROM calls",
    ],
)
def test_sql_reads_the_views_and_nothing_else_and_writes_nothing(out: Path, config: Config, query: str) -> None:
    secret_table = pa.table({"a": [1]})  # a variable that DuckDB would find by its name
    before = seen(out.parent)
    with open_catalog(config, out) as sql:
        with pytest.raises(duckdb.Error):
            sql.execute(query.format(out=out, beside=out.parent)).fetchall()
        assert sql.execute("SELECT count(*) FROM calls").fetchall() == [(2,)]
    assert seen(out.parent) == before
    assert secret_table.num_rows == 1


def test_files_stay_while_the_catalog_is_open(tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callanalytics.store.disk.READERS_S", 0.2)
    store = Store(tmp_path, CRITERIA, ITEMS)
    store.open()
    store.publish([call_result("c1")], "part-0")
    store.publish([call_result("c2")], "part-1")
    with open_catalog(config, tmp_path) as sql:
        assert store.compact().held == 1
        assert sql.execute("SELECT count(*) FROM turns").fetchall() == [(4,)]
    assert store.compact().after == 1
    store.close()


def test_a_query_about_a_date_opens_the_files_of_that_date_alone(tmp_path: Path, config: Config) -> None:
    root = publish(tmp_path, [call_result("c1"), call_result("c2", "2026-11-17")])
    with open_catalog(config, root) as sql:
        (root / "turns" / "date=2026-11-17" / "part-0-2.parquet").unlink()
        assert sql.execute("SELECT count(*) FROM turns WHERE date = '2026-11-16'").fetchall() == [(2,)]
        with pytest.raises(QueryError, match="a file of OUT is gone or damaged"):
            list(run_query(sql, "SELECT max(text) FROM turns")[1])


# --- criteria -------------------------------------------------------------------------------------------------------


def reviewed(config: Config, out: Path, **tables: list[dict[str, Any]]) -> dict[str, Any]:
    query = "SELECT * FROM reviewed_criteria WHERE call_id = 'c1' AND criterion = 'greeting'"
    return only(ask(config, out, query, review_tables(**tables)))


def test_without_a_judgement_the_machine_has_the_word(out: Path, config: Config) -> None:
    row = reviewed(config, out)
    assert (row["status"], row["human_status"], row["final_status"], row["state"]) == ("met", None, "met", "machine")
    assert (row["reviewers"], row["disagree"], row["judged_at"]) == (0, False, None)
    assert len(ask(config, out, "SELECT * FROM reviewed_criteria")) == 2 * len(CRITERIA)


def test_the_newest_judgement_of_each_person_counts_and_of_those_the_newest(out: Path, config: Config) -> None:
    judgements = [
        judged("not_applicable", 1, LATER + timedelta(hours=2), how="blind"),
        judged("not_met", 1, LATER, reason="rule_too_loose"),
        judged("met", 1, MOMENT),
        judged("met", 2, MOMENT + timedelta(minutes=1), how="rest"),
        judged("not_met", 3, LATER, criterion="farewell"),
        judged("not_met", 3, LATER, call_id="c2"),
    ]
    row = reviewed(config, out, judgements=judgements)
    assert (row["human_status"], row["final_status"], row["how"], row["reason"]) == (
        "not_met", "not_met", "single", "rule_too_loose",
    )  # fmt: skip
    assert (row["reviewers"], row["disagree"], row["state"]) == (2, True, "reviewed")
    assert row["judged_at"] == LATER


def test_of_two_judgements_of_one_moment_the_later_row_counts(out: Path, config: Config) -> None:
    row = reviewed(config, out, judgements=[judged("met"), judged("not_met")])
    assert (row["human_status"], row["reviewers"], row["disagree"]) == ("not_met", 1, False)


def test_blind_scores_never_count(out: Path, config: Config) -> None:
    row = reviewed(config, out, judgements=[judged("not_met", how="blind", sample_id=1)])
    assert (row["human_status"], row["final_status"], row["state"]) == (None, "met", "machine")


def test_an_unclear_answer_leaves_the_machines_status(out: Path, config: Config) -> None:
    row = reviewed(config, out, judgements=[judged("unclear")])
    assert (row["human_status"], row["final_status"], row["state"]) == ("unclear", "met", "reviewed")


@pytest.mark.parametrize(
    ("criterion", "settled_at", "state"),
    [
        ("greeting", None, "contested"),
        (None, None, "contested"),
        ("farewell", None, "reviewed"),
        ("greeting", LATER, "reviewed"),
        (None, LATER, "reviewed"),
    ],
)
def test_a_criterion_is_contested_while_a_contest_of_it_or_of_the_whole_call_is_open(
    out: Path, config: Config, criterion: str | None, settled_at: datetime | None, state: str
) -> None:
    contest = {"call_id": "c1", "criterion": criterion, "user_id": 9, "made_at": MOMENT, "settled_at": settled_at}
    assert reviewed(config, out, judgements=[judged("met")], contests=[contest])["state"] == state


# --- items and calls ------------------------------------------------------------------------------------------------


SAMPLES = [{"id": 1, "blind": True}, {"id": 2, "blind": False}]


@pytest.mark.parametrize(
    ("rows", "status", "state"),
    [
        ([], "met", "machine"),
        ([finished("not_met")], "not_met", "reviewed"),
        ([finished("not_met", LATER), finished("met")], "not_met", "reviewed"),
        ([finished("not_met"), finished("not_applicable", LATER, sample_id=1)], "not_met", "reviewed"),
        ([finished("not_met", sample_id=1)], "met", "machine"),
        ([finished("not_met", sample_id=2)], "not_met", "reviewed"),
        ([finished("not_met", sample_id=7)], "met", "machine"),  # of a sample that is gone: blind for all we know
        ([finished(None)], "met", "reviewed"),  # finished under a card without this item
    ],
)
def test_an_item_is_what_the_newest_review_of_the_call_came_to(
    out: Path, config: Config, rows: list[dict[str, Any]], status: str, state: str
) -> None:
    query = "SELECT * FROM items WHERE call_id = 'c1'"
    row = only(ask(config, out, query, review_tables(finished=rows, samples=SAMPLES)))
    assert (row["item"], row["machine_status"], row["final_status"], row["state"]) == ("opening", "met", status, state)


def test_an_open_contest_makes_the_call_contested_until_it_is_settled(out: Path, config: Config) -> None:
    query = "SELECT state FROM call_states ORDER BY call_id"
    contest = {"call_id": "c1", "criterion": "greeting", "user_id": 9, "made_at": LATER}
    tables = review_tables(finished=[finished("met")], contests=[contest])
    assert [row["state"] for row in ask(config, out, query, tables)] == ["contested", "machine"]
    tables = review_tables(finished=[finished("met")], contests=[contest | {"settled_at": LATER}])
    assert [row["state"] for row in ask(config, out, query, tables)] == ["reviewed", "machine"]


# --- the register ---------------------------------------------------------------------------------------------------


def register(config: Config, out: Path, *judgements: Any) -> list[dict[str, Any]]:
    query = "SELECT * FROM register WHERE call_id = 'c1' ORDER BY start_ms, promise_index"
    return ask(config, out, query, review_tables(promise_judgements=list(judgements)))


def test_a_promise_stands_in_the_register_as_the_machine_heard_it(out: Path, config: Config) -> None:
    row = only(register(config, out))
    assert (row["type"], row["final_type"], row["due_at"], row["final_due_at"]) == ("callback",) * 2 + (MOMENT,) * 2
    assert (row["answer"], row["is_rejected"], row["registered"]) == (None, False, None)


def test_a_persons_newest_answer_corrects_it(out: Path, config: Config) -> None:
    row = only(
        register(
            config, out,
            promised("corrected", at=LATER, due_at=LATER, registered=True, kept=False),
            promised("rejected"),
        )
    )  # fmt: skip
    assert (row["type"], row["final_type"], row["due_at"], row["final_due_at"]) == ("callback", "visit", MOMENT, LATER)
    assert (row["answer"], row["registered"], row["kept"], row["is_rejected"]) == ("corrected", True, False, False)
    row = only(register(config, out, promised("corrected")))
    assert row["final_due_at"] is None  # a person may take the date away


def test_a_confirmed_promise_keeps_its_deadline_and_a_rejected_one_is_marked(out: Path, config: Config) -> None:
    assert only(register(config, out, promised("confirmed", type="callback")))["final_due_at"] == MOMENT
    row = only(register(config, out, promised("rejected")))
    assert (row["is_rejected"], row["final_type"]) == (True, "callback")


def test_a_promise_that_the_machine_missed_is_added(out: Path, config: Config) -> None:
    first, second = register(config, out, promised("missed", 5000, None, due_at=LATER))
    assert first["promise_index"] == 0
    assert (second["promise_index"], second["type"], second["final_type"], second["final_due_at"]) == (
        None, None, "visit", LATER,
    )  # fmt: skip
    assert (second["date"], second["is_rejected"]) == (date(2026, 11, 16), False)


def test_a_confirmed_promise_outlives_the_scorecard_that_found_it(out: Path, config: Config) -> None:
    rows = register(config, out, promised("confirmed", 7000, 3), promised("rejected", 9000, 4))
    assert [(row["start_ms"], row["answer"]) for row in rows] == [(0, None), (7000, "confirmed")]


def test_two_promises_of_one_moment_are_told_apart(tmp_path: Path, config: Config) -> None:
    one = call_result("c1")
    first = dataclasses.replace(one.promises[0], type="visit")
    second = dataclasses.replace(first, promise_index=1, type="action")
    root = publish(tmp_path, [dataclasses.replace(one, promises=(first, second))])
    rows = register(config, root, promised("rejected", index=1))
    assert [(row["type"], row["is_rejected"]) for row in rows] == [("visit", False), ("action", True)]


def test_what_people_said_of_an_erased_call_is_in_no_view_that_joins(out: Path, config: Config) -> None:
    gone = review_tables(
        promise_judgements=[promised("missed", call_id="gone")],
        judgements=[judged("met", call_id="gone")],
        finished=[finished("met", call="gone")],
    )
    for view in DERIVED:
        assert ask(config, out, f"SELECT * FROM {view} WHERE call_id = 'gone'", gone) == []


# --- repeats --------------------------------------------------------------------------------------------------------


def caller(call_id: str, days: float, topic: str = "afval", **values: Any) -> CallResult:
    known = {"caller_ref": "r1", "topic": topic, "started_at": MOMENT + timedelta(days=days), **values}
    return call_result(call_id, **known)


def test_a_second_call_of_a_caller_about_a_topic_is_a_repeat(tmp_path: Path, config: Config) -> None:
    calls = [
        caller("a", 0),
        caller("b", REPEAT_DAYS),
        caller("c", 2 * REPEAT_DAYS + 0.01),
        caller("d", 1, caller_ref="r2"),
        caller("e", 1, topic="parkeren"),
        caller("f", 1, topic="onbekend"),
        caller("g", 2, topic="onbekend"),
        caller("h", 2, caller_ref=None),
        caller("i", 3, caller_ref=None),
        caller("j", 3, caller_ref="r3", direction="inbound"),
        caller("k", 4, caller_ref="r3", direction="outbound"),
        call_result("l", None, caller_ref="r2", topic="afval"),
    ]
    root = publish(tmp_path, calls)
    query = "SELECT call_id, previous_call_id, days_between, promise_before FROM repeat_calls"
    expected = {"call_id": "b", "previous_call_id": "a", "days_between": REPEAT_DAYS, "promise_before": 1}
    assert ask(config, root, query) == [expected]
    rejected = review_tables(promise_judgements=[promised("rejected", call_id="a")])
    assert only(ask(config, root, query, rejected))["promise_before"] == 0


# --- shares ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, config: Config) -> Iterator[Any]:
    with open_catalog(config, tmp_path_factory.mktemp("empty")) as sql:
        yield sql


@given(st.integers(0, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_macros_give_the_interval_that_reports_give(empty: Any, case: tuple[int, int]) -> None:
    hits, n = case
    low, high = empty.execute("SELECT wilson_low(?, ?), wilson_high(?, ?)", [hits, n, hits, n]).fetchone()
    expected = wilson_interval(hits, n)
    assert (low, high) == (None, None) if expected is None else (pytest.approx(expected[0]), pytest.approx(expected[1]))


# --- the review store -----------------------------------------------------------------------------------------------


def test_an_out_that_nobody_reviewed_has_no_reviews_and_gets_no_store(out: Path, config: Config) -> None:
    assert read_reviews(config, out) == {}
    assert not (out / FILE).exists()


def test_what_was_saved_in_the_review_app_counts(out: Path, config: Config) -> None:
    reviews = open_reviews(config, out)
    add_user(reviews, "sanne", "een lang wachtwoord", "lead")
    reviews.judge(1, call_result("c1"), [Said("greeting", "not_met", "rule_too_loose")], "token")
    reviews.close()
    query = "SELECT criterion, final_status FROM reviewed_criteria WHERE state = 'reviewed'"
    assert ask(config, out, query, read_reviews(config, out)) == [{"criterion": "greeting", "final_status": "not_met"}]


# --- the guides' queries --------------------------------------------------------------------------------------------


def queries_of_the_guide() -> list[str]:
    """The ```sql blocks of the analyst's guide."""
    text = (GUIDES / "analyst.en.md").read_text(encoding="utf-8")
    return re.findall(r"^```sql\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@contextmanager
def a_month(config: Config, root: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Thirty calls, half of them repeats, each with a promise for today; reviews, and a run."""
    now, results = datetime.now(UTC), []
    for i in range(30):
        call_id, at = f"c{i}", now - timedelta(days=i % 15, hours=1)
        known = {"topic": "afval", "queue": "afval", "started_at": at, "caller_ref": f"r{i % 15}"}
        promise = PromiseRow(call_id, 0, "callback", "ik", "vandaag", now, True, "ik bel u vandaag", 0, 400)
        rows = tuple(CriterionRow(call_id, c, True, True, "met", 0.9, "rule", (), "2") for c in MORE_CRITERIA)
        result = call_result(call_id, at.date().isoformat(), **known)
        results.append(dataclasses.replace(result, promises=(promise,), criteria=rows))
    store = Store(root, MORE_CRITERIA, ITEMS)
    store.open()
    store.publish(results, "part-0")
    counts: dict[str, Any] = {field.name: 1 for field in dataclasses.fields(RunRow) if field.type == "int"}
    store.publish_run(
        RunRow("r1", now, now, **counts, wall_ms_by_stage={"decode": 1}, versions={}, pipeline_fingerprint="f")
    )
    store.close()
    tables = review_tables(
        judgements=[judged("not_met" if i % 3 else "met", call_id=f"c{i}", at=now) for i in range(30)],
        finished=[finished("not_met", now, call=f"c{i}") for i in range(30)],
        promise_judgements=[
            promised("confirmed", call_id=f"c{i}", at=now, registered=i % 2 == 0, type="callback") for i in range(20)
        ],
    )
    with open_catalog(config, root, tables) as sql:
        yield sql


MORE_CRITERIA = (*CRITERIA, "promise_broken_reported")


def test_the_queries_of_the_guide_run_and_find_something(tmp_path: Path, config: Config) -> None:
    queries = queries_of_the_guide()
    assert len(queries) >= 5
    with a_month(config, tmp_path) as sql:
        for query in queries:
            assert sql.execute(query).fetchall(), query
