"""What each way to get over recognition errors brings: the scorecard on recognised calls with the ways added in turn.

usage: .venv/bin/python -m tests.measure.ablation OUT [--truth DIR]

OUT is what `callanalytics run` made of the development calls.  Every row scores the same stored turns again: phrases
word for word, then mishearings that sound alike, small spelling differences, words wrongly joined or cut, and at last
the trained models with their calibration, as shipped.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from callanalytics.config import load_config
from callanalytics.dutch.sounds import sound
from callanalytics.evaluation.evaluate import judge
from callanalytics.evaluation.outcomes import read_outcomes
from callanalytics.evaluation.truth import load_truths
from callanalytics.records import Transcript
from callanalytics.scoring.reader import Reader
from callanalytics.scoring.scorer import Scorer
from tests.measure.dev import GROUPS, TRUTH

Guess = tuple[tuple[str, ...], float]
_guess = Reader._guess


def as_heard(reader: Reader, token: str) -> Guess:
    return (token,), 1.0


def by_sound(reader: Reader, token: str) -> Guess:
    heard, like = _guess(reader, token)
    return (heard, like) if len(heard) == 1 and sound(heard[0]) == sound(token) else ((token,), 1.0)


def in_one_piece(reader: Reader, token: str) -> Guess:
    heard, like = _guess(reader, token)
    return (heard, like) if len(heard) == 1 else ((token,), 1.0)


def apart(reader: Reader, tokens: Any) -> tuple[int, str]:
    return 1, tokens[0]


STEPS: Mapping[str, tuple[Callable[..., Any], Callable[..., Any], bool]] = {
    "word for word": (as_heard, apart, False),
    "+ sounds alike": (by_sound, apart, False),
    "+ small differences": (in_one_piece, apart, False),
    "+ joined and cut words": (_guess, Reader._join, False),
    "+ trained models, calibrated (shipped)": (_guess, Reader._join, True),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--truth", type=Path, default=TRUTH)
    options = parser.parse_args()
    config, truths = load_config(), load_truths(options.truth)
    outcomes, _ = read_outcomes(options.output)
    known = {name: outcome for name, outcome in outcomes.items() if name in truths}
    kept = {name: truths[name] for name in known}
    groups = {name: ids & kept.keys() for name, ids in GROUPS.items() if ids & kept.keys()} or {"all": set(kept)}
    print("| | " + " | ".join(f"{g}: macro F1 | kappa | precision | recall" for g in groups) + " |")
    print("| --- |" + " --- |" * 4 * len(groups))
    for title, (guess, join, has_models) in STEPS.items():
        scorecard = config.scorecard if has_models else config.scorecard.model_copy(update={"models": ""})
        with mock.patch.object(Reader, "_guess", guess), mock.patch.object(Reader, "_join", join):
            score = Scorer(config.model_copy(update={"scorecard": scorecard}))
            scored = {}
            for name, o in known.items():
                verdict = score(Transcript(name, o.started_at, o.turns, o.holds, o.events, o.duration_ms))
                scored[name] = dataclasses.replace(
                    o, criteria=verdict.criteria, promises=verdict.promises, topic=verdict.topic
                )
        cells = []
        for figures in judge(scored, kept, config, groups)["groups"].values():
            macro, micro = figures["criteria"]["macro"], figures["criteria"]["micro"]
            cells += [f"{value:.3f}" for value in (macro["f1"], macro["kappa"], micro["precision"], micro["recall"])]
        print(f"| {title} | " + " | ".join(cells) + " |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
