"""Replace personal data in the text of a call by placeholders, before anything leaves memory.

The order: what is said of health, faith and the like, then numbers and codes, then names.  Once the agent asks for
personal data, the answer is redacted even where recognition broke its pattern; in doubt right after a question, it is
redacted too.  Case numbers, prices, times and the dates of appointments stay.  Pure apart from loading the word lists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from callanalytics.config import Config, project_root
from callanalytics.dutch import numbers
from callanalytics.dutch.grammar import NAMES, Name, load_dutch
from callanalytics.dutch.lexicon import Lexicon, load_lexicon
from callanalytics.dutch.memory import forget_words
from callanalytics.records import PLACEHOLDERS, Transcript, Turn, Word
from callanalytics.redaction.asked import Context
from callanalytics.redaction.cues import load_cues
from callanalytics.redaction.likeness import Likeness, load_likeness
from callanalytics.redaction.names import mark_names
from callanalytics.redaction.recognise import mark_numbers
from callanalytics.redaction.special import mark_special
from callanalytics.redaction.tokens import CallTokens

_DEFAULT_YEAR = 2025  # when nobody says when the call was


@dataclass(frozen=True, slots=True)
class RedactedSpan:
    """Where something was replaced and what kind of datum it was; never the text itself."""

    kind: str
    turn_index: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Redacted:
    """A call whose text holds placeholders, and the spans they stand for."""

    transcript: Transcript
    spans: tuple[RedactedSpan, ...] = ()


class Redactor:
    """Finds personal data in a call and replaces it.

    "met Jan Pot, nul zes twaalf ..." -> "met [NAME], [PHONE]"
    """

    def __init__(self, config: Config, likeness: Likeness | None = None) -> None:
        """`likeness` is the models of what names look like, by default the project's own."""
        self._kinds = frozenset(config.redaction.kinds)
        self._cues = load_cues(config.resolve(config.redaction.cues))
        self._lexicon = _with_municipality(load_lexicon(), config)
        self._dutch = load_dutch(config, NAMES)
        self._likeness = likeness or load_likeness(project_root() / "models" / "names")
        self._heard: dict[tuple[str, ...], list[Name]] = {}
        self._like: dict[tuple[str, ...], list[float]] = {}

    def __call__(self, transcript: Transcript) -> Redacted:
        """Return the call with every datum of the configured kinds replaced."""
        spans: tuple[RedactedSpan, ...] = ()
        try:
            # What was found tells where to look again, until nothing is left to find: so redaction is idempotent.
            for _ in range(8):
                found = self._pass(transcript)
                spans += found.spans
                transcript = found.transcript
                if not found.spans:
                    break
        finally:
            self._heard.clear()
            self._like.clear()
            forget_words()
        return Redacted(
            transcript, tuple(sorted(spans, key=lambda span: (span.turn_index, span.start_ms, span.end_ms)))
        )

    def _pass(self, transcript: Transcript) -> Redacted:
        call = CallTokens.of(transcript)
        year = transcript.started_at.year if transcript.started_at else _DEFAULT_YEAR
        if "special" in self._kinds:
            mark_special(call, self._cues)  # before names: "de ziekte van Parkinson"
        mark_numbers(Context(call, self._cues, self._lexicon, year, marks_cases="case_number" in self._kinds))
        likeness = self._likeness_of(call)
        mark_names(call, self._lexicon, self._cues, self._hear_names(call), likeness, self._likeness.of_finds)
        turns: list[Turn] = []
        spans: list[RedactedSpan] = []
        for turn, positions in zip(transcript.turns, call.ranges, strict=True):
            words, found = self._replace(call, positions, turn.turn_index)
            text = " ".join(word.text for word in words if word.text) if turn.words or found else turn.text
            turns.append(replace(turn, text=text, words=tuple(words) if turn.words else ()))
            spans += found
        return Redacted(replace(transcript, turns=tuple(turns)), tuple(spans))

    def _hear_names(self, call: CallTokens) -> list[range]:
        """The positions that the Dutch pipeline takes for persons; a turn in which nothing changed is read once."""
        turns = [tuple(call.words(turn)) for turn in call.ranges]
        new = list(dict.fromkeys(words for words in turns if words and words not in self._heard))
        self._heard.update(zip(new, self._dutch.sure_names(new), strict=True))
        return [
            range(turn.start + name.start, turn.start + name.end)
            for turn, words in zip(call.ranges, turns, strict=True)
            for name in self._heard.get(words, ())
            if name.kind == "person"
        ]

    def _likeness_of(self, call: CallTokens) -> list[float]:
        """For each position how much it looks like a name; a turn in which nothing changed is read once."""
        found: list[float] = []
        for turn, role in zip(call.ranges, call.roles, strict=True):
            words = tuple(call.words(turn))
            if (role, *words) not in self._like:
                self._like[role, *words] = self._likeness.of_line(words, role, self._lexicon)
            found += self._like[role, *words]
        return found

    def _replace(self, call: CallTokens, positions: range, turn_index: int) -> tuple[list[Word], list[RedactedSpan]]:
        words: list[Word] = []
        spans: list[RedactedSpan] = []
        last_span = 0
        for at in positions:
            token = call.tokens[at]
            if token.is_placeholder or token.kind not in self._kinds:
                words.append(Word(token.text, token.start_ms, token.end_ms, token.confidence))
                last_span = 0
                continue
            kind = str(token.kind)
            tail = re.search(r"[.,;:?!…]*$", token.text)
            text = PLACEHOLDERS[kind] + (tail.group() if tail else "")
            if token.span == last_span:
                start, confidence = words[-1].start_ms, min(words[-1].confidence, token.confidence)
                words[-1] = Word(text, start, token.end_ms, confidence)
                spans[-1] = replace(spans[-1], end_ms=token.end_ms)
            else:
                words.append(Word(text, token.start_ms, token.end_ms, token.confidence))
                spans.append(RedactedSpan(kind, turn_index, token.start_ms, token.end_ms))
            last_span = token.span
        return words, spans


def _with_municipality(lexicon: Lexicon, config: Config) -> Lexicon:
    own = config.municipality
    places = {numbers.bare(word) for name in own.names for word in (*name.split(), name.replace(" ", ""))}
    first_names = {numbers.bare(name) for name in own.agent_names}
    return replace(
        lexicon,
        places=lexicon.places | places,
        towns=lexicon.towns | places,
        first_names=lexicon.first_names | first_names,
    )
