"""Replace personal data in the text of a call by placeholders, before anything leaves memory.

Patterns over the way people say numbers, and the context of the question: once the agent asks for a datum, the answer
is redacted even where recognition broke its pattern.  Unsure near an asked-for datum means redact.  Case numbers,
prices, times and the dates of appointments stay.  Pure apart from loading the word lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from callanalytics.config import Config, hash_of, project_root
from callanalytics.dutch import numbers
from callanalytics.dutch.grammar import NAMES, Name, dutch_fingerprint, load_dutch
from callanalytics.dutch.lexicon import LEXICON_PATH, Lexicon, load_lexicon
from callanalytics.dutch.numbers import FILLERS, digit_group, parse_number, parse_ordinal
from callanalytics.records import PLACEHOLDERS, Transcript, Turn, Word
from callanalytics.redaction.codes import Element, chars_of, code_runs, digits_of, element_at, looks_like_number
from callanalytics.redaction.likeness import Likeness, load_likeness
from callanalytics.redaction.names import mark_names
from callanalytics.redaction.special import mark_special
from callanalytics.redaction.tokens import PHRASE_END, SENTENCE_END, Reading, word_set


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
        self._lexicon = _with_municipality(load_lexicon(), config)
        self._dutch = load_dutch(config, NAMES)
        self._likeness = likeness or load_likeness(project_root() / "models" / "names")
        self._heard: dict[tuple[str, ...], list[Name]] = {}
        self._like: dict[tuple[str, ...], list[float]] = {}
        room = Path(__file__).parent
        folders = (room, room.parent / "dutch")
        rules = [path for folder in folders for path in sorted(folder.glob("*.py"))]
        rules += sorted(LEXICON_PATH.glob("*.txt"))
        self.fingerprint = hash_of(
            sorted(self._kinds),
            sorted(config.municipality.names),
            sorted(config.municipality.agent_names),
            [path.read_text(encoding="utf-8") for path in rules],
            dutch_fingerprint(config),
            self._likeness.fingerprint,
        )

    def __call__(self, transcript: Transcript) -> Redacted:
        """The call with every datum of the configured kinds replaced."""
        spans: tuple[RedactedSpan, ...] = ()
        # What was found tells where to look again, until nothing is left to find: so redaction is idempotent.
        for _ in range(8):
            found = self._pass(transcript)
            spans += found.spans
            transcript = found.transcript
            if not found.spans:
                break
        self._heard.clear()
        self._like.clear()
        return Redacted(
            transcript, tuple(sorted(spans, key=lambda span: (span.turn_index, span.start_ms, span.end_ms)))
        )

    def _pass(self, transcript: Transcript) -> Redacted:
        call = Reading.of(transcript)
        year = transcript.started_at.year if transcript.started_at else _DEFAULT_YEAR
        if "special" in self._kinds:
            mark_special(call)  # before names: "de ziekte van Parkinson"
        _Numbers(call, self._lexicon, year, "case_number" in self._kinds).mark_all()
        likeness = self._likeness_of(call)
        mark_names(call, self._lexicon, self._hear_names(call), likeness, self._likeness.of_finds)
        turns: list[Turn] = []
        spans: list[RedactedSpan] = []
        for turn, positions in zip(transcript.turns, call.ranges, strict=True):
            words, found = self._replace(call, positions, turn.turn_index)
            text = " ".join(word.text for word in words if word.text) if turn.words or found else turn.text
            turns.append(replace(turn, text=text, words=tuple(words) if turn.words else ()))
            spans += found
        return Redacted(replace(transcript, turns=tuple(turns)), tuple(spans))

    def _hear_names(self, call: Reading) -> list[range]:
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

    def _likeness_of(self, call: Reading) -> list[float]:
        """For each position how much it looks like a name; a turn in which nothing changed is read once."""
        found: list[float] = []
        for turn, role in zip(call.ranges, call.roles, strict=True):
            words = tuple(call.words(turn))
            if (role, *words) not in self._like:
                self._like[role, *words] = self._likeness.of_line(words, role, self._lexicon)
            found += self._like[role, *words]
        return found

    def _replace(self, call: Reading, positions: range, turn_index: int) -> tuple[list[Word], list[RedactedSpan]]:
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


# --- numbers and codes ----------------------------------------------------------------------------------------------

# When nobody says when the call was: a birth year must be at least _ADULT years back to count without being asked for.
_DEFAULT_YEAR = 2025
_ADULT = 18
_WRITTEN_DATE = r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{2,4})"
_MONTHS = ["januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober"]
_MONTHS += ["november", "december"]
_MONTH_OF = {name: number for number, name in enumerate(_MONTHS, start=1)} | {"mai": 5, "okt": 10, "sept": 9}
_UNITS = word_set(
    """week weken weekje dag dagen dagje uur uren uurtje minuut minuten minuutje minuutjes seconden euro euros cent
    procent jaar jaren maand maanden maandje keer kilo kilometer meter kuub liter stuks personen mensen kinderen man
    werkdag werkdagen kwartier graden centimeter vierkante tellen regels pagina bladzijden wachtenden
    maal kopje kopjes zakken tegels bomen huizen bewoners mm cm km kg kwh ochtend middag avond jarige jarig
    formulieren brieven mails bonnen telefoontjes euro's auto's fietsen dieren kamers verdiepingen hoog deel tal
    meters stoelen ton miljoen"""
)
_BEFORE_TIME = word_set(
    "half halve kwart om vanaf tussen tegen rond omstreeks sinds binnen ongeveer circa elke per pas zon"
)
_KEYWORDS = {
    "bsn": "bsn bsnnummer burgerservicenummer servicenummer sofinummer burgernummer bsm psn bzn dsn besn bsen bsnr",
    "phone": "telefoonnummer mobielnummer mobiele mobiel mobieltje 06nummer terugbelnummer belnummer bereiken "
    "bereikbaar bereik nulzesnummer",
    "iban": "iban ibannummer rekeningnummer bankrekening bankrekeningnummer banknummer girorekening",
    "document_number": "documentnummer paspoortnummer rijbewijsnummer identiteitsnummer idnummer vnummer polisnummer "
    "kaartnummer identiteitskaartnummer vreemdelingennummer",
    "email": "mailadres emailadres email mailtje mailadresje",
    "postcode": "postcode postkode postcodes",
    "house_number": "huisnummer huisnummers",
    "birth_date": "geboortedatum geboortedag geboortejaar geboren geboorte",
    "licence_plate": "kenteken kentekennummer nummerbord kentekenplaat nummerplaat",
    "case": "zaaknummer meldingsnummer meldingnummer bonnummer kenmerk referentie referentienummer dossiernummer "
    "aanslagnummer klachtnummer volgnummer afspraaknummer verzoeknummer beschikkingsnummer aanvraagnummer "
    "registratienummer factuurnummer beschikkingnummer behandelnummer meldnummer zaak afspraakcode",
    "number": "nummer nummertje nr",
}
_KIND_OF_KEYWORD = {word: kind for kind, words in _KEYWORDS.items() for word in words.split()}
_SPELLED_BSN = ("bsn", "bsm", "psn", "dsn", "bsen", "bsem", "beesn", "beesen", "bees")
_LONG_KEYWORDS = [word for word in _KIND_OF_KEYWORD if len(word) >= 7]
_CASE_NEAR = word_set(
    "melding meldingen klacht verzoek terugbelverzoek aanvraag zaak dossier bezwaar bon boete beschikking afspraak "
    "spoedmelding registratie kenmerk bonnen aanslag factuur"
)
_DOCUMENTS = word_set("paspoort rijbewijs identiteitskaart idkaart id legitimatie verblijfsvergunning")
_VERIFYING = frozenset(["birth_date", "postcode", "house_number"])
_BORN = re.compile(
    r"\b(?:hij|zij|ze|ik|moeder|vader|zoon|dochter|man|vrouw) (?:is|ben|was) (?:zelf |ook )?van(?: de)?$|\bgeboren\b"
)
_ENDS_IN = re.compile(r"\b(?:eindig\w*|laatste (?:\w+ )?cijfers?)\b")
_IS_END = re.compile(r"^(?:op|aan) (?:het|t) (?:eind|einde|laatst)\b|^als laatste\b")
_SHORT_NUMBER = re.compile(r"140\d{2,3}")  # 14 + area code: the telephone number of a municipality
_LONG_CASE = re.compile(r"(?:[a-z]{1,4})?20[12]\d\d{2,8}")  # a year and a serial number
_ADDITIONS = word_set("bis huis hs rood zwart boven beneden achter voor links rechts flat kamer unit toevoeging app")
_ADDED = word_set("bis hs toevoeging")  # what is added to house numbers alone
_LETTERS = word_set("a aa aan b bee c cee see zee d dee e ee f ef")  # as recognition writes them
_OFFICE_PLACES = word_set(
    "gemeentehuis stadhuis stadskantoor gemeentekantoor milieustraat balie loket werf bezoekadres brengpunt"
)
_STREET = re.compile(
    r"\w{3,}(?:straat|weg|laan|plein|hof|singel|kade|gracht|dijk|steeg|pad|dreef|plantsoen|veld|dam|wal|allee|"
    r"markt|park|hoek|akker|kamp|brink|erf|burg|horst|heuvel|land|oord)"
)
_NO_STREET = word_set(
    """onderweg helemaalweg halfweg snelweg fietspad voetpad kerkhof vandaag gehoord antwoord bijvoorbeeld buitenland
    nederland platteland friesland zeeland gelderland flevoland duitsland rusland ireland engeland zandpad wandelpad
    rijweg omweg supermarkt speelplein parkeerplein zwembad sportpark speelveld sportveld vakantiepark woord waterland
    hoofdweg bezoek kleinhoek rotonde hoofdstraat winkelstraat zijstraat eenrichtingsweg landweg akkoord arbeidsmarkt"""
)
_STREET_NAME = re.compile(r"\w+(?:straat|laan)|(?:land|rij|hoofd|om|zand)weg")
_NUMBER_LEADS = word_set("nummer huisnummer nr is postcode bij")
_NUMBERED = word_set(
    "lijn loket kamer balie bus wachtrij rij ben bent paal vraag optie keuze wachtlijst plek plaats sta"
)
_COUNT_LEADS = word_set("om tussen rond vanaf tot voor na al nog die deze ongeveer of zon over binnen elke met maar")
_CLASSES = word_set(
    "categorie niveau fase versie deel artikel klasse groep schaal graad stap lid bijlage hoofdstuk model"
)
_AFTER_NUMBER = word_set(
    "is in en dat hoor ja te bij op ik daar ook dus he eh ehm nummer huisnummer postcode woon woont we het zo staat"
)
_LIKE_CASE = 40  # similarity in percent
_ANSWERS = 3  # turns of the other party in which the answer to a question may come
# The shapes that mean a plate by themselves; "ab 1234" may be a case number too and "1234 ab" a postcode.
_PLATE = re.compile(
    r"\d{2}[a-z]{2}\d{2}|[a-z]{2}\d{2}[a-z]{2}|[a-z]{4}\d{2}|\d{2}[a-z]{4}|\d{2}[a-z]{3}\d|\d[a-z]{3}\d{2}|"
    r"[a-z]{2}\d{3}[a-z]|[a-z]\d{3}[a-z]{2}|[a-z]{3}\d{2}[a-z]|[a-z]\d{2}[a-z]{3}|\d[a-z]{2}\d{3}|\d{3}[a-z]{2}\d"
)
_IBAN = re.compile(r"nl\d{2}[a-z]{0,5}\d{2,}")
_BANKS = word_set("ing inge rabo rabobank abn abna amro triodos trio sns snsb bunq knab asn asnb revolut regio ingb")
_ASKS_PHONE = re.compile(
    r"\b(?:nummer\b.*\b(?:bel|bellen|bereik\w*|terugbel\w*)|(?:bel|bellen|bereik\w*|terugbel\w*)\b.*\bnummer)|"
    r"\b(?:uw|je|jouw|welk|wat is het) (?:\w+ )?(?:telefoon|nummer|mobiel\w*|06)\b|\bwaar\w* .*\bbereik"
)
_ASKS_HOUSE = re.compile(
    r"\bnummer (?:van )?(?:uw|je|het|dat) huis|welk (?:huis ?)?nummer .*(?:woon|woont|staat|is)|\badres\b|"
    r"\bwoo?n(?:t|gt)? u (?:nog |al |dan )*(?:op|aan)\b|"
    r"\bwaar (?:woon|staat|gaat|precies|is (?:het|dat|die|de)|ligt|ligg)|\bwelke? (?:\w+ )?(?:straat|plek|locatie|weg)|"
    r"\bnummer (?:staat|woont|is het)"
)


class _Numbers:
    """Marks everything made of digits and letters in one call, turn by turn, with a memory of what was asked."""

    def __init__(self, call: Reading, lexicon: Lexicon, year: int, marks_cases: bool) -> None:
        self._call = call
        self._marks_cases = marks_cases
        self._lexicon = lexicon
        self._year = year
        self._asked: dict[str, int] = {}  # kind -> turns in which its answer may still come
        self._asked_at: dict[str, int] = {}  # kind -> turn of its last question
        self._implied: set[str] = set()  # asked for only because what is asked for with it was
        self._answered: dict[str, int] = {}  # kind -> turn of its last answer
        self._digits_given: dict[str, int] = {}
        self._known: dict[str, list[str]] = {}  # kind -> digits said
        self._birthdays: set[tuple[int, int]] = set()
        self._cases: list[str] = []
        self._long_cases: set[int] = set()  # positions
        self._last_case_turn = -9

    def mark_all(self) -> None:
        """Go through the call."""
        for position, turn in enumerate(self._call.ranges):
            role = self._call.roles[position]
            is_asker, is_answerer = role in ("agent", "unknown"), role in ("citizen", "unknown")
            if role == "ivr":
                is_asker = is_answerer = False
            self._position, self._turn = position, turn
            self._wanted = {kind for kind, left in self._asked.items() if left > 0} if is_answerer else set()
            self._is_echo = any(position - at <= 2 for at in self._answered.values())
            self._note_placeholders()
            self._keywords = list(self._find_keywords())
            self._house_due_until = -1
            self._emails()
            self._dates()
            self._quantities()
            self._codes()
            self._sweep()
            if is_answerer:
                self._close_slots()
                self._announce()
            if is_asker:
                self._open_slots()

    # slots

    def _note_placeholders(self) -> None:
        for at in self._turn:
            token = self._call.tokens[at]
            if token.is_placeholder and token.kind:
                self._answer(token.kind, "")
                self._digits_given[token.kind] = 99

    def _answer(self, kind: str, digits: str) -> None:
        self._answered[kind] = self._position
        self._digits_given[kind] = self._digits_given.get(kind, 0) + len(digits)
        if len(digits) >= 3:
            self._known.setdefault(kind, []).append(digits)

    def _close_slots(self) -> None:
        length = len(self._turn)
        enough = {
            "licence_plate": 2,
            "document_number": 6,
            "phone": 9,
            "bsn": 8,
            "iban": 10,
            "postcode": 4,
            "house_number": 1,
            "birth_date": 1,
            "email": 1,
        }
        for kind in list(self._wanted):
            given = self._digits_given.get(kind, 0) if self._answered.get(kind, -1) >= 0 else 0
            if given >= enough.get(kind, 4):
                self._asked.pop(kind, None)
            elif length >= 3:  # "ja, moment" is no answer yet
                self._asked[kind] -= 1

    def _announce(self) -> None:
        """A citizen who names a datum without saying it will say it next: "ik wil mijn kenteken doorgeven"."""
        for _, kind in self._keywords:
            if kind in PLACEHOLDERS and kind not in self._asked and self._answered.get(kind) != self._position:
                self._asked[kind] = _ANSWERS - 1
                self._asked_at[kind] = self._position
                self._digits_given[kind] = 0

    def _open_slots(self) -> None:
        line = self._call.line(self._turn.start, self._turn.stop)
        asked = {kind for _, kind in self._keywords} & (PLACEHOLDERS.keys() | {"case"})
        if _ASKS_PHONE.search(line):
            asked.add("phone")
        is_place = bool(_ASKS_HOUSE.search(line)) and "mailadres" not in line.replace(" ", "")
        named = asked | ({"house_number", "postcode"} if is_place else set())
        if asked & _VERIFYING or "verifi" in line:
            asked |= _VERIFYING  # they are asked for in one breath, and recognition loses one of them
        asked |= named
        if "mail" in line:
            asked.add("email")
        if self._last_case_turn == self._position:
            self._asked.pop("phone", None)
        for kind in asked:
            self._asked[kind] = _ANSWERS
            self._asked_at[kind] = self._position
            self._digits_given[kind] = 0
        self._implied = (self._implied | asked) - named

    def _find_keywords(self) -> Iterator[tuple[int, str]]:
        call, turn = self._call, self._turn
        for at in turn:
            word, following = call.word(at, turn), call.word(at + 1, turn)
            if not word:
                continue
            kind = _keyword_kind(word, self._lexicon)
            if kind is None and word.replace(".", "") == "bsn":
                kind = "bsn"
            if kind is None and word in ("b", "p", "d", "bs", "be", "bee"):
                spelled = call.line(at, min(at + 3, turn.stop)).replace(" ", "")
                kind = "bsn" if spelled.startswith(_SPELLED_BSN) else None
            if kind is None and following and len(word) + len(following) >= 7:
                kind = _keyword_kind(word + following, self._lexicon)
                kind = None if kind in ("number", "case") else kind
            if kind is None and self._starts_mobile(at):
                kind = "phone"
            if kind == "number":
                before = call.line(max(turn.start, at - 6), at).split()
                after = call.line(at + 1, min(at + 4, turn.stop)).split()
                if _DOCUMENTS & set(before[-3:] + call.line(at + 1, min(at + 5, turn.stop)).split()):
                    kind = "document_number"
                elif set(before) & _CASE_NEAR or "onder" in before[-1:] or set(after) & _CASE_NEAR:
                    kind = "case"
                elif before[-1:] in (["mijn"], ["mn"], ["telefoon"], ["mobiele"]):
                    kind = "phone"
            if kind:
                yield at, kind

    def _starts_mobile(self, at: int) -> bool:
        """Whether "06" or "nul zes" stands here: nothing else than a mobile number begins so."""
        call, turn = self._call, self._turn
        if call.word(at, turn) in ("06", "nulzes"):
            return True
        follows = call.word(at + 1, turn) in ("zes", "6", "ses")
        return call.word(at, turn) in ("nul", "0", "null") and follows

    # what is no personal datum

    def _quantities(self) -> None:
        call, turn = self._call, self._turn
        at = turn.start
        while at < turn.stop:
            if not call.is_free(at) or (found := parse_number(self._free_texts(at), 0)) is None:
                at += 1
                continue
            end = at + found[1]
            following, previous = call.word(end, turn), call.word(at - 1, turn)
            is_joined = at > turn.start and self._is_digit(at - 1) and not PHRASE_END.search(call.tokens[at - 1].text)
            runs_on = end < turn.stop and self._is_digit(end)
            ends_phrase = bool(PHRASE_END.search(call.tokens[end - 1].text))
            # "drie keer nul" is said of digits
            is_repeat = (digit_group(self._free_texts(at), 0) or ("", 0))[1] > found[1]
            # "8575 KG" is no weight where a postcode is due
            is_postcode = (
                "postcode" in self._wanted and 1000 <= found[0] <= 9999 and following in ("kg", "km", "cm", "mm")
            )
            if following in _UNITS and not ends_phrase and not is_joined and not is_repeat and not is_postcode:
                call.keep(at, end)
                # "twee of drie weken", "tussen drie en vier uur": the first number is of the same kind
                if call.word(at - 1, turn) in ("of", "tot", "a") and call.word(at - 2, turn):
                    self._keep_number_before(at - 1)
            elif previous in _BEFORE_TIME and not runs_on and found[0] < 60:
                call.keep(at, end)
                if previous == "tussen" and following == "en" and parse_number(self._free_texts(end + 1), 0):
                    call.keep(end + 1, end + 2)
            elif previous in ("voor", "over", "na") and call.word(at - 2, turn) in ("kwart", "minuten", "tien", "vijf"):
                call.keep(at, end)
            at = end

    def _keep_number_before(self, end: int) -> None:
        if self._is_digit(end - 1):
            self._call.keep(end - 1, end)

    def _is_digit(self, at: int) -> bool:
        if not self._call.is_free(at):
            return False
        return any(element.chars.isdigit() for element in element_at(self._call, at, self._turn, False))

    def _free_texts(self, start: int, length: int = 6) -> list[str]:
        texts = []
        for at in range(start, min(start + length, self._turn.stop)):
            if not self._call.is_free(at):
                break
            texts.append(self._call.tokens[at].text)
        return texts

    # dates

    def _dates(self) -> None:
        call, turn = self._call, self._turn
        for at in turn:
            token = call.tokens[at]
            if token.kind is not None:
                continue
            written = re.fullmatch(_WRITTEN_DATE, token.text.strip(".,;:?!()"))
            month = self._month(at)
            hyphened = None if written or month else self._hyphened_date(at)
            if hyphened:
                self._date(at, at + 3, *hyphened)
            elif written:
                day, number, year = (int(part) for part in written.groups())
                self._date(at, at + 1, day, number, year + (0 if year > 99 else 1900))
            elif month:
                self._date_around(at, month)
        if self._is_birth(turn.stop - 1) or self._near_keyword("birth_date", turn.stop, 30):
            self._loose_birth_date()

    def _hyphened_date(self, at: int) -> tuple[int, int, int] | None:
        """Day, month and year of a date that recognition wrote as three words: "7 -11 -2018"."""
        texts = [text.strip(".,;:?!") for text in self._free_texts(at, 3)]
        found = re.fullmatch(r"(\d{1,2}) -(\d{1,2}) -(\d{2,4})", " ".join(texts))
        if not found:
            return None
        day, month, year = (int(part) for part in found.groups())
        is_date = 1 <= day <= 31 and 1 <= month <= 12 and (year < 100 or 1900 <= year <= 2099)
        return (day, month, year + (0 if year > 99 else 1900)) if is_date else None

    def _month(self, at: int) -> int | None:
        from rapidfuzz import fuzz

        word = self._call.tokens[at].bare
        if word in _MONTH_OF:
            return _MONTH_OF[word]
        if "birth_date" not in self._wanted or len(word) < 5:
            return None
        return next((n for name, n in _MONTH_OF.items() if len(name) > 4 and fuzz.ratio(word, name) >= 80), None)

    def _date_around(self, at: int, month: int) -> None:
        call, turn = self._call, self._turn
        start, day, end, year = at, 0, at + 1, None
        for first in range(max(turn.start, at - 3), at):
            texts = self._free_texts(first, at - first)
            found = parse_number(texts, 0) or parse_ordinal(texts, 0)
            if found and first + found[1] == at and 1 <= found[0] <= 31:
                start, day = first, found[0]
                break
        after = at + 1
        while (
            after < turn.stop
            and after < at + 3
            and call.tokens[after].bare in (FILLERS - {"en", "dus"}) | {"van", "in"}
        ):
            after += 1
        if not SENTENCE_END.search(call.tokens[at].text):
            found = parse_number(self._free_texts(after), 0)
            if found and (1900 <= found[0] <= 2099 or (10 <= found[0] <= 99 and self._is_birth(start))):
                year, end = found[0] + (0 if found[0] > 99 else 1900), after + found[1]
        self._date(start, end, day, month, year)

    def _is_birth(self, at: int) -> bool:
        is_read_back = self._position - self._answered.get("birth_date", -9) == 1
        if "birth_date" not in self._implied:
            is_read_back = is_read_back or self._position - self._asked_at.get("birth_date", -9) == 2
        is_said = bool(_BORN.search(self._call.line(max(self._turn.start, at - 4), at)))
        return is_said or "birth_date" in self._wanted or is_read_back or self._near_keyword("birth_date", at, 12)

    def _date(self, start: int, end: int, day: int, month: int, year: int | None) -> None:
        is_old = year is not None and year <= self._year - _ADULT
        is_named = "birth_date" in self._wanted - self._implied or self._near_keyword("birth_date", start, 12)
        is_birth = (self._is_birth(start) and (is_named or year is not None)) or (day, month) in self._birthdays
        if (is_birth and (day or year)) or (is_old and day):
            if self._is_birth(start):
                start, end = self._widen_date(start, end, bool(day), year is not None)
            self._call.mark(start, end, "birth_date")
            self._birthdays.add((day, month))
            self._answer("birth_date", "1" if year else "")
        elif day or year:
            self._call.keep(start, end)

    def _widen_date(self, start: int, end: int, has_day: bool, has_year: bool) -> tuple[int, int]:
        """In an answer, take the pieces of day and year that recognition broke: "drei mei twee duizend, tweeteen"."""
        call, turn = self._call, self._turn
        if not has_day and start > turn.start and self._is_numberish(start - 1):
            start -= 1
        if not has_year and not SENTENCE_END.search(call.tokens[end - 1].text):
            for _ in range(4):
                if end >= turn.stop or not self._is_numberish(end):
                    break
                end += 1
                if SENTENCE_END.search(call.tokens[end - 1].text):
                    break
        return start, end

    def _is_numberish(self, at: int) -> bool:
        word = self._call.tokens[at].bare
        return self._call.is_free(at) and (self._is_digit(at) or looks_like_number(word) or word.endswith("teen"))

    def _loose_birth_date(self) -> None:
        """A year alone, or day, month and year as three numbers, where a birth date is due."""
        call, turn = self._call, self._turn
        if any(call.tokens[at].kind == "birth_date" for at in turn):
            return
        for at in turn:
            texts = self._free_texts(at)
            year = parse_number(texts, 0)
            is_year = year is not None and 1900 <= year[0] <= 2030
            if is_year and year and "postcode" in self._wanted and self._are_two_letters(at + year[1]):
                continue  # "1927 NJ"
            if year is None or not (is_year or self._ends_date(at, year[0])):
                continue
            start = at
            while start > turn.start and at - start < 6 and not SENTENCE_END.search(call.tokens[start - 1].text):
                word = call.tokens[start - 1].bare
                is_ordinal = parse_ordinal([word], 0) is not None
                if not (self._is_numberish(start - 1) or is_ordinal or word in ("de", "van") or _is_almost_month(word)):
                    break
                start -= 1
            call.mark(start, at + year[1], "birth_date")
            self._answer("birth_date", "1")
            return

    def _are_two_letters(self, at: int) -> bool:
        """Whether two letters are all that is said here: "NJ", "n j"."""
        call, turn = self._call, self._turn
        text = call.tokens[at].text.strip(".,;:?!") if call.word(at, turn) else ""
        return (len(text) == 2 and text.isupper()) or (len(text) == 1 and len(call.word(at + 1, turn)) == 1)

    def _ends_date(self, at: int, year: int) -> bool:
        """Whether a number of two digits is the year after day and month as numbers: "elf vijf achtenzestig"."""
        if "birth_date" in self._implied or not 10 <= year <= 99:
            return False
        parts: list[int] = []
        before = at
        while len(parts) < 2 and before > self._turn.start and at - before < 6:
            before -= 1
            texts = self._free_texts(before, at - before)
            found = parse_number(texts, 0) or parse_ordinal(texts, 0)
            if found and found[1] == len(texts):
                parts.append(found[0])
                at = before
            elif self._call.tokens[before].bare not in FILLERS | {"van", "de"}:
                break
        return len(parts) == 2 and 1 <= parts[0] <= 12 and 1 <= parts[1] <= 31

    def _near_keyword(self, kind: str, before: int, within: int) -> bool:
        return any(found == kind and 0 < before - at <= within for at, found in self._keywords)

    # e-mail

    def _emails(self) -> None:
        call, turn = self._call, self._turn
        is_due = "email" in self._wanted or any(kind == "email" for _, kind in self._keywords)
        for at in turn:
            if call.tokens[at].kind is not None:
                continue
            text = call.tokens[at].text
            if re.search(r"\S@\S", text):
                start, end = at, self._domain_end(at)
            elif width := self._at_sign(at, is_due):
                start, end = self._local_start(at), self._domain_end(at + width)
            elif self._is_dot(at) and (self._awaits_email() or self._has_dots(at)):
                # An address is due and a dot is all that recognition left of it: what stands around it goes.
                start, end = self._local_start(max(turn.start, at - 1)), self._sentence_end(at)
            elif is_due and re.search(r"\w\.(?:nl|com|net|org|eu|be)$", call.tokens[at].bare):
                start, end = self._local_start(at), at + 1
            elif (
                is_due
                and call.tokens[at].bare in _PROVIDERS
                and (call.word(at + 1, turn) in _DOTS | _TOP_LEVEL or SENTENCE_END.search(call.tokens[at].text))
            ):
                start, end = self._local_start(at), self._domain_end(at)
            else:
                continue
            is_read_back = self._position - self._answered.get("email", -9) <= 2
            if call.tokens[start].bare in _OFFICE and start + 1 < end and not (is_due or is_read_back):
                continue
            if call.mark(start, end, "email"):
                self._answer("email", "1")
        is_brought_up = bool(_MAIL_IS.search(call.line(turn.start, turn.stop)))
        is_ours = self._call.roles[self._position] != "agent"
        if self._awaits_email() or (is_ours and (is_brought_up or self._tells_email())):
            self._broken_email()

    def _broken_email(self) -> None:
        """Mark a sentence of which only a bent at sign or the end still tells that it is the address asked for.

        "deze chippen, appen, tijdens de planeten en el."
        """
        call, turn = self._call, self._turn
        start = turn.start
        while start < turn.stop:
            end = start + 1
            while end < turn.stop and not SENTENCE_END.search(call.tokens[end - 1].text):
                end += 1
            leads = [at for at in range(start, end) if _MAIL_IS.search(call.line(start, at + 1))]
            first = leads[0] + 1 if leads else start
            while first < end and call.tokens[first].bare in _LEAD_IN:
                first += 1
            is_free = all(call.tokens[at].kind is None for at in range(first, end))
            if is_free and end - first >= 3 and _BROKEN_EMAIL.search(call.line(first, end)):
                call.mark(first, end, "email")
                self._answer("email", "1")
            start = end

    def _tells_email(self) -> bool:
        """Whether an address is said though its question was lost: a bent at sign, and the end of a domain."""
        said = self._call.line(self._turn.start, self._turn.stop)
        return bool(_BENT_SIGN.search(said) and _DOMAIN.search(said) and not _SITE.search(said))

    def _has_dots(self, at: int) -> bool:
        """Whether a citizen says two dots in a sentence: an address, for a site has one and sums have none."""
        dots = sum(self._is_dot(i) for i in range(at, self._sentence_end(at)))
        return self._call.roles[self._position] == "citizen" and dots >= 2

    def _awaits_email(self) -> bool:
        return "email" in self._wanted and self._answered.get("email") != self._position

    def _at_sign(self, at: int, is_due: bool) -> int:
        """The number of tokens an at sign takes here, 0 when none stands here."""
        from rapidfuzz import fuzz

        call, turn = self._call, self._turn
        word, following = call.word(at, turn), call.word(at + 1, turn)
        is_sign = word.startswith(("apenst", "apest", "aapst")) or call.tokens[at].text.strip(".,") == "@"
        # an ordinary word ("taartjes", "aanstaat") is a sign misheard only if a dot is said as well
        has_dot = any(self._is_dot(i) for i in turn)
        may_be_sign = has_dot or not self._lexicon.is_dutch(word)
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
            if has_end or any(w in _PROVIDERS or re.search(r"\.(?:nl|com|net|org|eu|be)$", w) for w in ahead):
                return 1
        return 0

    def _is_dot(self, at: int) -> bool:
        token = self._call.tokens[at]
        is_domain = re.fullmatch(r"\.(?:nl|com|net|org|eu|be)", token.text.lower().rstrip(".,?!"))
        return token.bare in _DOTS or bool(is_domain)

    def _local_start(self, at: int) -> int:
        """Go back over the part before the at sign, to the words that lead in or the end of the sentence before."""
        call, turn = self._call, self._turn
        start = at
        while start > turn.start and at - start < 14:
            if self._ends_email(start - 1) or call.tokens[start - 1].bare in _LEAD_IN:
                break
            start -= 1
        # "jan punt de groot, dus g r o o t, at": a part before what leads in belongs to it when a dot is in it
        parts = [i for i in range(max(turn.start, at - 14), start) if self._is_part(i)]
        if parts and start > turn.start and not any(self._ends_email(i) for i in range(parts[0], start)):
            return self._local_start(parts[0] - 1) if parts[0] > turn.start else parts[0]
        if "email" in self._wanted and start > turn.start and self._ends_email(start - 1):
            # what recognition took for a short sentence of its own: "jan brakel. at gmail punt com"
            first = start - 1
            while first > turn.start and not (self._ends_email(first - 1) or call.tokens[first - 1].bare in _LEAD_IN):
                first -= 1
            is_piece = call.tokens[start - 1].kind is None and call.tokens[start - 1].bare not in _LEAD_IN
            return first if is_piece and start - first <= 4 else start
        return start

    def _ends_email(self, at: int) -> bool:
        token = self._call.tokens[at]
        is_end = bool(SENTENCE_END.search(token.text)) and len(token.bare) > 1 and token.bare not in _DOTS
        return token.kind is not None or is_end

    def _is_part(self, at: int) -> bool:
        """Whether a word joins the parts of an address: a dot, a dash, "alles aan elkaar"."""
        return self._is_dot(at) or self._call.tokens[at].bare in _JOINTS

    def _sentence_end(self, at: int) -> int:
        end = at
        while end < self._turn.stop and end - at < 12 and self._call.tokens[end].kind is None:
            end += 1
            if SENTENCE_END.search(self._call.tokens[end - 1].text):
                break
        return end

    def _domain_end(self, at: int) -> int:
        """Go on over the domain: "gmail punt com", "post mail punt n l"."""
        call, turn = self._call, self._turn
        end, seen_dot = at, False
        while end < turn.stop and end - at < 9 and call.tokens[end].kind is None:
            token = call.tokens[end]
            end += 1
            if re.search(r"\.(?:nl|com|net|org|eu|be)\b", token.bare) or (seen_dot and token.bare in _TOP_LEVEL):
                break
            if seen_dot and token.bare == "n":
                # "punt n l", also as "punt n hel", "n el"
                end += 1 if end < turn.stop and re.match(r"h?e?l", call.tokens[end].bare) else 0
                break
            if SENTENCE_END.search(token.text) and len(token.bare) > 1:
                break
            seen_dot = seen_dot or token.bare in _DOTS
        return end

    # codes

    def _codes(self) -> None:
        call, turn = self._call, self._turn
        is_due = self._is_echo or bool(self._wanted & _NUMERIC) or any(kind in _NUMERIC for _, kind in self._keywords)
        for run in list(code_runs(call, turn, is_due, self._lexicon.not_names)):
            self._code(run)
        self._plates_and_accounts()

    def _code(self, run: list[Element]) -> None:
        """Decide what a run is, as a whole or sentence by sentence; eight digits or more never stay."""
        pieces = list(_sentences(self._call, run))
        before = [self._call.tokens[element.start].kind for element in run]
        for piece in pieces:
            self._piece(piece)
        digits = digits_of(run)
        if (
            len(digits) >= 8
            and not _are_years([element.chars for element in run])
            and any(
                kind is None and self._call.tokens[element.start].kind is None and element.start not in self._long_cases
                for kind, element in zip(before, run, strict=True)
            )
        ):
            self._take(run, self._long_kind(digits, self._wanted))

    def _sweep(self) -> None:
        """Mark what still reads as eight digits or more, times and amounts included: no long number ever stays."""
        call, turn = self._call, self._turn
        at = turn.start
        while at < turn.stop:
            texts: list[str] = []
            for position in range(at, turn.stop):
                token = call.tokens[position]
                is_done = position in self._long_cases or token.kind is not None
                if is_done or re.fullmatch(_WRITTEN_DATE, token.text.strip(".,;:?!()")):
                    break
                texts.append(token.text)
            run = numbers.spoken_digits(texts, 0) if texts else None
            if run and len(run[0]) >= 8 and not _are_years(texts[: run[1]]):
                call.mark(at, at + run[1], self._long_kind(run[0], self._wanted))
            at += run[1] if run else 1

    def _piece(self, run: list[Element]) -> None:
        """Mark a run as what it is, or note that it is a case's."""
        run = self._without_article(run)
        digits = digits_of(run)
        if len(digits) < 8 and self._is_amount(run):
            return
        context = self._context(run[0].start, len(digits))
        if context == "case" and len(digits) <= 4 and self._is_street_before(run):
            context = ""
        wanted = {context} if context in PLACEHOLDERS else set(self._wanted)
        is_year = _are_years([element.chars for element in run]) and not self._wanted & _NUMERIC
        is_short_number = _SHORT_NUMBER.fullmatch(digits) and not wanted & (_NUMERIC - {"phone"})
        if is_year or is_short_number or not any(self._is_digit(element.start) for element in run):
            return
        chars = chars_of(run)
        echo = self._echo_of(digits)
        is_short = len(digits) < 8 or self._is_long_case(run, chars)
        if is_short and echo is None and self._is_case(chars, context):
            self._note_case(run)
            self._long_cases.update(range(run[0].start, run[-1].end) if len(digits) >= 8 else ())
            if self._marks_cases:
                self._call.mark(run[0].start, run[-1].end, "case_number")
            return
        if self._has_letters(run, chars, wanted):
            return
        kind = self._long_kind(digits, wanted) if len(digits) >= 8 else None
        if kind is None:
            kind = echo or self._tail_kind(run, wanted) or self._short_kind(run, digits, wanted, context)
        if kind is None and len(digits) >= 3 and self._call.roles[self._position] == "agent":
            # a number the agent brings up is the municipality's, and the citizen may repeat it
            self._note_case(run)
        if kind == "house_number":
            self._house(run)
        elif kind:
            self._take(run, kind)

    def _is_amount(self, run: list[Element]) -> bool:
        """Whether money is counted: "258 ,000 euro"."""
        call, turn, end = self._call, self._turn, run[-1].end
        return call.word(end, turn) in ("euro", "euros", "euro's") and not SENTENCE_END.search(
            call.tokens[end - 1].text
        )

    def _has_letters(self, run: list[Element], chars: str, wanted: set[str]) -> bool:
        """Mark a run that its letters, or what was asked for, make a document, an account, a postcode or a plate."""
        if "document_number" in wanted and len(chars) >= 5:
            self._take(run, "document_number")
            return True
        return (
            self._account(run, chars, wanted)
            or ("licence_plate" not in wanted and self._postcode(run, wanted))
            or self._plate(run, chars, wanted)
        )

    def _without_article(self, run: list[Element]) -> list[Element]:
        """The run without an article behind it: "... twee t l, een" grijze auto."""
        call, turn, last = self._call, self._turn, run[-1]
        follows = call.word(last.end, turn)
        is_article = call.tokens[last.start].text == "een" and bool(follows) and follows not in _AFTER_NUMBER
        return run[:-1] if len(run) > 1 and is_article else run

    def _is_long_case(self, run: list[Element], chars: str) -> bool:
        """Whether a long number is named as a case's right before it and begins with a year, as theirs do."""
        start = run[0].start
        is_named = any(kind == "case" and 0 < start - at <= 3 for at, kind in self._keywords)
        return is_named and bool(_LONG_CASE.fullmatch(chars))

    def _tail_kind(self, run: list[Element], wanted: set[str]) -> str | None:
        """What the last digits of a number are when said to be its last: "het eindigt op acht acht nul"."""
        call, turn, start, end = self._call, self._turn, run[0].start, run[-1].end
        before = call.line(max(turn.start, start - 4), start)
        is_cut = start > turn.start and bool(SENTENCE_END.search(call.tokens[start - 1].text))
        if (is_cut or not _ENDS_IN.search(before)) and not _IS_END.search(call.line(end, min(end + 3, turn.stop))):
            return None
        around = call.line(max(turn.start, start - 10), start)
        kinds = [kind for kind in ("bsn", "iban", "phone") if kind in wanted and kind not in self._implied]
        return "iban" if "rekening" in around else (kinds or ["phone"])[0]

    def _note_case(self, run: list[Element]) -> None:
        self._cases.append(chars_of(run))
        self._last_case_turn = self._position

    def _take(self, run: Sequence[Element], kind: str) -> None:
        start = run[0].start
        has_plus = kind == "phone" and self._call.word(start - 1, self._turn) == "plus"
        self._call.mark(start - has_plus, run[-1].end, kind)
        self._answer(kind, digits_of(run))

    def _context(self, before: int, n_digits: int = 9) -> str:
        """The kind named last before a position in the turn, "" when none is near."""
        near = [(at, kind) for at, kind in self._keywords if 0 <= before - at <= 12]
        if not near:
            return ""
        at, kind = near[-1]
        if kind == "number":
            if self._wanted or self._is_street_near(before):
                return ""
            # a citizen's "nummer achttien" is too short for a case
            is_house = n_digits <= 3 and self._call.roles[self._position] == "citizen"
            return "case" if before - at <= 3 and not is_house else ""
        return kind

    def _is_case(self, chars: str, context: str) -> bool:
        """Whether this is the number of a case: named so, asked for as such, or said before by the agent."""
        from rapidfuzz import fuzz

        if context == "case" or chars in self._cases:
            return True
        if not context and "case" in self._wanted:
            since = self._asked_at.get("case", -1)
            if all(self._asked_at.get(kind, -1) < since for kind in self._wanted & _NUMERIC):
                return True  # the last thing asked for
        # the other party says the number again, and recognition changes a digit or two
        is_next = 0 < self._position - self._last_case_turn <= 2 and len(chars) >= 3
        is_next = is_next and not any(
            self._asked_at.get(kind, -1) > self._last_case_turn for kind in self._wanted & _NUMERIC - self._implied
        )
        return is_next and any(
            abs(len(chars) - len(case)) <= 1 and fuzz.ratio(chars, case) >= _LIKE_CASE for case in self._cases
        )

    def _echo_of(self, digits: str) -> str | None:
        """The kind of a datum given before that these digits repeat."""
        from rapidfuzz import fuzz

        for kind, said in self._known.items():
            if kind in ("house_number", "birth_date", "email"):
                continue
            is_recent = self._position - self._answered.get(kind, -9) <= 2
            for known in said:
                if len(digits) >= 4 and digits in known:
                    return kind
                if len(digits) >= (4 if is_recent else 6) and len(known) >= 6:
                    if fuzz.ratio(digits, known) >= (55 if is_recent else 75):
                        return kind
                    if is_recent and digits in known:
                        return kind
        return None

    def _long_kind(self, digits: str, wanted: set[str]) -> str:
        starts_as_phone = digits.startswith(("0", "316", "3106")) and len(digits) >= 9
        if "iban" in wanted and not starts_as_phone:
            return "iban"
        if "phone" in wanted and ("bsn" not in wanted or starts_as_phone):
            return "phone"
        if "bsn" in wanted:
            return "bsn"
        if starts_as_phone or digits.startswith("06") or len(digits) > 9:
            return "phone"
        return "bsn"

    def _short_kind(self, run: list[Element], digits: str, wanted: set[str], context: str) -> str | None:
        """What fewer than eight digits are: by what was asked for, by the street before, or nothing personal."""
        n = len(digits)
        house_due = run[0].start <= self._house_due_until
        if house_due and n <= 4 and not self._is_article(run):
            return "house_number"
        kind = None
        named = wanted - self._implied
        if (self._is_street_before(run) or self._is_place_before(run)) and n <= 4:
            kind = None if self._is_office_place(run) else "house_number"
        elif self._counts_things(run):
            kind = None
        elif n >= 6 and self._call.roles[self._position] == "citizen":
            # long, said by the citizen and no case number: an answer whose question recognition lost
            kind = self._long_kind(digits, wanted)
        elif n <= 3 and (self._is_own_number(run) or self._lives_at(run)):
            kind = "house_number"
        elif digits.startswith("06") and n >= 4:
            kind = "phone"
        elif "document_number" in wanted and n >= 3:
            kind = "document_number"
        elif wanted & {"phone", "bsn", "iban"} and n >= 2 and not (n <= 4 and named & {"postcode", "house_number"}):
            kind = next(k for k in ("phone", "bsn", "iban") if k in wanted)
        elif wanted & {"phone", "bsn"} and n >= 5:
            kind = "phone" if "phone" in wanted else "bsn"
        elif "postcode" in wanted and n >= (4 if "house_number" in wanted and "postcode" in self._answered else 3):
            kind = "postcode" if context != "house_number" else "house_number"
        elif "house_number" in wanted and n <= 4 and not self._is_article(run):
            kind = "house_number"
        elif "postcode" in wanted and len(run) > 1 and n >= 2:
            kind = "postcode"
        return None if kind == "house_number" and self._is_no_answer(run) else kind

    def _is_no_answer(self, run: list[Element]) -> bool:
        """Whether a number is a rank, a class, cried out or asked back: "categorie drie", "vijfentwintig!", "twee?"."""
        call, turn, start, end = self._call, self._turn, run[0].start, run[-1].end
        before = call.word(start - 1, turn)
        is_rank = before == "nummer" and call.line(end, min(end + 2, turn.stop)) == "van de"
        is_cry = call.tokens[end - 1].text.endswith(("?", "!")) and call.roles[self._position] == "citizen"
        is_sigh = end < turn.stop and call.tokens[start].bare in ("ach", "o", "oh") and not self._is_street_near(start)
        return is_rank or is_cry or is_sigh or before in _CLASSES

    def _counts_things(self, run: list[Element]) -> bool:
        """Whether a lone number counts or times something ("twee brieven", "voor twaalf") and so answers nothing."""
        call, turn = self._call, self._turn
        if len(run) > 1 or call.word(run[0].start - 1, turn) in _NUMBER_LEADS:
            return False
        end = run[-1].end
        if call.word(run[0].start - 1, turn) in _COUNT_LEADS:
            return True
        if end >= turn.stop or PHRASE_END.search(call.tokens[end - 1].text):
            return False
        follows = call.word(end, turn)
        is_last = bool(PHRASE_END.search(call.tokens[end].text)) or end + 1 == turn.stop
        is_letter = follows in _LETTERS and is_last  # "twaalf c" is heard as "12 zee", "twaalf a" as "12 aan"
        return bool(follows) and follows not in _AFTER_NUMBER and follows not in _ADDED and not is_letter

    def _is_article(self, run: list[Element]) -> bool:
        """ "een" alone is the article, unless a word for number stands before it or it ends the phrase behind "is"."""
        first = self._call.tokens[run[0].start]
        before = self._call.word(run[0].start - 1, self._turn)
        is_answer = before == "is" and bool(PHRASE_END.search(first.text))
        is_number = before in ("nummer", "huisnummer", "nr") or is_answer
        return len(digits_of(run)) == 1 and first.bare == "een" and not is_number

    def _is_street(self, at: int) -> bool:
        word = self._call.word(at, self._turn)
        if len(word) < 6 or word in _NO_STREET or not _STREET.fullmatch(word):
            return False
        return self._call.is_capital(at) or not self._lexicon.is_dutch(word)

    def _is_street_near(self, before: int) -> bool:
        return any(self._is_street(at) for at in range(max(self._turn.start, before - 6), before))

    def _is_street_before(self, run: list[Element]) -> bool:
        """Whether a street stands close before a number that does not count things."""
        call, turn = self._call, self._turn
        at = run[0].start - 1
        said_number = False
        while at >= turn.start and run[0].start - at <= 4 and not self._is_street(at):
            if at == run[0].start - 1 and self._is_generic_street(at):
                break
            if call.word(at, turn) in _COUNT_LEADS or SENTENCE_END.search(call.tokens[at].text):
                return False
            said_number = said_number or call.word(at, turn) in ("nummer", "huisnummer", "nr")
            at -= 1
        is_next = at == run[0].start - 1
        if at < turn.start or not (self._is_street(at) or (is_next and self._is_generic_street(at))):
            return False
        end = run[-1].end
        counts_things = (
            end < turn.stop
            and not PHRASE_END.search(call.tokens[end - 1].text)
            and call.word(end, turn) not in self._lexicon.not_names | _ADDITIONS
            and parse_ordinal([call.word(end, turn)], 0) is None
            and not call.tokens[run[0].start].text[:1].isdigit()
        )
        return said_number or not (counts_things or self._is_article(run))

    def _is_generic_street(self, at: int) -> bool:
        """A word for a street that is a name only if a number follows at once: "Hoofdstraat", "prinsen straat"."""
        call, turn = self._call, self._turn
        is_second = call.word(at, turn) in ("straat", "laan", "weg", "plein", "dijk", "singel")
        before = call.word(at - 1, turn)
        is_named = is_second and len(before) >= 3 and before not in self._lexicon.not_names
        return bool(_STREET_NAME.fullmatch(call.word(at, turn))) or is_named

    def _is_place_before(self, run: list[Element]) -> bool:
        """Whether a number follows what "adres" or "woon" makes a place: "ik woon in de Brink zes"."""
        call, turn, at = self._call, self._turn, run[0].start - 1
        word = call.word(at, turn)
        if len(word) < 3 or word in self._lexicon.not_names or word in _COUNT_LEADS or not word.isalpha():
            return False
        if SENTENCE_END.search(call.tokens[at].text) or self._counts_things(run) or parse_number([word], 0):
            return False
        around = call.line(max(turn.start, at - 6), at).split()
        return any(near.startswith(("adres", "woon", "wonen")) for near in around)

    def _lives_at(self, run: list[Element]) -> bool:
        """Whether somebody lives at a number: "ik woon zelf op eenenveertig"."""
        call, turn, start = self._call, self._turn, run[0].start
        around = call.line(max(turn.start, start - 4), start).split()
        lives = any(word in ("woon", "woont", "wonen", "woonde") for word in around)
        return lives and not self._counts_things(run) and not self._is_article(run)

    def _is_office_place(self, run: list[Element]) -> bool:
        """Whether the agent says where the municipality itself is to be found, unasked."""
        if self._call.roles[self._position] != "agent" or "house_number" in self._answered:
            return False
        first = self._call.ranges[max(0, self._position - 1)].start
        return bool(_OFFICE_PLACES & set(self._call.line(first, run[-1].end).split()))

    def _is_own_number(self, run: list[Element]) -> bool:
        """A citizen's "nummer achttien": too short for a case, and nobody's queue, bus line or desk."""
        call, turn, at = self._call, self._turn, run[0].start - 1
        if (
            call.roles[self._position] != "citizen"
            or call.word(at, turn) not in ("nummer", "nr")
            or self._is_article(run)
        ):
            return False
        around = call.line(max(turn.start, at - 4), at), call.line(run[-1].end, min(run[-1].end + 4, turn.stop))
        return not _NUMBERED & set(" ".join(around).split())

    def _house(self, run: list[Element]) -> None:
        """A number and the letter behind it; anything further in the run is left to its own."""
        end = 1
        while end < len(run) and run[end].chars.isdigit() and len(digits_of(run[: end + 1])) <= 4:
            end += 1
        first = next(i for i, element in enumerate(run) if element.chars.isdigit())
        end = max(end, first + 1)
        if end < len(run) and not run[end].chars.isdigit() and len(run[end].chars) == 1:
            end += 1
        self._call.mark(run[first].start, self._addition_end(run[end - 1].end), "house_number")
        self._answer("house_number", digits_of(run[first:end]))

    def _addition_end(self, at: int) -> int:
        """The end of what is added to a house number that ends at a position: "bis", "huis c", "kamer drie"."""
        call, turn = self._call, self._turn
        if call.word(at, turn) not in _ADDITIONS or SENTENCE_END.search(call.tokens[at - 1].text):
            return at
        found = element_at(call, at + 1, turn, False) if at + 1 < turn.stop else []
        is_code = bool(found) and len(found[0].chars) <= 3 and not PHRASE_END.search(call.tokens[at].text)
        if is_code:
            return found[0].end
        return at + 1 if call.word(at, turn) in ("bis", "huis", "hs", "rood", "zwart") else at

    def _postcode(self, run: list[Element], wanted: set[str]) -> bool:
        """Four digits and two letters, the rest of the run being a house number; in an answer less will do."""
        is_wanted = "postcode" in wanted or self._context(run[0].start) == "postcode"
        whole = [i for i in range(len(run)) if re.match(r"[1-9]\d{3}[a-z]{2}(?![a-z])", chars_of(run[i:]))]
        for first in whole or range(len(run)):
            digits, at = "", first
            while at < len(run) and run[at].chars.isdigit() and len(digits) < 4:
                digits += run[at].chars
                at += 1
            letters, end = "", at
            while end < len(run) and run[end].chars.isalpha() and len(letters) < 2:
                letters += run[end].chars
                end += 1
            if len(digits) != 4 or digits[0] == "0":
                continue
            stop = run[end - 1].end
            if len(letters) < 2:
                stop, letters = self._letters_after(stop, letters, is_wanted)
            if len(letters) != 2 and not (is_wanted and (letters or end == len(run) or not wanted & {"phone", "bsn"})):
                continue
            if len(letters) != 2 and len(digits_of(run)) >= 8:
                continue
            rest = [element for element in run[end:] if element.start >= stop]
            if is_wanted and len(rest) == 2 and rest[0].start == rest[1].start and len(rest[0].chars) == 1:
                # "68 -1 -1 -2D": the letters were taken for a digit and a letter
                stop, rest = rest[1].end, []
            self._call.mark(run[first].start, stop, "postcode")
            self._answer("postcode", digits)
            self._house_due_until = stop + 8
            if first:
                self._piece(run[:first])
            if rest:
                self._piece(rest)
            return True
        return False

    def _letters_after(self, stop: int, letters: str, is_wanted: bool) -> tuple[int, str]:
        """Letters of a postcode that recognition wrote as a short word: "6704 pb", "zes zeven nul vier peebee"."""
        call, turn = self._call, self._turn
        while stop < turn.stop and len(letters) < 2:
            word = call.word(stop, turn)
            ended = bool(SENTENCE_END.search(call.tokens[stop - 1].text))
            is_short = word.isalpha() and len(word) <= (4 if is_wanted else 2) and word not in self._lexicon.not_names
            if ended or not is_short or (not is_wanted and self._lexicon.is_dutch(word)):
                break
            letters += "x" if len(word) == 1 else "xx"
            stop += 1
        return stop, letters[:2]

    def _plate(self, run: list[Element], chars: str, wanted: set[str]) -> bool:
        has_letter = any(c.isalpha() for c in chars)
        ones = [self._call.tokens[element.start].bare == "een" for element in run if element.chars.isdigit()]
        if all(ones) and len(ones) < 3:
            return False  # the article, among letters that are none
        if "licence_plate" in wanted and (len(chars) >= 4 or (has_letter and len(chars) >= 3)):
            self._take(run, "licence_plate")
            return True
        if _PLATE.fullmatch(chars):
            self._take(run, "licence_plate")
            return True
        return False

    def _account(self, run: list[Element], chars: str, wanted: set[str]) -> bool:
        if _IBAN.search(chars) or ("iban" in wanted and len(digits_of(run)) >= 3):
            self._take(run, "iban")
            return True
        return False

    def _plates_and_accounts(self) -> None:
        """Join an account number that a bank's name cut in two: "n l twintig rabo nul drie ..."."""
        call, turn = self._call, self._turn
        for at in turn:
            if call.word(at, turn) not in _BANKS:
                continue
            start, end = at, at + 1
            while start > turn.start and at - start < 6 and self._joins_account(start - 1):
                start -= 1
            while end < turn.stop and end - at < 24 and self._joins_account(end):
                end += 1
            said = [element for i in range(start, end) for element in element_at(call, i, turn, True)]
            has_account = any(call.tokens[i].kind in ("iban", "bsn", "phone") for i in range(start, end))
            if has_account or len(digits_of(said)) >= 6:
                for i in range(start, end):
                    call.tokens[i].kind = None
                call.mark(start, end, "iban")
                self._answer("iban", digits_of(said))

    def _joins_account(self, at: int) -> bool:
        call, turn = self._call, self._turn
        token = call.tokens[at]
        if token.is_placeholder or token.is_kept:
            return False
        if token.kind in ("iban", "bsn", "phone"):
            return True
        return bool(element_at(call, at, turn, False)) or token.bare in _BANKS


_NUMERIC = frozenset(
    ["bsn", "phone", "iban", "postcode", "house_number", "birth_date", "licence_plate", "document_number"]
)
_DOTS = word_set("punt punten punth dot")
_JOINTS = word_set("underscore streepje minteken liggend laag elkaar kleine")
_TOP_LEVEL = word_set("nl com net org eu be de online info nel enel hel frl amsterdam")
_MAIL_IS = re.compile(r"mail\w* (?:is|op|naar)\b")
_BROKEN_EMAIL = re.compile(
    r"pp?ens?[dt]a|avond ?start|aan t?aart|"
    r"\b(?:aa?pp?(?:en|es)?|aan een|apen) ?(?:sta|ta|start|tij)\w*|\b(?:en h?el|enn? ?el|n l|nl|com|punt kom)$"
)
_BENT_SIGN = re.compile(r"a+pp?(?:en|es?)? ?s?[td]+a+|pp?ens?[dt]a|aan t?aart|avond ?start|apen")
_DOMAIN = re.compile(r"\b(?:nl|com|punt (?:en?|n)? ?(?:h?el|l)|punt (?:kom|komt|kon))\b|\bkon$")
_SITE = re.compile(r"\b(?:site|website|webpagina|internet)\b")
_PROVIDERS = word_set(
    """gmail gmeel jimail hotmail hotmeel outlook live ziggo kpnmail planet xs4all icloud yahoo telfort upcmail casema
    chello hetnet kpn tele2 solcon protonmail msn zonnet quicknet freedom"""
)
_OFFICE = word_set("info gemeente kcc klantcontact post contact burgerzaken wmo secretariaat klantenservice")
_LEAD_IN = word_set(
    """is naar op mailadres emailadres email mail eh ehm uh ja jazeker nou dus mag het dat wordt u sturen stuur via
    aan bij mijn en dan hoor zeker goed even kijken oke maar doe graag prima was die deze"""
)


def _keyword_kind(word: str, lexicon: Lexicon) -> str | None:
    """The kind a word names, also when recognition bent it: "huishuisnummer", "geborte datum", "postkorde".

    What is a word by itself is not bent: "bruikbaar" asks for no telephone number.
    """
    from rapidfuzz import fuzz

    if word in _KIND_OF_KEYWORD:
        return _KIND_OF_KEYWORD[word]
    if re.fullmatch(r"e?m[a-z]{1,4}adres", word):
        return "email"
    if word.endswith("nummer"):
        stems = ("telefoon", "huis", "huizen", "service", "rekening", "mobiel", "kenteken")
        stem = next((stem for stem in stems if stem in word), "").replace("huizen", "huis")
        return _KIND_OF_KEYWORD[stem + "nummer"] if stem else "case"
    for known in () if lexicon.is_dutch(word) else _LONG_KEYWORDS:
        if len(word) >= min(7, len(known) - 1) and abs(len(known) - len(word)) <= 3 and fuzz.ratio(word, known) >= 80:
            return _KIND_OF_KEYWORD[known]
    return None


def _are_years(texts: Sequence[str]) -> bool:
    """Whether numbers are years in a row ("in 2024 en 2025"), not one long number."""
    said = [numbers.digit_group([text], 0) for text in texts]
    return all(re.fullmatch(r"(?:19|20)\d\d", group[0]) for group in said if group)


def _is_almost_month(word: str) -> bool:
    from rapidfuzz import fuzz

    return len(word) >= 3 and any(fuzz.ratio(word, month) >= 80 for month in _MONTHS)


def _sentences(call: Reading, run: list[Element]) -> Iterator[list[Element]]:
    """Cut a run where a sentence ends, unless what follows is a lone piece of the same number."""
    piece: list[Element] = []
    for element in run:
        if piece and element.start > piece[-1].start:
            text = call.tokens[element.start - 1].text
            ended = any(SENTENCE_END.search(call.tokens[at].text) for at in range(piece[-1].end - 1, element.start))
            # "H. P." and "06. 12." are no sentences
            if ended and len(digits_of(piece)) >= 4 and len(text.strip(".")) > 1:
                yield piece
                piece = []
        piece.append(element)
    if piece:
        yield piece
