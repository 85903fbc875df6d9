"""One call for somebody else's system: JSON, vCon, Open Klant."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callanalytics.errors import InputError
from callanalytics.report.tables import _dicts
from callanalytics.texts import Message

if TYPE_CHECKING:
    import duckdb

    from callanalytics.config import Config



@dataclass(frozen=True, slots=True)
class ExportedCall:
    """A call as the catalog knows it: rows by column name."""

    call: Mapping[str, Any]
    state: str = "machine"
    turns: Sequence[Mapping[str, Any]] = ()
    holds: Sequence[Mapping[str, Any]] = ()
    items: Sequence[Mapping[str, Any]] = ()
    criteria: Sequence[Mapping[str, Any]] = ()
    promises: Sequence[Mapping[str, Any]] = ()


def read_call(sql: duckdb.DuckDBPyConnection, call_id: str, output: Path) -> ExportedCall:
    """Return a call from the catalog of `output`.  Raises InputError when it is not there.

    Promises that a person rejected are none; the others are as people corrected them.
    """
    calls = _dicts(sql, "SELECT * FROM calls WHERE call_id = ?", call_id)
    if not calls:
        raise InputError(path=output, reason=Message("errors.no_call", call_id=call_id))
    (state,) = _dicts(sql, "SELECT state FROM call_states WHERE call_id = ?", call_id)
    return ExportedCall(
        calls[0],
        state["state"],
        _dicts(sql, "SELECT * FROM turns WHERE call_id = ? ORDER BY turn_index", call_id),
        _dicts(sql, "SELECT * FROM events WHERE call_id = ? AND type = 'hold' ORDER BY start_ms", call_id),
        _dicts(sql, "SELECT * FROM items WHERE call_id = ? ORDER BY item", call_id),
        _dicts(
            sql,
            "SELECT r.*, c.evidence FROM reviewed_criteria r JOIN criteria c USING (call_id, criterion) "
            "WHERE call_id = ? ORDER BY criterion",
            call_id,
        ),
        _dicts(sql, "SELECT * FROM register WHERE call_id = ? AND NOT is_rejected ORDER BY start_ms", call_id),
    )

CITIZEN, AGENT, MACHINE = 0, 1, 2  # parties by index; the third only where a machine speaks

PARTIES = {"citizen": CITIZEN, "agent": AGENT, "ivr": MACHINE}

KEPT = ("criterion", "status", "final_status", "state", "probability", "evidence")


def to_vcon(one: ExportedCall, config: Config, now: datetime) -> dict[str, Any]:
    """Return a call as an unsigned vCon, as JSON (draft-ietf-vcon-vcon-core-04, syntax 0.4.0).

    It is a redacted one: personal data is replaced in every text, the recording is left out, and the parties have no
    names, numbers or pseudonyms.  `redacted` names the vCon that the call came from if its id is one.
    """
    call, start = one.call, one.call["started_at"]
    names = config.municipality.names
    agent = (
        {"type": "person"} | ({"org": names[0]} if names else {}) | ({"dept": call["queue"]} if call["queue"] else {})
    )
    parties: list[dict[str, Any]] = [{"type": "person"}, agent]
    if any(turn["role"] == "ivr" for turn in one.turns):
        parties.append({"type": "bot"} | ({"org": names[0]} if names else {}))
    vcon: dict[str, Any] = {
        "vcon": "0.4.0",
        "uuid": _uuid8(now, names[0] if names else ""),
        "created_at": _rfc3339(now),
        "redacted": {"type": "personal data in texts; recording; identity of the parties"},
        "parties": parties,
        "dialog": [_dialog(one)],
        "analysis": [],
    }
    with suppress(ValueError):
        vcon["redacted"]["uuid"] = str(uuid.UUID(call["call_id"]))
    if call["topic"] and call["topic"] != "onbekend":
        vcon["subject"] = call["topic"]
    of_call = {"call_id": call["call_id"]}
    if one.turns:  # or their term is over
        turns = [
            {"party": PARTIES.get(turn["role"])} | {key: turn[key] for key in ("role", "start_ms", "end_ms", "text")}
            for turn in one.turns
        ]
        vcon["analysis"].append(_analysis("transcript", "transcript", of_call | {"language": "nl", "turns": turns}))
    if call["scorable"]:
        card = of_call | {
            "state": one.state,
            "scorecard_version": call["scorecard_version"],
            "machine_normalized_score": call["normalized_score"],
            "items": [{key: row[key] for key in ("item", "machine_status", "final_status")} for row in one.items],
            "criteria": [{key: row[key] for key in KEPT} for row in one.criteria],
        }
        vcon["analysis"].append(_analysis("report", "scorecard", card))
    if one.promises:
        promises = [
            {
                "type": row["final_type"],
                "by": row["by"],
                "deadline_text": row["deadline_text"],
                "due_at": _rfc3339(row["final_due_at"]) if row["final_due_at"] else None,
                "quote": row["quote"],
                "start_ms": row["start_ms"],
                "confirmed_by_a_person": row["answer"] is not None,
            }
            for row in one.promises
        ]
        vcon["analysis"].append(_analysis("report", "promises", of_call | {"promises": promises}))
    if start is None:
        del vcon["dialog"][0]["start"]
    return vcon


def _dialog(one: ExportedCall) -> dict[str, Any]:
    """The recording, which is left out: when it was, how long, who speaks on which channel, who was on hold when."""
    call, start = one.call, one.call["started_at"]
    caller = AGENT if call["direction"] == "outbound" else CITIZEN
    order = [caller, AGENT + CITIZEN - caller]
    if call["layout"] == "stereo" and call["agent_channel"] is not None:
        order = [AGENT, CITIZEN] if call["agent_channel"] == 0 else [CITIZEN, AGENT]
    dialog: dict[str, Any] = {
        "type": "recording",
        "start": start and _rfc3339(start),
        "duration": call["duration_ms"] / 1000,
        "parties": order,
    }
    if order[0] != caller:
        dialog["originator"] = caller
    if start and one.holds:
        dialog["party_history"] = [
            {"party": CITIZEN, "time": _rfc3339(start + timedelta(milliseconds=hold[key])), "event": event}
            for hold in one.holds
            for key, event in (("start_ms", "hold"), ("end_ms", "unhold"))
        ]
    return dialog


def _analysis(kind: str, schema: str, body: dict[str, Any]) -> dict[str, Any]:
    from callanalytics import __version__

    return {
        "type": kind,
        "dialog": 0,
        "mediatype": "application/json",
        "vendor": "callanalytics",
        "product": f"callanalytics {__version__}",
        "schema": f"callanalytics-{schema}-1",
        "encoding": "json",
        "body": body,
    }


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _uuid8(at: datetime, owner: str) -> str:
    """Return a UUID of version 8 as the draft makes it: the time, 12 random bits, 62 bits of the SHA-1 of who made it.

    The draft takes a host name for the last; finding ours could ask the network, so the municipality's name it is.
    """
    made_by = int.from_bytes(hashlib.sha1(owner.encode(), usedforsecurity=False).digest()[:8], "big") >> 2
    time_ms = int(at.timestamp() * 1000) & (1 << 48) - 1
    return str(uuid.UUID(int=time_ms << 80 | 8 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | made_by))


def to_klantcontact(one: ExportedCall, topic: str) -> dict[str, Any]:
    """Return a call as requests to the Klantinteracties API of Open Klant 2.x, as JSON; `topic` is its name in Dutch.

    By path, in the order in which to send them.  `maak-klantcontact` makes the contact.  An `internetaken` entry is a
    callback that was promised and is not yet known to be registered or kept; the API has no date for it, so the
    deadline opens its `toelichting`.  Whoever sends it adds the uuids that the API answers with, and the actor who is
    to call back.  Who the citizen is, is not known here.  Nothing about the agent, nothing of the score.
    """
    call = one.call
    lines = [f"Onderwerp: {topic}."] + [f"Toegezegd: {_promise_line(row)}" for row in one.promises]
    both_spoke = call["talk_ms_agent"] > 0 and call["talk_ms_citizen"] > 0
    contact: dict[str, Any] = {
        "kanaal": "telefoon",
        "onderwerp": _fit(topic, 200),
        "inhoud": _fit("\n".join(lines), 1000),
        "indicatieContactGelukt": True if both_spoke else None,
        "taal": "nld",  # ISO 639-2/B
        "vertrouwelijk": bool(call["topic_sensitive"]),
        "metadata": {
            "bron": "callanalytics",
            "gesprek": _fit(call["call_id"], 255),
            "beoordeling": {"machine": "nog niet door een mens beoordeeld", "contested": "in bezwaar"}.get(
                one.state, "door een mens beoordeeld"
            ),
        },
    }
    if call["started_at"]:
        contact["plaatsgevondenOp"] = call["started_at"].isoformat(timespec="seconds")
    return {
        "actoren": [
            {
                "naam": "callanalytics",
                "soortActor": "geautomatiseerde_actor",
                "indicatieActief": True,
                "actorIdentificatie": {
                    "functie": "gespreksanalyse",
                    "omschrijving": "Leidt onderwerp en toezeggingen af uit de opname van een gesprek.",
                },
            }
        ],
        "maak-klantcontact": {"klantcontact": contact},
        "internetaken": [
            {
                "gevraagdeHandeling": "Contact opnemen met betrokkene",
                "toelichting": _task_text(row, call["call_id"]),
                "status": "te_verwerken",
            }
            for row in one.promises
            if row["final_type"] == "callback" and not row["registered"] and not row["kept"]
        ],
    }

TYPES = {
    "callback": "terugbellen",
    "action": "iets regelen",
    "letter_or_email": "een brief of e-mail",
    "visit": "langskomen",
}


def _promise_line(row: Mapping[str, Any]) -> str:
    return f"{TYPES.get(row['final_type'], row['final_type'])}, {_deadline(row)}."


def _deadline(row: Mapping[str, Any]) -> str:
    """When something was promised for, 90 characters at most."""
    said = f" (gezegd: “{_fit(row['deadline_text'], 40)}”)" if row["deadline_text"] else ""
    if row["final_due_at"]:
        return f"uiterlijk {row['final_due_at']:%d-%m-%Y %H:%M}{said}"
    return f"zonder vaste datum{said}"


def _task_text(row: Mapping[str, Any], call_id: str) -> str:
    """Return what whoever calls back has to know, the deadline first: what is cut is the end."""
    checked = {True: "ja", False: "nee", None: "onbekend"}[row["number_confirmed"]]
    sure = "bevestigd door een mens" if row["answer"] else "nog niet door een mens bevestigd"
    lines = [
        f"Terugbellen {_deadline(row)}.",
        f"Nummer gecontroleerd in het gesprek: {checked}. Toezegging {sure}. Gesprek {call_id}.",
    ]
    if row["by"]:
        lines.append(f"Wie: {row['by']}.")
    if row["quote"]:
        lines.append(f"Gezegd: “{row['quote']}”")
    return _fit("\n".join(lines), 1000)


def _fit(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
