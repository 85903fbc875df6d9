"""The ledger: a change is noticed, a torn line is no line, many write one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from callanalytics.cli.main import main
from callanalytics.config import Config
from callanalytics.privacy.ledger import NAME, Ledger
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.privacy.rights import Rights
from callanalytics.store.datasets import Store
from tests.support.centre import (
    SECRET,
    fill,
    held,
    opened,
)


def edited(lines: list[str]) -> list[str]:
    return [lines[0].replace("bezwaar", "beroep"), *lines[1:]]


@pytest.mark.parametrize(
    "change",
    [edited, lambda lines: lines[1:], lambda lines: [lines[0], lines[2]], lambda lines: [lines[1], lines[0], lines[2]],
     lambda lines: [*lines, lines[0]], lambda lines: ["{}", *lines]],
    ids=["edited", "first gone", "one gone", "moved", "repeated", "put before"],
)  # fmt: skip
def test_a_changed_ledger_is_noticed(
    tmp_path: Path, config: Config, change: Callable[[list[str]], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    told = held(tmp_path, config)
    assert main(["ledger", str(tmp_path), "--json"]) == 0
    assert [entry["action"] for entry in json.loads(capsys.readouterr().out)] == ["hold"] * 3
    told.write_text("\n".join(change(told.read_text().splitlines())) + "\n")
    assert main(["ledger", str(tmp_path)]) == 2
    assert "is niet zoals hij geschreven is" in capsys.readouterr().err
    opened(tmp_path).close()


def test_a_changed_ledger_brings_no_erased_call_back(tmp_path: Path, config: Config) -> None:
    store = fill(tmp_path)
    Rights(store, config).erase(SECRET, "op verzoek")
    path = tmp_path / NAME
    path.write_text("no line\n" + path.read_text().replace("op verzoek", "anders"))
    ledger = Ledger(store.place, Pseudonyms(config.privacy))
    assert ledger.is_gone(SECRET, None, ledger.gone())
    assert not ledger.is_gone("a1", "sha of a1", ledger.gone())
    store.close()


def test_a_torn_line_is_no_line(tmp_path: Path, config: Config) -> None:
    with held(tmp_path, config).open("a") as stream:
        stream.write('{"at": "2026')
    store = opened(tmp_path)
    assert len(Ledger(store.place, Pseudonyms(config.privacy)).entries()) == 3
    Rights(store, config).hold("a1", "nog eens")
    assert len(Ledger(store.place, Pseudonyms(config.privacy)).entries()) == 4
    store.close()
    assert not (tmp_path / NAME).stat().st_mode & 0o077


ADDS = """
import sys
from pathlib import Path
from callanalytics.config import load_config
from callanalytics.privacy.ledger import Ledger
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.store.datasets import Store
ledger = Ledger(Store(Path(sys.argv[1])).place, Pseudonyms(load_config().privacy))
for i in range(40):
    ledger.add("view", [(f"c{i}", None)], who=sys.argv[2])
"""


def test_many_write_one_ledger(tmp_path: Path, config: Config) -> None:
    opened(tmp_path).close()
    writers = [subprocess.Popen([sys.executable, "-c", ADDS, str(tmp_path), name]) for name in ("jan", "piet", "els")]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    entries = Ledger(Store(tmp_path).place, Pseudonyms(config.privacy)).entries()
    assert len(entries) == 120
    assert {entry.who for entry in entries} == {"jan", "piet", "els"}
