"""Truth files: read, refused, personal data found where they are said."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callanalytics.config import project_root
from callanalytics.errors import InputError
from callanalytics.evaluation.truth import (
    TrueTurn,
    datum_of_words,
    load_truth,
    load_truths,
    parse_truth,
    perfect_transcript,
)
from tests.support.truths import tree


def test_second_agent_is_agent_and_times_are_ms() -> None:
    truth = parse_truth(tree())
    assert [turn.role for turn in truth.turns] == ["ivr", "agent", "citizen", "agent"]
    assert truth.turns[1].start_ms == 3000
    assert truth.holds == ((12_000, 29_000),)


def test_data_are_found_where_their_speaker_says_them() -> None:
    truth = parse_truth(tree())
    found = [(d.kind, d.turn, d.first, d.last) for d in truth.data]
    # "Boer" lies inside the longer name; T says Jansen too, but the truth lists it for C only; the first "negen" is
    # an hour, the second follows "nummer".
    assert found == [("person_name", 1, 2, 5), ("person_name", 2, 1, 2), ("house_number", 2, 7, 8)]


def test_data_that_nobody_says_are_counted() -> None:
    pii = [*tree()["pii"], {"kind": "bsn", "s": "C", "text": "een twee drie"}]
    assert parse_truth(tree(pii=pii)).lost_data == 1
    assert parse_truth(tree()).lost_data == 0


def test_masking_keeps_punctuation_and_the_rest() -> None:
    truth = parse_truth(tree())
    assert truth.masked(1) == "Goedemorgen, met [NAME]."
    assert truth.masked(2) == "Met [NAME], om negen uur, Kade nummer [HOUSE_NUMBER]."
    assert truth.masked(3) == "Ik bel u morgen terug, meneer Jansen."


def test_of_two_data_on_one_word_the_longer_has_it() -> None:
    pii = [
        {"kind": "email", "s": "C", "text": "jansen apenstaart kade punt nl"},
        {"kind": "person_name", "s": "C", "text": "jansen"},
    ]
    turns = [{"speaker": "C", "start": 0, "end": 4, "text": "op jansen apenstaart kade punt nl graag"}]
    truth = parse_truth(tree(turns=turns, pii=pii))
    assert {at: d.kind for at, d in datum_of_words(truth.data, 0).items()} == dict.fromkeys(range(1, 6), "email")
    assert truth.masked(0) == "op [EMAIL] graag"


def test_a_quote_gets_its_time_by_its_place_in_the_turn() -> None:
    [promise] = parse_truth(tree()).promises
    assert promise.span is not None
    assert promise.span[0] == 30_000
    assert 31_500 < promise.span[1] < 33_500
    assert parse_truth(tree(promise=[{"type": "visit", "due": None, "quote": "nergens"}])).promises[0].span is None


def test_span_shares_time_by_characters() -> None:
    turn = TrueTurn("A", "agent", 1000, 2000, "aaaa bbbb")
    assert turn.span_of(0, 1) == (1000, 1500)
    assert turn.span_of(1, 2) == (1500, 2000)


def test_perfect_transcript_has_the_events_of_its_turns() -> None:
    truth = parse_truth(tree())
    transcript = perfect_transcript(truth, datetime(2026, 10, 5, 9, tzinfo=UTC))
    kinds = [(e.type, e.start_ms, e.end_ms) for e in transcript.events]
    # 20 s between the turns, but a hold explains them.
    assert kinds == [("hold", 12_000, 29_000), ("transfer", 6000, 30_000)]
    assert transcript.turns[2].text.startswith("Met [NAME]")
    silent = perfect_transcript(parse_truth(tree(holds=[])), None)
    assert ("dead_air", 10_000, 30_000) in [(e.type, e.start_ms, e.end_ms) for e in silent.events]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "no JSON"),
        ("[1]", "not laid out"),
        (json.dumps({k: v for k, v in tree().items() if k != "holds"}), "'holds'"),
        (json.dumps(tree(roles={"A": "boss", "C": "citizen", "I": "ivr", "T": "agent"})), "'boss'"),
        (json.dumps(tree(pii=[{"kind": "shoe_size", "s": "A", "text": "42"}])), "'shoe_size'"),
        (json.dumps(tree(holds=[["a", 1]])), "not laid out"),
    ],
)
def test_a_bad_truth_file_says_what_is_wrong(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "t1.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=said) as caught:
        load_truth(path)
    assert "t1.json" in str(caught.value)


def test_a_folder_without_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no truth files"):
        load_truths(tmp_path)
    with pytest.raises(InputError, match="No such file"):
        load_truth(tmp_path / "none.json")


def test_the_bundled_truth_can_be_read() -> None:
    truths = load_truths(project_root() / "callanalytics" / "demo" / "truth")
    assert len(truths) == 5
    assert all(promise.span for truth in truths.values() for promise in truth.promises)
    assert all(truth.data for truth in truths.values())
