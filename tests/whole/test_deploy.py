"""What an operator copies: every command of the unit, the crontab and the container is one that exists."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from callanalytics.cli.main import build_parser
from tests.support.paths import ROOT

DEPLOY = ROOT / "configs" / "deploy"


def commands() -> list[str]:
    """The arguments of callanalytics wherever somebody is told to run it."""
    names = "run|review|purge|compact|demo|doctor|status|failures|retry|rescore|score|redact|evaluate|models|config"
    found = []
    for path in DEPLOY.iterdir():
        text = re.sub(r"\\\n#?\s*", " ", path.read_text())
        for match in re.finditer(rf"(?:bin/|[`\s])callanalytics ((?:{names})\b[^\n`]*)", text):
            command = re.split(r"  |\d?>>?|\||#|\.$", match[1])[0].strip()
            if command != "run" and not re.search(r" (before|and|that|is|for) ", command):  # a sentence, not a command
                found.append(command)
    return found


def test_every_command_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    told = commands()
    assert len(told) >= 7
    for command in told:
        try:
            build_parser().parse_args(shlex.split(command))
        except SystemExit:
            pytest.fail(f"{command}: {capsys.readouterr().err}")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd on this machine")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for path in DEPLOY.glob("callanalytics*"):
        text = path.read_text().replace("/opt/callanalytics/.venv/bin/callanalytics", sys.executable)
        (tmp_path / path.name).write_text(re.sub(r"WorkingDirectory=.*", "WorkingDirectory=/tmp", text))
    units = [str(path) for path in sorted(tmp_path.iterdir())]
    assert len(units) == 3
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
