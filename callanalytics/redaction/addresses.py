"""Recognise postcodes and house numbers.  Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from callanalytics.dutch.numbers import parse_number
from callanalytics.redaction.asked import HARMLESS
from callanalytics.redaction.candidates import Candidate, by_rule
from callanalytics.redaction.codes import Element, chars_of, digits_of
from callanalytics.redaction.piece import Piece

HOUSE_DUE = 8  # tokens behind a postcode in which its house number may come
_POSTCODE = re.compile(r"[1-9]\d{3}[a-z]{2}(?![a-z])")
_LONGEST_HOUSE = 4  # digits
_LIVES = ("woon", "woont", "wonen", "woonde")
_UNIT_ALONE = ("bis", "huis", "hs", "rood", "zwart")  # additions that need no number


# --- postcodes ------------------------------------------------------------------------------------------------------


def find_postcode(piece: Piece) -> Iterator[Candidate]:
    """Yield four digits and two letters; in an answer less will do."""
    whole = None if "licence_plate" in piece.wanted else _find_whole_postcode(piece)
    if whole:
        yield by_rule("whole_postcode", "postcode", *whole)
    if "postcode" not in piece.wanted:
        return
    n = len(piece.digits)
    is_house_next = "house_number" in piece.wanted and piece.context.was_said("postcode")
    if n >= (4 if is_house_next else 3):
        yield piece.candidate("postcode", "part_of_postcode")
    if len(piece.run) > 1 and n >= 2:
        yield piece.candidate("postcode", "crumbs_of_postcode")


def _find_whole_postcode(piece: Piece) -> tuple[int, int] | None:
    """Start and end of a postcode within a piece; the rest of it may be a house number."""
    run = piece.run
    is_wanted = "postcode" in piece.wanted or piece.context.named_before(piece.start) == "postcode"
    whole = [i for i in range(len(run)) if _POSTCODE.match(chars_of(run[i:]))]
    for first in whole or range(len(run)):
        digits, at = _collect(run, first, 4, str.isdigit)
        letters, end = _collect(run, at, 2, str.isalpha)
        if len(digits) != 4 or digits[0] == "0":
            continue
        stop = run[end - 1].end
        if len(letters) < 2:
            stop, letters = _letters_after(piece, stop, letters, is_wanted)
        is_left_out = is_wanted and (letters or end == len(run) or not piece.wanted & {"phone", "bsn"})
        if len(letters) != 2 and (not is_left_out or len(piece.digits) >= 8):
            continue
        rest = [element for element in run[end:] if element.start >= stop]
        if is_wanted and len(rest) == 2 and rest[0].start == rest[1].start and len(rest[0].chars) == 1:
            stop = rest[1].end  # "68 -1 -1 -2D": the letters were taken for a digit and a letter
        return run[first].start, stop
    return None


def _collect(run: Sequence[Element], at: int, n: int, is_kind: Callable[[str], bool]) -> tuple[str, int]:
    """Return the characters of a kind from an element on, until there are so many, and the element behind them."""
    chars = ""
    while at < len(run) and is_kind(run[at].chars) and len(chars) < n:
        chars += run[at].chars
        at += 1
    return chars, at


def _letters_after(piece: Piece, stop: int, letters: str, is_wanted: bool) -> tuple[int, str]:
    """Letters of a postcode that recognition wrote as a short word: "6704 pb", "zes zeven nul vier peebee"."""
    call, turn, lexicon = piece.context.call, piece.context.turn, piece.context.lexicon
    while stop < turn.stop and len(letters) < 2:
        word = piece.context.word(stop)
        ended = call.ends_sentence(stop - 1)
        is_short = word.isalpha() and len(word) <= (4 if is_wanted else 2) and word not in lexicon.not_names
        if ended or not is_short or (not is_wanted and lexicon.is_dutch(word)):
            break
        letters += "x" if len(word) == 1 else "xx"
        stop += 1
    return stop, letters[:2]


# --- house numbers --------------------------------------------------------------------------------------------------


def find_house_number(piece: Piece) -> Iterator[Candidate]:
    """Yield a number behind a postcode or street, one that somebody lives at, or the answer to a question."""
    n = len(piece.digits)
    if n > _LONGEST_HOUSE:
        return
    if piece.start <= piece.context.house_due_until and not piece.is_article:
        yield by_rule("house_after_postcode", "house_number", *_extent(piece))
    if piece.follows_street or _follows_place(piece):
        rule = "house_after_street"
        yield piece.candidate(HARMLESS, rule) if _is_office(piece) else _house(piece, rule)
    if n <= 3 and (_is_own_number(piece) or _lives_at(piece)):
        yield _house(piece, "own_house")
    if "house_number" in piece.wanted and not piece.is_article:
        yield _house(piece, "asked_house")


def _house(piece: Piece, rule: str) -> Candidate:
    """Return the house number that a piece begins with; a harmless candidate where it is no answer."""
    if _is_no_answer(piece):
        return piece.candidate(HARMLESS, rule)
    return by_rule(rule, "house_number", *_extent(piece))


def _extent(piece: Piece) -> tuple[int, int]:
    """Start and end of a number and the letter behind it; anything further in the piece is left to its own."""
    run, end = piece.run, 1
    while end < len(run) and run[end].chars.isdigit() and len(digits_of(run[: end + 1])) <= _LONGEST_HOUSE:
        end += 1
    first = next(i for i, element in enumerate(run) if element.chars.isdigit())
    end = max(end, first + 1)
    if end < len(run) and not run[end].chars.isdigit() and len(run[end].chars) == 1:
        end += 1
    return run[first].start, _addition_end(piece, run[end - 1].end)


def _addition_end(piece: Piece, at: int) -> int:
    """Return the end of what is added to a house number that ends at a position: "bis", "huis c", "kamer drie"."""
    context, call, turn = piece.context, piece.context.call, piece.context.turn
    word = context.word(at)
    if word not in context.cues.addresses.additions or call.ends_sentence(at - 1):
        return at
    found = context.codes.element_at(call, at + 1, turn, False) if at + 1 < turn.stop else []
    if found and len(found[0].chars) <= 3 and not call.ends_phrase(at):
        return found[0].end
    return at + 1 if word in _UNIT_ALONE else at


def _follows_place(piece: Piece) -> bool:
    """Return whether a number follows what "adres" or "woon" makes a place: "ik woon in de Brink zes"."""
    call, turn, word, cues = piece.context.call, piece.context.turn, piece.before, piece.context.cues
    not_places = piece.context.lexicon.not_names | cues.quantities.count_leads
    if len(word) < 3 or word in not_places or not word.isalpha():
        return False
    if call.ends_sentence(piece.start - 1) or piece.counts or parse_number([word], 0):
        return False
    around = call.line(max(turn.start, piece.start - 7), piece.start - 1).split()
    return any(near.startswith(("adres", "woon", "wonen")) for near in around)


def _lives_at(piece: Piece) -> bool:
    """Return whether somebody lives at a number: "ik woon zelf op eenenveertig"."""
    around = piece.context.call.line(max(piece.context.turn.start, piece.start - 4), piece.start).split()
    return any(word in _LIVES for word in around) and not piece.counts and not piece.is_article


def _is_office(piece: Piece) -> bool:
    """Return whether the agent says where the municipality itself is to be found, unasked."""
    context = piece.context
    if context.role != "agent" or context.was_said("house_number"):
        return False
    first = context.call.ranges[max(0, context.position - 1)].start
    return bool(context.cues.addresses.office_places & set(context.call.line(first, piece.end).split()))


def _is_own_number(piece: Piece) -> bool:
    """Whether it is a citizen's "nummer achttien": too short for a case, and nobody's queue, bus line or desk."""
    context, call, turn = piece.context, piece.context.call, piece.context.turn
    if context.role != "citizen" or piece.before not in ("nummer", "nr") or piece.is_article:
        return False
    before = call.line(max(turn.start, piece.start - 5), piece.start - 1)
    behind = call.line(piece.end, min(piece.end + 4, turn.stop))
    return not context.cues.addresses.numbered & set(f"{before} {behind}".split())


def _is_no_answer(piece: Piece) -> bool:
    """Whether a number is a rank, a class, cried out or asked back: "categorie drie", "vijfentwintig!", "twee?"."""
    context, call, turn = piece.context, piece.context.call, piece.context.turn
    is_rank = piece.before == "nummer" and call.line(piece.end, min(piece.end + 2, turn.stop)) == "van de"
    is_cry = call.tokens[piece.end - 1].text.endswith(("?", "!")) and context.role == "citizen"
    is_sigh = piece.end < turn.stop and call.tokens[piece.start].bare in ("ach", "o", "oh")
    is_sigh = is_sigh and not context.is_street_near(piece.start)
    return is_rank or is_cry or is_sigh or piece.before in context.cues.addresses.classes
