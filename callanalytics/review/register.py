"""The promise register, read from the index of calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from sqlalchemy import Boolean, ColumnElement, and_, column, func, select, text
from sqlalchemy.orm import Session as Orm

from callanalytics.intervals import wilson_interval
from callanalytics.review.session import LINES_A_PAGE
from callanalytics.store.catalog import counted_promises
from callanalytics.store.reviews.tables import IndexedCall, IndexedPromise, PromiseJudgement

SOON = timedelta(days=7)
View = Literal["overdue", "today", "soon", "later", "undated", "done"]
VIEWS: tuple[View, ...] = get_args(View)


@dataclass(frozen=True, slots=True)
class Promise:
    """A line of the register: a promise that the machine found, people's answers in place, or one that they added."""

    call: IndexedCall
    promise_index: int | None
    start_ms: int
    type: str
    due_at: datetime | None
    number_confirmed: bool | None
    registered: bool | None
    kept: bool | None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """How many of the promises that people looked into were kept."""

    kept: int
    n: int
    interval: tuple[float, float] | None


def _register() -> Any:
    """Return every promise that stands, as the view `register` of the catalog has it, from the index."""
    types = {
        IndexedPromise: ("call_id", "promise_index", "start_ms", "number_confirmed"),
        PromiseJudgement: ("registered", "kept"),
    }
    columns = [column(name, getattr(table, name).type) for table, names in types.items() for name in names]
    columns += [
        column("final_type", IndexedPromise.type.type),
        column("final_due_at", IndexedPromise.due_at.type),
        column("is_rejected", Boolean()),
    ]
    counted = text(counted_promises(IndexedPromise.__tablename__)).columns(*columns).subquery("counted")
    return select(counted).where(counted.c.is_rejected.is_(False)).subquery("standing")


def _in_view(
    view: View, due: ColumnElement[Any], kept: ColumnElement[Any], days: tuple[datetime, datetime]
) -> ColumnElement[bool]:
    """Return which promises a view holds; `days` are the start of today and of tomorrow."""
    today, tomorrow = days
    if view == "done":
        return kept.is_not(None)
    when: dict[str, ColumnElement[bool]] = {
        "overdue": due < today,
        "today": and_(due >= today, due < tomorrow),
        "soon": and_(due >= tomorrow, due < tomorrow + SOON),
        "later": due >= tomorrow + SOON,
        "undated": due.is_(None),
    }
    return and_(kept.is_(None), when[view])


def list_promises(
    orm: Orm, scope: ColumnElement[bool], view: View, days: tuple[datetime, datetime], number: int = 1
) -> tuple[list[Promise], dict[str, int]]:
    """Return a page of a view of the register, what is due first on top, and how many promises each view holds."""
    lines = _register()
    due, kept = lines.c.final_due_at, lines.c.kept
    of_call = IndexedCall.call_id == lines.c.call_id
    sums = [func.count().filter(_in_view(one, due, kept, days)).label(one) for one in VIEWS]
    counts = orm.execute(select(*sums).select_from(lines).join(IndexedCall, of_call).where(scope)).mappings().one()
    order = (due.desc(),) if view == "done" else (due, IndexedCall.day.desc())
    shown = (lines.c[name] for name in ("promise_index", "start_ms", "final_type", "final_due_at", "number_confirmed"))
    asked = select(IndexedCall, *shown, lines.c.registered, kept).join(lines, of_call)
    asked = asked.where(scope, _in_view(view, due, kept, days)).order_by(*order, lines.c.call_id, lines.c.start_ms)
    found = orm.execute(asked.limit(LINES_A_PAGE).offset((number - 1) * LINES_A_PAGE))
    return [Promise(*row) for row in found], {name: int(n) for name, n in counts.items()}


def count_kept(orm: Orm, scope: ColumnElement[bool]) -> Kept:
    """Return how many promises were kept, of those that somebody looked into."""
    lines = _register()
    kept = lines.c.kept
    asked = select(func.count().filter(kept.is_(True)), func.count().filter(kept.is_not(None))).select_from(lines)
    good, n = orm.execute(asked.join(IndexedCall, IndexedCall.call_id == lines.c.call_id).where(scope)).one()
    return Kept(good, n, wilson_interval(good, n))


def today_of(zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """Return the start of the day of a moment in a zone, and of the day after: 23 or 25 hours apart twice a year."""
    day = now.astimezone(zone).date()
    first, second = (datetime.combine(day + timedelta(days=i), time(), zone).astimezone(UTC) for i in (0, 1))
    return first, second
