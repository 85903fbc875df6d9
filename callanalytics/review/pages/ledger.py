"""The page of the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from callanalytics.privacy.ledger import NAME, WHOLE_LEDGER, check_chain, read_tail
from callanalytics.review.session import PAGE, allowed, desk_of, formats, page
from callanalytics.store.reviews.people import Person

router = APIRouter()
Officer = Annotated[Person, allowed("ledger")]



@router.get("/ledger")
def show_ledger(
    request: Request,
    person: Officer,
    before: Annotated[int | None, Query(ge=0, lt=2**62)] = None,
    check: bool = False,
) -> Response:
    """Who saw, exported, erased or held which call, from the newest line on; calls are keyed hashes here."""
    desk = desk_of(request)
    path = desk.output / NAME
    size = path.stat().st_size if path.exists() else 0
    chain = check_chain(path) if check or size <= WHOLE_LEDGER else None
    tail = read_tail(path, 2 * PAGE, before)
    return page(
        request,
        "ledger.html",
        tail=tail,
        chain=chain,
        is_newest=before is None,
        moment=datetime.fromisoformat,
        **formats(desk, person.lang),
    )
