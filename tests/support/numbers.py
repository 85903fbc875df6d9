"""Numbers as Dutch spells them, for tests that say what the program has to read."""

from __future__ import annotations

UNITS = ("nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen")
TEENS = ("tien", "elf", "twaalf", "dertien", "veertien", "vijftien", "zestien", "zeventien", "achttien", "negentien")
TENS = ("twintig", "dertig", "veertig", "vijftig", "zestig", "zeventig", "tachtig", "negentig")


def number_words(n: int) -> str:
    """Spell a number as Dutch does, in one word, 0 to 999 999: 33 -> drieëndertig.  Raises ValueError beyond."""
    if not 0 <= n < 1_000_000:
        raise ValueError("number_words spells 0 to 999999")
    if n < 10:
        return UNITS[n]
    if n < 20:
        return TEENS[n - 10]
    if n < 100:
        tens, unit = divmod(n, 10)
        joined = "ën" if UNITS[unit].endswith("e") else "en"
        return (UNITS[unit] + joined if unit else "") + TENS[tens - 2]
    scale, word = (1000, "duizend") if n >= 1000 else (100, "honderd")
    times, rest = divmod(n, scale)
    return ("" if times == 1 else number_words(times)) + word + (number_words(rest) if rest else "")
