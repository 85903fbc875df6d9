"""The phrase language of configs/criteria: from a line a quality team can read to token patterns of spaCy's Matcher.

    ik bel u terug              these words in this order; case, accents, punctuation, likely mishearings do not matter
    (ik|wij|mijn collega) belt  one of these
    ik bel u [even] terug       [even] may be missing; it may hold alternatives: [even|nog even]
    ik bel ... terug            up to four other words may stand here;  ..8 allows up to eight
    <bellen> u terug            any form of the verb: bel, belt, belde, gebeld ...
    met {naam}                  a slot: {naam} a name, {gemeente} a municipality, {nummer} a number, {tijd} a day, month
                                or part of a day, {telefoon} a telephone number, {adres} a postcode or house number,
                                {datum} a birth date, {woord} any word, {bijvoeglijk} any adjective, {zelfstandig} any
                                noun, {werkwoord} any verb
    geen idee ..4               at the end: also the next words, which matters in "not" only
    @agent                      the words listed under that name in the [words] table of the same folder

Write a compound or a separable verb as one word (terugbellen, zaaknummer); it is then found written apart as well.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from callanalytics.dutch.verbs import verb_forms
from callanalytics.dutch.words import normalise_word
from callanalytics.errors import Mistake
from callanalytics.texts import Message

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from callanalytics.scoring.reader import TurnDoc

SLOTS: dict[str, dict[str, Any]] = {
    "naam": {"TAG": {"IN": ["NAME", "PLACE"]}},
    "gemeente": {"TAG": {"IN": ["PLACE", "NAME"]}},
    "nummer": {"TAG": {"IN": ["NUM", "PHONE", "BSN", "HOUSE_NUMBER", "IBAN"]}},
    "tijd": {"TAG": "TIME"},
    "telefoon": {"TAG": "PHONE"},
    "adres": {"TAG": {"IN": ["POSTCODE", "HOUSE_NUMBER"]}},
    "datum": {"TAG": "BIRTH_DATE"},
    "woord": {},
}
PARTS_OF_SPEECH: dict[str, dict[str, Any]] = {
    "bijvoeglijk": {"POS": "ADJ"},
    "zelfstandig": {"POS": "NOUN"},
    "werkwoord": {"POS": {"IN": ["VERB", "AUX"]}},
}
_ANY = SLOTS | PARTS_OF_SPEECH
_WIDE = {"woord", *PARTS_OF_SPEECH}  # alone these say nothing
MAX_VARIANTS = 3000  # token patterns one line may unfold into; more is a mistake in the line
NEGATIONS = frozenset({"niet", "geen", "nooit", "nergens", "niks", "niets", "niemand", "zonder", "evenmin"})

_PART = re.compile(r"\.\.\.|\.\.\d+|[()\[\]|]|<[^<>\s]+>|\{[^{}\s]+\}|@\w+|[^\s()\[\]|<>{}]+")


class PatternError(Mistake):
    """A line of a phrase file can't be read; the message says where and why, for a person who does not program."""


@dataclass(frozen=True, slots=True)
class PatternToken:
    """One token to match: one of `texts`, or a slot, or up to `gap` words of any kind."""

    texts: frozenset[str] = frozenset()
    slot: str = ""
    gap: int = 0


Sequence_ = tuple[PatternToken, ...]


@dataclass(frozen=True)
class Pattern:
    """One line of a phrase file, unfolded into the token sequences it stands for."""

    line: str
    sequences: tuple[Sequence_, ...]
    words: frozenset[str]
    negates: bool = field(default=False)  # holds a negation itself, so a negation inside it is part of the phrase


def parse_pattern(line: str, lists: Mapping[str, Sequence[str]] | None = None) -> Pattern:
    """Return the line as token sequences.  Raises PatternError naming what is wrong and where in the line."""
    parts = _PART.findall(line)
    sequences, rest = _parse_alternatives(parts, lists or {}, line, closing=None)
    if rest:
        raise PatternError(Message("errors.nothing_opened", line=line, part=rest[0]))
    unique = tuple(dict.fromkeys(sequences))
    if not unique or any(not any(t.texts or (t.slot and t.slot not in _WIDE) for t in s) for s in unique):
        raise PatternError(Message("errors.match_without_any_word", line=line))
    if any(s[0].gap for s in unique):
        raise PatternError(Message("errors.begins_begin_word_come", line=line))
    words = frozenset(text for s in unique for token in s for text in token.texts)
    return Pattern(line, unique, words, negates=bool(words & NEGATIONS))


def trim(pattern: Pattern) -> Pattern:
    """Return the pattern without gaps at its end: words behind a find are no part of it."""
    sequences = []
    for sequence in pattern.sequences:
        last = len(sequence)
        while sequence[last - 1].gap:
            last -= 1
        sequences.append(sequence[:last])
    return dataclasses.replace(pattern, sequences=tuple(dict.fromkeys(sequences)))


def _parse_alternatives(
    parts: list[str], lists: Mapping[str, Sequence[str]], line: str, closing: str | None
) -> tuple[list[Sequence_], list[str]]:
    branches: list[Sequence_] = []
    current: list[Sequence_] = [()]
    while parts:
        part, parts = parts[0], parts[1:]
        if part in (")", "]"):
            if part != closing:
                if closing is None:
                    return [], [part, *parts]
                raise PatternError(Message("errors.closes_where_expected", line=line, part=part, closing=closing))
            return _merge(branches + current), parts
        if part == "|":
            if closing is None:
                raise PatternError(Message("errors.bar_outside_brackets", line=line))
            branches, current = branches + current, [()]
            continue
        if part in ("(", "["):
            options, parts = _parse_alternatives(parts, lists, line, closing=")" if part == "(" else "]")
            if part == "[":
                options = [*options, ()]
        else:
            options = _parse_word(part, lists, line)
        current = [before + option for before, option in itertools.product(current, options)]
        if len(current) > MAX_VARIANTS:
            raise PatternError(Message("errors.stands_for_more_than", line=line, most=MAX_VARIANTS))
    if closing is not None:
        raise PatternError(Message("errors.opens_bracket_never_closes", line=line, closing=closing))
    return branches + current, []


def _merge(options: list[Sequence_]) -> list[Sequence_]:
    """Alternatives of one word each become one token, so that (ik|wij|zij) does not treble the patterns."""
    singles = [option for option in options if len(option) == 1 and option[0].texts]
    if len(singles) < 2:
        return options
    token = PatternToken(texts=frozenset(text for option in singles for text in option[0].texts))
    return [(token,), *(option for option in options if option not in singles)]


def _parse_word(part: str, lists: Mapping[str, Sequence[str]], line: str) -> list[Sequence_]:
    if part.startswith(".."):
        return [(PatternToken(gap=4 if part == "..." else int(part[2:])),)]
    if part.startswith("<"):
        return [(PatternToken(texts=verb_forms(part[1:-1].lower())),)]
    if part.startswith("{"):
        if part[1:-1] not in _ANY:
            raise PatternError(
                Message("errors.uses_slot", line=line, part=part, known=", ".join(f"{{{s}}}" for s in _ANY))
            )
        return [(PatternToken(slot=part[1:-1]),)]
    if part.startswith("@"):
        if part[1:] not in lists:
            known = ", ".join("@" + name for name in lists) or Message("errors.none")
            raise PatternError(Message("errors.uses_list_words_table", line=line, part=part, known=known))
        options: list[Sequence_] = []
        for entry in lists[part[1:]]:
            options.extend(parse_pattern(entry, {}).sequences)
        return _merge(options)
    if any(mark in part for mark in "<>{}"):
        raise PatternError(Message("errors.unfinished", line=line, part=part))
    tokens = normalise_word(part)
    return [tuple(PatternToken(texts=frozenset({token})) for token in tokens)]


def split_gaps(sequence: Sequence_) -> list[tuple[Sequence_, int]]:
    """Return the runs of adjacent tokens of a sequence, each with the number of words that may stand behind it.

    ik bel ..2 terug -> [((ik, bel), 2), ((terug,), 0)]
    """
    runs: list[tuple[Sequence_, int]] = []
    for is_gap, tokens in itertools.groupby(sequence, key=lambda token: token.gap > 0):
        if is_gap:
            runs[-1] = (runs[-1][0], sum(token.gap for token in tokens))
        else:
            runs.append((tuple(tokens), 0))
    return runs


def _spec(token: PatternToken) -> dict[str, Any]:
    if token.slot:
        return dict(_ANY[token.slot])
    if len(token.texts) == 1:
        return {"ORTH": next(iter(token.texts))}
    return {"ORTH": {"IN": sorted(token.texts)}}


class PhraseMatcher:
    """Finds many groups of phrases in a turn at once; a group is any string.

    A sequence is tried only in a turn that holds a word for each of its places: a turn needs one in a hundred.  What
    stands between two gaps is found by spaCy, and the gaps are bridged here: spaCy follows every way to leave words
    out of a gap, 256 of them for eight words.
    """

    def __init__(self, vocab: Any, groups: Mapping[str, Iterable[Pattern]], tag: Callable[[Doc], None]) -> None:
        """`tag` writes parts of speech into a Doc; it is asked only when a phrase needs them to be sure."""
        self._vocab, self._tag = vocab, tag
        self._sequences: list[tuple[str, Pattern, list[tuple[Sequence_, int]]]] = []
        self._by_word: dict[str, list[tuple[int, Sequence[frozenset[str]]]]] = {}  # word -> sequences, words they need
        for group, patterns in groups.items():
            for pattern in patterns:
                for sequence in pattern.sequences:
                    needs = sorted((token.texts for token in sequence if token.texts), key=len)
                    for word in needs[0] if needs else ("",):
                        self._by_word.setdefault(word, []).append((len(self._sequences), needs[1:]))
                    self._sequences.append((group, pattern, split_gaps(sequence)))
        self._matchers: dict[Sequence_, Any] = {}

    def __call__(self, turn: TurnDoc) -> dict[str, list[tuple[int, int, Pattern]]]:
        """Per group the matches as (first token, token behind the last, pattern), in order of position."""
        words = set(turn.texts)
        likely = {
            number
            for word in ("", *words)
            for number, needs in self._by_word.get(word, ())
            if not any(words.isdisjoint(need) for need in needs)
        }
        runs: dict[Sequence_, list[tuple[int, int]]] = {}
        found: dict[str, dict[tuple[int, int, Pattern], None]] = {}  # dicts as sets that keep their order
        for number in sorted(likely):
            group, pattern, parts = self._sequences[number]
            for start, end in self._spans(turn, parts, runs):
                found.setdefault(group, {})[start, end, pattern] = None
        return {group: sorted(spans, key=lambda span: span[:2]) for group, spans in found.items()}

    def _spans(
        self,
        turn: TurnDoc,
        parts: Sequence[tuple[Sequence_, int]],
        runs: dict[Sequence_, list[tuple[int, int]]],
    ) -> set[tuple[int, int]]:
        spans: set[tuple[int, int]] = set()
        reach = 0
        for position, (run, gap) in enumerate(parts):
            if run not in runs:
                runs[run] = self._find(run, turn)
            if position == 0:
                spans = set(runs[run])
            else:
                spans = {(a, end) for a, b in spans for start, end in runs[run] if b <= start <= b + reach}
            if not spans:
                return spans
            reach = gap
        return {(a, end) for a, b in spans for end in range(b, min(b + reach, len(turn.texts)) + 1)}

    def _find(self, run: Sequence_, turn: TurnDoc) -> list[tuple[int, int]]:
        if len(run) == 1 and run[0].texts:
            return [(at, at + 1) for at, text in enumerate(turn.texts) if text in run[0].texts]
        if any(token.slot in PARTS_OF_SPEECH for token in run) and not turn.doc.has_annotation("POS"):
            self._tag(turn.doc)
        return [(start, end) for _, start, end in self._matcher(run)(turn.doc)]

    def _matcher(self, run: Sequence_) -> Any:
        if run not in self._matchers:
            from spacy.matcher import Matcher

            self._matchers[run] = Matcher(self._vocab)
            self._matchers[run].add("run", [[_spec(token) for token in run]])
        return self._matchers[run]
