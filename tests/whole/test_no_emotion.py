"""No emotion or stress is inferred from voice (EU AI Act, article 5(1)(f)): every column says where it comes from.

From sound come the times of speech and silence, who speaks, and how sure the recogniser was; nothing of how a voice
sounds.  A column that is not in SOURCES fails the first test: whoever adds one decides here what it is made of.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from callanalytics.config import Config, load_config
from callanalytics.engine import batch as engine
from callanalytics.models import read_manifest
from callanalytics.records import DATASETS, Segment, arrow_schema
from callanalytics.scoring import load_files
from tests.support.fakes import Clip, Watcher, write_audio
from tests.support.leaks import values_in
from tests.support.paths import PACKAGE

METADATA = "what was known before anyone listened, or about the run"
TIMING = "when somebody speaks and when nobody does"
SPEAKERS = "which of the call's voices speaks, by a label or channel; what the voice is like is forgotten"
RECORDING = "the file and its channels, how sure the recogniser was of its words"
WORDS = "the redacted words"
SCORES = "made of the words and the timing by the scorecard, the promises and the topics"
SOURCES: dict[str, dict[str, str]] = {
    "calls": {
        METADATA: "call_id started_at queue direction agent_ref caller_ref wait_s schema_version pipeline_fingerprint "
        "scoring_fingerprint scorecard_version run_id processed_at",
        RECORDING: "duration_ms recording recording_sha256 layout language_probability asr_confidence",
        SPEAKERS: "agent_channel role_confidence",
        TIMING: "speech_ms talk_ms_agent talk_ms_citizen talk_ratio_agent non_talk_ms max_non_talk_ms hold_ms "
        "hold_count overlap_ms interruptions_agent interruptions_citizen response_latency_ms_agent turns_agent "
        "turns_citizen",
        f"{WORDS} and their number": "wpm_agent wpm_citizen readability_agent sentence_words_agent",
        SCORES: "topic topic_probability topics.topic topics.probability topic_sensitive scorable not_scorable_reason "
        "score potential_score normalized_score compliance_status",
    },
    "turns": {
        METADATA: "call_id turn_index",
        SPEAKERS: "role channel speaker",
        TIMING: "start_ms end_ms words.start_ms words.end_ms",
        WORDS: "text words.text",
        RECORDING: "words.confidence",
    },
    "criteria": {
        METADATA: "call_id criterion scorecard_version",
        SCORES: "applicable detected status probability source evidence.turn_index",
        SPEAKERS: "evidence.role",
        TIMING: "evidence.start_ms evidence.end_ms",
        WORDS: "evidence.quote evidence.alternative",
    },
    "promises": {
        METADATA: "call_id promise_index",
        WORDS: "type by deadline_text due_at number_confirmed quote",
        TIMING: "start_ms end_ms",
    },
    "events": {METADATA: "call_id", TIMING: "type start_ms end_ms", SPEAKERS: "by"},
    "score_history": {
        METADATA: "call_id scorecard_version scoring_fingerprint superseded_at",
        SCORES: "score potential_score normalized_score compliance_status criteria.criterion criteria.status "
        "criteria.probability",
    },
    "failures": {
        METADATA: "call_id recording recording_sha256 stage error message attempts state pipeline_fingerprint run_id "
        "failed_at",
    },
    "runs": {
        METADATA: "run_id started_at finished_at found resumed published failed standing duplicates left audio_ms "
        "wall_ms wall_ms_by_stage.key wall_ms_by_stage.value versions.key versions.value pipeline_fingerprint",
    },
}
SCORECARD = re.compile(r"(item|criterion|probability)_(.+)")  # columns of `calls` named after items and criteria
VOICE = re.compile(
    r"pitch|prosod|jitter|shimmer|emoti|sentiment|arousal|valence|intonat|formant|timbre|tremor|"
    r"\bf0\b|fundamental_?freq|voice_?(quality|stress)|stress_?level|\bmood\b|\bstemming\b|(?<![a-z])(anger|angry)|"
    r"parselmouth|opensmile|librosa|openear|wav2vec|hubert|speechbrain|nemo_toolkit",
    re.IGNORECASE,
)


def leaves(name: str, kind: pa.DataType) -> Iterator[tuple[str, pa.DataType]]:
    """The values that a column holds, however deep."""
    if pa.types.is_struct(kind):
        for field in kind:
            yield from leaves(f"{name}.{field.name}", field.type)
    elif pa.types.is_map(kind):
        yield from leaves(f"{name}.key", kind.key_type)
        yield from leaves(f"{name}.value", kind.item_type)
    elif pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        yield from leaves(name, kind.value_type)
    else:
        yield name, kind


def columns(dataset: str) -> dict[str, pa.DataType]:
    config = load_config()
    criteria = load_files(config).ids
    schema = arrow_schema(dataset, criteria, tuple(config.scorecard.items))
    return dict(leaf for field in schema for leaf in leaves(field.name, field.type))


def test_every_dataset_is_known() -> None:
    assert set(SOURCES) == set(DATASETS)


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_column_says_where_it_comes_from(dataset: str) -> None:
    named = [name for names in SOURCES[dataset].values() for name in names.split()]
    found = {name for name in columns(dataset) if not (dataset == "calls" and SCORECARD.fullmatch(name))}
    assert sorted(named) == sorted(found)


@pytest.mark.parametrize("dataset", DATASETS)
def test_no_column_can_hold_an_embedding(dataset: str) -> None:
    simple = (pa.types.is_string, pa.types.is_int64, pa.types.is_float64, pa.types.is_boolean, pa.types.is_timestamp)
    assert [name for name, kind in columns(dataset).items() if not any(fits(kind) for fits in simple)] == []


@pytest.mark.parametrize("dataset", DATASETS)
def test_no_column_is_named_or_described_after_a_feeling(dataset: str) -> None:
    config = load_config()
    schema = arrow_schema(dataset, load_files(config).ids, tuple(config.scorecard.items))
    for field in schema:
        assert not VOICE.search(f"{field.name} {field.metadata[b'description'].decode()}"), field.name


def test_the_search_for_voice_features_finds_them() -> None:
    for name in ("pitch_mean", "F0", "prosody", "emotion_score", "import parselmouth", "voice_stress", "sentiment"):
        assert VOICE.search(name), name
    for name in ("unstressed", "is_stranger", "speech_ms", "wpm_agent", "af0c"):
        assert not VOICE.search(name), name


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_code_measures_how_a_voice_sounds(path: Path) -> None:
    """Names, texts and imports; docstrings and comments may say what is not done."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            said += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            said += [node.module or "", *(alias.name for alias in node.names)]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            said.append(node.name)
        elif isinstance(node, ast.Name | ast.Attribute | ast.arg | ast.keyword):
            said.append(str(getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "arg", "")))
    assert [name for name in said if VOICE.search(name)] == []


def test_no_model_of_the_manifest_is_for_voices_feelings() -> None:
    tasks = {entry.task for entry in read_manifest().values()}
    assert tasks <= {"recognition", "segmentation", "embedding", "diarization"}


def test_what_leaves_the_diarizer_holds_no_voice() -> None:
    assert Segment.__slots__ == ("speaker", "start_ms", "end_ms")


@pytest.mark.models
def test_no_voice_embedding_reaches_the_disk(
    config: Config, worker: Any, mono_clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from callanalytics.call.campplus import CampplusModel

    (tmp_path / "recordings").mkdir()
    (tmp_path / "tmp").mkdir()
    write_audio(tmp_path / "recordings" / "mono.wav", mono_clip.samples, 8000, "mulaw")
    embeddings: list[np.ndarray[Any, Any]] = []
    forward = CampplusModel.forward

    def keeping(self: CampplusModel, *arguments: Any, **options: Any) -> Any:
        found = forward(self, *arguments, **options)
        embeddings.append(found.numpy())
        return found

    monkeypatch.setattr(CampplusModel, "forward", keeping)
    monkeypatch.setattr("callanalytics.call.pipeline.Worker", lambda *_: worker)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    row = engine.run(config, tmp_path / "recordings", tmp_path / "out", Watcher())
    assert row.published == 1
    voices = np.concatenate([e.reshape(-1, e.shape[-1]) for e in embeddings])
    voices = voices[np.isfinite(voices).all(axis=1)]
    assert voices.shape[0] >= 2, "nobody was told apart"
    # Three neighbouring numbers of any of them, in the ways in which arrays are written.
    kinds = ("<f4", "<f8", "<f2")
    traces = {v[i : i + 3].astype(kind).tobytes() for v in voices for i in (0, 64, 128) for kind in kinds}
    assert any(trace in voices[:1].tobytes() for trace in traces)
    numbers = {float(x) for v in voices for x in v}
    assert list((tmp_path / "tmp").rglob("*")) == []
    for path in (path for path in (tmp_path / "out").rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert not any(trace in content for trace in traces), path
        if path.suffix == ".parquet":
            values = [v for v in values_in(pq.read_table(path, partitioning=None).to_pylist()) if isinstance(v, float)]
            assert not numbers & {v for v in values if v not in (0.0, 1.0)}, path
