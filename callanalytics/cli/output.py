"""Tables, cells and JSON on stdout: the only place that decides how they look."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from callanalytics.texts import Lang, say

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


def print_json(tree: Any, **how: Any) -> None:
    """Print a value as JSON; `how` goes to json.dumps."""
    options: dict[str, Any] = {"indent": 1, "default": str} | how
    print(json.dumps(tree, **options))


def plain(row: Any) -> dict[str, Any]:
    """Return a record, or a row as a dict, with its times as text."""
    values = row if isinstance(row, dict) else dataclasses.asdict(row)
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def titles(lang: Lang, *keys: str) -> list[str]:
    """Return the names of columns."""
    return [say(f"cli.{key}", lang) for key in keys]


def print_table(lang: Lang, keys: Sequence[str], rows: Iterable[Sequence[str | Text]], title: str = "") -> None:
    """Print rows under columns whose names are given by key."""
    table = make_table(titles(lang, *keys), title)
    for row in rows:
        table.add_row(*row)
    show(table)


def make_table(columns: Iterable[str], title: str = "") -> Table:
    """Return a table without rows."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def print_values(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print values of any kind under the names of columns, as they are: brackets are no markup."""
    from rich.text import Text

    table = make_table(columns)
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    show(table)


def show(table: Table) -> None:
    """Print a table, wide enough to be read where stdout is no terminal."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 140)
    console.print(table)


def length(ms: int) -> str:
    """Return minutes and seconds.   83000 -> "1:23" """
    return f"{ms // 60_000}:{ms // 1000 % 60:02d}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(round(value, 4) if isinstance(value, float) else value)
