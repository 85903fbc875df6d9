"""The web app: routes, security headers, sign-in."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI, Form, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles

from callanalytics.config import Config
from callanalytics.errors import CallAnalyticsError
from callanalytics.review.desk import Desk
from callanalytics.review.pages import (
    answers,
    calibration,
    call,
    contests,
    ledger,
    people,
    plan,
    register,
    samples,
    worklist,
)
from callanalytics.review.session import BEFORE, CHANGES, COOKIE, HERE, desk_of, page, see_other, visitor
from callanalytics.store.reviews.people import log_in, log_in_by_proxy, log_out
from callanalytics.texts import say

ARMOUR = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; media-src 'self' blob:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

PAGES = (answers, calibration, call, contests, ledger, people, plan, register, samples, worklist)

entrance = APIRouter()


def create_app(config: Config, output: Path) -> FastAPI:
    """Make the app over one OUT.  Raises the errors of `Desk`."""
    desk = Desk(config, output)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        desk.keep_up()
        yield
        desk.close()

    app = FastAPI(
        title="callanalytics",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        # Newer ones export spans, with ids of calls in them, where the environment says so.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.desk = desk
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    for router in (entrance, *(module.router for module in PAGES)):
        app.include_router(router)
    for failure in (HTTPException, 404, 405, RequestValidationError, CallAnalyticsError):
        app.add_exception_handler(failure, _explain)
    app.add_exception_handler(answers.Refused, answers.explain_refusal)

    @app.middleware("http")
    async def arm(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        for name, value in ARMOUR.items():
            response.headers.setdefault(name, value)
        if request.url.path.startswith("/static/"):
            response.headers["Cache-Control"] = "public, max-age=3600"
        return response

    return app


def _explain(request: Request, error: Exception) -> Response:
    """Answer with what went wrong, without a word about its inside."""
    status = error.status_code if isinstance(error, HTTPException) else getattr(error, "status_code", 422)
    if status == 401 and request.method == "GET" and "HX-Request" not in request.headers:
        return see_other("/log-in")
    if isinstance(error, CallAnalyticsError):
        status = 503
    key = {404: "not_found", 405: "not_found", 503: "store_busy"}.get(status, "bad_request")
    # Not there and not allowed look alike, to whoever asks; without a store nobody can be looked up.
    person = getattr(request.state, "person", None) if status == 503 else visitor(request)
    lang = person.lang if person else desk_of(request).config.lang
    return page(request, "message.html", status, message=say(f"review.{key}", lang))


@entrance.get("/log-in")
def show_log_in(request: Request) -> Response:
    """Show the form; or, behind a proxy that names who it is, log in at once."""
    desk = desk_of(request)
    settings = desk.config.review
    host = request.client.host if request.client else ""
    name = request.headers.get(settings.proxy_user_header) if settings.proxy_user_header else None
    if name and host in settings.proxy_addresses:
        token = log_in_by_proxy(desk.reviews, name)
        if token:
            return _with_session(request, token)
    return _log_in_form(request)


def _log_in_form(request: Request, status: int = 200) -> Response:
    csrf = request.cookies.get(BEFORE) or secrets.token_urlsafe(32)
    form = page(request, "log_in.html", status, csrf=csrf, has_failed=status != 200)
    return _with_cookie(request, form, BEFORE, csrf)


def _with_session(request: Request, token: str) -> Response:
    response = _with_cookie(request, see_other("/"), COOKIE, token)
    response.delete_cookie(BEFORE)
    return response


def _with_cookie(request: Request, response: Response, name: str, value: str) -> Response:
    response.set_cookie(name, value, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return response


@entrance.post("/log-in")
def do_log_in(
    request: Request,
    name: Annotated[str, Form(max_length=80)],
    password: Annotated[str, Form(max_length=200)],
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Log in, or show the form again."""
    if not hmac.compare_digest(csrf.encode(), request.cookies.get(BEFORE, "\0").encode()):
        raise HTTPException(403)
    origin = request.client.host if request.client else ""
    token = log_in(desk_of(request).reviews, name, password, origin)
    return _with_session(request, token) if token else _log_in_form(request, 401)


@entrance.post("/log-out", dependencies=CHANGES)
def do_log_out(request: Request) -> Response:
    """Log out."""
    log_out(desk_of(request).reviews, request.cookies.get(COOKIE, ""))
    response = see_other("/log-in")
    response.delete_cookie(COOKIE)
    return response
