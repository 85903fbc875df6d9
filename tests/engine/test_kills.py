"""Kill the run or a process of it at random moments, over and over: nothing is lost, doubled, or ever seen by halves.

KILLS=100 tests/engine/test_kills.py takes three minutes; the suite is content with fewer.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil
import pytest

from callanalytics.store.datasets import Store
from tests.support.centre import rows
from tests.support.paths import ROOT
from tests.support.processes import workers_of

pytestmark = pytest.mark.kills
KILLS = int(os.environ.get("KILLS", "20"))
CALLS = 20
RUN = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from tests.support.fakes import SteadyWorker
from callanalytics.call import pipeline
from callanalytics.cli import main as cli
from callanalytics.engine import batch as engine
if __name__ == "__main__":
    pipeline.Worker = SteadyWorker
    engine.find_model = Path
    sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """Runs twenty calls, two of which fail, in two processes; OUT comes last."""
    (tmp_path / "recordings").mkdir()
    lines = ["recording,started_at"]
    for i in range(CALLS):
        (tmp_path / "recordings" / f"c{i:02d}.wav").write_text(f"bad {i}" if i % 10 == 7 else f"topic {i}")
        lines.append(f"recordings/c{i:02d}.wav,2026-11-{16 + i % 3}T10:00:00+01:00")
    (tmp_path / "calls.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "run.toml").write_text("[engine]\nshard_calls = 1\nsettle_s = 0.0\n")
    (tmp_path / "run.py").write_text(RUN.format(tests=str(ROOT)))
    return [
        sys.executable, str(tmp_path / "run.py"), "run", str(tmp_path / "recordings"), "--config",
        str(tmp_path / "run.toml"), "--calls", str(tmp_path / "calls.csv"), "--workers", "2", "--output",
    ]  # fmt: skip


class Reader(Thread):
    """Somebody who queries OUT all the time and notes every call that is not whole."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.out: Path | None = None
        self.queries, self.broken, self.ended = 0, list[str](), Event()

    def run(self) -> None:
        import duckdb

        sql = duckdb.connect()
        while not self.ended.is_set():
            out = self.out
            if out is None or not any((out / "calls").glob("*/*.parquet")):
                time.sleep(0.01)
                continue
            # `calls` is listed first: a call stands there when all of it stands.
            parts = {name: f"read_parquet('{out}/{name}/*/*.parquet')" for name in ("calls", "turns", "criteria")}
            try:
                found = sql.execute(
                    f"""WITH c AS (SELECT call_id, count(*) n FROM {parts['calls']} GROUP BY 1),
                    t AS (SELECT call_id, count(*) n FROM {parts['turns']} GROUP BY 1),
                    k AS (SELECT call_id, count(*) n FROM {parts['criteria']} GROUP BY 1)
                    SELECT c.call_id, c.n, t.n, k.n FROM c LEFT JOIN t USING (call_id) LEFT JOIN k USING (call_id)"""
                ).fetchall()
            except duckdb.Error as error:
                self.broken.append(str(error))
                continue
            self.queries += 1
            time.sleep(0.005)
            self.broken += [f"{call}: {counts}" for call, *counts in found if counts != self.whole]

    whole: list[int]


def failures(out: Path) -> list[tuple[Any, ...]]:
    return sorted((row["call_id"], row["stage"], row["state"], row["message"]) for row in Store(out).failures())


@pytest.mark.timeout(900)
def test_killed_at_random_moments_the_rows_are_those_of_an_undisturbed_run(tmp_path: Path, command: list[str]) -> None:
    moments = random.Random(5)
    calm = tmp_path / "calm"
    began = time.monotonic()
    assert subprocess.run([*command, str(calm)], stderr=subprocess.DEVNULL, check=False).returncode == 1
    whole_s = time.monotonic() - began
    expected, failed = rows(calm), failures(calm)
    assert (len(expected["calls"]), len(failed)) == (CALLS - 2, 2)
    reader = Reader()
    first = expected["calls"][0]["call_id"]
    reader.whole = [1, *(sum(row["call_id"] == first for row in expected[name]) for name in ("turns", "criteria"))]
    reader.start()
    kills = rounds = 0
    while kills < KILLS:
        rounds += 1
        out = reader.out = tmp_path / f"out{rounds}"
        while True:
            run = subprocess.Popen([*command, str(out)], stderr=subprocess.PIPE)
            try:
                run.communicate(timeout=moments.uniform(0.3 * whole_s, whole_s) if kills < KILLS else None)
            except subprocess.TimeoutExpired:
                kills += 1
                victims = workers_of(psutil.Process(run.pid)) if run.poll() is None else []
                if victims and moments.random() < 0.3:
                    with suppress(psutil.NoSuchProcess):
                        moments.choice(victims).kill()  # a process alone: the run goes on
                    run.communicate()
                else:
                    os.kill(run.pid, signal.SIGKILL)
                    run.communicate()
                    continue
            assert run.returncode == 1
            break
        assert rows(out) == expected
        assert failures(out) == failed
        assert not list((out / ".staging").glob("*"))
    reader.ended.set()
    reader.join()
    print(f"{kills} kills, {rounds} times to the end, {reader.queries} queries")
    assert reader.broken == []
    assert reader.queries > KILLS


def test_sigterm_to_the_whole_group_ends_the_run_with_what_is_under_way_published(
    tmp_path: Path, command: list[str]
) -> None:
    """As systemd and a shutdown do it: the processes leave the signal to the run."""
    out = tmp_path / "out"
    run = subprocess.Popen([*command, str(out)], stderr=subprocess.PIPE, start_new_session=True)
    while not any((out / "calls").glob("*/*.parquet")):
        assert run.poll() is None
        time.sleep(0.005)
    os.killpg(run.pid, signal.SIGTERM)
    _, said = run.communicate()
    assert run.returncode in (0, 1), said.decode()
    (row,) = Store(out).runs()
    assert row["published"] + row["failed"] + row["left"] == CALLS
    assert row["left"] > 0
    assert row["published"] == len(rows(out)["calls"])
    assert {failure["stage"] for failure in Store(out).failures()} <= {"decode"}
    assert subprocess.run([*command, str(out)], stderr=subprocess.DEVNULL, check=False).returncode == 1
    assert len(rows(out)["calls"]) == CALLS - 2
