"""The words and patterns that redaction goes by: one dataclass for each file of configs/redaction.

The name of a field of `Cues` is the name of its file; the fields of its class are the lists that the file must hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from callanalytics.errors import ConfigError
from callanalytics.tables import read_cue_folder

Words = frozenset[str]
Regex = re.Pattern[str]  # for fields of [patterns]


@dataclass(frozen=True, slots=True)
class StreetCues:
    """What makes a word the name of a street."""

    sure: Words
    possible: Words
    quarters: Words
    with_number: Words
    second_words: Words
    generic_endings: Words
    generic: Words
    not_streets: Words


@dataclass(frozen=True, slots=True)
class Cues:
    """Everything that configs/redaction holds."""

    streets: StreetCues


def load_cues(folder: Path) -> Cues:
    """Return the cues of a folder.  Raises ConfigError with file, table, key and line on the first mistake."""
    return read_cue_folder(folder, Cues)


def find_cue_mistakes(folder: Path) -> list[ConfigError]:
    """Return every mistake in the cue files of a folder."""
    mistakes: list[ConfigError] = []
    read_cue_folder(folder, Cues, mistakes.append)
    return mistakes
