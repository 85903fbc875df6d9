"""Train the small models that the project ships.  Offline, on the data beside each model, reproducible by seed."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callanalytics.errors import InputError
from callanalytics.roles import ARTEFACT, KNOWN_ROLES, plain_text

# Each utterance is seen as written and this many times as a recogniser might spell it.
NOISY_COPIES = 4
WORD_FEATURES = 4000
CHARACTER_FEATURES = 8000
DIGITS = ("nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen")


@dataclass(frozen=True, slots=True)
class Utterance:
    """What somebody in a known role said; `source` tells where the line comes from."""

    role: str
    text: str
    source: str = ""


def read_utterances(data: Path) -> list[Utterance]:
    """The lines of a .jsonl file with `role`, `text` and optionally `source`.

    Raises InputError, with the line's number, for a file that can't be read or a line that is not such an object.
    """
    utterances = []
    try:
        lines = data.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path=data, reason=f"{error}.") from None
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            utterance = Utterance(row["role"], row["text"], row.get("source", ""))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InputError(path=data, reason=f"line {number} is no utterance ({error}).") from None
        if utterance.role not in KNOWN_ROLES:
            raise InputError(path=data, reason=f"line {number} has the role {utterance.role!r}.")
        utterances.append(utterance)
    return utterances


def misrecognise(text: str, rng: random.Random, rate: float = 0.25) -> str:
    """The text as a weak recogniser might write it: words lost, merged or misspelt, digits for number words.

    `rate` is about the share of words that change.

    "mag ik uw postcode"   ->   "mag ikuw poscode"
    """
    words: list[str] = []
    for word in plain_text(text).split():
        if word in DIGITS and rng.random() < 0.5:
            words.append("0")
            continue
        dice = rng.random() / rate
        if dice >= 1:
            words.append(word)
        elif dice < 0.2:
            continue
        elif dice < 0.4 and words:
            words[-1] += word
        else:
            words.append(_misspell(word, rng))
    return " ".join(words)


def _misspell(word: str, rng: random.Random) -> str:
    for _ in range(1 + (len(word) > 5)):
        at = rng.randrange(len(word)) if word else 0
        change = rng.choice(("drop", "swap", "add"))
        letter = rng.choice("aeiountrdlsgkmbvzpfjhw")
        if change == "drop" and len(word) > 2:
            word = word[:at] + word[at + 1 :]
        elif change == "swap":
            word = word[:at] + letter + word[at + 1 :]
        else:
            word = word[:at] + letter + word[at:]
    return word


def fit_roles(utterances: Sequence[Utterance], seed: int = 0) -> Any:
    """A scikit-learn pipeline that gives the probability of every role from a plain text (see `plain_text`)."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import FeatureUnion, Pipeline

    rng = random.Random(seed)
    texts, roles = [], []
    for utterance in utterances:
        copies = [plain_text(utterance.text)]
        copies += [misrecognise(utterance.text, rng) for _ in range(NOISY_COPIES)]
        copies = [copy for copy in copies if copy]
        texts += copies
        roles += [utterance.role] * len(copies)
    words = TfidfVectorizer(
        lowercase=False,
        token_pattern=r"\S+",
        ngram_range=(1, 2),
        max_features=WORD_FEATURES,
        sublinear_tf=True,
        dtype=np.float32,
    )
    characters = TfidfVectorizer(
        lowercase=False,
        analyzer="char_wb",
        ngram_range=(2, 4),
        max_features=CHARACTER_FEATURES,
        sublinear_tf=True,
        dtype=np.float32,
    )
    # Balanced: announcements are few in the data, yet open many real calls.
    classifier = LogisticRegression(C=5.0, class_weight="balanced", max_iter=500, random_state=seed)
    pipeline = Pipeline(
        [("features", FeatureUnion([("words", words), ("characters", characters)])), ("roles", classifier)]
    )
    pipeline.fit(texts, roles)
    for vectorizer in (words, characters):
        # Plain ints: skops would store every numpy integer as a file of its own.
        vectorizer.vocabulary_ = {term: int(index) for term, index in vectorizer.vocabulary_.items()}
    return pipeline


def train_roles(data: Path, out: Path, seed: int = 0) -> dict[str, Any]:
    """Train the role model on `data` (.jsonl) and write it into the folder `out`; returns what was learnt from.

    The same data and seed give a model with the same predictions.  Raises InputError when the data can't be used.
    """
    import zipfile

    from skops import io as skops_io

    utterances = read_utterances(data)
    counts = Counter(utterance.role for utterance in utterances)
    missing = [role for role in KNOWN_ROLES if not counts[role]]
    if missing:
        raise InputError(path=data, reason=f"no utterance has the role {missing[0]}.")
    pipeline = fit_roles(utterances, seed)
    out.mkdir(parents=True, exist_ok=True)
    path = out / ARTEFACT
    skops_io.dump(pipeline, path, compression=zipfile.ZIP_DEFLATED, compresslevel=9)
    return {
        "model": str(path),
        "bytes": path.stat().st_size,
        "seed": seed,
        "utterances": dict(sorted(counts.items())),
        "noisy_copies": NOISY_COPIES,
    }
