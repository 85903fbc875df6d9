"""Runs of spoken digits and letters, the raw material of numbers and codes.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from callanalytics.dutch.numbers import FILLERS, REPAIRS, digit_group
from callanalytics.redaction.cues import CueFile
from callanalytics.redaction.tokens import CallTokens, Token


@dataclass(frozen=True, slots=True)
class Element:
    """A piece of a number or code: digits or letters said in tokens [start, end)."""

    start: int
    end: int
    chars: str

_ORDINAL_OR_TIME = re.compile(r"\d+(?:e|de|ste|u|uur|x|m|m2|km|cm|kg|%)", re.IGNORECASE)

_CHUNKS = re.compile(r"\d+|[A-Za-z]+")

_BROKEN_TENS = re.compile(r"[a-z]{2}(?:twintig|ertig|eertig|ijftig|estig|eventig|achtig|egentig)$")
_GAP = FILLERS | REPAIRS | {"ik"}


class CodeReader:
    """Reads the digits and letters of codes from words, also those that recognition got slightly wrong."""

    def __init__(self, cues: CueFile) -> None:
        self._cues = cues
        names = sorted((name for name in cues.letter_names if len(name) > 2), key=len, reverse=True)
        self._letter_run = re.compile("(?:" + "|".join(names) + "){2,3}")

    def looks_like_number(self, word: str) -> bool:
        """Return whether a bare word is a number word that recognition got slightly wrong: "vierund", "dachtig"."""
        from rapidfuzz import fuzz

        if len(word) < 4 or word in self._cues.not_numbers:
            return False
        alike = (number for number in self._cues.number_words if abs(len(number) - len(word)) <= 2)
        return bool(_BROKEN_TENS.search(word)) or any(fuzz.ratio(word, number) >= 79 for number in alike)

    def element_at(self, call: CallTokens, at: int, turn: range, is_due: bool) -> list[Element]:
        """Return the pieces of a code said at a position; `is_due` takes what only a wait for a code makes credible."""
        token = call.tokens[at]
        if token.kind is not None or token.is_kept or not token.bare:
            return []
        text = token.text.strip(".,;:?!…\"'()[]").lstrip("-–")
        if any("0" <= c <= "9" for c in text):
            # Written: digits and letters in one token, split where they change ("-2B", "6704PB", "XZ-12-YG").
            if _ORDINAL_OR_TIME.fullmatch(text):
                return []
            chunks = _CHUNKS.findall(re.sub(r"[^0-9A-Za-z]", "", text))
            is_code = all(chunk.isdigit() or len(chunk) <= 4 for chunk in chunks)
            return [Element(at, at + 1, chunk.lower()) for chunk in chunks if is_code or chunk.isdigit()]
        rest = [call.tokens[i].text for i in range(at, min(at + 4, turn.stop)) if call.tokens[i].kind is None]
        group = digit_group(rest, 0)
        if group is not None:
            return [Element(at, at + group[1], group[0])]
        spelled = spelled_letter(call, at, turn)
        return [spelled] if spelled else self._letters_at(token, text, at, is_due)

    def _letters_at(self, token: Token, text: str, at: int, is_due: bool) -> list[Element]:
        word = token.bare.replace(".", "")
        chars = ""
        if not word.isascii() or not word.isalpha():
            chars = ""
        elif len(word) == 1:
            # 't, 'n, 's and the pronoun u are no letters of a code.
            chars = "" if word == "u" or token.text.startswith(("'", "’", "`")) else word
        elif len(word) <= 3 and (text.isupper() or "." in text) and word.upper() not in self._cues.abbreviations:
            chars = word
        elif len(word) == 2 and (word == "nl" or (is_due and not set(word) & set("aeiou"))):
            chars = word  # the country of an account; what is no syllable is two letters
        elif is_due and (word in self._cues.letter_names or word in self._cues.alphabet):
            chars = self._cues.letter_names.get(word) or word[0]
        elif is_due and len(word) <= 9 and self._letter_run.fullmatch(word):
            chars = "xx"  # which letters does not matter, that there are two does
        elif is_due and self.looks_like_number(word):
            chars = "7" if len(word) < 6 else "77"  # a digit, whichever
        return [Element(at, at + 1, chars)] if chars else []

    def code_runs(self, call: CallTokens, turn: range, is_due: bool, common: frozenset[str]) -> Iterator[list[Element]]:
        """Yield the runs of digits and letters that a speaker says in one go; each holds at least one digit.

        When a code is due, a word or two that recognition made of digits don't break it ("06, blijft blijft 01").
        """
        run: list[Element] = []
        at, gap, strange = turn.start, 0, 0
        while at < turn.stop:
            found = self.element_at(call, at, turn, is_due)
            if found:
                run += found
                at, gap, strange = found[-1].end, 0, 0
                continue
            token = call.tokens[at]
            is_filler = token.kind is None and not token.is_kept and (not token.bare or token.bare in _GAP)
            # "de b van Bernard"
            is_filler = is_filler or (token.bare == "de" and len(call.word(at + 1, turn)) == 1)
            # After the first two digits of an account or phone number even an ordinary word may be a digit misheard.
            may_be_digit = token.bare not in common or chars_of(run).startswith(("06", "nl"))
            is_strange = token.kind is None and not token.is_kept and is_due and may_be_digit
            gap, strange = gap + 1, strange + (0 if is_filler else 1)
            if run and not (gap <= 4 and (is_filler or (is_strange and strange <= 2 and len(chars_of(run)) >= 2))):
                yield from _with_digits(run)
                run, gap, strange = [], 0, 0
            at += 1
        yield from _with_digits(run)


def spelled_letter(call: CallTokens, at: int, turn: range) -> Element | None:
    """Return a letter with the word that explains it, or None: "w van Willem", "b als in Bernard"."""
    letter = call.word(at, turn)
    if len(letter) != 1 or not letter.isalpha():
        return None
    by = at + 3 if (call.word(at + 1, turn), call.word(at + 2, turn)) == ("als", "in") else at + 2
    if by == at + 2 and call.word(at + 1, turn) not in ("van", "voor"):
        return None
    word = call.word(by, turn)
    is_alike = {word[:1], letter} <= set("ckq") or {word[:1], letter} <= set("ijy")
    return Element(at, by + 1, letter) if len(word) >= 3 and (word[0] == letter or is_alike) else None


def _with_digits(run: list[Element]) -> Iterator[list[Element]]:
    if any(element.chars.isdigit() for element in run):
        yield run


def digits_of(run: Sequence[Element]) -> str:
    """Return all digits of a run."""
    return "".join(element.chars for element in run if element.chars.isdigit())


def chars_of(run: Sequence[Element]) -> str:
    """Return all characters of a run."""
    return "".join(element.chars for element in run)
