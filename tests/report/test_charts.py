"""Colours that can be told from the page."""

from __future__ import annotations

import re
from pathlib import Path

from callanalytics.report import charts


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_words_stand_out_from_the_page(centre: tuple[Path, Path]) -> None:
    """WCAG AA: 4.5 for words, 3 for signs; and in grey the signs differ by shape, not by colour alone."""
    html = (centre[1] / "report.html").read_text()
    words = set(re.findall(r"[^-]color: (#[0-9a-f]{6})", html)) | {charts.BLUE, charts.GREEN, charts.INK}
    assert len(words) > 4
    assert all(1.05 / (luminance(colour) + 0.05) >= 4.5 for colour in words)
    assert 1.05 / (luminance(charts.VERMILLION) + 0.05) >= 3
