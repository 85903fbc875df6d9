"""Dutch as it is spoken and recognised, made comparable: one way to write a word, its forms, and likely mishearings.

Everything that compares words goes through here: the criteria, the promises and the topics.  `normalise` is pure text;
`Reader` turns a turn into a spaCy `Doc` of the words that the phrase files know, each token still tied to the
recognised `Word` and its time.  spaCy, simplemma and rapidfuzz are imported where they are first needed.
"""

from __future__ import annotations

import importlib.abc
import re
import sys
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from callanalytics.records import Turn, Word

if TYPE_CHECKING:
    from spacy.tokens import Doc


def word_set(text: str) -> frozenset[str]:
    """The words of a text as a set: how lists of words stand in this package."""
    return frozenset(text.split())


PLACEHOLDER = re.compile(r"\[[A-Z_]+\]")  # what redaction puts in the place of personal data
NAME = "[NAME]"

_SHORT = {
    "'t": "het", "t": "het", "m'n": "mijn", "mn": "mijn", "z'n": "zijn", "zn": "zijn", "d'r": "haar", "zo'n": "zon",
    "da's": "dat is", "'k": "ik", "'n": "een", "'m": "hem", "ie": "hij", "'ie": "hij", "'r": "er", "nie": "niet",
    "uw": "u",  # one word on a telephone line, and recognition writes either
    "nou": "nu", "effe": "even", "effen": "even", "eventjes": "even", "goeie": "goede", "goeiemorgen": "goedemorgen",
    "goeiemiddag": "goedemiddag", "goeieavond": "goedenavond", "goedeavond": "goedenavond", "goeiedag": "goedendag",
    "goededag": "goedendag", "okee": "oke", "ok": "oke", "okay": "oke", "dankuwel": "dank u wel",
    "dankjewel": "dank je wel", "alstublieft": "alstublieft", "alsjeblieft": "alstublieft", "jullie": "jullie",
    "minuutje": "minuut", "gemeenten": "gemeente", "zeg maar": "zeg maar", "'s": "s", "uhm": "eh", "uh": "eh",
    "ehm": "eh", "euh": "eh", "hè": "he", "mailtje": "mail", "emailtje": "mail", "email": "mail", "e-mail": "mail",
    "briefje": "brief", "belletje": "telefoontje", "hum": "hem", "ge": "u", "gij": "u", "krieg": "krijg",
}  # fmt: skip
_FILLERS = frozenset({"eh", "hmm", "hm", "mm"})
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'"})
_ENDS = re.compile(r"[.?!…,;:]+[\"')\]]*$")
_PRONOMINAL = re.compile(r"(waar|daar|hier|er)(mee|op|over|aan|voor|bij|in|van|door|naar|toe|uit|om|onder|achter)")


def strip_marks(text: str) -> str:
    """The text without accents: één -> een, geïnformeerd -> geinformeerd."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


@lru_cache(maxsize=1 << 15)
def normalise_word(text: str) -> tuple[str, ...]:
    """The written word as the tokens it is compared by, usually one, none for a filler or bare punctuation.

    "M'n" -> mijn      "id-kaart," -> id kaart      "[NAME]." -> [NAME]      "eh" -> nothing
    """
    placeholder = PLACEHOLDER.search(text)
    if placeholder:
        return (placeholder.group(),)
    word = strip_marks(text.translate(_APOSTROPHES).lower()).strip(' \t\n.,;:?!…"()[]{}«»“”„*-–—')
    word = _SHORT.get(word, word)
    tokens = []
    for part in re.split(r"[\s\-–—/]+", word):
        token = re.sub(r"[^a-z0-9@&+%€]", "", _SHORT.get(part, part))
        token = _SHORT.get(token, token)
        if token and token not in _FILLERS:
            tokens.append(token)
    return tuple(tokens)


def normalise(text: str) -> str:
    """Text as it is compared: lower case, no punctuation or accents, short forms written out, fillers gone.

    "Eh, 't is m'n zoon z'n Wmo-aanvraag." -> "het is mijn zoon zijn wmo aanvraag"
    """
    return " ".join(token for word in text.split() for token in normalise_word(word))


# --- verb forms -----------------------------------------------------------------------------------------------------

_IRREGULAR = {
    "zijn": "ben bent is zijn was waren geweest wees zijnde",
    "hebben": "heb hebt heeft hebben had hadden gehad hep",
    "worden": "word wordt worden werd werden geworden",
    "zullen": "zal zult zullen zou zouden zal",
    "kunnen": "kan kun kunt kunnen kon konden gekund",
    "mogen": "mag mogen mocht mochten gemogen",
    "moeten": "moet moeten moest moesten gemoeten",
    "willen": "wil wilt willen wilde wilden wou wouden gewild",
    "gaan": "ga gaat gaan ging gingen gegaan",
    "doen": "doe doet doen deed deden gedaan",
    "staan": "sta staat staan stond stonden gestaan",
    "zien": "zie ziet zien zag zagen gezien",
    "komen": "kom komt komen kwam kwamen gekomen",
    "nemen": "neem neemt nemen nam namen genomen",
    "geven": "geef geeft geven gaf gaven gegeven",
    "krijgen": "krijg krijgt krijgen kreeg kregen gekregen",
    "spreken": "spreek spreekt spreken sprak spraken gesproken",
    "helpen": "help helpt helpen hielp hielpen geholpen",
    "brengen": "breng brengt brengen bracht brachten gebracht",
    "zoeken": "zoek zoekt zoeken zocht zochten gezocht",
    "vragen": "vraag vraagt vragen vroeg vroegen gevraagd",
    "blijven": "blijf blijft blijven bleef bleven gebleven",
    "houden": "houd hou houdt houden hield hielden gehouden",
    "laten": "laat laten liet lieten gelaten",
    "lopen": "loop loopt lopen liep liepen gelopen",
    "sturen": "stuur stuurt sturen stuurde stuurden gestuurd",
    "schrijven": "schrijf schrijft schrijven schreef schreven geschreven",
    "sluiten": "sluit sluiten sloot sloten gesloten",
    "liggen": "lig ligt liggen lag lagen gelegen",
    "leggen": "leg legt leggen legde legden gelegd",
    "zetten": "zet zetten zette gezet",
    "zeggen": "zeg zegt zeggen zei zeiden gezegd",
    "weten": "weet weten wist wisten geweten",
    "denken": "denk denkt denken dacht dachten gedacht",
    "vinden": "vind vindt vinden vond vonden gevonden",
    "begrijpen": "begrijp begrijpt begrijpen begreep begrepen",
    "ontvangen": "ontvang ontvangt ontvangen ontving ontvingen",
    "verbinden": "verbind verbindt verbinden verbond verbonden",
    "bereiken": "bereik bereikt bereiken bereikte bereikten",
    "horen": "hoor hoort horen hoorde hoorden gehoord",
    "halen": "haal haalt halen haalde haalden gehaald",
    "kijken": "kijk kijkt kijken keek keken gekeken",
    "zitten": "zit zitten zat zaten gezeten",
    "lezen": "lees leest lezen las lazen gelezen",
    "bieden": "bied biedt bieden bood boden geboden",
    "beloven": "beloof belooft beloven beloofde beloofden beloofd",
    "verliezen": "verlies verliest verliezen verloor verloren",
    "vergeten": "vergeet vergeten vergat vergaten",
    "trekken": "trek trekt trekken trok trokken getrokken",
    "dragen": "draag draagt dragen droeg droegen gedragen",
    "wijzen": "wijs wijst wijzen wees wezen gewezen",
    "vallen": "val valt vallen viel vielen gevallen",
    "hangen": "hang hangt hangen hing hingen gehangen",
    "rijden": "rijd rij rijdt rijden reed reden gereden",
    "verschijnen": "verschijn verschijnt verschijnen verscheen verschenen",
    "bespreken": "bespreek bespreekt bespreken besprak bespraken besproken",
    "afspreken": "spreek spreekt spreken afgesproken afspreken afspreek afspreekt",
}
_PARTICLES = ("terug", "achterna", "achteraan", "tegemoet", "samen", "klaar", "langs", "binnen", "rond", "vast", "door",
              "over", "open", "voor", "uit", "aan", "toe", "mee", "bij", "weg", "neer", "her", "na", "op", "af", "in",
              "om")  # fmt: skip
_UNSTRESSED = ("be", "ge", "her", "ont", "ver", "er")  # verbs with these make no ge- participle
_WEAK_ER = ("lever", "luister", "herinner", "beter", "verander", "weiger", "hinder", "vorder", "herinner", "ander")
_WHOLE = frozenset({"overleggen", "aanvaarden", "overwegen", "onderzoeken", "voorkomen", "informeren", "inschatten",
                    "herhalen", "openen", "overkomen", "doorgronden", "omschrijven", "innen", "afronden"})  # fmt: skip


@lru_cache(maxsize=4096)
def verb_forms(verb: str) -> frozenset[str]:
    """Every form of a Dutch verb, given its infinitive; for a separable verb the joined forms only.

    bellen -> bel belt bellen belde belden gebeld      terugbellen -> terugbel terugbelt teruggebeld terugtebellen ...
    """
    if verb in _IRREGULAR:
        return frozenset(_IRREGULAR[verb].split()) | {verb}
    if verb not in _WHOLE:
        for particle in _PARTICLES:
            rest = verb.removeprefix(particle)
            if rest != verb and len(rest) > 3 and (rest in _IRREGULAR or _is_dutch(rest)):
                return frozenset({particle + form for form in verb_forms(rest)} | {f"{particle}te{rest}"})
    stem = _stem(verb)
    # 't kofschip is judged on the infinitive, so that z and v (verhuizen, beloven) take -de.
    soft = not re.search(r"([tkfspx]|ch)en$", verb)
    past = stem + ("de" if soft else "te")
    participle = stem if stem.endswith(("d", "t")) else stem + ("d" if soft else "t")
    if not verb.startswith(_UNSTRESSED) or verb == "bellen":
        participle = "ge" + participle
    present = stem if stem.endswith("t") else stem + "t"
    return frozenset({verb, stem, present, past, past + "n", participle})


def _stem(verb: str) -> str:
    """helpen -> help, bellen -> bel, maken -> maak, beloven -> beloof, mailen -> mail, noteren -> noteer."""
    if not verb.endswith("en"):
        return verb.removesuffix("n")
    stem = verb[:-2]
    if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in "aeiou":
        return stem[:-1]
    # An open syllable with a long vowel doubles it, but not in a weak ending: regel, open, lever.
    weak = re.search(r"[aeiouy].*[^aeiou]e[ln]$", stem) or stem.endswith(_WEAK_ER)
    if not weak and re.search(r"(^|[^aeiou])[aeou][^aeiouy]$", stem):
        stem = stem[:-1] + stem[-2] + stem[-1]
    return stem[:-1] + {"v": "f", "z": "s"}.get(stem[-1], stem[-1])


# --- what is and what sounds like a word ----------------------------------------------------------------------------


@lru_cache(maxsize=50_000)
def _is_dutch(word: str) -> bool:
    import simplemma

    return bool(simplemma.is_known(word, lang="nl"))


@lru_cache(maxsize=50_000)
def lemma(word: str) -> str:
    """The dictionary form of a Dutch word, lower case; the word itself when it is not known."""
    import simplemma

    if PLACEHOLDER.fullmatch(word):
        return word
    return str(simplemma.lemmatize(word, lang="nl")).lower()


_SOUNDS = [(re.compile(pattern), sound) for pattern, sound in (
    (r"sch(?=$|[^aeiouyr])", "s"), (r"ch", "g"), (r"ei|ey|ij", "Y"), (r"au|ouw|auw|ou", "W"), (r"ph|"
    r"v", "f"), (r"z", "s"),
    (r"ck|c(?=[aoukltr]|$)|q", "k"), (r"c", "s"), (r"dt|d(?=$)", "t"), (r"b(?=$)", "p"), (r"tie", "tsi"), (r"th", "t"),
    (r"ie|y", "i"), (r"h", ""), (r"(.)\1+", r"\1"), (r"n(?=$)", ""),
)]  # fmt: skip


@lru_cache(maxsize=50_000)
def sound(word: str) -> str:
    """A key shared by words that sound alike on a Dutch telephone line: gebelt = gebeld, feilig = veilig."""
    key = word
    for pattern, replacement in _SOUNDS:
        key = pattern.sub(replacement, key)
    return key


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
        """The tokens [start, end) as they stand in the transcript."""
        return " ".join(word.text.strip() for word in self.words[self.origin[start][0] : self.origin[end - 1][1] + 1])

    def confidence(self, start: int, end: int) -> float:
        """Mean probability the recogniser gave to the words of [start, end)."""
        words = self.words[self.origin[start][0] : self.origin[end - 1][1] + 1]
        return sum(word.confidence for word in words) / len(words)

    def sentence(self, index: int) -> tuple[int, int]:
        """The tokens [start, end) of the sentence around token `index`; without punctuation, the whole turn."""
        start = index
        while start > 0 and not self.ends[start - 1].startswith((".", "?", "!")):
            start -= 1
        end = index + 1
        while end < len(self.ends) and not self.ends[end - 1].startswith((".", "?", "!")):
            end += 1
        return start, end


def turn_words(turn: Turn) -> tuple[Word, ...]:
    """The turn's words; for a turn without any, its text cut at spaces and timed by length over the turn."""
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


class _NoTorch(importlib.abc.MetaPathFinder):
    """Tells whoever imports torch that it is not installed."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name=name)


@contextmanager
def without_torch() -> Iterator[None]:
    """While spaCy or skops is imported: they take torch along where it is installed, seconds and memory for no use."""
    finder = _NoTorch()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


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
        """The turn as a Doc whose words are those of the vocabulary where they could be recognised."""
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
        """A long vocabulary word that differs in one letter: geboorten datum, medlings nummer."""
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
        """What a slot may take the token for: NAME, NUM, TIME, PLACE, other placeholders, or WORD."""
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
