"""Recognise codes of digits and letters: numbers of documents, licence plates and cases.  Pure.

The number of a case is recognised so that it stays: it is personal data only when the settings say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from callanalytics.redaction.asked import NUMERIC
from callanalytics.redaction.candidates import Candidate
from callanalytics.redaction.piece import LONG, Piece

_LONG_CASE = re.compile(r"(?:[a-z]{1,4})?20[12]\d\d{2,8}")  # a year and a serial number
# The shapes that mean a plate by themselves; "ab 1234" may be a case number too and "1234 ab" a postcode.
_PLATE = re.compile(
    r"\d{2}[a-z]{2}\d{2}|[a-z]{2}\d{2}[a-z]{2}|[a-z]{4}\d{2}|\d{2}[a-z]{4}|\d{2}[a-z]{3}\d|\d[a-z]{3}\d{2}|"
    r"[a-z]{2}\d{3}[a-z]|[a-z]\d{3}[a-z]{2}|[a-z]{3}\d{2}[a-z]|[a-z]\d{2}[a-z]{3}|\d[a-z]{2}\d{3}|\d{3}[a-z]{2}\d"
)


def find_document(piece: Piece) -> Iterator[Candidate]:
    """Yield what is said where the number of a passport or the like was asked for."""
    if "document_number" in piece.wanted and len(piece.chars) >= 5:
        yield piece.candidate("document_number", "named_document")
    if "document_number" in piece.wanted and len(piece.digits) >= 3:
        yield piece.candidate("document_number", "asked_document")


def find_plate(piece: Piece) -> Iterator[Candidate]:
    """Yield a piece that has the shape of a plate, or letters and digits where one was asked for."""
    tokens, chars = piece.context.call.tokens, piece.chars
    ones = [tokens[element.start].bare == "een" for element in piece.run if element.chars.isdigit()]
    if all(ones) and len(ones) < 3:
        return  # the article, among letters that are none
    enough = 3 if any(char.isalpha() for char in chars) else 4
    if _PLATE.fullmatch(chars) or ("licence_plate" in piece.wanted and len(chars) >= enough):
        yield piece.candidate("licence_plate", "plate")


def find_case(piece: Piece) -> Iterator[Candidate]:
    """Yield the number of a case that repeats no personal data: short, or named so and beginning with a year."""
    is_named = piece.context.names("case", piece.start, 3) and _LONG_CASE.fullmatch(piece.chars)
    if (len(piece.digits) < LONG or is_named) and piece.repeats is None and _is_case(piece):
        yield piece.candidate("case_number", "case")


def _is_case(piece: Piece) -> bool:
    """Return whether a number is a case's: named so, asked for as such, or said before by the agent."""
    context, cases = piece.context, piece.context.cases
    if piece.named == "case" or piece.chars in cases.said:
        return True
    asked = {kind: context.asked_at.get(kind, -1) for kind in context.wanted & NUMERIC}
    case_asked = context.asked_at.get("case", -1)
    if not piece.named and "case" in context.wanted and all(at < case_asked for at in asked.values()):
        return True  # the last thing asked for
    # the other party says the number again, and recognition changes a digit or two
    is_next = 0 < context.position - cases.last_turn <= 2 and len(piece.chars) >= 3
    is_other = any(at > cases.last_turn for kind, at in asked.items() if kind not in context.implied)
    return is_next and not is_other and cases.is_like(piece.chars)
