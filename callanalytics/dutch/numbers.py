"""Dutch number words and their values, as people say them and as recognition spells them.  Pure.

Every function takes tokens (words as they stand in a text, punctuation attached) and a position, and answers with a
value and the number of tokens it took, or None.  Spelling is taken loosely: case, accents, hyphens and a lost or added
"en" do not matter ("drieëndertig", "drieendertig", "drie-en-dertig", "drie en dertig", "drieen dertig").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from callanalytics.dutch.memory import remembered

_UNITS = ("nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen")
_TEENS = ("tien", "elf", "twaalf", "dertien", "veertien", "vijftien", "zestien", "zeventien", "achttien", "negentien")
_TENS = ("twintig", "dertig", "veertig", "vijftig", "zestig", "zeventig", "tachtig", "negentig")
# Said on the telephone to keep seven apart from nine, or what recognition makes of a swallowed ending.
_UNIT_VARIANTS = {"zeuven": 7, "zeve": 7, "seven": 7, "nege": 9, "ses": 6, "vief": 5, "twe": 2, "dri": 3, "ach": 8}
_TEEN_VARIANTS = {"twalf": 12, "achtien": 18, "zeuventien": 17, "dertie": 13, "viertien": 14}
_IRREGULAR_ORDINALS = {1: "eerste", 3: "derde", 8: "achtste"}

# Words that may stand between the digits of one number without ending it.
FILLERS = frozenset(
    [
        "eh",
        "ehm",
        "ehh",
        "uh",
        "uhm",
        "uhh",
        "euh",
        "hm",
        "mm",
        "en",
        "dus",
        "ja",
        "nou",
        "dan",
        "even",
        "kijken",
        "kijk",
        "streepje",
        "komma",
        "spatie",
        "hè",
        "he",
        "zeg",
        "maar",
    ]
)
# Words after which the group just said is said again: "vier drie, nee, vier twee".
REPAIRS = frozenset(["nee", "sorry", "pardon", "oftewel", "bedoel"])
_MAX_GAP = 4  # fillers in a row: more, and the speaker is no longer saying the number

_ENDS_GROUP = re.compile(r"[,.;:?!…]$")


@remembered
def bare(token: str) -> str:
    """The token in lower case without accents, hyphens and punctuation around it: "Drieën-dertig," -> drieendertig."""
    plain = "".join(c for c in unicodedata.normalize("NFD", token.casefold()) if not unicodedata.combining(c))
    return re.sub(r"^\W+|\W+$|[-‐‑–'’]", "", plain).strip("_")


def _below_100() -> dict[str, int]:
    units = {word: value for value, word in enumerate(_UNITS)} | _UNIT_VARIANTS
    table = dict(units) | _TEEN_VARIANTS
    table |= {word: value for value, word in enumerate(_TEENS, start=10)}
    for tens_value, tens in enumerate(_TENS, start=2):
        table[tens] = tens_value * 10
        for unit, value in units.items():
            if value:
                table[f"{unit}en{tens}"] = table[f"{unit}{tens}"] = tens_value * 10 + value
    # "zeven" and "negen" swallow the e of the joining "en": zevenzestig is in already; zeventig must stay seventy.
    return table | {tens: value * 10 for value, tens in enumerate(_TENS, start=2)}


_BELOW_100 = _below_100()
_UNIT_VALUES = {word: value for value, word in enumerate(_UNITS)} | _UNIT_VARIANTS
_TENS_VALUES = {tens: value * 10 for value, tens in enumerate(_TENS, start=2)}
_UNIT_RUN = re.compile(f"(?:{'|'.join(sorted(_UNIT_VALUES, key=len, reverse=True))})")
_CENTURIES = {"achttien": 1800, "negentien": 1900, "twintig": 2000}


@remembered
def word_value(word: str) -> int | None:
    """The value of one bare word, or None: driehonderdtwaalf -> 312, negentienvijfentachtig -> 1985, 21 -> 21."""
    if word in _BELOW_100:
        return _BELOW_100[word]
    if word.isascii() and word.isdigit():
        return int(word) if len(word) <= 9 else None
    if "duizend" in word:
        head, _, tail = word.partition("duizend")
        return _scaled(head, 1000, tail)
    if "honderd" in word:
        head, _, tail = word.partition("honderd")
        return _scaled(head, 100, tail)
    for century, value in _CENTURIES.items():
        rest = _BELOW_100.get(word.removeprefix(century)) if word.startswith(century) else None
        if rest is not None and rest >= 10:
            return value + rest
    return None


def _scaled(head: str, scale: int, tail: str) -> int | None:
    times = 1 if not head else word_value(head)
    rest: int | None = 0
    if tail:
        # "honderdentwaalf" before "honderd" + "entwaalf": try the tail as it stands first.
        rest = word_value(tail)
        if rest is None and tail.startswith("en"):
            rest = word_value(tail[2:])
    if times is None or rest is None or not 0 < times < 1000 or rest >= scale:
        return None
    return times * scale + rest


def parse_number(tokens: Sequence[str], start: int) -> tuple[int, int] | None:
    """Return the number said at `start` and the tokens it took, or None when no number stands there.

    "driehonderd tachtig" -> (380, 2), "een en twintig" -> (21, 3), "negentien vijfentachtig" -> (1985, 2).
    The article "een" counts as 1: who cares about the difference must look at what follows.
    """
    group = _group(tokens, start)
    if group is None:
        return None
    value, used = group
    # "drie honderd", "twee duizend": a bare multiplier after a number it can multiply.
    for scale_word, scale in (("honderd", 100), ("duizend", 1000)):
        follows = bare(tokens[start + used]) if start + used < len(tokens) else ""
        if follows.startswith(scale_word) and 0 < value < 100 and not _ends(tokens, start + used - 1):
            scaled = _scaled("", scale, follows[len(scale_word) :])
            if scaled is not None:
                value, used = value * scale + scaled - scale, used + 1
    tail = _group_after(tokens, start, used)
    if tail is not None:
        rest, extra = tail
        if value >= 1000 and value % 1000 == 0 and 0 < rest < 1000:
            value, used = value + rest, used + extra
            tail = _group_after(tokens, start, used)
            if rest >= 100 and rest % 100 == 0 and tail is not None and 0 < tail[0] < 100:
                value, used = value + tail[0], used + tail[1]
        elif value >= 100 and value % 100 == 0 and 0 < rest < 100 and bare(tokens[start + used - 1]).isalpha():
            value, used = value + rest, used + extra
        elif used == 1 and bare(tokens[start]) in _CENTURIES and 10 <= rest < 100 and bare(tokens[start + 1]) != "en":
            value, used = _CENTURIES[bare(tokens[start])] + rest, used + extra
    return value, used


def _ends(tokens: Sequence[str], at: int) -> bool:
    return bool(_ENDS_GROUP.search(tokens[at]))


def _group_after(tokens: Sequence[str], start: int, used: int) -> tuple[int, int] | None:
    """Return the group that continues a number of `used` tokens, a joining "en" included in its length."""
    at = start + used
    if at >= len(tokens) or _ends(tokens, at - 1):
        return None
    if bare(tokens[at]) == "en":
        # "honderd en twaalf", but not "honderd en, nou, twaalf".
        group = None if _ends(tokens, at) else _group(tokens, at + 1)
        return None if group is None else (group[0], group[1] + 1)
    return _group(tokens, at)


def _group(tokens: Sequence[str], start: int) -> tuple[int, int] | None:
    """Return one number word, or a unit and tens that recognition took apart."""
    if start >= len(tokens):
        return None
    first = bare(tokens[start])
    rest = [bare(token) for token in tokens[start + 1 : start + 3]]
    if rest and first.endswith("en") and (unit := _UNIT_VALUES.get(first[:-2])) and rest[0] in _TENS_VALUES:
        return _TENS_VALUES[rest[0]] + unit, 2  # "zevenen zestig"
    unit = _UNIT_VALUES.get(first)
    if unit and not _ends(tokens, start):
        if len(rest) == 2 and rest[0] in ("en", "un", "n") and rest[1] in _TENS_VALUES:
            return _TENS_VALUES[rest[1]] + unit, 3  # "zeven en zestig"
        if rest and rest[0].startswith("en") and rest[0][2:] in _TENS_VALUES:
            return _TENS_VALUES[rest[0][2:]] + unit, 2  # "zeven enzestig"
    value = word_value(first)
    return None if value is None else (value, 1)


def spoken_digits(tokens: Sequence[str], start: int) -> tuple[str, int] | None:
    """The longest run of digits said from `start`, as digits, and the tokens it took; None when none starts there.

    Digits may come one by one, in pairs or written: "nul zes twaalf vierendertig" -> ("061234", 4), "06-12 34" ->
    ("061234", 2).  Fillers and full stops do not end a run; after a repair the group is replaced:
    "vier drie, nee, acht" -> ("48", 4).
    """
    groups: list[str] = []
    at = end = start
    repairing = False
    while at < len(tokens) and at - end <= _MAX_GAP:
        found = digit_group(tokens, at)
        if found is not None:
            digits, used = found
            if repairing and groups:
                groups.pop()
            groups.append(digits)
            at += used
            end, repairing = at, False
            continue
        word = bare(tokens[at])
        if not groups or (word and word not in FILLERS and word not in REPAIRS and word != "ik"):
            break
        repairing = repairing or word in REPAIRS
        at += 1
    return ("".join(groups), end - start) if groups else None


_TIMES = {"dubbel": 2, "dubbele": 2}
_WRITTEN = re.compile(r"\+?\(?\d[\d\-–./()]*")


def digit_group(tokens: Sequence[str], start: int) -> tuple[str, int] | None:
    """One group of digits: "nul", "vierendertig", "0612", "nulzes", "dubbel acht", "drie keer nul"; None if none."""
    first = bare(tokens[start])
    following = bare(tokens[start + 1]) if start + 1 < len(tokens) else ""
    if first in _TIMES and following in _UNIT_VALUES:
        return str(_UNIT_VALUES[following]) * _TIMES[first], 2
    if first in ("twee", "drie", "vier") and following in ("keer", "maal") and start + 2 < len(tokens):
        unit = _UNIT_VALUES.get(bare(tokens[start + 2]))
        if unit is not None:
            return str(unit) * _UNIT_VALUES[first], 3
    written = tokens[start].strip(",.;:?!…\"'()")
    if written and _WRITTEN.fullmatch(written):
        return re.sub(r"\D", "", written), 1
    group = _group(tokens, start)
    if group is not None:
        if group[0] >= 100 and group[0] % 100 == 0 and first.isalpha():
            group = parse_number(tokens, start) or group  # "duizend tweehonderd veertig" is one number of four digits
        return str(group[0]), group[1]
    if len(first) > 4 and re.fullmatch(f"(?:{_UNIT_RUN.pattern})+", first):
        return "".join(str(_UNIT_VALUES[unit]) for unit in _UNIT_RUN.findall(first)), 1
    return None


def _ordinals() -> dict[str, int]:
    table: dict[str, int] = {}
    for word, value in _BELOW_100.items():
        if value:
            table[word + ("de" if value < 20 else "ste")] = value
    for value, word in _IRREGULAR_ORDINALS.items():
        table.pop(_UNITS[value] + "de", None)
        table[word] = value
    return table | {"honderdste": 100, "tweedde": 2, "achste": 8}


_ORDINALS = _ordinals()
_WRITTEN_ORDINAL = re.compile(r"(\d{1,3})(?:e|de|ste)")


def parse_ordinal(tokens: Sequence[str], start: int) -> tuple[int, int] | None:
    """The ordinal said at `start` and the tokens it took: "vijftiende" -> (15, 1), "een en twintigste" -> (21, 3)."""
    if start >= len(tokens):
        return None
    first = bare(tokens[start])
    written = _WRITTEN_ORDINAL.fullmatch(first)
    if written:
        return int(written.group(1)), 1
    if first in _ORDINALS:
        return _ORDINALS[first], 1
    rest = [bare(token) for token in tokens[start + 1 : start + 3]]
    unit = _UNIT_VALUES.get(first.removesuffix("en") if first not in _UNIT_VALUES else first)
    if not unit or _ends(tokens, start):
        return None
    if first not in _UNIT_VALUES:
        candidates = ((rest[0], 2),) if rest else ()
    else:
        candidates = ((rest[1], 3),) if len(rest) == 2 and rest[0] == "en" else ()
    for word, used in candidates:
        value = _ORDINALS.get(word, 0)
        if value >= 20 and value % 10 == 0:
            return value + unit, used
    return None
