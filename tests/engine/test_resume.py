"""Kill the whole program in the middle, start it again: the rows are those of an undisturbed run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from callanalytics.config import Config
from callanalytics.engine import batch as engine
from callanalytics.store.datasets import DETAILS, Store
from tests.support.centre import read, rows, with_engine
from tests.support.fakes import Clip, Watcher, write_audio

if TYPE_CHECKING:
    from callanalytics.call.pipeline import Worker

SETTINGS = "[engine]\nshard_calls = 1\n"


def start(folder: Path, out: Path, settings: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "callanalytics.cli.main", "run", str(folder / "recordings"), "--output", str(out)]
    command += ["--calls", str(folder / "calls.csv"), "--config", str(settings)]
    # A group of its own, so that its helpers die with it.
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def wait_for_first_call(process: subprocess.Popen[bytes], out: Path) -> None:
    while not any((out / "calls").glob("date=*/*.parquet")):
        if process.poll() is not None:
            _, errors = process.communicate()
            pytest.fail(f"ended with {process.returncode} before it published: {errors.decode()[-2000:]}")
        time.sleep(0.02)


@pytest.mark.kills
@pytest.mark.models
def test_a_run_killed_in_the_middle_ends_like_an_undisturbed_one(
    config: Config,
    worker: Worker,
    tmp_path: Path,
    stereo_clip: Clip,
    mono_clip: Clip,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    write_audio(recordings / "a.wav", stereo_clip.samples[:, : 8000 * 8], 8000, "alaw")
    write_audio(recordings / "b.wav", stereo_clip.samples[:, 8000 * 6 : 8000 * 17], 8000)
    write_audio(recordings / "c.wav", mono_clip.samples[:, : 8000 * 16], 8000, "mulaw")
    (recordings / "d.wav").write_text("geen geluid")
    (tmp_path / "calls.csv").write_text(
        "recording,started_at\nrecordings/a.wav,2026-11-17T10:00:00+01:00\nrecordings/b.wav,2026-11-18T10:00:00+01:00\n"
    )
    settings = tmp_path / "own.toml"
    settings.write_text(SETTINGS)
    out = tmp_path / "out"

    process = start(tmp_path, out, settings)
    try:
        wait_for_first_call(process, out)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL

    # Readable at once, by a reader that knows nothing of the kill: whole calls, and not yet all of them.
    seen = {row["call_id"] for row in read(out, "calls")}
    assert seen
    assert seen < {"a", "b", "c"}
    assert seen <= {row["call_id"] for row in read(out, "turns")}

    process = start(tmp_path, out, settings)
    _, errors = process.communicate()
    assert process.returncode == 1, errors.decode()[-2000:]  # d.wav failed, all else is published

    undisturbed = tmp_path / "undisturbed"
    with monkeypatch.context() as patch:
        patch.setattr("callanalytics.call.pipeline.Worker", lambda *_: worker)
        engine.run(
            with_engine(config, shard_calls=8),
            recordings,
            undisturbed,
            Watcher(),
            calls_csv=tmp_path / "calls.csv",
        )
    assert rows(out) == rows(undisturbed)
    assert sorted(row["call_id"] for row in rows(out)["calls"]) == ["a", "b", "c"]
    failed = Store(out).failures()
    assert [(row["recording"], row["stage"], row["attempts"]) for row in failed] == [("d.wav", "decode", 1)]
    (run,) = Store(out).runs()
    assert run["resumed"] == len(seen)
    assert run["resumed"] + run["published"] == 3
    # Nothing of the killed run is left beside what is published.
    parts = {path.name for path in (out / "calls").rglob("*.parquet")}
    assert all(path.name in parts for dataset in DETAILS for path in (out / dataset).rglob("*.parquet"))
    assert not list(out.glob(".staging/*"))
