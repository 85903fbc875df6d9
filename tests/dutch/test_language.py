"""Words made comparable: normalisation, verb forms, mishearings, and the way back to the recognised words."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest

from callanalytics.dutch.sounds import sound
from callanalytics.dutch.verbs import verb_forms
from callanalytics.dutch.words import normalise, normalise_word
from callanalytics.records import Turn, Word
from callanalytics.scoring.reader import Reader, turn_words
from tests.support.cases import sentences


@pytest.fixture(scope="module")
def reader() -> Reader:
    words = (
        "ik bel u terug teruggebeld doorverbinden zaaknummer bsn digid klopt dat geboortedatum waarmee verificatie mijn"
    )
    return Reader(words.split(), names=["Lotte"], places=["Ede"])


def read(reader: Reader, text: str) -> list[str]:
    return [token.text for token in reader.read(Turn(0, "agent", 0, 5000, text)).doc]


def test_short_forms_accents_fillers_and_punctuation_are_evened_out() -> None:
    assert normalise("Eh, 't is m'n zoon z'n Wmo-aanvraag, één keer!") == "het is mijn zoon zijn wmo aanvraag een keer"


def test_a_placeholder_stays_one_token() -> None:
    assert normalise_word("[NAME].") == ("[NAME]",)
    assert normalise("Dag mevrouw [NAME], tot [BIRTH_DATE]!") == "dag mevrouw [NAME] tot [BIRTH_DATE]"


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("bellen", {"bel", "belt", "belde", "gebeld"}),
        ("terugbellen", {"terugbel", "teruggebeld", "terugtebellen", "terugbelt"}),
        ("verhuizen", {"verhuis", "verhuisd", "verhuisde"}),
        ("informeren", {"informeer", "geinformeerd"}),
        ("regelen", {"regel", "regelt", "geregeld"}),
        ("uitzoeken", {"uitgezocht", "uitzoek"}),
    ],
)
def test_verb_forms_are_made_from_the_infinitive(verb: str, forms: set[str]) -> None:
    assert forms <= verb_forms(verb)


@pytest.mark.parametrize(
    ("heard", "read_as"),
    sentences("mishearings"),
)
def test_likely_mishearings_are_read_as_the_word_meant(reader: Reader, heard: str, read_as: list[str]) -> None:
    assert read(reader, heard) == read_as


@pytest.mark.parametrize("word", ["beschikbaar", "meldde", "verkering", "rebel"])
def test_a_dutch_word_is_never_taken_for_another(reader: Reader, word: str) -> None:
    assert read(reader, word) == [word]


def test_a_mishearing_is_marked_as_less_likely(reader: Reader) -> None:
    turn = reader.read(Turn(0, "agent", 0, 1000, "ik bel u trug"))
    assert turn.likeness[:3] == (1.0, 1.0, 1.0)
    assert turn.likeness[3] < 1.0


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("met [NAME]", ["WORD", "NAME"]),
        ("met Lotte", ["WORD", "NAME"]),
        ("Met Hendriks", ["WORD", "NAME"]),
        ("met mijn", ["WORD", "WORD"]),
        ("Ede zevenentwintig vrijdag", ["PLACE", "NUM", "TIME"]),
    ],
)
def test_slots_know_names_places_numbers_and_times(reader: Reader, text: str, tags: list[str]) -> None:
    assert [t.tag_ for t in reader.read(Turn(0, "agent", 0, 1000, text)).doc] == tags


def test_tokens_lead_back_to_the_words_and_their_times(reader: Reader) -> None:
    words = (
        Word("Ik", 100, 200),
        Word("bel", 200, 300),
        Word("terug", 900, 1000, 0.5),
        Word("gebeld.", 1000, 1400, 0.7),
    )
    turn = reader.read(Turn(0, "agent", 100, 1400, "Ik bel terug gebeld.", words))
    assert [t.text for t in turn.doc] == ["ik", "bel", "teruggebeld"]
    assert turn.span_ms(2, 3) == (900, 1400)
    assert turn.quote(1, 3) == "bel terug gebeld."
    assert turn.confidence(2, 3) == pytest.approx(0.6)
    assert turn.ends[2] == "."


def test_a_turn_without_words_gets_times_within_its_own() -> None:
    words = turn_words(Turn(0, "agent", 1000, 2000, "een twee drie"))
    assert [w.text for w in words] == ["een", "twee", "drie"]
    assert words[0].start_ms == 1000
    assert words[-1].end_ms == 2000
    assert all(a.end_ms == b.start_ms for a, b in itertools.pairwise(words))


def test_words_that_sound_alike_share_a_key() -> None:
    assert sound("gebelt") == sound("gebeld")
    assert sound("feilig") == sound("veilig")
    assert sound("bellen") != sound("melden")


def test_importing_the_package_loads_no_language_engine() -> None:
    code = "import sys, callanalytics.dutch.words, callanalytics.scoring.promises, callanalytics.scoring.topics; "
    code += "print([m for m in ('spacy', 'simplemma', 'rapidfuzz', 'sklearn', 'holidays') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
