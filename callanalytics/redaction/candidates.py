"""Candidates for redaction, and how overlaps between them are settled.  Pure.

A recogniser yields candidates and marks nothing itself.  Two rules decide what stands:

1. Of candidates that are weighed together, all for the same stretch, the one with the highest score stands (`surest`).
2. What has been marked before stays marked: a later candidate takes only the tokens that are still free
   (`CallTokens.mark`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# How sure each rule is.  Recognisers of numbers and codes all weigh the same stretch, and the highest score stands; so
# this table is the order of the rules.
SCORES = {
    # the shape, or the name of the kind right before; a case number stays, whatever its digits would be
    "case": 0.98, "named_document": 0.96, "account": 0.94, "whole_postcode": 0.92, "plate": 0.90,
    # eight digits or more are personal data, whatever was asked
    "asked_iban": 0.88, "asked_phone": 0.87, "asked_bsn": 0.86, "shaped_as_phone": 0.85, "long": 0.84,
    # shorter ones need a reason: what was said before, or that only the last digits follow
    "repeated": 0.80, "end_of_account": 0.78, "end_of_asked_bsn": 0.77, "end_of_asked_iban": 0.76, "end_of_phone": 0.75,
    "house_after_postcode": 0.72, "house_after_street": 0.70,
    "quantity": 0.66,  # what counts or times something answers nothing that follows
    "without_question": 0.60,  # six digits or more of a citizen: recognition lost the question
    "own_house": 0.56, "begins_as_phone": 0.54,
    # the answer to a question, as far as it was recognised
    "asked_document": 0.50, "part_of_phone": 0.48, "part_of_bsn": 0.47, "part_of_iban": 0.46, "part_of_postcode": 0.40,
    "asked_house": 0.38, "crumbs_of_postcode": 0.36,
    # rules that weigh alone: their scores say how sure they are and decide nothing
    "written_email": 0.99, "at_sign": 0.9, "domain": 0.9, "provider": 0.8, "dots": 0.7, "broken_email": 0.6,
    "date": 0.9, "date_without_year": 0.8, "loose_date": 0.6, "other_date": 0.5,
    "joined_account": 0.9, "unit": 0.9, "time": 0.8,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch of a call, tokens [start, end), that may be personal data of one kind.

    `score` is from 0 to 1; `reason` is a short key that names the rule, such as "part_of_phone".
    """

    kind: str
    start: int
    end: int
    score: float
    reason: str


def by_rule(rule: str, kind: str, start: int, end: int) -> Candidate:
    """Return a candidate with the score of a rule in SCORES."""
    return Candidate(kind, start, end, SCORES[rule], rule)


def surest(candidates: Iterable[Candidate]) -> Candidate | None:
    """Return the candidate that stands among those that overlap, None where there is none."""
    return max(candidates, key=lambda candidate: candidate.score, default=None)
