"""The page of contested verdicts."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from callanalytics.review.selection import _team_topics, visible
from callanalytics.review.session import PAGE, Id, Reviewer, allowed, call_link, changing, desk_of, formats, page
from callanalytics.store.reviews.people import Person
from callanalytics.store.reviews.tables import Contest, IndexedCall, User

router = APIRouter()
Settler = Annotated[Person, allowed("settle")]



@router.get("/contests")
def show_contests(request: Request, person: Reviewer) -> Response:
    """What agents do not agree with and nobody settled, the oldest first; then what was settled lately."""
    desk = desk_of(request)
    scope = visible(person, desk.config.privacy.agents_may_be_told_apart, _team_topics(person))
    asked = (
        select(Contest, IndexedCall, User.name)
        .join(IndexedCall, IndexedCall.call_id == Contest.call_id)
        .join(User, User.id == Contest.user_id)
        .where(scope)
    )
    with desk.reviews.reading() as orm:
        waiting = orm.execute(asked.where(Contest.settled_at.is_(None)).order_by(Contest.id).limit(2 * PAGE)).all()
        settled = asked.where(Contest.settled_at.is_not(None)).order_by(Contest.settled_at.desc()).limit(PAGE)
        lately = orm.execute(settled).all()
    return page(
        request,
        "contests.html",
        waiting=waiting,
        lately=lately,
        call_link=call_link,
        **formats(desk, person.lang),
    )


@router.post("/contests/settle", dependencies=changing)
def settle_contest(
    request: Request, person: Settler, id: Id, outcome: Annotated[Literal["upheld", "declined"], Form()]
) -> Response:
    """The agent is right, or is not."""
    if not desk_of(request).reviews.settle(person.id, id, outcome):
        raise HTTPException(404)
    return RedirectResponse("/contests", 303)
