"""The page of the work list."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from callanalytics.review.selection import list_calls, queue_names, read_filters
from callanalytics.review.session import MENU, Anybody, desk_of, page, see_other
from callanalytics.scoring.topics import UNKNOWN

router = APIRouter()


@router.get("/")
def show_worklist(request: Request, person: Anybody) -> Response:
    """Show the calls to those who may see any; send others to the first page that is theirs."""
    if not person.may("see"):
        theirs = next((path for right, path, _ in MENU if person.may(right)), None)
        if theirs is None:
            raise HTTPException(404)
        return see_other(theirs)
    desk = desk_of(request)
    desk.keep_up()
    filters, ignored = read_filters(request.query_params)
    if filters.criterion and filters.criterion not in desk.criteria:
        filters, ignored = filters.model_copy(update={"criterion": None}), [*ignored, "criterion"]
    if filters.sensitive and not person.may("sensitive"):
        filters, ignored = filters.model_copy(update={"sensitive": False}), [*ignored, "sensitive"]
    with desk.reviews.reading() as orm:
        listing = list_calls(orm, filters, person, desk.may_tell_apart)
        queues = queue_names(orm, person, desk.may_tell_apart)
    topics = [topic.id for topic in desk.topics.values() if filters.sensitive or not topic.sensitive]
    return page(
        request, "worklist.html", filters=filters, ignored=ignored, listing=listing, queues=queues,
        topics=[*topics, UNKNOWN], criteria=list(desk.criteria), reading=desk.read_parts,
    )  # fmt: skip
