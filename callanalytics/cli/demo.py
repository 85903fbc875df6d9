"""The command demo: the main job on the recordings that ship with the package."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from callanalytics.cli.options import Commands
from callanalytics.cli.output import length, make_table, print_table, show, titles
from callanalytics.cli.run import Bar, summarise
from callanalytics.config import Config, load_config
from callanalytics.texts import Lang, say

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DEMO = Path(__file__).parents[1] / "demo"
COLOURS = {"met": "green", "not_met": "red", "uncertain": "yellow", "not_applicable": "dim"}


def add(commands: Commands) -> None:
    """Add the command of this file."""
    demo = commands.add("demo", _demo)
    demo.add_argument("--output", type=Path, default=Path("out/demo"), metavar="OUT", help="demo_output")


def _demo(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.engine.batch import run
    from callanalytics.store.catalog import open_catalog

    lang = config.lang
    if options.config is None:
        config = load_config(DEMO / "config.toml").model_copy(update={"lang": lang})
    print(say("cli.demo_intro", lang), file=sys.stderr)
    with Bar(lang) as bar:
        row = run(config, DEMO / "recordings", options.output, bar, calls_csv=DEMO / "calls.csv")
    summarise(lang, row, options.output)
    with open_catalog(config, options.output) as sql:
        # The call with most points shows most evidence.
        best = sql.execute("SELECT call_id FROM calls WHERE scorable ORDER BY score DESC, call_id LIMIT 1").fetchone()
        if best:
            print_card(config, sql, best[0])
        _print_promises(config, sql)
        _print_calls(lang, sql)
    print("\n" + say("cli.demo_next", lang))
    print(
        f"  SELECT call_id, criterion, status, evidence[1].quote FROM '{options.output}/criteria/*/*.parquet'\n"
        "  WHERE status = 'not_met' ORDER BY call_id;"
    )
    print("\n" + say("cli.demo_review", lang, output=options.output, recordings=DEMO))
    return 1 if row.failed else 0


def print_card(config: Config, sql: DuckDBPyConnection, call_id: str) -> None:
    """Print the scorecard of a call: the items with their parts, then the compliance block apart."""
    lang, scorecard = config.lang, config.scorecard
    rows = sql.execute("SELECT criterion, status, probability, evidence FROM criteria WHERE call_id = ?", [call_id])
    found = {name: rest for name, *rest in rows.fetchall()}
    columns = ", ".join(f"item_{name}" for name in scorecard.items) or "NULL"
    statuses = sql.execute(f"SELECT compliance_status, {columns} FROM calls WHERE call_id = ?", [call_id]).fetchone()
    compliance, *of_items = statuses or ()
    by_item = dict(zip(scorecard.items, of_items, strict=False))
    said, row_of = _callbacks(sql, call_id), _row_maker(config)
    table = make_table(
        titles(lang, "item", "verdict", "probability", "evidence"), say("cli.demo_card", lang, call_id=call_id)
    )
    for item_id, item in scorecard.items.items():
        status, title = by_item[item_id], f"[bold]{getattr(item.name, lang)}[/bold]"
        if len(item.parts) == 1 and item.parts[0] in found:
            table.add_row(*row_of(item.parts[0], found, title))
            continue
        table.add_row(title, _coloured(lang, status))
        for name in item.parts if status != "not_applicable" else ():
            if name in found:
                table.add_row(*row_of(name, found))
            else:
                texts = "; ".join(text or "?" for text in said.get(name, ()))
                table.add_row(f"  {say(f'cli.{name}', lang)}", "", "", texts)
    table.add_section()
    table.add_row(f"[bold]{say('cli.compliance', lang)}[/bold]", _coloured(lang, compliance))
    for name in scorecard.compliance:
        if name in found:
            table.add_row(*row_of(name, found))
    show(table)


def _callbacks(sql: DuckDBPyConnection, call_id: str) -> dict[str, list[Any]]:
    """Return what the register says of each promised callback; the item's verdict weighs it."""
    rows = sql.execute(
        # "by" is a word of SQL too
        """SELECT "by", deadline_text FROM promises WHERE call_id = ? AND type = 'callback' ORDER BY start_ms""",
        [call_id],
    ).fetchall()
    return {"callback.who": [row[0] for row in rows], "callback.when": [row[1] for row in rows]}


def _row_maker(config: Config) -> Callable[..., tuple[str, str, str, str]]:
    from callanalytics.scoring import load_detector

    lang, detector = config.lang, load_detector(config)

    def row_of(name: str, found: dict[str, Any], title: str = "") -> tuple[str, str, str, str]:
        """Return the row of a criterion: title, verdict, probability, first evidence."""
        status, probability, evidence = found[name]
        criterion = detector.criterion(name)
        quote = ""
        if evidence:
            quote = f"{length(evidence[0]['start_ms'])}  “{evidence[0]['quote']}”"
            if evidence[0]["alternative"]:
                quote += "  " + say("cli.say_instead", lang, plain=evidence[0]["alternative"])
        verdict = _coloured(lang, status)
        if criterion.polarity == "signal" and status in ("met", "not_met"):
            verdict = say("cli.yes" if status == "met" else "cli.no", lang)
        return title or f"  {getattr(criterion, f'name_{lang}')}", verdict, f"{probability:.2f}", quote

    return row_of


def _print_promises(config: Config, sql: DuckDBPyConnection) -> None:
    zone, lang = ZoneInfo(config.municipality.timezone), config.lang
    found = sql.execute("SELECT call_id, type, due_at, quote FROM promises ORDER BY call_id, start_ms").fetchall()
    rows = []
    for call_id, kind, due_at, quote in found:
        due = f"{due_at.astimezone(zone):%d-%m-%Y %H:%M}" if due_at else "?"
        rows.append((call_id, say(f"cli.{kind}", lang), due, f"“{quote}”"))
    if rows:
        print_table(lang, ("call", "what", "due", "said"), rows, say("cli.demo_promises", lang))


def _print_calls(lang: Lang, sql: DuckDBPyConnection) -> None:
    def percent(share: float | None) -> str:
        return "?" if share is None else f"{share:.0%}"

    rows = [
        (call_id, layout, length(duration_ms), topic, length(hold_ms), percent(agent_share), percent(score))
        for call_id, layout, duration_ms, topic, hold_ms, agent_share, score in sql.execute(
            "SELECT call_id, layout, duration_ms, topic, hold_ms, talk_ratio_agent, normalized_score "
            "FROM calls ORDER BY 1"
        ).fetchall()
    ]
    columns = ("call", "layout", "duration", "topic", "hold", "agent_share", "score")
    print_table(lang, columns, rows, say("cli.demo_all", lang))


def _coloured(lang: Lang, status: str) -> str:
    return f"[{COLOURS[status]}]{say(f'cli.{status}', lang)}[/]"
