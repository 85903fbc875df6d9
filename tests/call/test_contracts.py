"""What holds for a call whatever it sounds like: the whole way, with the real models, on sounds of every kind."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from callanalytics.config import Config
from callanalytics.errors import CallError
from callanalytics.records import CallResult, CallSource, arrow_schema, to_rows
from callanalytics.scoring import load_detector
from tests.support.fakes import Clip, music, noise, telephone, tone, write_audio

if TYPE_CHECKING:
    from callanalytics.call.pipeline import TextModels, Worker

pytestmark = pytest.mark.models

Sound = Callable[[Clip, Clip], tuple[np.ndarray, int]]  # (channels, n) and their rate


def overlapping(stereo: Clip, mono: Clip) -> np.ndarray:
    """Both parties speak through each other for five seconds."""
    agent, citizen = stereo.samples[:, : 8000 * 16]
    return np.stack([np.roll(agent, 8000 * 6), citizen])


SOUNDS: dict[str, Sound] = {
    "silence": lambda s, m: (np.zeros((1, 40_000), np.float32), 8000),
    "silence on two channels": lambda s, m: (np.zeros((2, 40_000), np.float32), 8000),
    "a click": lambda s, m: (tone(900, 0.05, 8000)[None], 8000),
    "noise": lambda s, m: (noise(5)[None], 16_000),
    "music": lambda s, m: (telephone(music("piano", 12))[None], 16_000),
    "stereo": lambda s, m: (s.samples[:, : 8000 * 17], 8000),
    "one party on two channels": lambda s, m: (
        np.stack([s.samples[0, : 8000 * 8], noise(8, level=1e-3)[::2]]), 8000
    ),
    "overlap": lambda s, m: (overlapping(s, m), 8000),
    "mono": lambda s, m: (m.samples[:, : 8000 * 16], 8000),
    "a few words": lambda s, m: (m.samples[:, : 8000 * 3], 8000),
}  # fmt: skip
EXPECTED_REASON = {
    "silence": "silent",
    "silence on two channels": "silent",
    "a click": "no_speech",
    "noise": "no_speech",
    "music": "no_speech",
}


@pytest.fixture(scope="module")
def results(
    worker: Worker, tmp_path_factory: pytest.TempPathFactory, stereo_clip: Clip, mono_clip: Clip
) -> dict[str, CallResult | CallError]:
    """All sounds as one shard, two broken recordings among them."""
    root = tmp_path_factory.mktemp("contracts")
    calls = []
    for number, (name, sound) in enumerate(SOUNDS.items()):
        path = write_audio(root / f"{number}.wav", *sound(stereo_clip, mono_clip))
        calls.append(CallSource(name, path.name, str(path), agent_id="b01", caller_ref="0612345678"))
    for name, content in (("text", b"geen geluid"), ("empty", b"")):
        (root / f"{name}.wav").write_bytes(content)
        calls.insert(3, CallSource(name, f"{name}.wav", str(root / f"{name}.wav")))
    found, wall_ms = worker(calls)
    assert len(found) == len(calls)
    assert all(ms >= 0 for ms in wall_ms.values())
    return {call.call_id: one for call, one in zip(calls, found, strict=True)}


@pytest.fixture(params=SOUNDS)
def result(request: pytest.FixtureRequest, results: dict[str, CallResult | CallError]) -> CallResult:
    found = results[request.param]
    assert isinstance(found, CallResult), found
    return found


@pytest.mark.parametrize("name", ["text", "empty"])
def test_a_broken_recording_is_an_error_of_its_own(results: dict[str, CallResult | CallError], name: str) -> None:
    error = results[name]
    assert isinstance(error, CallError)
    assert (error.fields["call_id"], error.stage) == (name, "decode")


def test_the_result_is_that_of_its_call(result: CallResult) -> None:
    for row in (result.call, *result.turns, *result.criteria, *result.promises, *result.events):
        assert row.call_id == result.call.call_id


def test_rows_fit_their_schemas(result: CallResult, config: Config) -> None:
    import pyarrow as pa

    ids = tuple(load_detector(config).ids)
    for dataset in ("calls", "turns", "criteria", "promises", "events"):
        schema = arrow_schema(dataset, ids, tuple(config.scorecard.items))
        rows = to_rows(result, dataset)
        assert set().union(*rows) <= set(schema.names)
        assert pa.Table.from_pylist(rows, schema=schema).num_rows == len(rows)


def test_times_stay_inside_the_call_and_in_order(result: CallResult) -> None:
    end = result.call.duration_ms
    for row in (*result.turns, *result.events, *result.promises):
        assert 0 <= row.start_ms <= row.end_ms <= end
    assert all(a.start_ms <= b.start_ms for a, b in itertools.pairwise(result.turns))
    assert [t.turn_index for t in result.turns] == list(range(len(result.turns)))
    for turn in result.turns:
        for word in turn.words:
            assert turn.start_ms <= word.start_ms < word.end_ms <= turn.end_ms


def test_evidence_points_at_turns(result: CallResult) -> None:
    for criterion in result.criteria:
        for evidence in criterion.evidence:
            turn = result.turns[evidence.turn_index]
            assert 0 <= evidence.start_ms <= evidence.end_ms <= result.call.duration_ms
            if not evidence.role:  # a silence is nobody's
                continue
            assert turn.start_ms <= evidence.start_ms <= evidence.end_ms <= turn.end_ms
            assert evidence.role == turn.role


def test_measures_fit_together(result: CallResult) -> None:
    call = result.call
    assert call.speech_ms + call.non_talk_ms == call.duration_ms
    assert 0 <= call.max_non_talk_ms <= call.non_talk_ms
    assert 0 <= call.hold_ms <= call.duration_ms
    assert call.hold_count == sum(e.type == "hold" for e in result.events)
    assert call.turns_agent == sum(t.role == "agent" for t in result.turns)
    assert 0 <= call.role_confidence <= 1
    assert call.score is None or 0 <= call.score <= (call.potential_score or 0)


def test_a_call_that_cannot_be_scored_says_why_and_has_no_scores(result: CallResult) -> None:
    call = result.call
    assert call.scorable == (call.not_scorable_reason is None)
    if not call.scorable:
        assert not result.criteria
        assert not result.promises
        assert call.score is call.potential_score is call.normalized_score is None
        assert call.compliance_status is None
        assert not result.items
        assert call.topic == "onbekend"


def test_nobody_is_named(result: CallResult) -> None:
    assert "0612345678" not in repr(result)
    assert "b01" not in repr(result)
    assert result.call.caller_ref
    assert result.call.agent_ref is None  # no works council has agreed


def test_with_the_works_councils_consent_an_agent_is_a_hash(
    worker: Worker, tmp_path: Path, mono_clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed = {"or_consent_ref": "OR-12", "or_consent_date": date(2026, 9, 1)}
    privacy = worker._config.privacy.model_copy(update=agreed)
    monkeypatch.setattr(worker, "_config", worker._config.model_copy(update={"privacy": privacy}))
    path = write_audio(tmp_path / "a.wav", *SOUNDS["a few words"](mono_clip, mono_clip))
    ((found,), _) = worker([CallSource("a", "a.wav", str(path), agent_id="b01", caller_ref="0612345678")])
    assert isinstance(found, CallResult)
    assert found.call.agent_ref
    assert "b01" not in repr(found)
    assert found.call.agent_ref != found.call.caller_ref


@pytest.mark.parametrize("name", EXPECTED_REASON)
def test_where_nobody_speaks_there_are_no_words(results: dict[str, Any], name: str) -> None:
    result = results[name]
    assert result.turns == ()
    assert result.call.speech_ms == 0
    assert result.call.not_scorable_reason == EXPECTED_REASON[name]
    assert result.call.asr_confidence is None


def test_layouts_are_told(results: dict[str, Any]) -> None:
    assert results["stereo"].call.layout == "stereo"
    assert results["mono"].call.layout == "mono"
    assert {t.channel for t in results["stereo"].turns} == {0, 1}
    assert {t.channel for t in results["mono"].turns} == {None}


def test_parties_who_speak_at_once_both_keep_their_words(results: dict[str, Any]) -> None:
    turns = results["overlap"].turns
    agent = [t for t in turns if t.channel == 0]
    citizen = [t for t in turns if t.channel == 1]
    assert any(a.start_ms < c.end_ms and c.start_ms < a.end_ms for a in agent for c in citizen)
    assert max(len(t.words) for t in agent) >= 5
    assert max(len(t.words) for t in citizen) >= 5


def test_a_stretch_of_one_party_is_no_conversation(results: dict[str, Any]) -> None:
    reason = results["one party on two channels"].call.not_scorable_reason
    assert reason in ("one_party", "roles_unknown", "other_language")
    assert results["a few words"].call.not_scorable_reason is not None


def test_a_known_channel_decides_who_is_the_agent(worker: Worker, tmp_path: Path, stereo_clip: Clip) -> None:
    path = str(write_audio(tmp_path / "a.wav", stereo_clip.samples[:, : 8000 * 14], 8000))
    for channel in (0, 1):
        ((result,), _) = worker([CallSource("c1", "a.wav", path, agent_channel=channel)])
        assert isinstance(result, CallResult)
        assert {t.channel for t in result.turns if t.role == "agent"} <= {channel}
        assert result.call.agent_channel in (channel, None)


def test_shards_come_back_in_order_and_an_end_before_the_last_leaves_the_worker_usable(
    worker: Worker, tmp_path: Path, stereo_clip: Clip
) -> None:
    path = str(write_audio(tmp_path / "a.wav", stereo_clip.samples[:, : 8000 * 4], 8000))
    shards = [[CallSource(f"c{i}", "a.wav", path)] for i in range(5)]

    def ids(outcomes: Iterable[tuple[list[CallSource], Any]]) -> list[str]:
        return [one.call.call_id for _, (results, _) in outcomes for one in results if isinstance(one, CallResult)]

    waiting = iter(shards)
    unfinished = worker.stream(lambda: next(waiting, None))
    assert ids([next(unfinished)]) == ["c0"]
    unfinished.close()
    taken = 5 - len(list(waiting))
    assert taken < 5  # no more shards were begun than are worked on at a time
    waiting = iter(shards)
    assert ids(worker.stream(lambda: next(waiting, None))) == ["c0", "c1", "c2", "c3", "c4"]


def test_one_step_that_breaks_costs_one_call(
    worker: Worker, tmp_path: Path, stereo_clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(write_audio(tmp_path / "a.wav", stereo_clip.samples[:, : 8000 * 7], 8000))
    readers = worker._text_models.result()

    def break_one(transcript: Any) -> Any:
        if transcript.call_id == "c2":
            raise RuntimeError("meneer Jansen, 0612345678")
        return readers.redact(transcript)

    with monkeypatch.context() as patch:
        broken: Future[TextModels] = Future()
        broken.set_result(replace(readers, redact=break_one))
        patch.setattr(worker, "_loaded", broken)
        found, _ = worker([CallSource(f"c{i}", "a.wav", path) for i in (1, 2, 3)])
    assert [type(one) for one in found] == [CallResult, CallError, CallResult]
    assert isinstance(found[1], CallError)
    assert found[1].stage == "redact"
    # What an error of a library says may hold what was said.
    assert "Jansen" not in str(found[1])
    assert "RuntimeError" in str(found[1])


def test_recognition_that_breaks_on_one_call_spares_the_others(
    worker: Worker, tmp_path: Path, stereo_clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = str(write_audio(tmp_path / "a.wav", stereo_clip.samples[:, : 8000 * 7], 8000))
    bad = str(write_audio(tmp_path / "b.wav", stereo_clip.samples[:, : 8000 * 6], 8000))
    transcribe = worker._transcribe

    def break_one(tracks: Any, mapped: Any, **options: Any) -> Any:
        if any(len(track.samples) == 16_000 * 6 for track in tracks):
            raise RuntimeError("out of memory")
        return transcribe(tracks, mapped, **options)

    with monkeypatch.context() as patch:
        patch.setattr(worker, "_transcribe", break_one)
        found, _ = worker([CallSource("c1", "a.wav", good), CallSource("c2", "b.wav", bad)])
    assert isinstance(found[0], CallResult)
    assert found[0].turns
    assert isinstance(found[1], CallError)
    assert found[1].stage == "transcribe"
