"""What guards the program's own make: the audit says what it could not ask, the bill of materials is whole."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.measure.audit import judge
from tests.support.paths import ROOT

MAKER = Path(sys.executable).with_name("cyclonedx-py")


@pytest.mark.parametrize(
    ("found", "said", "status", "told"),
    [
        ("", "ConnectionError: no route", 0, "skipped: pip-audit could not ask the advisory service: ConnectionErr"),
        ("", "", 0, "skipped: pip-audit could not ask"),
        ('{"dependencies": [{"name": "a", "skip_reason": "not found"}]}', "", 0, "skipped: the advisory service knows"),
        ('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', "", 0, "1 of 1 packages looked up, 0 known"),
        (
            '{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}]}',
            "", 1, "a 1: CVE-1, mended in 2",
        ),
    ],
)  # fmt: skip
def test_an_audit_that_could_not_ask_says_so_and_one_that_found_something_fails(
    capsys: pytest.CaptureFixture[str], found: str, said: str, status: int, told: str
) -> None:
    assert judge(found, said) == status
    assert capsys.readouterr().out.startswith(told)


@pytest.mark.skipif(not MAKER.exists(), reason="cyclonedx-bom is not installed; make install brings it")
def test_the_bill_of_materials_names_every_dependency(tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    command = [MAKER, "environment", "--pyproject", ROOT / "pyproject.toml", "--output-reproducible", "--no-validate"]
    subprocess.run([*command, "--output-file", tmp_path / "sbom.json", sys.executable], check=True, capture_output=True)
    bill = json.loads((tmp_path / "sbom.json").read_text())
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", project["name"])
    versions = {c["name"].lower().replace("_", "-"): c["version"] for c in bill["components"]}
    for dependency in project["dependencies"]:
        name = re.split(r"[<>=\[; ]", dependency)[0].lower()
        assert versions[name], name
