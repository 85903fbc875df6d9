"""Object storage for the tests: a real server that speaks S3 on this machine, and one before it that fails at will."""

from __future__ import annotations

import http.client
import itertools
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from callanalytics.config import Config
from tests.support.centre import changed

_numbers = itertools.count()


class Faulty(ThreadingHTTPServer):
    """Passes requests on to the storage, but for the objects it is told to fail: with 503, or with silence."""

    def __init__(self, port: int) -> None:
        self.port, self.broken, self.silent, self.asked = port, set[str](), set[str](), list[str]()
        self.storm = 0  # so many writes fail
        super().__init__(("127.0.0.1", 0), Passing)

    def heal(self) -> None:
        """Fail nothing any more and forget what was asked."""
        self.broken.clear()
        self.silent.clear()
        self.asked.clear()
        self.storm = 0


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


class Bucketful:
    """A bucket of a test's own, behind the server that fails at will."""

    def __init__(self, client: Any, faulty: Faulty) -> None:
        self.client, self.faulty, self.name = client, faulty, f"kcc-{next(_numbers)}"
        client.create_bucket(Bucket=self.name)

    def url(self, folder: str) -> str:
        """Return the address of a folder."""
        return f"s3://{self.name}/{folder}"

    def settings(self, config: Config, is_direct: bool = False) -> Config:
        """Return the settings for this storage; direct ones go round the server that fails."""
        port = self.faulty.port if is_direct else self.faulty.server_port
        place = {"endpoint": f"http://127.0.0.1:{port}", "region": "us-east-1", "attempts": 2, "timeout_s": 2.0}
        return changed(config, "storage", **place)

    def put(self, key: str, body: bytes | str) -> None:
        """Store an object."""
        self.client.put_object(Bucket=self.name, Key=key, Body=body.encode() if isinstance(body, str) else body)

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that begin so."""
        found = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", ())]

    def get(self, key: str) -> bytes:
        """Return the content of an object."""
        return bytes(self.client.get_object(Bucket=self.name, Key=key)["Body"].read())

    def delete(self, key: str) -> None:
        """Remove an object."""
        self.client.delete_object(Bucket=self.name, Key=key)

    def fetch(self, folder: str, to: Path) -> Path:
        """Copy a folder of the bucket to one of this machine."""
        for key in self.keys(f"{folder}/"):
            if not key.endswith("/"):
                path = to / key.removeprefix(f"{folder}/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self.get(key))
        return to

    def upload(self, folder: Path, name: str) -> None:
        """Copy a folder of this machine into the bucket."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.put(f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes())


@pytest.fixture(scope="session")
def _storage() -> Iterator[tuple[Any, Faulty]]:
    boto3, moto = pytest.importorskip("boto3"), pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        server.start()
        _, port = server.get_host_and_port()
        faulty = Faulty(port)
        Thread(target=faulty.serve_forever, daemon=True).start()
        yield boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1"), faulty
        faulty.shutdown()
        server.stop()


@pytest.fixture
def bucket(_storage: tuple[Any, Faulty]) -> Iterator[Bucketful]:
    """An empty bucket."""
    client, faulty = _storage
    faulty.heal()
    yield Bucketful(client, faulty)
    faulty.heal()
