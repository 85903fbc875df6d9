"""The wheel: one commit gives one wheel, whatever was pulled or built before, and it runs outside the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from callanalytics.models import weights_dir
from callanalytics.store.datasets import Store
from tests.support.paths import ROOT

SHIPPED = ("callanalytics", "configs", "models")


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """What a command prints, outside the checkout and with no way to the network."""
    apart = ("PYTHONPATH", "CALLANALYTICS_MODELS")
    environment = {name: value for name, value in os.environ.items() if name not in apart} | variables
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    done = subprocess.run(command, cwd=cwd, env=environment | nowhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(source: Path, target: Path) -> Path:
    """Build the wheel of a source tree with the hatchling that is installed here."""
    command = ["wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(target)]
    paths = os.environ.get("PYTHONPATH", "")
    run(sys.executable, "-m", "pip", *command, source, cwd=target.parent, PYTHONPATH=paths)
    (wheel,) = target.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that git knows or would take, as a fresh clone holds them."""
    pytest.importorskip("hatchling", reason="hatchling is not installed; make install brings it")
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no checkout of git")
    copy = tmp_path_factory.mktemp("clone")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():  # what was deleted and not committed is not
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(source, tmp_path_factory.mktemp("wheel") / "clean")


def test_the_wheel_holds_every_file_of_the_project_that_is_shipped(source: Path, wheel: Path) -> None:
    files = (path.relative_to(source) for top in SHIPPED for path in (source / top).rglob("*") if path.is_file())
    inside = {str(path if path.parts[0] == "callanalytics" else "callanalytics/_data" / path) for path in files}
    found = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert found == inside
    assert wheel.stat().st_size < 20 << 20


def test_what_was_pulled_or_built_before_changes_no_byte_of_the_wheel(
    source: Path, wheel: Path, tmp_path: Path
) -> None:
    used = tmp_path / "used"
    shutil.copytree(source, used)
    for name in (
        "models/weights/.pulled",
        "models/weights/whisper-base/model.bin",
        "callanalytics/review/static/vendor/.built",
        "callanalytics/review/static/vendor/htmx.min.js",
        "callanalytics/__pycache__/config.cpython-311.pyc",
        "out/demo/run.json",
        "dist/old.whl",
    ):
        (used / name).parent.mkdir(parents=True, exist_ok=True)
        (used / name).write_bytes(b"junk")
    again = build(used, tmp_path / "wheel")
    assert zipfile.ZipFile(again).namelist() == zipfile.ZipFile(wheel).namelist()
    assert again.read_bytes() == wheel.read_bytes()


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a fresh environment that holds this wheel, and the libraries of the environment that tests it."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home / "venv")
    python = home / "venv" / "bin" / "python"
    options = ["--quiet", "--no-deps", "--no-index", "--no-compile"]
    run(sys.executable, "-m", "pip", "--python", python, "install", *options, wheel, cwd=home)
    (packages,) = (home / "venv" / "lib").glob("python*/site-packages")
    # Site-packages named in a .pth come last, and their own .pth files, such as an editable install's, don't count.
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    place = run(python, "-c", "import callanalytics; print(callanalytics.__file__)", cwd=home)
    assert Path(place.strip()).is_relative_to(packages)
    return home / "venv" / "bin" / "callanalytics"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("config check", "in orde"),
        ("config show", "scorecard"),
        ("schema", "call_id"),
        ("guide", "operator"),
        ("guide developer", "make check"),
    ],
)
def test_the_installed_program_finds_its_settings_and_texts(
    installed: Path, tmp_path: Path, arguments: str, told: str
) -> None:
    assert told in run(installed, *arguments.split(), cwd=tmp_path)


@pytest.mark.models
def test_the_installed_program_runs_the_demo_without_network(installed: Path, tmp_path: Path) -> None:
    run(installed, "models", "pull", "--from", weights_dir(), cwd=tmp_path)
    assert list(installed.parents[1].rglob("callanalytics/_data/models/weights/*/*.bin"))
    run(installed, "demo", cwd=tmp_path)
    assert Store(tmp_path / "out" / "demo").count_calls()[0] == 5
