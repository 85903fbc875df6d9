"""Figures of the role model: `.venv/bin/python -m tests.measure.roles [--data FILE]`.  Prints figures only, never text.

Turns come from the truth of the development calls, as a recording would give them: one speaker per party in mono,
one per channel in stereo, where announcement, agent and second agent share a channel and become one turn when they
follow each other closely.  Clean, and spelt as a weak recogniser would.  Two models are judged:

without-dev  trained without any development call, on all of them
shipped      models/roles as it is, on the calls that it never saw (d02 to d08)

Accuracy is the share of spoken time whose role is right; unknown counts as wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from callanalytics.call.roles import KNOWN_ROLES, RoleModel, assign_roles
from callanalytics.records import Role, Turn, Word
from callanalytics.training.lines import misrecognise, read_utterances
from callanalytics.training.roles import train_roles
from tests.support.paths import ROOT

TRUTH = ROOT.parent / "shared" / "calls" / "dev" / "truth"
ROLES: dict[str, Role] = {"A": "agent", "T": "agent", "C": "citizen", "I": "ivr"}
HELD_OUT = tuple(f"d{number:02d}" for number in range(2, 9))
PAUSE_MS = 2000


def turns_of(truth: dict[str, Any], noise: float, rng: random.Random) -> tuple[list[Turn], list[tuple[int, int, Role]]]:
    """The turns as recognition would give them, and the true role of every stretch of speech."""
    is_stereo = truth["layout"].startswith("stereo")
    swapped = truth["layout"] == "stereo_swapped"
    turns: list[Turn] = []
    spans: list[tuple[int, int, Role]] = []
    for said in truth["turns"]:
        start, end = round(said["start"] * 1000), round(said["end"] * 1000)
        spans.append((start, end, ROLES[said["speaker"]]))
        text = misrecognise(said["text"], rng, noise) if noise else said["text"]
        tokens = text.split()
        if not tokens:
            continue
        step = (end - start) / len(tokens)
        words = tuple(Word(t, round(start + i * step), round(start + (i + 1) * step)) for i, t in enumerate(tokens))
        channel = None
        speaker = f"SPEAKER_{'ACTI'.index(said['speaker']):02d}"
        if is_stereo:
            channel = int((said["speaker"] == "C") != swapped)
            speaker = f"ch{channel}"
        last = turns[-1] if turns else None
        if last and last.speaker == speaker and start - last.end_ms < PAUSE_MS:
            turns[-1] = Turn(
                last.turn_index,
                "unknown",
                last.start_ms,
                end,
                f"{last.text} {text}",
                last.words + words,
                channel,
                speaker,
            )
        else:
            turns.append(Turn(len(turns), "unknown", start, end, text, words, channel, speaker))
    return turns, spans


def right_ms(turns: list[Turn], spans: list[tuple[int, int, Role]]) -> tuple[int, int]:
    """Spoken time whose role is right, and spoken time, both in ms."""
    right = sum(
        max(0, min(end, turn.end_ms) - max(start, turn.start_ms))
        for start, end, role in spans
        for turn in turns
        if turn.role == role
    )
    return right, sum(end - start for start, end, _ in spans)


def evaluate(model: RoleModel, calls: list[dict[str, Any]], noise: float, metadata: bool, seed: int) -> dict[str, Any]:
    rng = random.Random(seed)
    kinds: dict[str, list[int]] = {"stereo": [0, 0, 0], "mono": [0, 0, 0]}
    worst = (1.0, "", 1.0)
    for truth in calls:
        kind = "stereo" if truth["layout"].startswith("stereo") else "mono"
        turns, spans = turns_of(truth, noise, rng)
        agent_channel = {"stereo": 0, "stereo_swapped": 1}.get(truth["layout"])
        channel_roles: dict[int, Role] | None = (
            {agent_channel: "agent"} if metadata and agent_channel is not None else None
        )
        assigned, assignment = assign_roles(model, turns, channel_roles)
        right, total = right_ms(assigned, spans)
        # Overlapping speech counts once per speaker, so a call can't exceed its own total.
        right = min(right, total)
        kinds[kind][0] += 1
        kinds[kind][1] += right
        kinds[kind][2] += total
        worst = min(worst, (right / total, truth["call_id"], assignment.confidence))
    return {
        **{kind: {"calls": n, "accuracy": round(r / t, 4) if t else None} for kind, (n, r, t) in kinds.items()},
        "worst": {"call_id": worst[1], "accuracy": round(worst[0], 4), "confidence": round(worst[2], 4)},
    }


def text_alone(model: RoleModel, calls: list[dict[str, Any]], noise: float, seed: int) -> float:
    """Share of spoken time whose role is the likeliest one of its turn's text, without the rest of the call."""
    rng = random.Random(seed)
    right = total = 0.0
    for said in (said for truth in calls for said in truth["turns"]):
        [shares] = model.probabilities([misrecognise(said["text"], rng, noise) if noise else said["text"]])
        seconds = said["end"] - said["start"]
        total += seconds
        right += seconds * (KNOWN_ROLES[shares.index(max(shares))] == ROLES[said["speaker"]])
    return right / total


def mislabelled(model: RoleModel, calls: list[dict[str, Any]], first: int, seed: int) -> dict[str, float]:
    """Mono calls in which one turn in ten has another speaker's label, cut to their `first` turns; five draws."""
    rng = random.Random(seed)
    right = total = unknown = 0
    for truth in [truth for truth in calls if not truth["layout"].startswith("stereo")] * 5:
        turns, spans = turns_of({**truth, "turns": truth["turns"][:first]}, 0.25, rng)
        labels = [*sorted({turn.speaker for turn in turns}), "SPEAKER_09"]
        turns = [replace(t, speaker=rng.choice(labels)) if rng.random() < 0.1 else t for t in turns]
        assigned, _ = assign_roles(model, turns)
        call_right, call_total = right_ms(assigned, spans)
        right, total = right + call_right, total + call_total
        unknown += sum(turn.end_ms - turn.start_ms for turn in assigned if turn.role == "unknown")
    return {"accuracy": round(right / total, 4), "unknown": round(unknown / total, 4)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT / "models" / "roles" / "turns.jsonl")
    parser.add_argument("--min-confidence", type=float, default=0.75)
    options = parser.parse_args()
    if not TRUTH.is_dir():
        print(f"skipped: {TRUTH} is not here", file=sys.stderr)
        return 0
    calls = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(TRUTH.glob("*.json"))]
    held_out = [truth for truth in calls if truth["call_id"] in HELD_OUT]
    with tempfile.TemporaryDirectory() as folder:
        rest = Path(folder) / "turns.jsonl"
        kept = [u for u in read_utterances(options.data) if not u.source.startswith("dev:")]
        rest.write_text("".join(json.dumps({"role": u.role, "text": u.text}) + "\n" for u in kept), encoding="utf-8")
        train_roles(rest, Path(folder))
        models = {
            "without-dev": (RoleModel(Path(folder), options.min_confidence), calls),
            "shipped": (RoleModel(ROOT / "models" / "roles", options.min_confidence), held_out),
        }
    for name, (model, judged) in models.items():
        for noise in (0.0, 0.25, 0.4):
            for metadata in (False, True):
                figures = evaluate(model, judged, noise, metadata, seed=1)
                print(json.dumps({"model": name, "noise": noise, "metadata": metadata, **figures}))
    model, judged = models["without-dev"]
    for noise in (0.0, 0.25, 0.4):
        figure = round(text_alone(model, judged, noise, seed=1), 4)
        print(json.dumps({"model": "without-dev", "text_alone": figure, "noise": noise}))
    for first in (6, 10, 99):
        figures = mislabelled(model, judged, first, seed=1)
        print(json.dumps({"model": "without-dev", "mislabelled": 0.1, "noise": 0.25, "turns": first, **figures}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
