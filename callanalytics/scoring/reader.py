"""Turns read with the scorecard's vocabulary in mind."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from callanalytics.dutch.sounds import sound
from callanalytics.dutch.words import _ENDS, _PRONOMINAL, NAME, PLACEHOLDER, _is_dutch, lemma, normalise_word, word_set
from callanalytics.imports import without_torch
from callanalytics.records import Turn, Word

if TYPE_CHECKING:
    from spacy.tokens import Doc


_LONG = 11  # letters from which two words may be one compound with a letter wrong

NUMBER_WORDS = word_set(
    "nul een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien zeventien "
    "achttien negentien twintig dertig veertig vijftig zestig zeventig tachtig negentig honderd duizend anderhalf "
    "anderhalve paar"
)

TIME_WORDS = word_set(
    "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag maandagochtend maandagmiddag dinsdagochtend "
    "dinsdagmiddag woensdagochtend woensdagmiddag donderdagochtend donderdagmiddag vrijdagochtend vrijdagmiddag "
    "vandaag morgen overmorgen vanmiddag vanmorgen vanochtend vanavond morgenochtend morgenmiddag morgenavond "
    "weekend januari februari maart april mei juni juli augustus september oktober november december straks "
    "volgende"
)

_NUMBER_ROOT = "een|twee|drie|vier|vijf|zes|zeven|acht|negen"

_NUMBER = re.compile(rf"\d+|({_NUMBER_ROOT})(en)?(twintig|dertig|veertig|vijftig|zestig|zeventig|tachtig|negentig)|"
                     rf"({_NUMBER_ROOT})?(honderd|duizend).*|(twee|vier|vijf|zes|zeven|negen|tien|elf|twaalf)de|derde|achtste|"
    r".*(tiende|tigste)")  # fmt: skip

# Words that can stand where a name may ("u spreekt met ...") without being one.
NO_NAMES = word_set(
    "de het een u mij ons hem haar hen wie mijn uw onze ons jou je jullie die dat deze dit wat waar waarmee en of "
    "ja nee nu zo dan hier daar al ook nog even gemeente stadhuis gemeentehuis klantcontactcentrum klantenservice "
    "kcc afdeling team burgerzaken medewerker collega mevrouw meneer heer name betrekking spoed goedemorgen "
    "goedemiddag goedenavond goedendag hallo hoi dag welkom elkaar alle twee beide niemand iemand alles van voor "
    "over bij naar op in belastingen vergunningen receptie telefoon nummer adres wonen zorg jeugd dienst loket "
    "balie publiekszaken"
)


@dataclass(frozen=True)
class TurnDoc:
    """A turn ready for matching; every list has one entry per token of `doc`.

    `spans` are start and end in ms, `likeness` is 1.0 for a word heard as written in the phrase files and lower for one
    taken to be a mishearing, `ends` holds the punctuation behind a token ("" where the transcript gives none).
    """

    turn: Turn
    doc: Doc
    texts: tuple[str, ...]  # of the tokens: reading them from `doc` one by one is slow
    words: tuple[Word, ...]
    origin: tuple[tuple[int, int], ...]  # first and last word of the turn that the token stands for
    likeness: tuple[float, ...]
    ends: tuple[str, ...]

    def span_ms(self, start: int, end: int) -> tuple[int, int]:
        """Start and end in ms of the tokens [start, end)."""
        return self.words[self.origin[start][0]].start_ms, self.words[self.origin[end - 1][1]].end_ms

    def quote(self, start: int, end: int) -> str:
        """Return the tokens [start, end) as they stand in the transcript."""
        return " ".join(word.text.strip() for word in self.words[self.origin[start][0] : self.origin[end - 1][1] + 1])

    def confidence(self, start: int, end: int) -> float:
        """Mean probability the recogniser gave to the words of [start, end)."""
        words = self.words[self.origin[start][0] : self.origin[end - 1][1] + 1]
        return sum(word.confidence for word in words) / len(words)

    def sentence(self, index: int) -> tuple[int, int]:
        """Return the tokens [start, end) of the sentence around token `index`; without punctuation, the whole turn."""
        start = index
        while start > 0 and not self.ends[start - 1].startswith((".", "?", "!")):
            start -= 1
        end = index + 1
        while end < len(self.ends) and not self.ends[end - 1].startswith((".", "?", "!")):
            end += 1
        return start, end


def turn_words(turn: Turn) -> tuple[Word, ...]:
    """Return the turn's words; for a turn without any, its text cut at spaces and timed by length over the turn."""
    if turn.words:
        return turn.words
    texts = turn.text.split()
    total = sum(len(text) + 1 for text in texts) or 1
    length = turn.end_ms - turn.start_ms
    words, at = [], 0
    for text in texts:
        start = turn.start_ms + length * at // total
        at += len(text) + 1
        words.append(Word(text, start, turn.start_ms + length * at // total))
    return tuple(words)


class Reader:
    """Reads turns with a vocabulary in mind: the words that the phrase files use.

    A word outside the vocabulary is replaced by the vocabulary word it is most likely a mishearing of, when it is no
    Dutch word itself; neighbours that the vocabulary writes as one word are joined ("terug gebeld"), and runs that it
    writes apart are split ("kloptdat").
    """

    def __init__(self, vocabulary: Collection[str], names: Iterable[str] = (), places: Iterable[str] = ()) -> None:
        from rapidfuzz.distance import OSA

        with without_torch():
            from spacy.vocab import Vocab

        self._distance = OSA.distance
        self.vocab = Vocab()  # words come with their tags and lemmas: nothing of spaCy's Dutch is needed
        self._known = frozenset(vocabulary)
        self._names = frozenset(token for name in names for token in normalise_word(name))
        self._places = frozenset(token for place in places for token in normalise_word(place))
        self._by_sound: dict[str, str] = {}
        self._by_length: dict[int, list[str]] = {}
        for word in sorted(self._known):
            if len(word) >= 4:
                self._by_sound.setdefault(sound(word), word)
                self._by_length.setdefault(len(word), []).append(word)
        self._compounds: dict[str, str | None] = {}
        self._heard: dict[str, tuple[tuple[str, ...], float]] = {}

    def read(self, turn: Turn) -> TurnDoc:
        """Return the turn as a Doc whose words are those of the vocabulary where they could be recognised."""
        from spacy.tokens import Doc

        words = turn_words(turn)
        raw: list[tuple[str, int, bool]] = []  # token, word it came from, written with a capital
        ends: dict[int, str] = {}
        for index, word in enumerate(words):
            tokens = normalise_word(word.text)
            capital = word.text.lstrip("'\"(‘’")[:1].isupper()
            raw.extend((token, index, capital) for token in tokens)
            mark = _ENDS.search(word.text.strip())
            if mark and raw:
                ends[len(raw) - 1] = mark.group()
        texts: list[str] = []
        origin: list[tuple[int, int]] = []
        likeness: list[float] = []
        tags: list[str] = []
        marks: list[str] = []
        position = 0
        while position < len(raw):
            count, joined = self._join([token for token, _, _ in raw[position : position + 4]])
            token, first, capital = raw[position]
            last = raw[position + count - 1][1]
            heard, like = ((joined,), 1.0) if count > 1 else self._hear(token, capital)
            starts = position == 0 or ends.get(position - 1, "").startswith((".", "?", "!"))
            for part in heard:
                texts.append(part)
                origin.append((first, last))
                likeness.append(like)
                tags.append(self._tag(part, capital, starts))
                marks.append("")
            marks[-1] = ends.get(position + count - 1, "")
            position += count
        doc = Doc(self.vocab, words=texts, tags=tags, lemmas=[lemma(text) for text in texts])
        return TurnDoc(turn, doc, tuple(texts), words, tuple(origin), tuple(likeness), tuple(marks))

    def _join(self, tokens: Sequence[str]) -> tuple[int, str]:
        for count in range(len(tokens), 1, -1):
            joined = "".join(tokens[:count])
            if joined not in self._known:
                continue
            spelled = all(len(token) <= 1 for token in tokens[:count]) or joined in ("digid", "bsn", "bsnnummer")
            if spelled or len(joined) >= 7 or _PRONOMINAL.fullmatch(joined):
                return count, joined
        if len(tokens) > 1 and not set(tokens[:2]) <= self._known:
            whole = self._compound("".join(tokens[:2]))
            if whole is not None:
                return 2, whole
        return 1, tokens[0]

    def _compound(self, joined: str) -> str | None:
        """Return a long vocabulary word that differs in one letter: geboorten datum, medlings nummer."""
        if len(joined) < _LONG:
            return None
        if joined not in self._compounds:
            near = [w for n in (-1, 0, 1) for w in self._by_length.get(len(joined) + n, ())]
            alike = (w for w in near if self._distance(joined, w, score_cutoff=1) <= 1)
            self._compounds[joined] = min(alike, default=None)
        return self._compounds[joined]

    def _hear(self, token: str, capital: bool) -> tuple[tuple[str, ...], float]:
        if token in self._known or len(token) < 4 or token in self._names or PLACEHOLDER.fullmatch(token):
            return (token,), 1.0
        if token not in self._heard:
            self._heard[token] = self._guess(token)
        heard, like = self._heard[token]
        # A capital inside a sentence is a name more often than a mishearing.
        return ((token,), 1.0) if capital and like < 0.9 else (heard, like)

    def _guess(self, token: str) -> tuple[tuple[str, ...], float]:
        if _is_dutch(token) or _NUMBER.fullmatch(token):
            return (token,), 1.0
        alike = self._by_sound.get(sound(token))
        if alike is not None and abs(len(alike) - len(token)) <= 2:
            return (alike,), 0.95
        allowed = 1 if len(token) <= 6 else 2 if len(token) <= 10 else 3
        best: tuple[int, str] | None = None
        for length in range(len(token) - allowed, len(token) + allowed + 1):
            for word in self._by_length.get(length, ()):
                if length <= 4 and word[0] != token[0]:
                    continue
                distance = self._distance(token, word, score_cutoff=allowed)
                if distance <= allowed and (best is None or (distance, word) < best):
                    best = (distance, word)
        if best is not None:
            return (best[1],), 1 - 0.6 * best[0] / max(len(token), 5)
        for cut in range(3, len(token) - 1):
            left, right = token[:cut], token[cut:]
            if right in self._known and left in self._known:
                return (left, right), 0.9
        return (token,), 1.0

    def _tag(self, token: str, capital: bool, starts: bool) -> str:  # noqa: PLR0911 - a list of kinds
        """Return what a slot may take the token for: NAME, NUM, TIME, PLACE, other placeholders, or WORD."""
        if token == NAME or token in self._names:
            return "NAME"
        if PLACEHOLDER.fullmatch(token):
            return token.strip("[]")
        if token in NUMBER_WORDS or _NUMBER.fullmatch(token):
            return "NUM"
        if token in TIME_WORDS:
            return "TIME"
        if token in self._places:
            return "PLACE"
        if token in NO_NAMES or len(token) < 2 or (token in self._known and not capital):
            return "WORD"
        if (capital and not starts) or not _is_dutch(token):
            return "NAME"
        return "WORD"
