"""Recall and precision of redaction per kind of personal data."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from callanalytics.dutch.numbers import bare, spoken_digits
from callanalytics.evaluation.truth import TrueTurn, Truth
from callanalytics.evaluation.words import MASK
from callanalytics.records import PLACEHOLDER, PLACEHOLDERS, Turn, Word

INTELLIGIBLE = 0.6  # of the digits or letters of a datum; what keeps fewer doesn't tell it any more

NAME_LIKENESS = 75  # rapidfuzz ratio from which a heard word still tells a name

NEAR_MS = 1500  # a stored word this far from every true turn belongs to none


@dataclass(frozen=True, slots=True)
class Redactions:
    """Per true datum (kind, can't be read any more, has a placeholder); per placeholder (kind, stands for a datum)."""

    data: tuple[tuple[str, bool, bool], ...] = ()
    placeholders: tuple[tuple[str, bool], ...] = ()

_KIND_OF = {placeholder: kind for kind, placeholder in PLACEHOLDERS.items()}


def judge_redaction(turns: Sequence[Turn], truth: Truth) -> Redactions:
    """Look for every true datum in the stored text, where and when it was said.

    Stored words go to the true turn in whose time they lie and are aligned with its words.  A datum is hidden when
    what stands at its place, placeholders aside, no longer tells it (`is_intelligible`): because it was replaced, or
    because recognition had already lost it.  A placeholder is right when it stands for a true datum, or beside one.
    """
    heard = words_by_turn(turns, truth.turns)
    data: list[tuple[str, bool, bool]] = []
    placeholders: list[tuple[str, bool]] = []
    for index, turn in enumerate(truth.turns):
        said, words = turn.text.split(), heard[index]
        places = carry_over(said, words)
        personal: set[int] = set()
        for datum in (d for d in truth.data if d.turn == index):
            here = sorted({at for old in range(datum.first, datum.last) for at in places.get(old, [])})
            near = {at + step for at in here for step in (-1, 0, 1)}
            personal |= near
            left = [words[at] for at in here if not PLACEHOLDER.search(words[at])]
            is_hidden = not is_intelligible(datum.kind, " ".join(said[datum.first : datum.last]), left)
            is_marked = any(0 <= at < len(words) and PLACEHOLDER.search(words[at]) for at in near)
            data.append((datum.kind, is_hidden, is_marked))
        for at, word in enumerate(words):
            placeholders += [(_KIND_OF[found], at in personal) for found in PLACEHOLDER.findall(word)]
    for word in heard[len(truth.turns)]:
        placeholders += [(_KIND_OF[found], False) for found in PLACEHOLDER.findall(word)]
    # truth does not say where special data are
    return Redactions(tuple(data), tuple(found for found in placeholders if found[0] != "special"))


def words_by_turn(turns: Sequence[Turn], true_turns: Sequence[TrueTurn]) -> list[list[str]]:
    """Return the stored words put into the true turns by the middle of their time; a last list holds what fits none.

    When parties have channels of their own, a word goes to a turn of its channel: the channel of a true speaker is
    the one on which most words lie in that speaker's time.
    """
    words = [
        (turn.channel, word)
        for turn in turns
        for word in turn.words or _share_out(turn)
    ]  # fmt: skip
    channels: dict[str, Counter[int | None]] = defaultdict(Counter)
    for channel, word in words:
        for true in true_turns:
            if true.start_ms <= (word.start_ms + word.end_ms) / 2 < true.end_ms:
                channels[true.speaker][channel] += 1
    own = {speaker: counts.most_common(1)[0][0] for speaker, counts in channels.items()}
    placed: list[list[tuple[int, str]]] = [[] for _ in (*true_turns, None)]
    for channel, word in words:
        middle = (word.start_ms + word.end_ms) / 2
        distances = [
            max(0.0, t.start_ms - middle, middle - t.end_ms)
            if own.get(t.speaker, channel) == channel
            else math.inf
            for t in true_turns
        ]  # fmt: skip
        best = min(range(len(true_turns)), key=distances.__getitem__, default=-1)
        is_near = best >= 0 and distances[best] < NEAR_MS
        placed[best if is_near else -1].append((word.start_ms, word.text))
    return [[text for _, text in sorted(own_words, key=lambda pair: pair[0])] for own_words in placed]


def _share_out(turn: Turn) -> list[Word]:
    """Return the words of a turn without word times, each with its share of the turn."""
    texts = turn.text.split()
    step = (turn.end_ms - turn.start_ms) / max(1, len(texts))
    bounds = [round(turn.start_ms + step * i) for i in range(len(texts) + 1)]
    return [Word(text, a, b) for text, (a, b) in zip(texts, itertools.pairwise(bounds), strict=True)]


def carry_over(said: Sequence[str], heard: Sequence[str]) -> dict[int, list[int]]:
    """For each position in the words said, the positions in the words heard that stand for it."""
    # "[POSTCODE]" must not pair with the word postcode.
    plain = [MASK if PLACEHOLDER.search(w) else bare(w) for w in heard]
    matcher = SequenceMatcher(None, [bare(w) for w in said], plain, autojunk=False)
    places: dict[int, list[int]] = {}
    for _, a, b, c, d in matcher.get_opcodes():
        for i in range(a, b):
            first = c + (i - a) * (d - c) // (b - a)
            last = c + math.ceil((i - a + 1) * (d - c) / (b - a))
            places[i] = list(range(first, max(last, first)))
    return places


def digits_in(words: Sequence[str]) -> str:
    """Return all digits said in some words."""
    digits, at = "", 0
    while at < len(words):
        run = spoken_digits(words, at)
        digits, at = (digits + run[0], at + run[1]) if run else (digits, at + 1)
    return digits


def is_intelligible(kind: str, said: str, heard: Sequence[str]) -> bool:
    """Return whether what was heard still tells the datum.

    Of a number at least INTELLIGIBLE of its digits survive in order; a house number is there whole; of a name one of
    its capitalised words is alike (NAME_LIKENESS, a name of two letters exactly); other data are alike as text.
    """
    from rapidfuzz import fuzz

    if not heard:
        return False
    true_digits, digits = digits_in(said.split()), digits_in(heard)
    if kind in ("bsn", "phone", "iban", "postcode", "birth_date"):
        blocks = SequenceMatcher(None, true_digits, digits, autojunk=False).get_matching_blocks()
        return sum(block.size for block in blocks) >= INTELLIGIBLE * max(1, len(true_digits))
    if kind == "house_number":
        return true_digits in digits
    if kind == "person_name":
        pairs = [(bare(a), bare(b)) for a in said.split() for b in heard if a[:1].isupper()]
        return any(a == b if len(a) <= 2 else fuzz.ratio(a, b) >= NAME_LIKENESS for a, b in pairs)
    plain = ["".join(bare(word) for word in words) for words in (said.split(), heard)]
    return fuzz.ratio(*plain) >= 100 * INTELLIGIBLE
