"""The pages of the report: every number as SQL has it, nobody told apart, nothing from elsewhere, a safe register."""

from __future__ import annotations

import csv
import re
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from callanalytics.config import Config
from callanalytics.report import page as pages
from tests.support.report_centre import DEVELOPMENT_PERIOD, PERIOD, SMALL_PERIOD
from tests.support.report_numbers import FAMILIES, Numbers, check_numbers


def test_every_number_is_what_sql_says(centre: tuple[Path, Path], settings: Config) -> None:
    told = check_numbers(*centre, settings, PERIOD)
    assert set(told) == set(FAMILIES) - {"proposal"}  # the team chose an action
    assert {key.split("|")[2] for key in told["gaps"]} == {"unexplained_jargon", "hedging", "hold", "dead_air"}
    assert {key.split("|")[1] for key in told["items"]} == set(settings.scorecard.items)
    assert sum(map(len, told.values())) > 2000


def test_every_number_of_a_small_report_is_what_sql_says(corner: tuple[Path, Path], config: Config) -> None:
    told = check_numbers(*corner, config, SMALL_PERIOD)
    assert {"proposal", "items", "compliance", "register", "fates"} <= set(told)


@pytest.mark.shared
def test_every_number_of_the_development_calls_is_what_sql_says(
    development: tuple[Path, Path], config: Config
) -> None:
    told = check_numbers(*development, config, DEVELOPMENT_PERIOD)
    assert {"items", "compliance", "register", "fates"} <= set(told)
    assert sum(map(len, told.values())) > 150


@pytest.mark.parametrize("html", ["<p>12 calls</p>", "<p>n <b>7</b></p>", '<p data-q="x">1</p> 2'])
def test_a_number_without_a_query_is_noticed(html: str) -> None:
    assert re.findall(r"\d", "".join(Numbers(html).rest))


def test_a_fragment_that_nobody_reviewed_says_so(corner: tuple[Path, Path]) -> None:
    page = (corner[1] / "report.html").read_text()
    assert figures_fragments(page) > 0
    assert page.count("machine, niet nagekeken</span>") == figures_fragments(page)


def figures_fragments(page: str) -> int:
    return page.count('<div class="quote')


@pytest.mark.parametrize("which", ["centre", "corner"])
def test_nobody_can_be_told_apart(which: str, request: pytest.FixtureRequest) -> None:
    _, folder = request.getfixturevalue(which)
    for path in folder.glob("*.*ml"):
        assert not re.search(r"agent\d|caller\d{3}", path.read_text()), path
    assert "agent" not in (folder / "register.csv").read_text(encoding="utf-8-sig")
    # The pages that go on the wall name no call.
    assert not re.search(r"\bc0\d{4}\b", (folder / "report.html").read_text())


def test_a_sensitive_promise_is_listed_without_its_words(centre: tuple[Path, Path]) -> None:
    out, folder = centre
    sql = duckdb.connect()
    select = f"""SELECT call_id, start_ms, type FROM '{out}/promises/*/*.parquet'
        JOIN '{out}/calls/*/*.parquet' USING (call_id) WHERE topic_sensitive"""
    sensitive = {f"promise|{c}|{ms}|{kind}" for c, ms, kind in sql.execute(select).fetchall()}
    found = {key for key, _ in Numbers((folder / "register.html").read_text()).found if key.startswith("promise|")}
    assert sensitive & {key.rsplit("|", 1)[0] for key in found}
    assert not {f"{key}|quote" for key in sensitive} & found


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("name", ["report", "appendix", "register"])
def test_a_page_needs_nothing_from_elsewhere_and_can_be_read_aloud(name: str, centre: tuple[Path, Path]) -> None:
    html = (centre[1] / f"{name}.html").read_text()
    tags = Tags(html).tags
    names = [tag for tag, _ in tags]
    assert not {"script", "img", "link", "iframe", "object", "form"} & set(names)
    for _, attrs in tags:
        for key, value in attrs.items():
            if key.endswith("href") or key == "src":
                assert (value or "").startswith("#"), value
            assert not key.startswith("on")
    assert not re.search(r"@import|url\((?!#)", html)
    assert {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"} in [
        attrs for tag, attrs in tags if tag == "meta"
    ]
    assert dict(tags)["html"] == {"lang": "nl"}
    assert names.count("table") == names.count("caption")
    assert all(attrs.get("scope") in ("row", "col") for tag, attrs in tags if tag == "th")
    assert all(a.get("role") == "img" and a.get("aria-label") for t, a in tags if t == "svg")
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_the_register_opens_in_a_spreadsheet_and_runs_nothing(centre: tuple[Path, Path]) -> None:

    text = (centre[1] / "register.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.reader(text.splitlines(), delimiter=";"))
    numbers = dict(Numbers((centre[1] / "report.html").read_text()).found)
    assert len(rows) - 1 == int(numbers["promises|promises"])
    assert {len(row) for row in rows} == {12}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert pages._cell("=1+1") == "'=1+1"
    assert not re.search(r"<span|&", text)
