"""Nothing uses the network: a whole run in a namespace without one succeeds, and no process of it so much as asks.

`strace` and `unshare` are needed (Debian: apt-get install strace util-linux), and the right to make a namespace; what
isn't there is skipped and said.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from callanalytics.store.datasets import Store
from tests.support.fakes import Clip, write_audio

COMMAND = Path(sys.executable).with_name("callanalytics")
CALLS = "trace=socket,connect,bind,sendto,sendmsg,sendmmsg"
FAMILY = re.compile(r"\b(socket|connect|bind|sendto|sendmsg|sendmmsg)\(.*?\b(AF_\w+)")
LOCAL = {"AF_UNIX", "AF_LOCAL", "AF_NETLINK", "AF_UNSPEC"}  # this machine: its name service, its list of interfaces


def works(*command: str) -> bool:
    """Whether a command is here and may do what it does."""
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def alone() -> list[str] | None:
    """What runs a command without any network, loopback included; as root, or in a user namespace where allowed."""
    return next((c for c in (["unshare", "-n"], ["unshare", "-rn"]) if works(*c, "true")), None)


@dataclass
class Night:
    """A run under whatever this machine offers."""

    out: Path
    status: int
    said: str
    trace: Path | None
    is_alone: bool


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, mono_clip: Clip) -> Night:
    """The installed command over a call in mono, so that every model is loaded."""
    folder = tmp_path_factory.mktemp("night")
    write_audio(folder / "call.wav", mono_clip.samples[:, : 8000 * 10], 8000, "mulaw")
    (folder / "run.toml").write_text("[engine]\nsettle_s = 0.0\n")
    trace = folder / "trace" if works("strace", "-f", "-o", "/dev/null", "true") else None
    apart = alone()
    command = ["strace", "-f", "--seccomp-bpf", "-e", CALLS, "-o", str(trace)] if trace else []
    command += [*(apart or []), str(COMMAND), "run", str(folder / "call.wav"), "--output", str(folder / "out")]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "PYANNOTE_", "ORT_", "CI"))}
    done = subprocess.run(
        [*command, "--config", str(folder / "run.toml")], env=environment, capture_output=True, text=True, check=False
    )
    return Night(folder / "out", done.returncode, done.stderr, trace, apart is not None)


@pytest.mark.models
def test_a_run_succeeds_where_there_is_no_network(night: Night) -> None:
    if not night.is_alone:
        pytest.skip("no network namespace can be made here: run as root or allow unprivileged user namespaces")
    assert night.status == 0, night.said
    assert Store(night.out).count_calls()[0] == 1


@pytest.mark.models
def test_no_process_of_a_run_asks_for_the_network(night: Night) -> None:
    if night.trace is None:
        pytest.skip("strace is not here or may not trace: apt-get install strace")
    assert night.status == 0, night.said
    lines = night.trace.read_text().splitlines()
    assert len({line.split()[0] for line in lines}) > 1, "its processes were not followed"
    found = [match.groups() for line in lines if (match := FAMILY.search(line))]
    print(Counter(found))  # AF_UNIX: the C library asks nscd for the user's name
    # urllib3 binds a socket to ::1 to see whether there is IPv6; a socket that is bound to this machine or to nothing
    # reaches nobody.
    asked = [line for line in lines if (match := FAMILY.search(line)) and match[2] not in LOCAL]
    assert [line for line in asked if not re.search(r'socket\(|bind\(.*"(::1|127\.0\.0\.1)"', line)] == []


def test_a_connection_would_be_seen(tmp_path: Path) -> None:
    if not works("strace", "-f", "-o", "/dev/null", "true"):
        pytest.skip("strace is not here or may not trace: apt-get install strace")
    code = "import socket; socket.socket().connect_ex(('127.0.0.1', 9))"
    subprocess.run(["strace", "-f", "-e", CALLS, "-o", str(tmp_path / "t"), sys.executable, "-c", code], check=True)
    seen = [m.groups() for line in (tmp_path / "t").read_text().splitlines() if (m := FAMILY.search(line))]
    assert ("connect", "AF_INET") in seen
