"""Freed memory goes back to the machine."""

import os
import sys
from pathlib import Path

import pytest

from callanalytics.memory import give_back


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
