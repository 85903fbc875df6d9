"""Word errors between reference and hypothesis."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from callanalytics.dutch.numbers import digit_group, parse_number
from callanalytics.evaluation.outcomes import Outcome
from callanalytics.evaluation.truth import Truth, datum_of_words
from callanalytics.records import PLACEHOLDER

MASK = "□"  # stands for a personal datum while words are compared


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Word errors and the reference words they are counted against; placeholders that meet a datum are in neither."""

    errors: int = 0
    words: int = 0
    excluded: int = 0  # placeholders that stand where the truth has a personal datum
    unmatched_placeholders: int = 0  # placeholders that stand elsewhere: counted as errors
    restored_data: int = 0  # data without a placeholder: their words are counted as words like any other

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(
            self.errors + other.errors,
            self.words + other.words,
            self.excluded + other.excluded,
            self.unmatched_placeholders + other.unmatched_placeholders,
            self.restored_data + other.restored_data,
        )


def plain_words(text: str) -> list[str]:
    """Lower case, punctuation and signs taken for blanks, a placeholder (and what is stuck to it) as MASK.

    "Nul-zes, met [NAME]'s 50.000" -> nul zes met □ 50 000
    """
    words: list[str] = []
    for token in text.split():
        if PLACEHOLDER.search(token):
            words.append(MASK)
        else:
            words += re.sub(r"[\W_]", " ", token.lower()).split()
    return words


def merge_numbers(words: Sequence[str]) -> list[str]:
    """Return every run of numbers, in words or digits, as one word of digits, so that only the number counts.

    vijftig duizend euro, nul zes twaalf -> 50000 euro 0612      50 000 euro 06 12 -> 50000 euro 0612
    """
    merged: list[str] = []
    at, is_run = 0, False
    while at < len(words):
        digits, used = _number_at(words, at)
        if not used:
            merged.append(words[at])
        elif is_run:
            merged[-1] += digits
        else:
            merged.append(digits)
        is_run, at = bool(used), at + (used or 1)
    return merged


def _number_at(words: Sequence[str], at: int) -> tuple[str, int]:
    if words[at] == MASK:
        return "", 0
    if words[at].isdecimal() and (words[at].startswith("0") or len(words[at]) > 9):
        return words[at], 1
    stop = words.index(MASK, at) if MASK in words[at:] else len(words)
    found = parse_number(words[at:stop], 0)
    if found:
        return str(found[0]), found[1]
    return digit_group(words[at:stop], 0) or ("", 0)


def call_word_errors(outcome: Outcome, truth: Truth, normalise: Callable[[Sequence[str]], list[str]]) -> WordErrors:
    """Word errors of a call: per side when the parties have their own channel, else of all turns in time order.

    The agent's side is agent and ivr.  A channel is the side on which it has fewer errors, so that words are judged
    whatever role they were given; roles have their own figure.
    """
    everything = range(len(truth.turns))
    if outcome.layout != "stereo":
        return word_errors(truth, everything, [turn.text for turn in outcome.turns], normalise)
    citizen = [i for i in everything if truth.turns[i].role == "citizen"]
    agent = [i for i in everything if truth.turns[i].role != "citizen"]
    channels = [[turn.text for turn in outcome.turns if (turn.channel or 0) == channel] for channel in (0, 1)]
    ways = [
        word_errors(truth, sides[0], channels[0], normalise) + word_errors(truth, sides[1], channels[1], normalise)
        for sides in ((agent, citizen), (citizen, agent))
    ]
    return min(ways, key=lambda way: way.errors)


def word_errors(
    truth: Truth, turns: Sequence[int], texts: Sequence[str], normalise: Callable[[Sequence[str]], list[str]]
) -> WordErrors:
    """Levenshtein word errors (jiwer) of redacted texts against these true turns.

    The stored text can't show whether a personal datum was recognised, so data are left out: in the reference each
    datum of `pii` becomes MASK, in the hypothesis each placeholder does (neighbours as one), and a MASK that meets a
    MASK is counted neither as a word nor as an error.  A datum that meets no MASK was not replaced: its words stand
    in the text and are counted as any other, so the reference gets them back and is aligned again.  A placeholder
    that meets no datum hides words that were said; it costs what the alignment makes of it, so too much redaction
    can only raise the figure.
    """
    import jiwer

    hypothesis = normalise(_join_masks([word for text in texts for word in plain_words(text)]))
    pieces = _pieces(truth, turns)
    data = [i for i, (_, is_datum) in enumerate(pieces) if is_datum]
    restored: set[int] = set()
    while True:
        masked = [i for i in data if i not in restored]
        reference = normalise(
            [word for i, (words, _) in enumerate(pieces) for word in ([MASK] if i in masked else words)]
        )
        alignment = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
        met = {
            at
            for chunk in alignment.alignments[0]
            if chunk.type == "equal"
            for at in range(chunk.ref_start_idx, chunk.ref_end_idx)
            if reference[at] == MASK
        }
        places = [at for at, word in enumerate(reference) if word == MASK]
        lost = {i for i, at in zip(masked, places, strict=True) if at not in met}
        if not lost:
            break
        restored |= lost
    return WordErrors(
        errors=alignment.substitutions + alignment.deletions + alignment.insertions,
        words=len(reference) - len(met),
        excluded=len(met),
        unmatched_placeholders=hypothesis.count(MASK) - len(met),
        restored_data=len(restored),
    )


def _pieces(truth: Truth, turns: Sequence[int]) -> list[tuple[list[str], bool]]:
    """The plain words of these turns cut where data begin and end: (words, are a datum); neighbouring data as one."""
    pieces: list[tuple[list[str], bool]] = []
    for index in turns:
        owner = datum_of_words(truth.data, index)
        for at, word in enumerate(truth.turns[index].text.split()):
            plain, is_datum = plain_words(word), at in owner
            if pieces and pieces[-1][1] == is_datum:
                pieces[-1][0].extend(plain)
            else:
                pieces.append((plain, is_datum))
    return [piece for piece in pieces if piece[0]]


def _join_masks(words: Sequence[str]) -> list[str]:
    return [word for at, word in enumerate(words) if word != MASK or not at or words[at - 1] != MASK]
