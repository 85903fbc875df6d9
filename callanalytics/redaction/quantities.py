"""Recognise numbers that are no personal data: what counts, times or prices something, and years.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from callanalytics.dutch.numbers import digit_group, parse_number
from callanalytics.redaction.asked import HARMLESS, NUMERIC, Context
from callanalytics.redaction.candidates import Candidate, by_rule
from callanalytics.redaction.codes import Element, digits_of
from callanalytics.redaction.piece import LONG, Piece

_MUNICIPAL = re.compile(r"140\d{2,3}")  # 14 + area code: the telephone number of a municipality
_MINUTES_BEFORE = ("kwart", "minuten", "tien", "vijf")  # "tien voor twaalf"


def find_quantities(context: Context) -> Iterator[Candidate]:
    """Yield the numbers of a turn with a unit behind them, and times; they are kept out of the numbers that follow."""
    at = context.turn.start
    while at < context.turn.stop:
        found = parse_number(context.free_texts(at), 0) if context.call.is_free(at) else None
        if found is None:
            at += 1
            continue
        end = at + found[1]
        if _has_unit(context, at, end, found[0]):
            yield by_rule("unit", HARMLESS, at, end)
            # "twee of drie weken", "tussen drie en vier uur": the first number is of the same kind
            is_range = context.word(at - 1) in ("of", "tot", "a") and context.word(at - 2)
            if is_range and context.is_digit(at - 2):
                yield by_rule("unit", HARMLESS, at - 2, at - 1)
        else:
            yield from _find_times(context, at, end, found[0])
        at = end


def _has_unit(context: Context, at: int, end: int, number: int) -> bool:
    call, following = context.call, context.word(end)
    if following not in context.cues.quantities.units or call.ends_phrase(end - 1):
        return False
    is_joined = at > context.turn.start and context.is_digit(at - 1) and not call.ends_phrase(at - 1)
    # "drie keer nul" is said of digits
    is_repeat = (digit_group(context.free_texts(at), 0) or ("", 0))[1] > end - at
    # "8575 KG" is no weight where a postcode is due
    is_weight = 1000 <= number <= 9999 and following in ("kg", "km", "cm", "mm")
    return not (is_joined or is_repeat or (is_weight and "postcode" in context.wanted))


def _find_times(context: Context, at: int, end: int, number: int) -> Iterator[Candidate]:
    previous = context.word(at - 1)
    runs_on = end < context.turn.stop and context.is_digit(end)
    if previous in context.cues.quantities.before_time and not runs_on and number < 60:
        yield by_rule("time", HARMLESS, at, end)
        is_range = previous == "tussen" and context.word(end) == "en"
        if is_range and parse_number(context.free_texts(end + 1), 0):
            yield by_rule("time", HARMLESS, end + 1, end + 2)
    elif previous in ("voor", "over", "na") and context.word(at - 2) in _MINUTES_BEFORE:
        yield by_rule("time", HARMLESS, at, end)


def find_quantity(piece: Piece) -> Iterator[Candidate]:
    """Yield a piece that counts or times something."""
    if piece.counts:
        yield piece.candidate(HARMLESS, "quantity")


def is_amount(context: Context, run: Sequence[Element]) -> bool:
    """Return whether a run that is no long number counts money: "258 ,000 euro"."""
    end = run[-1].end
    is_money = context.word(end) in ("euro", "euros", "euro's")
    return len(digits_of(run)) < LONG and is_money and not context.call.ends_sentence(end - 1)


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
