"""Items of the scorecard over time: how each did, what changed most and why, and what to work on."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from callanalytics.config import Config
from callanalytics.report.queries import NONE, Period, Queries, rate_of
from callanalytics.report.statistics import Limits, Rate, contributions, control_limits, difference_interval
from callanalytics.scoring.scorecard import PROMISE_PARTS

MOVERS = 3
MIN_CAUSE = 0.25  # of the change: a queue or a topic that makes less of it explains nothing


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
        """Return whether the interval of the change leaves no change out."""
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
class Proposal:
    """What the team could work on: the item with most to win, and the part that lacks most often."""

    line: ItemLine
    part: str | None
    misses: Rate


def collect_items(
    ask: Queries, config: Config, period: Period
) -> tuple[tuple[ItemLine, ...], frozenset[int], bool]:
    """Return the items, the weeks with new rules, and whether the rules changed since the period before began."""
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
        rates.setdefault(row["item"], {})[row["week"]] = rate_of(row)
    live = {row["criterion"] for row in ask("gauged")}
    lines = []
    for item, settings in config.scorecard.items.items():
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
                now=rate_of(now),
                na=now["na"] if now else 0,
                unsure=now["unsure"] if now else 0,
                reviewed=Rate(now["reviewed_hits"], now["reviewed"]) if now else NONE,
                before=rate_of(spans.get((item, "before"))),
                norm=config.norms.items.get(item, 0.0),
                weeks=weeks,
                limits=control_limits(base, [week.rate for week in weeks]),
                is_gauged=live.issuperset(set(settings.parts) - set(PROMISE_PARTS)),
            )
        )
    before, now_rules = rules_of_span.get("before", set()), rules_of_span.get("now", set())
    return tuple(lines), frozenset(breaks), bool(before) and len(before | now_rules) > 1


def find_breaks(rules_of: Mapping[int, set[str]]) -> set[int]:
    """Return the weeks, counted back, in which other rules made the scores than in the week before.

    {3: {a}, 2: {a}, 1: {a, b}, 0: {b}}   ->   {1, 0}
    """
    weeks = sorted(rules_of, reverse=True)
    return {later for earlier, later in itertools.pairwise(weeks) if rules_of[earlier] != rules_of[later]}


def find_movers(ask: Queries, config: Config, items: Sequence[ItemLine]) -> tuple[Mover, ...]:
    """Return the items that changed most, those with a clear change first, each with its likely causes."""
    smallest = config.privacy.smallest_group
    moved = [one for one in items if one.now.is_shown(smallest) and one.before.is_shown(smallest) and one.change]
    moved.sort(key=lambda line: (not line.is_clear, -abs(line.change or 0.0), line.item))
    # A part counts by how often it fails the item.
    rates = {("part", r["item"], r["span"], r["part"]): Rate(r["n"] - r["misses"], r["n"]) for r in ask("parts")}
    rates |= {(r["kind"], r["item"], r["span"], r["name"]): rate_of(r) for r in ask("groups")}

    def rates_of(*group: str) -> dict[str, Rate]:
        return {name: rate for (*other, name), rate in rates.items() if tuple(other) == group}

    movers = []
    for line in moved[:MOVERS]:
        causes = [
            _find_cause(line, kind, rates_of(kind, line.item, "now"), rates_of(kind, line.item, "before"), config)
            for kind in ("part", "queue", "topic")
        ]
        movers.append(Mover(line, tuple(cause for cause in causes if cause)))
    return tuple(movers)


def _find_cause(
    line: ItemLine, kind: str, now: Mapping[str, Rate], before: Mapping[str, Rate], config: Config
) -> Cause | None:
    """Return the part, queue or topic that goes furthest the way of the whole, if any goes that way."""
    change, smallest = line.change or 0.0, config.privacy.smallest_group
    if kind == "part":
        parts = config.scorecard.items[line.item].parts
        both = [name for name in parts if name in now and name in before] if len(parts) > 1 else []
        points = {name: (now[name].share or 0.0) - (before[name].share or 0.0) for name in both}
    else:
        points = {
            name: value
            for name, value in contributions(now, before).items()
            if now[name].is_shown(smallest) and before[name].is_shown(smallest) and value / change >= MIN_CAUSE
        }
    same_way = [name for name, value in points.items() if value * change > 0]
    if not same_way:
        return None
    best = min(same_way, key=lambda name: (-abs(points[name]), name))
    return Cause(kind, best, now[best], before[best], points[best])


def propose_work(ask: Queries, config: Config, items: Sequence[ItemLine]) -> Proposal | None:
    """Return the item whose share stays furthest below its norm; without norms that with the lowest upper bound."""
    shown = [line for line in items if line.now.is_shown(config.privacy.smallest_group)]
    if not shown:
        return None

    def distance(line: ItemLine) -> float:
        return (line.norm or 1.0) - (line.now.interval or (0.0, 1.0))[1]

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
