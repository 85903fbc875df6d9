"""Measures the scorecard on perfect transcripts and on the phrases of criteria.yaml.

Run: python tests/eval_criteria.py [--show] [--only calls|phrases|promises|topics]

Development calls d01 and d09 to d16 were used for tuning; d02 to d08 are held out: of those only sums are printed.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

from callanalytics.config import load_config
from callanalytics.criteria import Detector, load_detector
from callanalytics.criteria.promises import find_promises
from callanalytics.records import Event, PromiseRow, Role, Transcript, Turn
from callanalytics.topics import load_topics

SHARED = Path(__file__).resolve().parents[2] / "shared"
HELD_OUT = tuple(f"d{i:02d}" for i in range(2, 9))
TUNE = ("d01", *(f"d{i:02d}" for i in range(9, 17)))
KINDS = {"person_name": "NAME", "licence_plate": "PLATE"}
ROLES: dict[str, Role] = {"agent": "agent", "agent2": "agent", "citizen": "citizen", "ivr": "ivr"}


def load_truth(call_id: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((SHARED / "calls" / "dev" / "truth" / f"{call_id}.json").read_text())
    return data


def started_at(call_id: str) -> datetime:
    for line in (SHARED / "calls" / "dev" / "calls.csv").read_text().splitlines()[1:]:
        fields = line.split(",")
        if fields[0] == call_id:
            return datetime.fromisoformat(fields[2])
    raise KeyError(call_id)


def to_transcript(truth: dict[str, Any]) -> Transcript:
    """The truth's turns as a redacted transcript with the events that the pipeline would have measured."""
    turns: list[Turn] = []
    for index, t in enumerate(truth["turns"]):
        text = t["text"]
        for pii in sorted(truth["pii"], key=lambda p: -len(p["text"])):
            if pii["s"] == t["speaker"]:
                text = text.replace(pii["text"], f"[{KINDS.get(pii['kind'], pii['kind'].upper())}]")
        role = ROLES[truth["roles"][t["speaker"]]]
        turns.append(Turn(index, role, round(t["start"] * 1000), round(t["end"] * 1000), text, speaker=t["speaker"]))
    holds = tuple((round(a), round(b)) if b > 2000 else (round(a * 1000), round(b * 1000)) for a, b in truth["holds"])
    events = [Event("hold", "agent", *hold) for hold in holds]
    people = [t for t in turns if t.role in ("agent", "citizen")]
    agents = [t for t in people if t.role == "agent"]
    for one, two in itertools.pairwise(agents):
        if one.speaker != two.speaker:
            events.append(Event("transfer", "agent", one.end_ms, two.start_ms))
    for one, two in itertools.pairwise(people):
        gap = (one.end_ms, two.start_ms)
        if gap[1] - gap[0] > 15_000 and not any(h[0] < gap[1] and gap[0] < h[1] for h in holds):
            events.append(Event("dead_air", "", *gap))
        overlap = min(one.end_ms, two.end_ms) - two.start_ms
        if overlap > 0:
            events.append(Event("overlap", two.role, two.start_ms, two.start_ms + overlap))
        # The truth's times stop the interrupted party soon after; 1 s of going on is what the definition asks.
        if overlap >= 1000 and len(two.text.split()) >= 3 and one.role != two.role:
            events.append(Event("interruption", two.role, two.start_ms, two.start_ms + overlap))
    return Transcript(
        truth["call_id"],
        started_at(truth["call_id"]),
        tuple(turns),
        holds,
        tuple(events),
        round(truth["duration_s"] * 1000),
    )


def kappa(tp: int, fp: int, fn: int, tn: int) -> float:
    n = tp + fp + fn + tn
    observed = (tp + tn) / n
    chance = ((tp + fp) * (tp + fn) + (fn + tn) * (fp + tn)) / n / n
    return 1.0 if chance == 1 else (observed - chance) / (1 - chance)


def measure(detector: Detector, calls: tuple[str, ...], show: bool, per_criterion: bool) -> None:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    applicability: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    total_uncertain = [0, 0]
    for call_id in calls:
        truth = load_truth(call_id)
        for row in detector(to_transcript(truth)):
            label = truth["criteria"].get(row.criterion)
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
        precision = tp / (tp + fp) if tp + fp else 0.0
        recall = tp / (tp + fn) if tp + fn else 0.0
        f1 = 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 1.0
        both = (tp + fn) > 0 and (fp + tn) > 0
        scores[name] = (f1, kappa(tp, fp, fn, tn), both)
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
    found_n = true_n = matched = typed = dated = 0
    missed: Counter[str] = Counter()
    extra: Counter[str] = Counter()
    for call_id in calls:
        truth = load_truth(call_id)
        rows = list(find_promises(to_transcript(truth), config))
        found_n += len(rows)
        true_n += len(truth["promise"])
        left = list(rows)
        for wanted in truth["promise"]:
            best = max(left, key=lambda r: _likeness(r, wanted), default=None)
            if best is None or _likeness(best, wanted) <= 0:
                missed[wanted["type"]] += 1
                if show:
                    print(f"  MISSED {call_id} {wanted['type']}: {wanted['quote']} | {wanted['deadline_text']}")
                continue
            left.remove(best)
            matched += 1
            typed += best.type == wanted["type"]
            right = _same_due(best.due_at, wanted["due"], config)
            dated += right
            if show and (not right or best.type != wanted["type"]):
                print(
                    f"  WRONG {call_id} {wanted['type']} {wanted['due']} -> "
                    f"{best.type} {best.due_at} {best.deadline_text!r}: {best.quote}"
                )
        extra.update(row.type for row in left)
        if show:
            for row in left:
                print(f"  EXTRA {call_id} {row.type} {row.deadline_text!r}: {row.quote}")
    print(
        f"promises: true {true_n} found {found_n} matched {matched}: recall {matched / max(true_n, 1):.2f} precision "
        f"{matched / max(found_n, 1):.2f} type right {typed / max(matched, 1):.2f} "
        f"due right {dated / max(matched, 1):.2f}; missed {dict(missed)} extra {dict(extra)}"
    )


def _likeness(row: PromiseRow, wanted: dict[str, Any]) -> float:
    a = set(row.quote.lower().replace(",", "").replace(".", "").split())
    b = set(wanted["quote"].lower().replace(",", "").replace(".", "").split())
    shared = len(a & b) / max(len(b), 1)
    return shared + (0.3 if row.type == wanted["type"] else 0) if shared >= 0.3 else 0


def _same_due(due: datetime | None, wanted: str | None, config: Any) -> bool:
    from zoneinfo import ZoneInfo

    if wanted is None or due is None:
        return wanted is None and due is None
    if len(wanted) == 10:
        return due.astimezone(ZoneInfo(config.municipality.timezone)).date().isoformat() == wanted
    return due == datetime.fromisoformat(wanted)


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
                truth = load_truth(call_id)
                topic, probability = topics(to_transcript(truth))
                good = topics.is_same(topic, truth["topic"])
                right += good
                if args.show and name == "tuning":
                    print(f"  {call_id} {truth['topic']} -> {topic} {probability:.2f} {'' if good else 'WRONG'}")
            print(f"== topics, {name}: right {right}/{len(calls)}")
    if args.only in (None, "phrases"):
        print("== phrases of criteria.yaml")
        measure_phrases(detector, args.show)


if __name__ == "__main__":
    main()
