"""The page of a call in a real browser: sound and words in step, keys, and no JavaScript at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from callanalytics.config import Config
from tests.support.browser import (
    assert_accessible,
    log_in,
    wait_until,
)
from tests.support.visitor import FIRST, SECOND, THIRD

if TYPE_CHECKING:
    from playwright.sync_api import Page



def open_call(page: Page, call_id: str = FIRST, **query: object) -> None:
    """Go to a call and wait until its sound can be played."""
    page.goto(f"/call?{urlencode({'id': call_id} | query)}")
    wait_until(page, "document.getElementById('audio')?.readyState >= 2")


def seconds(page: Page) -> float:
    """Where the sound is."""
    return float(page.evaluate("document.getElementById('audio').currentTime"))


def is_playing(page: Page) -> bool:
    return bool(page.evaluate("!document.getElementById('audio').paused"))


def saved(page: Page) -> None:
    """Wait until a save is told, and let the next one begin with silence."""
    wait_until(page, "document.getElementById('told').textContent.startsWith('Opgeslagen')")
    page.evaluate("document.getElementById('told').textContent = ''")


def answer_of(page: Page, criterion: str) -> str | None:
    """What stands as one's own answer."""
    found = page.query_selector(f"#c-{criterion} .mine .status")
    return found.inner_text() if found else None


def test_the_sound_plays_and_the_words_light_up_in_step(chromium: Page) -> None:
    log_in(chromium, "eva")
    open_call(chromium)
    chromium.keyboard.press(" ")
    wait_until(chromium, "document.getElementById('audio').currentTime > 1")
    chromium.wait_for_selector(".w.current")
    word = chromium.locator(".w.current").first
    assert float(word.get_attribute("data-s") or 0) / 1000 <= seconds(chromium) + 0.5
    assert chromium.locator("#t-0.current").count() == 1
    chromium.keyboard.press(" ")
    assert not is_playing(chromium)
    assert chromium.locator("#wave").evaluate(
        "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v, i) => i % 4 === 2 && v > 100)"
    )


def test_a_click_on_a_word_or_a_time_is_heard_from_there(chromium: Page) -> None:
    log_in(chromium, "eva")
    open_call(chromium)
    chromium.get_by_text("Molenstraat,").click()
    wait_until(chromium, "document.getElementById('audio').currentTime >= 15.1")
    assert seconds(chromium) < 18
    chromium.locator("#t-1 .jump").click()
    wait_until(chromium, "Math.abs(document.getElementById('audio').currentTime - 4.2) < 1.2")
    assert is_playing(chromium)


def test_keys_move_through_the_sound_by_seconds_and_by_words(chromium: Page) -> None:
    log_in(chromium, "eva")
    open_call(chromium)
    for key, expected in (("ArrowRight", 5.0), ("ArrowRight", 10.0), ("ArrowLeft", 5.0)):
        chromium.keyboard.press(key)
        wait_until(chromium, f"Math.abs(document.getElementById('audio').currentTime - {expected}) < 0.05")
    chromium.keyboard.press(".")
    wait_until(chromium, "document.getElementById('audio').currentTime >= 5.27")
    wait_until(chromium, "document.getElementById('audio').paused")  # after that one word
    assert seconds(chromium) < 6


def test_evidence_is_heard_and_ends_where_it_ends(chromium: Page) -> None:
    log_in(chromium, "eva")
    open_call(chromium)
    chromium.locator("#c-hold_request .hear").click()
    wait_until(chromium, "document.getElementById('audio').currentTime > 17.1")
    assert chromium.locator("#t-5 .w.found").count() == 6
    wait_until(chromium, "document.getElementById('audio').paused")
    assert 19 < seconds(chromium) < 21


def test_a_card_is_judged_and_corrected_by_keys_alone(chromium: Page) -> None:
    log_in(chromium, "tess")
    open_call(chromium, SECOND)
    press = chromium.keyboard.press
    press("j")
    assert chromium.evaluate("document.activeElement.id") == "c-greeting_municipality"
    press("Enter")
    wait_until(chromium, "document.getElementById('audio').currentTime > 3.7")
    press("a")
    saved(chromium)
    assert answer_of(chromium, "greeting_municipality") == "voldaan"
    assert chromium.evaluate("document.activeElement.id") == "c-greeting_agent_name"
    press("2")  # not met: on to the reason
    assert chromium.evaluate("document.activeElement.name") == "reason"
    chromium.keyboard.type("verkeerde s")
    press("Tab")
    chromium.keyboard.type("an ?jk")  # in a field these are letters
    press("Tab")
    press("Enter")
    saved(chromium)
    assert answer_of(chromium, "greeting_agent_name") == "niet voldaan"
    mine = chromium.inner_text("#c-greeting_agent_name .mine")
    assert "verkeerde spreker" in mine
    assert "an ?jk" in mine
    assert "niet voldaan" in chromium.inner_text("#s-opening")
    press("k")
    press("c")
    assert chromium.evaluate("document.activeElement.name") == "answer"
    press("Escape")
    assert chromium.evaluate("document.activeElement.id") == "c-greeting_municipality"
    press("f")
    press("Enter")
    chromium.wait_for_url(lambda url: SECOND not in url)
    chromium.goto(f"/call?{urlencode({'id': SECOND})}")
    assert "beoordeeld" in chromium.inner_text("h1")
    press("n")
    chromium.wait_for_url(lambda url: SECOND not in url)


def test_a_correction_without_a_reason_is_refused_in_its_card(chromium: Page) -> None:
    log_in(chromium, "eva")
    open_call(chromium)
    card = chromium.locator("#c-empathy")
    card.locator(".correct > summary").click()
    card.locator("input[value=not_met]").check()
    card.get_by_role("button", name="Opslaan").click()
    assert "kies bij een correctie een reden" in chromium.inner_text("#c-empathy [role=alert]")
    assert answer_of(chromium, "empathy") is None


def test_shortcuts_can_be_turned_off_and_the_list_of_them_closes_by_escape(chromium: Page) -> None:
    log_in(chromium, "eva")
    open_call(chromium)
    chromium.keyboard.press("?")
    chromium.wait_for_selector("#help[open]")
    assert_accessible(chromium)
    chromium.locator("#keys-on").uncheck()
    chromium.keyboard.press("Escape")
    assert chromium.locator("#help[open]").count() == 0
    chromium.reload()
    chromium.keyboard.press("j")
    assert chromium.evaluate("document.activeElement.tagName") == "BODY"


def test_tab_stops_once_in_the_transcript_and_arrows_go_on_in_it(chromium: Page) -> None:
    log_in(chromium, "eva")
    open_call(chromium)
    assert chromium.locator("#transcript .jump[tabindex='0']").count() == 1
    chromium.locator("#t-0 .jump").focus()
    chromium.keyboard.press("ArrowDown")
    assert chromium.evaluate("document.activeElement.closest('li').id") == "t-1"
    chromium.keyboard.press("Enter")
    wait_until(chromium, "document.getElementById('audio').currentTime >= 4")


def test_everything_can_be_reached_by_machines_for_the_blind(chromium: Page) -> None:
    log_in(chromium, "eva")
    for width, height in ((1440, 900), (720, 450), (320, 640)):
        chromium.set_viewport_size({"width": width, "height": height})
        open_call(chromium)
        for summary in chromium.locator("details > summary").all()[:6]:
            summary.click()
        assert_accessible(chromium)
        assert chromium.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width


def test_roles_are_swapped_on_the_page(chromium: Page) -> None:
    log_in(chromium, "eva")
    open_call(chromium, THIRD)
    assert chromium.inner_text("#t-1 .speaker") == "Medewerker"
    chromium.locator(".swap > summary").click()
    chromium.locator(".swap button").click()
    chromium.wait_for_selector("text=omgewisseld")
    assert chromium.inner_text("#t-1 .speaker") == "Burger"
    assert "niet voldaan" in chromium.inner_text("#s-opening")


def test_a_blind_card_is_scored_by_digits(
    chromium: Page, review_config: Config, review_out: Path
) -> None:
    from callanalytics.store.reviews.reviews import open_reviews

    reviews = open_reviews(review_config, review_out)
    sample = reviews.draw(1, "kalibratie", "chosen", [FIRST, SECOND], 1, is_blind=True)
    reviews.close()
    log_in(chromium, "bram")
    open_call(chromium, FIRST, sample=sample)
    assert_accessible(chromium)
    assert chromium.locator(".machine, .hear, .probability").count() == 0
    chromium.keyboard.press("j")
    chromium.keyboard.press("2")
    saved(chromium)
    assert chromium.locator("#c-greeting_municipality [aria-pressed=true]").inner_text().endswith("niet voldaan")
    assert chromium.evaluate("document.activeElement.id") == "c-greeting_agent_name"
    chromium.keyboard.press("n")
    chromium.wait_for_url(lambda url: "gesprek-2" in url and f"sample={sample}" in url)


def test_the_page_works_without_javascript(chromium: Page, app_url: str) -> None:
    browser = chromium.context.browser
    assert browser
    context = browser.new_context(base_url=app_url, java_script_enabled=False)
    page = context.new_page()
    log_in(page, "eva")
    page.goto(f"/call?{urlencode({'id': FIRST})}")
    assert page.locator("audio[controls]").count() == 1
    page.locator("#c-closing_farewell .accept").click()
    assert page.inner_text("#c-closing_farewell .mine .status") == "voldaan"
    assert page.url.endswith("#c-closing_farewell")
    page.locator("#c-empathy .correct > summary").click()
    page.locator("#c-empathy input[value=unclear]").check()
    page.locator("#c-empathy select").select_option("definition_unclear")
    page.locator("#c-empathy .correct form button").click()
    assert page.inner_text("#c-empathy .mine .status") == "onduidelijk"
    context.close()
