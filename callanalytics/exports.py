"""What leaves OUT: tables as CSV or Excel; one call as vCon or for a municipality's register of contacts.

Everything here reads the catalog, so what people said in review counts, and the text is redacted already.  Files are
written beside their place, for their owner alone, and renamed; rows pass by, a few thousand in memory at a time.

CSV is as Dutch Excel opens it by a double click: UTF-8 with a byte order mark (without one Excel takes it for
Windows-1252), a semicolon between values and a comma in numbers (the Dutch settings of Windows), dates as 2026-11-16
10:00:00, which Excel knows in any language.  In pandas: read_csv(file, sep=";", decimal=","); in DuckDB:
read_csv(file, delim = ';', decimal_separator = ',').
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import re
import secrets
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from callanalytics.catalog import find_columns, find_views
from callanalytics.errors import CallAnalyticsError, InputError, QueryError, StoreError
from callanalytics.places import replacing

if TYPE_CHECKING:
    import duckdb

    from callanalytics.config import Config

ROWS = 2000  # in memory at a time
SHEET_ROWS = 1_048_576  # of Excel, the header among them
CELL = 32_767  # characters of Excel
WORKBOOK = "tables.xlsx"
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the start of a formula (OWASP, CSV injection)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # what no cell of Excel may hold
Rows = Iterable[Sequence[Any]]


# --- queries --------------------------------------------------------------------------------------------------------


def run_query(
    sql: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any] = ()
) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """The columns of a query's answer, and its rows as they come.  Raises QueryError, also on the way."""
    import duckdb

    try:
        if not sql.extract_statements(query):
            raise QueryError(reason="there is no SQL in it.")
        sql.execute(query, list(values))
        columns = [column[0] for column in sql.description or ()]
    except duckdb.Error as error:
        raise _query_error(error) from None

    def rows() -> Iterator[tuple[Any, ...]]:
        try:
            while some := sql.fetchmany(ROWS):
                yield from some
        except duckdb.Error as error:
            raise _query_error(error) from None

    return columns, rows()


def _query_error(error: duckdb.Error) -> QueryError:
    import duckdb

    if isinstance(error, duckdb.PermissionException):
        return QueryError(reason="it may read the views and nothing else; to keep an answer use --csv or --excel.")
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryError(reason="it wants more memory than it may have; ask for fewer rows or columns at a time.")
    reason = str(error).rstrip()
    if "reading the stream registered as 'stored_" in reason:
        return QueryError(
            reason="a file of OUT is gone or damaged; if something writes to OUT now, ask again after it."
        )
    return QueryError(reason=reason)


def _dicts(sql: duckdb.DuckDBPyConnection, query: str, *values: Any) -> list[dict[str, Any]]:
    columns, rows = run_query(sql, query, values)
    return [dict(zip(columns, row, strict=True)) for row in rows]


# --- tables ---------------------------------------------------------------------------------------------------------


def write_tables(sql: duckdb.DuckDBPyConnection, folder: Path, zone: str, excel: bool) -> dict[str, int]:
    """Write every view of the catalog, and `columns`, which explains them; returns the rows of each.

    A CSV file a view, or one workbook with a sheet a view.  Raises StoreError when the folder can't be written.
    """
    counts: dict[str, int] = {}

    def tables() -> Iterator[tuple[str, Sequence[str], Rows]]:
        meanings = [
            (table, column, kind, _meaning(kind, text, zone)) for table, column, kind, text in find_columns(sql)
        ]
        yield "columns", ("table", "column", "type", "meaning"), _counted(meanings, "columns", counts)
        for name, _ in find_views(sql):
            columns, rows = run_query(sql, f'SELECT * FROM "{name}"')
            yield name, columns, _counted(rows, name, counts)

    _make_folder(folder)
    if excel:
        write_excel(folder / WORKBOOK, tables())
    else:
        for name, columns, rows in tables():
            write_csv(folder / f"{name}.csv", columns, rows)
    return counts


def _meaning(kind: str, text: str | None, zone: str) -> str:
    """What a column holds, as it stands in the files."""
    if kind.startswith("TIMESTAMP"):
        return f"{(text or '').replace(', UTC', '')} (here local time of {zone}, without a zone)".strip()
    return text or ""


def _counted(rows: Rows, name: str, counts: dict[str, int]) -> Iterator[Sequence[Any]]:
    counts[name] = 0
    for row in rows:
        counts[name] += 1
        yield row


def write_csv(path: Path, columns: Sequence[str], rows: Rows) -> None:
    """Write a table as CSV (see above).  Raises StoreError."""
    with _beside(path) as stream, TextIOWrapper(stream, "utf-8-sig", newline="", write_through=True) as text:
        writer = csv.writer(text, delimiter=";")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_csv_cell(value) for value in row])
        text.flush()
        os.fsync(stream.fileno())


def _csv_cell(value: Any) -> Any:
    value = _plain(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value).replace(".", ",")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def write_excel(path: Path, tables: Iterable[tuple[str, Sequence[str], Rows]]) -> None:
    """Write tables (name, columns, rows) as a workbook; what a sheet can't hold goes on in the next.

    Texts stay texts, whatever they begin with; those longer than a cell may be are cut and end in "…".
    Raises StoreError, and CallAnalyticsError where openpyxl is not installed.
    """
    try:
        from openpyxl import Workbook
    except ModuleNotFoundError:
        raise CallAnalyticsError(reason="Excel files need openpyxl; run: pip install openpyxl") from None
    with _beside(path) as stream, _temporary_files_in(path.parent):
        book = Workbook(write_only=True)
        try:
            for name, columns, rows in tables:
                _write_sheets(book, name, columns, rows)
        except BaseException:
            # A sheet that is left open complains on stderr when it is collected.
            for sheet in book.worksheets:
                with suppress(Exception):
                    sheet.close()
            raise
        book.save(stream)
        stream.flush()
        os.fsync(stream.fileno())


def _write_sheets(book: Any, name: str, columns: Sequence[str], rows: Rows) -> None:
    from openpyxl.cell import WriteOnlyCell

    def cell(value: Any) -> Any:
        value = _plain(value)
        if isinstance(value, str):
            text = CONTROL.sub("", value)
            made = WriteOnlyCell(sheet, text if len(text) <= CELL else text[: CELL - 1] + "…")
            made.data_type = "s"  # or "=1+1" would be a formula
            return made
        if isinstance(value, datetime):
            made = WriteOnlyCell(sheet, value)
            made.number_format = "yyyy-mm-dd hh:mm:ss"
            return made
        return value

    sheet, left, number = None, 0, 0
    for row in rows:
        if sheet is None or not left:
            number += 1
            sheet, left = _new_sheet(book, name if number == 1 else f"{name} ({number})", columns), SHEET_ROWS - 1
        sheet.append([cell(value) for value in row])
        left -= 1
    if sheet is None:
        _new_sheet(book, name, columns)


def _new_sheet(book: Any, title: str, columns: Sequence[str]) -> Any:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.append(list(columns))
    return sheet


def _plain(value: Any) -> Any:
    """A value of DuckDB as a table shows it: times without their zone, which is the catalog's, nested ones as JSON."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, bool | int | str | date) or value is None:
        return value
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, ensure_ascii=False, default=as_json)
    return str(value)


def as_json(value: Any) -> Any:
    """What `json.dumps` takes for a value of DuckDB that JSON does not know."""
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else str(value)


@contextmanager
def _beside(path: Path) -> Iterator[IO[bytes]]:
    try:
        with replacing(path) as stream:
            yield stream
    except OSError as error:
        raise StoreError(path=path, reason=f"{error.strerror}; choose a folder you may write to.") from None


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """openpyxl drafts each sheet in a temporary file: not where others look, and not on another disk."""
    before, drafts = tempfile.tempdir, tempfile.mkdtemp(prefix=".sheets-", dir=folder)
    tempfile.tempdir = drafts
    try:
        yield
    finally:
        tempfile.tempdir = before
        shutil.rmtree(drafts, ignore_errors=True)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(path=path, reason=f"{error.strerror}; choose a folder you may write to.") from None


# --- one call -------------------------------------------------------------------------------------------------------


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
    """A call from the catalog of `output`.  Raises InputError when it is not there.

    Promises that a person rejected are none; the others are as people corrected them.
    """
    calls = _dicts(sql, "SELECT * FROM calls WHERE call_id = ?", call_id)
    if not calls:
        raise InputError(path=output, reason=f'there is no call "{call_id}" in it.')
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


# --- vCon -----------------------------------------------------------------------------------------------------------

CITIZEN, AGENT, MACHINE = 0, 1, 2  # parties by index; the third only where a machine speaks
PARTIES = {"citizen": CITIZEN, "agent": AGENT, "ivr": MACHINE}
KEPT = ("criterion", "status", "final_status", "state", "probability", "evidence")


def to_vcon(one: ExportedCall, config: Config, now: datetime) -> dict[str, Any]:
    """A call as an unsigned vCon, as JSON (draft-ietf-vcon-vcon-core-04, syntax 0.4.0).

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
    """A UUID of version 8 as the draft makes it: the time, 12 random bits, 62 bits of the SHA-1 of who made it.

    The draft takes a host name for the last; finding ours could ask the network, so the municipality's name it is.
    """
    made_by = int.from_bytes(hashlib.sha1(owner.encode(), usedforsecurity=False).digest()[:8], "big") >> 2
    time_ms = int(at.timestamp() * 1000) & (1 << 48) - 1
    return str(uuid.UUID(int=time_ms << 80 | 8 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | made_by))


# --- Open Klant -----------------------------------------------------------------------------------------------------


def to_klantcontact(one: ExportedCall, topic: str) -> dict[str, Any]:
    """A call as requests to the Klantinteracties API of Open Klant 2.x, as JSON; `topic` is its name in Dutch.

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
    """What whoever calls back has to know, the deadline first: what is cut is the end."""
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
