"""What loads when: the package and --help answer at once, without torch, spaCy or a recogniser."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAVY = {
    "torch", "spacy", "faster_whisper", "sklearn", "pyannote", "ray", "ctranslate2", "pandas", "scipy", "pyarrow", "av",
    "duckdb", "fastapi", "sqlalchemy", "alembic",
}  # fmt: skip


def loaded(code: str, *arguments: str) -> tuple[set[str], str, int]:
    """Top-level packages in memory after running some code, what it printed, and its exit code."""
    script = (
        "import sys, json, contextlib\n"
        "status = 0\n"
        "try:\n"
        f"    {code}\n"
        "except SystemExit as end:\n"
        "    status = end.code or 0\n"
        "print('\\n' + json.dumps([sorted({name.split('.')[0] for name in sys.modules}), status]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    *printed, last = done.stdout.splitlines()
    modules, status = json.loads(last)
    return set(modules), "\n".join(printed), status


@pytest.mark.parametrize(
    "module",
    ["callanalytics", "callanalytics.cli.main", "callanalytics.config", "callanalytics.records", "callanalytics.errors",
     "callanalytics.engine.intake", "callanalytics.models", "callanalytics.store.datasets", "callanalytics.call.turns"],
)  # fmt: skip
def test_importing_loads_nothing_heavy(module: str) -> None:
    modules, _, _ = loaded(f"import {module}")
    assert not modules & HEAVY


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    modules, printed, status = loaded(f"from callanalytics.cli.main import main; sys.exit(main({arguments!r}))")
    assert status == 0
    assert "callanalytics" in printed
    assert not modules & HEAVY


def test_importing_the_engine_loads_no_models_library() -> None:
    modules, _, _ = loaded("import callanalytics.engine.batch")
    assert not modules & {"torch", "spacy", "faster_whisper", "sklearn", "pyannote", "ray", "ctranslate2"}


@pytest.mark.parametrize(("name", "off"), [("PYANNOTE_METRICS_ENABLED", "0"), ("ORT_DISABLE_TELEMETRY", "1")])
@pytest.mark.parametrize("before", [None, "0", "1"])  # not even where somebody turned it on
def test_no_engine_reports_home(name: str, off: str, before: str | None) -> None:
    code = f"import os; import callanalytics.call.diarize; print(os.environ[{name!r}])"
    environment = {k: v for k, v in os.environ.items() if k != name} | ({name: before} if before else {})
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == off


@pytest.mark.parametrize("module", [f"callanalytics.call.{name}" for name in ("diarize", "transcribe", "pipeline")])
def test_stages_import_their_engine_only_when_built(module: str) -> None:
    modules, _, _ = loaded(f"import {module}")
    assert not modules & {"torch", "faster_whisper", "pyannote", "ray"}
