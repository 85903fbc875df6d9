"""Numbers as people say them and as recognition spells them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.dutch.numbers import parse_number, parse_ordinal, spoken_digits
from tests.support.numbers import number_words


@pytest.mark.parametrize(
    ("said", "value", "used"),
    [
        ("eenentwintig", 21, 1),
        ("één en twintig", 21, 3),
        ("een-en-veertig", 41, 1),
        ("drieendertig", 33, 1),
        ("Drieëndertig,", 33, 1),
        ("drieën dertig", 33, 2),
        ("zevenen zestig", 67, 2),
        ("zevenzestig", 67, 1),
        ("zeven enzestig", 67, 2),
        ("zeventig", 70, 1),
        ("negentig", 90, 1),
        ("honderdtwaalf", 112, 1),
        ("honderd twaalf", 112, 2),
        ("honderd en twaalf", 112, 3),
        ("driehonderd tachtig", 380, 2),
        ("drie honderd tachtig", 380, 3),
        ("driehonderd, tachtig", 300, 1),
        ("negentienhonderd eenenveertig", 1941, 2),
        ("negentienhonderd een en veertig", 1941, 4),
        ("negentienvijfentachtig", 1985, 1),
        ("negentien vijfentachtig", 1985, 2),
        ("negentientachtig", 1980, 1),
        ("negentien en twintig", 19, 1),
        ("tweeduizend zeventien", 2017, 2),
        ("twee duizend en vier", 2004, 4),
        ("tweeduizend driehonderd vijf", 2305, 3),
        ("1941", 1941, 1),
        ("21.", 21, 1),
        ("zes weken", 6, 1),
        ("twee, en dertig", 2, 1),
        ("zeuven", 7, 1),
        ("vijftien euro", 15, 1),
    ],
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
    [
        ("nul zes twaalf vierendertig", "061234", 4),
        ("Nul zes, twaalf, vierendertig, negenenvijftig", "06123459", 5),
        ("nulzes acht negen", "0689", 3),
        ("06 12 34 en dan nog", "061234", 3),
        ("06-12345678 dat is hem", "0612345678", 1),
        ("negen eh negen en nee acht", "98", 6),
        ("vier drie, nee, acht", "48", 4),
        ("vier dus vier zeven een twee zeg", "44712", 6),
        ("dubbel acht drie keer nul", "88000", 5),
        ("nul zes negentien vierendertig", "061934", 4),
        ("zeven en zestig nul vier p b", "6704", 5),
        ("zes, sorry, ik bedoel zeven", "7", 5),
        ("twee weken", "2", 1),
    ],
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
    [
        ("eerste", 1, 1),
        ("tweede", 2, 1),
        ("derde", 3, 1),
        ("zevende", 7, 1),
        ("achtste", 8, 1),
        ("vijftiende", 15, 1),
        ("twintigste.", 20, 1),
        ("eenendertigste", 31, 1),
        ("een en twintigste", 21, 3),
        ("drieën twintigste", 23, 2),
        ("21e", 21, 1),
        ("1ste", 1, 1),
        ("13de", 13, 1),
    ],
)
def test_ordinals_as_said(said: str, value: int, used: int) -> None:
    assert parse_ordinal(said.split(), 0) == (value, used)


@pytest.mark.parametrize(
    "said", ["een", "de", "eende", "driede", "achtde", "honderd", "zeven en", "zeven, en twintigste"]
)
def test_other_words_are_no_ordinals(said: str) -> None:
    assert parse_ordinal(said.split(), 0) is None
