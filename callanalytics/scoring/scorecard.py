"""Verdicts on criteria to the items of the card, the score and the compliance block.  Pure.

An item is a group of criteria, its parts, named in the configuration under [scorecard.items.ID].  Two parts are no
criteria but come from the promise register: `callback.who` (every promised callback names who will call) and
`callback.when` (every one has a moment by which it will be made; "zo snel mogelijk" is none).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from callanalytics.config import Item, Scorecard
from callanalytics.dutch.dates import parse_deadline
from callanalytics.errors import ConfigError
from callanalytics.records import CriterionRow, PromiseRow, Status
from callanalytics.texts import Message

CALLBACK = "callback_promise"  # the criterion that says whether a callback was promised
PROMISE_PARTS = ("callback.who", "callback.when")
_ANY_DAY = datetime(2026, 1, 5, 9, tzinfo=UTC)  # whether words name a moment does not hang on the day


@dataclass(frozen=True, slots=True)
class Scores:
    """What a call comes to.  The three numbers are None when no item could be decided."""

    items: dict[str, Status]  # by item, in the order of the configuration
    score: float | None
    potential_score: float | None
    normalized_score: float | None
    compliance_status: Status


def score_items(
    rows: Iterable[CriterionRow], promises: Sequence[PromiseRow], scorecard: Scorecard, signals: Collection[str]
) -> Scores:
    """Return the items of a call, points gained, points that could be gained and their ratio, and the compliance block.

    Items that are uncertain or not applicable leave both sums.  `signals` are the criteria that are shown and never
    judged: one in the compliance block, such as a BSN asked for, fails nothing.

    weights 1, 1, 2;  opening met, summary not_met, closing uncertain   ->   1.0 of 2.0 = 0.5
    """
    by_criterion = {row.criterion: row for row in rows}
    statuses: dict[str, Status] = {name: _known(row) for name, row in by_criterion.items()}
    statuses |= _callback_parts(by_criterion.get(CALLBACK), promises)
    items = {name: _judge(item, by_criterion, statuses) for name, item in scorecard.items.items()}
    decided = {name: scorecard.items[name].weight for name, status in items.items() if status in ("met", "not_met")}
    potential = sum(decided.values())
    gained = sum(weight for name, weight in decided.items() if items[name] == "met")
    compliance = _together([statuses[c] for c in scorecard.compliance if c in statuses and c not in signals])
    if not potential:
        return Scores(items, None, None, None, compliance)
    return Scores(items, gained, potential, round(gained / potential, 4), compliance)


def check_scorecard(scorecard: Scorecard, known: Collection[str], folder: Path) -> None:
    """Raises ConfigError, naming item and key, when the scorecard names a criterion that no file of `folder` holds."""
    named = [(f"items.{name}.parts", part) for name, item in scorecard.items.items() for part in item.parts]
    named = [(key, part) for key, part in named if part not in PROMISE_PARTS]
    named += [(f"items.{name}.applies", trigger) for name, item in scorecard.items.items() for trigger in item.applies]
    named += [("compliance", name) for name in scorecard.compliance]
    for key, name in named:
        if name not in known:
            raise ConfigError(
                path=folder, reason=Message("errors.scorecard_names_but_no", key=key, name=name, table=name)
            )


def _known(row: CriterionRow) -> Status:
    # A row read back from a dataset is as free a text as any.
    return row.status  # type: ignore[return-value]


def _callback_parts(callback: CriterionRow | None, promises: Sequence[PromiseRow]) -> dict[str, Status]:
    """Return the parts that the promise register decides, over all promised callbacks."""
    if callback is None:
        return {}
    promised = [promise for promise in promises if promise.type == "callback"]
    if not promised:
        # Heard as a callback, yet not clear enough for the register: somebody should listen.
        is_silent = callback.status in ("not_met", "not_applicable")
        return dict.fromkeys(PROMISE_PARTS, "not_applicable" if is_silent else "uncertain")
    who = all(promise.by for promise in promised)
    when = all(_has_moment(promise) for promise in promised)
    return {"callback.who": "met" if who else "not_met", "callback.when": "met" if when else "not_met"}


def _has_moment(promise: PromiseRow) -> bool:
    if promise.due_at is not None:
        return True
    # Nobody may know when the call began; the words still say whether a moment was named.
    parsed = parse_deadline(promise.deadline_text, _ANY_DAY) if promise.deadline_text else None
    return parsed is not None and parsed[0] is not None


def _judge(item: Item, rows: Mapping[str, CriterionRow], statuses: Mapping[str, Status]) -> Status:
    parts = _together([statuses[part] for part in item.parts if part in statuses])
    if not item.applies or parts == "not_applicable":
        return parts
    triggers = [rows[name] for name in item.applies if name in rows]
    if any(row.applicable and row.detected and row.status != "uncertain" for row in triggers):
        return parts
    return "uncertain" if any(row.status == "uncertain" for row in triggers) else "not_applicable"


def _together(statuses: Collection[Status]) -> Status:
    """Return one failed part fails the whole; else one uncertain part leaves it open; what does not apply is left out.

    An undesired criterion has the status met when it was not found, so every part is simply met or not.
    """
    for status in ("not_met", "uncertain", "met"):
        if status in statuses:
            return status
    return "not_applicable"
