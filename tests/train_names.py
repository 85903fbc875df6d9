"""Trains models/names/names.skops, the model of callanalytics/name_likeness.py, and prints how well it tells names.

usage: python tests/train_names.py [--out FOLDER] [--without-calls]

Learns from models/names/lines.jsonl (lines with invented names, spoken and recognised: tests/hear_phrases.py), from
models/criteria/turns.jsonl (recognised lines, of which those without names are taken) and from the calls of
tests/redact_heard.txt that are for tuning.  The figures are of those calls, each judged by a model that has not seen
it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from eval_redact import is_for_tuning, read_heard

from callanalytics.name_likeness import ARTEFACT, BUCKETS, features, may_be_judged
from callanalytics.numbers import bare
from callanalytics.reading import Lexicon, load_lexicon
from callanalytics.verdicts import carry_over

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "models" / "names"
FOLDS = 5
STRENGTH = 1.0  # LogisticRegression's C
_HAS_NAME = re.compile(r"spreekt? (?:u )?met|naam is|\bmet \w+$|[a-z,] [A-Z][a-z]{3,}")


@dataclass(frozen=True, slots=True)
class Example:
    """A word as the model sees it, whether it belongs to a name, and where it is from ("" or a call's number)."""

    row: list[str]
    is_name: bool
    call: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--without-calls", action="store_true")
    options = parser.parse_args()
    lexicon = load_lexicon()
    lines = [*spoken_lines(lexicon), *plain_lines(lexicon)]
    calls = list(call_lines(lexicon))
    judge(lines, calls)
    chosen = lines if options.without_calls else lines + calls
    print(f"learnt from {len(chosen)} words, {sum(example.is_name for example in chosen)} of names")
    store(fit(chosen), options.out / ARTEFACT)
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


def call_lines(lexicon: Lexicon) -> Iterator[Example]:
    """The calls to tune on."""
    for call in read_heard((ROOT / "tests" / "redact_heard.txt").read_text(encoding="utf-8")):
        if not is_for_tuning(call.number):
            continue
        for turn in call.transcript.turns:
            named = {
                at for kind, index, places, _ in call.data if (kind, index) == ("person_name", turn.turn_index)
                for at in places
            }  # fmt: skip
            yield from examples([w.text for w in turn.words], turn.role, named, lexicon, str(call.number))


def fit(lines: Sequence[Example]) -> Any:
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    hasher = FeatureHasher(BUCKETS, input_type="string", dtype=np.float32)
    model = make_pipeline(hasher, LogisticRegression(C=STRENGTH, max_iter=500))
    return model.fit([line.row for line in lines], [int(line.is_name) for line in lines])


def judge(lines: Sequence[Example], calls: Sequence[Example]) -> None:
    """Print precision and recall per threshold, for the words of calls that the model has not seen."""
    from sklearn.metrics import average_precision_score

    numbers = sorted({example.call for example in calls}, key=int)
    sure, true = [], []
    for fold in range(FOLDS):
        own = set(numbers[fold::FOLDS])
        unseen = [example for example in calls if example.call in own]
        model = fit([*lines, *(example for example in calls if example.call not in own)])
        sure += model.predict_proba([example.row for example in unseen])[:, 1].tolist()
        true += [example.is_name for example in unseen]
    print(f"words {len(true)}, of names {sum(true)}, average precision {average_precision_score(true, sure):.3f}")
    for threshold in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        taken = [is_name for is_name, p in zip(true, sure, strict=True) if p >= threshold]
        print(f"from {threshold}: precision {sum(taken) / len(taken):.3f}, recall {sum(taken) / sum(true):.3f}")


def store(pipeline: Any, path: Path) -> None:
    from skops import io as skops_io

    model = pipeline[-1]
    model.coef_ = model.coef_.astype(np.float32)
    model.intercept_ = model.intercept_.astype(np.float32)
    path.parent.mkdir(exist_ok=True, parents=True)
    skops_io.dump(pipeline, path, compression=zipfile.ZIP_DEFLATED, compresslevel=9)


if __name__ == "__main__":
    sys.exit(main())
