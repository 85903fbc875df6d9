"""Candidates for redaction, and the one place where overlaps between them are settled.  Pure.

A recogniser yields candidates and marks nothing itself.  Two rules decide what stands:

1. Of candidates that are weighed together (`settle`) the one with the highest score stands; of equal scores the longer
   one, then the one that begins first.
2. What has been marked before stays marked: a later candidate takes only the tokens that are still free
   (`Reading.mark`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch of a call, tokens [start, end), that may be personal data of one kind.

    `score` is from 0 to 1; `reason` is a short key that names the rule, such as "after_question".
    """

    kind: str
    start: int
    end: int
    score: float
    reason: str

    def overlaps(self, other: Candidate) -> bool:
        """Return whether both take a token in common."""
        return self.start < other.end and other.start < self.end


def settle(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates that stand, none overlapping another, in the order of their positions."""
    standing: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: (-c.score, c.start - c.end, c.start)):
        if not any(candidate.overlaps(other) for other in standing):
            standing.append(candidate)
    return sorted(standing, key=lambda c: c.start)
