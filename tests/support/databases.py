"""Real databases for the tests of the review store: SQLite always, PostgreSQL where its programs are."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text


def _program(name: str) -> str | None:
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return shutil.which(name) or next(map(str, beside), None)


def why_no_postgres() -> str | None:
    """Why PostgreSQL can't be tried here; null when it can."""
    if not (_program("initdb") and _program("postgres")):
        return "PostgreSQL's server is not on this machine (apt-get install postgresql)"
    if os.geteuid() == 0 and not _account():
        return "PostgreSQL refuses to run as root, and there is no account postgres or nobody"
    return None


def _account() -> pwd.struct_passwd | None:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A server of our own in a folder, on a socket there; yields the URL of its first database."""
    account = _account() if os.geteuid() == 0 else None
    data = folder / "data"
    folder.mkdir(mode=0o755)
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)
    who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    initdb, server = _program("initdb"), _program("postgres")
    assert initdb
    assert server
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    subprocess.run([initdb, "-D", data, "-U", "kcc", "-A", "trust", "--no-sync"], check=True, **quiet, **who)
    command = [server, "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
    process = subprocess.Popen(command, **quiet, **who)
    try:
        url = f"postgresql+psycopg://kcc@/postgres?host={folder}"
        _wait(url)
        yield url
    finally:
        process.send_signal(signal.SIGINT)  # waits for no client
        process.wait(30)


def _wait(url: str) -> None:
    import time

    for _ in range(300):
        try:
            with create_engine(url).connect():
                return
        except Exception:
            time.sleep(0.1)
    raise RuntimeError("PostgreSQL does not answer")


def new_database(url: str) -> str:
    """An empty database on that server."""
    name = f"kcc_{uuid.uuid4().hex}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.replace("/postgres?", f"/{name}?")
