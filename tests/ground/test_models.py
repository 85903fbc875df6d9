"""Weights: nothing is used that the manifest doesn't name, and what is missing says how to get it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callanalytics import models
from callanalytics.config import Config
from callanalytics.errors import ConfigError, DeviceMissing, ModelMissing, ModelRefused, ModelUnreachable
from callanalytics.models import ModelEntry, ModelFile, choose_device, find_model, model_fingerprint, pull_model

GOOD = {"model.bin": b"weights" * 100, "config.json": b"{}"}


def entry(*sources: dict[str, Any]) -> ModelEntry:
    files = tuple(ModelFile(name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in GOOD.items())
    return ModelEntry("tiny", "recognition", "MIT", "here", files, sources)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weights folder of its own, and a manifest with one tiny model without sources."""
    monkeypatch.setenv("CALLANALYTICS_MODELS", str(tmp_path / "weights"))
    monkeypatch.setattr(models, "read_manifest", lambda: {"tiny": entry()})
    return tmp_path / "weights"


def put(folder: Path, **changes: bytes) -> Path:
    """A folder <folder>/tiny with the right files, or other bytes in some."""
    (folder / "tiny").mkdir(parents=True, exist_ok=True)
    for name, data in GOOD.items():
        (folder / "tiny" / name).write_bytes(changes.get(name.split(".")[0], data))
    return folder


def test_right_files_are_found(weights: Path) -> None:
    put(weights)
    assert find_model("tiny") == weights / "tiny"


def test_missing_weights_say_how_to_get_them(weights: Path) -> None:
    with pytest.raises(ModelMissing, match=r"model\.bin is missing .*; run: callanalytics models pull tiny"):
        find_model("tiny")
    put(weights)
    (weights / "tiny" / "config.json").unlink()
    with pytest.raises(ModelMissing, match=r"config\.json"):
        find_model("tiny")


@pytest.mark.parametrize("data", [b"", b"weights", b"Weights" + b"weights" * 99])
def test_other_bytes_are_refused(weights: Path, data: bytes) -> None:
    put(weights, model=data)
    with pytest.raises(ModelRefused, match=r"model\.bin is not the file that the manifest names"):
        find_model("tiny")


def test_an_unknown_model_is_a_mistake_in_the_configuration(weights: Path) -> None:
    with pytest.raises(ConfigError, match='no model "huge"; it knows tiny'):
        find_model("huge")


def test_a_pull_takes_a_folder_first(weights: Path, tmp_path: Path) -> None:
    lines = [str(step) for step in pull_model("tiny", put(tmp_path / "stick"))]
    assert "verified" in lines[-1]
    assert find_model("tiny") == weights / "tiny"
    assert [str(step) for step in pull_model("tiny")] == ["tiny: already here, verified"]


def test_a_pull_keeps_nothing_of_a_wrong_file(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUnreachable):
        list(pull_model("tiny", put(tmp_path / "stick", config=b"{ }")))
    assert not (weights / "tiny" / "config.json").exists()
    assert not list(weights.rglob("*.part"))
    with pytest.raises(ModelMissing):
        find_model("tiny")


def test_a_pull_replaces_what_was_refused(weights: Path, tmp_path: Path) -> None:
    put(weights, model=b"damaged")
    list(pull_model("tiny", put(tmp_path / "stick")))
    find_model("tiny")


def test_a_pull_without_a_source_tells_every_reason(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = {"kind": "hub", "repository": "nobody/tiny", "revision": "main"}
    monkeypatch.setattr(models, "read_manifest", lambda: {"tiny": entry(hub)})

    def refuse(*_: Any) -> None:
        raise ModelUnreachable(name="tiny", reason="the hub does not answer")

    monkeypatch.setattr(models, "_fetch_hub", refuse)
    with pytest.raises(ModelUnreachable) as caught:
        list(pull_model("tiny", tmp_path / "empty"))
    assert "is not there" in str(caught.value)
    assert "the hub does not answer" in str(caught.value)


def test_a_model_pinned_by_its_hub_is_refused_until_it_is_pinned(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_files = tuple(replace(file, sha256=None) for file in entry().files)
    monkeypatch.setattr(models, "read_manifest", lambda: {"tiny": replace(entry(), files=open_files)})
    put(weights)
    with pytest.raises(ModelRefused):
        find_model("tiny")
    pins = ", ".join(f'"{name}": "{hashlib.sha256(data).hexdigest()}"' for name, data in GOOD.items())
    (weights / "tiny" / "pinned.json").write_text("{" + pins + "}")
    assert find_model("tiny") == weights / "tiny"
    (weights / "tiny" / "model.bin").write_bytes(b"changed since")
    with pytest.raises(ModelRefused):
        find_model("tiny")


def test_the_fingerprint_needs_no_weights_and_follows_them(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = model_fingerprint("tiny")
    assert set(before) == set(GOOD)
    files = tuple(replace(file, sha256="0" * 64) for file in entry().files)
    monkeypatch.setattr(models, "read_manifest", lambda: {"tiny": replace(entry(), files=files)})
    assert model_fingerprint("tiny") != before
    assert not weights.exists()


def test_an_absent_cuda_is_an_error_and_never_another_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 0)
    with pytest.raises(DeviceMissing, match='set device = "auto" or "cpu"'):
        choose_device("cuda")
    assert choose_device("auto") == choose_device("cpu") == "cpu"
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 1)
    assert choose_device("auto") == choose_device("cuda") == "cuda"
    assert choose_device("cpu") == "cpu"


def test_the_manifest_names_what_the_defaults_use(config: Config) -> None:
    for name, task in (
        (config.models.recognition, "recognition"),
        (config.models.segmentation, "segmentation"),
        (config.models.embedding, "embedding"),
    ):
        found = models.model_entry(name)
        assert found.task == task
        assert found.licence
        assert found.sources
        assert all(len(file.sha256 or "") == 64 and file.bytes for file in found.files)


def test_every_source_of_the_manifest_gives_every_file() -> None:
    for found in models.read_manifest().values():
        for source in found.sources:
            assert source["kind"] in ("registry", "hub")
            if source["kind"] == "registry":
                assert set(source["members"]) == {file.name for file in found.files}
                assert all(len(package["sha256"]) == 64 for package in source["packages"])
