"""The trained models beside the phrases: what is shipped, what is refused, and that training is reproducible."""

from __future__ import annotations

import itertools
import json
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.config import Config, load_config, project_root
from callanalytics.errors import InputError
from callanalytics.records import Transcript, Turn
from callanalytics.scoring import Detector, load_detector
from callanalytics.scoring.detector import Signs
from callanalytics.scoring.learned import (
    ARTEFACT,
    CALIBRATION,
    LONGEST,
    Calibration,
    load_calibration,
    load_learned,
    said,
    stretches,
)
from callanalytics.scoring.patterns import Pattern, PatternToken, PhraseMatcher, parse_pattern
from callanalytics.scoring.reader import Reader
from callanalytics.training.criteria import (
    KnownCall,
    Line,
    calibrate,
    groups_of,
    label,
    one_turn,
    read_calls,
    read_lines,
    train_criteria,
)

FOLDER = project_root() / "models" / "criteria"


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config()


@pytest.fixture(scope="module")
def detector(config: Config) -> Detector:
    return load_detector(config)


@pytest.fixture(scope="module")
def bare(config: Config) -> Detector:
    """The same without the models."""
    return load_detector(
        config.model_copy(update={"scorecard": config.scorecard.model_copy(update={"models": ""})})
    )


def test_what_is_shipped_loads_and_knows_groups_that_exist(bare: Detector) -> None:
    learned = load_learned(FOLDER / ARTEFACT)
    assert len(learned.groups) > 40
    assert set(learned.groups) <= set(groups_of(bare))
    load_calibration(FOLDER / CALIBRATION)


def test_misheard_words_that_no_phrase_matches_are_found_by_the_models(detector: Detector, bare: Detector) -> None:
    """Said three minutes into a call, by the agent: "dan wordt u morgen door een collega teruggebeld", misheard."""
    turns = (
        Turn(0, "agent", 0, 3000, "gemeente goedemorgen"),
        Turn(1, "citizen", 4000, 9000, "ik wacht nog op mijn vergunning"),
        Turn(2, "agent", 180_000, 184_000, "dan wort u morgen dor een kollega terug gebelt hoor"),
    )
    call = Transcript("c1", None, turns, (), (), 190_000)
    row = detector(call)[detector.ids.index("callback_promise")]
    assert row.detected
    assert row.source in ("model", "both")
    assert "morgen" in " ".join(evidence.quote for evidence in row.evidence)
    silent = Transcript("c1", None, turns[:2], (), (), 190_000)
    assert not detector(silent)[detector.ids.index("callback_promise")].detected


@given(st.lists(st.tuples(st.sampled_from(("ja", "bel", "morgen")), st.sampled_from(("", ".", "?"))), max_size=90))
def test_stretches_cover_every_sentence_and_none_is_too_long(words: list[tuple[str, str]]) -> None:
    reader = Reader({"ja", "bel", "morgen"})
    turn = reader.read(Turn(0, "agent", 0, 300 * len(words), " ".join(word + mark for word, mark in words)))
    found = stretches(turn)
    assert all(0 <= start < end <= len(turn.doc) and 2 <= end - start <= LONGEST for start, end in found)
    if len(turn.doc) >= 2 and not any(mark for _, mark in words):
        assert set(itertools.chain(*(range(*span) for span in found))) == set(range(len(turn.doc)))


def test_the_models_see_what_was_meant_and_how_it_sounded(detector: Detector) -> None:
    turn = detector.reader.read(Turn(0, "agent", 0, 900, "mijn kolega belt"))
    seen = said(turn, 0, len(turn.doc))
    assert seen.words == "mijn collega belt"
    assert seen.sounds == said(detector.reader.read(Turn(0, "agent", 0, 900, "mijn collega belt")), 0, 3).sounds


# --- what is refused ------------------------------------------------------------------------------------------------


def test_a_damaged_or_unsafe_artefact_is_refused(tmp_path: Path) -> None:
    from skops import io as skops_io

    unsafe = tmp_path / "unsafe.skops"
    skops_io.dump({"groups": Path("/")}, unsafe)  # a type that skops doesn't trust by itself
    damaged = tmp_path / "damaged.skops"
    damaged.write_bytes((FOLDER / ARTEFACT).read_bytes()[:5000])
    for path in (unsafe, damaged, tmp_path / "absent.skops"):
        with pytest.raises(InputError, match="no models of criteria"):
            load_learned(path)


@pytest.mark.parametrize("text", ["", "[]", '{"weights": [1], "bias": "x", "offsets": {}}', '{"weights": "a"}'])
def test_a_broken_calibration_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / CALIBRATION
    path.write_text(text)
    with pytest.raises(InputError, match="no calibration"):
        load_calibration(path)


@pytest.mark.parametrize("row", ["{", '{"text": "ja"}', '{"text": "ja", "role": "boss"}', '["ja"]'])
def test_a_broken_line_is_named(tmp_path: Path, row: str) -> None:
    path = tmp_path / "turns.jsonl"
    path.write_text('{"text": "ja", "role": "agent"}\n' + row + "\n")
    with pytest.raises(InputError, match="line 2"):
        read_lines(path)
    with pytest.raises(InputError, match="line 1"):
        read_calls(path)


# --- training -------------------------------------------------------------------------------------------------------


def test_a_label_is_the_writers_word_before_that_of_the_phrases(bare: Detector) -> None:
    groups = groups_of(bare)
    text = "Ik bel u morgen terug."
    assert label(bare, groups, Line(text, "agent"))["callback_promise"]
    assert not label(bare, groups, Line(text, "agent", no=frozenset({"callback_promise"})))["callback_promise"]
    assert "callback_promise" not in label(bare, groups, Line(text, "agent", unsure=frozenset({"callback_promise"})))
    assert "callback_promise" not in label(bare, groups, Line(text, "citizen"))


def test_calibration_believes_what_was_right_and_doubts_where_little_was_understood() -> None:
    """Of calls in which a find was right nine times in ten, and in badly heard ones something was often missed."""
    calls, signs = [], []
    rng = random.Random(0)
    for i in range(400):
        is_clear, is_found = i % 2 == 0, i % 4 < 2
        truth = rng.random() < (0.9 if is_found else 0.05 if is_clear else 0.4)
        calls.append(KnownCall(one_turn("agent", [("ja", 1.0)]), {"apology": truth}, True))
        signs.append({"apology": Signs(0.9 if is_found else 0.0, 0.8 if is_found else 0.02, 0.95 if is_clear else 0.6)})
    tree = calibrate(calls, signs)
    probability = Calibration(tree["weights"], tree["bias"], tree["offsets"])
    assert 0.8 < probability("apology", 0.9, 0.8, 0.95) < 0.98
    assert 0.02 < probability("apology", 0.0, 0.02, 0.95) < 0.2
    assert probability("apology", 0.0, 0.02, 0.6) > probability("apology", 0.0, 0.02, 0.95)


def test_training_twice_gives_the_same_models(tmp_path: Path, config: Config) -> None:
    rows = (FOLDER / "turns.jsonl").read_text(encoding="utf-8").splitlines()
    chosen = [row for row in rows if '"greeting_municipality"' in row][:60] + rows[:60]
    calls = (FOLDER / "calls.jsonl").read_text(encoding="utf-8").splitlines()[:8]
    results = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "turns.jsonl").write_text("\n".join(chosen) + "\n", encoding="utf-8")
        (folder / "calls.jsonl").write_text("\n".join(calls) + "\n", encoding="utf-8")
        learnt = train_criteria(folder, config)
        assert learnt["groups"] >= 1
        assert learnt["calls"] == 8
        learned = load_learned(folder / ARTEFACT)
        turn = load_detector(config).reader.read(Turn(0, "agent", 0, 900, "goedemorgen gemeente zutphen"))
        texts = [said(turn, 0, 3), said(turn, 1, 3)]
        results.append((learned.groups, learned.probabilities(texts).tolist(), (folder / CALIBRATION).read_text()))
    assert results[0] == results[1]
    assert json.loads(results[0][2])["weights"]
    shutil.rmtree(tmp_path / "two")


# --- the matcher ----------------------------------------------------------------------------------------------------


def brute(words: list[str], sequence: tuple[PatternToken, ...], start: int) -> set[int]:
    """Every end of the sequence at `start`, word by word: what PhraseMatcher has to find, slowly."""
    if not sequence:
        return {start}
    first, rest = sequence[0], sequence[1:]
    if first.gap:
        return {end for n in range(first.gap + 1) if start + n <= len(words) for end in brute(words, rest, start + n)}
    if start < len(words) and (words[start] in first.texts or first.slot == "woord"):
        return brute(words, rest, start + 1)
    return set()


LINES = ("a b", "a ..2 b", "(a|b) [c] ..3 (a|c) ..1 b", "a ..2", "a {woord} b ..1 c", "[a] b ..2 a ..2 a", "b ... b")


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=14))
def test_the_matcher_finds_what_reading_word_by_word_finds(letters: list[str]) -> None:
    names = {"a": "bel", "b": "morgen", "c": "terug", "d": "ja"}
    words = [names[letter] for letter in letters]
    patterns: list[Pattern] = []
    for line in LINES:
        for letter, name in names.items():
            line = line.replace(f"{letter} ", f"{name} ").replace(f"{letter}|", f"{name}|")  # noqa: PLW2901
            line = line.replace(f"{letter})", f"{name})").replace(f"{letter}]", f"{name}]")  # noqa: PLW2901
            line = line[:-1] + name if line.endswith(f" {letter}") else line  # noqa: PLW2901
        patterns.append(parse_pattern(line))
    reader = Reader(set(names.values()))
    turn = reader.read(Turn(0, "agent", 0, 300 * len(words), " ".join(words)))
    found = PhraseMatcher(reader.vocab, {"all": patterns}, lambda doc: None)(turn).get("all", [])
    expected = {
        (start, end, pattern.line)
        for pattern in patterns
        for sequence in pattern.sequences
        for start in range(len(words))
        for end in brute(words, sequence, start)
    }
    assert {(start, end, pattern.line) for start, end, pattern in found} == expected
    assert len(found) == len(expected)
