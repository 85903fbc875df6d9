"""Recognise numbers that are no personal data: what counts, times or prices something, and years.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from callanalytics.dutch.numbers import digit_group, parse_number
from callanalytics.redaction.asked import HARMLESS, NUMERIC, Context
from callanalytics.redaction.candidates import SCORES, Candidate
from callanalytics.redaction.codes import Element, digits_of
from callanalytics.redaction.piece import LONG, Piece
from callanalytics.redaction.tokens import PHRASE_END, SENTENCE_END

_MUNICIPAL = re.compile(r"140\d{2,3}")  # 14 + area code: the telephone number of a municipality
_MINUTES_BEFORE = ("kwart", "minuten", "tien", "vijf")  # "tien voor twaalf"


class QuantityRecogniser:
    """Recognises numbers with a unit behind them and times; they are kept out of the numbers that follow."""

    def __init__(self, context: Context) -> None:
        self._context, self._call = context, context.call
        self._cues = context.cues.quantities

    def find(self) -> Iterator[Candidate]:
        """Yield the harmless numbers of a turn."""
        at = self._context.turn.start
        while at < self._context.turn.stop:
            found = parse_number(self._context.free_texts(at), 0) if self._call.is_free(at) else None
            if found is None:
                at += 1
                continue
            end = at + found[1]
            if self._has_unit(at, end, found[0]):
                yield from self._measured(at, end)
            else:
                yield from self._timed(at, end, found[0])
            at = end

    def _has_unit(self, at: int, end: int, number: int) -> bool:
        call, turn, context = self._call, self._context.turn, self._context
        following = call.word(end, turn)
        if following not in self._cues.units or PHRASE_END.search(call.tokens[end - 1].text):
            return False
        is_joined = at > turn.start and context.is_digit(at - 1) and not PHRASE_END.search(call.tokens[at - 1].text)
        # "drie keer nul" is said of digits
        is_repeat = (digit_group(context.free_texts(at), 0) or ("", 0))[1] > end - at
        # "8575 KG" is no weight where a postcode is due
        is_weight = 1000 <= number <= 9999 and following in ("kg", "km", "cm", "mm")
        return not (is_joined or is_repeat or (is_weight and "postcode" in context.wanted))

    def _measured(self, at: int, end: int) -> Iterator[Candidate]:
        call, turn = self._call, self._context.turn
        yield _harmless(at, end, "unit")
        # "twee of drie weken", "tussen drie en vier uur": the first number is of the same kind
        is_range = call.word(at - 1, turn) in ("of", "tot", "a") and call.word(at - 2, turn)
        if is_range and self._context.is_digit(at - 2):
            yield _harmless(at - 2, at - 1, "unit")

    def _timed(self, at: int, end: int, number: int) -> Iterator[Candidate]:
        call, turn, context = self._call, self._context.turn, self._context
        previous = call.word(at - 1, turn)
        runs_on = end < turn.stop and context.is_digit(end)
        if previous in self._cues.before_time and not runs_on and number < 60:
            yield _harmless(at, end, "time")
            is_range = previous == "tussen" and call.word(end, turn) == "en"
            if is_range and parse_number(context.free_texts(end + 1), 0):
                yield _harmless(end + 1, end + 2, "time")
        elif previous in ("voor", "over", "na") and call.word(at - 2, turn) in _MINUTES_BEFORE:
            yield _harmless(at, end, "time")


def _harmless(start: int, end: int, rule: str) -> Candidate:
    return Candidate(HARMLESS, start, end, SCORES[rule], rule)


def find_quantity(piece: Piece) -> Iterator[Candidate]:
    """Yield a piece that counts or times something."""
    if piece.counts:
        yield piece.candidate(HARMLESS, "quantity")


def is_amount(context: Context, run: Sequence[Element]) -> bool:
    """Return whether a run that is no long number counts money: "258 ,000 euro"."""
    end = run[-1].end
    is_money = context.call.word(end, context.turn) in ("euro", "euros", "euro's")
    return len(digits_of(run)) < LONG and is_money and not SENTENCE_END.search(context.call.tokens[end - 1].text)


def is_no_number(piece: Piece) -> bool:
    """Return whether a piece is a year, the number of a municipality, or holds no digit that is free."""
    context = piece.context
    is_year = are_years([element.chars for element in piece.run]) and not context.wanted & NUMERIC
    is_municipal = _MUNICIPAL.fullmatch(piece.digits) and not piece.wanted & (NUMERIC - {"phone"})
    return bool(is_year or is_municipal) or not any(context.is_digit(element.start) for element in piece.run)


def are_years(texts: Sequence[str]) -> bool:
    """Return whether numbers are years in a row ("in 2024 en 2025"), not one long number."""
    groups = [digit_group([text], 0) for text in texts]
    return all(re.fullmatch(r"(?:19|20)\d\d", group[0]) for group in groups if group)
