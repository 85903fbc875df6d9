"""What a run tells others when it has ended: a page for people, a file for Prometheus, a message when calls failed.

All of it is off until configured, holds counts and no call's words, and never costs the run: what can't be told is
told on stderr.
"""

from __future__ import annotations

import json
import logging
import os
import smtplib
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

from callanalytics.config import Notify
from callanalytics.records import RunRow
from callanalytics.texts import Lang, say

TIMEOUT_S = 20.0
STATES = ("published", "resumed", "failed", "standing", "duplicates", "left")


def tell(settings: Notify, row: RunRow, lang: Lang) -> Iterator[str]:
    """Write and send what is configured; yields a line for each thing that could not be told."""
    if settings.prometheus_file:
        try:
            write_metrics(Path(settings.prometheus_file), row)
        except OSError as error:
            yield say("notify.failed", lang, what=settings.prometheus_file, why=error.strerror or "OSError")
    if settings.otlp_endpoint and not _trace(settings.otlp_endpoint, row):
        yield say("notify.failed", lang, what=settings.otlp_endpoint, why="OTLP")
    if not row.failed:
        return
    if settings.webhook:
        try:
            _post(settings.webhook, row)
        except (OSError, ValueError) as error:  # urllib's errors are OSErrors
            yield say("notify.failed", lang, what="webhook", why=type(error).__name__)
    if settings.mail_to:
        try:
            _mail(settings, row, lang)
        except (OSError, smtplib.SMTPException) as error:
            yield say("notify.failed", lang, what="mail", why=type(error).__name__)


def write_metrics(path: Path, row: RunRow) -> None:
    """The run as a textfile for Prometheus' node_exporter, replaced as a whole."""
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

    registry = CollectorRegistry()

    def gauge(name: str, text: str, value: float) -> None:
        Gauge(f"callanalytics_{name}", text, registry=registry).set(value)

    gauge("last_run_timestamp_seconds", "End of the last run", row.finished_at.timestamp())
    gauge("last_run_wall_seconds", "Wall time of the last run", row.wall_ms / 1000)
    gauge("last_run_audio_seconds", "Length of the recordings that the last run processed", row.audio_ms / 1000)
    calls = Gauge("callanalytics_last_run_calls", "Calls of the last run by state", ["state"], registry=registry)
    for state in STATES:
        calls.labels(state).set(getattr(row, state))
    stages = Gauge("callanalytics_last_run_stage_seconds", "Time per stage, over lanes", ["stage"], registry=registry)
    for stage, ms in row.wall_ms_by_stage.items():
        stages.labels(stage).set(ms / 1000)
    write_to_textfile(str(path), registry)
    os.chmod(path, 0o644)  # the exporter is another user, and there is nothing in it but counts


def _trace(endpoint: str, row: RunRow) -> bool:
    """Send the run as one span of OpenTelemetry; whether the collector took it."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # what fails is told by `tell`
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExportResult

    resource = Resource({"service.name": "callanalytics", "service.version": row.versions.get("callanalytics", "")})
    span = TracerProvider(resource=resource, shutdown_on_exit=False).get_tracer("callanalytics").start_span(
        "run", start_time=_ns(row.started_at)
    )
    values: dict[str, str | int] = {"run_id": row.run_id, "audio_ms": row.audio_ms}
    values |= {f"calls.{state}": getattr(row, state) for state in STATES}
    values |= {f"stage_ms.{stage}": ms for stage, ms in row.wall_ms_by_stage.items()}
    span.set_attributes(values)
    span.end(_ns(row.finished_at))
    assert isinstance(span, ReadableSpan)
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=TIMEOUT_S)
    try:
        return exporter.export([span]) is SpanExportResult.SUCCESS
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]


def _ns(at: datetime) -> int:
    return round(at.timestamp() * 1e9)


def _post(url: str, row: RunRow) -> None:
    if not url.startswith(("http://", "https://")):
        raise ValueError(url)
    body = json.dumps(asdict(row), default=lambda value: value.isoformat()).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # nosec B310  # http and https alone, see above
        pass


def _mail(settings: Notify, row: RunRow, lang: Lang) -> None:
    message = EmailMessage()
    message["Subject"] = say("notify.mail_subject", lang, failed=row.failed)
    message["From"], message["To"] = settings.mail_from or settings.mail_to, settings.mail_to
    message.set_content(
        say("notify.mail_text", lang, published=row.published, failed=row.failed, left=row.left, run_id=row.run_id)
    )
    host, _, port = settings.smtp.partition(":")
    with smtplib.SMTP(host, int(port or 25), timeout=TIMEOUT_S) as server:
        server.send_message(message)
