"""OUT on a real disk that fills up or is read-only: what is published stays, the reason is told, work goes on later."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from callanalytics.cli.main import main
from callanalytics.config import Config
from callanalytics.errors import StoreError
from tests.support.centre import call_ids, rows, run, with_engine


def mount(*options: str) -> None:
    done = subprocess.run(["mount", *options], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("only a root that may mount has a small disk to fill")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 300 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount("-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place))
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve recordings."""
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    for i in range(12):
        (recordings / f"c{i:02d}.wav").write_text(f"topic {i}")
    return recordings


@pytest.fixture
def one_each(config: Config, scripted: object) -> Config:
    return with_engine(config, shard_calls=1, min_free_mb=0)


def test_a_disk_that_fills_up_costs_nothing_published(
    one_each: Config, folder: Path, disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = disk / "out"
    monkeypatch.setattr("callanalytics.store.datasets.CALL_KB", 0)  # the forecast is wrong
    with pytest.raises(StoreError, match="No space left on device; nothing"):
        run(one_each, folder, out)
    done = call_ids(out)
    assert 0 < len(done) < 12
    calls = rows(out)
    assert {row["call_id"] for row in calls["turns"]} >= set(done)
    with pytest.raises(StoreError):  # still full: the forecast knows now, or the disk says so again
        run(one_each, folder, out)
    assert call_ids(out) == done
    mount("-o", "remount,size=20m", str(disk))
    row, _ = run(one_each, folder, out)
    assert (row.resumed, row.published) == (len(done), 12 - len(done))
    run(one_each, folder, tmp_path / "calm")
    assert rows(out) == rows(tmp_path / "calm")


def test_a_disk_that_is_read_only_is_told(
    one_each: Config, folder: Path, disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mount("-o", "remount,size=20m", str(disk))
    run(one_each, folder, disk / "out", limit=3)
    mount("-o", "remount,ro", str(disk))
    with pytest.raises(StoreError, match="Read-only file system; choose a folder you may write to"):
        run(one_each, folder, disk / "out")
    assert len(call_ids(disk / "out")) == 3
    assert main(["run", str(folder), "--output", str(disk / "new"), "--lang", "en"]) == 2
    assert "Read-only file system" in capsys.readouterr().err
    assert main(["status", str(disk / "out")]) == 0  # reading goes on
