"""The arithmetic of the report: intervals, limits, contributions, and groups too small to tell of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.report.statistics import (
    Rate,
    contributions,
    control_limits,
    difference_interval,
    small_cells,
    small_groups,
)


def test_interval_of_a_difference_is_newcombes() -> None:
    # His table II, example a, method 10.
    low, high = difference_interval(Rate(56, 70), Rate(48, 80)) or (0, 0)
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)
    assert difference_interval(Rate(1, 2), Rate(0, 0)) is None


def test_limits_are_three_deviations_and_need_eight_periods() -> None:
    weeks = [Rate(80, 100)] * 8
    limits = control_limits(weeks, [Rate(50, 100), Rate(300, 400)])
    assert limits is not None
    assert limits.middle == pytest.approx(0.8)
    assert limits.bounds == (pytest.approx((0.68, 0.92)), pytest.approx((0.74, 0.86)))
    assert not limits.is_firm
    assert control_limits(weeks[:7], weeks) is None


@given(st.dictionaries(st.sampled_from("abcd"), st.tuples(*[st.integers(1, 40)] * 4), min_size=1))
def test_contributions_are_the_change_when_no_call_moves(groups: dict[str, tuple[int, int, int, int]]) -> None:
    now = {name: Rate(min(h, n), n) for name, (h, n, _, _) in groups.items()}
    before = {name: Rate(min(g, n), n) for name, (_, n, g, _) in groups.items()}
    total = sum(rate.n for rate in now.values())
    change = (sum(r.hits for r in now.values()) - sum(r.hits for r in before.values())) / total
    assert sum(contributions(now, before).values()) == pytest.approx(change)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(0, 40)), st.integers(2, 12))
def test_no_small_group_is_told_or_worked_out(counts: dict[str, int], smallest: int) -> None:
    hidden = small_groups(counts, smallest)
    assert all(n == 0 or n >= smallest for name, n in counts.items() if name not in hidden)
    left = sum(counts[name] for name in hidden)
    assert left == 0 or left >= smallest or all(name in hidden for name, n in counts.items() if n)
CELLS = st.dictionaries(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz")), st.integers(0, 30))


@given(CELLS, st.integers(2, 12))
def test_no_small_cell_is_told_or_worked_out(cells: dict[tuple[str, str], int], smallest: int) -> None:
    hidden, rows, columns = small_cells(cells, smallest)
    assert all(n == 0 or n >= smallest for cell, n in cells.items() if cell not in hidden)
    for axis, untold in ((0, rows), (1, columns)):
        totals: dict[str, int] = {}
        for cell, n in cells.items():
            totals[cell[axis]] = totals.get(cell[axis], 0) + n
        for name, total in totals.items():
            assert name in untold or total == 0 or total >= smallest
            left = sum(n for cell, n in cells.items() if cell[axis] == name and cell in hidden)
            assert name in untold or left == 0 or left >= smallest
