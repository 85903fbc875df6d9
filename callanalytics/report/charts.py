"""Charts of the report as SVG, drawn by matplotlib: readable in grey and by the colour-blind.

Colours are those of Okabe and Ito (2008); each has a sign or a line of its own besides.  Letters become outlines, so a
chart looks the same on every machine; what it says in words is its label for who can't see it.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from callanalytics.errors import CallAnalyticsError
from callanalytics.report.items import ItemLine, Week
from callanalytics.texts import Message

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, VERMILLION, GREEN, GREY, INK = "#0072B2", "#D55E00", "#007A5E", "#767676", "#1b1b1b"
MM = 1 / 25.4
SMALL, LARGE = (42.0, 10.0), (86.0, 37.0)  # mm


def draw_small(line: ItemLine, breaks: frozenset[int], label: str) -> Markup:
    """Return a control chart without axes, for a row of a table."""

    def paint(axes: Axes) -> None:
        _paint(axes, line, breaks, size=3.0)
        low, high = _reach(line)
        # At least thirty points, so that a small change looks small.
        spare = max(0.04, (0.3 - (high - low)) / 2)
        axes.set_ylim(low - spare, high + spare)
        axes.axis("off")

    return _draw(SMALL, paint, label)


def draw_large(
    line: ItemLine, breaks: frozenset[int], label: str, names: dict[str, str], week: Callable[[int], str]
) -> Markup:
    """Return a control chart with axes; `week` gives what stands under a week, counted back."""

    def paint(axes: Axes) -> None:
        from matplotlib.ticker import PercentFormatter

        _paint(axes, line, breaks, size=4.5)
        axes.set_ylim(max(-0.03, _reach(line)[0] - 0.1), 1.05)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol="%"))
        ticks = [w.back for w in line.weeks]
        ticks = ticks[:: max(1, -(-len(ticks) // 6))]
        axes.set_xticks([-back for back in ticks], [week(back) for back in ticks])
        axes.tick_params(labelsize=7.5, colors=INK, length=2.5)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        ends = [(line.limits.middle, names["mean"], BLUE)] if line.limits else []
        ends += [(line.norm, names["norm"], GREEN)] if line.norm else []
        for y, name, colour in ends:
            axes.annotate(name, (1.0, y), xycoords=("axes fraction", "data"), xytext=(2, 0), fontsize=7.5,
                          textcoords="offset points", va="center", color=colour)  # fmt: skip

    return _draw(LARGE, paint, label)


def _reach(line: ItemLine) -> tuple[float, float]:
    """Return the lowest and the highest value that a chart shows."""
    values = [week.rate.share or 0.0 for week in line.weeks]
    values += [bound for pair in (line.limits.bounds if line.limits else ()) for bound in pair]
    values += [line.norm] if line.norm else []
    return min(values, default=0.0), max(values, default=1.0)


def _paint(axes: Axes, line: ItemLine, breaks: frozenset[int], size: float) -> None:
    """Weeks as points, what is between the limits filled, the middle drawn, the norm dotted, a break dash-dotted."""
    x = [-week.back for week in line.weeks]
    y = [week.rate.share or 0.0 for week in line.weeks]
    if line.limits:
        low, high = zip(*line.limits.bounds, strict=True)
        axes.fill_between(x, low, high, step="mid", color="#d6e6f2", linewidth=0)
        for bound in (low, high):
            axes.step(x, bound, where="mid", color=GREY, linewidth=0.7, linestyle=(0, (4, 2)))
        axes.axhline(line.limits.middle, color=BLUE, linewidth=0.8)
    if line.norm:
        axes.axhline(line.norm, color=GREEN, linewidth=1.0, linestyle=(0, (1, 1.5)))
    for back in breaks:
        if x and min(x) <= -back <= max(x):
            axes.axvline(-back - 0.5, color=INK, linewidth=0.9, linestyle=(0, (5, 1.5, 1, 1.5)))
    axes.plot(x, y, color=INK, linewidth=0.8)
    outside = find_outside(line)
    for week, at, value in zip(line.weeks, x, y, strict=True):
        marker, face = ("D", VERMILLION) if week in outside else ("o", INK if week.is_reported else "white")
        axes.plot([at], [value], marker=marker, markersize=size * (1.4 if week in outside else 1.0), color=face,
                  markeredgecolor=INK, markeredgewidth=0.7, linestyle="none", clip_on=False)  # fmt: skip
    if x:
        axes.set_xlim(min(x) - 0.6, max(x) + 0.6)


def find_outside(line: ItemLine) -> list[Week]:
    """Return the weeks beyond their control limits."""
    if line.limits is None:
        return []
    pairs = zip(line.weeks, line.limits.bounds, strict=True)
    return [week for week, (low, high) in pairs if not low <= (week.rate.share or 0.0) <= high]


def _draw(size_mm: tuple[float, float], paint: Callable[[Any], None], label: str) -> Markup:
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError:
        reason = Message("errors.report_needs_more_packages")
        raise CallAnalyticsError(reason=reason) from None

    # The same chart has the same ids in every run.
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": label, "font.family": "DejaVu Sans"}):
        fit = ConstrainedLayoutEngine(w_pad=0.01, h_pad=0.01)
        figure = Figure(figsize=(size_mm[0] * MM, size_mm[1] * MM), layout=fit)
        paint(figure.add_subplot())
        out = io.StringIO()
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(out, metadata={"Date": None, "Creator": None})
    return _to_inline(out.getvalue(), size_mm, label)


def _to_inline(svg: str, size_mm: tuple[float, float], label: str) -> Markup:
    """The drawing as an element of a page: no header, no metadata, ids of its own, a label for who can't see it."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    prefix = f"c{zlib.crc32(label.encode()):x}-"
    body = re.sub(r'id="([^"]+)"', partial(_with_prefix, 'id="{}{}"', prefix), body)
    body = re.sub(r'href="#([^"]+)"', partial(_with_prefix, 'href="#{}{}"', prefix), body)
    body = re.sub(r"url\(#([^)]+)\)", partial(_with_prefix, "url(#{}{})", prefix), body)
    head, rest = body.split(">", 1)
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    size = f' width="{size_mm[0]}mm" height="{size_mm[1]}mm"'
    role = f' role="img" aria-label="{escape(label)}">'
    return Markup(head + size + role + rest)  # nosec B704  # matplotlib's own drawing, which escapes texts


def _with_prefix(shape: str, prefix: str, found: re.Match[str]) -> str:
    return shape.format(prefix, found[1])
