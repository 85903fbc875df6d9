"""Is this machine fit for a night?  Each finding says what is so, and what mends it where something is wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from callanalytics.config import Config
from callanalytics.errors import CallAnalyticsError
from callanalytics.store.datasets import Store
from callanalytics.texts import Message

Level = Literal["ok", "warning", "bad"]
WORKER_MIB = 2100  # peak of a worker with the default models, tests/bench/README.md
CODECS = ("pcm_s16le", "pcm_mulaw", "pcm_alaw", "gsm", "mp3", "opus", "vorbis", "aac", "flac", "wmav2")
BUILT_AFTER = datetime(2026, 11, 1, tzinfo=UTC)  # a clock before this is wrong


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and the sentence that says so."""

    subject: str
    level: Level
    message: Message


def examine(config: Config, output: Path | None = None) -> list[Finding]:
    """Look at models, key, processor, memory, codecs, clock, and OUT when it is given; raises nothing."""
    return [
        *_models(config),
        _key(config),
        _law(config),
        *_machine(config),
        _codecs(),
        _clock(output),
        *(_output(output, config) if output else ()),
    ]


def _models(config: Config) -> Iterator[Finding]:
    from callanalytics.models import find_model

    for name in config.models.used:
        try:
            find_model(name)
        except CallAnalyticsError as error:
            yield Finding("models", "bad", error.message)
        else:
            yield Finding("models", "ok", Message("doctor.model", name=name))


def _key(config: Config) -> Finding:
    from callanalytics.privacy.pseudonyms import Pseudonyms

    privacy = config.privacy
    if not os.environ.get(privacy.key_env) and not Path(privacy.key_file).expanduser().exists():
        return Finding("key", "warning", Message("doctor.no_key", path=privacy.key_file))
    try:
        Pseudonyms(privacy)
    except CallAnalyticsError as error:
        return Finding("key", "bad", error.message)
    except OSError as error:
        return Finding("key", "bad", Message("doctor.says", message=error))
    return Finding("key", "ok", Message("doctor.key"))


def _machine(config: Config) -> Iterator[Finding]:
    import psutil

    from callanalytics.models import choose_device

    cores, workers = os.cpu_count() or 1, config.engine.workers
    try:
        device = choose_device(config.models.device)
        yield Finding("processor", "ok", Message("doctor.cores", cores=cores, device=device))
    except CallAnalyticsError as error:
        yield Finding("processor", "bad", error.message)
    if workers > cores:
        yield Finding("processor", "warning", Message("doctor.workers", workers=workers, cores=cores))
    free_mib, needed_mib = psutil.virtual_memory().available >> 20, WORKER_MIB * workers
    level: Level = "ok" if free_mib >= needed_mib else "bad"
    yield Finding("memory", level, Message("doctor.memory", free=free_mib, needed=needed_mib, workers=workers))


def _law(config: Config) -> Finding:
    privacy = config.privacy
    if not privacy.legal_basis:
        return Finding("law", "warning", Message("cli.plan_no_basis"))
    agents = Message("cli.yes" if privacy.agents_may_be_told_apart else "cli.no")
    return Finding("law", "ok", Message("doctor.basis", basis=privacy.legal_basis, agents=agents))


def _codecs() -> Finding:
    import av

    lacking = []
    for name in CODECS:
        try:
            av.codec.Codec(name, "r")
        except ValueError:
            lacking.append(name)
    if lacking:
        return Finding("codecs", "bad", Message("doctor.no_codecs", names=", ".join(lacking)))
    return Finding("codecs", "ok", Message("doctor.codecs", names=", ".join(CODECS)))


def _clock(output: Path | None) -> Finding:
    now = datetime.now(UTC)
    newest = BUILT_AFTER
    if output and output.is_dir():
        newest = max([newest, *(row["finished_at"].astimezone(UTC) for row in Store(output).runs())])
    level: Level = "ok" if now >= newest else "bad"
    text = "doctor.clock" if level == "ok" else "doctor.clock_behind"
    times = {"now": f"{now:%Y-%m-%d %H:%M} UTC", "newest": f"{newest:%Y-%m-%d %H:%M} UTC"}
    return Finding("clock", level, Message(text, **times))


def _output(output: Path, config: Config) -> Iterator[Finding]:
    place = output
    while not place.exists():
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        yield Finding("output", "bad", Message("doctor.not_writable", path=place))
        return
    if place == output and output.stat().st_mode & 0o077:
        yield Finding("output", "warning", Message("doctor.open", path=output))
    free_mb = shutil.disk_usage(place).free // 1_000_000
    level: Level = "ok" if free_mb >= config.engine.min_free_mb + 1000 else "warning"
    yield Finding("output", level, Message("doctor.disk", path=place, free=free_mb))
    if output.is_dir() and Store(output).is_being_written():
        yield Finding("output", "ok", Message("cli.status_running"))
