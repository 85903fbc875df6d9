"""Mark what is said about somebody's health, faith, origin, orientation, union, party or convictions.  Pure.

Names of diseases go wherever they are said.  A word that may mean something else ("blind", "operatie", "reclassering")
goes where it is said of a person: after what one is, has, takes, or where one is treated.  Services, aids and
benefits stay, for topics and criteria need them.
"""

from __future__ import annotations

import re
from functools import cache

from callanalytics.dutch.lexicon import LEXICON_PATH
from callanalytics.dutch.numbers import FILLERS
from callanalytics.redaction.cues import Cues
from callanalytics.redaction.tokens import SENTENCE_END, CallTokens

_WEAK_HAVE = frozenset({"na", "aan", "voor", "door"})  # these lead to a disease only before it
_IN_TREATMENT = FILLERS | {"is", "ben", "heb", "laten", "zijn"}  # "mijn been is eh gebroken"

Expressions = dict[str, list[tuple[str, ...]]]  # by their first word


@cache
def _lists() -> dict[str, Expressions]:
    """Return the sections of the word list: expressions as tuples of words, by their first word."""
    sections: dict[str, Expressions] = {}
    expressions: Expressions = {}
    for line in (LEXICON_PATH / "special.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            expressions = sections.setdefault(line.strip("[]"), {})
        elif not line.startswith("#"):
            for words in (tuple(filter(None, word.split("_"))) for word in line.split()):
                expressions.setdefault(words[0], []).append(words)
    return sections


def mark_special(call: CallTokens, cues: Cues) -> None:
    """Mark all special data of the call; recorded announcements hold none."""
    finder = _Special(call, cues)
    for turn, role in zip(call.ranges, call.roles, strict=True):
        at = turn.start
        while at < turn.stop and role != "ivr":
            end = finder.end_of(at, turn)
            if end > at:
                call.mark(at, end, "special")
            at = max(end, at + 1)


class _Special:
    """The rules what is special data, for one call."""

    def __init__(self, call: CallTokens, cues: Cues) -> None:
        self._call, self._cues, self._lists = call, cues.special, _lists()
        self._persons = cues.names.relations | cues.special.persons
        self._persons_or_own = self._persons | cues.special.own
        self._said = [token.bare if token.kind != "person_name" else "iemand" for token in call.tokens]
        body = sorted(self._lists["body"], key=len, reverse=True)
        self._compound = re.compile(rf"(?:{'|'.join(body)})(?:en|s|e)?(?:{'|'.join(self._cues.tails)})")

    def end_of(self, at: int, turn: range) -> int:
        """Return the end of special data that begins at a position, the position itself when none does."""
        call, cues, word = self._call, self._cues, self._call.word(at, turn)
        if not word or word in cues.not_of_persons:
            return at
        if end := self._listed("sure", at, turn):  # a longer expression before the words in it
            return end
        if self._compound.fullmatch(word) or cues.anywhere.fullmatch(word):
            return at + 1
        if cues.called_after.fullmatch(call.line(at, min(at + 3, turn.stop))) and (name := call.word(at + 2, turn)):
            return at + 4 if name in ("de", "het", "la") and at + 4 <= turn.stop else at + 3
        rules = {"be": self._is, "have": self._has, "take": self._takes, "at": self._is_treated}
        for section, is_said_of in rules.items():
            if (end := self._listed(section, at, turn)) and is_said_of(at, end, turn):
                return end
        return self._body(at, turn) or self._belongs(at, turn) or at

    def _listed(self, section: str, at: int, turn: range) -> int:
        """Return the end of the longest expression of a section that begins here, 0 when none does."""
        ends = (
            at + len(words)
            for words in self._lists[section].get(self._call.word(at, turn), ())
            if words == tuple(self._call.word(i, turn) for i in range(at, at + len(words)))
        )
        return max(ends, default=0)

    def _clause(self, at: int, end: int, turn: range, back: int, ahead: int) -> tuple[list[str], list[str]]:
        """Return the words of the sentence before and behind a stretch; "[NAME]" is a person."""
        tokens = self._call.tokens
        start, stop = at, end
        while start > max(turn.start, at - back) and not SENTENCE_END.search(tokens[start - 1].text):
            start -= 1
        while stop < min(turn.stop, end + ahead) and not SENTENCE_END.search(tokens[stop - 1].text):
            stop += 1
        return self._said[start:at], self._said[end:stop]

    def _is(self, at: int, end: int, turn: range) -> bool:
        """Return whether a state is somebody's: "ik ben blind"; not "een blinde muur", "de doof-status is"."""
        before, behind = self._clause(at, end, turn, 8, 3)
        if set(before[-1:]) & self._cues.not_before_be or not set(before + behind) & self._persons:
            return False
        states = (self._cues.be | self._cues.have) - _WEAK_HAVE
        return bool(set(before[-6:]) & states or set(behind[:2]) & self._cues.be)

    def _has(self, at: int, end: int, turn: range) -> bool:
        """Return whether somebody has it: "ik heb een hernia", "hij is aan een infarct overleden"."""
        if self._call.word(at, turn) == "als" and self._call.tokens[at].text.strip(".,;:?!") != "ALS":
            return False
        before, behind = self._clause(at, end, turn, 7, 4)
        is_had = bool(set(before) & self._cues.have or set(behind) & (self._cues.have - _WEAK_HAVE))
        return bool(set(before[-1:]) & self._cues.own or (is_had and set(before + behind) & self._persons_or_own))

    def _takes(self, at: int, end: int, turn: range) -> bool:
        """Return whether somebody takes it: "ik slik lithium"."""
        before, behind = self._clause(at, end, turn, 6, 3)
        is_taken = bool(set(before + behind) & self._cues.take)
        before, behind = self._clause(at, at + 1, turn, 8, 4)
        return is_taken and bool(set(before + behind) & self._persons_or_own)

    def _is_treated(self, at: int, _: int, turn: range) -> bool:
        """Return whether somebody is treated or kept there: "mijn zoon zit bij de reclassering"."""
        before, behind = self._clause(at, at + 1, turn, 7, 3)
        near = set(before + behind)
        return all((set(before[-3:]) & self._cues.at_by, near & self._persons_or_own, near & self._cues.at))

    def _body(self, at: int, turn: range) -> int:
        """Return the end of "m'n heup geopereerd", "gebroken pols" and the like, 0 when none begins here."""
        parts, done = self._lists["body"], self._lists["done"]
        words = [self._call.word(i, turn) for i in range(at, min(at + 5, turn.stop))]
        before, _ = self._clause(at, at + 1, turn, 3, 0)
        if words[0] in parts and set(before) & (self._cues.own | {"een", "de"}):
            for i, word in enumerate(words[1:4], start=1):
                if word in done:
                    return at + i + 1
                if word not in _IN_TREATMENT:
                    break
        return at + 2 if words[0] in done and len(words) > 1 and words[1] in parts else 0

    def _belongs(self, at: int, turn: range) -> int:
        """Return the end in "lid van de FNV", "ik stem PVV", "van Turkse afkomst", 0 when nothing begins here."""
        call, word, cues = self._call, self._call.word(at, turn), self._cues
        before = set(self._clause(at, at + 1, turn, 5, 0)[0])
        union, party = self._lists["union"], self._lists["party"]
        if (word in party and before & (cues.member | cues.vote)) or (word in union and before & cues.member):
            return at + 1
        is_origin = call.word(at + 1, turn) in cues.origin and word not in cues.own | cues.not_before_origin
        return at + 2 if is_origin else 0
