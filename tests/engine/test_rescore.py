"""A new scorecard over stored calls: the rows of a fresh run, without audio, and the old scores kept."""

from __future__ import annotations

import sys
from concurrent.futures import Future
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from callanalytics.cli import main as cli
from callanalytics.config import Config
from callanalytics.engine import batch as engine
from callanalytics.engine.rescore import rescore
from callanalytics.scoring import load_files
from callanalytics.scoring.scorer import Scorer
from callanalytics.store.datasets import Store
from callanalytics.store.disk import Disk
from tests.support.centre import changed, read, rows, with_engine
from tests.support.fakes import Clip, Watcher, call_result, write_audio

if TYPE_CHECKING:
    from callanalytics.call.pipeline import Worker

NEW_CARD = """
[scorecard]
version = "met grenzen"
uncertain_between = [0.01, 0.99]
"""


def with_scores_of(worker: Worker, config: Config) -> Worker:
    """The worker with another scorecard; the models for sound and speech are shared."""
    other = copy(worker)
    other._config = config
    other._loaded = Future()
    other._loaded.set_result(replace(worker._text_models.result(), score=Scorer(config)))
    return other


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory, stereo_clip: Clip, mono_clip: Clip, hold_clip: Clip) -> Path:
    folder = tmp_path_factory.mktemp("calls")
    (folder / "recordings").mkdir()
    for name, clip in (("a", stereo_clip), ("b", mono_clip), ("c", hold_clip)):
        write_audio(folder / "recordings" / f"{name}.wav", clip.samples, 8000, "mulaw")
    write_audio(folder / "recordings" / "d.wav", stereo_clip.samples[:, : 8000 // 2], 8000)  # too short to score
    (folder / "calls.csv").write_text(
        "recording,started_at\nrecordings/a.wav,2026-11-17T10:00:00+01:00\nrecordings/b.wav,2026-11-18T10:00:00+01:00\n"
    )
    return folder


def run(config: Config, worker: Worker, folder: Path, out: Path, patch: pytest.MonkeyPatch) -> Watcher:
    watcher = Watcher()
    with patch.context() as context:
        context.setattr("callanalytics.call.pipeline.Worker", lambda *_: worker)
        engine.run(
            with_engine(config, shard_calls=2), folder / "recordings", out, watcher, calls_csv=folder / "calls.csv"
        )
    return watcher


@pytest.mark.models
def test_a_rescored_out_has_the_rows_of_a_fresh_run(
    config: Config, worker: Worker, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = dict(list(config.scorecard.items.items())[:5])
    new = changed(config, "scorecard", version="met grenzen", uncertain_between=(0.01, 0.99), items=items)
    stored, fresh = tmp_path / "stored", tmp_path / "fresh"
    run(config, worker, recordings, stored, monkeypatch)
    before = read(stored, "criteria")
    run(new, with_scores_of(worker, new), recordings, fresh, monkeypatch)
    assert rows(stored) != rows(fresh)

    result = rescore(new, stored)

    assert rows(stored) == rows(fresh)
    assert (result.calls, result.standing) == (4, 0)
    assert set(result.causes) == {"card"}
    assert result.versions == {(config.scorecard.version, "met grenzen"): 4}
    told = {(c.criterion, c.before, c.after): c.calls for c in result.changes}
    after = {(row["call_id"], row["criterion"]): row["status"] for row in read(stored, "criteria")}
    for row in before:
        now = after[row["call_id"], row["criterion"]]
        key = (row["criterion"], row["status"], now)
        assert (row["call_id"] in told.get(key, ())) == (row["status"] != now)
    assert told

    # The old scores are kept, one row a call, with what they said.
    history = read(stored, "score_history")
    assert sorted(row["call_id"] for row in history) == ["a", "b", "c", "d"]
    assert {row["scorecard_version"] for row in history} == {config.scorecard.version}
    kept = {(h["call_id"], c["criterion"]): c["status"] for h in history for c in h["criteria"]}
    assert kept == {(row["call_id"], row["criterion"]): row["status"] for row in before}

    # Nothing is left to do: neither for rescore nor for a run.
    again = rescore(new, stored)
    assert (again.calls, again.standing, again.changes) == (0, 4, [])
    plan = run(new, with_scores_of(worker, new), recordings, stored, monkeypatch).plan
    assert plan is not None
    assert (plan.resumed, len(plan.todo), plan.rescored) == (4, 0, ())


@pytest.mark.models
def test_a_run_with_a_new_scorecard_listens_to_nothing_again(
    config: Config, worker: Worker, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = changed(config, "scorecard", version="3", uncertain_between=(0.01, 0.99))
    run(config, worker, recordings, tmp_path / "out", monkeypatch)
    plan = run(new, with_scores_of(worker, new), recordings, tmp_path / "out", monkeypatch).plan
    assert plan is not None
    assert (len(plan.todo), sorted(plan.rescored)) == (0, ["a", "b", "c", "d"])
    assert {row["scorecard_version"] for row in read(tmp_path / "out", "calls")} == {"3"}


@pytest.mark.kills
@pytest.mark.models
def test_a_kill_between_parts_leaves_every_call_old_or_new(
    config: Config, worker: Worker, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = changed(config, "scorecard", version="3", uncertain_between=(0.01, 0.99))
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    run(config, worker, recordings, out, monkeypatch)
    run(new, with_scores_of(worker, new), recordings, fresh, monkeypatch)
    put, count = Disk.put, [0]

    def die_at_the_third(self: Disk, files: Any) -> None:
        count[0] += 1
        if count[0] == 3:
            raise KeyboardInterrupt
        put(self, files)

    with monkeypatch.context() as patch:
        patch.setattr(Disk, "put", die_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            rescore(new, out)
    versions = {row["call_id"]: row["scorecard_version"] for row in read(out, "calls")}
    assert set(versions) == {"a", "b", "c", "d"}
    rescore(new, out)
    assert rows(out) == rows(fresh)
    assert len(read(out, "score_history")) == 4


def test_rescore_loads_neither_torch_nor_whisper() -> None:
    import subprocess

    script = (
        "import sys; from callanalytics.config import load_config; from callanalytics.scoring.scorer import Scorer;"
        "from callanalytics.engine.rescore import rescore; Scorer(load_config());"
        "print([m for m in ('torch', 'faster_whisper', 'pyannote.audio') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize(("lang", "words"), [("nl", "map"), ("en", "folder")])
def test_a_folder_that_is_not_there_is_told(
    lang: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["rescore", str(tmp_path / "weg"), "--lang", lang]) == 2
    told = capsys.readouterr().err
    assert "weg" in told
    assert words in told


def test_an_out_of_before_scores_had_a_fingerprint_is_scored_again(config: Config, tmp_path: Path) -> None:
    ids, items = load_files(config).ids, tuple(config.scorecard.items)
    store = Store(tmp_path, ids, items)
    store.open()
    store.publish([call_result("a"), call_result("b")], "one")
    store.close()
    (part,) = (tmp_path / "calls").glob("date=*/*.parquet")
    table = pq.read_table(part, partitioning=None)
    pq.write_table(table.drop_columns(["scoring_fingerprint"]), part)

    result = rescore(config, tmp_path)

    assert (result.calls, result.standing) == (2, 0)
    assert {"card", "phrases", "models", "dutch"} <= set(result.causes)
    assert rescore(config, tmp_path).standing == 2
