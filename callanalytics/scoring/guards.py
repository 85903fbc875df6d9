"""Guards take a find back when the words around it turn its meaning: not done, only asked, long past, merely offered.

A guard looks at a few words before the find and inside it, within the sentence where the transcript has sentences.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from callanalytics.dutch.words import word_set
from callanalytics.scoring.patterns import NEGATIONS, Pattern
from callanalytics.scoring.reader import TurnDoc

_BEFORE = 4  # words before a find in which a guard word counts
_AFTER = 4  # words behind a find in which a negation counts: "dat begrijp ik niet"
# A find that opens with one of these begins its own clause: a negation before it belongs to the clause before.
_OPENERS = word_set(
    "ik wij we dan mijn de het een dat daar mocht als maar dus en zij ze hij u uw onze er wat waar wie hoe"
)

_JOINERS = word_set("dan en want maar dus als of om dat die omdat zodat")  # begin another clause
_ASSERTS = word_set("ik wij we dan mijn er de dus en daar maar die dat")  # first words of a statement
_REQUEST = re.compile(
    r"\b((kunt|kun|kan|zou|zoudt|wilt|wil) (u|je|jij|jullie)|zou (u|je|jullie)|ik (wou|wil|wilde) (graag )?dat|"
    r"ik (wou|wil|zou) (graag|eigenlijk)|mag ik|graag zou)\b"
)
_PAST_WORDS = word_set(
    "zou zouden had hadden heb hebt hebben heeft ben bent was waren werd werden stond stonden kreeg kregen ging gingen "
    "gisteren vorige"
)
_PAST = re.compile(rf"\b({'|'.join(sorted(_PAST_WORDS))})\b")
_OFFER = re.compile(
    r"\b((wilt|wil|kunt|kun|zou|zoudt) (u|je)|(u|je) (kunt|kan|mag|zou)|als (u|je) (wilt|wil|dat wilt|het wilt)|"
    r"zal ik|zou ik|zullen we|ik (kan|zou|wou|kon)|we (kunnen|zouden)|wij (kunnen|zouden)|kan ik|mocht u)\b"
)
_CONDITION = re.compile(r"\b(als|indien|tenzij|mits|mocht|wanneer)\b")
_QUESTION = re.compile(
    r"^(en |maar |dus |of |ja |nee |oke )*((kunt|wilt|heeft|hebt|bent|mag|zal|zou|kan|is|was|zijn|gaat|moet|weet|"
    r"hoort|belt|had|hebben|komt|wordt|word|krijg|doet|klopt|ben|spreek|spreekt|neem|neemt|nemen) "
    r"(u|je|jij|ik|wij|we|jullie|er|het|dat|hij|zij|ze|uw|dan)|"
    r"wat|wie|waar|waarmee|waarover|waarvoor|wanneer|hoe|welk|welke|waarom|hoelang)\b"
)


def is_guarded(guard: str, turn: TurnDoc, start: int, end: int, pattern: Pattern) -> bool:
    """Return whether the guard takes back the find of `pattern` at the tokens [start, end)."""
    return _GUARDS[guard](turn, start, end, pattern)


def clause_start(turn: TurnDoc, index: int, most: int) -> int:
    """Return the first token, at most `most` before `index`, with no punctuation between it and `index`."""
    first = index
    while first > 0 and index - first < most and not turn.ends[first - 1]:
        first -= 1
    return first


def _text(turn: TurnDoc, start: int, end: int) -> str:
    return " ".join(turn.texts[start:end])


def _negation(turn: TurnDoc, start: int, end: int, pattern: Pattern) -> bool:
    words = turn.texts
    before = [] if words[start] in _OPENERS else words[clause_start(turn, start, _BEFORE) : start]
    inside = [] if pattern.negates else words[start:end]
    last = end
    while last < len(words) and last - end < _AFTER and not turn.ends[last - 1] and words[last] not in _JOINERS:
        last += 1
    after = words[end:last]
    return any(word in NEGATIONS or word in ("hoeft", "hoef") for word in (*before, *inside, *after))


def _request(turn: TurnDoc, start: int, end: int, pattern: Pattern) -> bool:
    first = clause_start(turn, start, _BEFORE)
    return bool(_REQUEST.search(_text(turn, first, min(end, start + 3))))


def _past(turn: TurnDoc, start: int, end: int, pattern: Pattern) -> bool:
    first = start if turn.texts[start] in _OPENERS else clause_start(turn, start, _BEFORE)
    # A pattern that holds such a word itself ("die mail heeft u morgen") is past only by the words before it.
    last = start if pattern.words & _PAST_WORDS else end
    return bool(_PAST.search(_text(turn, first, last)))


def _offer(turn: TurnDoc, start: int, end: int, pattern: Pattern) -> bool:
    first = clause_start(turn, start, _BEFORE)
    return bool(_OFFER.search(_text(turn, first, min(end, start + 4))))


def _condition(turn: TurnDoc, start: int, end: int, pattern: Pattern) -> bool:
    return bool(_CONDITION.search(_text(turn, clause_start(turn, start, _BEFORE), start)))


def _question(turn: TurnDoc, start: int, end: int, pattern: Pattern) -> bool:
    first, last = turn.sentence(start)
    clause = max(first, clause_start(turn, start, 12))
    asked = _QUESTION.search(_text(turn, clause, last))
    if asked:
        # A pattern that holds the asking words itself ("wilt u niet dat ..., zeg het dan") means them.
        return not pattern.words.issuperset(asked.group().split()[-2:])
    # "Ik bel u morgen terug, goed?" promises and asks; "u belt mij terug?" only asks.
    # "Gemeente Zutphen, waarmee kan ik u helpen?" asks only behind the comma.
    asks = turn.ends[last - 1].startswith("?") and turn.texts[clause] not in _ASSERTS
    behind = (i + 1 for i in range(start, last - 1) if turn.ends[i])
    return asks and not any(_QUESTION.search(_text(turn, first, last)) for first in behind)


_GUARDS: dict[str, Callable[[TurnDoc, int, int, Pattern], bool]] = {
    "negation": _negation,
    "request": _request,
    "past": _past,
    "offer": _offer,
    "question": _question,
    "condition": _condition,
}
