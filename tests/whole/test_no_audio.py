"""Review, `score` and `rescore` work on words: none of them loads audio code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

AUDIO = {f"callanalytics.call.{name}" for name in ("audio", "speech", "transcribe", "diarize", "campplus", "pipeline")}
AUDIO |= {"av", "ctranslate2", "faster_whisper", "pyannote", "torch", "torchaudio"}


def audio_modules_after(code: str) -> set[str]:
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return AUDIO & set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("module", ["scoring.scorer", "review.app", "engine.rescore", "call.fingerprint"])
def test_importing_loads_no_audio_code(module: str) -> None:
    assert audio_modules_after(f"import callanalytics.{module}") == set()


def test_the_pipeline_is_what_loads_audio_code() -> None:
    assert AUDIO & {"callanalytics.call.audio", "callanalytics.call.pipeline"} <= audio_modules_after(
        "import callanalytics.call.pipeline"
    )


def test_scoring_a_transcript_loads_no_audio_code(tmp_path: Path) -> None:
    turns = [
        {"role": "agent", "start_ms": 0, "end_ms": 2000, "text": "goedemorgen gemeente Voorbeeldstad met Sanne"},
        {"role": "citizen", "start_ms": 2000, "end_ms": 4000, "text": "ik bel over mijn paspoort"},
    ]
    transcript = tmp_path / "call.json"
    transcript.write_text(json.dumps({"call_id": "c1", "turns": turns}))
    code = f"from callanalytics.cli.main import main\nassert main(['score', {str(transcript)!r}]) == 0"
    assert audio_modules_after(code) == set()
