"""The review app killed while two people save: what was answered is kept, what was sent again is kept once."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from callanalytics.config import load_config
from callanalytics.store.reviews.reviews import open_reviews
from callanalytics.store.reviews.tables import Judgement
from tests.support.browser import PASSWORD, add_users, fill_out

CALL = "gesprek-2"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def start(out: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "callanalytics.cli", "review", str(out), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/log-in")
            break
        except httpx.TransportError:
            time.sleep(0.05)
    return process


class Saver(threading.Thread):
    """A person who saves one answer after the other, and sends each again until the server answers."""

    def __init__(self, url: str, name: str, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.url, self.stop, self.name_ = url, stop, name
        self.answered: list[str] = []
        self.is_under_way = threading.Event()
        self.tried_again = 0
        self.client = httpx.Client(base_url=url, timeout=60)
        form = {"csrf": self._field(self.client.get("/log-in").text, "csrf"), "name": name, "password": PASSWORD}
        assert self.client.post("/log-in", data=form).status_code == 303
        page = self.client.get("/call", params={"id": CALL}).text
        self.form = {key: self._field(page, key) for key in ("csrf", "mark")}

    @staticmethod
    def _field(page: str, name: str) -> str:
        return re.findall(rf'name="{name}" value="([^"]*)"', page)[0]

    def run(self) -> None:
        while not self.stop.is_set():
            token = f"{self.name_}-{len(self.answered):06}"
            form = self.form | {"id": CALL, "criterion": "empathy", "answer": "accept", "token": token}
            while True:
                self.is_under_way.set()
                try:
                    answer = self.client.post("/call/judge", data=form)
                    break
                except httpx.TransportError:
                    self.tried_again += 1
                    time.sleep(0.02)
            assert answer.status_code < 400, answer.status_code
            self.answered.append(token)


def wait_until(is_so: Callable[[], bool], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.kills
@pytest.mark.timeout(600)
def test_a_server_that_is_killed_loses_and_doubles_no_review(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    out, config, port = tmp_path / "out", load_config(), free_port()
    fill_out(config, out, tmp_path / "recordings")
    add_users(config, out)
    chance, stop = random.Random(20261128), threading.Event()
    server = start(out, port)
    savers = [Saver(f"http://127.0.0.1:{port}", name, stop) for name in ("eva", "bram")]
    for saver in savers:
        saver.start()
    try:
        kills = int(os.environ.get("KILLS", "20")) // 4
        while kills > 0 or not all(saver.tried_again for saver in savers):
            marks = [(saver, len(saver.answered) + 2) for saver in savers]
            wait_until(lambda: all(len(saver.answered) > mark for saver, mark in marks))  # noqa: B023
            for saver in savers:  # the next save of each begins, and the server is in the middle of one or both
                saver.is_under_way.clear()
            wait_until(lambda: all(saver.is_under_way.is_set() for saver in savers))
            time.sleep(chance.uniform(0, 0.01))
            server.send_signal(signal.SIGKILL)
            server.wait()
            server = start(out, port)
            kills -= 1
        wait_until(lambda: all(len(saver.answered) > 10 for saver in savers))
        stop.set()
        for saver in savers:
            saver.join(60)
            assert not saver.is_alive()
    finally:
        stop.set()
        server.kill()
        server.wait()
    reviews = open_reviews(config, out)
    with reviews.reading() as orm:
        kept = {token: n for token, n in orm.execute(select(Judgement.token, func.count()).group_by(Judgement.token))}
    reviews.close()
    answered = {token for saver in savers for token in saver.answered}
    assert kept.keys() == answered, "a save is lost, or one is there that nobody was told of"
    assert set(kept.values()) == {1}, "a save is there twice"
