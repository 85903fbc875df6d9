"""The calls of OUT as rows of the review store: the work list is then one question to a database, whatever OUT holds.

The index is made from the parts of `calls` and follows them: what a run, a rescore or an erasure changed is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, insert, select

from callanalytics.store.datasets import UNKNOWN_DATE, Store
from callanalytics.store.reviews.reviews import Reviews
from callanalytics.store.reviews.tables import IndexedCall, IndexedCriterion, IndexedPart, IndexedPromise

STATUS, PROBABILITY = "criterion_", "probability_"
PARTS_AT_ONCE = 50
SAME = ("call_id", "started_at", "queue", "direction", "agent_ref", "topic", "duration_ms", "scorable")
OF_PROMISE = ("call_id", "promise_index", "type", "due_at", "number_confirmed", "start_ms")  # none of its words
MORE = ("normalized_score", "compliance_status", "recording", "recording_sha256")


def refresh(reviews: Reviews, store: Store, advanced: Callable[[int, int], None] = lambda done, of: None) -> int:
    """Bring the index up to date; returns how many parts were read, and tells `advanced` as it goes.

    OUT is the truth: a call that is nowhere in it leaves the index, one that moved to another part is read there.
    """
    with store.reading():
        marks = store.marks()
        with reviews.reading() as orm:
            known = {row.part: row.mark for row in orm.scalars(select(IndexedPart))}
        changed = sorted(part for part, mark in marks.items() if known.get(part) != mark)
        gone = sorted(known.keys() - marks.keys())
        for i in range(0, len(changed), PARTS_AT_ONCE):
            some = changed[i : i + PARTS_AT_ONCE]
            advanced(i, len(changed))
            promises = {part: store.rows_of(part, "promises", list(OF_PROMISE)) for part in some}
            _take_in(reviews, {part: store.rows_of(part) for part in some}, promises, marks)
        if gone:
            with reviews.saving() as orm:
                for part in gone:
                    left = select(IndexedCall.call_id).where(IndexedCall.part == part)
                    orm.execute(delete(IndexedCriterion).where(IndexedCriterion.call_id.in_(left)))
                    orm.execute(delete(IndexedCall).where(IndexedCall.part == part))
                    orm.execute(delete(IndexedPart).where(IndexedPart.part == part))
    return len(changed)


def _take_in(
    reviews: Reviews,
    parts: dict[str, list[dict[str, Any]]],
    promises: dict[str, list[dict[str, Any]]],
    marks: dict[str, str],
) -> None:
    calls = [(part, row) for part, rows in parts.items() for row in rows]
    ids = [row["call_id"] for _, row in calls]
    with reviews.saving() as orm:
        here = select(IndexedCall.call_id).where(IndexedCall.part.in_(parts))
        orm.execute(delete(IndexedCriterion).where(IndexedCriterion.call_id.in_(here)))
        orm.execute(delete(IndexedCall).where(IndexedCall.part.in_(parts)))
        orm.execute(delete(IndexedPart).where(IndexedPart.part.in_(parts)))
        for some in (ids[i : i + 500] for i in range(0, len(ids), 500)):  # elsewhere until now
            orm.execute(delete(IndexedCriterion).where(IndexedCriterion.call_id.in_(some)))
            orm.execute(delete(IndexedCall).where(IndexedCall.call_id.in_(some)))
        # A call that a run is just moving stands in two parts; the newest row counts, as in the store.
        newest = {row["call_id"]: (part, row) for part, row in sorted(calls, key=lambda one: one[1]["processed_at"])}
        if newest:
            orm.execute(insert(IndexedCall), [_call_row(part, row) for part, row in newest.values()])
            criteria = [one for _, row in newest.values() for one in _criterion_rows(row)]
            if criteria:
                orm.execute(insert(IndexedCriterion), criteria)
        # Those of before went with their calls.
        where = {call_id: part for call_id, (part, _) in newest.items()}
        made = [row for part, rows in promises.items() for row in rows if where.get(row["call_id"]) == part]
        if made:
            orm.execute(insert(IndexedPromise), made)
        orm.execute(insert(IndexedPart), [{"part": part, "mark": marks[part]} for part in parts])


def _call_row(part: str, row: dict[str, Any]) -> dict[str, Any]:
    day = part.split("/", 1)[0].removeprefix("date=")
    applied = [one["probability"] for one in _criterion_rows(row) if one["status"] != "not_applicable"]
    return {name: row[name] for name in SAME + MORE} | {
        "part": part,
        "day": row["processed_at"].date() if day == UNKNOWN_DATE else date.fromisoformat(day),
        "sensitive": bool(row.get("topic_sensitive")),
        "uncertainty": measure_uncertainty(applied),
        "uncertain": sum(one["status"] == "uncertain" for one in _criterion_rows(row)),
        "scoring": row.get("scoring_fingerprint") or "",
    }


def measure_uncertainty(probabilities: Sequence[float]) -> float:
    """Return how little the machine knows of a call, 0 to 1: the mean of 4 p (1 - p), a Bernoulli variance scaled to 1.

    0.5, 1.0   ->   0.5
    """
    return sum(4 * p * (1 - p) for p in probabilities) / len(probabilities) if probabilities else 0.0


def _criterion_rows(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "call_id": row["call_id"],
            "criterion": name.removeprefix(STATUS),
            "status": status,
            "probability": row[PROBABILITY + name.removeprefix(STATUS)] or 0.0,
        }
        for name, status in row.items()
        if name.startswith(STATUS) and status is not None
    ]
