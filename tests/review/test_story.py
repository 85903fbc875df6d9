"""What a team does in a fortnight, in a real browser: draw a blind round, score it twice, see where people differ."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from callanalytics.config import Config
from callanalytics.scoring import load_files
from tests.support.browser import add_users, assert_accessible, log_in, review_call, wait_until, write_recording
from tests.support.centre import publish

CALLS = 12


@pytest.fixture(scope="module")
def review_out(review_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Calls of one sound each, all in a queue but the last."""
    criteria, results, folder = load_files(review_config).criteria, [], Path(review_config.review.recordings)
    for number in range(CALLS):
        sound = write_recording(folder / f"{number:02}.wav")
        with sound.open("ab") as stream:
            stream.write(bytes(number))
        results.append(review_call(review_config, criteria, f"gesprek-{number:02}", number, sound))
    out = publish(tmp_path_factory.mktemp("story") / "out", results, config=review_config)
    add_users(review_config, out)
    return out


def score_by_keys(page: Page, first: str) -> None:
    """Answer every criterion of the call on the page: the first one as given, all others with "met"."""
    cards = page.locator("article.criterion")
    for number in range(cards.count()):
        page.keyboard.press("j")
        card = cards.nth(number)
        name = card.get_attribute("id")
        wait_until(page, f"document.activeElement.id === '{name}'")
        page.keyboard.press(first if number == 0 else "1")
        page.wait_for_selector(f"#{name}.done")
        page.evaluate(f"document.getElementById('{name}').focus()")


def score_by_forms(page: Page, answers: dict[str, str]) -> None:
    """Send the forms of what must be answered, as its buttons do; "" stands for all that is not named."""
    page.evaluate(
        """async answers => {
            for (const card of document.querySelectorAll('article.criterion')) {
                if (!card.querySelector('.must')) continue;
                const name = card.id.slice(2), form = card.querySelector('form[action="/call/judge"]');
                const body = new URLSearchParams(new FormData(form));
                body.set('answer', answers[name] || answers['']);
                const answer = await fetch('/call/judge', {method: 'POST', body});
                if (!answer.ok) throw new Error(name + ' ' + answer.status);
            }
        }""",
        answers,
    )


def test_a_round_is_drawn_scored_twice_and_tells_where_people_differ(chromium: Page) -> None:
    page = chromium
    log_in(page, "eva")
    page.get_by_text(f"{CALLS} gesprekken").wait_for()
    page.get_by_role("link", name="Steekproef uit deze selectie").click()
    page.get_by_label("Naam", exact=True).fill("Kalibratie november")
    page.get_by_label("Aantal gesprekken").fill(str(CALLS))
    page.get_by_label("Blind", exact=False).first.check()
    page.get_by_role("button", name="Steekproef trekken").click()
    page.get_by_text(f"0 van {CALLS}").wait_for()
    sample = page.url.split("id=")[1].split("&")[0]

    for name, first in (("bram", "1"), ("tess", "2")):
        page.context.clear_cookies()
        log_in(page, name)
        for number in range(CALLS):
            page.goto(f"/call?id={quote(f'gesprek-{number:02}')}&sample={sample}")
            assert page.locator(".machine, .probability, .hear").count() == 0, "scoring is not blind"
            first_id = page.locator("article.criterion").first.get_attribute("id") or ""
            if number == 0:
                score_by_keys(page, first)
            else:
                # They differ on the first criterion of every other call.
                one = "not_met" if name == "tess" and number % 2 == 0 else "met"
                score_by_forms(page, {"": "met", first_id.removeprefix("c-"): one})
                page.reload()
            page.locator("#finish button.quiet").click()
            page.wait_for_load_state()

    page.context.clear_cookies()
    log_in(page, "eva")
    page.goto("/calibration")
    page.get_by_text("Kalibratie november").first.wait_for()
    page.goto(f"/sample?id={sample}")
    page.get_by_role("button", name="sluiten", exact=False).click()
    page.goto(f"/calibration/criteria/{first_id.removeprefix('c-')}")
    assert_accessible(page)
    text = page.locator("main").inner_text()
    # 12 calls, 6 differ; one person always says met: kappa 0, AC1 (0.5 - 0.375) / 0.625 = 0.2.
    assert "0,00" in text
    assert "0,20" in text
    assert "12" in text
    page.goto("/calibration/queue")
    assert page.locator(".differs a[href*='gesprek-']").count() >= 6
    page.goto(f"/call?id=gesprek-00&sample={sample}")
    assert page.locator(".probability").count() > 0, "the round is over: the machine's verdicts may be seen"
