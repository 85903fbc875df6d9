"""Fragments of calls for the report: where a criterion was met or not, in the words of the call, redacted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from callanalytics.config import Config
from callanalytics.report.items import ItemLine
from callanalytics.report.queries import Queries

MOMENTS, GOOD_MOMENTS = 5, 3
MIN_WORDS, MAX_WORDS = 4, 40  # of a fragment: fewer say nothing, more is not read
LEGIBLE = 0.6  # mean probability of a turn's words: below, what nobody reviewed is too hard to read


@dataclass(frozen=True, slots=True)
class Moment:
    """A fragment: what was said around the evidence, redacted, and where."""

    item: str
    criterion: str
    call_id: str
    topic: str
    start_ms: int
    before: str
    quote: str
    after: str
    is_good: bool
    is_reviewed: bool
    confidence: float  # of the recogniser in the words of the turn

    @property
    def words(self) -> int:
        """Its length."""
        return len(f"{self.before} {self.quote} {self.after}".split())


def collect_moments(ask: Queries, config: Config) -> list[Moment]:
    """Return every fragment that can be read: reviewed or well recognised, and neither too short nor too long."""
    from callanalytics.scoring import load_files

    item_of = {part: item for item, parts in config.scorecard.items.items() for part in parts.parts}
    undesired = {criterion.id for criterion in load_files(config).criteria if criterion.polarity == "undesired"}
    moments = []
    for row in [*ask("moments"), *ask("vague_callbacks")]:
        criterion, is_good = row["criterion"], row["is_good"]
        # A fragment quotes words of the call, so behaviour that is missing has none.
        has_words = is_good != (criterion in undesired) or criterion == "callback.when"
        if criterion not in item_of or not has_words:
            continue
        moment = Moment(
            item_of[criterion], criterion, row["call_id"], row["topic"], row["start_ms"],
            *around(row["text"] or "", row["quote"]), is_good, row["is_reviewed"], row["confidence"],
        )  # fmt: skip
        if (moment.is_reviewed or moment.confidence >= LEGIBLE) and MIN_WORDS <= moment.words <= MAX_WORDS:
            moments.append(moment)
    return moments


def around(text: str, quote: str) -> tuple[str, str, str]:
    """Return the sentence of a turn in which a quote stands: what comes before it, the quote, what comes after.

    A quote that runs over the end of a sentence takes the next one with it; one that is not in the text stands alone.
    """
    at = text.find(quote)
    if at < 0:
        return "", quote, ""
    end = at + len(quote)
    starts = [0, *(m.end() for m in re.finditer(r"[.?!]\s+", text))]
    first = max(start for start in starts if start <= at)
    last = min((start for start in starts if start >= end), default=len(text))
    return text[first:at].strip(), quote, text[end:last].strip()


def choose_moments(moments: Iterable[Moment], items: Sequence[ItemLine]) -> tuple[Moment, ...]:
    """Return five fragments, three good and two bad where there are: reviewed first, then where most can be gained.

    Never two of a call; of an item a second one only when there are not five items.
    """
    order = {line.item: place for place, line in enumerate(sorted(items, key=lambda line: line.now.share or 0.0))}
    ranked = sorted(
        moments,
        key=lambda m: (
            not m.is_reviewed, order.get(m.item, len(order)), -m.confidence * min(20, m.words), m.call_id, m.start_ms,
        ),
    )
    chosen: list[Moment] = []

    def take(is_good: bool, most: int, is_second: bool) -> None:
        for moment in ranked:
            taken = sum(m.is_good == is_good for m in chosen)
            if len(chosen) >= MOMENTS or taken >= most:
                return
            alike = any(m.item == moment.item and m.is_good == is_good for m in chosen)
            if moment.is_good != is_good or any(m.call_id == moment.call_id for m in chosen) or (alike != is_second):
                continue
            chosen.append(moment)

    for is_second in (False, True):
        take(False, MOMENTS - GOOD_MOMENTS, is_second)
        take(True, GOOD_MOMENTS, is_second)
    for is_good in (True, False):
        take(is_good, MOMENTS, False)
        take(is_good, MOMENTS, True)
    return tuple(sorted(chosen, key=lambda m: (not m.is_good, m.item)))
