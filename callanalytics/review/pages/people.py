"""The page of people: who may log in, and as what."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from callanalytics.errors import UserError
from callanalytics.review.session import CHANGES, PeopleAdmin, UserName, desk_of, page, see_other
from callanalytics.store.reviews.people import MIN_PASSWORD, RIGHTS, add_user, change_user, users
from callanalytics.store.reviews.tables import UserRole
from callanalytics.texts import has_text

router = APIRouter()
Password = Annotated[str | None, Form(max_length=200)]
DONE = ("people_added", "people_changed")


@router.get("/people")
def show_people(request: Request, _: PeopleAdmin, done: str = "") -> Response:
    """Show who may log in, and as what.  Nothing about calls: who gives rights needs none."""
    return _people_page(request, done=done if done in DONE else "")


def _people_page(request: Request, status: int = 200, wrong: str = "", done: str = "") -> Response:
    known = users(desk_of(request).reviews)
    values = {"users": known, "roles": list(RIGHTS), "least": MIN_PASSWORD, "wrong": wrong, "done": done}
    return page(request, "people.html", status, **values)


def _refuse(request: Request, error: UserError) -> Response:
    """Show the page with why a change is not made."""
    key = "people_" + str(error.fields["reason"].key).removeprefix("errors.user_")
    return _people_page(request, 422, wrong=key if has_text(f"review.{key}") else "bad_request")


@router.post("/people/add", dependencies=CHANGES)
def add_person(
    request: Request,
    _: PeopleAdmin,
    name: UserName,
    role: Annotated[UserRole, Form()],
    password: Password = None,
    agent: Annotated[str, Form(max_length=200)] = "",
    lang: Annotated[Literal["nl", "en"], Form()] = "nl",
) -> Response:
    """Add a person.  Without a password they come in only by the proxy, where there is one."""
    desk = desk_of(request)
    agent_ref = desk.pseudonyms("agent", agent.strip()) if agent.strip() else None
    has_proxy = bool(desk.config.review.proxy_user_header)
    try:
        add_user(desk.reviews, name.strip(), password or (None if has_proxy else ""), role, agent_ref, lang)
    except UserError as error:
        return _refuse(request, error)
    return see_other("/people?done=people_added")


@router.post("/people/change", dependencies=CHANGES)
def change_person(
    request: Request,
    _: PeopleAdmin,
    name: UserName,
    what: Annotated[Literal["password", "role", "disable", "enable"], Form()],
    password: Password = None,
    role: Annotated[UserRole | None, Form()] = None,
) -> Response:
    """Give a new password or another role, or let a person out or in again."""
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
        return _refuse(request, error)
    return see_other("/people?done=people_changed")
