"""Kappa and AC1 against irrCAC, which others wrote; tests/measure/agreement_oracle.py asked it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from callanalytics.evaluation.agreement import Pair, measure_agreement
from callanalytics.intervals import Counts
from tests.support.paths import DATA

TABLES: list[dict[str, Any]] = json.loads((DATA / "agreement_irrcac.json").read_text(encoding="utf-8"))["tables"]


def name_of(table: dict[str, Any]) -> str:
    ratings = table["ratings"]
    return f"{len(ratings)} calls, {len(ratings[0])} raters, {len(table['categories'])} answers"


@pytest.mark.parametrize("table", TABLES, ids=name_of)
def test_agreement_equals_irrcac(table: dict[str, Any]) -> None:
    pairs = [
        Pair(f"c{i}", (str(a), str(b)), (str(one), str(two)))
        for i, call in enumerate(table["ratings"])
        for (a, one), (b, two) in itertools.combinations(enumerate(call), 2)
        if one is not None and two is not None
    ]
    found = measure_agreement(pairs, [str(answer) for answer in table["categories"]])
    assert found.n == len(table["ratings"])
    assert found.ac1 == pytest.approx(table["ac1"], abs=1e-8)
    if all(answer is not None for call in table["ratings"] for answer in call):
        assert found.kappa == (None if table["kappa"] is None else pytest.approx(table["kappa"], abs=1e-8))


@pytest.mark.parametrize("table", [t for t in TABLES if len(t["ratings"][0]) == len(t["categories"]) == 2], ids=name_of)
def test_kappa_of_counts_equals_irrcac(table: dict[str, Any]) -> None:
    ratings = [tuple(call) for call in table["ratings"]]
    tp, fp, fn, tn = (ratings.count(cell) for cell in ((1, 1), (1, 0), (0, 1), (0, 0)))
    kappa = Counts(tp=tp, fp=fp, fn=fn, tn=tn).kappa
    assert kappa == (None if table["kappa"] is None else pytest.approx(table["kappa"], abs=1e-8))
