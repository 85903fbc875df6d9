"""What all pages share: who asks and what they may, the fields of forms, how an answer is rendered.

A form carries `csrf` of its session; a save also carries a `token` of its own page, so that a save that is sent twice
is kept once.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Depends, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from callanalytics.review.desk import Desk
from callanalytics.scoring.topics import UNKNOWN
from callanalytics.store.reviews.people import Person, Right, person_of
from callanalytics.texts import say

HERE = Path(__file__).parent
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
    """Return what the pages work with."""
    desk: Desk = request.app.state.desk
    return desk


def visitor(request: Request) -> Person | None:
    """Return who is asking, looked up once a request; None when nobody is logged in."""
    if not hasattr(request.state, "person"):
        desk, token = desk_of(request), request.cookies.get(COOKIE)
        hours = desk.config.review.session_hours
        request.state.person = person_of(desk.reviews, token, hours) if token else None
    person: Person | None = request.state.person
    return person


def signed_in(request: Request) -> Person:
    """Return the person asking, whatever the role (a dependency)."""
    person = visitor(request)
    if person is None:
        raise HTTPException(401)
    return person


def allowed(right: Right) -> Any:
    """Return a dependency: the person asking, who has this right.  Others get 404, as for a page that is not there."""

    def check(request: Request) -> Person:
        person = signed_in(request)
        if not person.may(right):
            raise HTTPException(404)
        return person

    return Depends(check)


def check_csrf(request: Request, csrf: Annotated[str, Form()] = "") -> None:
    """Refuse a change unless its form, or the header of htmx, came from a page of this session (a dependency)."""
    person = visitor(request)
    given = csrf or request.headers.get("X-CSRF", "")
    if person is None or not hmac.compare_digest(given.encode(), person.csrf.encode()):
        raise HTTPException(403)


Anybody = Annotated[Person, Depends(signed_in)]
Reviewer = Annotated[Person, allowed("judge")]
Sampler = Annotated[Person, allowed("sample")]
Settler = Annotated[Person, allowed("settle")]
Calibrator = Annotated[Person, allowed("calibrate")]
GateKeeper = Annotated[Person, allowed("gate")]
Planner = Annotated[Person, allowed("plan")]
PeopleAdmin = Annotated[Person, allowed("people")]
LedgerReader = Annotated[Person, allowed("ledger")]

CHANGES = [Depends(check_csrf)]  # dependencies of every route that changes something


# --- fields of forms and addresses ----------------------------------------------------------------------------------

NO_ID = 2**31  # no row of either database has an id from here on
WITHOUT_NUL = r"^[^\x00]*$"  # PostgreSQL takes no NUL in a text

SaveToken = Annotated[str, Form(alias="token", min_length=8, max_length=64, pattern=WITHOUT_NUL)]
NoteText = Annotated[str, Form(max_length=2000)]
RequiredText = Annotated[str, Form(min_length=1, max_length=2000, pattern=WITHOUT_NUL)]
UserName = Annotated[str, Form(alias="name", max_length=80)]
CallIdInForm = Annotated[str, Form(alias="id", max_length=400)]
CallIdInAddress = Annotated[str, Query(alias="id", max_length=400)]
SampleIdInForm = Annotated[int | None, Form(alias="sample", gt=0, lt=NO_ID)]
SampleIdInAddress = Annotated[int | None, Query(alias="sample", gt=0, lt=NO_ID)]
RowId = Annotated[int, Form(alias="id", gt=0, lt=NO_ID)]
CriterionName = Annotated[str, Form(alias="criterion", max_length=60)]
Outcome = Annotated[Literal["upheld", "declined"], Form()]
YesNoUnknown = Annotated[Literal["", "yes", "no"], Form()]
YES_OR_NO = {"yes": True, "no": False, "": None}


# --- what is answered -----------------------------------------------------------------------------------------------

LINES_A_PAGE = 25


def new_token() -> str:
    """Return what tells one save from the next."""
    return secrets.token_urlsafe(16)


def see_other(path: str) -> RedirectResponse:
    """Return an answer that sends the browser on to a page with GET."""
    return RedirectResponse(path, 303)


def call_link(call_id: str, sample_id: int | None = None) -> str:
    """Return the address of a call's page, in a sample or alone."""
    return f"/call?id={quote(call_id, safe='')}" + (f"&sample={sample_id}" if sample_id is not None else "")


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a template in the language of who is asking, with what all templates may use."""
    person: Person | None = getattr(request.state, "person", None)
    desk = desk_of(request)
    lang = person.lang if person else desk.config.lang

    def say_key(key: str, **values: Any) -> str:
        return say(f"review.{key}", lang, **values)

    shared = {
        "request": request,
        "person": person,
        "lang": lang,
        "say": say_key,
        "menu": MENU,
        "call_link": call_link,
        "new_token": new_token,
    }
    known = shared | _formats(desk, lang) | values
    return HTMLResponse(_templates().get_template(template).render(known), status)


def criterion_names(desk: Desk, lang: str) -> dict[str, str]:
    """Return the names of all criteria in a language."""
    return {one.id: one.name_nl if lang == "nl" else one.name_en for one in desk.files.criteria}


def _formats(desk: Desk, lang: str) -> dict[str, Any]:
    """Return how times, lengths, shares and names are written in a language."""
    zone = ZoneInfo(desk.config.municipality.timezone)
    day = "%d-%m-%Y" if lang == "nl" else "%Y-%m-%d"
    criteria = criterion_names(desk, lang)

    def when(moment: datetime | None) -> str:
        return moment.astimezone(zone).strftime(f"{day} %H:%M") if moment else "–"

    def topic_name(topic: str) -> str:
        known = desk.topics.get(topic)
        if topic == UNKNOWN:
            return say("review.wl_unknown_topic", lang)
        return (known.name_nl if lang == "nl" else known.name_en) if known else topic

    def item_name(item: str) -> str:
        known = desk.config.scorecard.items.get(item)
        return getattr(known.name, lang) if known else item

    return {
        "when": when,
        "on_day": lambda moment: moment.strftime(day),
        "length": lambda ms: f"{ms // 60000}:{ms // 1000 % 60:02}",
        "percent": lambda part: "–" if part is None else f"{round(100 * part)}\N{NO-BREAK SPACE}%",
        "topic_name": topic_name,
        "criterion_name": lambda criterion: criteria.get(criterion, criterion),
        "item_name": item_name,
    }
