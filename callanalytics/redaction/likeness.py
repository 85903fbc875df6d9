"""Say how much a recognised word looks like a name where it stands, by a small model trained on recognised speech.

Recognition makes new words of names and of ordinary words alike; the letters and the words around say which of the two
it was.  The model is a logistic regression over hashed features of one word in its line (models/names/card.md).  Pure
apart from `load_likeness`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from callanalytics.dutch.lexicon import Lexicon
from callanalytics.dutch.memory import remembered
from callanalytics.dutch.numbers import FILLERS, bare, word_value
from callanalytics.dutch.words import word_set
from callanalytics.models import load_skops
from callanalytics.records import PLACEHOLDER
from callanalytics.redaction.tokens import PHRASE_END

ARTEFACT, FINDS = "names.skops", "finds.skops"
BUCKETS = 1 << 15
PREFIXES = word_set("van de der den het ter ten te t v d vd la le el al bin von du da dos del di")

Probabilities = Callable[[Sequence[Sequence[str]]], Sequence[float]]  # per row of features


@dataclass(frozen=True, slots=True)
class Find:
    """What a rule takes for a name: its positions in the call, and what is known of it as features."""

    places: tuple[int, ...]
    evidence: list[str]


@dataclass(frozen=True, slots=True)
class Likeness:
    """The trained models, of words and of what rules found."""

    words: Probabilities
    finds: Probabilities

    def of_line(self, words: Sequence[str], role: str, lexicon: Lexicon) -> list[float]:
        """Return for each word of a turn the probability that it belongs to a name."""
        return list(self.words(list(features(words, role, lexicon)))) if words else []

    def of_finds(self, finds: Sequence[Find]) -> list[float]:
        """Return the probability of each find to be a name."""
        return list(self.finds([find.evidence for find in finds])) if finds else []


def load_likeness(folder: Path) -> Likeness:
    """Read the models.  Raises InputError when one is missing or is no model of this kind."""
    return Likeness(_load(folder / ARTEFACT), _load(folder / FINDS))


def _load(file: Path) -> Probabilities:
    """Return what gives the probabilities of a model."""
    (pipeline, column) = load_skops(
        file,
        lambda pipeline: (pipeline, list(pipeline.classes_).index(1)),
        missing="errors.model_unreadable",
        foreign="errors.holds_types_model_names",
        broken="errors.no_model_names",
    )

    def probabilities(rows: Sequence[Sequence[str]]) -> Sequence[float]:
        found: Sequence[float] = pipeline.predict_proba(rows)[:, column].tolist()
        return found

    return probabilities


def may_be_judged(word: str, lexicon: Lexicon) -> bool:
    """Return whether the model judges a bare word: function words, numbers and scraps are no names by themselves."""
    is_small = word in lexicon.not_names or word in PREFIXES or word in FILLERS
    return len(word) > 2 and word.isalpha() and not is_small and word_value(word) is None


def features(words: Sequence[str], role: str, lexicon: Lexicon) -> Iterator[list[str]]:
    """Yield what the model looks at, a list per word: its letters, what the lists say of it, and its neighbours."""
    plain = ["[name]" if PLACEHOLDER.search(word) else bare(word) for word in words]
    ends = [bool(PHRASE_END.search(word)) for word in words]
    kinds = [_kind(word, lexicon) for word in plain]
    padded = ["<<", "<<", "<", *plain, ">", ">>"]
    for at, word in enumerate(plain):
        before3, before2, before, after, after2 = (padded[at + 3 + step] for step in (-3, -2, -1, 1, 2))
        starts = at == 0 or ends[at - 1]
        text = words[at].lstrip("'\"“„(-")
        is_capital = text[:1].isupper() and not starts
        phrase = next((i for i in range(at - 1, -1, -1) if ends[i]), -1) + 1
        left = next((i for i in range(at, len(words)) if ends[i]), len(words) - 1) - at
        row = [f"k={kinds[at]}", f"c={is_capital}", f"len={min(len(word), 10)}", f"s={starts}", f"e={ends[at]}"]
        row += [f"b={before}", f"bb={before2} {before}", f"b2={before2}", f"b3={before3}", f"a={after}", f"a2={after2}"]
        row += [f"ab={before}|{after}", f"bs={before}|{starts}|{ends[at]}", f"kb={kinds[at]}|{before}"]
        row += [f"kr={kinds[at]}|{role}", f"ks={kinds[at]}|{starts}|{ends[at]}", f"p={min(at, 4)}|{role}"]
        follows = kinds[at + 1] if at + 1 < len(kinds) else ">"
        row += [f"f={min(at - phrase, 3)}|{min(left, 3)}", f"kn={kinds[at]}|{follows}"]
        row += [f"kp={kinds[at]}|{kinds[at - 1] if at else '<'}", f"kc={kinds[at]}|{is_capital}"]
        if word.isalpha() and len(word) > 3:
            ordinary, name = nearness(word, lexicon)
            is_dutch = lexicon.is_dutch(word)
            row += [f"no={is_dutch}|{ordinary // 6}", f"nn={is_dutch}|{name // 6}"]
            row += [f"nd={is_dutch}|{(ordinary - name) // 8}"]
        edged = f"^{word}$"
        row += [f"g={edged[i : i + n]}" for n in (2, 3, 4) for i in range(len(edged) - n + 1)]
        yield row


_SPELLINGS = {
    "ij|ei|ey|aj|ai|y": "i", "(?<=[ie])uw": "v", "sch|sj|sh|z": "s", "ck|q|ch|g|c(?![eiy])": "k", "c": "s",
    "ph|v|w": "f", "dt|th|d": "t", "b": "p", "au": "ou", "x": "ks", "h|j": "", r"(.)\1+": r"\1", "en$": "e",
}  # fmt: skip
_SOUNDS = [(re.compile(spelled), sound) for spelled, sound in _SPELLINGS.items()]


@remembered
def sound_of(word: str) -> str:
    """Return a word with the sounds that recognition confuses made alike: "kuijpers", "cuipers" -> kuipers."""
    for pattern, sound in _SOUNDS:
        word = pattern.sub(sound, word)
    return word


def sounds_like_one_of(word: str, words: frozenset[str]) -> bool:
    """Return whether a word sounds like one of a list, in four letters or more."""
    sound = sound_of(word)
    return len(sound) >= 4 and sound in _sounds(words, 0)


@lru_cache(maxsize=12)
def _sounds(words: frozenset[str], least: int) -> frozenset[str]:
    """Return the sounds of the words that have so many letters."""
    return frozenset(sound_of(word) for word in words if len(word) >= least)


def nearness(word: str, lexicon: Lexicon) -> tuple[int, int]:
    """Return how like a common word a word sounds and how like a listed name, in percent."""
    # common words are on a public list, so they may be remembered from call to call; all others are forgotten
    nearness_of = _nearness_of_common if word in lexicon.common else _nearness
    return nearness_of(word, lexicon.common, lexicon.first_names, lexicon.surnames)


def _find_nearness(word: str, common: frozenset[str], *names: frozenset[str]) -> tuple[int, int]:
    from rapidfuzz import fuzz, process

    def nearest(words: frozenset[str]) -> int:
        found = process.extractOne(sound_of(word), _sounds(words, 4), scorer=fuzz.ratio)
        return int(found[1]) if found else 0

    return nearest(common), max(map(nearest, names))


_nearness = remembered(_find_nearness)
_nearness_of_common = lru_cache(maxsize=10_000)(_find_nearness)


def _kind(word: str, lexicon: Lexicon) -> str:
    """Return a letter for each list that a word is on, or that it sounds like."""
    first_names, surnames = lexicon.first_names, lexicon.surnames
    lists = {"f": first_names, "s": surnames, "p": lexicon.places, "x": lexicon.not_names}
    marks = ["d"] * lexicon.is_dutch(word) + [mark for mark, words in lists.items() if word in words]
    alike = [mark for mark, words in (("F", first_names), ("S", surnames)) if sounds_like_one_of(word, words)]
    return "".join(marks + alike)
