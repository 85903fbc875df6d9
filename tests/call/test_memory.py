"""Freed memory goes back to the machine, and none of it to disk when a process dies."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from callanalytics.call.memory import give_back
from tests.support.leaks import allow_dumps


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
def test_what_is_freed_below_a_block_in_use_is_given_back() -> None:
    blocks = [bytearray(b"x" * 100_000) for _ in range(2000)]  # too small for a mapping of their own
    last = blocks[-1]
    before = _resident_bytes()
    del blocks
    give_back()
    assert before - _resident_bytes() > 100_000_000
    assert len(last) == 100_000


@pytest.mark.skipif(sys.platform != "linux", reason="where dumps go is read from /proc")
@pytest.mark.parametrize("is_kept", [False, True], ids=["without", "with"])
def test_a_process_that_dies_leaves_no_core(tmp_path: Path, is_kept: bool) -> None:
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if not is_kept and ("/" in pattern or pattern.startswith("|") or resource.getrlimit(resource.RLIMIT_CORE)[1] == 0):
        pytest.skip("this machine keeps no dumps in the process's folder, so there is nothing to compare with")
    code = f"import os, callanalytics.call.memory as m; {'m.keep_no_dumps(); ' * is_kept}os.abort()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=False, preexec_fn=allow_dumps, stderr=subprocess.DEVNULL
    )
    assert done.returncode < 0
    assert bool(list(tmp_path.iterdir())) is not is_kept
