"""Processes that die, hang or grow: what is at fault becomes a failure, everything else is done, and nobody is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from callanalytics.config import Config
from callanalytics.engine.workers import run_processes
from callanalytics.errors import CallError, ConfigError, WorkerError
from callanalytics.records import CallResult, CallSource
from tests.support.centre import with_engine
from tests.support.fakes import FaultyWorker, Misconfigured, NeverLoads
from tests.support.paths import ROOT
from tests.support.processes import shards_of, workers_of


def outcomes(config: Config, shards: list[list[CallSource]], workers: int = 1, **settings: Any) -> dict[str, str]:
    """What became of each call: "done", or the stage and first words of the reason; each call exactly once."""
    config = with_engine(config, **settings)
    waiting = iter(shards)
    found: list[tuple[str, str]] = []
    for shard, (results, _) in run_processes(FaultyWorker, config, lambda: next(waiting, None), workers, 1):
        for call, result in zip(shard, results, strict=True):
            if isinstance(result, CallResult):
                found.append((result.call.call_id, "done"))
            else:
                assert isinstance(result, CallError)
                found.append((call.call_id, f"{result.stage}: {result.reason}"))
    assert len(found) == len(dict(found)) == sum(len(shard) for shard in shards)
    return dict(found)


@pytest.mark.kills
@pytest.mark.parametrize("workers", [1, 2])
def test_a_call_that_kills_its_process_costs_itself_alone(config: Config, tmp_path: Path, workers: int) -> None:
    texts = [["a", "b"], ["c", "die"], ["e", "f"], ["g", "die once"], ["i"]]
    found = outcomes(config, shards_of(tmp_path, texts), workers)
    assert {call for call, became in found.items() if became != "done"} == {"11"}
    assert found["11"].startswith("worker: it killed the process that worked on it, twice")


def test_a_call_that_hangs_costs_itself_alone(config: Config, tmp_path: Path) -> None:
    found = outcomes(
        config, shards_of(tmp_path, [["a", "hang"], ["b"], ["c"]]), patience_s=3.0, patience_per_s=0.0
    )
    assert found.pop("01").startswith("worker: the process that worked on it gave no sign of life, twice")
    assert set(found.values()) == {"done"}


def test_a_long_recording_may_take_longer(config: Config, tmp_path: Path) -> None:
    shards = shards_of(tmp_path, [["long"]])
    assert outcomes(config, shards, patience_s=2.5, patience_per_s=0.1) == {"00": "done"}
    assert outcomes(config, shards, patience_s=2.5, patience_per_s=0.0)["00"].startswith("worker")


def test_a_call_that_takes_too_much_memory_costs_itself_alone(config: Config, tmp_path: Path) -> None:
    found = outcomes(config, shards_of(tmp_path, [["a"], ["b", "grow"], ["c"]]), memory_mib=1000)
    assert found.pop("11").startswith("worker: the process that worked on it took more memory")
    assert set(found.values()) == {"done"}


@pytest.mark.kills
def test_when_every_call_kills_its_process_the_calls_are_not_to_blame(config: Config, tmp_path: Path) -> None:
    with pytest.raises(WorkerError):
        outcomes(config, shards_of(tmp_path, [["die"] * 6, ["die"] * 6]))


@pytest.mark.parametrize(("make", "error"), [(NeverLoads, WorkerError), (Misconfigured, ConfigError)])
def test_a_worker_that_cannot_be_made_ends_the_run(
    config: Config, tmp_path: Path, make: Any, error: type[Exception]
) -> None:
    waiting = iter(shards_of(tmp_path, [["a"], ["b"]]))
    with pytest.raises(error):
        list(run_processes(make, config, lambda: next(waiting, None), 2, 1))
    assert not workers_of(psutil.Process())


def test_no_process_outlives_a_run_that_is_given_up(config: Config, tmp_path: Path) -> None:
    waiting = iter(shards_of(tmp_path, [["a"], ["b"], ["hang"]]))
    running = run_processes(FaultyWorker, config, lambda: next(waiting, None), 2, 1)
    next(running)
    assert len(workers_of(psutil.Process())) == 2
    running.close()  # type: ignore[attr-defined]
    assert not workers_of(psutil.Process())


@pytest.mark.kills
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_a_run_that_is_killed(tmp_path: Path, kill: signal.Signals) -> None:
    (shard,) = shards_of(tmp_path, [["hang"]])
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.support.fakes import FaultyWorker
from callanalytics.config import load_config
from callanalytics.records import CallSource
from callanalytics.engine.workers import run_processes
if __name__ == "__main__":
    shards = iter([[CallSource("a", "a.wav", {shard[0].path!r})]])
    list(run_processes(FaultyWorker, load_config(), lambda: next(shards, None), 1, 1))
"""
    (tmp_path / "run.py").write_text(script)
    run = subprocess.Popen([sys.executable, str(tmp_path / "run.py")])
    while not (children := workers_of(psutil.Process(run.pid))):
        assert run.poll() is None
        time.sleep(0.05)
    time.sleep(1.5)
    os.kill(run.pid, kill)
    run.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
