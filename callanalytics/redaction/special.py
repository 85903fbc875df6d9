"""Mark what is said about somebody's health, faith, origin, orientation, union, party or convictions.  Pure.

Names of diseases go wherever they are said.  A word that may mean something else ("blind", "operatie", "reclassering")
goes where it is said of a person: after what one is, has, takes, or where one is treated.  Services, aids and
benefits stay, for topics and criteria need them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from callanalytics.dutch.lexicon import LEXICON_PATH
from callanalytics.dutch.numbers import FILLERS
from callanalytics.redaction.names import RELATIONS
from callanalytics.redaction.tokens import SENTENCE_END, Reading, word_set

_PERSONS = RELATIONS | word_set("ik hij zij ze u je jij jullie we wij meneer mevrouw iemand degene die")
_OWN = word_set("mijn mn zijn zn haar uw je jouw ons onze hun der dr")
_BE = word_set(
    """ben bent is was waren word wordt werd werden geworden geweest raak raakt raakte geraakt blijft bleef bleek blijkt
    voel voelt voelde geboren zijn"""
)
_HAVE = word_set(
    """heb hebt heeft had hadden gehad hebben kreeg krijg krijgt gekregen krijgen lijd lijdt leed kamp kampt zit zitten
    geconstateerd vastgesteld gediagnosticeerd herstel herstelt herstellende overleden overleed gestorven behandeld
    wegens vanwege door na aan voor"""
)
_TAKE = word_set("slik slikt slikte slikken gebruik gebruikt gebruikte gebruiken neem neemt nam spuit krijg krijgt")
_NO_ORIGIN = word_set("een de het die deze dit dat geen welke goede verre")
_NO_BE = word_set("meneer mevrouw de het op voor van")  # "mevrouw Blind", "de doof-status"
_AT = word_set(
    """zit zat zitten gezeten loop loopt liep sta staat stond lig ligt lag moet kom komt kwam ga gaat ging
    behandeling behandeld opgenomen onder contact ben bent is was mijn mn zijn zn haar heb heeft had"""
)
_AT_BY = word_set("bij in onder van met naar mijn mn zijn zn haar uit")
_MEMBER = word_set("lid leden aangesloten")
_VOTE = word_set("stem stemt stemde gestemd stemmen")
_ORIGIN = word_set("afkomst komaf origine")
_NOT_OF_PERSONS = word_set(
    "iepziekte boomziekte essenziekte kastanjeziekte plantenziekte hoofdprobleem hoofdproblemen stroomstoornis"
)
_TAIL = (
    "kanker|tumor|carcinoom|leukemie|infarct|falen|stilstand|bloeding|operatie|amputatie|transplantatie|ziekte|"
    "aandoening|afwijking|letsel|breuk|fractuur|ontsteking|patient|patiente|aanval|klachten|problemen|probleem|kwaal|"
    "pijn|trombose|kramp|bestraling|vergiftiging|dialyse|dystrofie|artrose|prothese"
)
_ANYWHERE = re.compile(
    r"\w{3,}(?:kanker|carcinoom|infarct|dementie|depressie|psychose|fobie|verslaving|verslaafd|verslaafde|stoornis|"
    r"stoornissen|syndroom|allergie|sclerose|dystrofie|tumor|tumoren|leukemie|artrose|kankerpatient|patientje)"
    r"|(?:alcohol|drank|drugs|gok|heroine|cocaine)(?:probleem|problemen|misbruik)"
    r"|(?:psychi|oncolog|reclasserings|detentie|gevangenis)\w*(?:patient|patiente|verleden|ambtenaar|straf)"
    r"|on(?:geneeslijk|geneselijk)\w*|\w*suicid\w*|reclasseringsambtenaar"
)
_CALLED_AFTER = re.compile(r"(?:syndroom|ziekte) van \w+")


@lru_cache(maxsize=1)
def _lists() -> dict[str, frozenset[tuple[str, ...]]]:
    """The sections of the word list: expressions as tuples of words."""
    sections: dict[str, set[tuple[str, ...]]] = {}
    name = ""
    for line in (LEXICON_PATH / "special.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif not line.startswith("#"):
            found = {tuple(part for part in word.split("_") if part) for word in line.split()}
            sections.setdefault(name, set()).update(found)
    return {name: frozenset(words) for name, words in sections.items()}


def mark_special(call: Reading) -> None:
    """Mark all special data of the call; recorded announcements hold none."""
    finder = _Special(call)
    for position, turn in enumerate(call.ranges):
        if call.roles[position] != "ivr":
            finder.mark(turn)


class _Special:
    def __init__(self, call: Reading) -> None:
        self._call = call
        lists = _lists()
        self._lists = lists
        body = sorted((word for (word,) in lists["body"]), key=len, reverse=True)
        self._compound = re.compile(rf"(?:{'|'.join(body)})(?:en|s|e)?(?:{_TAIL})")

    def mark(self, turn: range) -> None:
        """Find what a turn says; a longer expression before the words in it."""
        at = turn.start
        while at < turn.stop:
            end = self._end(at, turn)
            if end > at:
                self._call.mark(at, end, "special")
            at = max(end, at + 1)

    def _end(self, at: int, turn: range) -> int:  # noqa: PLR0911 - a list of rules
        """The end of special data that begins at a position, the position itself when none does."""
        call, word = self._call, self._call.word(at, turn)
        if not word or word in _NOT_OF_PERSONS:
            return at
        if end := self._listed("sure", at, turn):
            return end
        if self._compound.fullmatch(word) or _ANYWHERE.fullmatch(word):
            return at + 1
        if _CALLED_AFTER.fullmatch(call.line(at, min(at + 3, turn.stop))) and call.word(at + 2, turn):
            return at + 4 if call.word(at + 2, turn) in ("de", "het", "la") and at + 4 <= turn.stop else at + 3
        if (end := self._listed("be", at, turn)) and self._is_said_of_a_person(at, end, turn):
            return end
        if (end := self._listed("have", at, turn)) and self._has(at, end, turn):
            return end
        if (end := self._listed("take", at, turn)) and self._near(at, end, turn, _TAKE) and self._has_person(at, turn):
            return end
        if (end := self._listed("at", at, turn)) and self._is_treated(at, turn):
            return end
        return self._body(at, turn) or self._belongs(at, turn) or at

    def _listed(self, section: str, at: int, turn: range) -> int:
        """The end of the longest expression of a section that begins here, 0 when none does."""
        best = 0
        for words in self._lists[section]:
            end = at + len(words)
            if words[0] == self._call.word(at, turn) and end <= turn.stop and end > best:
                said = tuple(self._call.word(i, turn) for i in range(at, end))
                best = end if said == words else best
        return best

    def _clause(self, at: int, end: int, turn: range, back: int, ahead: int) -> tuple[list[str], list[str]]:
        """The words of the sentence before and behind a stretch; "[NAME]" is a person."""
        call = self._call
        before: list[str] = []
        for i in range(at - 1, max(turn.start, at - back) - 1, -1):
            if SENTENCE_END.search(call.tokens[i].text):
                break
            before.insert(0, self._said(i))
        behind: list[str] = []
        for i in range(end, min(turn.stop, end + ahead)):
            if SENTENCE_END.search(call.tokens[i - 1].text):
                break
            behind.append(self._said(i))
        return before, behind

    def _said(self, at: int) -> str:
        token = self._call.tokens[at]
        return "iemand" if token.kind == "person_name" else token.bare

    def _has_person(self, at: int, turn: range, back: int = 8, ahead: int = 4) -> bool:
        before, behind = self._clause(at, at + 1, turn, back, ahead)
        return bool(set(before + behind) & (_PERSONS | _OWN))

    def _near(self, at: int, end: int, turn: range, words: frozenset[str], back: int = 6, ahead: int = 3) -> bool:
        before, behind = self._clause(at, end, turn, back, ahead)
        return bool(set(before + behind) & words)

    def _is_said_of_a_person(self, at: int, end: int, turn: range) -> bool:
        """ "ik ben blind", "omdat mijn man ziek werd"; not "een blinde muur", "de doof-status is"."""
        before, behind = self._clause(at, end, turn, 8, 3)
        if set(before[-1:]) & _NO_BE or not set(before + behind) & _PERSONS:
            return False
        return bool(set(before[-6:]) & (_BE | _HAVE) - {"na", "aan", "voor", "door"} or set(behind[:2]) & _BE)

    def _has(self, at: int, end: int, turn: range) -> bool:
        """ "ik heb een hernia", "na mijn operatie", "hij is aan een infarct overleden"."""
        call = self._call
        word = call.word(at, turn)
        if word == "als" and call.tokens[at].text.strip(".,;:?!") != "ALS":
            return False
        before, behind = self._clause(at, end, turn, 7, 4)
        if before[-1:] and before[-1] in _OWN:
            return True
        if not set(before + behind) & (_PERSONS | _OWN):
            return False
        return bool(set(before) & _HAVE or set(behind) & (_HAVE - {"door", "na", "aan", "voor"}))

    def _is_treated(self, at: int, turn: range) -> bool:
        before, behind = self._clause(at, at + 1, turn, 7, 3)
        if not before or not set(before[-3:]) & _AT_BY:
            return False
        return bool(set(before + behind) & (_PERSONS | _OWN)) and bool(set(before + behind) & _AT)

    def _body(self, at: int, turn: range) -> int:
        """ "aan m'n heup geopereerd", "mijn been gebroken", "een gebroken pols": the end, 0 when it is not there."""
        parts, done = self._lists["body"], self._lists["done"]
        words = [self._call.word(i, turn) for i in range(at, min(at + 5, turn.stop))]
        before, _ = self._clause(at, at + 1, turn, 3, 0)
        if (words[0],) in parts and set(before) & (_OWN | {"een", "de"}):
            for i, word in enumerate(words[1:4], start=1):
                if (word,) in done:
                    return at + i + 1
                if word not in FILLERS | {"is", "ben", "heb", "laten", "zijn"}:
                    break
        return at + 2 if (words[0],) in done and len(words) > 1 and (words[1],) in parts else 0

    def _belongs(self, at: int, turn: range) -> int:
        """ "lid van de FNV", "ik stem PVV", "van Turkse afkomst": the end, 0 when it is not there."""
        call, word = self._call, self._call.word(at, turn)
        before, _ = self._clause(at, at + 1, turn, 5, 0)
        if (word,) in self._lists["union"] | self._lists["party"] and set(before) & _MEMBER:
            return at + 1
        if (word,) in self._lists["party"] and set(before) & _VOTE:
            return at + 1
        if call.word(at + 1, turn) in _ORIGIN and word not in _OWN | _NO_ORIGIN:
            return at + 2
        return 0
