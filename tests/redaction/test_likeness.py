"""The model that tells recognised names from recognised words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from callanalytics.config import project_root
from callanalytics.dutch.lexicon import load_lexicon
from callanalytics.dutch.memory import forget_words
from callanalytics.errors import InputError
from callanalytics.records import Transcript, Turn
from callanalytics.redaction import likeness as likeness_module
from callanalytics.redaction.cues import load_cues
from callanalytics.redaction.likeness import (
    FINDS,
    Find,
    load_likeness,
    may_be_judged,
    nearness,
    sound_of,
    sounds_like_one_of,
)
from callanalytics.redaction.names import mark_names
from callanalytics.redaction.tokens import CallTokens

FOLDER = project_root() / "models" / "names"
LEXICON = load_lexicon()
CUES = load_cues(project_root() / "configs" / "redaction")
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


def names_in(text: str, sure: float) -> list[str]:
    """What stays marked in a citizen's line when every find is a name with this probability."""
    call = CallTokens.of(Transcript("c1", None, (Turn(0, "citizen", 0, 9_000, text),)))
    mark_names(call, LEXICON, CUES, likeness=[0.3] * len(call.tokens), judge=lambda finds: [sure] * len(finds))
    return [token.text for token in call.tokens if token.kind == "person_name"]


def test_a_find_that_is_hardly_a_name_is_taken_back() -> None:
    line = "Ik sprak met Norbroek, en met dokter Van Heeswijk."
    assert names_in(line, 1.0) == ["Norbroek,", "Van", "Heeswijk."]
    assert names_in(line, 0.0) == ["Van", "Heeswijk."]  # behind its title a capital is enough


def test_what_is_listed_or_announced_needs_less() -> None:
    assert names_in("Goedemorgen, met Norbroek.", 0.3) == ["Norbroek."]
    assert names_in("Goedemorgen, met Norbroek.", 0.2) == []
    assert names_in("Dat zei onze Gerrit ook.", 0.21) == ["Gerrit"]
    assert names_in("Dat zei onze Gerrit ook.", 0.19) == []


def test_an_ordinary_word_misheard_is_near_one_and_a_name_near_names() -> None:
    ordinary, name = nearness("vergunnink", LEXICON)
    assert ordinary > name
    ordinary, name = nearness("dijkstraa", LEXICON)
    assert name > ordinary


def test_words_of_a_call_are_forgotten_after_it() -> None:
    assert LEXICON.is_dutch("vergunning")
    nearness("dijkstraa", LEXICON)
    forget_words()
    caches = (LEXICON.is_dutch, sound_of, likeness_module._nearness)
    assert [cache.cache_info().currsize for cache in caches] == [0, 0, 0]  # type: ignore[attr-defined]


def test_finds_have_a_probability_each() -> None:
    name = Find((0,), ["r=introduced title", "d=False", "l=True", "c=True", "L0.9", "L0.95", "t=True"])
    word = Find((1,), ["r=witnessed", "d=True", "l=False", "c=False", "t=False"])
    sure, unsure = LIKENESS.of_finds([name, word])
    assert sure > 0.7
    assert unsure < 0.4
    assert LIKENESS.of_finds([]) == []


def test_a_missing_or_damaged_model_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        load_likeness(tmp_path)
    shutil.copy(FOLDER / FINDS, tmp_path / FINDS)
    (tmp_path / "names.skops").write_bytes(b"no model")
    with pytest.raises(InputError):
        load_likeness(tmp_path)
    shutil.copy(project_root() / "models" / "roles" / "roles.skops", tmp_path / "names.skops")
    with pytest.raises(InputError):
        load_likeness(tmp_path)
