"""Decide whether a word is the name of a street: for house numbers, and for names that are none.  Pure."""

from __future__ import annotations

from callanalytics.dutch.lexicon import Lexicon
from callanalytics.redaction.cues import CueFile

_SHORTEST = 3  # letters before an ending: "Astraat" is no street
_SHORTEST_STREET = 6


class Streets:
    """The rules what is a street.  How sure a word must be depends on what hangs on it."""

    def __init__(self, cues: CueFile, lexicon: Lexicon) -> None:
        self._cues = cues
        self._lexicon = lexicon
        self._sure, self._possible = tuple(cues.sure), tuple(cues.sure | cues.possible)
        self._no_person = (*self._possible, *cues.quarters)
        self._numbered = (*self._possible, *cues.with_number)

    def is_surely(self, word: str) -> bool:
        """Return whether a word is a street wherever it stands: "esdoornlaan"."""
        return _ends_in(word, self._sure)

    def is_no_person(self, word: str) -> bool:
        """Return whether a word ends as a street or quarter, not as a person's name: "Zuiderpark", "Moerwijk"."""
        return word.endswith(self._no_person)

    def is_numbered(self, word: str, is_capital: bool) -> bool:
        """Return whether a word is a street if a house number follows: "Rozenveld"; an ordinary word is none."""
        if len(word) < _SHORTEST_STREET or word in self._cues.not_streets or not _ends_in(word, self._numbered):
            return False
        return is_capital or not self._lexicon.is_dutch(word)

    def is_generic(self, word: str, before: str) -> bool:
        """Return whether a word is a street only if a number follows at once: "Hoofdstraat", "prinsen straat"."""
        is_second = word in self._cues.second_words
        is_named = is_second and len(before) >= _SHORTEST and before not in self._lexicon.not_names
        return word in self._cues.generic or is_named or _ends_in(word, tuple(self._cues.generic_endings), 1)


def _ends_in(word: str, endings: tuple[str, ...], least: int = _SHORTEST) -> bool:
    """Return whether a word ends so, with at least so many letters before the ending."""
    return any(word.endswith(ending) and len(word) - len(ending) >= least for ending in endings)
