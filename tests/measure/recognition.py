"""Word errors beside plain faster-whisper: the same model, the same recordings, one run.

usage: .venv/bin/python -m tests.measure.recognition [CALL_ID ...]

Prints a row per dev call: plain = faster-whisper's `transcribe` with its defaults, VAD and word times; ours = this
project's speech detection, batches and turns.  The reference is every turn's text in time order, lower-cased, without
punctuation; both hypotheses are read in time order too.  Nothing is redacted here: recognition alone is judged.
"""

import argparse
import json
import re
import sys
import time

import jiwer
from faster_whisper import WhisperModel

from callanalytics.call.pipeline import Worker
from callanalytics.config import load_config
from callanalytics.engine.intake import Refused, list_calls
from callanalytics.models import find_model
from tests.support.paths import DEV

TUNED = {"d01", *(f"d{n:02d}" for n in range(9, 17))}


def plain_text(text: str) -> str:
    """Lower case, no punctuation."""
    return " ".join(re.sub(r"[^\w\s]", " ", text.lower()).split())


def main() -> None:
    """Recognise, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chosen", nargs="*", metavar="CALL_ID")
    chosen = parser.parse_args().chosen
    if not DEV.is_dir():
        sys.exit("the dev calls are not here (../shared/calls/dev)")
    config = load_config()
    worker = Worker(config)
    model = WhisperModel(str(find_model(config.models.recognition)), device="cpu", compute_type="int8", cpu_threads=2)
    rows = []
    for call in list_calls(DEV / "recordings", DEV / "calls.csv"):
        if isinstance(call, Refused) or (chosen and call.call_id not in chosen):
            continue
        truth = json.loads((DEV / "truth" / f"{call.call_id}.json").read_text())
        reference = plain_text(" ".join(t["text"] for t in sorted(truth["turns"], key=lambda t: t["start"])))
        started = time.perf_counter()
        segments, _ = model.transcribe(call.path, language="nl", vad_filter=True, word_timestamps=True)
        plain = plain_text(" ".join(s.text for s in segments))
        middle = time.perf_counter()
        heard = worker.decode(call)
        speakers = worker.diarize(heard) if heard.is_mixed else []
        turns = worker._turns(heard, worker._transcribe(heard.tracks), speakers)
        ours = plain_text(" ".join(t.text for t in turns))
        ended = time.perf_counter()
        rows.append((call.call_id, heard.recording.layout, reference, plain, ours))
        print(
            f"{call.call_id} {heard.recording.layout:9} words {len(reference.split()):4}"
            f"  plain {jiwer.wer(reference, plain):.3f}  ours {jiwer.wer(reference, ours):.3f}"
            f"  seconds {middle - started:.1f} / {ended - middle:.1f}",
            flush=True,
        )
    for name, keep in (
        ("all", lambda r: True),
        ("tuned", lambda r: r[0] in TUNED),
        ("held out", lambda r: r[0] not in TUNED),
        ("stereo", lambda r: r[1] == "stereo"),
        ("mono", lambda r: r[1] != "stereo"),
    ):
        chosen = [r for r in rows if keep(r)]
        if chosen:
            references = [r[2] for r in chosen]
            plain_wer, our_wer = (jiwer.wer(references, [r[i] for r in chosen]) for i in (3, 4))
            words = sum(len(r.split()) for r in references)
            print(f"{name:9} n={len(chosen):2} words {words:5}  plain {plain_wer:.4f}  ours {our_wer:.4f}")


if __name__ == "__main__":
    main()
