"""Compare OUT with truth files: word errors, speakers, roles, holds, criteria, promises, redaction, topic.

`evaluate` reads both sides.  Each call is judged on its own (verdicts.py, where the definitions stand), sums over
calls become figures with n and a 95 % interval (`summarise`): Wilson for proportions, bootstrap over calls for
everything that is no simple proportion.  No figure holds any text of a call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import astuple
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from callanalytics.config import Config
from callanalytics.errors import InputError
from callanalytics.evaluation.agreement import Forecast, brier_score, calibration_error, reliability
from callanalytics.evaluation.outcomes import Outcome, read_outcomes
from callanalytics.evaluation.promises import PromiseMatches
from callanalytics.evaluation.redaction import Redactions
from callanalytics.evaluation.speakers import HoldMatches, RoleTimes, SpeakerErrors
from callanalytics.evaluation.truth import Truth, load_truths, perfect_transcript
from callanalytics.evaluation.verdict import Judgement, Verdict, count, judge_call
from callanalytics.evaluation.words import WordErrors
from callanalytics.intervals import Counts, bootstrap_interval, mean, ratio_interval, share, wilson_interval
from callanalytics.texts import Message


def evaluate(
    out: Path, truth: Path, config: Config, groups: Mapping[str, Collection[str]] | None = None
) -> dict[str, Any]:
    """Figures of the datasets under `out` against the truth files (*.json) in `truth`, as JSON-able values.

    `calls` names what could not be compared; `overall`, `by_layout` (stereo; mono, which holds dual_mono too) and
    `groups` (a name and its call ids each) are figures as `summarise` makes them; `per_call` has the main ones of
    each call; `perfect` has criteria, promises and topic for the true turns, so that what recognition loses and what
    detection loses can be told apart.  A call that OUT does not hold is named and enters no figure.  Raises
    InputError for a truth file that can't be read, and when no call has both.
    """
    truths = load_truths(truth)
    outcomes, failed = read_outcomes(out)
    if not outcomes.keys() & truths.keys():
        raise InputError(path=truth, reason=Message("errors.no_call_truth_compare", out=out))
    figures = judge(outcomes, truths, config, groups, failed)
    both = {call_id: truths[call_id] for call_id in sorted(outcomes.keys() & truths.keys())}
    started = {call_id: outcomes[call_id].started_at for call_id in both}
    perfect = judge(perfect_outcomes(both, started, config), both, config, groups)
    kept = ("criteria", "promises", "topic")
    figures["perfect"] = {
        "overall": {name: perfect["overall"][name] for name in kept},
        "groups": {group: {name: of[name] for name in kept} for group, of in perfect["groups"].items()},
    }
    return figures


def perfect_outcomes(
    truths: Mapping[str, Truth], started_at: Mapping[str, datetime | None], config: Config
) -> dict[str, Outcome]:
    """Return what would be stored if recognition, speakers and redaction made no mistake: truth's turns, really scored.

    Beside the figures of a run it tells recognition loss from detection loss.
    """
    from callanalytics.scoring.scorer import Scorer

    score = Scorer(config)
    outcomes = {}
    for call_id, truth in truths.items():
        transcript = perfect_transcript(truth, started_at.get(call_id))
        verdict = score(transcript)
        outcomes[call_id] = Outcome(
            "mono",
            truth.duration_ms,
            transcript.turns,
            truth.holds,
            verdict.criteria,
            verdict.promises,
            verdict.topic,
        )
    return outcomes


def judge(
    outcomes: Mapping[str, Outcome],
    truths: Mapping[str, Truth],
    config: Config,
    groups: Mapping[str, Collection[str]] | None = None,
    failed: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the whole answer of `evaluate` for calls that are in memory; `failed` maps a failed call to its stage."""
    from callanalytics.scoring.topics import load_topics

    failed = failed or {}
    both = sorted(outcomes.keys() & truths.keys())
    known = {row.criterion for call_id in both for row in outcomes[call_id].criteria}
    zone = ZoneInfo(config.municipality.timezone)
    is_same_topic = load_topics(config).is_same
    verdicts = {c: judge_call(outcomes[c], truths[c], known, zone, is_same_topic) for c in both}
    named = {name for call_id in both for name in truths[call_id].criteria}
    absent = truths.keys() - outcomes.keys()

    def of(ids: Collection[str]) -> dict[str, Any]:
        return summarise([verdicts[c] for c in both if c in ids])

    layouts = {
        "stereo": [c for c in both if verdicts[c].layout == "stereo"],
        "mono": [c for c in both if verdicts[c].layout != "stereo"],
    }
    tree = {
        "calls": {
            "truth": len(truths),
            "evaluated": len(both),
            "missing": sorted(absent - failed.keys()),
            "failed": {c: failed[c] for c in sorted(absent & failed.keys())},
            "without_truth": sorted(outcomes.keys() - truths.keys()),
            "not_scorable": {c: r for c in both if (r := outcomes[c].not_scorable_reason)},
            "data_not_in_truth_turns": {c: n for c in both if (n := truths[c].lost_data)},
            "criteria_not_in_output": sorted(named - known),
            "criteria_without_truth": sorted(known - named),
        },
        "overall": of(both),
        "by_layout": {name: of(ids) for name, ids in layouts.items() if ids},
        "groups": {name: {"absent": sorted(set(ids) - set(both)), **of(ids)} for name, ids in (groups or {}).items()},
        "per_call": {c: _headline(verdict) for c, verdict in verdicts.items()},
    }
    rounded: dict[str, Any] = _rounded(tree)
    return rounded


def _rounded(value: Any) -> Any:
    """Return the tree with numbers of four decimals, tuples as lists."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {str(key): _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list | tuple) else value


# --- figures --------------------------------------------------------------------------------------------------------


def summarise(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return the figures of some calls, all with n; an `interval` is the 95 % interval of the figure before it."""
    return {
        "calls": len(verdicts),
        "wer": _word_figures([v.words for v in verdicts]),
        "wer_normalised": _word_figures([v.words_normalised for v in verdicts]),
        "der": _speaker_figures([v.speakers for v in verdicts]),
        "roles": _role_figures([v.roles for v in verdicts]),
        "holds": _hold_figures([v.holds for v in verdicts]),
        "criteria": _criteria_figures([v.criteria for v in verdicts]),
        "promises": _promise_figures([v.promises for v in verdicts]),
        "redaction": _redaction_figures([v.redaction for v in verdicts]),
        "topic": _proportion("accuracy", sum(v.is_topic_right for v in verdicts), len(verdicts)),
    }


def _proportion(name: str, hits: int, n: int) -> dict[str, Any]:
    return {name: share(hits, n), "interval": wilson_interval(hits, n), "right": hits, "n": n}


def _word_figures(all_errors: Sequence[WordErrors]) -> dict[str, Any]:
    total = sum(all_errors, WordErrors())
    return {
        "wer": share(total.errors, total.words),
        "interval": ratio_interval([(e.errors, e.words) for e in all_errors]),
        "errors": total.errors,
        "words": total.words,
        "placeholders_excluded": total.excluded,
        "placeholders_unmatched": total.unmatched_placeholders,
        "data_counted_as_words": total.restored_data,
    }


def _speaker_figures(all_errors: Sequence[SpeakerErrors]) -> dict[str, Any]:
    total = sum(all_errors, SpeakerErrors())
    return {
        "der": total.rate,
        "interval": ratio_interval([(e.error_ms, e.total_ms) for e in all_errors]),
        "missed": share(total.missed_ms, total.total_ms),
        "false_alarm": share(total.false_alarm_ms, total.total_ms),
        "confusion": share(total.confusion_ms, total.total_ms),
        "scored_ms": total.total_ms,
    }


def _role_figures(all_times: Sequence[RoleTimes]) -> dict[str, Any]:
    total = sum(all_times, RoleTimes())
    return {
        "accuracy": share(total.right_ms, total.heard_ms),
        "interval": ratio_interval([(t.right_ms, t.heard_ms) for t in all_times]),
        "coverage": share(total.heard_ms, total.spoken_ms),
        "right_ms": total.right_ms,
        "heard_ms": total.heard_ms,
        "spoken_ms": total.spoken_ms,
    }


def _hold_figures(all_matches: Sequence[HoldMatches]) -> dict[str, Any]:
    found = sum(m.found for m in all_matches)
    n = found + sum(m.missed for m in all_matches)
    errors = [error for m in all_matches for error in m.boundary_errors_ms]
    return {
        "recall": share(found, n),
        "interval": wilson_interval(found, n),
        "n": n,
        "found": found,
        "missed": n - found,
        "false": sum(m.false for m in all_matches),
        "boundary_error_ms": {
            "mean": mean(errors),
            "median": median(errors) if errors else None,
            "max": max(errors, default=None),
            "n": len(errors),
        },
    }


def _criteria_figures(calls: Sequence[Sequence[Judgement]]) -> dict[str, Any]:
    """Macro figures are means over the criteria for which the truth of these calls holds both a yes and a no."""
    import numpy as np

    rows = [one for call in calls for one in call]
    ids = sorted({one.criterion for one in rows})
    by_id = {name: [one for one in rows if one.criterion == name] for name in ids}
    counts = {name: count(by_id[name]) for name in ids}
    both = [name for name in ids if counts[name].has_both_classes]
    tables = [
        np.array([astuple(count([one for one in call if one.criterion == name])) for name in both]) for call in calls
    ]  # a call each, (criteria, 4)

    def macro(measure: Callable[[Counts], float | None]) -> Callable[[Sequence[Any]], float | None]:
        # A draw may lack a class of some criterion; the mean is then over the criteria for which it is defined.
        return lambda drawn: mean(measure(Counts(*row)) for row in np.sum(drawn, axis=0).tolist())

    total = sum(counts.values(), Counts())
    return {
        "macro": {
            "criteria": len(both),
            "f1": mean(counts[name].f1 for name in both),
            "f1_interval": bootstrap_interval(tables, macro(lambda c: c.f1)) if both else None,
            "kappa": mean(counts[name].kappa for name in both),
            "kappa_interval": bootstrap_interval(tables, macro(lambda c: c.kappa)) if both else None,
        },
        "micro": _table_figures(total),
        "applicability": _applicability(rows),
        "uncertain": _uncertainty(rows),
        "calibration": {
            "all": _calibration(rows),
            "decided": _calibration([one for one in rows if not one.is_uncertain]),
        },
        "by_criterion": {
            name: {
                **_table_figures(counts[name]),
                "f1_interval": bootstrap_interval(
                    [count([one for one in call if one.criterion == name]) for call in calls],
                    lambda drawn: sum(drawn, Counts()).f1,
                ),
                "applicability": _applicability(by_id[name]),
            }
            for name in ids
        },
    }


def _table_figures(table: Counts) -> dict[str, Any]:
    return {
        "n": table.n,
        "tp": table.tp,
        "fp": table.fp,
        "fn": table.fn,
        "tn": table.tn,
        "precision": table.precision,
        "precision_interval": wilson_interval(table.tp, table.tp + table.fp),
        "recall": table.recall,
        "recall_interval": wilson_interval(table.tp, table.tp + table.fn),
        "f1": table.f1,
        "kappa": table.kappa,
    }


def _applicability(rows: Sequence[Judgement]) -> dict[str, Any]:
    """Return how often applicable agrees with the truth's yes or no against na, and what was found where it says na."""
    right = sum(one.is_applicable == one.is_judged for one in rows)
    found_on_na = sum(one.is_found for one in rows if not one.is_judged)
    return {**_proportion("accuracy", right, len(rows)), "found_on_na": found_on_na}


def _uncertainty(rows: Sequence[Judgement]) -> dict[str, Any]:
    """Share of applicable rows left undecided, and the share of all errors that they hold."""
    applicable = [one for one in rows if one.is_applicable]
    errors = [one for one in rows if one.is_wrong]
    uncertain = sum(one.is_uncertain for one in applicable)
    held = sum(one.is_uncertain for one in errors)
    return {
        **_proportion("share", uncertain, len(applicable)),
        "errors": len(errors),
        "errors_uncertain": held,
        "share_of_errors": share(held, len(errors)),
        "share_of_errors_interval": wilson_interval(held, len(errors)),
    }


def _calibration(rows: Sequence[Judgement]) -> dict[str, Any]:
    """Of rows that applied, by the truth and by the output, and have a probability."""
    forecasts = [
        Forecast(one.probability, one.label == "yes")
        for one in rows
        if one.is_judged and one.is_applicable and one.probability is not None
    ]
    return {
        "brier": brier_score(forecasts),
        "ece": calibration_error(forecasts),
        "n": len(forecasts),
        "reliability": reliability(forecasts),
    }


def _promise_figures(all_matches: Sequence[PromiseMatches]) -> dict[str, Any]:
    total = sum(all_matches, PromiseMatches())
    return {
        "precision": _proportion("precision", total.found, total.stored),
        "recall": _proportion("recall", total.found, total.true),
        "type": _proportion("accuracy", total.found, total.matched),
        "due_at": _proportion("accuracy", total.due_right, total.found),
        "due_at_dated": _proportion("accuracy", total.dated_right, total.dated),
    }


def _redaction_figures(calls: Sequence[Redactions]) -> dict[str, Any]:
    data = [one for call in calls for one in call.data]
    placeholders = [one for call in calls for one in call.placeholders]

    def of(is_kind: Callable[[str], bool]) -> dict[str, Any]:
        hidden = [(is_hidden, is_marked) for kind, is_hidden, is_marked in data if is_kind(kind)]
        right = [is_right for kind, is_right in placeholders if is_kind(kind)]
        return {
            "recall": _proportion("recall", sum(h for h, _ in hidden), len(hidden)),
            "with_placeholder": sum(m for _, m in hidden),
            "precision": _proportion("precision", sum(right), len(right)),
        }

    kinds = sorted({kind for kind, *_ in data} | {kind for kind, _ in placeholders})
    return {"all": of(lambda _: True), "by_kind": {kind: of(kind.__eq__) for kind in kinds}}


def _headline(verdict: Verdict) -> dict[str, Any]:
    """Return the main figures of one call, in short."""
    table = count(verdict.criteria)
    hidden = [is_hidden for _, is_hidden, _ in verdict.redaction.data]
    return {
        "layout": verdict.layout,
        "wer": share(verdict.words.errors, verdict.words.words),
        "wer_normalised": share(verdict.words_normalised.errors, verdict.words_normalised.words),
        "words": verdict.words.words,
        "placeholders_excluded": verdict.words.excluded,
        "der": verdict.speakers.rate,
        "role_accuracy": share(verdict.roles.right_ms, verdict.roles.heard_ms),
        "coverage": share(verdict.roles.heard_ms, verdict.roles.spoken_ms),
        "holds": {
            "found": verdict.holds.found,
            "missed": verdict.holds.missed,
            "false": verdict.holds.false,
        },
        "criteria": {
            "n": table.n,
            "right": table.tp + table.tn,
            "f1": table.f1,
            "applicability": share(
                sum(one.is_applicable == one.is_judged for one in verdict.criteria), len(verdict.criteria)
            ),
            "uncertain": sum(one.is_uncertain for one in verdict.criteria),
        },
        "promises": {
            "true": verdict.promises.true,
            "stored": verdict.promises.stored,
            "found": verdict.promises.found,
            "due_right": verdict.promises.due_right,
        },
        "redaction": {"data": len(hidden), "readable": len(hidden) - sum(hidden)},
        "is_topic_right": verdict.is_topic_right,
    }
