"""Trains the models of `learned`: what each group of phrases looks like as a telephone recogniser hears it.

turns.jsonl holds utterances, calls.jsonl whole calls as recognised and as written, both with labels.

Each utterance is there as written and as heard.  A label comes from the person who wrote the line, or else from the
patterns applied to the line *as written*; the models learn to give the same answer for the line *as heard*.
Probabilities are calibrated on lines no model was trained on (five folds by line), and those of a criterion in a call
on calls of which no model knew a line (`calibrate`).
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callanalytics.config import Config
from callanalytics.errors import InputError
from callanalytics.records import Event, Role, Transcript, Turn, Word
from callanalytics.scoring.detector import Detector, Signs, load_detector
from callanalytics.scoring.finding import ROLES_OF, find_hits
from callanalytics.scoring.learned import ARTEFACT, CALIBRATION, Learned, Said, features, said
from callanalytics.scoring.phrases import Phrases
from callanalytics.texts import Message
from callanalytics.training.lines import misrecognise

if TYPE_CHECKING:
    from callanalytics.redaction.redactor import Redactor

WORD_FEATURES = 6000
SOUND_FEATURES = 14_000
FOLDS = 5
FEWEST_POSITIVES = 8  # a group with fewer lines is left to its patterns
SPELT = 2  # copies of each line with invented recognition errors
STRENGTH = 10.0  # C of the logistic regressions
TOLERANCE = 0.05
CALL_FOLDS = 4
CALIBRATION_STRENGTH = 1.0
OFFSET_SCALE = 0.3  # of a criterion's column, which shrinks its offset
ROLES: tuple[Role, ...] = ("agent", "citizen", "ivr")


@dataclass(frozen=True)
class Line:
    """An utterance of the training data: as written, who says it, what it is, and how it was heard."""

    text: str
    role: Role
    yes: frozenset[str] = frozenset()  # criteria it is an instance of, said by its writer
    no: frozenset[str] = frozenset()  # criteria it only looks like
    unsure: frozenset[str] = frozenset()  # criteria that nobody decided: its call meets them, nobody said where
    heard: tuple[tuple[tuple[str, float], ...], ...] = ()  # words with their confidence, per hearing
    source: str = ""


@dataclass(frozen=True)
class Example:
    """One version of a line for the models; `labels` has True or False per group and leaves out what is unsure."""

    line: int
    is_heard: bool
    role: Role
    said: Said
    labels: Mapping[str, bool]
    call: str = ""  # id of a citizen's call that it was heard in; empty for data of our own


def read_lines(path: Path) -> list[Line]:
    """Return the lines of a .jsonl file.  Raises InputError with the line's number for one that can't be used."""
    lines = []
    try:
        rows = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path=path, reason=f"{error}.") from None
    for number, row in enumerate(rows, start=1):
        try:
            tree = json.loads(row)
            heard = tuple(tuple((str(w), float(c)) for w, c in words) for words in tree.get("heard", ()))
            yes, no, unsure = (frozenset(tree.get(key, ())) for key in ("yes", "no", "unsure"))
            line = Line(tree["text"], tree["role"], yes, no, unsure, heard, tree.get("source", ""))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                path=path, reason=Message("errors.line_no_utterance", line=number, problem=error)
            ) from None
        if line.role not in ROLES:
            raise InputError(path=path, reason=Message("errors.line_role", line=number, role=repr(line.role)))
        lines.append(line)
    return lines


def one_turn(role: Role, words: Sequence[tuple[str, float]]) -> Transcript:
    """Return the words as a call of one turn, 300 ms a word."""
    timed = tuple(Word(text, i * 300, (i + 1) * 300, confidence) for i, (text, confidence) in enumerate(words))
    text = " ".join(word for word, _ in words)
    return Transcript("line", None, (Turn(0, role, 0, 300 * len(words), text, timed),), duration_ms=300 * len(words))


def groups_of(detector: Detector) -> dict[str, Phrases]:
    """Return the groups of phrases that a model can stand beside, by the names that `find_hits` looks them up with."""
    criteria = [c for c in detector.files.criteria if c.method in ("phrases", "echo", "factors")]
    groups = {c.id: c.phrases for c in criteria if c.phrases.patterns}
    for criterion in criteria:
        for factor, patterns in criterion.factors.items():
            name = f"{criterion.id} factor {factor}"
            groups[name] = dataclasses.replace(criterion.phrases, name=name, patterns=patterns, weak=(), unless=())
    groups |= {phrases.name: phrases for phrases in (*detector.files.cues, *detector.files.promises)}
    return groups


def patterns_say(detector: Detector, groups: Mapping[str, Phrases], transcript: Transcript) -> dict[str, float]:
    """Per group the highest probability that the patterns give to a call of one turn, wherever it would be said."""
    call = detector.read(transcript)
    found = {}
    for name, phrases in groups.items():
        anywhere = dataclasses.replace(phrases, window="any", cancelled_by=())
        hits = find_hits(anywhere, call, lambda _: [])
        found[name] = max((hit.probability for hit in hits), default=0.0)
    return found


def label(detector: Detector, groups: Mapping[str, Phrases], line: Line) -> dict[str, bool]:
    """Return what the line is, per group whose speaker could have said it; groups nobody is sure of are left out."""
    guesses = patterns_say(detector, groups, one_turn(line.role, [(word, 1.0) for word in line.text.split()]))
    labels: dict[str, bool] = {}
    for name, probability in guesses.items():
        if line.role not in ROLES_OF[groups[name].speaker]:
            continue
        if name in line.unsure:
            continue
        if name in line.yes or name in line.no:
            labels[name] = name in line.yes
        elif probability >= 0.8 or probability < 0.2:
            labels[name] = probability >= 0.8
    return labels


def examples(lines: Sequence[Line], detector: Detector, redactor: Redactor, seed: int = 0) -> list[Example]:
    """Return every line as written, as heard, and with invented errors; personal data replaced as in a stored call."""
    rng = random.Random(seed)
    groups = groups_of(detector)
    found = []
    for number, line in enumerate(lines):
        labels = label(detector, groups, line)
        versions: list[tuple[bool, Sequence[tuple[str, float]]]] = [(False, [(w, 1.0) for w in line.text.split()])]
        versions += [(True, words) for words in line.heard]
        for _ in range(SPELT):
            versions.append((False, [(w, 0.6) for w in misrecognise(line.text, rng).split()]))
        for is_heard, words in versions:
            if not words:
                continue
            call = detector.read(redactor(one_turn(line.role, words)).transcript)
            for turn in call.turns:
                found.append(Example(number, is_heard, line.role, said(turn, 0, len(turn.doc)), labels))
    return found


def fit(
    found: Sequence[Example],
    names: Iterable[str],
    seed: int = 0,
    like: dict[str, Any] | None = None,
    fewest_calls: int = 1,
) -> dict[str, Any]:
    """The models of the groups `names` that have enough lines, with calibrated probabilities, as `learned` reads them.

    Weights are (features, groups) float32, bias (groups,): one product gives the log-odds of all groups.  `like` is an
    earlier result on more lines, whose slopes and offsets are taken over instead of being measured again.
    `fewest_calls` as for `vectorise`.
    """
    import numpy as np

    words, sounds, table = vectorise(found, fewest_calls)
    kept: list[str] = []
    columns, offsets = [], []
    slopes: dict[str, tuple[float, float]] = dict(like["slopes"]) if like else {}
    for name in names:
        rows, truth = rows_of(found, name)
        lines = np.array([found[i].line for i in rows])
        if like is None and len(set(lines[truth])) < FEWEST_POSITIVES:
            continue
        if like is None:
            odds = cross_odds(table[rows], truth, lines, seed)
            # On lines as heard only: that is what calls are made of.
            heard = np.array([found[i].is_heard for i in rows])
            slopes[name] = platt(odds[heard], truth[heard])
        slope, offset = slopes[name]
        model = _regression(seed).fit(table[rows], truth)
        kept.append(name)
        columns.append(slope * model.coef_[0])
        offsets.append(slope * float(model.intercept_[0]) + offset)
    return {
        "groups": kept,
        "slopes": slopes,
        "words": words,
        "sounds": sounds,
        "weights": np.array(columns, dtype=np.float32).T.copy(),
        "bias": np.array(offsets, dtype=np.float32),
    }


def vectorise(found: Sequence[Example], fewest_calls: int = 1) -> tuple[Any, Any, Any]:
    """Return the two fitted vectorizers and the features of all examples, (examples, features) sparse.

    What citizens and agents said may be read back from a vocabulary: a word or a run of words that was heard in calls
    alone has to be in `fewest_calls` of them, so that no model holds what one person said.
    """
    import numpy as np
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    def vectorizer_of(texts: Sequence[str], most: int, **kind: Any) -> tuple[Any, Any]:
        vectorizer = TfidfVectorizer(lowercase=False, max_features=most, sublinear_tf=True, dtype=np.float32, **kind)
        if any(example.call for example in found):
            vocabulary = _shared_terms(texts, [example.call for example in found], fewest_calls, most, kind)
            vectorizer.set_params(vocabulary=vocabulary)
        table = vectorizer.fit_transform(texts)
        vectorizer.set_params(vocabulary=None)  # skops would store it twice
        return vectorizer, table

    words, of_words = vectorizer_of(
        [e.said.words for e in found], WORD_FEATURES, token_pattern=r"\S+", ngram_range=(1, 3)
    )
    sounds, of_sounds = vectorizer_of(
        [e.said.sounds for e in found], SOUND_FEATURES, analyzer="char_wb", ngram_range=(2, 5)
    )
    table = hstack([of_words, of_sounds]).tocsr()
    for vectorizer in (words, sounds):
        # Plain ints: skops would store every numpy integer as a file of its own.
        vectorizer.vocabulary_ = {term: int(index) for term, index in vectorizer.vocabulary_.items()}
    return words, sounds, table


def _shared_terms(
    texts: Sequence[str], calls: Sequence[str], fewest_calls: int, most: int, kind: Mapping[str, Any]
) -> dict[str, int]:
    """Return the terms that are most frequent among those of our own data or of `fewest_calls` calls, numbered."""
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(lowercase=False, **kind)
    counts = counter.fit_transform(texts).tocsr()
    ours = np.array([not call for call in calls])
    ids = {call: number for number, call in enumerate(sorted({call for call in calls if call}))}
    heard = [row for row, call in enumerate(calls) if call]
    places = ([ids[calls[row]] for row in heard], heard)
    by_call = csr_matrix((np.ones(len(heard)), places), shape=(len(ids), len(texts)))
    held_by = np.asarray((by_call @ counts > 0).sum(axis=0)).ravel()
    total = np.asarray(counts.sum(axis=0)).ravel()
    may = (held_by >= fewest_calls) | (np.asarray(counts[ours].sum(axis=0)).ravel() > 0)
    chosen = sorted(np.flatnonzero(may), key=lambda column: (-total[column], column))[:most]
    terms = counter.get_feature_names_out()
    return {str(terms[column]): number for number, column in enumerate(sorted(chosen))}


def rows_of(found: Sequence[Example], name: str) -> tuple[Any, Any]:
    """Return the examples with a label for the group, (n,) int, and the labels, (n,) bool."""
    import numpy as np

    rows = np.array([i for i, example in enumerate(found) if name in example.labels], dtype=int)
    return rows, np.array([found[i].labels[name] for i in rows], dtype=bool)


def _regression(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    # The dual form: more features than lines make it 35 times faster than the primal, with the same ranking.
    return LogisticRegression(
        C=STRENGTH,
        class_weight="balanced",
        solver="liblinear",
        dual=True,
        tol=TOLERANCE,
        max_iter=1000,
        random_state=seed,
    )


def cross_odds(table: Any, truth: Any, lines: Any, seed: int) -> Any:
    """Log-odds of every row by a model that saw no version of its line, (n,) float."""
    import numpy as np

    odds = np.zeros(len(truth))
    for train, test in folds(lines, truth, seed):
        odds[test] = _regression(seed).fit(table[train], truth[train]).decision_function(table[test])
    return odds


def folds(lines: Any, truth: Any, seed: int) -> Iterator[tuple[Any, Any]]:
    """Train and test rows, five times; all versions of a line on one side, positives spread evenly."""
    from sklearn.model_selection import StratifiedGroupKFold

    yield from StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(lines, truth, lines)


def platt(odds: Any, truth: Any) -> tuple[float, float]:
    """Slope and offset that make log-odds calibrated (Platt 1999), regularised towards few extremes."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0).fit(odds.reshape(-1, 1), truth)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


# --- calls: from signs to probabilities -----------------------------------------------------------------------------


@dataclass(frozen=True)
class KnownCall:
    """A redacted call and what is true of it: per criterion yes or no; what does not apply is left out."""

    transcript: Transcript
    truth: Mapping[str, bool]
    is_heard: bool


def read_calls(path: Path) -> list[KnownCall]:
    """Return the calls of a .jsonl file.  Raises InputError with the line's number for one that can't be used."""
    calls = []
    try:
        rows = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path=path, reason=f"{error}.") from None
    for number, row in enumerate(rows, start=1):
        try:
            calls.append(_known_call(json.loads(row)))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(path=path, reason=Message("errors.line_no_call", line=number, problem=error)) from None
    return calls


def _known_call(tree: dict[str, Any]) -> KnownCall:
    turns = []
    for index, turn in enumerate(tree["turns"]):
        words = tuple(Word(text, start, end, confidence) for text, start, end, confidence in turn["words"])
        text = " ".join(word.text for word in words)
        turns.append(
            Turn(index, turn["role"], turn["start_ms"], turn["end_ms"], text, words, speaker=turn.get("speaker", ""))
        )
    transcript = Transcript(
        tree["call_id"],
        datetime.fromisoformat(tree["started_at"]),
        tuple(turns),
        tuple((start, end) for start, end in tree["holds"]),
        tuple(Event(*event) for event in tree["events"]),
        tree["duration_ms"],
    )
    return KnownCall(transcript, {k: v == "yes" for k, v in tree["truth"].items() if v in ("yes", "no")}, tree["heard"])


def calibrate(calls: Sequence[KnownCall], signs: Sequence[Mapping[str, Signs]]) -> dict[str, Any]:
    """Return the calibration, as `learned.load_calibration` reads it, fitted to the calls' truth.

    A criterion's own offset is shrunk hard: a handful of calls says little about how common a behaviour is.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    names = sorted({name for call, of_call in zip(calls, signs, strict=True) for name in call.truth.keys() & of_call})
    rows, truth = [], []
    for call, of_call in zip(calls, signs, strict=True):
        for name, is_met in call.truth.items():
            if name not in of_call:  # measured, not heard
                continue
            own = [OFFSET_SCALE if name == other else 0.0 for other in names]
            rows.append([*features(*of_call[name]), *own])
            truth.append(is_met)
    model = LogisticRegression(C=CALIBRATION_STRENGTH, max_iter=1000).fit(np.array(rows), np.array(truth))
    weights = [round(float(w), 4) for w in model.coef_[0]]
    count = len(weights) - len(names)
    return {
        "weights": weights[:count],
        "bias": round(float(model.intercept_[0]), 4),
        "offsets": {n: round(w * OFFSET_SCALE, 4) for n, w in zip(names, weights[count:], strict=True)},
    }


def cross_signs(
    calls: Sequence[KnownCall], lines: Sequence[Line], found: Sequence[Example], full: dict[str, Any],
    detector_with: Callable[[dict[str, Any]], Detector], seed: int = 0, fewest_calls: int = 1,
) -> list[dict[str, Signs]]:  # fmt: skip
    """Return the signs of each call by models that saw no line of it; `full` gives the groups and their calibration."""
    ids = sorted({call.transcript.call_id for call in calls})
    random.Random(seed).shuffle(ids)
    result: list[dict[str, Signs]] = [{} for _ in calls]
    for part in range(CALL_FOLDS):
        held = set(ids[part::CALL_FOLDS])
        kept = [e for e in found if lines[e.line].source.removeprefix("call:") not in held]
        detector = detector_with(fit(kept, full["groups"], seed, full, fewest_calls))
        for i, call in enumerate(calls):
            if call.transcript.call_id in held:
                result[i] = detector.signs(detector.read(call.transcript))
    return result


def train_criteria(folder: Path, config: Config, seed: int = 0) -> dict[str, Any]:
    """Train on turns.jsonl and calls.jsonl of `folder`, write models and calibration there; returns what was learnt.

    The same data, phrase files and seed give models with the same predictions.  Raises InputError when the data
    can't be used.
    """
    import zipfile

    from skops import io as skops_io

    from callanalytics.redaction.redactor import Redactor

    lines, calls = read_lines(folder / "turns.jsonl"), read_calls(folder / "calls.jsonl")
    plain = load_detector(config.model_copy(update={"scorecard": config.scorecard.model_copy(update={"models": ""})}))

    def detector_with(artefact: dict[str, Any]) -> Detector:
        return Detector(plain.files, config, Learned(artefact))

    found = examples(lines, plain, Redactor(config), seed)
    artefact = fit(found, groups_of(plain), seed)
    calibration = calibrate(calls, cross_signs(calls, lines, found, artefact, detector_with, seed))
    path = folder / ARTEFACT
    skops_io.dump(artefact, path, compression=zipfile.ZIP_DEFLATED, compresslevel=9)
    (folder / CALIBRATION).write_text(json.dumps(calibration, indent=1) + "\n", encoding="utf-8")
    return {
        "model": str(path),
        "bytes": path.stat().st_size,
        "seed": seed,
        "lines": len(lines),
        "hearings": sum(len(line.heard) for line in lines),
        "calls": len(calls),
        "groups": len(artefact["groups"]),
    }
