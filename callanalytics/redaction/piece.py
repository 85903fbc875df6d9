"""A number or code said in one go, with what every recogniser wants to know of it.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from callanalytics.dutch.numbers import parse_ordinal
from callanalytics.records import PLACEHOLDERS
from callanalytics.redaction.asked import Context
from callanalytics.redaction.candidates import SCORES, Candidate, by_rule
from callanalytics.redaction.codes import Element, chars_of, digits_of

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
        self.before = context.word(self.start - 1)
        named = context.named_before(self.start, len(self.digits))
        self.named = "" if named == "case" and len(self.digits) <= 4 and self.follows_street else named
        self.wanted = {self.named} if self.named in PLACEHOLDERS else set(context.wanted)
        self.asked = self.wanted - context.implied

    def candidate(self, kind: str, rule: str) -> Candidate:
        """Return the whole piece as a candidate by a rule of SCORES; a telephone number takes a "plus" along."""
        return by_rule(rule, kind, self.start - (kind == "phone" and self.before == "plus"), self.end)

    def long(self, kind: str, rule: str) -> Iterator[Candidate]:
        """Yield the piece when it has the digits of a whole number, or nearly so where a citizen says it."""
        found = self.candidate(kind, rule)
        if len(self.digits) >= LONG:
            yield found
        elif len(self.digits) >= _NEARLY_LONG and self.context.role == "citizen":
            score = SCORES["without_question"] + SCORES[rule] / 20  # in the order of the rules for long numbers
            yield Candidate(kind, found.start, found.end, score, "without_question")

    @cached_property
    def repeats(self) -> str | None:
        """Return the kind of a number said before that this one repeats."""
        return self.context.kind_repeated(self.digits)

    @cached_property
    def is_end(self) -> bool:
        """Return whether it is said to be the last digits of a number: "het eindigt op acht acht nul"."""
        context, cues = self.context, self.context.cues.phone
        is_cut = self.start > context.turn.start and context.call.ends_sentence(self.start - 1)
        is_led = not is_cut and bool(cues.ends_in.search(context.before(self.start, 4)))
        return is_led or bool(cues.is_end.search(context.after(self.end, 3)))

    @cached_property
    def may_be_part(self) -> bool:
        """Return whether it may be a part of a long number that was asked for, not the short one asked for with it."""
        n = len(self.digits)
        return n >= 2 and not (n <= 4 and self.asked & {"postcode", "house_number"})

    @cached_property
    def is_article(self) -> bool:
        """Return whether it is "een" alone, not behind a word for number and not the end of a phrase behind "is"."""
        call = self.context.call
        is_answer = self.before in NUMBER_WORDS or (self.before == "is" and call.ends_phrase(self.start))
        return len(self.digits) == 1 and call.tokens[self.start].bare == "een" and not is_answer

    @cached_property
    def counts(self) -> bool:
        """Whether a lone number counts or times something ("twee brieven", "voor twaalf") and so answers nothing."""
        call, stop, cues = self.context.call, self.context.turn.stop, self.context.cues
        if len(self.run) > 1 or self.before in cues.quantities.number_leads:
            return False
        if self.before in cues.quantities.count_leads:
            return True
        if self.end >= stop or call.ends_phrase(self.end - 1):
            return False
        follows = self.context.word(self.end)
        is_last = call.ends_phrase(self.end) or self.end + 1 == stop
        is_letter = follows in cues.addresses.letters and is_last  # "twaalf c" is heard as "12 zee"
        may_follow = cues.quantities.after_number | cues.addresses.only_additions
        return bool(follows) and follows not in may_follow and not is_letter

    @cached_property
    def follows_street(self) -> bool:
        """Return whether a street stands close before a number that does not count things."""
        context, at = self.context, self.start - 1
        word, before = context.word(at), context.word(at - 1)
        if at >= context.turn.start and not context.is_street(at) and context.streets.is_generic(word, before):
            return not (self._counts_things() or self.is_article)
        said_number = False
        while at >= context.turn.start and self.start - at <= _BACK and not context.is_street(at):
            if context.word(at) in context.cues.quantities.count_leads or context.call.ends_sentence(at):
                return False
            said_number = said_number or context.word(at) in NUMBER_WORDS
            at -= 1
        if at < context.turn.start or not context.is_street(at):
            return False
        return said_number or not (self._counts_things() or self.is_article)

    def _counts_things(self) -> bool:
        """Return whether a number in words stands before a word that is no addition to an address."""
        context, follows = self.context, self.context.word(self.end)
        return (
            self.end < context.turn.stop
            and not context.call.ends_phrase(self.end - 1)
            and follows not in context.lexicon.not_names | context.cues.addresses.additions
            and parse_ordinal([follows], 0) is None
            and not context.call.tokens[self.start].text[:1].isdigit()
        )
