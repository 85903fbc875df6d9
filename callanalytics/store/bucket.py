"""Object storage that speaks S3, through pyarrow's file system; credentials are those of the AWS tools.

A recording comes to this machine for as long as it is decoded, in a file that only its owner may read.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from callanalytics.config import Storage
from callanalytics.errors import CallError, InputError
from callanalytics.texts import Message

SCHEME = "s3://"
# What pyarrow's errors hold, and the text under `errors` that says it.
SIGNS = {
    "ACCESS_DENIED": "access_denied", "INVALID_ACCESS_KEY": "access_denied", "SIGNATURE": "access_denied",
    "HTTP status 403": "access_denied", "NoSuchBucket": "no_such_bucket", "does not exist": "storage_not_there",
    "Path does not": "storage_not_there", "NETWORK_CONNECTION": "no_connection", "imed out": "timeout",
    "HTTP status 404": "storage_not_there", "HTTP status 5": "server_error", "SERVICE_UNAVAILABLE": "server_error",
    "SLOW_DOWN": "server_error", "INTERNAL_FAILURE": "server_error",
}  # fmt: skip
PASSES = ("no_connection", "timeout", "server_error")  # of these, what asking again can mend


def is_remote(place: Path | str) -> bool:
    """Return whether a place is a URL of object storage and no path."""
    return isinstance(place, str) and place.startswith(SCHEME)


@lru_cache(maxsize=4)
def _file_system(settings: Storage) -> Any:
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    options: dict[str, Any] = {}
    if settings.endpoint:
        url = urlsplit(settings.endpoint)
        options |= {"endpoint_override": url.netloc, "scheme": url.scheme}
    if settings.region:
        options["region"] = settings.region
    return S3FileSystem(
        connect_timeout=settings.timeout_s,
        request_timeout=settings.timeout_s,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=settings.attempts),
        allow_delayed_open=True,  # one request for a small object instead of three
        **options,
    )


class Bucket:
    """A bucket or a folder in one."""

    def __init__(self, url: str, settings: Storage) -> None:
        """`url` is like s3://bucket/folder."""
        self.url = url.rstrip("/")
        self.settings = settings
        self._files = _file_system(settings)
        self._root = self.url.removeprefix(SCHEME)

    def objects(self) -> dict[str, datetime]:
        """When each object below was last written, by its path from here.  Raises InputError."""
        try:
            return self.find("")
        except OSError as error:
            raise self._unreadable(self.url, error) from None

    def read(self, key: str, most_bytes: int) -> bytes:
        """Return the first bytes of an object.  Raises InputError."""
        try:
            with self._files.open_input_stream(f"{self._root}/{key}") as stream:
                return bytes(stream.read(most_bytes))
        except OSError as error:
            raise self._unreadable(f"{self.url}/{key}", error) from None

    @staticmethod
    def _unreadable(place: str, error: OSError) -> InputError:
        storage_reason = what_storage_says(error)
        return InputError(path=place, reason=Message("errors.object_storage_says", storage_reason=storage_reason))

    # What follows raises OSError as it comes.

    def is_there(self) -> bool:
        """Return whether the folder holds anything."""
        from pyarrow.fs import FileType

        return bool(self._files.get_file_info(self._root).type == FileType.Directory)

    def find(self, folder: str) -> dict[str, datetime]:
        """When each object of a folder was last written, by its path from the folder; empty when there is none."""
        from pyarrow.fs import FileSelector, FileType

        root = PurePosixPath(self._root) / folder
        found = self._files.get_file_info(FileSelector(str(root), recursive=True, allow_not_found=bool(folder)))
        return {str(PurePosixPath(i.path).relative_to(root)): i.mtime for i in found if i.type == FileType.File}

    def get(self, key: str) -> bytes | None:
        """Return an object; None when there is none."""
        try:
            with self._files.open_input_file(f"{self._root}/{key}") as stream:
                return bytes(stream.read())
        except FileNotFoundError:
            return None

    def put(self, key: str, content: bytes) -> None:
        """Write an object; readers see the old one or the new one."""
        with self._files.open_output_stream(f"{self._root}/{key}") as stream:
            stream.write(content)

    def delete(self, key: str) -> None:
        """Remove an object if it is there."""
        with suppress(FileNotFoundError):
            self._files.delete_file(f"{self._root}/{key}")


@contextmanager
def local_copy(place: str, call_id: str, settings: Storage) -> Iterator[Path]:
    """The recording as a file of this machine: itself, or a copy that is gone afterwards.

    Raises CallError at stage "fetch" when the storage does not give it; trying again may help.
    """
    if not is_remote(place):
        yield Path(place)
        return
    # A file without a name: whatever ends this process, no recording stays behind.
    with tempfile.TemporaryFile(prefix="callanalytics-") as copy:
        try:
            with _file_system(settings).open_input_stream(place.removeprefix(SCHEME)) as source:
                shutil.copyfileobj(source, copy, 1 << 20)
            copy.flush()
        except OSError as error:
            storage_reason = what_storage_says(error)
            reason = Message("errors.object_storage_did_not", storage_reason=storage_reason)
            raise CallError(call_id=call_id, stage="fetch", reason=reason, state="failed") from None
        yield Path(f"/dev/fd/{copy.fileno()}")


def sign_of(error: OSError) -> str | None:
    """Return the kind of error of the object storage, None for one that is not known."""
    return next((kind for sign, kind in SIGNS.items() if sign in str(error)), None)


def what_storage_says(error: OSError) -> Message | str:
    """Return what went wrong in a word: the whole message names keys, hosts and request ids."""
    sign = sign_of(error)
    return Message(f"errors.{sign}") if sign else type(error).__name__
