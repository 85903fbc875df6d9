"""The figures as pages: HTML that needs nothing from elsewhere, and the same as PDF.

Every number on a page stands in an element whose `data-q` names the query that it comes from.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from callanalytics.config import Config
from callanalytics.report.charts import draw_large, draw_small, find_outside
from callanalytics.report.figures import GAPS, KINDS, OTHER, Figures, NormLine, PromiseLine
from callanalytics.report.items import ItemLine
from callanalytics.report.statistics import FIRM_PERIODS, MIN_PERIODS, Rate
from callanalytics.store.catalog import REPEAT_DAYS
from callanalytics.texts import Lang, has_text, texts_of
from callanalytics.texts import say as say_text

LEVEL = 95
SIZES_PT = (10.0, 9.5, 9.0, 8.5, 8.0)  # of letters, tried in turn until the report fits on its pages
WEEKS_SHOWN = 10
MAX_TEXT = 260  # letters of what people typed
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for a formula


class Writer:
    """Words, numbers and charts of one report, as its templates call them."""

    def __init__(
        self, figures: Figures, config: Config, topics: Mapping[str, str], criteria: Mapping[str, str]
    ) -> None:
        """`topics` and `criteria` are what people call them, by id."""
        self._figures, self._config = figures, config
        self.lang: Lang = config.lang
        self._topics, self._criteria = topics, criteria
        self._smallest = config.privacy.smallest_group
        self._zone = ZoneInfo(config.municipality.timezone)

    # --- words ---

    def say(self, key: str, **fields: object) -> Markup:
        """Return a line; numbers in it are marked up, anything else is escaped."""
        return Markup(texts_of("report")[key][self.lang]).format(**fields)  # nosec B704  # texts of our own

    def item(self, name: str) -> Markup:
        """Return what people call an item."""
        names = self._config.scorecard.items[name].name
        return _label(names.nl if self.lang == "nl" else names.en)

    def criterion(self, name: str) -> Markup:
        """Return what people call a criterion or a part of an item."""
        return _label(self._criteria.get(name) or (str(self.say(name)) if has_text(f"report.{name}") else name))

    def topic(self, name: str) -> Markup:
        """Return what people call a topic."""
        return _label(self._topics.get(name) or str(self.say("other_topics" if name == OTHER else "no_topic")))

    def queue(self, name: str) -> Markup:
        """Return a queue."""
        return _label(name or str(self.say("no_queue")))

    def cause(self, kind: str, name: str) -> Markup:
        """Return a part, a queue or a topic."""
        return {"part": self.criterion, "queue": self.queue, "topic": self.topic}[kind](name)

    def clip(self, key: str, text: str) -> Markup:
        """Return what a person typed, cut where it gets long."""
        return self.num(key, text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1].rstrip() + "…")

    # --- numbers ---

    def num(self, key: str, text: object) -> Markup:
        """Something that a query gave."""
        return Markup('<span data-q="{}">{}</span>').format(key, text)

    def percent(self, key: str, value: float | None) -> Markup:
        """0.714 -> 71%"""
        return self.num(key, write_percent(value, self.lang))

    def bare(self, key: str, value: float) -> Markup:
        """0.714 -> 71, where a sign of percent follows"""
        return self.num(key, f"{100 * value:.0f}")

    def points(self, key: str, value: float | None) -> Markup:
        """0.084 -> +8, in percentage points"""
        return self.num(key, write_points(value))

    def day(self, key: str, value: date, is_short: bool = False) -> Markup:
        """Return a date."""
        return self.num(key, write_day(value, self.lang, is_short))

    def share(self, key: str, rate: Rate) -> Markup:
        """Return the share alone; a dash of too few."""
        return self.percent(f"{key}|share", rate.share) if rate.is_shown(self._smallest) else self.say("none")

    def interval(self, key: str, rate: Rate) -> Markup:
        """Its 95 % interval; a dash of too few."""
        if not rate.is_shown(self._smallest) or rate.interval is None:
            return self.say("none")
        low, high = rate.interval
        return Markup('<span class="nb">{}–{}</span>').format(
            self.bare(f"{key}|low", low), self.percent(f"{key}|high", high)
        )

    def n(self, key: str, n: int, of: int | None = None) -> Markup:
        """Return a number of calls, or that there are too few of them; `of` is the group when it is not these calls."""
        size = n if of is None else of
        return self.num(key, f"<{self._smallest}" if 0 < size < self._smallest else n)

    def rate(self, key: str, rate: Rate) -> Markup:
        """Share, interval and n in one; too few have n alone."""
        n = self.n(f"{key}|n", rate.n)
        if not rate.is_shown(self._smallest) or rate.interval is None:
            return self.say("rate_few", n=n)
        share = self.percent(f"{key}|share", rate.share)
        return self.say("rate", share=share, n=n, interval=self.interval(key, rate))

    def is_shown(self, rate: Rate) -> bool:
        """Return whether there are enough cases."""
        return rate.is_shown(self._smallest)

    def moment(self, key: str, ms: int) -> Markup:
        """83000 -> 1:23"""
        return self.num(key, f"{ms // 60_000}:{ms // 1000 % 60:02d}")

    def limit(self, line: NormLine) -> Markup:
        """Return what a norm asks for."""
        text = f"{line.limit:g}" if line.wanted is None else write_percent(line.wanted, self.lang)
        return self.num(f"norm|{line.name}|limit", text)

    # --- what hangs on the figures ---

    @property
    def before(self) -> Markup:
        """Return the period before in words."""
        period = self._figures.period
        return self.say(
            "until",
            first=self.day("before_first", period.before, is_short=True),
            last=self.day("before_last", period.first - timedelta(days=1), is_short=True),
        )

    @property
    def days(self) -> Markup:
        """Return the period in words."""
        period = self._figures.period
        return self.say("until", first=self.day("first", period.first), last=self.day("last", period.last))

    @property
    def constants(self) -> dict[str, Markup]:
        """Numbers of the method."""
        return {
            "level": self.num("level", LEVEL), "smallest": self.num("smallest", self._smallest),
            "firm": self.num("firm", FIRM_PERIODS), "least": self.num("least", MIN_PERIODS),
            "repeat_days": self.num("repeat_days", REPEAT_DAYS),
        }  # fmt: skip

    def is_compared(self, line: ItemLine) -> bool:
        """Return whether the change may be told."""
        return not self._figures.is_broken and self.is_shown(line.now) and self.is_shown(line.before)

    def verdict(self, line: NormLine) -> Markup:
        """Return whether a norm is met, as far as the interval tells."""
        if not self.is_shown(line.now) or line.now.interval is None:
            return self.say("verdict_few")
        if line.wanted is None:
            return self.say("verdict_limit")
        low, high = line.now.interval
        return self.say("verdict_yes" if low >= line.wanted else "verdict_no" if high < line.wanted else "verdict_open")

    def small_chart(self, line: ItemLine) -> Markup:
        """Return the chart in the scorecard."""
        return draw_small(line, self._figures.breaks, self._chart_label(line))

    def large_chart(self, line: ItemLine) -> Markup:
        """Return the chart in the appendix."""
        names = {"mean": str(self.say("chart_mean")), "norm": str(self.say("chart_norm"))}
        return draw_large(
            line, self._figures.breaks, self._chart_label(line), names,
            lambda back: write_day(self._end(back), self.lang, is_short=True),
        )  # fmt: skip

    def _chart_label(self, line: ItemLine) -> str:
        names = self._config.scorecard.items[line.item].name
        return say_text("report.chart_of", self.lang, name=names.nl if self.lang == "nl" else names.en)

    def week(self, back: int) -> Markup:
        """Return the last day of a week, counted back."""
        return self.day(f"week|{back}", self._end(back), is_short=True)

    def _end(self, back: int) -> date:
        return self._figures.period.last - timedelta(days=7 * back)

    def outside(self, line: ItemLine) -> int:
        """Return how many weeks lie beyond the limits."""
        return len(find_outside(line))

    def due(self, key: str, line: PromiseLine) -> Markup:
        """When a promise is due, in the municipality's time."""
        if line.due_at is None:
            return self.num(key, line.deadline_text) if line.deadline_text else self.say("none")
        return self.num(key, line.due_at.astimezone(self._zone).strftime("%d-%m-%Y %H:%M"))

    def quote(self, key: str, line: PromiseLine) -> Markup:
        """Return what was promised, unless it should not lie about."""
        if line.is_sensitive:
            return self.say("quote_sensitive")
        return self.num(key, line.quote) if line.quote else self.say("quote_gone")


def write_percent(value: float | None, lang: Lang) -> str:
    """0.714 -> 71% in Dutch, 71 % in English"""
    if value is None:
        return "–"
    return f"{100 * value:.0f}{'%' if lang == 'nl' else ' %'}"


def write_points(value: float | None) -> str:
    """-0.084 -> −8"""
    if value is None:
        return "–"
    whole = round(100 * value)
    return f"+{whole}" if whole > 0 else f"−{-whole}" if whole < 0 else "0"


def _label(text: str) -> Markup:
    """Return a name; a number in it is no figure."""
    return Markup("<span data-label>{}</span>").format(text)


def render(name: str, writer: Writer, figures: Figures, config: Config) -> str:
    """Return the HTML of a template: report.html, appendix.html or register.html."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(
        loader=PackageLoader("callanalytics.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    items = figures.items
    weeks = sorted({week.back for line in items for week in line.weeks}, reverse=True)
    return pages.get_template(name).render(
        w=writer, f=figures, say=writer.say, k=writer.constants, lang=config.lang, gaps=GAPS, kinds=KINDS,
        municipality=" · ".join(config.municipality.names), answer=answer, f_smallest=config.privacy.smallest_group,
        all_weeks=weeks, weeks=weeks[-WEEKS_SHOWN:], has_charts=any(len(line.weeks) > 1 for line in items),
        has_gates=any(line.is_gauged for line in items), has_norms=any(line.norm for line in items),
        size_pt=SIZES_PT[0],
    )  # fmt: skip


def write_csv(writer: Writer, lines: Sequence[PromiseLine]) -> str:
    """Return the register for a spreadsheet: semicolons, as Dutch ones expect."""
    out = io.StringIO()
    table = csv.writer(out, delimiter=";", lineterminator="\r\n")
    heads = ("fate", "what", "by", "due", "overdue_by", "topic", "queue", "said_on", "call", "moment", "registered",
             "said")  # fmt: skip
    table.writerow([str(writer.say(head)) for head in heads])
    for line in lines:
        cells = [
            writer.say(f"fate_{line.fate}"), writer.say(f"type_{line.type}"), line.by or "", writer.due("", line),
            "" if line.overdue_by is None else line.overdue_by, writer.topic(line.topic), writer.queue(line.queue),
            line.day.isoformat(), line.call_id, writer.moment("", line.start_ms), answer(writer, line.registered),
            writer.quote("", line),
        ]  # fmt: skip
        table.writerow([_cell(cell) for cell in cells])
    return out.getvalue()


def answer(writer: Writer, value: bool | None) -> Markup:
    """Yes, no, or not known."""
    return writer.say("unknown" if value is None else "yes" if value else "no")


def _cell(value: object) -> object:
    """Return a cell's plain text; never a formula, whatever was said."""
    text = value.striptags() if isinstance(value, Markup) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(FORMULA) else text


def make_pdf(html: str, pages: int | None = None) -> bytes:
    """Return a page as PDF; with `pages` in smaller letters if it would take more.

    Raises OSError when Pango is missing on this machine, ImportError without WeasyPrint.
    """
    from weasyprint import HTML  # type: ignore[import-untyped]

    # It reads the styles of drawings as if they were HTML's, and says of each that it is none.
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    document = HTML(string=html, url_fetcher=_fetch_nothing).render()
    for size in SIZES_PT[1:] if pages else ():
        if len(document.pages) <= (pages or 0):
            break
        smaller = html.replace(f"font-size: {SIZES_PT[0]}pt", f"font-size: {size}pt", 1)
        document = HTML(string=smaller, url_fetcher=_fetch_nothing).render()
    return bytes(document.write_pdf(pdf_variant="pdf/ua-1") or b"")


def _fetch_nothing(url: str, *_: object, **__: object) -> dict[str, Any]:
    raise PermissionError("a report needs nothing from elsewhere")


def write_day(day: date, lang: Lang, is_short: bool = False) -> str:
    """Return a date as people write it: 9 november 2026, or 9 nov."""
    month = say_text("report.months_short" if is_short else "report.months", lang).split()[day.month - 1]
    return f"{day.day} {month}" if is_short else f"{day.day} {month} {day.year}"
