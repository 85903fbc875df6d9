"""Every text a person reads, Dutch beside English, as TOML under keys.

`<room>.toml` holds tables `[key]` with `nl` and `en`; the key of a text is "room.key".
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

Lang = Literal["nl", "en"]
FOLDER = Path(__file__).parent


class Message:
    """A text by its key with the values for its braces, put in words at the edge.

    A value may be a message itself; it is then said in the same language.
    """

    __slots__ = ("key", "values")

    def __init__(self, key: str, /, **values: Any) -> None:
        self.key = key
        # An exception or a path is kept as its text, so that a message can travel between processes.
        plain = (str, int, float, Message, tuple)
        self.values = {name: value if isinstance(value, plain) else str(value) for name, value in values.items()}

    def say(self, lang: str) -> str:
        """Return the text in a language."""
        return say(self.key, lang, **self.values)

    def __str__(self) -> str:
        return self.say("en")

    def __repr__(self) -> str:
        return f"Message({self.key!r}, {self.values!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and (self.key, self.values) == (other.key, other.values)

    def __hash__(self) -> int:
        return hash((self.key, *sorted(self.values)))

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors with their messages come back from worker processes.
        return (_rebuild, (self.key, self.values))


def _rebuild(key: str, values: Mapping[str, Any]) -> Message:
    return Message(key, **values)


def say(key: str, lang: str, /, **values: Any) -> str:
    """Return the text of a key in a language, its braces filled.  Raises KeyError for a key that does not exist."""
    room, _, name = key.partition(".")
    return texts_of(room)[name][lang].format(**{name: to_words(value, lang) for name, value in values.items()})


def to_words(value: Any, lang: str) -> Any:
    """Return a message, or each of a tuple of them, in words; anything else as it is."""
    if isinstance(value, tuple) and value and all(isinstance(one, Message) for one in value):
        return "; ".join(one.say(lang) for one in value)
    return value.say(lang) if isinstance(value, Message) else value


def has_text(key: str) -> bool:
    """Return whether there is a text under a key."""
    room, _, name = key.partition(".")
    return name in texts_of(room)


@cache
def texts_of(room: str) -> dict[str, dict[str, str]]:
    """Return the texts of a room by name, read once: only what a command says is ever parsed."""
    return tomllib.loads((FOLDER / f"{room}.toml").read_text(encoding="utf-8"))
