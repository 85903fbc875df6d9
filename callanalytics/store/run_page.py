"""A run on one page of HTML."""

from __future__ import annotations

from collections.abc import Sequence

from callanalytics.records import FailureRow, RunRow
from callanalytics.texts import Lang, say


def run_page(row: RunRow, failures: Sequence[FailureRow], lang: Lang) -> str:
    """Return the run on one page of HTML, for a browser or the printer; needs nothing from elsewhere."""
    from jinja2 import Environment, PackageLoader

    pages = Environment(loader=PackageLoader("callanalytics.store", "templates"), autoescape=True, trim_blocks=True)
    total_ms = sum(row.wall_ms_by_stage.values()) or 1
    return pages.get_template("run.html").render(
        row=row,
        failures=sorted(failures, key=lambda failure: failure.call_id),
        stages=[(name, ms, ms / total_ms) for name, ms in sorted(row.wall_ms_by_stage.items(), key=lambda s: -s[1])],
        states=[(name, getattr(row, name)) for name in ("published", "resumed", "failed", "standing", "left")],
        speed=row.audio_ms / row.wall_ms if row.wall_ms else 0.0,
        lang=lang,
        say=lambda key, **fields: say(key, lang, **fields),
    )
