"""Mark the names of persons in a call.  Pure.

A name is looked for where one is due: after an introduction, a form of address or a relation, in the answer to "met wie
spreek ik", and spelled out.  Once found it is marked wherever else it is said, recognition's variants included.  A word
list alone marks first names only, and only those that are no Dutch word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from callanalytics.numbers import FILLERS, word_value
from callanalytics.reading import PHRASE_END, SENTENCE_END, Lexicon, Reading, word_set

PREFIXES = word_set("van de der den het ter ten te t v d vd la le el al bin von du da dos del di")
_TITLES = word_set(
    """meneer mevrouw mijnheer juffrouw mevr mw dhr heer familie fam dokter dr drs ir mr zuster pastoor weduwe menneer
    meheer mneer metvrouw mefrouw mevrauw minneer heren meener"""
)
_RELATIONS = word_set(
    """moeder vader zoon zoontje dochter dochtertje man vrouw broer broertje zus zusje oma opa buurman buurvrouw partner
    vriend vriendin kind collega kleinzoon kleindochter tante oom neef nicht schoonmoeder schoonvader schoonzoon
    mantelzorger behandelaar consulent begeleider huisgenoot echtgenoot echtgenote kindje baby tweeling"""
)
_ABBREVIATIONS = word_set("bsn woz wmo dso vog apv brp kvk gpk pgb aow duo uwv svb ozb id nl ww bv tv ggd kcc vth iban")
_ASKS_NAME = re.compile(
    r"wie (?:spreek|sprik|heb ik|bent u|is dit|ik spreek|ik aan)|met wie|"
    r"\bhoe (?:u|uw \w+|je|jouw \w+) (?:heet|heette)|"
    r"\bhoe heet (?:u|je|uw|jouw|hij|zij|ze|die|de|haar|zijn)|\bnamens wie|\bspel(?:len|t|d)?\b|\bvoor wie\b|"
    r"(?:uw|je|jouw|zijn|haar|hun|de|welke) (?:voor|achter)?naam|\bachternaam|\bvoornaam|\bvoorletter|"
    r"\bnaam (?:van u|is|en)"
)
_INTRODUCES = re.compile(
    r"(?:(?:mijn|mn|de|zijn|haar|uw|achter|voor|hun|volledige) ?(?:achter|voor|meisjes)?naam (?:is|luidt|was|dat is)|"
    r"\bachternaam (?:is)?|\bvoornaam (?:is)?|meisjesnaam (?:is)?|\b(?:ik|hij|zij|ze|die|u|en) heet|"
    r"\bheet(?:te)? (?:ik|hij|zij|ze)|spreekt (?:u )?(?:nu )?met|spreek (?:ik )?met|sprekt met|spreek je met|"
    r"gesproken met|praten met|op naam van|ten name van|op de naam|namens|vraag(?:t|en)? (?:u )?(?:dan )?naar|"
    r"vragen naar|verbind \w+ (?:door )?met|doorverbonden met|gebeld door|geholpen door|\bt a v)$"
)
_WEAK_INTRODUCTION = re.compile(r"(?:^|\b)(?:met|ik ben|ben ik|u bent|bent u|dit is|daar is|hier is|hier)$")
_ALMOST_MET = word_set("mit med mt mat mer mes meet medt mets men net bet et wet")  # as recognition hears it
_NO_LEAD = word_set("de het in van naar bij op aan uit voor over")  # what a place or a thing follows
_GREETINGS = word_set(
    """goedemorgen goedemiddag goedenavond goedendag goeiemorgen goeiemiddag goeiendag goeienavond goeiedag hallo hoi
    dag hey ja moi morgen middag morgens jazeker nou eh u welkom dank"""
)
_NEVER_AFTER_MET = word_set("gemeente het de een mijn uw je onze ons ze dat die deze wie wat betrekking spoed")
_TITLE_STEM = re.compile(r"(?:meneer|mevrouw|mijnheer|meener)(?!tje|en$)")
_MIN_KNOWN = 3
_FUZZY_FROM = 5


def mark_names(call: Reading, lexicon: Lexicon, heard: Sequence[range] = ()) -> None:
    """Mark every name in the call.

    `heard` are the positions of what the Dutch pipeline takes for names of persons: one witness more, never believed
    against the word lists.
    """
    _Names(call, lexicon, heard).mark_all()


class _Names:
    def __init__(self, call: Reading, lexicon: Lexicon, heard: Sequence[range]) -> None:
        self._call = call
        self._heard = {span.start: span for span in heard}
        self._lexicon = lexicon
        # Without capitals inside sentences a capital proves nothing, and neither does its absence.
        inner = [at for turn in call.ranges for at in turn if not call.starts_sentence(at, turn)]
        self._is_cased = sum(call.is_capital(at) for at in inner) >= max(1, len(inner) // 200)

    def mark_all(self) -> None:
        """Introductions and answers first, then every repetition of what they brought up."""
        due = 0
        spoken: dict[str, int] = {}
        for position, turn in enumerate(self._call.ranges):
            role = self._call.roles[position]
            if role == "ivr":
                continue
            spoken[role] = spoken.get(role, 0) + 1
            is_answer = due > 0 and role != "agent"
            found = self._introduced(turn, is_opening=spoken[role] <= 3, is_due=is_answer)
            found = self._listed(turn) or found
            found = self._witnessed(turn, is_answer) or found
            if is_answer:
                found = self._spelled(turn) or found
                found = found or any(self._call.tokens[at].kind == "person_name" for at in turn)
                if not found:
                    found = self._bare_answer(turn)
                due = 0 if found else due - (1 if len(turn) >= 3 else 0)
            if role != "citizen" and _ASKS_NAME.search(self._call.line(turn.start, turn.stop)):
                due = 2
        self._repeated()

    # where a name is due

    def _introduced(self, turn: range, is_opening: bool, is_due: bool) -> bool:
        call = self._call
        found = False
        for at in turn:
            if call.tokens[at].kind is not None:
                continue
            strength = self._cue_before(at, turn, is_opening, is_due)
            if not strength:
                continue
            end = self._name_end(at, turn, strength)
            if end == at and strength in ("strong", "title"):
                end = self._behind_broken_words(at, turn, strength)
            if end > at:
                found = call.mark(at, end, "person_name") or found
        return found

    def _cue_before(self, at: int, turn: range, is_opening: bool, is_due: bool) -> str:  # noqa: PLR0911 - a list of cues
        """How strongly the words before a position announce a name: "title", "strong", "greeting", "weak" or ""."""
        call = self._call
        last = at - 1
        while last > turn.start and call.word(last, turn) in ("eh", "ehm", "uh", "uhm"):
            last -= 1
        word = call.word(last, turn)
        if not word:
            return ""
        ended = PHRASE_END.search(call.tokens[last].text)
        if _is_title(word):
            return "" if ended and not self._is_listed(at) else "title"
        if ended and SENTENCE_END.search(call.tokens[last].text):
            return ""
        line = " ".join(call.word(i, turn) for i in range(max(turn.start, last - 4), last + 1)).strip()
        if _INTRODUCES.search(line) and not (ended and word != "is"):
            return "strong"
        if word in _RELATIONS or (word in ("heet", "is") and call.word(last - 1, turn) in _RELATIONS):
            return "weak"
        if word == "met" and (is_opening or is_due):
            # An agent says a name after the first "met"; later, and from a citizen, the word itself must look like one.
            is_agent = call.roles[call.tokens[at].turn] == "agent" and self._is_first(turn)
            is_greeting = call.word(last - 1, turn) in _GREETINGS | {""}
            return "strong" if is_agent or is_due else "greeting" if is_greeting or self._is_first(turn) else "weak"
        if word in _ALMOST_MET and self._is_first(turn) and self._is_stranger(at, turn):
            return "strong"
        if _WEAK_INTRODUCTION.search(line) and (is_opening or is_due or word == "met"):
            return "weak" if not is_due else "strong"
        return ""

    def _is_first(self, turn: range) -> bool:
        """Whether this turn is the first of its role."""
        position = self._call.tokens[turn.start].turn
        return self._call.roles[position] not in self._call.roles[:position]

    def _name_end(self, at: int, turn: range, strength: str) -> int:
        """The end of the name that starts at a position, or the position itself when none does."""
        call = self._call
        if strength != "title" and _is_title(call.tokens[at].bare):
            return at  # the title will bring its own name
        end, has_name = at, False
        while end < turn.stop and end - at < 7 and call.tokens[end].kind is None:
            word = call.tokens[end].bare
            if has_name and self._joins_names(end - 1, turn) and self._is_name(end, turn, "title", is_first=True):
                end += 1
                break
            if word in PREFIXES and self._prefix_leads_on(end, turn, strength):
                end += 1
                continue
            if not self._is_name(end, turn, strength, is_first=not has_name):
                break
            has_name = True
            end += 1
            if PHRASE_END.search(call.tokens[end - 1].text) and not call.tokens[end - 1].text.endswith("-"):
                break
        return end if has_name else at

    def _behind_broken_words(self, at: int, turn: range, strength: str) -> int:
        """The end of a name one or two words on, when recognition broke its beginning: "met zo 'n Dries"; else `at`."""
        call = self._call
        for start in (at + 1, at + 2):
            if start >= turn.stop or PHRASE_END.search(call.tokens[start - 1].text):
                break
            word = call.word(start, turn)
            if call.word(start - 1, turn) in _RELATIONS | _NEVER_AFTER_MET or _is_title(call.word(start - 1, turn)):
                break
            is_inner_capital = call.is_capital(start) and not call.starts_sentence(start, turn)
            if strength == "title" and not (self._is_cased and is_inner_capital):
                continue
            if word and not self._lexicon.is_dutch(word) and (end := self._name_end(start, turn, "strong")) > start:
                return end
        return at

    def _prefix_leads_on(self, at: int, turn: range, strength: str) -> bool:
        """Whether "van de" and the like stand before a surname."""
        call = self._call
        nxt = at + 1
        while nxt < turn.stop and nxt - at < 3 and call.word(nxt, turn) in PREFIXES:
            nxt += 1
        if nxt >= turn.stop or PHRASE_END.search(call.tokens[nxt - 1].text) or not call.word(nxt, turn):
            return False
        word = call.tokens[nxt].bare
        if word in self._lexicon.not_names:
            return strength == "title" and (call.is_capital(nxt) or word in self._lexicon.surnames)
        if self._is_cased and call.is_capital(nxt):
            return not self._is_office(nxt)
        if word in self._lexicon.surnames:
            return True
        return strength != "weak" and not self._lexicon.is_dutch(word)

    def _is_name(self, at: int, turn: range, strength: str, is_first: bool) -> bool:  # noqa: PLR0911 - a list of cases
        call, lexicon = self._call, self._lexicon
        word = call.tokens[at].bare
        if len(word) < 2 or not word.replace(".", "").isalpha() or word in FILLERS or self._is_office(at):
            return False
        has_prefix = call.word(at - 1, turn) in PREFIXES or self._joins_names(at - 1, turn)
        if word in lexicon.not_names and not (strength == "title" and has_prefix):
            return False
        if _is_title(word) or word in _RELATIONS or word in _ABBREVIATIONS or word_value(word) is not None:
            return False
        is_listed = word in lexicon.first_names or word in lexicon.surnames
        is_surname = call.is_capital(at) and (strength == "title" or has_prefix)
        if word in lexicon.places and not is_listed and not is_surname:
            return False
        if call.is_capital(at) and self._is_cased and not call.starts_sentence(at, turn):
            return True
        if not is_first:
            # lower case behind a first name: only what is no ordinary word carries the name on
            follows_first_name = call.tokens[at - 1].bare in lexicon.first_names or not self._is_cased
            is_likely = is_listed or (follows_first_name and not lexicon.is_dutch(word))
            return is_likely and strength != "weak"
        if strength == "weak":
            return is_listed and (not lexicon.is_dutch(word) or (not self._is_cased and word in lexicon.first_names))
        # A title may stand alone ("mevrouw belde"), a name after "mijn naam is" may not: there any content word goes.
        if strength == "greeting" and self._is_cased:
            return is_listed or (not lexicon.is_dutch(word) and len(word) >= 3)
        return strength == "strong" or is_listed or not lexicon.is_dutch(word) or not self._is_cased

    def _joins_names(self, at: int, turn: range) -> bool:
        """Whether a married name goes on: "Smit-de" Raad."""
        return at >= turn.start and bool(re.search(r"\w-(?:van|de|der|den|ter|ten|het)$", self._call.tokens[at].text))

    def _is_office(self, at: int) -> bool:
        """The name of a municipality or department, which is no person's."""
        call = self._call
        before = call.tokens[at - 1].bare if at else ""
        if len(before) >= 6 and before.startswith("ge") and is_almost_in(before, _OFFICES):
            return True
        return before in ("gemeente", "team", "afdeling", "gemeentehuis", "loket", "stadhuis") or call.tokens[
            at
        ].bare.startswith("gemeente")

    def _is_listed(self, at: int) -> bool:
        word = self._call.tokens[at].bare
        return word not in self._lexicon.not_names and (
            word in self._lexicon.first_names or word in self._lexicon.surnames
        )

    def _listed(self, turn: range) -> bool:
        """First names of the list, and capitals on words that Dutch does not know, with the surname behind them."""
        call, lexicon = self._call, self._lexicon
        found = False
        for at in turn:
            word = call.tokens[at].bare
            if call.tokens[at].kind is not None or word in lexicon.not_names or word in lexicon.places:
                continue
            if self._is_office(at) or not (word in lexicon.first_names or self._is_stranger(at, turn)):
                continue
            is_rare = not lexicon.is_dutch(word) and len(word) >= 4
            inner_capital = self._is_cased and call.is_capital(at) and not call.starts_sentence(at, turn)
            if not (inner_capital or (is_rare and (call.is_capital(at) or not self._is_cased))):
                continue
            end, start = max(self._name_end(at, turn, "weak"), at + 1), at
            while start > turn.start and self._precedes_surname(start - 1):
                start -= 1
            found = call.mark(start, end, "person_name") or found
        return found

    def _witnessed(self, turn: range, is_due: bool) -> bool:
        """What the pipeline heard as a name, where a word of it is already one, is no Dutch word, or a name is due."""
        call, lexicon = self._call, self._lexicon
        found = False
        for at in turn:
            span = self._heard.get(at)
            if span is None or self._is_office(at):
                continue
            free = [i for i in span if call.tokens[i].kind is None and call.tokens[i].bare]
            names = [i for i in free if self._may_be_name(i)]
            has_name = any(call.tokens[i].kind == "person_name" for i in span)
            is_rare = any(not lexicon.is_dutch(call.tokens[i].bare) for i in names)
            if names and (has_name or is_rare or is_due):
                found = call.mark(names[0] if not has_name else span.start, names[-1] + 1, "person_name") or found
        return found

    def _may_be_name(self, at: int) -> bool:
        word, lexicon = self._call.tokens[at].bare, self._lexicon
        if word in lexicon.not_names or _is_title(word) or word in _RELATIONS | _ABBREVIATIONS | FILLERS | _GREETINGS:
            return False
        is_place = word in lexicon.places and not self._is_listed(at)
        return len(word) >= 2 and word.isalpha() and word_value(word) is None and not is_place

    def _is_stranger(self, at: int, turn: range) -> bool:
        """A capital inside a sentence on a word that is no place, no street and not Dutch: most likely a name."""
        call, word = self._call, self._call.tokens[at].bare
        if len(word) < 3 or not word.isalpha() or word in _ABBREVIATIONS or _STREET.search(word):
            return False
        if not self._is_cased or not call.is_capital(at) or call.starts_sentence(at, turn):
            return False
        if self._lexicon.is_dutch(word) or call.word(at - 1, turn) in _NO_LEAD:
            return False
        return not is_almost_in(word, self._lexicon.places) and not is_almost_in(word, self._lexicon.not_names)

    def _precedes_surname(self, at: int) -> bool:
        """Whether a word can be the first name before a name just found."""
        call, lexicon, word = self._call, self._lexicon, self._call.tokens[at].bare
        if call.tokens[at].kind is not None or PHRASE_END.search(call.tokens[at].text) or word in lexicon.not_names:
            return False
        return call.is_capital(at) and (word in lexicon.first_names or not lexicon.is_dutch(word)) and word.isalpha()

    def _spelled(self, turn: range) -> bool:
        """A name spelled letter by letter in an answer."""
        call = self._call
        found, start = False, -1
        for at in range(turn.start, turn.stop + 1):
            is_letter = at < turn.stop and len(call.word(at, turn)) == 1 and call.word(at, turn).isalpha()
            if is_letter and start < 0:
                start = at
            elif not is_letter and start >= 0:
                if at - start >= 3 and call.line(start, at).replace(" ", "") not in _ABBREVIATIONS:
                    found = call.mark(start, at, "person_name") or found
                start = -1
        return found

    def _bare_answer(self, turn: range) -> bool:
        """The answer to a question for a name in which no name was recognised: what is no function word goes."""
        call, lexicon = self._call, self._lexicon
        if len(turn) > 6:
            return False
        found = False
        start = -1
        for at in range(turn.start, turn.stop + 1):
            word = call.word(at, turn) if at < turn.stop else ""
            is_content = (
                len(word) >= 2
                and word not in lexicon.not_names
                and word not in FILLERS
                and word not in _GREETINGS
                and not _is_title(word)
                and word_value(word) is None
                and word not in PREFIXES
            )
            if is_content and start < 0:
                start = at
            elif not is_content and start >= 0:
                found = call.mark(start, at, "person_name") or found
                start = -1
        return found

    # where a name comes back

    def _repeated(self) -> None:
        from rapidfuzz import fuzz

        call, lexicon = self._call, self._lexicon
        known = {
            word
            for token in call.tokens
            if token.kind == "person_name" and not token.is_placeholder
            for word in token.bare.split()
            if len(word) >= _MIN_KNOWN and word not in PREFIXES and word not in lexicon.not_names
        }
        if not known:
            return
        for turn in call.ranges:
            for at in turn:
                token = call.tokens[at]
                word = token.bare
                if token.kind is not None or len(word) < _MIN_KNOWN or word in lexicon.not_names:
                    continue
                is_capital = call.is_capital(at) and self._is_cased
                is_ordinary = lexicon.is_dutch(word) or word in lexicon.places
                if word in known:
                    is_hit = is_capital or not is_ordinary or len(word) >= _FUZZY_FROM
                elif len(word) >= _FUZZY_FROM and (
                    not is_ordinary or (is_capital and not call.starts_sentence(at, turn))
                ):
                    is_hit = any(
                        len(name) >= _FUZZY_FROM
                        and (
                            fuzz.ratio(word, name) >= 80
                            or (word.startswith(name) and is_capital and len(word) < len(name) + 5)
                        )
                        for name in known
                    )
                else:
                    is_hit = False
                if is_hit and not self._is_office(at):
                    start = at
                    while (
                        start > turn.start
                        and at - start < 3
                        and call.word(start - 1, turn) in ("van", "der", "den", "de", "ter", "ten")
                    ):
                        start -= 1
                    # "de Brands" may be an article: take prefixes only where they were part of the name
                    call.mark(start if self._had_prefix(word) else at, at + 1, "person_name")

    def _had_prefix(self, word: str) -> bool:
        tokens = self._call.tokens
        return any(
            token.bare == word and token.kind == "person_name" and at and tokens[at - 1].span == token.span
            and tokens[at - 1].kind == "person_name" and tokens[at - 1].bare in PREFIXES
            for at, token in enumerate(tokens)
        )  # fmt: skip


_STREET = re.compile(r"(?:straat|weg|laan|plein|hof|singel|kade|gracht|dijk|steeg|pad|dreef|park|markt|baan|wijk)$")
_OFFICES = frozenset(["gemeente", "gemeentehuis"])


def is_almost_in(word: str, words: frozenset[str]) -> bool:
    """Whether a word differs from one of the words by no more than a letter or so."""
    from rapidfuzz import fuzz, process

    return process.extractOne(word, words, scorer=fuzz.ratio, score_cutoff=82) is not None


def _is_title(word: str) -> bool:
    from rapidfuzz import fuzz

    if word in _TITLES:
        return True
    if _TITLE_STEM.match(word) and len(word) <= 12:
        return True  # "mevrouwvan", "meenervand": recognition glued the prefix to the title
    return len(word) >= 6 and any(fuzz.ratio(word, title) >= 84 for title in ("meneer", "mevrouw", "mijnheer"))
