"""The context that all recognisers share: what was asked for, how long its answer may come, what was answered.  Pure.

The context goes through the call turn by turn: `begin` a turn, `take` what recognisers find in it, `finish` it.
"""

from __future__ import annotations

from itertools import takewhile

from callanalytics.dutch.lexicon import Lexicon
from callanalytics.records import PLACEHOLDERS
from callanalytics.redaction.candidates import Candidate
from callanalytics.redaction.codes import CodeReader, Element, digits_of
from callanalytics.redaction.cues import Cues
from callanalytics.redaction.keywords import Keywords
from callanalytics.redaction.streets import Streets
from callanalytics.redaction.tokens import CallTokens

HARMLESS = ""  # the kind of a candidate that is no personal data: it keeps weaker candidates off
NUMERIC = frozenset(
    ["bsn", "phone", "iban", "postcode", "house_number", "birth_date", "licence_plate", "document_number"]
)
_VERIFYING = frozenset(["birth_date", "postcode", "house_number"])
_ANSWERS = 3  # turns of the other party in which the answer to a question may come
_NEAR = 12  # tokens
_SHORT_TURN = 3  # "ja, moment" is no answer yet
# Digits, or times, that are enough of an answer; a kind that is not named here needs four.
_ENOUGH = {
    "licence_plate": 2, "document_number": 6, "phone": 9, "bsn": 8, "iban": 10, "postcode": 4, "house_number": 1,
    "birth_date": 1, "email": 1,
}  # fmt: skip
_ANSWERED_BEFORE = 99  # digits: a placeholder of an earlier pass is a whole answer
_LIKE_CASE = 40  # similarity in percent


class Context:
    """What is known of a call at one of its turns.

    `wanted` are the kinds whose answer may come in this turn, `implied` those asked for only because another kind was.
    `year` is that of the call; `marks_cases` says whether the numbers of cases are redacted too.
    """

    def __init__(self, call: CallTokens, cues: Cues, lexicon: Lexicon, year: int, marks_cases: bool) -> None:
        self.call, self.cues, self.lexicon, self.year = call, cues, lexicon, year
        self.marks_cases = marks_cases
        self.codes = CodeReader(cues.codes)
        self.streets = Streets(cues.streets, lexicon)
        self.cases = Cases()
        self.birthdays: set[tuple[int, int]] = set()  # day and month
        self.implied: set[str] = set()
        self.asked_at: dict[str, int] = {}  # kind -> turn of its last question
        self._words = Keywords(cues.asked, lexicon)
        self._turns_left: dict[str, int] = {}  # kind -> turns in which its answer may still come
        self._answered: dict[str, int] = {}  # kind -> turn of its last answer
        self._digits_given: dict[str, int] = {}
        self._known: dict[str, list[str]] = {}  # kind -> digits said

    def begin(self, position: int) -> None:
        """Go to a turn."""
        self.position, self.turn, self.role = position, self.call.ranges[position], self.call.roles[position]
        self.wanted = {kind for kind, left in self._turns_left.items() if left > 0} if self.answers else set[str]()
        self.is_echo = any(position - at <= 2 for at in self._answered.values())
        self.house_due_until = -1
        for at in self.turn:
            token = self.call.tokens[at]
            if token.is_placeholder and token.kind:
                self.note_answer(token.kind, "")
                self._digits_given[token.kind] = _ANSWERED_BEFORE
        self.keywords = list(self._words.find(self.call, self.turn))

    @property
    def answers(self) -> bool:
        """Return whether who speaks may be answering a question."""
        return self.role in ("citizen", "unknown")

    def take(self, candidate: Candidate, digits: str = "1") -> None:
        """Mark a candidate, with the digits that it answers a question with; a harmless one is kept."""
        if candidate.kind == HARMLESS:
            self.call.keep(candidate.start, candidate.end)
        else:
            self.call.mark(candidate.start, candidate.end, candidate.kind)
            self.note_answer(candidate.kind, digits)

    def note_answer(self, kind: str, digits: str) -> None:
        """Note that a kind was said in this turn."""
        self._answered[kind] = self.position
        self._digits_given[kind] = self._digits_given.get(kind, 0) + len(digits)
        if len(digits) >= 3:
            self._known.setdefault(kind, []).append(digits)

    def finish(self) -> None:
        """Close the questions that this turn answered and open those that it asks."""
        if self.answers:
            self._close_questions()
            for _, kind in self.keywords:  # what a citizen names without saying it: "ik wil mijn kenteken doorgeven"
                if kind in PLACEHOLDERS and kind not in self._turns_left and self._answered.get(kind) != self.position:
                    self._ask(kind, _ANSWERS - 1)
        if self.role in ("agent", "unknown"):
            self._open_questions()

    def _close_questions(self) -> None:
        for kind in self.wanted:
            given = self._digits_given.get(kind, 0) if self._answered.get(kind, -1) >= 0 else 0
            if given >= _ENOUGH.get(kind, 4):
                self._turns_left.pop(kind, None)
            elif len(self.turn) >= _SHORT_TURN:
                self._turns_left[kind] -= 1

    def _ask(self, kind: str, turns: int) -> None:
        self._turns_left[kind] = turns
        self.asked_at[kind] = self.position
        self._digits_given[kind] = 0

    def _open_questions(self) -> None:
        line = self.call.line(self.turn.start, self.turn.stop)
        asked = {kind for _, kind in self.keywords} & (PLACEHOLDERS.keys() | {"case"})
        if self.cues.asked.phone.search(line):
            asked.add("phone")
        is_place = bool(self.cues.asked.address.search(line)) and "mailadres" not in line.replace(" ", "")
        named = asked | ({"house_number", "postcode"} if is_place else set())
        if asked & _VERIFYING or "verifi" in line:
            asked |= _VERIFYING  # they are asked for in one breath, and recognition loses one of them
        asked |= named
        if "mail" in line:
            asked.add("email")
        if self.cases.last_turn == self.position:
            self._turns_left.pop("phone", None)
        for kind in asked:
            self._ask(kind, _ANSWERS)
        self.implied = (self.implied | asked) - named

    def word(self, at: int) -> str:
        """Return the bare word at a position of the turn, "" outside the turn or where something is marked."""
        return self.call.word(at, self.turn)

    def before(self, at: int, n: int) -> str:
        """Return the bare words of the turn before a position, at most so many, as one line."""
        return self.call.line(max(self.turn.start, at - n), at)

    def after(self, at: int, n: int) -> str:
        """Return the bare words of the turn from a position on, at most so many, as one line."""
        return self.call.line(at, min(at + n, self.turn.stop))

    def turns_since(self, kind: str) -> int:
        """Return how many turns ago a kind was said, a large number when it never was."""
        return self.position - self._answered.get(kind, -9)

    def was_said(self, kind: str) -> bool:
        """Return whether a kind was said in the call."""
        return kind in self._answered

    def names(self, kind: str, before: int, within: int) -> bool:
        """Return whether a keyword of the kind stands before a position, at most so many tokens away."""
        return any(found == kind and 0 < before - at <= within for at, found in self.keywords)

    def named_before(self, before: int, n_digits: int = 9) -> str:
        """Return the kind named last before a position in the turn, "" when none is near."""
        at, kind = next((near for near in reversed(self.keywords) if 0 <= before - near[0] <= _NEAR), (0, ""))
        if kind != "number":
            return kind
        if self.wanted or self.is_street_near(before):
            return ""
        # a citizen's "nummer achttien" is too short for a case
        is_house = n_digits <= 3 and self.role == "citizen"
        return "case" if before - at <= 3 and not is_house else ""

    def is_street(self, at: int) -> bool:
        """Return whether a street stands at a position, if a house number follows."""
        return self.streets.is_numbered(self.call.word(at, self.turn), self.call.is_capital(at))

    def is_street_near(self, before: int) -> bool:
        """Return whether a street stands within six tokens before a position."""
        return any(self.is_street(at) for at in range(max(self.turn.start, before - 6), before))

    def is_digit(self, at: int) -> bool:
        """Return whether a digit or number is said at a position and neither marked nor kept."""
        return self.call.is_free(at) and any(element.chars.isdigit() for element in self.elements(at))

    def elements(self, at: int) -> list[Element]:
        """Return the pieces of a code said at a position, [] where something is marked or kept."""
        return self.codes.element_at(self.call, at, self.turn, is_due=False)

    def free_texts(self, start: int, length: int = 6) -> list[str]:
        """Return the texts from a position on, up to the first that is marked or kept."""
        free = takewhile(self.call.is_free, range(start, min(start + length, self.turn.stop)))
        return [self.call.tokens[at].text for at in free]

    def digits_in(self, start: int, end: int) -> str:
        """Return the digits said in a stretch that are not marked."""
        return digits_of([e for at in range(start, end) for e in self.codes.element_at(self.call, at, self.turn, True)])

    def kind_repeated(self, digits: str) -> str | None:
        """Return the kind of a number said before that these digits repeat."""
        from rapidfuzz import fuzz

        for kind, said in self._known.items():
            if kind in ("house_number", "birth_date", "email"):
                continue
            least, alike = (4, 55) if self.turns_since(kind) <= 2 else (6, 75)
            for known in said:
                is_alike = len(digits) >= least and len(known) >= 6 and fuzz.ratio(digits, known) >= alike
                if is_alike or (len(digits) >= 4 and digits in known):
                    return kind
        return None


class Cases:
    """The numbers of cases that were said, which stay and may be repeated."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.long: set[int] = set()  # positions of long numbers that are a case's
        self.last_turn = -9

    def note(self, chars: str, turn: int) -> None:
        """Note that a number is a case's."""
        self.said.append(chars)
        self.last_turn = turn

    def is_like(self, chars: str) -> bool:
        """Return whether a number is a known one with a digit or two changed, as recognition does."""
        from rapidfuzz import fuzz

        near = (case for case in self.said if abs(len(chars) - len(case)) <= 1)
        return any(fuzz.ratio(chars, case) >= _LIKE_CASE for case in near)
