"""The pages of samples."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError
from sqlalchemy import ColumnElement, select, true, update

from callanalytics.review.desk import Desk
from callanalytics.review.pages.worklist import Reviewer, Sampler
from callanalytics.review.selection import (
    FRAME,
    MAX_SAMPLE,
    Filters,
    Plan,
    _queues,
    draw_calls,
    read_filters,
    rows_of,
    standings,
)
from callanalytics.review.session import call_link, check_csrf, desk_of, formats, page
from callanalytics.store.reviews.people import Person
from callanalytics.store.reviews.tables import Finished, IndexedCall, Sample, SampleCall

router = APIRouter()


@router.get("/samples")
def show_samples(request: Request, person: Reviewer) -> Response:
    """The samples, and the form that draws one from the calls that the address asks for."""
    desk = desk_of(request)
    filters, _ = read_filters(request.query_params)
    return _samples_page(request, desk, person, filters)


def _samples_page(
    request: Request, desk: Desk, person: Person, filters: Filters, status: int = 200, wrong: str = ""
) -> Response:
    may_tell_apart = desk.config.privacy.agents_may_be_told_apart
    with desk.reviews.reading() as orm:
        samples = standings(orm, person)
        queues = _queues(orm, person, may_tell_apart)
    return page(
        request,
        "samples.html",
        status,
        samples=samples,
        filters=filters,
        queues=queues,
        topics=list(desk.topics),
        may_tell_apart=may_tell_apart,
        this_month=f"{date.today():%Y-%m}",
        wrong=wrong,
        most=MAX_SAMPLE,
        call_link=call_link,
        **formats(desk, person.lang),
    )


@router.post("/samples", dependencies=[Depends(check_csrf)])
async def draw_sample(request: Request, person: Sampler) -> Response:
    """Draw one; or the form again when it made no sense or no call fits."""
    from fastapi.concurrency import run_in_threadpool

    form = await request.form()
    fields = {name: value for name, value in form.items() if isinstance(value, str) and value.strip()}
    chosen = [value for value in form.getlist("call") if isinstance(value, str)]
    return await run_in_threadpool(_draw, request, person, fields, chosen)


def _draw(request: Request, person: Person, fields: dict[str, str], chosen: list[str]) -> Response:
    desk = desk_of(request)
    filters, ignored = read_filters({name: fields.get(name, "") for name in FRAME})
    try:
        plan = Plan.model_validate(fields)
    except ValidationError:
        return _samples_page(request, desk, person, filters, 422, "sample_wrong")
    if ignored:
        return _samples_page(request, desk, person, filters, 422, "sample_wrong")
    seed = plan.seed if plan.seed is not None else secrets.randbelow(2**31)
    with desk.reviews.reading() as orm:
        may_tell_apart = desk.config.privacy.agents_may_be_told_apart
        call_ids = draw_calls(orm, plan, filters, person, may_tell_apart, seed, chosen)
    if not call_ids:
        return _samples_page(request, desk, person, filters, 422, "sample_empty")
    how = plan.model_dump(mode="json", exclude={"name", "kind", "blind", "seed"}, exclude_defaults=True)
    kept = how | filters.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    sample_id = desk.reviews.draw(person.id, plan.name, plan.kind, call_ids, seed, kept, plan.blind)
    return RedirectResponse(f"/sample?id={sample_id}", 303)


@router.get("/sample")
def show_sample(request: Request, id: int, person: Reviewer) -> Response:
    """A sample: how far it is, where to go on.  Of a blind one nothing that the machine said is shown."""
    desk = desk_of(request)
    with desk.reviews.reading() as orm:
        found = standings(orm, person, id) if 0 < id < 2**31 else []
        if not found:
            raise HTTPException(404)
        sample = found[0].sample
        if sample.closed_at is None or person.may("sensitive"):
            scope: ColumnElement[bool] = true()
        else:
            scope = IndexedCall.sensitive.is_(False)
        order = select(SampleCall.call_id).join(IndexedCall, IndexedCall.call_id == SampleCall.call_id)
        ids = orm.scalars(order.where(SampleCall.sample_id == id, scope).order_by(SampleCall.position))
        rows = rows_of(orm, list(ids), person)
        mine = set(orm.scalars(select(Finished.call_id).where(Finished.sample_id == id, Finished.user_id == person.id)))
    return page(
        request,
        "sample.html",
        standing=found[0],
        rows=rows,
        mine=mine,
        call_link=call_link,
        **formats(desk, person.lang),
    )


@router.post("/sample/close", dependencies=[Depends(check_csrf)])
def close_sample(request: Request, _: Sampler, id: Annotated[int, Form(gt=0, lt=2**31)]) -> Response:
    """Close one: it has been reviewed, or is not wanted any more."""
    with desk_of(request).reviews.saving() as orm:
        closed = orm.execute(
            update(Sample).where(Sample.id == id, Sample.closed_at.is_(None)).values(closed_at=datetime.now(UTC))
        )
        if not closed.rowcount:  # type: ignore[attr-defined]
            raise HTTPException(404)
    return RedirectResponse("/samples", 303)
