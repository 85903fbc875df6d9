"""The word lists of Dutch names, places and words, read once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from callanalytics.dutch.memory import remembered

LEXICON_PATH = Path(__file__).resolve().parent / "lexicon"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Word lists, lower case without accents, and a test whether Dutch knows a word."""

    first_names: frozenset[str]
    surnames: frozenset[str]
    places: frozenset[str]
    towns: frozenset[str]  # those that recognition may bend and that many speak of
    not_names: frozenset[str]
    common: frozenset[str]
    is_dutch: Callable[[str], bool]


def load_lexicon() -> Lexicon:
    """Read the word lists beside this module and simplemma's Dutch dictionary."""
    import simplemma

    names = ("first_names", "surnames", "places", "towns", "not_names", "common", "words")
    lists = [
        frozenset(
            word
            for line in (LEXICON_PATH / f"{name}.txt").read_text(encoding="utf-8").splitlines()
            if not line.startswith("#")
            for word in line.split()
        )
        for name in names
    ]

    @remembered
    def is_dutch(word: str) -> bool:
        return word in words or (word != "" and bool(simplemma.is_known(word, lang="nl")))

    first_names, surnames, places, towns, not_names, common, words = lists
    return Lexicon(first_names, surnames, places, towns, not_names, common, is_dutch)
