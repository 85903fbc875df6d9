"""Recognise dates of birth.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from callanalytics.dutch.dates import MONTHS
from callanalytics.dutch.numbers import FILLERS, parse_number, parse_ordinal
from callanalytics.redaction.asked import HARMLESS, Context
from callanalytics.redaction.candidates import SCORES, Candidate
from callanalytics.redaction.tokens import SENTENCE_END

ADULT = 18  # years back from the call, from which a date counts as one of birth without being asked for
WRITTEN = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{2,4})")
_MONTH_OF = {name: number for number, name in enumerate(MONTHS, start=1)} | {"mai": 5, "okt": 10, "sept": 9}
_BEFORE_YEAR = (FILLERS - {"en", "dus"}) | {"van", "in"}
_ALIKE = 80  # similarity in percent of a misheard month


class DateRecogniser:
    """Recognises dates of birth, said in words or written; any other date is harmless."""

    def __init__(self, context: Context) -> None:
        self._context, self._call = context, context.call

    def find(self) -> Iterator[Candidate]:
        """Yield the dates of a turn, then, where a date of birth is due and none stands, what is left of one."""
        turn = self._context.turn
        for at in turn:
            found = self._date_at(at) if self._call.tokens[at].kind is None else None
            if found:
                yield found
        if self._is_birth(turn.stop - 1) or self._context.names("birth_date", turn.stop, 30):
            yield from self._loose_birth_date()

    def _date_at(self, at: int) -> Candidate | None:
        written = WRITTEN.fullmatch(self._call.tokens[at].text.strip(".,;:?!()"))
        month = self._month(at)
        if written:
            day, number, year = (int(part) for part in written.groups())
            return self._date(at, at + 1, day, number, year + (0 if year > 99 else 1900))
        if month:
            return self._date_around(at, month)
        hyphened = self._hyphened_date(at)
        return self._date(at, at + 3, *hyphened) if hyphened else None

    def _hyphened_date(self, at: int) -> tuple[int, int, int] | None:
        """Day, month and year of a date that recognition wrote as three words: "7 -11 -2018"."""
        texts = [text.strip(".,;:?!") for text in self._context.free_texts(at, 3)]
        found = re.fullmatch(r"(\d{1,2}) -(\d{1,2}) -(\d{2,4})", " ".join(texts))
        if not found:
            return None
        day, month, year = (int(part) for part in found.groups())
        is_date = 1 <= day <= 31 and 1 <= month <= 12 and (year < 100 or 1900 <= year <= 2099)
        return (day, month, year + (0 if year > 99 else 1900)) if is_date else None

    def _month(self, at: int) -> int | None:
        from rapidfuzz import fuzz

        word = self._call.tokens[at].bare
        if word in _MONTH_OF:
            return _MONTH_OF[word]
        if "birth_date" not in self._context.wanted or len(word) < 5:
            return None
        return next((n for name, n in _MONTH_OF.items() if len(name) > 4 and fuzz.ratio(word, name) >= 80), None)

    def _date_around(self, at: int, month: int) -> Candidate | None:
        """The date that a month stands in, with a day before it and a year behind it."""
        call, turn = self._call, self._context.turn
        start, day, end, year = at, 0, at + 1, None
        for first in range(max(turn.start, at - 3), at):
            texts = self._context.free_texts(first, at - first)
            found = parse_number(texts, 0) or parse_ordinal(texts, 0)
            if found and first + found[1] == at and 1 <= found[0] <= 31:
                start, day = first, found[0]
                break
        after = at + 1
        while after < min(turn.stop, at + 3) and call.tokens[after].bare in _BEFORE_YEAR:
            after += 1
        if not SENTENCE_END.search(call.tokens[at].text):
            found = parse_number(self._context.free_texts(after), 0)
            if found and (1900 <= found[0] <= 2099 or (10 <= found[0] <= 99 and self._is_birth(start))):
                year, end = found[0] + (0 if found[0] > 99 else 1900), after + found[1]
        return self._date(start, end, day, month, year)

    def _is_birth(self, at: int) -> bool:
        """Whether a date at a position is due to be one of birth: said so, asked for, or read back."""
        context = self._context
        is_read_back = context.turns_since("birth_date") == 1
        if "birth_date" not in context.implied:
            is_read_back = is_read_back or context.position - context.asked_at.get("birth_date", -9) == 2
        is_said = bool(context.cues.dates.born.search(self._call.line(max(context.turn.start, at - 4), at)))
        return is_said or is_read_back or "birth_date" in context.wanted or context.names("birth_date", at, 12)

    def _date(self, start: int, end: int, day: int, month: int, year: int | None) -> Candidate | None:
        """The candidate of a date: of birth when asked for, said so, said before or long enough ago."""
        context = self._context
        is_old = year is not None and year <= context.year - ADULT
        is_named = "birth_date" in context.wanted - context.implied or context.names("birth_date", start, 12)
        is_asked = self._is_birth(start)
        is_birth = (is_asked and (is_named or year is not None)) or (day, month) in context.birthdays
        if (is_birth and (day or year)) or (is_old and day):
            if is_asked:
                start, end = self._widen_date(start, end, bool(day), year is not None)
            context.birthdays.add((day, month))
            rule = "date" if year else "date_without_year"
            return Candidate("birth_date", start, end, SCORES[rule], rule)
        return Candidate(HARMLESS, start, end, SCORES["other_date"], "other_date") if day or year else None

    def _widen_date(self, start: int, end: int, has_day: bool, has_year: bool) -> tuple[int, int]:
        """In an answer, take the pieces of day and year that recognition broke: "drei mei twee duizend, tweeteen"."""
        call, turn = self._call, self._context.turn
        if not has_day and start > turn.start and self._is_numberish(start - 1):
            start -= 1
        if not has_year and not SENTENCE_END.search(call.tokens[end - 1].text):
            for _ in range(4):
                if end >= turn.stop or not self._is_numberish(end):
                    break
                end += 1
                if SENTENCE_END.search(call.tokens[end - 1].text):
                    break
        return start, end

    def _is_numberish(self, at: int) -> bool:
        word, context = self._call.tokens[at].bare, self._context
        is_like = word.endswith("teen") or context.codes.looks_like_number(word)
        return self._call.is_free(at) and (is_like or context.is_digit(at))

    def _loose_birth_date(self) -> Iterator[Candidate]:
        """A year alone, or day, month and year as three numbers, where a birth date is due."""
        call, turn = self._call, self._context.turn
        if any(call.tokens[at].kind == "birth_date" for at in turn):
            return
        for at in turn:
            texts = self._context.free_texts(at)
            year = parse_number(texts, 0)
            is_year = year is not None and 1900 <= year[0] <= 2030
            if is_year and year and "postcode" in self._context.wanted and self._are_two_letters(at + year[1]):
                continue  # "1927 NJ"
            if year is None or not (is_year or self._ends_date(at, year[0])):
                continue
            start = at
            while start > turn.start and at - start < 6 and not SENTENCE_END.search(call.tokens[start - 1].text):
                word = call.tokens[start - 1].bare
                is_ordinal = parse_ordinal([word], 0) is not None
                if not (self._is_numberish(start - 1) or is_ordinal or word in ("de", "van") or _is_almost_month(word)):
                    break
                start -= 1
            yield Candidate("birth_date", start, at + year[1], SCORES["loose_date"], "loose_date")
            return

    def _are_two_letters(self, at: int) -> bool:
        """Whether two letters are all that is said here: "NJ", "n j"."""
        call, turn = self._call, self._context.turn
        text = call.tokens[at].text.strip(".,;:?!") if call.word(at, turn) else ""
        return (len(text) == 2 and text.isupper()) or (len(text) == 1 and len(call.word(at + 1, turn)) == 1)

    def _ends_date(self, at: int, year: int) -> bool:
        """Whether a number of two digits is the year after day and month as numbers: "elf vijf achtenzestig"."""
        if "birth_date" in self._context.implied or not 10 <= year <= 99:
            return False
        parts: list[int] = []
        before = at
        while len(parts) < 2 and before > self._context.turn.start and at - before < 6:
            before -= 1
            texts = self._context.free_texts(before, at - before)
            found = parse_number(texts, 0) or parse_ordinal(texts, 0)
            if found and found[1] == len(texts):
                parts.append(found[0])
                at = before
            elif self._call.tokens[before].bare not in FILLERS | {"van", "de"}:
                break
        return len(parts) == 2 and 1 <= parts[0] <= 12 and 1 <= parts[1] <= 31


def _is_almost_month(word: str) -> bool:
    from rapidfuzz import fuzz

    return len(word) >= 3 and any(fuzz.ratio(word, month) >= _ALIKE for month in MONTHS)
