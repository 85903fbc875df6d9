"""Caches of what is worked out about words, emptied after each call: no word of a call stays in memory beyond it."""

from __future__ import annotations

from collections.abc import Callable
from functools import _lru_cache_wrapper, lru_cache
from typing import Any, TypeVar
from weakref import WeakSet

Result = TypeVar("Result")
_caches: WeakSet[_lru_cache_wrapper[Any]] = WeakSet()
_MOST_WORDS = 50_000  # more than any call has


def remembered(function: Callable[..., Result]) -> _lru_cache_wrapper[Result]:
    """Return the function with a cache that `forget_words` empties."""
    cached = lru_cache(maxsize=_MOST_WORDS)(function)
    _caches.add(cached)
    return cached


def forget_words() -> None:
    """Empty the caches; who reads a call does this at its end."""
    for cached in list(_caches):
        cached.cache_clear()
