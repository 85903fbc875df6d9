"""The app: who is asking, what they may, the same armour on every answer.  The pages themselves are routers beside it.

A form carries its session's `csrf`, a save besides a `token` of its own page, so that one sent twice is kept once.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from callanalytics.review.desk import Desk
from callanalytics.scoring.topics import UNKNOWN
from callanalytics.store.reviews.people import Person, Right, person_of
from callanalytics.texts import say

HERE = Path(__file__).parent
NO_ID = 2**31  # no row of either database has an id from here on
COOKIE, BEFORE = "session", "before_session"  # the second: CSRF of the log-in form, which has no session yet
MENU: tuple[tuple[Right, str, str], ...] = (
    ("see", "/", "nav_worklist"),
    ("judge", "/samples", "nav_samples"),
    ("judge", "/register", "nav_register"),
    ("judge", "/contests", "nav_contests"),
    ("calibrate", "/calibration", "nav_calibration"),
    ("judge", "/plan", "nav_plan"),
    ("people", "/people", "nav_people"),
    ("ledger", "/ledger", "nav_ledger"),
)


# --- who is asking --------------------------------------------------------------------------------------------------


def desk_of(request: Request) -> Desk:
    """What the pages work with."""
    desk: Desk = request.app.state.desk
    return desk


def _visitor(request: Request) -> Person | None:
    """Who is asking, looked up once a request; null when nobody is logged in."""
    if not hasattr(request.state, "person"):
        desk, token = desk_of(request), request.cookies.get(COOKIE)
        hours = desk.config.review.session_hours
        request.state.person = person_of(desk.reviews, token, hours) if token else None
    person: Person | None = request.state.person
    return person


def allowed(right: Right) -> Any:
    """A dependency: the person asking, who has this right.  Others see what a page that isn't there looks like."""

    def check(request: Request) -> Person:
        person = signed_in(request)
        if not person.may(right):
            raise HTTPException(404)
        return person

    return Depends(check)


def signed_in(request: Request) -> Person:
    """A dependency: the person asking, whatever the role."""
    person = _visitor(request)
    if person is None:
        raise HTTPException(401)
    return person


def check_csrf(request: Request, csrf: Annotated[str, Form()] = "") -> None:
    """A dependency of everything that changes something: the form, or htmx's header, came from its own page."""
    person = _visitor(request)
    given = csrf or request.headers.get("X-CSRF", "")
    if person is None or not hmac.compare_digest(given.encode(), person.csrf.encode()):
        raise HTTPException(403)


def new_token() -> str:
    """What tells one save from the next."""
    return secrets.token_urlsafe(16)


# --- what is answered -----------------------------------------------------------------------------------------------


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A template filled in, in the language of who is asking."""
    person: Person | None = getattr(request.state, "person", None)
    lang = person.lang if person else desk_of(request).config.lang

    def say_key(key: str, **values: Any) -> str:
        return say(f"review.{key}", lang, **values)

    shared = {"request": request, "person": person, "lang": lang, "say": say_key, "menu": MENU}
    return HTMLResponse(_templates().get_template(template).render(shared | values), status)


# --- coming and going -----------------------------------------------------------------------------------------------

PAGE = 25

PAGES = 40

_TEXT = r"^[^\x00]*$"  # PostgreSQL takes no NUL in a text

Reviewer = Annotated[Person, allowed("judge")]

Name = Annotated[str, Form(max_length=80)]

Token = Annotated[str, Form(min_length=8, max_length=64, pattern=_TEXT)]

Words = Annotated[str, Form(min_length=1, max_length=2000, pattern=_TEXT)]

Id = Annotated[int, Form(gt=0, lt=2**31)]

changing = [Depends(check_csrf)]


def call_link(call_id: str, sample_id: int | None = None) -> str:
    """Where a call is shown."""
    return f"/call?id={quote(call_id, safe='')}" + (f"&sample={sample_id}" if sample_id is not None else "")


def formats(desk: Desk, lang: str) -> dict[str, Any]:
    """How times, lengths, shares and names are written in a language."""
    zone = ZoneInfo(desk.config.municipality.timezone)
    day = "%d-%m-%Y" if lang == "nl" else "%Y-%m-%d"

    def when(moment: datetime | None) -> str:
        return moment.astimezone(zone).strftime(f"{day} %H:%M") if moment else "–"

    def topic_name(topic: str) -> str:
        known = desk.topics.get(topic)
        if topic == UNKNOWN:
            return say("review.wl_unknown_topic", lang)
        return (known.name_nl if lang == "nl" else known.name_en) if known else topic

    def criterion_name(criterion: str) -> str:
        known = desk.criteria.get(criterion)
        return (known.name_nl if lang == "nl" else known.name_en) if known else criterion

    def item_name(item: str) -> str:
        known = desk.config.scorecard.items.get(item)
        return getattr(known.name, lang) if known else item

    return {
        "when": when,
        "on_day": lambda moment: moment.strftime(day),
        "length": lambda ms: f"{ms // 60000}:{ms // 1000 % 60:02}",
        "percent": lambda part: "–" if part is None else f"{round(100 * part)}\N{NO-BREAK SPACE}%",
        "topic_name": topic_name,
        "criterion_name": criterion_name,
        "item_name": item_name,
    }
