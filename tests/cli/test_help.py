"""Help and mistakes on the command line: in the language asked for, and every text by a key that exists."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

from callanalytics.cli.main import build_parser, main
from callanalytics.texts import Lang, texts_of

HELP = texts_of("help")


def parsers(lang: Lang = "nl") -> Iterator[argparse.ArgumentParser]:
    parser = build_parser(lang)
    (action,) = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    yield from (parser, *action.choices.values())


def keys_of(parser: argparse.ArgumentParser) -> set[str]:
    """Return the keys of a parser: its description, its options and its commands."""
    actions: list[Any] = list(parser._actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            actions += action._choices_actions
    return {str(text) for text in (parser.description, *(action.help for action in actions)) if text}


def test_parsers_ask_for_keys_that_exist_and_no_help_is_left_over() -> None:
    asked = {key for parser in parsers() for key in keys_of(parser)}
    others = {name for name in HELP if name.startswith(("metavar_", "argparse_", "no_"))}
    assert asked == set(HELP) - others


def test_metavars_are_those_of_options() -> None:
    used = {action.metavar for parser in parsers() for action in parser._actions}
    assert {name.removeprefix("metavar_") for name in HELP if name.startswith("metavar_")} <= used


def test_the_words_of_argparse_are_those_it_uses() -> None:
    source = inspect.getsource(argparse)
    for name, text in HELP.items():
        if name.startswith("argparse_") and name != "argparse_commands":  # the title is ours
            assert repr(text["en"]) in source, name
            holes = r"%(?:\(\w+\))?[sr]"
            assert sorted(re.findall(holes, text["nl"])) == sorted(re.findall(holes, text["en"])), name


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_the_help_of_every_command_is_in_one_language(lang: Lang) -> None:
    other: Lang = "en" if lang == "nl" else "nl"
    for parser in parsers(lang):
        printed = " ".join(parser.format_help().split())
        assert printed.startswith(HELP["argparse_usage"][lang])
        for key in keys_of(parser):
            assert " ".join(HELP[key][lang].split()) in printed, key
        for key in ("argparse_options", "help"):
            assert HELP[key][other] not in printed


@pytest.mark.parametrize(
    ("arguments", "dutch", "english"),
    [
        (["run"], "fout: deze argumenten ontbreken: RECORDINGS, --output", "arguments are required: RECORDINGS,"),
        (["models", "lsit"], "'lsit' bestaat niet (kies uit 'list',", "invalid choice: 'lsit' (choose from 'list',"),
        (["status", "out", "more"], "onbekende argumenten: more", "unrecognized arguments: more"),
        (["report", "o", "--from", "1-2"], "1-2 is geen datum zoals 2026-11-09", "1-2 is no date like 2026-11-09"),
        (["run", "r", "--workers", "0"], "0 is geen getal van 1 of meer", "0 is no number of 1 or more"),
        (["run", "r", "--until", "25:00"], "25:00 is geen tijd zoals 06:00", "25:00 is no time like 06:00"),
        (["review", "o", "--users", "--enable", "x"], "kan niet samen met --users", "not allowed with argument --use"),
    ],
)
def test_a_mistake_is_told_in_the_language_asked_for(
    arguments: list[str], dutch: str, english: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for options, text in (([], dutch), (["--lang", "en"], english), (["--lang=en"], english), (["--lang=nl"], dutch)):
        with pytest.raises(SystemExit) as stop:
            main([*arguments, *options])
        assert stop.value.code == 2
        assert text in capsys.readouterr().err
