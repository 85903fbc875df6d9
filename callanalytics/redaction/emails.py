"""Recognise e-mail addresses as they are said, and what recognition leaves of them.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from callanalytics.redaction.asked import Context
from callanalytics.redaction.candidates import SCORES, Candidate
from callanalytics.redaction.tokens import SENTENCE_END

_TOP = r"\.(?:nl|com|net|org|eu|be)"


class EmailRecogniser:
    """Recognises e-mail addresses by an at sign, a dot or a provider."""

    def __init__(self, context: Context) -> None:
        self._context, self._call = context, context.call
        self._cues = context.cues.emails

    def find(self) -> Iterator[Candidate]:
        """Yield the addresses of a turn, then the sentences in which one was bent beyond recognition."""
        call, turn = self._call, self._context.turn
        is_due = "email" in self._context.wanted or any(kind == "email" for _, kind in self._context.keywords)
        for at in turn:
            found = self._address_at(at, is_due) if call.tokens[at].kind is None else None
            if not found:
                continue
            start, end, rule = found
            is_office = call.tokens[start].bare in self._cues.office and start + 1 < end
            if not is_office or is_due or self._context.turns_since("email") <= 2:
                yield Candidate("email", start, end, SCORES[rule], rule)
        is_brought_up = bool(self._cues.mail_is.search(call.line(turn.start, turn.stop)))
        if self._awaits_email() or (self._context.role != "agent" and (is_brought_up or self._tells_email())):
            yield from self._broken_email()

    def _address_at(self, at: int, is_due: bool) -> tuple[int, int, str] | None:
        """Start, end and rule of the address that a sign, a dot or a provider at a position belongs to."""
        call, turn, token = self._call, self._context.turn, self._call.tokens[at]
        if re.search(r"\S@\S", token.text):
            return at, self._domain_end(at), "written_email"
        if width := self._at_sign(at, is_due):
            return self._local_start(at), self._domain_end(at + width), "at_sign"
        if self._is_dot(at) and (self._awaits_email() or self._has_dots(at)):
            # An address is due and a dot is all that recognition left of it: what stands around it goes.
            return self._local_start(max(turn.start, at - 1)), self._sentence_end(at), "dots"
        if is_due and re.search(rf"\w{_TOP}$", token.bare):
            return self._local_start(at), at + 1, "domain"
        follows = call.word(at + 1, turn)
        ends = follows in self._cues.dots | self._cues.top_level or SENTENCE_END.search(token.text)
        if is_due and token.bare in self._cues.providers and ends:
            return self._local_start(at), self._domain_end(at), "provider"
        return None

    def _broken_email(self) -> Iterator[Candidate]:
        """Yield a sentence of which only a bent at sign or the end still tells that it is the address asked for.

        "deze chippen, appen, tijdens de planeten en el."
        """
        call, turn = self._call, self._context.turn
        start = turn.start
        while start < turn.stop:
            end = start + 1
            while end < turn.stop and not SENTENCE_END.search(call.tokens[end - 1].text):
                end += 1
            leads = [at for at in range(start, end) if self._cues.mail_is.search(call.line(start, at + 1))]
            first = leads[0] + 1 if leads else start
            while first < end and call.tokens[first].bare in self._cues.lead_in:
                first += 1
            is_free = all(call.tokens[at].kind is None for at in range(first, end))
            if is_free and end - first >= 3 and self._cues.broken.search(call.line(first, end)):
                yield Candidate("email", first, end, SCORES["broken_email"], "broken_email")
            start = end

    def _tells_email(self) -> bool:
        """Whether an address is said though its question was lost: a bent at sign, and the end of a domain."""
        said = self._call.line(self._context.turn.start, self._context.turn.stop)
        has_parts = self._cues.bent_sign.search(said) and self._cues.domain.search(said)
        return bool(has_parts and not self._cues.site.search(said))

    def _has_dots(self, at: int) -> bool:
        """Whether a citizen says two dots in a sentence: an address, for a site has one and sums have none."""
        dots = sum(self._is_dot(i) for i in range(at, self._sentence_end(at)))
        return self._context.role == "citizen" and dots >= 2

    def _awaits_email(self) -> bool:
        return "email" in self._context.wanted and self._context.turns_since("email") > 0

    def _at_sign(self, at: int, is_due: bool) -> int:
        """The number of tokens an at sign takes here, 0 when none stands here."""
        from rapidfuzz import fuzz

        call, turn = self._call, self._context.turn
        word, following = call.word(at, turn), call.word(at + 1, turn)
        is_sign = word.startswith(("apenst", "apest", "aapst")) or call.tokens[at].text.strip(".,") == "@"
        # an ordinary word ("taartjes", "aanstaat") is a sign misheard only if a dot is said as well
        has_dot = any(self._is_dot(i) for i in turn)
        may_be_sign = has_dot or not self._context.lexicon.is_dutch(word)
        is_bent = has_dot or (is_due and may_be_sign)
        is_bent = is_bent and bool(re.fullmatch(r"(?:ap|aa|op)\w*t?aar?t(?:je|jes|er)?|staartje", word))
        is_like = may_be_sign and len(word) >= 8 and fuzz.ratio(word, "apenstaartje") >= 70
        if is_sign or is_bent or is_like:
            return 1
        if word in ("apen", "ape", "aap", "apens") and re.match(r"st|ta", following):
            return 2
        if word in ("at", "et", "ad", "ed", "add"):
            ahead = [call.word(i, turn) for i in range(at + 1, min(at + 6, turn.stop))]
            has_end = any(self._is_dot(i) for i in range(at + 1, min(at + 6, turn.stop)))
            if has_end or any(w in self._cues.providers or re.search(_TOP + "$", w) for w in ahead):
                return 1
        return 0

    def _is_dot(self, at: int) -> bool:
        token = self._call.tokens[at]
        is_domain = re.fullmatch(_TOP, token.text.lower().rstrip(".,?!"))
        return token.bare in self._cues.dots or bool(is_domain)

    def _local_start(self, at: int) -> int:
        """Go back over the part before the at sign, to the words that lead in or the end of the sentence before."""
        call, turn = self._call, self._context.turn
        start = at
        while start > turn.start and at - start < 14 and not self._is_before_email(start - 1):
            start -= 1
        # "jan punt de groot, dus g r o o t, at": a part before what leads in belongs to it when a dot is in it
        parts = [i for i in range(max(turn.start, at - 14), start) if self._is_part(i)]
        if parts and start > turn.start and not any(self._ends_email(i) for i in range(parts[0], start)):
            return self._local_start(parts[0] - 1) if parts[0] > turn.start else parts[0]
        if "email" in self._context.wanted and start > turn.start and self._ends_email(start - 1):
            # what recognition took for a short sentence of its own: "jan brakel. at gmail punt com"
            first = start - 1
            while first > turn.start and not self._is_before_email(first - 1):
                first -= 1
            is_piece = call.tokens[start - 1].kind is None and call.tokens[start - 1].bare not in self._cues.lead_in
            return first if is_piece and start - first <= 4 else start
        return start

    def _is_before_email(self, at: int) -> bool:
        return self._ends_email(at) or self._call.tokens[at].bare in self._cues.lead_in

    def _ends_email(self, at: int) -> bool:
        token = self._call.tokens[at]
        is_end = bool(SENTENCE_END.search(token.text)) and len(token.bare) > 1 and token.bare not in self._cues.dots
        return token.kind is not None or is_end

    def _is_part(self, at: int) -> bool:
        """Whether a word joins the parts of an address: a dot, a dash, "alles aan elkaar"."""
        return self._is_dot(at) or self._call.tokens[at].bare in self._cues.joints

    def _sentence_end(self, at: int) -> int:
        end = at
        while end < self._context.turn.stop and end - at < 12 and self._call.tokens[end].kind is None:
            end += 1
            if SENTENCE_END.search(self._call.tokens[end - 1].text):
                break
        return end

    def _domain_end(self, at: int) -> int:
        """Go on over the domain: "gmail punt com", "post mail punt n l"."""
        call, turn = self._call, self._context.turn
        end, seen_dot = at, False
        while end < turn.stop and end - at < 9 and call.tokens[end].kind is None:
            token = call.tokens[end]
            end += 1
            if re.search(_TOP + r"\b", token.bare) or (seen_dot and token.bare in self._cues.top_level):
                break
            if seen_dot and token.bare == "n":
                # "punt n l", also as "punt n hel", "n el"
                end += 1 if end < turn.stop and re.match(r"h?e?l", call.tokens[end].bare) else 0
                break
            if SENTENCE_END.search(token.text) and len(token.bare) > 1:
                break
            seen_dot = seen_dot or token.bare in self._cues.dots
        return end
