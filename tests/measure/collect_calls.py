"""Turns an OUT and its truth files into the calls that `callanalytics train criteria` calibrates on.

usage: .venv/bin/python -m tests.measure.collect_calls OUT TRUTH_DIR CALLS.jsonl [CALL_ID ...]

Each call is added twice: as OUT holds it, and as written in the truth file.  Both hold placeholders for personal data.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import astuple
from pathlib import Path
from typing import Any

from callanalytics.evaluation.outcomes import read_outcomes
from callanalytics.evaluation.truth import load_truths, perfect_transcript
from callanalytics.records import Transcript
from callanalytics.scoring.reader import turn_words


def to_tree(transcript: Transcript, truth: dict[str, str], is_heard: bool) -> dict[str, Any]:
    turns = [
        {
            "role": turn.role,
            "speaker": turn.speaker,
            "start_ms": turn.start_ms,
            "end_ms": turn.end_ms,
            "words": [[w.text, w.start_ms, w.end_ms, round(w.confidence, 2)] for w in turn_words(turn)],
        }
        for turn in transcript.turns
    ]
    return {
        "call_id": transcript.call_id,
        "heard": is_heard,
        "started_at": transcript.started_at.isoformat() if transcript.started_at else None,
        "duration_ms": transcript.duration_ms,
        "holds": transcript.holds,
        "events": [astuple(event) for event in transcript.events],
        "turns": turns,
        "truth": truth,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("truth_dir", type=Path)
    parser.add_argument("calls", type=Path)
    parser.add_argument("chosen", nargs="*", metavar="CALL_ID")
    options = parser.parse_args()
    truths = load_truths(options.truth_dir)
    outcomes, _ = read_outcomes(options.out)
    with options.calls.open("a", encoding="utf-8") as file:
        for call_id in sorted(truths.keys() & outcomes.keys()):
            if options.chosen and call_id not in options.chosen:
                continue
            truth, outcome = truths[call_id], outcomes[call_id]
            heard = Transcript(
                call_id, outcome.started_at, outcome.turns, outcome.holds, outcome.events, outcome.duration_ms
            )
            written = perfect_transcript(truth, outcome.started_at)
            for transcript, is_heard in ((heard, True), (written, False)):
                file.write(json.dumps(to_tree(transcript, dict(truth.criteria), is_heard), ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
