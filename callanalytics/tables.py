"""Read word lists and patterns from TOML files; a mistake names the file, the table, the key and the line."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from callanalytics.config import Config, explain_toml
from callanalytics.errors import ConfigError
from callanalytics.texts import Message

Mistaken = Callable[[ConfigError], None]
NO_CRITERIA = ("words", "cue", "promise")  # tables of a criterion file that hold something else


class Table:
    """One table of one file, with errors that say where they are; every key must be taken."""

    def __init__(self, path: Path, name: str, values: Any) -> None:
        if not isinstance(values, dict):
            raise ConfigError(path=path, reason=Message("errors.stands_outside_any_table", name=name, table=name))
        self.path, self.name, self.values, self.taken = path, name, values, set[str]()

    def fail(self, key: str, reason: Message, phrase: str = "") -> ConfigError:
        """Return the error about a key, or about a phrase in its list."""
        line = self._line(key, phrase)
        where = {"table": self.name, "key": key, "reason": reason}
        text = Message("errors.table_key_line", line=line, **where) if line else Message("errors.table_key", **where)
        return ConfigError(path=self.path, reason=text)

    def _line(self, key: str, phrase: str = "") -> int:
        """Return the line of the key in the file, or of the phrase behind it; 0 when neither is found."""
        inside, found = False, 0
        if not self.path.is_file():
            return 0
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), start=1):
            if line.startswith("["):
                inside = line.split("#")[0].strip() == f"[{self.name}]"
            elif inside and not found and line.split("=")[0].strip().split(".")[0] == key:
                found = number
            if inside and found and phrase and (f'"{phrase}"' in line or f"'{phrase}'" in line):
                return number
        return found

    def text(self, key: str, default: str | None = None, choices: tuple[str, ...] = ()) -> str:
        """Return a text, one of `choices` where there are any."""
        self.taken.add(key)
        value = self.values.get(key, default)
        if not isinstance(value, str):
            missing = Message("errors.missing") if value is None else Message("errors.must_be_text", value=repr(value))
            raise self.fail(key, missing)
        if choices and value not in choices:
            reason = unlike(value, choices)
            raise self.fail(key, reason)
        return value

    def number(self, key: str, default: float) -> float:
        """Return a number that is not negative."""
        self.taken.add(key)
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise self.fail(key, Message("errors.must_be_number", value=repr(value)))
        return float(value)

    def texts(self, key: str, choices: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return a list of texts, each one of `choices` where there are any."""
        self.taken.add(key)
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(key, Message("errors.list_texts_quotes_comma"))
        for item in value:
            if choices and item not in choices:
                reason = unlike(item, choices)
                raise self.fail(key, reason)
        return tuple(value)

    def table(self, key: str) -> dict[str, Any]:
        """Return a table below this one."""
        self.taken.add(key)
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.fail(key, Message("errors.must_be_table"))
        return value

    def pattern(self, key: str) -> re.Pattern[str]:
        """Return a list of regular expressions as one that matches where any of them does."""
        parts = self.texts(key)
        for part in parts:
            try:
                re.compile(part)
            except re.error as error:
                raise self.fail(
                    key, Message("errors.no_regular_expression", part=part, error=error), phrase=part
                ) from None
        return re.compile("|".join(parts))

    def finish(self) -> None:
        """Raise ConfigError when a key stands here that nobody asked for."""
        for key in self.values:
            if key not in self.taken:
                known, near = ", ".join(sorted(self.taken)), nearest(key, self.taken)
                if near:
                    reason = Message("errors.key_not_known_nearest", near=near, known=known)
                else:
                    reason = Message("errors.key_not_known", known=known)
                raise self.fail(key, reason)


def unlike(value: str, choices: Iterable[str]) -> Message:
    """Return why a value is refused, with the choice it is nearest to."""
    known = ", ".join(choices)
    near = nearest(value, known.split(", "))
    reason = Message("errors.not_one_of", value=value, choices=known)
    if near:
        reason = Message("errors.not_one_of_nearest", value=value, choices=known, near=near)
    return reason


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return the choice that is written most like the word, "" when none is near."""
    return next(iter(difflib.get_close_matches(word, list(choices), 1, 0.6)), "")


def stop(error: ConfigError) -> None:
    """Raise the mistake: for who can't go on with one."""
    raise error


def read_tree(path: Path, mistaken: Mistaken) -> dict[str, Any] | None:
    """Return what a TOML file holds, None when it can't be read."""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        mistaken(ConfigError(path=path, reason=f"{error}."))
    except tomllib.TOMLDecodeError as error:
        mistaken(explain_toml(path, text, error))
    return None


def criterion_ids(config: Config) -> tuple[str, ...]:
    """Return the criteria of the scorecard in the order of its files, without reading their phrases.

    Raises ConfigError for a file that can't be read.
    """
    paths = sorted(config.resolve(config.scorecard.criteria).glob("*.toml"))
    return tuple(name for path in paths for name in read_tree(path, stop) or () if name not in NO_CRITERIA)
