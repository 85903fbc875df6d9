"""Recordings in object storage: a real server that speaks S3 on this machine, and one before it that fails at will."""

from __future__ import annotations

import http.client
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from fakes import Clip, ScriptedWorker, write_audio
from test_engine import call_ids, failures, rows, run

from callanalytics import engine
from callanalytics.bucket import Bucket, _file_system
from callanalytics.cli import main
from callanalytics.config import Config
from callanalytics.criteria import load_files
from callanalytics.errors import InputError

boto3 = pytest.importorskip("boto3")
moto = pytest.importorskip("moto.server")


class Faulty(ThreadingHTTPServer):
    """Passes requests on to the storage, but for the objects it is told to fail: with 503, or with silence."""

    def __init__(self, port: int) -> None:
        self.port, self.broken, self.silent, self.asked = port, set[str](), set[str](), list[str]()
        super().__init__(("127.0.0.1", 0), Passing)


class Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Faulty

    def pass_on(self) -> None:
        name = self.path.split("?")[0].rsplit("/", 1)[-1]
        self.server.asked.append(f"{self.command} {name}")
        if name in self.server.silent:
            self.close_connection = True
            return
        if name in self.server.broken:
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        there = http.client.HTTPConnection("127.0.0.1", self.server.port)
        there.request(self.command, self.path, headers=dict(self.headers))
        answer = there.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                self.send_header(key, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = pass_on

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
    monkeypatch.setattr("callanalytics.criteria.load_files", lambda config: files)
    monkeypatch.setattr("callanalytics.pipeline.Worker", ScriptedWorker)
    monkeypatch.setattr(engine, "find_model", Path)
    ScriptedWorker.seen.clear()
    return at(config, server[1])


def at(config: Config, faulty: Faulty) -> Config:
    place = {"endpoint": f"http://127.0.0.1:{faulty.server_port}", "region": "us-east-1", "attempts": 2}
    return config.model_copy(update={"storage": config.storage.model_copy(update=place | {"timeout_s": 2.0})})


def test_recordings_of_a_bucket_are_processed_once(remote: Config, client: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    before = set(Path(tempfile.gettempdir()).glob("callanalytics-*"))
    row, _ = run(remote, "s3://kcc/day", out)  # type: ignore[arg-type]
    assert (row.found, row.published, row.failed) == (5, 4, 1)
    calls = {call["call_id"]: call for call in rows(out)["calls"]}
    assert set(calls) == {"a", "b", "c", "e"}
    assert calls["c"]["recording"] == "sub/c.wav"
    assert calls["b"]["started_at"] == datetime(2026, 11, 17, 9, tzinfo=UTC)
    assert list(failures(out)) == ["d.wav"]
    assert set(Path(tempfile.gettempdir()).glob("callanalytics-*")) == before  # no copy is left
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
    with pytest.raises(InputError, match="s3://nobody/x can't be read: no"):
        run(remote, "s3://nobody/x", tmp_path / "out")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="can't be read: no"):
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
