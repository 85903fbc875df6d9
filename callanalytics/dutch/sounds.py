"""A phonetic key for Dutch words, so that misheard words compare equal.  Pure."""

from __future__ import annotations

import re
from functools import lru_cache

_SOUNDS = [(re.compile(pattern), sound) for pattern, sound in (
    (r"sch(?=$|[^aeiouyr])", "s"), (r"ch", "g"), (r"ei|ey|ij", "Y"), (r"au|ouw|auw|ou", "W"), (r"ph|"
    r"v", "f"), (r"z", "s"),
    (r"ck|c(?=[aoukltr]|$)|q", "k"), (r"c", "s"), (r"dt|d(?=$)", "t"), (r"b(?=$)", "p"), (r"tie", "tsi"), (r"th", "t"),
    (r"ie|y", "i"), (r"h", ""), (r"(.)\1+", r"\1"), (r"n(?=$)", ""),
)]  # fmt: skip


@lru_cache(maxsize=50_000)
def sound(word: str) -> str:
    """Return a key shared by words that sound alike on a Dutch telephone line: gebelt = gebeld, feilig = veilig."""
    key = word
    for pattern, replacement in _SOUNDS:
        key = pattern.sub(replacement, key)
    return key
