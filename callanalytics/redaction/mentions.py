"""Names that give themselves away wherever they are said, and names that are said again.  Pure.

By the lists, by a prefix or an initial, by the Dutch pipeline, by how they look, and as a sentence of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from callanalytics.dutch import numbers
from callanalytics.redaction.candidates import Candidate
from callanalytics.redaction.extent import name_end
from callanalytics.redaction.likeness import PREFIXES, may_be_judged, sound_of, sounds_like_one_of
from callanalytics.redaction.shapes import (
    GOES_ON,
    IMPOSSIBLE,
    LIKELY,
    LIKELY_AGAIN,
    LIKELY_ALONE,
    LIKELY_DUE,
    LIKELY_OPENING,
    LIKELY_WORD,
    NAME,
    UNLIKELY,
    Shapes,
    is_almost_in,
)

SHORTEST_KNOWN = 3  # letters of a name that is looked for elsewhere
ALIKE, ALIKE_IF_LIKELY = 80, 68  # similarity to a name found before, in percent
_SHORTEST_SOUND = 4
_FUZZY_FROM = 5
_REPEATED_PREFIXES = frozenset({"van", "der", "den", "de", "ter", "ten"})


def listed(shapes: Shapes, turn: range) -> Iterator[Candidate]:
    """Yield first names of the list and capitals on words that Dutch does not know, with the surname behind them."""
    call, lexicon = shapes.call, shapes.lexicon
    for at in turn:
        word = call.tokens[at].bare
        is_place = word in lexicon.places or at in shapes.in_places
        if call.tokens[at].kind is not None or word in lexicon.not_names or is_place:
            continue
        parts = {numbers.bare(part) for part in call.tokens[at].text.split("-")}  # "Klaas-Jan"
        is_first_name = parts <= lexicon.first_names
        if shapes.is_office(at) or not (is_first_name or shapes.is_stranger(at, turn)):
            continue
        if shapes.likeness[at] < (IMPOSSIBLE if is_first_name and call.is_capital(at) else UNLIKELY):
            continue
        is_rare = not lexicon.is_dutch(word) and len(word) >= 4
        may_be_small = is_rare and (call.is_capital(at) or not shapes.is_cased)
        if not (may_be_small or shapes.is_inner_capital(at, turn)):
            continue
        end, start = max(name_end(shapes, at, turn, "weak"), at + 1), at
        while start > turn.start and _leads_on(shapes, start, turn):
            start -= 1
        if not shapes.is_street(start, end, turn):
            yield shapes.name(start, end, "listed")


def _leads_on(shapes: Shapes, start: int, turn: range) -> bool:
    """Return whether a first name, an initial or a prefix stands before a name just found."""
    call, lexicon, at = shapes.call, shapes.lexicon, start - 1
    word = call.tokens[at].bare
    is_free = call.tokens[at].kind is None and not shapes.ends_phrase(at) and word not in lexicon.not_names
    is_name = word in lexicon.first_names or not lexicon.is_dutch(word)
    if is_free and is_name and call.is_capital(at) and word.isalpha():
        return True
    is_prefix = call.word(at, turn) in PREFIXES and call.is_capital(at) and call.is_capital(start)
    return is_prefix or shapes.is_initial(at, turn)


def prefixed(shapes: Shapes, turn: range) -> Iterator[Candidate]:
    """Yield surnames that initials or prefixes give away: "S. de Wit", "van der Sluis", "Van" inside a sentence."""
    call, lexicon = shapes.call, shapes.lexicon
    for at in turn:
        is_initial = "." in call.tokens[at].text and call.is_capital(at) and shapes.is_initial(at, turn)
        if is_initial and call.word(at + 1, turn) not in lexicon.not_names - PREFIXES:
            yield shapes.name(at, max(at + 1, name_end(shapes, at, turn, "title")), "prefixed")
        if call.word(at, turn) not in PREFIXES - {"la", "le", "el", "al"}:
            continue
        nxt = shapes.past(at + 1, turn, PREFIXES, at + 3)
        word = call.word(nxt, turn)
        if not word or not shapes.may_be_name(nxt):
            continue
        is_cut = any(shapes.ends_phrase(i) for i in range(at, nxt))
        if is_cut or shapes.is_street(at, nxt + 1, turn) or shapes.is_office(at):
            continue
        is_double = call.line(at, at + 2) in ("van der", "van den", "von der")
        is_inner = shapes.is_inner_capital(at, turn) and call.word(at - 1, turn) not in ("in", "op")
        is_place = word in lexicon.places or call.line(at, nxt + 1).replace(" ", "") in lexicon.places
        is_capital = call.is_capital(nxt)
        if (is_double and (is_capital or not shapes.is_cased)) or (is_inner and is_capital and not is_place):
            yield shapes.name(at, nxt + 1, "prefixed")


def witnessed(shapes: Shapes, turn: range, is_due: bool) -> Iterator[Candidate]:
    """Yield what the pipeline heard as a name, if a word of it is one already, is not Dutch, or a name is due."""
    call, lexicon = shapes.call, shapes.lexicon
    for at in turn:
        span = shapes.heard.get(at)
        if span is None or shapes.is_office(at):
            continue
        names = [i for i in span if call.tokens[i].kind is None and call.tokens[i].bare and shapes.may_be_name(i)]
        has_name = any(call.tokens[i].kind == NAME for i in span)
        # a name found already is not carried on by ordinary words: "Theo van het vervoersbedrijf"
        if has_name and shapes.is_cased:
            names = [i for i in names if call.is_capital(i) or shapes.is_odd(i)]
        if not names:
            continue
        # one strange word at the start of a sentence is more often misheard than a name
        is_rare = len(names) > 1 or not call.starts_sentence(names[0], turn) or not shapes.is_cased
        is_rare = is_rare and any(shapes.is_odd(i) for i in names)
        is_rare = is_rare and max(shapes.likeness[i] for i in names) >= UNLIKELY
        is_first_name = any(call.tokens[i].bare in lexicon.first_names for i in names)
        is_name = has_name or is_rare or is_first_name or is_due
        if is_name and not shapes.is_street(names[0], names[-1] + 1, turn):
            yield shapes.name(names[0], names[-1] + 1, "witnessed")


def likened(shapes: Shapes, turn: range, is_due: bool) -> Iterator[Candidate]:
    """Yield words that look like names where they stand, and what such a name takes along."""
    call = shapes.call
    for at in turn:
        word, likeness = call.tokens[at].bare, shapes.likeness[at]
        if call.tokens[at].kind is not None or not may_be_judged(word, shapes.lexicon):
            continue
        sure = LIKELY_DUE if is_due else LIKELY_WORD if shapes.lexicon.is_dutch(word) else LIKELY
        is_lead = word in shapes.cues.almost_met and shapes.is_first(turn)
        if is_lead or likeness < sure or not shapes.may_be_name(at) or shapes.is_office(at):
            continue
        is_led = is_due or call.word(at - 1, turn) in PREFIXES
        is_place = not is_led and not shapes.is_listed(at) and is_almost_in(word, shapes.lexicon.towns)
        is_alone = shapes.ends_phrase(at) and (at == turn.start or shapes.ends_phrase(at - 1))
        is_unsure = is_alone and not is_due and likeness < LIKELY_ALONE
        if is_place or is_unsure or shapes.is_place_here(at, turn):
            continue
        start, end = shapes.with_prefixes(at, turn), at + 1
        while end < turn.stop and not shapes.ends_phrase(end - 1) and _goes_on(shapes, end, turn):
            end += 1
        if not shapes.is_street(start, end, turn):
            yield shapes.name(start, end, "likened")


def _goes_on(shapes: Shapes, at: int, turn: range) -> bool:
    """Return whether a name that looked like one goes on with this word."""
    return bool(shapes.call.word(at, turn)) and shapes.likeness[at] >= GOES_ON and shapes.may_be_name(at)


def born_as(shapes: Shapes, turn: range) -> Iterator[Candidate]:
    """Yield the name before "van mezelf", said before the name somebody had before marrying."""
    for at in turn:
        is_led = shapes.call.line(at, min(at + 2, turn.stop)) in ("van mezelf", "van mijzelf")
        if is_led and at > turn.start and shapes.may_be_name(at - 1):
            yield shapes.name(at - 1, at, "born_as")


def glued(shapes: Shapes, turn: range) -> Iterator[Candidate]:
    """Yield a form of address and a name in one word: "vrouwdijkstra", "hernieuwenhuis"."""
    for at in turn:
        found = shapes.cues.glued_title.fullmatch(shapes.call.word(at, turn))
        rest = found.group(1) if found else ""
        is_strange = len(rest) >= 5 and shapes.is_odd(at) and not shapes.is_word(rest)
        surnames = shapes.lexicon.surnames
        if is_strange and (rest in surnames or sounds_like_one_of(rest, surnames)):
            yield shapes.name(at, at + 1, "glued")


def carried_on(shapes: Shapes, turn: range, is_first: bool) -> Iterator[Candidate]:
    """Yield a first name with a surname behind it of which recognition made an ordinary word: "[Karin] van vlieg." """
    call = shapes.call
    for at in turn[1:]:
        if not shapes.is_name_at(at - 1) or shapes.ends_phrase(at - 1):
            continue
        nxt = shapes.past(at, turn, PREFIXES, at + 3)
        is_signed = is_first and bool(shapes.cues.after_name.search(call.line(nxt + 1, min(nxt + 4, turn.stop))))
        if nxt == at or not call.word(nxt, turn) or not (is_signed or shapes.may_be_name(nxt)):
            continue
        is_strange = shapes.is_odd(nxt)
        is_work = call.line(at, nxt) in ("van de", "van het") and not is_strange
        is_due = is_strange or (is_first and shapes.role(at) == "agent")
        if is_due and not is_work and (is_signed or shapes.ends_phrase(nxt)):
            start = at - 1
            while start > turn.start and call.tokens[start - 1].span == call.tokens[at - 1].span:
                start -= 1
            yield shapes.name(start, nxt + 1, "remark")


def alone(shapes: Shapes, turn: range) -> Iterator[Candidate]:
    """Yield one or two words that are a sentence of their own and a name by the lists: "Roelofs." """
    lexicon = shapes.lexicon
    for sentence in shapes.sentences(turn):
        at = sentence.stop - 1
        words = [shapes.call.word(i, turn) for i in sentence]
        if len(words) > 2 or not words[-1] or not words[0]:
            continue
        is_surname = words[-1] in lexicon.surnames
        is_name = is_surname and not lexicon.is_dutch(words[-1])
        if sentence == turn and shapes.role(at) == "citizen":
            is_name = is_name or (words[0] in PREFIXES - {"t"} and is_surname)
            is_likely = len(words) == 1 and shapes.likeness[at] >= LIKELY_OPENING
            is_name = is_name or (is_likely and shapes.is_strange(at))
        is_led = len(words) == 1 or words[0] in PREFIXES or words[0] in lexicon.first_names
        if is_name and is_led and shapes.may_be_name(at) and not shapes.is_office(at):
            yield shapes.name(sentence.start, at + 1, "alone")


def only_name(shapes: Shapes, turn: range) -> Iterator[Candidate]:
    """Yield a turn that is a first name and one to three words more: an answer whose question recognition lost."""
    call = shapes.call
    first = shapes.past(turn.start, turn, shapes.small, turn.stop)
    is_name = 2 <= turn.stop - first <= 4 and call.word(first, turn) in shapes.sure_first_names
    if is_name and all(call.word(at, turn) in PREFIXES or shapes.may_be_name(at) for at in range(first + 1, turn.stop)):
        yield shapes.name(first, turn.stop, "only_name")


def repeated(shapes: Shapes) -> Iterator[Candidate]:
    """Yield the names found in a call wherever else they are said, also as recognition varies them.

    A word that is no Dutch word was weighed where it was found: its reason is empty, so that nobody weighs it again.
    """
    call, lexicon, tokens = shapes.call, shapes.lexicon, shapes.call.tokens
    known = {token.bare for at, token in enumerate(tokens) if shapes.is_name_at(at) and _is_telling(shapes, at)}
    if not known:
        return
    behind_prefix = {
        token.bare
        for before, token in pairwise(tokens)
        if token.kind == NAME and before.bare in PREFIXES and token.bare not in PREFIXES | {""}
    }
    sounds = {sound for sound in map(sound_of, known) if len(sound) >= _SHORTEST_SOUND}
    for turn in call.ranges:
        for at in turn:
            word = call.word(at, turn)
            if word in behind_prefix and call.word(at - 1, turn) in PREFIXES and call.is_capital(at):
                yield shapes.name(at - 1, at + 1, "repeated")
            word = call.word(at, turn)
            if len(word) < SHORTEST_KNOWN or word in lexicon.not_names or shapes.is_office(at):
                continue
            if _is_said_again(shapes, at, turn, known, sounds):
                # "de Brands" may be an article: take prefixes only where they were part of the name
                start = at
                while at - start < 3 and _had_prefix(shapes, word) and call.word(start - 1, turn) in _REPEATED_PREFIXES:
                    start -= 1
                is_ordinary = lexicon.is_dutch(word) or word in lexicon.places
                yield shapes.name(start, at + 1, "" if word in known and not is_ordinary else "repeated")


def _is_said_again(shapes: Shapes, at: int, turn: range, known: set[str], sounds: set[str]) -> bool:
    """Return whether a word is one of the names found, or what recognition made of one."""
    call, word = shapes.call, shapes.call.tokens[at].bare
    is_capital, is_likely = shapes.is_cased_capital(at), shapes.likeness[at] >= UNLIKELY
    is_ordinary = shapes.lexicon.is_dutch(word) or word in shapes.lexicon.places
    if word in known:
        has_prefix = call.word(at - 1, turn) in PREFIXES and _had_prefix(shapes, word)
        is_name = is_capital or not is_ordinary or has_prefix or (len(word) >= _FUZZY_FROM and is_likely)
        return is_name or _is_addressed(shapes, at, turn)
    if len(word) >= _FUZZY_FROM and (not is_ordinary or shapes.is_inner_capital(at, turn)):
        likeness = ALIKE_IF_LIKELY if shapes.likeness[at] >= LIKELY_AGAIN else ALIKE
        return any(_is_alike(word, name, likeness, is_capital) for name in known if len(name) >= _FUZZY_FROM)
    return sound_of(word) in sounds and (not is_ordinary or _is_addressed(shapes, at, turn))


def _is_alike(word: str, name: str, likeness: int, is_capital: bool) -> bool:
    """Return whether a word is written or sounds like a name, or is the name with an ending: "Jansens"."""
    from rapidfuzz import fuzz

    if word.startswith(name) and is_capital and len(word) < len(name) + 5:
        return True
    return max(fuzz.ratio(word, name), fuzz.ratio(sound_of(word), sound_of(name))) >= likeness


def _is_telling(shapes: Shapes, at: int) -> bool:
    """Return whether a word marked as a name may be looked for elsewhere: an ordinary word was only a piece of it."""
    word = shapes.call.tokens[at].bare
    if len(word) < SHORTEST_KNOWN or word in PREFIXES or word in shapes.lexicon.not_names:
        return False
    return shapes.is_on_a_list(word) or shapes.is_cased_capital(at) or not shapes.is_word(word)


def _is_addressed(shapes: Shapes, at: int, turn: range) -> bool:
    """Return whether somebody is spoken to by this word: "dag Fleur,", "dank je wel, Omar." """
    if not shapes.ends_phrase(at) and at + 1 < turn.stop:
        return False
    before = shapes.call.word(at - 1, turn)
    return before in shapes.cues.greetings | {"wel", "bedankt", "dankjewel"} or shapes.is_title(before)


def _had_prefix(shapes: Shapes, word: str) -> bool:
    """Return whether a name was found that ends in this word behind a prefix."""
    tokens = shapes.call.tokens
    return any(
        token.bare == word
        and token.kind == before.kind == NAME
        and before.span == token.span
        and before.bare in PREFIXES
        for before, token in pairwise(tokens)
    )
