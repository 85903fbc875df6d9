"""A call as its page shows it: criteria under the items of the card, the transcript with its events, what comes next.

Pure.  In blind scoring the view holds nothing that the machine found and no answer of others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from callanalytics.config import Scorecard
from callanalytics.records import CallResult, EventRow, Evidence, PromiseRow, StoredWord, TurnRow
from callanalytics.scoring.phrases import Criterion
from callanalytics.scoring.scorecard import PROMISE_PARTS, Scores, score_items
from callanalytics.store.reviews.reviews import Said, confirmed, corrected
from callanalytics.store.reviews.tables import Answer, Judgement, PromiseJudgement

COMPLIANCE, SIGNALS = "compliance", "signals"  # groups beside the items of the card
UNSURE = 0.5  # a word recognised with less is marked, as in redact_audio
ANSWERS: tuple[Answer, ...] = ("met", "not_met", "not_applicable", "unclear")
QUIET_EVENTS = ("dead_air", "interruption", "transfer")  # criteria are about them: hidden from who scores blind


@dataclass(frozen=True, slots=True)
class Given:
    """An answer and whose it is."""

    name: str
    answer: str
    reason: str | None
    note: str
    machine_then: str  # what the machine said when it was given


@dataclass(frozen=True, slots=True)
class CriterionView:
    """A criterion with the machine's verdict and people's answers; `status` is None in blind scoring."""

    criterion: Criterion
    status: Answer | None
    probability: float | None
    evidence: tuple[Evidence, ...]
    mine: Given | None
    others: tuple[Given, ...]
    must: bool  # whether the card or the compliance block asks for it

    @property
    def id(self) -> str:
        """Return the id of the criterion."""
        return self.criterion.id

    @property
    def is_signal(self) -> bool:
        """Return whether it is shown and never judged good or bad."""
        return self.criterion.polarity == "signal"


@dataclass(frozen=True, slots=True)
class Group:
    """An item of the card with its criteria, the compliance block, or the signals."""

    id: str
    status: str | None  # of the item as it stands with people's answers; None in blind scoring and for signals
    criteria: tuple[CriterionView, ...]
    promise_parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WordView:
    """A word to click on."""

    text: str
    start_ms: int
    end_ms: int
    is_unsure: bool
    is_overlapped: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the transcript: a turn, or an event."""

    start_ms: int
    end_ms: int
    turn: TurnRow | None = None
    words: tuple[WordView, ...] = ()
    event: EventRow | None = None


def as_answer(status: str) -> Answer:
    """Return the machine's status in the words that people choose from."""
    return "unclear" if status == "uncertain" else cast("Answer", status)


def mark_of(result: CallResult) -> str:
    """Return a mark that differs once a call is scored again: nobody accepts a value that was not on the page."""
    row = result.call
    return hashlib.sha256(f"{row.scoring_fingerprint} {row.processed_at.isoformat()}".encode()).hexdigest()[:16]


def group_criteria(
    result: CallResult,
    criteria: Sequence[Criterion],
    scorecard: Scorecard,
    answers: Sequence[Judgement],
    names: Mapping[int, str],
    person_id: int,
    items: Mapping[str, str],
    is_blind: bool = False,
) -> list[Group]:
    """Return the criteria under the items of the card, each once, in the order of the card.

    `answers` are those of `Reviews.answers`; in blind scoring all but the person's own are left out here.
    """
    rows = {row.criterion: row for row in result.criteria}
    known = {one.id: one for one in criteria if one.id in rows}
    musts = must_answer(scorecard, known)
    said: dict[str, list[tuple[int, Given]]] = {}
    for one in answers:
        if one.user_id == person_id or not is_blind:
            given = Given(names.get(one.user_id, ""), one.answer, one.reason, one.note, as_answer(one.machine_status))
            said.setdefault(one.criterion, []).append((one.user_id, given))

    def view(name: str) -> CriterionView:
        row, given = rows[name], said.get(name, [])
        return CriterionView(
            criterion=known[name],
            status=None if is_blind else as_answer(row.status),
            probability=None if is_blind else row.probability,
            evidence=() if is_blind else row.evidence,
            mine=next((one for user, one in given if user == person_id), None),
            others=tuple(one for user, one in given if user != person_id),
            must=name in musts,
        )

    left = dict.fromkeys(known)

    def take(names: Collection[str]) -> tuple[CriterionView, ...]:
        here = [name for name in names if name in left]
        for name in here:
            del left[name]
        return tuple(view(name) for name in here)

    groups = []
    for item, settings in scorecard.items.items():
        here, parts = take(settings.parts), tuple(part for part in settings.parts if part in PROMISE_PARTS)
        if here or parts:
            groups.append(Group(item, None if is_blind else items.get(item), here, () if is_blind else parts))
    groups += [Group(COMPLIANCE, None, take(scorecard.compliance)), Group(SIGNALS, None, take(tuple(left)))]
    return [group for group in groups if group.criteria or group.promise_parts]


def must_answer(scorecard: Scorecard, known: Collection[str]) -> frozenset[str]:
    """Return the criteria without which a card that is scored blind is not whole."""
    named = {part for item in scorecard.items.values() for part in item.parts} | set(scorecard.compliance)
    return frozenset(named & set(known))


def accept_rest(result: CallResult, answers: Sequence[Judgement]) -> list[Said]:
    """Return the machine's verdicts on what nobody has answered; the answers of colleagues stand."""
    answered = {one.criterion for one in answers}
    return [Said(row.criterion, as_answer(row.status)) for row in result.criteria if row.criterion not in answered]


def score_card(
    result: CallResult,
    answers: Sequence[Judgement],
    promises: Sequence[PromiseJudgement],
    scorecard: Scorecard,
    undesired: Collection[str],
    signals: Collection[str],
    is_blind: bool = False,
) -> Scores:
    """Return what the card comes to with people's answers in the place of the machine's verdicts.

    In blind scoring the answers count alone: neither the machine's other verdicts nor its promises do.
    """
    rows = corrected(result, answers, undesired)
    if is_blind:
        answered = {one.criterion for one in answers}
        return score_items([row for row in rows if row.criterion in answered], (), scorecard, signals)
    return score_items(rows, confirmed(result.promises, promises), scorecard, signals)


def newest_promises(
    promises: Sequence[PromiseRow], said: Sequence[PromiseJudgement]
) -> tuple[list[tuple[PromiseRow, PromiseJudgement | None]], list[PromiseJudgement]]:
    """Return each promise of the machine with the newest answer on it, and the promises that people added.

    `said` oldest first.  One that was added and then rejected is gone.
    """
    found = {one.start_ms: one for one in said if one.promise_index is not None}
    added = {one.start_ms: one for one in said if one.promise_index is None}
    return (
        [(promise, found.get(promise.start_ms)) for promise in promises],
        [one for _, one in sorted(added.items()) if one.answer != "rejected"],
    )


def transcript_of(result: CallResult, is_blind: bool = False) -> list[Line]:
    """Return the turns with their words, and the events in their places."""
    events = [one for one in result.events if not (is_blind and one.type in QUIET_EVENTS)]
    overlaps = [(one.start_ms, one.end_ms) for one in events if one.type == "overlap"]

    def view(word: StoredWord) -> WordView:
        is_overlapped = any(start < word.end_ms and word.start_ms < end for start, end in overlaps)
        return WordView(word.text, word.start_ms, word.end_ms, word.confidence < UNSURE, is_overlapped)

    lines = [
        Line(turn.start_ms, turn.end_ms, turn, tuple(view(word) for word in turn.words if word.text))
        for turn in result.turns
    ]
    lines += [Line(one.start_ms, one.end_ms, event=one) for one in events]
    return sorted(lines, key=lambda line: (line.start_ms, line.event is not None))


def next_of(order: Sequence[str], done: Collection[str], current: str) -> str | None:
    """Return the next one of a list that is not done, from the current one on and round; None when there is none.

    a b c d, done b, from a   ->   c
    """
    at = order.index(current) + 1 if current in order else 0
    ring = [*order[at:], *order[:at]]
    return next((one for one in ring if one != current and one not in done), None)
