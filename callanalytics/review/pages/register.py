"""The page of the promise register."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import Response
from sqlalchemy import select

from callanalytics.records import PromiseRow
from callanalytics.review.desk import Desk
from callanalytics.review.register import VIEWS, Promise, View, count_kept, list_promises, today_of
from callanalytics.review.selection import team_scope
from callanalytics.review.session import (
    CHANGES,
    LINES_A_PAGE,
    NO_ID,
    WITHOUT_NUL,
    YES_OR_NO,
    Reviewer,
    SaveToken,
    YesNoUnknown,
    desk_of,
    page,
    see_other,
)
from callanalytics.store.reviews.people import Person
from callanalytics.store.reviews.reviews import SaidOfPromise
from callanalytics.store.reviews.tables import IndexedPromise, PromiseJudgement
from callanalytics.texts import say

router = APIRouter()
MOST_PAGES = 40


class ViewsToday:
    """Who has seen the words of which call today: the ledger gets one line a day, not one at every click."""

    def __init__(self) -> None:
        self._lock, self._day = threading.Lock(), date.min
        self._known: set[tuple[int, str]] = set()

    def add(self, person: Person, call_ids: Sequence[str], today: date) -> list[str]:
        """Return those calls that this person had not seen today."""
        with self._lock:
            if today != self._day:
                self._day, self._known = today, set()
            fresh = [one for one in dict.fromkeys(call_ids) if (person.id, one) not in self._known]
            self._known |= {(person.id, one) for one in fresh}
        return fresh


def _views_of(request: Request) -> ViewsToday:
    state = request.app.state
    if not hasattr(state, "seen_in_register"):
        state.seen_in_register = ViewsToday()
    views: ViewsToday = state.seen_in_register
    return views


def _with_words(desk: Desk, views: ViewsToday, person: Person, promises: Sequence[Promise]) -> list[Promise]:
    """Return the promises of a page with their words, read from their calls alone; write the views to the ledger."""
    said: dict[str, list[PromiseRow]] = {}
    for call in (promise.call for promise in promises):
        if call.call_id not in said:
            said[call.call_id] = desk.store.promises_of(call.call_id, call.part)
    shown = [
        replace(one, words=next((p.quote for p in said[one.call.call_id] if p.start_ms == one.start_ms), ""))
        for one in promises
    ]
    recordings = {one.call.call_id: one.call.recording_sha256 for one in shown if one.words}
    fresh = views.add(person, list(recordings), datetime.now(UTC).date())
    reason = say("review.re_reason", desk.config.lang)
    desk.ledger.add("view", [(call_id, recordings[call_id]) for call_id in fresh], reason, person.name)
    return shown


@router.get("/register")
def show_register(
    request: Request,
    person: Reviewer,
    view: View = "today",
    page_number: Annotated[int, Query(alias="page", ge=1, le=MOST_PAGES)] = 1,
) -> Response:
    """Show what was promised to citizens: overdue, due today, soon, without a date, and what became of it."""
    desk = desk_of(request)
    desk.keep_up()
    days = today_of(ZoneInfo(desk.config.municipality.timezone), datetime.now(UTC))
    scope, least = team_scope(person, desk.may_tell_apart), desk.config.privacy.smallest_group
    with desk.reviews.reading() as orm:
        promises, counts = list_promises(orm, scope, view, days, page_number)
        kept = count_kept(orm, scope)
    return page(
        request, "register.html", promises=_with_words(desk, _views_of(request), person, promises), counts=counts,
        views=VIEWS, view=view, number=page_number, pages=min(MOST_PAGES, max(1, -(-counts[view] // LINES_A_PAGE))),
        kept=kept if kept.n >= least else None, least=least,
    )  # fmt: skip


@router.post("/register", dependencies=CHANGES)
def answer_promise(
    request: Request,
    person: Reviewer,
    call_id: Annotated[str, Form(max_length=400, pattern=WITHOUT_NUL)],
    start_ms: Annotated[int, Form(ge=0, lt=NO_ID)],
    token: SaveToken,
    registered: YesNoUnknown = "",
    kept: YesNoUnknown = "",
    view: Annotated[View, Form()] = "today",
) -> Response:
    """Keep whether the promise is in the municipality's own system, and whether it was kept; other answers stand."""
    desk = desk_of(request)
    call = desk.find(call_id)
    if call is None or not desk.may_see(person, call):
        raise HTTPException(404)

    def here(table: Any) -> Any:
        return select(table).where(table.call_id == call_id, table.start_ms == start_ms)

    with desk.reviews.reading() as orm:
        last = orm.scalar(here(PromiseJudgement).order_by(PromiseJudgement.id.desc()).limit(1))
        found = orm.scalar(here(IndexedPromise))
    if last:
        said = SaidOfPromise(last.promise_index, start_ms, last.answer, last.type, last.due_at, note=last.note)
    elif found:
        said = SaidOfPromise(found.promise_index, start_ms, "confirmed", found.type)
    else:
        raise HTTPException(404)
    said = replace(said, registered=YES_OR_NO[registered], kept=YES_OR_NO[kept])
    desk.reviews.judge_promise(person.id, call_id, said, token)
    return see_other(f"/register?view={view}")
