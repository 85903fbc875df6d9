"""The commands as a user meets them: what is printed, what goes to stderr, and the exit codes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import wave
from pathlib import Path
from typing import Any

import pytest

from callanalytics.cli.demo import print_card
from callanalytics.cli.main import main
from callanalytics.cli.run import Bar, stop_on_sigterm
from callanalytics.config import load_config
from callanalytics.records import CallResult, Role, Transcript, Turn
from callanalytics.scoring.scorer import Scorer
from callanalytics.store.catalog import open_catalog
from callanalytics.store.datasets import Store
from tests.support.fakes import MOMENT, call_row
from tests.support.paths import DEMO

TRANSCRIPT: dict[str, Any] = {
    "call_id": "t1",
    "started_at": "2026-11-04T15:10:00+01:00",
    "turns": [
        {"role": "agent", "start_ms": 0, "end_ms": 4000, "text": "Goedemorgen, gemeente Zutphen, u spreekt met Lotte"},
        {"role": "citizen", "start_ms": 4500, "end_ms": 8000, "text": "Met Karel Veldman, op 06 12345678"},
        {"role": "agent", "start_ms": 8500, "end_ms": 12000, "text": "Ik bel u morgen voor twaalf uur terug"},
    ],
    "holds": [],
}


def test_the_printed_config_holds_no_secrets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(
        '[notify]\nwebhook = "https://jan:geheim@hooks.example/T0/sleutel?k=2"\n'
        '[storage]\nendpoint = "https://piet:wachtwoord@minio.intern:9000"\n'
    )
    assert main(["--config", str(settings), "config"]) == 0
    printed = capsys.readouterr().out
    assert "hooks.example" in printed
    assert "minio.intern:9000" in printed
    for secret in ("geheim", "sleutel", "wachtwoord", "jan", "piet"):
        assert secret not in printed


def test_an_unknown_key_in_the_config_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "mine.toml"
    config.write_text("[audio]\nagent_chanel = '0'\n")
    assert main(["config", "--config", str(config)]) == 2
    message = capsys.readouterr().err
    assert "audio.agent_chanel" in message
    assert str(config) in message
    assert "Traceback" not in message


def test_options_mean_the_same_before_and_after_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "mine.toml"
    config.write_text("lang = 'en'\n")
    for arguments in (["--config", str(config), "config"], ["config", "--config", str(config)]):
        assert main(arguments) == 0
        assert json.loads(capsys.readouterr().out)["lang"] == "en"


def test_a_calls_csv_without_its_column_stops_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = tmp_path / "calls.csv"
    calls.write_text("call_id,started_at\na,2026-10-05T09:42:00+02:00\n")
    out = tmp_path / "out"
    assert main(["run", str(DEMO / "recordings"), "--calls", str(calls), "--output", str(out), "--lang", "en"]) == 2
    assert 'the column "recording" is missing' in capsys.readouterr().err


def test_a_missing_model_says_how_to_get_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLANALYTICS_MODELS", str(tmp_path / "nothing"))
    assert main(["run", str(DEMO / "recordings"), "--output", str(tmp_path / "out")]) == 2
    assert "callanalytics models pull whisper-base" in capsys.readouterr().err
    assert main(["models", "verify"]) == 2


def test_an_output_that_cannot_be_written_stops_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    assert main(["run", str(DEMO / "recordings"), "--output", str(blocked / "out"), "--lang", "en"]) == 2
    message = capsys.readouterr().err
    assert "choose a folder you may write to" in message
    assert message.count("\n") <= 2


def test_recordings_that_are_not_there_stop_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(tmp_path / "none"), "--output", str(tmp_path / "out"), "--lang", "en"]) == 2
    assert "there is no such file or folder" in capsys.readouterr().err


def test_redact_replaces_what_a_jsonl_holds_line_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps(TRANSCRIPT) + "\n" + json.dumps({**TRANSCRIPT, "call_id": "t2"}) + "\n")
    assert main(["redact", str(path)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["call_id"] for line in lines] == ["t1", "t2"]
    text = " ".join(turn["text"] for turn in lines[0]["turns"])
    assert "Veldman" not in text
    assert "12345678" not in text
    assert "[PHONE]" in text


def score(tmp_path: Path, capsys: pytest.CaptureFixture[str], role: str = "", text: str = "") -> Any:
    """Return what `score` prints of TRANSCRIPT, with one turn more where a text is given."""
    more = [{"role": role, "start_ms": 20_000, "end_ms": 24_000, "text": text}] if text else []
    (tmp_path / "t.json").write_text(json.dumps(TRANSCRIPT | {"turns": [*TRANSCRIPT["turns"], *more]}))
    assert main(["score", str(tmp_path / "t.json")]) == 0
    return json.loads(capsys.readouterr().out)


def test_score_reads_a_transcript_made_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = score(tmp_path, capsys)
    status = {row["criterion"]: row["status"] for row in result["criteria"]}
    assert status["greeting_municipality"] == "met"
    assert status["callback_promise"] == "met"
    assert status["hold_request"] == "not_applicable"
    (promise,) = result["promises"]
    assert promise["due_at"].startswith("2026-11-05T12:00")
    assert result["items"]["opening"] in ("met", "not_met")
    assert result["items"]["hold"] == "not_applicable"
    assert set(result["items"]) == set(load_config().scorecard.items)
    assert result["score"] <= result["potential_score"]
    assert result["compliance_status"] in ("met", "not_met", "uncertain")
    assert (result["topic"], result["topics"], result["topic_sensitive"]) == ("onbekend", [], False)
    assert result["readability_agent"] is None  # too few words


def test_score_names_every_likely_topic(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = score(tmp_path, capsys, "citizen", "Mijn scootmobiel is kapot.")
    assert result["topics"][0] == {"topic": "wmo", "probability": result["topic_probability"]}
    assert (result["topic"], result["topic_sensitive"]) == ("wmo", True)


def test_jargon_is_shown_with_what_to_say_instead(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = score(tmp_path, capsys, "agent", "Daar komen leges bij, die betaalt u later.")
    evidence = {row["criterion"]: row["evidence"] for row in result["criteria"]}
    assert [e["alternative"] for e in evidence["unexplained_jargon"]] == ["kosten die de gemeente rekent"]
    assert {e["alternative"] for e in evidence["greeting_municipality"]} == {None}


@pytest.mark.parametrize(
    ("text", "hint"),
    [("{", "no JSON"), ("{}", "'turns'"), ('{"call_id": "x", "turns": [{"role": "boss"}]}', "document 1")],
)
def test_a_broken_transcript_gets_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, hint: str
) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    assert main(["score", str(path), "--lang", "en"]) == 2
    message = capsys.readouterr().err
    assert hint in message
    assert "Traceback" not in message


def test_schema_describes_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--json"]) == 0
    tree = json.loads(capsys.readouterr().out)
    datasets = {"calls", "turns", "criteria", "promises", "events", "score_history", "failures", "runs"}
    assert set(tree) == datasets
    assert all(column["description"] for columns in tree.values() for column in columns)
    names = [column["column"] for column in tree["calls"]]
    assert "criterion_greeting_municipality" in names
    assert "probability_greeting_municipality" in names


@pytest.mark.models
def test_bad_recordings_cost_a_row_each_and_never_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings, out = tmp_path / "in", tmp_path / "out"
    recordings.mkdir()
    (recordings / "text.wav").write_text("this is no sound")
    (recordings / "empty.wav").write_bytes(b"")
    (recordings / "cut.mp3").write_bytes((DEMO / "recordings" / "demo-2-wachtstand.mp3").read_bytes()[:40_000])
    for name, channels, seconds in (("surround.wav", 6, 1.0), ("short.wav", 1, 0.05), ("silence.wav", 2, 5.0)):
        with wave.open(str(recordings / name), "wb") as stream:
            stream.setnchannels(channels)
            stream.setsampwidth(2)
            stream.setframerate(8000)
            stream.writeframes(bytes(2 * channels * int(8000 * seconds)))
    shutil.copy(DEMO / "recordings" / "demo-4-afgescheept.wav", recordings / "good.wav")

    assert main(["run", str(recordings), "--output", str(out), "--lang", "en"]) == 1
    capsys.readouterr()
    assert main(["failures", str(out), "--json"]) == 0
    failures = {row["call_id"]: row["message"] for row in json.loads(capsys.readouterr().out)}
    assert set(failures) == {"text", "empty", "surround"}
    assert "6 channels" in failures["surround"]
    assert all(message.endswith(".") and "\n" not in message for message in failures.values())

    import duckdb

    rows = dict(
        duckdb.sql(f"SELECT call_id, not_scorable_reason FROM '{out}/calls/*/*.parquet'").fetchall()
    )
    assert set(rows) == {"cut", "short", "silence", "good"}
    assert rows["silence"] == "silent"
    assert rows["short"] in {"silent", "no_speech"}
    assert rows["good"] is None
    capsys.readouterr()
    # The same command again does nothing: what failed would fail again, and the exit code still says that it did.
    assert main(["run", str(recordings), "--output", str(out), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["resumed"], report["published"], report["failed"], report["standing"]) == (4, 0, 0, 3)
    assert main(["retry", str(out), "text", "--lang", "en"]) == 0
    assert "Released: 1." in capsys.readouterr().out
    assert main(["run", str(recordings), "--output", str(out), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["failed"], report["standing"]) == (1, 2)
    assert main(["retry", str(out), "good"]) == 2  # it did not fail
    capsys.readouterr()
    assert main(["status", str(out), "--json"]) == 0
    state = json.loads(capsys.readouterr().out)
    counts = ("running", "killed", "waiting", "published", "failed", "quarantined")
    assert [state[name] for name in counts] == [False, False, 0, 4, 3, 0]


def test_the_card_shows_items_their_parts_and_the_compliance_block_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[tuple[Role, str]] = [
        ("agent", "Goedemorgen, gemeente Zutphen, u spreekt met [NAME], waarmee kan ik u helpen?"),
        ("citizen", "Ik heb een vraag over mijn aanvraag voor een dakkapel, die ligt er al heel lang."),
        ("agent", "Daar komen leges bij. De behandelaar belt u morgen terug. Mag ik uw telefoonnummer?"),
    ]
    turns = tuple(Turn(i, role, 9000 * i, 9000 * i + 8000, text) for i, (role, text) in enumerate(said))
    config = load_config()
    verdict = Scorer(config)(Transcript("c1", MOMENT, turns, (), (), 30_000))
    call = call_row("c1", **verdict.columns)
    ids = tuple(row.criterion for row in verdict.criteria)
    store = Store(tmp_path, ids, tuple(config.scorecard.items))
    store.open()
    result = CallResult(
        call, (), verdict.criteria, verdict.promises, items=verdict.items, local_date="2026-11-16"
    )
    store.publish([result], "one")
    with open_catalog(config, tmp_path) as sql:
        print_card(config, sql, "c1")
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "Opening: gemeente, eigen naam, hulpaanbod goed" in lines
    assert "Wie terugbelt De behandelaar" in lines
    assert "Wanneer morgen" in lines
    (jargon,) = [line for line in lines if line.startswith("Begrijpelijke taal niet goed")]
    assert jargon.endswith("zeg liever: kosten die de gemeente rekent")
    assert "Wettelijk (apart van de score) niet goed" in lines
    assert lines.index("Wettelijk (apart van de score) niet goed") > lines.index(jargon)


def test_sigterm_asks_a_run_to_stop_and_is_as_before_after_it(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Bar("en") as bar, stop_on_sigterm(bar) as stopped:
        assert not stopped()
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopped()
    assert signal.getsignal(signal.SIGTERM) is before
    assert capsys.readouterr().err.count("the calls under way are finished") == 1
