"""The review app in a real browser: an OUT to look at, a server, a page, logging in, and axe-core.

A module that tests pages imports the fixtures it wants (`app_url`, `chromium`, and `review_out`, `review_config` or
ones of its own in their place).  Without Debian's chromium, or what `make scripts` fetches, tests are skipped.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from callanalytics.config import Config, load_config, project_root
from callanalytics.records import CallResult, CriterionRow, EventRow, Evidence, PromiseRow, StoredWord, TurnRow
from callanalytics.scoring import load_files
from callanalytics.scoring.phrases import Criterion
from callanalytics.store.datasets import Store
from tests.support.fakes import MOMENT, call_row

if TYPE_CHECKING:
    from playwright.sync_api import Page

PASSWORD = "een lang wachtwoord"
USERS = {"eva": "lead", "bram": "reviewer", "tess": "reviewer", "fien": "privacy_officer", "otto": "admin"}
CHROMIUM = Path("/usr/bin/chromium")
AXE = project_root() / ".venv" / "js" / "node_modules" / "axe-core" / "axe.min.js"
HTMX = project_root() / "callanalytics" / "review" / "static" / "vendor" / "htmx.min.js"
LEVELS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")

# What is said in every call, by whom and from which second; a placeholder is what redaction left.
SAID: tuple[tuple[str, float, str], ...] = (
    ("ivr", 0.5, "Dit gesprek kan worden opgenomen voor trainingsdoeleinden."),
    ("agent", 4.0, "Goedemorgen, gemeente Zutphen, u spreekt met [NAME]. Waarmee kan ik u helpen?"),
    ("citizen", 8.5, "Ja, goedemorgen. De lantaarnpaal voor mijn huis is stuk, al drie weken."),
    ("agent", 12.5, "Wat vervelend voor u. Om welke straat gaat het?"),
    ("citizen", 14.8, "De Molenstraat, bij nummer [HOUSE_NUMBER]."),
    ("agent", 17.5, "Ik zet u even in de wacht."),
    ("agent", 25.0, "Bedankt voor het wachten. Mijn collega belt u morgen terug."),
    ("citizen", 28.5, "Dat is goed, dank u wel."),
    ("agent", 30.5, "Kan ik u verder nog ergens mee helpen? Fijne dag nog."),
)
SECONDS, HOLD = 35, (19_500, 24_500)
WORD_MS = 320


def turns_of(call_id: str, layout: str = "stereo") -> tuple[TurnRow, ...]:
    """The turns of SAID with a time for every word; the agent side is on channel 0."""
    turns = []
    for index, (role, start_s, text) in enumerate(SAID):
        start = round(start_s * 1000)
        words = tuple(
            StoredWord(one, start + i * WORD_MS, start + i * WORD_MS + 280, 0.35 if one == "Molenstraat," else 0.93)
            for i, one in enumerate(text.split())
        )
        channel = (1 if role == "citizen" else 0) if layout == "stereo" else None
        turns.append(TurnRow(call_id, index, role, channel, role, start, words[-1].end_ms, text, words))
    return tuple(turns)


def found_at(turns: Sequence[TurnRow], index: int, first: int, last: int) -> Evidence:
    """The words `first` to `last` of a turn as evidence."""
    turn, words = turns[index], turns[index].words[first : last + 1]
    return Evidence(index, turn.role, words[0].start_ms, words[-1].end_ms, " ".join(w.text for w in words))


def review_call(
    config: Config, criteria: Sequence[Criterion], call_id: str, day: int, recording: Path, layout: str = "stereo"
) -> CallResult:
    """A whole call of SAID: every criterion of the card, evidence, a promise, a hold, an overlap."""
    turns = turns_of(call_id, layout)
    evidence = {
        "recording_announcement": (found_at(turns, 0, 0, 6), "met", 0.97),
        "greeting_municipality": (found_at(turns, 1, 0, 2), "met", 0.99),
        "greeting_agent_name": (found_at(turns, 1, 3, 6), "met", 0.96),
        "greeting_offer_help": (found_at(turns, 1, 7, 11), "met", 0.98),
        "empathy": (found_at(turns, 3, 0, 3), "met", 0.88),
        "problem_clarification": (found_at(turns, 3, 4, 8), "met", 0.71),
        "hold_request": (found_at(turns, 5, 0, 5), "met", 0.95),
        "hold_thanks": (found_at(turns, 6, 0, 3), "met", 0.93),
        "callback_promise": (found_at(turns, 6, 4, 9), "met", 0.9),
        "repeat_contact": (found_at(turns, 2, 9, 11), "uncertain", 0.48),
        "anything_else": (found_at(turns, 8, 0, 7), "met", 0.97),
        "closing_farewell": (found_at(turns, 8, 8, 10), "met", 0.97),
    }
    rows = []
    for one in criteria:
        found, status, probability = evidence.get(one.id, (None, "not_met", 0.08))
        if one.polarity == "undesired" and found is None:
            status = "met"
        elif one.id in ("transfer_announcement", "warm_handover", "identity_verification", "apology"):
            status = "not_applicable"
        rows.append(
            CriterionRow(
                call_id, one.id, status != "not_applicable", found is not None, status, probability, "both",
                (found,) if found else (), config.scorecard.version,
            )
        )  # fmt: skip
    started = MOMENT + timedelta(days=day)
    items = {name: "met" if name != "summary" else "not_met" for name in config.scorecard.items}
    row = call_row(
        call_id, started_at=started, processed_at=started, duration_ms=SECONDS * 1000, queue="algemeen",
        direction="inbound", recording=recording.name,
        recording_sha256=hashlib.sha256(recording.read_bytes()).hexdigest(),
        layout=layout, agent_channel=0 if layout == "stereo" else None, topic="openbare_ruimte", topic_probability=0.9,
        topics=(), topic_sensitive=False, not_scorable_reason=None, score=8.0, potential_score=10.0,
        normalized_score=0.8, compliance_status="met", scorecard_version=config.scorecard.version,
        scoring_fingerprint="card=1", turns_agent=5, turns_citizen=3, role_confidence=0.97,
    )  # fmt: skip
    promise = turns[6].words[4:]
    return CallResult(
        call=row,
        turns=turns,
        criteria=tuple(rows),
        promises=(
            PromiseRow(
                call_id, 0, "callback", "Mijn collega", "morgen", started + timedelta(days=1), False,
                " ".join(w.text for w in promise), promise[0].start_ms, promise[-1].end_ms,
            ),
        ),
        events=(
            EventRow(call_id, "hold", "agent", *HOLD),
            EventRow(call_id, "overlap", "", 8_500, 8_900),
            EventRow(call_id, "dead_air", "", 32_000, 34_000),
        ),
        items=items,
        local_date=started.date().isoformat(),
    )  # fmt: skip


def write_recording(path: Path, channels: int = 2, rate: int = 8000) -> Path:
    """A tone while a word is said, one pitch a party, and music all through the hold."""
    sound = np.zeros((2, SECONDS * rate))
    at = np.arange(SECONDS * rate) / rate
    for turn in turns_of("any"):
        row, hz = (1, 330.0) if turn.role == "citizen" else (0, 220.0)
        for word in turn.words:
            cut = slice(word.start_ms * rate // 1000, word.end_ms * rate // 1000)
            sound[row, cut] = 0.4 * np.sin(2 * np.pi * hz * at[cut])
    hold = slice(HOLD[0] * rate // 1000, HOLD[1] * rate // 1000)
    sound[1, hold] = 0.3 * np.sin(2 * np.pi * 523.0 * at[hold])
    if channels == 1:
        sound = sound.sum(axis=0, keepdims=True)
    with wave.open(str(path), "wb") as target:
        target.setnchannels(channels)
        target.setsampwidth(2)
        target.setframerate(rate)
        target.writeframes(np.ascontiguousarray((sound * 32767).T, dtype="<i2").tobytes())
    return path


def fill_out(config: Config, out: Path, recordings: Path) -> list[CallResult]:
    """An OUT of three calls, two in stereo and one in mono, with their recordings."""
    files = load_files(config)
    stereo, mono = write_recording(recordings / "stereo.wav"), write_recording(recordings / "mono.wav", 1)
    other = write_recording(recordings / "other.wav")
    with other.open("ab") as stream:
        stream.write(b"\0")  # a recording of its own
    results = [
        review_call(config, files.criteria, "zaak/2026 é&1", 0, stereo),
        review_call(config, files.criteria, "gesprek-2", 1, other),
        review_call(config, files.criteria, "gesprek-3", 2, mono, layout="mono"),
    ]
    store = Store(out, files.ids, tuple(config.scorecard.items), config.storage)
    store.open()
    store.publish(results, "r1")
    store.close()
    return results


def add_users(config: Config, out: Path) -> None:
    """Everybody of USERS."""
    from callanalytics.store.reviews.people import add_user
    from callanalytics.store.reviews.reviews import open_reviews

    reviews = open_reviews(config, out)
    for name, role in USERS.items():
        add_user(reviews, name, PASSWORD, role, lang=config.lang)  # type: ignore[arg-type]
    reviews.close()


@contextmanager
def served(config: Config, out: Path) -> Iterator[str]:
    """The app over an OUT at a free port of this machine; gives its address."""
    import uvicorn

    from callanalytics.review.app import create_app

    server = uvicorn.Server(uvicorn.Config(create_app(config, out), port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def review_config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The defaults, with a folder for recordings."""
    config, folder = load_config(), tmp_path_factory.mktemp("recordings")
    return config.model_copy(update={"review": config.review.model_copy(update={"recordings": str(folder)})})


@pytest.fixture(scope="module")
def review_out(review_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OUT of scripted calls, with users."""
    out = tmp_path_factory.mktemp("reviewed") / "out"
    fill_out(review_config, out, Path(review_config.review.recordings))
    add_users(review_config, out)
    return out


@pytest.fixture(scope="module")
def app_url(review_config: Config, review_out: Path) -> Iterator[str]:
    """Where the app answers."""
    with served(review_config, review_out) as url:
        yield url


@pytest.fixture(scope="module")
def _browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not there; on Debian: apt-get install chromium")
    if not HTMX.exists():
        pytest.skip("htmx is not there; run: make scripts")
    with playwright.sync_playwright() as driver:
        arguments = ["--autoplay-policy=no-user-gesture-required", "--mute-audio"]
        arguments += ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def chromium(_browser: Any, app_url: str) -> Iterator[Page]:
    """A fresh page; whatever a page logs as an error, such as a broken policy, fails the test."""
    context = _browser.new_context(base_url=app_url, viewport={"width": 1440, "height": 900}, locale="nl-NL")
    page = context.new_page()
    errors: list[str] = []

    def keep(message: Any) -> None:
        # An answer such as 404 may be what a test is after; a script or style that is missing never is.
        is_answer = message.text.startswith("Failed to load resource") and "/static/" not in message.location["url"]
        if message.type == "error" and not is_answer:
            errors.append(f"{message.text} {message.location['url']}")

    page.on("console", keep)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors, errors


def log_in(page: Page, name: str) -> None:
    """Come in as somebody of USERS."""
    page.goto("/log-in")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_url(lambda url: "/log-in" not in url)


def wait_until(page: Page, expression: str, seconds: float = 20) -> None:
    """Until JavaScript says true; Playwright's own waiting asks the page for what its policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(20)


def assert_accessible(page: Page) -> None:
    """axe-core finds nothing serious or critical under WCAG 2.2 AA."""
    if not AXE.exists():
        pytest.skip("axe-core is not there; run: make scripts")
    # Through the driver: a script of the page's own would be refused by its policy, as it should.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    options = json.dumps({"runOnly": {"type": "tag", "values": LEVELS}})
    found = page.evaluate(f"axe.run(document, {options})")
    bad = [
        (one["id"], one["impact"], [node["html"][:200] for node in one["nodes"]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert not bad, bad
