"""Recordings and OUT in object storage: the same rows as on a disk, and faults of the storage cost little."""

from __future__ import annotations

import json
import tempfile
import time
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from callanalytics.cli.main import main
from callanalytics.config import Config
from callanalytics.errors import CallError, InputError, StoreError, StoreLocked
from callanalytics.privacy.ledger import Ledger
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.privacy.rights import Rights
from callanalytics.store import shelf
from callanalytics.store.bucket import Bucket, _file_system, local_copy
from callanalytics.store.datasets import Store
from tests.support.centre import (
    CHANGES,
    all_rows,
    assert_details,
    assert_whole,
    call_ids,
    changed,
    failures,
    opened,
    rows,
    run,
    seed,
    with_engine,
)
from tests.support.fakes import Clip, failure_row, killed_before, write_audio
from tests.support.s3 import Bucketful

if TYPE_CHECKING:
    from callanalytics.call.pipeline import Worker


@pytest.fixture
def day(bucket: Bucketful) -> str:
    """Five recordings of a day, of which one is bad, a sidecar, and what is no recording."""
    texts = {"a.wav": "one", "b.wav": "two", "sub/c.wav": "three", "d.wav": "bad", "e.mp3": "five"}
    texts |= {"b.json": '{"started_at": "2026-11-17T10:00:00+01:00", "queue": "afval"}', "readme.txt": "no recording"}
    for key, text in texts.items():
        bucket.put(f"day/{key}", text)
    time.sleep(1.1)  # storage tells whole seconds
    return bucket.url("day")


@pytest.fixture
def remote(config: Config, bucket: Bucketful, scripted: object) -> Config:
    return bucket.settings(config)


def settings_file(path: Path, config: Config, more: str = "") -> Path:
    """A file of settings for the storage of `config`."""
    storage = config.storage
    path.write_text(
        f'[storage]\nendpoint = "{storage.endpoint}"\nregion = "us-east-1"\nattempts = 2\ntimeout_s = 2.0\n{more}'
    )
    return path


def test_a_copy_has_no_name_that_a_killed_process_would_leave(
    remote: Config, day: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with local_copy(f"{day}/a.wav", "a", remote.storage) as path:
        assert (path.read_bytes(), path.read_bytes(), path.stat().st_size) == (b"one", b"one", 3)
        assert list(tmp_path.iterdir()) == []
    with pytest.raises(CallError, match="did not give it"), local_copy(f"{day}/weg.wav", "w", remote.storage):
        pass
    assert list(tmp_path.iterdir()) == []


def test_recordings_of_a_bucket_are_processed_once(remote: Config, bucket: Bucketful, day: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    row, _ = run(remote, day, out)
    assert (row.found, row.published, row.failed) == (5, 4, 1)
    calls = {call["call_id"]: call for call in rows(out)["calls"]}
    assert set(calls) == {"a", "b", "c", "e"}
    assert calls["c"]["recording"] == "sub/c.wav"
    assert calls["b"]["started_at"] == datetime(2026, 11, 17, 9, tzinfo=UTC)
    assert list(failures(out)) == ["d.wav"]
    row, _ = run(remote, f"{day}/", out)
    assert (row.resumed, row.published) == (4, 0)
    bucket.put("day/a.wav", "another one")
    row, _ = run(remote, day, out)
    assert (row.resumed, row.published) == (3, 1)


def test_calls_csv_describes_objects(remote: Config, day: str, tmp_path: Path) -> None:
    lines = ["recording,call_id,queue", "recordings/a.wav,first,afval", "sub/c.wav,third,afval", "gone.wav,gone,afval"]
    (tmp_path / "calls.csv").write_text("\n".join(lines) + "\n")
    row, _ = run(remote, day, tmp_path / "out", calls_csv=tmp_path / "calls.csv")
    assert set(call_ids(tmp_path / "out")) == {"first", "third", "b", "e"}
    assert {name: f["stage"] for name, f in failures(tmp_path / "out").items()} == {
        "gone.wav": "intake",
        "d.wav": "decode",
    }
    assert row.found == 6


@pytest.mark.parametrize("fault", ["broken", "silent"])
def test_an_object_that_the_storage_does_not_give_costs_itself_and_is_tried_again(
    remote: Config, bucket: Bucketful, day: str, tmp_path: Path, fault: str
) -> None:
    getattr(bucket.faulty, fault).update({"c.wav", "e.mp3"})
    row, _ = run(remote, day, tmp_path / "out")
    assert (row.published, row.failed) == (2, 3)
    fetched = {name: f for name, f in failures(tmp_path / "out").items() if f["stage"] == "fetch"}
    assert set(fetched) == {"sub/c.wav", "e.mp3"}
    assert {f["state"] for f in fetched.values()} == {"failed"}
    assert all("127.0.0.1" not in f["message"] and "kcc" not in f["message"] for f in fetched.values())
    assert bucket.faulty.asked.count("GET c.wav") + bucket.faulty.asked.count("HEAD c.wav") >= 2  # tried again at once
    getattr(bucket.faulty, fault).clear()
    row, _ = run(remote, day, tmp_path / "out")
    assert (row.resumed, row.published) == (2, 2)
    assert list(failures(tmp_path / "out")) == ["d.wav"]


def test_a_bucket_that_is_not_there_is_told(remote: Config, bucket: Bucketful, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="s3://nobody/x can't be read: the object storage says: no"):
        run(remote, "s3://nobody/x", tmp_path / "out")
    with pytest.raises(InputError, match="can't be read: the object storage says: no"):
        Bucket(bucket.url("nothing"), remote.storage).objects()


@pytest.mark.models
def test_a_real_recording_in_a_bucket_gives_the_rows_of_a_file(
    config: Config, bucket: Bucketful, tmp_path: Path, stereo_clip: Clip, worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """By the command line, with the settings of the storage from a file."""

    def loaded(settings: Config, *_: object) -> Worker:
        other = copy(worker)
        other._config = settings
        return other

    monkeypatch.setattr("callanalytics.call.pipeline.Worker", loaded)
    (tmp_path / "in").mkdir()
    path = write_audio(tmp_path / "in" / "real.wav", stereo_clip.samples[:, : 8000 * 7], 8000, "mulaw")
    bucket.put("real/real.wav", path.read_bytes())
    more = "[engine]\nsettle_s = 0.0\nisolated = false\n"
    settings = str(settings_file(tmp_path / "s3.toml", bucket.settings(config), more))
    assert main(["run", bucket.url("real"), "--output", str(tmp_path / "s3"), "--config", settings]) == 0
    assert main(["run", str(tmp_path / "in"), "--output", str(tmp_path / "file"), "--config", settings]) == 0
    assert rows(tmp_path / "s3") == rows(tmp_path / "file")
    assert rows(tmp_path / "file")["turns"]
    _file_system.cache_clear()


# --- OUT in object storage ------------------------------------------------------------------------------------------

@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name, text in {"a": "one", "b": "two", "c": "bad", "d": "four", "e": "five", "f": "six"}.items():
        (folder / f"{name}.wav").write_text(text)
    return folder


@pytest.fixture
def hasty(remote: Config) -> Config:
    """Leases of four seconds, an outage waited out for two."""
    values = {"lease_s": 4.0, "retry_waits_s": (0.1, 0.2, 0.5, 1.0)}
    return with_engine(remote.model_copy(update={"storage": remote.storage.model_copy(update=values)}), shard_calls=2)


def test_out_in_a_bucket_holds_what_a_folder_does(
    hasty: Config, bucket: Bucketful, recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(hasty, recordings, tmp_path / "local")
    row, _ = run(hasty, recordings, bucket.url("out"))
    assert (row.published, row.failed) == (5, 1)
    there = bucket.fetch("out", tmp_path / "there")
    assert rows(there) == rows(tmp_path / "local")
    assert list(failures(there)) == list(failures(tmp_path / "local")) == ["c.wav"]
    assert (there / "reports" / f"{row.run_id}.html").exists()
    assert not [path for path in there.rglob("*") if path.is_file() and ".leases" in str(path)]
    row, _ = run(hasty, recordings, bucket.url("out"))
    assert (row.resumed, row.standing, row.published, row.failed) == (5, 1, 0, 0)
    # A changed recording replaces its rows.
    (recordings / "a.wav").write_text("another")
    row, _ = run(hasty, recordings, bucket.url("out"))
    assert (row.published, len(call_ids(bucket.fetch("out", tmp_path / "later")))) == (1, 5)

    settings = settings_file(tmp_path / "settings.toml", hasty)
    assert main(["--config", str(settings), "status", bucket.url("out"), "--json"]) == 0
    state = json.loads(capsys.readouterr().out)
    assert (state["published"], state["failed"], state["running"]) == (5, 1, False)
    assert main(["--config", str(settings), "retry", bucket.url("out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == ["c"]
    assert main(["--config", str(settings), "failures", "s3://nobody/out"]) == 2
    assert "die map bestaat niet" in capsys.readouterr().err


def test_a_storm_of_refused_writes_is_waited_out(
    hasty: Config, bucket: Bucketful, recordings: Path, tmp_path: Path
) -> None:
    bucket.faulty.storm = 6
    row, _ = run(hasty, recordings, bucket.url("out"))
    assert bucket.faulty.storm == 0
    assert (row.published, row.failed) == (5, 1)
    assert len(call_ids(bucket.fetch("out", tmp_path / "there"))) == 5


def test_storage_that_stays_away_ends_the_run_and_costs_nothing_published(
    hasty: Config, bucket: Bucketful, recordings: Path, tmp_path: Path
) -> None:
    run(hasty, recordings, bucket.url("out"), limit=2)
    bucket.faulty.storm = 1_000_000
    with pytest.raises(StoreError, match="the object storage says: server error; nothing that is published is lost"):
        run(hasty, recordings, bucket.url("out"))
    bucket.faulty.storm = 0
    assert len(call_ids(bucket.fetch("out", tmp_path / "meanwhile"))) == 2
    row, _ = run(hasty, recordings, bucket.url("out"))
    assert (row.resumed, row.published, row.failed) == (2, 3, 1)


def test_two_runs_on_one_out_in_a_bucket(hasty: Config, bucket: Bucketful) -> None:
    first, second = (Store(bucket.url("out"), storage=hasty.storage) for _ in range(2))
    first.open()
    assert second.is_being_written()
    with pytest.raises(StoreLocked, match=f"Another run is writing to {bucket.url('out')}"):
        second.open()
    first.close()
    second.open()
    second.close()


def test_the_lease_of_a_killed_run_runs_out(hasty: Config, bucket: Bucketful) -> None:
    bucket.put("out/.leases/dead", b"x")
    store = Store(bucket.url("out"), storage=changed(hasty, "storage", lease_s=1.0).storage)
    began = time.monotonic()
    store.open()
    assert time.monotonic() - began >= 1
    store.close()
    assert bucket.keys("out/.leases/d") == []


def test_a_run_that_slept_too_long_writes_no_more(
    hasty: Config, bucket: Bucketful, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease_s = 3600.0  # nobody renews it meanwhile
    store = Store(bucket.url("out"), storage=changed(hasty, "storage", lease_s=lease_s).storage)
    store.open()
    for lease in bucket.keys("out/.leases/"):
        bucket.delete(lease)  # as the next run does
    store.publish_failure(failure_row("c1"))  # it can't know yet
    slept = SimpleNamespace(monotonic=lambda: time.monotonic() + lease_s, sleep=time.sleep)
    monkeypatch.setattr(shelf, "time", slept)
    with pytest.raises(StoreError, match="another took it over"):
        store.publish_failure(failure_row("c2"))
    store.close()
    assert len(bucket.keys("out/failures/")) == 1


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OUT on disk to begin from; in storage the same files lie under the same names."""
    store = opened(tmp_path_factory.mktemp("seeded") / "out")
    seed(store)
    store.close()
    return Path(store.root)


@pytest.mark.kills
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_kill_at_any_write_to_a_bucket_leaves_whole_calls(
    config: Config, bucket: Bucketful, seeded: Path, tmp_path: Path, change: Any
) -> None:
    """Kill before the k-th write or removal, k further and further apart, until the change comes through."""
    storage = bucket.settings(config, is_direct=True).storage
    undisturbed = opened(tmp_path / "undisturbed")
    seed(undisturbed)
    change(undisturbed, "part-2")
    undisturbed.close()
    expected = all_rows(tmp_path / "undisturbed")
    for k in (1, 2, 4, 7, 11, 16, 22, 99):
        bucket.upload(seeded, f"out{k}")
        store = opened(bucket.url(f"out{k}"), storage=storage)
        is_killed, _ = killed_before(
            k,
            [(Bucket, "put"), (Bucket, "delete")],
            lambda store=store: change(store, "part-2"),  # type: ignore[misc]
            counts=lambda _, key, *__: not key.startswith(".leases"),
        )
        store.close()
        if not is_killed:
            break
        assert assert_details(bucket.fetch(f"out{k}", tmp_path / f"killed{k}")) >= {"a1", "a2", "a3", "a4"}
        again = opened(bucket.url(f"out{k}"), storage=storage)
        change(again, "part-3")
        again.close()
        mended = bucket.fetch(f"out{k}", tmp_path / f"mended{k}")
        assert_whole(mended)
        assert all_rows(mended) == expected
    assert k > 1


def test_nothing_of_an_erased_call_is_left_in_a_bucket(hasty: Config, bucket: Bucketful, recordings: Path) -> None:
    run(hasty, recordings, bucket.url("out"))

    def traces() -> list[str]:
        return [key for key in bucket.keys("out/") if b"c.wav" in bucket.get(key)]

    assert traces()
    store = Store(bucket.url("out"), storage=hasty.storage)
    store.open()
    rights = Rights(store, hasty)
    rights.erase("c", "op verzoek")
    rights.erase("a", "op verzoek")
    with pytest.raises(InputError, match="no call"):
        rights.export("a")
    store.close()
    assert traces() == []
    row, watcher = run(hasty, recordings, bucket.url("out"))
    assert watcher.plan
    assert (row.published, row.failed, row.resumed, watcher.plan.erased) == (0, 0, 4, 2)
    assert [entry.action for entry in Ledger(store.place, Pseudonyms(hasty.privacy)).entries()] == ["erase", "erase"]
