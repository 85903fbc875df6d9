"""Which calls a page shows or a sample draws; all of it questions to the index."""

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


def _team_topics(person: Person) -> Literal["plain", "all"]:
    return "all" if person.may("sensitive") else "plain"

PAGE = 50

PAGES = 40  # who wants to look further narrows the filters: a deep page costs what all pages before it cost

CANDIDATES = 500  # of the most uncertain calls, that are weighed by what a review of them would teach

MAX_SAMPLE = 500

MONITORINGS, CALLS_EACH = 4, 3  # a month, of each agent: "4 monitorings x 3 gesprekken", 1sq.be

FRAME: tuple[str, ...] = ("from", "to", "queue", "topic")  # the filters that a sample can be drawn within

Order = Literal["newest", "uncertain", "compliance"]

Topics = Literal["plain", "sensitive", "all"]

_TEXT = r"^[^\x00-\x1f]*$"  # PostgreSQL takes no NUL in a text


class Filters(BaseModel):
    """What the address of a work list asks for."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)
    since: date | None = Field(None, alias="from")
    until: date | None = Field(None, alias="to")
    queue: str | None = Field(None, max_length=200, pattern=_TEXT)
    topic: str | None = Field(None, max_length=80, pattern=_TEXT)
    criterion: str | None = Field(None, max_length=60, pattern=_TEXT)
    verdict: Literal["met", "not_met", "not_applicable", "uncertain"] | None = None
    state: CallState | None = None
    by: Literal["me", "nobody"] | None = None
    uncertain: int | None = Field(None, ge=0, le=500)
    compliance: Literal["met", "not_met", "not_applicable", "uncertain"] | None = None
    score_min: int | None = Field(None, ge=0, le=100)
    score_max: int | None = Field(None, ge=0, le=100)
    sensitive: bool = False
    order: Order = "newest"
    page: int = Field(1, ge=1, le=PAGES)

    def address(self, path: str = "/", **changes: Any) -> str:
        """The address of this list with some of it changed."""
        asked = self.model_dump(mode="json", by_alias=True, exclude_defaults=True) | changes
        kept = {name: value for name, value in asked.items() if value not in (None, False, "")}
        return path + ("?" + urlencode(kept) if kept else "")

    @property
    def has_more(self) -> bool:
        """Whether it asks for anything that the form hides at first."""
        hidden = (self.criterion, self.verdict, self.by, self.compliance)
        numbers = (self.uncertain, self.score_min, self.score_max)
        return any(hidden) or any(value is not None for value in numbers)


def read_filters(asked: Mapping[str, str]) -> tuple[Filters, list[str]]:
    """The filters of an address, and the names of those that made no sense and are left out.

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
    """`Desk.may_see` in SQL, with sensitive topics apart: left out unless asked for by who may."""
    if person.role == "agent":
        is_own = may_tell_apart and person.agent_ref is not None
        return IndexedCall.agent_ref == person.agent_ref if is_own else false()
    if not person.may("see"):
        return false()
    if topics == "plain" or not person.may("sensitive"):
        return IndexedCall.sensitive.is_(False)
    return IndexedCall.sensitive.is_(True) if topics == "sensitive" else true()


def _is_contested() -> ColumnElement[bool]:
    return exists().where(Contest.call_id == IndexedCall.call_id, Contest.settled_at.is_(None))


def _is_reviewed(user_id: int | None = None) -> ColumnElement[bool]:
    done = exists().where(Finished.call_id == IndexedCall.call_id, Finished.sample_id.is_(None))
    return done.where(Finished.user_id == user_id) if user_id is not None else done


def _shown_score() -> ColumnElement[float | None]:
    """What people made of the card, else the machine."""
    newest = (
        select(Finished.normalized_score)
        .where(Finished.call_id == IndexedCall.call_id, Finished.sample_id.is_(None))
        .order_by(Finished.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(newest, IndexedCall.normalized_score)


def conditions(filters: Filters, person: Person) -> list[ColumnElement[bool]]:
    """The filters as conditions on IndexedCall; every value is a parameter."""
    found: list[ColumnElement[bool]] = []
    if filters.since:
        found.append(IndexedCall.day >= filters.since)
    if filters.until:
        found.append(IndexedCall.day <= filters.until)
    if filters.queue:
        found.append(IndexedCall.queue == filters.queue)
    if filters.topic:
        found.append(IndexedCall.topic == filters.topic)
    if filters.criterion or filters.verdict:
        said = exists().where(IndexedCriterion.call_id == IndexedCall.call_id)
        if filters.criterion:
            said = said.where(IndexedCriterion.criterion == filters.criterion)
        wanted = filters.verdict
        said = said.where(IndexedCriterion.status == wanted if wanted else IndexedCriterion.status != "not_applicable")
        found.append(said)
    if filters.state:
        found.append(
            {
                "contested": _is_contested(),
                "reviewed": and_(_is_reviewed(), ~_is_contested()),
                "machine": and_(~_is_reviewed(), ~_is_contested()),
            }[filters.state]
        )
    if filters.by:
        found.append(_is_reviewed(person.id) if filters.by == "me" else ~_is_reviewed())
    if filters.uncertain is not None:
        found.append(IndexedCall.uncertain >= filters.uncertain)
    if filters.compliance:
        found.append(IndexedCall.compliance_status == filters.compliance)
    # The list shows whole percents, so it is those that are compared.
    if filters.score_min is not None:
        found.append(_shown_score() >= (filters.score_min - 0.5) / 100)
    if filters.score_max is not None:
        found.append(_shown_score() < (filters.score_max + 0.5) / 100)
    return found


def learning_weight(judged: int) -> float:
    """What one more answer on a criterion is worth after so many: the standard error of a share falls as 1 / sqrt(n).

    0, 3   ->   1.0, 0.5
    """
    return float((1 + judged) ** -0.5)


def most_uncertain(orm: Orm, where: Sequence[ColumnElement[bool]], limit: int, offset: int = 0) -> list[str]:
    """The calls from whose review the machine would learn most, the best first.

    Uncertainty sampling (Lewis and Gale 1994; Settles 2009, section 3.1): for a yes or no, least confidence, margin and
    entropy put cases in the same order, that of 4 p (1 - p), which SQL can reckon.  A call asks for many answers at
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
    counted = orm.execute(select(Judgement.criterion, func.count()).group_by(Judgement.criterion))
    weights = {row[0]: learning_weight(row[1]) for row in counted}
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
class Row:
    """A line of the list.  `is_blind`: this person still has to score the call without the machine's verdict."""

    call: IndexedCall
    state: CallState
    score: float | None
    is_blind: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list; `total` counts no further than the pages go."""

    rows: list[Row]
    total: int
    pages: int
    is_cut: bool


def list_calls(orm: Orm, filters: Filters, person: Person, may_tell_apart: bool) -> Listing:
    """A page of the calls that a person may see."""
    scope = visible(person, may_tell_apart, "sensitive" if filters.sensitive else "plain")
    where = [scope, *conditions(filters, person)]
    is_learning = filters.order == "uncertain"
    most = CANDIDATES if is_learning else PAGES * PAGE
    counted = select(IndexedCall.call_id).where(*where, *([~_is_reviewed()] if is_learning else []))
    total = orm.scalar(select(func.count()).select_from(counted.limit(most + 1).subquery())) or 0
    start = (filters.page - 1) * PAGE
    if is_learning:
        ids = most_uncertain(orm, where, PAGE, start)
    else:
        ids = list(orm.scalars(_ordered(where, filters.order).limit(PAGE).offset(start)))
    pages = max(1, -(-min(total, most) // PAGE))
    return Listing(rows_of(orm, ids, person), min(total, most), pages, total > most)


def rows_of(orm: Orm, call_ids: Sequence[str], person: Person) -> list[Row]:
    """The lines of these calls, in the order given."""
    state = case((_is_contested(), "contested"), (_is_reviewed(), "reviewed"), else_="machine")
    done = exists().where(
        Finished.call_id == IndexedCall.call_id, Finished.sample_id == Sample.id, Finished.user_id == person.id
    )
    is_blind = (
        exists()
        .where(SampleCall.call_id == IndexedCall.call_id, SampleCall.sample_id == Sample.id)
        .where(Sample.blind.is_(True), Sample.closed_at.is_(None), ~done)
    )
    asked = select(IndexedCall, state, _shown_score(), is_blind).where(IndexedCall.call_id.in_(call_ids))
    found = {row[0].call_id: Row(row[0], row[1], row[2], bool(row[3])) for row in orm.execute(asked)}
    return [found[call_id] for call_id in call_ids if call_id in found]


class Plan(BaseModel):
    """How a sample is drawn."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)
    name: str = Field(min_length=1, max_length=120, pattern=_TEXT)
    kind: SampleKind
    count: int = Field(12, ge=1, le=MAX_SAMPLE)
    spread: Literal["proportional", "equal"] = "proportional"
    month: str | None = Field(None, pattern=r"^[12]\d{3}-(0[1-9]|1[0-2])$")
    with_sensitive: bool = False
    blind: bool = False
    seed: int | None = Field(None, ge=0, lt=2**31)


def allocate(sizes: Mapping[str, int], count: int, spread: Literal["proportional", "equal"]) -> dict[str, int]:
    """How many calls each stratum gives: at least one as long as there are enough, and never more than it has.

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
    """Which ranks of each stratum are drawn, from 1, all mixed: who stops halfway has seen something of each.

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
    plan: Plan,
    filters: Filters,
    person: Person,
    may_tell_apart: bool,
    seed: int,
    chosen: Sequence[str] = (),
) -> list[str]:
    """The calls of a sample, in the order in which they are to be reviewed: scorable ones that the person may see.

    Sensitive topics only when the plan says so.  Drawn again with the same seed from the same calls it is the same.
    """
    scope = visible(person, may_tell_apart, "all" if plan.with_sensitive else "plain")
    where = [scope, IndexedCall.scorable.is_(True), *conditions(filters, person)]
    if plan.kind == "chosen":
        ids = list(dict.fromkeys(chosen))[:MAX_SAMPLE]
        known = set(orm.scalars(select(IndexedCall.call_id).where(*where[:2], IndexedCall.call_id.in_(ids))))
        return [call_id for call_id in ids if call_id in known]
    if plan.kind == "uncertain":
        return most_uncertain(orm, where, plan.count)
    stratum: ColumnElement[str] = func.coalesce(IndexedCall.queue, "")
    if plan.kind == "compliance":
        where.append(IndexedCall.compliance_status == "not_met")
    if plan.kind == "monthly":
        first, after = _month(plan.month)
        where += [IndexedCall.day >= first, IndexedCall.day < after]
        weeks = [(IndexedCall.day < first + timedelta(days=7 * i), str(i)) for i in range(1, MONITORINGS)]
        whose = func.coalesce(IndexedCall.agent_ref, stratum) if may_tell_apart else stratum
        stratum = whose.concat("#").concat(case(*weeks, else_=str(MONITORINGS)))
    elif plan.kind != "stratified":
        stratum = func.substr(stratum, 1, 0)  # all of them one
    label = stratum.label("stratum")
    sizes = {row[0]: row[1] for row in orm.execute(select(label, func.count()).where(*where).group_by(label))}
    counts = allocate(sizes, plan.count, plan.spread) if plan.kind != "monthly" else dict.fromkeys(sizes, CALLS_EACH)
    places = [f"{name}#{place}" for name, place in choose_places(sizes, counts, seed)][:MAX_SAMPLE]
    rank = func.row_number().over(partition_by=stratum, order_by=IndexedCall.call_id)
    ranked = select(IndexedCall.call_id, stratum.concat("#").concat(cast(rank, String)).label("place"))
    drawn = ranked.where(*where).subquery()
    asked = select(drawn.c.place, drawn.c.call_id).where(drawn.c.place.in_(places))
    found = {row[0]: row[1] for row in orm.execute(asked)}
    return [found[place] for place in places if place in found]


def _month(text: str | None) -> tuple[date, date]:
    """The first day of a month and of the next; of this one when none is given."""
    today = date.today()
    year, month = map(int, text.split("-")) if text else (today.year, today.month)
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)


@dataclass(frozen=True, slots=True)
class Standing:
    """A sample and how far it is: `done` by this person when it is blind, else by anybody; `next_call` is to do."""

    sample: Sample
    total: int
    done: int
    next_call: str | None


def standings(orm: Orm, person: Person, sample_id: int | None = None) -> list[Standing]:
    """The samples with their progress, the newest first; open ones before those that are closed."""
    blindly = and_(Finished.sample_id == Sample.id, Finished.user_id == person.id)
    openly = and_(Sample.blind.is_(False), Finished.sample_id.is_(None))
    is_done = exists().where(Finished.call_id == SampleCall.call_id, or_(blindly, openly))
    of_sample = SampleCall.sample_id == Sample.id
    done = select(func.count()).select_from(SampleCall).where(of_sample, is_done).correlate(Sample).scalar_subquery()
    total = select(func.count()).select_from(SampleCall).where(of_sample).correlate(Sample).scalar_subquery()
    following = (
        select(SampleCall.call_id)
        .where(of_sample, ~is_done)
        .order_by(SampleCall.position)
        .limit(1)
        .correlate(Sample)
        .scalar_subquery()
    )
    asked = select(Sample, total, done, following).order_by(Sample.closed_at.is_not(None), Sample.id.desc())
    asked = asked.where(Sample.id == sample_id) if sample_id is not None else asked.limit(PAGE)
    return [Standing(*row) for row in orm.execute(asked)]


def _queues(orm: Orm, person: Person, may_tell_apart: bool) -> list[str]:
    own = [visible(person, may_tell_apart)] if person.role == "agent" else []
    found = select(IndexedCall.queue).where(IndexedCall.queue.is_not(None), *own).distinct()
    return [queue for queue in orm.scalars(found.order_by(IndexedCall.queue)) if queue]
