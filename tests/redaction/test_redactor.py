"""Redaction of what people say.  All persons and numbers here are invented."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callanalytics.config import load_config
from callanalytics.dutch.numbers import spoken_digits
from callanalytics.records import PLACEHOLDER, PLACEHOLDERS, Transcript, Turn, Word
from callanalytics.redaction.redactor import Redactor
from tests.support.numbers import number_words
from tests.support.paths import DATA

REDACTOR = Redactor(load_config())
NOON = datetime(2025, 11, 5, 11, 0, tzinfo=UTC)
ROLES = {"A": "agent", "C": "citizen", "I": "ivr", "U": "unknown"}


def call_of(dialogue: str, with_words: bool = True) -> Transcript:
    """A call from lines "A: ..." (agent) and "C: ..." (citizen), a second a word."""
    turns = []
    at = 0
    for index, line in enumerate(dialogue.strip().splitlines()):
        who, text = line.strip().split(": ", 1)
        pieces = text.split()
        words = tuple(Word(p, at + i * 1000, at + (i + 1) * 1000, 0.9) for i, p in enumerate(pieces))
        end = at + len(pieces) * 1000
        turns.append(Turn(index, ROLES[who], at, end, text, words if with_words else ()))  # type: ignore[arg-type]
        at = end
    return Transcript("test", NOON, tuple(turns), duration_ms=at)


def redact(dialogue: str) -> list[str]:
    """The texts of the turns after redaction."""
    return [turn.text for turn in REDACTOR(call_of(dialogue)).transcript.turns]


def read_calls() -> dict[str, tuple[str, str]]:
    """The calls of redact_calls.txt: name -> dialogue and what is left of its last turn."""
    text = (DATA / "redact_calls.txt").read_text(encoding="utf-8")
    calls = {}
    for block in text.split("\n# ")[1:]:
        name, *lines = block.strip().splitlines()
        calls[name] = ("\n".join(lines[:-1]), lines[-1].removeprefix("= "))
    return calls


CALLS = read_calls()


@pytest.mark.parametrize("name", CALLS)
def test_what_is_said_and_what_is_left(name: str) -> None:
    dialogue, expected = CALLS[name]
    assert redact(dialogue)[-1] == expected


@pytest.mark.parametrize("name", CALLS)
def test_redacting_twice_changes_nothing(name: str) -> None:
    once = REDACTOR(call_of(CALLS[name][0]))
    again = REDACTOR(once.transcript)
    assert again.transcript == once.transcript
    assert again.spans == ()


@pytest.mark.parametrize("name", CALLS)
def test_text_without_words_is_redacted_alike(name: str) -> None:
    dialogue = CALLS[name][0]
    plain = REDACTOR(call_of(dialogue, with_words=False)).transcript
    assert [turn.text for turn in plain.turns] == redact(dialogue)
    assert all(turn.words == () for turn in plain.turns)


def test_a_span_is_one_word_with_the_times_of_what_it_replaced() -> None:
    redacted = REDACTOR(call_of("A: Wat is het telefoonnummer?\nC: Dat is nul zes, twaalf, dertien, acht acht, negen."))
    turn = redacted.transcript.turns[1]
    assert [word.text for word in turn.words] == ["Dat", "is", "[PHONE]."]
    assert (turn.words[2].start_ms, turn.words[2].end_ms, turn.words[2].confidence) == (6000, 13000, 0.9)
    (span,) = redacted.spans
    assert (span.kind, span.turn_index, span.start_ms, span.end_ms) == ("phone", 1, 6000, 13000)


def test_times_are_shared_out_where_words_have_none() -> None:
    redacted = REDACTOR(call_of("C: Met Jolanda Kwakernaak.", with_words=False))
    (span,) = redacted.spans
    assert 0 < span.start_ms < span.end_ms == 3000


def test_the_person_not_the_party_is_redacted_when_roles_are_unknown() -> None:
    texts = redact("U: Mag ik uw geboortedatum?\nU: Ja, drie mei negentienzestig.\nU: Dank u.")
    assert texts[1] == "Ja, [BIRTH_DATE]."


def test_only_configured_kinds_are_replaced() -> None:
    config = load_config()
    kinds = tuple(kind for kind in config.redaction.kinds if kind != "person_name")
    redactor = Redactor(config.model_copy(update={"redaction": config.redaction.model_copy(update={"kinds": kinds})}))
    redacted = redactor(call_of("C: Met Piet Paaltjens, mijn b s n is 123456782."))
    assert [turn.text for turn in redacted.transcript.turns] == ["Met Piet Paaltjens, mijn b s n is [BSN]."]


def test_case_numbers_are_replaced_when_configured() -> None:
    config = load_config()
    redaction = config.redaction.model_copy(update={"kinds": (*config.redaction.kinds, "case_number")})
    redacted = Redactor(config.model_copy(update={"redaction": redaction}))(call_of(CALLS["case number"][0]))
    assert redacted.transcript.turns[0].text == "Uw meldingsnummer is [CASE_NUMBER]."


def test_special_data_stay_when_not_configured() -> None:
    config = load_config()
    kinds = tuple(kind for kind in config.redaction.kinds if kind not in ("special", "document_number"))
    redactor = Redactor(config.model_copy(update={"redaction": config.redaction.model_copy(update={"kinds": kinds})}))
    text = "Mijn zoon heeft autisme, mijn b s n is 123456782 en mijn paspoortnummer is NX12 AB347."
    (turn,) = redactor(call_of(f"C: {text}")).transcript.turns
    assert turn.text == "Mijn zoon heeft autisme, mijn b s n is [BSN] en mijn paspoortnummer is NX12 AB347."
    assert redact(f"C: {text}")[0].count("[") == 3


def test_an_empty_call_stays_empty() -> None:
    empty = Transcript("x", None, (Turn(0, "citizen", 0, 0, ""), Turn(1, "agent", 0, 10, "", (Word("", 0, 5),))))
    assert REDACTOR(empty).spans == ()


# --- whatever is said -----------------------------------------------------------------------------------------------

_VOCABULARY = """
    ja nee eh dus en met is nummer mijn u meneer mevrouw geboortedatum postcode bsn kenteken telefoonnummer huisnummer
    mailadres punt apenstaartje gmail nl com n l p b 06 6704 PB 1967 maart mei Wit Jansen van de uur weken euro
    rabo Merelstraat Zwolle zaaknummer rekeningnummer naam heet wie spreek ik hallo. klopt? nul twaalf, vierendertig,
"""
_words = st.one_of(
    st.sampled_from(_VOCABULARY.split()), st.integers(0, 120).map(number_words), st.integers(0, 999_999).map(str)
)
_turns = st.lists(
    st.tuples(st.sampled_from(["A", "C", "U", "I"]), st.lists(_words, min_size=1, max_size=14).map(" ".join)),
    min_size=1,
    max_size=6,
).map(lambda turns: "\n".join(f"{who}: {text}" for who, text in turns))


@settings(max_examples=150, deadline=None)
@given(_turns)
def test_nothing_is_found_a_second_time(dialogue: str) -> None:
    once = REDACTOR(call_of(dialogue))
    assert REDACTOR(once.transcript) == type(once)(once.transcript)


@settings(max_examples=150, deadline=None)
@given(_turns)
def test_no_eight_digits_in_a_row_survive(dialogue: str) -> None:
    for turn in REDACTOR(call_of(dialogue)).transcript.turns:
        tokens = turn.text.split()
        at = 0
        while at < len(tokens):
            run = spoken_digits(tokens, at)
            years = run and all(re.fullmatch(r"(19|20)\d\d\W*|en|dus|ja|nee|eh", t) for t in tokens[at : at + run[1]])
            assert run is None or years or len(run[0]) < 8, turn.text
            at += run[1] if run else 1


@settings(max_examples=100, deadline=None)
@given(_turns)
def test_times_stay_ordered_and_inside_the_turn(dialogue: str) -> None:
    call = call_of(dialogue)
    redacted = REDACTOR(call)
    for before, after in zip(call.turns, redacted.transcript.turns, strict=True):
        times = [time for word in after.words for time in (word.start_ms, word.end_ms)]
        assert times == sorted(times)
        assert before.start_ms <= times[0]
        assert times[-1] <= before.end_ms
        assert after.text == " ".join(word.text for word in after.words)
        placeholders = [found for word in after.words for found in PLACEHOLDER.findall(word.text)]
        kinds = [PLACEHOLDERS[span.kind] for span in redacted.spans if span.turn_index == after.turn_index]
        assert sorted(placeholders) == sorted(kinds)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 99), min_size=4, max_size=5), st.sampled_from(["nul zes", "06", "nulzes"]))
def test_mobile_numbers_in_pairs_are_found(pairs: list[int], start: str) -> None:
    said = " ".join([start, *(number_words(pair) if pair > 9 else f"nul {number_words(pair)}" for pair in pairs)])
    assert redact(f"C: Het is {said} hoor.")[-1] == "Het is [PHONE] hoor."


def test_no_text_of_a_call_stands_in_the_spans() -> None:
    spans = REDACTOR(call_of("C: Met Jolanda Kwakernaak, 123456782.")).spans
    assert not re.search("Jolanda|Kwakernaak|1234", repr(spans))
