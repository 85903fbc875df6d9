"""OUT: what a reader sees whatever is killed whenever, the ledger, the lock, and who may read."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from callanalytics.errors import StoreError, StoreLocked
from callanalytics.records import DATASETS, RunRow, arrow_schema
from callanalytics.store.datasets import Store
from callanalytics.store.disk import STAGING
from tests.support.centre import CHANGES, LATER, all_rows, assert_details, assert_whole, opened, read, seed
from tests.support.fakes import CRITERIA, ITEMS, MOMENT, Killed, call_result, failure_row, killed_before


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = opened(tmp_path / "out")
    yield store
    store.close()


# --- what is written ------------------------------------------------------------------------------------------------


def test_every_dataset_can_be_read_and_has_its_schema(store: Store) -> None:
    store.publish([call_result("c1"), call_result("c2", date=None)], "part-1")
    store.publish_failure(failure_row("c3"))
    store.publish_run(RunRow("r1", MOMENT, MOMENT, 3, 0, 2, 1, 0, 0, 0, 5, 5, {"decode": 1}, {"python": "3"}, "f1"))
    assert set(assert_whole(store.root)) == {"c1", "c2"}
    for dataset in DATASETS:
        expected = arrow_schema(dataset, CRITERIA, ITEMS)
        parts = list((store.root / dataset).glob("date=*/*.parquet"))
        assert parts
        for part in parts:
            schema = pq.read_schema(part)
            assert schema.equals(expected)
            assert all(field.metadata[b"description"] for field in schema)


def test_calls_have_a_column_per_criterion(store: Store) -> None:
    store.publish([call_result("c1")], "part-1")
    (row,) = read(store.root, "calls")
    assert (row["criterion_greeting"], row["probability_greeting"]) == ("met", 1.0)


def test_calls_go_to_the_partition_of_their_local_date(store: Store) -> None:
    results = [call_result("c1", "2026-11-16"), call_result("c2", "2026-11-17"), call_result("c3", None)]
    store.publish(results, "part-1")
    dates = duckdb.sql(
        f"SELECT call_id, date FROM read_parquet('{store.root}/calls/*/*.parquet', hive_partitioning = true)"
    ).fetchall()
    assert {call: date and str(date) for call, date in dates} == {"c1": "2026-11-16", "c2": "2026-11-17", "c3": None}


def test_a_call_without_details_is_published(store: Store) -> None:
    silent = call_result("c1", turns=0)
    store.publish([type(silent)(call=silent.call, local_date="2026-11-16")], "part-1")
    assert [row["call_id"] for row in read(store.root, "calls")] == ["c1"]
    assert set(store.published()) == {"c1"}


def test_files_and_folders_are_for_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0o000)  # whatever the operator's umask is
    try:
        store = opened(tmp_path / "deep" / "out")
        store.publish([call_result("c1")], "part-1")
        store.publish([call_result("c1"), call_result("c2")], "part-2")
        store.publish_failure(failure_row("c3"))
        row = RunRow("r1", MOMENT, MOMENT, 1, 0, 1, 0, 0, 0, 0, 5, 5, {}, {}, "f1")
        store.publish_run(row)
        store.write_report(row, "<!doctype html>")
        store.close()
    finally:
        os.umask(before)
    for path in [store.root, *store.root.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_nothing_is_left_beside_the_datasets(store: Store) -> None:
    store.publish([call_result("c1"), call_result("c2")], "part-1")
    store.publish([call_result("c2", topic="anders")], "part-2")
    store.publish_failure(failure_row("c3"))
    assert list((store.root / STAGING).iterdir()) == []


def test_file_names_say_nothing_about_a_call(store: Store) -> None:
    store.publish_failure(failure_row("jan.jansen@example.org", "../../Jansen 0612345678.wav"))
    (path,) = (store.root / "failures").rglob("*.parquet")
    assert "ansen" not in path.name
    assert path.resolve().is_relative_to(store.root.resolve())


# --- the ledger -----------------------------------------------------------------------------------------------------


def test_what_is_published_is_known(store: Store) -> None:
    store.publish([call_result("c1", recording_sha256="abc", pipeline_fingerprint="f1")], "part-1")
    entry = reopened_after_close(store).published()["c1"]
    assert (entry.recording_sha256, entry.fingerprint) == ("abc", "f1")


def reopened_after_close(store: Store) -> Store:
    store.close()
    store.open()
    return store


def test_an_empty_out_holds_nothing(store: Store) -> None:
    assert store.published() == {}
    assert store.failures() == []
    assert store.runs() == []


def test_newer_rows_replace_older_ones_and_leave_the_neighbours(store: Store) -> None:
    store.publish([call_result("c1", topic="old"), call_result("c2", topic="old")], "part-1")
    later = MOMENT + timedelta(days=1)
    store.publish([call_result("c1", topic="new", processed_at=later)], "part-2")
    calls = assert_whole(store.root)
    assert {key: row["topic"] for key, row in calls.items()} == {"c1": "new", "c2": "old"}


def test_a_part_whose_calls_were_all_replaced_is_gone(store: Store) -> None:
    store.publish([call_result("c1")], "part-1")
    store.publish([call_result("c1", processed_at=MOMENT + timedelta(days=1))], "part-2")
    assert {path.stem for path in store.root.rglob("*.parquet")} == {"part-2"}


def test_a_call_that_moves_to_another_date_stands_there_once(store: Store) -> None:
    store.publish([call_result("c1", "2026-11-16")], "part-1")
    store.publish([call_result("c1", "2026-11-17", processed_at=MOMENT + timedelta(days=1))], "part-2")
    assert_whole(store.root)
    assert [path.name for path in (store.root / "calls").iterdir() if list(path.iterdir())] == ["date=2026-11-17"]


def test_a_call_that_succeeds_loses_its_failure(store: Store) -> None:
    store.publish_failure(failure_row("c1"))
    store.publish_failure(failure_row("c2"))
    store.publish([call_result("c1")], "part-1")
    assert [row["call_id"] for row in store.failures()] == ["c2"]


def test_a_later_failure_of_the_same_recording_replaces_the_earlier(store: Store) -> None:
    store.publish_failure(failure_row("c1", attempts=1))
    store.publish_failure(failure_row("c1", attempts=2, failed_at=MOMENT + timedelta(days=3)))
    assert [row["attempts"] for row in store.failures()] == [2]


def test_two_recordings_of_one_id_fail_apart(store: Store) -> None:
    store.publish_failure(failure_row("c1", "a.wav"))
    store.publish_failure(failure_row("c1", "b.wav"))
    assert {row["recording"] for row in store.failures()} == {"a.wav", "b.wav"}


# --- kills ----------------------------------------------------------------------------------------------------------

@pytest.mark.kills
@pytest.mark.parametrize("action", CHANGES, ids=lambda action: action.__name__)
def test_a_kill_at_any_step_leaves_whole_calls(tmp_path: Path, action: Any) -> None:
    """Kill before the k-th rename or removal, for every k until the action comes through."""
    fresh = opened(tmp_path / "undisturbed")
    seed(fresh)
    seeded = shutil.copytree(fresh.root, tmp_path / "seeded")
    action(fresh, "part-2")
    fresh.close()
    undisturbed = all_rows(fresh.root)
    steps = killed_steps = 0
    for k in range(1, 200):
        root = shutil.copytree(seeded, tmp_path / str(k))
        store = opened(root)
        before = assert_whole(root)
        was_killed, steps = killed_before(
            k, [(os, "replace"), (Path, "unlink")], lambda store=store: action(store, "part-2")  # type: ignore[misc]
        )
        if not was_killed:
            break
        killed_steps += 1
        # Already now nothing that was readable is lost, and no call is there without its details.
        assert assert_details(root) >= set(before)
        store.close()
        again = opened(root)
        calls = assert_whole(root)
        assert set(calls) >= set(before)
        assert not {row["call_id"] for row in again.failures()} & {c for c in calls if c == "a9"}
        # The same action, run again, ends where an undisturbed one does.
        action(again, "part-3")
        assert_whole(root)
        assert all_rows(root) == undisturbed
        again.close()
    assert killed_steps > 0
    assert steps < k  # it came through at last


@pytest.mark.kills
def test_a_kill_while_writing_leaves_nothing_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(tmp_path)
    with monkeypatch.context() as patch:
        def die(*_: Any, **__: Any) -> None:
            raise Killed

        patch.setattr(pq, "write_table", die)
        with pytest.raises(Killed):
            store.publish([call_result("c1")], "part-1")
    store.close()
    assert list((tmp_path / STAGING).iterdir())
    opened(tmp_path)
    assert not (tmp_path / STAGING).exists()
    assert not list(tmp_path.rglob("*.parquet"))


# --- lock and place -------------------------------------------------------------------------------------------------


def test_one_run_at_a_time(store: Store) -> None:
    with pytest.raises(StoreLocked, match="Another run is writing"):
        Store(store.root, CRITERIA, ITEMS).open()
    reopened_after_close(store)


def test_a_second_run_does_not_touch_the_first_ones_staging(store: Store) -> None:
    (store.root / STAGING).mkdir(exist_ok=True)
    (store.root / STAGING / "turns.x.parquet").touch()
    with pytest.raises(StoreLocked):
        Store(store.root, CRITERIA, ITEMS).open()
    assert (store.root / STAGING / "turns.x.parquet").exists()


@pytest.mark.kills
def test_the_lock_goes_with_the_process(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys, pathlib\n"
        "from callanalytics.store.datasets import Store\n"
        "Store(pathlib.Path(sys.argv[1])).open()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == -9
    opened(tmp_path).close()


def test_a_file_in_the_place_of_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(StoreError, match="choose a folder"):
        Store(tmp_path / "out").open()


@pytest.mark.parametrize("root", ["/proc/out", "/dev/null/out"])
def test_an_out_that_cannot_be_written_is_refused(root: str) -> None:
    """Places where even root can't make a folder."""
    with pytest.raises(StoreError, match=r"; choose a folder you may write to\.$"):
        Store(Path(root)).open()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="Permission denied; choose a folder"):
        Store(tmp_path).open()


def test_a_full_disk_is_told_and_costs_nothing_published(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.publish([call_result("c1")], "part-1")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", full)
        with pytest.raises(StoreError, match="No space left on device"):
            store.publish([call_result("c1"), call_result("c2")], "part-2")
        with pytest.raises(StoreError, match="No space left on device"):
            store.publish_failure(failure_row("c2"))
    assert set(assert_whole(store.root)) == {"c1"}


def test_a_full_disk_while_replacing_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.publish([call_result("c1"), call_result("c2")], "part-1")
    write, count = pq.write_table, 0

    def full(*args: Any, **kwargs: Any) -> None:
        nonlocal count
        count += 1
        if count > 5:  # the new part fits, the rewritten old one does not
            raise OSError(28, "No space left on device")
        write(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", full)
        with pytest.raises(StoreError, match="No space left on device"):
            store.publish([call_result("c1", processed_at=LATER)], "part-2")
    assert_whole(reopened_after_close(store).root)


def test_other_files_in_out_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("of the operator")
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls" / "readme.txt").write_text("x")
    store = opened(tmp_path)
    store.publish([call_result("c1")], "part-1")
    reopened_after_close(store).close()
    assert (tmp_path / "notes.txt").exists()
    assert (tmp_path / "calls" / "readme.txt").exists()
