"""A number or code said in one go, with what every recogniser wants to know of it.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from callanalytics.dutch.numbers import parse_ordinal
from callanalytics.records import PLACEHOLDERS
from callanalytics.redaction.asked import Context
from callanalytics.redaction.candidates import SCORES, Candidate
from callanalytics.redaction.codes import Element, chars_of, digits_of
from callanalytics.redaction.tokens import PHRASE_END, SENTENCE_END

NUMBER_WORDS = ("nummer", "huisnummer", "nr")
LONG, _NEARLY_LONG = 8, 6  # digits; a BSN has nine, a telephone number ten
_BACK = 4  # tokens between a street and its number


class Piece:
    """A run of digits and letters at the turn that the context stands at.

    `named` is the kind named before it, `wanted` the kinds it may answer, `asked` those of them that were meant.
    """

    def __init__(self, run: Sequence[Element], context: Context) -> None:
        self.run, self.context = run, context
        self.digits, self.chars = digits_of(run), chars_of(run)
        self.start, self.end = run[0].start, run[-1].end
        self.before = context.call.word(self.start - 1, context.turn)
        named = context.named_before(self.start, len(self.digits))
        self.named = "" if named == "case" and len(self.digits) <= 4 and self.follows_street else named
        self.wanted = {self.named} if self.named in PLACEHOLDERS else set(context.wanted)
        self.asked = self.wanted - context.implied

    def candidate(self, kind: str, rule: str) -> Candidate:
        """Return the whole piece as a candidate by a rule of SCORES."""
        return Candidate(kind, self.start, self.end, SCORES[rule], rule)

    def long(self, kind: str, rule: str) -> Iterator[Candidate]:
        """Yield the piece when it has the digits of a whole number, or nearly so where a citizen says it."""
        if len(self.digits) >= LONG:
            yield self.candidate(kind, rule)
        elif len(self.digits) >= _NEARLY_LONG and self.context.role == "citizen":
            score = SCORES["without_question"] + SCORES[rule] / 20  # in the order of the rules for long numbers
            yield Candidate(kind, self.start, self.end, score, "without_question")

    @cached_property
    def repeats(self) -> str | None:
        """The kind of a number said before that this one repeats."""
        return self.context.kind_repeated(self.digits)

    @cached_property
    def is_end(self) -> bool:
        """Whether it is said to be the last digits of a number: "het eindigt op acht acht nul"."""
        call, turn, cues = self.context.call, self.context.turn, self.context.cues.phone
        before = call.line(max(turn.start, self.start - 4), self.start)
        is_cut = self.start > turn.start and bool(SENTENCE_END.search(call.tokens[self.start - 1].text))
        is_led = not is_cut and bool(cues.ends_in.search(before))
        return is_led or bool(cues.is_end.search(call.line(self.end, min(self.end + 3, turn.stop))))

    @cached_property
    def may_be_part(self) -> bool:
        """Whether it may be a part of a long number that was asked for, not the short one asked for with it."""
        n = len(self.digits)
        return n >= 2 and not (n <= 4 and self.asked & {"postcode", "house_number"})

    @cached_property
    def is_article(self) -> bool:
        """Whether it is "een" alone, not behind a word for number and not the end of a phrase behind "is"."""
        first = self.context.call.tokens[self.start]
        is_answer = self.before == "is" and bool(PHRASE_END.search(first.text))
        return len(self.digits) == 1 and first.bare == "een" and not (self.before in NUMBER_WORDS or is_answer)

    @cached_property
    def counts(self) -> bool:
        """Whether a lone number counts or times something ("twee brieven", "voor twaalf") and so answers nothing."""
        call, turn, cues = self.context.call, self.context.turn, self.context.cues
        if len(self.run) > 1 or self.before in cues.quantities.number_leads:
            return False
        if self.before in cues.quantities.count_leads:
            return True
        if self.end >= turn.stop or PHRASE_END.search(call.tokens[self.end - 1].text):
            return False
        follows = call.word(self.end, turn)
        is_last = bool(PHRASE_END.search(call.tokens[self.end].text)) or self.end + 1 == turn.stop
        is_letter = follows in cues.addresses.letters and is_last  # "twaalf c" is heard as "12 zee"
        may_follow = cues.quantities.after_number | cues.addresses.only_additions
        return bool(follows) and follows not in may_follow and not is_letter

    @cached_property
    def follows_street(self) -> bool:
        """Whether a street stands close before a number that does not count things."""
        context, call, turn = self.context, self.context.call, self.context.turn
        at = self.start - 1
        said_number = False
        while at >= turn.start and self.start - at <= _BACK and not context.is_street(at):
            if at == self.start - 1 and self._is_generic_street(at):
                break
            is_count = call.word(at, turn) in context.cues.quantities.count_leads
            if is_count or SENTENCE_END.search(call.tokens[at].text):
                return False
            said_number = said_number or call.word(at, turn) in NUMBER_WORDS
            at -= 1
        is_next = at == self.start - 1
        if at < turn.start or not (context.is_street(at) or (is_next and self._is_generic_street(at))):
            return False
        return said_number or not (self._counts_things() or self.is_article)

    def _is_generic_street(self, at: int) -> bool:
        word, before = (self.context.call.word(i, self.context.turn) for i in (at, at - 1))
        return self.context.streets.is_generic(word, before)

    def _counts_things(self) -> bool:
        """Whether a number in words stands before a word that is no addition to an address."""
        call, turn = self.context.call, self.context.turn
        harmless = self.context.lexicon.not_names | self.context.cues.addresses.additions
        return (
            self.end < turn.stop
            and not PHRASE_END.search(call.tokens[self.end - 1].text)
            and call.word(self.end, turn) not in harmless
            and parse_ordinal([call.word(self.end, turn)], 0) is None
            and not call.tokens[self.start].text[:1].isdigit()
        )
