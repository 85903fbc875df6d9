"""Memory: given back to the machine, where the C library is glibc, and never written to disk when a process dies.

Each stage frees large blocks.  glibc keeps a heap per thread and holds on to what was freed in it, so that a process of
several lanes comes to the sum of the peaks of all stages in all lanes, though they never occur together.
"""

from __future__ import annotations

import ctypes
import resource
from functools import cache
from typing import Any

M_ARENA_MAX = -8  # malloc.h


def share_heap() -> None:
    """One heap for all threads from now on; to be called before there are any."""
    if library := _glibc():
        library.mallopt(M_ARENA_MAX, 1)


def give_back() -> None:
    """Return the free pages of the heap to the machine; takes some milliseconds."""
    if library := _glibc():
        library.malloc_trim(0)


def keep_no_dumps() -> None:
    """No core dump from now on: it would hold what was said in the calls under way, unredacted."""
    # One byte is less than any dump needs, and on Linux the one size at which a dump isn't handed to a program
    # (systemd-coredump, apport) either; 0 would leave it to that program.
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (1 if hard else 0, hard))


@cache
def _glibc() -> Any:
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):  # TypeError: Windows has no program of its own to open
        return None
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None
