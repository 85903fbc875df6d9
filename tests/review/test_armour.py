"""Attempts to get in where one has no business: every route of the app, as nobody, as somebody else, with odd input."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from playwright.sync_api import Page

from callanalytics.config import Config, load_config
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.review.app import ARMOUR, create_app
from callanalytics.review.session import COOKIE
from callanalytics.scoring import load_files
from callanalytics.store.reviews import people
from tests.support.browser import PASSWORD, USERS, add_users, fill_out, log_in, review_call, served
from tests.support.centre import changed, opened
from tests.support.visitor import Visitor

OPEN = {("GET", "/log-in"), ("POST", "/log-in")}
HOSTILE = "<script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">"
CALL = "gesprek-2"
TRIED = 400  # log-ins
EXAMPLES = max(10, settings.default.max_examples // 6)  # of a route: 25 in the profile "thorough"


@pytest.fixture(scope="module")
def armed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Path]:
    """An OUT with three calls and one full of script, and users of every role."""
    root = tmp_path_factory.mktemp("armour")
    (root / "recordings").mkdir()
    (root / "secret.wav").write_bytes(b"not for you")
    config = changed(load_config(), "review", recordings=str(root / "recordings"))
    fill_out(config, root / "out", root / "recordings")
    call = review_call(config, load_files(config).criteria, f"x{HOSTILE}", 3, root / "recordings" / "stereo.wav")
    hostile = replace(
        call,
        call=replace(call.call, queue=HOSTILE, topic=HOSTILE, recording="../secret.wav"),
        turns=tuple(replace(turn, text=HOSTILE, speaker=HOSTILE) for turn in call.turns),
        criteria=tuple(
            replace(row, evidence=tuple(replace(one, quote=HOSTILE) for one in row.evidence)) for row in call.criteria
        ),
        promises=tuple(replace(one, quote=HOSTILE, by=HOSTILE, deadline_text=HOSTILE) for one in call.promises),
    )
    store = opened(root / "out", config)
    store.publish([hostile], "r2")
    store.close()
    add_users(config, root / "out")
    return config, root / "out"


@pytest.fixture(scope="module")
def app(armed: tuple[Config, Path]) -> Iterator[FastAPI]:
    app = create_app(*armed)
    app.state.desk.refresh()
    yield app
    app.state.desk.close()


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Every method and path of the app, parameters filled with something that is not there."""
    found = []
    for route in _flat(app.routes):
        path = re.sub(r"\{[^}]*\}", "1", route.path)
        found += [(method, path) for method in sorted(route.methods - {"HEAD"})]
    return sorted(set(found) - OPEN)


def _flat(some: Any) -> Iterator[APIRoute]:
    for route in some:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from _flat(getattr(getattr(route, "original_router", None) or route, "routes", None) or ())


def test_the_routes_are_all_found(app: FastAPI) -> None:
    paths = {path for _, path in routes(app)}
    assert {"/", "/call", "/log-out", "/calibration", "/people", "/ledger", "/plan"} <= paths


def test_nobody_gets_anything_without_a_session(app: FastAPI) -> None:
    client = Visitor(app).client
    for method, path in routes(app):
        answer = client.request(method, path, params={"id": CALL})
        assert answer.status_code in (303, 401, 403, 404, 422), (method, path, answer.status_code)
        if answer.status_code == 303:
            assert answer.headers["location"] == "/log-in"
        assert CALL not in answer.text


@pytest.mark.parametrize("role", sorted(set(USERS.values())))
def test_nothing_is_changed_without_the_sessions_csrf(app: FastAPI, role: str) -> None:
    name = next(name for name, one in USERS.items() if one == role)
    client = Visitor(app, name).client
    csrf_of_another = Visitor(app, "tess").csrf()
    for method, path in routes(app):
        if method == "GET":
            continue
        for csrf in ("", "x", csrf_of_another):
            answer = client.request(method, path, data={"csrf": csrf, "id": CALL}, headers={"X-CSRF": csrf})
            assert answer.status_code in (403, 404, 422), (method, path, answer.status_code)


@pytest.mark.parametrize(
    ("name", "shut"),
    [
        ("bram", ["/people", "/ledger"]),
        ("eva", ["/people", "/ledger"]),
        ("fien", ["/", f"/call?id={CALL}", "/calibration", "/people", "/plan"]),
        ("otto", ["/", f"/call?id={CALL}", "/calibration", "/ledger", "/plan"]),
    ],
)
def test_another_role_sees_a_page_that_is_not_there(app: FastAPI, name: str, shut: list[str]) -> None:
    client = Visitor(app, name).client
    nothing = client.get("/no-such-page")
    for path in shut:
        answer = client.get(path)
        assert CALL not in answer.text
        if path == "/":  # the way in: on to what is for this person
            assert (answer.status_code, answer.headers["location"] in ("/people", "/ledger")) == (303, True)
            continue
        assert answer.status_code == 404, path
        assert answer.text == nothing.text.replace("/no-such-page", path)


def test_an_agent_sees_the_own_calls_and_only_with_consent(app: FastAPI, armed: tuple[Config, Path]) -> None:
    desk = app.state.desk
    reference = Pseudonyms(armed[0].privacy)("agent", "a-17")
    if "anna" not in [user.name for user in people.users(desk.reviews)]:
        people.add_user(desk.reviews, "anna", PASSWORD, "agent", reference)
    client = Visitor(app, "anna").client
    assert client.get("/call", params={"id": CALL}).status_code == 404
    assert CALL not in client.get("/").text


def test_a_guessed_id_is_as_absent_as_a_forbidden_one(app: FastAPI) -> None:
    client = Visitor(app, "bram").client
    for guess in ("gesprek-99", "../../etc/passwd", "%00", "1 OR 1=1", "x" * 5000, "'; DROP TABLE users; --"):
        assert client.get("/call", params={"id": guess}).status_code in (404, 422)
    assert people.users(app.state.desk.reviews)


def test_no_sound_from_outside_the_recordings(app: FastAPI) -> None:
    client = Visitor(app, "eva").client
    sounds = [path for method, path in routes(app) if method == "GET" and re.search("sound|peaks|audio", path)]
    assert sounds
    for path in sounds:
        for call_id in (f"x{HOSTILE}", "../secret.wav", "/etc/passwd"):
            answer = client.get(path, params={"id": call_id})
            assert b"not for you" not in answer.content
            assert answer.status_code in (404, 422), (path, call_id, answer.status_code)
    for path in ("/static/../web.py", "/static/%2e%2e/web.py", "/static/..%2fweb.py", "/static//etc/passwd"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("name", ["queue", "topic", "criterion", "status", "state", "since", "until", "sample", "q"])
def test_sql_in_a_filter_is_a_word_like_another(app: FastAPI, name: str) -> None:
    client = Visitor(app, "eva").client
    everything = client.get("/").text.count("/call?id=")
    for value in ("' OR '1'='1", "x'; DROP TABLE judgements; --", '" UNION SELECT password FROM users --', "\0", "%"):
        answer = client.get("/", params={name: value})
        assert answer.status_code < 500, (name, value)
        assert answer.text.count("/call?id=") <= everything
        assert "argon2" not in answer.text
    assert client.get("/").status_code == 200


def test_every_answer_wears_the_armour(app: FastAPI) -> None:
    for name in (None, "eva"):
        client = Visitor(app, name or "").client
        for path in ("/", "/log-in", f"/call?id={CALL}", "/no-such-page", "/static/app.css"):
            answer = client.get(path)
            for header in ARMOUR.keys() - {"Cache-Control"}:
                assert answer.headers[header] == ARMOUR[header], (path, header)
            assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_hundreds_of_log_ins_let_nobody_in(app: FastAPI) -> None:
    client = Visitor(app).client
    page = client.get("/log-in").text
    (csrf,) = set(re.findall(r'name="csrf" value="([^"]+)"', page))
    hashed = 0
    verify = people._fits

    def counted(*given: Any) -> bool:
        nonlocal hashed
        hashed += 1
        return verify(*given)

    people._fits, before = counted, people._fits
    try:

        def attempt(number: int) -> int:
            name = ("tess", f"naam{number}")[number % 2]
            form = {"csrf": csrf, "name": name, "password": secrets.token_hex(8)}
            return client.post("/log-in", data=form).status_code

        with ThreadPoolExecutor(8) as pool:
            statuses = set(pool.map(attempt, range(TRIED)))
    finally:
        people._fits = before
    assert statuses == {401}
    assert hashed <= 10 * people.TRIES < TRIED / 2, "a guess costs the guesser nothing but is worth a try"
    assert client.post("/log-in", data={"csrf": csrf, "name": "tess", "password": PASSWORD}).status_code == 401


def test_a_log_in_form_from_elsewhere_is_refused(app: FastAPI) -> None:
    client = Visitor(app).client
    assert client.post("/log-in", data={"csrf": "x", "name": "eva", "password": PASSWORD}).status_code == 403


def test_a_name_in_a_header_is_believed_from_a_trusted_proxy_alone(armed: tuple[Config, Path]) -> None:
    config, out = armed
    headers = {"X-Forwarded-User": "eva"}
    trusting = config.review.model_copy(
        update={"proxy_user_header": "X-Forwarded-User", "proxy_addresses": ("10.1.1.1",)}
    )
    for settings_, host, is_in in (
        (config.review, "10.1.1.1", False),
        (trusting, "10.1.1.1", True),
        (trusting, "10.1.1.2", False),
    ):
        app = create_app(config.model_copy(update={"review": settings_}), out)
        client = TestClient(app, follow_redirects=False, client=(host, 50000))
        assert (COOKIE in client.get("/log-in", headers=headers).cookies) is is_in
        app.state.desk.close()


def test_no_text_of_a_call_becomes_a_script(
    armed: tuple[Config, Path], _browser: Any, make_page: Callable[[str], Page]  # noqa: PT019
) -> None:
    with served(*armed) as url:
        page = make_page(url)
        log_in(page, "eva")
        for path in ("/", "/call?id=" + f"x{HOSTILE}".replace("#", "%23"), "/register"):
            page.goto(path)
            page.wait_for_load_state("networkidle")
            assert page.title() != "broken", path
            assert path == "/register" or "&lt;script&gt;" in page.content(), "the text is not there to be tried"


@pytest.fixture
def make_page(_browser: Any) -> Iterator[Callable[[str], Page]]:
    contexts = []

    def make(url: str) -> Page:
        contexts.append(_browser.new_context(base_url=url))
        page: Page = contexts[-1].new_page()
        return page

    yield make
    for context in contexts:
        context.close()


def test_odd_input_of_every_kind_breaks_no_page(app: FastAPI) -> None:
    schema = schemathesis.openapi.from_dict(app.openapi())
    visitor = Visitor(app, "eva", raise_server_exceptions=False)
    client, csrf = visitor.client, visitor.csrf()
    tried = 0
    for operation in schema.get_all_operations():
        found = operation.ok()
        if found.path == "/log-out":
            continue

        @settings(
            max_examples=EXAMPLES, database=None, deadline=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=found.as_strategy())
        def attempt(case: schemathesis.Case) -> None:
            nonlocal tried
            sent = case.as_transport_kwargs(base_url="http://localhost")
            sent = {key: value for key, value in sent.items() if key in ("method", "url", "params", "data", "json")}
            try:
                answer = client.request(**sent, headers={"X-CSRF": csrf})
            except (ValueError, TypeError):  # nothing that can be sent
                return
            tried += 1
            assert answer.status_code < 500, (sent, answer.status_code)

        attempt()
    assert tried > EXAMPLES * 10
