"""The page of improvement actions (Plan-Do-Check-Act)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from callanalytics.review.session import (
    PAGE,
    PAGES,
    Id,
    Reviewer,
    Token,
    Words,
    allowed,
    changing,
    desk_of,
    formats,
    new_token,
    page,
)
from callanalytics.store.reviews.people import Person
from callanalytics.store.reviews.tables import PlanAction

router = APIRouter()
Planner = Annotated[Person, allowed("plan")]



@router.get("/plan")
def show_plan(request: Request, person: Reviewer) -> Response:
    """What the team does to get better, and what came of it; open lines first."""
    desk = desk_of(request)
    with desk.reviews.reading() as orm:
        order = (PlanAction.closed_at.is_not(None), PlanAction.starts_on.desc(), PlanAction.id.desc())
        actions = list(orm.scalars(select(PlanAction).order_by(*order).limit(PAGE * PAGES)))
    return page(
        request,
        "plan.html",
        actions=actions,
        items=list(desk.config.scorecard.items),
        token=new_token(),
        today=date.today().isoformat(),
        **formats(desk, person.lang),
    )


@router.post("/plan", dependencies=changing)
def add_action(
    request: Request,
    person: Planner,
    action: Words,
    hypothesis: Words,
    item: Annotated[str, Form(max_length=60)],
    starts_on: Annotated[date, Form()],
    token: Token,
) -> Response:
    """Add a line; the same form sent twice is one line."""
    desk = desk_of(request)
    if item not in desk.config.scorecard.items or not action.strip() or not hypothesis.strip():
        raise HTTPException(422)
    desk.reviews.plan(person.id, action.strip(), hypothesis.strip(), item, starts_on, token)
    return RedirectResponse("/plan", 303)


@router.post("/plan/conclude", dependencies=changing)
def conclude_action(request: Request, _: Planner, id: Id, conclusion: Words) -> Response:
    """Close a line with what was learnt."""
    if not conclusion.strip():
        raise HTTPException(422)
    if not desk_of(request).reviews.conclude(id, conclusion.strip()):
        raise HTTPException(404)
    return RedirectResponse("/plan", 303)
