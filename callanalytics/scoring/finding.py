"""A call read for matching, and the finds of a group of phrases in it: speaker, window, guards, counter-phrases."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from callanalytics.records import Evidence, Span, Transcript
from callanalytics.scoring.guards import is_guarded
from callanalytics.scoring.learned import Learned, Match
from callanalytics.scoring.patterns import Pattern, PhraseMatcher
from callanalytics.scoring.phrases import CriteriaFiles, Phrases
from callanalytics.scoring.reader import Reader, TurnDoc

if TYPE_CHECKING:
    from spacy.tokens import Doc

OPENING_MS = 45_000  # criteria.yaml, meta.windows: first 3 agent turns or first 45 s after answer
OPENING_TURNS = 3
CLOSING_MS = 45_000
CLOSING_TURNS = 4
HOLD_MS = 20_000
TRANSFER_MS = 60_000
NEAR_MS = 60_000

STRONG = 0.93  # probability that a find of a full phrase, heard as written, is the behaviour
WEAK = 0.45  # the same for a hint: alone it leaves the criterion uncertain
ACROSS = 0.5  # factor when the find runs over the end of a sentence
COUNTERED = 0.4  # share of a find by the models that a counter-phrase has to cover
SHORT = 8  # tokens of a find by the models that is one clause
UNKNOWN_SPEAKER = 0.6  # factor when nobody knows who speaks
LEARNED = Pattern("", (), frozenset())  # stands for the pattern in a find that a trained model made

ROLES_OF = {
    "agent": ("agent",),
    "citizen": ("citizen",),
    "system_or_agent": ("agent", "ivr"),
    "both": ("agent", "citizen"),
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A find: which turn (position in the call), tokens [start, end), when, and how likely it is what it seems."""

    turn: int
    start: int
    end: int
    start_ms: int
    end_ms: int
    probability: float
    pattern: Pattern


Matches = Mapping[str, Sequence[tuple[int, int, Pattern]]]


@dataclass(frozen=True)
class CallText:
    """The call's turns as matched text, with the moments that windows refer to."""

    transcript: Transcript
    turns: tuple[TurnDoc, ...]
    matches: tuple[Matches, ...]  # per turn
    finds: tuple[Mapping[str, Sequence[Match]], ...]  # per turn, by the trained models
    confidence: Mapping[str, float]  # mean confidence of the recognised words, by role
    holds: tuple[Span, ...]
    transfers: tuple[int, ...]  # ms
    answered_ms: int
    opening_ends_ms: int
    intake_from_ms: int
    closing_from_ms: int
    end_ms: int

    def evidence(self, hit: Hit) -> Evidence:
        """Return the find as it is shown: redacted words, with their times."""
        turn = self.turns[hit.turn]
        return Evidence(turn.turn.turn_index, turn.turn.role, hit.start_ms, hit.end_ms, turn.quote(hit.start, hit.end))


def build_matcher(reader: Reader, files: CriteriaFiles, tag: Callable[[Doc], None]) -> PhraseMatcher:
    """One matcher for all phrases of the folder; groups are "name", "name weak", "name not" and "name factor X"."""
    groups: dict[str, tuple[Pattern, ...]] = {}
    for phrases in [c.phrases for c in files.criteria] + list(files.cues) + list(files.promises):
        groups[phrases.name] = phrases.patterns
        groups[f"{phrases.name} weak"] = phrases.weak
        groups[f"{phrases.name} not"] = phrases.unless
    for criterion in files.criteria:
        for factor, patterns in criterion.factors.items():
            groups[f"{criterion.id} factor {factor}"] = patterns
    return PhraseMatcher(reader.vocab, {name: patterns for name, patterns in groups.items() if patterns}, tag)


def read_call(transcript: Transcript, reader: Reader, matcher: PhraseMatcher, learned: Learned | None) -> CallText:
    """The transcript's turns read and matched, without `learned` by patterns alone.  A turn without words is out."""
    turns = tuple(turn for turn in map(reader.read, transcript.turns) if len(turn.doc))
    agent = [t.turn for t in turns if t.turn.role == "agent"]
    people = [t.turn for t in turns if t.turn.role != "ivr"]
    end_ms = max([transcript.duration_ms, *(t.end_ms for t in transcript.turns)], default=0)
    holds = tuple(sorted({*transcript.holds, *((e.start_ms, e.end_ms) for e in transcript.events if e.type == "hold")}))
    answered = (agent or people)[0].start_ms if people else 0
    transfers = {e.start_ms for e in transcript.events if e.type == "transfer"}
    for before, after in itertools.pairwise(agent):
        if before.speaker and after.speaker and before.speaker != after.speaker:
            transfers.add(before.end_ms)
    third = agent[OPENING_TURNS - 1].end_ms if len(agent) >= OPENING_TURNS else end_ms
    opening_ends = max(min(third, answered + 2 * OPENING_MS), answered + OPENING_MS)
    if transfers:
        opening_ends = min(opening_ends, max(min(transfers), answered + 1))
    fourth_last = agent[-CLOSING_TURNS].start_ms if len(agent) >= CLOSING_TURNS else answered
    talks = [t.turn for t in turns if t.turn.role == "citizen" and len(t.doc) >= 5]
    return CallText(
        transcript=transcript,
        turns=turns,
        matches=tuple(matcher(turn) for turn in turns),
        finds=tuple(learned.finds(turns) if learned else ({} for _ in turns)),
        confidence=_confidence(turns),
        holds=holds,
        transfers=tuple(sorted(transfers)),
        answered_ms=answered,
        opening_ends_ms=opening_ends,
        intake_from_ms=talks[0].end_ms if talks else answered,
        closing_from_ms=min(fourth_last, end_ms - CLOSING_MS),
        end_ms=end_ms,
    )


def _confidence(turns: Sequence[TurnDoc]) -> dict[str, float]:
    words: dict[str, list[float]] = {}
    for turn in turns:
        words.setdefault(turn.turn.role, []).extend(word.confidence for word in turn.words)
    return {role: sum(values) / len(values) for role, values in words.items()}


def find_hits(phrases: Phrases, call: CallText, near: Callable[[str], Sequence[Hit]]) -> list[Hit]:
    """Return the finds of `phrases` that speaker, window, guards and counter-phrases leave, in order of time.

    `near` gives the finds of another criterion, for the window "near CRITERION" and for cancelled_by.
    """
    return [hit for hit, why in weigh_finds(phrases, call, near) if not why]


def weigh_finds(
    phrases: Phrases, call: CallText, near: Callable[[str], Sequence[Hit]]
) -> Iterator[tuple[Hit, str]]:
    """Every match of the patterns, with what takes it back: speaker, not, a guard, window, cancelled; "" for a find."""
    rescues = [hit for name in phrases.cancelled_by for hit in near(name)]
    within = phrases.cancelled_within_s * 1000
    for position, (turn, matches) in enumerate(zip(call.turns, call.matches, strict=True)):
        role = turn.turn.role
        unless = matches.get(f"{phrases.name} not", ())
        for group, base in ((phrases.name, STRONG), (f"{phrases.name} weak", WEAK)):
            for start, end, pattern in matches.get(group, ()):
                start_ms, end_ms = turn.span_ms(start, end)
                probability = base * likeness(turn, start, end, pattern)
                if crosses_sentence(turn, start, end):
                    probability *= ACROSS
                if role == "unknown":
                    probability *= UNKNOWN_SPEAKER
                hit = Hit(position, start, end, start_ms, end_ms, probability, pattern)
                yield hit, _taken_back(phrases, call, hit, unless, near, rescues, within)


def _taken_back(
    phrases: Phrases, call: CallText, hit: Hit, unless: Sequence[tuple[int, int, Pattern]],
    near: Callable[[str], Sequence[Hit]], rescues: Sequence[Hit], within_ms: float,
) -> str:  # fmt: skip
    turn = call.turns[hit.turn]
    if turn.turn.role not in ROLES_OF[phrases.speaker] and turn.turn.role != "unknown":
        return "speaker"
    if any(s < hit.end and hit.start < e and not crosses_sentence(turn, s, e) for s, e, _ in unless):
        return "not"
    for guard in phrases.guards:
        if is_guarded(guard, turn, hit.start, hit.end, hit.pattern):
            return guard
    if not in_window(phrases.window, hit.start_ms, hit.end_ms, call, near):
        return "window"
    return "cancelled" if any(-1000 <= r.start_ms - hit.start_ms <= within_ms for r in rescues) else ""


def learned_hits(phrases: Phrases, call: CallText, near: Callable[[str], Sequence[Hit]]) -> list[Hit]:
    """Return what the trained models found for the group, by the same speaker and in the same window, in order of time.

    Where every match of the patterns was taken back by a guard or a counter-phrase, so is the find around it.
    """
    hits: list[Hit] = []
    weighed = [(hit, why) for hit, why in weigh_finds(phrases, call, near) if why not in ("speaker", "window")]
    asked = [guard for guard in phrases.guards if guard in ("question", "offer", "request")]
    for position, (turn, finds) in enumerate(zip(call.turns, call.finds, strict=True)):
        role = turn.turn.role
        if role not in ROLES_OF[phrases.speaker] and role != "unknown":
            continue
        unless = call.matches[position].get(f"{phrases.name} not", ())
        for find in finds.get(phrases.name, ()):
            if any(_covers(start, end, find) for start, end, _ in unless):
                continue
            inside = [w for h, w in weighed if h.turn == position and find.start <= h.start and h.end <= find.end]
            if inside and all(inside):
                continue
            # Words that a guard looks for may be there for other reasons: in a long find, or where a phrase stands.
            guards = phrases.guards if find.end - find.start <= SHORT and not inside else asked
            if any(is_guarded(guard, turn, find.start, find.end, LEARNED) for guard in guards):
                continue
            start_ms, end_ms = turn.span_ms(find.start, find.end)
            if in_window(phrases.window, start_ms, end_ms, call, near):
                probability = find.probability * (UNKNOWN_SPEAKER if role == "unknown" else 1.0)
                hits.append(Hit(position, find.start, find.end, start_ms, end_ms, probability, LEARNED))
    return hits


def _covers(start: int, end: int, find: Match) -> bool:
    """Return whether the tokens [start, end) are a good part of the find: a counter-phrase then takes it back."""
    return min(end, find.end) - max(start, find.start) >= COUNTERED * (find.end - find.start)


def crosses_sentence(turn: TurnDoc, start: int, end: int) -> bool:
    """Return whether a sentence ends between the first and the last token of [start, end)."""
    return any(mark.startswith((".", "?", "!")) for mark in turn.ends[start : end - 1])


def likeness(turn: TurnDoc, start: int, end: int, pattern: Pattern) -> float:
    """Return how sure the words of a find are: 1.0 heard as written by a sure recogniser, lower for guesses."""
    alike = [turn.likeness[i] for i in range(start, end) if turn.texts[i] in pattern.words]
    fuzzy = math.prod(alike) if alike else 1.0
    return fuzzy * (0.8 + 0.2 * turn.confidence(start, end))


def combine(hits: Sequence[Hit]) -> float:
    """Probability that the behaviour occurred, given the finds: hints at different places add up, repeats do not."""
    best: dict[tuple[int, str], float] = {}
    for hit in hits:
        key = (hit.turn, hit.pattern.line)
        best[key] = max(best.get(key, 0.0), hit.probability)
    top = sorted(best.values(), reverse=True)[:3]
    return round(1 - math.prod(1 - p for p in top), 4) if top else 0.0


def in_window(  # noqa: PLR0911 - a list of windows
    window: str, start_ms: int, end_ms: int, call: CallText, near: Callable[[str], Sequence[Hit]]
) -> bool:
    """Return whether a find at these times lies in the window; windows use the times of words, not of turns."""
    length = max(call.end_ms - call.answered_ms, 1)
    if window == "any":
        return True
    if window == "start":
        return start_ms < call.opening_ends_ms
    if window == "opening":
        return call.answered_ms <= start_ms < call.opening_ends_ms
    if window.startswith("first "):
        return start_ms < call.answered_ms + length * int(window[6:-1]) / 100
    if window.startswith("last "):
        return end_ms > call.end_ms - length * int(window[5:-1]) / 100
    if window == "after intake":
        return end_ms > call.intake_from_ms
    if window == "closing":
        return end_ms > call.closing_from_ms
    if window in ("before hold", "after hold", "around hold"):
        before = any(0 <= hold[0] - start_ms <= HOLD_MS for hold in call.holds)
        after = any(-1000 <= start_ms - hold[1] <= HOLD_MS for hold in call.holds)
        return (before and window != "after hold") or (after and window != "before hold")
    if window == "around transfer":
        return not call.transfers or any(-TRANSFER_MS <= start_ms - t <= HOLD_MS for t in call.transfers)
    if window.startswith("near "):
        return any(abs(start_ms - hit.start_ms) <= NEAR_MS for hit in near(window[5:]))
    return True  # "before answer" is judged by the method that counts factors
