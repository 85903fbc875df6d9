"""Sentences with what is right for them, kept as data."""

from __future__ import annotations

import tomllib
from typing import Any

from tests.support.paths import DATA


def sentences(table: str) -> list[Any]:
    """Return the rows of a table of tests/data/sentences.toml: texts, or lists of what a test takes."""
    rows: list[Any] = tomllib.loads((DATA / "sentences.toml").read_text(encoding="utf-8"))[table]
    return rows
