"""The page of improvement actions (Plan-Do-Check-Act)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy import select

from callanalytics.review.session import (
    CHANGES,
    Planner,
    RequiredText,
    Reviewer,
    RowId,
    SaveToken,
    desk_of,
    page,
    see_other,
)
from callanalytics.store.reviews.tables import PlanAction

router = APIRouter()
MOST_ACTIONS = 1000


@router.get("/plan")
def show_plan(request: Request, _: Reviewer) -> Response:
    """Show what the team does to get better, and what came of it; open lines first."""
    desk = desk_of(request)
    order = (PlanAction.closed_at.is_not(None), PlanAction.starts_on.desc(), PlanAction.id.desc())
    with desk.reviews.reading() as orm:
        actions = list(orm.scalars(select(PlanAction).order_by(*order).limit(MOST_ACTIONS)))
    items, today = list(desk.config.scorecard.items), date.today().isoformat()
    return page(request, "plan.html", actions=actions, items=items, today=today)


@router.post("/plan", dependencies=CHANGES)
def add_action(
    request: Request,
    person: Planner,
    action: RequiredText,
    hypothesis: RequiredText,
    item: Annotated[str, Form(max_length=60)],
    starts_on: Annotated[date, Form()],
    token: SaveToken,
) -> Response:
    """Add a line; the same form sent twice is one line."""
    desk = desk_of(request)
    if item not in desk.config.scorecard.items or not action.strip() or not hypothesis.strip():
        raise HTTPException(422)
    desk.reviews.plan(person.id, action.strip(), hypothesis.strip(), item, starts_on, token)
    return see_other("/plan")


@router.post("/plan/conclude", dependencies=CHANGES)
def conclude_action(request: Request, _: Planner, action_id: RowId, conclusion: RequiredText) -> Response:
    """Close a line with what was learnt."""
    if not conclusion.strip():
        raise HTTPException(422)
    if not desk_of(request).reviews.conclude(action_id, conclusion.strip()):
        raise HTTPException(404)
    return see_other("/plan")
