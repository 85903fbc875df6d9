"""What the report says, as values: numbers from the named queries, and what follows from them by arithmetic."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from callanalytics.config import Config
from callanalytics.dutch.dates import is_working_day
from callanalytics.report.queries import QUERIES, STATUS_TOPIC, TABLES
from callanalytics.report.statistics import (
    Limits,
    Rate,
    contributions,
    control_limits,
    difference_interval,
    small_cells,
    small_groups,
)
from callanalytics.scoring.scorecard import PROMISE_PARTS

if TYPE_CHECKING:
    import duckdb

BSN = "bsn_request"
GAPS = ("unexplained_jargon", "hedging", "hold", "dead_air")
FATES = ("today", "overdue", "broken", "late", "kept", "open", "vague")
KINDS = ("warm", "cold", "failed")
OTHER = "*"  # the topics of too few hand-overs together
MOVERS = 3
MIN_CAUSE = 0.25  # of the change: a queue or a topic that makes less of it explains nothing
MOMENTS, GOOD_MOMENTS = 5, 3
MIN_WORDS, MAX_WORDS = 4, 40  # of a fragment: fewer say nothing, more is not read
LEGIBLE = 0.6  # mean probability of a turn's words: below, what nobody reviewed is too hard to read
NONE = Rate(0, 0)


@dataclass(frozen=True, slots=True)
class Period:
    """The days of the report, both included, and the day on which promises are judged."""

    first: date
    last: date
    today: date

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> date:
        """First day of the period of the same length before it."""
        return self.first - timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days of an item, counted back from the last day of the report: 0 is the last."""

    back: int
    rate: Rate
    is_reported: bool  # touches the report's days


@dataclass(frozen=True, slots=True)
class ItemLine:
    """An item of the scorecard over the period."""

    item: str
    now: Rate
    na: int
    unsure: int
    reviewed: Rate
    before: Rate
    norm: float
    weeks: tuple[Week, ...]  # oldest first, those with too few calls left out
    limits: Limits | None
    is_gauged: bool  # of all its criteria it was decided that the machine judges as people do

    @property
    def change(self) -> float | None:
        """Share now minus share before."""
        now, before = self.now.share, self.before.share
        return None if now is None or before is None else now - before

    @property
    def change_interval(self) -> tuple[float, float] | None:
        """95 % interval of the change."""
        return difference_interval(self.now, self.before)

    @property
    def is_clear(self) -> bool:
        """Whether the interval of the change leaves no change out."""
        interval = self.change_interval
        return interval is not None and not interval[0] <= 0 <= interval[1]


@dataclass(frozen=True, slots=True)
class Cause:
    """A part of the item, a queue or a topic that the change comes from most."""

    kind: str  # part, queue or topic
    name: str
    now: Rate
    before: Rate
    points: float  # of the change, in shares


@dataclass(frozen=True, slots=True)
class Mover:
    """An item that changed much, and what from."""

    line: ItemLine
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class ComplianceLine:
    """A criterion of the compliance block; of a signal `rate` tells how often it was there."""

    criterion: str
    rate: Rate
    na: int
    unsure: int
    is_signal: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """A fragment: what was said around the evidence, redacted, and where."""

    item: str
    criterion: str
    call_id: str
    topic: str
    start_ms: int
    before: str
    quote: str
    after: str
    is_good: bool
    is_reviewed: bool
    confidence: float  # of the recogniser in the words of the turn

    @property
    def words(self) -> int:
        """Its length."""
        return len(f"{self.before} {self.quote} {self.after}".split())


@dataclass(frozen=True, slots=True)
class PromiseLine:
    """A promise of the register and what became of it."""

    call_id: str
    day: date
    queue: str
    topic: str
    type: str
    by: str | None
    deadline_text: str | None
    due_at: datetime | None
    quote: str
    start_ms: int
    fate: str  # of FATES
    overdue_by: int | None  # working days
    registered: bool | None
    is_sensitive: bool

    @property
    def order(self) -> int:
        """Where its state stands in the list of what to do."""
        return FATES.index(self.fate)


@dataclass(frozen=True, slots=True)
class Register:
    """Promises made in the period, and older ones that fell due since it began."""

    lines: tuple[PromiseLine, ...]
    fates: Mapping[str, int]
    promises: int
    calls: int
    judged: int
    dated: int
    absent: Rate  # never registered, of those that a person looked up
    kept: Rate  # of those of which it is known
    in_time: Rate


@dataclass(frozen=True, slots=True)
class Named:
    """A rate of a queue or a topic; hidden when it can't be told, or would tell of another."""

    name: str
    rate: Rate
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class Repeats:
    """Calls again about the same."""

    all: Rate
    topics: tuple[Named, ...]
    queues: tuple[Named, ...]
    after_promise: Rate  # of the repeats, those after a call with a promise
    told_broken: Rate
    status: Rate


@dataclass(frozen=True, slots=True)
class Handovers:
    """The matrix topic x queue."""

    topics: tuple[str, ...]
    queues: tuple[str, ...]
    cells: Mapping[tuple[str, str], Mapping[str, int]]
    hidden: frozenset[tuple[str, str]]
    hidden_topics: frozenset[str]
    hidden_queues: frozenset[str]
    all: Mapping[str, int]

    @property
    def has_topics(self) -> bool:
        """Whether any topic has hand-overs enough to stand on its own."""
        return any(topic != OTHER for topic in self.topics)

    def of_topic(self, topic: str) -> dict[str, int]:
        """A row's sums."""
        return _added(kinds for (name, _), kinds in self.cells.items() if name == topic)

    def of_queue(self, queue: str) -> dict[str, int]:
        """A column's sums."""
        return _added(kinds for (_, name), kinds in self.cells.items() if name == queue)


@dataclass(frozen=True, slots=True)
class GapLine:
    """A topic and how often each sign of missing knowledge stood in its calls."""

    topic: str
    rates: Mapping[str, Rate]  # by GAPS
    hidden: frozenset[str]


@dataclass(frozen=True, slots=True)
class PlanLine:
    """An action of the PDCA log with its item before and after."""

    id: int
    action: str
    hypothesis: str
    item: str
    starts_on: date
    days: int
    is_open: bool
    conclusion: str
    before: Rate
    after: Rate
    is_broken: bool  # the rules changed in between: no comparison

    @property
    def change_interval(self) -> tuple[float, float] | None:
        """95 % interval of after minus before."""
        return difference_interval(self.after, self.before)


@dataclass(frozen=True, slots=True)
class NormLine:
    """A norm and what was measured: in the period, and in the one before."""

    name: str  # answer_s, callback_working_days, transfers, handled_share, or an item
    is_item: bool
    limit: float  # what each call is held against; of an item 0
    wanted: float | None  # the share wanted; null where the norm is a limit for every call
    now: Rate
    before: Rate


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the team could work on: the item with most to win, and the part that lacks most often."""

    line: ItemLine
    part: str | None
    misses: Rate


@dataclass(frozen=True, slots=True)
class Figures:
    """The whole report."""

    period: Period
    calls: int
    scorable: int
    reviewed: int
    contested: int
    calls_before: int
    failures: int
    items: tuple[ItemLine, ...]
    breaks: frozenset[int]  # weeks, counted back, in which other rules made the scores than the week before
    is_broken: bool  # the rules changed between the period before and this one, or within them
    movers: tuple[Mover, ...]
    compliance: tuple[ComplianceLine, ...]
    moments: tuple[Moment, ...]
    register: Register
    repeats: Repeats
    handovers: Handovers
    gaps: tuple[GapLine, ...]
    jargon: tuple[tuple[str, str, int], ...]  # word, plainer, calls
    plan: tuple[PlanLine, ...]
    norms: tuple[NormLine, ...]
    proposal: Proposal | None

    @property
    def action(self) -> PlanLine | None:
        """The newest action of the PDCA log that is not closed."""
        return next((line for line in self.plan if line.is_open), None)


def collect_figures(sql: duckdb.DuckDBPyConnection, config: Config, period: Period) -> Figures:
    """All figures of the period; `sql` is an open catalog, which gets tables of its own beside its views."""
    ask = _Asker(sql, config, period)
    smallest = config.privacy.smallest_group
    (counts,), (before,), (failures,) = ask("counts"), ask("counts_before"), ask("failures")
    items, breaks, is_broken = _items(ask, config, period)
    return Figures(
        period=period,
        calls=counts["calls"],
        scorable=counts["scorable"],
        reviewed=counts["reviewed"],
        contested=counts["contested"],
        calls_before=before["calls"],
        failures=failures["n"],
        items=items,
        breaks=frozenset(breaks),
        is_broken=is_broken,
        movers=() if is_broken else _movers(ask, config, items),
        compliance=_compliance(ask, config),
        moments=choose_moments(_moments(ask, config), items),
        register=_register(ask),
        repeats=_repeats(ask, smallest),
        handovers=_handovers(ask, smallest),
        gaps=_gaps(ask, smallest),
        jargon=tuple((row["word"], row["plain"] or "", row["calls"]) for row in ask("jargon")),
        plan=_plan(ask, config),
        norms=_norms(ask, config, items),
        proposal=_proposal(ask, config, items),
    )


class _Asker:
    """The named queries over a catalog: makes the tables that they read, then answers in dictionaries."""

    def __init__(self, sql: duckdb.DuckDBPyConnection, config: Config, period: Period) -> None:
        self._sql = sql
        norms = config.norms
        self._fields = {
            "status": STATUS_TOPIC, "smallest": config.privacy.smallest_group, "answer_s": norms.answer_s,
            "transfers": norms.transfers, "callback_working_days": norms.callback_working_days,
        }  # fmt: skip
        sql.execute(
            "CREATE TEMP TABLE about AS SELECT ?::DATE AS before_day, ?::DATE AS first_day, ?::DATE AS last_day, "
            "?::DATE AS today",
            [period.before, period.first, period.last, period.today],
        )
        sql.execute("CREATE TEMP TABLE working_days (day DATE PRIMARY KEY, number INTEGER)")
        sql.execute(
            "INSERT INTO working_days SELECT unnest(?::DATE[]), unnest(?::INTEGER[])", list(_count_working_days(period))
        )
        for name, select in TABLES.items():
            sql.execute(f"CREATE TEMP TABLE {name} AS {self._filled(select)}")

    def __call__(self, query: str) -> list[dict[str, Any]]:
        found = self._sql.execute(self._filled(QUERIES[query]))
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def _filled(self, select: str) -> str:
        for name, value in self._fields.items():
            select = select.replace("{" + name + "}", str(value))
        return select


def _count_working_days(period: Period) -> tuple[list[date], list[int]]:
    """Every day from three years before the report to three years after it, numbered by the working days up to it."""
    first = period.first - timedelta(days=3 * 365)
    days = [first + timedelta(days=i) for i in range(6 * 365 + period.days)]
    numbers, count = [], 0
    for day in days:
        count += is_working_day(day)
        numbers.append(count)
    return days, numbers


def _rate(row: Mapping[str, Any] | None) -> Rate:
    return Rate(row["hits"], row["n"]) if row else NONE


# --- items, movers, what to work on ---------------------------------------------------------------------------------


def _items(ask: _Asker, config: Config, period: Period) -> tuple[tuple[ItemLine, ...], set[int], bool]:
    smallest = config.privacy.smallest_group
    spans = {(row["item"], row["span"]): row for row in ask("items")}
    rules_of: dict[int, set[str]] = {}
    rules_of_span: dict[str | None, set[str]] = {}
    for row in ask("rules"):
        rules_of.setdefault(row["week"], set()).update(row["rules"])
        rules_of_span.setdefault(row["span"], set()).update(row["rules"])
    breaks = find_breaks(rules_of)
    newest = min(breaks, default=None)
    rates: dict[str, dict[int, Rate]] = {}
    for row in ask("item_weeks"):
        rates.setdefault(row["item"], {})[row["week"]] = _rate(row)
    live = {row["criterion"] for row in ask("gauged")}
    lines = []
    for item in config.scorecard.items:
        now = spans.get((item, "now"))
        weeks = tuple(
            Week(back, rate, period.last - timedelta(days=7 * back) >= period.first)
            for back, rate in sorted(rates.get(item, {}).items(), reverse=True)
            if rate.n >= smallest
        )
        # Limits come from the weeks before the report, since the rules last changed.
        base = [week.rate for week in weeks if not week.is_reported and (newest is None or week.back <= newest)]
        lines.append(
            ItemLine(
                item=item,
                now=_rate(now),
                na=now["na"] if now else 0,
                unsure=now["unsure"] if now else 0,
                reviewed=Rate(now["reviewed_hits"], now["reviewed"]) if now else NONE,
                before=_rate(spans.get((item, "before"))),
                norm=config.norms.items.get(item, 0.0),
                weeks=weeks,
                limits=control_limits(base, [week.rate for week in weeks]),
                is_gauged=live.issuperset(set(config.scorecard.items[item].parts) - set(PROMISE_PARTS)),
            )
        )
    before, now_rules = rules_of_span.get("before", set()), rules_of_span.get("now", set())
    return tuple(lines), breaks, bool(before) and len(before | now_rules) > 1


def find_breaks(rules_of: Mapping[int, set[str]]) -> set[int]:
    """The weeks, counted back, in which other rules made the scores than in the week before.

    {3: {a}, 2: {a}, 1: {a, b}, 0: {b}}   ->   {1, 0}
    """
    weeks = sorted(rules_of, reverse=True)
    return {later for earlier, later in itertools.pairwise(weeks) if rules_of[earlier] != rules_of[later]}


def _movers(ask: _Asker, config: Config, items: Sequence[ItemLine]) -> tuple[Mover, ...]:
    smallest = config.privacy.smallest_group
    parts: dict[str, dict[str, dict[str, Rate]]] = {}
    for row in ask("parts"):
        # A part counts by how often it fails the item.
        rate = Rate(row["n"] - row["misses"], row["n"])
        parts.setdefault(row["item"], {}).setdefault(row["part"], {})[row["span"]] = rate
    groups: dict[tuple[str, str], dict[str, dict[str, Rate]]] = {}
    for row in ask("groups"):
        groups.setdefault((row["item"], row["kind"]), {}).setdefault(row["span"], {})[row["name"]] = _rate(row)
    moved = [line for line in items if line.now.is_shown(smallest) and line.before.is_shown(smallest)]
    moved = [line for line in moved if line.change]
    moved.sort(key=lambda line: (not line.is_clear, -abs(line.change or 0.0), line.item))
    movers = []
    for line in moved[:MOVERS]:
        causes = []
        of_parts = config.scorecard.items[line.item].parts
        found = {
            name: spans
            for name, spans in parts.get(line.item, {}).items()
            if name in of_parts and {"now", "before"} <= spans.keys()
        }
        if len(of_parts) > 1:
            changes = {name: (s["now"].share or 0.0) - (s["before"].share or 0.0) for name, s in found.items()}
            causes += [
                Cause("part", name, found[name]["now"], found[name]["before"], changes[name])
                for name in _strongest(changes, line.change or 0.0)
            ]
        for kind in ("queue", "topic"):
            spans = groups.get((line.item, kind), {})
            now, before = spans.get("now", {}), spans.get("before", {})
            shares = {
                name: points
                for name, points in contributions(now, before).items()
                if now[name].is_shown(smallest)
                and before[name].is_shown(smallest)
                and points / (line.change or 1.0) >= MIN_CAUSE
            }
            causes += [
                Cause(kind, name, now[name], before[name], shares[name])
                for name in _strongest(shares, line.change or 0.0)
            ]
        movers.append(Mover(line, tuple(causes)))
    return tuple(movers)


def _strongest(changes: Mapping[str, float], change: float) -> list[str]:
    """The one that goes furthest the way of the whole, if any goes that way."""
    same_way = [name for name, value in changes.items() if value * change > 0]
    return sorted(same_way, key=lambda name: (-abs(changes[name]), name))[:1]


def _proposal(ask: _Asker, config: Config, items: Sequence[ItemLine]) -> Proposal | None:
    """The item whose share stays furthest below its norm, and without norms the one with the lowest upper bound."""
    shown = [line for line in items if line.now.is_shown(config.privacy.smallest_group)]
    if not shown:
        return None

    def distance(line: ItemLine) -> float:
        interval = line.now.interval
        return (line.norm or 1.0) - (interval[1] if interval else 1.0)

    best = max(shown, key=lambda line: (distance(line), line.item))
    parts = config.scorecard.items[best.item].parts
    misses = {
        row["part"]: Rate(row["misses"], row["n"])
        for row in ask("parts")
        if row["item"] == best.item and row["span"] == "now" and row["part"] in parts
    }
    if len(parts) < 2 or not misses:
        return Proposal(best, None, NONE)
    part = max(misses, key=lambda name: (misses[name].hits, name))
    return Proposal(best, part, misses[part])


# --- compliance and fragments ---------------------------------------------------------------------------------------


def _compliance(ask: _Asker, config: Config) -> tuple[ComplianceLine, ...]:
    rows = {row["criterion"]: row for row in ask("compliance")}
    return tuple(
        ComplianceLine(name, _rate(row), row["na"], row["unsure"], name == BSN)
        for name in config.scorecard.compliance
        if (row := rows.get(name))
    )


def _moments(ask: _Asker, config: Config) -> list[Moment]:
    from callanalytics.scoring import load_files

    item_of = {part: item for item, parts in config.scorecard.items.items() for part in parts.parts}
    undesired = {criterion.id for criterion in load_files(config).criteria if criterion.polarity == "undesired"}
    moments = []
    for row in [*ask("moments"), *ask("vague_callbacks")]:
        criterion, is_good = row["criterion"], row["is_good"]
        # What was left unsaid is no fragment: a quote shows what somebody said, be it wanted or not.
        was_said = is_good != (criterion in undesired) or criterion == "callback.when"
        if criterion not in item_of or not was_said:
            continue
        moment = Moment(
            item_of[criterion], criterion, row["call_id"], row["topic"], row["start_ms"],
            *around(row["text"] or "", row["quote"]), is_good, row["is_reviewed"], row["confidence"],
        )  # fmt: skip
        is_legible = moment.is_reviewed or moment.confidence >= LEGIBLE
        if is_legible and MIN_WORDS <= moment.words <= MAX_WORDS:
            moments.append(moment)
    return moments


def around(text: str, quote: str) -> tuple[str, str, str]:
    """The sentence of a turn in which a quote stands: what comes before it, the quote, what comes after.

    A quote that runs over the end of a sentence takes the next one with it; one that is not in the text stands alone.
    """
    at = text.find(quote)
    if at < 0:
        return "", quote, ""
    end = at + len(quote)
    starts = [0, *(m.end() for m in re.finditer(r"[.?!]\s+", text))]
    first = max(start for start in starts if start <= at)
    last = min((start for start in starts if start >= end), default=len(text))
    return text[first:at].strip(), quote, text[end:last].strip()


def choose_moments(moments: Iterable[Moment], items: Sequence[ItemLine]) -> tuple[Moment, ...]:
    """Five fragments, three good and two bad where there are: reviewed first, then where most is to win.

    Never two of a call; of an item a second one only when there are not five items.
    """
    order = {line.item: place for place, line in enumerate(sorted(items, key=lambda line: line.now.share or 0.0))}
    ranked = sorted(
        moments,
        key=lambda m: (
            not m.is_reviewed, order.get(m.item, len(order)), -m.confidence * min(20, m.words), m.call_id, m.start_ms,
        ),
    )
    chosen: list[Moment] = []

    def take(is_good: bool, most: int, is_second: bool) -> None:
        for moment in ranked:
            taken = sum(m.is_good == is_good for m in chosen)
            if len(chosen) >= MOMENTS or taken >= most:
                return
            alike = any(m.item == moment.item and m.is_good == is_good for m in chosen)
            if moment.is_good != is_good or any(m.call_id == moment.call_id for m in chosen) or (alike != is_second):
                continue
            chosen.append(moment)

    for is_second in (False, True):
        take(False, MOMENTS - GOOD_MOMENTS, is_second)
        take(True, GOOD_MOMENTS, is_second)
    for is_good in (True, False):
        take(is_good, MOMENTS, False)
        take(is_good, MOMENTS, True)
    return tuple(sorted(chosen, key=lambda m: (not m.is_good, m.item)))


# --- promises, repeats, hand-overs, gaps ----------------------------------------------------------------------------


def _register(ask: _Asker) -> Register:
    (counts,) = ask("promise_counts")
    fates = {row["fate"]: row["n"] for row in ask("fates")}
    lines = tuple(
        PromiseLine(
            row["call_id"], row["day"], row["queue"], row["topic"], row["type"], row["by"], row["deadline_text"],
            row["due_at"], row["quote"] or "", row["start_ms"], row["fate"],
            row["overdue_by"] if row["fate"] == "overdue" else None, row["registered"],
            row["is_sensitive"],
        )
        for row in ask("promises")
    )  # fmt: skip
    return Register(
        lines=tuple(sorted(lines, key=lambda line: line.order)),
        fates={fate: fates.get(fate, 0) for fate in FATES},
        promises=counts["promises"],
        calls=counts["calls"],
        judged=counts["judged"],
        dated=counts["dated"],
        absent=Rate(counts["absent"], counts["asked"]),
        kept=Rate(counts["kept"], counts["known"]),
        in_time=Rate(counts["in_time"], counts["known"]),
    )


def _repeats(ask: _Asker, smallest: int) -> Repeats:
    rows = ask("repeats")

    def named(kind: str) -> tuple[Named, ...]:
        rates = {row["name"]: _rate(row) for row in rows if row["kind"] == kind}
        hidden = small_groups({name: rate.n for name, rate in rates.items()}, smallest)
        found = [Named(name, rate, name in hidden) for name, rate in rates.items()]
        return tuple(sorted(found, key=lambda one: (one.is_hidden, -(one.rate.share or 0.0), one.name)))

    return Repeats(
        all=_rate(next((row for row in rows if row["kind"] == "all"), None)),
        topics=named("topic"),
        queues=named("queue"),
        after_promise=_rate(ask("after_promise")[0]),
        told_broken=_rate(ask("told_broken")[0]),
        status=_rate(ask("status_calls")[0]),
    )


def _handovers(ask: _Asker, smallest: int) -> Handovers:
    rows = ask("handovers")
    topics: dict[str, int] = {}
    for row in rows:
        topics[row["topic"]] = topics.get(row["topic"], 0) + row["n"]
    small = {topic for topic, n in topics.items() if n < smallest}
    topics = {topic: n for topic, n in topics.items() if topic not in small}
    topics |= {OTHER: 0} if small else {}
    cells: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        kinds = cells.setdefault((OTHER if row["topic"] in small else row["topic"], row["queue"]), {})
        kinds[row["kind"]] = kinds.get(row["kind"], 0) + row["n"]
    sizes = {cell: sum(kinds.values()) for cell, kinds in cells.items()}
    hidden, hidden_topics, hidden_queues = small_cells(sizes, smallest)
    return Handovers(
        topics=tuple(sorted(topics, key=lambda topic: (-topics[topic], topic))),
        queues=tuple(sorted({queue for _, queue in sizes})),
        cells=cells,
        hidden=frozenset(hidden),
        hidden_topics=frozenset(hidden_topics),
        hidden_queues=frozenset(hidden_queues),
        all=_added(cells.values()),
    )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    sums = dict.fromkeys(KINDS, 0)
    for kinds in counts:
        for kind, n in kinds.items():
            sums[kind] += n
    return sums


def _gaps(ask: _Asker, smallest: int) -> tuple[GapLine, ...]:
    rates: dict[str, dict[str, Rate]] = {}
    for row in ask("gaps"):
        rates.setdefault(row["kind"], {})[row["topic"]] = _rate(row)
    hidden = {kind: small_groups({t: r.n for t, r in of_kind.items()}, smallest) for kind, of_kind in rates.items()}
    topics = {topic for of_kind in rates.values() for topic in of_kind}
    lines = [
        GapLine(
            topic,
            {kind: rates.get(kind, {}).get(topic, NONE) for kind in GAPS},
            frozenset(kind for kind in GAPS if topic in hidden.get(kind, ())),
        )
        for topic in topics
    ]
    told = [line for line in lines if any(r.n and kind not in line.hidden for kind, r in line.rates.items())]
    return tuple(sorted(told, key=lambda line: (-sum(rate.share or 0.0 for rate in line.rates.values()), line.topic)))


# --- the plan and the norms -----------------------------------------------------------------------------------------


def _plan(ask: _Asker, config: Config) -> tuple[PlanLine, ...]:
    rows: dict[int, dict[str | None, dict[str, Any]]] = {}
    for row in ask("plan"):
        rows.setdefault(row["id"], {})[row["part"]] = row
    lines = []
    for parts in rows.values():
        one = next(iter(parts.values()))
        rules = {rule for part in parts.values() for rule in part["rules"] or ()}
        lines.append(
            PlanLine(
                id=one["id"],
                action=one["action"],
                hypothesis=one["hypothesis"],
                item=one["item"],
                starts_on=one["starts_on"],
                days=max(0, one["days"]),
                is_open=one["closed_at"] is None,
                conclusion=one["conclusion"] or "",
                before=_rate(parts.get("before")),
                after=_rate(parts.get("after")),
                is_broken=len(rules) > 1,
            )
        )
    return tuple(line for line in lines if line.item in config.scorecard.items)


def _norms(ask: _Asker, config: Config, items: Sequence[ItemLine]) -> tuple[NormLine, ...]:
    norms = config.norms
    lines = []
    for name, query, limit, wanted in (
        ("answer_s", "waits", norms.answer_s, None),
        ("callback_working_days", "soon", norms.callback_working_days, None),
        ("transfers", "few_transfers", float(norms.transfers), None),
        ("handled_share", "handled", 0.0, norms.handled_share or None),
    ):
        if limit or wanted:
            spans = {row["span"]: _rate(row) for row in ask(query)}
            lines.append(
                NormLine(name, False, limit, wanted, spans.get("now", NONE), spans.get("before", NONE))
            )
    lines += [NormLine(line.item, True, 0.0, line.norm, line.now, line.before) for line in items if line.norm]
    return tuple(lines)
