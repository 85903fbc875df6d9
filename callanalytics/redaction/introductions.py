"""Names after an introduction, a form of address or a relation, and before what one says behind one's own name.  Pure.

"u spreekt met Jan Pot", "mevrouw Pot", "mijn zoon Jan", "ja, Slagter hier", "Morgen, Kranner."
"""

from __future__ import annotations

from collections.abc import Iterator

from callanalytics.dutch.numbers import FILLERS, word_value
from callanalytics.redaction.candidates import Candidate
from callanalytics.redaction.extent import finished, name_end
from callanalytics.redaction.likeness import PREFIXES
from callanalytics.redaction.shapes import LIKELY_OPENING, UNLIKELY, Shapes
from callanalytics.redaction.tokens import SENTENCE_END


def introduced(shapes: Shapes, turn: range, is_opening: bool, is_due: bool) -> Iterator[Candidate]:
    """Yield the names that words before them announce; the reason says how strongly they do."""
    call = shapes.call
    for at in turn:
        if call.tokens[at].kind is not None:
            continue
        strength = _cue_before(shapes, at, turn, is_opening, is_due)
        if not strength:
            continue
        end = name_end(shapes, at, turn, strength)
        if end == at and strength != "weak":
            end = _behind_broken_words(shapes, at, turn, strength)
        if end == at and strength == "title" and call.tokens[at].bare == "van":
            end = _behind_van(shapes, at, turn)
        if end == at:
            is_own = strength == "greeting" or bool(shapes.cues.introduces_self.search(shapes.lead(at, turn, 4)))
            is_own = is_own or _opens(shapes, at, turn) or (strength == "strong" and _is_opening(shapes, at, turn))
            end = _whole_phrase(shapes, at, turn) if is_own else at
        if end > at and not (strength == "weak" and _is_no_name(shapes, at, end, turn)):
            yield shapes.name(at, end, f"introduced {strength}")


def _is_no_name(shapes: Shapes, start: int, end: int, turn: range) -> bool:
    """Return whether a street stands where a name may be, or words that neither lists nor their looks make one."""
    places = range(start, end)
    is_listed = any(shapes.is_listed(at) or shapes.is_initial(at, turn) for at in places)
    is_likely = max(shapes.likeness[start:end]) >= UNLIKELY
    is_stranger = any(shapes.is_cased_capital(at) and shapes.is_odd(at) for at in places)
    is_related = shapes.call.word(start - 1, turn) in shapes.cues.relations and shapes.is_cased_capital(start)
    return shapes.is_street(start, end, turn) or not (is_listed or is_likely or is_stranger or is_related)


def _cue_before(shapes: Shapes, at: int, turn: range, is_opening: bool, is_due: bool) -> str:  # noqa: PLR0911 - a list
    """Return how strongly the words before a position announce a name: "title", "strong", "greeting", "weak", ""."""
    call, cues = shapes.call, shapes.cues
    last = at - 1
    while last > turn.start and call.word(last, turn) in ("eh", "ehm", "uh", "uhm"):
        last -= 1
    word, before = call.word(last, turn), call.word(last - 1, turn)
    if not word:
        return ""
    ended = shapes.ends_phrase(last)
    is_cut = word in ("vrouw", "heer") and before in cues.before_cut_titles
    if is_cut and shapes.role(at) == "agent" and not ended:
        return "title"
    if shapes.is_title(word) or (word in cues.almost_titles and not ended and shapes.looks_like_name(at, turn)):
        return "" if ended and not shapes.is_listed(at) else "title"
    if ended and SENTENCE_END.search(call.tokens[last].text):
        return ""
    line = " ".join(call.word(i, turn) for i in range(max(turn.start, last - 4), last + 1)).strip()
    is_announced = cues.introduces.search(line) and not (ended and word != "is")
    if is_announced or (word == "zeker" and before in ("een", "n")):
        return "strong"
    if word in cues.relations or (word in ("heet", "is") and before in cues.relations):
        return "weak"
    if word == "met" and before in cues.with_things:
        return ""
    is_first = shapes.is_first(turn)
    if word == "met" and (is_opening or is_due):
        # An agent says a name after the first "met"; later, and from a citizen, the word itself must look like one.
        if is_due or (is_first and shapes.role(at) == "agent"):
            return "strong"
        is_early = is_first and at - turn.start <= 5
        return "greeting" if is_early or before in cues.greetings | {""} else "weak"
    if word in cues.almost_met and is_first and shapes.is_stranger(at, turn):
        return "strong"
    if cues.introduces_weakly.search(line) and (is_opening or is_due or word == "met"):
        is_said_of = word == "ben" and (call.word(at + 1, turn) == "op" or call.word(at, turn) in cues.articles)
        return "strong" if is_due and not is_said_of else "weak"  # "ik ben geboren op", "ik ben de eigenaar"
    return ""


def _is_agents_met(shapes: Shapes, at: int, turn: range) -> bool:
    """Return whether "met" stands right before in an agent's first turn."""
    return shapes.role(at) == "agent" and shapes.is_first(turn) and shapes.call.word(at - 1, turn) == "met"


def _is_opening(shapes: Shapes, at: int, turn: range) -> bool:
    """Return whether an agent's first "met" stands right before, and a strange word in the phrase behind it."""
    if not _is_agents_met(shapes, at, turn):
        return False
    phrase = next(shapes.phrases(range(at, turn.stop)))
    return len(phrase) <= 4 and any(shapes.is_odd(i) for i in phrase)


def _opens(shapes: Shapes, at: int, turn: range) -> bool:
    """Return whether the one word of an agent's "gemeente Zwolle, met ..." stands here."""
    call = shapes.call
    if not _is_agents_met(shapes, at, turn) or call.word(at, turn) in PREFIXES:
        return False
    before = [call.word(i, turn) for i in range(max(turn.start, at - 5), at - 1)]
    is_greeting = any(word in shapes.cues.greetings - {"u"} or word.startswith("gemeente") for word in before if word)
    return is_greeting and shapes.ends_phrase(at)


def _whole_phrase(shapes: Shapes, at: int, turn: range) -> int:
    """Return the end of a short phrase where people say who they are and no name was recognised, else `at`.

    Recognition made other words of it: "u spreekt met rond de winkel,", "ja, met de wed."
    """
    call, cues = shapes.call, shapes.cues
    has_odd = any(shapes.is_odd(i) for i in next(shapes.phrases(range(at, turn.stop))))
    nobody = (cues.never_after_met - PREFIXES) | cues.relations | FILLERS
    nobody |= cues.nobody - cues.misheard_names if has_odd else cues.nobody
    for end in range(at, min(at + 3 + has_odd, turn.stop)):
        word = call.word(end, turn)
        is_article = word in PREFIXES
        if not word or shapes.is_office(end) or not (is_article or shapes.reads_as_name(word)):
            break
        if word in nobody or shapes.is_title(word) or word_value(word) is not None:
            break
        if shapes.ends_phrase(end) and not is_article:
            is_known = any(call.word(i, turn) not in shapes.lexicon.not_names for i in range(at, end + 1))
            # "gemeente Zwolle met aan.": there even a function word was a name
            return end + 1 if is_known or (end == at and _opens(shapes, at, turn)) else at
    return at


def _behind_van(shapes: Shapes, at: int, turn: range) -> int:
    """Return the end of a phrase like "meneer van ging keel.": what is left of it is a name; else `at`."""
    for end in range(at + 1, min(at + 3, turn.stop)):
        is_other = shapes.call.word(end, turn) in PREFIXES | shapes.cues.nobody
        if is_other or not shapes.may_be_name(end) or shapes.is_office(end):
            break
        if shapes.ends_phrase(end):
            return end + 1
    return at


def _behind_broken_words(shapes: Shapes, at: int, turn: range, strength: str) -> int:
    """Return the end of a name whose beginning recognition broke into a word or two: "met zo 'n Dries"; else `at`."""
    call, cues = shapes.call, shapes.cues
    for start in (at + 1, at + 2):
        if start >= turn.stop or shapes.ends_phrase(start - 1):
            break
        word, skipped = call.word(start, turn), call.word(start - 1, turn)
        if skipped in cues.relations | (cues.never_after_met - cues.short) or shapes.is_title(skipped):
            break
        if strength == "greeting" and skipped not in cues.short:
            break
        if strength == "title" and not shapes.is_inner_capital(start, turn):
            continue
        is_strange = word and not shapes.lexicon.is_dutch(word) and (strength != "greeting" or len(word) >= 6)
        is_name = is_strange or (strength == "strong" and shapes.is_listed(start))
        if is_name and (end := name_end(shapes, start, turn, "strong")) > start:
            return end
    return at


def signed(shapes: Shapes, turn: range, is_opening: bool) -> Iterator[Candidate]:
    """Yield a name before what one says behind one's own: "ja, Slagter hier", or behind that of the municipality."""
    call, lexicon = shapes.call, shapes.lexicon
    for at in range(turn.start + 1, min(turn.stop + 1, turn.start + 16)):
        start = at
        while start > turn.start and at - start < 4 and _may_sign(shapes, start - 1, at - start == 0, turn):
            start -= 1
            if start > turn.start and shapes.ends_phrase(start - 1):
                break
        if start == at:
            continue
        own = [i for i in range(start, at) if call.tokens[i].bare not in PREFIXES]
        is_known = any(shapes.is_on_a_list(call.tokens[i].bare) for i in range(start, at))
        is_capital = all(shapes.is_cased_capital(i) for i in own) and shapes.is_cased
        is_rare = not any(lexicon.is_dutch(call.tokens[i].bare) for i in own)
        begins = start == turn.start or call.tokens[start - 1].bare in shapes.cues.greetings
        is_signed = is_opening and (begins or shapes.ends_phrase(start - 1))
        is_signed = is_signed and bool(shapes.cues.after_name.search(call.line(at, min(at + 4, turn.stop))))
        is_name = is_signed and (is_known or is_rare or is_capital)
        if is_name or (_follows_municipality(shapes, start, turn) and (is_known or (is_capital and is_rare))):
            yield shapes.name(start, at, "signed")
            return


def _follows_municipality(shapes: Shapes, at: int, turn: range) -> bool:
    """Return whether an agent has just said "gemeente Zwolle" in the first turn."""
    if shapes.role(turn.start) == "citizen" or not shapes.is_first(turn):
        return False
    return any(shapes.call.word(i, turn).startswith("gemeente") for i in range(max(turn.start, at - 3), at - 1))


def _may_sign(shapes: Shapes, at: int, is_last: bool, turn: range) -> bool:
    """Return whether a word may belong to a name that is said before "hier" and the like."""
    call, word = shapes.call, shapes.call.word(at, turn)
    if not word or (shapes.ends_phrase(at) and not is_last):
        return False
    if word in PREFIXES:
        return not is_last and (call.is_capital(at) or call.is_capital(at + 1) or not shapes.is_cased)
    return shapes.may_be_name(at) and not shapes.is_office(at)


def opened(shapes: Shapes, turn: range) -> Iterator[Candidate]:
    """Yield a name that is a phrase of its own in a party's first turn: "Morgen, Kranner, ...", "Ani Timmerman." """
    call, phrases = shapes.call, 0
    for phrase in shapes.phrases(turn):
        at = phrase.stop - 1
        first = shapes.past(phrase.start, turn, shapes.cues.greetings | {"ja", "met"}, at)
        words = [call.word(i, turn) for i in range(first, at + 1)]
        if words[0] in shapes.cues.greetings:
            continue
        phrases += 1
        if not words[0]:
            continue
        is_prefixed = len(words) == 2 and words[0] in PREFIXES - {"het", "t", "d", "v", "al"}
        is_strange = (len(words) == 1 or is_prefixed) and shapes.is_strange(at)
        is_full = len(words) == 2 and words[1] in shapes.sure_surnames and shapes.may_be_name(first)
        is_full = is_full and shapes.is_cased_capital(first) and call.is_capital(at)
        if shapes.role(turn.start) == "citizen":
            is_due = is_strange and phrases == 1
        else:
            is_last = at + 1 == turn.stop and first > turn.start and call.is_capital(first)
            is_own = len(words) == 1 and shapes.may_be_name(at) and shapes.likeness[at] >= LIKELY_OPENING
            is_due = is_last and (is_strange or is_own)
        if (is_due or is_full) and not shapes.is_office(first) and not shapes.is_street(first, at + 1, turn):
            yield shapes.name(first, at + 1, "opened")


def finished_introductions(shapes: Shapes, turn: range) -> Iterator[Candidate]:
    """Yield names with the words behind them where people say who they are: "u spreekt met [klaren] over stegen." """
    for phrase in shapes.phrases(turn):
        names = [at for at in phrase if shapes.call.tokens[at].kind == "person_name"]
        lead = shapes.lead(names[0], phrase, 4) if names else ""
        is_own = shapes.cues.introduces_self.search(lead) or (lead.split()[-1:] == ["met"] and shapes.is_first(turn))
        if is_own and not shapes.call.tokens[names[0]].is_placeholder and len(phrase) <= 12:
            yield from finished(shapes, range(names[0], phrase.stop), names[0], names[-1] + 1)
