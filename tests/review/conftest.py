"""What the tests of the review app share: OUTs that people were let into, and a visitor at an app over a copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callanalytics.config import Config
from callanalytics.review.app import create_app
from tests.support.centre import carded, let_in, promising, publish
from tests.support.visitor import PEOPLE, Visitor

EVIL = "<script>alert(1)</script>"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever asks for a browser."""
    for item in items:
        if "_browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def filled(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OUT of three calls with promises, one of them on a sensitive topic, and PEOPLE."""
    out, now = tmp_path_factory.mktemp("team") / "out", datetime.now(UTC)
    calls = [
        promising("late", now - timedelta(days=3), None),
        promising("soon", now + timedelta(days=3)),
        promising("care", now - timedelta(days=3), topic="wmo", topic_sensitive=True),
    ]
    return let_in(config, publish(out, calls, config=config), **PEOPLE)


@pytest.fixture(scope="session")
def few(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OUT of a few calls, one of which has a script for a queue and an id that wants quoting, and PEOPLE."""
    calls = [
        carded("plain-1", 0),
        carded("zaak/1 é&2", 1, queue=EVIL, topic=EVIL),
        carded("care", 2, topic="wmo", topic_sensitive=True),
        carded("short", 3, scorable=False),
    ]
    return let_in(config, publish(tmp_path_factory.mktemp("few") / "out", calls, config=config), **PEOPLE)


def _visitor(config: Config, out: Path) -> Iterator[Visitor]:
    app = create_app(config, out)
    app.state.desk.refresh()
    yield Visitor(app)
    app.state.desk.close()


@pytest.fixture
def visitor(config: Config, filled: Path, tmp_path: Path) -> Iterator[Visitor]:
    """Nobody yet, at an app over a copy of `filled`."""
    yield from _visitor(config, shutil.copytree(filled, tmp_path / "out"))


@pytest.fixture
def guest(config: Config, few: Path, tmp_path: Path) -> Iterator[Visitor]:
    """Nobody yet, at an app over a copy of `few`."""
    yield from _visitor(config, shutil.copytree(few, tmp_path / "out"))
