"""Find the words of a turn that name a kind of personal data, also when recognition bent them.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from callanalytics.dutch.lexicon import Lexicon
from callanalytics.redaction.cues import CueFile
from callanalytics.redaction.tokens import CallTokens

_LONG = 7  # letters from which a keyword may be bent


class Keywords:
    """Names of kinds; "case" is the number of a case, "number" a number of which nobody says what it is."""

    def __init__(self, cues: CueFile, lexicon: Lexicon) -> None:
        self._cues, self._lexicon = cues, lexicon
        self._kinds: dict[str, str] = {word: kind for kind, words in cues.keywords.items() for word in words}
        self._long = [word for word in self._kinds if len(word) >= _LONG]

    def find(self, call: CallTokens, turn: range) -> Iterator[tuple[int, str]]:
        """Yield the position and the kind of every keyword in the turn."""
        for at in turn:
            word, following = call.word(at, turn), call.word(at + 1, turn)
            if not word:
                continue
            kind = self._kind_of(word)
            if kind is None and word.replace(".", "") == "bsn":
                kind = "bsn"
            if kind is None and word in ("b", "p", "d", "bs", "be", "bee"):
                spelled = call.line(at, min(at + 3, turn.stop)).replace(" ", "")
                kind = "bsn" if spelled.startswith(tuple(self._cues.spelled_bsn)) else None
            if kind is None and following and len(word) + len(following) >= _LONG:
                kind = self._kind_of(word + following)
                kind = None if kind in ("number", "case") else kind
            if kind is None and _starts_mobile(call, at, turn):
                kind = "phone"
            if kind == "number":
                kind = self._kind_of_number(call, at, turn)
            if kind:
                yield at, kind

    def _kind_of(self, word: str) -> str | None:
        """Return the kind a word names: "huishuisnummer", "geborte datum", "postkorde".

        What is a word by itself is not bent: "bruikbaar" asks for no telephone number.
        """
        from rapidfuzz import fuzz

        if word in self._kinds:
            return self._kinds[word]
        if re.fullmatch(r"e?m[a-z]{1,4}adres", word):
            return "email"
        if word.endswith("nummer"):
            return next((str(kind) for stem, kind in self._cues.stems.items() if stem in word), "case")
        for known in () if self._lexicon.is_dutch(word) else self._long:
            is_as_long = len(word) >= min(_LONG, len(known) - 1) and abs(len(known) - len(word)) <= 3
            if is_as_long and fuzz.ratio(word, known) >= 80:
                return self._kinds[known]
        return None

    def _kind_of_number(self, call: CallTokens, at: int, turn: range) -> str:
        """Return what "nummer" is about by the words around it."""
        before = call.line(max(turn.start, at - 6), at).split()
        after = call.line(at + 1, min(at + 5, turn.stop)).split()
        if self._cues.documents & set(before[-3:] + after):
            return "document_number"
        near_after = call.line(at + 1, min(at + 4, turn.stop)).split()
        if set(before) & self._cues.case_near or "onder" in before[-1:] or set(near_after) & self._cues.case_near:
            return "case"
        return "phone" if before[-1:] in (["mijn"], ["mn"], ["telefoon"], ["mobiele"]) else "number"


def _starts_mobile(call: CallTokens, at: int, turn: range) -> bool:
    """Return whether "06" or "nul zes" stands here: nothing else than a mobile number begins so."""
    if call.word(at, turn) in ("06", "nulzes"):
        return True
    return call.word(at, turn) in ("nul", "0", "null") and call.word(at + 1, turn) in ("zes", "6", "ses")
