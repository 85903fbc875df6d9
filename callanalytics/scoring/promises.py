"""The promise register: what the agent side promised the citizen, by whom and by when.

The phrases of a promise stand in the phrase files as [promise.TYPE]; a promise is a find of them in the agent's words
that no guard takes back.  Finds that say the same promise again, such as in a summary, are one promise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from callanalytics.config import Config
from callanalytics.dutch.dates import parse_deadline
from callanalytics.dutch.words import normalise_word, word_set
from callanalytics.records import PromiseRow
from callanalytics.scoring.detector import Detector
from callanalytics.scoring.finding import LEARNED, CallText, Hit, combine, find_hits, learned_hits
from callanalytics.scoring.reader import TurnDoc

LEARNED_ENOUGH = 0.5  # a promise in the register that nobody made costs more than one that is missed
LEARNED_WITH_DATE = 0.4  # a date to come in the same clause speaks for a promise
_A_THING = 3  # words beside the date: "uiterlijk vrijdag" alone promises nothing
_AT_ONCE = word_set("even eventjes momentje ogenblikje")  # "dan vraag ik dat even na" is done while the citizen waits
_ANY_MOMENT = datetime(2026, 1, 5, 9, tzinfo=UTC)  # without a start it does to find the words; the date is dropped
_CONTACT = frozenset({"callback", "letter_or_email"})  # two ways in which word is to come
_BY_PHONE = word_set("telefoon telefonisch telefoontje belletje lijn")
_SENT = word_set(
    "brief mail mailtje email bevestiging formulier link post uitnodiging folder beschikking besluit document sms app "
    "smsje bus stuur sturen stuurt mailen mailt opsturen toesturen"
)
_LATER_TURNS = 4  # a deadline asked for after the promise comes within this many turns


@dataclass(frozen=True)
class _Found:
    type: str
    turn: int
    start: int  # first token of the clause
    end: int
    hit: Hit
    deadline: str | None
    due: datetime | None


def promises_in(call: CallText, detector: Detector, config: Config) -> tuple[PromiseRow, ...]:
    """Return the promises of a call read by `detector`, in order of time.

    `due_at` is None when the deadline is vague or missing, or when nobody knows when the call began.  Offers,
    questions, denials and what the citizen wishes or will do are no promises.
    """
    candidates: list[tuple[str, Hit]] = []
    for find in (find_hits, learned_hits):  # patterns know their place better than models
        for phrases in (detector.criterion("callback_promise").phrases, *detector.files.promises):
            kind = phrases.name.removeprefix("promise.").removesuffix("_promise")
            hits = [
                hit
                for hit in find(phrases, call, lambda name: [])
                if hit.probability >= (0.5 if find is find_hits else _enough(call, hit, config))
            ]
            # The shortest find names the doer that stands next to the verb.
            candidates += [(kind, hit) for hit in sorted(hits, key=lambda h: (h.turn, h.end - h.start, h.start))]
    spotted: list[tuple[str, Hit, int, int]] = []
    for kind, hit in candidates:
        start, end = _clause(call.turns[hit.turn], hit)
        if not any(h.turn == hit.turn and s < end and start < e for _, h, s, e in spotted):
            spotted.append((kind, hit, start, end))
    found = []
    for kind, hit, start, end in spotted:
        others = [(s, e) for _, h, s, e in spotted if h.turn == hit.turn and s != start]
        deadline, due = _deadline(call, hit, (start, end), others, config)
        is_called = kind == "letter_or_email" and _is_by_phone(call.turns[hit.turn].texts[start:end])
        found.append(_Found("callback" if is_called else kind, hit.turn, start, end, hit, deadline, due))
    found.sort(key=lambda f: (f.turn, f.start))
    kept = _without_repeats(found, call, detector)
    checked = combine(find_hits(detector.criterion("callback_number_check").phrases, call, lambda name: [
        f.hit for f in kept if f.type == "callback"])) >= 0.5  # fmt: skip
    return tuple(_row(index, promise, call, checked) for index, promise in enumerate(kept))


def _enough(call: CallText, hit: Hit, config: Config) -> float:
    """The probability from which a find by the models is a promise: less when its clause names a moment to come."""
    turn = call.turns[hit.turn]
    said = turn.quote(*_clause(turn, hit))
    moment = call.transcript.started_at or _ANY_MOMENT
    zone, hours = config.municipality.timezone, config.municipality.opening_hours
    due, words = parse_deadline(said, moment, zone=zone, opening_hours=hours) or (None, "")
    is_at_once = due is None and not _AT_ONCE.isdisjoint(turn.texts[slice(*_clause(turn, hit))])
    if is_at_once or len(said.split()) - len(words.split()) < _A_THING:
        return 1.0
    return LEARNED_WITH_DATE if due is not None and due > moment else LEARNED_ENOUGH


def _row(index: int, promise: _Found, call: CallText, checked: bool) -> PromiseRow:
    turn = call.turns[promise.turn]
    start_ms, end_ms = turn.span_ms(promise.start, promise.end)
    return PromiseRow(
        call_id=call.transcript.call_id,
        promise_index=index,
        type=promise.type,
        by=_doer(turn, promise),
        deadline_text=promise.deadline,
        due_at=None if promise.due is None else promise.due.astimezone(UTC),
        number_confirmed=checked if promise.type == "callback" else None,
        quote=turn.quote(promise.start, promise.end).strip(" ,;"),
        start_ms=start_ms,
        end_ms=end_ms,
    )


def _clause(turn: TurnDoc, hit: Hit) -> tuple[int, int]:
    """Return the part of the sentence around a find that a comma before a new subject does not cut off."""
    first, last = turn.sentence(hit.start)
    last = max(last, hit.end)
    starters = {"en", "maar", "dan", "want", "dus"}
    start = hit.start
    while start > first and not (turn.ends[start - 1] and turn.texts[start] in starters) and hit.start - start < 20:
        start -= 1
    end = hit.end
    while end < last and end - hit.end < 20:
        if turn.ends[end - 1] and turn.texts[end] in starters | {"om", "dat"} and turn.texts[end] != "dat":
            break
        end += 1
    return start, end


def _deadline(
    call: CallText, hit: Hit, clause: tuple[int, int], others: Sequence[tuple[int, int]], config: Config
) -> tuple[str | None, datetime | None]:
    """Return the deadline of the clause; else of the clause beside it in the turn; else of the answer to "wanneer?"."""
    turn = call.turns[hit.turn]
    first, last = turn.sentence(hit.start)
    start, end = clause
    spans = [(turn, start, end)]
    if not any(s < last and first < e for s, e in others):
        spans.append((turn, first, max(last, end)))
    if last < len(turn.doc) and not any(s < turn.sentence(last)[1] and last < e for s, e in others):
        following = turn.sentence(last)
        # "Ik stuur het op. Dat heeft u binnen een week."
        if turn.texts[last] in ("dat", "die", "dan", "uiterlijk", "binnen", "voor", "zo"):
            spans.append((turn, *following))
    for later in range(hit.turn + 1, min(hit.turn + 1 + _LATER_TURNS, len(call.turns))):
        asked = " ".join(call.turns[later].texts)
        if call.turns[later].turn.role == "citizen" and re.search(
            r"\b(wanneer|hoe laat|hoelang|hoe lang|welke dag)\b", asked
        ):
            answer = call.turns[later + 1] if later + 1 < len(call.turns) else None
            if answer is not None and answer.turn.role == "agent":
                spans.append((answer, 0, answer.sentence(0)[1]))
            break
    zone, hours = config.municipality.timezone, config.municipality.opening_hours
    moment = call.transcript.started_at
    for where, from_, to in spans:
        parsed = parse_deadline(where.quote(from_, to), moment or _ANY_MOMENT, zone=zone, opening_hours=hours)
        if parsed is not None:
            return parsed[1], parsed[0] if moment is not None else None
    return None, None


def _without_repeats(found: Sequence[_Found], call: CallText, detector: Detector) -> list[_Found]:
    """Each promise once: a later find of the same type without a new date, or in a summary, repeats an earlier one."""
    summary = {h.turn for h in find_hits(detector.criterion("summary_check").phrases, call, lambda name: [])}
    kept: list[_Found] = []
    for promise in found:
        # "Voor drie uur hoort u van mij" says again that somebody calls before three.
        is_word_to_come = promise.due is not None and promise.type in _CONTACT and not _is_sent(call, promise)
        if is_word_to_come and any(k.due == promise.due and {k.type, promise.type} == _CONTACT for k in kept):
            continue
        same = [k for k in kept if k.type == promise.type]
        if same and promise.type != "action":
            known = [k for k in same if k.due == promise.due]
            if promise.turn in summary or promise.due is None or known:
                continue
            undated = [k for k in same if k.due is None]
            if undated:
                # The date comes with the repetition; where a pattern found only that, it is the promise.
                first = undated[-1]
                is_surer = first.hit.pattern is LEARNED and promise.hit.pattern is not LEARNED
                dated = replace(first, deadline=promise.deadline, due=promise.due)
                kept[kept.index(first)] = promise if is_surer else dated
                continue
            if any(k.due and promise.due and k.due.date() == promise.due.date() for k in same):
                continue
        if promise.type == "action" and promise.turn in summary and kept:
            continue
        if promise.type == "action" and any(_alike(call, k, promise) for k in same):
            continue
        kept.append(promise)
    return kept


def _is_by_phone(words: Sequence[str]) -> bool:
    """Return whether a word to come is to come over the telephone: "u hoort van mij, aan de telefoon"."""
    return not _BY_PHONE.isdisjoint(words) and _SENT.isdisjoint(words)


def _is_sent(call: CallText, promise: _Found) -> bool:
    return not _SENT.isdisjoint(call.turns[promise.turn].texts[promise.start : promise.end])


def _alike(call: CallText, one: _Found, two: _Found) -> bool:
    """Return whether two finds speak of the same thing: most longer words of the shorter are in the other."""
    a, b = ({t.lemma_ for t in call.turns[f.turn].doc[f.start : f.end] if len(t.text) > 4} for f in (one, two))
    return bool(a and b) and len(a & b) >= 0.6 * min(len(a), len(b))


def _doer(turn: TurnDoc, promise: _Found) -> str | None:
    """Return who is to do it, in the words of the clause: "ik", "De behandelaar"; None when the clause has no doer."""
    words = turn.quote(promise.start, promise.end).split()
    plain = ["".join(normalise_word(word)) for word in words]
    for at, word in enumerate(plain):
        # "Ik laat de opzichter bellen", "dan vraag ik mijn collega of hij": somebody else is to do it.
        beside = {*plain[max(0, at - 1) : at], *plain[at + 1 : at + 2]}
        if word in _PRONOUNS and not (_HANDS_ON & beside and _DOERS & {*plain[at:]}):
            return words[at].strip(" ,.;")
        if word in _TITLES or word in _DOERS:
            first = max((i for i in range(max(0, at - 2), at) if plain[i] in _DETERMINERS), default=at)
            last = at + 1
            if word in _TITLES and last < len(words):
                last += 1
            if plain[last : last + 1] == ["van"]:
                last += 3 if plain[last + 1 : last + 2] in (["het"], ["de"]) else 2
                if plain[last - 1 : last] in (["team"], ["loket"], ["afdeling"]):
                    last += 1
            return " ".join(words[first:last]).strip(" ,.;")
    return None


_PRONOUNS = word_set("ik wij we hij zij ze")
_HANDS_ON = word_set("laat laten vraag vragen")
_TITLES = frozenset(["mevrouw", "meneer"])
_DETERMINERS = word_set("mijn de een onze die uw")
_DOERS = word_set(
    "collega collegas behandelaar consulent medewerker medewerkster adviseur afdeling team coordinator "
    "klachtencoordinator klachtencoördinator klachtenfunctionaris aannemer planner wijkbeheerder handhaver "
    "specialist monteur inspecteur ambtenaar buitendienst teamleider leidinggevende klantmanager ergotherapeut "
    "opzichter ploeg boa wijkteam jurist loket beheerder ophaaldienst"
)
