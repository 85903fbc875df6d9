"""A call laid out as tokens for redaction: what was said, by whom and when, and what has been marked so far.

Pure apart from `load_lexicon`.  Positions are indices into `CallTokens.tokens`, which runs through the whole call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from callanalytics.dutch.numbers import bare
from callanalytics.records import PLACEHOLDER, PLACEHOLDERS, Transcript, Turn, Word

_KIND_OF = {placeholder: kind for kind, placeholder in PLACEHOLDERS.items()}
SENTENCE_END = re.compile(r"[.?!…]['\"”’)]*$")
PHRASE_END = re.compile(r"[.,;:?!…]['\"”’)]*$")


@dataclass(slots=True)
class Token:
    """A word of the call; `kind` is set once it belongs to a personal datum, `span` tells one datum from the next."""

    text: str
    bare: str
    turn: int  # position of its turn in the transcript, not turn_index
    start_ms: int
    end_ms: int
    confidence: float
    kind: str | None = None
    span: int = 0
    is_kept: bool = False  # known to be no personal datum: a time, a price, the date of an appointment
    is_placeholder: bool = False


@dataclass(slots=True)
class CallTokens:
    """All tokens of a call, the range of each turn, and the marks."""

    tokens: list[Token]
    ranges: list[range]
    roles: list[str]
    _spans: int = field(default=0)

    @classmethod
    def of(cls, transcript: Transcript) -> CallTokens:
        """Lay out a transcript."""
        tokens: list[Token] = []
        ranges = []
        for position, turn in enumerate(transcript.turns):
            first = len(tokens)
            for word in timed_words(turn):
                found = PLACEHOLDER.search(word.text)
                tokens.append(
                    Token(
                        word.text,
                        "" if found else bare(word.text),
                        position,
                        word.start_ms,
                        word.end_ms,
                        word.confidence,
                        kind=_KIND_OF[found.group()] if found else None,
                        is_placeholder=bool(found),
                    )
                )
            ranges.append(range(first, len(tokens)))
        return cls(tokens, ranges, [turn.role for turn in transcript.turns])

    def mark(self, start: int, end: int, kind: str) -> bool:
        """Mark the tokens [start, end) that are still free as one datum; True when any was."""
        free = [self.tokens[at] for at in range(start, end) if self.tokens[at].kind is None]
        if not free:
            return False
        self._spans += 1
        for token in free:
            token.kind, token.span, token.is_kept = kind, self._spans, False
        return True

    def release(self, start: int, end: int) -> None:
        """Take back the marks of the tokens [start, end)."""
        for at in range(start, end):
            self.tokens[at].kind = None

    def keep(self, start: int, end: int) -> None:
        """Note that the tokens [start, end) are a number that concerns nobody."""
        for at in range(start, end):
            self.tokens[at].is_kept = True

    def word(self, at: int, turn: range) -> str:
        """Return the bare word at a position, "" outside the turn or where something is marked already."""
        return self.tokens[at].bare if turn.start <= at < turn.stop and self.tokens[at].kind is None else ""

    def words(self, turn: range) -> list[str]:
        """Return the texts of a turn's tokens."""
        return [self.tokens[at].text for at in turn]

    def line(self, start: int, end: int) -> str:
        """Bare words [start, end) joined by blanks, for phrases."""
        return " ".join(self.tokens[at].bare for at in range(start, end))

    def is_free(self, at: int) -> bool:
        """Return whether a token is neither marked nor known to be harmless."""
        return self.tokens[at].kind is None and not self.tokens[at].is_kept

    def ends_sentence(self, at: int) -> bool:
        """Return whether the token at a position ends a sentence."""
        return bool(SENTENCE_END.search(self.tokens[at].text))

    def ends_phrase(self, at: int) -> bool:
        """Return whether the token at a position ends a sentence or a part of one."""
        return bool(PHRASE_END.search(self.tokens[at].text))

    def is_capital(self, at: int) -> bool:
        """Return whether the word starts with a capital."""
        text = self.tokens[at].text.lstrip("'\"“„(-")
        return text[:1].isupper()

    def starts_sentence(self, at: int, turn: range) -> bool:
        """Return whether a capital here says nothing, because a sentence begins."""
        before = self.tokens[at - 1]
        return at == turn.start or bool(SENTENCE_END.search(before.text) and len(before.bare) != 1)  # "L. Brouwer"


def timed_words(turn: Turn) -> list[Word]:
    """Return the words of a turn, one token each; without word times they share out the turn by their length."""
    if not turn.words:
        return _share_out(turn.text, turn.start_ms, turn.end_ms, 1.0)
    words: list[Word] = []
    for word in turn.words:
        words.extend(_share_out(word.text, word.start_ms, word.end_ms, word.confidence))
    return words


def _share_out(text: str, start_ms: int, end_ms: int, confidence: float) -> list[Word]:
    pieces = text.split()
    if len(pieces) == 1:
        return [Word(pieces[0], start_ms, end_ms, confidence)]
    length, said = sum(len(piece) + 1 for piece in pieces), 0
    words = []
    for piece in pieces:
        begin = start_ms + (end_ms - start_ms) * said // length
        said += len(piece) + 1
        words.append(Word(piece, begin, start_ms + (end_ms - start_ms) * said // length, confidence))
    return words
