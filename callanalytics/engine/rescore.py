"""A new scorecard over stored words: no audio, no recognition, the old scores kept, what changed told.

The stored turns and events are all that a score comes from, so a call scored again has the rows a fresh run would give.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

from callanalytics.config import Config
from callanalytics.records import CallResult
from callanalytics.scoring.phrases import CriteriaFiles
from callanalytics.scoring.scorer import superseded
from callanalytics.store.datasets import Store


@dataclass(frozen=True, slots=True)
class Change:
    """Calls whose verdict on a criterion changed from one status to another."""

    criterion: str
    before: str
    after: str
    calls: tuple[str, ...]


@dataclass(slots=True)
class Rescored:
    """What a new scorecard changed; `causes` names the parts of the scoring fingerprint that differ."""

    calls: int = 0
    standing: int = 0  # calls already scored this way
    versions: Counter[tuple[str, str]] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    scores: list[tuple[float | None, float | None]] = field(default_factory=list)  # normalised, before and after
    moved: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)

    @property
    def changes(self) -> list[Change]:
        """Return the changed verdicts, most calls first."""
        found = [Change(*key, tuple(sorted(calls))) for key, calls in self.moved.items()]
        return sorted(found, key=lambda c: (-len(c.calls), c.criterion, c.before, c.after))

    def mean_score(self, which: int) -> float | None:
        """Mean normalised score before (0) or after (1) over calls that have both."""
        both = [pair[which] for pair in self.scores if None not in pair]
        return mean(score for score in both if score is not None) if both else None

    def add(self, old: CallResult, new: CallResult) -> None:
        """Count one call."""
        self.calls += 1
        self.versions[old.call.scorecard_version, new.call.scorecard_version] += 1
        self.causes.update(_differing(old.call.scoring_fingerprint, new.call.scoring_fingerprint))
        self.scores.append((old.call.normalized_score, new.call.normalized_score))
        before = {row.criterion: row.status for row in old.criteria}
        after = {row.criterion: row.status for row in new.criteria}
        for criterion in sorted(before.keys() | after.keys()):
            one, two = before.get(criterion, ""), after.get(criterion, "")
            if one != two:
                self.moved.setdefault((criterion, one, two), []).append(old.call.call_id)


def _differing(old: str | None, new: str) -> list[str]:
    known = dict(part.split("=", 1) for part in (old or "").split() if "=" in part)
    return [name for name, value in (part.split("=", 1) for part in new.split()) if known.get(name) != value]


def rescore(config: Config, output: Path | str) -> Rescored:
    """Score every published call again whose scores were not made by this scorecard.

    Raises StoreLocked while a run holds OUT, StoreError when it can't be written, ConfigError for a mistake in the
    phrase files, InputError when the trained models can't be read.  A kill leaves each call with its old or its new
    scores; starting again does the rest.
    """
    from callanalytics.scoring import load_files

    files = load_files(config)
    store = Store(output, files.ids, tuple(config.scorecard.items), config.storage)
    store.open()
    try:
        return rescore_calls(store, config, files, store.published())
    finally:
        store.close()


def rescore_calls(store: Store, config: Config, files: CriteriaFiles, call_ids: Collection[str]) -> Rescored:
    """Return the same for these calls of a store that is open, with the scorecard of `config` and its phrase files."""
    from callanalytics.call.fingerprint import scoring_fingerprint
    from callanalytics.scoring import load_detector
    from callanalytics.scoring.scorer import Scorer, rescored

    current, now = scoring_fingerprint(config), datetime.now(UTC)
    published = store.published()
    wanted = {c for c in call_ids if c in published and published[c].scoring != current}
    total = Rescored(standing=len(call_ids) - len(wanted))
    if not wanted:
        return total
    scorer = Scorer(config, load_detector(config, files))
    for number, batch in enumerate(store.results(wanted)):
        done: list[CallResult] = []
        for old in batch:
            if not old.turns and (old.call.turns_agent or old.call.turns_citizen):
                total.standing += 1  # what was said has been purged: the scores stay as they were
                continue
            new = rescored(old, scorer, config)
            call = replace(new.call, scoring_fingerprint=current, processed_at=now)
            done.append(replace(new, call=call, score_history=(*old.score_history, superseded(old, now))))
            total.add(old, done[-1])
        store.publish(done, f"rescore-{now:%Y%m%dT%H%M%S%f}-{number:05d}")
    return total


def as_tree(result: Rescored) -> dict[str, object]:
    """Return the result as JSON-able values."""
    return {
        "rescored": result.calls,
        "standing": result.standing,
        "scorecard_versions": [{"from": a, "to": b, "calls": n} for (a, b), n in sorted(result.versions.items())],
        "causes": dict(sorted(result.causes.items())),
        "mean_normalized_score": {"before": result.mean_score(0), "after": result.mean_score(1)},
        "changes": [
            {"criterion": c.criterion, "from": c.before, "to": c.after, "calls": list(c.calls)} for c in result.changes
        ],
    }


def shortened(calls: Sequence[str], most: int = 5) -> str:
    """Return the first few call ids.   a, b, c, d, e … (+7)"""
    more = len(calls) - most
    return ", ".join(calls[:most]) + (f" … (+{more})" if more > 0 else "")
