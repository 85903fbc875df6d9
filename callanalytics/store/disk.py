"""OUT on a disk of this machine."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from callanalytics.errors import StoreError, StoreLocked
from callanalytics.files import _make_folder, _sync
from callanalytics.store.place import Writer, _read
from callanalytics.texts import Message

STAGING = ".staging"

SWAPS = ".swaps"

GATE, READERS = ".gate", ".readers"  # readers share the second; a swap keeps new ones at the first and waits

READERS_S = 10.0  # how long a swap waits for readers who asked it to


class Disk:
    """OUT as a folder of this machine; only its owner may look into it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock: IO[str] | None = None

    def is_there(self) -> bool:
        """Return whether there is an OUT."""
        return self._root.is_dir()

    def lock(self) -> None:
        """Take OUT, made when absent; what a killed run had not finished writing goes, a begun swap is finished."""
        try:
            lock = os.fdopen(os.open(_make_folder(self._root) / ".lock", os.O_WRONLY | os.O_CREAT, 0o600), "w")
        except OSError as error:
            raise StoreError(
                path=self._root, reason=Message("errors.choose_folder_you_write", problem=error.strerror)
            ) from None
        try:
            # The kernel drops this lock when the process ends, however it ends.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise StoreLocked(path=self._root) from None
        self._lock = lock
        for name in (GATE, READERS):
            self._lock_file(name).close()
        shutil.rmtree(self._root / STAGING, ignore_errors=True)
        for left in sorted((self._root / SWAPS).glob("*")):
            if left.suffix == ".ready":
                with self._without_readers():
                    self._finish(left)
            else:
                shutil.rmtree(left)

    def unlock(self) -> None:
        """Let other runs in."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def is_locked(self) -> bool:
        """Return whether a run holds OUT now."""
        try:
            with (self._root / ".lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def parts(self, dataset: str) -> list[str]:
        """Return the Parquet files of a dataset."""
        return sorted(f"{path.parent.name}/{path.name}" for path in (self._root / dataset).glob("date=*/*.parquet"))

    def table(self, name: str, columns: Sequence[str] | None = None) -> Any:
        """Return the table of one file."""
        path = self._root / name
        return _read(path, columns) if path.exists() else None

    def rows(self, name: str, call_id: str) -> list[dict[str, Any]]:
        """Return the rows of one call in a file; of a large one only the row groups that may hold it are read."""
        import pyarrow.parquet as pq

        path = self._root / name
        return pq.read_table(path, filters=[("call_id", "=", call_id)]).to_pylist() if path.exists() else []

    def marks(self, dataset: str) -> dict[str, str]:
        """Return the parts of a dataset with what differs once a file is replaced."""
        found = {}
        for part in self.parts(dataset):
            with suppress(FileNotFoundError):
                stat = (self._root / dataset / part).stat()
                found[part] = f"{stat.st_ino}-{stat.st_size}-{stat.st_mtime_ns}"
        return found

    def text(self, name: str) -> str | None:
        """Return a text file."""
        try:
            return (self._root / name).read_text()
        except FileNotFoundError:
            return None

    def put(self, files: Sequence[tuple[str, Writer]]) -> None:
        """Write files beside their places, have them on disk, then rename them one by one."""
        staged = [(self._write(name.replace("/", "."), write), self._root / name) for name, write in files]
        folders = set()
        for source, final in staged:
            try:
                os.replace(source, _make_folder(final.parent) / final.name)
            except OSError as error:
                raise StoreError(
                    path=self._root, reason=Message("errors.nothing_published_lost_2", problem=error.strerror)
                ) from None
            folders.add(final.parent)
        for folder in folders:
            _sync(folder)

    def append(self, name: str, lines: Callable[[str | None], str]) -> None:
        """Add to a text file; a line that a kill tore goes first."""
        try:
            with self._lock_file(f".{name}.lock") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                with os.fdopen(os.open(self._root / name, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as stream:
                    end, last = _last_line(stream)
                    stream.truncate(end)
                    stream.seek(end)
                    stream.write(lines(last).encode())
                    stream.flush()
                    os.fsync(stream.fileno())
        except OSError as error:
            raise StoreError(
                path=self._root, reason=Message("errors.nothing_published_lost", problem=error.strerror)
            ) from None

    def files(self, folder: str) -> list[str]:
        """Return the names of what lies in a folder."""
        return sorted(path.name for path in (self._root / folder).glob("*") if path.is_file())

    def delete(self, name: str) -> None:
        """Remove a file."""
        (self._root / name).unlink(missing_ok=True)

    def size(self, name: str) -> int:
        """Bytes of a file."""
        path = self._root / name
        return path.stat().st_size if path.exists() else 0

    def free_bytes(self) -> int | None:
        """Room on OUT's disk."""
        return shutil.disk_usage(self._root).free

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While this lasts no `swap` takes place.  For who may read OUT and no more, too."""
        if not (self._root / READERS).exists():
            yield  # `lock` makes it, and no swap comes before
            return
        with (self._root / READERS).open() as lock:
            with (self._root / GATE).open() as gate:
                fcntl.flock(gate, fcntl.LOCK_SH)
                fcntl.flock(lock, fcntl.LOCK_SH)
            yield

    def swap(self, date: str, datasets: dict[str, list[tuple[str, Writer]]]) -> bool:
        """Let the folders date=`date` of these datasets hold these files and no others; false when readers won't leave.

        No kill leaves some of the folders old and others new: what is ready is swapped at the next `lock`.
        """
        staged = _make_folder(self._root / SWAPS) / date
        shutil.rmtree(staged, ignore_errors=True)
        try:
            for dataset, files in datasets.items():
                _make_folder(staged / dataset)
                for name, write in files:
                    self._write(f"{date}.{dataset}.{name}", write, staged / dataset / name)
                _sync(staged / dataset)
            _sync(staged)
            with self._without_readers() as are_gone:
                if are_gone:
                    os.replace(staged, staged.with_suffix(".ready"))
                    _sync(staged.parent)
                    self._finish(staged.with_suffix(".ready"))
        except OSError as error:
            raise StoreError(
                path=self._root, reason=Message("errors.nothing_published_lost_2", problem=error.strerror)
            ) from None
        return are_gone

    def _finish(self, ready: Path) -> None:
        """The folders of a swap to their places; what is done already is skipped."""
        for new in sorted(path for path in ready.iterdir() if path.suffix != ".old"):
            place = self._root / new.name / f"date={ready.stem}"
            if place.exists():
                os.rename(place, new.with_suffix(".old"))
            os.rename(new, _make_folder(place.parent) / place.name)
            _sync(place.parent)
        shutil.rmtree(ready)

    @contextmanager
    def _without_readers(self) -> Iterator[bool]:
        """Whether those of `reading` have left within READERS_S; others are kept waiting meanwhile."""
        with self._lock_file(GATE) as gate, self._lock_file(READERS) as lock:
            fcntl.flock(gate, fcntl.LOCK_EX)
            end = time.monotonic() + READERS_S
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() > end:
                        yield False
                        return
                    time.sleep(0.02)
                else:
                    yield True
                    return

    def _lock_file(self, name: str) -> IO[str]:
        return os.fdopen(os.open(self._root / name, os.O_RDWR | os.O_CREAT, 0o600), "w")

    def _write(self, name: str, write: Writer, path: Path | None = None) -> Path:
        """Return a file in the staging folder or at `path`, on disk."""
        try:
            staged = path or _make_folder(self._root / STAGING) / name
            with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
                write(stream)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise StoreError(
                path=self._root, reason=Message("errors.nothing_published_lost", problem=error.strerror)
            ) from None
        return staged


def _last_line(stream: IO[bytes], step: int = 65536) -> tuple[int, str | None]:
    """Return where the last whole line ends, and that line, None when there is none; reads from the end."""
    size = stream.seek(0, os.SEEK_END)
    tail, start = b"", size
    while start and tail.rstrip(b"\n").count(b"\n") < 2:  # the line before, and one that may be torn
        start = max(0, start - step)
        stream.seek(start)
        tail = stream.read(size - start)
    length = tail.rfind(b"\n") + 1
    before = tail[:length].splitlines()
    return start + length, before[-1].decode() if before else None
