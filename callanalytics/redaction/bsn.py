"""Recognise the citizen service number (BSN).  Pure.

The number is taken whether or not it passes the eleven-test, for recognition changes a digit easily.
"""

from __future__ import annotations

from collections.abc import Iterator

from callanalytics.redaction.candidates import Candidate
from callanalytics.redaction.piece import Piece


def find_bsn(piece: Piece) -> Iterator[Candidate]:
    """Yield a piece that was asked for, and any long number, which is a BSN when it is nothing else."""
    yield from piece.long("bsn", rule_of_bsn(piece.wanted))
    if piece.is_end and "bsn" in piece.asked:
        yield piece.candidate("bsn", "end_of_asked_bsn")
    if piece.may_be_part and "bsn" in piece.wanted:
        yield piece.candidate("bsn", "part_of_bsn")


def rule_of_bsn(wanted: set[str]) -> str:
    """Return the rule by which a long number is a BSN."""
    return "asked_bsn" if "bsn" in wanted else "long"
