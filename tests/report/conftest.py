"""Three OUTs with their reports: a whole contact centre, a corner of one, and the development calls."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from callanalytics.config import Config
from callanalytics.evaluation.truth import load_truths, perfect_transcript
from callanalytics.records import CallResult, EventRow, StoredWord, TurnRow
from callanalytics.redaction.redactor import Redactor
from callanalytics.report.write import write_report
from callanalytics.scoring.scorer import Scorer
from tests.support.centre import publish
from tests.support.fakes import MOMENT, call_result, call_row
from tests.support.paths import DEV
from tests.support.report_centre import DEVELOPMENT_PERIOD, NORMS, PERIOD, SMALL_PERIOD, make_calls, review


@pytest.fixture(scope="session")
def settings(config: Config) -> Config:
    """A municipality with a name and norms."""
    named = config.municipality.model_copy(update={"names": ("Wageningen",)})
    return config.model_copy(update={"municipality": named, "norms": config.norms.model_copy(update=NORMS)})


@pytest.fixture(scope="session")
def centre(settings: Config, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """OUT of the whole contact centre, reviewed, and its report."""
    root = tmp_path_factory.mktemp("centre")
    calls = make_calls(settings)
    publish(root / "out", calls, config=settings)
    review(root / "out", settings, calls)
    write_report(settings, root / "out", PERIOD, root / "report")
    return root / "out", root / "report"


@pytest.fixture(scope="session")
def corner(config: Config, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """OUT of sixteen calls that nobody reviewed, in a municipality without norms, and its report over all of them."""
    root = tmp_path_factory.mktemp("corner")
    publish(root / "out", make_calls(config, n=16, seed=12), config=config)
    write_report(config, root / "out", SMALL_PERIOD, root / "report")
    return root / "out", root / "report"


@pytest.fixture(scope="session")
def development(config: Config, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """OUT of the development calls as they were said, scored as a run scores them, and its report over all of them."""
    root = tmp_path_factory.mktemp("development")
    redactor, scorer = Redactor(config), Scorer(config)
    with (DEV / "calls.csv").open(encoding="utf-8") as stream:
        known = {row["call_id"]: row for row in csv.DictReader(stream)}
    results = []
    for call_id, truth in load_truths(DEV / "truth").items():
        of = known[call_id]
        started = datetime.fromisoformat(of["started_at"])
        transcript = redactor(perfect_transcript(truth, started)).transcript
        verdict = scorer(transcript)
        row = call_row(
            call_id, started_at=started, processed_at=started, duration_ms=transcript.duration_ms, queue=of["queue"],
            direction=of["direction"], caller_ref=of["caller_ref"] or None, not_scorable_reason=None, wait_s=None,
            hold_count=len(transcript.holds), scorecard_version=config.scorecard.version, scoring_fingerprint="card=1",
            pipeline_fingerprint="words=1", **verdict.columns,
        )  # fmt: skip
        results.append(
            CallResult(
                call=row,
                turns=tuple(
                    TurnRow(call_id, t.turn_index, t.role, t.channel, t.speaker, t.start_ms, t.end_ms, t.text,
                            tuple(StoredWord(w.text, w.start_ms, w.end_ms, 0.9) for w in t.words))
                    for t in transcript.turns
                ),
                criteria=verdict.criteria,
                promises=verdict.promises,
                events=tuple(EventRow(call_id, e.type, e.by, e.start_ms, e.end_ms) for e in transcript.events),
                items=verdict.items,
                local_date=started.date().isoformat(),
            )
        )  # fmt: skip
    publish(root / "out", results, config=config)
    write_report(config, root / "out", DEVELOPMENT_PERIOD, root / "report")
    return root / "out", root / "report"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """One call, stereo with the agent on channel 1, with turns of all roles."""
    one = call_result(
        "c1", started_at=MOMENT, queue="afval", topic="afval", layout="stereo", agent_channel=1, agent_ref="agent-7",
        caller_ref="caller-9", duration_ms=61_500, talk_ms_agent=100, talk_ms_citizen=100, direction="inbound",
    )  # fmt: skip
    turns = tuple(
        TurnRow("c1", i, role, None, "", i * 1000, i * 1000 + 900, f"{role} [NAME]", ())
        for i, role in enumerate(("ivr", "agent", "citizen", "unknown"))
    )
    return publish(tmp_path / "out", [replace(one, turns=turns)])
