"""Transcripts made elsewhere: score and redact."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

from callanalytics.cli.options import Commands
from callanalytics.cli.output import plain, print_json
from callanalytics.config import Config
from callanalytics.errors import InputError
from callanalytics.records import PromiseRow, Role, Transcript, Turn
from callanalytics.texts import Message

KEPT = ("criterion", "applicable", "detected", "status", "probability", "evidence")


def add(commands: Commands) -> None:
    """Add the commands of this file."""
    for name, command in (("score", _score), ("redact", _redact)):
        commands.add(name, command).add_argument("transcript", type=Path, metavar="TRANSCRIPT.json|.jsonl")


def _score(config: Config, options: argparse.Namespace) -> None:
    from callanalytics.redaction.redactor import Redactor
    from callanalytics.scoring.scorer import Scorer

    redactor, score = Redactor(config), Scorer(config)
    for transcript in _read_transcripts(options.transcript):
        verdict = score(redactor(transcript).transcript)
        result = {
            "call_id": transcript.call_id,
            "items": verdict.items,
            **verdict.columns,
            "topics": [dataclasses.asdict(share) for share in verdict.topics],
            "criteria": [{k: v for k, v in plain(row).items() if k in KEPT} for row in verdict.criteria],
            "promises": [plain(_local(row, config)) for row in verdict.promises],
        }
        _print(result, options.transcript)


def _local(promise: PromiseRow, config: Config) -> PromiseRow:
    """Return a promise with its deadline in local time: people read this output."""
    due_at = promise.due_at and promise.due_at.astimezone(ZoneInfo(config.municipality.timezone))
    return dataclasses.replace(promise, due_at=due_at)


def _redact(config: Config, options: argparse.Namespace) -> None:
    from callanalytics.redaction.redactor import Redactor

    redactor = Redactor(config)
    for transcript in _read_transcripts(options.transcript):
        redacted = redactor(transcript).transcript
        turns = [{"role": t.role, "start_ms": t.start_ms, "end_ms": t.end_ms, "text": t.text} for t in redacted.turns]
        started = redacted.started_at and redacted.started_at.isoformat()
        result = {"call_id": redacted.call_id, "started_at": started, "turns": turns, "holds": redacted.holds}
        _print(result, options.transcript)


def _print(result: dict[str, Any], source: Path) -> None:
    print_json(result, ensure_ascii=False, indent=None if source.suffix == ".jsonl" else 1)


def _read_transcripts(path: Path) -> Iterator[Transcript]:
    """Yield the transcript of a .json, or one a line of a .jsonl.

    Raises InputError that names the line and the key at fault.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(path=path, reason=f"{error.strerror}.") from None
    except UnicodeDecodeError:
        raise InputError(path=path, reason=Message("errors.not_utf8_text")) from None
    for number, document in enumerate(text.splitlines() if path.suffix == ".jsonl" else [text], start=1):
        if not document.strip():
            continue
        try:
            yield _transcript(json.loads(document))
        except json.JSONDecodeError as error:
            reason = Message("errors.line_no_json", line=error.lineno + number - 1)
        except KeyError as error:
            reason = Message("errors.document_key_missing", number=number, key=error)
        except (TypeError, ValueError, AttributeError):
            reason = Message("errors.document_role_time_ms", number=number)
        else:
            continue
        raise InputError(path=path, reason=reason)


def _transcript(tree: dict[str, Any]) -> Transcript:
    started = tree.get("started_at")
    turns = []
    for index, turn in enumerate(tree["turns"]):
        if turn["role"] not in get_args(Role):
            raise ValueError("role")
        turns.append(Turn(index, turn["role"], int(turn["start_ms"]), int(turn["end_ms"]), str(turn["text"])))
    holds = tuple((int(start), int(end)) for start, end in tree.get("holds", ()))
    return Transcript(
        call_id=str(tree["call_id"]),
        started_at=datetime.fromisoformat(started) if started else None,
        turns=tuple(turns),
        holds=holds,
        duration_ms=max([*(turn.end_ms for turn in turns), *(end for _, end in holds)], default=0),
    )
