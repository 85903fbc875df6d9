"""Mark the names of persons in a call.  Pure.

A name is looked for where one is due: after an introduction, a form of address or a relation, in the answer to "met wie
spreek ik", and spelled out.  Once found it is marked wherever else it is said, recognition's variants included.  A word
list alone marks first names only, and only those that are no Dutch word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from callanalytics.dutch.lexicon import Lexicon
from callanalytics.redaction import answers, introductions, mentions
from callanalytics.redaction.candidates import Candidate
from callanalytics.redaction.cues import Cues
from callanalytics.redaction.judge import Judge, evidence_of, limit_of
from callanalytics.redaction.shapes import NAME, Shapes
from callanalytics.redaction.tokens import CallTokens

_SPELLED = ("spelled", "spelled_brokenly")  # these replace whatever was marked in their stretch
_LONGER = "remark"  # this replaces a shorter name and inherits its reason
_STRETCH = 2  # turns of the other party in which the answer to a question may come


def mark_names(
    call: CallTokens,
    lexicon: Lexicon,
    cues: Cues,
    heard: Sequence[range] = (),
    likeness: Sequence[float] | None = None,
    judge: Judge | None = None,
) -> None:
    """Mark every name in the call.

    `heard` are the positions of what the Dutch pipeline takes for names of persons, `likeness` says per position how
    much a word looks like one where it stands: witnesses more, never believed against the word lists.  `judge` says
    how sure it is that each find is a name; without it every find stays.
    """
    _Names(Shapes(call, lexicon, cues, heard, likeness or [0.0] * len(call.tokens)), judge).mark_all()


def _rules(shapes: Shapes, turn: range, nth: int, is_due: bool) -> Iterator[Iterator[Candidate]]:
    """Yield the rules for a turn in their order; `nth` counts the turns of its role from 1.

    The first rule that takes a word keeps it, and later rules see what earlier ones marked.  So the rules with the best
    evidence come first: words that announce a name, then lists and prefixes, then how people begin and sign, then the
    witnesses (the pipeline, likeness), and last those that build upon a name already found or need a free sentence.
    """
    is_agents_first = nth == 1 and bool(turn) and shapes.role(turn.start) == "agent"
    yield introductions.introduced(shapes, turn, nth <= 3, is_due)
    yield mentions.listed(shapes, turn)
    yield introductions.signed(shapes, turn, is_opening=nth <= 2)
    yield mentions.prefixed(shapes, turn)
    if nth == 1:
        yield introductions.opened(shapes, turn)
    if nth <= 2:
        yield introductions.finished_introductions(shapes, turn)
    yield mentions.witnessed(shapes, turn, is_due)
    yield mentions.likened(shapes, turn, is_due or is_agents_first)
    yield mentions.born_as(shapes, turn)
    yield mentions.glued(shapes, turn)
    yield mentions.carried_on(shapes, turn, is_first=nth == 1)
    yield mentions.alone(shapes, turn)


class _Names:
    """The names of one call: takes the candidates of the rules and has them weighed."""

    def __init__(self, shapes: Shapes, judge: Judge | None) -> None:
        self._shapes, self._call, self._judge = shapes, shapes.call, judge
        self._reasons: dict[int, str] = {}  # of the names that are still to be weighed, by span

    def mark_all(self) -> None:
        """Mark introductions and answers turn by turn, then every repetition of what they brought up."""
        call, shapes = self._call, self._shapes
        due, is_spelling_due = 0, False  # turns in which an answer may come; whether it may be spelled
        spoken = Counter[str]()
        for turn, role in zip(call.ranges, call.roles, strict=True):
            if role == "ivr":
                continue
            spoken[role] += 1
            is_answer = due > 0 and role != "agent"
            for rule in _rules(shapes, turn, spoken[role], is_answer):
                self._take(rule)
            self._weigh(turn, is_answer)
            if is_answer:
                is_found = self._take_answer(turn, is_spelling_due)
                due = 0 if is_found else due - (len(turn) >= 3)
            else:
                self._take(answers.spelled(shapes, turn, 4))
                if role == "citizen":
                    self._take(mentions.only_name(shapes, turn))
            line = call.line(turn.start, turn.stop)
            if role != "citizen" and shapes.cues.asks_name.search(line):
                due, is_spelling_due = _STRETCH, bool(shapes.cues.asks_spelling.search(line))
        self._take(mentions.repeated(shapes))
        for turn in call.ranges:
            self._weigh(turn, is_answer=False)

    def _take_answer(self, turn: range, is_spelling_due: bool) -> bool:
        """Mark the answer to a question for a name; True when there was one.  What was asked for is never weighed."""
        shapes = self._shapes
        is_found = any(self._call.tokens[at].kind == NAME for at in turn)
        is_spelled = self._take(answers.spelled(shapes, turn, 3)) or self._take(answers.first_with_prefix(shapes, turn))
        if is_spelling_due:
            is_spelled = self._take(answers.spelled_brokenly(shapes, turn)) or is_spelled
        if is_spelled or not is_found:
            is_found = self._take(answers.bare_answer(shapes, turn)) or self._take(answers.first_word(shapes, turn))
        self._take(answers.finished_answer(shapes, turn))
        self._take(answers.lettered(shapes, turn))
        self._reasons.update(dict.fromkeys({self._call.tokens[at].span for at in turn}, ""))
        return is_found or is_spelled

    def _take(self, candidates: Iterable[Candidate]) -> bool:
        """Mark candidates, each before the next is looked for; True when a token of any was free."""
        is_taken = False
        for candidate in candidates:
            places = range(candidate.start, candidate.end)
            reason = self._release(candidate)
            if self._call.mark(candidate.start, candidate.end, candidate.kind):
                self._reasons[max(self._call.tokens[at].span for at in places)] = reason
                is_taken = True
        return is_taken

    def _release(self, candidate: Candidate) -> str:
        """Free what a candidate replaces, and return the reason that it then has."""
        reason = candidate.reason
        if reason in _SPELLED or reason == _LONGER:
            for token in self._call.tokens[candidate.start : candidate.end]:
                if token.is_placeholder or (candidate.reason == _LONGER and token.kind not in (None, NAME)):
                    continue
                if candidate.reason == _LONGER and token.kind:
                    reason = self._reasons.get(token.span, reason)
                token.kind = None
        return reason

    def _weigh(self, turn: range, is_answer: bool) -> None:
        """Take back the finds of a turn that are hardly names by all that is known of them; each is weighed once."""
        tokens, shapes = self._call.tokens, self._shapes
        found: dict[int, list[int]] = {}
        for at in turn:
            if self._reasons.get(tokens[at].span):
                found.setdefault(tokens[at].span, []).append(at)
        if not self._judge or not found:
            return
        reasons = [self._reasons[span] for span in found]
        places = list(found.values())
        finds = [evidence_of(shapes, at, turn, why, is_answer) for at, why in zip(places, reasons, strict=True)]
        limits = [limit_of(shapes, at, turn, why) for at, why in zip(places, reasons, strict=True)]
        for span, find, limit, sure in zip(found, finds, limits, self._judge(finds), strict=True):
            self._reasons[span] = ""
            if sure < limit:
                for at in find.places:
                    tokens[at].kind, tokens[at].span = None, 0
