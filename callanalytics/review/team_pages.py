"""The pages around the calls: who may log in, the PDCA log, the ledger, what agents contest, the promise register."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import ColumnElement, and_, func, literal, null, or_, select, union_all
from sqlalchemy.orm import Session as Orm

from callanalytics.agreement import wilson_interval
from callanalytics.errors import UserError
from callanalytics.ledger import NAME, Entry, parse_line
from callanalytics.records import PromiseRow
from callanalytics.review.desk import Desk
from callanalytics.review.people import MIN_PASSWORD, RIGHTS, Person, add_user, change_user, users
from callanalytics.review.reviews import SaidOfPromise
from callanalytics.review.tables import (
    Contest,
    IndexedCall,
    IndexedPromise,
    PlanAction,
    PromiseJudgement,
    User,
    UserRole,
)
from callanalytics.review.web import allowed, check_csrf, desk_of, new_token, page, words
from callanalytics.review.worklist import call_link, formats, visible

PAGE = 25
PAGES = 40
SOON = timedelta(days=7)
BLOCK = 64 * 1024  # bytes read at once from the end of the ledger
WHOLE_LEDGER = 4 * 2**20  # up to this size the whole chain is checked with every look at it: some ten thousand lines
_TEXT = r"^[^\x00]*$"  # PostgreSQL takes no NUL in a text

router = APIRouter()
Admin = Annotated[Person, allowed("people")]
Officer = Annotated[Person, allowed("ledger")]
Reviewer = Annotated[Person, allowed("judge")]
Planner = Annotated[Person, allowed("plan")]
Settler = Annotated[Person, allowed("settle")]
Name = Annotated[str, Form(max_length=80)]
Token = Annotated[str, Form(min_length=8, max_length=64, pattern=_TEXT)]
Words = Annotated[str, Form(min_length=1, max_length=2000, pattern=_TEXT)]
Id = Annotated[int, Form(gt=0, lt=2**31)]
changing = [Depends(check_csrf)]


# --- people ---------------------------------------------------------------------------------------------------------


@router.get("/people")
def show_people(request: Request, person: Admin, done: str = "") -> Response:
    """Who may log in, and as what.  Nothing about calls: who gives rights needs none."""
    return _people_page(request, person, done=done)


def _people_page(request: Request, person: Person, status: int = 200, wrong: str = "", done: str = "") -> Response:
    desk = desk_of(request)
    told = done if done in ("people_added", "people_changed") else ""
    return page(
        request,
        "people.html",
        status,
        users=users(desk.reviews),
        roles=list(RIGHTS),
        wrong=wrong,
        done=told,
        least=MIN_PASSWORD,
        **formats(desk, person.lang),
    )


def _refusal(error: UserError) -> str:
    """The key of what to say about a change that is not made."""
    reasons = {
        "a name has": "people_odd_name",
        "a password has": "people_short",
        "an agent, and": "people_agent",
        "there is somebody": "people_taken",
        "an agent stays": "people_agent_stays",
        "this is the last": "people_last_admin",
    }
    return next((key for start, key in reasons.items() if start in str(error)), "bad_request")


@router.post("/people/add", dependencies=changing)
def add_person(
    request: Request,
    person: Admin,
    name: Name,
    role: Annotated[UserRole, Form()],
    password: Annotated[str | None, Form(max_length=200)] = None,
    agent: Annotated[str, Form(max_length=200)] = "",
    lang: Annotated[Literal["nl", "en"], Form()] = "nl",
) -> Response:
    """Let somebody in.  Without a password only by the proxy, where there is one."""
    desk = desk_of(request)
    agent_ref = desk.pseudonyms("agent", agent.strip()) if agent.strip() else None
    has_proxy = bool(desk.config.review.proxy_user_header)
    try:
        add_user(desk.reviews, name.strip(), password or (None if has_proxy else ""), role, agent_ref, lang)
    except UserError as error:
        return _people_page(request, person, 422, _refusal(error))
    return RedirectResponse("/people?done=people_added", 303)


@router.post("/people/change", dependencies=changing)
def change_person(
    request: Request,
    person: Admin,
    name: Name,
    what: Annotated[Literal["password", "role", "disable", "enable"], Form()],
    password: Annotated[str | None, Form(max_length=200)] = None,
    role: Annotated[UserRole | None, Form()] = None,
) -> Response:
    """A new password, another role, out or in again."""
    reviews = desk_of(request).reviews
    if all(user.name != name for user in users(reviews)):
        raise HTTPException(404)
    try:
        if what == "password":
            change_user(reviews, name, password=password or "")
        elif what == "role":
            change_user(reviews, name, role=role)
        else:
            change_user(reviews, name, is_disabled=what == "disable")
    except UserError as error:
        return _people_page(request, person, 422, _refusal(error))
    return RedirectResponse("/people?done=people_changed", 303)


# --- plan -----------------------------------------------------------------------------------------------------------


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


# --- ledger ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tail:
    """Lines of the ledger, the newest first, null for one that can't be read.  `before`: where older ones end."""

    entries: list[Entry | None]
    before: int | None
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """What a look at the whole ledger found: how many lines, and the first that is not as it was written."""

    lines: int
    broken_at: int | None
    last: str


def read_tail(path: Path, count: int, before: int | None = None) -> Tail:
    """The last lines of the ledger that end at or before a byte; what the file holds further back is not read.

    A line that is still being written is left out; so is what stands around a `before` that is no line's end.
    """
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        return Tail([], None, True)
    with stream:
        size = stream.seek(0, 2)
        end = size if before is None else min(before, size)
        start, held = end, b""
        while start > 0 and held.count(b"\n") < count + 2:
            step = min(BLOCK, start)
            start -= step
            stream.seek(start)
            held = stream.read(step) + held
    held = held[: held.rfind(b"\n") + 1]
    lines = held.splitlines(keepends=True)
    if start > 0:
        lines = lines[1:]  # the first may be cut
    shown, older = lines[-count:], lines[:-count]
    first = start + len(held) - sum(map(len, shown))
    last_older = parse_line(older[-1]) if older else None
    entries = [parse_line(line) for line in shown]
    is_whole = _is_chain(entries, "" if first == 0 else last_older.hash if last_older else None)
    return Tail(entries[::-1], first or None, is_whole)


def _is_chain(entries: Sequence[Entry | None], before: str | None) -> bool:
    """Whether lines are sealed and follow one another; `before` null when what came before them is not known."""
    for entry in entries:
        if entry is None or not entry.follows(before):
            return False
        before = entry.hash
    return True


def check_chain(path: Path) -> Chain:
    """Read the whole ledger, a line at a time, and see whether each is as it was written."""
    before, number, broken = "", 0, None
    for line in _whole_lines(path):
        number += 1
        entry = parse_line(line)
        if broken is None and (entry is None or not entry.follows(before)):
            broken = number
        before = entry.hash if entry else ""
    return Chain(number, broken, before)


def _whole_lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            yield from (line for line in stream if line.endswith(b"\n"))
    except FileNotFoundError:
        return


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


# --- contests -------------------------------------------------------------------------------------------------------


def _team_topics(person: Person) -> Literal["plain", "all"]:
    return "all" if person.may("sensitive") else "plain"


@router.get("/contests")
def show_contests(request: Request, person: Reviewer) -> Response:
    """What agents do not agree with and nobody settled, the oldest first; then what was settled lately."""
    desk = desk_of(request)
    scope = visible(person, desk.config.privacy.agents_may_be_told_apart, _team_topics(person))
    asked = (
        select(Contest, IndexedCall, User.name)
        .join(IndexedCall, IndexedCall.call_id == Contest.call_id)
        .join(User, User.id == Contest.user_id)
        .where(scope)
    )
    with desk.reviews.reading() as orm:
        waiting = orm.execute(asked.where(Contest.settled_at.is_(None)).order_by(Contest.id).limit(2 * PAGE)).all()
        settled = asked.where(Contest.settled_at.is_not(None)).order_by(Contest.settled_at.desc()).limit(PAGE)
        lately = orm.execute(settled).all()
    return page(
        request,
        "contests.html",
        waiting=waiting,
        lately=lately,
        call_link=call_link,
        **formats(desk, person.lang),
    )


@router.post("/contests/settle", dependencies=changing)
def settle_contest(
    request: Request, person: Settler, id: Id, outcome: Annotated[Literal["upheld", "declined"], Form()]
) -> Response:
    """The agent is right, or is not."""
    if not desk_of(request).reviews.settle(person.id, id, outcome):
        raise HTTPException(404)
    return RedirectResponse("/contests", 303)


# --- promise register -----------------------------------------------------------------------------------------------

View = Literal["overdue", "today", "soon", "later", "undated", "done"]
VIEWS: tuple[View, ...] = ("overdue", "today", "soon", "later", "undated", "done")


@dataclass(frozen=True, slots=True)
class Promise:
    """A line of the register: what the machine found with people's answers in place, or what they added to it."""

    call: IndexedCall
    promise_index: int | None
    start_ms: int
    type: str
    due_at: datetime | None
    number_confirmed: bool | None
    registered: bool | None
    kept: bool | None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """How many of the promises that people looked into were kept."""

    kept: int
    n: int
    interval: tuple[float, float] | None


def _register() -> Any:
    """Every promise that stands: the machine's that nobody rejected, as corrected, and those that people added."""
    newest = select(func.max(PromiseJudgement.id)).group_by(PromiseJudgement.call_id, PromiseJudgement.start_ms)
    said = select(PromiseJudgement).where(PromiseJudgement.id.in_(newest)).subquery()
    is_same = and_(said.c.call_id == IndexedPromise.call_id, said.c.start_ms == IndexedPromise.start_ms)
    found = (
        select(
            IndexedPromise.call_id,
            IndexedPromise.promise_index,
            IndexedPromise.start_ms,
            func.coalesce(said.c.type, IndexedPromise.type).label("type"),
            func.coalesce(said.c.due_at, IndexedPromise.due_at).label("due_at"),
            IndexedPromise.number_confirmed,
            said.c.registered,
            said.c.kept,
        )
        .join(said, is_same, isouter=True)
        .where(or_(said.c.answer.is_(None), said.c.answer != "rejected"))
    )
    added = select(
        said.c.call_id,
        literal(None, IndexedPromise.promise_index.type).label("promise_index"),
        said.c.start_ms,
        said.c.type,
        said.c.due_at,
        null().label("number_confirmed"),
        said.c.registered,
        said.c.kept,
    ).where(said.c.answer == "missed")
    return union_all(found, added).subquery()


def _in_view(
    view: View, due: ColumnElement[Any], kept: ColumnElement[Any], days: tuple[datetime, datetime]
) -> ColumnElement[bool]:
    """The promises of a view; `days` are the start of today and of tomorrow."""
    today, tomorrow = days
    if view == "done":
        return kept.is_not(None)
    when: dict[str, ColumnElement[bool]] = {
        "overdue": due < today,
        "today": and_(due >= today, due < tomorrow),
        "soon": and_(due >= tomorrow, due < tomorrow + SOON),
        "later": due >= tomorrow + SOON,
        "undated": due.is_(None),
    }
    return and_(kept.is_(None), when[view])


def list_promises(
    orm: Orm, scope: ColumnElement[bool], view: View, days: tuple[datetime, datetime], number: int = 1
) -> tuple[list[Promise], dict[str, int]]:
    """A page of a view of the register, what is due first on top, and how many each view holds."""
    lines = _register()
    due, kept = lines.c.due_at, lines.c.kept
    joined = select(lines).join(IndexedCall, IndexedCall.call_id == lines.c.call_id).where(scope)
    sums = [func.count().filter(_in_view(one, due, kept, days)).label(one) for one in VIEWS]
    held = select(*sums).select_from(lines).join(IndexedCall, IndexedCall.call_id == lines.c.call_id).where(scope)
    counts = dict(orm.execute(held).mappings().one())
    order = (due.desc(),) if view == "done" else (due, IndexedCall.day.desc())
    asked = joined.add_columns(IndexedCall).where(_in_view(view, due, kept, days))
    asked = asked.order_by(*order, lines.c.call_id, lines.c.start_ms).limit(PAGE).offset((number - 1) * PAGE)
    rows = [
        Promise(
            row.IndexedCall,
            row.promise_index,
            row.start_ms,
            row.type,
            row.due_at,
            row.number_confirmed,
            row.registered,
            row.kept,
        )
        for row in orm.execute(asked)
    ]
    return rows, {name: int(n) for name, n in counts.items()}


def count_kept(orm: Orm, scope: ColumnElement[bool]) -> Kept:
    """How many promises were kept, of those that somebody looked into."""
    lines = _register()
    kept = lines.c.kept
    asked = select(func.count().filter(kept.is_(True)), func.count().filter(kept.is_not(None))).select_from(lines)
    good, n = orm.execute(asked.join(IndexedCall, IndexedCall.call_id == lines.c.call_id).where(scope)).one()
    return Kept(good, n, wilson_interval(good, n))


def today_of(zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """The start of the day of a moment in a zone, and of the day after: 23 or 25 hours apart twice a year."""
    day = now.astimezone(zone).date()
    first, second = (datetime.combine(day + timedelta(days=i), time(), zone).astimezone(UTC) for i in (0, 1))
    return first, second


class Seen:
    """Whose eyes have been on which call since the app began: the ledger is told once a day, not at every click."""

    def __init__(self) -> None:
        self._lock, self._day = threading.Lock(), date.min
        self._known: set[tuple[int, str]] = set()

    def new(self, person: Person, call_ids: Sequence[str], today: date) -> list[str]:
        """Those calls that this person has not seen today."""
        with self._lock:
            if today != self._day:
                self._day, self._known = today, set()
            fresh = [one for one in dict.fromkeys(call_ids) if (person.id, one) not in self._known]
            self._known |= {(person.id, one) for one in fresh}
        return fresh


def _seen_of(request: Request) -> Seen:
    state = request.app.state
    if not hasattr(state, "seen_in_register"):
        state.seen_in_register = Seen()
    seen: Seen = state.seen_in_register
    return seen


def _with_words(desk: Desk, seen: Seen, person: Person, promises: Sequence[Promise]) -> list[Promise]:
    """The promises of a page in the words of their calls, which alone are read; the ledger is told of it."""
    said: dict[str, list[PromiseRow]] = {}
    for promise in promises:
        call = promise.call
        if call.call_id not in said:
            said[call.call_id] = desk.store.promises_of(call.call_id, call.part)
    shown = [
        replace(one, words=next((p.quote for p in said[one.call.call_id] if p.start_ms == one.start_ms), ""))
        for one in promises
    ]
    recordings: Mapping[str, str] = {one.call.call_id: one.call.recording_sha256 for one in shown if one.words}
    fresh = seen.new(person, list(recordings), datetime.now(UTC).date())
    reason = words()["re_reason"][desk.config.lang]
    desk.ledger.add("view", [(call_id, recordings[call_id]) for call_id in fresh], reason, person.name)
    return shown


@router.get("/register")
def show_register(
    request: Request,
    person: Reviewer,
    view: View = "today",
    page_number: Annotated[int, Query(alias="page", ge=1, le=PAGES)] = 1,
) -> Response:
    """What was promised to citizens: overdue, due today, soon, without a date, and what became of it."""
    desk = desk_of(request)
    desk.keep_up()
    days = today_of(ZoneInfo(desk.config.municipality.timezone), datetime.now(UTC))
    scope = visible(person, desk.config.privacy.agents_may_be_told_apart, _team_topics(person))
    with desk.reviews.reading() as orm:
        promises, counts = list_promises(orm, scope, view, days, page_number)
        kept = count_kept(orm, scope)
    return page(
        request,
        "register.html",
        promises=_with_words(desk, _seen_of(request), person, promises),
        counts=counts,
        views=VIEWS,
        view=view,
        number=page_number,
        pages=min(PAGES, max(1, -(-counts[view] // PAGE))),
        kept=kept if kept.n >= desk.config.privacy.smallest_group else None,
        least=desk.config.privacy.smallest_group,
        new_token=new_token,
        call_link=call_link,
        **formats(desk, person.lang),
    )


@router.post("/register", dependencies=changing)
def answer_promise(
    request: Request,
    person: Reviewer,
    call_id: Annotated[str, Form(max_length=400, pattern=_TEXT)],
    start_ms: Annotated[int, Form(ge=0, lt=2**31)],
    token: Token,
    registered: Annotated[Literal["", "yes", "no"], Form()] = "",
    kept: Annotated[Literal["", "yes", "no"], Form()] = "",
    view: Annotated[View, Form()] = "today",
) -> Response:
    """Whether the promise stands in the municipality's own system, and whether it was kept; what is known stays."""
    desk = desk_of(request)
    call = desk.find(call_id)
    if call is None or not desk.may_see(person, call):
        raise HTTPException(404)
    here = and_(PromiseJudgement.call_id == call_id, PromiseJudgement.start_ms == start_ms)
    with desk.reviews.reading() as orm:
        last = orm.scalar(select(PromiseJudgement).where(here).order_by(PromiseJudgement.id.desc()).limit(1))
        found = orm.scalar(
            select(IndexedPromise).where(IndexedPromise.call_id == call_id, IndexedPromise.start_ms == start_ms)
        )
    if last is None and found is None:
        raise HTTPException(404)
    answers: dict[str, bool | None] = {"yes": True, "no": False, "": None}
    said = SaidOfPromise(
        promise_index=last.promise_index if last else found.promise_index,  # type: ignore[union-attr]
        start_ms=start_ms,
        answer=last.answer if last else "confirmed",  # type: ignore[arg-type]
        type=last.type if last else found.type,  # type: ignore[union-attr]
        due_at=last.due_at if last else None,
        registered=answers[registered],
        kept=answers[kept],
        note=last.note if last else "",
    )
    desk.reviews.judge_promise(person.id, call_id, said, token)
    return RedirectResponse(f"/register?view={view}", 303)
