"""The model that tells recognised names from recognised words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from callanalytics.config import project_root
from callanalytics.errors import InputError
from callanalytics.name_likeness import load_likeness, may_be_judged, sound_of, sounds_like_one_of
from callanalytics.reading import load_lexicon

FOLDER = project_root() / "models" / "names"
LEXICON = load_lexicon()
LIKENESS = load_likeness(FOLDER)


def likeness(line: str, role: str, word: str) -> float:
    words = line.split()
    return LIKENESS.of_line(words, role, LEXICON)[words.index(word)]


def test_a_garbled_name_looks_more_like_one_than_a_garbled_word() -> None:
    name = likeness("Dank u wel, mevrouw Norbroek.", "agent", "Norbroek.")
    word = likeness("Dan heb ik uw bergerse vresnummer nodig.", "citizen", "vresnummer")
    assert name > 0.7
    assert word < 0.1


def test_the_same_word_looks_like_a_name_where_one_is_due() -> None:
    assert likeness("u spreekt met hielkema", "citizen", "hielkema") > likeness(
        "de hielkema staat nog buiten", "citizen", "hielkema"
    )


def test_a_line_has_a_probability_per_word() -> None:
    found = LIKENESS.of_line(["Goedemorgen,", "met", "Wietske."], "agent", LEXICON)
    assert len(found) == 3
    assert all(0 <= p <= 1 for p in found)
    assert LIKENESS.of_line([], "agent", LEXICON) == []


def test_placeholders_are_read_as_names_said_before() -> None:
    assert len(LIKENESS.of_line(["met", "[NAME],", "ik", "bel"], "citizen", LEXICON)) == 4


@pytest.mark.parametrize("word", ["de", "vier", "mijn", "ab", "x3y", "van"])
def test_small_words_and_numbers_are_not_judged(word: str) -> None:
    assert not may_be_judged(word, LEXICON)


def test_spellings_of_one_sound_are_alike() -> None:
    assert sound_of("kuijpers") == sound_of("cuipers") == sound_of("kuypers")
    assert sound_of("dijkstra") != sound_of("dekker")
    assert sounds_like_one_of("slachter", frozenset(["slagter"]))
    assert not sounds_like_one_of("kin", frozenset(["kim"]))


def test_a_missing_or_damaged_model_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        load_likeness(tmp_path)
    (tmp_path / "names.skops").write_bytes(b"no model")
    with pytest.raises(InputError):
        load_likeness(tmp_path)
    shutil.copy(project_root() / "models" / "roles" / "roles.skops", tmp_path / "names.skops")
    with pytest.raises(InputError):
        load_likeness(tmp_path)
