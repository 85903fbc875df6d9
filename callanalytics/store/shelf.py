"""OUT in object storage."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import PurePosixPath
from threading import Event, Thread
from typing import Any

from callanalytics.errors import StoreError, StoreLocked
from callanalytics.store.bucket import PASSES, Bucket, sign_of, what_storage_says
from callanalytics.store.place import T, Writer, _read
from callanalytics.texts import Message

LEASES = ".leases"


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
        """Return whether there is an OUT."""
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
        """Return whether a lease is fresh, by this machine's clock."""
        now = datetime.now(UTC)
        return any((now - at).total_seconds() < self._settings.lease_s for at in self._leases().values())

    def parts(self, dataset: str) -> list[str]:
        """Return the Parquet files of a dataset."""
        found = self._do(lambda: self._bucket.find(dataset))
        return sorted(name for name in found if PurePosixPath(name).match("date=*/*.parquet"))

    def table(self, name: str, columns: Sequence[str] | None = None) -> Any:
        """Return the table of one file."""
        content = self._do(lambda: self._bucket.get(name))
        return None if content is None else _read(BytesIO(content), columns)

    def text(self, name: str) -> str | None:
        """Return a text file."""
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
        """Return the names of what lies in a folder."""
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
            raise StoreError(path=self._bucket.url, reason=Message("errors.run_away_too_long"))
        self._renew()

    def _do(self, work: Callable[[], T], waits_s: Sequence[float] | None = None) -> T:
        """Ask the storage; an outage is waited out as long as is configured, refusals are not."""
        for wait_s in (*(self._settings.retry_waits_s if waits_s is None else waits_s), None):
            try:
                return work()
            except OSError as error:
                if wait_s is None or sign_of(error) not in PASSES:
                    reason = Message("errors.object_storage_says_nothing", storage_reason=what_storage_says(error))
                    raise StoreError(path=self._bucket.url, reason=reason) from None
            time.sleep(wait_s)
        raise AssertionError
