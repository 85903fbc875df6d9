"""Figures of agreement against values worked out by hand or taken from the literature."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.evaluation.agreement import (
    Forecast,
    Pair,
    ac1_difference,
    brier_score,
    calibration_error,
    measure_agreement,
    reliability,
)
from callanalytics.intervals import (
    Counts,
    bootstrap_interval,
    mean,
    newcombe_interval,
    ratio_interval,
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


# --- two or more who answer in words --------------------------------------------------------------------------------

YES_NO = ("yes", "no")
THREE = ("met", "not_met", "not_applicable")


def table_of(*counts: int) -> list[Pair]:
    """Pairs of a two-by-two table: both yes, yes and no, no and yes, both no."""
    kinds = [("yes", "yes"), ("yes", "no"), ("no", "yes"), ("no", "no")]
    answers = [kind for kind, count in zip(kinds, counts, strict=True) for _ in range(count)]
    return [Pair(f"c{i}", ("1", "2"), answer) for i, answer in enumerate(answers)]


def pairs_of(calls: Sequence[Sequence[str | None]]) -> list[Pair]:
    """All pairs of the answers of a call, of which rater r gave the r-th."""
    return [
        Pair(f"c{i}", (str(a), str(b)), (one, two))
        for i, row in enumerate(calls)
        for (a, one), (b, two) in itertools.combinations(enumerate(row), 2)
        if one is not None and two is not None
    ]


@pytest.mark.parametrize(
    ("counts", "share_", "kappa", "ac1"),
    [
        # Gwet 2002, "Kappa statistic is not satisfactory": 125 cases, nearly all yes.
        ((118, 5, 2, 0), 0.944, -0.0234, 0.9408),
        # Feinstein and Cicchetti 1990: the same agreement, answers balanced and not.
        ((40, 9, 6, 45), 0.85, 0.70, 0.70),
        ((80, 10, 5, 5), 0.85, 0.32, 0.81),
        # Cohen's kappa of the worked example above.
        ((20, 5, 10, 15), 0.7, 0.4, 0.4080),
    ],
)
def test_published_tables(counts: tuple[int, ...], share_: float, kappa: float, ac1: float) -> None:
    found = measure_agreement(table_of(*counts), YES_NO)
    assert found.n == sum(counts)
    assert (found.share, found.kappa, found.ac1) == pytest.approx((share_, kappa, ac1), abs=0.005)
    for value, around in ((found.share, found.share_interval), (found.kappa, found.kappa_interval),
                          (found.ac1, found.ac1_interval)):  # fmt: skip
        assert value is not None
        assert around is not None
        assert around[0] < value < around[1]


def test_difference_of_proportions_equals_published_values() -> None:
    # Newcombe 1998, table II, contrasts (a), (b) and (h), method 10.
    assert newcombe_interval((56, 70), (48, 80)) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert newcombe_interval((9, 10), (3, 10)) == pytest.approx((0.1705, 0.8090), abs=1e-4)
    assert newcombe_interval((10, 10), (0, 10)) == pytest.approx((0.6075, 1.0), abs=1e-4)
    assert newcombe_interval((1, 1), (0, 0)) is None


answers_of_calls = st.integers(2, 4).flatmap(
    lambda raters: st.lists(
        st.lists(st.sampled_from([*THREE, None]), min_size=raters, max_size=raters), min_size=2, max_size=12
    )
)


@given(answers_of_calls, st.permutations(THREE))
def test_figures_do_not_depend_on_what_answers_are_called(calls: list[list[str | None]], names: list[str]) -> None:
    renamed = [[a and names[THREE.index(a)] for a in call] for call in calls]
    first, second = (measure_agreement(pairs_of(answers), THREE) for answers in (calls, renamed))
    for before, after in ((first.kappa, second.kappa), (first.ac1, second.ac1)):
        assert before == (after if after is None else pytest.approx(after))


@given(answers_of_calls)
def test_figures_lie_within_their_bounds_and_hold_perfect_agreement(calls: list[list[str | None]]) -> None:
    found = measure_agreement(pairs_of(calls), THREE)
    for value in (found.kappa, found.ac1):
        assert value is None or -1.0001 <= value <= 1.0001
    alike = [[next((a for a in call if a), "met")] * len(call) for call in calls]
    perfect = measure_agreement(pairs_of(alike), THREE)
    assert perfect.share == perfect.ac1 == pytest.approx(1)
    assert perfect.kappa is None if len({call[0] for call in alike}) == 1 else perfect.kappa == pytest.approx(1)
    assert perfect.ac1_interval is not None
    assert perfect.ac1_interval[0] < 1  # a few calls without a disagreement are no proof


def test_nobody_answered_gives_no_figures() -> None:
    found = measure_agreement([], YES_NO)
    assert (found.n, found.kappa, found.ac1) == (0, None, None)
    assert ac1_difference(table_of(1, 0, 0, 0), [], YES_NO) is None


def test_a_difference_is_measured_on_the_same_calls_and_is_wider_where_nobody_ever_differed() -> None:
    people, machine = table_of(40, 2, 2, 40), table_of(36, 6, 6, 36)
    value, (low, high) = ac1_difference(machine, people, YES_NO) or (0, (0, 0))
    assert low < value < high < 0.05
    value, (low, high) = ac1_difference(table_of(20, 0, 0, 20), table_of(20, 0, 0, 20), YES_NO) or (1, (0, 0))
    assert value == 0
    assert low < -0.05
