"""Dutch as it is spoken and recognised, made comparable: one way to write a word, its forms, and likely mishearings.

Everything that compares words goes through here: the criteria, the promises and the topics.  `normalise` is pure text;
`Reader` turns a turn into a spaCy `Doc` of the words that the phrase files know, each token still tied to the
recognised `Word` and its time.  spaCy, simplemma and rapidfuzz are imported where they are first needed.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text as a set: how lists of words stand in this package."""
    return frozenset(text.split())


PLACEHOLDER = re.compile(r"\[[A-Z_]+\]")  # what redaction puts in the place of personal data
NAME = "[NAME]"

_SHORT = {
    "'t": "het", "t": "het", "m'n": "mijn", "mn": "mijn", "z'n": "zijn", "zn": "zijn", "d'r": "haar", "zo'n": "zon",
    "da's": "dat is", "'k": "ik", "'n": "een", "'m": "hem", "ie": "hij", "'ie": "hij", "'r": "er", "nie": "niet",
    "uw": "u",  # one word on a telephone line, and recognition writes either
    "nou": "nu", "effe": "even", "effen": "even", "eventjes": "even", "goeie": "goede", "goeiemorgen": "goedemorgen",
    "goeiemiddag": "goedemiddag", "goeieavond": "goedenavond", "goedeavond": "goedenavond", "goeiedag": "goedendag",
    "goededag": "goedendag", "okee": "oke", "ok": "oke", "okay": "oke", "dankuwel": "dank u wel",
    "dankjewel": "dank je wel", "alstublieft": "alstublieft", "alsjeblieft": "alstublieft", "jullie": "jullie",
    "minuutje": "minuut", "gemeenten": "gemeente", "zeg maar": "zeg maar", "'s": "s", "uhm": "eh", "uh": "eh",
    "ehm": "eh", "euh": "eh", "hè": "he", "mailtje": "mail", "emailtje": "mail", "email": "mail", "e-mail": "mail",
    "briefje": "brief", "belletje": "telefoontje", "hum": "hem", "ge": "u", "gij": "u", "krieg": "krijg",
}  # fmt: skip
_FILLERS = frozenset({"eh", "hmm", "hm", "mm"})
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'"})
_ENDS = re.compile(r"[.?!…,;:]+[\"')\]]*$")
_PRONOMINAL = re.compile(r"(waar|daar|hier|er)(mee|op|over|aan|voor|bij|in|van|door|naar|toe|uit|om|onder|achter)")


def strip_marks(text: str) -> str:
    """Return the text without accents: één -> een, geïnformeerd -> geinformeerd."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


@lru_cache(maxsize=1 << 15)
def normalise_word(text: str) -> tuple[str, ...]:
    """Return the written word as the tokens it is compared by, usually one, none for a filler or bare punctuation.

    "M'n" -> mijn      "id-kaart," -> id kaart      "[NAME]." -> [NAME]      "eh" -> nothing
    """
    placeholder = PLACEHOLDER.search(text)
    if placeholder:
        return (placeholder.group(),)
    word = strip_marks(text.translate(_APOSTROPHES).lower()).strip(' \t\n.,;:?!…"()[]{}«»“”„*-–—')
    word = _SHORT.get(word, word)
    tokens = []
    for part in re.split(r"[\s\-–—/]+", word):
        token = re.sub(r"[^a-z0-9@&+%€]", "", _SHORT.get(part, part))
        token = _SHORT.get(token, token)
        if token and token not in _FILLERS:
            tokens.append(token)
    return tuple(tokens)


def normalise(text: str) -> str:
    """Text as it is compared: lower case, no punctuation or accents, short forms written out, fillers gone.

    "Eh, 't is m'n zoon z'n Wmo-aanvraag." -> "het is mijn zoon zijn wmo aanvraag"
    """
    return " ".join(token for word in text.split() for token in normalise_word(word))


# --- verb forms -----------------------------------------------------------------------------------------------------

# --- what is and what sounds like a word ----------------------------------------------------------------------------


@lru_cache(maxsize=50_000)
def _is_dutch(word: str) -> bool:
    import simplemma

    return bool(simplemma.is_known(word, lang="nl"))


@lru_cache(maxsize=50_000)
def lemma(word: str) -> str:
    """Return the dictionary form of a Dutch word, lower case; the word itself when it is not known."""
    import simplemma

    if PLACEHOLDER.fullmatch(word):
        return word
    return str(simplemma.lemmatize(word, lang="nl")).lower()


def plain_text(text: str) -> str:
    """Lower case, words and digit runs only, every digit run one 0: numbers are told apart by length nowhere.

    "Nul-zes, 06 1234: dat is m'n nummer!"   ->   "nul zes 0 0 dat is m'n nummer"
    """
    words = re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+", text.lower())
    return " ".join("0" if word.isdigit() else word.replace("’", "'") for word in words)
