"""Redaction on the development calls: recall and precision per kind, for tuned and held-out calls apart.

    .venv/bin/python -m tests.measure.redact [--plain] [--words DIR] [--show] [--only tuned]
    .venv/bin/python -m tests.measure.redact --heard tests/data/redact_heard.txt [--said] [--show] [--only tuned]

Perfect transcripts are the truth's own turns; --plain takes their capitals and punctuation away.  With --words, DIR
holds <call>.json of recognised words ([channel, text, start_ms, end_ms, probability]); they go into the truth's turns
by time and are aligned with them.  --heard takes calls of our own that hear_redact.py had recognised, some of
them to tune on: short ones full of data and ordinary long ones, apart; --said reads what was said in them instead.

A datum is found when every content word of it is covered by a span; a span is right when it covers a word of a datum.
In recognised text only intelligible data count: of a number at least 60 % of its digits survived in order, of a name
one of its words is at least 75 % alike (capitalised words of the truth), other data are at least 60 % alike as text;
found means that what stays uncovered is no longer intelligible.  Held-out calls
print no text; --show prints the misses of tuned calls.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from callanalytics.config import load_config
from callanalytics.dutch.numbers import FILLERS, bare
from callanalytics.evaluation.redaction import carry_over, is_intelligible
from callanalytics.evaluation.truth import parse_truth
from callanalytics.records import Transcript, Turn, Word
from callanalytics.redaction.redactor import Redactor
from callanalytics.redaction.tokens import timed_words
from tests.support.paths import TRUTH

TUNED = frozenset(["d01", "d09", "d10", "d11", "d12", "d13", "d14", "d15", "d16"])
HELD_OUT = frozenset(["d02", "d03", "d04", "d05", "d06", "d07", "d08"])
ROLES = {"agent": "agent", "agent2": "agent", "citizen": "citizen", "ivr": "ivr"}
Words = list[list[Word]]  # per turn
ALL_FOR_TUNING = {*range(67, 94), *range(158, 286)}  # scripts; of the others the even ones
ORDINARY = 94  # scripts from here on are long calls in which little is said of persons
SMALL = FILLERS | {"nummer", "is", "de", "het"}


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--truth", type=Path, default=TRUTH)
    parser.add_argument("--words", type=Path)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--heard", type=Path)
    parser.add_argument("--said", action="store_true")
    parser.add_argument("--only", choices=["tuned", "held out"])
    options = parser.parse_args()
    if options.heard:
        return count_own(options)
    if not options.truth.is_dir():
        print(f"skipped: no development calls at {options.truth}", file=sys.stderr)
        return 0
    redactor = Redactor(load_config())
    for name, group in (("tuned", TUNED), ("held out", HELD_OUT)):
        if options.only not in (None, name):
            continue
        tally = Tally()
        for path in sorted(options.truth.glob("*.json")):
            if path.stem not in group:
                continue
            truth = json.loads(path.read_text(encoding="utf-8"))
            show = options.show and path.stem in TUNED
            recognised = json.loads((options.words / path.name).read_text()) if options.words else None
            call = call_of_truth(truth, recognised)
            if options.plain:
                call.make_plain()
            call.count(redactor, tally, show)
        report(name, tally)
    return 0


def count_own(options: argparse.Namespace) -> int:
    """Print the figures of our own calls."""
    redactor = Redactor(load_config())
    calls = read_heard(options.heard.read_text(encoding="utf-8"), options.said)
    for is_ordinary in (False, True):
        for name in ("tuned", "held out"):
            if options.only not in (None, name):
                continue
            tally = Tally()
            for call in calls:
                if is_for_tuning(call.number) == (name == "tuned") and (call.number >= ORDINARY) == is_ordinary:
                    if options.plain:
                        call.make_plain()
                    call.count(redactor, tally, options.show and name == "tuned")
            report(f"{name}, {'ordinary' if is_ordinary else 'short'} calls", tally)
    return 0


def is_for_tuning(number: int) -> bool:
    """Whether calls made from a script of redact_scripts.txt may be looked at."""
    return number % 2 == 0 or number in ALL_FOR_TUNING


@dataclass
class Tally:
    """Counts per kind: data found of those due, spans right of all spans."""

    found: Counter[str] = field(default_factory=Counter)
    due: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    spans: Counter[str] = field(default_factory=Counter)
    special: int = 0  # spans of special data, of which truth says nothing
    words: int = 0


class Call:
    """A call with its data located in the truth's words and, if given, carried over to recognised words."""

    def __init__(
        self, call_id: str, turns: Sequence[Turn], data: Sequence[tuple[str, int, list[int]]], heard: Words | None
    ) -> None:
        """`turns` as they were said, `data` as kind, turn and word positions, `heard` the words recognised per turn."""
        self.call_id = call_id
        self.is_recognised = heard is not None
        self.data: list[tuple[str, int, list[int], str]] = []  # kind, turn, word positions, text said
        own = []
        for index, turn in enumerate(turns):
            said = turn.text.split()
            words = tuple(timed_words(turn)) if heard is None else tuple(heard[index])
            own.append(replace(turn, words=words, text=" ".join(word.text for word in words)))
            carried = carry_over(said, [word.text for word in words])
            for kind, at, positions in data:
                if at == index:
                    here = sorted({new for old in positions for new in carried.get(old, [])})
                    self.data.append((kind, index, here, " ".join(said[p] for p in positions)))
        self.transcript = Transcript(self.call_id, None, tuple(own))

    @property
    def number(self) -> int:
        """The script a call of our own was made from."""
        return int(self.call_id.split(".")[0])

    def make_plain(self) -> None:
        """Take capitals and punctuation away from every word."""
        turns = []
        for turn in self.transcript.turns:
            words = tuple(replace(w, text=w.text.lower().strip(".,;:?!…\"'()")) for w in turn.words)
            turns.append(replace(turn, words=words, text=" ".join(word.text for word in words)))
        self.transcript = replace(self.transcript, turns=tuple(turns))

    def count(self, redactor: Redactor, tally: Tally, show: bool) -> None:
        """Add this call's figures."""
        found, due, right, spans = tally.found, tally.due, tally.right, tally.spans
        tally.words += sum(len(turn.words) for turn in self.transcript.turns)
        redacted = redactor(self.transcript)
        covered: dict[int, set[int]] = defaultdict(set)
        by_span = []
        for span in redacted.spans:
            words = self.transcript.turns[span.turn_index].words
            inside = {i for i, w in enumerate(words) if w.start_ms >= span.start_ms and w.end_ms <= span.end_ms}
            covered[span.turn_index] |= inside
            by_span.append((span, inside))
        personal: dict[int, set[int]] = defaultdict(set)
        for kind, turn, positions, text in self.data:
            words = [word.text for word in self.transcript.turns[turn].words]
            heard = [words[i] for i in positions]
            personal[turn] |= set(positions)
            if self.is_recognised and not is_intelligible(kind, text, heard):
                continue
            due[kind] += 1
            left = [words[i] for i in positions if i not in covered[turn]]
            if self.is_recognised:
                hit = not left or not is_intelligible(kind, text, left)
            else:
                hit = all(bare(word) in SMALL or not bare(word) for word in left)
            found[kind] += hit
            if show and not hit:
                print(f"  MISSED {self.call_id} {kind}: {text!r} heard {heard} left {left}", file=sys.stderr)
        for span, inside in by_span:
            near = {i + d for i in personal[span.turn_index] for d in ((-1, 0, 1) if self.is_recognised else (0,))}
            is_right = bool(inside & near)
            if span.kind == "special":
                tally.special += 1
                continue
            spans[span.kind] += 1
            right[span.kind] += is_right
            if show and not is_right:
                words = self.transcript.turns[span.turn_index].words
                around = [w.text for w in words[max(0, min(inside) - 4) : max(inside) + 3]]
                print(
                    f"  WRONG {self.call_id} {span.kind}: {[words[i].text for i in inside]} in {around}",
                    file=sys.stderr,
                )


def call_of_truth(truth: dict[str, Any], recognised: list[Any] | None) -> Call:
    """A development call."""
    # positions in the truth's turns as they stand in the file, which are in time order
    data = [(d.kind, d.turn, list(range(d.first, d.last))) for d in parse_truth(truth).data]
    turns = []
    for index, turn in enumerate(truth["turns"]):
        start, end = round(turn["start"] * 1000), round(turn["end"] * 1000)
        role = ROLES.get(truth["roles"].get(turn["speaker"], ""), "unknown")
        turns.append(Turn(index, role, start, end, turn["text"]))  # type: ignore[arg-type]
    heard = words_of_turns(truth, recognised) if recognised is not None else None
    return Call(truth["call_id"], turns, data, heard)


def read_heard(text: str, is_said: bool = False) -> list[Call]:
    """The calls of our own that a file made by hear_redact.py holds, as recognised or as said."""
    calls = []
    for block in text.strip().split("\n\n"):
        title, *lines = block.splitlines()
        turns: list[Turn] = []
        data: list[tuple[str, int, list[int]]] = []
        heard: Words = []
        for index, (line, found) in enumerate(zip(lines[::2], lines[1::2], strict=True)):
            speaker, marked = line.split(": ", 1)
            said, at = "", 0
            for slot in re.finditer(r"\{(\w+)\|([^}]*)\}", marked):
                said += marked[at : slot.start()]
                first = len((said + "x").split()) - 1
                said, at = said + slot.group(2), slot.end()
                data.append((slot.group(1), index, list(range(first, len(said.split())))))
            said += marked[at:]
            role = "citizen" if speaker == "C" else "agent"
            start, end = index * 10_000, index * 10_000 + 9_000
            turns.append(Turn(index, role, start, end, said))  # type: ignore[arg-type]
            heard.append(timed_words(Turn(index, role, start, end, found.removeprefix("=").strip())))  # type: ignore[arg-type]
        calls.append(Call(title.removeprefix("# "), turns, data, None if is_said else heard))
    return calls


def words_of_turns(truth: dict[str, Any], recognised: list[Any]) -> list[list[Word]]:
    """Recognised words put into the truth's turns: the turn of that channel whose time holds the word's middle."""
    turns = truth["turns"]
    channels: dict[str, Counter[int]] = defaultdict(Counter)
    for channel, _, start, end, _ in recognised:
        for turn in turns:
            if turn["start"] * 1000 <= (start + end) / 2 < turn["end"] * 1000:
                channels[turn["speaker"]][channel] += 1
    own = {speaker: count.most_common(1)[0][0] for speaker, count in channels.items()}
    result: list[list[Word]] = [[] for _ in turns]
    for channel, text, start, end, probability in recognised:
        middle = (start + end) / 2

        def distance(i: int, channel: int = channel, middle: float = middle) -> float:
            if own.get(turns[i]["speaker"], channel) != channel:
                return math.inf
            return max(0.0, turns[i]["start"] * 1000 - middle, middle - turns[i]["end"] * 1000)

        best = min(range(len(turns)), key=distance)
        if distance(best) < 1500:
            result[best].append(Word(text, start, max(end, start), probability))
    return result


def report(name: str, tally: Tally) -> None:
    """One line per kind and one for all."""
    print(name)
    print(f"{'':10s} {'kind':14s} {'recall':18s} precision")
    for kind in [*sorted(set(tally.due) | set(tally.spans)), "all"]:
        sides = (tally.found, tally.due), (tally.right, tally.spans)
        pairs = [[sum(c.values()) if kind == "all" else c[kind] for c in side] for side in sides]
        shares = [f"{a}/{b} = {a / b:.3f}" if b else "-" for a, b in pairs]
        print(f"{'':10s} {kind:14s} {shares[0]:18s} {shares[1]}")
    wrong = sum(tally.spans.values()) - sum(tally.right.values())
    print(f"{'':10s} wrong spans per 1,000 words: {1000 * wrong / max(1, tally.words):.2f} of {tally.words}")
    print(f"{'':10s} special data, of which truth says nothing: {tally.special} spans")


if __name__ == "__main__":
    sys.exit(main())
