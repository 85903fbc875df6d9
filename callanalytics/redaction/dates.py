"""Recognise dates of birth.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from callanalytics.dutch.dates import MONTHS
from callanalytics.dutch.numbers import FILLERS, parse_number, parse_ordinal
from callanalytics.redaction.asked import HARMLESS, Context
from callanalytics.redaction.candidates import Candidate, by_rule

ADULT = 18  # years back from the call, from which a date counts as one of birth without being asked for
WRITTEN = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{2,4})")
_MONTH_OF = {name: number for number, name in enumerate(MONTHS, start=1)} | {"mai": 5, "okt": 10, "sept": 9}
_BEFORE_YEAR = (FILLERS - {"en", "dus"}) | {"van", "in"}
_ALIKE = 80  # similarity in percent of a misheard month


def find_dates(context: Context) -> Iterator[Candidate]:
    """Yield the dates of a turn, then, where a date of birth is due and none stands, what is left of one."""
    turn = context.turn
    for at in turn:
        found = _date_at(context, at) if context.call.tokens[at].kind is None else None
        if found:
            yield found
    if _is_birth(context, turn.stop - 1) or context.names("birth_date", turn.stop, 30):
        yield from _loose_birth_date(context)


def _date_at(context: Context, at: int) -> Candidate | None:
    written = WRITTEN.fullmatch(context.call.tokens[at].text.strip(".,;:?!()"))
    month = _month(context, at)
    if written:
        day, number, year = (int(part) for part in written.groups())
        return _date(context, at, at + 1, day, number, year + (0 if year > 99 else 1900))
    if month:
        return _date_around(context, at, month)
    hyphened = _hyphened_date(context, at)
    return _date(context, at, at + 3, *hyphened) if hyphened else None


def _hyphened_date(context: Context, at: int) -> tuple[int, int, int] | None:
    """Day, month and year of a date that recognition wrote as three words: "7 -11 -2018"."""
    texts = [text.strip(".,;:?!") for text in context.free_texts(at, 3)]
    found = re.fullmatch(r"(\d{1,2}) -(\d{1,2}) -(\d{2,4})", " ".join(texts))
    if not found:
        return None
    day, month, year = (int(part) for part in found.groups())
    is_date = 1 <= day <= 31 and 1 <= month <= 12 and (year < 100 or 1900 <= year <= 2099)
    return (day, month, year + (0 if year > 99 else 1900)) if is_date else None


def _month(context: Context, at: int) -> int | None:
    from rapidfuzz import fuzz

    word = context.call.tokens[at].bare
    if word in _MONTH_OF:
        return _MONTH_OF[word]
    if "birth_date" not in context.wanted or len(word) < 5:
        return None
    return next((n for name, n in _MONTH_OF.items() if len(name) > 4 and fuzz.ratio(word, name) >= 80), None)


def _date_around(context: Context, at: int, month: int) -> Candidate | None:
    """Return the date that a month stands in, with a day before it and a year behind it."""
    call, turn = context.call, context.turn
    start, day, end, year = at, 0, at + 1, None
    for first in range(max(turn.start, at - 3), at):
        texts = context.free_texts(first, at - first)
        found = parse_number(texts, 0) or parse_ordinal(texts, 0)
        if found and first + found[1] == at and 1 <= found[0] <= 31:
            start, day = first, found[0]
            break
    after = at + 1
    while after < min(turn.stop, at + 3) and call.tokens[after].bare in _BEFORE_YEAR:
        after += 1
    if not call.ends_sentence(at):
        found = parse_number(context.free_texts(after), 0)
        if found and (1900 <= found[0] <= 2099 or (10 <= found[0] <= 99 and _is_birth(context, start))):
            year, end = found[0] + (0 if found[0] > 99 else 1900), after + found[1]
    return _date(context, start, end, day, month, year)


def _is_birth(context: Context, at: int) -> bool:
    """Return whether a date at a position is due to be one of birth: said so, asked for, or read back."""
    is_read_back = context.turns_since("birth_date") == 1
    if "birth_date" not in context.implied:
        is_read_back = is_read_back or context.position - context.asked_at.get("birth_date", -9) == 2
    is_said = bool(context.cues.dates.born.search(context.call.line(max(context.turn.start, at - 4), at)))
    return is_said or is_read_back or "birth_date" in context.wanted or context.names("birth_date", at, 12)


def _date(context: Context, start: int, end: int, day: int, month: int, year: int | None) -> Candidate | None:
    """Return the candidate of a date: of birth when asked for, said so, said before or long enough ago."""
    is_old = year is not None and year <= context.year - ADULT
    is_named = "birth_date" in context.wanted - context.implied or context.names("birth_date", start, 12)
    is_asked = _is_birth(context, start)
    is_birth = (is_asked and (is_named or year is not None)) or (day, month) in context.birthdays
    if (is_birth and (day or year)) or (is_old and day):
        if is_asked:
            start, end = _widen_date(context, start, end, bool(day), year is not None)
        context.birthdays.add((day, month))
        rule = "date" if year else "date_without_year"
        return by_rule(rule, "birth_date", start, end)
    return by_rule("other_date", HARMLESS, start, end) if day or year else None


def _widen_date(context: Context, start: int, end: int, has_day: bool, has_year: bool) -> tuple[int, int]:
    """In an answer, take the pieces of day and year that recognition broke: "drei mei twee duizend, tweeteen"."""
    call, turn = context.call, context.turn
    if not has_day and start > turn.start and _is_numberish(context, start - 1):
        start -= 1
    if not has_year and not call.ends_sentence(end - 1):
        for _ in range(4):
            if end >= turn.stop or not _is_numberish(context, end):
                break
            end += 1
            if call.ends_sentence(end - 1):
                break
    return start, end


def _is_numberish(context: Context, at: int) -> bool:
    word = context.call.tokens[at].bare
    is_like = word.endswith("teen") or context.codes.looks_like_number(word)
    return context.call.is_free(at) and (is_like or context.is_digit(at))


def _loose_birth_date(context: Context) -> Iterator[Candidate]:
    """Yield a year alone, or day, month and year as three numbers, where a birth date is due."""
    call, turn = context.call, context.turn
    if any(call.tokens[at].kind == "birth_date" for at in turn):
        return
    for at in turn:
        texts = context.free_texts(at)
        year = parse_number(texts, 0)
        is_year = year is not None and 1900 <= year[0] <= 2030
        if is_year and year and "postcode" in context.wanted and _are_two_letters(context, at + year[1]):
            continue  # "1927 NJ"
        if year is None or not (is_year or _ends_date(context, at, year[0])):
            continue
        start = at
        while start > turn.start and at - start < 6 and not call.ends_sentence(start - 1):
            word = call.tokens[start - 1].bare
            is_ordinal = parse_ordinal([word], 0) is not None
            if not (_is_numberish(context, start - 1) or is_ordinal or word in ("de", "van") or _is_almost_month(word)):
                break
            start -= 1
        yield by_rule("loose_date", "birth_date", start, at + year[1])
        return


def _are_two_letters(context: Context, at: int) -> bool:
    """Return whether two letters are all that is said here: "NJ", "n j"."""
    text = context.call.tokens[at].text.strip(".,;:?!") if context.word(at) else ""
    return (len(text) == 2 and text.isupper()) or (len(text) == 1 and len(context.word(at + 1)) == 1)


def _ends_date(context: Context, at: int, year: int) -> bool:
    """Return whether a number of two digits is the year after day and month as numbers: "elf vijf achtenzestig"."""
    if "birth_date" in context.implied or not 10 <= year <= 99:
        return False
    parts: list[int] = []
    before = at
    while len(parts) < 2 and before > context.turn.start and at - before < 6:
        before -= 1
        texts = context.free_texts(before, at - before)
        found = parse_number(texts, 0) or parse_ordinal(texts, 0)
        if found and found[1] == len(texts):
            parts.append(found[0])
            at = before
        elif context.call.tokens[before].bare not in FILLERS | {"van", "de"}:
            break
    return len(parts) == 2 and 1 <= parts[0] <= 12 and 1 <= parts[1] <= 31


def _is_almost_month(word: str) -> bool:
    from rapidfuzz import fuzz

    return len(word) >= 3 and any(fuzz.ratio(word, month) >= _ALIKE for month in MONTHS)
