"""Hypothesis strategies for the values that cross modules."""

from __future__ import annotations

from hypothesis import strategies as st

from callanalytics.records import Segment, Span, Word

WORDS = ("ja", "nee", "hmhm", "oké", "goed", "ik", "bel", "u", "terug", "paspoort", "gemeente", "nul", "twee")


@st.composite
def spans_apart(
    draw: st.DrawFn, max_size: int = 12, longest_ms: int = 20_000, first_gap_ms: int = 0, min_gap_ms: int = 1
) -> tuple[Span, ...]:
    """Sorted spans that don't touch, as the voice activity gives them."""
    at, spans = first_gap_ms, []
    for _ in range(draw(st.integers(0, max_size))):
        start = at + draw(st.integers(min_gap_ms, 5000))
        at = start + draw(st.integers(1, longest_ms))
        spans.append((start, at))
    return tuple(spans)


any_spans = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(1, 800)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=12
)


@st.composite
def exclusive_segments(draw: st.DrawFn, max_size: int = 10) -> list[Segment]:
    """Sorted segments of which no two overlap."""
    at, segments = 0, []
    for _ in range(draw(st.integers(0, max_size))):
        start = at + draw(st.integers(0, 1500))
        at = start + draw(st.integers(1, 3000))
        segments.append(Segment(draw(st.sampled_from("ABC")), start, at))
    return segments


@st.composite
def sorted_words(draw: st.DrawFn, max_size: int = 25) -> list[Word]:
    """Words in the order of their starts, as recognised; two may overlap."""
    at, words = 0, []
    for _ in range(draw(st.integers(0, max_size))):
        at += draw(st.one_of(st.integers(0, 600), st.integers(0, 4000)))
        words.append(Word(draw(st.sampled_from(WORDS)), at, at + draw(st.integers(1, 900)), 0.9))
    return words
