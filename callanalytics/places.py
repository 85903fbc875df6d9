"""Where the files of OUT lie: a folder of this machine, or one in object storage.

Both put whole files in their place or none, let one run write at a time, and know nothing of what the files hold.
Names are paths from OUT with "/" between, such as calls/date=2026-11-17/part-1.parquet.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from threading import Event, Thread
from typing import IO, Any, Protocol, TypeVar

from callanalytics.bucket import PASSES, Bucket, what_storage_says
from callanalytics.errors import StoreError, StoreLocked

STAGING = ".staging"
SWAPS = ".swaps"
LEASES = ".leases"
GATE, READERS = ".gate", ".readers"  # readers share the second; a swap keeps new ones at the first and waits
READERS_S = 10.0  # how long a swap waits for readers who asked it to
Writer = Callable[[IO[bytes]], object]
T = TypeVar("T")


class Place(Protocol):
    """What the store asks of where OUT lies.  Everything raises StoreError when it can't be done."""

    def is_there(self) -> bool:
        """Whether there is an OUT."""

    def lock(self) -> None:
        """Keep other runs out.  Raises StoreLocked while one holds it, also on another machine."""

    def unlock(self) -> None:
        """Let other runs in."""

    def is_locked(self) -> bool:
        """Whether a run holds OUT now."""

    def parts(self, dataset: str) -> list[str]:
        """The Parquet files of a dataset as date=.../name.parquet, sorted."""

    def table(self, name: str, columns: Sequence[str] | None = None) -> Any:
        """The table of one file, with those of `columns` that it has; null when there is no such file."""

    def text(self, name: str) -> str | None:
        """A text file; null when there is no such file."""

    def put(self, files: Sequence[tuple[str, Writer]]) -> None:
        """Write files, each whole and in this order; when one can't be written none before it may be missing."""

    def append(self, name: str, lines: Callable[[str | None], str]) -> None:
        """Add to a text file what `lines` makes of its last line (null when there is none), whole or not at all."""

    def files(self, folder: str) -> list[str]:
        """The names of what lies in a folder."""

    def delete(self, name: str) -> None:
        """Remove a file if it is there."""

    def size(self, name: str) -> int:
        """Bytes of a file, 0 when there is no such file."""

    def free_bytes(self) -> int | None:
        """Room that is left, null when nobody can tell."""


class Disk:
    """OUT as a folder of this machine; only its owner may look into it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock: IO[str] | None = None

    def is_there(self) -> bool:
        """Whether there is an OUT."""
        return self._root.is_dir()

    def lock(self) -> None:
        """Take OUT, made when absent; what a killed run had not finished writing goes, a begun swap is finished."""
        try:
            lock = os.fdopen(os.open(_make_folder(self._root) / ".lock", os.O_WRONLY | os.O_CREAT, 0o600), "w")
        except OSError as error:
            raise StoreError(path=self._root, reason=f"{error.strerror}; choose a folder you may write to.") from None
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
        """Whether a run holds OUT now."""
        try:
            with (self._root / ".lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def parts(self, dataset: str) -> list[str]:
        """The Parquet files of a dataset."""
        return sorted(f"{path.parent.name}/{path.name}" for path in (self._root / dataset).glob("date=*/*.parquet"))

    def table(self, name: str, columns: Sequence[str] | None = None) -> Any:
        """The table of one file."""
        path = self._root / name
        return _read(path, columns) if path.exists() else None

    def rows(self, name: str, call_id: str) -> list[dict[str, Any]]:
        """The rows of one call in a file; of a large one only the row groups that may hold it are read."""
        import pyarrow.parquet as pq

        path = self._root / name
        return pq.read_table(path, filters=[("call_id", "=", call_id)]).to_pylist() if path.exists() else []

    def marks(self, dataset: str) -> dict[str, str]:
        """The parts of a dataset with what differs once a file is replaced."""
        found = {}
        for part in self.parts(dataset):
            with suppress(FileNotFoundError):
                stat = (self._root / dataset / part).stat()
                found[part] = f"{stat.st_ino}-{stat.st_size}-{stat.st_mtime_ns}"
        return found

    def text(self, name: str) -> str | None:
        """A text file."""
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
                raise StoreError(path=self._root, reason=f"{error.strerror}; nothing published is lost.") from None
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
            raise StoreError(path=self._root, reason=f"{error.strerror}; nothing that is published is lost.") from None

    def files(self, folder: str) -> list[str]:
        """The names of what lies in a folder."""
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
            raise StoreError(path=self._root, reason=f"{error.strerror}; nothing published is lost.") from None
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
        """A file in the staging folder or at `path`, on disk."""
        try:
            staged = path or _make_folder(self._root / STAGING) / name
            with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
                write(stream)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise StoreError(path=self._root, reason=f"{error.strerror}; nothing that is published is lost.") from None
        return staged


class Shelf:
    """OUT as a folder of object storage, where an object is replaced as a whole and nothing can be locked.

    A run that writes keeps an object of its own in .leases and writes it again and again.  Who comes later looks
    whether others' leases change: one that does is alive, one that does not for `lease_s` is dead and removed.  Of two
    that come at the same moment each may see the other; then both go.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._settings = bucket.settings
        self._lease = f"{LEASES}/{secrets.token_hex(8)}"
        self._renewed = 0.0
        self._ended = Event()
        self._renewer: Thread | None = None

    def is_there(self) -> bool:
        """Whether there is an OUT."""
        return self._do(self._bucket.is_there, waits_s=())  # somebody waits for the answer

    def lock(self) -> None:
        """Take OUT; this lasts `lease_s` after a run that was killed."""
        self._ended.clear()
        self._renew()
        others = self._leases()
        self._renewer = Thread(target=self._keep_renewing, daemon=True)
        self._renewer.start()
        end = time.monotonic() + self._settings.lease_s
        while others and time.monotonic() < end:
            self._ended.wait(self._settings.lease_s / 20)
            now = self._leases()
            if any(now.get(name, at) != at for name, at in others.items()):
                self.unlock()
                raise StoreLocked(path=self._bucket.url)
            others = {name: at for name, at in others.items() if name in now}
        for dead in others:
            self._do(partial(self._bucket.delete, dead))

    def unlock(self) -> None:
        """Let other runs in."""
        if self._renewer:
            self._ended.set()
            self._renewer.join()
            self._renewer = None
            # Storage that does not answer now keeps a lease that nobody renews.
            with suppress(OSError):
                self._bucket.delete(self._lease)

    def is_locked(self) -> bool:
        """Whether a lease is fresh, by this machine's clock."""
        now = datetime.now(UTC)
        return any((now - at).total_seconds() < self._settings.lease_s for at in self._leases().values())

    def parts(self, dataset: str) -> list[str]:
        """The Parquet files of a dataset."""
        found = self._do(lambda: self._bucket.find(dataset))
        return sorted(name for name in found if PurePosixPath(name).match("date=*/*.parquet"))

    def table(self, name: str, columns: Sequence[str] | None = None) -> Any:
        """The table of one file."""
        content = self._do(lambda: self._bucket.get(name))
        return None if content is None else _read(BytesIO(content), columns)

    def text(self, name: str) -> str | None:
        """A text file."""
        content = self._do(lambda: self._bucket.get(name))
        return None if content is None else content.decode()

    def put(self, files: Sequence[tuple[str, Writer]]) -> None:
        """Make the files in memory, then hand them over one by one."""
        contents = []
        for name, write in files:
            stream = BytesIO()
            write(stream)
            contents.append((name, stream.getvalue()))
        for name, content in contents:
            self._assert_held()
            self._do(partial(self._bucket.put, name, content))

    def append(self, name: str, lines: Callable[[str | None], str]) -> None:
        """Add to a text file, which is written anew: only who holds OUT may."""
        text = self.text(name) or ""
        whole = text + lines(text.splitlines()[-1] if text else None)  # an object is never torn
        self.put([(name, lambda stream: stream.write(whole.encode()))])

    def files(self, folder: str) -> list[str]:
        """The names of what lies in a folder."""
        return sorted(name for name in self._do(lambda: self._bucket.find(folder)) if "/" not in name)

    def delete(self, name: str) -> None:
        """Remove a file."""
        self._assert_held()
        self._do(lambda: self._bucket.delete(name))

    def size(self, name: str) -> int:
        """Not asked for: storage does not fill up."""
        return 0

    def free_bytes(self) -> int | None:
        """Nobody can tell."""
        return None

    def _leases(self) -> dict[str, datetime]:
        """When each lease but our own was last written."""
        found = self._do(lambda: self._bucket.find(LEASES))
        return {f"{LEASES}/{name}": at for name, at in found.items() if f"{LEASES}/{name}" != self._lease}

    def _renew(self) -> None:
        self._do(lambda: self._bucket.put(self._lease, secrets.token_bytes(8)))
        self._renewed = time.monotonic()

    def _keep_renewing(self) -> None:
        while not self._ended.wait(self._settings.lease_s / 4):
            with suppress(OSError):
                if self._bucket.get(self._lease) is None:
                    return  # another run took OUT over
                self._bucket.put(self._lease, secrets.token_bytes(8))
                self._renewed = time.monotonic()

    def _assert_held(self) -> None:
        """Nothing is written by a run that slept so long that another may have come."""
        if time.monotonic() - self._renewed < self._settings.lease_s / 2:
            return
        if self._do(lambda: self._bucket.get(self._lease)) is None:
            raise StoreError(path=self._bucket.url, reason="this run was away too long and another took it over.")
        self._renew()

    def _do(self, work: Callable[[], T], waits_s: Sequence[float] | None = None) -> T:
        """Ask the storage; an outage is waited out as long as is configured, refusals are not."""
        for wait_s in (*(self._settings.retry_waits_s if waits_s is None else waits_s), None):
            try:
                return work()
            except OSError as error:
                storage_reason = what_storage_says(error)
                if wait_s is None or storage_reason not in PASSES:
                    reason = f"the object storage says: {storage_reason}; nothing that is published is lost."
                    raise StoreError(path=self._bucket.url, reason=reason) from None
            time.sleep(wait_s)
        raise AssertionError


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


def _last_line(stream: IO[bytes], step: int = 65536) -> tuple[int, str | None]:
    """Where the last whole line ends, and that line, null when there is none; reads from the end."""
    size = stream.seek(0, os.SEEK_END)
    tail, start = b"", size
    while start and tail.rstrip(b"\n").count(b"\n") < 2:  # the line before, and one that may be torn
        start = max(0, start - step)
        stream.seek(start)
        tail = stream.read(size - start)
    length = tail.rfind(b"\n") + 1
    before = tail[:length].splitlines()
    return start + length, before[-1].decode() if before else None


def _read(source: Any, columns: Sequence[str] | None) -> Any:
    import pyarrow.parquet as pq

    with pq.ParquetFile(source) as file:  # a third of the time of read_table, which looks for a whole dataset
        known = None if columns is None else [name for name in columns if name in file.schema_arrow.names]
        return file.read(known)


def _make_folder(path: Path) -> Path:
    """The folder, made with what is missing above it; only its owner may look into what is made here."""
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
