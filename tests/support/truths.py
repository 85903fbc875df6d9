"""Truth files and rows to judge against them."""

from __future__ import annotations

import dataclasses
import typing
from datetime import UTC, datetime
from typing import Any

from callanalytics.records import CriterionRow

NOW = datetime(2026, 10, 5, 8, tzinfo=UTC)


def tree(**changes: Any) -> dict[str, Any]:
    """A small call: an announcement, an agent, a citizen, a second agent."""
    base: dict[str, Any] = {
        "call_id": "t1",
        "duration_s": 60.0,
        "layout": "mono",
        "turns": [
            {"speaker": "I", "start": 0.0, "end": 2.0, "text": "Welkom bij de gemeente."},
            {"speaker": "A", "start": 3.0, "end": 6.0, "text": "Goedemorgen, met Piet de Boer."},
            {"speaker": "C", "start": 6.0, "end": 10.0, "text": "Met Jansen, om negen uur, Kade nummer negen."},
            {"speaker": "T", "start": 30.0, "end": 34.0, "text": "Ik bel u morgen terug, meneer Jansen."},
        ],
        "roles": {"A": "agent", "C": "citizen", "I": "ivr", "T": "agent2"},
        "holds": [[12.0, 29.0]],
        "criteria": {"empathy": "no"},
        "promise": [{"type": "callback", "due": "2026-10-06", "quote": "Ik bel u morgen terug"}],
        "pii": [
            {"kind": "person_name", "s": "A", "text": "Piet de Boer"},
            {"kind": "person_name", "s": "A", "text": "Boer"},
            {"kind": "person_name", "s": "C", "text": "Jansen"},
            {"kind": "house_number", "s": "C", "text": "negen"},
        ],
        "topic": "wmo",
    }
    return {**base, **changes}


def row_of(row: type, **values: Any) -> Any:
    """A row with these values and something harmless in every other column."""
    hints = typing.get_type_hints(row)
    harmless: dict[Any, Any] = {str: "", int: 0, float: 0.0, bool: False, datetime: NOW}
    names = [f.name for f in dataclasses.fields(row)]
    return row(**{name: values.get(name, harmless.get(hints[name], () if "tuple" in str(hints[name]) else None))
                  for name in names})  # fmt: skip


def criterion_of(name: str, detected: bool, status: str = "", probability: float = 0.9, applicable: bool = True) -> Any:
    status = status or ("met" if detected else "not_met")
    return row_of(
        CriterionRow, criterion=name, applicable=applicable, detected=detected, status=status, probability=probability
    )
