"""Trains models/names: names.skops (words) and finds.skops (what rules found) of callanalytics/name_likeness.py.

usage: .venv/bin/python -m tests.measure.train_names [--out FOLDER] [--only-figures]

Words are learnt from models/names/lines.jsonl (lines with invented names, spoken and recognised:
hear_phrases.py), from models/criteria/turns.jsonl (recognised lines, of which those without names are taken) and
from the calls of tests/data/redact_heard.txt that are for tuning.  Finds are those of callanalytics/persons.py in these
calls, each with the likeness that a model gives it which has not seen the script of that call.  The figures are of
scripts not seen either.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from callanalytics.config import load_config
from callanalytics.dutch.lexicon import Lexicon, load_lexicon
from callanalytics.dutch.numbers import bare
from callanalytics.evaluation.redaction import carry_over
from callanalytics.redaction.likeness import (
    ARTEFACT,
    BUCKETS,
    FINDS,
    Find,
    Likeness,
    Probabilities,
    features,
    may_be_judged,
)
from callanalytics.redaction.redactor import Redactor
from tests.measure.redact import ORDINARY, Call, is_for_tuning, read_heard
from tests.support.paths import ROOT

FOLDER = ROOT / "models" / "names"
FOLDS = 5
STRENGTH, FIND_STRENGTH = 1.0, 0.1  # LogisticRegression's C
FIND_BUCKETS = 1 << 14
WEIGHT, SAID = 2.0, 0.3  # of a find in an ordinary call, for most calls are like them; and in a call as it was said
_HAS_NAME = re.compile(r"spreekt? (?:u )?met|naam is|\bmet \w+$|[a-z,] [A-Z][a-z]{3,}")


@dataclass(frozen=True, slots=True)
class Example:
    """A word as the model sees it, whether it belongs to a name, and where it is from ("" or a call's number)."""

    row: list[str]
    is_name: bool
    call: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A find, whether it is a name, and the number of its call."""

    row: list[str]
    is_name: bool
    call: str
    is_recognised: bool = True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--only-figures", action="store_true")
    options = parser.parse_args()
    lexicon = load_lexicon()
    lines = [*spoken_lines(lexicon), *plain_lines(lexicon)]
    heard = (ROOT / "tests" / "redact_heard.txt").read_text(encoding="utf-8")
    calls = [call for call in read_heard(heard) if is_for_tuning(call.number)]
    words = list(call_lines(calls, lexicon))
    judge_words(lines, words)
    found = list(finds([*calls, *said(heard)], lines, words))
    judge_finds(found)
    if not options.only_figures:
        store(fit(lines + words), options.out / ARTEFACT)
        store(fit_finds(found), options.out / FINDS)
    return 0


def examples(words: Sequence[str], role: str, named: set[int], lexicon: Lexicon, call: str = "") -> Iterator[Example]:
    """The words of a line that the model is asked about; strange words beside a name may belong to it and are left."""
    for at, row in enumerate(features(words, role, lexicon)):
        word = bare(words[at])
        is_beside = not lexicon.is_dutch(word) and bool({at - 1, at + 1} & named)
        if may_be_judged(word, lexicon) and (at in named or not is_beside):
            yield Example(row, at in named, call)


def spoken_lines(lexicon: Lexicon) -> Iterator[Example]:
    """Lines of models/names/lines.jsonl: `said` with names as <...>, `heard` as recognised."""
    for line in (FOLDER / "lines.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        said, named, is_inside = [], set(), False
        for word in entry["said"].split():
            is_inside = is_inside or "<" in word
            if is_inside:
                named.add(len(said))
            is_inside = is_inside and ">" not in word
            said.append(re.sub("[<>]", "", word))
        heard = entry["heard"].split()
        if len(heard) <= 2:
            continue  # a name alone answers a question, which the model does not see
        places = carry_over(said, heard)
        yield from examples(heard, entry["role"], {new for old in named for new in places.get(old, [])}, lexicon)


def plain_lines(lexicon: Lexicon) -> Iterator[Example]:
    """Recognised lines in which nobody is named."""
    for line in (ROOT / "models" / "criteria" / "turns.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        said = [bare(word) for word in entry["text"].split()]
        has_name = any((w in lexicon.first_names or w in lexicon.surnames) and not lexicon.is_dutch(w) for w in said)
        is_dev = entry["source"].startswith("call:d")
        if is_dev or has_name or _HAS_NAME.search(entry["text"]):
            continue
        for heard in entry["heard"][:2]:
            yield from examples([word for word, _ in heard], entry["role"], set(), lexicon)


def call_lines(calls: Sequence[Call], lexicon: Lexicon) -> Iterator[Example]:
    """The words of calls."""
    for call in calls:
        for turn in call.transcript.turns:
            named = {
                at for kind, index, places, _ in call.data if (kind, index) == ("person_name", turn.turn_index)
                for at in places
            }  # fmt: skip
            yield from examples([w.text for w in turn.words], turn.role, named, lexicon, str(call.number))


def said(heard: str) -> Iterator[Call]:
    """The calls as they were said, as written and without capitals and stops: other recognisers hear better."""
    for is_plain in (False, True):
        for call in read_heard(heard, True):
            if is_for_tuning(call.number) and call.call_id.endswith(".0"):
                if is_plain:
                    call.make_plain()
                yield call


def fit(lines: Sequence[Example]) -> Any:
    return _fit([line.row for line in lines], [line.is_name for line in lines], BUCKETS, STRENGTH)


def fit_finds(found: Sequence[Found]) -> Any:
    weights = [(WEIGHT if int(find.call) >= ORDINARY else 1) * (1 if find.is_recognised else SAID) for find in found]
    return _fit([find.row for find in found], [find.is_name for find in found], FIND_BUCKETS, FIND_STRENGTH, weights)


def _fit(
    rows: Sequence[Sequence[str]], truth: Sequence[bool], n_buckets: int, strength: float, weights: Any = None
) -> Any:
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    hasher = FeatureHasher(n_buckets, input_type="string", dtype=np.float32)
    model = make_pipeline(hasher, LogisticRegression(C=strength, max_iter=1000))
    return model.fit(rows, [int(is_true) for is_true in truth], logisticregression__sample_weight=weights)


def folds(numbers: Iterable[str]) -> Iterator[set[str]]:
    """Scripts in equal parts."""
    ordered = sorted(set(numbers), key=int)
    return (set(ordered[fold::FOLDS]) for fold in range(FOLDS))


def finds(calls: Sequence[Call], lines: Sequence[Example], words: Sequence[Example]) -> Iterator[Found]:
    """What the rules find in calls, by the likeness of words that models have which do not know these scripts."""
    for own in folds(word.call for word in words):
        model = fit([*lines, *(word for word in words if word.call not in own)])
        recorder = Recorder(probabilities(model), lambda rows: [1.0] * len(rows), "")
        redactor = Redactor(load_config(), recorder)
        for call in calls:
            if str(call.number) in own:
                redactor(call.transcript)
                yield from labelled(call, recorder.take())


class Recorder(Likeness):
    """Believes every find and keeps it."""

    seen: ClassVar[list[Find]] = []

    def of_finds(self, finds: Sequence[Find]) -> list[float]:
        self.seen.extend(finds)
        return super().of_finds(finds)

    def take(self) -> list[Find]:
        """What was found since the last time."""
        seen = list(self.seen)
        self.seen.clear()
        return seen


def labelled(call: Call, found: Sequence[Find]) -> Iterator[Found]:
    """Finds with the truth of a call; its passes after the first bring finds again and are left."""
    turns = [turn for turn in call.transcript.turns for _ in turn.words]
    starts = {turn.turn_index: turns.index(turn) for turn in call.transcript.turns if turn.words}
    named = {
        starts[turn] + at + step for kind, turn, places, _ in call.data for at in places
        for step in ((-1, 0, 1) if call.is_recognised else (0,))
        if kind == "person_name"
    }  # fmt: skip
    taken: set[int] = set()
    for find in found:
        if not taken & set(find.places):
            taken.update(find.places)
            is_name = bool(named & set(find.places))
            yield Found(find.evidence, is_name, str(call.number), call.is_recognised)


def probabilities(model: Any) -> Probabilities:
    column = list(model.classes_).index(1)
    return lambda rows: model.predict_proba(rows)[:, column].tolist()  # type: ignore[no-any-return]


def judge_words(lines: Sequence[Example], calls: Sequence[Example]) -> None:
    """Print precision and recall per threshold, for the words of calls that the model has not seen."""
    from sklearn.metrics import average_precision_score

    sure, true, ordinary = [], [], []
    for own in folds(example.call for example in calls):
        unseen = [example for example in calls if example.call in own]
        model = fit([*lines, *(example for example in calls if example.call not in own)])
        sure += probabilities(model)([example.row for example in unseen])
        true += [example.is_name for example in unseen]
        ordinary += [int(example.call) >= ORDINARY for example in unseen]
    for name, wanted in (("short calls", False), ("ordinary calls", True)):
        own_true = [t for t, is_ordinary in zip(true, ordinary, strict=True) if is_ordinary == wanted]
        own_sure = [p for p, is_ordinary in zip(sure, ordinary, strict=True) if is_ordinary == wanted]
        average = average_precision_score(own_true, own_sure)
        print(f"{name}: words {len(own_true)}, of names {sum(own_true)}, average precision {average:.3f}")
        for threshold in (0.3, 0.5, 0.7, 0.9):
            taken = [is_name for is_name, p in zip(own_true, own_sure, strict=True) if p >= threshold]
            precision, recall = sum(taken) / max(1, len(taken)), sum(taken) / max(1, sum(own_true))
            print(f"  from {threshold}: precision {precision:.3f}, recall {recall:.3f}")


def judge_finds(found: Sequence[Found]) -> None:
    """Print what is kept per threshold of finds in scripts that the model has not seen."""
    kept: list[tuple[float, Found]] = []
    for own in folds(find.call for find in found):
        unseen = [find for find in found if find.call in own]
        model = fit_finds([find for find in found if find.call not in own])
        kept += zip(probabilities(model)([find.row for find in unseen]), unseen, strict=True)
    for name, wanted in (("short calls", False), ("ordinary calls", True)):
        heard = [(p, find) for p, find in kept if find.is_recognised]
        own_finds = [(p, find.is_name) for p, find in heard if (int(find.call) >= ORDINARY) == wanted]
        right, wrong = (sum(is_name == truth for _, is_name in own_finds) for truth in (True, False))
        print(f"{name}: finds {len(own_finds)}, names {right}, others {wrong}")
        for threshold in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
            names, others = (
                sum(p >= threshold and is_name == truth for p, is_name in own_finds) for truth in (True, False)
            )
            print(f"  from {threshold}: names kept {names}, others kept {others}")


def store(pipeline: Any, path: Path) -> None:
    from skops import io as skops_io

    model = pipeline[-1]
    model.coef_ = model.coef_.astype(np.float32)
    model.intercept_ = model.intercept_.astype(np.float32)
    path.parent.mkdir(exist_ok=True, parents=True)
    skops_io.dump(pipeline, path, compression=zipfile.ZIP_DEFLATED, compresslevel=9)


if __name__ == "__main__":
    sys.exit(main())
