"""Numbers as people say them and as recognition spells them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.dutch.numbers import parse_number, parse_ordinal, spoken_digits
from tests.support.cases import sentences
from tests.support.numbers import number_words


@pytest.mark.parametrize(
    ("said", "value", "used"),
    sentences("numbers"),
)
def test_numbers_as_said(said: str, value: int, used: int) -> None:
    assert parse_number(said.split(), 0) == (value, used)


@pytest.mark.parametrize("said", ["weken", "", "en twintig", "honderdse", "Zevenaar", "driehoek", "vierkant", "achter"])
def test_other_words_are_no_numbers(said: str) -> None:
    assert parse_number(said.split(), 0) is None


def test_position_past_the_end_is_no_number() -> None:
    assert parse_number(["een"], 1) is None
    assert parse_ordinal(["eerste"], 1) is None
    assert spoken_digits(["een"], 1) is None


@given(st.integers(0, 999_999))
def test_spelled_numbers_are_read_back(n: int) -> None:
    assert parse_number([number_words(n)], 0) == (n, 1)


@given(st.integers(21, 99).filter(lambda n: n % 10), st.sampled_from(["{u} en {t}", "{u}en {t}", "{u}-en-{t}"]))
def test_numbers_taken_apart_are_read_back(n: int, form: str) -> None:
    said = form.format(u=number_words(n % 10), t=number_words(n - n % 10)).split()
    assert parse_number(said, 0) == (n, len(said))


@pytest.mark.parametrize("n", [-1, 1_000_000])
def test_numbers_out_of_range_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match="999999"):
        number_words(n)


@pytest.mark.parametrize(
    ("said", "digits", "used"),
    sentences("digits"),
)
def test_digits_as_said(said: str, digits: str, used: int) -> None:
    assert spoken_digits(said.split(), 0) == (digits, used)


def test_a_run_of_digits_ends_where_other_words_begin() -> None:
    assert spoken_digits(["geen", "vier"], 0) is None
    assert spoken_digits(["vier", "weken", "vijf"], 0) == ("4", 1)
    assert spoken_digits(["vier", "eh", "ja", "nou", "dus", "dan", "even", "vijf"], 0) == ("4", 1)


@given(st.text("0123456789", min_size=1, max_size=14))
def test_digits_one_by_one_are_read_back(digits: str) -> None:
    said = [number_words(int(digit)) for digit in digits]
    assert spoken_digits([word + "," for word in said], 0) == (digits, len(said))


@pytest.mark.parametrize(
    ("said", "value", "used"),
    sentences("ordinals"),
)
def test_ordinals_as_said(said: str, value: int, used: int) -> None:
    assert parse_ordinal(said.split(), 0) == (value, used)


@pytest.mark.parametrize(
    "said", ["een", "de", "eende", "driede", "achtde", "honderd", "zeven en", "zeven, en twintigste"]
)
def test_other_words_are_no_ordinals(said: str) -> None:
    assert parse_ordinal(said.split(), 0) is None
