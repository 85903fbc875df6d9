"""The pages of samples."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import ValidationError
from sqlalchemy import ColumnElement, select, true, update

from callanalytics.review.selection import (
    FRAME,
    MAX_SAMPLE,
    Filters,
    SampleRequest,
    draw_calls,
    lines_of,
    queue_names,
    read_filters,
    sample_progress,
)
from callanalytics.review.session import CHANGES, NO_ID, Reviewer, RowId, Sampler, desk_of, page, see_other
from callanalytics.store.reviews.people import Person
from callanalytics.store.reviews.tables import Finished, IndexedCall, Sample, SampleCall

router = APIRouter()


@router.get("/samples")
def show_samples(request: Request, person: Reviewer) -> Response:
    """Show the samples, and the form that draws one from the calls that the address asks for."""
    filters, _ = read_filters(request.query_params)
    return _samples_page(request, person, filters)


def _samples_page(request: Request, person: Person, filters: Filters, wrong: str = "") -> Response:
    desk = desk_of(request)
    with desk.reviews.reading() as orm:
        samples = sample_progress(orm, person)
        queues = queue_names(orm, person, desk.may_tell_apart)
    return page(
        request, "samples.html", 422 if wrong else 200, samples=samples, filters=filters, queues=queues,
        topics=list(desk.topics), may_tell_apart=desk.may_tell_apart, this_month=f"{date.today():%Y-%m}", wrong=wrong,
        most=MAX_SAMPLE,
    )  # fmt: skip


@router.post("/samples", dependencies=CHANGES)
async def draw_sample(request: Request, person: Sampler) -> Response:
    """Draw a sample; or show the form again when it made no sense or no call fits."""
    form = await request.form()
    fields = {name: value for name, value in form.items() if isinstance(value, str) and value.strip()}
    chosen = [value for value in form.getlist("call") if isinstance(value, str)]
    return await run_in_threadpool(_draw, request, person, fields, chosen)


def _draw(request: Request, person: Person, fields: dict[str, str], chosen: list[str]) -> Response:
    desk = desk_of(request)
    filters, ignored = read_filters({name: fields.get(name, "") for name in FRAME})
    try:
        wanted = SampleRequest.model_validate(fields)
    except ValidationError:
        wanted = None
    if wanted is None or ignored:
        return _samples_page(request, person, filters, "sample_wrong")
    seed = wanted.seed if wanted.seed is not None else secrets.randbelow(NO_ID)
    with desk.reviews.reading() as orm:
        call_ids = draw_calls(orm, wanted, filters, person, desk.may_tell_apart, seed, chosen)
    if not call_ids:
        return _samples_page(request, person, filters, "sample_empty")
    how = wanted.model_dump(mode="json", exclude={"name", "kind", "blind", "seed"}, exclude_defaults=True)
    kept = how | filters.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    sample_id = desk.reviews.draw(person.id, wanted.name, wanted.kind, call_ids, seed, kept, wanted.blind)
    return see_other(f"/sample?id={sample_id}")


@router.get("/sample")
def show_sample(request: Request, id: int, person: Reviewer) -> Response:
    """Show a sample: how far it is, where to go on.  Of a blind one no value of the machine is shown."""
    with desk_of(request).reviews.reading() as orm:
        found = sample_progress(orm, person, id) if 0 < id < NO_ID else []
        if not found:
            raise HTTPException(404)
        sees_all = found[0].sample.closed_at is None or person.may("sensitive")
        scope: ColumnElement[bool] = true() if sees_all else IndexedCall.sensitive.is_(False)
        order = select(SampleCall.call_id).join(IndexedCall, IndexedCall.call_id == SampleCall.call_id)
        ids = orm.scalars(order.where(SampleCall.sample_id == id, scope).order_by(SampleCall.position))
        rows = lines_of(orm, list(ids), person)
        mine = set(orm.scalars(select(Finished.call_id).where(Finished.sample_id == id, Finished.user_id == person.id)))
    return page(request, "sample.html", standing=found[0], rows=rows, mine=mine)


@router.post("/sample/close", dependencies=CHANGES)
def close_sample(request: Request, _: Sampler, sample_id: RowId) -> Response:
    """Close a sample: it has been reviewed, or is not wanted any more."""
    is_open = (Sample.id == sample_id, Sample.closed_at.is_(None))
    with desk_of(request).reviews.saving() as orm:
        closed = orm.execute(update(Sample).where(*is_open).values(closed_at=datetime.now(UTC)))
        if not closed.rowcount:  # type: ignore[attr-defined]
            raise HTTPException(404)
    return see_other("/samples")
