"""Figures of agreement between what was found and what is true, with their intervals.  Pure; every draw has a seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from callanalytics.intervals import SEED, difference_interval, draw_cases, mean, percentiles, share, wilson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 10


@dataclass(frozen=True, slots=True)
class Forecast:
    """A probability and what came true."""

    probability: float
    is_true: bool


def brier_score(forecasts: Sequence[Forecast]) -> float | None:
    """Mean squared error of the probabilities (Brier 1950), 0 is best; None without any."""
    return mean((f.probability - f.is_true) ** 2 for f in forecasts)


def reliability(forecasts: Sequence[Forecast], bins: int = BINS) -> list[dict[str, Any]]:
    """Per bin of equal width that holds any: mean probability, share that came true, and n."""
    table = []
    for index in range(bins):
        inside = [f for f in forecasts if min(int(f.probability * bins), bins - 1) == index]
        if inside:
            table.append(
                {
                    "from": index / bins,
                    "to": (index + 1) / bins,
                    "n": len(inside),
                    "mean_probability": mean(f.probability for f in inside),
                    "share_true": mean(float(f.is_true) for f in inside),
                }
            )
    return table


def calibration_error(forecasts: Sequence[Forecast], bins: int = BINS) -> float | None:
    """Expected calibration error (Naeini et al. 2015): mean gap between probability and truth over bins, by size."""
    rows = reliability(forecasts, bins)
    gaps = sum(row["n"] * abs(row["mean_probability"] - row["share_true"]) for row in rows)
    return share(gaps, len(forecasts))


# --- agreement of two or more who answer in words -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """The answers that two gave on the same case.  The same two are always named in the same order."""

    case: str
    raters: tuple[str, str]
    answers: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two or more agree; every figure has its 95 % interval, and is None where it means nothing."""

    n: int  # cases
    share: float | None = None  # of pairs that agree, every case weighing the same
    share_interval: tuple[float, float] | None = None
    kappa: float | None = None
    kappa_interval: tuple[float, float] | None = None
    ac1: float | None = None
    ac1_interval: tuple[float, float] | None = None


class _Tables:
    """Pairs as arrays by case, so that a thousand draws of cases are one product."""

    def __init__(self, pairs: Sequence[Pair], answers: Sequence[str], cases: Sequence[str] | None = None) -> None:
        import numpy as np

        of_case = {case: i for i, case in enumerate(cases or sorted({pair.case for pair in pairs}))}
        of_raters = {raters: i for i, raters in enumerate(sorted({pair.raters for pair in pairs}))}
        column = {answer: i for i, answer in enumerate(answers)}
        # (cases, pairs of raters, answers, answers)
        self.cells = np.zeros((len(of_case), len(of_raters), len(answers), len(answers)))
        for pair in pairs:
            one, two = (column[answer] for answer in pair.answers)
            self.cells[of_case[pair.case], of_raters[pair.raters], one, two] += 1
        of_all = self.cells.sum(axis=1)
        many = of_all.sum(axis=(1, 2))
        self.has_any = (many > 0).astype(float)
        weighed = of_all / np.maximum(many, 1)[:, None, None]  # every case weighs the same
        self.agree = np.trace(weighed, axis1=1, axis2=2)
        self.shares = (weighed.sum(axis=1) + weighed.sum(axis=2)) / 2

    def share(self, draws: NDArray[Any]) -> NDArray[Any]:
        """Observed agreement by draw, (draws,); `draws` says how often each case was drawn, (draws, cases)."""
        import numpy as np

        with np.errstate(invalid="ignore", divide="ignore"):
            found: NDArray[Any] = (draws @ self.agree) / (draws @ self.has_any)
        return found

    def chance(self, draws: NDArray[Any]) -> NDArray[Any]:
        """Agreement by chance as AC1 has it: sum of p (1 - p) over the answers, over their number less one."""
        import numpy as np

        with np.errstate(invalid="ignore", divide="ignore"):
            p = (draws @ self.shares) / (draws @ self.has_any)[:, None]
        found: NDArray[Any] = (p * (1 - p)).sum(axis=1) / (p.shape[1] - 1)
        return found

    def ac1(self, draws: NDArray[Any]) -> NDArray[Any]:
        """AC1 by draw."""
        chance = self.chance(draws)
        found: NDArray[Any] = (self.share(draws) - chance) / (1 - chance)
        return found

    def kappa(self, draws: NDArray[Any]) -> NDArray[Any]:
        """Kappa pooled over the pairs of raters, by draw; nan where chance alone explains all."""
        import numpy as np

        n, agreed, by_chance = self._pooled(draws)
        with np.errstate(invalid="ignore", divide="ignore"):
            found: NDArray[Any] = np.where(n - by_chance > 1e-9, (agreed - by_chance) / (n - by_chance), np.nan)
        return found

    def habit(self, draws: NDArray[Any]) -> float:
        """Agreement by chance as kappa has it, in the first draw."""
        n, _, by_chance = self._pooled(draws)
        return float(by_chance[0] / n[0])

    def _pooled(self, draws: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """By draw the answers compared, those that agree, and those that would by chance."""
        import numpy as np

        drawn = np.tensordot(draws, self.cells, axes=1)  # (draws, pairs of raters, answers, answers)
        n = drawn.sum(axis=(2, 3))
        by_chance = ((drawn.sum(axis=2) * drawn.sum(axis=3)).sum(axis=2) / np.maximum(n, 1)).sum(axis=1)
        return n.sum(axis=1), np.trace(drawn, axis1=2, axis2=3).sum(axis=1), by_chance


def _every(n: int) -> NDArray[Any]:
    import numpy as np

    return np.ones((1, n))


def measure_agreement(pairs: Sequence[Pair], answers: Sequence[str], seed: int = SEED) -> Agreement:
    """Return share, kappa and AC1 with intervals: Wilson's for the share, bootstrapped over cases for the others.

    Kappa (Cohen 1960) of more than two raters is pooled over each two of them (De Vries et al. 2008): chance is
    reckoned with the habits of those two, and a pair weighs by what it has in common.  The mean of the pairs' kappas
    (Light 1971) is undefined as soon as one pair always gave one answer, and Fleiss' kappa takes everybody's habits
    to be the same.  AC1 (Gwet 2008) is fair also when nearly all answers are the same; over all pairs of a case it
    equals Gwet's formula for many raters.  `answers` are those that can be given, two at least.

    Draws of cases without any disagreement know nothing of how rare it is; then the intervals of kappa and AC1 go as
    far down as that of the share.
    """
    if not pairs:
        return Agreement(0)
    tables = _Tables(pairs, answers)
    n = len(tables.agree)
    draws, everything = draw_cases(n, seed=seed), _every(n)
    share_ = float(tables.share(everything)[0])
    around = wilson_interval(share_ * n, n)
    kappa, ac1 = float(tables.kappa(everything)[0]), float(tables.ac1(everything)[0])
    kappa_around, ac1_around = percentiles(tables.kappa(draws)), percentiles(tables.ac1(draws))
    if around and share_ >= 1 - 1e-9:
        chance = float(tables.chance(everything)[0])
        ac1_around = ((around[0] - chance) / (1 - chance), 1.0)
        habit = tables.habit(everything)
        kappa_around = ((around[0] - habit) / (1 - habit), 1.0) if habit < 1 - 1e-9 else None
    is_known = not math.isnan(kappa)
    return Agreement(
        n, share_, around, kappa if is_known else None, kappa_around if is_known and n > 1 else None,
        ac1, ac1_around if n > 1 else None,
    )  # fmt: skip


def ac1_difference(
    first: Sequence[Pair], second: Sequence[Pair], answers: Sequence[str], seed: int = SEED
) -> tuple[float, tuple[float, float]] | None:
    """AC1 of the first less that of the second and its 95 % interval; None when either has no pairs.

    Both are measured on the same draws of cases.  Where either knows no disagreement at all the interval comes from
    those of both (`measure_agreement`), which is wider.
    """
    if not first or not second:
        return None
    cases = sorted({pair.case for pair in (*first, *second)})
    one, two = _Tables(first, answers, cases), _Tables(second, answers, cases)
    draws = draw_cases(len(cases), seed=seed)
    everything = _every(len(cases))
    value = float((one.ac1(everything) - two.ac1(everything))[0])
    around = percentiles(one.ac1(draws) - two.ac1(draws)) or (-1.0, 1.0)
    if max(one.share(everything)[0], two.share(everything)[0]) >= 1 - 1e-9:
        both = [measure_agreement(pairs, answers, seed) for pairs in (first, second)]
        (a, (al, ah)), (b, (bl, bh)) = ((found.ac1 or 0.0, found.ac1_interval or (-1.0, 1.0)) for found in both)
        around = difference_interval((a, al, ah), (b, bl, bh))
    return value, around
