"""The arithmetic of the report: intervals of differences, control limits, parts of a change, small cells.  Pure.

Sources: Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10; Montgomery, Introduction to Statistical Quality
Control, 7.2 (p-charts with limits of their own for every period, after Shewhart 1931); Kitagawa, Journal of the
American Statistical Association 50 (1955) 1168-1194.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from callanalytics.intervals import wilson_interval

MIN_PERIODS = 8  # with fewer periods before, limits would say more than is known: none are drawn
FIRM_PERIODS = 20  # with fewer, limits are provisional (Montgomery 6.2 asks for 20 to 25)
SIGMAS = 3.0
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of n went well."""

    hits: int
    n: int

    @property
    def share(self) -> float | None:
        """hits / n; None without cases."""
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval (Wilson)."""
        return wilson_interval(self.hits, self.n)

    def is_shown(self, smallest: int) -> bool:
        """Return whether there are enough cases to speak of."""
        return self.n >= smallest


@dataclass(frozen=True, slots=True)
class Limits:
    """Middle line of a p-chart and the limits of each period."""

    middle: float
    bounds: tuple[tuple[float, float], ...]
    periods: int  # before the ones looked at, that the middle was taken from

    @property
    def is_firm(self) -> bool:
        """Return whether there were periods enough to trust the limits."""
        return self.periods >= FIRM_PERIODS


def difference_interval(now: Rate, before: Rate) -> tuple[float, float] | None:
    """95 % interval of now.share - before.share for independent samples (Newcombe's hybrid score); None without cases.

    56 of 70 now, 48 of 80 before -> 0.20 (0.05 to 0.33)
    """
    of_now, of_before = now.interval, before.interval
    if of_now is None or of_before is None:
        return None
    p, q = now.hits / now.n, before.hits / before.n
    below = math.hypot(p - of_now[0], of_before[1] - q)
    above = math.hypot(of_now[1] - p, q - of_before[0])
    return max(-1.0, p - q - below), min(1.0, p - q + above)


def control_limits(baseline: Sequence[Rate], periods: Sequence[Rate]) -> Limits | None:
    """Return the p-chart of `periods`, each with limits for its own n; the middle line comes from `baseline`.

    Null with fewer than MIN_PERIODS periods in the baseline.
    """
    known = [rate for rate in baseline if rate.n]
    if len(known) < MIN_PERIODS:
        return None
    middle = sum(rate.hits for rate in known) / sum(rate.n for rate in known)
    bounds = []
    for rate in periods:
        half = SIGMAS * math.sqrt(middle * (1 - middle) / rate.n) if rate.n else 1.0
        bounds.append((max(0.0, middle - half), min(1.0, middle + half)))
    return Limits(middle, tuple(bounds), len(known))


def contributions(now: Mapping[K, Rate], before: Mapping[K, Rate]) -> dict[K, float]:
    """How much of the change of the whole share each group's own change makes, in shares (Kitagawa's rate effect).

    The rest of the change is a shift of calls between groups.  Groups without cases in either period have none.
    """
    total_now, total_before = sum(r.n for r in now.values()), sum(r.n for r in before.values())
    found = {}
    for group in now.keys() & before.keys():
        p, q = now[group].share, before[group].share
        if p is not None and q is not None:
            weight = (now[group].n / total_now + before[group].n / total_before) / 2
            found[group] = weight * (p - q)
    return found


def small_groups(counts: Mapping[K, int], smallest: int) -> set[K]:
    """Groups that may not be told of beside a total that is: the small ones, and one more if these can be worked out.

    {a: 20, b: 4} of 24, at least 10   ->   {a, b}, as 24 - 20 tells b
    """
    hidden = {group for group, n in counts.items() if 0 < n < smallest}
    if 0 < sum(counts[group] for group in hidden) < smallest:
        shown = [group for group, n in counts.items() if n >= smallest]
        if shown:
            hidden.add(min(shown, key=lambda group: (counts[group], str(group))))
    return hidden


def small_cells(
    cells: Mapping[tuple[str, str], int], smallest: int
) -> tuple[set[tuple[str, str]], set[str], set[str]]:
    """The cells, rows' totals and columns' totals of a table that may not be told, so that none can be worked out.

    A row or column whose total is told never hides cells of fewer than `smallest` together; nor do the totals hide
    fewer than that beside the total of all.
    """
    rows, columns = _sums(cells, 0), _sums(cells, 1)
    hidden_rows, hidden_columns = small_groups(rows, smallest), small_groups(columns, smallest)
    hidden = {cell for cell, n in cells.items() if 0 < n < smallest}
    while True:
        more: set[tuple[str, str]] = set()
        for axis, totals, untold in ((0, rows, hidden_rows), (1, columns, hidden_columns)):
            for name in totals.keys() - untold:
                line = {cell: n for cell, n in cells.items() if cell[axis] == name}
                left = sum(n for cell, n in line.items() if cell in hidden)
                if 0 < left < smallest:
                    told = [cell for cell, n in line.items() if n and cell not in hidden]
                    more.add(min(told, key=lambda cell: (line[cell], cell)))
        if not more:
            return hidden, hidden_rows, hidden_columns
        hidden |= more


def _sums(cells: Mapping[tuple[str, str], int], axis: int) -> dict[str, int]:
    sums: dict[str, int] = {}
    for cell, n in cells.items():
        sums[cell[axis]] = sums.get(cell[axis], 0) + n
    return sums
