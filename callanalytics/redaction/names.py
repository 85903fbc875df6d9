"""Mark the names of persons in a call.  Pure.

A name is looked for where one is due: after an introduction, a form of address or a relation, in the answer to "met wie
spreek ik", and spelled out.  Once found it is marked wherever else it is said, recognition's variants included.  A word
list alone marks first names only, and only those that are no Dutch word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from callanalytics.dutch import numbers
from callanalytics.dutch.lexicon import Lexicon
from callanalytics.dutch.numbers import FILLERS, word_value
from callanalytics.redaction.codes import spelled_letter
from callanalytics.redaction.likeness import PREFIXES, Find, may_be_judged, nearness, sound_of, sounds_like_one_of
from callanalytics.redaction.tokens import PHRASE_END, SENTENCE_END, Reading, word_set

Judge = Callable[[Sequence[Find]], Sequence[float]]  # the probability of each to be a name

_ODD_PREFIXES = frozenset(["in t", "in het", "op den", "op de", "op t", "uit den", "uit de", "aan den", "aan t"])
_ONLY_OF_NAMES = word_set("der den ter ten")
_TITLES = word_set(
    """meneer mevrouw mijnheer juffrouw mevr mw dhr heer familie fam dokter dr drs ir mr zuster pastoor weduwe menneer
    meheer mneer metvrouw mefrouw mevrauw minneer meener"""
)
_CUT_TITLE = word_set(
    "met me mee mijn min ne neem"
)  # "met vrouw Jansen", "mijn heer", which an agent says to a citizen
_ALMOST_TITLES = word_set("minder meerder meneren vrouwen mevouw rauw")  # as recognition hears them
RELATIONS = word_set(
    """moeder vader zoon zoontje dochter dochtertje man vrouw broer broertje zus zusje oma opa buurman buurvrouw partner
    vriend vriendin kind collega kleinzoon kleindochter tante oom neef nicht schoonmoeder schoonvader schoonzoon
    mantelzorger behandelaar consulent begeleider huisgenoot echtgenoot echtgenote kindje baby tweeling
    wethouder burgemeester raadslid dominee imam notaris advocaat huisarts kinderarts tandarts psycholoog psychiater
    ergotherapeut fysiotherapeut wijkagent wijkverpleegkundige verpleegkundige thuishulp bewindvoerder mentor curator
    ambtenaar klantmanager casemanager jobcoach boa makelaar aannemer directeur docent leraar juf meester verhuurder
    huurder bewoner eigenaar getuige ene zekere achterbuurman achterbuurvrouw bovenbuurman bovenbuurvrouw onderbuurman
    onderbuurvrouw stiefvader stiefmoeder stiefzoon stiefdochter zwager schoonzus schoondochter ex"""
)
_ABBREVIATIONS = word_set(
    "bsn woz wmo dso vog apv brp kvk gpk pgb aow duo uwv svb ozb id nl ww bv tv ggd kcc vth iban digid www"
)
_ASKS_NAME = re.compile(
    r"wie (?:kan|mag|moet|zal) ik|wie (?:spreek|sprik|heb ik|bent u|is dit|ik spreek|ik aan)|met wie|"
    r"\b(?:met )?wi?e?spre\w+|\bspe+l(?:t|d)? (?:u|je|uw|jouw)|"
    r"\bhoe (?:u|uw \w+|je|jouw \w+) (?:heet|heette)|"
    r"\bhoe heet (?:u|je|uw|jouw|hij|zij|ze|die|de|haar|zijn)|\bnamens wie|\bspel(?:len|t|d)?\b|\bvoor wie\b|"
    r"(?:uw|je|jouw|zijn|haar|hun|de|welke) (?:voor|achter)?naam|\bachternaam|\bvoornaam|\bvoorletter|"
    r"(?:uw|u|je|jouw|zijn|z n|zn|haar|hun|en|de) (?:\w{3,12} )?(?!straat|bedrijfs|gebruikers|dorps)\w*naa[mn]\b|"
    r"\bnaam (?:van u|is|en)|\bhoe schrij\w+|\bwie is (?:daar|dat)|\b(?:welke|wat is de|hoe was de) naam\b"
)
_ASKS_SPELLING = re.compile(r"\bspe+l(?:len|d|t)?\b|\bschrij\w+|\bletter")
_INTRODUCES = re.compile(
    r"(?:(?:mijn|mn|de|zijn|haar|uw|achter|voor|hun|volledige) ?(?:achter|voor|meisjes)?naam (?:is|luidt|was|dat is)|"
    r"\bachternaam (?:is)?|\bvoornaam (?:is)?|meisjesnaam (?:is)?|\b(?:ik|hij|zij|ze|die|u|en) heet|"
    r"\bheet(?:te)? (?:ik|hij|zij|ze)|spreekt (?:u )?(?:nu )?met|spreek (?:ik )?met|sprekt met|spreek je met|"
    r"gesproken met|praten met|van mezelf|van mij zelf|"
    r"op naam van|ten name van|op de naam|namens|vraag(?:t|en)? (?:u )?(?:dan )?naar|"
    r"vragen naar|verbind \w+ (?:door )?met|doorverbonden met|gebeld door|geholpen door|\bt a v)$"
)
_WEAK_INTRODUCTION = re.compile(r"(?:^|\b)(?:met|ik ben|ben ik|u bent|bent u|dit is|daar is|hier is|hier)$")
_ALMOST_MET = word_set("mit med mt mat mer mes meet medt mets men net bet et wet")  # as recognition hears it
_NO_LEAD = word_set("de het in van naar bij op aan uit voor over")  # what a place or a thing follows
_GREETINGS = word_set(
    """goedemorgen goedemiddag goedenavond goedendag goeiemorgen goeiemiddag goeiendag goeienavond goeiedag hallo hoi
    dag hey ja moi morgen middag morgens jazeker nou eh u welkom dank"""
)
_LIKE_GREETING = re.compile(r"\w{3,}(?:morgen|middag|avond|mor?gens)|wi?e?spre\w+")  # "voldemorgen", "wiesprek"
_SHORT = word_set("je die dat ze")  # of a first name or initial recognition makes these too: "met die Nekobo"
# What leads to a name or away from it, so that no piece of it is meant.
_LEAD_IN = word_set(
    """is met dat heet heette heten ben bent naam achternaam voornaam meisjesnaam spreekt spreek u mijn uw ik en als of
    gemeente waar waarmee wat wie hoe zegt vertelt belt bel bedankt graag zei alleen ene nee klopt"""
)
_LEAD_OUT = word_set(
    """heet spreekt spreek bel belt hier uit met en hoor bedankt mee zelf ook of maar want die dat ik u hij zij ze we
    wat waar"""
)
_ARTICLES = word_set("de het een t n")
_WITH_THINGS = word_set("helpen hulp bezig klaar begonnen gestopt stoppen probleem problemen")
_NEVER_AFTER_MET = word_set("gemeente het de een mijn uw je onze ons ze dat die deze wie wat betrekking spoed")
_GLUED_TITLE = re.compile(r"(?:(?:me|met?)?vrouw|(?:me)?neer|(?:de)?heer|her)(?:van|vande|vander|de|ter)?(\w+)")
_TITLE_STEM = re.compile(r"(?:meneer|mevrouw|mijnheer|meener)(?!tje|en$)")
# What is said right behind one's name: "De Boer hier", "Pietersen is mijn naam", "Jan aan de lijn".
_AFTER_NAME = re.compile(
    r"^(?:(?:spreekt )?hier\b|(?:is )?mijn naam\b|is (?:de|me|m n) naam\b|spreekt u|"
    r"aan (?:de (?:lijn|telefoon)|het woord))"
)
# Compounds with these heads are things and places, however much their capital looks like a name's.
_THING = re.compile(
    r"\w+(?:nummer|datum|adres|code|indicatie|aanvraag|vergunning|kaart|bewijs|formulier|melding|beschikking|belasting|"
    r"zaken|dienst|loket|verklaring|toeslag|regeling|uitkering|verzoek|kosten|afspraak|verzekering|wet|plan|kenteken|"
    r"straat|laan|plein|gracht|singel|plantsoen|dreef|weg)|kenmerk|haha\w*"
)
_SELF = re.compile(r"(?:spreekt? (?:u |je )?met|mijn naam is|mn naam is|ik heet)$")
_NOBODY = word_set("u jou hem haar mij ons jullie iemand medewerker afdeling team klantcontactcentrum burgerzaken")
_SOME_NAMES = word_set("haar hem mij ons jou")  # what recognition makes of "Hakan", "Mei-Ling"
_SPELLING = word_set(
    "de het een die met en dus dan dubbel dubbele is als van ij lange korte griekse streepje spatie punt voor"
)
# Probabilities from which the model of name_likeness.py is believed: anywhere, in an answer, behind such a word.
LIKELY_OPENING = 0.2
LIKELY_ALONE = 0.9  # of a word that is a phrase of its own
LIKELY_AGAIN = 0.1  # of one that is a little like a name said before
LIKELY_FIRST = 0.1  # of the first word of an answer
LIKELY_SLOT = 0.25  # of an ordinary word where a name is due: "meneer bos"
LIKELY_WEAK = 0.5  # of one behind "ik ben", "mijn vrouw"
CREDIBLE, CREDIBLE_IF_ANNOUNCED, CREDIBLE_IF_LISTED = 0.4, 0.25, 0.2  # below it a find is taken back
_EDGES = (0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98)
IMPOSSIBLE = 0.002  # below it not even a first name with its capital is one
UNLIKELY = 0.1  # below it nothing but a list or a question makes a name of a word
LIKELY, LIKELY_WORD, LIKELY_DUE, GOES_ON = 0.7, 0.9, 0.4, 0.3
_MIN_KNOWN, _MIN_SOUND = 3, 4
_ALIKE, _ALIKE_IF_LIKELY = 80, 68  # similarity to a name found before, in percent
_FUZZY_FROM = 5
_PLACE_WORDS = 4  # "Capelle aan den IJssel"


def mark_names(
    call: Reading,
    lexicon: Lexicon,
    heard: Sequence[range] = (),
    likeness: Sequence[float] | None = None,
    judge: Judge | None = None,
) -> None:
    """Mark every name in the call.

    `heard` are the positions of what the Dutch pipeline takes for names of persons, `likeness` says per position how
    much a word looks like one where it stands: witnesses more, never believed against the word lists.  `judge` says
    how sure it is that each find is a name; without it every find stays.
    """
    _Names(call, lexicon, heard, likeness or [0.0] * len(call.tokens), judge).mark_all()


class _Names:
    def __init__(
        self,
        call: Reading,
        lexicon: Lexicon,
        heard: Sequence[range],
        likeness: Sequence[float],
        judge: Judge | None,
    ) -> None:
        self._call = call
        self._likeness = likeness
        self._judge = judge
        self._rules: dict[int, str] = {}  # what found a span
        self._heard = {span.start: span for span in heard}
        self._lexicon = lexicon
        # Without capitals inside sentences a capital proves nothing, and neither does its absence.
        inner = [at for turn in call.ranges for at in turn if not call.starts_sentence(at, turn)]
        self._is_cased = sum(call.is_capital(at) for at in inner) >= max(1, len(inner) // 200)
        self._in_places = self._long_places()
        # the cleaner a call was recognised, the more a word that Dutch does not know is a name
        said = [token.bare for token in call.tokens if token.bare.isalpha() and len(token.bare) > 3]
        strange = sum(not self._is_word(word) for word in said) / max(1, len(said))
        self._noise = "much" if strange > 0.12 else "some" if strange > 0.06 else "little"

    def _long_places(self) -> frozenset[int]:
        """Where places of more words stand: "Den Haag", "Aa en Hunze"; not behind a form of address."""
        call, found = self._call, set[int]()
        for turn in call.ranges:
            for at in turn:
                for end in range(min(at + _PLACE_WORDS, turn.stop), at + 1, -1):
                    is_cut = any(PHRASE_END.search(call.tokens[i].text) for i in range(at, end - 1))
                    is_written = call.is_capital(end - 1) or not self._is_cased
                    before = call.word(at - 1, turn)
                    if is_cut or not is_written or _is_title(before) or before in RELATIONS:
                        continue
                    if call.line(at, end).replace(" ", "") in self._lexicon.places - {call.tokens[at].bare}:
                        found.update(range(at, end))
                        break
        return frozenset(found)

    def mark_all(self) -> None:
        """Introductions and answers first, then every repetition of what they brought up."""
        due, is_asked_to_spell = 0, False
        spoken: dict[str, int] = {}
        for position, turn in enumerate(self._call.ranges):
            role = self._call.roles[position]
            if role == "ivr":
                continue
            spoken[role] = spoken.get(role, 0) + 1
            is_answer = due > 0 and role != "agent"
            self._introduced(turn, is_opening=spoken[role] <= 3, is_due=is_answer)
            self._listed(turn)
            self._signed(turn, is_opening=spoken[role] <= 2)
            self._prefixed(turn)
            if spoken[role] == 1:
                self._opened(turn)
            if spoken[role] <= 2:
                self._finish_introductions(turn)
            self._witnessed(turn, is_answer)
            self._likened(turn, is_answer, role == "agent" and spoken[role] == 1)
            self._born_as(turn)
            self._glued(turn)
            self._carry_on(turn, spoken[role] == 1)
            self._alone(turn)
            self._weigh(turn, is_answer)
            if is_answer:
                found = any(self._call.tokens[at].kind == "person_name" for at in turn)
                is_spelled = self._spelled(turn, 3) or self._first_with_prefix(turn)
                is_spelled = (is_asked_to_spell and self._spelled_brokenly(turn)) or is_spelled
                if is_spelled or not found:
                    found = self._bare_answer(turn) or self._first_word(turn) or is_spelled
                self._finish_answer(turn)
                self._lettered(turn)
                self._rules.update(dict.fromkeys({self._call.tokens[at].span for at in turn}, ""))
                due = 0 if found else due - (1 if len(turn) >= 3 else 0)
            else:
                self._spelled(turn, 4)
                if role == "citizen":
                    self._only_name(turn)
            line = self._call.line(turn.start, turn.stop)
            if role != "citizen" and _ASKS_NAME.search(line):
                due, is_asked_to_spell = 2, bool(_ASKS_SPELLING.search(line))
        self._repeated()
        for turn in self._call.ranges:
            self._weigh(turn, False)

    def _mark(self, start: int, end: int, rule: str) -> bool:
        """Mark a find of a rule; True when a token of it was free."""
        if not self._call.mark(start, end, "person_name"):
            return False
        spans = {self._call.tokens[at].span for at in range(start, end)}
        self._rules[max(spans)] = rule
        return True

    def _weigh(self, turn: range, is_answer: bool) -> None:
        """Take back the finds of a turn that are hardly names by all that is known of them.

        Rules find what may be a name; each knows one thing.  A find is weighed once, and what was asked for never.
        """
        call = self._call
        new: dict[int, list[int]] = {}
        for at in turn:
            if self._rules.get(call.tokens[at].span):
                new.setdefault(call.tokens[at].span, []).append(at)
        if not self._judge or not new:
            return
        finds = [
            Find(tuple(places), self._evidence(places, turn, self._rules[span], is_answer))
            for span, places in new.items()
        ]
        limits = [self._limit(places, turn, self._rules[span]) for span, places in new.items()]
        for find, limit, sure in zip(finds, limits, self._judge(finds), strict=True):
            self._rules[call.tokens[find.places[0]].span] = ""
            if sure < limit:
                for at in find.places:
                    call.tokens[at].kind, call.tokens[at].span = None, 0

    def _limit(self, places: list[int], turn: range, rule: str) -> float:
        """How sure the judge must be of a find: less of one announced, not at all of "de arts Bakhuizen"."""
        is_addressed = rule == "introduced title" or self._call.word(places[0] - 1, turn) in RELATIONS
        if is_addressed and self._has_inner_capital(places, turn):
            return 0.0
        if any(self._is_listed(at) for at in places):
            return CREDIBLE_IF_LISTED
        return CREDIBLE_IF_ANNOUNCED if rule in ("introduced strong", "introduced greeting") else CREDIBLE

    def _has_inner_capital(self, places: Sequence[int], turn: range) -> bool:
        call = self._call
        return self._is_cased and any(call.is_capital(at) and not call.starts_sentence(at, turn) for at in places)

    def _evidence(self, places: list[int], turn: range, rule: str, is_answer: bool) -> list[str]:
        """What is known of a find, for the judge."""
        from rapidfuzz import fuzz

        call, lexicon = self._call, self._lexicon
        first, last = places[0], places[-1]
        words = [call.tokens[at].bare for at in places]
        own = [at for at in places if may_be_judged(call.tokens[at].bare, lexicon)]
        content = [at for at in places if call.tokens[at].bare not in PREFIXES] or places
        looks = max((self._likeness[at] for at in own), default=0.0)
        least = min((self._likeness[at] for at in own), default=0.0)
        is_listed = any(self._is_listed(at) for at in content)
        is_dutch = all(self._is_word(call.tokens[at].bare) for at in content)
        is_inner = self._has_inner_capital(content, turn)
        begins = first == turn.start or bool(PHRASE_END.search(call.tokens[first - 1].text))
        ends = last + 1 == turn.stop or bool(PHRASE_END.search(call.tokens[last].text))
        before = call.tokens[first - 1].bare if first > turn.start else "<"
        before2 = call.tokens[first - 2].bare if first > turn.start + 1 else "<"
        after = call.tokens[last + 1].bare if last + 1 < turn.stop else ">"
        role = call.roles[call.tokens[first].turn]
        again = sum(call.tokens[at].bare in words and at not in places for at in range(len(call.tokens))) if own else 0
        is_heard = any(start <= at < self._heard[start].stop for start in self._heard for at in places)
        lead = call.line(max(turn.start, first - 5), first)
        sounds = [sound_of(word) for word in words if len(word) > _MIN_KNOWN]
        alike = sum(
            any(fuzz.ratio(sound_of(other.bare), sound) >= _ALIKE_IF_LIKELY for sound in sounds)
            for at, other in enumerate(call.tokens)
            if at not in places and len(other.bare) > _MIN_KNOWN and not lexicon.is_dutch(other.bare)
        )
        near = [nearness(call.tokens[at].bare, lexicon) for at in own] or [(0, 0)]
        ordinary, name_like = min(pair[0] for pair in near), max(pair[1] for pair in near)
        facts: dict[str, object] = {
            "r": rule,
            "d": is_dutch,
            "l": is_listed,
            "c": is_inner,
            "dl": f"{is_dutch}|{is_listed}",
            "dc": f"{is_dutch}|{is_inner}",
            "rd": f"{rule}|{is_dutch}",
            "rl": f"{rule}|{is_listed}",
            "rc": f"{rule}|{is_inner}",
            "be": f"{begins}|{ends}",
            "n": min(len(places), 4),
            "h": is_heard,
            "b": before,
            "b2": f"{before2} {before}",
            "a": after,
            "p": words[0] in PREFIXES,
            "q": is_answer,
            "o": f"{role}|{self._is_first(turn)}",
            "ob": f"{role}|{self._is_first(turn)}|{before}",
            "g": min(again, 2),
            "al": min(alike, 2),
            "s": all(len(word) <= 2 for word in words),
            "x": any(word in lexicon.not_names for word in words),
            "u": f"{self._noise}|{self._is_cased}",
            "ud": f"{self._noise}|{is_dutch}|{is_listed}",
            "uc": f"{self._noise}|{self._is_cased}|{is_inner}",
            "ur": f"{self._noise}|{rule}",
            "t": _is_title(before),
            "v": bool(_SELF.search(lead)),
            "m": any(word.startswith("gem") for word in lead.split()[-3:]),
            "w": min(len(lead.split()), 3),
            "ph": int(any(token.is_placeholder and token.kind == "person_name" for token in call.tokens)),
            "k": min(3, len(words[-1]) // 3),
            "no": f"{is_dutch}|{ordinary // 8}",
            "nn": f"{is_dutch}|{name_like // 8}",
            "nd": f"{is_dutch}|{(ordinary - name_like) // 10}",
        }
        row = [f"{name}={fact}" for name, fact in facts.items()]
        for name, value in (("L", looks), ("M", least)):
            row += [f"{name}{edge}" for edge in _EDGES if value >= edge]
        row += [f"{rule} L{edge}" for edge in _EDGES[2::3] if looks >= edge]
        return row

    # where a name is due

    def _introduced(self, turn: range, is_opening: bool, is_due: bool) -> None:
        call = self._call
        for at in turn:
            if call.tokens[at].kind is not None:
                continue
            strength = self._cue_before(at, turn, is_opening, is_due)
            if not strength:
                continue
            end = self._name_end(at, turn, strength)
            if end == at and strength in ("strong", "title", "greeting"):
                end = self._behind_broken_words(at, turn, strength)
            if end == at and strength == "title" and call.tokens[at].bare == "van":
                end = self._behind_van(at, turn)
            is_own = strength == "greeting" or self._introduces(at, turn) or self._opens(at, turn)
            if end == at and (is_own or (strength == "strong" and self._is_opening_met(at, turn))):
                end = self._whole_phrase(at, turn)
            is_weak = strength == "weak" and end > at and self._is_no_name(at, end, turn)
            if end > at and not is_weak:
                self._mark(at, end, f"introduced {strength}")

    def _is_no_name(self, start: int, end: int, turn: range) -> bool:
        """Whether what stands where a name may be is a street, or words that neither lists nor their looks make one."""
        is_listed = any(self._is_listed(at) or self._is_initial(at, turn) for at in range(start, end))
        is_likely = max(self._likeness[start:end]) >= UNLIKELY
        is_stranger = self._is_cased and any(self._call.is_capital(at) and self._is_odd(at) for at in range(start, end))
        is_related = self._call.word(start - 1, turn) in RELATIONS and self._is_cased and self._call.is_capital(start)
        return self._is_street(start, end, turn) or not (is_listed or is_likely or is_stranger or is_related)

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
        is_cut = word in ("vrouw", "heer") and call.word(last - 1, turn) in _CUT_TITLE
        if is_cut and call.roles[call.tokens[at].turn] == "agent" and not ended:
            return "title"
        if _is_title(word) or (word in _ALMOST_TITLES and not ended and self._looks_like_name(at, turn)):
            return "" if ended and not self._is_listed(at) else "title"
        if ended and SENTENCE_END.search(call.tokens[last].text):
            return ""
        line = " ".join(call.word(i, turn) for i in range(max(turn.start, last - 4), last + 1)).strip()
        if _INTRODUCES.search(line) and not (ended and word != "is"):
            return "strong"
        if word == "zeker" and call.word(last - 1, turn) in ("een", "n"):
            return "strong"
        if word in RELATIONS or (word in ("heet", "is") and call.word(last - 1, turn) in RELATIONS):
            return "weak"
        if word == "met" and call.word(last - 1, turn) in _WITH_THINGS:
            return ""
        if word == "met" and (is_opening or is_due):
            # An agent says a name after the first "met"; later, and from a citizen, the word itself must look like one.
            is_agent = call.roles[call.tokens[at].turn] == "agent" and self._is_first(turn)
            is_greeting = call.word(last - 1, turn) in _GREETINGS | {""}
            is_early = self._is_first(turn) and at - turn.start <= 5
            return "strong" if is_agent or is_due else "greeting" if is_greeting or is_early else "weak"
        if word in _ALMOST_MET and self._is_first(turn) and self._is_stranger(at, turn):
            return "strong"
        if _WEAK_INTRODUCTION.search(line) and (is_opening or is_due or word == "met"):
            is_said_of = word == "ben" and (call.word(at + 1, turn) == "op" or call.word(at, turn) in _ARTICLES)
            return "strong" if is_due and not is_said_of else "weak"  # "ik ben geboren op", "ik ben de eigenaar"
        return ""

    def _looks_like_name(self, at: int, turn: range) -> bool:
        """Whether a strange word stands here, or behind a prefix one that looks like a name."""
        nxt = at + 1 if self._call.word(at, turn) in PREFIXES and at + 1 < turn.stop else at
        return self._is_strange(at) or (self._likeness[nxt] >= LIKELY and self._may_be_name(nxt))

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
            if (odd := self._odd_prefix(end, turn, strength, has_name)) and odd < turn.stop:
                end, has_name = odd + 1, True
                break
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
            if self._is_initial(end - 1, turn):
                continue
            if PHRASE_END.search(call.tokens[end - 1].text) and not call.tokens[end - 1].text.endswith("-"):
                break
        if has_name and strength != "weak" and not PHRASE_END.search(call.tokens[end - 1].text):
            end = self._phrase_end(end, turn)
        return end if has_name else at

    def _odd_prefix(self, at: int, turn: range, strength: str, has_name: bool) -> int:
        """Where the surname behind "in 't", "op den" and the like stands, 0 when none does."""
        call = self._call
        if f"{call.word(at, turn)} {call.word(at + 1, turn)}" not in _ODD_PREFIXES:
            return 0
        nxt, is_due = at + 2, strength == "title" or (has_name and call.is_capital(at - 1))
        if not is_due or PHRASE_END.search(call.tokens[at + 1].text) or not call.word(nxt, turn):
            return 0
        is_last = PHRASE_END.search(call.tokens[nxt].text) and self._may_be_name(nxt)
        is_strange = "'" in call.tokens[at + 1].text or not self._is_word(call.word(nxt, turn))
        is_strange = is_strange or self._likeness[nxt] >= LIKELY_SLOT
        return nxt if call.is_capital(nxt) or (is_last and is_strange) else 0

    def _introduces(self, at: int, turn: range) -> bool:
        """Whether somebody says "u spreekt met" or "mijn naam is" right before a position."""
        return bool(_SELF.search(self._call.line(max(turn.start, at - 4), at)))

    def _is_opening_met(self, at: int, turn: range) -> bool:
        """Whether an agent's first "met" stands right before, and a strange word in the phrase behind it."""
        call = self._call
        if call.roles[call.tokens[at].turn] != "agent" or not self._is_first(turn) or call.word(at - 1, turn) != "met":
            return False
        phrase = next(self._phrases(range(at, turn.stop)))
        return len(phrase) <= 4 and any(self._is_odd(i) for i in phrase)

    def _is_odd(self, at: int) -> bool:
        """Whether no Dutch word stands here, which is what recognition makes of names."""
        return bool(self._call.tokens[at].bare) and not self._is_word(self._call.tokens[at].bare)

    def _opens(self, at: int, turn: range) -> bool:
        """Whether the one word of an agent's "gemeente Zwolle, met ..." stands here."""
        call = self._call
        is_agents = call.roles[call.tokens[at].turn] == "agent" and self._is_first(turn)
        if not is_agents or call.word(at - 1, turn) != "met" or call.word(at, turn) in PREFIXES:
            return False
        before = [call.word(i, turn) for i in range(max(turn.start, at - 5), at - 1)]
        is_greeting = any(word in _GREETINGS - {"u"} or word.startswith("gemeente") for word in before if word)
        return is_greeting and bool(PHRASE_END.search(call.tokens[at].text))

    def _whole_phrase(self, at: int, turn: range) -> int:
        """The end of a short phrase where people say who they are and no name was recognised, else `at`.

        Recognition made other words of it: "u spreekt met rond de winkel,", "ja, met de wed."
        """
        call = self._call
        has_odd = any(self._is_odd(i) for i in next(self._phrases(range(at, turn.stop))))
        for end in range(at, min(at + 3 + has_odd, turn.stop)):
            word = call.word(end, turn)
            is_article = word in PREFIXES
            if not word or self._is_office(end) or not (is_article or self._reads_as_name(word)):
                break
            is_nobody = word in (_NEVER_AFTER_MET - PREFIXES) | RELATIONS | FILLERS or _is_title(word)
            is_nobody = is_nobody or (word in _NOBODY and not (has_odd and word in _SOME_NAMES))
            if is_nobody or word_value(word) is not None:
                break
            if PHRASE_END.search(call.tokens[end].text) and not is_article:
                is_known = any(call.word(i, turn) not in self._lexicon.not_names for i in range(at, end + 1))
                # "gemeente Zwolle met aan.": there even a function word was a name
                return end + 1 if is_known or (end == at and self._opens(at, turn)) else at
        return at

    def _behind_van(self, at: int, turn: range) -> int:
        """The end of a phrase like "meneer van ging keel.": what is left of it is a name; else `at`."""
        call = self._call
        for end in range(at + 1, min(at + 3, turn.stop)):
            if not self._may_be_name(end) or self._is_office(end) or call.word(end, turn) in PREFIXES | _NOBODY:
                break
            if PHRASE_END.search(call.tokens[end].text):
                return end + 1
        return at

    def _phrase_end(self, at: int, turn: range) -> int:
        """The end of the phrase when all that is left of it may belong to a name just begun, else `at`.

        Recognition makes ordinary words of surnames: "met Karin boos.", "met Lotte van de kantoren,".
        """
        call = self._call
        if self._ends_at_once(at, turn):
            return at + 1
        for end in range(at, min(at + 3, turn.stop)):
            word = call.word(end, turn)
            is_joint = word == "en" and end == at and not self._is_word(call.tokens[at - 1].bare)
            if word not in PREFIXES and not is_joint and not self._may_be_name(end):
                break
            # "Theo van het vervoersbedrijf" says where somebody works
            is_work = call.word(at, turn) == "van" and word not in PREFIXES and not call.is_capital(end)
            if is_work and self._is_word(word):
                break
            if PHRASE_END.search(call.tokens[end].text):
                return at if self._is_street(at, end + 1, turn) else end + 1
        return at

    def _ends_at_once(self, at: int, turn: range) -> bool:
        """Whether one word alone ends the phrase behind somebody's own first name: "u spreekt met Karin boos."."""
        call, word = self._call, self._call.word(at, turn)
        if not word or not PHRASE_END.search(call.tokens[at].text) or not self._reads_as_name(word):
            return False
        is_other = word in RELATIONS | _NOBODY | _GREETINGS | FILLERS | {"hier"} or _is_title(word)
        if is_other or self._is_office(at):
            return False
        return bool(_SELF.search(call.line(max(turn.start, at - 5), at - 1)))

    def _behind_broken_words(self, at: int, turn: range, strength: str) -> int:
        """The end of a name one or two words on, when recognition broke its beginning: "met zo 'n Dries"; else `at`."""
        call = self._call
        for start in (at + 1, at + 2):
            if start >= turn.stop or PHRASE_END.search(call.tokens[start - 1].text):
                break
            word = call.word(start, turn)
            skipped = call.word(start - 1, turn)
            if skipped in RELATIONS | (_NEVER_AFTER_MET - _SHORT) or _is_title(skipped):
                break
            if strength == "greeting" and skipped not in _SHORT:
                break
            is_inner_capital = call.is_capital(start) and not call.starts_sentence(start, turn)
            if strength == "title" and not (self._is_cased and is_inner_capital):
                continue
            is_strange = word and not self._lexicon.is_dutch(word) and (strength != "greeting" or len(word) >= 6)
            is_name = is_strange or (strength == "strong" and self._is_listed(start))
            if is_name and (end := self._name_end(start, turn, "strong")) > start:
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
        if strength == "strong" and call.tokens[nxt - 1].bare in _ONLY_OF_NAMES:
            return True
        if word in self._lexicon.not_names:
            is_behind = call.word(at - 1, turn) in self._lexicon.first_names and self._is_cased and call.is_capital(nxt)
            return is_behind or (strength == "title" and (call.is_capital(nxt) or word in self._lexicon.surnames))
        if self._is_cased and call.is_capital(nxt):
            return not self._is_office(nxt)
        is_likely = strength == "title" and self._likeness[nxt] >= LIKELY_SLOT
        if word in self._lexicon.surnames or is_likely:
            return True
        follows_first_name = call.word(at - 1, turn) in self._lexicon.first_names and call.tokens[at].bare != "van"
        return follows_first_name or (strength != "weak" and not self._lexicon.is_dutch(word))

    def _is_name(self, at: int, turn: range, strength: str, is_first: bool) -> bool:  # noqa: PLR0911 - a list of cases
        call, lexicon = self._call, self._lexicon
        word = call.tokens[at].bare
        if self._is_initial(at, turn):
            return strength != "weak" or call.is_capital(at)
        if not self._reads_as_name(word) or word in FILLERS or self._is_office(at):
            return False
        if word in PREFIXES and not call.is_capital(at):
            return False
        has_prefix = call.word(at - 1, turn) in PREFIXES or self._joins_names(at - 1, turn)
        is_inner = not is_first and self._is_cased and call.is_capital(at) and not call.starts_sentence(at, turn)
        # "Hessel Post": an ordinary word, but with a capital right behind a name
        is_behind = is_inner and (self._is_listed(at - 1) or not lexicon.is_dutch(call.tokens[at - 1].bare))
        is_sure = has_prefix and (
            strength == "title" or (strength == "strong" and call.word(at - 1, turn) in _ONLY_OF_NAMES)
        )
        if word in lexicon.not_names and not is_behind and not is_sure:
            return False
        if _is_title(word) or word in RELATIONS or word in _ABBREVIATIONS or word_value(word) is not None:
            return False
        is_listed = word in lexicon.first_names or word in lexicon.surnames
        is_related = call.word(at - 1, turn) in RELATIONS
        is_surname = call.is_capital(at) and (strength == "title" or has_prefix or is_related)
        # a town may end a name: "Jan van Buren Brakel"
        if word in lexicon.places and not is_listed and not is_surname and not is_inner:
            return False
        if call.is_capital(at) and self._is_cased and not call.starts_sentence(at, turn):
            return True
        slot = {"title": LIKELY_SLOT, "weak": LIKELY_WORD if self._is_word(word) else LIKELY_WEAK}.get(strength, 1.0)
        if self._likeness[at] >= slot and may_be_judged(word, lexicon):
            return True
        if not is_first:
            # lower case behind a first name: only what is no ordinary word carries the name on
            follows_first_name = call.tokens[at - 1].bare in lexicon.first_names or not self._is_cased
            is_strange = follows_first_name and not lexicon.is_dutch(word)
            return is_strange or (is_listed and strength != "weak")
        if strength == "weak":
            # "mijn collega piet", "met piet van zorg": where a first name stands, one that is a word too will do
            is_due = is_related or (call.word(at - 1, turn) == "met" and call.word(at + 1, turn) == "van")
            is_first_name = word in lexicon.first_names and (not self._is_cased or is_due)
            return is_listed and (not lexicon.is_dutch(word) or is_first_name)
        # A title may stand alone ("mevrouw belde"), a name after "mijn naam is" may not: there any content word goes.
        if strength == "greeting" and self._is_cased:
            return is_listed or (not lexicon.is_dutch(word) and len(word) >= 3)
        if strength == "strong" and word not in lexicon.surnames and self._is_thing_of(at, turn):
            return False
        return strength == "strong" or is_listed or not lexicon.is_dutch(word) or not self._is_cased

    def _is_thing_of(self, at: int, turn: range) -> bool:
        """Whether an ordinary word with its article stands behind "namens" or "naar": "namens de bewonersgroep"."""
        before = self._call.line(max(turn.start, at - 2), at)
        is_of = bool(re.fullmatch(r"(?:namens|naar) (?:de|het)", before))
        return is_of and self._is_word(self._call.tokens[at].bare) and self._likeness[at] < LIKELY_SLOT

    def _reads_as_name(self, word: str) -> bool:
        """Whether a word has the letters of a name and is no thing: "bonnummer", "ch" are none."""
        is_said = len(word) >= 2 and word.replace(".", "").isalpha() and re.search("[aeiouy]", word)
        if _LIKE_GREETING.fullmatch(word):
            return False
        return bool(is_said) and (word in self._lexicon.surnames or not _THING.fullmatch(word))

    def _is_initial(self, at: int, turn: range) -> bool:
        """Whether an initial stands here with a surname behind it: "S. de Wit", "l brouwer"."""
        call = self._call
        nxt = at + 1
        if not re.fullmatch(r"(?:[a-z]\.?){1,3}", call.word(at, turn)) or len(call.word(at, turn)) == 2:
            return False
        if len(call.word(at, turn)) > 1 and "." not in call.word(at, turn):
            return False
        while nxt < turn.stop and nxt - at < 5 and (call.word(nxt, turn) in PREFIXES or len(call.word(nxt, turn)) == 1):
            nxt += 1
        word = call.word(nxt, turn)
        is_capital = bool(word) and self._is_cased and call.is_capital(nxt)
        is_surname = word in self._lexicon.surnames - self._lexicon.not_names
        return (is_capital or is_surname) and self._reads_as_name(word)

    def _is_street(self, start: int, end: int, turn: range) -> bool:
        """Whether what looks like a name belongs to a street: "Willem de Clercqstraat", "Van Goghlaan"."""
        words = [self._call.tokens[at].bare for at in range(start, end)]
        while end < turn.stop - 1 and self._call.word(end, turn) in PREFIXES:
            end += 1
        is_whole = sum(word not in PREFIXES for word in words) > 1  # "marit wolbers esdoornlaan 41"
        is_cut = is_whole or PHRASE_END.search(self._call.tokens[end - 1].text)
        follows = "" if is_cut else self._call.word(end, turn)
        return any(_STREET_END.search(word) and word not in self._lexicon.surnames for word in [*words, follows])

    def _signed(self, turn: range, is_opening: bool) -> None:
        """A name before what one says behind one's own: "ja, Slagter hier", or behind that of the municipality."""
        call, lexicon = self._call, self._lexicon
        for at in range(turn.start + 1, min(turn.stop + 1, turn.start + 16)):
            start = at
            while start > turn.start and at - start < 4 and self._may_sign(start - 1, at - start == 0, turn):
                start -= 1
                if start > turn.start and PHRASE_END.search(call.tokens[start - 1].text):
                    break
            if start == at:
                continue
            words = [call.tokens[i].bare for i in range(start, at)]
            is_known = any(w in lexicon.surnames or w in lexicon.first_names for w in words)
            own = [i for i in range(start, at) if call.tokens[i].bare not in PREFIXES]
            is_capital = self._is_cased and all(call.is_capital(i) for i in own)
            is_rare = not any(lexicon.is_dutch(call.tokens[i].bare) for i in own)
            before = call.tokens[start - 1] if start > turn.start else None
            begins = before is None or before.bare in _GREETINGS or PHRASE_END.search(before.text)
            is_signed = begins and is_opening and _AFTER_NAME.search(call.line(at, min(at + 4, turn.stop)))
            if is_signed and (is_known or is_rare or is_capital):
                self._mark(start, at, "signed")
                return
            if self._follows_municipality(start, turn) and (is_known or (is_capital and is_rare)):
                self._mark(start, at, "signed")
                return

    def _opened(self, turn: range) -> None:
        """A name that is a phrase of its own in the first turn of a party: "Morgen, Kranner, ...", "Ani Timmerman." """
        call, lexicon = self._call, self._lexicon
        start, phrases = turn.start, 0
        for at in turn:
            if not PHRASE_END.search(call.tokens[at].text) and at + 1 < turn.stop:
                continue
            first, start = start, at + 1
            while first < at and call.word(first, turn) in _GREETINGS | {"ja", "met"}:
                first += 1
            words = [call.word(i, turn) for i in range(first, at + 1)]
            if words[0] in _GREETINGS:
                continue
            phrases += 1
            if not words[0]:
                continue
            is_prefixed = len(words) == 2 and words[0] in PREFIXES - {"het", "t", "d", "v", "al"}
            is_strange = self._is_strange(at) and (len(words) == 1 or is_prefixed)
            is_full = len(words) == 2 and words[1] in lexicon.surnames - lexicon.not_names and self._may_be_name(first)
            is_full = is_full and self._is_cased and call.is_capital(first) and call.is_capital(at)
            if call.roles[call.tokens[turn.start].turn] == "citizen":
                is_due = is_strange and phrases == 1
            else:
                is_last = at + 1 == turn.stop and first > turn.start and call.is_capital(first)
                is_own = is_last and len(words) == 1 and self._may_be_name(at) and self._likeness[at] >= LIKELY_OPENING
                is_due = is_last and (is_strange or is_own)
            if (is_due or is_full) and not self._is_office(first) and not self._is_street(first, at + 1, turn):
                self._mark(first, at + 1, "opened")

    def _follows_municipality(self, at: int, turn: range) -> bool:
        """Whether an agent has just said "gemeente Zwolle" in the first turn."""
        call = self._call
        if call.roles[call.tokens[turn.start].turn] == "citizen" or not self._is_first(turn):
            return False
        return any(call.word(i, turn).startswith("gemeente") for i in range(max(turn.start, at - 3), at - 1))

    def _may_sign(self, at: int, is_last: bool, turn: range) -> bool:
        call, word = self._call, self._call.word(at, turn)
        if not word or (PHRASE_END.search(call.tokens[at].text) and not is_last):
            return False
        if word in PREFIXES:
            return not is_last and (call.is_capital(at) or call.is_capital(at + 1) or not self._is_cased)
        return self._may_be_name(at) and not self._is_office(at) and self._reads_as_name(word)

    def _prefixed(self, turn: range) -> None:
        """Surnames that initials or prefixes give away: "S. de Wit", "van der Sluis", "Van" inside a sentence."""
        call, lexicon = self._call, self._lexicon
        for at in turn:
            is_initial = "." in call.tokens[at].text and call.is_capital(at) and self._is_initial(at, turn)
            if is_initial and call.word(at + 1, turn) not in lexicon.not_names - PREFIXES:
                self._mark(at, max(at + 1, self._name_end(at, turn, "title")), "prefixed")
            if call.word(at, turn) not in PREFIXES - {"la", "le", "el", "al"}:
                continue
            nxt = at + 1
            while call.word(nxt, turn) in PREFIXES and nxt - at < 3:
                nxt += 1
            word = call.word(nxt, turn)
            if not word or not self._may_be_name(nxt) or not self._reads_as_name(word):
                continue
            is_cut = any(PHRASE_END.search(call.tokens[i].text) for i in range(at, nxt))
            if is_cut or self._is_street(at, nxt + 1, turn) or self._is_office(at):
                continue
            is_double = call.line(at, at + 2) in ("van der", "van den", "von der")
            is_inner = self._is_cased and call.is_capital(at) and not call.starts_sentence(at, turn)
            is_inner = is_inner and call.is_capital(nxt) and call.word(at - 1, turn) not in ("in", "op")
            is_place = word in lexicon.places or call.line(at, nxt + 1).replace(" ", "") in lexicon.places
            if (is_double and (call.is_capital(nxt) or not self._is_cased)) or (is_inner and not is_place):
                self._mark(at, nxt + 1, "prefixed")

    def _joins_names(self, at: int, turn: range) -> bool:
        """Whether a married name goes on: "Smit-de" Raad."""
        return at >= turn.start and bool(re.search(r"\w-(?:van|de|der|den|ter|ten|het)$", self._call.tokens[at].text))

    def _is_office(self, at: int) -> bool:
        """The name of a municipality or department, which is no person's."""
        call = self._call
        while at and call.tokens[at - 1].bare in PREFIXES and call.is_capital(at - 1):
            at -= 1  # "gemeente De Wolden"
        before = call.tokens[at - 1].bare if at else ""
        if len(before) >= 6 and before.startswith("ge") and is_almost_in(before, _OFFICES):
            return True
        if before in ("team", "afdeling", "loket"):
            return not PHRASE_END.search(call.tokens[at - 1].text)
        return before in ("gemeente", "gemeentehuis", "stadhuis") or call.tokens[at].bare.startswith("gemeente")

    def _is_listed(self, at: int) -> bool:
        word = self._call.tokens[at].bare
        return word not in self._lexicon.not_names and (
            word in self._lexicon.first_names or word in self._lexicon.surnames
        )

    def _listed(self, turn: range) -> None:
        """First names of the list, and capitals on words that Dutch does not know, with the surname behind them."""
        call, lexicon = self._call, self._lexicon
        for at in turn:
            word = call.tokens[at].bare
            is_place = word in lexicon.places or at in self._in_places
            if call.tokens[at].kind is not None or word in lexicon.not_names or is_place:
                continue
            parts = {numbers.bare(part) for part in call.tokens[at].text.split("-")}  # "Klaas-Jan"
            is_first_name = parts <= lexicon.first_names
            if self._is_office(at) or not (is_first_name or self._is_stranger(at, turn)):
                continue
            if self._likeness[at] < (IMPOSSIBLE if is_first_name and call.is_capital(at) else UNLIKELY):
                continue
            is_rare = not lexicon.is_dutch(word) and len(word) >= 4
            inner_capital = self._is_cased and call.is_capital(at) and not call.starts_sentence(at, turn)
            if not (inner_capital or (is_rare and (call.is_capital(at) or not self._is_cased))):
                continue
            end, start = max(self._name_end(at, turn, "weak"), at + 1), at
            while start > turn.start and (
                self._precedes_surname(start - 1)
                or self._is_initial(start - 1, turn)
                or (call.word(start - 1, turn) in PREFIXES and call.is_capital(start - 1) and call.is_capital(start))
            ):
                start -= 1
            if self._is_street(start, end, turn):
                continue
            self._mark(start, end, "listed")

    def _witnessed(self, turn: range, is_due: bool) -> None:
        """What the pipeline heard as a name, where a word of it is already one, is no Dutch word, or a name is due."""
        call, lexicon = self._call, self._lexicon
        for at in turn:
            span = self._heard.get(at)
            if span is None or self._is_office(at):
                continue
            free = [i for i in span if call.tokens[i].kind is None and call.tokens[i].bare]
            names = [i for i in free if self._may_be_name(i)]
            has_name = any(call.tokens[i].kind == "person_name" for i in span)
            # a name found already is not carried on by ordinary words: "Theo van het vervoersbedrijf"
            if has_name and self._is_cased:
                names = [i for i in names if call.is_capital(i) or not self._is_word(call.tokens[i].bare)]
            is_rare = any(not self._is_word(call.tokens[i].bare) for i in names)
            # one strange word at the start of a sentence is more often misheard than a name
            is_rare = is_rare and (len(names) > 1 or not call.starts_sentence(names[0], turn) or not self._is_cased)
            is_first_name = any(call.tokens[i].bare in lexicon.first_names for i in names)
            is_rare = is_rare and max(self._likeness[i] for i in names) >= UNLIKELY
            is_name = names and (has_name or is_rare or is_first_name or is_due)
            if is_name and not self._is_street(names[0], names[-1] + 1, turn):
                self._mark(names[0], names[-1] + 1, "witnessed")

    def _born_as(self, turn: range) -> None:
        """The name before "van mezelf", said before the name somebody had before marrying."""
        for at in turn:
            is_led = self._call.line(at, min(at + 2, turn.stop)) in ("van mezelf", "van mijzelf")
            if is_led and at > turn.start and self._may_be_name(at - 1):
                self._mark(at - 1, at, "born_as")

    def _glued(self, turn: range) -> None:
        """A form of address and a name in one word: "vrouwdijkstra", "hernieuwenhuis"."""
        call = self._call
        for at in turn:
            found = _GLUED_TITLE.fullmatch(call.word(at, turn))
            rest = found.group(1) if found else ""
            is_name = rest in self._lexicon.surnames or sounds_like_one_of(rest, self._lexicon.surnames)
            if len(rest) >= 5 and is_name and not self._is_word(call.tokens[at].bare) and not self._is_word(rest):
                self._mark(at, at + 1, "glued")

    def _carry_on(self, turn: range, is_first: bool) -> None:
        """A surname with its prefix behind a first name, when an ordinary word was made of it: "[Karin] van vlieg." """
        call = self._call
        for at in turn:
            is_first_name = call.tokens[at - 1].kind == "person_name" and not call.tokens[at - 1].is_placeholder
            if at == turn.start or not is_first_name or PHRASE_END.search(call.tokens[at - 1].text):
                continue
            nxt = at
            while call.word(nxt, turn) in PREFIXES and nxt - at < 3:
                nxt += 1
            is_signed = is_first and bool(_AFTER_NAME.search(call.line(nxt + 1, min(nxt + 4, turn.stop))))
            if nxt == at or not call.word(nxt, turn) or not (self._may_be_name(nxt) or is_signed):
                continue
            is_phrase = bool(PHRASE_END.search(call.tokens[nxt].text)) or is_signed
            is_work = call.line(at, nxt) in ("van de", "van het") and self._is_word(call.tokens[nxt].bare)
            is_strange = not self._is_word(call.tokens[nxt].bare)
            if is_phrase and not is_work and (is_strange or (is_first and call.roles[call.tokens[at].turn] == "agent")):
                start = at - 1
                while start > turn.start and call.tokens[start - 1].span == call.tokens[at - 1].span:
                    start -= 1
                self._remark(start, nxt + 1)

    def _alone(self, turn: range) -> None:
        """One or two words that are a sentence of their own and a name by the lists: "Roelofs." """
        call, start = self._call, turn.start
        for at in turn:
            if not SENTENCE_END.search(call.tokens[at].text) and at + 1 < turn.stop:
                continue
            first, start = start, at + 1
            words = [call.word(i, turn) for i in range(first, at + 1)]
            if len(words) > 2 or not words[-1] or not words[0]:
                continue
            is_name = words[-1] in self._lexicon.surnames and not self._lexicon.is_dutch(words[-1])
            is_led = len(words) == 1 or words[0] in PREFIXES or words[0] in self._lexicon.first_names
            if first == turn.start and at + 1 == turn.stop and call.roles[call.tokens[at].turn] == "citizen":
                is_name = is_name or (len(words) == 1 and self._is_strange(at) and self._likeness[at] >= LIKELY_OPENING)
                is_name = is_name or (words[0] in PREFIXES - {"t"} and words[-1] in self._lexicon.surnames)
            if is_name and is_led and self._may_be_name(at) and not self._is_office(at):
                self._mark(first, at + 1, "alone")

    def _likened(self, turn: range, is_due: bool, is_opening: bool) -> None:
        """Words that look like names where they stand, and what such a name takes along."""
        call = self._call
        for at in turn:
            word = call.tokens[at].bare
            if call.tokens[at].kind is not None or not may_be_judged(word, self._lexicon):
                continue
            is_due_here = is_due or is_opening
            sure = LIKELY_DUE if is_due_here else LIKELY_WORD if self._lexicon.is_dutch(word) else LIKELY
            is_lead = word in _ALMOST_MET and self._is_first(turn)
            if is_lead or self._likeness[at] < sure or not self._may_be_name(at) or self._is_office(at):
                continue
            is_led = call.word(at - 1, turn) in PREFIXES or is_due_here
            is_place = not is_led and not self._is_listed(at) and is_almost_in(word, self._lexicon.towns)
            is_alone = bool(PHRASE_END.search(call.tokens[at].text))
            is_alone = is_alone and (at == turn.start or bool(PHRASE_END.search(call.tokens[at - 1].text)))
            is_unsure = is_alone and not is_due_here and self._likeness[at] < LIKELY_ALONE
            if is_place or is_unsure or self._is_place_here(at, turn):
                continue
            start, end = at, at + 1
            while start > turn.start and call.word(start - 1, turn) in PREFIXES:
                start -= 1
            while end < turn.stop and not PHRASE_END.search(call.tokens[end - 1].text) and self._goes_on(end, turn):
                end += 1
            if not self._is_street(start, end, turn):
                self._mark(at if start == at else start, end, "likened")

    def _is_place_here(self, at: int, turn: range) -> bool:
        """Whether a place is meant, whatever it looks like: "in de Broekpolder", "Eikenhof drieëntwintig"."""
        call = self._call
        before = call.line(max(turn.start, at - 2), at)
        is_led = before.split()[-1:] == ["in"] or before in ("in de", "in het", "op het", "naar de", "aan de", "op de")
        is_number = not PHRASE_END.search(call.tokens[at].text) and at + 1 < turn.stop
        is_number = is_number and (
            call.tokens[at + 1].kind == "house_number" or word_value(call.tokens[at + 1].bare) is not None
        )
        return is_led or is_number

    def _goes_on(self, at: int, turn: range) -> bool:
        """Whether a name that looked like one goes on with this word."""
        return bool(self._call.word(at, turn)) and self._likeness[at] >= GOES_ON and self._may_be_name(at)

    def _is_word(self, word: str) -> bool:
        """Whether Dutch knows a word, or both parts of it: "fietswrak"."""
        is_dutch = self._lexicon.is_dutch
        cuts = range(4, len(word) - 3)
        return is_dutch(word) or any(
            is_dutch(word[cut:]) and (is_dutch(word[:cut]) or (word[cut - 1] == "s" and is_dutch(word[: cut - 1])))
            for cut in cuts
        )

    def _may_be_name(self, at: int) -> bool:
        word, lexicon = self._call.tokens[at].bare, self._lexicon
        is_other = word in lexicon.not_names or word in RELATIONS | _ABBREVIATIONS | FILLERS | _GREETINGS
        if is_other or at in self._in_places or _is_title(word):
            return False
        is_place = word in lexicon.places and not self._is_listed(at)
        return self._reads_as_name(word) and word.isalpha() and word_value(word) is None and not is_place

    def _is_stranger(self, at: int, turn: range) -> bool:
        """A capital inside a sentence on a word that is no place, no street and not Dutch: most likely a name."""
        call, word = self._call, self._call.tokens[at].bare
        if len(word) < 3 or not word.isalpha() or word in _ABBREVIATIONS or _STREET.search(word):
            return False
        if not self._reads_as_name(word):
            return False
        if not self._is_cased or not call.is_capital(at) or call.starts_sentence(at, turn):
            return False
        if self._is_word(word) or call.word(at - 1, turn) in _NO_LEAD:
            return False
        return not is_almost_in(word, self._lexicon.towns) and not is_almost_in(word, self._lexicon.not_names)

    def _is_strange(self, at: int) -> bool:
        """A word of some length that Dutch does not know, nor the list of places, and that nobody said before."""
        call, word, lexicon = self._call, self._call.tokens[at].bare, self._lexicon
        if len(word) < 5 or not self._may_be_name(at) or self._is_word(word):
            return False
        if any(call.tokens[i].bare == word for i in range(call.ranges[call.tokens[at].turn].start)):
            return False  # "voor halvacht." "Halvacht, dat red ik wel."
        return not is_almost_in(word, lexicon.towns) and not is_almost_in(word, lexicon.not_names)

    def _precedes_surname(self, at: int) -> bool:
        """Whether a word can be the first name before a name just found."""
        call, lexicon, word = self._call, self._lexicon, self._call.tokens[at].bare
        if call.tokens[at].kind is not None or PHRASE_END.search(call.tokens[at].text) or word in lexicon.not_names:
            return False
        return call.is_capital(at) and (word in lexicon.first_names or not lexicon.is_dutch(word)) and word.isalpha()

    def _spelled(self, turn: range, at_least: int) -> bool:
        """A name spelled letter by letter: "p r u i m", "de w van Willem, i, t", "o u met dubbel d"."""
        call = self._call
        found, start, end, letters, at = False, turn.start, turn.start, 0, turn.start
        while at <= turn.stop:
            piece = self._spelled_piece(at, turn, letters > 0)
            if piece:
                start, letters = (start, letters) if letters else (at, 0)
                at = end = piece[0]
                letters += piece[1]
                continue
            token = call.tokens[at] if at < turn.stop else None
            is_name = token is not None and token.kind == "person_name" and not token.is_placeholder
            if letters and token is not None and at - end < 4 and (is_name or token.bare in _SPELLING | FILLERS):
                at += 1
                continue
            if letters >= at_least and call.line(start, end).replace(" ", "") not in _ABBREVIATIONS:
                while start > turn.start and call.word(start - 1, turn) in ("de", "een", "met"):
                    start -= 1
                for i in range(start, end):
                    call.tokens[i].kind = None if not call.tokens[i].is_placeholder else call.tokens[i].kind
                found = self._mark(start, end, "spelled") or found
            letters = 0
            at = max(at, end) + 1
        return found

    def _lettered(self, turn: range) -> None:
        """The one letter that tells a name from others: "met een T.", "met dubbel s"."""
        for at in turn:
            lead = self._call.line(max(turn.start, at - 2), at)
            is_letter = len(self._call.word(at, turn)) == 1 and self._call.word(at, turn).isalpha()
            if is_letter and lead in ("met een", "met de", "met dubbel", "met dubbele", "met n"):
                self._mark(at, at + 1, "lettered")

    def _spelled_piece(self, at: int, turn: range, goes_on: bool) -> tuple[int, int] | None:
        """Where a letter said at a position ends, and what it weighs: one with its explanation stands for three."""
        if at >= turn.stop:
            return None
        if explained := spelled_letter(self._call, at, turn):
            return explained.end, 3
        word = self._call.word(at, turn)
        is_letter = len(word) == 1 and word.isalpha() and (word != "u" or goes_on)
        # "m 'n", "d 'r": a clipped word that recognition cut in two
        texts = [self._call.tokens[i].text for i in range(at, min(at + 2, turn.stop))]
        is_clipped = any(text.startswith(("'", "’")) for text in texts)
        return (at + 1, 1) if is_letter and not is_clipped else None

    def _only_name(self, turn: range) -> bool:
        """A turn that is a first name and at most two words more: an answer whose question recognition lost."""
        first = turn.start
        while first < turn.stop and self._call.word(first, turn) in FILLERS | _GREETINGS:
            first += 1
        words = [self._call.word(at, turn) for at in range(first, turn.stop)]
        if not 2 <= len(words) <= 4 or words[0] not in self._lexicon.first_names - self._lexicon.not_names:
            return False
        may_be = all(words[i] in PREFIXES or self._may_be_name(first + i) for i in range(1, len(words)))
        return may_be and self._mark(first, turn.stop, "only_name")

    def _bare_answer(self, turn: range) -> bool:
        """The answer to a question for a name in which no name was recognised: what is no function word goes."""
        call, lexicon = self._call, self._lexicon
        is_part = sum(call.tokens[at].kind is None for at in turn) > 6
        if is_part:
            turn = self._first_sentence(turn)
        if not turn or sum(call.tokens[at].kind is None for at in turn) > 6:
            return False
        found = False
        start = -1
        for at in range(turn.start, turn.stop + 1):
            word = call.word(at, turn) if at < turn.stop else ""
            is_content = (
                len(word) >= 2
                and (not is_part or len(turn) <= 4 or self._likeness[at] >= LIKELY_OPENING)
                and word not in lexicon.not_names
                and word not in FILLERS
                and word not in _GREETINGS
                and not _is_title(word)
                and word_value(word) is None
                and word not in PREFIXES
                and self._reads_as_name(word)
            )
            if is_content and start < 0:
                start = at
                while start > turn.start and call.word(start - 1, turn) in PREFIXES:
                    start -= 1
            elif not is_content and start >= 0:
                found = self._mark(start, at, "bare_answer") or found
                start = -1
        return found

    def _first_sentence(self, turn: range) -> range:
        """The first sentence of an answer that says more than "ja, natuurlijk"."""
        call, start = self._call, turn.start
        for at in turn:
            if not SENTENCE_END.search(call.tokens[at].text) and at + 1 < turn.stop:
                continue
            small = self._lexicon.not_names | FILLERS | _GREETINGS
            if any(call.tokens[i].kind or call.tokens[i].bare not in small for i in range(start, at + 1)):
                return range(start, at + 1)
            start = at + 1
        return range(turn.stop, turn.stop)

    def _finish_answer(self, turn: range) -> None:
        """Take in what else stands in a short phrase with the name that was asked for: "[Rond in het] zeld." """
        for phrase in self._phrases(self._first_sentence(turn)):
            names = [at for at in phrase if self._call.tokens[at].kind == "person_name"]
            if names and not self._call.tokens[names[0]].is_placeholder:
                end = next(at for at in range(names[0], names[-1] + 2) if at not in names)
                self._finish(phrase, names[0], end)

    def _finish_introductions(self, turn: range) -> None:
        """The same where somebody says who they are: "u spreekt met [klaren] over stegen." """
        for phrase in self._phrases(turn):
            names = [at for at in phrase if self._call.tokens[at].kind == "person_name"]
            lead = self._call.line(max(phrase.start, names[0] - 4), names[0]) if names else ""
            is_own = bool(lead) and (_SELF.search(lead) or (lead.split()[-1] == "met" and self._is_first(turn)))
            if is_own and not self._call.tokens[names[0]].is_placeholder and len(phrase) <= 12:
                self._finish(range(names[0], phrase.stop), names[0], names[-1] + 1)

    def _phrases(self, turn: range) -> Iterator[range]:
        """The stretches of a turn up to its commas and stops."""
        start = turn.start
        for at in turn:
            if PHRASE_END.search(self._call.tokens[at].text) or at + 1 == turn.stop:
                yield range(start, at + 1)
                start = at + 1

    def _finish(self, phrase: range, start: int, end: int) -> None:
        """Mark up to three words before a name and behind it, as far as they may belong to it, to the phrase's ends."""
        call = self._call
        first = start
        while first > phrase.start and start - first <= 3 and self._may_be_inside(first - 1):
            first -= 1
        stop = next((at for at in range(end, phrase.stop) if call.tokens[at].bare in _LEAD_OUT), phrase.stop)
        is_told = stop > end and _AFTER_NAME.search(call.line(end, phrase.stop))
        begin = call.line(end, min(end + 2, phrase.stop))
        is_work = begin in ("van de", "van het") and self._is_word(call.tokens[stop - 1].bare)
        if stop - end <= 3 and not is_told and not is_work and all(self._may_end(at) for at in range(end, stop)):
            end = stop
        first = first if start - first <= 3 else start
        if any(call.tokens[at].kind is None for at in range(first, end)):
            self._remark(first, end)

    def _remark(self, start: int, end: int) -> bool:
        """Mark a stretch as one name, whatever parts of it were names already."""
        rule = "remark"
        for at in range(start, end):
            token = self._call.tokens[at]
            if token.kind == "person_name" and not token.is_placeholder:
                rule = self._rules.get(token.span, rule)
                token.kind = None
        return self._mark(start, end, rule)

    def _may_end(self, at: int) -> bool:
        """Whether a word behind a name that was asked for may be a piece of it."""
        token = self._call.tokens[at]
        is_other = token.bare in RELATIONS or _is_title(token.bare) or word_value(token.bare) is not None
        return token.kind in (None, "person_name") and token.bare.isalpha() and not is_other

    def _may_be_inside(self, at: int) -> bool:
        """Whether a word beside a name that was asked for may be a piece of it that recognition made a word of."""
        word = self._call.tokens[at].bare
        is_small = word in FILLERS | _GREETINGS | RELATIONS | _LEAD_IN or _is_title(word)
        is_free = self._call.tokens[at].kind in (None, "person_name")
        return is_free and word.isalpha() and word_value(word) is None and not is_small and not self._is_office(at)

    def _spelled_brokenly(self, turn: range) -> bool:
        """What was asked to be spelled, from its first letter to its last, when at least three were recognised."""
        call = self._call
        letters = [at for at in turn if len(call.word(at, turn)) == 1 and call.word(at, turn).isalpha()]
        letters = [at for at in letters if not call.tokens[at].text.startswith(("'", "’"))]
        if len(letters) < 3 or any(call.tokens[at].is_placeholder for at in range(letters[0], letters[-1])):
            return False
        for at in range(letters[0], letters[-1] + 1):
            call.tokens[at].kind = None
        return self._mark(letters[0], letters[-1] + 1, "spelled_brokenly")

    def _first_with_prefix(self, turn: range) -> bool:
        """The answer to a question for a name that begins with two words like "van Tongeren,"."""
        call, at = self._call, turn.start + 1
        if call.word(turn.start, turn) not in PREFIXES - {"het", "t", "de"} or not call.word(at, turn):
            return False
        is_phrase = bool(PHRASE_END.search(call.tokens[at].text)) and self._reads_as_name(call.word(at, turn))
        is_free = call.word(at, turn) not in self._lexicon.not_names | PREFIXES and not self._is_office(at)
        return is_phrase and is_free and self._mark(turn.start, at + 1, "first_with_prefix")

    def _first_word(self, turn: range) -> bool:
        """The answer to a question for a name that is one strange word, whatever is said behind it."""
        first = turn.start
        while first + 1 < turn.stop and self._call.word(first, turn) in FILLERS | _GREETINGS | {"ja", "met"}:
            first += 1
        is_phrase = bool(PHRASE_END.search(self._call.tokens[first].text))
        is_name = is_phrase and self._is_strange(first)
        is_name = is_name or (self._may_be_name(first) and self._likeness[first] >= LIKELY_FIRST)
        return is_name and self._mark(first, first + 1, "first_word")

    # where a name comes back

    def _repeated(self) -> None:
        from rapidfuzz import fuzz

        call, lexicon = self._call, self._lexicon
        known = {
            token.bare
            for at, token in enumerate(call.tokens)
            if token.kind == "person_name" and not token.is_placeholder and self._is_telling(at)
        }
        if not known:
            return
        prefixed = {
            token.bare
            for at, token in enumerate(call.tokens)
            if at
            and token.kind == "person_name"
            and call.tokens[at - 1].bare in PREFIXES
            and token.bare not in PREFIXES
        }
        sounds = {sound_of(name) for name in known if len(sound_of(name)) >= _MIN_SOUND}
        for turn in call.ranges:
            for at in turn:
                token = call.tokens[at]
                word = token.bare
                if (
                    token.kind is None
                    and word in prefixed
                    and call.word(at - 1, turn) in PREFIXES
                    and call.is_capital(at)
                ):
                    self._mark(at - 1, at + 1, "repeated")
                if token.kind is not None or len(word) < _MIN_KNOWN or word in lexicon.not_names:
                    continue
                is_capital = call.is_capital(at) and self._is_cased
                is_ordinary = lexicon.is_dutch(word) or word in lexicon.places
                if word in known:
                    has_prefix = call.word(at - 1, turn) in PREFIXES and self._had_prefix(word)
                    is_likely = len(word) >= _FUZZY_FROM and self._likeness[at] >= UNLIKELY
                    is_hit = is_capital or not is_ordinary or is_likely or has_prefix or self._is_addressed(at, turn)
                elif len(word) >= _FUZZY_FROM and (
                    not is_ordinary or (is_capital and not call.starts_sentence(at, turn))
                ):
                    likeness = _ALIKE_IF_LIKELY if self._likeness[at] >= LIKELY_AGAIN else _ALIKE
                    is_hit = any(
                        len(name) >= _FUZZY_FROM
                        and (
                            max(fuzz.ratio(word, name), fuzz.ratio(sound_of(word), sound_of(name))) >= likeness
                            or (word.startswith(name) and is_capital and len(word) < len(name) + 5)
                        )
                        for name in known
                    )
                else:
                    is_hit = sound_of(word) in sounds and (not is_ordinary or self._is_addressed(at, turn))
                if is_hit and not self._is_office(at):
                    start = at
                    while (
                        start > turn.start
                        and at - start < 3
                        and call.word(start - 1, turn) in ("van", "der", "den", "de", "ter", "ten")
                    ):
                        start -= 1
                    # "de Brands" may be an article: take prefixes only where they were part of the name
                    rule = "" if word in known and not is_ordinary else "repeated"  # weighed where it was found
                    self._mark(start if self._had_prefix(word) else at, at + 1, rule)

    def _is_telling(self, at: int) -> bool:
        """Whether a word marked as a name may be looked for elsewhere: an ordinary word was only a piece of it."""
        word, lexicon = self._call.tokens[at].bare, self._lexicon
        if len(word) < _MIN_KNOWN or word in PREFIXES or word in lexicon.not_names:
            return False
        is_inner_capital = self._is_cased and self._call.is_capital(at)
        is_listed = word in lexicon.first_names or word in lexicon.surnames
        return is_listed or is_inner_capital or not self._is_word(word)

    def _is_addressed(self, at: int, turn: range) -> bool:
        """Whether somebody is spoken to by this word: "dag Fleur,", "dank je wel, Omar." """
        call = self._call
        is_end = bool(PHRASE_END.search(call.tokens[at].text)) or at + 1 == turn.stop
        before = call.word(at - 1, turn)
        return is_end and (before in _GREETINGS | {"wel", "bedankt", "dankjewel"} or _is_title(before))

    def _had_prefix(self, word: str) -> bool:
        tokens = self._call.tokens
        return any(
            token.bare == word and token.kind == "person_name" and at and tokens[at - 1].span == token.span
            and tokens[at - 1].kind == "person_name" and tokens[at - 1].bare in PREFIXES
            for at, token in enumerate(tokens)
        )  # fmt: skip


_STREET = re.compile(r"(?:straat|weg|laan|plein|hof|singel|kade|gracht|dijk|steeg|pad|dreef|park|markt|baan|wijk)$")
_STREET_END = re.compile(r"\w{3,}(?:straat|laan|plein|singel|gracht|dreef|plantsoen|kade|weg)$")
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
    return len(word) >= 6 and any(fuzz.ratio(word, title) >= 83 for title in ("meneer", "mevrouw", "mijnheer"))
