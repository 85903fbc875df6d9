"""A batch: what is skipped, done again, limited, refused, and what a bad recording costs.  Mostly without models."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.config import Config
from callanalytics.engine import batch as engine
from callanalytics.errors import InputError, ManifestError, StoreError, StoreLocked
from callanalytics.store.datasets import Store
from tests.support.centre import call_ids, changed, failures, rows, run, with_engine
from tests.support.fakes import Clip, ScriptedWorker, write_audio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five recordings, of which the third is bad."""
    root = tmp_path / "recordings"
    root.mkdir()
    for name, text in zip("abcde", ("one", "two", "bad", "four", "five"), strict=True):
        (root / f"{name}.wav").write_text(text)
    return root


# --- one run --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("scripted")
def test_every_recording_ends_in_one_row(config: Config, folder: Path, tmp_path: Path) -> None:
    row, watcher = run(config, folder, tmp_path / "out")
    assert call_ids(tmp_path / "out") == ["a", "b", "d", "e"]
    assert list(failures(tmp_path / "out")) == ["c.wav"]
    assert (row.found, row.published, row.failed, row.resumed, row.left) == (5, 4, 1, 0, 0)
    assert row.audio_ms == 4000
    assert [f.call_id for f in watcher.failures] == ["c"]
    assert watcher.plan is not None
    assert len(watcher.plan.todo) == 5


@pytest.mark.usefixtures("scripted")
def test_a_failure_tells_stage_reason_and_attempts(config: Config, folder: Path, tmp_path: Path) -> None:
    (folder / "c.wav").write_text("busy")
    for attempt in (1, 2, 3):
        row, _ = run(config, folder, tmp_path / "out")
        failure = failures(tmp_path / "out")["c.wav"]
        assert failure["attempts"] == attempt
    assert (failure["call_id"], failure["stage"], failure["error"]) == ("c", "decode", "CallError")
    assert failure["message"] == "it is busy; wait."
    assert failure["run_id"] == row.run_id
    assert len(failure["recording_sha256"]) == 64


@pytest.mark.usefixtures("scripted")
def test_a_run_leaves_its_row_and_its_report(config: Config, folder: Path, tmp_path: Path) -> None:
    row, _ = run(config, folder, tmp_path / "out")
    (stored,) = Store(tmp_path / "out").runs()
    assert stored["run_id"] == row.run_id
    assert dict(stored["wall_ms_by_stage"]) == row.wall_ms_by_stage
    report = json.loads((tmp_path / "out" / "reports" / f"{row.run_id}.json").read_text())
    assert (report["published"], report["failed"]) == (4, 1)
    assert {"python", "faster-whisper", "model:recognition"} <= set(report["versions"])
    assert row.started_at <= row.finished_at


def test_an_empty_folder_loads_no_worker(config: Config, scripted: type[ScriptedWorker], tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    row, _ = run(config, tmp_path / "recordings", tmp_path / "out")
    assert (row.found, row.published) == (0, 0)
    assert scripted.made == 0


@pytest.mark.usefixtures("scripted")
def test_a_missing_recording_of_calls_csv_is_a_failure(config: Config, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("call_id,recording\nk1,weg.wav\n")
    row, _ = run(config, folder, tmp_path / "out", calls_csv=tmp_path / "calls.csv")
    assert (row.found, row.published, row.failed) == (6, 4, 2)
    failure = failures(tmp_path / "out")["weg.wav"]
    assert (failure["stage"], failure["recording_sha256"]) == ("intake", None)


@pytest.mark.usefixtures("scripted")
def test_a_recording_refused_for_its_id_keeps_its_failure(config: Config, folder: Path, tmp_path: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "a.mp3").write_text("six")
    for _ in range(2):
        run(config, folder, tmp_path / "out")
        assert set(failures(tmp_path / "out")) == {"c.wav", "more/a.mp3"}
        assert call_ids(tmp_path / "out") == ["a", "b", "d", "e"]


def test_what_cannot_start_touches_nothing(config: Config, tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputError):
        run(config, tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "calls.csv").write_text("id\n")
    with pytest.raises(ManifestError):
        run(config, folder, tmp_path / "out", calls_csv=tmp_path / "calls.csv")
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("scripted")
def test_an_out_that_cannot_be_written_stops_the_run(config: Config, folder: Path) -> None:
    with pytest.raises(StoreError):
        run(config, folder, Path("/proc/out"))


# --- again ----------------------------------------------------------------------------------------------------------


def test_a_second_run_publishes_nothing_new(
    config: Config, scripted: type[ScriptedWorker], folder: Path, tmp_path: Path
) -> None:
    run(config, folder, tmp_path / "out")
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "calls").rglob("*.parquet")}
    scripted.seen.clear()
    row, _ = run(config, folder, tmp_path / "out")
    assert (row.found, row.resumed, row.published, row.failed, row.standing) == (5, 4, 0, 0, 1)
    assert scripted.seen == []  # what failed for good would do so again
    assert files == {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "calls").rglob("*.parquet")}


def test_what_failed_for_good_is_tried_again_when_something_changed(
    config: Config, scripted: type[ScriptedWorker], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(config, folder, out)
    scripted.seen.clear()
    row, _ = run(changed(config, "turns", pause_ms=1234), folder, out)
    assert (row.published, row.failed, row.standing) == (4, 1, 0)
    (folder / "c.wav").write_text("bad, but otherwise")
    row, _ = run(changed(config, "turns", pause_ms=1234), folder, out)
    assert (row.failed, row.standing) == (1, 0)
    row, _ = run(changed(config, "turns", pause_ms=1234), folder, out)
    assert (row.failed, row.standing) == (0, 1)
    store = Store(out)
    store.open()
    assert store.release(lambda row: row["call_id"] == "c") == ["c"]
    store.close()
    (folder / "c.wav").write_text("mended")
    row, _ = run(changed(config, "turns", pause_ms=1234), folder, out)
    assert (row.published, row.failed, row.standing) == (1, 0, 0)
    assert failures(out) == {}


def test_what_may_pass_is_tried_again_within_the_run(
    config: Config, scripted: type[ScriptedWorker], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "c.wav").write_text("busy")

    def pass_by(seconds: float, is_over: Any) -> bool:
        if seconds == 2.0:
            (folder / "c.wav").write_text("free again")
        return True

    monkeypatch.setattr(engine, "_slept", pass_by)
    row, watcher = run(with_engine(config, retry_waits_s=(1.0, 2.0, 3.0)), folder, tmp_path / "out")
    assert (row.published, row.failed) == (5, 0)
    assert watcher.failures == []
    assert [ids for ids in scripted.seen if "c" in ids] == [["a", "b", "c", "d"], ["c"], ["c"]]


def test_a_copy_or_a_renamed_recording_is_not_processed_again(
    config: Config, scripted: type[ScriptedWorker], folder: Path, tmp_path: Path
) -> None:
    (folder / "f.wav").write_text("one")  # as a.wav
    row, _ = run(config, folder, tmp_path / "out")
    assert (row.found, row.published, row.failed, row.duplicates) == (6, 4, 1, 1)
    (folder / "b.wav").rename(folder / "z.wav")
    scripted.seen.clear()
    row, _ = run(config, folder, tmp_path / "out")
    assert (row.resumed, row.published, row.duplicates) == (3, 0, 2)
    assert scripted.seen == []
    row, _ = run(with_engine(config, skip_duplicates=False), folder, tmp_path / "out")
    assert (row.published, row.duplicates) == (2, 0)


def test_a_recording_that_is_still_being_written_waits(
    config: Config, scripted: type[ScriptedWorker], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing = folder / "b.wav"
    monkeypatch.setattr("callanalytics.engine.intake.time.sleep", lambda s: growing.write_text("two and more"))
    row, watcher = run(with_engine(config, settle_s=5.0), folder, tmp_path / "out")
    assert (row.found, row.published, row.failed, row.left) == (5, 3, 1, 1)
    assert watcher.plan is not None
    assert watcher.plan.growing == 1
    monkeypatch.setattr("callanalytics.engine.intake.time.sleep", lambda s: None)
    row, _ = run(with_engine(config, settle_s=5.0), folder, tmp_path / "out")
    assert (row.published, row.left) == (1, 0)


def test_queues_that_go_first_go_first(
    config: Config, scripted: type[ScriptedWorker], folder: Path, tmp_path: Path
) -> None:
    lines = ["recording,queue", "a.wav,afval", "b.wav,belastingen", "d.wav,burgerzaken", "e.wav,belastingen"]
    (folder / "calls.csv").write_text("\n".join(lines) + "\n")
    first = with_engine(config, first_queues=("belastingen", "burgerzaken"), shard_calls=1)
    run(first, folder, tmp_path / "out", calls_csv=folder / "calls.csv", limit=4)
    assert scripted.seen == [["b"], ["e"], ["d"], ["a"]]


@pytest.mark.usefixtures("scripted")
def test_a_disk_without_room_for_the_calls_is_told_before_anything_is_done(
    config: Config, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match=r"5 calls want \d+ MB there, \d+ MB are free"):
        run(with_engine(config, min_free_mb=10**9), folder, tmp_path / "out")
    assert not (tmp_path / "out" / "calls").exists()


def test_nothing_left_to_do_loads_no_worker(
    config: Config, scripted: type[ScriptedWorker], folder: Path, tmp_path: Path
) -> None:
    (folder / "c.wav").unlink()
    run(config, folder, tmp_path / "out")
    run(config, folder, tmp_path / "out")
    assert scripted.made == 1


def test_a_new_recording_is_all_that_is_done(
    config: Config, scripted: type[ScriptedWorker], folder: Path, tmp_path: Path
) -> None:
    run(config, folder, tmp_path / "out")
    (folder / "f.wav").write_text("six")
    (folder / "c.wav").unlink()
    scripted.seen.clear()
    run(config, folder, tmp_path / "out")
    assert scripted.seen == [["f"]]


@pytest.mark.usefixtures("scripted")
def test_another_recording_under_the_same_id_is_done_again(config: Config, folder: Path, tmp_path: Path) -> None:
    run(config, folder, tmp_path / "out")
    (folder / "a.wav").write_text("changed")
    row, watcher = run(config, folder, tmp_path / "out")
    assert row.published == 1
    assert watcher.plan is not None
    assert watcher.plan.outdated == 1
    assert {r["call_id"]: r["topic"] for r in rows(tmp_path / "out")["calls"]}["a"] == "changed"
    assert call_ids(tmp_path / "out") == ["a", "b", "d", "e"]


@pytest.mark.usefixtures("scripted")
def test_a_changed_setting_does_all_again_and_replaces_the_rows(config: Config, folder: Path, tmp_path: Path) -> None:
    run(config, folder, tmp_path / "out")
    row, watcher = run(changed(config, "turns", pause_ms=900), folder, tmp_path / "out")
    assert (row.published, row.resumed) == (4, 0)
    assert watcher.plan is not None
    assert watcher.plan.outdated == 4
    calls = rows(tmp_path / "out")["calls"]
    assert sorted(r["call_id"] for r in calls) == ["a", "b", "d", "e"]
    assert {r["pipeline_fingerprint"] for r in calls} == {row.pipeline_fingerprint}
    assert len(rows(tmp_path / "out")["turns"]) == 8


@pytest.mark.usefixtures("scripted")
def test_settings_of_the_engine_do_nothing_again(config: Config, folder: Path, tmp_path: Path) -> None:
    run(config, folder, tmp_path / "out")
    row, _ = run(with_engine(config, shard_calls=1), folder, tmp_path / "out")
    assert (row.resumed, row.published) == (4, 0)


@pytest.mark.usefixtures("scripted")
def test_a_mended_recording_loses_its_failure(config: Config, folder: Path, tmp_path: Path) -> None:
    run(config, folder, tmp_path / "out")
    (folder / "c.wav").write_text("three")
    row, _ = run(config, folder, tmp_path / "out")
    assert (row.published, row.failed, row.resumed) == (1, 0, 4)
    assert failures(tmp_path / "out") == {}
    assert call_ids(tmp_path / "out") == ["a", "b", "c", "d", "e"]


@pytest.mark.usefixtures("scripted")
def test_a_call_that_was_published_stays_when_its_new_recording_fails(
    config: Config, folder: Path, tmp_path: Path
) -> None:
    run(config, folder, tmp_path / "out")
    (folder / "a.wav").write_text("bad now")
    run(config, folder, tmp_path / "out")
    assert "a" in call_ids(tmp_path / "out")
    assert "a.wav" in failures(tmp_path / "out")


@pytest.mark.usefixtures("scripted")
def test_attempts_are_counted_anew_under_new_settings(config: Config, folder: Path, tmp_path: Path) -> None:
    run(config, folder, tmp_path / "out")
    run(config, folder, tmp_path / "out")
    run(changed(config, "turns", pause_ms=900), folder, tmp_path / "out")
    assert failures(tmp_path / "out")["c.wav"]["attempts"] == 1


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("scripted")
def test_a_limit_takes_that_many_and_the_next_run_goes_on(config: Config, folder: Path, tmp_path: Path) -> None:
    row, _ = run(config, folder, tmp_path / "out", limit=2)
    assert (row.published, row.failed, row.left) == (2, 0, 3)
    assert call_ids(tmp_path / "out") == ["a", "b"]
    row, _ = run(config, folder, tmp_path / "out", limit=2)
    assert (row.published, row.failed, row.left, row.resumed) == (1, 1, 1, 2)
    row, _ = run(config, folder, tmp_path / "out")
    assert call_ids(tmp_path / "out") == ["a", "b", "d", "e"]


@pytest.mark.usefixtures("scripted")
def test_past_its_end_a_run_begins_nothing_new(
    config: Config, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_deadline", lambda until, config: engine.time.monotonic() - 1)
    row, _ = run(config, folder, tmp_path / "out", until="06:00")
    assert (row.published, row.failed, row.left) == (0, 0, 5)
    assert call_ids(tmp_path / "out") == []


def test_a_shard_that_was_begun_is_finished(
    config: Config, scripted: type[ScriptedWorker], folder: Path
) -> None:
    shards = [[call] for call in engine.list_calls(folder)[:2]]
    is_over = iter([False, True])
    done = list(engine.run_shards(config, shards, 1, lambda: next(is_over)))  # type: ignore[arg-type]
    assert len(done) == 1
    assert scripted.seen == [["a"]]


def test_the_worker_of_this_process_gets_thephrase_files_that_the_run_read(
    config: Config, scripted: type[ScriptedWorker], phrase_files: Any, folder: Path, tmp_path: Path
) -> None:
    run(config, folder, tmp_path / "out")
    assert scripted.given is phrase_files


def test_a_run_asked_to_stop_publishes_what_it_began_and_the_next_goes_on(
    config: Config, scripted: type[ScriptedWorker], folder: Path, tmp_path: Path
) -> None:
    one_each = with_engine(config, shard_calls=1)
    row, _ = run(one_each, folder, tmp_path / "out", stopped=lambda: len(scripted.seen) >= 2)
    assert (row.published, row.failed, row.left) == (2, 0, 3)
    run(one_each, folder, tmp_path / "out")
    assert call_ids(tmp_path / "out") == ["a", "b", "d", "e"]


class Clock(datetime):
    """A clock that stands still."""

    moment = datetime(2026, 10, 24, 22, 0, tzinfo=ZoneInfo("Europe/Amsterdam"))

    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
        return cls.moment.astimezone(tz)


@pytest.mark.parametrize(
    ("now", "until", "hours"),
    [
        ("2026-11-16T22:00", "06:00", 8),
        ("2026-11-16T02:00", "06:00", 4),
        ("2026-11-16T06:00", "06:00", 24),
        ("2026-11-16T07:00", "06:30", 23.5),
        ("2026-10-24T22:00", "06:00", 9),  # the night that summer time ends
        ("2027-03-27T22:00", "06:00", 7),  # the night that it begins
    ],
)
def test_until_is_the_next_time_the_clock_says_so(
    config: Config, monkeypatch: pytest.MonkeyPatch, now: str, until: str, hours: float
) -> None:
    Clock.moment = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(config.municipality.timezone))
    monkeypatch.setattr(engine, "datetime", Clock)
    monkeypatch.setattr(engine.time, "monotonic", lambda: 0.0)
    assert engine._deadline(until, config) == hours * 3600


def test_without_an_end_there_is_no_deadline(config: Config) -> None:
    assert engine._deadline(None, config) is None


# --- shards ---------------------------------------------------------------------------------------------------------


@given(st.integers(0, 60), st.integers(1, 12), st.integers(1, 8))
def test_shards_hold_every_call_once_and_keep_all_workers_busy(count: int, size: int, workers: int) -> None:
    calls: list[Any] = list(range(count))
    shards = engine.cut_shards(calls, size, workers)
    assert [call for shard in shards for call in shard] == calls
    assert all(0 < len(shard) <= size for shard in shards)
    # With enough calls for all, nobody idles because a shard is too big.
    assert len(shards) >= min(workers, count) / 2


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_rows_do_not_depend_on_the_size_of_shards(config: Config, folder: Path, tmp_path: Path, size: int) -> None:
    run(config, folder, tmp_path / "one", limit=None)
    run(with_engine(config, shard_calls=size), folder, tmp_path / "other")
    assert rows(tmp_path / "one") == rows(tmp_path / "other")


@pytest.mark.usefixtures("scripted")
def test_progress_is_told_after_every_shard(config: Config, folder: Path, tmp_path: Path) -> None:
    _, watcher = run(with_engine(config, shard_calls=2), folder, tmp_path / "out")
    assert watcher.steps == [2, 4, 5]


# --- two at once ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("scripted")
def test_two_runs_at_once_are_one_too_many(config: Config, folder: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    store.open()
    with pytest.raises(StoreLocked):
        run(config, folder, tmp_path / "out")
    store.close()
    assert run(config, folder, tmp_path / "out")[0].published == 4


@pytest.mark.usefixtures("scripted")
def test_the_lock_is_given_back_when_a_run_breaks(
    config: Config, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(engine, "plan_run", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(config, folder, tmp_path / "out")
    run(config, folder, tmp_path / "out")


# --- with the real models -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory, stereo_clip: Clip, mono_clip: Clip) -> Path:
    """Two short calls, a silent one and a broken one."""
    import numpy as np

    root = tmp_path_factory.mktemp("clips")
    write_audio(root / "stereo.wav", stereo_clip.samples[:, : 8000 * 17], 8000, "alaw")
    write_audio(root / "mono.wav", mono_clip.samples[:, : 8000 * 20], 8000, "mulaw")
    write_audio(root / "quiet.wav", np.zeros((1, 16_000), np.float32), 8000)
    (root / "text.wav").write_text("geen geluid")
    (root / "calls.csv").write_text(
        "call_id,recording,started_at,agent_channel\nstereo,stereo.wav,2026-11-17T00:30:00+01:00,0\n"
    )
    return root


@pytest.mark.models
def test_rows_are_the_same_in_one_process_and_in_two_in_one_shard_and_in_many(
    config: Config, clips: Path, tmp_path: Path, worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, apart, two = tmp_path / "together", tmp_path / "apart", tmp_path / "two"
    with monkeypatch.context() as patch:
        patch.setattr("callanalytics.call.pipeline.Worker", lambda *_: worker)
        run(config, clips, together, calls_csv=clips / "calls.csv")
        run(with_engine(config, shard_calls=1), clips, apart, calls_csv=clips / "calls.csv")
    row, _ = run(with_engine(config, shard_calls=1), clips, two, calls_csv=clips / "calls.csv", workers=2)
    assert (row.published, row.failed) == (3, 1)
    expected = rows(together)
    assert sorted(r["call_id"] for r in expected["calls"]) == ["mono", "quiet", "stereo"]
    assert rows(apart) == expected
    assert rows(two) == expected
    calls = {r["call_id"]: r for r in expected["calls"]}
    assert calls["stereo"]["date"] == "date=2026-11-17"  # local date: in UTC it is still the day before
    assert calls["stereo"]["started_at"] == datetime(2026, 11, 16, 23, 30, tzinfo=UTC)
    assert (calls["quiet"]["scorable"], calls["quiet"]["not_scorable_reason"]) == (False, "silent")
    assert [r["recording"] for r in Store(two).failures()] == ["text.wav"]
