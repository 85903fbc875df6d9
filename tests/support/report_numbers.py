"""Hold every number of a report's pages against plain SQL over the same OUT."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb

from callanalytics.config import Config
from callanalytics.dutch.dates import is_working_day
from callanalytics.report.page import write_day
from callanalytics.report.queries import Period
from tests.support.paths import ROOT


class Numbers(HTMLParser):
    """What a page says by `data-q`, and the text that stands outside of one."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.rest: list[str] = []
        self._open: list[str] = []  # of each open element: its key, "label" or ""
        self._skipped = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("meta", "br", "col", "link", "img"):
            return
        values = dict(attrs)
        self._skipped += tag in ("style", "svg", "title")
        if "data-q" in values:
            self.found.append((values["data-q"] or "", ""))
        self._open.append(values.get("data-q") or ("label" if "data-label" in values else ""))

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()
        self._skipped -= tag in ("style", "svg", "title")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A drawing's lines hold no text."""

    def handle_data(self, data: str) -> None:
        if self._skipped or "label" in self._open:
            return
        if any(self._open):
            key, text = self.found[-1]
            self.found[-1] = key, text + data
        else:
            self.rest.append(data)


def rates(prefix: str, select: str) -> str:
    """The four numbers of rates: `select` gives k, h (hits) and n."""
    return f"""
        SELECT '{prefix}' || k || '|' || what AS key,
            CASE what WHEN 'share' THEN h / nullif(n, 0) WHEN 'low' THEN low(h, n) WHEN 'high' THEN high(h, n)
                ELSE n END AS value,
            CASE what WHEN 'low' THEN 'bare' WHEN 'n' THEN 'n' ELSE 'percent' END AS kind
        FROM ({select}), (VALUES ('share'), ('low'), ('high'), ('n')) AS w(what)"""


def read_queries() -> tuple[str, dict[str, str]]:
    """Return what the queries of report.sql share, and the query of each family of numbers."""
    shared, *parts = (ROOT / "tests" / "data" / "report.sql").read_text(encoding="utf-8").split("\n--- ")
    families = {}
    for part in parts:
        title, query = part.split("\n", 1)
        name, has_prefix, prefix = title.partition(" =")
        families[name] = rates(prefix.strip(), query) if has_prefix else query
    return shared, families


SETUP, FAMILIES = read_queries()


def ask_plainly(root: Path, config: Config, period: Period) -> tuple[duckdb.DuckDBPyConnection, dict[str, Any]]:
    """DuckDB over the files of OUT, and over the tables of its review store, with the parameters of a report."""
    from callanalytics.store.catalog import REVIEWS
    from callanalytics.store.reviews.reviews import existing_reviews
    from callanalytics.store.reviews.tables import arrow_schemas

    sql = duckdb.connect()
    sql.execute("SET TimeZone = 'Europe/Amsterdam'")
    for dataset in ("calls", "turns", "criteria", "promises", "events"):
        files = f"{root}/{dataset}/date=*/*.parquet"
        sql.execute(f"CREATE VIEW {dataset} AS FROM read_parquet('{files}', union_by_name = true)")
    sql.execute("CREATE TABLE failures (call_id VARCHAR)")
    reviews = existing_reviews(config, root)
    tables = reviews.as_arrow() if reviews else {n: s.empty_table() for n, s in arrow_schemas().items()}
    for name in REVIEWS:
        sql.register(name, tables[name])
    days = [date(2025, 1, 1) + timedelta(days=i) for i in range(1500)]
    sql.execute("CREATE TABLE opened AS SELECT unnest(?::DATE[]) AS day, unnest(?::BOOLEAN[]) AS is_open",
                [days, [is_working_day(day) for day in days]])  # fmt: skip
    parts = [(item, part) for item, values in config.scorecard.items.items() for part in values.parts]
    sql.execute("CREATE TABLE parts AS SELECT unnest(?) AS item, unnest(?) AS part", list(zip(*parts, strict=True)))
    values = {
        "first": period.first, "last": period.last, "today": period.today,
        "before": period.first - timedelta(days=period.days),
    }  # fmt: skip
    for statement in SETUP.split(";\n"):
        if statement.strip():
            sql.execute(statement, {k: v for k, v in values.items() if f"${k}" in statement})
    return sql, values


def written(value: Any, kind: str) -> str:
    """A value as a Dutch page writes it."""
    if kind.startswith("day"):
        day = value if isinstance(value, date) else date.fromisoformat(value)
        return write_day(day, "nl", kind == "day_short")
    if kind == "text":
        return str(value or "")
    if kind == "moment":
        return f"{int(value) // 60000}:{int(value) // 1000 % 60:02d}"
    if kind == "n" and 0 < value < 10:
        return "<10"
    whole = f"{value if kind in ('n', 'int', 'hidden') else 100 * value:.0f}"
    signed = {"0": "0", "-0": "0"}.get(whole, f"−{whole[1:]}" if whole[0] == "-" else f"+{whole}")
    return {"percent": f"{whole}%", "points": signed}.get(kind, whole)


def check_numbers(root: Path, folder: Path, config: Config, period: Period) -> dict[str, list[str]]:
    """Hold every number of a report's pages against SQL; the keys that were there, by family."""
    sql, values = ask_plainly(root, config, period)
    expected: dict[str, tuple[Any, str, str]] = {}
    for family, select in FAMILIES.items():
        rows = sql.execute(select, {k: v for k, v in values.items() if f"${k}" in select}).fetchall()
        expected |= {key: (value, kind, family) for key, value, kind in rows}
    told: dict[str, list[str]] = {}
    lines: dict[str, list[str]] = {}
    for name in ("report", "appendix", "register"):
        page = Numbers((folder / f"{name}.html").read_text())
        assert not re.findall(r"\S*\d\S*", " ".join(page.rest)), f"{name}.html has numbers without data-q"
        for key, text in page.found:
            if key.startswith("moment|"):
                continue  # words of a call: see below
            assert key in expected, f"{name}.html: no query for {key} = {text}"
            value, kind, family = expected[key]
            told.setdefault(family, []).append(key)
            lines.setdefault(family, []).append(f"  {name:9} {key:48} {text:>10} = {value}")
            n_key = key.rsplit("|", 1)[0] + "|n"
            if key.endswith(("|share", "|low", "|high")) and n_key in expected and not key.startswith("promises"):
                assert expected[n_key][0] >= 10, f"{key} tells of too few calls"
            if kind == "hidden" or (kind == "n" and text == "<10" and value >= 10):
                # Small, or shown it would let another small group be worked out: test_statistics.py sees to that.
                assert text == "<10", key
            else:
                assert text == written(value, kind), f"{name}.html: {key}, {value}"
        check_moments(sql, folder, page)
    for family, told_lines in lines.items():
        print(f"-- {family}: {FAMILIES[family]}", *told_lines, sep="\n")
    return told


def check_moments(sql: duckdb.DuckDBPyConnection, folder: Path, page: Numbers) -> None:
    """Every fragment stands in a turn of its call, where it says."""
    calls = {key.split("|")[1]: text for key, text in Numbers((folder / "appendix.html").read_text()).found
             if key.startswith("moment|") and key.endswith("|call")}  # fmt: skip
    of_page: dict[str, dict[str, str]] = {}
    for key, text in page.found:
        if key.startswith("moment|"):
            of_page.setdefault(key.split("|")[1], {})[key.split("|")[2]] = text
    for number, told in of_page.items():
        select = """SELECT e.start_ms, t.text FROM (SELECT call_id, unnest(evidence) AS e FROM criteria
                UNION ALL SELECT call_id, {turn_index: NULL, role: 'agent', start_ms: start_ms, end_ms: end_ms,
                    quote: quote, alternative: NULL} FROM promises) q
            JOIN turns t ON t.call_id = q.call_id AND t.start_ms <= e.start_ms AND e.start_ms < t.end_ms
            WHERE q.call_id = ? AND contains(t.text, ?) AND contains(t.text, e.quote)"""
        rows = sql.execute(select, [calls[number], told.get("quote", "")]).fetchall()
        print(f"-- moment {number}: {select}", told, rows[:1], sep="\n")
        found = [row for row in rows if written(row[0], "moment") == told["at"]]
        assert found, told
        assert told.get("before", "") in found[0][1]
        assert told.get("after", "") in found[0][1]
