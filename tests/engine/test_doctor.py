"""The machine looked over: each thing that is wrong is found, and named with what mends it."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callanalytics.cli.main import main
from callanalytics.config import Config
from callanalytics.engine import doctor
from callanalytics.engine.doctor import examine
from callanalytics.store.datasets import Store
from tests.support.centre import ROW


def levels(config: Config, output: Path | None = None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in examine(config, output):
        found.setdefault(finding.subject, []).append(finding.level)
    return found


@pytest.mark.models
def test_a_machine_that_is_fit_is_called_so(config: Config, tmp_path: Path) -> None:
    privacy = config.privacy.model_copy(update={"legal_basis": "AVG art. 6 lid 1 onder e"})
    found = levels(config.model_copy(update={"privacy": privacy}), tmp_path / "out")
    assert set(found) == {"models", "key", "law", "processor", "memory", "codecs", "clock", "output"}
    assert {level for name, each in found.items() if name != "memory" for level in each} == {"ok"}


def test_a_legal_basis_that_is_not_laid_down_is_found(config: Config) -> None:
    assert levels(config)["law"] == ["warning"]


def test_absent_models_and_devices_are_found(config: Config) -> None:
    models = config.models.model_copy(update={"recognition": "whisper-large-v2", "device": "cuda"})
    found = levels(config.model_copy(update={"models": models}))
    assert found["models"][0] == "bad"
    assert found["processor"] == ["bad"]


def test_too_little_memory_is_found(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "WORKER_MIB", 10**9)
    assert levels(config)["memory"] == ["bad"]


def test_a_key_that_others_may_read_is_found(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CALLANALYTICS_KEY")
    key = tmp_path / "key"
    with_file = config.model_copy(update={"privacy": config.privacy.model_copy(update={"key_file": str(key)})})
    assert levels(with_file)["key"] == ["warning"]
    assert not key.exists()  # looking makes nothing
    key.write_text("a key of more than sixteen characters")
    key.chmod(0o644)
    assert levels(with_file)["key"] == ["bad"]
    key.chmod(0o600)
    assert levels(with_file)["key"] == ["ok"]


def test_a_clock_behind_what_was_published_is_found(config: Config, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    store.open()
    later = datetime.now(UTC) + timedelta(days=1)
    store.publish_run(dataclasses.replace(ROW, finished_at=later))
    assert levels(config, tmp_path / "out")["clock"] == ["bad"]
    assert levels(config)["clock"] == ["ok"]
    store.close()


def test_an_out_that_others_may_read_or_nobody_may_write_is_found(config: Config, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o755)
    (tmp_path / "out").chmod(0o755)
    assert levels(config, tmp_path / "out")["output"][0] == "warning"
    (tmp_path / "file").touch()
    assert levels(config, tmp_path / "file" / "out")["output"] == ["bad"]


def test_codecs_that_lack_are_named(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CODECS", ("mp3", "no_such_codec"))
    (finding,) = [finding for finding in examine(config) if finding.subject == "codecs"]
    assert (finding.level, finding.message.values) == ("bad", {"names": "no_such_codec"})


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_every_finding_has_its_line(
    lang: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "BUILT_AFTER", datetime(2999, 1, 1, tzinfo=UTC))
    assert main(["doctor", str(tmp_path / "out"), "--lang", lang, "--json"]) == 2
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert any(("set it" if lang == "en" else "zet haar gelijk") in row["text"] for row in rows)
    assert main(["doctor", "--lang", lang]) == 2
    assert "2999" in capsys.readouterr().out
