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
    name = ""
    for line in (LEXICON_PATH / "special.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif not line.startswith("#"):
            for word in line.split():
                found = tuple(part for part in word.split("_") if part)
                sections.setdefault(name, {}).setdefault(found[0], []).append(found)
    return sections


def mark_special(call: CallTokens, cues: Cues) -> None:
    """Mark all special data of the call; recorded announcements hold none."""
    finder = _Special(call, cues)
    for position, turn in enumerate(call.ranges):
        if call.roles[position] != "ivr":
            finder.mark(turn)


class _Special:
    def __init__(self, call: CallTokens, cues: Cues) -> None:
        self._call, self._cues, self._lists = call, cues.special, _lists()
        self._persons = cues.names.relations | cues.special.persons
        self._persons_or_own = self._persons | cues.special.own
        self._said = [token.bare if token.kind != "person_name" else "iemand" for token in call.tokens]
        body = sorted(self._lists["body"], key=len, reverse=True)
        self._compound = re.compile(rf"(?:{'|'.join(body)})(?:en|s|e)?(?:{'|'.join(self._cues.tails)})")

    def mark(self, turn: range) -> None:
        """Mark what a turn says; a longer expression before the words in it."""
        at = turn.start
        while at < turn.stop:
            end = self._end(at, turn)
            if end > at:
                self._call.mark(at, end, "special")
            at = max(end, at + 1)

    def _end(self, at: int, turn: range) -> int:  # noqa: PLR0911 - a list of rules
        """Return the end of special data that begins at a position, the position itself when none does."""
        call, word = self._call, self._call.word(at, turn)
        if not word or word in self._cues.not_of_persons:
            return at
        if end := self._listed("sure", at, turn):
            return end
        if self._compound.fullmatch(word) or self._cues.anywhere.fullmatch(word):
            return at + 1
        if self._cues.called_after.fullmatch(call.line(at, min(at + 3, turn.stop))) and call.word(at + 2, turn):
            return at + 4 if call.word(at + 2, turn) in ("de", "het", "la") and at + 4 <= turn.stop else at + 3
        if (end := self._listed("be", at, turn)) and self._is(at, end, turn):
            return end
        if (end := self._listed("have", at, turn)) and self._has(at, end, turn):
            return end
        if (end := self._listed("take", at, turn)) and self._takes(at, end, turn):
            return end
        if (end := self._listed("at", at, turn)) and self._is_treated(at, turn):
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
        """ "ik ben blind", "omdat mijn man ziek werd"; not "een blinde muur", "de doof-status is"."""
        before, behind = self._clause(at, end, turn, 8, 3)
        if set(before[-1:]) & self._cues.not_before_be or not set(before + behind) & self._persons:
            return False
        states = (self._cues.be | self._cues.have) - _WEAK_HAVE
        return bool(set(before[-6:]) & states or set(behind[:2]) & self._cues.be)

    def _has(self, at: int, end: int, turn: range) -> bool:
        """ "ik heb een hernia", "na mijn operatie", "hij is aan een infarct overleden"."""
        if self._call.word(at, turn) == "als" and self._call.tokens[at].text.strip(".,;:?!") != "ALS":
            return False
        before, behind = self._clause(at, end, turn, 7, 4)
        if set(before[-1:]) & self._cues.own:
            return True
        if not set(before + behind) & self._persons_or_own:
            return False
        return bool(set(before) & self._cues.have or set(behind) & (self._cues.have - _WEAK_HAVE))

    def _takes(self, at: int, end: int, turn: range) -> bool:
        """ "ik slik lithium"."""
        before, behind = self._clause(at, end, turn, 6, 3)
        if not set(before + behind) & self._cues.take:
            return False
        before, behind = self._clause(at, at + 1, turn, 8, 4)
        return bool(set(before + behind) & self._persons_or_own)

    def _is_treated(self, at: int, turn: range) -> bool:
        """ "mijn zoon zit bij de reclassering"."""
        before, behind = self._clause(at, at + 1, turn, 7, 3)
        if not set(before[-3:]) & self._cues.at_by:
            return False
        near = set(before + behind)
        return bool(near & self._persons_or_own) and bool(near & self._cues.at)

    def _body(self, at: int, turn: range) -> int:
        """ "aan m'n heup geopereerd", "mijn been gebroken", "een gebroken pols": the end, 0 when it is not there."""
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
        """ "lid van de FNV", "ik stem PVV", "van Turkse afkomst": the end, 0 when it is not there."""
        call, word, cues = self._call, self._call.word(at, turn), self._cues
        before = set(self._clause(at, at + 1, turn, 5, 0)[0])
        union, party = self._lists["union"], self._lists["party"]
        if (word in party and before & (cues.member | cues.vote)) or (word in union and before & cues.member):
            return at + 1
        is_origin = call.word(at + 1, turn) in cues.origin and word not in cues.own | cues.not_before_origin
        return at + 2 if is_origin else 0
