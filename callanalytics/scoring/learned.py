"""What trained models hear in a turn, beside the patterns: the same groups of phrases, found by likeness.

Patterns look for words in order; telephone recognition gets one word in four wrong, and citizens and agents say things
no pattern has.  A logistic regression per group of phrases, over the words and the sounds of a stretch of speech, was
taught on utterances as a recogniser heard them over a telephone line (models/criteria/card.md).  Its finds go through
the same speaker and window as those of the patterns.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from callanalytics.dutch.sounds import sound
from callanalytics.dutch.words import normalise_word
from callanalytics.errors import InputError
from callanalytics.models import load_skops
from callanalytics.scoring.reader import TurnDoc
from callanalytics.texts import Message

ARTEFACT = "criteria.skops"
CALIBRATION = "calibration.json"
LONGEST = 30  # tokens of a stretch; utterances of the training data are about as long
STEP = 10
FEWEST = 2
LENGTH_COST = 0.005  # of a token, in probability
KEEP = 0.1  # finds below this probability say nothing


class Said(NamedTuple):
    """A stretch of speech as the models see it: its words, mishearings mended, and how the words as heard sound."""

    words: str
    sounds: str


class Match(NamedTuple):
    """Tokens [start, end) of a turn and the probability that they are what the group stands for."""

    start: int
    end: int
    probability: float


def said(turn: TurnDoc, start: int, end: int) -> Said:
    """Return the tokens [start, end) of a turn for the models."""
    heard = turn.words[turn.origin[start][0] : turn.origin[end - 1][1] + 1]
    return Said(
        " ".join(turn.texts[start:end]),
        " ".join(sound(token) for word in heard for token in normalise_word(word.text)),
    )


def stretches(turn: TurnDoc) -> list[tuple[int, int]]:
    """Return the stretches to look at, as tokens [start, end): sentences, two or three together, parts of long ones."""
    bounds = [0, *(i + 1 for i, mark in enumerate(turn.ends) if mark.startswith((".", "?", "!"))), len(turn.doc)]
    sentences = [(a, b) for a, b in itertools.pairwise(dict.fromkeys(bounds)) if b > a]
    found: list[tuple[int, int]] = []
    for first, (start, end) in enumerate(sentences):
        if end - start > LONGEST:
            found += [(at, min(at + 2 * STEP, end)) for at in range(start, end - STEP, STEP)]
            continue
        for last in range(first, min(first + 3, len(sentences))):
            if sentences[last][1] - start > LONGEST:
                break
            found.append((start, sentences[last][1]))
    return [(start, end) for start, end in found if end - start >= FEWEST]


class Learned:
    """The trained models, loaded once."""

    def __init__(self, artefact: dict[str, Any]) -> None:
        self.groups: tuple[str, ...] = tuple(artefact["groups"])
        self._words, self._sounds = artefact["words"], artefact["sounds"]
        self._weights, self._bias = artefact["weights"], artefact["bias"]

    def probabilities(self, texts: Sequence[Said]) -> Any:
        """Return the probability of every group for every text, (texts, groups) float in 0 to 1."""
        import numpy as np
        from scipy.sparse import hstack

        features = hstack(
            [self._words.transform([t.words for t in texts]), self._sounds.transform([t.sounds for t in texts])]
        )
        return 1 / (1 + np.exp(-(features @ self._weights + self._bias)))

    def finds(self, turns: Sequence[TurnDoc]) -> list[dict[str, list[Match]]]:
        """Per turn and group the likeliest stretches, none overlapping another, in order of position."""
        places = [(i, *span) for i, turn in enumerate(turns) for span in stretches(turn)]
        found: list[dict[str, list[Match]]] = [{} for _ in turns]
        if not places:
            return found
        table = self.probabilities([said(turns[i], start, end) for i, start, end in places])
        for row, column in zip(*(table >= KEEP).nonzero(), strict=True):
            i, start, end = places[row]
            find = Match(start, end, float(table[row, column]))
            found[i].setdefault(self.groups[column], []).append(find)
        return [{group: _best(finds) for group, finds in groups.items()} for groups in found]


def _best(finds: Sequence[Match]) -> list[Match]:
    """The likeliest finds, without any that overlaps a likelier one; a sentence more has to be worth its length."""
    kept: list[Match] = []
    for find in sorted(finds, key=lambda f: (LENGTH_COST * (f.end - f.start) - f.probability, f.start, f.end)):
        if all(find.end <= k.start or k.end <= find.start for k in kept):
            kept.append(find)
    return sorted(kept)


def load_learned(path: Path) -> Learned:
    """Return the models stored at `path`.  Raises InputError for a missing or damaged file, or one of unsafe types."""
    key = "errors.holds_no_models_criteria"
    return Learned(load_skops(path, dict[str, Any], missing=key, foreign=key, broken=key))


class Calibration:
    """From what speaks for a criterion in a call to the probability that it was met: a logistic regression.

    The log-odds are bias + weights · `features` + the criterion's own offset; fitted on calls as recognised and as
    written (learning.py), so that 0.9 means right nine times in ten.
    """

    def __init__(self, weights: Sequence[float], bias: float, offsets: Mapping[str, float]) -> None:
        self._weights, self._bias, self._offsets = tuple(weights), bias, dict(offsets)

    def __call__(self, criterion: str, patterns: float, learned: float, confidence: float) -> float:
        """Return the probability, 0 to 1, of a criterion with these signs (`detector.Signs`)."""
        odds = self._bias + self._offsets.get(criterion, 0.0)
        odds += sum(w * x for w, x in zip(self._weights, features(patterns, learned, confidence), strict=True))
        return round(1 / (1 + math.exp(-odds)), 4)


def features(patterns: float, learned: float, confidence: float) -> tuple[float, float, float, float]:
    """What the calibration weighs: both log-odds, the recogniser's doubt, and that doubt where nothing was found."""
    doubt = 1 - confidence
    return log_odds(patterns), log_odds(learned), doubt, doubt if max(patterns, learned) < 0.5 else 0.0


def log_odds(probability: float) -> float:
    """ln(p / (1 - p)), p kept between 0.02 and 0.98.   0.5 -> 0.0   0.9 -> 2.197"""
    p = min(max(probability, 0.02), 0.98)
    return math.log(p / (1 - p))


def load_calibration(path: Path) -> Calibration:
    """Return the calibration stored at `path`.  Raises InputError when the file is missing or no calibration."""
    try:
        content = path.read_bytes()
        tree = json.loads(content)
        weights, offsets = [float(w) for w in tree["weights"]], {str(k): float(v) for k, v in tree["offsets"].items()}
        return Calibration(weights, float(tree["bias"]), offsets)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            path=path, reason=Message("errors.holds_no_calibration_criteria", problem=type(error).__name__)
        ) from None
