"""Figures of agreement against values worked out by hand or taken from the literature."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.agreement import (
    Counts,
    Forecast,
    bootstrap_interval,
    brier_score,
    calibration_error,
    mean,
    ratio_interval,
    reliability,
    share,
    wilson_interval,
)


def test_kappa_of_a_worked_example() -> None:
    # Two readers, 50 proposals: both yes 20, both no 15, 5 and 10 split: agreement 0.7, by chance 0.5.
    table = Counts(tp=20, fp=5, fn=10, tn=15)
    assert table.kappa == pytest.approx(0.4)
    assert (table.precision, table.recall) == (20 / 25, 20 / 30)
    assert table.f1 == pytest.approx(40 / 55)


def test_one_class_has_no_kappa_and_nothing_to_find_has_no_f1() -> None:
    assert Counts(tn=8).kappa is None
    assert Counts(tn=8).f1 is None
    assert not Counts(tp=3, fn=1).has_both_classes
    assert Counts(fn=1, fp=1).has_both_classes
    assert Counts().kappa is None


def test_chance_agreement_gives_kappa_zero() -> None:
    assert Counts(tp=1, fp=1, fn=1, tn=1).kappa == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_interval_equals_published_values(hits: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(hits, n) == pytest.approx((low, high), abs=1e-4)


def test_no_cases_give_no_interval() -> None:
    assert wilson_interval(0, 0) is None
    assert ratio_interval([(1, 2)]) is None
    assert ratio_interval([(0, 0), (0, 0)]) is None


def test_bootstrap_is_the_same_every_time_and_holds_the_figure() -> None:
    pairs = [(1.0, 10.0), (4.0, 10.0), (2.0, 10.0), (3.0, 10.0)]
    first = ratio_interval(pairs)
    assert first is not None
    uneven = [(float(i**2 % 17), 20.0 + i) for i in range(12)]
    assert len({ratio_interval(uneven) for _ in range(4)}) == 1
    assert 0.1 <= first[0] < 0.25 < first[1] <= 0.4


def test_equal_calls_have_an_interval_without_width() -> None:
    assert ratio_interval([(1, 4)] * 5) == (0.25, 0.25)


def test_undefined_draws_do_not_count() -> None:
    assert bootstrap_interval([0, 1], lambda drawn: share(sum(drawn), sum(drawn))) == (1.0, 1.0)


def test_calibration_of_hand_made_forecasts() -> None:
    # Bin 0.8-0.9: four of probability 0.85, three true, gap 0.10; bin 0-0.1: one of 0.05, false, gap 0.05.
    forecasts = [Forecast(0.85, True)] * 3 + [Forecast(0.85, False), Forecast(0.05, False)]
    assert calibration_error(forecasts) == pytest.approx((4 * 0.10 + 1 * 0.05) / 5)
    assert brier_score(forecasts) == pytest.approx((3 * 0.15**2 + 0.85**2 + 0.05**2) / 5)
    assert [(row["from"], row["n"]) for row in reliability(forecasts)] == [(0.0, 1), (0.8, 4)]


def test_certainty_lies_in_the_last_bin() -> None:
    assert reliability([Forecast(1.0, True)])[0]["from"] == 0.9


def test_no_forecasts_have_no_calibration() -> None:
    assert calibration_error([]) is None
    assert brier_score([]) is None
    assert mean([None]) is None


@given(st.integers(0, 40), st.integers(1, 40))
def test_wilson_interval_holds_the_share(hits: int, more: int) -> None:
    n = hits + more
    low, high = wilson_interval(hits, n) or (2.0, 2.0)
    assert 0 <= low <= hits / n <= high <= 1
