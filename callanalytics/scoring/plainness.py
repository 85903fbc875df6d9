"""How plain the agent's language is.  Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from callanalytics.dutch.words import PLACEHOLDER, plain_text
from callanalytics.records import Turn

SENTENCE_WORDS, PLAIN_WORDS = 3, 50  # a shorter stretch ("ja hoor") is no sentence; fewer words give no figure

_SENTENCE_END = re.compile(r"[.?!…]+(?=\s|$)")

# Every run of vowels that sounds as one is a syllable; a diaeresis begins a new one.
_SYLLABLE = re.compile(r"aai|ooi|oei|eeu|ieu|aa|ee|oo|uu|ie|oe|eu|ui|ij|[eë]i|au|ou|[aeiouyàáâäèéêëíîïóôöúûü]")


@dataclass(frozen=True, slots=True)
class Plainness:
    """How plain one party's sentences are; None where too little was said."""

    readability: float | None  # Flesch-Douma
    sentence_words: float | None


def measure_plainness(turns: Sequence[Turn], role: str) -> Plainness:
    """Return the Flesch-Douma reading ease of what a party says, and its words per sentence.

    206.84 - 77 x syllables per word - 0.93 x words per sentence; higher is easier, 60 to 70 is ordinary prose, 80 to 90
    easy.  W.H. Douma, De leesbaarheid van landbouwbladen, Wageningen 1960, after Flesch 1949; both factors as given in
    dbnl.org/tekst/_taa014197701_01.  Made for written text.  Speech has no sentences: a sentence here ends where the
    recogniser wrote a mark and at the end of a turn, and stretches under three words are left out, since "ja" and
    "prima" would make anybody easy.  Compare calls and teams with it, not single sentences; it may pass 100.
    Placeholders and digits count for nothing.
    """
    said = [part for turn in turns if turn.role == role for part in _SENTENCE_END.split(turn.text)]
    plain = [[word for word in plain_text(PLACEHOLDER.sub(" ", part)).split() if word != "0"] for part in said]
    sentences = [words for words in plain if len(words) >= SENTENCE_WORDS]
    words = sum(map(len, sentences))
    if words < PLAIN_WORDS:
        return Plainness(None, None)
    syllables = sum(count_syllables(word) for sentence in sentences for word in sentence)
    length = words / len(sentences)
    return Plainness(round(206.84 - 77 * syllables / words - 0.93 * length, 1), round(length, 1))


def count_syllables(word: str) -> int:
    """Return the syllables of a lower-case Dutch word, by its vowels; at least one.

    "kwijtschelding" -> 3      "beëindigd" -> 3      "w" -> 1
    """
    return max(1, len(_SYLLABLE.findall(word)))
