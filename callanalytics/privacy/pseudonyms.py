"""Agents and callers as keyed hashes.  The key stays outside OUT: without it nobody gets from a hash to a person."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from callanalytics.config import Privacy
from callanalytics.errors import ConfigError
from callanalytics.texts import Message

MIN_KEY_BYTES = 16


class Pseudonyms:
    """HMAC-SHA-256 under the municipality's key, hex, the first 16 digits."""

    def __init__(self, settings: Privacy) -> None:
        """Take the key from the environment, else from the key file, which is made (mode 0600) when absent.

        Raises ConfigError when the key is too short or others may read its file.
        """
        self._key = _read_key(settings)
        self._old = [_read_file(Path(name).expanduser()) for name in settings.old_key_files]

    def __call__(self, kind: str, value: str | None) -> str | None:
        """Return the pseudonym of an agent's or caller's id; None stays None."""
        return _hash(self._key, kind, value) if value else None

    def ever(self, kind: str, value: str) -> set[str]:
        """Return the pseudonyms under this key and those that it replaced."""
        return {_hash(key, kind, value) for key in (self._key, *self._old)}

    @property
    def fingerprint(self) -> str:
        """Tells two keys apart without saying anything about either."""
        return str(self("key", "fingerprint"))


def _hash(key: bytes, kind: str, value: str) -> str:
    return hmac.new(key, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()[:16]


def _read_key(settings: Privacy) -> bytes:
    given = os.environ.get(settings.key_env, "")
    path = Path(settings.key_file).expanduser()
    if given:
        return _long_enough(given.encode(), f"${settings.key_env}")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(secrets.token_hex(32))
    return _read_file(path)


def _read_file(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(path=path, reason=Message("errors.others_read_key_run", path=path))
        return _long_enough(path.read_bytes().strip(), path)
    except OSError as error:
        raise ConfigError(path=path, reason=f"{error.strerror}.") from None


def _long_enough(key: bytes, source: Path | str) -> bytes:
    if len(key) < MIN_KEY_BYTES:
        raise ConfigError(path=source, reason=Message("errors.key_for_pseudonyms_shorter", length=MIN_KEY_BYTES))
    return key
