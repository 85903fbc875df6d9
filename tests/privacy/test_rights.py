"""Erasure, terms, legal hold, what a citizen gets, the ledger, and the report of the privacy officer."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pyarrow.parquet as pq
import pytest

from callanalytics.cli.main import main
from callanalytics.config import Config, Privacy, project_root
from callanalytics.engine import batch as engine
from callanalytics.errors import ConfigError, InputError, StoreError
from callanalytics.privacy.ledger import NAME, Action
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.privacy.rights import Rights
from callanalytics.records import DATASETS, CallResult, RunRow
from callanalytics.report.privacy import privacy_report
from callanalytics.scoring import load_files
from callanalytics.store.datasets import DETAILS, Store
from callanalytics.store.run_page import run_page
from callanalytics.texts import TEXTS
from tests.store.test_store import assert_whole, read
from tests.support.fakes import (
    CRITERIA,
    ITEMS,
    MOMENT,
    ScriptedWorker,
    Watcher,
    call_result,
    failure_row,
    killed_before,
)

TODAY = date(2026, 11, 28)
SECRET = "9f0e-wezep-zaak"  # a call id that is found nowhere by chance
RUN = RunRow("r1", MOMENT, MOMENT, 3, 0, 2, 1, 0, 0, 0, 5, 5, {"decode": 1}, {"python": "3"}, "f1")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLANALYTICS_KEY", "a key of twenty signs")


def marked(call_id: str, days: int = 0, **values: Any) -> CallResult:
    """A call of so many days ago, in which all that was said bears its id."""
    start = datetime(2026, 11, 28, 9, tzinfo=UTC) - timedelta(days=days)
    values = {"started_at": start, "processed_at": start, "recording_sha256": f"sha of {call_id}"} | values
    values["recording"] = f"{call_id}.wav"
    result = call_result(call_id, start.date().isoformat(), **values)
    said = f"woorden van {call_id}"
    turns = tuple(
        replace(turn, text=said, words=tuple(replace(word, text=said) for word in turn.words)) for turn in result.turns
    )
    criteria = tuple(
        replace(row, evidence=tuple(replace(one, quote=said) for one in row.evidence)) for row in result.criteria
    )
    promises = tuple(replace(row, quote=said, by=said, deadline_text=said) for row in result.promises)
    return replace(result, turns=turns, criteria=criteria, promises=promises)


def opened(root: Path) -> Store:
    store = Store(root, CRITERIA, ITEMS)
    store.open()
    return store


def fill(root: Path) -> Store:
    """Calls of now, one of them secret, in one part with others; a failure of it on the page of a run."""
    store = opened(root)
    store.publish([marked("a1"), marked(SECRET), marked("a2", days=1)], "part-0")
    store.publish([marked("a3")], "part-1")
    failures = [failure_row(SECRET, f"{SECRET}.wav", run_id="r1"), failure_row("b1", run_id="r1")]
    for row in failures:
        store.publish_failure(row)
    store.publish_run(RUN)
    store.write_report(RUN, run_page(RUN, failures, "nl"))
    return store


def traces(root: Path, text: str) -> list[str]:
    """Where a text stands under a folder: in bytes, names, or any value of a Parquet file."""

    def holds(path: Path) -> bool:
        if text in str(path.relative_to(root)) or text.encode() in path.read_bytes():
            return True
        return path.suffix == ".parquet" and text in repr(pq.read_table(path, partitioning=None).to_pylist())

    return [str(path) for path in root.rglob("*") if path.is_file() and holds(path)]


# --- erase ----------------------------------------------------------------------------------------------------------


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
    (entry,) = Store(tmp_path).ledger(Pseudonyms(config.privacy)).entries()
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


def test_erase_killed_at_any_step_is_whole_after_the_next_start(tmp_path: Path, config: Config) -> None:
    for k in range(1, 200):
        root = tmp_path / str(k)
        store = fill(root)
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
            assert len(Store(root).ledger(Pseudonyms(config.privacy)).entries()) == 1
        assert left >= {"a1", "a2", "a3"}
        if not was_killed:
            break
    assert k > 20
    assert not was_killed


@pytest.fixture
def scripted(config: Config, monkeypatch: pytest.MonkeyPatch) -> Config:
    files = load_files(config)
    monkeypatch.setattr("callanalytics.scoring.load_files", lambda config: files)
    monkeypatch.setattr("callanalytics.call.pipeline.Worker", ScriptedWorker)
    monkeypatch.setattr(engine, "find_model", Path)
    ScriptedWorker.seen.clear()
    return config


def with_privacy(config: Config, **values: Any) -> Config:
    return config.model_copy(update={"privacy": config.privacy.model_copy(update=values)})


def with_terms(config: Config, **values: int) -> Config:
    return config.model_copy(update={"retention": config.retention.model_copy(update=values)})


def run(config: Config, recordings: Path, out: Path) -> tuple[RunRow, Watcher]:
    watcher = Watcher()
    return engine.run(config, recordings, out, watcher), watcher


def test_an_erased_call_is_not_processed_again(
    scripted: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings, out = tmp_path / "recordings", tmp_path / "out"
    recordings.mkdir()
    for name in ("a", "b"):
        (recordings / f"{name}.wav").write_text(name)
    run(scripted, recordings, out)
    assert main(["erase", str(out), "a", "--reason", "op verzoek"]) == 0
    row, watcher = run(scripted, recordings, out)
    assert watcher.plan
    assert (row.published, row.resumed, watcher.plan.erased) == (0, 1, 1)
    # Not under another name either, and not after the key was replaced.
    (recordings / "a.wav").rename(recordings / "z.wav")
    old = tmp_path / "old-key"
    old.write_text("a key of twenty signs")
    old.chmod(0o600)
    monkeypatch.setenv("CALLANALYTICS_KEY", "another key of twenty signs")
    _, watcher = run(with_privacy(scripted, old_key_files=(str(old),)), recordings, out)
    assert watcher.plan
    assert watcher.plan.erased == 1
    assert {row["call_id"] for row in Store(out).calls()} == {"b"}


# --- terms and legal hold -------------------------------------------------------------------------------------------


def aged(root: Path) -> Store:
    store = opened(root)
    store.publish([marked("new"), marked("old", 100), marked("held", 100)], "part-0")
    store.publish([marked("ancient", 400), marked("kept", 400), marked("edge", 90)], "part-1")
    store.publish_failure(failure_row("f-new", failed_at=datetime(2026, 11, 20, tzinfo=UTC)))
    store.publish_failure(failure_row("f-old", failed_at=datetime(2026, 5, 1, tzinfo=UTC)))
    return store


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
    actions = [entry.action for entry in store.ledger(Pseudonyms(config.privacy)).entries()]
    assert sorted(actions) == ["hold", "hold", "purge_call", "purge_failure", "purge_texts"]
    again = rights.purge(TODAY)
    assert (again.calls, again.texts, again.failures) == ([], [], [])
    rights.end_hold("held", "uitspraak gedaan")
    assert rights.purge(TODAY).texts == ["held"]
    store.close()


def test_no_term_keeps_without_end(tmp_path: Path, config: Config) -> None:
    store = aged(tmp_path)
    done = Rights(store, with_terms(config, texts_days=0, features_days=0, failures_days=0)).purge(TODAY)
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
    assert Rights(store, with_terms(config, recordings_days=30)).purge(TODAY).recordings == 0
    assert Rights(store, with_terms(config, recordings_days=30)).purge(TODAY, recordings).recordings == 1
    assert sorted(path.name for path in recordings.iterdir()) == ["held.wav", "new.wav", "stranger.wav"]
    assert outside.exists()
    store.close()


def test_purge_killed_at_any_step_ends_where_an_undisturbed_one_does(tmp_path: Path, config: Config) -> None:
    for k in range(1, 200):
        root = tmp_path / str(k)
        store = aged(root)
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


# --- what a citizen gets --------------------------------------------------------------------------------------------


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
    actions = [entry.action for entry in Store(tmp_path).ledger(Pseudonyms(config.privacy)).entries()]
    assert actions == ["export", "export"]
    assert main(["export", str(tmp_path), "nobody"]) == 2


# --- the ledger -----------------------------------------------------------------------------------------------------


@pytest.fixture
def told(tmp_path: Path, config: Config) -> Path:
    store = fill(tmp_path)
    rights = Rights(store, config)
    for call_id in ("a1", "a2", "a3"):
        rights.hold(call_id, "bezwaar")
    store.close()
    return tmp_path / NAME


def edited(lines: list[str]) -> list[str]:
    return [lines[0].replace("bezwaar", "beroep"), *lines[1:]]


@pytest.mark.parametrize(
    "change",
    [edited, lambda lines: lines[1:], lambda lines: [lines[0], lines[2]], lambda lines: [lines[1], lines[0], lines[2]],
     lambda lines: [*lines, lines[0]], lambda lines: ["{}", *lines]],
    ids=["edited", "first gone", "one gone", "moved", "repeated", "put before"],
)  # fmt: skip
def test_a_changed_ledger_is_noticed(
    told: Path, change: Callable[[list[str]], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ledger", str(told.parent), "--json"]) == 0
    assert [entry["action"] for entry in json.loads(capsys.readouterr().out)] == ["hold"] * 3
    told.write_text("\n".join(change(told.read_text().splitlines())) + "\n")
    assert main(["ledger", str(told.parent)]) == 2
    assert "is niet zoals hij geschreven is" in capsys.readouterr().err
    opened(told.parent).close()


def test_a_changed_ledger_brings_no_erased_call_back(tmp_path: Path, config: Config) -> None:
    store = fill(tmp_path)
    Rights(store, config).erase(SECRET, "op verzoek")
    path = tmp_path / NAME
    path.write_text("no line\n" + path.read_text().replace("op verzoek", "anders"))
    ledger = store.ledger(Pseudonyms(config.privacy))
    assert ledger.is_gone(SECRET, None, ledger.gone())
    assert not ledger.is_gone("a1", "sha of a1", ledger.gone())
    store.close()


def test_a_torn_line_is_no_line(told: Path, config: Config) -> None:
    with told.open("a") as stream:
        stream.write('{"at": "2026')
    store = opened(told.parent)
    assert len(store.ledger(Pseudonyms(config.privacy)).entries()) == 3
    Rights(store, config).hold("a1", "nog eens")
    assert len(store.ledger(Pseudonyms(config.privacy)).entries()) == 4
    store.close()
    assert not told.stat().st_mode & 0o077


ADDS = """
import sys
from pathlib import Path
from callanalytics.config import load_config
from callanalytics.pseudonyms import Pseudonyms
from callanalytics.store import Store
ledger = Store(Path(sys.argv[1])).ledger(Pseudonyms(load_config().privacy))
for i in range(40):
    ledger.add("view", [(f"c{i}", None)], who=sys.argv[2])
"""


def test_many_write_one_ledger(tmp_path: Path, config: Config) -> None:
    opened(tmp_path).close()
    writers = [subprocess.Popen([sys.executable, "-c", ADDS, str(tmp_path), name]) for name in ("jan", "piet", "els")]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    entries = Store(tmp_path).ledger(Pseudonyms(config.privacy)).entries()
    assert len(entries) == 120
    assert {entry.who for entry in entries} == {"jan", "piet", "els"}


# --- the works council and the report -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ref", "day", "may"),
    [("", "", False), ("OR-12", "", False), ("", "2026-09-01", False), ("OR-12", "2026-09-01", True),
     ("OR-12", "2999-01-01", False)],
)  # fmt: skip
def test_agents_are_told_apart_only_with_the_works_councils_consent(
    config: Config, ref: str, day: str, may: bool
) -> None:
    values = config.privacy.model_dump() | {"or_consent_ref": ref, "or_consent_date": day}
    assert Privacy.model_validate(values).agents_may_be_told_apart is may


@pytest.mark.parametrize(("lang", "words"), [("nl", "# Privacyrapport"), ("en", "# Privacy report")])
def test_the_report_says_what_is_processed_and_why(tmp_path: Path, config: Config, lang: str, words: str) -> None:
    store = aged(tmp_path)
    store.publish([marked(f"q{i}", queue="burgerzaken") for i in range(12)], "part-2")
    store.publish([marked("rare", queue="parkeren")], "part-3")
    Rights(store, config).erase("new", "op verzoek")
    store.close()
    full = with_privacy(config, legal_basis="AVG art. 6 lid 1 onder e").model_copy(update={"lang": lang})
    report = privacy_report(Store(tmp_path), full)
    assert report.startswith(words)
    assert "AVG art. 6 lid 1 onder e" in report
    assert "burgerzaken 12" in report
    assert "parkeren < 10" in report
    assert "whisper-base" in report
    assert "| 90 da" in report
    last = Store(tmp_path).ledger(Pseudonyms(config.privacy)).entries()[-1].hash
    assert last in report
    assert "{{" not in report


def test_the_report_has_words_for_all_it_may_tell() -> None:
    manifest = tomllib.loads((project_root() / "models" / "manifest.toml").read_text())
    figures = tomllib.loads((project_root() / "models" / "figures.toml").read_text())["figure"]
    keys = {f"task_{model['task']}" for model in manifest.values()} | {f"data_{name}" for name in DATASETS}
    keys |= {f"figure_{figure['key']}" for figure in figures} | {f"action_{action}" for action in get_args(Action)}
    assert not keys - set(TEXTS)


def test_no_report_without_a_legal_basis(tmp_path: Path, config: Config) -> None:
    opened(tmp_path).close()
    with pytest.raises(ConfigError, match="legal_basis is empty"):
        privacy_report(Store(tmp_path), config)


def test_no_report_over_a_changed_ledger(told: Path, config: Config) -> None:
    told.write_text(told.read_text().replace("bezwaar", "beroep"))
    with pytest.raises(StoreError, match="not as it was written"):
        privacy_report(Store(told.parent), with_privacy(config, legal_basis="AVG"))


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


def test_erase_killed_at_random_moments_by_the_system(tmp_path: Path, config: Config) -> None:
    """SIGKILL to the command itself; what a step-by-step kill can't show is that no buffer or lock outlives it."""
    dice = random.Random(28)
    kills = erased = 0
    whole_s = 60.0  # how long it takes undisturbed, once it is known
    for k in range(11):
        root = tmp_path / str(k)
        fill(root).close()
        command = [sys.executable, "-m", "callanalytics.cli.main", "erase", str(root), SECRET, "--reason", "op verzoek"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        began = time.monotonic()
        try:
            process.wait(whole_s * (dice.uniform(0.3, 1.0) if k else 1))
            whole_s = whole_s if k else time.monotonic() - began
        except subprocess.TimeoutExpired:
            process.kill()
            kills += process.wait() == -9
        again = opened(root)
        Rights(again, config).settle()
        again.close()
        left = set(assert_whole(root))
        assert left >= {"a1", "a2", "a3"}
        if SECRET not in left:
            assert traces(root, SECRET) == []
            erased += 1
    assert kills
    assert erased
