"""Sentences to train the Dutch pipeline on: read, filled with names, and bent as speech and recognition bend them."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from callanalytics.dutch.lexicon import Lexicon
from callanalytics.dutch.words import strip_marks
from callanalytics.errors import InputError
from callanalytics.records import PLACEHOLDERS
from callanalytics.texts import Message
from callanalytics.training.lines import misrecognise

HELD_OUT = 5  # one name in so many is kept for measuring
_FILLERS = ("eh", "uh", "ehm", "nou", "ja", "zeg maar", "even kijken", "hoor")
_PUNCTUATION = re.compile(r"[^\w\s]+")
_SLOT = re.compile(r"\{(\w)\}")
_GROUP = re.compile(r"\(([^()]*)\)")
_TOKEN = re.compile(r"['’]?\w+(?:[-'’]\w+)*['’]?|[^\w\s]")
_PREFIXES = ("van", "van de", "van der", "van den", "de", "den", "ter", "van 't", "van het", "te", "el", "al")
_TEAMS = ("burgerzaken", "belastingen", "vergunningen", "zorg", "jeugd", "handhaving", "openbare ruimte", "groen",
          "werk en inkomen", "parkeren", "afval", "juridische zaken", "bouwen en wonen")  # fmt: skip
_NUMBERS = ("nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen", "tien", "elf", "twaalf",
            "dertien", "veertien", "zeventien", "twintig", "eenentwintig", "drieëndertig", "zesenveertig",
            "achtenvijftig", "zestig", "drieënzeventig", "tachtig", "negentig", "honderd", "honderdtwaalf")  # fmt: skip
_LETTERS = {"ij": "lange ij", "y": "griekse ij"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words with what is known of them; "" or -1 where nothing is known (`heads` are positions, the root's its own)."""

    words: tuple[str, ...]
    pos: tuple[str, ...] = ()
    morphs: tuple[str, ...] = ()
    lemmas: tuple[str, ...] = ()
    heads: tuple[int, ...] = ()
    deps: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()  # B-PER, I-PER, B-LOC, I-LOC, O or ""


@dataclass(frozen=True)
class Templates:
    """The sections of sentences.txt by their titles."""

    sections: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __getitem__(self, title: str) -> tuple[str, ...]:
        return self.sections[title]


def read_conllu(path: Path) -> list[Sentence]:
    """The sentences of a CoNLL-U file.  Raises InputError, with the line's number, for a line of another shape."""
    sentences: list[Sentence] = []
    rows: list[list[str]] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path=path, reason=f"{error}.") from None
    for number, line in enumerate([*lines, ""], start=1):
        if line.startswith("#"):
            continue
        if line.strip():
            row = line.split("\t")
            if len(row) != 10:
                raise InputError(
                    path=path, reason=Message("errors.line_columns_instead", number=number, count=len(row))
                )
            if row[0].isdigit():  # not a range of a contraction, not an empty node
                rows.append(row)
        elif rows:
            try:
                heads = tuple(int(row[6]) - 1 if row[6] != "0" else at for at, row in enumerate(rows))
            except ValueError:
                raise InputError(path=path, reason=Message("errors.line_head_above_no", number=number)) from None
            sentences.append(
                Sentence(
                    words=tuple(row[1] for row in rows),
                    pos=tuple(row[3] for row in rows),
                    morphs=tuple("" if row[5] == "_" else row[5] for row in rows),
                    # The treebanks mark the seams of compounds: "mee_doen".
                    lemmas=tuple(row[2].lower().replace("_", "") or row[1].lower() for row in rows),
                    heads=heads,
                    deps=tuple("ROOT" if row[6] == "0" else row[7] for row in rows),
                )
            )
            rows = []
    return sentences


def read_templates(path: Path) -> Templates:
    """Return the lines of sentences.txt per [section]; raises InputError for a file that can't be read."""
    sections: dict[str, list[str]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path=path, reason=f"{error}.") from None
    title = ""
    for line in lines:
        if line.startswith("["):
            title = line.strip("[]")
        elif line.strip() and not line.startswith("#"):
            sections.setdefault(title, []).append(line.strip())
    wanted = ("places", "street stems", "street ends", "train", "train without names", "test", "test without names")
    missing = [title for title in wanted if title not in sections]
    if missing:
        raise InputError(path=path, reason=Message("errors.section_missing", title=missing[0]))
    return Templates({title: tuple(lines) for title, lines in sections.items()})


def is_kept(name: str) -> bool:
    """Return whether a name is kept for measuring; by its own hash, so that one name is on one side in all lists."""
    return zlib.crc32(name.lower().encode()) % HELD_OUT == 0


class NameWriter:
    """Writes sentences with names in them, from the templates and names of one side: for training or for measuring."""

    def __init__(self, templates: Templates, lexicon: Lexicon, side: str, rng: random.Random) -> None:
        def mine(names: Sequence[str]) -> list[str]:
            return [name for name in names if is_kept(name) == (side == "test")]

        self._rng, self._side = rng, side
        self._named, self._plain = templates[side], templates[f"{side} without names"]
        self._first = mine(sorted(lexicon.first_names))
        self._last = mine(sorted(lexicon.surnames))
        # A place that is an ordinary word too ("best", "heel", "een") teaches nothing but doubt.
        single = [place for place in sorted(lexicon.places) if len(place) > 3 and not lexicon.is_dutch(place)]
        self._places, self._towns = mine(single), mine([place for place in templates["places"] if " " in place])
        stems = [stem for line in templates["street stems"] for stem in line.split()]
        self._stems = mine(stems)
        self._ends = " ".join(templates["street ends"]).split()

    def write(self) -> Sentence:
        """Return one more sentence, with capitals and punctuation."""
        has_names = self._rng.random() < 0.62
        return self.fill(self._rng.choice(self._named if has_names else self._plain))

    def fill(self, template: str) -> Sentence:
        """Return a template with one of each alternatives, and names in its slots."""
        while group := _GROUP.search(template):
            choice = self._rng.choice(group.group(1).split("|"))
            template = template[: group.start()] + choice + template[group.end() :]
        words: list[str] = []
        entities: list[str] = []
        parts = _SLOT.split(template)
        for position, part in enumerate(parts):
            is_slot = position % 2 == 1
            kind, tokens = self._slot(part, words) if is_slot else ("", _TOKEN.findall(part))
            # First name and surname are one name; "{s} {s}" are two streets.
            goes_on = kind == "PER" and position > 1 and parts[position - 1] == " " and parts[position - 2] == "v"
            for at, token in enumerate(tokens):
                words.append(token)
                entities.append(f"{'I' if at or goes_on else 'B'}-{kind}" if kind else "O")
        while words and not words[0][0].isalnum():  # an alternative was left out before a comma
            words, entities = words[1:], entities[1:]
        if words:
            words[0] = words[0][:1].upper() + words[0][1:]
        return Sentence(tuple(words), entities=tuple(entities))

    def _slot(self, slot: str, before: Sequence[str]) -> tuple[str, list[str]]:
        rng = self._rng
        match slot:
            case "v":
                filled = "PER", [self._invent(rng.choice(self._first).title(), self._first)]
            case "a":
                after_name = len(before) > 1 and before[-1][:1].isupper()
                filled = "PER", self._surname(after_name)
            case "p":
                single = self._invent(rng.choice(self._places).title(), self._places)
                town = rng.choice(self._towns) if rng.random() < 0.2 else single
                filled = "LOC", town.split()
            case "s":
                filled = "LOC", self._street()
            case "l":
                letters = _PUNCTUATION.sub("", rng.choice(self._last))
                filled = "PER", [word for letter in letters for word in _LETTERS.get(letter, letter).split()]
            case "d":
                filled = "", [rng.choice(_NUMBERS[:10])]
            case "n":
                filled = "", [rng.choice(_NUMBERS) if rng.random() < 0.7 else str(rng.randrange(1, 300))]
            case _:
                filled = "", rng.choice(_TEAMS).split()
        return filled

    def rename(self, sentence: Sentence) -> Sentence:
        """A treebank sentence about others: new names for its names, names for "hij" and "zij"; its grammar is left."""
        words: list[str] = []
        entities: list[str] = []
        for at, (word, tag) in enumerate(zip(sentence.words, sentence.entities, strict=True)):
            if tag.startswith("I-"):
                continue
            is_person = tag == "B-PER" or (word.lower() in ("hij", "zij", "ze") and sentence.deps[at] == "nsubj")
            if is_person and self._rng.random() < 0.8:
                new = self._slot("v", words)[1] if self._rng.random() < 0.7 else []
                new = new + (self._surname(bool(new)) if not new or self._rng.random() < 0.4 else [])
                kind = "PER"
            elif tag == "B-LOC":
                kind, new = self._slot("p", words)
            else:
                words.append(word)
                entities.append(tag if not tag.startswith("B-") else "")
                continue
            words += new
            entities += [f"{'I' if i else 'B'}-{kind}" for i in range(len(new))]
        return Sentence(tuple(words), entities=tuple(entities))

    def _invent(self, name: str, names: Sequence[str]) -> str:
        """Now and then a name that nobody has: the head of one with the tail of another; no list holds all names."""
        if self._side == "test" or self._rng.random() < 0.5 or len(name) < 4:
            return name
        other = self._rng.choice(names)
        new = name[: self._rng.randrange(2, len(name))] + other[-self._rng.randrange(2, 5) :].lower()
        return name if is_kept(new) else new

    def _surname(self, follows_name: bool) -> list[str]:
        rng = self._rng
        name = [self._invent(rng.choice(self._last).title(), self._last)]
        if rng.random() < 0.35:
            prefix = rng.choice(_PREFIXES).split()
            if not follows_name:
                prefix[0] = prefix[0].capitalize()
            name = prefix + name
        if rng.random() < 0.08:
            name = [f"{' '.join(name)}-{rng.choice(self._last).title()}"] if len(name) == 1 else name
        return name

    def _street(self) -> list[str]:
        rng = self._rng
        end = rng.choice(self._ends)
        if rng.random() < 0.25:  # after a person: "Burgemeester Jansenlaan", "Anna van Burenstraat"
            title = rng.choice(("Burgemeester", "Dokter", "Koningin", "Pastoor", rng.choice(self._first).title()))
            return [title, rng.choice(self._last).title() + end]
        if rng.random() < 0.2:
            return [rng.choice(("Oude", "Nieuwe", "Korte", "Lange", "Hoge", "Kleine")), rng.choice(self._stems) + end]
        return [rng.choice(self._stems) + end]


def silver_names(sentence: Sentence, lexicon: Lexicon) -> Sentence:
    """What the word lists and parts of speech of a treebank sentence say about names: sure ones, surely none, unknown.

    Jan woont in Apeldoorn -> B-PER O O B-LOC; a proper noun that no list knows stays unknown ("").
    """
    entities: list[str] = []
    for at, (word, pos) in enumerate(zip(sentence.words, sentence.pos, strict=True)):
        lower = strip_marks(word.lower())
        continues = at > 0 and sentence.deps[at] == "flat" and entities[at - 1].endswith("PER")
        if pos != "PROPN" and not (continues and lower in " ".join(_PREFIXES).split()):
            entities.append("O")
        elif continues:
            entities.append("I-PER" if not is_kept(lower) else "")
        elif sentence.deps[at] == "flat" or is_kept(lower):
            entities.append("")
        elif lower in lexicon.first_names and lower not in lexicon.places:
            entities.append("B-PER")
        elif lower in lexicon.places and lower not in lexicon.first_names | lexicon.surnames:
            entities.append("B-LOC")
        else:
            entities.append("")
    return replace(sentence, entities=tuple(entities))


def silver_utterance(text: str, lexicon: Lexicon) -> Sentence:
    """Return the same for an utterance of our own, where a capital inside a sentence is all there is to go by."""
    words = _TOKEN.findall(text)
    entities: list[str] = []
    starts = True
    for word in words:
        lower, is_capital = strip_marks(word.lower()), word[:1].isupper()
        before = entities[-1] if entities else "O"
        if not is_capital or (starts and lower not in lexicon.first_names):
            entities.append("O")
        elif is_kept(lower) and not (word.isupper() and len(word) > 1):
            entities.append("")
        elif lower in lexicon.first_names | lexicon.surnames and not (starts and lexicon.is_dutch(lower)):
            entities.append("I-PER" if before.endswith("PER") else "B-PER")
        elif lower in lexicon.places:
            entities.append("B-LOC")
        else:
            entities.append("O" if word.isupper() and len(word) > 1 else "")
        starts = word in (".", "?", "!")
    prefixes = " ".join(_PREFIXES).split()
    for at in range(len(words) - 1, 0, -1):  # "Jeroen de Graaf", "van der Graaf"
        if words[at].lower() in prefixes and entities[at + 1 : at + 2] in (["B-PER"], ["I-PER"]):
            entities[at : at + 2] = ["B-PER", "I-PER"]
    for at in range(1, len(words)):
        if entities[at] == "B-PER" and entities[at - 1].endswith("PER"):
            entities[at] = "I-PER"
    return Sentence(tuple(words), entities=tuple(entities))


def without_punctuation(sentence: Sentence) -> Sentence:
    """Return the sentence without its punctuation; what hung on a mark hangs on what the mark hung on."""
    kept = [at for at, word in enumerate(sentence.words) if any(c.isalnum() for c in word)]
    return _only(sentence, kept) if kept else sentence


def lower_cased(sentence: Sentence) -> Sentence:
    """Return the sentence in small letters."""
    return replace(sentence, words=tuple(word.lower() for word in sentence.words))


def _only(sentence: Sentence, kept: Sequence[int]) -> Sentence:
    new = {old: position for position, old in enumerate(kept)}
    heads: list[int] = []
    deps = list(sentence.deps)
    if sentence.heads:
        root = next((at for at in kept if sentence.heads[at] == at), None)
        for at in kept:
            head = sentence.heads[at]
            while head not in new and sentence.heads[head] != head:
                head = sentence.heads[head]
            if head not in new:  # the root itself was a mark: the first word takes its place
                root = at if root is None else root
                head = root
            heads.append(new[head])
            if head == at:
                deps[at] = "ROOT"

    def pick(values: Sequence[str]) -> tuple[str, ...]:
        return tuple(values[at] for at in kept) if values else ()

    entities = list(pick(sentence.entities))
    for at, tag in enumerate(entities):  # a name whose first word went begins with its second
        if tag.startswith("I-") and (at == 0 or entities[at - 1][2:] != tag[2:]):
            entities[at] = "B" + tag[1:]
    return Sentence(
        pick(sentence.words), pick(sentence.pos), pick(sentence.morphs), pick(sentence.lemmas), tuple(heads),
        pick(deps), tuple(entities),
    )  # fmt: skip


def joined(sentences: Sequence[Sentence]) -> Sentence:
    """Sentences said in one breath, as a turn holds them."""
    heads: list[int] = []
    for sentence in sentences:
        first = len(heads)
        heads += [first + head for head in sentence.heads]
    return Sentence(
        words=tuple(value for sentence in sentences for value in sentence.words),
        pos=tuple(value for sentence in sentences for value in sentence.pos),
        morphs=tuple(value for sentence in sentences for value in sentence.morphs),
        lemmas=tuple(value for sentence in sentences for value in sentence.lemmas),
        heads=tuple(heads),
        deps=tuple(value for sentence in sentences for value in sentence.deps),
        entities=tuple(value for sentence in sentences for value in sentence.entities),
    )


def with_fillers(sentence: Sentence, rng: random.Random) -> Sentence:
    """Return a filler somewhere in a sentence whose grammar is not given."""
    words, entities = list(sentence.words), list(sentence.entities)
    at = rng.randrange(len(words) + 1)
    if at < len(words) and entities[at].startswith("I-"):
        return sentence
    filler = rng.choice(_FILLERS).split()
    words[at:at] = filler
    entities[at:at] = ["O"] * len(filler)
    return replace(sentence, words=tuple(words), entities=tuple(entities))


def with_placeholder(sentence: Sentence, rng: random.Random) -> Sentence:
    """Return one name of a person replaced as redaction does, for redacted text is read again: no name any more."""
    starts = [at for at, tag in enumerate(sentence.entities) if tag == "B-PER"]
    if not starts:
        return sentence
    start = rng.choice(starts)
    end = start + 1
    while end < len(sentence.words) and sentence.entities[end] == "I-PER":
        end += 1
    words = (*sentence.words[:start], PLACEHOLDERS["person_name"], *sentence.words[end:])
    return replace(sentence, words=words, entities=(*sentence.entities[:start], "O", *sentence.entities[end:]))


def misheard(sentence: Sentence, rng: random.Random, rate: float) -> Sentence:
    """Words as a recogniser misspells them; the lemma of a misspelt word is unknown.

    Where no grammar is given, two words that are no names may be written as one.
    """
    plain = [at for at in range(len(sentence.words) - 1) if sentence.entities[at : at + 2] == ("O", "O")]
    plain = [at for at in plain if sentence.words[at].isalpha() and sentence.words[at + 1].isalpha()]
    if plain and not sentence.heads and rng.random() < rate:
        at = rng.choice(plain)
        glued = sentence.words[at] + sentence.words[at + 1]
        words_left = (*sentence.words[:at], glued, *sentence.words[at + 2 :])
        sentence = replace(sentence, words=words_left, entities=(*sentence.entities[:at], *sentence.entities[at + 1 :]))
    words, lemmas = list(sentence.words), list(sentence.lemmas)
    for at, word in enumerate(words):
        if not word.isalpha() or len(word) < 2:
            continue
        heard = misrecognise(word, rng, rate)
        if heard and heard != word.lower() and " " not in heard:
            words[at] = heard.capitalize() if word[0].isupper() else heard
            if lemmas:
                lemmas[at] = ""
    return replace(sentence, words=tuple(words), lemmas=tuple(lemmas))


def one_word(sentence: Sentence, rng: random.Random) -> Sentence:
    """Return a word of a treebank sentence that is no name, said alone."""
    at = rng.randrange(len(sentence.words))
    if sentence.entities[at] != "O" or not sentence.words[at].isalpha():
        return Sentence(("Ja", "."), entities=("O", "O"))
    return Sentence((sentence.words[at].capitalize(), "."), entities=("O", "O"))


def spoken(sentence: Sentence, rng: random.Random) -> Sentence:
    """Return the sentence in one of the shapes in which a transcript may bring it."""
    dice = rng.random()
    if dice > 0.35:
        sentence = without_punctuation(sentence)
    if dice > 0.5:
        sentence = lower_cased(sentence)
        if not sentence.heads and rng.random() < 0.3:
            sentence = with_fillers(sentence, rng)
    if not sentence.heads and rng.random() < 0.06:
        sentence = with_placeholder(sentence, rng)
    if rng.random() < (0.35 if sentence.heads else 0.5):
        sentence = misheard(sentence, rng, 0.15 if sentence.heads else rng.choice((0.1, 0.3)))
    return sentence
