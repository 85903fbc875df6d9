"""`config check`: a mistake in a phrase file is explained with file and line, in Dutch and English."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from callanalytics.cli import main as cli
from callanalytics.config import load_config, project_root

Edit = Callable[[str], str]
MISTAKES: list[tuple[str, str, Edit, str, str]] = [
    (
        "a quotation mark forgotten",
        "closing.toml",
        lambda text: text.replace('speaker = "agent"', 'speaker = "agent', 1),
        'regel 5: er ontbreekt een aanhalingsteken (") in: speaker = "agent',
        'line 5: a quotation mark (") is missing in: speaker = "agent',
    ),
    (
        "a key misspelt",
        "closing.toml",
        lambda text: text.replace("patterns = [", "paterns = [", 1),
        'tabel [anything_else], sleutel paterns (regel 11): is niet bekend; misschien bedoelt u "patterns"',
        'table [anything_else], key paterns (line 11): is not known; perhaps you mean "patterns"',
    ),
    (
        "a comma forgotten",
        "promises.toml",
        lambda text: text.replace('"past", "question"', '"past" "question"', 1),
        "regel 5: tussen twee zinnen ontbreekt een komma",
        "line 5: a comma is missing between two phrases",
    ),
    (
        "a list not closed",
        "promises.toml",
        lambda text: text.replace('"request"]', '"request"', 1),
        "regel 6: een lijst met zinnen is niet afgesloten met ] voor: patterns = [",
        "line 6: a list of phrases is not closed with ] before: patterns = [",
    ),
    (
        "a bracket not closed",
        "words.toml",
        lambda text: text + '\n[proef]\nname.nl = "Proef"\nname.en = "Trial"\ndefinition = "x"\npolarity = "signal"\n'
        'error_class = "non_critical"\npatterns = ["goed (zo|dan"]\n',
        '"goed (zo|dan"',
        'opens a bracket that ")" never closes',
    ),
    (
        "a value that does not exist",
        "closing.toml",
        lambda text: text.replace('polarity = "desired"', 'polarity = "desird"', 1),
        'is geen van desired, undesired, signal; misschien bedoelt u "desired"',
        'is not one of desired, undesired, signal; perhaps you mean "desired"',
    ),
    (
        "a reference to nothing",
        "closing.toml",
        lambda text: text.replace('applies_unless = ["ends_in_transfer"]', 'applies_unless = ["ends_in_transfr"]', 1),
        'misschien bedoelt u "ends_in_transfer"',
        'perhaps you mean "ends_in_transfer"',
    ),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the phrase files, and a configuration that names it."""
    shutil.copytree(project_root() / "configs" / "criteria", tmp_path / "criteria")
    (tmp_path / "own.toml").write_text(f'[scorecard]\ncriteria = "{tmp_path / "criteria"}"\n')
    return tmp_path


def check(folder: Path, lang: str, *more: str) -> int:
    return cli.main(["config", "check", *more, "--config", str(folder / "own.toml"), "--lang", lang])


@pytest.mark.parametrize("lang", ["nl", "en"])
@pytest.mark.parametrize(("name", "file", "edit", "dutch", "english"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_explained_where_it_stands(
    name: str, file: str, edit: Edit, dutch: str, english: str, lang: str, folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = folder / "criteria" / file
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    assert check(folder, lang) == 2
    told = capsys.readouterr().out
    assert file in told
    assert (dutch if lang == "nl" else english) in told


def test_all_mistakes_are_told_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file, old, new in (
        ("closing.toml", "patterns = [", "paterns = ["),
        ("citizen.toml", 'polarity = "signal"', 'polarity = "sein"'),
        ("empathy.toml", 'speaker = "agent"', 'speaker = "medewerker"'),
    ):
        path = folder / "criteria" / file
        path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    assert check(folder, "nl") == 2
    told = capsys.readouterr().out
    assert all(file in told for file in ("closing.toml", "citizen.toml", "empathy.toml"))
    assert "Fouten: 3." in told


def test_what_is_shipped_has_no_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["config", "check", "--lang", "en"]) == 0
    assert "in order" in capsys.readouterr().out


def test_an_item_of_the_card_that_names_nothing_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (folder / "own.toml").open("a") as file:
        file.write('compliance = ["opnamemelding"]\n')
    assert check(folder, "nl") == 2
    assert "opnamemelding" in capsys.readouterr().out


def test_a_broken_configuration_file_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.toml").write_text('lang = "nl"\n[municipality]\nnames = ["Ede" "Tiel"]\n')
    assert cli.main(["config", "check", "--config", str(tmp_path / "own.toml")]) == 2
    assert "regel 3: tussen twee zinnen ontbreekt een komma" in capsys.readouterr().err


def test_the_config_is_still_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["config"]) == 0
    assert f'"version": "{load_config().scorecard.version}"' in capsys.readouterr().out
