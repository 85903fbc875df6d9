"""Agents and callers as keyed hashes.  The key stays outside OUT: without it nobody gets from a hash to a person."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from callanalytics.config import Privacy
from callanalytics.errors import ConfigError

MIN_KEY_BYTES = 16


class Pseudonyms:
    """HMAC-SHA-256 under the municipality's key, hex, the first 16 digits."""

    def __init__(self, settings: Privacy) -> None:
        """Take the key from the environment, else from the key file, which is made (mode 0600) when absent.

        Raises ConfigError when the key is too short or others may read its file.
        """
        self._key = _read_key(settings)

    def __call__(self, kind: str, value: str | None) -> str | None:
        """The pseudonym of an agent's or caller's id; null stays null."""
        if not value:
            return None
        return hmac.new(self._key, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()[:16]

    @property
    def fingerprint(self) -> str:
        """Tells two keys apart without saying anything about either."""
        return str(self("key", "fingerprint"))


def _read_key(settings: Privacy) -> bytes:
    given = os.environ.get(settings.key_env, "")
    path = Path(settings.key_file).expanduser()
    if given:
        key = given.encode()
    else:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
                stream.write(secrets.token_hex(32))
        if path.stat().st_mode & 0o077:
            raise ConfigError(path=path, reason=f"others may read this key; run: chmod 600 {path}")
        key = path.read_bytes().strip()
    if len(key) < MIN_KEY_BYTES:
        source = f"${settings.key_env}" if given else path
        raise ConfigError(path=source, reason=f"the key for pseudonyms is shorter than {MIN_KEY_BYTES} characters.")
    return key
