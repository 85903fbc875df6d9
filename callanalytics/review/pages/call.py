"""The page of a call: listen and read; `answers` has what its forms do.

Every form works without JavaScript; htmx only spares the reload.  Every opening of a page is written to the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import ColumnElement, and_, exists, or_, select

from callanalytics.errors import CallError
from callanalytics.review import judging, swap
from callanalytics.review.calibration import live_criteria
from callanalytics.review.opened import OpenedCall, ToHear, ToView, address
from callanalytics.review.selection import visible
from callanalytics.review.session import criterion_names, page, see_other
from callanalytics.review.sound import Sound, cut_range
from callanalytics.scoring.phrases import APPLIES, Criterion
from callanalytics.store.reviews.people import users
from callanalytics.store.reviews.reviews import due_that_counts
from callanalytics.store.reviews.tables import (
    Contest,
    Finished,
    IndexedCall,
    PromiseJudgement,
    Reason,
    RoleSwap,
    Sample,
    SampleCall,
)

router = APIRouter()
PROMISE_TYPES = ("callback", "action", "letter_or_email", "visit")


# --- looking --------------------------------------------------------------------------------------------------------


@router.get("/call")
def show_call(request: Request, opened: ToView) -> Response:
    """Show a call; a reviewer who has still to score it blind is sent there first."""
    blind = _still_blind(opened) if opened.sample is None and opened.person.role == "reviewer" else None
    if blind is not None:
        return see_other(address("/call", opened.id, blind))
    opened.note_view()
    if opened.person.may("contest"):
        opened.tools.warm()
    return page(request, "call.html", **view_call(opened))


def _still_blind(opened: OpenedCall) -> int | None:
    """Return a blind sample that is open and holds the call, in which this person has not finished it."""
    mine = exists().where(
        Finished.sample_id == Sample.id, Finished.call_id == opened.id, Finished.user_id == opened.person.id
    )
    of = select(Sample.id).join(SampleCall).where(SampleCall.call_id == opened.id, Sample.blind)
    with opened.desk.reviews.reading() as orm:
        return orm.scalar(of.where(Sample.closed_at.is_(None), ~mine).order_by(Sample.id).limit(1))


@router.get("/call/next")
def show_next(request: Request, opened: ToView) -> Response:
    """Go on to the next call: of the sample, or the next one that nobody has reviewed."""
    following = _next_in_sample(opened) if opened.sample else _next_unreviewed(opened)
    if following is None:
        return page(request, "call_none.html")
    return see_other(address("/call", following, opened.sample_id))


def _is_finished_here(opened: OpenedCall) -> ColumnElement[bool]:
    """Finished as this page means it: by this person in the blind sample, else by anybody in a review."""
    if opened.is_blind:
        return and_(Finished.sample_id == opened.sample_id, Finished.user_id == opened.person.id)
    return Finished.sample_id.is_(None)


def _next_in_sample(opened: OpenedCall) -> str | None:
    with opened.desk.reviews.reading() as orm:
        of = select(SampleCall.call_id).where(SampleCall.sample_id == opened.sample_id)
        order = list(orm.scalars(of.order_by(SampleCall.position)))
        finished = select(Finished.call_id).where(Finished.call_id.in_(order), _is_finished_here(opened))
        done = set(orm.scalars(finished))
        here = set(orm.scalars(select(IndexedCall.call_id).where(IndexedCall.call_id.in_(order))))
    return judging.next_of([one for one in order if one in here or one == opened.id], done, opened.id)


def _next_unreviewed(opened: OpenedCall) -> str | None:
    """Return the next by day, the newest first, then the least certain one; from this call on and round.

    Calls about sensitive topics come up among themselves alone.
    """
    desk, call, at = opened.desk, IndexedCall, opened.row
    done = exists().where(Finished.call_id == call.call_id, Finished.sample_id.is_(None))
    open_to = visible(opened.person, desk.may_tell_apart, "sensitive" if at.sensitive else "plain")
    wanted = select(call.call_id).where(open_to, ~done, call.call_id != opened.id, call.scorable)
    wanted = wanted.order_by(call.day.desc(), call.uncertainty.desc(), call.call_id).limit(1)
    same_day = and_(call.day == at.day, call.uncertainty < at.uncertainty)
    same = and_(call.day == at.day, call.uncertainty == at.uncertainty, call.call_id > at.call_id)
    with desk.reviews.reading() as orm:
        return orm.scalar(wanted.where(or_(call.day < at.day, same_day, same))) or orm.scalar(wanted)


def view_call(opened: OpenedCall) -> dict[str, Any]:
    """Return all that the templates of a call ask for."""
    desk, person, result, is_blind = opened.desk, opened.person, opened.result, opened.is_blind
    zone = ZoneInfo(desk.config.municipality.timezone)
    answers = desk.reviews.answers(opened.id, opened.blind_id)
    names = {user.id: user.name for user in users(desk.reviews)} if person.role != "agent" else {}
    scores = opened.card(answers)
    groups = judging.group_criteria(
        result, desk.files.criteria, desk.config.scorecard, answers, names, person.id, scores.items, is_blind
    )
    sound = opened.tools.sounds.find(result, date.today(), opened.id in desk.store.holds())
    promised, swaps = opened.rows(PromiseJudgement), opened.rows(RoleSwap)
    promises, added = judging.newest_promises(result.promises, promised)
    finished = select(Finished).where(Finished.call_id == opened.id, _is_finished_here(opened)).order_by(Finished.id)
    with desk.reviews.reading() as orm:
        finished_by = [(names.get(one.user_id, ""), one) for one in orm.scalars(finished)]
    views = [one for group in groups for one in group.criteria]
    known = criterion_names(desk, person.lang)
    return {
        "opened": opened,
        "call": result.call,
        "groups": groups,
        "lines": judging.transcript_of(result, is_blind),
        "words_gone": not result.turns and bool(result.call.turns_agent or result.call.turns_citizen),
        "silence": None if isinstance(sound, Path) else sound,
        "state": "blind" if is_blind else desk.reviews.states([opened.id])[opened.id],
        "answered": sum(one.mine is not None for one in views),
        "to_answer": len(views),
        "missing": sum(one.must and one.mine is None for one in views),
        "scores": None if is_blind or result.call.not_scorable_reason else scores,
        "finished": finished_by,
        "promises": promises,
        "added": added,
        "contests": opened.rows(Contest),
        "names": names,
        "swaps": swaps,
        "is_undone": swap.is_undone(swaps, result.call.run_id),
        "mark": judging.mark_of(result),
        "live": live_criteria(desk.reviews.gates()),
        "reasons": get_args(Reason),
        "answers_known": judging.ANSWERS,
        "promise_types": PROMISE_TYPES,
        "criterion_names": known,
        "triggers": {c.id: _triggers(c, known) for c in desk.files.criteria},
        "clock": _clock,
        "field_time": lambda at: at.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if at else "",
        "due_that_counts": due_that_counts,
        "error": None,
    }


def _triggers(criterion: Criterion, names: Mapping[str, str]) -> list[tuple[bool, str]]:
    """Return what makes a criterion apply: keys of the words (true) or names of criteria; none when it always does."""
    if "always" in criterion.applies:
        return []

    def name(one: str) -> tuple[bool, str]:
        if one in names:
            return False, names[one]
        return True, f"call_cue_{one}" if one in APPLIES else "call_cue_said"

    return list(dict.fromkeys(name(one) for one in criterion.applies))


def _clock(ms: int) -> str:
    """Return a moment of the call as people say it.    65000 -> 1:05"""
    minutes, seconds = divmod(max(0, ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


# --- listening ------------------------------------------------------------------------------------------------------


def _make_sound(opened: OpenedCall) -> Sound:
    found = opened.tools.sounds.find(opened.result, date.today(), opened.id in opened.desk.store.holds())
    if not isinstance(found, Path):
        raise HTTPException(404)
    try:
        sound = opened.tools.sounds.make(found, opened.result)
    except CallError:
        raise HTTPException(404) from None
    opened.note_view(is_again=True)
    return sound


@router.get("/call/sound")
def play_sound(request: Request, opened: ToHear) -> Response:
    """Send the call as a WAV, a part of it when a part is asked for."""
    sound = _make_sound(opened)
    asked, size = request.headers.get("range"), len(sound.wav)
    cut = cut_range(asked, size)
    if cut is None:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    start, end = cut
    headers = {"Accept-Ranges": "bytes"} | ({"Content-Range": f"bytes {start}-{end - 1}/{size}"} if asked else {})
    body = sound.wav if end - start == size else sound.wav[start:end]
    return Response(body, 206 if asked else 200, headers, media_type="audio/wav")


@router.get("/call/peaks")
def draw_sound(opened: ToHear) -> Response:
    """Send what a picture of the sound needs."""
    sound = _make_sound(opened)
    agent = opened.result.call.agent_channel if len(sound.peaks) == 2 else None
    sides = ["mixed"] if len(sound.peaks) == 1 else ["unknown", "unknown"]
    if agent is not None:
        sides = ["agent" if row == agent else "citizen" for row in range(2)]
    return JSONResponse({"duration_ms": sound.duration_ms, "sides": sides, "peaks": sound.peaks})
