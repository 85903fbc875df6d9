"""What the report says, as values: numbers from the named queries, and what follows from them by arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from callanalytics.config import Config
from callanalytics.report.items import ItemLine, Mover, Proposal, collect_items, find_movers, propose_work
from callanalytics.report.moments import Moment, choose_moments, collect_moments
from callanalytics.report.queries import NONE, Period, Queries, rate_of
from callanalytics.report.statistics import Rate, difference_interval, small_cells, small_groups

if TYPE_CHECKING:
    import duckdb

BSN = "bsn_request"
GAPS = ("unexplained_jargon", "hedging", "hold", "dead_air")
FATES = ("today", "overdue", "broken", "late", "kept", "open", "vague")
KINDS = ("warm", "cold", "failed")
OTHER = "*"  # the topics of too few hand-overs together


@dataclass(frozen=True, slots=True)
class ComplianceLine:
    """A criterion of the compliance block; of a signal `rate` tells how often it was there."""

    criterion: str
    rate: Rate
    na: int
    unsure: int
    is_signal: bool


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
        """Return where its state stands in the list of what to do."""
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
        """Return whether any topic has hand-overs enough to stand on its own."""
        return any(topic != OTHER for topic in self.topics)

    def of_topic(self, topic: str) -> dict[str, int]:
        """Return a row's sums."""
        return _add_up(kinds for (name, _), kinds in self.cells.items() if name == topic)

    def of_queue(self, queue: str) -> dict[str, int]:
        """Return a column's sums."""
        return _add_up(kinds for (_, name), kinds in self.cells.items() if name == queue)


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
    wanted: float | None  # the share wanted; None where the norm is a limit for every call
    now: Rate
    before: Rate


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
        """Return the newest action of the PDCA log that is not closed."""
        return next((line for line in self.plan if line.is_open), None)


def collect_figures(sql: duckdb.DuckDBPyConnection, config: Config, period: Period) -> Figures:
    """Return all figures of the period; `sql` is an open catalog, which gets tables of its own beside its views."""
    ask = Queries(sql, config, period)
    smallest = config.privacy.smallest_group
    (counts,), (before,), (failures,) = ask("counts"), ask("counts_before"), ask("failures")
    items, breaks, is_broken = collect_items(ask, config, period)
    return Figures(
        period=period,
        **counts,
        calls_before=before["calls"],
        failures=failures["n"],
        items=items,
        breaks=breaks,
        is_broken=is_broken,
        movers=() if is_broken else find_movers(ask, config, items),
        compliance=_compliance(ask, config),
        moments=choose_moments(collect_moments(ask, config), items),
        register=_register(ask),
        repeats=_repeats(ask, smallest),
        handovers=_handovers(ask, smallest),
        gaps=_gaps(ask, smallest),
        jargon=tuple((row["word"], row["plain"] or "", row["calls"]) for row in ask("jargon")),
        plan=_plan(ask, config),
        norms=_norms(ask, config, items),
        proposal=propose_work(ask, config, items),
    )


def _compliance(ask: Queries, config: Config) -> tuple[ComplianceLine, ...]:
    rows = {row["criterion"]: row for row in ask("compliance")}
    return tuple(
        ComplianceLine(name, rate_of(row), row["na"], row["unsure"], name == BSN)
        for name in config.scorecard.compliance
        if (row := rows.get(name))
    )


def _register(ask: Queries) -> Register:
    (counts,) = ask("promise_counts")
    fates = {row["fate"]: row["n"] for row in ask("fates")}
    return Register(
        lines=tuple(sorted((PromiseLine(**row) for row in ask("promises")), key=lambda line: line.order)),
        fates={fate: fates.get(fate, 0) for fate in FATES},
        **{name: counts[name] for name in ("promises", "calls", "judged", "dated")},
        absent=Rate(counts["absent"], counts["asked"]),
        kept=Rate(counts["kept"], counts["known"]),
        in_time=Rate(counts["in_time"], counts["known"]),
    )


def _repeats(ask: Queries, smallest: int) -> Repeats:
    rates: dict[str, dict[str, Rate]] = {}
    for row in ask("repeats"):
        rates.setdefault(row["kind"], {})[row["name"]] = rate_of(row)

    def named(kind: str) -> tuple[Named, ...]:
        of_kind = rates.get(kind, {})
        hidden = small_groups({name: rate.n for name, rate in of_kind.items()}, smallest)
        found = [Named(name, rate, name in hidden) for name, rate in of_kind.items()]
        return tuple(sorted(found, key=lambda one: (one.is_hidden, -(one.rate.share or 0.0), one.name)))

    return Repeats(
        all=rates.get("all", {}).get("", NONE),
        topics=named("topic"),
        queues=named("queue"),
        after_promise=rate_of(ask("after_promise")[0]),
        told_broken=rate_of(ask("told_broken")[0]),
        status=rate_of(ask("status_calls")[0]),
    )


def _handovers(ask: Queries, smallest: int) -> Handovers:
    rows = ask("handovers")
    topics: Counter[str] = Counter()
    for row in rows:
        topics[row["topic"]] += row["n"]
    small = {topic for topic, n in topics.items() if n < smallest}
    shown = {topic: n for topic, n in topics.items() if topic not in small} | ({OTHER: 0} if small else {})
    cells: dict[tuple[str, str], Counter[str]] = {}
    for row in rows:
        cell = (OTHER if row["topic"] in small else row["topic"], row["queue"])
        cells.setdefault(cell, Counter())[row["kind"]] += row["n"]
    hidden, hidden_topics, hidden_queues = small_cells({cell: kinds.total() for cell, kinds in cells.items()}, smallest)
    return Handovers(
        topics=tuple(sorted(shown, key=lambda topic: (-shown[topic], topic))),
        queues=tuple(sorted({queue for _, queue in cells})),
        cells=cells,
        hidden=frozenset(hidden),
        hidden_topics=frozenset(hidden_topics),
        hidden_queues=frozenset(hidden_queues),
        all=_add_up(cells.values()),
    )


def _add_up(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    counts = list(counts)
    return {kind: sum(kinds.get(kind, 0) for kinds in counts) for kind in KINDS}


def _gaps(ask: Queries, smallest: int) -> tuple[GapLine, ...]:
    rates: dict[str, dict[str, Rate]] = {}
    for row in ask("gaps"):
        rates.setdefault(row["kind"], {})[row["topic"]] = rate_of(row)
    hidden = {kind: small_groups({t: r.n for t, r in of_kind.items()}, smallest) for kind, of_kind in rates.items()}
    lines = [
        GapLine(
            topic,
            {kind: rates.get(kind, {}).get(topic, NONE) for kind in GAPS},
            frozenset(kind for kind in GAPS if topic in hidden.get(kind, ())),
        )
        for topic in {topic for of_kind in rates.values() for topic in of_kind}
    ]
    shown = [line for line in lines if any(r.n and kind not in line.hidden for kind, r in line.rates.items())]
    return tuple(sorted(shown, key=lambda line: (-sum(rate.share or 0.0 for rate in line.rates.values()), line.topic)))


def _plan(ask: Queries, config: Config) -> tuple[PlanLine, ...]:
    rows: dict[int, dict[str | None, dict[str, Any]]] = {}
    for row in ask("plan"):
        rows.setdefault(row["id"], {})[row["part"]] = row
    lines = []
    for parts in rows.values():
        one = next(iter(parts.values()))
        rules = {rule for part in parts.values() for rule in part["rules"] or ()}
        lines.append(
            PlanLine(
                **{name: one[name] for name in ("id", "action", "hypothesis", "item", "starts_on")},
                days=max(0, one["days"]),
                is_open=one["closed_at"] is None,
                conclusion=one["conclusion"] or "",
                before=rate_of(parts.get("before")),
                after=rate_of(parts.get("after")),
                is_broken=len(rules) > 1,
            )
        )
    return tuple(line for line in lines if line.item in config.scorecard.items)


def _norms(ask: Queries, config: Config, items: Sequence[ItemLine]) -> tuple[NormLine, ...]:
    norms = config.norms
    lines = []
    for name, query, limit, wanted in (
        ("answer_s", "waits", norms.answer_s, None),
        ("callback_working_days", "soon", norms.callback_working_days, None),
        ("transfers", "few_transfers", float(norms.transfers), None),
        ("handled_share", "handled", 0.0, norms.handled_share or None),
    ):
        if limit or wanted:
            spans = {row["span"]: rate_of(row) for row in ask(query)}
            lines.append(NormLine(name, False, limit, wanted, spans.get("now", NONE), spans.get("before", NONE)))
    lines += [NormLine(line.item, True, 0.0, line.norm, line.now, line.before) for line in items if line.norm]
    return tuple(lines)
