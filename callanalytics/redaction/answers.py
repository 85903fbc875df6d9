"""Names in the answer to a question for a name, and names that are spelled.  Pure."""

from __future__ import annotations

from collections.abc import Iterator

from callanalytics.dutch.numbers import FILLERS, word_value
from callanalytics.redaction.candidates import Candidate
from callanalytics.redaction.codes import spelled_letter
from callanalytics.redaction.extent import finished
from callanalytics.redaction.likeness import PREFIXES
from callanalytics.redaction.shapes import LIKELY_FIRST, LIKELY_OPENING, NAME, Shapes

_LONGEST_BARE = 6  # words of an answer that may all be a name


def bare_answer(shapes: Shapes, turn: range) -> Iterator[Candidate]:
    """Yield what is no function word in an answer in which no name was recognised."""
    call = shapes.call
    is_part = sum(call.tokens[at].kind is None for at in turn) > _LONGEST_BARE
    if is_part:
        turn = _first_sentence(shapes, turn)
    if not turn or sum(call.tokens[at].kind is None for at in turn) > _LONGEST_BARE:
        return
    must_look_so = is_part and len(turn) > 4
    start = -1
    for at in range(turn.start, turn.stop + 1):
        is_content = _is_content(shapes, at, turn)
        is_content = is_content and (not must_look_so or shapes.likeness[at] >= LIKELY_OPENING)
        if is_content and start < 0:
            start = shapes.with_prefixes(at, turn)
        elif not is_content and start >= 0:
            yield shapes.name(start, at, "bare_answer")
            start = -1


def _is_content(shapes: Shapes, at: int, turn: range) -> bool:
    """Return whether a word of an answer is no function word, number or form of address."""
    word = shapes.call.word(at, turn)
    if len(word) < 2 or word in shapes.small or word in PREFIXES or word in shapes.lexicon.not_names:
        return False
    return not shapes.is_title(word) and word_value(word) is None and shapes.reads_as_name(word)


def _first_sentence(shapes: Shapes, turn: range) -> range:
    """Return the first sentence of an answer that says more than "ja, natuurlijk"."""
    small = shapes.lexicon.not_names | shapes.small
    for sentence in shapes.sentences(turn):
        if any(shapes.call.tokens[i].kind or shapes.call.tokens[i].bare not in small for i in sentence):
            return sentence
    return range(turn.stop, turn.stop)


def finished_answer(shapes: Shapes, turn: range) -> Iterator[Candidate]:
    """Yield the name that was asked for with what else stands in its short phrase: "[Rond in het] zeld." """
    for phrase in shapes.phrases(_first_sentence(shapes, turn)):
        names = [at for at in phrase if shapes.call.tokens[at].kind == NAME]
        if names and not shapes.call.tokens[names[0]].is_placeholder:
            end = next(at for at in range(names[0], names[-1] + 2) if at not in names)
            yield from finished(shapes, phrase, names[0], end)


def first_with_prefix(shapes: Shapes, turn: range) -> Iterator[Candidate]:
    """Yield two words like "van Tongeren," with which an answer begins."""
    call, at = shapes.call, turn.start + 1
    word = call.word(at, turn)
    if not word or call.word(turn.start, turn) not in PREFIXES - {"het", "t", "de"} or not shapes.ends_phrase(at):
        return
    is_free = word not in shapes.lexicon.not_names | PREFIXES and not shapes.is_office(at)
    if is_free and shapes.reads_as_name(word):
        yield shapes.name(turn.start, at + 1, "first_with_prefix")


def first_word(shapes: Shapes, turn: range) -> Iterator[Candidate]:
    """Yield the one strange word with which an answer begins, whatever is said behind it."""
    if not turn:
        return
    first = shapes.past(turn.start, turn, shapes.small | {"ja", "met"}, turn.stop - 1)
    is_likely = shapes.may_be_name(first) and shapes.likeness[first] >= LIKELY_FIRST
    if is_likely or (shapes.ends_phrase(first) and shapes.is_strange(first)):
        yield shapes.name(first, first + 1, "first_word")


def spelled(shapes: Shapes, turn: range, at_least: int) -> Iterator[Candidate]:
    """Yield names spelled letter by letter: "p r u i m", "de w van Willem, i, t", "o u met dubbel d"."""
    call = shapes.call
    start = end = at = turn.start
    letters = 0
    while at <= turn.stop:
        if piece := _spelled_piece(shapes, at, turn, letters > 0):
            start = start if letters else at
            at = end = piece[0]
            letters += piece[1]
            continue
        is_between = letters and at < turn.stop and at - end < 4
        if is_between and (shapes.is_name_at(at) or call.tokens[at].bare in shapes.cues.spelling | FILLERS):
            at += 1
            continue
        if letters >= at_least and call.line(start, end).replace(" ", "") not in shapes.cues.abbreviations:
            while call.word(start - 1, turn) in ("de", "een", "met"):
                start -= 1
            yield shapes.name(start, end, "spelled")
        letters = 0
        at = max(at, end) + 1


def _spelled_piece(shapes: Shapes, at: int, turn: range, goes_on: bool) -> tuple[int, int] | None:
    """Return where a letter said at a position ends, and what it weighs: with its explanation it stands for three."""
    if at >= turn.stop:
        return None
    if explained := spelled_letter(shapes.call, at, turn):
        return explained.end, 3
    is_letter = _is_letter(shapes, at, turn) and (goes_on or shapes.call.word(at, turn) != "u")
    # "m 'n", "d 'r": a clipped word that recognition cut in two
    is_clipped = any(_is_clipped(shapes, i) for i in range(at, min(at + 2, turn.stop)))
    return (at + 1, 1) if is_letter and not is_clipped else None


def _is_letter(shapes: Shapes, at: int, turn: range) -> bool:
    word = shapes.call.word(at, turn)
    return len(word) == 1 and word.isalpha()


def _is_clipped(shapes: Shapes, at: int) -> bool:
    return shapes.call.tokens[at].text.startswith(("'", "’"))


def spelled_brokenly(shapes: Shapes, turn: range) -> Iterator[Candidate]:
    """Yield what was asked to be spelled, from first letter to last, if at least three were recognised."""
    letters = [at for at in turn if _is_letter(shapes, at, turn) and not _is_clipped(shapes, at)]
    if len(letters) >= 3:
        whole = range(letters[0], letters[-1] + 1)
        if not any(shapes.call.tokens[at].is_placeholder for at in whole):
            yield shapes.name(whole.start, whole.stop, "spelled_brokenly")


def lettered(shapes: Shapes, turn: range) -> Iterator[Candidate]:
    """Yield the one letter that distinguishes a name from others: "met een T.", "met dubbel s"."""
    for at in turn:
        leads = ("met een", "met de", "met dubbel", "met dubbele", "met n")
        if _is_letter(shapes, at, turn) and shapes.lead(at, turn, 2) in leads:
            yield shapes.name(at, at + 1, "lettered")
