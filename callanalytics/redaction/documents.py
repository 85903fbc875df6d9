"""Recognise the numbers of documents that were asked for.  Pure.

The number of a case is recognised too, so that it stays: it is personal data only when the settings say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from callanalytics.redaction.asked import NUMERIC
from callanalytics.redaction.candidates import Candidate
from callanalytics.redaction.piece import LONG, Piece

_LONG_CASE = re.compile(r"(?:[a-z]{1,4})?20[12]\d\d{2,8}")  # a year and a serial number


def find_document(piece: Piece) -> Iterator[Candidate]:
    """Yield what is said where the number of a passport or the like was asked for."""
    if "document_number" not in piece.wanted:
        return
    if len(piece.chars) >= 5:
        yield piece.candidate("document_number", "named_document")
    if len(piece.digits) >= 3:
        yield piece.candidate("document_number", "asked_document")


def find_case(piece: Piece) -> Iterator[Candidate]:
    """Yield the number of a case, short or named so, that repeats no personal data."""
    is_short = len(piece.digits) < LONG or _is_named_case(piece)
    if is_short and piece.repeats is None and _is_case(piece):
        yield piece.candidate("case_number", "case")


def _is_named_case(piece: Piece) -> bool:
    """Whether a long number is named as a case's right before it and begins with a year, as theirs do."""
    return piece.context.names("case", piece.start, 3) and bool(_LONG_CASE.fullmatch(piece.chars))


def _is_case(piece: Piece) -> bool:
    """Whether a number is a case's: named so, asked for as such, or said before by the agent."""
    context, cases = piece.context, piece.context.cases
    if piece.named == "case" or piece.chars in cases.said:
        return True
    others = [context.asked_at.get(kind, -1) for kind in context.wanted & NUMERIC]
    if not piece.named and "case" in context.wanted and all(at < context.asked_at.get("case", -1) for at in others):
        return True  # the last thing asked for
    # the other party says the number again, and recognition changes a digit or two
    is_next = 0 < context.position - cases.last_turn <= 2 and len(piece.chars) >= 3
    meant = [context.asked_at.get(kind, -1) for kind in context.wanted & NUMERIC - context.implied]
    return is_next and not any(at > cases.last_turn for at in meant) and cases.is_like(piece.chars)
