"""Guides: they are there in their languages, they print, and what they name exists."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from callanalytics.cli.guide import FOR_USERS, GUIDES, NAMES
from callanalytics.cli.main import build_parser, main
from callanalytics.config import project_root

ROOT = project_root()
README = ROOT / "README.md"
PAGES = [*sorted(GUIDES.glob("*.md")), README]
# Every page that links to files of the checkout.
LINKING = [*PAGES, *sorted((ROOT / "tests").glob("*/README.md"))]
VALUES = {
    "OUT": "out", "DIR": "dir", "FILE": "file", "BESTAND": "file", "ID": "id", "NAAM": "naam",
    "NAME": "operator", "TRANSCRIPT.json": "t.json",
}  # fmt: skip


def commands_of(text: str) -> list[str]:
    """Every command line of callanalytics that a page shows, in a block or between backticks."""
    blocks = re.findall(r"^ {4,}.*\bcallanalytics (.+)$", text, re.MULTILINE)
    inline = re.findall(r"`(?:[\w./]*/)?callanalytics ([^`]+)`", text)
    return [line.strip() for line in (*blocks, *inline)]


def subcommands() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command."""
    parser = build_parser()
    (action,) = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    return dict(action.choices)


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    return {name for action in parser._actions for name in action.option_strings}


def test_every_guide_is_there_in_its_languages() -> None:
    expected = {f"{name}.{lang}.md" for name in FOR_USERS for lang in ("nl", "en")} | {"developer.en.md", "changes.md"}
    assert {path.name for path in GUIDES.glob("*.md")} == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_guide_prints_as_it_is_when_piped(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    dutch, english = (
        (f"{name}.nl.md", f"{name}.en.md")
        if name in FOR_USERS
        else ({"developer": "developer.en.md"}.get(name, "changes.md"),) * 2
    )
    for arguments, file in (([], dutch), (["--lang", "nl"], dutch), (["--lang", "en"], english)):
        assert main(["guide", name, *arguments]) == 0
        assert capsys.readouterr().out == (GUIDES / file).read_text(encoding="utf-8")


def test_without_a_name_every_guide_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["guide"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(NAMES)
    assert "Gids voor de beheerder" in lines[0]


def test_a_terminal_gets_the_guide_rendered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["guide", "operator", "--lang", "en"]) == 0
    printed = capsys.readouterr().out
    assert "Guide for the operator" in printed
    assert "# Guide" not in printed
    assert "```" not in printed


def test_an_unknown_guide_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["guide", "nobody"])
    assert stop.value.code == 2
    assert "quality-team" in capsys.readouterr().err


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_can_be_given(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told, parsers = commands_of(page.read_text(encoding="utf-8")), subcommands()
    assert told or page.name == "changes.md"
    for command in told:
        words = [VALUES.get(word, word) for word in shlex.split(command)]
        if len(words) == 1:  # a command that is only named
            assert words[0] in parsers, command
            continue
        try:
            build_parser().parse_args(words)
        except SystemExit:
            pytest.fail(f"{command}: {capsys.readouterr().err}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_of_a_page_exists(page: Path) -> None:
    of_others = {"--help", "--strict", "--no-deps"}  # of argparse, mypy and pip
    known = of_others | {name for parser in subcommands().values() for name in options_of(parser)}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page.read_text(encoding="utf-8")))
    assert named <= known, named - known


@pytest.mark.parametrize("page", LINKING, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("https://") or (page.parent / link).is_file(), link
    for name in re.findall(r"`((?:callanalytics|configs|models|tests)/[^`*<> ]+)`", text):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("name", FOR_USERS)
def test_both_languages_tell_the_same(name: str) -> None:
    """The same sections, examples and settings in the same order; a translation that lags behind shows here."""
    dutch, english = ((GUIDES / f"{name}.{lang}.md").read_text(encoding="utf-8") for lang in ("nl", "en"))
    for pattern in (r"^(#+) ", r"^ {4,}.*?(?:callanalytics )([a-z-]+)", r"^```\w*$", r"^\|[ -]+\|"):
        assert re.findall(pattern, dutch, re.MULTILINE) == re.findall(pattern, english, re.MULTILINE)
    settings = r"`([a-z_]+\.[a-z_]+|\[[a-z.*_]+\])`"
    assert set(re.findall(settings, dutch)) == set(re.findall(settings, english))


def test_the_front_page_is_short() -> None:
    assert README.stat().st_size <= 8000
