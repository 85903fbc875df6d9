"""The words and patterns of redaction: mistakes in their files are explained."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from callanalytics.config import load_config
from callanalytics.errors import ConfigError
from callanalytics.redaction.candidates import Candidate, surest
from callanalytics.redaction.cues import find_cue_mistakes, load_cues


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config = load_config()
    return Path(shutil.copytree(config.resolve(config.redaction.cues), tmp_path / "cues"))


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_shipped_cues_hold_no_mistake(folder: Path) -> None:
    assert find_cue_mistakes(folder) == []


def test_every_mistake_is_told_with_file_table_key_and_line(folder: Path) -> None:
    _replace(folder / "iban.toml", "banks =", "bank =")
    _replace(folder / "phone.toml", "is_end = [", "is_end = ['(',")
    (folder / "streetz.toml").write_text("", encoding="utf-8")
    told = sorted(str(mistake).rpartition("/cues/")[2] for mistake in find_cue_mistakes(folder))
    assert told[0].startswith("iban.toml can't be used: table [words], key bank (line ")
    assert "key banks: is missing" in told[1]
    assert told[2].startswith("phone.toml can't be used: table [patterns], key is_end (line ")
    assert '"(" is no regular expression' in told[2]
    assert told[3].startswith('streetz.toml can\'t be used: "streetz" is not one of')
    assert len(told) == 4


def test_redaction_stops_at_the_first_mistake(folder: Path) -> None:
    (folder / "emails.toml").write_text("[words", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"emails\.toml"):
        load_cues(folder)


def test_the_surest_candidate_stands() -> None:
    one, two = Candidate("bsn", 0, 3, 0.4, "part_of_bsn"), Candidate("phone", 0, 3, 0.5, "part_of_phone")
    assert surest([one, two]) == two
    assert surest([]) is None
