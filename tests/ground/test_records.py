"""Rows and their Arrow schemas: one source for columns, types and descriptions."""

from __future__ import annotations

import dataclasses
import pickle
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from callanalytics.errors import (
    CallAnalyticsError,
    CallError,
    ConfigError,
    DeviceMissing,
    InputError,
    ManifestError,
    ModelMissing,
    ModelRefused,
    ModelUnreachable,
    QueryError,
    StoreError,
    StoreLocked,
    UserError,
    WorkerError,
)
from callanalytics.records import DATASETS, Evidence, StoredWord, arrow_schema, arrow_type, to_rows
from tests.support.fakes import CRITERIA, ITEMS, call_result, failure_row

# design.md section 5: queries of analysts rely on these names.
CONTRACT = {
    "calls": """call_id started_at duration_ms queue direction agent_ref caller_ref recording_sha256 layout
        role_confidence language_probability asr_confidence speech_ms talk_ms_agent talk_ms_citizen
        talk_ratio_agent non_talk_ms max_non_talk_ms hold_ms hold_count overlap_ms interruptions_agent
        interruptions_citizen wpm_agent wpm_citizen response_latency_ms_agent turns_agent turns_citizen
        topic topic_probability scorable not_scorable_reason score potential_score normalized_score
        compliance_status item_opening topics topic_sensitive readability_agent sentence_words_agent
        criterion_greeting probability_greeting schema_version pipeline_fingerprint scoring_fingerprint
        scorecard_version run_id processed_at""",
    "turns": "call_id turn_index role channel speaker start_ms end_ms text words",
    "criteria": "call_id criterion applicable detected status probability source evidence scorecard_version",
    "promises": "call_id promise_index type by deadline_text due_at number_confirmed quote start_ms end_ms",
    "events": "call_id type by start_ms end_ms",
    "score_history": "call_id scorecard_version scoring_fingerprint normalized_score criteria superseded_at",
    "failures": "call_id recording stage error message attempts run_id failed_at",
    "runs": "run_id started_at finished_at audio_ms versions pipeline_fingerprint wall_ms_by_stage",
}


@pytest.mark.parametrize("dataset", DATASETS)
def test_datasets_have_the_columns_of_the_contract(dataset: str) -> None:
    schema = arrow_schema(dataset, CRITERIA, ITEMS)
    assert set(CONTRACT[dataset].split()) <= set(schema.names)
    assert len(set(schema.names)) == len(schema.names)


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_column_is_described(dataset: str) -> None:
    for column in arrow_schema(dataset, CRITERIA, ITEMS):
        assert len(column.metadata[b"description"]) > 5


@pytest.mark.parametrize("dataset", DATASETS)
def test_times_are_whole_milliseconds_and_moments_are_utc(dataset: str) -> None:
    for column in arrow_schema(dataset):
        if column.name.endswith("_ms"):
            assert column.type == pa.int64()
        if column.name.endswith("_at"):
            assert column.type == pa.timestamp("ms", tz="UTC")


def test_types_are_taken_from_hints() -> None:
    assert arrow_type(int | None) == pa.int64()
    assert arrow_type(tuple[StoredWord, ...]).value_type.field("confidence").type == pa.float64()
    assert arrow_type(dict[str, int]) == pa.map_(pa.string(), pa.int64())
    assert arrow_type(datetime | None) == pa.timestamp("ms", tz="UTC")
    with pytest.raises(TypeError):
        arrow_type(bytes)


def test_a_result_becomes_rows_that_fit_their_schema_and_come_back_equal() -> None:
    result = call_result("c1")
    for dataset in ("calls", "turns", "criteria", "promises", "events"):
        rows = to_rows(result, dataset)
        table = pa.Table.from_pylist(rows, schema=arrow_schema(dataset, CRITERIA, ITEMS))
        plain = [{**row, **{k: list(v) for k, v in row.items() if isinstance(v, tuple)}} for row in rows]
        assert table.to_pylist() == plain


def test_calls_gain_status_and_probability_per_criterion() -> None:
    (row,) = to_rows(call_result("c1"), "calls")
    assert {k: v for k, v in row.items() if k.startswith(("criterion_", "probability_"))} == {
        "criterion_greeting": "met", "probability_greeting": 1.0,
        "criterion_farewell": "met", "probability_farewell": 1.0,
    }  # fmt: skip


def test_records_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Evidence(0, "agent", 0, 1, "x").quote = "y"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        failure_row("c1").attempts = 5  # type: ignore[misc]


def test_results_travel_between_processes() -> None:
    result = call_result("c1")
    assert pickle.loads(pickle.dumps(result)) == result


ERRORS = [
    CallError(call_id="c1", stage="decode", reason="it is bad; mend it."),
    ConfigError(path="a.toml", reason='unknown key "x".'),
    DeviceMissing(),
    InputError(path="x", reason="there is no such file."),
    ManifestError(path="calls.csv", reason="line 3."),
    ModelMissing(name="m", reason="gone"),
    ModelRefused(name="m", file="model.bin"),
    ModelUnreachable(name="m", reason="no network"),
    StoreError(path="out", reason="full."),
    QueryError(reason="there is no such column."),
    StoreLocked(path="out"),
    UserError(reason="there is nobody with that name."),
    WorkerError(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_are_one_sentence_and_survive_the_way_between_processes(error: CallAnalyticsError) -> None:
    message = str(error)
    assert message
    assert "\n" not in message
    assert "{" not in message
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.fields) == (type(error), message, error.fields)
    assert error.exit_code == (1 if isinstance(error, CallError) else 2)


def test_every_error_is_in_the_list_above() -> None:
    assert {type(error) for error in ERRORS} == set(CallAnalyticsError.__subclasses__())


def test_a_call_error_knows_its_stage_and_reason() -> None:
    error = CallError(call_id="c1", stage="decode", reason="it is bad; mend it.")
    assert (error.stage, error.reason) == ("decode", "it is bad; mend it.")
    assert str(error) == "Call c1 failed at stage decode: it is bad; mend it."


def test_moments_of_any_zone_are_stored_as_utc() -> None:
    started = datetime.fromisoformat("2026-10-05T09:42:00+02:00")
    rows = to_rows(call_result("c1", started_at=started), "calls")
    table = pa.Table.from_pylist(rows, schema=arrow_schema("calls", CRITERIA, ITEMS))
    assert table["started_at"][0].as_py() == datetime(2026, 10, 5, 7, 42, tzinfo=UTC)
