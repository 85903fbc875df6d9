"""Evaluation: the whole way over a small OUT, what is named as missing, what moves the figures."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from callanalytics.config import Config
from callanalytics.errors import InputError
from callanalytics.evaluation.evaluate import evaluate, judge, perfect_outcomes, summarise
from callanalytics.evaluation.outcomes import Outcome, read_outcomes
from callanalytics.evaluation.truth import Truth, parse_truth
from callanalytics.records import CallResult, CallRow, EventRow, FailureRow, PromiseRow, StoredWord, Turn, TurnRow
from callanalytics.store.datasets import Store
from tests.support.truths import NOW, criterion_of, row_of, tree


def result_of(truth: Truth, layout: str = "mono", **changes: Any) -> CallResult:
    """A call stored without a mistake: the truth's turns with word times, redacted."""
    turns = []
    for index, true in enumerate(truth.turns):
        text = truth.masked(index)
        texts = text.split()
        step = (true.end_ms - true.start_ms) // len(texts)
        words = tuple(
            StoredWord(word, true.start_ms + i * step, true.start_ms + (i + 1) * step, 0.9)
            for i, word in enumerate(texts)
        )
        channel = int(true.role == "citizen") if layout == "stereo" else None
        turns.append(TurnRow(truth.call_id, index, true.role, channel, "", true.start_ms, true.end_ms, text, words))
    quotes = [
        row_of(PromiseRow, call_id=truth.call_id, type=p.type, quote=p.quote, start_ms=p.span[0], end_ms=p.span[1],
               due_at=datetime.fromisoformat(f"{p.due}T12:00:00+00:00"))
        for p in truth.promises if p.span
    ]  # fmt: skip
    call = row_of(
        CallRow, call_id=truth.call_id, layout=layout, duration_ms=truth.duration_ms, topic=truth.topic,
        scorable=True, started_at=NOW, processed_at=NOW, not_scorable_reason=None, agent_channel=None,
    )  # fmt: skip
    criteria = tuple(
        dataclasses.replace(
            criterion_of(name, label == "yes", "not_applicable" if label == "na" else "",
                         0.95 if label == "yes" else 0.05, label != "na"),
            call_id=truth.call_id)
        for name, label in truth.criteria.items()
    )  # fmt: skip
    result = CallResult(
        call=call,
        turns=tuple(turns),
        criteria=criteria,
        promises=tuple(quotes),
        events=tuple(EventRow(truth.call_id, "hold", "agent", *hold) for hold in truth.holds),
        local_date="2026-10-05",
    )
    return dataclasses.replace(result, **changes)


@pytest.fixture
def project(tmp_path: Path) -> tuple[Path, Path]:
    """OUT and truth of three calls: t1 and t2 stored, t3 failed, t4 missing; x stored without a truth."""
    out, folder = tmp_path / "out", tmp_path / "truth"
    folder.mkdir()
    labels = {"t1": {"empathy": "yes", "apology": "na"}, "t2": {"empathy": "no", "apology": "yes"}}
    pii = tree()["pii"] + [{"kind": "person_name", "s": "T", "text": "Jansen"}]
    for call_id in ("t1", "t2", "t3", "t4"):
        criteria = labels.get(call_id, {"empathy": "yes"})
        content = tree(call_id=call_id, pii=pii, criteria=criteria)
        (folder / f"{call_id}.json").write_text(json.dumps(content), encoding="utf-8")
    store = Store(out, ("empathy", "apology"))
    store.open()
    extra = parse_truth(tree(call_id="x", pii=pii, criteria=labels["t1"]))
    store.publish([result_of(parse_truth(json.loads((folder / "t1.json").read_text()))), result_of(extra)], "one")
    store.publish([result_of(parse_truth(json.loads((folder / "t2.json").read_text())), "stereo")], "two")
    store.publish_failure(row_of(FailureRow, call_id="t3", recording="t3.wav", stage="decode", failed_at=NOW))
    store.close()
    return out, folder


def test_a_faultless_output_gets_faultless_figures(project: tuple[Path, Path], config: Config) -> None:
    found = evaluate(*project, config)
    figures = found["overall"]
    assert figures["wer"]["wer"] == 0
    assert figures["wer"]["placeholders_excluded"] == 2 * 4
    assert figures["wer_normalised"]["wer"] == 0
    assert figures["der"]["der"] == pytest.approx(0, abs=0.01)
    assert figures["roles"]["accuracy"] == 1
    assert figures["holds"]["found"] == figures["holds"]["n"] == 2
    assert figures["holds"]["boundary_error_ms"]["max"] == 0
    assert figures["criteria"]["macro"] | {"f1_interval": 0, "kappa_interval": 0} == {
        "criteria": 1, "f1": 1, "f1_interval": 0, "kappa": 1, "kappa_interval": 0,
    }  # fmt: skip
    assert figures["criteria"]["micro"]["n"] == 3
    assert figures["criteria"]["applicability"]["accuracy"] == 1
    assert figures["criteria"]["calibration"]["all"]["ece"] == pytest.approx(0.05)
    assert figures["promises"]["recall"]["recall"] == figures["promises"]["precision"]["precision"] == 1
    assert figures["promises"]["due_at"] == {
        "accuracy": 1, "interval": [pytest.approx(0.342, abs=1e-3), 1], "right": 2, "n": 2,
    }  # fmt: skip
    assert figures["redaction"]["all"]["recall"]["recall"] == 1
    assert figures["redaction"]["by_kind"]["house_number"]["precision"]["n"] == 2
    assert figures["topic"]["accuracy"] == 1


def test_what_can_not_be_compared_is_named(project: tuple[Path, Path], config: Config) -> None:
    calls = evaluate(*project, config)["calls"]
    assert calls["missing"] == ["t4"]
    assert calls["failed"] == {"t3": "decode"}
    assert calls["without_truth"] == ["x"]
    assert (calls["truth"], calls["evaluated"]) == (4, 2)


def test_layouts_and_groups_have_their_own_figures(project: tuple[Path, Path], config: Config) -> None:
    found = evaluate(*project, config, groups={"tuned": {"t1", "t4"}, "held out": {"t2"}})
    assert {name: f["calls"] for name, f in found["by_layout"].items()} == {"stereo": 1, "mono": 1}
    assert {name: (f["calls"], f["absent"]) for name, f in found["groups"].items()} == {
        "tuned": (1, ["t4"]),
        "held out": (1, []),
    }
    assert found["per_call"]["t2"]["layout"] == "stereo"


def test_the_answer_is_json_and_holds_no_text(project: tuple[Path, Path], config: Config) -> None:
    text = json.dumps(evaluate(*project, config), allow_nan=False)
    assert not any(word in text for word in ("Jansen", "Boer", "Goedemorgen"))


def test_evaluating_twice_gives_the_same(project: tuple[Path, Path], config: Config) -> None:
    assert evaluate(*project, config) == evaluate(*project, config)


def test_mistakes_move_the_figures(config: Config) -> None:
    truth = parse_truth(tree(criteria={"empathy": "yes"}))
    swapped = tuple(
        Turn(i, "citizen" if t.role == "agent" else "agent", t.start_ms, t.end_ms, "heel iets anders")
        for i, t in enumerate(truth.turns)
    )
    outcome = Outcome("dual_mono", truth.duration_ms, swapped, ((0, 500),), (criterion_of("empathy", False, "", 0.1),),
                      (), "onbekend", None, "one_party")  # fmt: skip
    found = judge({"t1": outcome}, {"t1": truth}, config)
    figures = found["by_layout"]["mono"]
    assert figures["wer"]["wer"] > 0.9
    assert figures["roles"]["accuracy"] == 0
    assert (figures["holds"]["missed"], figures["holds"]["false"]) == (1, 1)
    assert figures["criteria"]["micro"]["fn"] == 1
    assert figures["promises"]["recall"]["recall"] == 0
    assert figures["topic"]["accuracy"] == 0
    assert figures["criteria"]["macro"]["f1"] is None
    assert found["calls"]["not_scorable"] == {"t1": "one_party"}


def test_uncertain_share_and_the_errors_it_holds(config: Config) -> None:
    labels = {"empathy": "yes", "apology": "no", "ownership": "yes", "hedging": "na", "hold_thanks": "na"}
    truth = parse_truth(tree(criteria=labels))
    rows = (
        criterion_of("empathy", False, "uncertain", 0.4),  # an error, held by uncertain
        criterion_of("apology", True),  # an error
        criterion_of("ownership", True),
        criterion_of("hedging", False, "not_applicable", 0.0, applicable=False),
        criterion_of("hold_thanks", True),  # applies to the output only: no forecast that can be checked
    )
    outcome = Outcome("mono", truth.duration_ms, (), (), rows)
    criteria = judge({"t1": outcome}, {"t1": truth}, config)["overall"]["criteria"]
    uncertain = criteria["uncertain"]
    assert (uncertain["right"], uncertain["n"], uncertain["errors"], uncertain["errors_uncertain"]) == (1, 4, 2, 1)
    assert criteria["calibration"]["all"]["n"] == 3
    assert criteria["calibration"]["decided"]["n"] == 2
    applicability = criteria["applicability"]
    assert (applicability["right"], applicability["n"], applicability["found_on_na"]) == (4, 5, 1)


def test_newer_rows_of_a_call_win_even_before_a_killed_run_is_repaired(tmp_path: Path) -> None:
    truth = parse_truth(tree())
    store = Store(tmp_path / "out", ("empathy",))
    store.open()
    store.publish([result_of(truth)], "one")
    kept = [p.read_bytes() for p in sorted((tmp_path / "out").glob("*/date=*/one.parquet"))]
    paths = sorted((tmp_path / "out").glob("*/date=*/one.parquet"))
    newer = result_of(truth)
    later = dataclasses.replace(newer.call, processed_at=datetime(2026, 10, 6, tzinfo=UTC), topic="afval")
    store.publish([dataclasses.replace(newer, call=later, turns=newer.turns[:1])], "two")
    store.close()
    for path, content in zip(paths, kept, strict=True):
        path.write_bytes(content)
    outcomes, _ = read_outcomes(tmp_path / "out")
    assert (outcomes["t1"].topic, len(outcomes["t1"].turns)) == ("afval", 1)


def test_nothing_to_compare_is_said(project: tuple[Path, Path], tmp_path: Path, config: Config) -> None:
    out, folder = project
    with pytest.raises(InputError, match="holds no calls"):
        evaluate(tmp_path / "nowhere", folder, config)
    other = tmp_path / "other"
    other.mkdir()
    (other / "y.json").write_text(json.dumps(tree(call_id="y")), encoding="utf-8")
    with pytest.raises(InputError, match="no call of"):
        evaluate(out, other, config)


def test_perfect_transcripts_score_without_recordings(config: Config) -> None:
    truth = parse_truth(tree(criteria={"callback_promise": "yes"}))
    found = judge(perfect_outcomes({"t1": truth}, {"t1": NOW}, config), {"t1": truth}, config)
    assert found["overall"]["wer"]["wer"] == 0
    assert found["overall"]["roles"]["accuracy"] == 1
    assert found["overall"]["criteria"]["micro"]["tp"] == 1
    assert found["overall"]["promises"]["due_at_dated"]["accuracy"] == 1


def test_no_calls_have_figures_without_values() -> None:
    figures = summarise([])
    assert figures["calls"] == 0
    assert figures["wer"]["wer"] is figures["der"]["der"] is figures["criteria"]["macro"]["f1"] is None


def test_importing_evaluation_loads_no_heavy_library_and_switches_reporting_off() -> None:
    code = (
        "import sys, os; import callanalytics.evaluation.evaluate, callanalytics.evaluation.speakers as e;"
        "from callanalytics.records import Segment;"
        "assert not {'torch', 'spacy', 'jiwer', 'pyannote.metrics', 'pyarrow'} & set(sys.modules);"
        "e.diarization_error([Segment('a', 0, 9)], [Segment('a', 0, 9)], 9);"
        "assert os.environ['PYANNOTE_METRICS_ENABLED'] == '0'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
