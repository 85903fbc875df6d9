"""What commands share: their parser, common options, types of arguments, and the OUT they work on."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callanalytics.config import Config
from callanalytics.store.bucket import is_remote
from callanalytics.texts import Lang, has_text, say, texts_of

if TYPE_CHECKING:
    from callanalytics.store.datasets import Store

Command = Callable[[Config, argparse.Namespace], int | None]


class Parser(argparse.ArgumentParser):
    """A parser whose texts are keys of texts/help.toml, said in one language.

    The keys are put in words only when help is shown: the file is not read where nobody asks for it.
    """

    def __init__(self, lang: Lang = "nl", **how: Any) -> None:
        super().__init__(add_help=False, formatter_class=partial(_Formatter, lang), **how)
        for name, read in (("positive", _positive), ("day", _day), ("clock", _clock)):
            self.register("type", name, partial(read, lang))


class _Formatter(argparse.HelpFormatter):
    def __init__(self, lang: Lang, prog: str) -> None:
        super().__init__(prog)
        self._lang: Lang = lang

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, _say_of_argparse(self._lang, "usage: ") if prefix is None else prefix)

    def start_section(self, heading: str | None) -> None:
        super().start_section(heading and _say_of_argparse(self._lang, heading))

    def add_text(self, text: str | None) -> None:
        key = f"help.{text}"
        super().add_text(say(key, self._lang) if has_text(key) else text)  # the version is no key

    def _get_help_string(self, action: argparse.Action) -> str:
        return say(f"help.{action.help}", self._lang)

    def _metavar_formatter(self, action: argparse.Action, default_metavar: str) -> Callable[[int], tuple[str, ...]]:
        # Without a default this is argparse's check of a new argument: nothing is shown.
        if default_metavar and has_text(f"help.metavar_{action.metavar}"):
            action = copy(action)
            action.metavar = say(f"help.metavar_{action.metavar}", self._lang)
        return super()._metavar_formatter(action, default_metavar)


@contextmanager
def argparse_in(lang: Lang) -> Iterator[None]:
    """Let argparse say its own words, as in its errors, in a language."""
    before = vars(argparse)["_"]
    vars(argparse)["_"] = partial(_say_of_argparse, lang)  # where it looks for gettext
    try:
        yield
    finally:
        vars(argparse)["_"] = before


def _say_of_argparse(lang: Lang, english: str) -> str:
    texts = (text for name, text in texts_of("help").items() if name.startswith("argparse_"))
    return next((text[lang] for text in texts if text["en"] == english), english)


class Commands:
    """The commands of a parser."""

    def __init__(self, parser: Parser, lang: Lang) -> None:
        self._parsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
        self._lang, self._common = lang, common_options(argparse.SUPPRESS)

    def add(self, name: str, command: Command, out: type[Path] | Callable[[str], Any] | None = None) -> Parser:
        """Add a command, whose help has its name as key, and return its parser.

        The command returns the exit code, None for 0.  `out` is the type of its first argument OUT, if it has one.
        """
        parser: Parser = self._parsers.add_parser(
            name, help=name, description=name, parents=[self._common], lang=self._lang
        )
        parser.set_defaults(command=command)
        if out:
            parser.add_argument("output", type=out, metavar="OUT")
        return parser


def common_options(default: str | None) -> Parser:
    """Return the options of every command.

    With SUPPRESS as their default they mean the same before and behind the command.
    """
    common = Parser(argument_default=default)
    common.add_argument("-h", "--help", action="help", help="help", default=argparse.SUPPRESS)
    common.add_argument("--config", type=Path, metavar="FILE", help="config_file")
    common.add_argument("--lang", choices=("nl", "en"), help="lang")
    common.add_argument("--json", action="store_true", default=default or False, help="json")
    return common


def place(text: str) -> Path | str:
    """Return a folder or file as a path, an address of object storage as it is."""
    return text if is_remote(text) else Path(text)


def _positive(lang: Lang, text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(say("help.no_number", lang, text=text))
    return int(text)


def _day(lang: Lang, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(say("help.no_day", lang, text=text)) from None


def _clock(lang: Lang, text: str) -> str:
    try:
        datetime.strptime(text, "%H:%M")
    except ValueError:
        raise argparse.ArgumentTypeError(say("help.no_clock", lang, text=text)) from None
    return text


def find_store(config: Config, output: Path | str) -> Store:
    """Return the store at OUT.  Raises StoreError where there is none."""
    from callanalytics.store.datasets import Store

    store = Store(output, storage=config.storage)
    store.check_is_there()
    return store


@contextmanager
def open_store(config: Config, output: Path | str) -> Iterator[Store]:
    """Hold the store at OUT open for writing.  Raises StoreError where there is none, StoreLocked during a run."""
    store = find_store(config, output)
    store.open()
    try:
        yield store
    finally:
        store.close()
