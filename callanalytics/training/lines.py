"""Lines of calls to train on, and how recognition garbles them."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callanalytics.call.roles import KNOWN_ROLES
from callanalytics.dutch.words import plain_text
from callanalytics.errors import InputError
from callanalytics.texts import Message

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
    """Return the lines of a .jsonl file with `role`, `text` and optionally `source`.

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
            raise InputError(
                path=data, reason=Message("errors.line_no_utterance", line=number, problem=error)
            ) from None
        if utterance.role not in KNOWN_ROLES:
            raise InputError(path=data, reason=Message("errors.line_role", line=number, role=repr(utterance.role)))
        utterances.append(utterance)
    return utterances


def misrecognise(text: str, rng: random.Random, rate: float = 0.25) -> str:
    """Return the text as a weak recogniser might write it: words lost, merged or misspelt, digits for number words.

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


def _features() -> tuple[Any, tuple[Any, Any]]:
    """TF-IDF of words and of characters inside words, side by side: what a misspelt word keeps."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion

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
    return FeatureUnion([("words", words), ("characters", characters)]), (words, characters)


def _simplify(vectorizers: Sequence[Any]) -> None:
    for vectorizer in vectorizers:
        # Plain ints: skops would store every numpy integer as a file of its own.
        vectorizer.vocabulary_ = {term: int(index) for term, index in vectorizer.vocabulary_.items()}
