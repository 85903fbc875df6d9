"""Tables on their way out: files that a spreadsheet opens without running anything, queries, and their commands."""

from __future__ import annotations

import csv
import json
import os
import pty
import select
import stat
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

import duckdb
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.cli.main import main
from callanalytics.config import Config
from callanalytics.errors import QueryError, StoreError
from callanalytics.privacy.ledger import Ledger
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.records import DATASETS
from callanalytics.report import tables as exports
from callanalytics.report.tables import CELL, run_query, write_csv, write_excel, write_tables
from callanalytics.store import catalog
from callanalytics.store.catalog import DERIVED, REVIEWS, open_catalog
from callanalytics.store.datasets import Store


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream, delimiter=";"))


def test_csv_is_what_a_dutch_excel_opens(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    local = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
    row = [1, 0.25, None, True, local, date(2026, 11, 16), [{"quote": "één"}], float("nan"), "a;b"]
    write_csv(path, list("abcdefghi"), [row])
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert cells(path)[1] == [
        "1", "0,25", "", "true", "2026-11-16 10:00:00", "2026-11-16", '[{"quote": "één"}]', "", "a;b",
    ]  # fmt: skip


def test_csv_reads_back_in_duckdb_as_the_documentation_says(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_csv(path, ["n", "share", "text"], [[1, 0.5, 'zei: "ja"\n'], [2, -1.25e-7, ""]])
    options = "delim = ';', decimal_separator = ','"
    assert duckdb.sql(f"SELECT * FROM read_csv('{path}', {options})").fetchall() == [
        (1, 0.5, 'zei: "ja"\n'), (2, -1.25e-7, None),
    ]  # fmt: skip


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=5))
def test_no_text_of_a_csv_begins_a_formula_and_no_other_text_is_changed(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "formulas.csv"
    write_csv(path, [str(i) for i in range(len(texts))], [texts])
    (row,) = cells(path)[1:]
    for text, cell in zip(texts, row, strict=True):
        assert cell == (f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and text else text)


def test_negative_numbers_stay_numbers(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", ["a", "b"], [[-1, -0.5]])
    assert cells(tmp_path / "a.csv")[1] == ["-1", "-0,5"]


def test_a_workbook_has_real_dates_a_frozen_header_and_texts_that_stay_texts(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    texts = ["=1+1", "#N/A", "+31", "2026-11-16", "a\x00b", "x" * (CELL + 5)]
    row = [datetime(2026, 11, 16, 10, 0, tzinfo=UTC), 0.25, None, [1, 2], float("inf"), *texts]
    write_excel(path, [("blad", [str(i) for i in range(len(row))], [row]), ("leeg", ["a"], [])])
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["blad", "leeg"]
    sheet = book["blad"]
    assert sheet.freeze_panes == "A2"
    assert [cell.value for cell in sheet[2]][:5] == [datetime(2026, 11, 16, 10, 0), 0.25, None, "[1, 2]", None]
    found = sheet[2][5:]
    assert [cell.data_type for cell in found] == ["s"] * len(texts)
    assert [cell.value for cell in found[:5]] == ["=1+1", "#N/A", "+31", "2026-11-16", "ab"]
    assert len(found[5].value) == CELL
    assert found[5].value.endswith("…")


@pytest.mark.parametrize(("rows", "sheets"), [(0, 1), (3, 1), (4, 2), (6, 2), (7, 3)])
def test_what_a_sheet_cannot_hold_goes_on_in_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, sheets: int
) -> None:
    monkeypatch.setattr(exports, "SHEET_ROWS", 4)
    write_excel(tmp_path / "a.xlsx", [("turns", ["n"], ([i] for i in range(rows)))])
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["turns", "turns (2)", "turns (3)"][:sheets]
    values = [cell.value for sheet in book for (cell,) in sheet.iter_rows()]
    assert values.count("n") == sheets
    assert [value for value in values if value != "n"] == list(range(rows))


def test_sheets_are_drafted_beside_the_workbook_and_nowhere_else(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def rows() -> Iterator[list[int]]:
        yield [1]
        seen.append([path.name for path in tmp_path.rglob("openpyxl*")])

    write_excel(tmp_path / "a.xlsx", [("blad", ["n"], rows())])
    assert len(seen[0]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.xlsx"]


@pytest.mark.parametrize("excel", [False, True])
def test_a_file_that_fails_half_way_leaves_the_old_one_and_no_draft(tmp_path: Path, excel: bool) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def rows() -> Iterator[list[int]]:
        yield [1]
        raise QueryError(reason="it broke.")

    def write() -> None:
        if excel:
            write_excel(path, [("blad", ["n"], rows())])
        else:
            write_csv(path, ["n"], rows())

    with pytest.raises(QueryError):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="choose a folder you may write to"):
        write_csv(tmp_path / "gone" / "a.csv", ["n"], [])


@pytest.mark.parametrize("excel", [False, True])
def test_only_the_owner_may_read_what_is_written(out: Path, tmp_path: Path, config: Config, excel: bool) -> None:
    folder = tmp_path / "new" / "tables"
    with open_catalog(config, out) as sql:
        write_tables(sql, folder, "Europe/Amsterdam", excel)
    assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        tracemalloc.start()
        write_csv(tmp_path / "a.csv", ["n", "text"], ((i, "x" * 100) for i in range(rows)))
        write_excel(tmp_path / "a.xlsx", [("blad", ["n", "text"], ((i, "x" * 100) for i in range(rows)))])
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100)
    few, many = peak(1000), peak(10_000)
    assert many < few + 300_000  # ten times the rows are 1 MB more of text alone


def test_rows_come_before_the_query_is_through(out: Path, config: Config) -> None:
    with open_catalog(config, out) as sql:
        _, rows = run_query(sql, "SELECT i FROM range(1000000000000) r(i)")
        assert list(islice(rows, 3)) == [(0,), (1,), (2,)]


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("", "there is no SQL in it"),
        ("-- nothing", "there is no SQL in it"),
        ("selec", "syntax error"),
        ("SELECT x FROM calls", "not found"),
        ("COPY calls TO 'x.csv'", "may read the views and nothing else"),
        ("SELECT * FROM range(20000000) r(i) ORDER BY hash(i)", "more memory"),
    ],
)
def test_a_query_that_cannot_run_says_why(
    out: Path, config: Config, monkeypatch: pytest.MonkeyPatch, query: str, hint: str
) -> None:
    monkeypatch.setattr(catalog, "MEMORY", "60MB")
    with open_catalog(config, out) as sql, pytest.raises(QueryError, match=hint):
        list(run_query(sql, query)[1])


def test_a_query_that_breaks_on_the_way_says_why(out: Path, config: Config) -> None:
    with open_catalog(config, out) as sql:
        _, rows = run_query(sql, "SELECT if(i < 100000, i::VARCHAR, 'x')::INT FROM range(200000) r(i)")
        with pytest.raises(QueryError, match="Could not convert"):
            list(rows)


def test_sql_prints_a_table_json_or_a_file(
    out: Path, tmp_path: Path, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "SELECT call_id, started_at, topics, 0.5 AS half FROM calls"
    assert main(["sql", str(out), query]) == 0
    assert "2026-11-16 10:00:00" in capsys.readouterr().out
    assert main(["sql", str(out), "--json", query]) == 0
    expected = {"call_id": "c1", "started_at": "2026-11-16T10:00:00+01:00", "topics": None, "half": 0.5}
    (row,) = json.loads(capsys.readouterr().out)
    assert row == expected
    assert main(["sql", str(out), query, "--csv", str(tmp_path / "a.csv")]) == 0
    assert cells(tmp_path / "a.csv")[1][:2] == ["c1", "2026-11-16 10:00:00"]
    assert main(["sql", str(out), query, "--excel", str(tmp_path / "a.xlsx")]) == 0
    assert openpyxl.load_workbook(tmp_path / "a.xlsx")["query"]["A2"].value == "c1"
    # What was only looked at is not in the ledger, what was kept is; what was asked never.
    entries = Ledger(Store(out).place, Pseudonyms(config.privacy)).entries()
    assert [(entry.action, entry.call, entry.reason) for entry in entries] == [("export", "", "sql")] * 2


def test_sql_of_no_rows_is_an_empty_json_list(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql", str(out), "SELECT 1 WHERE false", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_what_is_no_number_is_null_in_json(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql", str(out), "SELECT 1 / 0 AS a, 'nan'::DOUBLE AS b", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"a": None, "b": None}]


def test_placeholders_and_brackets_are_shown_as_they_are(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql", str(out), "SELECT 'met [NAME] [red]' AS text"]) == 0
    assert "met [NAME] [red]" in capsys.readouterr().out


def test_more_rows_than_a_screen_holds_are_counted(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql", str(out), "SELECT i FROM range(1003) r(i)", "--lang", "en"]) == 0
    assert "And 3 rows more" in capsys.readouterr().err


def test_sql_takes_a_query_from_stdin(
    out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "q.sql").write_text("SELECT count(*) AS n\nFROM turns;\n")
    with (tmp_path / "q.sql").open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert main(["sql", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 4}]


@pytest.mark.parametrize(("lang", "start"), [("nl", "Deze query kan niet"), ("en", "This query can't")])
def test_a_mistake_in_sql_ends_with_2_and_a_sentence(
    out: Path, capsys: pytest.CaptureFixture[str], lang: str, start: str
) -> None:
    assert main(["sql", str(out), "SELECT x FROM calls", "--lang", lang]) == 2
    said = capsys.readouterr().err
    assert f"callanalytics: {start}" in said
    assert "LINE 1" in said
    assert "Traceback" not in said


def test_two_queries_at_once_are_a_mistake(out: Path) -> None:
    with pytest.raises(SystemExit):
        main(["sql", str(out), "SELECT 1", "SELECT 2"])
    with pytest.raises(SystemExit):
        main(["sql", str(out), "--jsn", "SELECT 2"])


def test_the_prompt_answers_explains_and_survives_mistakes(out: Path) -> None:
    ours, theirs = pty.openpty()
    code = "import sys; from callanalytics.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "sql", str(out), "--lang", "en"]
    running = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.write(ours, b".tables\n.schema call_states\n.schema nope\nselec;\nSELECT 40\n + 2 AS answer;\n.quit\n")
    said, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.1)[0]:
            said += os.read(ours, 65536)
        elif running.poll() is not None:
            break
    running.kill()
    text = said.decode()
    assert running.wait() == 0, text
    assert "reviewed_criteria" in text
    assert "machine, reviewed or contested" in " ".join(text.split())
    assert "there is no view nope" in text
    assert "syntax error" in text
    assert "  42  " in text


def test_tables_gives_every_view_as_a_file_and_says_so_in_the_ledger(
    out: Path, tmp_path: Path, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "tables"
    assert main(["tables", str(out), "--output", str(folder), "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)
    expected = {*DATASETS, *REVIEWS, *DERIVED, "reviews_of_calls", "columns"}
    assert set(counts) == {path.stem for path in folder.glob("*.csv")} == expected
    assert (counts["turns"], counts["register"], counts["judgements"]) == (4, 1, 0)
    assert len(cells(folder / "turns.csv")) == 5
    header, *meanings = cells(folder / "columns.csv")
    assert header == ["table", "column", "type", "meaning"]
    (started,) = [row[3] for row in meanings if row[:2] == ["calls", "started_at"]]
    assert "local time of Europe/Amsterdam, without a zone" in started
    assert "UTC" not in started
    (entry,) = Ledger(Store(out).place, Pseudonyms(config.privacy)).entries()
    assert (entry.action, entry.call, entry.reason) == ("export", "", "tables")


def test_tables_as_excel_has_a_sheet_a_view(out: Path, tmp_path: Path) -> None:
    assert main(["tables", str(out), "--output", str(tmp_path / "t"), "--excel"]) == 0
    book = openpyxl.load_workbook(tmp_path / "t" / "tables.xlsx", read_only=True)
    assert {"columns", "calls", "turns", "register", "judgements", "reviewed_criteria"} <= set(book.sheetnames)
    assert len(list(book["turns"].iter_rows())) == 5
