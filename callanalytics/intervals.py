"""Confidence intervals and shares with their sources.  Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from numpy.typing import NDArray


Z95 = 1.959964  # two-sided 95 % of the normal distribution

DRAWS = 1000

SEED = 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Counts:
    """A two-by-two table: found or not, by true or not."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)

    @classmethod
    def of(cls, found: bool, is_true: bool) -> Counts:
        """Return the table of one case."""
        return cls(int(found and is_true), int(found and not is_true), int(is_true and not found),
                   int(not found and not is_true))  # fmt: skip

    @property
    def n(self) -> int:
        """Number of cases."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def has_both_classes(self) -> bool:
        """Return whether the truth holds a yes and a no; without, F1 and kappa say little or nothing."""
        return self.tp + self.fn > 0 and self.fp + self.tn > 0

    @property
    def precision(self) -> float | None:
        """tp / (tp + fp); None when nothing was found."""
        return share(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        """tp / (tp + fn); None when there was nothing to find."""
        return share(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        """2 tp / (2 tp + fp + fn); None when there was nothing to find and nothing was found."""
        return share(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa (Cohen 1960): agreement beyond chance, -1 to 1; None when chance alone explains all."""
        if not self.n:
            return None
        observed = (self.tp + self.tn) / self.n
        chance = ((self.tp + self.fp) * (self.tp + self.fn) + (self.fn + self.tn) * (self.fp + self.tn)) / self.n**2
        return None if chance == 1 else (observed - chance) / (1 - chance)


def share(part: float, whole: float) -> float | None:
    """part / whole, or None when there is no whole."""
    return part / whole if whole else None


def wilson_interval(hits: float, n: int, z: float = Z95) -> tuple[float, float] | None:
    """Interval of a proportion (Wilson 1927), sound for small n and near 0 and 1; None without cases.

    `z` standard errors wide to both sides, 95 % unless told otherwise.  8 of 10 -> (0.49, 0.94)
    """
    if not n:
        return None
    p, z2 = hits / n, z**2
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(max(0.0, p * (1 - p)) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def newcombe_interval(
    first: tuple[float, int], second: tuple[float, int], z: float = Z95
) -> tuple[float, float] | None:
    """Interval of the difference of two proportions, each (hits, n) (Newcombe 1998, method 10); None without cases.

    56 of 70 against 48 of 80 -> (0.05, 0.33)
    """
    one, two = wilson_interval(*first, z), wilson_interval(*second, z)
    if one is None or two is None:
        return None
    p, q = first[0] / first[1], second[0] / second[1]
    return difference_interval((p, *one), (q, *two))


def difference_interval(first: tuple[float, float, float], second: tuple[float, float, float]) -> tuple[float, float]:
    """Interval of a difference from both (figure, low, high), taken as independent (Zou and Donner 2008)."""
    (p, low, high), (q, lowest, highest) = first, second
    return p - q - math.hypot(p - low, highest - q), p - q + math.hypot(high - p, q - lowest)


def bootstrap_interval(
    cases: Sequence[T], measure: Callable[[Sequence[T]], float | None], draws: int = DRAWS, seed: int = SEED
) -> tuple[float, float] | None:
    """95 % interval of a measure by the percentile bootstrap (Efron 1979) over whole calls.

    What happens inside one call hangs together, so calls are drawn, not turns or words.  Draws on which the measure
    is undefined don't count; None for fewer than two cases.
    """
    if len(cases) < 2:
        return None
    rng = random.Random(seed)
    found = [measure(rng.choices(cases, k=len(cases))) for _ in range(draws)]
    values = sorted(value for value in found if value is not None)
    if not values:
        return None
    return values[int(0.025 * (len(values) - 1))], values[math.ceil(0.975 * (len(values) - 1))]


def ratio_interval(pairs: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """95 % interval of sum(part) / sum(whole), bootstrapped over the calls that the pairs stand for."""
    return bootstrap_interval(pairs, lambda drawn: share(sum(p for p, _ in drawn), sum(w for _, w in drawn)))


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that are known, None without any."""
    known = [value for value in values if value is not None]
    return share(sum(known), len(known))


@lru_cache(maxsize=16)
def draw_cases(n: int, draws: int = DRAWS, seed: int = SEED) -> NDArray[Any]:
    """How often each of n cases is drawn in each of `draws` bootstraps, (draws, n) float, not to be written to."""
    import numpy as np

    drawn = np.random.default_rng(seed).multinomial(n, [1 / n] * n, size=draws).astype(float)
    drawn.flags.writeable = False
    return drawn


def percentiles(values: NDArray[Any]) -> tuple[float, float] | None:
    """Return the 2.5 and 97.5 % points of what is known of the values; None when nothing is."""
    import numpy as np

    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)
