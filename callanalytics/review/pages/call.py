"""The page of a call: listen, read, judge, correct, contest, swap roles; and what its forms do.

Every form works without JavaScript; htmx only spares the reload.  A call that isn't there and one that is not for who
asks are answered alike.  Every opening of a page is told in the ledger.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import Field
from sqlalchemy import and_, exists, or_, select

from callanalytics.config import Config
from callanalytics.errors import CallError, InputError, StoreLocked
from callanalytics.records import CallResult, PromiseRow, Transcript, Turn
from callanalytics.review import judging, swap
from callanalytics.review.calibration import live_criteria
from callanalytics.review.desk import Desk
from callanalytics.review.selection import visible
from callanalytics.review.session import NO_ID, allowed, check_csrf, desk_of, formats, new_token, page
from callanalytics.review.sound import Sounds, cut_range
from callanalytics.scoring.phrases import APPLIES, Criterion
from callanalytics.store.datasets import Store
from callanalytics.store.reviews.people import Person, users
from callanalytics.store.reviews.reviews import Said, SaidOfPromise, due_that_counts
from callanalytics.store.reviews.tables import (
    Answer,
    Contest,
    Finished,
    IndexedCall,
    Judgement,
    PromiseAnswer,
    PromiseJudgement,
    Reason,
    Sample,
    SampleCall,
)

if TYPE_CHECKING:
    from callanalytics.redaction.redactor import Redactor
    from callanalytics.scoring.scorer import Scorer

router = APIRouter()
REASONS: tuple[Reason, ...] = (
    "wrong_recognition", "wrong_speaker", "rule_too_strict", "rule_too_loose", "definition_unclear", "other",
)  # fmt: skip
PROMISE_TYPES = ("callback", "action", "letter_or_email", "visit")
CallId = Annotated[str, Query(alias="id", max_length=400)]
CallIdField = Annotated[str, Form(alias="id", max_length=400)]
SampleId = Annotated[int | None, Query(gt=0, lt=NO_ID)]
SampleIdField = Annotated[int | None, Form(gt=0, lt=NO_ID)]
Note = Annotated[str, Form(max_length=2000)]
Token = Annotated[str, Form(min_length=8, max_length=64)]
See = Annotated[Person, allowed("see")]
Judge = Annotated[Person, allowed("judge")]
MOMENT = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{2})")
T = TypeVar("T")


class _Lazily:
    """What takes seconds to load, loaded once in a thread of its own as soon as somebody may need it."""

    def __init__(self, config: Config, desk: Desk) -> None:
        self.sounds = Sounds(config)
        self.heard: set[tuple[int, str]] = set()  # persons and calls of which the ledger tells
        self.swapping = Lock()
        self._config, self._desk = config, desk
        self._loader = ThreadPoolExecutor(1, "call-page")
        self._loading = Lock()
        self._redacting = Lock()
        self._loads: dict[str, Future[Any]] = {}

    def warm(self) -> None:
        """Begin to load what cleans notes: the first one should not wait."""
        self._load("redactor", self._redactor)

    def _load(self, name: str, load: Callable[[], T]) -> Future[T]:
        with self._loading:
            before = self._loads.get(name)
            if before is None or (before.done() and before.exception()):
                self._loads[name] = self._loader.submit(load)
            return cast("Future[T]", self._loads[name])

    def _redactor(self) -> Redactor:
        from callanalytics.redaction.redactor import Redactor

        return Redactor(self._config)

    def _scorer(self) -> Scorer:
        from callanalytics.scoring import load_detector
        from callanalytics.scoring.scorer import Scorer

        return Scorer(self._config, load_detector(self._config, self._desk.files))

    @property
    def scorer(self) -> Scorer:
        """All that scores a call.  Raises ConfigError and InputError for what can't be used."""
        return self._load("scorer", self._scorer).result()

    def clean(self, note: str) -> str:
        """A note with personal data replaced.  Raises NoteRefused when that can't be done: then it is not kept."""
        text = " ".join(note.split())
        if not text:
            return ""
        try:
            redactor = self._load("redactor", self._redactor).result()
            with self._redacting:
                said = Transcript("note", None, (Turn(0, "unknown", 0, 0, text),))
                return redactor(said).transcript.turns[0].text
        except Exception:
            # Whatever went wrong, its words may hold the note's.
            raise NoteRefused from None


class NoteRefused(Exception):
    """A note that could not be looked through for personal data."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A call on the table: who looks, at which call, within which sample."""

    desk: Desk
    tools: _Lazily
    person: Person
    row: IndexedCall
    result: CallResult
    sample: Sample | None

    @property
    def id(self) -> str:
        """Of the call."""
        return self.result.call.call_id

    @property
    def is_blind(self) -> bool:
        """Whether it is scored without the machine's values; once the sample is closed everybody may see them."""
        return self.sample is not None and self.sample.blind and self.sample.closed_at is None

    @property
    def sample_id(self) -> int | None:
        """Of the sample."""
        return self.sample.id if self.sample else None

    @property
    def blind_id(self) -> int | None:
        """Of the sample when it is scored blind: what is said belongs to it alone."""
        return self.sample_id if self.is_blind else None

    def link(self, path: str = "/call") -> str:
        """The address of a page about this call, in its sample."""
        sample = {} if self.sample is None else {"sample": self.sample.id}
        return f"{path}?{urlencode({'id': self.id} | sample)}"


def _tools(request: Request) -> _Lazily:
    state = request.app.state
    if not hasattr(state, "call_tools"):
        state.call_tools = _Lazily(desk_of(request).config, desk_of(request))
    return cast("_Lazily", state.call_tools)


def _open(request: Request, person: Person, call_id: str, sample_id: int | None) -> Opened:
    """The call, or 404 when it is not there, not for this person, or not in that sample."""
    desk = desk_of(request)
    result = desk.read(call_id)
    row = desk.find(call_id)
    if result is None or row is None or not desk.may_see(person, row):
        raise HTTPException(404)
    sample = None
    if sample_id is not None:
        with desk.reviews.reading() as orm:
            chosen = select(Sample).join(SampleCall).where(Sample.id == sample_id, SampleCall.call_id == call_id)
            sample = orm.scalar(chosen)
        if sample is None or not person.may("judge"):
            raise HTTPException(404)
    return Opened(desk, _tools(request), person, row, result, sample)


def _note_view(opened: Opened, is_again: bool = False) -> None:
    """Tell the ledger; `is_again` for the sound and the drawing of a page that has been told."""
    key = (opened.person.id, opened.id)
    if is_again and key in opened.tools.heard:
        return
    opened.desk.ledger.add("view", [(opened.id, opened.result.call.recording_sha256)], who=opened.person.name)
    opened.tools.heard.add(key)


# --- looking --------------------------------------------------------------------------------------------------------


@router.get("/call")
def show_call(request: Request, person: See, call_id: CallId, sample: SampleId = None) -> Response:
    """The page of a call; a reviewer who has still to score it blind is sent there first."""
    opened = _open(request, person, call_id, sample)
    blind = _still_blind(opened) if sample is None and person.role == "reviewer" else None
    if blind is not None:
        return RedirectResponse(f"/call?{urlencode({'id': call_id, 'sample': blind})}", 303)
    _note_view(opened)
    if person.may("contest"):
        opened.tools.warm()
    return page(request, "call.html", **_view(opened))


def _still_blind(opened: Opened) -> int | None:
    """A blind sample that is open and holds the call, in which this person has not finished it."""
    mine = exists().where(
        Finished.sample_id == Sample.id, Finished.call_id == opened.id, Finished.user_id == opened.person.id
    )
    of = select(Sample.id).join(SampleCall).where(SampleCall.call_id == opened.id, Sample.blind)
    with opened.desk.reviews.reading() as orm:
        return orm.scalar(of.where(Sample.closed_at.is_(None), ~mine).order_by(Sample.id).limit(1))


@router.get("/call/next")
def show_next(request: Request, person: See, call_id: CallId, sample: SampleId = None) -> Response:
    """On to the next call: of the sample, or the next one that nobody has reviewed."""
    opened = _open(request, person, call_id, sample)
    following = _next_in_sample(opened) if opened.sample else _next_unreviewed(opened)
    if following is None:
        return page(request, "call_none.html")
    return RedirectResponse(f"/call?{urlencode({'id': following} | ({'sample': sample} if sample else {}))}", 303)


def _next_in_sample(opened: Opened) -> str | None:
    with opened.desk.reviews.reading() as orm:
        of = select(SampleCall.call_id).where(SampleCall.sample_id == opened.sample_id)
        order = list(orm.scalars(of.order_by(SampleCall.position)))
        finished = select(Finished.call_id).where(Finished.call_id.in_(order))
        if opened.is_blind:
            finished = finished.where(Finished.sample_id == opened.sample_id, Finished.user_id == opened.person.id)
        else:
            finished = finished.where(Finished.sample_id.is_(None))
        done = set(orm.scalars(finished))
        here = set(orm.scalars(select(IndexedCall.call_id).where(IndexedCall.call_id.in_(order))))
    return judging.next_of([one for one in order if one in here or one == opened.id], done, opened.id)


def _next_unreviewed(opened: Opened) -> str | None:
    """By day, the newest first, then the least certain one; from this call on and round.

    Calls about sensitive topics come up among themselves alone.
    """
    desk, call, at = opened.desk, IndexedCall, opened.row
    may_tell_apart = desk.config.privacy.agents_may_be_told_apart
    done = exists().where(Finished.call_id == call.call_id, Finished.sample_id.is_(None))
    open_to = visible(opened.person, may_tell_apart, "sensitive" if at.sensitive else "plain")
    wanted = select(call.call_id).where(open_to, ~done, call.call_id != opened.id, call.scorable)
    wanted = wanted.order_by(call.day.desc(), call.uncertainty.desc(), call.call_id).limit(1)
    same_day = and_(call.day == at.day, call.uncertainty < at.uncertainty)
    same = and_(call.day == at.day, call.uncertainty == at.uncertainty, call.call_id > at.call_id)
    with desk.reviews.reading() as orm:
        return orm.scalar(wanted.where(or_(call.day < at.day, same_day, same))) or orm.scalar(wanted)


def _view(opened: Opened) -> dict[str, Any]:
    """All that the templates of a call ask for."""
    desk, person, result, config = opened.desk, opened.person, opened.result, opened.desk.config
    zone = ZoneInfo(config.municipality.timezone)
    answers = desk.reviews.answers(opened.id, opened.blind_id)
    promised = [] if opened.is_blind else _promise_answers(desk, opened.id)
    names = {user.id: user.name for user in users(desk.reviews)} if person.role != "agent" else {}
    scores = judging.score_answers(result, answers, promised, config.scorecard, desk.undesired, desk.signals)
    groups = judging.group_criteria(
        result, desk.files.criteria, config.scorecard, answers, names, person.id, scores.items, opened.is_blind
    )
    found = opened.tools.sounds.find(result, date.today(), opened.id in desk.store.holds())
    swaps = [] if opened.is_blind else swap.swaps_of(desk.reviews, opened.id)
    promises, added = judging.newest_promises(result.promises, promised)
    finished, contests = _finished(opened), [] if opened.is_blind else _contests(desk, opened.id)
    views = [one for group in groups for one in group.criteria]
    known = {c.id: c.name_nl if person.lang == "nl" else c.name_en for c in desk.files.criteria}
    return {
        "opened": opened,
        "call": result.call,
        "groups": groups,
        "lines": judging.transcript_of(result, opened.is_blind),
        "words_gone": not result.turns and bool(result.call.turns_agent or result.call.turns_citizen),
        "silence": found if isinstance(found, str) else None,
        "state": "blind" if opened.is_blind else desk.reviews.states([opened.id])[opened.id],
        "answered": sum(one.mine is not None for one in views),
        "to_answer": len(views),
        "missing": sum(one.must and one.mine is None for one in views),
        "scores": None if opened.is_blind or result.call.not_scorable_reason else scores,
        "finished": [(names.get(one.user_id, ""), one) for one in finished],
        "promises": promises,
        "added": added,
        "contests": contests,
        "names": names,
        "swaps": swaps,
        "is_undone": swap.is_undone(swaps, result.call.run_id),
        "mark": judging.mark_of(result),
        "live": live_criteria(desk.reviews.gates()),
        "reasons": REASONS,
        "answers_known": judging.ANSWERS,
        "promise_types": PROMISE_TYPES,
        "criterion_names": known,
        "triggers": {c.id: _triggers(c, known) for c in desk.files.criteria},
        "clock": _clock,
        "field_time": lambda at: at.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if at else "",
        "due_that_counts": due_that_counts,
        "new_token": new_token,
        "error": None,
    } | formats(desk, person.lang)


def _triggers(criterion: Criterion, names: Mapping[str, str]) -> list[tuple[bool, str]]:
    """What makes a criterion apply: keys of the words (true) or names of criteria; none when it always does."""
    if "always" in criterion.applies:
        return []

    def name(one: str) -> tuple[bool, str]:
        if one in names:
            return False, names[one]
        return True, f"call_cue_{one}" if one in APPLIES else "call_cue_said"

    return list(dict.fromkeys(name(one) for one in criterion.applies))


def _clock(ms: int) -> str:
    """A moment of the call as people say it.    65000 -> 1:05"""
    minutes, seconds = divmod(max(0, ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _promise_answers(desk: Desk, call_id: str) -> list[PromiseJudgement]:
    with desk.reviews.reading() as orm:
        of = select(PromiseJudgement).where(PromiseJudgement.call_id == call_id)
        return list(orm.scalars(of.order_by(PromiseJudgement.id)))


def _finished(opened: Opened) -> list[Finished]:
    with opened.desk.reviews.reading() as orm:
        of = select(Finished).where(Finished.call_id == opened.id).order_by(Finished.id)
        if opened.is_blind:
            of = of.where(Finished.sample_id == opened.sample_id, Finished.user_id == opened.person.id)
        else:
            of = of.where(Finished.sample_id.is_(None))
        return list(orm.scalars(of))


def _contests(desk: Desk, call_id: str) -> list[Contest]:
    with desk.reviews.reading() as orm:
        return list(orm.scalars(select(Contest).where(Contest.call_id == call_id).order_by(Contest.id)))


# --- listening ------------------------------------------------------------------------------------------------------


def _sound(opened: Opened) -> Any:
    found = opened.tools.sounds.find(opened.result, date.today(), opened.id in opened.desk.store.holds())
    if isinstance(found, str):
        raise HTTPException(404)
    try:
        return opened.tools.sounds.make(found, opened.result)
    except CallError:
        raise HTTPException(404) from None


@router.get("/call/sound")
def play_sound(request: Request, person: See, call_id: CallId) -> Response:
    """The call as a WAV, a part of it when a part is asked for."""
    opened = _open(request, person, call_id, None)
    sound = _sound(opened)
    _note_view(opened, is_again=True)
    asked, size = request.headers.get("range"), len(sound.wav)
    cut = cut_range(asked, size)
    if cut is None:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    start, end = cut
    headers = {"Accept-Ranges": "bytes"} | ({"Content-Range": f"bytes {start}-{end - 1}/{size}"} if asked else {})
    body = sound.wav if end - start == size else sound.wav[start:end]
    return Response(body, 206 if asked else 200, headers, media_type="audio/wav")


@router.get("/call/peaks")
def draw_sound(request: Request, person: See, call_id: CallId) -> Response:
    """What a picture of the sound needs."""
    opened = _open(request, person, call_id, None)
    sound = _sound(opened)
    _note_view(opened, is_again=True)
    agent = opened.result.call.agent_channel if len(sound.peaks) == 2 else None
    sides = ["mixed"] if len(sound.peaks) == 1 else ["unknown", "unknown"]
    if agent is not None:
        sides = ["agent" if row == agent else "citizen" for row in range(2)]
    return JSONResponse({"duration_ms": sound.duration_ms, "sides": sides, "peaks": sound.peaks})


# --- saying ---------------------------------------------------------------------------------------------------------


def _is_htmx(request: Request) -> bool:
    return "HX-Request" in request.headers


def _back(opened: Opened, fragment: str = "") -> Response:
    return RedirectResponse(opened.link() + (f"#{fragment}" if fragment else ""), 303)


def _refuse(request: Request, opened: Opened, key: str, status: int) -> Response:
    """The page again, with what was not saved and why."""
    return page(request, "call.html", status, **(_view(opened) | {"error": key}))


@router.post("/call/judge", dependencies=[Depends(check_csrf)])
def judge(
    request: Request,
    person: Judge,
    call_id: CallIdField,
    criterion: Annotated[str, Form(max_length=60)],
    answer: Annotated[Literal["accept", "met", "not_met", "not_applicable", "unclear"], Form()],
    token: Token,
    mark: Annotated[str, Form(max_length=64)],
    reason: Annotated[Reason | Literal[""], Form()] = "",
    note: Note = "",
    sample: SampleIdField = None,
) -> Response:
    """Keep an answer on a criterion: the machine's accepted, another with a reason, or one given blind."""
    opened = _open(request, person, call_id, sample)
    rows = {row.criterion: row for row in opened.result.criteria}
    if criterion not in rows or criterion not in opened.desk.criteria or (opened.is_blind and answer == "accept"):
        raise HTTPException(404)
    machine = judging.as_answer(rows[criterion].status)
    said: Answer = machine if answer == "accept" else answer
    is_correction = not opened.is_blind and said != machine
    error, kept = None, ""
    if mark != judging.mark_of(opened.result):
        error = "call_changed"
    elif is_correction and not reason:
        error = "call_reason_missing"
    else:
        try:
            kept = opened.tools.clean(note)
        except NoteRefused:
            error = "call_note_refused"
    if error is None:
        one = Said(criterion, said, (reason or None) if is_correction else None, kept)
        how: Literal["blind", "single"] = "blind" if opened.is_blind else "single"
        opened.desk.reviews.judge(person.id, opened.result, [one], token, how, opened.blind_id)
    if _is_htmx(request):
        view = _view(opened)
        (group,) = (group for group in view["groups"] if any(one.id == criterion for one in group.criteria))
        (shown,) = (one for one in group.criteria if one.id == criterion)
        return page(request, "call_judged.html", **(view | {"group": group, "one": shown, "error": error}))
    if error:
        return _refuse(request, opened, error, 409 if error == "call_changed" else 422)
    return _back(opened, f"c-{criterion}")


@router.post("/call/finish", dependencies=[Depends(check_csrf)])
def finish(
    request: Request,
    person: Judge,
    call_id: CallIdField,
    token: Token,
    mark: Annotated[str, Form(max_length=64)],
    sample: SampleIdField = None,
    onward: Annotated[str, Form(max_length=1)] = "",
) -> Response:
    """Accept what is left and finish; blind, finish once everything that the card asks for has an answer."""
    opened = _open(request, person, call_id, sample)
    desk, result, config = opened.desk, opened.result, opened.desk.config
    if mark != judging.mark_of(result):
        return _refuse(request, opened, "call_changed", 409)
    if opened.is_blind:
        own = [one for one in desk.reviews.answers(opened.id, opened.sample_id) if one.user_id == person.id]
        wanted = judging.must_answer(config.scorecard, {row.criterion for row in result.criteria} & set(desk.criteria))
        if wanted - {one.criterion for one in own}:
            return _refuse(request, opened, "call_blind_missing", 422)
        scores = judging.score_blind(result, own, config.scorecard, desk.undesired, desk.signals)
    else:
        rest = judging.accept_rest(result, desk.reviews.answers(opened.id))
        if rest:
            desk.reviews.judge(person.id, result, rest, token, "rest")
        answers: list[Judgement] = desk.reviews.answers(opened.id)
        promised = _promise_answers(desk, opened.id)
        scores = judging.score_answers(result, answers, promised, config.scorecard, desk.undesired, desk.signals)
    desk.reviews.finish(person.id, opened.id, scores.items, scores.normalized_score, token, opened.blind_id)
    return RedirectResponse(opened.link("/call/next"), 303) if onward else _back(opened)


@router.post("/call/promise", dependencies=[Depends(check_csrf)])
def judge_promise(
    request: Request,
    person: Judge,
    call_id: CallIdField,
    kind: Annotated[Literal["callback", "action", "letter_or_email", "visit"], Form()],
    action: Annotated[Literal["keep", "reject"], Form()],
    token: Token,
    index: Annotated[Annotated[int, Field(ge=0, lt=NO_ID)] | Literal[""], Form()] = "",
    moment: Annotated[str, Form(max_length=12)] = "",
    due: Annotated[str, Form(max_length=20)] = "",
    registered: Annotated[Literal["", "yes", "no"], Form()] = "",
    kept: Annotated[Literal["", "yes", "no"], Form()] = "",
    note: Note = "",
    sample: SampleIdField = None,
) -> Response:
    """Confirm, correct or reject a promise of the register, or add one that the machine missed."""
    opened = _open(request, person, call_id, sample)
    if opened.is_blind:
        raise HTTPException(404)
    found = next((one for one in opened.result.promises if one.promise_index == index), None) if index != "" else None
    start_ms = found.start_ms if found else _moment(moment, opened.result.call.duration_ms)
    due_at = _due(due, opened.desk.config)
    if (index != "" and found is None) or start_ms is None or (due and due_at is None):
        return _refuse(request, opened, "call_promise_odd", 422)
    try:
        cleaned = opened.tools.clean(note)
    except NoteRefused:
        return _refuse(request, opened, "call_note_refused", 503)
    said = SaidOfPromise(
        promise_index=found.promise_index if found else None,
        start_ms=start_ms,
        answer=_promise_answer(found, action, kind, due_at),
        type=kind,
        due_at=due_at,
        registered=_yes_or_no(registered),
        kept=_yes_or_no(kept),
        note=cleaned,
    )
    opened.desk.reviews.judge_promise(person.id, opened.id, said, token)
    return _back(opened, "promises")


def _promise_answer(found: PromiseRow | None, action: str, kind: str, due_at: datetime | None) -> PromiseAnswer:
    if action == "reject":
        return "rejected"
    if found is None:
        return "missed"
    before = found.due_at.replace(second=0, microsecond=0) if found.due_at else None
    return "confirmed" if kind == found.type and due_at == before else "corrected"


def _yes_or_no(text: str) -> bool | None:
    return {"yes": True, "no": False}.get(text)


def _moment(text: str, duration_ms: int) -> int | None:
    """A moment of the call as typed, in ms; null when it is none.    1:05 -> 65000"""
    found = MOMENT.fullmatch(text.strip())
    if not found:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    ms = ((hours * 60 + minutes) * 60 + seconds) * 1000
    return ms if ms <= duration_ms else None


def _due(text: str, config: Config) -> datetime | None:
    """A moment as the browser gives it, on the municipality's clock; null when it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=ZoneInfo(config.municipality.timezone)).astimezone(UTC)


@router.post("/call/contest", dependencies=[Depends(check_csrf)])
def contest(
    request: Request,
    person: Annotated[Person, allowed("contest")],
    call_id: CallIdField,
    token: Token,
    criterion: Annotated[str, Form(max_length=60)] = "",
    note: Note = "",
) -> Response:
    """Keep that the agent does not agree, with one criterion or with the whole."""
    opened = _open(request, person, call_id, None)
    if criterion and criterion not in {row.criterion for row in opened.result.criteria}:
        raise HTTPException(404)
    if not note.strip():
        return _refuse(request, opened, "call_contest_empty", 422)
    try:
        cleaned = opened.tools.clean(note)
    except NoteRefused:
        return _refuse(request, opened, "call_note_refused", 503)
    opened.desk.reviews.contest(person.id, opened.id, criterion or None, cleaned, token)
    return _back(opened, "contests")


@router.post("/call/settle", dependencies=[Depends(check_csrf)])
def settle(
    request: Request,
    person: Annotated[Person, allowed("settle")],
    call_id: CallIdField,
    contest_id: Annotated[int, Form(gt=0, lt=NO_ID)],
    outcome: Annotated[Literal["upheld", "declined"], Form()],
) -> Response:
    """Settle a contest."""
    opened = _open(request, person, call_id, None)
    if contest_id not in {one.id for one in _contests(opened.desk, opened.id)}:
        raise HTTPException(404)
    opened.desk.reviews.settle(person.id, contest_id, outcome)
    return _back(opened, "contests")


@router.post("/call/swap", dependencies=[Depends(check_csrf)])
def swap_sides(
    request: Request,
    person: Judge,
    call_id: CallIdField,
    token: Token,
    sample: SampleIdField = None,
) -> Response:
    """Swap agent and citizen, and score the call again."""
    opened = _open(request, person, call_id, sample)
    if opened.is_blind:
        raise HTTPException(404)
    desk, tools = opened.desk, opened.tools
    store = Store(desk.output, desk.files.ids, tuple(desk.config.scorecard.items), desk.config.storage)
    try:
        with tools.swapping:
            swap.swap_roles(desk.config, store, desk.reviews, tools.scorer, person.id, opened.id, token)
            desk.refresh()
    except StoreLocked:
        return _refuse(request, opened, "call_swap_busy", 503)
    except InputError:
        return _refuse(request, opened, "call_swap_impossible", 422)
    return _back(opened)
