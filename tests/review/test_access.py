"""Which pages are there for whom, and what a change wants; each page in a browser at two widths."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from callanalytics.store.reviews.people import users
from callanalytics.store.reviews.tables import PromiseJudgement
from tests.support.browser import assert_accessible, log_in
from tests.support.centre import PASSWORD
from tests.support.visitor import PEOPLE, Visitor

OPEN_TO = {
    "/people": {"otto"},
    "/ledger": {"fien"},
    "/plan": {"eva", "bram"},
    "/contests": {"eva", "bram"},
    "/register": {"eva", "bram"},
}


@pytest.mark.parametrize("path", OPEN_TO)
def test_a_page_is_there_for_its_roles_alone(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/log-in")
    for name in PEOPLE:
        visitor.log_in(name).text(path, 200 if name in OPEN_TO[path] else 404)


@pytest.mark.parametrize(
    ("path", "right", "wrong", "values"),
    [
        ("/people/add", "otto", "eva", {"name": "nieuw", "role": "admin", "password": PASSWORD}),
        ("/people/change", "otto", "eva", {"name": "bram", "what": "disable"}),
        ("/plan", "eva", "bram", {"action": "a", "hypothesis": "h", "item": "opening", "starts_on": "2026-11-28"}),
        ("/plan/conclude", "eva", "bram", {"id": "1", "conclusion": "c"}),
        ("/contests/settle", "eva", "bram", {"id": "1", "outcome": "upheld"}),
        ("/register", "eva", "otto", {"call_id": "late", "start_ms": "0", "kept": "yes"}),
    ],
)
def test_a_change_wants_the_right_and_the_token_of_the_page(
    visitor: Visitor, path: str, right: str, wrong: str, values: dict[str, str]
) -> None:
    values = values | {"token": "token-of-a-page"}
    assert visitor.client.post(path, data=values).status_code == 403
    visitor.log_in(wrong).send(path, 404, **values)
    visitor.log_in(right)
    assert visitor.client.post(path, data=values).status_code == 403
    assert visitor.client.post(path, data=values | {"csrf": "guessed"}).status_code == 403
    desk = visitor.desk
    assert len(users(desk.reviews)) == len(PEOPLE)
    with desk.reviews.reading() as orm:
        assert not orm.scalar(select(func.count()).select_from(PromiseJudgement))


@pytest.fixture(scope="module")
def review_out(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `filled` for the browser to change."""
    return shutil.copytree(filled, tmp_path_factory.mktemp("seen") / "out")


@pytest.mark.parametrize("width", [1440, 400])
@pytest.mark.parametrize(
    ("name", "paths"),
    [("eva", ("/register?view=overdue", "/contests", "/plan")), ("otto", ("/people",)), ("fien", ("/ledger",))],
)
def test_the_pages_are_for_everybody(chromium: Any, name: str, paths: tuple[str, ...], width: int) -> None:
    chromium.set_viewport_size({"width": width, "height": 900})
    log_in(chromium, name)
    for path in paths:
        chromium.goto(path)
        assert_accessible(chromium)
        assert chromium.evaluate("document.documentElement.scrollWidth") <= width
        assert chromium.locator("h1").count() == 1
