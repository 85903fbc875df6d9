"""What a phrase never seen gets: leave-one-phrase-out over the example phrases of the criteria.

usage: .venv/bin/python -m tests.measure.unseen [--show]

For each phrase with the source criteria.yaml in models/criteria/turns.jsonl everything that exists because of it alone
is left out: the models are those that saw no version of the line (five folds), a pattern counts only if another
line with a label for the criterion matches it too, and so for a counter-pattern.  What is left is
weighed by the shipped calibration.  Beside it, the patterns alone on lines written by somebody who had not seen them
(source own).  unexplained_jargon is a word list, interruption and dead_air are measured: they have no phrases to leave
out.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from callanalytics.config import load_config, project_root
from callanalytics.intervals import wilson_interval
from callanalytics.redaction.redactor import Redactor
from callanalytics.scoring import Detector, load_detector
from callanalytics.scoring.finding import CallText, Hit, combine, find_hits, learned_hits
from callanalytics.scoring.learned import Match, load_calibration
from callanalytics.scoring.phrases import Phrases
from callanalytics.training.criteria import (
    Example,
    Line,
    cross_odds,
    examples,
    groups_of,
    label,
    one_turn,
    platt,
    read_lines,
    rows_of,
    vectorise,
)

FOLDER = project_root() / "models" / "criteria"


def never_seen(found: Sequence[Example], names: Sequence[str]) -> dict[tuple[int, str], float]:
    """(line, group) -> probability of the line as written, by a model that saw no version of it."""
    import numpy as np

    _, _, table = vectorise(found)
    result: dict[tuple[int, str], float] = {}
    for name in names:
        rows, truth = rows_of(found, name)
        lines = np.array([found[i].line for i in rows])
        if len(set(lines[truth])) < 8:
            continue
        odds = cross_odds(table[rows], truth, lines, 0)
        heard = np.array([found[i].is_heard for i in rows])
        slope, offset = platt(odds[heard], truth[heard])
        for i, value in zip(rows, odds, strict=True):
            key = (found[i].line, name)
            if key not in result:  # the first version of a line is the one as written
                result[key] = float(1 / (1 + np.exp(-(slope * value + offset))))
    return result


def supported(call: CallText, phrases: Phrases, support: Mapping[str, int]) -> list[Hit]:
    """The finds by patterns that another phrase supports; only counter-patterns that another line supports count."""
    return find_hits(*only_supported(call, phrases, support), lambda _: [])


def only_supported(call: CallText, phrases: Phrases, support: Mapping[str, int] | None) -> tuple[Phrases, CallText]:
    """Phrases and call without the patterns and counter-patterns that no other line supports; all without `support`."""
    if support is None:
        return phrases, call
    kept = dataclasses.replace(
        phrases,
        patterns=tuple(p for p in phrases.patterns if support[p.line] >= 2),
        weak=tuple(p for p in phrases.weak if support[p.line] >= 2),
        unless=tuple(p for p in phrases.unless if support[f"not {p.line}"] >= 2),
    )
    lines = {p.line for p in (*kept.patterns, *kept.weak)}
    against = {p.line for p in kept.unless}
    matches = tuple(
        {
            group: [span for span in spans if span[2].line in (against if group.endswith(" not") else lines)]
            if group.removesuffix(" not").removesuffix(" weak") == phrases.name
            else spans
            for group, spans in found.items()
        }
        for found in call.matches
    )
    return kept, dataclasses.replace(call, matches=matches)


def heard_by_model(
    call: CallText, name: str, parts: Sequence[str], groups: Mapping[str, Phrases],
    learned: Mapping[tuple[int, str], float], line: int, support: Mapping[str, int] | None,
) -> float:  # fmt: skip
    """What the model that saw no version of the line makes of it, after guards and counter-phrases."""
    best = dict.fromkeys(parts, 0.0)
    for part in parts:
        find = Match(0, len(call.turns[0].doc), learned.get((line, part), 0.0))
        phrases, bare = only_supported(call, groups[part], support)
        hits = learned_hits(phrases, dataclasses.replace(bare, finds=({part: [find]},)), lambda _: [])
        best[part] = max((hit.probability for hit in hits), default=0.0)
    if len(parts) == 1:
        return best[name]
    two = sorted((p for part, p in best.items() if part != name), reverse=True)[:2]
    return max(best.get(name, 0.0), min(two))


def lines_at_work(call: CallText, phrases: Phrases) -> set[str]:
    """The patterns that find something in the call, and "not ..." the counter-patterns that take something back."""
    kept = {hit.pattern.line for hit in find_hits(phrases, call, lambda _: [])}
    bare = find_hits(dataclasses.replace(phrases, name=phrases.name, unless=()), without_counters(call), lambda _: [])
    if len(bare) > len(kept):
        kept |= {f"not {span[2].line}" for found in call.matches for span in found.get(f"{phrases.name} not", ())}
    return kept


def without_counters(call: CallText) -> CallText:
    matches = tuple({g: s for g, s in found.items() if not g.endswith(" not")} for found in call.matches)
    return dataclasses.replace(call, matches=matches)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    config = load_config()
    detector = load_detector(
        config.model_copy(update={"scorecard": config.scorecard.model_copy(update={"models": ""})})
    )
    calibration = load_calibration(FOLDER / "calibration.json")
    lines = read_lines(FOLDER / "turns.jsonl")
    groups = {name: dataclasses.replace(p, window="any", cancelled_by=()) for name, p in groups_of(detector).items()}
    names = [name for name in groups if name in detector.ids]
    found = examples(lines, detector, Redactor(config))
    learned = never_seen(found, list(groups))
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for name in names:
        measure(name, detector, groups, lines, learned, calibration, sums, options.show)
    print("\n| | n | share | 95 % |\n| --- | --- | --- | --- |")
    for title, counts in sums.items():
        n, hits = counts["n"], counts["found"]
        low, high = wilson_interval(hits, n) or (0.0, 0.0)
        print(f"| {title} | {n} | {hits / n:.3f} | {low:.3f}–{high:.3f} |")
    return 0


def measure(
    name: str, detector: Detector, groups: Mapping[str, Phrases], lines: Sequence[Line],
    learned: Mapping[tuple[int, str], float], calibration: Any, sums: dict[str, Counter[str]], show: bool,
) -> None:  # fmt: skip
    surely = load_config().scorecard.uncertain_between[1]
    parts = [group for group in groups if group == name or group.startswith(f"{name} factor ")]
    chosen = [
        (i, line) for i, line in enumerate(lines) if name in line.yes | line.no and line.source == "criteria.yaml"
    ]
    calls = {i: detector.read(one_turn(line.role, [(w, 1.0) for w in line.text.split()])) for i, line in chosen}
    support: Counter[str] = Counter()
    for line in lines:
        if name in line.yes | line.no:
            call = detector.read(one_turn(line.role, [(w, 1.0) for w in line.text.split()]))
            for part in parts:
                support.update(lines_at_work(call, groups[part]))
    for i, line in chosen:
        if name not in label(detector, groups, line):
            continue  # said by the wrong speaker: rejected whatever the words
        scores = {part: combine(supported(calls[i], groups[part], support)) for part in parts}
        two = sorted((p for part, p in scores.items() if part != name), reverse=True)[:2]
        patterns = max(scores[name], min(two) if len(two) == 2 else 0.0)
        model = heard_by_model(calls[i], name, parts, groups, learned, i, support)
        probability = calibration(name, patterns, model, 1.0)
        kind = "phrases of criteria.yaml, found" if name in line.yes else "look-alikes of criteria.yaml, taken for it"
        for title, is_found in (
            (f"left out: {kind}", probability >= 0.5),
            (f"left out: {kind}, beyond doubt", probability >= surely),
            (f"left out, patterns alone: {kind}", patterns >= 0.5),
            (f"left out, models alone: {kind}", model >= 0.5),
        ):
            sums[title]["n"] += 1
            sums[title]["found"] += is_found
        if show and (probability >= 0.5) != (name in line.yes):
            print(f"{name} {'MISSED' if name in line.yes else 'FALSE'} {patterns:.2f} {probability:.2f} {line.text}")
    for i, line in enumerate(lines):
        if line.source == "own" and name in line.yes | line.no and line.role != "ivr":
            call = detector.read(one_turn(line.role, [(w, 1.0) for w in line.text.split()]))
            scores = {part: combine(find_hits(groups[part], call, lambda _: [])) for part in parts}
            two = sorted((p for part, p in scores.items() if part != name), reverse=True)[:2]
            patterns = max(scores[name], min(two) if len(two) == 2 else 0.0)
            model = heard_by_model(call, name, parts, groups, learned, i, None)
            kind = "own phrases, found" if name in line.yes else "own look-alikes, taken for it"
            for title, is_found in (
                (f"all patterns, models that saw no version: {kind}", calibration(name, patterns, model, 1.0) >= 0.5),
                (f"all patterns alone: {kind}", patterns >= 0.5),
            ):
                sums[title]["n"] += 1
                sums[title]["found"] += is_found


if __name__ == "__main__":
    raise SystemExit(main())
