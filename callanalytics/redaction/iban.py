"""Recognise account numbers (IBAN), also those that the name of a bank cuts in two.  Pure.

A number is taken whether or not its check digits are right, for recognition changes a digit easily.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from callanalytics.redaction.asked import Context
from callanalytics.redaction.candidates import SCORES, Candidate
from callanalytics.redaction.phone import begins_as_phone
from callanalytics.redaction.piece import Piece

_SHAPE = re.compile(r"nl\d{2}[a-z]{0,5}\d{2,}")
_BEFORE_BANK, _BEHIND_BANK = 6, 24  # tokens of an account around the name of its bank
_ENOUGH = 6  # digits around the name of a bank that make an account


def find_iban(piece: Piece) -> Iterator[Candidate]:
    """Yield a piece that has the shape of an account number or was asked for."""
    if _SHAPE.search(piece.chars) or ("iban" in piece.wanted and len(piece.digits) >= 3):
        yield piece.candidate("iban", "account")
    if rule := rule_of_iban(piece.digits, piece.wanted):
        yield from piece.long("iban", rule)
    if piece.is_end and "rekening" in _words_before(piece):
        yield piece.candidate("iban", "end_of_account")
    if piece.is_end and "iban" in piece.asked:
        yield piece.candidate("iban", "end_of_asked_iban")
    if piece.may_be_part and "iban" in piece.wanted:
        yield piece.candidate("iban", "part_of_iban")


def rule_of_iban(digits: str, wanted: set[str]) -> str | None:
    """Return the rule by which a long number is an account's."""
    return "asked_iban" if "iban" in wanted and not begins_as_phone(digits) else None


def _words_before(piece: Piece) -> str:
    return piece.context.call.line(max(piece.context.turn.start, piece.start - 10), piece.start)


class BankRecogniser:
    """Recognises an account number around the name of a bank: "n l twintig rabo nul drie ..."."""

    def __init__(self, context: Context) -> None:
        self._context, self._call = context, context.call
        self._banks = context.cues.iban.banks

    def find(self) -> Iterator[Candidate]:
        """Yield accounts; they replace what was marked within them."""
        call, turn = self._call, self._context.turn
        for at in turn:
            if call.word(at, turn) not in self._banks:
                continue
            start, end = at, at + 1
            while start > turn.start and at - start < _BEFORE_BANK and self._joins(start - 1):
                start -= 1
            while end < turn.stop and end - at < _BEHIND_BANK and self._joins(end):
                end += 1
            has_account = any(call.tokens[i].kind in ("iban", "bsn", "phone") for i in range(start, end))
            if has_account or len(self._context.digits_in(start, end)) >= _ENOUGH:
                yield Candidate("iban", start, end, SCORES["joined_account"], "joined_account")

    def _joins(self, at: int) -> bool:
        """Whether a token may belong to the account: digits, letters, a bank or a piece marked already."""
        token = self._call.tokens[at]
        if token.is_placeholder or token.is_kept:
            return False
        if token.kind in ("iban", "bsn", "phone"):
            return True
        found = self._context.codes.element_at(self._call, at, self._context.turn, False)
        return bool(found) or token.bare in self._banks
