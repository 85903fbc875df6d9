"""Writes the report: figures in, files out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from callanalytics.config import Config
from callanalytics.errors import CallAnalyticsError
from callanalytics.files import replacing
from callanalytics.report.figures import Figures, collect_figures
from callanalytics.report.page import Writer, make_pdf, render, write_csv
from callanalytics.report.queries import Period
from callanalytics.store.catalog import open_catalog, read_reviews
from callanalytics.texts import Message

PAGES = ("report", "appendix", "register")
TWO = 2  # pages of the report


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a report, and whether the PDFs could not be made."""

    paths: tuple[Path, ...]
    lacks_pdf: bool


def write_report(config: Config, output: Path | str, period: Period, folder: Path) -> Written:
    """Make the report of a period from OUT: report and appendix as HTML and PDF, the register as HTML and CSV.

    Without Pango or WeasyPrint the HTML is written all the same.  Raises CallAnalyticsError for a period that ends
    before it begins or a folder that can't be written, and what `open_catalog` raises.
    """
    if period.last < period.first:
        raise CallAnalyticsError(reason=Message("errors.from_later_day_than"))
    with open_catalog(config, output, read_reviews(config, output)) as sql:
        figures = collect_figures(sql, config, period)
    files = make_files(figures, config)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        paths = tuple(_put(folder / name, content) for name, content in files.items())
    except OSError as error:
        raise CallAnalyticsError(
            reason=Message("errors.report_cannot_written", folder=folder, why=error.strerror)
        ) from None
    return Written(paths, "report.pdf" not in files)


def make_files(figures: Figures, config: Config) -> dict[str, bytes]:
    """Return the files of a report by name; without PDFs where these can't be made."""
    writer = Writer(figures, config, *_names(config))
    html = {name: render(f"{name}.html", writer, figures, config) for name in PAGES}
    files = {f"{name}.html": page.encode() for name, page in html.items()}
    # A byte order mark: without it spreadsheets take UTF-8 for something else.
    files["register.csv"] = write_csv(writer, figures.register.lines).encode("utf-8-sig")
    try:
        files["report.pdf"] = make_pdf(html["report"], TWO)
        files["appendix.pdf"] = make_pdf(html["appendix"])
    except (ImportError, OSError):
        return {name: content for name, content in files.items() if not name.endswith(".pdf")}
    return files


def _names(config: Config) -> tuple[dict[str, str], dict[str, str]]:
    """Return what people call topics and criteria."""
    from callanalytics.scoring import load_files
    from callanalytics.scoring.topics import read_topics

    is_dutch = config.lang == "nl"
    topics = {topic.id: topic.name_nl if is_dutch else topic.name_en for topic in read_topics(config)}
    criteria = {c.id: c.name_nl if is_dutch else c.name_en for c in load_files(config).criteria}
    return topics, criteria


def _put(path: Path, content: bytes) -> Path:
    with replacing(path) as stream:
        stream.write(content)
    return path
