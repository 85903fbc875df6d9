"""Recognise licence plates.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from callanalytics.redaction.candidates import Candidate
from callanalytics.redaction.piece import Piece

# The shapes that mean a plate by themselves; "ab 1234" may be a case number too and "1234 ab" a postcode.
_SHAPES = re.compile(
    r"\d{2}[a-z]{2}\d{2}|[a-z]{2}\d{2}[a-z]{2}|[a-z]{4}\d{2}|\d{2}[a-z]{4}|\d{2}[a-z]{3}\d|\d[a-z]{3}\d{2}|"
    r"[a-z]{2}\d{3}[a-z]|[a-z]\d{3}[a-z]{2}|[a-z]{3}\d{2}[a-z]|[a-z]\d{2}[a-z]{3}|\d[a-z]{2}\d{3}|\d{3}[a-z]{2}\d"
)


def find_plate(piece: Piece) -> Iterator[Candidate]:
    """Yield a piece that has the shape of a plate, or letters and digits where one was asked for."""
    tokens, chars = piece.context.call.tokens, piece.chars
    ones = [tokens[element.start].bare == "een" for element in piece.run if element.chars.isdigit()]
    if all(ones) and len(ones) < 3:
        return  # the article, among letters that are none
    has_letter = any(char.isalpha() for char in chars)
    is_answer = "licence_plate" in piece.wanted and (len(chars) >= 4 or (has_letter and len(chars) >= 3))
    if is_answer or _SHAPES.fullmatch(chars):
        yield piece.candidate("licence_plate", "plate")
