"""The work list: which calls, in which order, and which of them a sample draws.  All of it questions to the index.

Nothing here reads a dataset: a page is one statement with a limit and one for the rows of that page, and a sample is
drawn by rank inside the database, so that only the calls drawn ever leave it.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from callanalytics.review.selection import _queues, list_calls, read_filters
from callanalytics.review.session import MENU, allowed, call_link, desk_of, formats, page, signed_in
from callanalytics.scoring.topics import UNKNOWN
from callanalytics.store.reviews.people import Person

router = APIRouter()
Anybody = Annotated[Person, Depends(signed_in)]
Reviewer = Annotated[Person, allowed("judge")]
Sampler = Annotated[Person, allowed("sample")]


# --- which calls ----------------------------------------------------------------------------------------------------


# --- in which order -------------------------------------------------------------------------------------------------


# --- samples --------------------------------------------------------------------------------------------------------


# --- pages ----------------------------------------------------------------------------------------------------------


@router.get("/")
def show_worklist(request: Request, person: Anybody) -> Response:
    """The calls, for who may see any; others go to the first page that is theirs."""
    if not person.may("see"):
        theirs = next((path for right, path, _ in MENU if person.may(right)), None)
        if theirs is None:
            raise HTTPException(404)
        return RedirectResponse(theirs, 303)
    desk = desk_of(request)
    desk.keep_up()
    filters, ignored = read_filters(request.query_params)
    if filters.criterion and filters.criterion not in desk.criteria:
        filters, ignored = filters.model_copy(update={"criterion": None}), [*ignored, "criterion"]
    if filters.sensitive and not person.may("sensitive"):
        filters, ignored = filters.model_copy(update={"sensitive": False}), [*ignored, "sensitive"]
    may_tell_apart = desk.config.privacy.agents_may_be_told_apart
    with desk.reviews.reading() as orm:
        listing = list_calls(orm, filters, person, may_tell_apart)
        queues = _queues(orm, person, may_tell_apart)
    topics = [topic.id for topic in desk.topics.values() if filters.sensitive or not topic.sensitive]
    return page(
        request,
        "worklist.html",
        filters=filters,
        ignored=ignored,
        listing=listing,
        queues=queues,
        topics=[*topics, UNKNOWN],
        criteria=list(desk.criteria),
        reading=desk.read_parts,
        call_link=call_link,
        **formats(desk, person.lang),
    )

