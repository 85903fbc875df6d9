"""Sets of spans (start, end), half-open, in ms.  Pure."""

from __future__ import annotations

from collections.abc import Sequence

from callanalytics.records import Span


def merge(spans: Sequence[Span], gap_ms: int = 0) -> tuple[Span, ...]:
    """Return the spans sorted, with those joined that touch or are at most `gap_ms` apart."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start - merged[-1][1] <= gap_ms:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def cut(spans: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    """Return the spans without what lies in the holes.   [(0, 10)] without [(4, 6)] -> [(0, 4), (6, 10)]"""
    left = list(spans)
    for hole_start, hole_end in holes:
        left = [
            piece
            for start, end in left
            for piece in ((start, min(end, hole_start)), (max(start, hole_end), end))
            if piece[1] > piece[0]
        ]
    return left


def length(spans: Sequence[Span]) -> int:
    """Return the summed length of spans that do not overlap, in ms."""
    return sum(end - start for start, end in spans)
