"""How far a name reaches that begins at a position, with its prefixes, initials and surnames.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from callanalytics.dutch.numbers import FILLERS, word_value
from callanalytics.redaction.candidates import Candidate
from callanalytics.redaction.likeness import PREFIXES, may_be_judged
from callanalytics.redaction.shapes import LIKELY_SLOT, LIKELY_WEAK, LIKELY_WORD, NAME, Shapes


def name_end(shapes: Shapes, at: int, turn: range, strength: str) -> int:
    """Return the end of the name that starts at a position, or the position itself when none does."""
    call = shapes.call
    if strength != "title" and shapes.is_title(call.tokens[at].bare):
        return at  # the title will bring its own name
    end, has_name = at, False
    while end < turn.stop and end - at < 7 and call.tokens[end].kind is None:
        if (odd := _odd_prefix(shapes, end, turn, strength, has_name)) and odd < turn.stop:
            end, has_name = odd + 1, True
            break
        if has_name and shapes.joins_names(end - 1, turn) and _is_name(shapes, end, turn, "title", is_first=True):
            end += 1
            break
        if call.tokens[end].bare in PREFIXES and _prefix_leads_on(shapes, end, turn, strength):
            end += 1
            continue
        if not _is_name(shapes, end, turn, strength, is_first=not has_name):
            break
        has_name = True
        end += 1
        is_cut = shapes.ends_phrase(end - 1) and not call.tokens[end - 1].text.endswith("-")
        if is_cut and not shapes.is_initial(end - 1, turn):
            break
    if has_name and strength != "weak" and not shapes.ends_phrase(end - 1):
        end = _phrase_end(shapes, end, turn)
    return end if has_name else at


def _odd_prefix(shapes: Shapes, at: int, turn: range, strength: str, has_name: bool) -> int:
    """Return where the surname behind "in 't", "op den" and the like stands, 0 when none does."""
    call, nxt = shapes.call, at + 2
    if f"{call.word(at, turn)} {call.word(at + 1, turn)}" not in shapes.cues.odd_prefixes:
        return 0
    is_due = strength == "title" or (has_name and call.is_capital(at - 1))
    if not is_due or shapes.ends_phrase(at + 1) or not call.word(nxt, turn):
        return 0
    is_last = shapes.ends_phrase(nxt) and shapes.may_be_name(nxt)
    is_strange = "'" in call.tokens[at + 1].text or not shapes.is_word(call.word(nxt, turn))
    is_strange = is_strange or shapes.likeness[nxt] >= LIKELY_SLOT
    return nxt if call.is_capital(nxt) or (is_last and is_strange) else 0


def _phrase_end(shapes: Shapes, at: int, turn: range) -> int:
    """Return the end of the phrase when all that is left of it may belong to a name just begun, else `at`.

    Recognition makes ordinary words of surnames: "met Karin boos.", "met Lotte van de kantoren,".
    """
    call = shapes.call
    if _ends_at_once(shapes, at, turn):
        return at + 1
    for end in range(at, min(at + 3, turn.stop)):
        word = call.word(end, turn)
        is_joint = word == "en" and end == at and not shapes.is_word(call.tokens[at - 1].bare)
        if word not in PREFIXES and not is_joint and not shapes.may_be_name(end):
            break
        # "Theo van het vervoersbedrijf" says where somebody works
        is_work = call.word(at, turn) == "van" and word not in PREFIXES and not call.is_capital(end)
        if is_work and shapes.is_word(word):
            break
        if shapes.ends_phrase(end):
            return at if shapes.is_street(at, end + 1, turn) else end + 1
    return at


def _ends_at_once(shapes: Shapes, at: int, turn: range) -> bool:
    """Return whether one word ends the phrase behind somebody's own first name: "u spreekt met Karin boos."."""
    word, cues = shapes.call.word(at, turn), shapes.cues
    if not word or not shapes.ends_phrase(at) or not shapes.reads_as_name(word):
        return False
    is_other = word in cues.relations | cues.nobody | shapes.small | {"hier"} or shapes.is_title(word)
    if is_other or shapes.is_office(at):
        return False
    return bool(cues.introduces_self.search(shapes.call.line(max(turn.start, at - 5), at - 1)))


def _prefix_leads_on(shapes: Shapes, at: int, turn: range, strength: str) -> bool:
    """Return whether "van de" and the like stand before a surname."""
    call, lexicon = shapes.call, shapes.lexicon
    nxt = shapes.past(at + 1, turn, PREFIXES, at + 3)
    word = call.word(nxt, turn)
    if not word or shapes.ends_phrase(nxt - 1):
        return False
    if strength == "strong" and call.tokens[nxt - 1].bare in shapes.cues.name_prefixes:
        return True
    is_behind_first_name = call.word(at - 1, turn) in lexicon.first_names
    if word in lexicon.not_names:
        is_slot = strength == "title" and (call.is_capital(nxt) or word in lexicon.surnames)
        return is_slot or (is_behind_first_name and shapes.is_cased_capital(nxt))
    if shapes.is_cased_capital(nxt):
        return not shapes.is_office(nxt)
    is_likely = word in lexicon.surnames or (strength == "title" and shapes.likeness[nxt] >= LIKELY_SLOT)
    is_carried_on = is_behind_first_name and call.tokens[at].bare != "van"
    return is_likely or is_carried_on or (strength != "weak" and not lexicon.is_dutch(word))


def _is_name(shapes: Shapes, at: int, turn: range, strength: str, is_first: bool) -> bool:
    """Return whether a word where a name is due is a name, the first or a later one of it."""
    call, lexicon, word = shapes.call, shapes.lexicon, shapes.call.tokens[at].bare
    if shapes.is_initial(at, turn):
        return strength != "weak" or call.is_capital(at)
    if not shapes.reads_as_name(word) or word in FILLERS or shapes.is_office(at):
        return False
    if (word in PREFIXES and not call.is_capital(at)) or _is_ruled_out(shapes, at, turn, strength, is_first):
        return False
    slot = {"title": LIKELY_SLOT, "weak": LIKELY_WORD if shapes.is_word(word) else LIKELY_WEAK}.get(strength, 1.0)
    if shapes.is_inner_capital(at, turn) or (shapes.likeness[at] >= slot and may_be_judged(word, lexicon)):
        return True
    if is_first:
        return _is_first_name(shapes, at, turn, strength)
    # lower case behind a first name: only what is no ordinary word carries the name on
    is_behind_first_name = call.tokens[at - 1].bare in lexicon.first_names or not shapes.is_cased
    is_strange = is_behind_first_name and not lexicon.is_dutch(word)
    return is_strange or (shapes.is_on_a_list(word) and strength != "weak")


def _is_ruled_out(shapes: Shapes, at: int, turn: range, strength: str, is_first: bool) -> bool:
    """Return whether a word is known to be a function word, a title, a number or a place that no name explains."""
    call, lexicon, cues = shapes.call, shapes.lexicon, shapes.cues
    word, before = call.tokens[at].bare, call.word(at - 1, turn)
    has_prefix = before in PREFIXES or shapes.joins_names(at - 1, turn)
    is_inner = not is_first and shapes.is_inner_capital(at, turn)
    # "Hessel Post": an ordinary word, but with a capital right behind a name
    is_behind = is_inner and (shapes.is_listed(at - 1) or not lexicon.is_dutch(call.tokens[at - 1].bare))
    is_sure = has_prefix and (strength == "title" or (strength == "strong" and before in cues.name_prefixes))
    if word in lexicon.not_names and not is_behind and not is_sure:
        return True
    if shapes.is_title(word) or word in cues.relations or word in cues.abbreviations or word_value(word) is not None:
        return True
    is_surname = call.is_capital(at) and (strength == "title" or has_prefix or before in cues.relations)
    # a town may end a name: "Jan van Buren Brakel"
    return word in lexicon.places and not shapes.is_on_a_list(word) and not is_surname and not is_inner


def _is_first_name(shapes: Shapes, at: int, turn: range, strength: str) -> bool:
    """Return whether the first word of a name that is due is one, though neither capital nor likeness says so."""
    call, lexicon, word = shapes.call, shapes.lexicon, shapes.call.tokens[at].bare
    is_listed, is_dutch, before = shapes.is_on_a_list(word), lexicon.is_dutch(word), call.word(at - 1, turn)
    if strength == "weak":
        # "mijn collega piet", "met piet van zorg": where a first name stands, one that is a word too will do
        is_due = before in shapes.cues.relations or (before == "met" and call.word(at + 1, turn) == "van")
        is_first_name = word in lexicon.first_names and (not shapes.is_cased or is_due)
        return is_listed and (not is_dutch or is_first_name)
    # A title may stand alone ("mevrouw belde"), a name after "mijn naam is" may not: there any content word goes.
    if strength == "greeting" and shapes.is_cased:
        return is_listed or (not is_dutch and len(word) >= 3)
    if strength == "strong":
        return word in lexicon.surnames or not _is_thing_of(shapes, at, turn)
    return is_listed or not is_dutch or not shapes.is_cased


def _is_thing_of(shapes: Shapes, at: int, turn: range) -> bool:
    """Return whether a word with its article stands behind "namens" or "naar": "namens de bewonersgroep"."""
    is_of = bool(re.fullmatch(r"(?:namens|naar) (?:de|het)", shapes.lead(at, turn, 2)))
    return is_of and shapes.is_word(shapes.call.tokens[at].bare) and shapes.likeness[at] < LIKELY_SLOT


def finished(shapes: Shapes, phrase: range, start: int, end: int) -> Iterator[Candidate]:
    """Yield a name with up to three words before it and behind it that may belong to it, to the phrase's ends."""
    call = shapes.call
    first = start
    while first > phrase.start and start - first <= 3 and _may_be_inside(shapes, first - 1):
        first -= 1
    stop = next((at for at in range(end, phrase.stop) if call.tokens[at].bare in shapes.cues.lead_out), phrase.stop)
    is_told = stop > end and shapes.cues.after_name.search(call.line(end, phrase.stop))
    begin = call.line(end, min(end + 2, phrase.stop))
    is_work = begin in ("van de", "van het") and shapes.is_word(call.tokens[stop - 1].bare)
    if stop - end <= 3 and not is_told and not is_work and all(_may_end(shapes, at) for at in range(end, stop)):
        end = stop
    first = first if start - first <= 3 else start
    if any(call.tokens[at].kind is None for at in range(first, end)):
        yield shapes.name(first, end, "remark")


def _may_end(shapes: Shapes, at: int) -> bool:
    """Return whether a word behind a name that was asked for may be a piece of it."""
    token = shapes.call.tokens[at]
    is_other = token.bare in shapes.cues.relations or shapes.is_title(token.bare) or word_value(token.bare) is not None
    return token.kind in (None, NAME) and token.bare.isalpha() and not is_other


def _may_be_inside(shapes: Shapes, at: int) -> bool:
    """Return whether a word before a name that was asked for may be a piece of it that recognition misheard."""
    word, cues = shapes.call.tokens[at].bare, shapes.cues
    is_lead = word in shapes.small | cues.relations | cues.lead_in
    return not is_lead and _may_end(shapes, at) and not shapes.is_office(at)
