"""One call on its way out: a valid vCon, and requests that Open Klant takes."""

from __future__ import annotations

import dataclasses
import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.cli.main import main
from callanalytics.config import Config
from callanalytics.engine.intake import list_calls
from callanalytics.errors import InputError
from callanalytics.privacy.ledger import Ledger
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.records import CallSource
from callanalytics.report import one_call
from callanalytics.report.one_call import ExportedCall, read_call, to_klantcontact, to_vcon
from callanalytics.store.catalog import open_catalog
from callanalytics.store.datasets import Store
from tests.support.centre import promised, publish, review_tables
from tests.support.fakes import MOMENT, call_result

NOW = datetime(2026, 11, 17, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("form", ["vcon", "klantcontact"])
def test_an_export_is_json_and_a_line_of_the_ledger(
    out: Path, config: Config, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    assert main(["export", str(out), "c1", "--as", form]) == 0
    text = capsys.readouterr().out
    assert json.loads(text)
    # Neither says anything of who the agent or the caller is.
    assert "agent-7" not in text
    assert "caller-9" not in text
    pseudonyms = Pseudonyms(config.privacy)
    (entry,) = Ledger(Store(out).place, pseudonyms).entries()
    assert (entry.action, entry.call, entry.reason) == ("export", pseudonyms("call", "c1"), form)


def test_an_unknown_call_is_not_exported_and_leaves_no_line(
    out: Path, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(out), "c2", "--as", "vcon", "--lang", "en"]) == 2
    assert 'there is no call "c2" in it' in capsys.readouterr().err
    assert Ledger(Store(out).place, Pseudonyms(config.privacy)).entries() == []


def exported(config: Config, out: Path, **tables: Any) -> ExportedCall:
    with open_catalog(config, out, review_tables(**tables)) as sql:
        return read_call(sql, "c1", out)


def assert_vcon(vcon: dict[str, Any]) -> None:
    """What the draft demands of the parts that we use (draft-ietf-vcon-vcon-core-04, section 4)."""
    assert json.loads(json.dumps(vcon)) == vcon
    allowed = {"vcon", "uuid", "created_at", "subject", "redacted", "parties", "dialog", "analysis"}
    assert {"uuid", "created_at"} <= set(vcon) <= allowed
    assert vcon["vcon"] == "0.4.0"
    made = uuid.UUID(vcon["uuid"])
    assert (made.version, made.variant) == (8, uuid.RFC_4122)
    assert datetime.fromisoformat(vcon["created_at"]).tzinfo
    assert isinstance(vcon["redacted"]["type"], str)
    parties = range(len(vcon["parties"]))
    assert {party["type"] for party in vcon["parties"]} <= {"person", "bot", "organization"}
    for dialog in vcon["dialog"]:
        assert dialog["type"] == "recording"
        assert dialog["duration"] >= 0
        assert not {"body", "url", "encoding", "content_hash"} & set(dialog)  # redacted: the recording is left out
        assert set(dialog["parties"]) <= set(parties)
        assert dialog.get("originator", 0) in parties
        assert "start" not in dialog or datetime.fromisoformat(dialog["start"]).tzinfo
        for event in dialog.get("party_history", ()):
            assert set(event) == {"party", "time", "event"}
            assert event["event"] in ("hold", "unhold")
    for analysis in vcon["analysis"]:
        assert analysis["type"] in ("report", "transcript")
        assert analysis["vendor"]
        assert analysis["dialog"] in range(len(vcon["dialog"]))
        assert (analysis["encoding"], analysis["mediatype"]) == ("json", "application/json")


def test_a_call_is_a_vcon_with_transcript_scorecard_and_promises(out: Path, config: Config) -> None:
    vcon = to_vcon(exported(config, out), config, NOW)
    assert_vcon(vcon)
    assert vcon["created_at"] == "2026-11-17T08:00:00.000Z"
    (dialog,) = vcon["dialog"]
    assert (dialog["start"], dialog["duration"], dialog["parties"]) == ("2026-11-16T09:00:00.000Z", 61.5, [0, 1])
    assert dialog["party_history"][0] == {"party": 0, "time": "2026-11-16T09:00:00.400Z", "event": "hold"}
    transcript, card, promises = (one["body"] for one in vcon["analysis"])
    assert [(turn["party"], turn["text"]) for turn in transcript["turns"]] == [
        (2, "ivr [NAME]"), (1, "agent [NAME]"), (0, "citizen [NAME]"), (None, "unknown [NAME]"),
    ]  # fmt: skip
    assert card["items"] == [{"item": "opening", "machine_status": "met", "final_status": "met"}]
    assert {row["criterion"] for row in card["criteria"]} == {"greeting", "farewell"}
    assert card["criteria"][0]["evidence"][0]["quote"] == "goedemorgen"
    assert promises["promises"][0]["due_at"] == "2026-11-16T09:00:00.000Z"
    assert promises["promises"][0]["confirmed_by_a_person"] is False


def test_what_intake_reads_of_a_vcon_is_what_was_written(out: Path, config: Config, tmp_path: Path) -> None:
    vcon = to_vcon(exported(config, out), config, NOW)
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    (recordings / "a.wav").write_bytes(b"sound")
    (recordings / "a.vcon.json").write_text(json.dumps(vcon))
    (call,) = list_calls(recordings)
    assert isinstance(call, CallSource)
    assert (call.call_id, call.started_at) == (vcon["uuid"], MOMENT)


def test_a_call_that_came_as_a_vcon_names_the_vcon_it_is_a_redaction_of(tmp_path: Path, config: Config) -> None:
    name = "01928e10-193e-8231-b9a2-279e0d16bc46"
    root = publish(tmp_path, [call_result(name)])
    with open_catalog(config, root) as sql:
        vcon = to_vcon(read_call(sql, name, root), config, NOW)
    assert_vcon(vcon)
    assert vcon["redacted"]["uuid"] == name
    assert vcon["uuid"] != name
    assert "uuid" not in to_vcon(ExportedCall(CALL), config, NOW)["redacted"]


def test_a_call_of_nobody_knows_when_or_without_words_is_still_a_vcon(tmp_path: Path, config: Config) -> None:
    one = call_result("c1", None, started_at=None, queue=None, scorable=False)
    root = publish(tmp_path, [dataclasses.replace(one, turns=(), promises=(), criteria=(), items={})])
    vcon = to_vcon(exported(config, root), config, NOW)
    assert_vcon(vcon)
    assert vcon["analysis"] == []
    assert not {"start", "party_history"} & set(vcon["dialog"][0])


def test_promises_and_verdicts_are_as_people_left_them(out: Path, config: Config) -> None:
    rejected = exported(config, out, promise_judgements=[promised("rejected")])
    assert [one["schema"] for one in to_vcon(rejected, config, NOW)["analysis"]] == [
        "callanalytics-transcript-1", "callanalytics-scorecard-1",
    ]  # fmt: skip
    items = [{"call_id": "c1", "user_id": 1, "items": json.dumps({"opening": "not_met"}), "made_at": MOMENT}]
    card = to_vcon(exported(config, out, finished=items), config, NOW)["analysis"][1]["body"]
    assert (card["state"], card["items"][0]["final_status"]) == ("reviewed", "not_met")
CALL = {
    "call_id": "c1", "started_at": MOMENT, "duration_ms": 1000, "queue": "afval", "direction": None, "topic": "afval",
    "layout": "mono", "agent_channel": None, "scorable": False, "talk_ms_agent": 1, "talk_ms_citizen": 1,
    "topic_sensitive": False,
}  # fmt: skip


@given(
    st.sampled_from(["inbound", "outbound", None]),
    st.sampled_from(["stereo", "mono", "dual_mono"]),
    st.sampled_from([0, 1, None]),
)
def test_channels_have_their_parties_and_the_caller_is_the_originator(
    config: Config, direction: str | None, layout: str, channel: int | None
) -> None:
    call = CALL | {"direction": direction, "layout": layout, "agent_channel": channel}
    (dialog,) = to_vcon(ExportedCall(call), config, NOW)["dialog"]
    caller = one_call.AGENT if direction == "outbound" else one_call.CITIZEN
    assert dialog.get("originator", dialog["parties"][0]) == caller
    assert sorted(dialog["parties"]) == [0, 1]
    if layout == "stereo" and channel is not None:
        assert dialog["parties"][channel] == one_call.AGENT
long_text = st.one_of(st.text(max_size=40), st.text(min_size=900, max_size=1500))
promise_rows = st.builds(
    dict,
    final_type=st.sampled_from(["callback", "action", "letter_or_email", "visit"]),
    by=st.one_of(st.none(), long_text),
    deadline_text=st.one_of(st.none(), long_text),
    final_due_at=st.one_of(st.none(), st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))),
    number_confirmed=st.one_of(st.none(), st.booleans()),
    quote=long_text,
    answer=st.sampled_from([None, "confirmed", "corrected", "missed"]),
    registered=st.one_of(st.none(), st.booleans()),
    kept=st.one_of(st.none(), st.booleans()),
)


@given(
    st.lists(promise_rows, max_size=12),
    st.one_of(st.text(min_size=1, max_size=30), st.text(min_size=190, max_size=400)),
    st.sampled_from(["machine", "reviewed", "contested"]),
    st.sampled_from([None, MOMENT]),
    st.text(min_size=1, max_size=400),
)
def test_every_field_fits_what_open_klant_takes(
    promises: list[dict[str, Any]], topic: str, state: str, started_at: datetime | None, call_id: str
) -> None:
    call = CALL | {"started_at": started_at, "call_id": call_id}
    tree = json.loads(json.dumps(to_klantcontact(ExportedCall(call, state, promises=promises), topic)))
    assert set(tree) == {"actoren", "maak-klantcontact", "internetaken"}
    contact = tree["maak-klantcontact"]["klantcontact"]
    assert len(contact["kanaal"]) <= 50
    assert 0 < len(contact["onderwerp"]) <= 200
    assert len(contact["inhoud"]) <= 1000
    assert len(contact["taal"]) == 3
    assert contact["indicatieContactGelukt"] in (True, False, None)
    assert isinstance(contact["vertrouwelijk"], bool)
    assert ("plaatsgevondenOp" in contact) == (started_at is not None)
    assert all(isinstance(value, str) and len(value) <= 255 for value in contact["metadata"].values())
    assert len(tree["internetaken"]) == sum(
        row["final_type"] == "callback" and not row["registered"] and not row["kept"] for row in promises
    )
    for task in tree["internetaken"]:
        assert len(task["gevraagdeHandeling"]) <= 200
        assert 0 < len(task["toelichting"]) <= 1000
        assert task["status"] == "te_verwerken"
    (actor,) = tree["actoren"]
    assert actor["soortActor"] == "geautomatiseerde_actor"
    assert len(actor["naam"]) <= 200
    assert len(actor["actorIdentificatie"]["functie"]) <= 40
    assert len(actor["actorIdentificatie"]["omschrijving"]) <= 200


@given(promise_rows.filter(lambda row: row["final_type"] == "callback" and not (row["registered"] or row["kept"])))
def test_the_deadline_of_a_callback_is_never_cut(row: dict[str, Any]) -> None:
    (task,) = to_klantcontact(ExportedCall(CALL, promises=[row]), "Afval")["internetaken"]
    due = row["final_due_at"]
    expected = f"Terugbellen uiterlijk {due:%d-%m-%Y %H:%M}" if due else "Terugbellen zonder vaste datum"
    assert task["toelichting"].startswith(expected)


def test_a_contact_says_what_a_colleague_needs_and_who_stands_behind_it(out: Path, config: Config) -> None:
    tree = to_klantcontact(exported(config, out), "Afval")
    contact = tree["maak-klantcontact"]["klantcontact"]
    assert contact["onderwerp"] == "Afval"
    assert contact["plaatsgevondenOp"] == "2026-11-16T10:00:00+01:00"
    assert contact["indicatieContactGelukt"] is True
    assert contact["metadata"]["gesprek"] == "c1"
    assert contact["metadata"]["beoordeling"] == "nog niet door een mens beoordeeld"
    (task,) = tree["internetaken"]
    assert task["toelichting"] == (
        "Terugbellen uiterlijk 16-11-2026 10:00 (gezegd: “morgen”).\n"
        "Nummer gecontroleerd in het gesprek: ja. Toezegging nog niet door een mens bevestigd. Gesprek c1.\n"
        "Wie: ik.\n"
        "Gezegd: “ik bel u morgen”"
    )


def test_a_person_decides_which_callbacks_become_tasks(out: Path, config: Config) -> None:
    def tasks(*judgements: dict[str, Any]) -> list[str]:
        one = exported(config, out, promise_judgements=list(judgements))
        return [task["toelichting"] for task in to_klantcontact(one, "Afval")["internetaken"]]

    confirmed = promised("confirmed", type="callback")
    assert len(tasks()) == 1
    assert "Toezegging bevestigd door een mens" in tasks(confirmed)[0]
    assert tasks(promised("rejected")) == []
    assert tasks(promised("corrected", type="visit")) == []
    assert tasks(confirmed | {"registered": True}) == []
    assert tasks(confirmed | {"kept": True}) == []
    corrected = tasks(promised("corrected", type="callback", due_at=MOMENT + timedelta(days=2)))
    assert corrected[0].startswith("Terugbellen uiterlijk 18-11-2026 10:00")


def test_a_call_in_which_one_side_is_silent_is_not_said_to_have_succeeded() -> None:
    contact = to_klantcontact(ExportedCall(CALL | {"talk_ms_citizen": 0}), "Afval")["maak-klantcontact"]
    assert contact["klantcontact"]["indicatieContactGelukt"] is None


def test_a_call_that_is_not_there_is_told(out: Path, config: Config) -> None:
    with open_catalog(config, out) as sql, pytest.raises(InputError, match='no call "c9"'):
        read_call(sql, "c9", out)
