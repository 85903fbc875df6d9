"""What a reviewer is shown of a call, and which call comes next."""

from __future__ import annotations

from callanalytics.review.judging import next_of


def test_next_goes_round_and_skips_what_is_done() -> None:
    assert next_of("abcd", {"b"}, "a") == "c"
    assert next_of("abcd", {"d"}, "c") == "a"
    assert next_of("abcd", set("abd"), "c") is None
    assert next_of("abcd", set(), "elsewhere") == "a"
