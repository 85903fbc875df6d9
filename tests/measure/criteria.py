"""Measures the scorecard on perfect transcripts and on the phrases of criteria.yaml.

usage: .venv/bin/python -m tests.measure.criteria [--show] [--only calls|phrases|promises|topics]

Development calls d01 and d09 to d16 were used for tuning; d02 to d08 are held out: of those only sums are printed.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from callanalytics.config import load_config
from callanalytics.evaluation.promises import is_same_due, pair_promises
from callanalytics.evaluation.truth import Truth, load_truth, perfect_transcript
from callanalytics.intervals import Counts
from callanalytics.records import Event, Role, Transcript, Turn
from callanalytics.scoring import Detector, load_detector
from callanalytics.scoring.promises import promises_in
from callanalytics.scoring.topics import load_topics
from tests.support.paths import SHARED

HELD_OUT = tuple(f"d{i:02d}" for i in range(2, 9))
TUNE = ("d01", *(f"d{i:02d}" for i in range(9, 17)))


def load_dev(call_id: str) -> Truth:
    return load_truth(SHARED / "calls" / "dev" / "truth" / f"{call_id}.json")


def started_at(call_id: str) -> datetime:
    for line in (SHARED / "calls" / "dev" / "calls.csv").read_text().splitlines()[1:]:
        fields = line.split(",")
        if fields[0] == call_id:
            return datetime.fromisoformat(fields[2])
    raise KeyError(call_id)


def to_transcript(truth: Truth) -> Transcript:
    return perfect_transcript(truth, started_at(truth.call_id))


def measure(detector: Detector, calls: tuple[str, ...], show: bool, per_criterion: bool) -> None:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    applicability: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    total_uncertain = [0, 0]
    for call_id in calls:
        truth = load_dev(call_id)
        for row in detector(to_transcript(truth)):
            label = truth.criteria.get(row.criterion)
            if label is None:
                continue
            applicability[row.criterion][int((label != "na") == row.applicable)] += 1
            if row.applicable:
                total_uncertain[int(row.status == "uncertain")] += 1
            found = row.detected and row.applicable
            if label == "na" and not found:
                continue
            index = (0 if label == "yes" else 1) if found else (2 if label == "yes" else 3)
            counts[row.criterion][index] += 1
            if show and index in (1, 2):
                quotes = "; ".join(f"[{e.start_ms / 1000:.0f}s] {e.quote}" for e in row.evidence)
                kind = "FALSE" if index == 1 else "MISSED"
                print(
                    f"  {kind:6} {call_id} {row.criterion} truth={label} p={row.probability} a={row.applicable}: "
                    f"{quotes}"
                )
            elif show and (label != "na") != row.applicable:
                print(f"  APPLIES {call_id} {row.criterion} truth={label} applicable={row.applicable}")
    scores = {}
    for name, (tp, fp, fn, tn) in counts.items():
        table = Counts(tp, fp, fn, tn)
        precision, recall, f1 = table.precision or 0.0, table.recall or 0.0, table.f1 or 0.0
        both = table.has_both_classes
        scores[name] = (f1, table.kappa or 0.0, both)
        if per_criterion:
            right = applicability[name]
            print(
                f"{name:26} n={tp + fp + fn + tn:2} tp={tp} fp={fp} fn={fn} tn={tn}  P={precision:.2f} R={recall:.2f} "
                f"F1={f1:.2f} k={scores[name][1]:.2f} applies {right[1]}/{sum(right)}{'' if both else '  (one class)'}"
            )
    two = [s for s in scores.values() if s[2]]
    print(
        f"macro over {len(two)} criteria with both classes: F1 {sum(s[0] for s in two) / len(two):.3f}  "
        f"kappa {sum(s[1] for s in two) / len(two):.3f}; n calls {len(calls)}"
    )
    tp, fp, fn, tn = (sum(c[i] for c in counts.values()) for i in range(4))
    print(
        f"micro: tp {tp} fp {fp} fn {fn} tn {tn} F1 {2 * tp / (2 * tp + fp + fn):.3f}; "
        f"uncertain {total_uncertain[1]} of "
        f"{sum(total_uncertain)} applicable; applicability right "
        f"{sum(a[1] for a in applicability.values())}/{sum(sum(a) for a in applicability.values())}"
    )


def measure_promises(config: Any, calls: tuple[str, ...], show: bool) -> None:
    detector = load_detector(config)
    found_n = true_n = matched = typed = dated = 0
    missed: Counter[str] = Counter()
    extra: Counter[str] = Counter()
    for call_id in calls:
        truth = load_dev(call_id)
        rows = promises_in(detector.read(to_transcript(truth)), detector, config)
        found_n += len(rows)
        true_n += len(truth.promises)
        pairs = pair_promises(rows, truth.promises)
        for i, wanted in enumerate(truth.promises):
            if i not in pairs:
                missed[wanted.type] += 1
                if show:
                    print(f"  MISSED {call_id} {wanted.type}: {wanted.quote} | {wanted.due}")
                continue
            row = rows[pairs[i]]
            matched += 1
            typed += row.type == wanted.type
            right = is_same_due(row.due_at, wanted.due, ZoneInfo(config.municipality.timezone))
            dated += right
            if show and (not right or row.type != wanted.type):
                print(
                    f"  WRONG {call_id} {wanted.type} {wanted.due} -> "
                    f"{row.type} {row.due_at} {row.deadline_text!r}: {row.quote}"
                )
        left = [row for j, row in enumerate(rows) if j not in pairs.values()]
        extra.update(row.type for row in left)
        if show:
            for row in left:
                print(f"  EXTRA {call_id} {row.type} {row.deadline_text!r}: {row.quote}")
    print(
        f"promises: true {true_n} found {found_n} matched {matched}: recall {matched / max(true_n, 1):.2f} precision "
        f"{matched / max(found_n, 1):.2f} type right {typed / max(matched, 1):.2f} "
        f"due right {dated / max(matched, 1):.2f}; missed {dict(missed)} extra {dict(extra)}"
    )


# --- criteria.yaml --------------------------------------------------------------------------------------------------


def wrap(criterion: dict[str, Any], phrase: str, role: Role, negative: bool = False) -> Transcript:
    """The phrase said by `role` inside a small call, at a place inside the criterion's window."""
    window, name = criterion["window"], criterion["id"]
    said: list[tuple[Role, int, str]] = [("citizen", 12, "ja hallo het gaat over iets bij ons in de buurt")]
    holds: tuple[tuple[int, int], ...] = ()
    events: tuple[Event, ...] = ()
    at = {
        "pre_agent_or_opening": 1, "opening": 1, "intake": 24, "before_answer": 24, "any": 60, "any_after_intake": 60,
        "after_callback_promise": 66, "wrap": 150, "closing": 185, "around_transfer": 66, "whole_call": 60,
    }.get(window, 60)  # fmt: skip
    if window == "around_hold":
        holds = ((70_000, 85_000),)
        at = 86 if name == "hold_thanks" else 64
    if window == "around_transfer":
        events = (Event("transfer", "agent", 76_000, 77_000),)
        said.append(("agent", 80, "ja hoi"))
    if window == "after_callback_promise":
        said.append(("agent", 60, "mijn collega belt u morgen terug"))
    if window == "before_answer":
        second = "en uw postcode" if "geboorte" in phrase else "en uw geboortedatum"
        said.append(("agent", 40, second))
    said.append((role, at, phrase))
    if name == "dead_air":
        # A hint must explain a silence that is too short to count; an explanation must excuse one that is long enough.
        said = (
            [("agent", 20, "nu dat is goed"), (role, 36, phrase)]
            if not negative
            else [("agent", 20, phrase), ("agent", 20 + 24, "nu dat is goed")]
        )
    if name == "interruption":
        said.append(("agent", 55, "ja"))
    if name == "dead_air":
        turns = tuple(
            Turn(i, r, t * 1000, t * 1000 + 6000, text)
            for i, (r, t, text) in enumerate([("agent", 14, "ja"), *said, ("citizen", 50, "ja")])
        )
        return Transcript("x", None, turns, (), (), 56_000)
    if at < 10:
        said.append(("agent", 20, "ja"))
    else:
        said.append(("agent", 2, "hallo"))
    said.append(("citizen", 195, "ja"))
    said.sort(key=lambda s: s[1])
    turns = tuple(Turn(i, r, t * 1000, t * 1000 + 300 * len(text.split()), text) for i, (r, t, text) in enumerate(said))
    return Transcript("x", datetime.fromisoformat("2026-10-05T10:00:00+02:00"), turns, holds, events, 200_000)


def measure_phrases(detector: Detector, show: bool) -> None:
    import yaml

    criteria = yaml.safe_load((SHARED / "domain" / "criteria.yaml").read_text())["criteria"]
    sums = {"positives": [0, 0], "negatives": [0, 0], "wrong_speaker": [0, 0]}
    for criterion in criteria:
        index = detector.ids.index(criterion["id"])
        own: Role = (
            "citizen" if criterion["speaker"] in ("citizen", "both") or criterion["id"] == "interruption" else "agent"
        )
        other: Role = "agent" if own == "citizen" else "citizen"
        wrong = []
        for kind, count in sums.items():
            for phrase in criterion[kind]:
                role = other if kind == "wrong_speaker" else own
                negative = kind == "negatives"
                row = detector(wrap(criterion, phrase, role, negative))[index]
                good = row.detected == (kind == "positives")
                count[int(good)] += 1
                if not good:
                    wrong.append(f"{kind[:8]}: {phrase} p={row.probability} {[e.quote for e in row.evidence]}")
        if show and wrong:
            print(criterion["id"])
            for line in wrong:
                print("   ", line)
    for kind, (bad, good) in sums.items():
        verb = "found" if kind == "positives" else "rejected"
        print(f"{kind}: {verb} {good}/{good + bad} = {good / (good + bad):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--show", action="store_true", help="print what went wrong (tuning calls and phrases only)")
    parser.add_argument("--only", choices=("calls", "phrases", "promises", "topics"))
    args = parser.parse_args()
    config = load_config()
    detector = load_detector(config)
    if args.only in (None, "calls"):
        print("== tuning calls (d01, d09-d16)")
        measure(detector, TUNE, args.show, True)
        print("== held-out calls (d02-d08)")
        measure(detector, HELD_OUT, False, True)
    if args.only in (None, "promises"):
        for name, calls, show in (("tuning", TUNE, args.show), ("held out", HELD_OUT, False)):
            print(f"== promises, {name}")
            measure_promises(config, calls, show)
    if args.only in (None, "topics"):
        topics = load_topics(config)
        for name, calls in (("tuning", TUNE), ("held out", HELD_OUT)):
            right = 0
            for call_id in calls:
                truth = load_dev(call_id)
                verdict = topics(to_transcript(truth))
                topic, probability = verdict.main, verdict.probability
                good = topics.is_same(topic, truth.topic)
                right += good
                if args.show and name == "tuning":
                    print(f"  {call_id} {truth.topic} -> {topic} {probability:.2f} {'' if good else 'WRONG'}")
            print(f"== topics, {name}: right {right}/{len(calls)}")
    if args.only in (None, "phrases"):
        print("== phrases of criteria.yaml")
        measure_phrases(detector, args.show)


if __name__ == "__main__":
    main()
