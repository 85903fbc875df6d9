"""`callanalytics guide`: the guides that ship with the package, rendered on a terminal and plain in a pipe."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from callanalytics.cli.options import Commands
from callanalytics.config import Config
from callanalytics.texts import Lang

GUIDES = Path(__file__).parents[1] / "guides"
# The first four are for users and exist in Dutch and English; the others are in English alone.
FOR_USERS = ("operator", "quality-team", "analyst", "privacy-officer")
NAMES = (*FOR_USERS, "developer", "changes")


def add(commands: Commands) -> None:
    """Add the command of this file."""
    guide = commands.add("guide", print_guide)
    guide.add_argument("name", nargs="?", choices=NAMES, metavar="NAME", help="guide_name")


def print_guide(config: Config, options: argparse.Namespace) -> None:
    """Print one guide, or the list of them."""
    if options.name is None:
        width = max(map(len, NAMES))
        for name in NAMES:
            print(f"{name:{width}}  {read_guide(name, config.lang).splitlines()[0].removeprefix('# ')}")
        return
    text = read_guide(options.name, config.lang)
    if not sys.stdout.isatty():
        print(text, end="")
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    console.print(Markdown(text), width=min(console.width, 120))


def read_guide(name: str, lang: Lang) -> str:
    """Return the Markdown of a guide, in English where there is no other language."""
    file = {"changes": "changes.md"}.get(name) or f"{name}.{lang if name in FOR_USERS else 'en'}.md"
    return (GUIDES / file).read_text(encoding="utf-8")
