"""One call judged: what was stored of it beside its truth, as sums that can be pooled over calls.

Words, speakers and roles, holds, criteria, promises and redaction are judged each by their own definition, which
stands with the function that applies it.  Pure: no files, no clock; jiwer and pyannote.metrics are imported where they
are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from callanalytics.evaluation.outcomes import Outcome
from callanalytics.evaluation.promises import PromiseMatches, match_promises
from callanalytics.evaluation.redaction import Redactions, judge_redaction
from callanalytics.evaluation.speakers import (
    HoldMatches,
    RoleTimes,
    SpeakerErrors,
    diarization_error,
    match_holds,
    role_segments,
    role_times,
)
from callanalytics.evaluation.truth import Truth
from callanalytics.evaluation.words import WordErrors, call_word_errors, merge_numbers
from callanalytics.intervals import Counts
from callanalytics.records import CriterionRow, Segment

# --- what OUT says of a call ----------------------------------------------------------------------------------------


# --- one call -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one call came out; every field is a sum or a list that can be pooled over calls."""

    layout: str
    words: WordErrors
    words_normalised: WordErrors
    speakers: SpeakerErrors
    roles: RoleTimes
    holds: HoldMatches
    criteria: tuple[Judgement, ...]
    promises: PromiseMatches
    redaction: Redactions
    is_topic_right: bool


def judge_call(
    outcome: Outcome, truth: Truth, criteria: Collection[str], zone: ZoneInfo, is_same_topic: Callable[[str, str], bool]
) -> Verdict:
    """Compare one call; `criteria` are those that the output knows."""
    return Verdict(
        layout=outcome.layout,
        words=call_word_errors(outcome, truth, list),
        words_normalised=call_word_errors(outcome, truth, merge_numbers),
        speakers=diarization_error(
            role_segments(outcome.turns),
            [Segment(turn.role, turn.start_ms, turn.end_ms) for turn in truth.turns],
            max(outcome.duration_ms, truth.duration_ms),
        ),
        roles=role_times(outcome.turns, truth.turns),
        holds=match_holds(outcome.holds, truth.holds),
        criteria=judge_criteria(outcome.criteria, truth.criteria, criteria),
        promises=match_promises(outcome.promises, truth.promises, zone),
        redaction=judge_redaction(outcome.turns, truth),
        is_topic_right=is_same_topic(outcome.topic, truth.topic),
    )


# --- words ----------------------------------------------------------------------------------------------------------


# --- speakers and roles ---------------------------------------------------------------------------------------------


# --- holds ----------------------------------------------------------------------------------------------------------


# --- criteria -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judgement:
    """One criterion of one call: the truth's label, what was stored, and whether that means found."""

    criterion: str
    label: str  # yes, no or na
    is_applicable: bool
    is_found: bool
    is_uncertain: bool
    probability: float | None  # None when the call got no row: it could not be scored

    @property
    def is_judged(self) -> bool:
        """Return whether the truth says that the criterion applied."""
        return self.label != "na"

    @property
    def is_wrong(self) -> bool:
        """Found where the truth says no, or not found where it says yes."""
        return self.is_judged and self.is_found != (self.label == "yes")


def judge_criteria(
    rows: Sequence[CriterionRow], labels: Mapping[str, str], criteria: Collection[str]
) -> tuple[Judgement, ...]:
    """Lay the stored rows beside the truth's labels, for the criteria that the output knows at all.

    Found means applicable and detected; an uncertain row is found when its probability is at least 0.5.  A call
    without rows could not be scored: everything in it counts as not applicable and not found.
    """
    by_id = {row.criterion: row for row in rows}
    judgements = []
    for criterion in sorted(labels.keys() & set(criteria)):
        row = by_id.get(criterion)
        if row is None:
            judgements.append(Judgement(criterion, labels[criterion], False, False, False, None))
            continue
        is_uncertain = row.status == "uncertain"
        is_detected = row.probability >= 0.5 if is_uncertain else row.detected
        judgements.append(
            Judgement(
                criterion,
                labels[criterion],
                row.applicable,
                row.applicable and is_detected,
                is_uncertain,
                row.probability,
            )
        )
    return tuple(judgements)


def count(judgements: Sequence[Judgement]) -> Counts:
    """Return the two-by-two table of the rows that the truth labels yes or no."""
    total = Counts()
    for one in judgements:
        if one.is_judged:
            total += Counts.of(one.is_found, one.label == "yes")
    return total


# --- promises -------------------------------------------------------------------------------------------------------


# --- redaction ------------------------------------------------------------------------------------------------------

