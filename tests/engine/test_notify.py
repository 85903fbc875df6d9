"""What a run tells when it has ended, by real servers on this machine; and that nothing it tells can cost the run."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from callanalytics.config import Config, Notify, masked
from callanalytics.engine.notify import tell, write_metrics
from callanalytics.records import RunRow
from callanalytics.store.run_page import run_page
from tests.support.centre import ROW
from tests.support.fakes import failure_row


@pytest.fixture
def quiet(config: Config) -> Notify:
    return config.notify


@pytest.fixture
def posted() -> Iterator[tuple[str, list[Any]]]:
    """A server that keeps what it is sent."""
    bodies: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if self.path == "/broken" else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()


def test_nothing_is_told_by_default(quiet: Notify) -> None:
    assert list(tell(quiet, ROW, "nl")) == []


def test_a_webhook_gets_the_row_of_a_run_with_failures(quiet: Notify, posted: tuple[str, list[Any]]) -> None:
    url, bodies = posted
    settings = quiet.model_copy(update={"webhook": url})
    assert list(tell(settings, ROW, "nl")) == []
    assert (bodies[0]["run_id"], bodies[0]["failed"]) == ("r1", 2)
    good = RunRow(**{name: getattr(ROW, name) for name in ROW.__slots__} | {"failed": 0})
    assert list(tell(settings, good, "nl")) == []
    assert len(bodies) == 1


@pytest.mark.parametrize("webhook", ["/broken", "http://127.0.0.1:1", "file:///etc/passwd"])
def test_a_webhook_that_fails_is_told_and_costs_nothing(
    quiet: Notify, posted: tuple[str, list[Any]], webhook: str
) -> None:
    url = posted[0] + webhook if webhook.startswith("/") else webhook
    (problem,) = tell(quiet.model_copy(update={"webhook": url}), ROW, "en")
    assert problem.startswith("Could not be told by webhook: ")


def test_a_mail_says_how_many_failed(quiet: Notify) -> None:
    class Keep:
        envelopes: list[Any] = []  # noqa: RUF012

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            self.envelopes.append(envelope)
            return "250 OK"

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Keep(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        settings = quiet.model_copy(update={"mail_to": "kcc@example.org", "smtp": f"127.0.0.1:{port}"})
        assert list(tell(settings, ROW, "nl")) == []
    finally:
        controller.stop()
    (envelope,) = Keep.envelopes
    assert envelope.rcpt_tos == ["kcc@example.org"]
    assert b"2 gesprekken mislukt" in envelope.content
    (problem,) = tell(settings, ROW, "en")  # the server is gone
    assert problem.startswith("Could not be told by mail: ")


def test_metrics_hold_every_count(quiet: Notify, tmp_path: Path) -> None:
    path = tmp_path / "callanalytics.prom"
    assert list(tell(quiet.model_copy(update={"prometheus_file": str(path)}), ROW, "nl")) == []
    lines = path.read_text().splitlines()
    assert 'callanalytics_last_run_calls{state="failed"} 2.0' in lines
    assert 'callanalytics_last_run_calls{state="published"} 4.0' in lines
    assert 'callanalytics_last_run_stage_seconds{stage="transcribe"} 200.0' in lines
    assert "callanalytics_last_run_audio_seconds 1200.0" in lines
    write_metrics(path, ROW)  # again over the old one
    (problem,) = tell(quiet.model_copy(update={"prometheus_file": str(tmp_path / "no" / "x.prom")}), ROW, "en")
    assert "No such file" in problem


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_the_page_shows_every_count_and_failure_and_no_script(lang: Any) -> None:
    rows = [failure_row("c1", message="<script>alert(1)</script>"), failure_row("c2", state="quarantined")]
    page = run_page(ROW, rows, lang)
    assert f'<html lang="{lang}">' in page
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert ("quarantaine" if lang == "nl" else "quarantined") in page
    for count in ("<b>4</b>", "<b>3</b>", "<b>2</b>"):
        assert count in page
    assert "http" not in page.replace("https://", "http")  # nothing is fetched


def test_a_collector_of_opentelemetry_gets_the_run_as_a_span(quiet: Notify) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    settings = quiet.model_copy(update={"otlp_endpoint": f"http://127.0.0.1:{server.server_port}"})
    assert list(tell(settings, ROW, "nl")) == []
    server.shutdown()
    ((path, body),) = got
    assert path == "/v1/traces"
    (span,) = ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans
    values = {item.key: item.value.int_value for item in span.attributes}
    assert (values["calls.published"], values["calls.failed"], values["stage_ms.decode"]) == (4, 2, 3_000)
    assert span.end_time_unix_nano - span.start_time_unix_nano == 300 * 10**9


def test_a_collector_that_is_not_there_is_told(quiet: Notify, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callanalytics.engine.notify.TIMEOUT_S", 1.0)
    (problem,) = tell(quiet.model_copy(update={"otlp_endpoint": "http://127.0.0.1:1"}), ROW, "en")
    assert "127.0.0.1:1" in problem


def test_a_collector_elsewhere_is_refused(quiet: Notify) -> None:
    for place in ("https://telemetry.example.com", "http://localhost@evil.example", "http://localhost.evil.example"):
        with pytest.raises(ValueError, match="should match pattern"):
            Notify.model_validate(quiet.model_dump() | {"otlp_endpoint": place})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("", ""),
        ("http://localhost:4318", "http://localhost:4318"),
        ("https://minio.intern:9000/", "https://minio.intern:9000"),
        ("https://hooks.example/services/T0/secret", "https://hooks.example/..."),
        ("https://hooks.example?key=secret", "https://hooks.example/..."),
        ("https://me:secret@hooks.example", "https://hooks.example/..."),
        ("https://me:secret@hooks.example:8443/T0?key=secret", "https://hooks.example:8443/..."),
        ("https://me:se/secret@hooks.example/", "..."),
        ("secret", "..."),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert masked(url) == shown
