"""Recognise telephone numbers, whole, in part or their end.  Pure."""

from __future__ import annotations

from collections.abc import Iterator

from callanalytics.redaction.candidates import Candidate
from callanalytics.redaction.piece import Piece

_BSN_LENGTH = 9  # a longer number is no BSN


def find_phone(piece: Piece) -> Iterator[Candidate]:
    """Yield a piece that has the shape of a telephone number or was asked for, with a "plus" before it."""
    for candidate in _candidates(piece):
        start = candidate.start - (piece.before == "plus")
        yield Candidate(candidate.kind, start, candidate.end, candidate.score, candidate.reason)


def _candidates(piece: Piece) -> Iterator[Candidate]:
    rule = rule_of_phone(piece.digits, piece.wanted)
    if rule:
        yield from piece.long("phone", rule)
    if piece.repeats == "phone":
        yield piece.candidate("phone", "repeated")
    if piece.is_end:
        yield piece.candidate("phone", "end_of_phone")
    if piece.digits.startswith("06") and len(piece.digits) >= 4:
        yield piece.candidate("phone", "begins_as_phone")
    if piece.may_be_part and "phone" in piece.wanted:
        yield piece.candidate("phone", "part_of_phone")


def rule_of_phone(digits: str, wanted: set[str]) -> str | None:
    """Return the surest rule by which a long number is one of a telephone."""
    begins = begins_as_phone(digits)
    if "phone" in wanted and ("bsn" not in wanted or begins):
        return "asked_phone"
    return "shaped_as_phone" if begins or digits.startswith("06") or len(digits) > _BSN_LENGTH else None


def begins_as_phone(digits: str) -> bool:
    """Return whether a number long enough begins as one of the Netherlands does."""
    return digits.startswith(("0", "316", "3106")) and len(digits) >= 9
