"""Merging small files: nothing gained or lost, kills at every step, readers meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pyarrow.parquet as pq
import pytest

from callanalytics.cli.main import main
from callanalytics.records import arrow_schema
from callanalytics.store import disk
from callanalytics.store.datasets import DETAILS, Store
from tests.support.centre import LATER, all_rows, assert_whole, opened, read
from tests.support.fakes import CRITERIA, ITEMS, call_result, killed_before


def fill_parts(root: Path, calls: int = 12) -> None:
    """Calls of three dates, two a part, in an OUT that is closed again."""
    store = opened(root)
    for i in range(0, calls, 2):
        dates = [("2026-11-16", "2026-11-17", None)[(i + k) % 3] for k in range(2)]
        store.publish([call_result(f"c{i + k:03d}", date) for k, date in enumerate(dates)], f"part-{i:03d}")
    store.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    fill_parts(tmp_path / "out")
    return tmp_path / "out"


def compacted(root: Path) -> Any:
    store = opened(root)
    done = store.compact()
    store.close()
    return done


def test_a_date_becomes_one_part_with_the_same_rows(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = all_rows(out)
    assert main(["compact", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"before": 12, "after": 3, "held": 0}
    assert all_rows(out) == before
    assert_whole(out)
    for dataset in ("calls", *DETAILS):
        parts = list((out / dataset).rglob("*.parquet"))
        assert len(parts) == 3
        for part in parts:
            schema = pq.read_schema(part)
            assert schema.equals(arrow_schema(dataset, CRITERIA, ITEMS))
            assert all(field.metadata[b"description"] for field in schema)
            assert not part.stat().st_mode & 0o077
            ids = [row["call_id"] for row in pq.read_table(part, partitioning=None).to_pylist()]
            assert ids == sorted(ids)
    assert main(["compact", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"before": 3, "after": 3, "held": 0}
    assert not list((out / disk.SWAPS).iterdir())


def test_calls_of_a_merged_part_are_replaced_and_read_as_ever(out: Path) -> None:
    store = opened(out)
    store.compact()
    store.publish([call_result("c004", "2026-11-17", processed_at=LATER, topic="new")], "part-x")
    assert assert_whole(out)["c004"]["topic"] == "new"
    wanted = {f"c{i:03d}" for i in range(12)}
    results = [result for batch in store.results(wanted) for result in batch]
    assert sorted(result.call.call_id for result in results) == sorted(wanted)
    assert all(len(result.turns) == 2 for result in results)
    store.close()
    compacted(out)
    assert assert_whole(out)["c004"]["topic"] == "new"


def test_columns_of_an_older_scorecard_stay(out: Path) -> None:
    store = Store(out, ("another",), ())
    store.open()
    store.publish([call_result("c900")], "part-z")
    store.compact()
    store.close()
    columns = set(read(out, "calls")[0])
    assert columns >= {f"criterion_{name}" for name in (*CRITERIA, "another")}
    assert len(read(out, "calls")) == 13


@pytest.mark.kills
def test_a_kill_at_any_step_changes_no_row(tmp_path: Path) -> None:
    fill_parts(tmp_path / "undisturbed", 4)
    expected = all_rows(tmp_path / "undisturbed")
    for k in range(1, 500):
        root = shutil.copytree(tmp_path / "undisturbed", tmp_path / str(k))
        store = opened(root)
        steps = [(os, "rename"), (os, "replace"), (shutil, "rmtree")]
        is_through = not killed_before(k, steps, store.compact)[0]
        store.close()
        opened(root).close()
        assert all_rows(root) == expected
        assert_whole(root)
        assert compacted(root).after == 3
        assert all_rows(root) == expected
        if is_through:
            break
    assert k > 10
    assert is_through


READER = """
import sys, duckdb
from pathlib import Path
from callanalytics.store.datasets import Store
out, stop, good = Path(sys.argv[1]), Path(sys.argv[2]), 0
last = 12
store = Store(out)
while not stop.exists():
    with store.reading():
        calls, ids, turns = duckdb.connect().execute(
            "SELECT count(*), count(DISTINCT call_id), "
            f"(SELECT count(*) FROM read_parquet('{out}/turns/*/*.parquet') WHERE call_id < 'c012') "
            f"FROM read_parquet('{out}/calls/*/*.parquet')").fetchone()
    assert calls == ids and calls >= last and turns == 24, (calls, ids, last, turns)
    good, last = good + 1, calls
    print(good, flush=True)
"""


def test_readers_that_say_so_notice_nothing(out: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", READER, str(out), str(tmp_path / "stop")]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for reader in readers:
        assert reader.stdout
        assert reader.stdout.readline() == "1\n"  # it reads
    store = opened(out)
    for number in range(12, 22):
        # Parts come and are merged again and again.
        store.publish([call_result(f"c{number:03d}")], f"part-{number:03d}")
        assert store.compact().after > 0
    store.close()
    (tmp_path / "stop").touch()
    queries = [int(reader.communicate()[0].split()[-1]) for reader in readers]
    assert [reader.returncode for reader in readers] == [0, 0]
    assert min(queries) > 5
    assert len(assert_whole(out)) == 22


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "READERS_S", 0.3)


@pytest.mark.usefixtures("impatient")
def test_a_reader_that_stays_keeps_its_files(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path for path in out.rglob("*.parquet") if disk.SWAPS not in path.parts}
    entered, leave = Event(), Event()

    def stay() -> None:
        with Store(out).reading():
            entered.set()
            leave.wait()

    reader = Thread(target=stay, daemon=True)
    reader.start()
    assert entered.wait(60)
    assert main(["--lang", "en", "compact", str(out)]) == 1
    printed = capsys.readouterr()
    assert "12 parts merged into 12" in printed.out
    assert "3 date(s) are being read" in printed.err
    assert {path for path in out.rglob("*.parquet") if disk.SWAPS not in path.parts} == before
    leave.set()
    reader.join()
    assert compacted(out).after == 3
    assert_whole(out)


def test_out_in_object_storage_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compact", "s3://kcc/out"]) == 2
    assert "samengevoegd" in capsys.readouterr().err
