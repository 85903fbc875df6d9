"""Which calls a page shows or a sample draws: all of it queries on the index.

Nothing here reads a dataset: a page is one statement with a limit and one for the lines of that page.  A sample is
drawn by rank inside the database, so that only the calls drawn leave it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import ColumnElement, Select, String, and_, case, cast, exists, false, func, or_, select, true
from sqlalchemy.orm import Session as Orm

from callanalytics.store.reviews.people import Person
from callanalytics.store.reviews.tables import (
    CallState,
    Contest,
    Finished,
    IndexedCall,
    IndexedCriterion,
    Judgement,
    Sample,
    SampleCall,
    SampleKind,
)

CALLS_A_PAGE = 50
MOST_PAGES = 40  # who looks further narrows the filters: a deep page costs what all pages before it cost
CANDIDATES = 500  # of the most uncertain calls, that are weighed by what a review of them would teach
MAX_SAMPLE = 500
MONITORINGS, CALLS_EACH = 4, 3  # a month, of each agent: "4 monitorings x 3 gesprekken", 1sq.be
FRAME: tuple[str, ...] = ("from", "to", "queue", "topic")  # the filters that a sample can be drawn within
WITHOUT_CONTROLS = r"^[^\x00-\x1f]*$"  # PostgreSQL takes no NUL in a text

Order = Literal["newest", "uncertain", "compliance"]
Topics = Literal["plain", "sensitive", "all"]
Verdict = Literal["met", "not_met", "not_applicable", "uncertain"]
Spread = Literal["proportional", "equal"]


class Filters(BaseModel):
    """What the address of a work list asks for."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)
    since: date | None = Field(None, alias="from")
    until: date | None = Field(None, alias="to")
    queue: str | None = Field(None, max_length=200, pattern=WITHOUT_CONTROLS)
    topic: str | None = Field(None, max_length=80, pattern=WITHOUT_CONTROLS)
    criterion: str | None = Field(None, max_length=60, pattern=WITHOUT_CONTROLS)
    verdict: Verdict | None = None
    state: CallState | None = None
    by: Literal["me", "nobody"] | None = None
    uncertain: int | None = Field(None, ge=0, le=500)
    compliance: Verdict | None = None
    score_min: int | None = Field(None, ge=0, le=100)
    score_max: int | None = Field(None, ge=0, le=100)
    sensitive: bool = False
    order: Order = "newest"
    page: int = Field(1, ge=1, le=MOST_PAGES)

    def address(self, path: str = "/", **changes: Any) -> str:
        """Return the address of this list with some of it changed."""
        asked = self.model_dump(mode="json", by_alias=True, exclude_defaults=True) | changes
        kept = {name: value for name, value in asked.items() if value not in (None, False, "")}
        return path + ("?" + urlencode(kept) if kept else "")

    @property
    def has_more(self) -> bool:
        """Return whether it asks for anything that the form hides at first."""
        hidden = (self.criterion, self.verdict, self.by, self.compliance)
        numbers = (self.uncertain, self.score_min, self.score_max)
        return any(hidden) or any(value is not None for value in numbers)


def read_filters(asked: Mapping[str, str]) -> tuple[Filters, list[str]]:
    """Return the filters of an address, and the names of those that made no sense and are left out.

    {"queue": "afval", "page": "no"}   ->   (Filters(queue="afval"), ["page"])
    """
    given = {name: value for name, value in asked.items() if value.strip()}
    try:
        return Filters.model_validate(given), []
    except ValidationError as error:
        wrong = sorted({str(one["loc"][0]) for one in error.errors()})
    left = {name: value for name, value in given.items() if name not in wrong}
    return Filters.model_validate(left), wrong


def visible(person: Person, may_tell_apart: bool, topics: Topics = "plain") -> ColumnElement[bool]:
    """Return `Desk.may_see` in SQL, with sensitive topics apart: left out unless asked for by who may see them."""
    if person.role == "agent":
        is_own = may_tell_apart and person.agent_ref is not None
        return IndexedCall.agent_ref == person.agent_ref if is_own else false()
    if not person.may("see"):
        return false()
    if topics == "plain" or not person.may("sensitive"):
        return IndexedCall.sensitive.is_(False)
    return IndexedCall.sensitive.is_(True) if topics == "sensitive" else true()


def team_scope(person: Person, may_tell_apart: bool) -> ColumnElement[bool]:
    """Return `visible` with sensitive topics among the rest for those who may see them."""
    return visible(person, may_tell_apart, "all" if person.may("sensitive") else "plain")


def _is_contested() -> ColumnElement[bool]:
    return exists().where(Contest.call_id == IndexedCall.call_id, Contest.settled_at.is_(None))


def _is_reviewed(user_id: int | None = None) -> ColumnElement[bool]:
    done = exists().where(Finished.call_id == IndexedCall.call_id, Finished.sample_id.is_(None))
    return done.where(Finished.user_id == user_id) if user_id is not None else done


def _state() -> ColumnElement[Any]:
    return case((_is_contested(), "contested"), (_is_reviewed(), "reviewed"), else_="machine")


def _shown_score() -> ColumnElement[float | None]:
    """Return the score of the newest review, else the machine's."""
    newest = (
        select(Finished.normalized_score)
        .where(Finished.call_id == IndexedCall.call_id, Finished.sample_id.is_(None))
        .order_by(Finished.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(newest, IndexedCall.normalized_score)


def conditions(filters: Filters, person: Person) -> list[ColumnElement[bool]]:
    """Return the filters as conditions on IndexedCall; every value is a parameter."""
    call, found = IndexedCall, list[ColumnElement[bool]]()
    equal = ((call.queue, filters.queue), (call.topic, filters.topic), (call.compliance_status, filters.compliance))
    found += [column == wanted for column, wanted in equal if wanted]
    if filters.since:
        found.append(call.day >= filters.since)
    if filters.until:
        found.append(call.day <= filters.until)
    if filters.criterion or filters.verdict:
        said = exists().where(IndexedCriterion.call_id == call.call_id)
        if filters.criterion:
            said = said.where(IndexedCriterion.criterion == filters.criterion)
        status = IndexedCriterion.status
        found.append(said.where(status == filters.verdict if filters.verdict else status != "not_applicable"))
    if filters.state:
        found.append(_state() == filters.state)
    if filters.by:
        found.append(_is_reviewed(person.id) if filters.by == "me" else ~_is_reviewed())
    if filters.uncertain is not None:
        found.append(call.uncertain >= filters.uncertain)
    # The list shows whole percents, so it is those that are compared.
    if filters.score_min is not None:
        found.append(_shown_score() >= (filters.score_min - 0.5) / 100)
    if filters.score_max is not None:
        found.append(_shown_score() < (filters.score_max + 0.5) / 100)
    return found


def _pairs(orm: Orm, asked: Any) -> dict[str, Any]:
    return {row[0]: row[1] for row in orm.execute(asked)}


def learning_weight(judged: int) -> float:
    """Return what one more answer on a criterion is worth after so many.

    The standard error of a share falls as 1 / sqrt(n).
    0, 3   ->   1.0, 0.5
    """
    return float((1 + judged) ** -0.5)


def most_uncertain(orm: Orm, where: Sequence[ColumnElement[bool]], limit: int, offset: int = 0) -> list[str]:
    """Return the calls from whose review the machine would learn most, the best first.

    Uncertainty sampling (Lewis and Gale 1994; Settles 2009, section 3.1): for a yes or no, least confidence, margin and
    entropy put cases in the same order, that of 4 p (1 - p), which SQL can compute.  A call asks for many answers at
    once, so it counts their mean: with a sum, calls to which more criteria apply would always come first.  By itself
    this keeps asking for the few criteria that stay hard; so each is weighed by how little people have said of it.
    The CANDIDATES most uncertain calls that nobody reviewed are weighed: the index holds their plain uncertainty, and
    to weigh all of OUT would cost more with every night.
    """
    candidates = (
        select(IndexedCall.call_id)
        .where(*where, ~_is_reviewed())
        .order_by(IndexedCall.uncertainty.desc(), IndexedCall.call_id)
        .limit(CANDIDATES)
    )
    counted = _pairs(orm, select(Judgement.criterion, func.count()).group_by(Judgement.criterion))
    weights = {criterion: learning_weight(judged) for criterion, judged in counted.items()}
    weight = case(weights, value=IndexedCriterion.criterion, else_=1.0) if weights else 1.0
    p = IndexedCriterion.probability
    gain = func.sum(4 * p * (1 - p) * weight) / func.count()
    return list(
        orm.scalars(
            select(IndexedCriterion.call_id)
            .where(IndexedCriterion.call_id.in_(candidates), IndexedCriterion.status != "not_applicable")
            .group_by(IndexedCriterion.call_id)
            .order_by(gain.desc(), IndexedCriterion.call_id)
            .limit(limit)
            .offset(offset)
        )
    )


def _ordered(where: Sequence[ColumnElement[bool]], order: Order) -> Select[Any]:
    newest = (IndexedCall.day.desc(), IndexedCall.started_at.desc().nulls_last(), IndexedCall.call_id)
    found = select(IndexedCall.call_id).where(*where)
    if order == "compliance":
        worst = case({"not_met": 0, "uncertain": 1}, value=IndexedCall.compliance_status, else_=2)
        return found.order_by(worst, *newest)
    return found.order_by(*newest)


@dataclass(frozen=True, slots=True)
class CallLine:
    """A line of the list.  `is_blind`: this person still has to score the call without the machine's verdict."""

    call: IndexedCall
    state: CallState
    score: float | None
    is_blind: bool


@dataclass(frozen=True, slots=True)
class CallListPage:
    """A page of the list; `total` counts no further than the pages go."""

    rows: list[CallLine]
    total: int
    pages: int
    is_cut: bool


def list_calls(orm: Orm, filters: Filters, person: Person, may_tell_apart: bool) -> CallListPage:
    """Return a page of the calls that a person may see."""
    scope = visible(person, may_tell_apart, "sensitive" if filters.sensitive else "plain")
    where = [scope, *conditions(filters, person)]
    is_learning = filters.order == "uncertain"
    most = CANDIDATES if is_learning else MOST_PAGES * CALLS_A_PAGE
    counted = select(IndexedCall.call_id).where(*where, *([~_is_reviewed()] if is_learning else []))
    total = orm.scalar(select(func.count()).select_from(counted.limit(most + 1).subquery())) or 0
    start = (filters.page - 1) * CALLS_A_PAGE
    if is_learning:
        ids = most_uncertain(orm, where, CALLS_A_PAGE, start)
    else:
        ids = list(orm.scalars(_ordered(where, filters.order).limit(CALLS_A_PAGE).offset(start)))
    pages = max(1, -(-min(total, most) // CALLS_A_PAGE))
    return CallListPage(lines_of(orm, ids, person), min(total, most), pages, total > most)


def lines_of(orm: Orm, call_ids: Sequence[str], person: Person) -> list[CallLine]:
    """Return the lines of these calls, in the order given."""
    done = exists().where(
        Finished.call_id == IndexedCall.call_id, Finished.sample_id == Sample.id, Finished.user_id == person.id
    )
    is_blind = (
        exists()
        .where(SampleCall.call_id == IndexedCall.call_id, SampleCall.sample_id == Sample.id)
        .where(Sample.blind.is_(True), Sample.closed_at.is_(None), ~done)
    )
    asked = select(IndexedCall, _state(), _shown_score(), is_blind).where(IndexedCall.call_id.in_(call_ids))
    found = {row[0].call_id: CallLine(row[0], row[1], row[2], bool(row[3])) for row in orm.execute(asked)}
    return [found[call_id] for call_id in call_ids if call_id in found]


class SampleRequest(BaseModel):
    """A form that asks for a sample: how it is drawn."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)
    name: str = Field(min_length=1, max_length=120, pattern=WITHOUT_CONTROLS)
    kind: SampleKind
    count: int = Field(12, ge=1, le=MAX_SAMPLE)
    spread: Spread = "proportional"
    month: str | None = Field(None, pattern=r"^[12]\d{3}-(0[1-9]|1[0-2])$")
    with_sensitive: bool = False
    blind: bool = False
    seed: int | None = Field(None, ge=0, lt=2**31)


def allocate(sizes: Mapping[str, int], count: int, spread: Spread) -> dict[str, int]:
    """Return how many calls each stratum gives: at least one as long as there are enough, and never more than it has.

    Every next one goes to the stratum that is furthest behind its share; by size, or the same for all.
    {"a": 90, "b": 9, "c": 1}, 10   ->   {"a": 8, "b": 1, "c": 1}
    """
    names = sorted((name for name, size in sizes.items() if size), key=lambda name: (-sizes[name], name))
    given = dict.fromkeys(names[:count], 1)
    total = sum(sizes[name] for name in names)
    part = {name: count / len(names) if spread == "equal" else count * sizes[name] / total for name in names}
    for _ in range(count - len(given)):
        open_ones = [name for name in names if given[name] < sizes[name]]
        if not open_ones:
            break
        given[max(open_ones, key=lambda name: part[name] - given[name])] += 1
    return given


def choose_places(sizes: Mapping[str, int], counts: Mapping[str, int], seed: int) -> list[tuple[str, int]]:
    """Return which ranks of each stratum are drawn, from 1, mixed: who stops halfway has seen some of each.

    The same seed and sizes give the same places; a stratum's do not depend on the other strata.
    """
    places = [
        (name, place)
        for name in sorted(counts)
        for place in random.Random(f"{seed}:{name}").sample(range(1, sizes[name] + 1), min(counts[name], sizes[name]))
    ]
    random.Random(seed).shuffle(places)
    return places


def draw_calls(
    orm: Orm,
    request: SampleRequest,
    filters: Filters,
    person: Person,
    may_tell_apart: bool,
    seed: int,
    chosen: Sequence[str] = (),
) -> list[str]:
    """Return the calls of a sample in the order of review: scorable ones that the person may see.

    Sensitive topics only when the request says so.  Drawn again with the same seed from the same calls it is the same.
    """
    scope = visible(person, may_tell_apart, "all" if request.with_sensitive else "plain")
    where = [scope, IndexedCall.scorable.is_(True), *conditions(filters, person)]
    if request.kind == "chosen":
        ids = list(dict.fromkeys(chosen))[:MAX_SAMPLE]
        known = set(orm.scalars(select(IndexedCall.call_id).where(*where[:2], IndexedCall.call_id.in_(ids))))
        return [call_id for call_id in ids if call_id in known]
    if request.kind == "uncertain":
        return most_uncertain(orm, where, request.count)
    stratum: ColumnElement[str] = func.coalesce(IndexedCall.queue, "")
    if request.kind == "compliance":
        where.append(IndexedCall.compliance_status == "not_met")
    if request.kind == "monthly":
        first, after = _month(request.month)
        where += [IndexedCall.day >= first, IndexedCall.day < after]
        weeks = [(IndexedCall.day < first + timedelta(days=7 * i), str(i)) for i in range(1, MONITORINGS)]
        whose = func.coalesce(IndexedCall.agent_ref, stratum) if may_tell_apart else stratum
        stratum = whose.concat("#").concat(case(*weeks, else_=str(MONITORINGS)))
    elif request.kind != "stratified":
        stratum = func.substr(stratum, 1, 0)  # all of them one
    label = stratum.label("stratum")
    sizes = _pairs(orm, select(label, func.count()).where(*where).group_by(label))
    counts = dict.fromkeys(sizes, CALLS_EACH)
    if request.kind != "monthly":
        counts = allocate(sizes, request.count, request.spread)
    places = [f"{name}#{place}" for name, place in choose_places(sizes, counts, seed)][:MAX_SAMPLE]
    rank = func.row_number().over(partition_by=stratum, order_by=IndexedCall.call_id)
    ranked = select(IndexedCall.call_id, stratum.concat("#").concat(cast(rank, String)).label("place"))
    drawn = ranked.where(*where).subquery()
    found = _pairs(orm, select(drawn.c.place, drawn.c.call_id).where(drawn.c.place.in_(places)))
    return [found[place] for place in places if place in found]


def _month(text: str | None) -> tuple[date, date]:
    """Return the first day of a month and of the next; of this one when none is given."""
    today = date.today()
    year, month = map(int, text.split("-")) if text else (today.year, today.month)
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)


@dataclass(frozen=True, slots=True)
class SampleProgress:
    """A sample and how far it is: `done` by this person when it is blind, else by anybody; `next_call` is to do."""

    sample: Sample
    total: int
    done: int
    next_call: str | None


def sample_progress(orm: Orm, person: Person, sample_id: int | None = None) -> list[SampleProgress]:
    """Return the samples with their progress, the newest first; open ones before those that are closed."""
    blindly = and_(Finished.sample_id == Sample.id, Finished.user_id == person.id)
    openly = and_(Sample.blind.is_(False), Finished.sample_id.is_(None))
    is_done = exists().where(Finished.call_id == SampleCall.call_id, or_(blindly, openly))
    counted = select(func.count()).select_from(SampleCall).where(SampleCall.sample_id == Sample.id).correlate(Sample)
    following = select(SampleCall.call_id).where(SampleCall.sample_id == Sample.id, ~is_done).correlate(Sample)
    following = following.order_by(SampleCall.position).limit(1)
    columns = (one.scalar_subquery() for one in (counted, counted.where(is_done), following))
    asked = select(Sample, *columns).order_by(Sample.closed_at.is_not(None), Sample.id.desc())
    asked = asked.where(Sample.id == sample_id) if sample_id is not None else asked.limit(CALLS_A_PAGE)
    return [SampleProgress(*row) for row in orm.execute(asked)]


def queue_names(orm: Orm, person: Person, may_tell_apart: bool) -> list[str]:
    """Return the queues that the form of filters offers."""
    own = [visible(person, may_tell_apart)] if person.role == "agent" else []
    found = select(IndexedCall.queue).where(IndexedCall.queue.is_not(None), *own).distinct()
    return [queue for queue in orm.scalars(found.order_by(IndexedCall.queue)) if queue]
