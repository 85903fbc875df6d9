"""Somebody with a browser that has no JavaScript: logs in, follows links, sends forms of the review app."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi.testclient import TestClient

from callanalytics.review.session import COOKIE
from callanalytics.store.reviews.people import log_in_by_proxy

if TYPE_CHECKING:
    from fastapi import FastAPI

    from callanalytics.review.desk import Desk

PEOPLE = {"eva": "lead", "bram": "reviewer", "otto": "admin", "fien": "privacy_officer"}
FIRST, SECOND, THIRD = "zaak/2026 é&1", "gesprek-2", "gesprek-3"  # of browser.fill_out


class Visitor:
    """A browser at an app, logged in once `log_in` was called."""

    def __init__(self, app: FastAPI, name: str = "", **options: Any) -> None:
        self.app, self.desk = app, _desk_of(app)
        self.client = TestClient(app, base_url="http://localhost", follow_redirects=False, **options)
        if name:
            self.log_in(name)

    def log_in(self, name: str) -> Visitor:
        """Come in as somebody whom a trusted proxy names; that spares the work of checking a password."""
        token = log_in_by_proxy(self.desk.reviews, name)
        assert token
        self.client.cookies.clear()
        self.client.cookies.set(COOKIE, token)
        return self

    @staticmethod
    def field(page: str, name: str) -> str:
        """Return the first hidden field of that name."""
        found = re.search(rf'name="{name}" value="([^"]*)"', page)
        assert found, name
        return unescape(found[1])

    def csrf(self) -> str:
        """Return what a form of this session must carry; the form to log out is on every page."""
        answer = self.client.get("/", follow_redirects=True)
        return self.field(answer.text, "csrf")

    def get(self, path: str, **query: object) -> Any:
        """Ask for a page, not following redirects."""
        return self.client.get(f"{path}?{urlencode(query)}" if query else path)

    def text(self, path: str, status: int = 200, **query: object) -> str:
        """Return a page, after a check of its status."""
        answer = self.client.get(path, params=query or None, follow_redirects=True)  # type: ignore[arg-type]
        assert answer.status_code == status, path
        return str(answer.text)

    def send(self, path: str, status: int = 200, **values: Any) -> str:
        """Send a form with the session's csrf and return the page that answers."""
        answer = self.client.post(path, data={"csrf": self.csrf()} | values, follow_redirects=True)
        assert answer.status_code == status, answer.text[:500]
        return str(answer.text)

    def call(self, call_id: str = FIRST, **query: object) -> str:
        """Return the page of a call."""
        return self.text("/call", id=call_id, **query)

    def post(self, path: str, call_id: str = FIRST, page: str = "", **fields: object) -> Any:
        """Send a form as the page of a call has it, its own fields overridden."""
        page = page or self.call(call_id, **({"sample": fields["sample"]} if "sample" in fields else {}))
        csrf = re.search(r'"X-CSRF": "([^"]+)"', unescape(page))
        assert csrf
        hidden = {"csrf": csrf[1], "token": self.field(page, "token"), "id": call_id}
        mark = re.search(r'name="mark" value="([^"]*)"', page)
        hidden |= {"mark": mark[1]} if mark else {}
        return self.client.post(path, data=hidden | fields)


def _desk_of(app: FastAPI) -> Desk:
    desk: Desk = app.state.desk
    return desk
