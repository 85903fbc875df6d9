"""Where the files of OUT lie: a folder of this machine, or one in object storage.

Both put whole files in their place or none, let one run write at a time, and know nothing of what the files hold.
Names are paths from OUT with "/" between, such as calls/date=2026-11-17/part-1.parquet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO, Any, Protocol, TypeVar

Writer = Callable[[IO[bytes]], object]
T = TypeVar("T")


class Place(Protocol):
    """What the store asks of where OUT lies.  Everything raises StoreError when it can't be done."""

    def is_there(self) -> bool:
        """Return whether there is an OUT."""

    def lock(self) -> None:
        """Keep other runs out.  Raises StoreLocked while one holds it, also on another machine."""

    def unlock(self) -> None:
        """Let other runs in."""

    def is_locked(self) -> bool:
        """Return whether a run holds OUT now."""

    def parts(self, dataset: str) -> list[str]:
        """Return the Parquet files of a dataset as date=.../name.parquet, sorted."""

    def table(self, name: str, columns: Sequence[str] | None = None) -> Any:
        """Return the table of one file, with those of `columns` that it has; None when there is no such file."""

    def text(self, name: str) -> str | None:
        """Return a text file; None when there is no such file."""

    def put(self, files: Sequence[tuple[str, Writer]]) -> None:
        """Write files, each whole and in this order; when one can't be written none before it may be missing."""

    def append(self, name: str, lines: Callable[[str | None], str]) -> None:
        """Add to a text file what `lines` makes of its last line (None when there is none), whole or not at all."""

    def files(self, folder: str) -> list[str]:
        """Return the names of what lies in a folder."""

    def delete(self, name: str) -> None:
        """Remove a file if it is there."""

    def size(self, name: str) -> int:
        """Bytes of a file, 0 when there is no such file."""

    def free_bytes(self) -> int | None:
        """Room that is left, None when nobody can tell."""


def _read(source: Any, columns: Sequence[str] | None) -> Any:
    import pyarrow.parquet as pq

    with pq.ParquetFile(source) as file:  # a third of the time of read_table, which looks for a whole dataset
        known = None if columns is None else [name for name in columns if name in file.schema_arrow.names]
        return file.read(known)

