"""Erasure, terms, legal hold, and what a citizen gets."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from callanalytics.cli.main import main
from callanalytics.config import Config
from callanalytics.errors import InputError
from callanalytics.privacy.ledger import NAME, Ledger
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.privacy.rights import Rights
from callanalytics.store.datasets import DETAILS, Store
from tests.support.centre import SECRET, TODAY, aged, assert_whole, changed, fill, opened, read, run, traces
from tests.support.fakes import (
    CRITERIA,
    ScriptedWorker,
    killed_before,
)


def test_nothing_of_an_erased_call_is_left(tmp_path: Path, config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path).close()
    assert len(traces(tmp_path, SECRET)) > 5
    assert main(["--lang", "en", "erase", str(tmp_path), SECRET, "--reason", "verzoek van de inwoner"]) == 0
    assert "Erase its recording and the backups" in capsys.readouterr().out
    assert traces(tmp_path, SECRET) == []
    assert set(assert_whole(tmp_path)) == {"a1", "a2", "a3"}
    page = (tmp_path / "reports" / "r1.html").read_text()
    assert "b1" in page
    assert [row["call_id"] for row in Store(tmp_path).failures()] == ["b1"]
    (entry,) = Ledger(Store(tmp_path).place, Pseudonyms(config.privacy)).entries()
    assert (entry.action, entry.reason) == ("erase", "verzoek van de inwoner")
    assert entry.call == Pseudonyms(config.privacy)("call", SECRET)
    assert main(["erase", str(tmp_path), SECRET, "--reason", "nog eens"]) == 2


def test_a_failed_call_can_be_erased(tmp_path: Path, config: Config) -> None:
    store = fill(tmp_path)
    Rights(store, config).erase("b1", "op verzoek")
    assert [row["call_id"] for row in store.failures()] == [SECRET]
    assert ">b1<" not in (tmp_path / "reports" / "r1.html").read_text()
    store.close()


@pytest.mark.parametrize("reason", [f"gesprek {SECRET}", "bel 06 12345678", "van jan@example.nl", "zaak 2026-0147"])
def test_a_reason_is_no_place_for_personal_data(
    tmp_path: Path, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path).close()
    assert main(["erase", str(tmp_path), SECRET, "--reason", reason]) == 2
    assert "de reden blijft in het logboek staan" in capsys.readouterr().err
    assert traces(tmp_path, SECRET)
    assert not (tmp_path / NAME).exists()
CHANGES = [(os, "replace"), (Path, "unlink"), (os, "fsync")]  # of a file


@pytest.mark.kills
def test_erase_killed_at_any_step_is_whole_after_the_next_start(tmp_path: Path, config: Config) -> None:
    fill(tmp_path / "filled").close()
    for k in range(1, 200):
        root = shutil.copytree(tmp_path / "filled", tmp_path / str(k))
        store = opened(root)
        rights = Rights(store, config)
        was_killed = killed_before(k, CHANGES, partial(rights.erase, SECRET, "op verzoek"))[0]
        # At no moment does a reader see a call without its details.
        details = {dataset: {row["call_id"] for row in read(root, dataset)} for dataset in DETAILS}
        assert all({row["call_id"] for row in read(root, "calls")} <= ids for ids in details.values())
        store.close()
        again = opened(root)
        Rights(again, config).settle()
        again.close()
        left = set(assert_whole(root))
        if SECRET in left:
            # It died before it had told the ledger: nothing has happened.
            assert was_killed
            assert not (root / NAME).exists() or not (root / NAME).read_text()
        else:
            assert traces(root, SECRET) == []
            assert len(Ledger(Store(root).place, Pseudonyms(config.privacy)).entries()) == 1
        assert left >= {"a1", "a2", "a3"}
        if not was_killed:
            break
    assert k > 20
    assert not was_killed


def test_an_erased_call_is_not_processed_again(
    config: Config, scripted: type[ScriptedWorker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings, out = tmp_path / "recordings", tmp_path / "out"
    recordings.mkdir()
    for name in ("a", "b"):
        (recordings / f"{name}.wav").write_text(name)
    run(config, recordings, out)
    assert main(["erase", str(out), "a", "--reason", "op verzoek"]) == 0
    row, watcher = run(config, recordings, out)
    assert watcher.plan
    assert (row.published, row.resumed, watcher.plan.erased) == (0, 1, 1)
    # Not under another name either, and not after the key was replaced.
    (recordings / "a.wav").rename(recordings / "z.wav")
    old = tmp_path / "old-key"
    old.write_text(os.environ["CALLANALYTICS_KEY"])
    old.chmod(0o600)
    monkeypatch.setenv("CALLANALYTICS_KEY", "another key of twenty signs")
    _, watcher = run(changed(config, "privacy", old_key_files=(str(old),)), recordings, out)
    assert watcher.plan
    assert watcher.plan.erased == 1
    assert {row["call_id"] for row in Store(out).calls()} == {"b"}


def test_purge_keeps_each_class_for_its_term(tmp_path: Path, config: Config) -> None:
    store = aged(tmp_path)
    rights = Rights(store, config)
    rights.hold("held", "rechtszaak")
    rights.hold("kept", "rechtszaak")
    done = rights.purge(TODAY)
    assert (done.calls, done.texts, done.failures, done.held) == (["ancient"], ["old"], ["f-old"], 2)
    assert {row["call_id"] for row in read(tmp_path, "calls")} == {"new", "old", "held", "kept", "edge"}
    assert {row["call_id"] for row in read(tmp_path, "turns")} == {"new", "held", "kept", "edge"}
    assert traces(tmp_path, "woorden van old") == traces(tmp_path, "ancient") == []
    assert [row["call_id"] for row in store.failures()] == ["f-new"]
    assert len(read(tmp_path, "criteria")) == 5 * len(CRITERIA)
    actions = [entry.action for entry in Ledger(store.place, Pseudonyms(config.privacy)).entries()]
    assert sorted(actions) == ["hold", "hold", "purge_call", "purge_failure", "purge_texts"]
    again = rights.purge(TODAY)
    assert (again.calls, again.texts, again.failures) == ([], [], [])
    rights.end_hold("held", "uitspraak gedaan")
    assert rights.purge(TODAY).texts == ["held"]
    store.close()


def test_no_term_keeps_without_end(tmp_path: Path, config: Config) -> None:
    store = aged(tmp_path)
    done = Rights(store, changed(config, "retention", texts_days=0, features_days=0, failures_days=0)).purge(TODAY)
    assert (done.calls, done.texts, done.failures) == ([], [], [])
    store.close()


def test_recordings_go_when_they_have_a_term_and_are_named(tmp_path: Path, config: Config) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    for name in ("new", "old", "stranger"):
        (recordings / f"{name}.wav").touch()
    outside = tmp_path / "precious"
    outside.touch()
    (recordings / "held.wav").symlink_to(outside)
    store = aged(tmp_path / "out")
    assert Rights(store, config).purge(TODAY, recordings).recordings == 0
    assert Rights(store, changed(config, "retention", recordings_days=30)).purge(TODAY).recordings == 0
    assert Rights(store, changed(config, "retention", recordings_days=30)).purge(TODAY, recordings).recordings == 1
    assert sorted(path.name for path in recordings.iterdir()) == ["held.wav", "new.wav", "stranger.wav"]
    assert outside.exists()
    store.close()


@pytest.mark.kills
def test_purge_killed_at_any_step_ends_where_an_undisturbed_one_does(tmp_path: Path, config: Config) -> None:
    aged(tmp_path / "aged").close()
    for k in range(1, 200):
        root = shutil.copytree(tmp_path / "aged", tmp_path / str(k))
        store = opened(root)
        rights = Rights(store, config)
        was_killed = killed_before(k, CHANGES, partial(rights.purge, TODAY))[0]
        store.close()
        again = opened(root)
        Rights(again, config).settle()
        for row in read(root, "calls"):  # the words of a call are all there or all gone
            said = f"woorden van {row['call_id']}"
            places = {Path(place).relative_to(root).parts[0] for place in traces(root, said)}
            assert places in ({"turns", "criteria", "promises"}, set()), places
        Rights(again, config).purge(TODAY)
        again.close()
        assert {row["call_id"] for row in read(root, "calls")} == {"new", "old", "held", "kept", "edge"} - {"kept"}
        assert {row["call_id"] for row in read(root, "turns")} == {"new", "edge"}
        if not was_killed:
            break
    assert k > 20
    assert not was_killed


def test_a_call_under_legal_hold_is_not_erased(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path).close()
    assert main(["hold", str(tmp_path), SECRET, "--reason", "bezwaar loopt"]) == 0
    assert "onder bewaarplicht: 1" in capsys.readouterr().out
    assert main(["erase", str(tmp_path), SECRET, "--reason", "op verzoek"]) == 2
    assert "hold --end" in capsys.readouterr().err
    assert main(["hold", str(tmp_path), SECRET, "--reason", "bezwaar afgerond", "--end"]) == 0
    assert main(["erase", str(tmp_path), SECRET, "--reason", "op verzoek"]) == 0
    assert traces(tmp_path, SECRET) == []


def test_a_citizen_gets_what_was_said_and_promised_and_nothing_about_the_agent(
    tmp_path: Path, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path).close()
    assert main(["export", str(tmp_path), SECRET, "--json"]) == 0
    own = json.loads(capsys.readouterr().out)
    assert [turn["text"] for turn in own["transcript"]] == [f"woorden van {SECRET}"] * 2
    assert own["kept_until"]["texts"] == "2027-02-26"
    assert not {"agent_ref", "criteria", "score", "probability"} & set(json.dumps(own).replace('"', " ").split())
    assert main(["export", str(tmp_path), SECRET]) == 0
    page = capsys.readouterr().out
    assert f"[00:00] Gemeente: woorden van {SECRET}" in page
    assert "Wat de gemeente volgens de computer heeft toegezegd" in page
    actions = [entry.action for entry in Ledger(Store(tmp_path).place, Pseudonyms(config.privacy)).entries()]
    assert actions == ["export", "export"]
    assert main(["export", str(tmp_path), "nobody"]) == 2


def test_what_is_not_there_is_told(tmp_path: Path, config: Config) -> None:
    store = fill(tmp_path)
    rights = Rights(store, config)
    for ask in (
        lambda: rights.erase("x", "r"), lambda: rights.hold("x", "r"), lambda: rights.export("x"),
        lambda: rights.end_hold("a1", "r"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=r"no call|not under legal hold"):
            ask()
    store.close()


ERASES = """
import sys
import callanalytics.privacy.rights, callanalytics.scoring, pyarrow.parquet  # what takes its time to load
from callanalytics.cli.main import main
print("ready", flush=True)
sys.exit(main(["erase", sys.argv[1], sys.argv[2], "--reason", "op verzoek"]))
"""


@pytest.mark.kills
def test_erase_killed_at_random_moments_by_the_system(tmp_path: Path, config: Config) -> None:
    """SIGKILL to the command itself; what a step-by-step kill can't show is that no buffer or lock outlives it."""
    dice, kills, whole_s = random.Random(28), 0, 60.0  # how long it takes undisturbed, once it is known
    fill(tmp_path / "filled").close()
    for k in range(30):
        root = shutil.copytree(tmp_path / "filled", tmp_path / str(k))
        process = subprocess.Popen([sys.executable, "-c", ERASES, str(root), SECRET], stdout=subprocess.PIPE)
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        began = time.monotonic()
        try:
            process.wait(whole_s * (dice.uniform(0, 1) if k else 1))
            whole_s = whole_s if k else time.monotonic() - began
        except subprocess.TimeoutExpired:
            process.kill()
            kills += process.wait() == -9
        process.stdout.close()
        again = opened(root)
        Rights(again, config).settle()
        again.close()
        left = set(assert_whole(root))
        assert left >= {"a1", "a2", "a3"}
        if SECRET not in left:
            assert traces(root, SECRET) == []
        assert k or SECRET not in left  # the first is not disturbed
        if kills == 6:
            return
    pytest.fail(f"{kills} kills in 30 runs: an erasure always ended before its moment came")
