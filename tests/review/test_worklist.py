"""The page of the work list: what it shows to whom, odd addresses, growth, and a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callanalytics.config import Config
from callanalytics.review.app import create_app
from tests.support.browser import assert_accessible, log_in, served
from tests.support.centre import carded, let_in, publish
from tests.support.visitor import Visitor


def test_without_a_session_every_page_leads_to_the_log_in(guest: Visitor) -> None:
    for path in ("/", "/samples", "/sample?id=1"):
        answer = guest.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/log-in")
    assert guest.client.post("/samples", data={}).status_code == 403


def test_who_may_not_see_calls_starts_at_the_page_that_is_theirs(guest: Visitor) -> None:
    for name, path in (("otto", "/people"), ("fien", "/ledger")):
        guest.log_in(name)
        assert guest.client.get("/", follow_redirects=True).url.path == path
        for other in ("/samples", "/sample?id=1"):
            assert "plain-1" not in guest.text(other, 404)


def test_a_script_in_a_queue_is_shown_as_its_words_and_ids_are_quoted_in_links(guest: Visitor) -> None:
    text = guest.log_in("eva").text("/")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert 'href="/call?id=zaak%2F1%20%C3%A9%262"' in text
    assert "<script>alert" not in guest.text(
        "/?queue=%3Cscript%3Ealert(1)%3C/script%3E&topic=<script>alert(2)</script>"
    )


def test_filters_that_make_no_sense_are_named_on_a_page_that_works(guest: Visitor) -> None:
    text = guest.log_in("bram").text("/?from=gisteren&criterion=nope&sensitive=true&page=99999&queue=%00")
    assert "overgeslagen" in text
    for name in ("vanaf", "criterium", "gevoelige onderwerpen", "pagina", "wachtrij"):
        assert name in text
    assert "plain-1" in text
    assert "care" not in re.findall(r"/call\?id=([^\"&]+)", text)


def test_the_sensitive_tab_is_for_leads(guest: Visitor) -> None:
    assert "/call?id=care" in guest.log_in("eva").text("/?sensitive=true")
    assert "Gevoelige onderwerpen" not in guest.log_in("bram").text("/")


def test_every_page_is_under_a_policy_without_inline_code(guest: Visitor) -> None:
    guest.log_in("eva")
    for path in ("/", "/samples"):
        answer = guest.client.get(path)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=|<style", answer.text)


def test_a_page_of_the_list_reads_no_dataset_and_asks_as_much_of_few_calls_as_of_many(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import event

    counted: dict[int, tuple[int, int]] = {}
    for count in (60, 600):
        calls = [carded(f"c{i:04}", i % 9, p=(i % 97) / 97) for i in range(count)]
        out = let_in(config, publish(tmp_path / f"out-{count}", calls, config=config), eva="lead")
        visitor = Visitor(create_app(config, out), "eva")
        visitor.desk.refresh()
        asked: list[str] = []
        with monkeypatch.context() as patch:
            patch.setattr(visitor.desk, "keep_up", lambda: None)  # which reads beside the pages
            patch.setattr("callanalytics.store.place._read", None)  # a Parquet file opened from here on fails the page
            patch.setattr("pyarrow.parquet.read_table", None)
            event.listen(
                visitor.desk.reviews._engine, "after_cursor_execute", lambda *one, to=asked: to.append(one[2])
            )
            pages = ("/", "/?order=uncertain", "/?order=compliance", "/?page=2", "/?state=machine", "/samples")
            rows = [visitor.text(path).count('<tr role="row">') for path in pages]
        visitor.desk.close()
        counted[count] = len(asked), max(rows)
    assert counted[600] == counted[60] == (counted[60][0], 51)  # fifty and the head of the table


@pytest.fixture(scope="module")
def app_url(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app over seventy calls."""
    calls = [carded(f"gesprek-{i:02}", i % 9, p=i / 90, queue=("algemeen", "afval")[i % 2]) for i in range(70)]
    out = publish(tmp_path_factory.mktemp("seen") / "out", calls, config=config)
    with served(config, let_in(config, out, eva="lead")) as url:
        yield url


@pytest.mark.parametrize("width", [1440, 400])
def test_a_lead_filters_pages_and_draws_a_sample_in_a_browser(chromium: Any, width: int) -> None:
    page = chromium
    page.set_viewport_size({"width": width, "height": 900})
    log_in(page, "eva")
    page.get_by_text("70 gesprekken").wait_for()
    assert_accessible(page)
    page.get_by_label("Wachtrij").first.select_option("afval")  # htmx asks at once, and keeps the address
    page.get_by_text("35 gesprekken").wait_for()
    assert "queue=afval" in page.url
    draw = page.get_by_role("link", name="Steekproef uit deze selectie")
    assert "queue=afval" in (draw.get_attribute("href") or "")
    page.reload()
    page.get_by_text("35 gesprekken").wait_for()
    page.get_by_role("link", name="Filters wissen").click()
    page.get_by_role("link", name="Volgende").click()
    page.get_by_text("Pagina 2 van 2").wait_for()
    page.get_by_role("link", name="Leerzaamste").click()
    page.get_by_text("Bovenaan staan gesprekken").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="Steekproef uit deze selectie").click()
    page.get_by_label("Naam", exact=True).fill(f"Breed {width}")
    page.get_by_label("Verdeeld over wachtrijen").check()
    page.get_by_label("Aantal gesprekken").fill("6")
    assert_accessible(page)
    page.get_by_role("button", name="Steekproef trekken").click()
    page.get_by_text("0 van 6").wait_for()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_list_can_be_walked_with_the_keyboard(chromium: Any) -> None:
    page = chromium
    log_in(page, "eva")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.getAttribute('href') || ''"))
    for one in ("from", "queue", "state", "/?order=uncertain"):
        assert one in seen
    assert any(one.startswith("/call?id=") for one in seen)
