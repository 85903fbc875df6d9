"""What commands share: their parser, common options, types of arguments, and the OUT they work on."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callanalytics.config import Config
from callanalytics.store.bucket import is_remote

if TYPE_CHECKING:
    from callanalytics.store.datasets import Store

Command = Callable[[Config, argparse.Namespace], int | None]


class Commands:
    """The commands of a parser."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(self, name: str, command: Command, text: str, out: Any = None) -> argparse.ArgumentParser:
        """Add a command and return its parser.

        The command returns the exit code, None for 0.  `out` is the type of its first argument OUT, if it has one.
        """
        parser = self._parsers.add_parser(
            name, help=text, description=text, parents=[common_options(argparse.SUPPRESS)]
        )
        parser.set_defaults(command=command)
        if out:
            parser.add_argument("output", type=out, metavar="OUT")
        return parser


def common_options(default: str | None) -> argparse.ArgumentParser:
    """Return the options of every command.

    With SUPPRESS as their default they mean the same before and behind the command.
    """
    common = argparse.ArgumentParser(add_help=False, argument_default=default)
    common.add_argument("--config", type=Path, help="a TOML file over the defaults of configs/default.toml")
    common.add_argument("--lang", choices=("nl", "en"), help="language of what is printed (default: from the config)")
    is_set = False if default is None else default
    common.add_argument("--json", action="store_true", default=is_set, help="JSON instead of a table")
    return common


def place(text: str) -> Path | str:
    """Return a folder or file as a path, an address of object storage as it is."""
    return text if is_remote(text) else Path(text)


def positive(text: str) -> int:
    """Return a whole number of 1 or more."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of 1 or more")
    return int(text)


def day(text: str) -> date:
    """Return a date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date like 2026-11-09") from None


def clock(text: str) -> str:
    """Return a time of the day as it was given."""
    try:
        datetime.strptime(text, "%H:%M")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no time like 06:00") from None
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
