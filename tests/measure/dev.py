"""The main figures of an OUT over the development calls, tuned and held-out calls side by side, as Markdown.

usage: .venv/bin/python -m tests.measure.dev OUT [--truth DIR]

A second table shows what criteria, promises and topics make of the truth's own turns, so that
recognition loss and detection loss are told apart.  Prints figures only, never text.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from callanalytics.config import load_config
from callanalytics.evaluation.evaluate import evaluate
from callanalytics.evaluation.truth import load_truths
from tests.support.paths import TRUTH

GROUPS = {
    "tuned": {"d01", *(f"d{n:02d}" for n in range(9, 17))},
    "held out": {f"d{n:02d}" for n in range(2, 9)},
}
NAMED = (
    "greeting_municipality", "greeting_agent_name", "greeting_offer_help", "identity_verification", "callback_promise",
)  # fmt: skip
Figures = dict[str, Any]


def number(value: float | None, interval: list[float] | None, n: object) -> str:
    """ "0.912 [0.85, 0.95] n=30", a dash when there is nothing to measure."""
    if value is None:
        return f"– n={n}"
    return f"{value:.3f}{f' [{interval[0]:.2f}, {interval[1]:.2f}]' if interval else ''} n={n}"


def proportion(path: str, name: str = "accuracy") -> Callable[[Figures], str]:
    """A figure that says its own n and interval."""

    def of(figures: Figures) -> str:
        for key in path.split("."):
            figures = figures[key]
        return number(figures[name], figures["interval"], figures["n"])

    return of



SOUND: list[tuple[str, Callable[[Figures], str]]] = [
    ("WER (n words)", lambda f: number(f["wer"]["wer"], f["wer"]["interval"], f["wer"]["words"])),
    ("WER, numbers normalised", lambda f: number(
        f["wer_normalised"]["wer"], f["wer_normalised"]["interval"], f["wer_normalised"]["words"])),
    ("DER by role (n s)", lambda f: number(f["der"]["der"], f["der"]["interval"], round(f["der"]["scored_ms"] / 1000))),
    ("role accuracy (n s heard)", lambda f: number(
        f["roles"]["accuracy"], f["roles"]["interval"], round(f["roles"]["heard_ms"] / 1000))),
    ("coverage (n s spoken)", lambda f: number(f["roles"]["coverage"], None, round(f["roles"]["spoken_ms"] / 1000))),
]  # fmt: skip
FOUND: list[tuple[str, Callable[[Figures], str]]] = [
    ("criteria macro F1 (n criteria)", lambda f: number(
        f["criteria"]["macro"]["f1"], f["criteria"]["macro"]["f1_interval"], f["criteria"]["macro"]["criteria"])),
    ("criteria macro kappa (n criteria)", lambda f: number(
        f["criteria"]["macro"]["kappa"], f["criteria"]["macro"]["kappa_interval"], f["criteria"]["macro"]["criteria"])),
    ("criteria micro F1", lambda f: number(f["criteria"]["micro"]["f1"], None, f["criteria"]["micro"]["n"])),
    ("criteria precision", lambda f: number(
        f["criteria"]["micro"]["precision"], f["criteria"]["micro"]["precision_interval"],
        f["criteria"]["micro"]["tp"] + f["criteria"]["micro"]["fp"])),
    ("criteria recall", lambda f: number(
        f["criteria"]["micro"]["recall"], f["criteria"]["micro"]["recall_interval"],
        f["criteria"]["micro"]["tp"] + f["criteria"]["micro"]["fn"])),
    *((f"F1 {name}", lambda f, name=name: number(
        f["criteria"]["by_criterion"].get(name, {}).get("f1"), None,
        f["criteria"]["by_criterion"].get(name, {}).get("n", 0))) for name in NAMED),
    ("applicability", proportion("criteria.applicability")),
    ("uncertain, share of applicable", proportion("criteria.uncertain", "share")),
    ("errors held by uncertain", lambda f: number(
        f["criteria"]["uncertain"]["share_of_errors"], f["criteria"]["uncertain"]["share_of_errors_interval"],
        f["criteria"]["uncertain"]["errors"])),
    ("ECE, decided", lambda f: number(
        f["criteria"]["calibration"]["decided"]["ece"], None, f["criteria"]["calibration"]["decided"]["n"])),
    ("ECE, all", lambda f: number(
        f["criteria"]["calibration"]["all"]["ece"], None, f["criteria"]["calibration"]["all"]["n"])),
    ("Brier, all", lambda f: number(
        f["criteria"]["calibration"]["all"]["brier"], None, f["criteria"]["calibration"]["all"]["n"])),
    ("promises precision", proportion("promises.precision", "precision")),
    ("promises recall", proportion("promises.recall", "recall")),
    ("promise type right", proportion("promises.type")),
    ("due_at right", proportion("promises.due_at")),
    ("due_at right, where a date is due", proportion("promises.due_at_dated")),
    ("topic", proportion("topic")),
]  # fmt: skip
REST: list[tuple[str, Callable[[Figures], str]]] = [
    ("holds recall", proportion("holds", "recall")),
    ("holds false", lambda f: str(f["holds"]["false"])),
    ("hold boundary error, mean ms", lambda f: str(f["holds"]["boundary_error_ms"]["mean"])),
    ("redaction recall", proportion("redaction.all.recall", "recall")),
    ("redaction precision", proportion("redaction.all.precision", "precision")),
]


def table(rows: list[tuple[str, Callable[[Figures], str]]], columns: dict[str, Figures]) -> str:
    lines = ["| | " + " | ".join(f"{name} ({f['calls']} calls)" for name, f in columns.items()) + " |"]
    lines.append("| --- |" + " --- |" * len(columns))
    lines += [f"| {title} | " + " | ".join(show(f) for f in columns.values()) + " |" for title, show in rows]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--truth", type=Path, default=TRUTH)
    options = parser.parse_args()
    if not options.truth.is_dir():
        print(f"skipped: no truth at {options.truth}", file=sys.stderr)
        return 0
    config = load_config()
    truths = load_truths(options.truth)
    groups = {name: ids for name, ids in GROUPS.items() if ids & truths.keys()}
    found = evaluate(options.out, options.truth, config, groups)
    print(f"calls: {found['calls']}\n")
    columns = {**found["groups"], "all": found["overall"]}
    print(table([*SOUND, *FOUND, *REST], columns))
    print("\n" + table(SOUND, found["by_layout"]))
    kinds = [
        (f"redaction recall, {kind}", proportion(f"redaction.by_kind.{kind}.recall", "recall"))
        for kind in found["overall"]["redaction"]["by_kind"]
    ]
    print("\n" + table(kinds, {"all": found["overall"]}))
    print("\n| call | layout | WER | DER | roles | criteria right | promises | readable data |\n|" + " --- |" * 8)
    for call_id, one in found["per_call"].items():
        shares = " | ".join(
            "–" if one[key] is None else f"{one[key]:.3f}" for key in ("wer", "der", "role_accuracy")
        )
        criteria, promises, data = one["criteria"], one["promises"], one["redaction"]
        print(
            f"| {call_id} | {one['layout']} | {shares} | {criteria['right']}/{criteria['n']} | "
            f"{promises['found']} found, {promises['true']} true, {promises['stored']} stored | "
            f"{data['readable']}/{data['data']} |"
        )
    perfect = found["perfect"]
    print("\nPerfect transcripts (the true turns):\n")
    sides = {**perfect["groups"], "all": perfect["overall"]}
    calls = {name: columns[name]["calls"] for name in sides}
    print(table(FOUND, {name: {"calls": calls[name], **figures} for name, figures in sides.items()}))
    print("\n| criterion | n | F1 perfect | F1 recognised | precision | recall |\n|" + " --- |" * 6)
    for name, heard in found["overall"]["criteria"]["by_criterion"].items():
        written = perfect["overall"]["criteria"]["by_criterion"][name]
        print(
            f"| {name} | {heard['n']} | {number(written['f1'], written['f1_interval'], written['n'])} | "
            f"{number(heard['f1'], heard['f1_interval'], heard['n'])} | "
            f"{number(heard['precision'], heard['precision_interval'], heard['tp'] + heard['fp'])} | "
            f"{number(heard['recall'], heard['recall_interval'], heard['tp'] + heard['fn'])} |"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
