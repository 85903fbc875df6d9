"""The words and patterns that redaction goes by: one dataclass for each file of configs/redaction.

The name of a field of `Cues` is the name of its file; the fields of its class are the lists that the file must hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from callanalytics.errors import ConfigError
from callanalytics.tables import read_cue_folder

Words = frozenset[str]
Regex = re.Pattern[str]  # for fields of [patterns]


@dataclass(frozen=True, slots=True)
class StreetCues:
    """What makes a word the name of a street."""

    sure: Words
    possible: Words
    quarters: Words
    with_number: Words
    second_words: Words
    generic_endings: Words
    generic: Words
    not_streets: Words


@dataclass(frozen=True, slots=True)
class AskedCues:
    """How a kind of personal data is named or asked for."""

    keywords: Mapping[str, tuple[str, ...]]
    stems: Mapping[str, str]
    spelled_bsn: tuple[str, ...]
    case_near: Words
    documents: Words
    phone: Regex
    address: Regex


@dataclass(frozen=True, slots=True)
class CodeCues:
    """Digits and letters as recognition writes them."""

    letter_names: Mapping[str, str]
    alphabet: Words
    abbreviations: Words
    number_words: Words
    not_numbers: Words


@dataclass(frozen=True, slots=True)
class QuantityCues:
    """What stands around numbers that are no personal data."""

    units: Words
    before_time: Words
    count_leads: Words
    number_leads: Words
    after_number: Words


@dataclass(frozen=True, slots=True)
class DateCues:
    """What makes a date somebody's date of birth."""

    born: Regex


@dataclass(frozen=True, slots=True)
class AddressCues:
    """What stands around house numbers and belongs to them."""

    additions: Words
    only_additions: Words
    letters: Words
    office_places: Words
    numbered: Words
    classes: Words


@dataclass(frozen=True, slots=True)
class PhoneCues:
    """What says that only the end of a number follows."""

    ends_in: Regex
    is_end: Regex


@dataclass(frozen=True, slots=True)
class IbanCues:
    """What is said in account numbers."""

    banks: Words


@dataclass(frozen=True, slots=True)
class EmailCues:
    """The parts of e-mail addresses as they are said and recognised."""

    dots: Words
    joints: Words
    top_level: Words
    providers: Words
    office: Words
    lead_in: Words
    mail_is: Regex
    broken: Regex
    bent_sign: Regex
    domain: Regex
    site: Regex


@dataclass(frozen=True, slots=True)
class NameCues:
    """How names of persons are said, and what is no name."""

    titles: Words
    before_cut_titles: Words
    almost_titles: Words
    relations: Words
    abbreviations: Words
    almost_met: Words
    no_lead: Words
    greetings: Words
    short: Words
    lead_in: Words
    lead_out: Words
    articles: Words
    with_things: Words
    never_after_met: Words
    nobody: Words
    misheard_names: Words
    spelling: Words
    odd_prefixes: Words
    name_prefixes: Words
    offices: Words
    departments: Words
    place_leads: Words
    asks_name: Regex
    asks_spelling: Regex
    introduces: Regex
    introduces_weakly: Regex
    like_greeting: Regex
    glued_title: Regex
    title_stem: Regex
    after_name: Regex
    thing: Regex
    introduces_self: Regex


@dataclass(frozen=True, slots=True)
class SpecialCues:
    """What says that something is special data about a person."""

    persons: Words
    own: Words
    be: Words
    have: Words
    take: Words
    at: Words
    at_by: Words
    member: Words
    vote: Words
    origin: Words
    not_before_origin: Words
    not_before_be: Words
    not_of_persons: Words
    tails: tuple[str, ...]
    anywhere: Regex
    called_after: Regex


@dataclass(frozen=True, slots=True)
class Cues:
    """Everything that configs/redaction holds."""

    asked: AskedCues
    codes: CodeCues
    quantities: QuantityCues
    streets: StreetCues
    addresses: AddressCues
    dates: DateCues
    emails: EmailCues
    phone: PhoneCues
    iban: IbanCues
    names: NameCues
    special: SpecialCues


def load_cues(folder: Path) -> Cues:
    """Return the cues of a folder.  Raises ConfigError with file, table, key and line on the first mistake."""
    return read_cue_folder(folder, Cues)


def find_cue_mistakes(folder: Path) -> list[ConfigError]:
    """Return every mistake in the cue files of a folder."""
    mistakes: list[ConfigError] = []
    read_cue_folder(folder, Cues, mistakes.append)
    return mistakes
