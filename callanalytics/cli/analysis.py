"""Commands of analysts: sql, with its prompt, tables and schema."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callanalytics.cli.options import Commands, place
from callanalytics.cli.output import print_json, print_table, print_values, titles
from callanalytics.cli.privacy import open_ledger
from callanalytics.config import Config
from callanalytics.errors import QueryError
from callanalytics.records import DATASETS, arrow_schema
from callanalytics.texts import Message, say

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHOWN = 1000  # rows of an answer on the screen


def add(commands: Commands) -> None:
    """Add the commands of this file."""
    sql = commands.add("sql", _sql, place)
    sql.description = "sql_long"
    sql.add_argument("query", nargs="?", metavar="SELECT ...", help="sql_query")
    kept = sql.add_mutually_exclusive_group()
    kept.add_argument("--csv", type=Path, metavar="FILE", help="sql_csv")
    kept.add_argument("--excel", type=Path, metavar="FILE", help="sql_excel")
    tables = commands.add("tables", _tables, place)
    tables.add_argument("--output", dest="folder", type=Path, required=True, metavar="DIR", help="tables_output")
    tables.add_argument("--excel", action="store_true", help="tables_excel")
    commands.add("schema", _schema)


def _sql(config: Config, options: argparse.Namespace) -> None:
    from callanalytics.store.catalog import open_catalog, read_reviews

    with open_catalog(config, options.output, read_reviews(config, options.output)) as sql:
        if options.csv or options.excel:
            # The query stays out of the ledger: it may name somebody.
            open_ledger(config, options.output).add("export", [("", None)], "sql")
        if options.query is not None:
            _answer(config, sql, options.query, options)
        elif sys.stdin.isatty() and not (options.csv or options.excel):
            _prompt(config, sql)
        else:
            _answer(config, sql, sys.stdin.read(), options)


def _answer(config: Config, sql: DuckDBPyConnection, query: str, options: argparse.Namespace) -> None:
    """Print the rows of a query, or keep them in the file that the options name."""
    from callanalytics.report.tables import as_json, run_query, write_csv, write_excel

    columns, rows = run_query(sql, query)
    if options.csv:
        write_csv(options.csv, columns, rows)
    elif options.excel:
        write_excel(options.excel, [("query", columns, rows)])
    elif options.json:
        comma = ""
        print("[", end="")
        for row in rows:
            values = (None if isinstance(one, float) and not math.isfinite(one) else one for one in row)  # 1 / 0
            line = json.dumps(dict(zip(columns, values, strict=True)), ensure_ascii=False, default=as_json)
            print(f"{comma}\n{line}", end="")
            comma = ","
        print("\n]")
    else:
        _show_answer(config, columns, rows)


def _show_answer(config: Config, columns: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    if not columns:
        return
    shown = list(islice(rows, SHOWN))
    left = sum(1 for _ in rows)  # before anything is printed: a row that fails ends the query
    print_values(columns, shown)
    if left:
        print(say("cli.sql_more", config.lang, left=left), file=sys.stderr)


def _prompt(config: Config, sql: DuckDBPyConnection) -> None:
    """Answer queries until .quit.  What is typed is kept nowhere: it may name a citizen."""
    from callanalytics.report.tables import run_query

    with suppress(ImportError):
        import readline  # noqa: F401  # input() then knows arrows and the lines before

    print(say("cli.sql_welcome", config.lang), file=sys.stderr)
    lines: list[str] = []
    while True:
        try:
            line = input("...> " if lines else "sql> ")
            command, _, name = line.strip().rstrip(";").partition(" ")
            if not lines and command == ".quit":
                return
            if not lines and command in (".tables", ".schema"):
                _describe(config, sql, command, name.strip())
            elif line.strip():
                lines.append(line)
                if line.rstrip().endswith(";"):
                    query, lines = "\n".join(lines), []
                    _show_answer(config, *run_query(sql, query))
        except QueryError as error:
            print(error.say(config.lang), file=sys.stderr)
        except KeyboardInterrupt:
            lines = []
            print()
        except EOFError:
            print()
            return


def _describe(config: Config, sql: DuckDBPyConnection, command: str, view: str) -> None:
    """Print the views, or the columns of one view or of all."""
    from callanalytics.store.catalog import find_columns, find_views

    if command == ".tables":
        print_values(titles(config.lang, "view", "meaning"), find_views(sql))
    elif found := find_columns(sql, view):
        print_values(titles(config.lang, "view", "column", "type", "meaning"), found)
    else:
        raise QueryError(reason=Message("errors.no_view_tables_lists", view=view))


def _tables(config: Config, options: argparse.Namespace) -> None:
    from callanalytics.report.tables import write_tables
    from callanalytics.store.catalog import open_catalog, read_reviews

    with open_catalog(config, options.output, read_reviews(config, options.output)) as sql:
        # One line without a call: it is about all of them.
        open_ledger(config, options.output).add("export", [("", None)], "tables")
        counts = write_tables(sql, options.folder, config.municipality.timezone, options.excel)
    if options.json:
        print_json(counts)
    else:
        print_values(titles(config.lang, "view", "rows"), counts.items())
    print(say("cli.tables_written", config.lang, path=options.folder), file=sys.stderr)


def _schema(config: Config, options: argparse.Namespace) -> None:
    from callanalytics.scoring import load_files

    ids = load_files(config).ids
    schemas = {name: arrow_schema(name, ids, tuple(config.scorecard.items)) for name in DATASETS}
    fields = {
        name: [(field.name, str(field.type), _description(field)) for field in schema]
        for name, schema in schemas.items()
    }
    names = ("column", "type", "description")
    if options.json:
        print_json({name: [dict(zip(names, row, strict=True)) for row in rows] for name, rows in fields.items()})
        return
    for name, rows in fields.items():
        print_table(config.lang, names, rows, f"{name}: {_description(schemas[name])}")


def _description(item: Any) -> str:
    return str(item.metadata[b"description"].decode())
