"""What the forms of a call's page do: judge, finish, answer promises, contest, settle, swap roles.

A form that is not saved comes back with the page and the reason.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response
from pydantic import Field

from callanalytics.config import Config
from callanalytics.errors import InputError, StoreLocked
from callanalytics.records import PromiseRow
from callanalytics.review import judging, swap
from callanalytics.review.opened import NoteRefused, OpenedCall, ToContest, ToJudge, ToJudgeOpenly, ToSettle
from callanalytics.review.pages.call import view_call
from callanalytics.review.session import (
    CHANGES,
    NO_ID,
    YES_OR_NO,
    CriterionName,
    NoteText,
    Outcome,
    SaveToken,
    YesNoUnknown,
    page,
    see_other,
)
from callanalytics.store.datasets import Store
from callanalytics.store.reviews.reviews import Said, SaidOfPromise
from callanalytics.store.reviews.tables import Answer, Contest, How, PromiseAnswer, Reason

router = APIRouter(prefix="/call", dependencies=CHANGES)
MOMENT = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{2})")
PageMark = Annotated[str, Form(alias="mark", max_length=64)]  # of the values that the page showed


class Refused(Exception):
    """A save that the app does not keep: the key of the text that says why, and the status of the answer."""

    def __init__(self, opened: OpenedCall, key: str, status: int, criterion: str = "") -> None:
        super().__init__(key)
        self.opened, self.key, self.status, self.criterion = opened, key, status, criterion


def explain_refusal(request: Request, refused: Exception) -> Response:
    """Show the page again, or for htmx the criterion alone, with what was not saved and why."""
    assert isinstance(refused, Refused)
    if refused.criterion and _is_htmx(request):
        return _judged_part(request, refused.opened, refused.criterion, refused.key)
    return page(request, "call.html", refused.status, **(view_call(refused.opened) | {"error": refused.key}))


def _is_htmx(request: Request) -> bool:
    return "HX-Request" in request.headers


def _judged_part(request: Request, opened: OpenedCall, criterion: str, error: str | None = None) -> Response:
    view = view_call(opened)
    pairs = [(group, one) for group in view["groups"] for one in group.criteria if one.id == criterion]
    ((group, one),) = pairs
    return page(request, "call_judged.html", **(view | {"group": group, "one": one, "error": error}))


def _back(opened: OpenedCall, fragment: str = "") -> Response:
    return see_other(opened.link() + (f"#{fragment}" if fragment else ""))


def _clean(opened: OpenedCall, note: str, status: int = 503, criterion: str = "") -> str:
    try:
        return opened.tools.clean(note)
    except NoteRefused:
        raise Refused(opened, "call_note_refused", status, criterion) from None


@router.post("/judge")
def judge(
    request: Request,
    opened: ToJudge,
    criterion: CriterionName,
    answer: Annotated[Literal["accept", "met", "not_met", "not_applicable", "unclear"], Form()],
    token: SaveToken,
    mark: PageMark,
    reason: Annotated[Reason | Literal[""], Form()] = "",
    note: NoteText = "",
) -> Response:
    """Keep an answer on a criterion: the machine's accepted, another with a reason, or one given blind."""
    rows = {row.criterion: row for row in opened.result.criteria}
    if criterion not in rows or criterion not in opened.desk.criteria or (opened.is_blind and answer == "accept"):
        raise HTTPException(404)
    machine = judging.as_answer(rows[criterion].status)
    said: Answer = machine if answer == "accept" else answer
    is_correction = not opened.is_blind and said != machine
    if mark != judging.mark_of(opened.result):
        raise Refused(opened, "call_changed", 409, criterion)
    if is_correction and not reason:
        raise Refused(opened, "call_reason_missing", 422, criterion)
    kept = _clean(opened, note, 422, criterion)
    one = Said(criterion, said, (reason or None) if is_correction else None, kept)
    how: How = "blind" if opened.is_blind else "single"
    opened.desk.reviews.judge(opened.person.id, opened.result, [one], token, how, opened.blind_id)
    return _judged_part(request, opened, criterion) if _is_htmx(request) else _back(opened, f"c-{criterion}")


@router.post("/finish")
def finish(
    opened: ToJudge, token: SaveToken, mark: PageMark, onward: Annotated[str, Form(max_length=1)] = ""
) -> Response:
    """Accept what is left and finish; blind, finish once everything that the card asks for has an answer."""
    desk, result, person = opened.desk, opened.result, opened.person
    if mark != judging.mark_of(result):
        raise Refused(opened, "call_changed", 409)
    answers = desk.reviews.answers(opened.id, opened.blind_id)
    if opened.is_blind:
        answers = [one for one in answers if one.user_id == person.id]
        known = {row.criterion for row in result.criteria} & set(desk.criteria)
        if judging.must_answer(desk.config.scorecard, known) - {one.criterion for one in answers}:
            raise Refused(opened, "call_blind_missing", 422)
    elif rest := judging.accept_rest(result, answers):
        desk.reviews.judge(person.id, result, rest, token, "rest")
        answers = desk.reviews.answers(opened.id)
    scores = opened.card(answers)
    desk.reviews.finish(person.id, opened.id, scores.items, scores.normalized_score, token, opened.blind_id)
    return see_other(opened.link("/call/next")) if onward else _back(opened)


@router.post("/promise")
def judge_promise(
    opened: ToJudgeOpenly,
    kind: Annotated[Literal["callback", "action", "letter_or_email", "visit"], Form()],
    action: Annotated[Literal["keep", "reject"], Form()],
    token: SaveToken,
    index: Annotated[Annotated[int, Field(ge=0, lt=NO_ID)] | Literal[""], Form()] = "",
    moment: Annotated[str, Form(max_length=12)] = "",
    due: Annotated[str, Form(max_length=20)] = "",
    registered: YesNoUnknown = "",
    kept: YesNoUnknown = "",
    note: NoteText = "",
) -> Response:
    """Confirm, correct or reject a promise of the register, or add one that the machine missed."""
    found = next((one for one in opened.result.promises if one.promise_index == index), None) if index != "" else None
    start_ms = found.start_ms if found else _moment(moment, opened.result.call.duration_ms)
    due_at = _due(due, opened.desk.config)
    if (index != "" and found is None) or start_ms is None or (due and due_at is None):
        raise Refused(opened, "call_promise_odd", 422)
    said = SaidOfPromise(
        promise_index=found.promise_index if found else None,
        start_ms=start_ms,
        answer=_promise_answer(found, action, kind, due_at),
        type=kind,
        due_at=due_at,
        registered=YES_OR_NO[registered],
        kept=YES_OR_NO[kept],
        note=_clean(opened, note),
    )
    opened.desk.reviews.judge_promise(opened.person.id, opened.id, said, token)
    return _back(opened, "promises")


def _promise_answer(found: PromiseRow | None, action: str, kind: str, due_at: datetime | None) -> PromiseAnswer:
    if action == "reject":
        return "rejected"
    if found is None:
        return "missed"
    before = found.due_at.replace(second=0, microsecond=0) if found.due_at else None
    return "confirmed" if kind == found.type and due_at == before else "corrected"


def _moment(text: str, duration_ms: int) -> int | None:
    """Return a moment of the call as typed, in ms; None when it is none.    1:05 -> 65000"""
    found = MOMENT.fullmatch(text.strip())
    if not found:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    ms = ((hours * 60 + minutes) * 60 + seconds) * 1000
    return ms if ms <= duration_ms else None


def _due(text: str, config: Config) -> datetime | None:
    """Return a moment as the browser gives it, on the municipality's clock; None when it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=ZoneInfo(config.municipality.timezone)).astimezone(UTC)


@router.post("/contest")
def contest(opened: ToContest, token: SaveToken, criterion: CriterionName = "", note: NoteText = "") -> Response:
    """Keep that the agent does not agree, with one criterion or with the whole."""
    if criterion and criterion not in {row.criterion for row in opened.result.criteria}:
        raise HTTPException(404)
    if not note.strip():
        raise Refused(opened, "call_contest_empty", 422)
    opened.desk.reviews.contest(opened.person.id, opened.id, criterion or None, _clean(opened, note), token)
    return _back(opened, "contests")


@router.post("/settle")
def settle(opened: ToSettle, contest_id: Annotated[int, Form(gt=0, lt=NO_ID)], outcome: Outcome) -> Response:
    """Settle a contest."""
    if contest_id not in {one.id for one in opened.desk.reviews.rows_about(Contest, opened.id)}:
        raise HTTPException(404)
    opened.desk.reviews.settle(opened.person.id, contest_id, outcome)
    return _back(opened, "contests")


@router.post("/swap")
def swap_sides(opened: ToJudgeOpenly, token: SaveToken) -> Response:
    """Swap agent and citizen, and score the call again."""
    desk, tools = opened.desk, opened.tools
    store = Store(desk.output, desk.files.ids, tuple(desk.config.scorecard.items), desk.config.storage)
    try:
        with tools.swapping:
            swap.swap_roles(desk.config, store, desk.reviews, tools.scorer, opened.person.id, opened.id, token)
            desk.refresh()
    except StoreLocked:
        raise Refused(opened, "call_swap_busy", 503) from None
    except InputError:
        raise Refused(opened, "call_swap_impossible", 422) from None
    return _back(opened)
