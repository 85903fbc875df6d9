"""Write files whole: beside their place, synchronised, then renamed; hash them; read named SQL statements."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file for its owner alone that takes its place once it is whole.  Raises OSError, with nothing left of it."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            yield stream
        _sync(draft)  # its writer may have closed it
        os.replace(draft, path)
    finally:
        with suppress(OSError):
            draft.unlink()


def _make_folder(path: Path) -> Path:
    """Return the folder, made with what is missing above it; only its owner may look into what is made here."""
    if not path.is_dir():
        _make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
    return path


def _sync(path: Path) -> None:
    """Have a file, or what a folder lists, on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_statements(path: Path) -> dict[str, str]:
    """Return the SQL statements of a file by name, in its order; each stands below a line `-- name: NAME`."""
    parts = re.split(r"^-- name: (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
