"""The page of the promise register."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import and_, select

from callanalytics.records import PromiseRow
from callanalytics.review.desk import Desk
from callanalytics.review.register import VIEWS, Promise, View, count_kept, list_promises, today_of
from callanalytics.review.selection import _team_topics, visible
from callanalytics.review.session import (
    _TEXT,
    PAGE,
    PAGES,
    Reviewer,
    Token,
    call_link,
    changing,
    desk_of,
    formats,
    new_token,
    page,
)
from callanalytics.store.reviews.people import Person
from callanalytics.store.reviews.reviews import SaidOfPromise
from callanalytics.store.reviews.tables import IndexedPromise, PromiseJudgement
from callanalytics.texts import say

router = APIRouter()


class Seen:
    """Whose eyes have been on which call since the app began: the ledger is told once a day, not at every click."""

    def __init__(self) -> None:
        self._lock, self._day = threading.Lock(), date.min
        self._known: set[tuple[int, str]] = set()

    def new(self, person: Person, call_ids: Sequence[str], today: date) -> list[str]:
        """Those calls that this person has not seen today."""
        with self._lock:
            if today != self._day:
                self._day, self._known = today, set()
            fresh = [one for one in dict.fromkeys(call_ids) if (person.id, one) not in self._known]
            self._known |= {(person.id, one) for one in fresh}
        return fresh


def _seen_of(request: Request) -> Seen:
    state = request.app.state
    if not hasattr(state, "seen_in_register"):
        state.seen_in_register = Seen()
    seen: Seen = state.seen_in_register
    return seen


def _with_words(desk: Desk, seen: Seen, person: Person, promises: Sequence[Promise]) -> list[Promise]:
    """The promises of a page in the words of their calls, which alone are read; the ledger is told of it."""
    said: dict[str, list[PromiseRow]] = {}
    for promise in promises:
        call = promise.call
        if call.call_id not in said:
            said[call.call_id] = desk.store.promises_of(call.call_id, call.part)
    shown = [
        replace(one, words=next((p.quote for p in said[one.call.call_id] if p.start_ms == one.start_ms), ""))
        for one in promises
    ]
    recordings: Mapping[str, str] = {one.call.call_id: one.call.recording_sha256 for one in shown if one.words}
    fresh = seen.new(person, list(recordings), datetime.now(UTC).date())
    reason = say("review.re_reason", desk.config.lang)
    desk.ledger.add("view", [(call_id, recordings[call_id]) for call_id in fresh], reason, person.name)
    return shown


@router.get("/register")
def show_register(
    request: Request,
    person: Reviewer,
    view: View = "today",
    page_number: Annotated[int, Query(alias="page", ge=1, le=PAGES)] = 1,
) -> Response:
    """What was promised to citizens: overdue, due today, soon, without a date, and what became of it."""
    desk = desk_of(request)
    desk.keep_up()
    days = today_of(ZoneInfo(desk.config.municipality.timezone), datetime.now(UTC))
    scope = visible(person, desk.config.privacy.agents_may_be_told_apart, _team_topics(person))
    with desk.reviews.reading() as orm:
        promises, counts = list_promises(orm, scope, view, days, page_number)
        kept = count_kept(orm, scope)
    return page(
        request,
        "register.html",
        promises=_with_words(desk, _seen_of(request), person, promises),
        counts=counts,
        views=VIEWS,
        view=view,
        number=page_number,
        pages=min(PAGES, max(1, -(-counts[view] // PAGE))),
        kept=kept if kept.n >= desk.config.privacy.smallest_group else None,
        least=desk.config.privacy.smallest_group,
        new_token=new_token,
        call_link=call_link,
        **formats(desk, person.lang),
    )


@router.post("/register", dependencies=changing)
def answer_promise(
    request: Request,
    person: Reviewer,
    call_id: Annotated[str, Form(max_length=400, pattern=_TEXT)],
    start_ms: Annotated[int, Form(ge=0, lt=2**31)],
    token: Token,
    registered: Annotated[Literal["", "yes", "no"], Form()] = "",
    kept: Annotated[Literal["", "yes", "no"], Form()] = "",
    view: Annotated[View, Form()] = "today",
) -> Response:
    """Whether the promise stands in the municipality's own system, and whether it was kept; what is known stays."""
    desk = desk_of(request)
    call = desk.find(call_id)
    if call is None or not desk.may_see(person, call):
        raise HTTPException(404)
    here = and_(PromiseJudgement.call_id == call_id, PromiseJudgement.start_ms == start_ms)
    with desk.reviews.reading() as orm:
        last = orm.scalar(select(PromiseJudgement).where(here).order_by(PromiseJudgement.id.desc()).limit(1))
        found = orm.scalar(
            select(IndexedPromise).where(IndexedPromise.call_id == call_id, IndexedPromise.start_ms == start_ms)
        )
    if last is None and found is None:
        raise HTTPException(404)
    answers: dict[str, bool | None] = {"yes": True, "no": False, "": None}
    said = SaidOfPromise(
        promise_index=last.promise_index if last else found.promise_index,  # type: ignore[union-attr]
        start_ms=start_ms,
        answer=last.answer if last else "confirmed",  # type: ignore[arg-type]
        type=last.type if last else found.type,  # type: ignore[union-attr]
        due_at=last.due_at if last else None,
        registered=answers[registered],
        kept=answers[kept],
        note=last.note if last else "",
    )
    desk.reviews.judge_promise(person.id, call_id, said, token)
    return RedirectResponse(f"/register?view={view}", 303)
