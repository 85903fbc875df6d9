"""Who saw, exported, erased or held which call: a file in OUT that can only grow, each line sealed by the one before.

A line is JSON: when, who (the account of the system or of the review app), what was done, the call as a keyed hash,
and the SHA-256 over all this and the hash of the line before.  A line that is changed, left out or moved breaks the
chain from there on; who holds the last hash elsewhere (`privacy-report` prints it) also sees lines cut off at the end.
"""

from __future__ import annotations

import getpass
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from callanalytics.errors import StoreError
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.store.place import Place
from callanalytics.texts import Message

NAME = "ledger.jsonl"
Action = Literal[
    "view", "export", "erase", "purge_texts", "purge_call", "purge_failure", "purge_reviews", "hold", "release"
]
GONE = ("erase", "purge_call")  # a call of which this stands here is not processed again


@dataclass(frozen=True, slots=True)
class Entry:
    """A line."""

    at: str  # ISO 8601, UTC
    who: str
    action: Action
    call: str  # keyed hash of the call's id
    recording: str  # keyed hash of the recording's SHA-256, "" when unknown
    reason: str
    before: str  # hash of the line before, "" for the first
    hash: str = ""

    def seal(self) -> str:
        """Return the hash this line must have."""
        content = {name: value for name, value in asdict(self).items() if name != "hash"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def follows(self, before: str | None) -> bool:
        """Whether this line is as it was written, behind one with the hash `before`; None when that is not known."""
        return self.seal() == self.hash and before in (None, self.before)


def parse_line(line: str | bytes) -> Entry | None:
    """Return a line of the file; None when it was changed until it is none."""
    try:
        return Entry(**json.loads(line))
    except (ValueError, TypeError):
        return None


class Ledger:
    """The ledger of one OUT."""

    def __init__(self, place: Place, pseudonyms: Pseudonyms) -> None:
        self._place = place
        self._pseudonyms = pseudonyms

    def add(
        self,
        action: Action,
        calls: Sequence[tuple[str, str | None]],
        reason: str = "",
        who: str | None = None,
    ) -> None:
        """A line for each call, given as its id and its recording's SHA-256.  `reason` holds no personal data."""
        at, account = datetime.now(UTC).isoformat(timespec="seconds"), who or getpass.getuser()

        def lines(last: str | None) -> str:
            before = _hash_of(last) if last else ""
            text = ""
            for call_id, recording in calls:
                call = self._pseudonyms("call", call_id) or ""
                entry = Entry(at, account, action, call, self._pseudonyms("recording", recording) or "", reason, before)
                before = entry.seal()
                text += json.dumps(asdict(entry) | {"hash": before}, ensure_ascii=False) + "\n"
            return text

        if calls:
            self._place.append(NAME, lines)

    def entries(self) -> list[Entry]:
        """Return all lines.  Raises StoreError when one was changed, moved or left out."""
        entries, before = [], ""
        for number, entry in enumerate(self._lines(), 1):
            if entry is None or not entry.follows(before):
                reason = Message("errors.line_not_as_written", number=number, name=NAME)
                raise StoreError(path=NAME, reason=reason)
            entries.append(entry)
            before = entry.hash
        return entries

    def _lines(self) -> Iterator[Entry | None]:
        """Return every line, None for one that is none; what follows the last newline is a line that a kill tore."""
        text = self._place.text(NAME) or ""
        return map(parse_line, text[: text.rfind("\n") + 1].splitlines())

    def is_gone(self, call_id: str, recording_sha256: str | None, gone: set[str]) -> bool:
        """Return whether a call, or another with the same recording, is among those of `gone`."""
        known = self._pseudonyms.ever("call", call_id)
        if recording_sha256:
            known |= self._pseudonyms.ever("recording", recording_sha256)
        return bool(known & gone)

    def gone(self) -> set[str]:
        """The hashes of calls and recordings that were erased or purged as a whole; also by a ledger that was changed.

        What was erased stays so, and a changed line stops no run: whoever reads the ledger is told of it.
        """
        gone = [entry for entry in self._lines() if entry and entry.action in GONE]
        return {one for entry in gone for one in (entry.call, entry.recording) if one}


def _hash_of(line: str) -> str:
    """Return the seal of a line; "" of one that was changed until it is none, which `entries` tells."""
    try:
        return str(json.loads(line)["hash"])
    except (ValueError, TypeError, KeyError):
        return ""

BLOCK = 64 * 1024  # bytes read at once from the end of the ledger

WHOLE_LEDGER = 4 * 2**20  # up to this size the whole chain is checked with every look at it: some ten thousand lines


@dataclass(frozen=True, slots=True)
class Tail:
    """Lines of the ledger, the newest first, None for one that can't be read.  `before`: where older ones end."""

    entries: list[Entry | None]
    before: int | None
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """What a look at the whole ledger found: how many lines, and the first that is not as it was written."""

    lines: int
    broken_at: int | None
    last: str


def read_tail(path: Path, count: int, before: int | None = None) -> Tail:
    """Return the last lines of the ledger that end at or before a byte; what the file holds further back is not read.

    A line that is still being written is left out; so is what stands around a `before` that is no line's end.
    """
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        return Tail([], None, True)
    with stream:
        size = stream.seek(0, 2)
        end = size if before is None else min(before, size)
        start, held = end, b""
        while start > 0 and held.count(b"\n") < count + 2:
            step = min(BLOCK, start)
            start -= step
            stream.seek(start)
            held = stream.read(step) + held
    held = held[: held.rfind(b"\n") + 1]
    lines = held.splitlines(keepends=True)
    if start > 0:
        lines = lines[1:]  # the first may be cut
    shown, older = lines[-count:], lines[:-count]
    first = start + len(held) - sum(map(len, shown))
    last_older = parse_line(older[-1]) if older else None
    entries = [parse_line(line) for line in shown]
    is_whole = _is_chain(entries, "" if first == 0 else last_older.hash if last_older else None)
    return Tail(entries[::-1], first or None, is_whole)


def _is_chain(entries: Sequence[Entry | None], before: str | None) -> bool:
    """Return whether lines are sealed and follow one another; `before` None when what came before them is not known."""
    for entry in entries:
        if entry is None or not entry.follows(before):
            return False
        before = entry.hash
    return True


def check_chain(path: Path) -> Chain:
    """Read the whole ledger, a line at a time, and see whether each is as it was written."""
    before, number, broken = "", 0, None
    for line in _whole_lines(path):
        number += 1
        entry = parse_line(line)
        if broken is None and (entry is None or not entry.follows(before)):
            broken = number
        before = entry.hash if entry else ""
    return Chain(number, broken, before)


def _whole_lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            yield from (line for line in stream if line.endswith(b"\n"))
    except FileNotFoundError:
        return
