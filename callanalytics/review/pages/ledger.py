"""The page of the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from callanalytics.privacy.ledger import NAME, WHOLE_LEDGER, check_chain, read_tail
from callanalytics.review.session import LINES_A_PAGE, LedgerReader, desk_of, page

router = APIRouter()


@router.get("/ledger")
def show_ledger(
    request: Request, _: LedgerReader, before: Annotated[int | None, Query(ge=0, lt=2**62)] = None, check: bool = False
) -> Response:
    """Show who saw, exported, erased or held which call, the newest line first; calls are keyed hashes here."""
    path = desk_of(request).output / NAME
    size = path.stat().st_size if path.exists() else 0
    chain = check_chain(path) if check or size <= WHOLE_LEDGER else None
    tail = read_tail(path, 2 * LINES_A_PAGE, before)
    moment = datetime.fromisoformat
    return page(request, "ledger.html", tail=tail, chain=chain, is_newest=before is None, moment=moment)
