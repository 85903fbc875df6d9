"""What the words of a call look like to the rules for names: listed, strange, an initial, a title, a place, an office.

Pure.  `Shapes` is the one object that every rule gets; it holds the call with its marks and all that is known of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from callanalytics.dutch.lexicon import Lexicon
from callanalytics.dutch.numbers import FILLERS, word_value
from callanalytics.redaction.candidates import Candidate
from callanalytics.redaction.cues import Cues
from callanalytics.redaction.likeness import PREFIXES
from callanalytics.redaction.streets import Streets
from callanalytics.redaction.tokens import PHRASE_END, SENTENCE_END, CallTokens

NAME = "person_name"
# Likeness of a word from which a rule believes it; found on the tuning calls of tests/data/redact_heard.txt.
IMPOSSIBLE = 0.002  # below it not even a first name with its capital is one
UNLIKELY = 0.1  # below it nothing but a list or a question makes a name of a word
LIKELY_AGAIN = 0.1  # of one that is a little like a name said before
LIKELY_FIRST = 0.1  # of the first word of an answer
LIKELY_OPENING = 0.2
LIKELY_SLOT = 0.25  # of an ordinary word where a name is due: "meneer bos"
GOES_ON, LIKELY_DUE = 0.3, 0.4
LIKELY_WEAK = 0.5  # of one behind "ik ben", "mijn vrouw"
LIKELY, LIKELY_WORD = 0.7, 0.9
LIKELY_ALONE = 0.9  # of a word that is a phrase of its own
_PLACE_WORDS = 4  # "Capelle aan den IJssel"
_ALMOST = 82  # similarity in percent of words that differ by a letter or so
_TITLE_ALMOST = 83
_STRANGE_IN_MUCH_NOISE, _STRANGE_IN_SOME_NOISE = 0.12, 0.06  # shares of strange words


class Shapes:
    """A call as the rules for names see it: its tokens with their marks, word lists, likeness, and noise."""

    def __init__(
        self, call: CallTokens, lexicon: Lexicon, cues: Cues, heard: Sequence[range], likeness: Sequence[float]
    ) -> None:
        self.call, self.lexicon, self.cues = call, lexicon, cues.names
        self.likeness = likeness
        self.heard = {span.start: span for span in heard}
        self.streets = Streets(cues.streets, lexicon)
        self.sure_first_names = lexicon.first_names - lexicon.not_names
        self.sure_surnames = lexicon.surnames - lexicon.not_names
        self.small = FILLERS | self.cues.greetings
        self._no_names = lexicon.not_names | self.cues.relations | self.cues.abbreviations | self.small
        # Without capitals inside sentences a capital proves nothing, and neither does its absence.
        inner = [at for turn in call.ranges for at in turn if not call.starts_sentence(at, turn)]
        self.is_cased = sum(call.is_capital(at) for at in inner) >= max(1, len(inner) // 200)
        self.in_places = self._long_places()
        # The cleaner a call was recognised, the more a word that Dutch does not know is a name.
        said = [token.bare for token in call.tokens if token.bare.isalpha() and len(token.bare) > 3]
        strange = sum(not self.is_word(word) for word in said) / max(1, len(said))
        self.noise = (
            "much" if strange > _STRANGE_IN_MUCH_NOISE else "some" if strange > _STRANGE_IN_SOME_NOISE else "little"
        )

    def _long_places(self) -> frozenset[int]:
        """Return where places of more words stand: "Den Haag", "Aa en Hunze"; not behind a form of address."""
        call, found = self.call, set[int]()
        for turn in call.ranges:
            for at in turn:
                before = call.word(at - 1, turn)
                if self.is_title(before) or before in self.cues.relations:
                    continue
                for end in range(min(at + _PLACE_WORDS, turn.stop), at + 1, -1):
                    place = call.line(at, end).replace(" ", "")
                    is_written = call.is_capital(end - 1) or not self.is_cased
                    is_place = is_written and place in self.lexicon.places and place != call.tokens[at].bare
                    if is_place and not any(self.ends_phrase(i) for i in range(at, end - 1)):
                        found.update(range(at, end))
                        break
        return frozenset(found)

    def name(self, start: int, end: int, reason: str) -> Candidate:
        """Return the candidate for a name at [start, end); its score is the highest likeness of its words."""
        return Candidate(NAME, start, end, max(self.likeness[start:end]), reason)

    # where a word stands

    def role(self, at: int) -> str:
        """Return who says the word at a position."""
        return self.call.roles[self.call.tokens[at].turn]

    def is_first(self, turn: range) -> bool:
        """Return whether this turn is the first of its role."""
        position = self.call.tokens[turn.start].turn
        return self.call.roles[position] not in self.call.roles[:position]

    def ends_phrase(self, at: int) -> bool:
        """Return whether a comma or stop follows."""
        return bool(PHRASE_END.search(self.call.tokens[at].text))

    def phrases(self, turn: range, end: re.Pattern[str] = PHRASE_END) -> Iterator[range]:
        """Yield the stretches of a turn up to its commas and stops."""
        start = turn.start
        for at in turn:
            if end.search(self.call.tokens[at].text) or at + 1 == turn.stop:
                yield range(start, at + 1)
                start = at + 1

    def sentences(self, turn: range) -> Iterator[range]:
        """Yield the stretches of a turn up to its stops."""
        return self.phrases(turn, SENTENCE_END)

    def lead(self, at: int, turn: range, size: int) -> str:
        """Return up to so many words before a position, marked or not."""
        return self.call.line(max(turn.start, at - size), at)

    def past(self, at: int, turn: range, words: frozenset[str], end: int) -> int:
        """Return the first position from `at` on where none of these words stands, `end` at most."""
        while at < end and self.call.word(at, turn) in words:
            at += 1
        return at

    def with_prefixes(self, at: int, turn: range) -> int:
        """Return where the prefixes right before a position begin."""
        while self.call.word(at - 1, turn) in PREFIXES:
            at -= 1
        return at

    def is_name_at(self, at: int) -> bool:
        """Return whether a name is marked here that an earlier reading has not replaced yet."""
        return self.call.tokens[at].kind == NAME and not self.call.tokens[at].is_placeholder

    # what a word is by itself

    def is_title(self, word: str) -> bool:
        """Return whether a word is a form of address, also as recognition hears it."""
        from rapidfuzz import fuzz

        if word in self.cues.titles:
            return True
        if self.cues.title_stem.match(word) and len(word) <= 12:
            return True  # "mevrouwvan", "meenervand": recognition glued the prefix to the title
        titles = ("meneer", "mevrouw", "mijnheer")
        return len(word) >= 6 and any(fuzz.ratio(word, title) >= _TITLE_ALMOST for title in titles)

    def is_word(self, word: str) -> bool:
        """Return whether Dutch knows a word, or both parts of it: "fietswrak"."""
        is_dutch = self.lexicon.is_dutch
        return is_dutch(word) or any(
            is_dutch(word[cut:]) and (is_dutch(word[:cut]) or (word[cut - 1] == "s" and is_dutch(word[: cut - 1])))
            for cut in range(4, len(word) - 3)
        )

    def reads_as_name(self, word: str) -> bool:
        """Return whether a word has the letters of a name and is no thing: "bonnummer", "ch" are none."""
        is_said = len(word) >= 2 and word.replace(".", "").isalpha() and re.search("[aeiouy]", word)
        if not is_said or self.cues.like_greeting.fullmatch(word):
            return False
        return word in self.lexicon.surnames or not self.cues.thing.fullmatch(word)

    def is_on_a_list(self, word: str) -> bool:
        """Return whether a word is a first name or a surname of the lists, whatever else it means."""
        return word in self.lexicon.first_names or word in self.lexicon.surnames

    # what a word is where it stands

    def is_listed(self, at: int) -> bool:
        """Return whether a listed name stands here that is no function word."""
        word = self.call.tokens[at].bare
        return word not in self.lexicon.not_names and self.is_on_a_list(word)

    def is_odd(self, at: int) -> bool:
        """Return whether no Dutch word stands here, which is what recognition makes of names."""
        return bool(self.call.tokens[at].bare) and not self.is_word(self.call.tokens[at].bare)

    def is_cased_capital(self, at: int) -> bool:
        """Return whether a capital stands here in a call whose capitals mean something."""
        return self.is_cased and self.call.is_capital(at)

    def is_inner_capital(self, at: int, turn: range) -> bool:
        """Return whether a capital stands here that no beginning of a sentence explains."""
        return self.is_cased_capital(at) and not self.call.starts_sentence(at, turn)

    def may_be_name(self, at: int) -> bool:
        """Return whether nothing says that the word is another thing than a name."""
        word = self.call.tokens[at].bare
        if word in self._no_names or at in self.in_places or self.is_title(word):
            return False
        is_place = word in self.lexicon.places and not self.is_listed(at)
        return self.reads_as_name(word) and word.isalpha() and word_value(word) is None and not is_place

    def is_stranger(self, at: int, turn: range) -> bool:
        """Return whether a capital inside a sentence is on a word that is no place, no street and not Dutch."""
        word = self.call.tokens[at].bare
        if len(word) < 3 or not word.isalpha() or word in self.cues.abbreviations or self.streets.is_no_person(word):
            return False
        if not self.reads_as_name(word) or not self.is_inner_capital(at, turn):
            return False
        if self.is_word(word) or self.call.word(at - 1, turn) in self.cues.no_lead:
            return False
        return not self._is_almost_known(word)

    def is_strange(self, at: int) -> bool:
        """Return whether a longer word stands here that no list knows and that nobody said in an earlier turn."""
        call, word = self.call, self.call.tokens[at].bare
        if len(word) < 5 or not self.may_be_name(at) or self.is_word(word):
            return False
        if any(call.tokens[i].bare == word for i in range(call.ranges[call.tokens[at].turn].start)):
            return False  # "voor halvacht." "Halvacht, dat red ik wel."
        return not self._is_almost_known(word)

    def _is_almost_known(self, word: str) -> bool:
        return is_almost_in(word, self.lexicon.towns) or is_almost_in(word, self.lexicon.not_names)

    def looks_like_name(self, at: int, turn: range) -> bool:
        """Return whether a strange word stands here, or behind a prefix one that looks like a name."""
        nxt = at + 1 if self.call.word(at, turn) in PREFIXES and at + 1 < turn.stop else at
        return self.is_strange(at) or (self.likeness[nxt] >= LIKELY and self.may_be_name(nxt))

    def is_initial(self, at: int, turn: range) -> bool:
        """Return whether an initial stands here with a surname behind it: "S. de Wit", "l brouwer"."""
        call, said, nxt = self.call, self.call.word(at, turn), at + 1
        if not re.fullmatch(r"[a-z]|(?=.*\.)(?:[a-z]\.?){1,3}", said) or len(said) == 2:
            return False
        while nxt - at < 5 and (call.word(nxt, turn) in PREFIXES or len(call.word(nxt, turn)) == 1):
            nxt += 1
        word = call.word(nxt, turn)
        is_surname = word in self.sure_surnames or (bool(word) and self.is_cased_capital(nxt))
        return is_surname and self.reads_as_name(word)

    def joins_names(self, at: int, turn: range) -> bool:
        """Return whether a married name goes on: "Smit-de" Raad."""
        return at >= turn.start and bool(re.search(r"\w-(?:van|de|der|den|ter|ten|het)$", self.call.tokens[at].text))

    def is_street(self, start: int, end: int, turn: range) -> bool:
        """Return whether what looks like a name belongs to a street: "Willem de Clercqstraat", "Van Goghlaan"."""
        words = [self.call.tokens[at].bare for at in range(start, end)]
        end = self.past(end, turn, PREFIXES, turn.stop - 1)
        is_whole = sum(word not in PREFIXES for word in words) > 1  # "marit wolbers esdoornlaan 41"
        follows = "" if is_whole or self.ends_phrase(end - 1) else self.call.word(end, turn)
        return any(self.streets.is_surely(word) and word not in self.lexicon.surnames for word in [*words, follows])

    def is_office(self, at: int) -> bool:
        """Return whether the name of a municipality or department stands here, which is no person's."""
        tokens = self.call.tokens
        while at and tokens[at - 1].bare in PREFIXES and self.call.is_capital(at - 1):
            at -= 1  # "gemeente De Wolden"
        before = tokens[at - 1].bare if at else ""
        if len(before) >= 6 and before.startswith("ge") and is_almost_in(before, self.cues.offices):
            return True
        if before in self.cues.departments:
            return not self.ends_phrase(at - 1)
        return before in self.cues.offices or tokens[at].bare.startswith("gemeente")

    def is_place_here(self, at: int, turn: range) -> bool:
        """Return whether a place is meant, whatever it looks like: "in de Broekpolder", "Eikenhof drieëntwintig"."""
        before = self.lead(at, turn, 2)
        if before.split()[-1:] == ["in"] or before in self.cues.place_leads:
            return True
        if self.ends_phrase(at) or at + 1 == turn.stop:
            return False
        follows = self.call.tokens[at + 1]
        return follows.kind == "house_number" or word_value(follows.bare) is not None


def is_almost_in(word: str, words: frozenset[str]) -> bool:
    """Return whether a word differs from one of the words by no more than a letter or so."""
    from rapidfuzz import fuzz, process

    return process.extractOne(word, words, scorer=fuzz.ratio, score_cutoff=_ALMOST) is not None
