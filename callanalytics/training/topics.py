"""Train the topic model."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callanalytics.config import Config
from callanalytics.dutch.words import plain_text
from callanalytics.errors import InputError
from callanalytics.records import Role, Transcript, Turn
from callanalytics.scoring.topics import ARTEFACT as TOPICS_ARTEFACT
from callanalytics.scoring.topics import TopicModel, Topics, read_topics
from callanalytics.texts import Message
from callanalytics.training.lines import NOISY_COPIES, Utterance, _features, _simplify, misrecognise, read_utterances

FOLDS = 5

CALLS_PER_OPENING = 3

CALL_NOISE = (0.0, 0.25, 0.4)  # shares of words that a recogniser gets wrong on good, middling and bad lines


@dataclass(frozen=True, slots=True)
class Opening:
    """What a citizen says and the topics it is about; none for what is no matter of the municipality's."""

    topics: tuple[str, ...]
    text: str


def read_openings(data: Path, known: Collection[str]) -> list[Opening]:
    """Return the lines of a .jsonl file with `topics` and `text`.

    Raises InputError, with the line's number, for a file that can't be read, a line that is not such an object, or a
    topic that is not in `known`.
    """
    openings = []
    try:
        lines = data.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path=data, reason=f"{error}.") from None
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            opening = Opening(tuple(row["topics"]), str(row["text"]))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InputError(path=data, reason=Message("errors.line_no_opening", line=number, problem=error)) from None
        for topic in opening.topics:
            if topic not in known:
                raise InputError(path=data, reason=Message("errors.line_topic", line=number, topic=repr(topic)))
        openings.append(opening)
    return openings


def fit_openings(openings: Sequence[Opening], names: Sequence[str], seed: int = 0) -> Any:
    """A scikit-learn pipeline that gives a plain text the probability of every topic of `names`, each on its own."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import Pipeline

    rng = random.Random(seed)
    texts, labels = [], []
    for opening in openings:
        copies = [plain_text(opening.text), *(misrecognise(opening.text, rng) for _ in range(NOISY_COPIES))]
        texts += [copy for copy in copies if copy]
        labels += [[int(name in opening.topics) for name in names] for copy in copies if copy]
    features, vectorizers = _features()
    # Balanced: a topic is one line in twenty.  What the probability is worth is fitted afterwards.
    classifier = OneVsRestClassifier(LogisticRegression(C=5.0, class_weight="balanced", max_iter=500))
    pipeline = Pipeline([("features", features), ("topics", classifier)])
    pipeline.fit(texts, np.array(labels))
    _simplify(vectorizers)
    return pipeline


def compose_calls(
    openings: Sequence[Opening], fillers: Sequence[Utterance], rng: random.Random
) -> Iterator[tuple[Transcript, tuple[str, ...]]]:
    """Calls put together from openings and from what people say about no topic, with recognition errors, and topics.

    A call has one opening, now and then a second about something else, often more of the first's topic later on.
    """
    for opening in openings:
        for noise in (rng.choice(CALL_NOISE) for _ in range(CALLS_PER_OPENING)):
            said = [opening]
            if len(opening.topics) == 1:
                more = [o for o in openings if o.topics == opening.topics and o is not opening]
                said += rng.sample(more, min(len(more), rng.choice((0, 1, 1, 2))))
                if rng.random() < 0.1:
                    said.append(rng.choice(openings))
            lines: list[tuple[Role, str]] = [("agent", "goedemorgen met de gemeente waarmee kan ik u helpen")]
            lines.append(("citizen", opening.text))
            rest: list[tuple[Role, str]] = [("citizen", o.text) for o in said[1:]]
            for filler in rng.sample(fillers, rng.randint(4, 12)):
                rest.append(("agent" if filler.role == "agent" else "citizen", filler.text))
            rng.shuffle(rest)
            turns = tuple(
                Turn(i, role, 5000 * i, 5000 * i + 4000, misrecognise(text, rng, noise) if noise else text)
                for i, (role, text) in enumerate(lines + rest)
            )
            yield Transcript("", None, turns), tuple(sorted({topic for o in said for topic in o.topics}))


def train_topics(data: Path, fillers: Path, out: Path, config: Config, seed: int = 0) -> dict[str, Any]:
    """Train the topic model on `data` (.jsonl) and write it into the folder `out`; returns how well it did.

    What keywords and model are worth together is fitted on calls made of lines that the model of their fold has not
    seen; the figures are of folds that this fit has not seen either.  `fillers` are the role model's utterances,
    `config` names the topics and the threshold that the figures hold for.  The same data and seed give a model with
    the same predictions.  Raises InputError when the data can't be used.
    """
    import zipfile

    from skops import io as skops_io

    topics = read_topics(config)
    names = [topic.id for topic in topics]
    openings = read_openings(data, names)
    counts = Counter(topic for opening in openings for topic in opening.topics)
    missing = [name for name in names if counts[name] < FOLDS]
    if missing:
        raise InputError(
            path=data, reason=Message("errors.topic_fewer_than_lines", topic=repr(missing[0]), count=FOLDS)
        )
    rng = random.Random(seed)
    folds = _fold(openings, rng)
    chatter = [u for u in read_utterances(fillers) if u.role in ("agent", "citizen") and not u.source.startswith("dev")]
    samples: list[list[_Sample]] = []
    for number, held_out in enumerate(folds):
        seen = [o for other, fold in enumerate(folds) if other != number for o in fold]
        words = fit_openings(seen, names, seed)
        reading = Topics(topics, TopicModel({"words": words, "together": None, "topics": names}), config.topics)
        if not samples:
            chatter = [u for u in chatter if not reading.has_keyword(u.text)]
        calls = compose_calls(held_out, chatter, rng)
        samples.append([_Sample(list(reading.features(call).values()), names, about) for call, about in calls])
    together = _fit_together([sample for fold in samples for sample in fold])
    figures = _judge_folds(samples, config.topics.min_probability)
    stored = {"words": fit_openings(openings, names, seed), "together": together, "topics": names}
    out.mkdir(parents=True, exist_ok=True)
    path = out / TOPICS_ARTEFACT
    skops_io.dump(stored, path, compression=zipfile.ZIP_DEFLATED, compresslevel=9)
    return {
        "model": str(path),
        "bytes": path.stat().st_size,
        "seed": seed,
        "openings": len(openings),
        "lines_of_topic": dict(sorted(counts.items())),
        "held_out": figures,
    }


@dataclass(frozen=True, slots=True)
class _Sample:
    features: list[list[float]]  # per topic
    names: list[str]
    about: tuple[str, ...]

    @property
    def labels(self) -> list[int]:
        return [int(name in self.about) for name in self.names]


def _fold(openings: Sequence[Opening], rng: random.Random) -> list[list[Opening]]:
    """Return the openings in folds with about the same share of every topic."""
    order = sorted(openings, key=lambda opening: (opening.topics, rng.random()))
    return [order[number::FOLDS] for number in range(FOLDS)]


def _fit_together(samples: Sequence[_Sample]) -> Any:
    """Return one logistic regression for all topics: features of a topic in a call -> whether the call is about it."""
    from sklearn.linear_model import LogisticRegression

    rows = [row for sample in samples for row in sample.features]
    return LogisticRegression(max_iter=1000).fit(rows, [label for sample in samples for label in sample.labels])


def _judge_folds(folds: Sequence[Sequence[_Sample]], threshold: float) -> dict[str, float]:
    """Return how right and how calibrated the whole is on each fold when it is fitted on the others."""
    from callanalytics.evaluation.agreement import Forecast, calibration_error

    best_right, n_about, unknown_right, n_none = 0, 0, 0, 0
    forecasts: list[Forecast] = []
    for number, held_out in enumerate(folds):
        together = _fit_together([s for other, fold in enumerate(folds) if other != number for s in fold])
        for sample in held_out:
            chances = together.predict_proba(sample.features)[:, 1].tolist() if sample.features else [0.0]
            best = max(range(len(chances)), key=chances.__getitem__)
            if sample.about:
                n_about, best_right = n_about + 1, best_right + (sample.names[best] in sample.about)
            else:
                n_none, unknown_right = n_none + 1, unknown_right + (chances[best] < threshold)
            forecasts.append(Forecast(chances[best], sample.names[best] in sample.about))
    return {
        "calls": n_about,
        "best_topic_right": round(best_right / n_about, 4),
        "calls_about_nothing": n_none,
        "unknown_right": round(unknown_right / max(n_none, 1), 4),
        "calibration_error_of_best": round(calibration_error(forecasts) or 0.0, 4),
    }
