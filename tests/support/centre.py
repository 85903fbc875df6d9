"""A made-up contact centre: an OUT filled with scripted calls, what people answered about them, and how to read it."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from callanalytics.config import Config, Storage
from callanalytics.engine import batch
from callanalytics.privacy.ledger import NAME as LEDGER
from callanalytics.privacy.rights import Rights
from callanalytics.records import CallResult, CriterionRow, PromiseRow, RunRow
from callanalytics.scoring import load_files
from callanalytics.store.datasets import DETAILS, Store
from callanalytics.store.reviews.people import add_user
from callanalytics.store.reviews.tables import Judgement, arrow_schemas
from callanalytics.store.run_page import run_page
from tests.support.fakes import CRITERIA, ITEMS, MOMENT, Watcher, call_result, failure_row

LATER = MOMENT + timedelta(hours=1)
PASSWORD = "een lang wachtwoord"
PER_CALL = {"turns": 2, "criteria": len(CRITERIA), "promises": 1, "events": 1, "score_history": 1}
SURE, HARD = "greeting_agent_name", "empathy"  # two criteria of the shipped card
RUN = RunRow("r1", MOMENT, MOMENT, 3, 0, 2, 1, 0, 0, 0, 5, 5, {"decode": 1}, {"python": "3"}, "f1")

ROW = RunRow(
    "r1", MOMENT, MOMENT + timedelta(minutes=5), 10, 3, 4, 2, 1, 0, 0, 1_200_000, 300_000,
    {"transcribe": 200_000, "decode": 3_000}, {"python": "3.11"}, "f1",
)  # fmt: skip

# --- settings and runs ----------------------------------------------------------------------------------------------


def changed(config: Config, section: str, **values: Any) -> Config:
    """Return the settings with these values in one section."""
    return config.model_copy(update={section: getattr(config, section).model_copy(update=values)})


def with_engine(config: Config, **values: Any) -> Config:
    """Return the settings with these values for the engine."""
    return changed(config, "engine", **values)


def run(config: Config, recordings: Path | str, out: Path | str, **options: Any) -> tuple[RunRow, Watcher]:
    """Process a folder of recordings; return the row of the run and what an observer was told."""
    watcher = Watcher()
    return batch.run(config, recordings, out, watcher, **options), watcher  # type: ignore[arg-type]


# --- an OUT ---------------------------------------------------------------------------------------------------------


def opened(root: Path | str, config: Config | None = None, storage: Storage | None = None) -> Store:
    """Open an OUT of the two criteria of CRITERIA, or of the card of `config`; the caller closes it."""
    ids, items = (load_files(config).ids, tuple(config.scorecard.items)) if config else (CRITERIA, ITEMS)
    store = Store(root, ids, items, storage or (config.storage if config else None))
    store.open()
    return store


def publish(root: Path, *parts: Sequence[CallResult], config: Config | None = None) -> Path:
    """Fill an OUT with calls, a part each list, and close it."""
    store = opened(root, config)
    for i, part in enumerate(parts):
        store.publish(part, f"part-{i}-{len(part)}")
    store.close()
    return root


def marked(call_id: str, days: int = 0, **values: Any) -> CallResult:
    """Return a call of so many days before 28 November 2026 whose every text bears its id."""
    start = datetime(2026, 11, 28, 9, tzinfo=UTC) - timedelta(days=days)
    values = {"started_at": start, "processed_at": start, "recording_sha256": f"sha of {call_id}"} | values
    values["recording"] = f"{call_id}.wav"
    result = call_result(call_id, start.date().isoformat(), **values)
    text = f"woorden van {call_id}"
    turns = (replace(turn, text=text, words=tuple(replace(w, text=text) for w in turn.words)) for turn in result.turns)
    criteria = (replace(row, evidence=tuple(replace(e, quote=text) for e in row.evidence)) for row in result.criteria)
    promises = (replace(row, quote=text, by=text, deadline_text=text) for row in result.promises)
    return replace(result, turns=tuple(turns), criteria=tuple(criteria), promises=tuple(promises))


def carded(call_id: str, day: int = 0, p: float = 0.9, hard: float = 0.9, **values: Any) -> CallResult:
    """Return a call of so many days after MOMENT with two criteria of the shipped card, of these probabilities."""
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


def promising(call_id: str, *due: datetime | None, **values: Any) -> CallResult:
    """Return a call with a promise to call back for each moment."""
    promises = tuple(
        PromiseRow(
            call_id, i, "callback", "ik", "morgen", at, False, f"belofte {i} van {call_id}", i * 1000, i * 1000 + 400
        )
        for i, at in enumerate(due)
    )  # fmt: skip
    return replace(carded(call_id, **values), promises=promises)


# --- a call to erase ------------------------------------------------------------------------------------------------

TODAY = date(2026, 11, 28)
SECRET = "9f0e-wezep-zaak"  # a call id that is found nowhere by chance


def fill(root: Path) -> Store:
    """Fill an OUT with calls of TODAY, one of them SECRET in a part with others, with a failure on a run's page."""
    store = opened(root)
    store.publish([marked("a1"), marked(SECRET), marked("a2", days=1)], "part-0")
    store.publish([marked("a3")], "part-1")
    failures = [failure_row(SECRET, f"{SECRET}.wav", run_id="r1"), failure_row("b1", run_id="r1")]
    for row in failures:
        store.publish_failure(row)
    store.publish_run(RUN)
    store.write_report(RUN, run_page(RUN, failures, "nl"))
    return store


def aged(root: Path) -> Store:
    """Fill an OUT with calls and failures within and past the terms of the default settings on TODAY."""
    store = opened(root)
    store.publish([marked("new"), marked("old", 100), marked("held", 100)], "part-0")
    store.publish([marked("ancient", 400), marked("kept", 400), marked("edge", 90)], "part-1")
    store.publish_failure(failure_row("f-new", failed_at=datetime(2026, 11, 20, tzinfo=UTC)))
    store.publish_failure(failure_row("f-old", failed_at=datetime(2026, 5, 1, tzinfo=UTC)))
    return store


def held(root: Path, config: Config) -> Path:
    """Fill an OUT with the calls of `fill`, three of them under legal hold; return its ledger."""
    store = fill(root)
    for call_id in ("a1", "a2", "a3"):
        Rights(store, config).hold(call_id, "bezwaar")
    store.close()
    return root / LEDGER


def traces(root: Path, text: str) -> list[str]:
    """Return where a text stands under a folder: in bytes, names, or any value of a Parquet file."""

    def holds(path: Path) -> bool:
        if text in str(path.relative_to(root)) or text.encode() in path.read_bytes():
            return True
        return path.suffix == ".parquet" and text in repr(pq.read_table(path, partitioning=None).to_pylist())

    return [str(path) for path in root.rglob("*") if path.is_file() and holds(path)]


# --- changes to an OUT, for kills in the middle of them ---------------------------------------------------------------


def seed(store: Store) -> None:
    """Publish four calls in two parts, and a failure."""
    old = [call_result("a1", topic="old"), call_result("a2", topic="old"), call_result("a3", "2026-11-17")]
    store.publish(old, "part-0")
    store.publish([call_result("a4", "2026-11-17")], "part-1")
    store.publish_failure(failure_row("a9"))


def _newer(call_id: str, day: str = "2026-11-16") -> CallResult:
    return call_result(call_id, day, processed_at=LATER, topic="new", pipeline_fingerprint="f2")


def first(store: Store, part_id: str) -> None:
    """Publish calls that were not there."""
    store.publish([call_result("c1"), call_result("c2", "2026-11-17"), call_result("c3", None)], part_id)


def replace_some(store: Store, part_id: str) -> None:
    """Publish newer rows of some calls of two parts, one of which moves to another date."""
    store.publish([_newer("a1"), _newer("a4", "2026-11-18"), _newer("c1")], part_id)


def replace_all(store: Store, part_id: str) -> None:
    """Publish newer rows of every call."""
    store.publish([_newer(f"a{i}", "2026-11-16" if i < 3 else "2026-11-17") for i in range(1, 5)], part_id)


def fail(store: Store, part_id: str) -> None:
    """Publish a later failure of the call that failed."""
    store.publish_failure(failure_row("a9", failed_at=LATER, attempts=2))


def mend(store: Store, part_id: str) -> None:
    """Publish the call that failed."""
    store.publish([call_result("a9", processed_at=LATER)], part_id)


CHANGES = (first, replace_some, replace_all, fail, mend)

# --- reading --------------------------------------------------------------------------------------------------------


def read(root: Path, dataset: str) -> list[dict[str, Any]]:
    """Return the rows as an analyst reads them: DuckDB over the Hive partitions."""
    if not any((root / dataset).glob("date=*/*.parquet")):
        return []
    files = f"{root}/{dataset}/*/*.parquet"
    return duckdb.sql(f"SELECT * FROM read_parquet('{files}', union_by_name = true)").arrow().read_all().to_pylist()


def assert_whole(root: Path) -> dict[str, dict[str, Any]]:
    """Find every call once and with all its details, no detail without a call; return the calls by id."""
    calls = read(root, "calls")
    assert max(Counter(row["call_id"] for row in calls).values(), default=1) == 1
    for dataset in DETAILS:
        counts = Counter(row["call_id"] for row in read(root, dataset))
        assert counts == {row["call_id"]: PER_CALL[dataset] for row in calls}, dataset
    return {row["call_id"]: row for row in calls}


def assert_details(root: Path) -> set[str]:
    """Find no call without details of every kind, as a reader may in the middle of a change; return the ids."""
    ids = {row["call_id"] for row in read(root, "calls")}
    for dataset in DETAILS:
        assert {row["call_id"] for row in read(root, dataset)} >= ids, dataset
    return ids


def all_rows(root: Path) -> dict[str, list[str]]:
    """Return every row of an OUT as text, sorted."""
    return {dataset: sorted(map(repr, read(root, dataset))) for dataset in ("calls", *DETAILS, "failures")}


def rows(out: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the datasets of a call with their date, sorted, without what differs between two runs."""
    found: dict[str, list[dict[str, Any]]] = {}
    for dataset in ("calls", "turns", "criteria", "promises", "events"):
        table = [
            row | {"date": part.parent.name}
            for part in (out / dataset).glob("date=*/*.parquet")
            for row in pq.read_table(part, partitioning=None).to_pylist()
        ]
        moving = ("run_id", "processed_at")
        found[dataset] = sorted(({k: v for k, v in row.items() if k not in moving} for row in table), key=repr)
    return found


def call_ids(out: Path) -> list[str]:
    """Return the ids of the published calls, sorted."""
    return sorted(row["call_id"] for row in rows(out)["calls"])


def failures(out: Path) -> dict[str, dict[str, Any]]:
    """Return the failures by recording."""
    return {row["recording"]: row for row in Store(out).failures()}


# --- what people answered -------------------------------------------------------------------------------------------


def let_in(config: Config, out: Path, **roles: str) -> Path:
    """Index an OUT for review, under the key of conftest.py, and add a person with PASSWORD for every name."""
    from callanalytics.review.desk import Desk

    desk = Desk(config, out)
    desk.refresh()
    for name, role in roles.items():
        add_user(desk.reviews, name, PASSWORD, role)  # type: ignore[arg-type]
    desk.close()
    return out


def review_tables(**tables: list[dict[str, Any]]) -> dict[str, pa.Table]:
    """Return tables of the review store with these rows, numbered in their order where the table has ids."""
    full: dict[str, pa.Table] = {}
    for name, found in tables.items():
        schema = arrow_schemas()[name]
        numbered = [{"id": i, **row} if "id" in schema.names else row for i, row in enumerate(found)]
        full[name] = pa.Table.from_pylist(numbered, schema=schema)
    return full


def judged(answer: str, user_id: int = 1, at: datetime = MOMENT, **values: Any) -> dict[str, Any]:
    """Return a row of judgements, of the greeting of call c1."""
    return {
        "call_id": "c1", "criterion": "greeting", "user_id": user_id, "answer": answer, "how": "single",
        "made_at": at, **values,
    }  # fmt: skip


_numbers = itertools.count(1)


def judgement(call_id: str, answer: str, user_id: int = 1, machine: str = "met", **values: Any) -> Judgement:
    """Return a person's answer about a criterion as the store would give it, each with an id of its own."""
    base = {
        "id": next(_numbers), "criterion": "empathy", "how": "single", "reason": None, "note": "", "sample_id": None,
        "machine_status": machine, "machine_probability": 0.9, "scorecard_version": "2", "scoring": "",
        "made_at": datetime(2026, 10, 5, 9, 0, tzinfo=UTC), "token": str(next(_numbers)),
    }  # fmt: skip
    return Judgement(call_id=call_id, answer=answer, user_id=user_id, **(base | values))


def finished(status: str | None, at: datetime = MOMENT, sample_id: int | None = None, call: str = "c1") -> Any:
    """Return a row of finished reviews, with this status for the item opening."""
    items = json.dumps({"opening": status} if status else {})
    return {"call_id": call, "user_id": 1, "sample_id": sample_id, "items": items, "made_at": at}


def promised(answer: str, start_ms: int = 0, index: int | None = 0, at: datetime = MOMENT, **values: Any) -> Any:
    """Return a row of judgements of a promise of call c1, which a person calls a visit."""
    return {
        "call_id": "c1", "promise_index": index, "start_ms": start_ms, "user_id": 1, "answer": answer,
        "type": "visit", "made_at": at, **values,
    }  # fmt: skip
