"""Recognise e-mail addresses as they are said, and what recognition leaves of them.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from callanalytics.redaction.asked import Context
from callanalytics.redaction.candidates import Candidate, by_rule
from callanalytics.redaction.tokens import SENTENCE_END

_TOP = r"\.(?:nl|com|net|org|eu|be)"


def find_emails(context: Context) -> Iterator[Candidate]:
    """Yield the addresses of a turn, then the sentences in which one was bent beyond recognition."""
    call, turn = context.call, context.turn
    is_due = "email" in context.wanted or any(kind == "email" for _, kind in context.keywords)
    for at in turn:
        found = _address_at(context, at, is_due) if call.tokens[at].kind is None else None
        if not found:
            continue
        start, end, rule = found
        is_office = call.tokens[start].bare in context.cues.emails.office and start + 1 < end
        if not is_office or is_due or context.turns_since("email") <= 2:
            yield by_rule(rule, "email", start, end)
    is_brought_up = bool(context.cues.emails.mail_is.search(call.line(turn.start, turn.stop)))
    if _awaits_email(context) or (context.role != "agent" and (is_brought_up or _tells_email(context))):
        yield from _broken_email(context)


def _address_at(context: Context, at: int, is_due: bool) -> tuple[int, int, str] | None:
    """Start, end and rule of the address that a sign, a dot or a provider at a position belongs to."""
    turn, token = context.turn, context.call.tokens[at]
    if re.search(r"\S@\S", token.text):
        return at, _domain_end(context, at), "written_email"
    if width := _at_sign(context, at, is_due):
        return _local_start(context, at), _domain_end(context, at + width), "at_sign"
    if _is_dot(context, at) and (_awaits_email(context) or _has_dots(context, at)):
        # An address is due and a dot is all that recognition left of it: what stands around it goes.
        return _local_start(context, max(turn.start, at - 1)), _sentence_end(context, at), "dots"
    if is_due and re.search(rf"\w{_TOP}$", token.bare):
        return _local_start(context, at), at + 1, "domain"
    follows = context.word(at + 1)
    ends = follows in context.cues.emails.dots | context.cues.emails.top_level or SENTENCE_END.search(token.text)
    if is_due and token.bare in context.cues.emails.providers and ends:
        return _local_start(context, at), _domain_end(context, at), "provider"
    return None


def _broken_email(context: Context) -> Iterator[Candidate]:
    """Yield a sentence of which only a bent at sign or the end still tells that it is the address asked for.

    "deze chippen, appen, tijdens de planeten en el."
    """
    call, turn = context.call, context.turn
    start = turn.start
    while start < turn.stop:
        end = start + 1
        while end < turn.stop and not call.ends_sentence(end - 1):
            end += 1
        leads = [at for at in range(start, end) if context.cues.emails.mail_is.search(call.line(start, at + 1))]
        first = leads[0] + 1 if leads else start
        while first < end and call.tokens[first].bare in context.cues.emails.lead_in:
            first += 1
        is_free = all(call.tokens[at].kind is None for at in range(first, end))
        if is_free and end - first >= 3 and context.cues.emails.broken.search(call.line(first, end)):
            yield by_rule("broken_email", "email", first, end)
        start = end


def _tells_email(context: Context) -> bool:
    """Return whether an address is said though its question was lost: a bent at sign, and the end of a domain."""
    said = context.call.line(context.turn.start, context.turn.stop)
    has_parts = context.cues.emails.bent_sign.search(said) and context.cues.emails.domain.search(said)
    return bool(has_parts and not context.cues.emails.site.search(said))


def _has_dots(context: Context, at: int) -> bool:
    """Return whether a citizen says two dots in a sentence: an address, for a site has one and sums have none."""
    dots = sum(_is_dot(context, i) for i in range(at, _sentence_end(context, at)))
    return context.role == "citizen" and dots >= 2


def _awaits_email(context: Context) -> bool:
    return "email" in context.wanted and context.turns_since("email") > 0


def _at_sign(context: Context, at: int, is_due: bool) -> int:
    """Return the number of tokens an at sign takes here, 0 when none stands here."""
    from rapidfuzz import fuzz

    call, turn = context.call, context.turn
    word, following = context.word(at), context.word(at + 1)
    is_sign = word.startswith(("apenst", "apest", "aapst")) or call.tokens[at].text.strip(".,") == "@"
    # an ordinary word ("taartjes", "aanstaat") is a sign misheard only if a dot is said as well
    has_dot = any(_is_dot(context, i) for i in turn)
    may_be_sign = has_dot or not context.lexicon.is_dutch(word)
    is_bent = has_dot or (is_due and may_be_sign)
    is_bent = is_bent and bool(re.fullmatch(r"(?:ap|aa|op)\w*t?aar?t(?:je|jes|er)?|staartje", word))
    is_like = may_be_sign and len(word) >= 8 and fuzz.ratio(word, "apenstaartje") >= 70
    if is_sign or is_bent or is_like:
        return 1
    if word in ("apen", "ape", "aap", "apens") and re.match(r"st|ta", following):
        return 2
    if word in ("at", "et", "ad", "ed", "add"):
        ahead = [context.word(i) for i in range(at + 1, min(at + 6, turn.stop))]
        has_end = any(_is_dot(context, i) for i in range(at + 1, min(at + 6, turn.stop)))
        if has_end or any(w in context.cues.emails.providers or re.search(_TOP + "$", w) for w in ahead):
            return 1
    return 0


def _is_dot(context: Context, at: int) -> bool:
    token = context.call.tokens[at]
    is_domain = re.fullmatch(_TOP, token.text.lower().rstrip(".,?!"))
    return token.bare in context.cues.emails.dots or bool(is_domain)


def _local_start(context: Context, at: int) -> int:
    """Go back over the part before the at sign, to the words that lead in or the end of the sentence before."""
    call, turn = context.call, context.turn
    start = at
    while start > turn.start and at - start < 14 and not _is_before_email(context, start - 1):
        start -= 1
    # "jan punt de groot, dus g r o o t, at": a part before what leads in belongs to it when a dot is in it
    parts = [i for i in range(max(turn.start, at - 14), start) if _is_part(context, i)]
    if parts and start > turn.start and not any(_ends_email(context, i) for i in range(parts[0], start)):
        return _local_start(context, parts[0] - 1) if parts[0] > turn.start else parts[0]
    if "email" in context.wanted and start > turn.start and _ends_email(context, start - 1):
        # what recognition took for a short sentence of its own: "jan brakel. at gmail punt com"
        first = start - 1
        while first > turn.start and not _is_before_email(context, first - 1):
            first -= 1
        last = call.tokens[start - 1]
        is_piece = last.kind is None and last.bare not in context.cues.emails.lead_in
        return first if is_piece and start - first <= 4 else start
    return start


def _is_before_email(context: Context, at: int) -> bool:
    return _ends_email(context, at) or context.call.tokens[at].bare in context.cues.emails.lead_in


def _ends_email(context: Context, at: int) -> bool:
    token = context.call.tokens[at]
    is_word = len(token.bare) > 1 and token.bare not in context.cues.emails.dots
    is_end = is_word and context.call.ends_sentence(at)
    return token.kind is not None or is_end


def _is_part(context: Context, at: int) -> bool:
    """Return whether a word joins the parts of an address: a dot, a dash, "alles aan elkaar"."""
    return _is_dot(context, at) or context.call.tokens[at].bare in context.cues.emails.joints


def _sentence_end(context: Context, at: int) -> int:
    end = at
    while end < context.turn.stop and end - at < 12 and context.call.tokens[end].kind is None:
        end += 1
        if context.call.ends_sentence(end - 1):
            break
    return end


def _domain_end(context: Context, at: int) -> int:
    """Go on over the domain: "gmail punt com", "post mail punt n l"."""
    call, turn = context.call, context.turn
    end, seen_dot = at, False
    while end < turn.stop and end - at < 9 and call.tokens[end].kind is None:
        token = call.tokens[end]
        end += 1
        if re.search(_TOP + r"\b", token.bare) or (seen_dot and token.bare in context.cues.emails.top_level):
            break
        if seen_dot and token.bare == "n":
            # "punt n l", also as "punt n hel", "n el"
            end += 1 if end < turn.stop and re.match(r"h?e?l", call.tokens[end].bare) else 0
            break
        if SENTENCE_END.search(token.text) and len(token.bare) > 1:
            break
        seen_dot = seen_dot or token.bare in context.cues.emails.dots
    return end
