"""The page of contested verdicts."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy import select

from callanalytics.review.selection import team_scope
from callanalytics.review.session import (
    CHANGES,
    LINES_A_PAGE,
    Outcome,
    Reviewer,
    RowId,
    Settler,
    desk_of,
    page,
    see_other,
)
from callanalytics.store.reviews.tables import Contest, IndexedCall, User

router = APIRouter()


@router.get("/contests")
def show_contests(request: Request, person: Reviewer) -> Response:
    """Show what agents contest and nobody settled, the oldest first; then what was settled lately."""
    desk = desk_of(request)
    asked = (
        select(Contest, IndexedCall, User.name)
        .join(IndexedCall, IndexedCall.call_id == Contest.call_id)
        .join(User, User.id == Contest.user_id)
        .where(team_scope(person, desk.may_tell_apart))
    )
    open_ones = asked.where(Contest.settled_at.is_(None)).order_by(Contest.id).limit(2 * LINES_A_PAGE)
    settled = asked.where(Contest.settled_at.is_not(None)).order_by(Contest.settled_at.desc()).limit(LINES_A_PAGE)
    with desk.reviews.reading() as orm:
        waiting, lately = orm.execute(open_ones).all(), orm.execute(settled).all()
    return page(request, "contests.html", waiting=waiting, lately=lately)


@router.post("/contests/settle", dependencies=CHANGES)
def settle_contest(request: Request, person: Settler, contest_id: RowId, outcome: Outcome) -> Response:
    """Settle a contest: the agent is right, or is not."""
    if not desk_of(request).reviews.settle(person.id, contest_id, outcome):
        raise HTTPException(404)
    return see_other("/contests")
