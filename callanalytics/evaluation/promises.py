"""Match found promises with the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from callanalytics.evaluation.speakers import shared_ms
from callanalytics.evaluation.truth import TruePromise
from callanalytics.evaluation.words import plain_words
from callanalytics.records import PromiseRow

QUOTE_SHARE = 0.5  # of a true promise's longer words that a stored quote must hold to be the same promise

TIME_SHARE = 0.3  # or of the shorter one's time that both have in common


@dataclass(frozen=True, slots=True)
class PromiseMatches:
    """Promises that are true, stored, the same (any type), found (the type too), and dated right."""

    true: int = 0
    stored: int = 0
    matched: int = 0
    found: int = 0
    due_right: int = 0  # of the found
    dated: int = 0  # of the found, those with a true date
    dated_right: int = 0

    def __add__(self, other: PromiseMatches) -> PromiseMatches:
        return PromiseMatches(
            self.true + other.true,
            self.stored + other.stored,
            self.matched + other.matched,
            self.found + other.found,
            self.due_right + other.due_right,
            self.dated + other.dated,
            self.dated_right + other.dated_right,
        )


def match_promises(rows: Sequence[PromiseRow], promises: Sequence[TruePromise], zone: ZoneInfo) -> PromiseMatches:
    """Count what stored promises got right of the true ones."""
    pairs = pair_promises(rows, promises)
    total = PromiseMatches(true=len(promises), stored=len(rows), matched=len(pairs))
    for i, j in pairs.items():
        if rows[j].type == promises[i].type:
            is_right, is_dated = is_same_due(rows[j].due_at, promises[i].due, zone), bool(promises[i].due)
            total += PromiseMatches(0, 0, 0, 1, int(is_right), int(is_dated), int(is_right and is_dated))
    return total


def pair_promises(rows: Sequence[PromiseRow], promises: Sequence[TruePromise]) -> dict[int, int]:
    """Return the stored promise that is each true one, by position: the likest pair first, each in one pair only."""
    likeness = {(i, j): promise_likeness(r, p) for i, p in enumerate(promises) for j, r in enumerate(rows)}
    pairs: dict[int, int] = {}
    for i, j in sorted(likeness, key=lambda pair: (-likeness[pair], pair)):
        if likeness[i, j] > 0 and i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def promise_likeness(row: PromiseRow, promise: TruePromise) -> float:
    """Return how sure it is that both are one promise: 0 when not, more when words, time and type agree.

    They are one when the stored quote holds QUOTE_SHARE of the true quote's words of three letters or more, or when
    both have TIME_SHARE of the shorter one's time in common.
    """
    wanted, heard = ({word for word in plain_words(text) if len(word) > 2} for text in (promise.quote, row.quote))
    words = len(wanted & heard) / max(1, len(wanted))
    time = 0.0
    if promise.span:
        shorter = min(promise.span[1] - promise.span[0], row.end_ms - row.start_ms)
        time = shared_ms(promise.span, [(row.start_ms, row.end_ms)]) / max(1, shorter)
    if words < QUOTE_SHARE and time < TIME_SHARE:
        return 0.0
    return words + time + 0.5 * (row.type == promise.type)


def is_same_due(due_at: datetime | None, due: str, zone: ZoneInfo) -> bool:
    """Return whether a resolved deadline is the true one: "" means none, a date is compared on the clocks of `zone`."""
    if not due or due_at is None:
        return not due and due_at is None
    if len(due) == 10:
        return due_at.astimezone(zone).date().isoformat() == due
    return due_at == datetime.fromisoformat(due)
