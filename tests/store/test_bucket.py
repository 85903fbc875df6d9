"""Recordings in object storage: a real server that speaks S3 on this machine, and one before it that fails at will."""

from __future__ import annotations

import http.client
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from callanalytics.cli.main import main
from callanalytics.config import Config
from callanalytics.engine import batch as engine
from callanalytics.errors import CallError, InputError, StoreError, StoreLocked
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.privacy.rights import Rights
from callanalytics.scoring import load_files
from callanalytics.store.bucket import Bucket, _file_system, local_copy
from callanalytics.store.datasets import DETAILS, Store
from tests.engine.test_engine import call_ids, failures, rows, run, with_engine
from tests.store.test_store import assert_whole, fail, first, mend, read, replace_all, replace_some, seed
from tests.store.test_store import rows as all_rows
from tests.support.fakes import CRITERIA, ITEMS, Clip, ScriptedWorker, failure_row, killed_before, write_audio

boto3 = pytest.importorskip("boto3")
moto = pytest.importorskip("moto.server")


class Faulty(ThreadingHTTPServer):
    """Passes requests on to the storage, but for the objects it is told to fail: with 503, or with silence."""

    def __init__(self, port: int) -> None:
        self.port, self.broken, self.silent, self.asked = port, set[str](), set[str](), list[str]()
        self.storm = 0  # so many writes fail
        super().__init__(("127.0.0.1", 0), Passing)


class Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Faulty

    def pass_on(self) -> None:
        name = self.path.split("?")[0].rsplit("/", 1)[-1]
        self.server.asked.append(f"{self.command} {name}")
        sent = self.sent()
        is_storm = self.command in ("PUT", "DELETE", "POST") and self.server.storm > 0
        self.server.storm -= is_storm
        if name in self.server.silent:
            self.close_connection = True
            return
        if is_storm or name in self.server.broken:
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        there = http.client.HTTPConnection("127.0.0.1", self.server.port)
        headers = {key: value for key, value in self.headers.items() if key.lower() != "expect"}
        there.request(self.command, self.path, sent or None, headers, encode_chunked=True)
        answer = there.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                self.send_header(key, value)
        size = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", size or "0")
        self.end_headers()
        self.wfile.write(body)

    def sent(self) -> bytes | Iterator[bytes]:
        """The body, which comes in chunks from a client that checks sums."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return iter(chunks)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = pass_on

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Any, Faulty]]:
    storage = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        storage.start()
        _, port = storage.get_host_and_port()
        faulty = Faulty(port)
        Thread(target=faulty.serve_forever, daemon=True).start()
        client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1")
        yield client, faulty
        faulty.shutdown()
        storage.stop()


@pytest.fixture
def client(server: tuple[Any, Faulty]) -> Any:
    """A bucket kcc with five recordings of the day, of which one is bad, a sidecar, and what is no recording."""
    client, faulty = server
    faulty.broken.clear()
    faulty.silent.clear()
    faulty.asked.clear()
    faulty.storm = 0
    client.create_bucket(Bucket="kcc")
    for old in client.list_objects_v2(Bucket="kcc").get("Contents", ()):
        client.delete_object(Bucket="kcc", Key=old["Key"])
    texts = {"a.wav": "one", "b.wav": "two", "sub/c.wav": "three", "d.wav": "bad", "e.mp3": "five"}
    texts |= {"b.json": '{"started_at": "2026-11-17T10:00:00+01:00", "queue": "afval"}', "readme.txt": "no recording"}
    for key, text in texts.items():
        client.put_object(Bucket="kcc", Key=f"day/{key}", Body=text.encode())
    time.sleep(1.1)  # storage tells whole seconds
    return client


@pytest.fixture
def remote(config: Config, server: tuple[Any, Faulty], monkeypatch: pytest.MonkeyPatch) -> Config:
    files = load_files(config)
    monkeypatch.setattr("callanalytics.scoring.load_files", lambda config: files)
    monkeypatch.setattr("callanalytics.call.pipeline.Worker", ScriptedWorker)
    monkeypatch.setattr(engine, "find_model", Path)
    ScriptedWorker.seen.clear()
    return at(config, server[1])


def at(config: Config, faulty: Faulty) -> Config:
    place = {"endpoint": f"http://127.0.0.1:{faulty.server_port}", "region": "us-east-1", "attempts": 2}
    return config.model_copy(update={"storage": config.storage.model_copy(update=place | {"timeout_s": 2.0})})


def test_a_copy_has_no_name_that_a_killed_process_would_leave(
    remote: Config, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with local_copy("s3://kcc/day/a.wav", "a", remote.storage) as path:
        assert (path.read_bytes(), path.read_bytes(), path.stat().st_size) == (b"one", b"one", 3)
        assert list(tmp_path.iterdir()) == []
    with pytest.raises(CallError, match="did not give it"), local_copy("s3://kcc/day/weg.wav", "w", remote.storage):
        pass
    assert list(tmp_path.iterdir()) == []


def test_recordings_of_a_bucket_are_processed_once(remote: Config, client: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    row, _ = run(remote, "s3://kcc/day", out)  # type: ignore[arg-type]
    assert (row.found, row.published, row.failed) == (5, 4, 1)
    calls = {call["call_id"]: call for call in rows(out)["calls"]}
    assert set(calls) == {"a", "b", "c", "e"}
    assert calls["c"]["recording"] == "sub/c.wav"
    assert calls["b"]["started_at"] == datetime(2026, 11, 17, 9, tzinfo=UTC)
    assert list(failures(out)) == ["d.wav"]
    row, _ = run(remote, "s3://kcc/day/", out)  # type: ignore[arg-type]
    assert (row.resumed, row.published) == (4, 0)
    client.put_object(Bucket="kcc", Key="day/a.wav", Body=b"another one")
    row, _ = run(remote, "s3://kcc/day", out)  # type: ignore[arg-type]
    assert (row.resumed, row.published) == (3, 1)


def test_calls_csv_describes_objects(remote: Config, client: Any, tmp_path: Path) -> None:
    lines = ["recording,call_id,queue", "recordings/a.wav,first,afval", "sub/c.wav,third,afval", "gone.wav,gone,afval"]
    (tmp_path / "calls.csv").write_text("\n".join(lines) + "\n")
    row, _ = run(remote, "s3://kcc/day", tmp_path / "out", calls_csv=tmp_path / "calls.csv")  # type: ignore[arg-type]
    assert set(call_ids(tmp_path / "out")) == {"first", "third", "b", "e"}
    assert {name: f["stage"] for name, f in failures(tmp_path / "out").items()} == {
        "gone.wav": "intake",
        "d.wav": "decode",
    }
    assert row.found == 6


@pytest.mark.parametrize("fault", ["broken", "silent"])
def test_an_object_that_the_storage_does_not_give_costs_itself_and_is_tried_again(
    remote: Config, client: Any, server: tuple[Any, Faulty], tmp_path: Path, fault: str
) -> None:
    getattr(server[1], fault).update({"c.wav", "e.mp3"})
    row, _ = run(remote, "s3://kcc/day", tmp_path / "out")  # type: ignore[arg-type]
    assert (row.published, row.failed) == (2, 3)
    fetched = {name: f for name, f in failures(tmp_path / "out").items() if f["stage"] == "fetch"}
    assert set(fetched) == {"sub/c.wav", "e.mp3"}
    assert {f["state"] for f in fetched.values()} == {"failed"}
    assert all("127.0.0.1" not in f["message"] and "kcc" not in f["message"] for f in fetched.values())
    assert server[1].asked.count("GET c.wav") + server[1].asked.count("HEAD c.wav") >= 2  # tried again at once
    getattr(server[1], fault).clear()
    row, _ = run(remote, "s3://kcc/day", tmp_path / "out")  # type: ignore[arg-type]
    assert (row.resumed, row.published) == (2, 2)
    assert list(failures(tmp_path / "out")) == ["d.wav"]


def test_a_bucket_that_is_not_there_is_told(remote: Config, client: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="s3://nobody/x can't be read: the object storage says: no"):
        run(remote, "s3://nobody/x", tmp_path / "out")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="can't be read: the object storage says: no"):
        Bucket("s3://kcc/nothing", remote.storage).objects()


@pytest.mark.models
def test_a_real_recording_in_a_bucket_gives_the_rows_of_a_file(
    config: Config, client: Any, server: tuple[Any, Faulty], tmp_path: Path, stereo_clip: Clip
) -> None:
    (tmp_path / "in").mkdir()
    path = write_audio(tmp_path / "in" / "real.wav", stereo_clip.samples[:, : 8000 * 7], 8000, "mulaw")
    client.put_object(Bucket="kcc", Key="real/real.wav", Body=path.read_bytes())
    settings = tmp_path / "s3.toml"
    settings.write_text(
        f'[engine]\nsettle_s = 0.0\n[storage]\nendpoint = "http://127.0.0.1:{server[1].server_port}"\n'
        'region = "us-east-1"\n'
    )
    assert main(["run", "s3://kcc/real", "--output", str(tmp_path / "s3"), "--config", str(settings)]) == 0
    assert main(["run", str(tmp_path / "in"), "--output", str(tmp_path / "file"), "--config", str(settings)]) == 0
    assert rows(tmp_path / "s3") == rows(tmp_path / "file")
    assert rows(tmp_path / "file")["turns"]
    _file_system.cache_clear()


# --- OUT in object storage ------------------------------------------------------------------------------------------

OUT = "s3://kcc/out"


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


def fetched(client: Any, to: Path, folder: str = "out") -> Path:
    """What a folder of the bucket holds, as one of this machine."""
    for item in client.list_objects_v2(Bucket="kcc", Prefix=f"{folder}/").get("Contents", ()):
        path = to / item["Key"].removeprefix(f"{folder}/")
        if not item["Key"].endswith("/"):
            path.parent.mkdir(parents=True, exist_ok=True)
            client.download_file("kcc", item["Key"], str(path))
    return to


def test_out_in_a_bucket_holds_what_a_folder_does(
    hasty: Config, client: Any, recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(hasty, recordings, tmp_path / "local")
    row, _ = run(hasty, recordings, OUT)  # type: ignore[arg-type]
    assert (row.published, row.failed) == (5, 1)
    there = fetched(client, tmp_path / "there")
    assert rows(there) == rows(tmp_path / "local")
    assert list(failures(there)) == list(failures(tmp_path / "local")) == ["c.wav"]
    assert (there / "reports" / f"{row.run_id}.html").exists()
    assert not [path for path in there.rglob("*") if path.is_file() and ".leases" in str(path)]
    row, _ = run(hasty, recordings, OUT)  # type: ignore[arg-type]
    assert (row.resumed, row.standing, row.published, row.failed) == (5, 1, 0, 0)
    # A changed recording replaces its rows.
    (recordings / "a.wav").write_text("another")
    row, _ = run(hasty, recordings, OUT)  # type: ignore[arg-type]
    assert (row.published, len(call_ids(fetched(client, tmp_path / "later")))) == (1, 5)

    settings = tmp_path / "settings.toml"
    storage = hasty.storage
    settings.write_text(
        f'[storage]\nendpoint = "{storage.endpoint}"\nregion = "us-east-1"\nattempts = 2\ntimeout_s = 2.0\n'
    )
    assert main(["--config", str(settings), "status", OUT, "--json"]) == 0
    state = json.loads(capsys.readouterr().out)
    assert (state["published"], state["failed"], state["running"]) == (5, 1, False)
    assert main(["--config", str(settings), "retry", OUT, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == ["c"]
    assert main(["--config", str(settings), "failures", "s3://nobody/out"]) == 2
    assert "die map bestaat niet" in capsys.readouterr().err


def test_a_storm_of_refused_writes_is_waited_out(
    hasty: Config, client: Any, server: tuple[Any, Faulty], recordings: Path, tmp_path: Path
) -> None:
    server[1].storm = 6
    row, _ = run(hasty, recordings, OUT)  # type: ignore[arg-type]
    assert server[1].storm == 0
    assert (row.published, row.failed) == (5, 1)
    assert len(call_ids(fetched(client, tmp_path / "there"))) == 5


def test_storage_that_stays_away_ends_the_run_and_costs_nothing_published(
    hasty: Config, client: Any, server: tuple[Any, Faulty], recordings: Path, tmp_path: Path
) -> None:
    run(hasty, recordings, OUT, limit=2)  # type: ignore[arg-type]
    server[1].storm = 1_000_000
    with pytest.raises(StoreError, match="the object storage says: server error; nothing that is published is lost"):
        run(hasty, recordings, OUT)  # type: ignore[arg-type]
    server[1].storm = 0
    assert len(call_ids(fetched(client, tmp_path / "meanwhile"))) == 2
    row, _ = run(hasty, recordings, OUT)  # type: ignore[arg-type]
    assert (row.resumed, row.published, row.failed) == (2, 3, 1)


def test_two_runs_on_one_out_in_a_bucket(hasty: Config, client: Any) -> None:
    first, second = (Store(OUT, storage=hasty.storage) for _ in range(2))
    first.open()
    assert second.is_being_written()
    with pytest.raises(StoreLocked, match="Another run is writing to s3://kcc/out"):
        second.open()
    first.close()
    second.open()
    second.close()


def test_the_lease_of_a_killed_run_runs_out(hasty: Config, client: Any, tmp_path: Path) -> None:
    client.put_object(Bucket="kcc", Key="out/.leases/dead", Body=b"x")
    store = Store(OUT, storage=hasty.storage)
    began = time.monotonic()
    store.open()
    assert time.monotonic() - began > 3
    store.close()
    assert "Contents" not in client.list_objects_v2(Bucket="kcc", Prefix="out/.leases/d")


def test_a_run_that_slept_too_long_writes_no_more(hasty: Config, client: Any) -> None:
    short = hasty.storage.model_copy(update={"lease_s": 1.0})
    store = Store(OUT, storage=short)
    store.open()
    for lease in client.list_objects_v2(Bucket="kcc", Prefix="out/.leases/")["Contents"]:
        client.delete_object(Bucket="kcc", Key=lease["Key"])  # as the next run does
    time.sleep(1)
    with pytest.raises(StoreError, match="another took it over"):
        store.publish_failure(failure_row("c1"))
    store.close()


@pytest.mark.parametrize("change", [first, replace_some, replace_all, fail, mend], ids=lambda change: change.__name__)
def test_a_kill_at_any_write_to_a_bucket_leaves_whole_calls(
    hasty: Config, client: Any, tmp_path: Path, change: Any
) -> None:
    """Kill before the k-th write or removal, k further and further apart, until the change comes through."""

    def opened(root: str) -> Store:
        store = Store(root, CRITERIA, ITEMS, hasty.storage)
        store.open()
        return store

    fresh = opened("s3://kcc/fresh")
    seed(fresh)
    change(fresh, "part-2")
    fresh.close()
    for k in (1, 2, 4, 7, 11, 16, 22, 99):
        for item in client.list_objects_v2(Bucket="kcc", Prefix="out/").get("Contents", ()):
            client.delete_object(Bucket="kcc", Key=item["Key"])
        store = opened(OUT)
        seed(store)
        is_killed, _ = killed_before(
            k,
            [(Bucket, "put"), (Bucket, "delete")],
            lambda store=store: change(store, "part-2"),  # type: ignore[misc]
            counts=lambda _, key, *__: not key.startswith(".leases"),
        )
        store.close()
        if not is_killed:
            break
        seen = fetched(client, tmp_path / f"killed{k}")
        at_once = {row["call_id"] for row in read(seen, "calls")}
        assert at_once >= {"a1", "a2", "a3", "a4"}
        for dataset in DETAILS:
            assert {row["call_id"] for row in read(seen, dataset)} >= at_once
        again = opened(OUT)
        change(again, "part-3")
        again.close()
        mended = fetched(client, tmp_path / f"mended{k}")
        assert_whole(mended)
        assert all_rows(mended) == all_rows(fetched(client, tmp_path / f"fresh{k}", "fresh"))
    assert k > 1


def test_nothing_of_an_erased_call_is_left_in_a_bucket(hasty: Config, client: Any, recordings: Path) -> None:
    run(hasty, recordings, OUT)  # type: ignore[arg-type]

    def traces() -> list[str]:
        keys = [item["Key"] for item in client.list_objects_v2(Bucket="kcc", Prefix="out/")["Contents"]]
        bodies = {key: client.get_object(Bucket="kcc", Key=key)["Body"].read() for key in keys}
        return [key for key, body in bodies.items() if b"c.wav" in body]

    assert traces()
    store = Store(OUT, storage=hasty.storage)
    store.open()
    rights = Rights(store, hasty)
    rights.erase("c", "op verzoek")
    rights.erase("a", "op verzoek")
    with pytest.raises(InputError, match="no call"):
        rights.export("a")
    store.close()
    assert traces() == []
    row, watcher = run(hasty, recordings, OUT)  # type: ignore[arg-type]
    assert watcher.plan
    assert (row.published, row.failed, row.resumed, watcher.plan.erased) == (0, 0, 4, 2)
    assert [entry.action for entry in store.ledger(Pseudonyms(hasty.privacy)).entries()] == ["erase", "erase"]
