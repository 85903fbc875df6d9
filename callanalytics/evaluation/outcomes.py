"""Read what the engine published about a call, as the evaluation compares it with truth."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from callanalytics.errors import InputError
from callanalytics.records import CriterionRow, Event, PromiseRow, Span, Turn, Word
from callanalytics.texts import Message


def read_outcomes(out: Path) -> tuple[dict[str, Outcome], dict[str, str]]:
    """Every published call, and the stage at which each failed call failed.  Raises InputError without any call."""
    parts = sorted((out / "calls").glob("date=*/*.parquet"))
    if not parts:
        raise InputError(path=out, reason=Message("errors.holds_no_calls_give"))
    newest: dict[str, tuple[datetime, Outcome]] = {}
    for part in parts:
        # A part's details lie in files of the same date and name; rows left by a killed run are never looked at.
        details = {
            name: _rows_by_call(out / name / part.parent.name / part.name)
            for name in ("turns", "criteria", "promises", "events")
        }
        for call_id, (*_, row) in _rows_by_call(part).items():
            try:
                outcome = _to_outcome(row, {name: rows.get(call_id, []) for name, rows in details.items()})
            except (KeyError, TypeError):
                raise InputError(path=part, reason=Message("errors.columns_not_those_version")) from None
            if call_id not in newest or row["processed_at"] >= newest[call_id][0]:
                newest[call_id] = row["processed_at"], outcome
    failed = {
        call_id: str(rows[-1]["stage"])
        for path in sorted((out / "failures").glob("date=*/*.parquet"))
        for call_id, rows in _rows_by_call(path).items()
    }
    outcomes = {call_id: outcome for call_id, (_, outcome) in sorted(newest.items())}
    return outcomes, {call_id: stage for call_id, stage in failed.items() if call_id not in outcomes}


def _rows_by_call(path: Path) -> dict[str, list[dict[str, Any]]]:
    import pyarrow.parquet as pq

    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    if path.exists():
        for row in pq.read_table(path, partitioning=None).to_pylist():
            rows[row["call_id"]].append(row)
    return rows


def _to_outcome(call: dict[str, Any], details: dict[str, list[dict[str, Any]]]) -> Outcome:
    turns = [
        Turn(
            row["turn_index"],
            row["role"],
            row["start_ms"],
            row["end_ms"],
            row["text"],
            tuple(Word(**word) for word in row["words"] or ()),
            row["channel"],
        )
        for row in details["turns"]
    ]
    return Outcome(
        layout=call["layout"],
        duration_ms=call["duration_ms"],
        turns=tuple(sorted(turns, key=lambda turn: turn.turn_index)),
        holds=tuple((row["start_ms"], row["end_ms"]) for row in details["events"] if row["type"] == "hold"),
        criteria=tuple(CriterionRow(**{**row, "evidence": ()}) for row in details["criteria"]),
        promises=tuple(PromiseRow(**row) for row in details["promises"]),
        topic=call["topic"],
        agent_channel=call["agent_channel"],
        not_scorable_reason=call["not_scorable_reason"],
        started_at=call["started_at"],
        events=tuple(Event(row["type"], row["by"], row["start_ms"], row["end_ms"]) for row in details["events"]),
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was stored of one call, as far as it is judged."""

    layout: str
    duration_ms: int
    turns: tuple[Turn, ...]
    holds: tuple[Span, ...] = ()
    criteria: tuple[CriterionRow, ...] = ()
    promises: tuple[PromiseRow, ...] = ()
    topic: str = ""
    agent_channel: int | None = None
    not_scorable_reason: str | None = None
    started_at: datetime | None = None
    events: tuple[Event, ...] = ()
