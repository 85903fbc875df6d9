"""The words and patterns that redaction goes by: one file of configs/redaction for each field of `Cues`.

The shipped files say which lists a folder must hold.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from callanalytics.config import project_root
from callanalytics.errors import ConfigError
from callanalytics.tables import Mistaken, Table, read_tree, stop, unlike
from callanalytics.texts import Message

_SHIPPED = project_root() / "configs" / "redaction"


class CueFile(SimpleNamespace):
    """What a file holds, by name: `cues.emails.dots`, `cues.emails.mail_is`.

    A list in [words] is a `frozenset[str]`, a list in [patterns] one `re.Pattern[str]`; any other table is a dict.
    """


@dataclass(frozen=True, slots=True)
class Cues:
    """Everything that configs/redaction holds."""

    asked: CueFile
    codes: CueFile
    quantities: CueFile
    streets: CueFile
    addresses: CueFile
    dates: CueFile
    emails: CueFile
    phone: CueFile
    iban: CueFile
    names: CueFile
    special: CueFile


def load_cues(folder: Path, mistaken: Mistaken = stop) -> Cues:
    """Return the cues of a folder.  Raises ConfigError with file, table, key and line on the first mistake."""
    names = [field.name for field in fields(Cues)]
    for path in sorted(folder.glob("*.toml")):
        if path.stem not in names:
            mistaken(ConfigError(path=path, reason=Message("errors.sentence", reason=unlike(path.stem, names))))
    return Cues(**{name: _read_file(folder / f"{name}.toml", mistaken) for name in names})


def find_cue_mistakes(folder: Path) -> list[ConfigError]:
    """Return every mistake in the cue files of a folder."""
    mistakes: list[ConfigError] = []
    load_cues(folder, mistakes.append)
    return mistakes


def _read_file(path: Path, mistaken: Mistaken) -> CueFile:
    cues, tree = CueFile(), read_tree(path, mistaken)
    if tree is None:
        return cues
    shipped = read_tree(_SHIPPED / path.name, stop) or {}
    for name in {**shipped, **tree}:
        try:
            table = Table(path, name, tree.get(name, {}))
            if name not in shipped:
                raise table.fail(name, Message("errors.key_not_known", known=", ".join(sorted(shipped))))
            found = _read_table(table, shipped[name], mistaken)
            vars(cues).update(found if name in ("words", "patterns") else {name: found})
            table.finish()
        except ConfigError as error:
            mistaken(error)
    return cues


def _read_table(table: Table, shipped: dict[str, Any], mistaken: Mistaken) -> dict[str, Any]:
    """Return the lists that the shipped table holds; in a table that is neither words nor patterns any key will do."""
    is_open = table.name not in ("words", "patterns")
    if is_open and not table.values:
        raise table.fail(table.name, Message("errors.missing_empty"))
    found: dict[str, Any] = {}
    for key in table.values if is_open else shipped:
        try:
            if key not in table.values:
                raise table.fail(key, Message("errors.missing"))
            if table.name == "patterns":
                found[key] = table.pattern(key)
            elif is_open and all(isinstance(value, str) for value in shipped.values()):
                found[key] = table.text(key)
            else:
                found[key] = table.texts(key) if is_open else frozenset(table.texts(key))
        except ConfigError as error:
            mistaken(error)
    return found
