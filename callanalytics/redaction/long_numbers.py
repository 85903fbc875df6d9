"""Recognise BSNs, telephone and account numbers (IBAN): whole, in part or their end.  Pure.

A number is taken whether or not it passes the eleven-test or its check digits are right, for recognition changes a
digit easily.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from callanalytics.redaction.asked import Context
from callanalytics.redaction.candidates import SCORES, Candidate, by_rule
from callanalytics.redaction.piece import Piece

_ACCOUNT = re.compile(r"nl\d{2}[a-z]{0,5}\d{2,}")
_LONG_KINDS = ("iban", "bsn", "phone")
_BSN_LENGTH = 9  # a longer number is no BSN
_BEFORE_BANK, _BEHIND_BANK = 6, 24  # tokens of an account around the name of its bank
_ENOUGH = 6  # digits around the name of a bank that make an account


def long_rule(kind: str, digits: str, wanted: set[str]) -> str | None:
    """Return the rule by which a long number is of a kind, None when it is not; what is nothing else is a BSN."""
    begins_as_phone = digits.startswith(("0", "316", "3106")) and len(digits) >= 9
    if kind == "iban":
        return "asked_iban" if "iban" in wanted and not begins_as_phone else None
    if kind == "bsn":
        return "asked_bsn" if "bsn" in wanted else "long"
    if "phone" in wanted and ("bsn" not in wanted or begins_as_phone):
        return "asked_phone"
    return "shaped_as_phone" if begins_as_phone or digits.startswith("06") or len(digits) > _BSN_LENGTH else None


def long_kind(digits: str, wanted: set[str]) -> tuple[str, str]:
    """Return the kind of a number of eight digits or more, and the surest rule that makes it one."""
    rules = ((kind, long_rule(kind, digits, wanted)) for kind in _LONG_KINDS)
    return max(((kind, rule) for kind, rule in rules if rule), key=lambda found: SCORES[found[1]])


def _find_number(piece: Piece, kind: str) -> Iterator[Candidate]:
    """Yield a piece that is as long as a number of the kind, or a part of one that was asked for."""
    if rule := long_rule(kind, piece.digits, piece.wanted):
        yield from piece.long(kind, rule)
    if piece.may_be_part and kind in piece.wanted:
        yield piece.candidate(kind, f"part_of_{kind}")


def find_bsn(piece: Piece) -> Iterator[Candidate]:
    """Yield a piece that was asked for, and any long number."""
    yield from _find_number(piece, "bsn")
    if piece.is_end and "bsn" in piece.asked:
        yield piece.candidate("bsn", "end_of_asked_bsn")


def find_phone(piece: Piece) -> Iterator[Candidate]:
    """Yield a piece that has the shape of a telephone number or was asked for."""
    yield from _find_number(piece, "phone")
    if piece.is_end:
        yield piece.candidate("phone", "end_of_phone")
    if piece.digits.startswith("06") and len(piece.digits) >= 4:
        yield piece.candidate("phone", "begins_as_phone")


def find_iban(piece: Piece) -> Iterator[Candidate]:
    """Yield a piece that has the shape of an account number or was asked for."""
    yield from _find_number(piece, "iban")
    if _ACCOUNT.search(piece.chars) or ("iban" in piece.wanted and len(piece.digits) >= 3):
        yield piece.candidate("iban", "account")
    if piece.is_end and "rekening" in piece.context.before(piece.start, 10):
        yield piece.candidate("iban", "end_of_account")
    if piece.is_end and "iban" in piece.asked:
        yield piece.candidate("iban", "end_of_asked_iban")


def find_bank_accounts(context: Context) -> Iterator[Candidate]:
    """Yield accounts around the name of a bank ("n l twintig rabo nul drie ..."); they replace what is marked there."""
    turn, tokens = context.turn, context.call.tokens
    for at in turn:
        if context.word(at) not in context.cues.iban.banks:
            continue
        start, end = at, at + 1
        while start > turn.start and at - start < _BEFORE_BANK and _may_be_account(context, start - 1):
            start -= 1
        while end < turn.stop and end - at < _BEHIND_BANK and _may_be_account(context, end):
            end += 1
        is_marked = any(token.kind in _LONG_KINDS for token in tokens[start:end])
        if is_marked or len(context.digits_in(start, end)) >= _ENOUGH:
            yield by_rule("joined_account", "iban", start, end)


def _may_be_account(context: Context, at: int) -> bool:
    """Return whether a token may belong to an account: digits, letters, a bank or a piece marked already."""
    token = context.call.tokens[at]
    if token.is_placeholder or token.is_kept:
        return False
    return token.kind in _LONG_KINDS or token.bare in context.cues.iban.banks or bool(context.elements(at))
