"""The pages around the calls: who may log in, the PDCA log, the ledger, what agents contest, the promise register."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from callanalytics.errors import UserError
from callanalytics.review.session import (
    Name,
    allowed,
    changing,
    desk_of,
    formats,
    page,
)
from callanalytics.store.reviews.people import MIN_PASSWORD, RIGHTS, Person, add_user, change_user, users
from callanalytics.store.reviews.tables import (
    UserRole,
)
from callanalytics.texts import has_text

router = APIRouter()
Admin = Annotated[Person, allowed("people")]


# --- people ---------------------------------------------------------------------------------------------------------


@router.get("/people")
def show_people(request: Request, person: Admin, done: str = "") -> Response:
    """Who may log in, and as what.  Nothing about calls: who gives rights needs none."""
    return _people_page(request, person, done=done)


def _people_page(request: Request, person: Person, status: int = 200, wrong: str = "", done: str = "") -> Response:
    desk = desk_of(request)
    told = done if done in ("people_added", "people_changed") else ""
    return page(
        request,
        "people.html",
        status,
        users=users(desk.reviews),
        roles=list(RIGHTS),
        wrong=wrong,
        done=told,
        least=MIN_PASSWORD,
        **formats(desk, person.lang),
    )


def _refusal(error: UserError) -> str:
    """Return the key of what the page says about a change that is not made."""
    key = "people_" + str(error.fields["reason"].key).removeprefix("errors.user_")
    return key if has_text(f"review.{key}") else "bad_request"


@router.post("/people/add", dependencies=changing)
def add_person(
    request: Request,
    person: Admin,
    name: Name,
    role: Annotated[UserRole, Form()],
    password: Annotated[str | None, Form(max_length=200)] = None,
    agent: Annotated[str, Form(max_length=200)] = "",
    lang: Annotated[Literal["nl", "en"], Form()] = "nl",
) -> Response:
    """Let somebody in.  Without a password only by the proxy, where there is one."""
    desk = desk_of(request)
    agent_ref = desk.pseudonyms("agent", agent.strip()) if agent.strip() else None
    has_proxy = bool(desk.config.review.proxy_user_header)
    try:
        add_user(desk.reviews, name.strip(), password or (None if has_proxy else ""), role, agent_ref, lang)
    except UserError as error:
        return _people_page(request, person, 422, _refusal(error))
    return RedirectResponse("/people?done=people_added", 303)


@router.post("/people/change", dependencies=changing)
def change_person(
    request: Request,
    person: Admin,
    name: Name,
    what: Annotated[Literal["password", "role", "disable", "enable"], Form()],
    password: Annotated[str | None, Form(max_length=200)] = None,
    role: Annotated[UserRole | None, Form()] = None,
) -> Response:
    """A new password, another role, out or in again."""
    reviews = desk_of(request).reviews
    if all(user.name != name for user in users(reviews)):
        raise HTTPException(404)
    try:
        if what == "password":
            change_user(reviews, name, password=password or "")
        elif what == "role":
            change_user(reviews, name, role=role)
        else:
            change_user(reviews, name, is_disabled=what == "disable")
    except UserError as error:
        return _people_page(request, person, 422, _refusal(error))
    return RedirectResponse("/people?done=people_changed", 303)


# --- plan -----------------------------------------------------------------------------------------------------------


# --- ledger ---------------------------------------------------------------------------------------------------------


# --- contests -------------------------------------------------------------------------------------------------------


# --- promise register -----------------------------------------------------------------------------------------------
