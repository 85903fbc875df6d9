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
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from callanalytics.errors import CallAnalyticsError, QueryError, StoreError
from callanalytics.files import replacing
from callanalytics.store.catalog import find_columns, find_views
from callanalytics.texts import Message

if TYPE_CHECKING:
    import duckdb


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
            raise QueryError(reason=Message("errors.no_sql"))
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
        return QueryError(reason=Message("errors.read_views_nothing_else"))
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryError(reason=Message("errors.wants_more_memory_than"))
    reason = str(error).rstrip()
    if "reading the stream registered as 'stored_" in reason:
        return QueryError(
            reason=Message("errors.file_out_gone_damaged")
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
        raise CallAnalyticsError(reason=Message("errors.excel_files_need_openpyxl")) from None
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
        raise StoreError(path=path, reason=Message("errors.choose_folder_you_write", problem=error.strerror)) from None


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
        raise StoreError(path=path, reason=Message("errors.choose_folder_you_write", problem=error.strerror)) from None


# --- one call -------------------------------------------------------------------------------------------------------


# --- vCon -----------------------------------------------------------------------------------------------------------

# --- Open Klant -----------------------------------------------------------------------------------------------------

