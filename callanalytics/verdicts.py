"""One call judged: what was stored of it beside its truth, as sums that can be pooled over calls.

Words, speakers and roles, holds, criteria, promises and redaction are judged each by their own definition, which
stands with the function that applies it.  Pure: no files, no clock; jiwer and pyannote.metrics are imported where they
are needed.
"""

from __future__ import annotations

import itertools
import math
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any
from zoneinfo import ZoneInfo

from callanalytics.agreement import Counts, share
from callanalytics.numbers import bare, digit_group, parse_number, spoken_digits
from callanalytics.reading import PLACEHOLDER, PLACEHOLDERS
from callanalytics.records import CriterionRow, Event, PromiseRow, Segment, Span, Turn, Word
from callanalytics.speech import merge
from callanalytics.truth import TruePromise, TrueTurn, Truth, datum_of_words

BRIDGE_MS = 700  # a pause between two words of a turn up to this long is speech of its speaker
COLLAR_S = 0.5  # pyannote.metrics takes both sides together: 250 ms on each side of a true boundary
HOLD_SHARE = 0.5  # of a true hold that a stored one must cover to have found it
QUOTE_SHARE = 0.5  # of a true promise's longer words that a stored quote must hold to be the same promise
TIME_SHARE = 0.3  # or of the shorter one's time that both have in common
INTELLIGIBLE = 0.6  # of the digits or letters of a datum; what keeps fewer doesn't tell it any more
NAME_LIKENESS = 75  # rapidfuzz ratio from which a heard word still tells a name
NEAR_MS = 1500  # a stored word this far from every true turn belongs to none
MASK = "□"  # stands for a personal datum while words are compared


# --- what OUT says of a call ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was stored of one call, as far as it is judged."""

    layout: str
    duration_ms: int
    turns: tuple[Turn, ...]
    holds: tuple[Span, ...] = ()
    criteria: tuple[CriterionRow, ...] = ()
    promises: tuple[PromiseRow, ...] = ()
    topic: str = ""
    agent_channel: int | None = None
    not_scorable_reason: str | None = None
    started_at: datetime | None = None
    events: tuple[Event, ...] = ()


# --- one call -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one call came out; every field is a sum or a list that can be pooled over calls."""

    layout: str
    words: WordErrors
    words_normalised: WordErrors
    speakers: SpeakerErrors
    roles: RoleTimes
    holds: HoldMatches
    criteria: tuple[Judgement, ...]
    promises: PromiseMatches
    redaction: Redactions
    is_topic_right: bool


def judge_call(
    outcome: Outcome, truth: Truth, criteria: Collection[str], zone: ZoneInfo, is_same_topic: Callable[[str, str], bool]
) -> Verdict:
    """Compare one call; `criteria` are those that the output knows."""
    return Verdict(
        layout=outcome.layout,
        words=call_word_errors(outcome, truth, list),
        words_normalised=call_word_errors(outcome, truth, merge_numbers),
        speakers=diarization_error(
            role_segments(outcome.turns),
            [Segment(turn.role, turn.start_ms, turn.end_ms) for turn in truth.turns],
            max(outcome.duration_ms, truth.duration_ms),
        ),
        roles=role_times(outcome.turns, truth.turns),
        holds=match_holds(outcome.holds, truth.holds),
        criteria=judge_criteria(outcome.criteria, truth.criteria, criteria),
        promises=match_promises(outcome.promises, truth.promises, zone),
        redaction=judge_redaction(outcome.turns, truth),
        is_topic_right=is_same_topic(outcome.topic, truth.topic),
    )


# --- words ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Word errors and the reference words they are counted against; placeholders that meet a datum are in neither."""

    errors: int = 0
    words: int = 0
    excluded: int = 0  # placeholders that stand where the truth has a personal datum
    unmatched_placeholders: int = 0  # placeholders that stand elsewhere: counted as errors
    restored_data: int = 0  # data without a placeholder: their words are counted as words like any other

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(
            self.errors + other.errors,
            self.words + other.words,
            self.excluded + other.excluded,
            self.unmatched_placeholders + other.unmatched_placeholders,
            self.restored_data + other.restored_data,
        )


def plain_words(text: str) -> list[str]:
    """Lower case, punctuation and signs taken for blanks, a placeholder (and what is stuck to it) as MASK.

    "Nul-zes, met [NAME]'s 50.000" -> nul zes met □ 50 000
    """
    words: list[str] = []
    for token in text.split():
        if PLACEHOLDER.search(token):
            words.append(MASK)
        else:
            words += re.sub(r"[\W_]", " ", token.lower()).split()
    return words


def merge_numbers(words: Sequence[str]) -> list[str]:
    """Every run of numbers, in words or digits, as one word of digits, so that only the number counts.

    vijftig duizend euro, nul zes twaalf -> 50000 euro 0612      50 000 euro 06 12 -> 50000 euro 0612
    """
    merged: list[str] = []
    at, is_run = 0, False
    while at < len(words):
        digits, used = _number_at(words, at)
        if not used:
            merged.append(words[at])
        elif is_run:
            merged[-1] += digits
        else:
            merged.append(digits)
        is_run, at = bool(used), at + (used or 1)
    return merged


def _number_at(words: Sequence[str], at: int) -> tuple[str, int]:
    if words[at] == MASK:
        return "", 0
    if words[at].isdecimal() and (words[at].startswith("0") or len(words[at]) > 9):
        return words[at], 1
    stop = words.index(MASK, at) if MASK in words[at:] else len(words)
    found = parse_number(words[at:stop], 0)
    if found:
        return str(found[0]), found[1]
    return digit_group(words[at:stop], 0) or ("", 0)


def call_word_errors(outcome: Outcome, truth: Truth, normalise: Callable[[Sequence[str]], list[str]]) -> WordErrors:
    """Word errors of a call: per side when the parties have their own channel, else of all turns in time order.

    The agent's side is agent and ivr.  A channel is the side on which it has fewer errors, so that words are judged
    whatever role they were given; roles have their own figure.
    """
    everything = range(len(truth.turns))
    if outcome.layout != "stereo":
        return word_errors(truth, everything, [turn.text for turn in outcome.turns], normalise)
    citizen = [i for i in everything if truth.turns[i].role == "citizen"]
    agent = [i for i in everything if truth.turns[i].role != "citizen"]
    channels = [[turn.text for turn in outcome.turns if (turn.channel or 0) == channel] for channel in (0, 1)]
    ways = [
        word_errors(truth, sides[0], channels[0], normalise) + word_errors(truth, sides[1], channels[1], normalise)
        for sides in ((agent, citizen), (citizen, agent))
    ]
    return min(ways, key=lambda way: way.errors)


def word_errors(
    truth: Truth, turns: Sequence[int], texts: Sequence[str], normalise: Callable[[Sequence[str]], list[str]]
) -> WordErrors:
    """Levenshtein word errors (jiwer) of redacted texts against these true turns.

    The stored text can't show whether a personal datum was recognised, so data are left out: in the reference each
    datum of `pii` becomes MASK, in the hypothesis each placeholder does (neighbours as one), and a MASK that meets a
    MASK is counted neither as a word nor as an error.  A datum that meets no MASK was not replaced: its words stand
    in the text and are counted as any other, so the reference gets them back and is aligned again.  A placeholder
    that meets no datum hides words that were said; it costs what the alignment makes of it, so too much redaction
    can only raise the figure.
    """
    import jiwer

    hypothesis = normalise(_join_masks([word for text in texts for word in plain_words(text)]))
    pieces = _pieces(truth, turns)
    data = [i for i, (_, is_datum) in enumerate(pieces) if is_datum]
    restored: set[int] = set()
    while True:
        masked = [i for i in data if i not in restored]
        reference = normalise(
            [word for i, (words, _) in enumerate(pieces) for word in ([MASK] if i in masked else words)]
        )
        alignment = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
        met = {
            at
            for chunk in alignment.alignments[0]
            if chunk.type == "equal"
            for at in range(chunk.ref_start_idx, chunk.ref_end_idx)
            if reference[at] == MASK
        }
        places = [at for at, word in enumerate(reference) if word == MASK]
        lost = {i for i, at in zip(masked, places, strict=True) if at not in met}
        if not lost:
            break
        restored |= lost
    return WordErrors(
        errors=alignment.substitutions + alignment.deletions + alignment.insertions,
        words=len(reference) - len(met),
        excluded=len(met),
        unmatched_placeholders=hypothesis.count(MASK) - len(met),
        restored_data=len(restored),
    )


def _pieces(truth: Truth, turns: Sequence[int]) -> list[tuple[list[str], bool]]:
    """The plain words of these turns cut where data begin and end: (words, are a datum); neighbouring data as one."""
    pieces: list[tuple[list[str], bool]] = []
    for index in turns:
        owner = datum_of_words(truth.data, index)
        for at, word in enumerate(truth.turns[index].text.split()):
            plain, is_datum = plain_words(word), at in owner
            if pieces and pieces[-1][1] == is_datum:
                pieces[-1][0].extend(plain)
            else:
                pieces.append((plain, is_datum))
    return [piece for piece in pieces if piece[0]]


def _join_masks(words: Sequence[str]) -> list[str]:
    return [word for at, word in enumerate(words) if word != MASK or not at or words[at - 1] != MASK]


# --- speakers and roles ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeakerErrors:
    """Parts of the diarization error in ms; `total_ms` is the true speech that is scored, overlaps counted twice."""

    total_ms: int = 0
    missed_ms: int = 0
    false_alarm_ms: int = 0
    confusion_ms: int = 0

    def __add__(self, other: SpeakerErrors) -> SpeakerErrors:
        return SpeakerErrors(
            self.total_ms + other.total_ms,
            self.missed_ms + other.missed_ms,
            self.false_alarm_ms + other.false_alarm_ms,
            self.confusion_ms + other.confusion_ms,
        )

    @property
    def error_ms(self) -> int:
        """All three together."""
        return self.missed_ms + self.false_alarm_ms + self.confusion_ms

    @property
    def rate(self) -> float | None:
        """The diarization error rate; null without true speech."""
        return share(self.error_ms, self.total_ms)


def diarization_error(
    segments: Sequence[Segment], reference_segments: Sequence[Segment], duration_ms: int
) -> SpeakerErrors:
    """Diarization error by pyannote.metrics (Bredin 2017): labels mapped best, overlap scored, collar 250 ms.

    `duration_ms` bounds what is scored.  Labels of the two sides need not agree; segments of one label may overlap.
    """
    # pyannote's packages report usage home unless this is set before they are imported.
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    from pyannote.core import Segment as Stretch
    from pyannote.core import Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    if not reference_segments:
        false_ms = sum(end - start for start, end in merge([(s.start_ms, s.end_ms) for s in segments], 0))
        return SpeakerErrors(0, 0, false_ms, 0)
    metric = DiarizationErrorRate(collar=COLLAR_S, skip_overlap=False)
    parts = metric(
        _annotation(reference_segments),
        _annotation(segments),
        uem=Timeline([Stretch(0, duration_ms / 1000)]),
        detailed=True,
    )
    names = ("total", "missed detection", "false alarm", "confusion")
    return SpeakerErrors(*(round(parts[name] * 1000) for name in names))


def _annotation(segments: Sequence[Segment]) -> Any:
    from pyannote.core import Annotation
    from pyannote.core import Segment as Stretch

    annotation = Annotation()
    spans: dict[str, list[Span]] = defaultdict(list)
    for segment in segments:
        spans[segment.speaker].append((segment.start_ms, segment.end_ms))
    for speaker, own in spans.items():
        for track, (start, end) in enumerate(merge(own, 0)):
            if end > start:
                annotation[Stretch(start / 1000, end / 1000), f"{speaker} {track}"] = speaker
    return annotation


def read_rttm(text: str) -> list[Segment]:
    """The speakers of an RTTM file: lines "SPEAKER file 1 start duration <NA> <NA> name ...", seconds.

    Raises ValueError for a speaker line without numbers.
    """
    lines = [line.split() for line in text.splitlines() if line.startswith("SPEAKER")]
    return [
        Segment(parts[7], round(float(parts[3]) * 1000), round((float(parts[3]) + float(parts[4])) * 1000))
        for parts in lines
    ]


def spoken_spans(turn: Turn) -> tuple[Span, ...]:
    """When the words of a turn are said, pauses up to BRIDGE_MS included; all of it when word times are unknown."""
    if not turn.words:
        return ((turn.start_ms, turn.end_ms),)
    return merge([(word.start_ms, word.end_ms) for word in turn.words], BRIDGE_MS)


def role_segments(turns: Sequence[Turn]) -> list[Segment]:
    """The stored turns as speaker segments, the role being the speaker."""
    return [Segment(turn.role, start, end) for turn in turns for start, end in spoken_spans(turn)]


@dataclass(frozen=True, slots=True)
class RoleTimes:
    """Of the time that true speakers speak (overlaps once a speaker): how much was heard, and under the right role."""

    spoken_ms: int = 0
    heard_ms: int = 0
    right_ms: int = 0

    def __add__(self, other: RoleTimes) -> RoleTimes:
        return RoleTimes(
            self.spoken_ms + other.spoken_ms, self.heard_ms + other.heard_ms, self.right_ms + other.right_ms
        )


def role_times(turns: Sequence[Turn], true_turns: Sequence[TrueTurn]) -> RoleTimes:
    """Measure roles: a true turn's time is heard where any stored turn has words, right where one of its role has.

    Role accuracy is right / heard, so unknown counts as wrong; coverage is heard / spoken.
    """
    segments = role_segments(turns)
    anybody = merge([(s.start_ms, s.end_ms) for s in segments], 0)
    by_role = {
        role: merge([(s.start_ms, s.end_ms) for s in segments if s.speaker == role], 0)
        for role in {s.speaker for s in segments}
    }
    times = RoleTimes()
    for turn in true_turns:
        span = (turn.start_ms, turn.end_ms)
        times += RoleTimes(span[1] - span[0], shared_ms(span, anybody), shared_ms(span, by_role.get(turn.role, ())))
    return times


def shared_ms(span: Span, spans: Sequence[Span]) -> int:
    """Time that a span has in common with spans that don't overlap each other."""
    return sum(max(0, min(span[1], end) - max(span[0], start)) for start, end in spans)


# --- holds ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HoldMatches:
    """True holds found and missed, stored holds that are none, and how far off the boundaries of the found are."""

    found: int = 0
    missed: int = 0
    false: int = 0
    boundary_errors_ms: tuple[int, ...] = ()  # absolute; a start and an end for each found


def match_holds(holds: Sequence[Span], true_holds: Sequence[Span]) -> HoldMatches:
    """A true hold is found by the stored hold that covers most of it, at least HOLD_SHARE; each counts once."""
    left, errors, found = list(holds), [], 0
    for true in true_holds:
        best = max(left, key=lambda hold: shared_ms(true, [hold]), default=None)
        if best is None or shared_ms(true, [best]) < HOLD_SHARE * (true[1] - true[0]):
            continue
        left.remove(best)
        found += 1
        errors += [abs(best[0] - true[0]), abs(best[1] - true[1])]
    return HoldMatches(found, len(true_holds) - found, len(left), tuple(errors))


# --- criteria -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judgement:
    """One criterion of one call: the truth's label, what was stored, and whether that means found."""

    criterion: str
    label: str  # yes, no or na
    is_applicable: bool
    is_found: bool
    is_uncertain: bool
    probability: float | None  # null when the call got no row: it could not be scored

    @property
    def is_judged(self) -> bool:
        """Whether the truth says that the criterion applied."""
        return self.label != "na"

    @property
    def is_wrong(self) -> bool:
        """Found where the truth says no, or not found where it says yes."""
        return self.is_judged and self.is_found != (self.label == "yes")


def judge_criteria(
    rows: Sequence[CriterionRow], labels: Mapping[str, str], criteria: Collection[str]
) -> tuple[Judgement, ...]:
    """Lay the stored rows beside the truth's labels, for the criteria that the output knows at all.

    Found means applicable and detected; an uncertain row is found when its probability is at least 0.5.  A call
    without rows could not be scored: everything in it counts as not applicable and not found.
    """
    by_id = {row.criterion: row for row in rows}
    judgements = []
    for criterion in sorted(labels.keys() & set(criteria)):
        row = by_id.get(criterion)
        if row is None:
            judgements.append(Judgement(criterion, labels[criterion], False, False, False, None))
            continue
        is_uncertain = row.status == "uncertain"
        is_detected = row.probability >= 0.5 if is_uncertain else row.detected
        judgements.append(
            Judgement(
                criterion,
                labels[criterion],
                row.applicable,
                row.applicable and is_detected,
                is_uncertain,
                row.probability,
            )
        )
    return tuple(judgements)


def count(judgements: Sequence[Judgement]) -> Counts:
    """The two-by-two table of the rows that the truth labels yes or no."""
    total = Counts()
    for one in judgements:
        if one.is_judged:
            total += Counts.of(one.is_found, one.label == "yes")
    return total


# --- promises -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PromiseMatches:
    """Promises that are true, stored, the same (any type), found (the type too), and dated right."""

    true: int = 0
    stored: int = 0
    matched: int = 0
    found: int = 0
    due_right: int = 0  # of the found
    dated: int = 0  # of the found, those with a true date
    dated_right: int = 0

    def __add__(self, other: PromiseMatches) -> PromiseMatches:
        return PromiseMatches(
            self.true + other.true,
            self.stored + other.stored,
            self.matched + other.matched,
            self.found + other.found,
            self.due_right + other.due_right,
            self.dated + other.dated,
            self.dated_right + other.dated_right,
        )


def match_promises(rows: Sequence[PromiseRow], promises: Sequence[TruePromise], zone: ZoneInfo) -> PromiseMatches:
    """Count what stored promises got right of the true ones."""
    pairs = pair_promises(rows, promises)
    total = PromiseMatches(true=len(promises), stored=len(rows), matched=len(pairs))
    for i, j in pairs.items():
        if rows[j].type == promises[i].type:
            is_right, is_dated = is_same_due(rows[j].due_at, promises[i].due, zone), bool(promises[i].due)
            total += PromiseMatches(0, 0, 0, 1, int(is_right), int(is_dated), int(is_right and is_dated))
    return total


def pair_promises(rows: Sequence[PromiseRow], promises: Sequence[TruePromise]) -> dict[int, int]:
    """The stored promise that is each true one, by position: the likest pair first, each in one pair only."""
    likeness = {(i, j): promise_likeness(r, p) for i, p in enumerate(promises) for j, r in enumerate(rows)}
    pairs: dict[int, int] = {}
    for i, j in sorted(likeness, key=lambda pair: (-likeness[pair], pair)):
        if likeness[i, j] > 0 and i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def promise_likeness(row: PromiseRow, promise: TruePromise) -> float:
    """How sure it is that both are one promise: 0 when not, more when words, time and type agree.

    They are one when the stored quote holds QUOTE_SHARE of the true quote's words of three letters or more, or when
    both have TIME_SHARE of the shorter one's time in common.
    """
    wanted, heard = ({word for word in plain_words(text) if len(word) > 2} for text in (promise.quote, row.quote))
    words = len(wanted & heard) / max(1, len(wanted))
    time = 0.0
    if promise.span:
        shorter = min(promise.span[1] - promise.span[0], row.end_ms - row.start_ms)
        time = shared_ms(promise.span, [(row.start_ms, row.end_ms)]) / max(1, shorter)
    if words < QUOTE_SHARE and time < TIME_SHARE:
        return 0.0
    return words + time + 0.5 * (row.type == promise.type)


def is_same_due(due_at: datetime | None, due: str, zone: ZoneInfo) -> bool:
    """Whether a resolved deadline is the true one: "" means none, a date is compared on the clocks of `zone`."""
    if not due or due_at is None:
        return not due and due_at is None
    if len(due) == 10:
        return due_at.astimezone(zone).date().isoformat() == due
    return due_at == datetime.fromisoformat(due)


# --- redaction ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Redactions:
    """Per true datum (kind, can't be read any more, has a placeholder); per placeholder (kind, stands for a datum)."""

    data: tuple[tuple[str, bool, bool], ...] = ()
    placeholders: tuple[tuple[str, bool], ...] = ()


_KIND_OF = {placeholder: kind for kind, placeholder in PLACEHOLDERS.items()}


def judge_redaction(turns: Sequence[Turn], truth: Truth) -> Redactions:
    """Look for every true datum in the stored text, where and when it was said.

    Stored words go to the true turn in whose time they lie and are aligned with its words.  A datum is hidden when
    what stands at its place, placeholders aside, no longer tells it (`is_intelligible`): because it was replaced, or
    because recognition had already lost it.  A placeholder is right when it stands for a true datum, or beside one.
    """
    heard = words_by_turn(turns, truth.turns)
    data: list[tuple[str, bool, bool]] = []
    placeholders: list[tuple[str, bool]] = []
    for index, turn in enumerate(truth.turns):
        said, words = turn.text.split(), heard[index]
        places = carry_over(said, words)
        personal: set[int] = set()
        for datum in (d for d in truth.data if d.turn == index):
            here = sorted({at for old in range(datum.first, datum.last) for at in places.get(old, [])})
            near = {at + step for at in here for step in (-1, 0, 1)}
            personal |= near
            left = [words[at] for at in here if not PLACEHOLDER.search(words[at])]
            is_hidden = not is_intelligible(datum.kind, " ".join(said[datum.first : datum.last]), left)
            is_marked = any(0 <= at < len(words) and PLACEHOLDER.search(words[at]) for at in near)
            data.append((datum.kind, is_hidden, is_marked))
        for at, word in enumerate(words):
            placeholders += [(_KIND_OF[found], at in personal) for found in PLACEHOLDER.findall(word)]
    for word in heard[len(truth.turns)]:
        placeholders += [(_KIND_OF[found], False) for found in PLACEHOLDER.findall(word)]
    # truth does not say where special data are
    return Redactions(tuple(data), tuple(found for found in placeholders if found[0] != "special"))


def words_by_turn(turns: Sequence[Turn], true_turns: Sequence[TrueTurn]) -> list[list[str]]:
    """The stored words put into the true turns by the middle of their time; a last list holds what fits none.

    When parties have channels of their own, a word goes to a turn of its channel: the channel of a true speaker is
    the one on which most words lie in that speaker's time.
    """
    words = [
        (turn.channel, word)
        for turn in turns
        for word in turn.words or _share_out(turn)
    ]  # fmt: skip
    channels: dict[str, Counter[int | None]] = defaultdict(Counter)
    for channel, word in words:
        for true in true_turns:
            if true.start_ms <= (word.start_ms + word.end_ms) / 2 < true.end_ms:
                channels[true.speaker][channel] += 1
    own = {speaker: counts.most_common(1)[0][0] for speaker, counts in channels.items()}
    placed: list[list[tuple[int, str]]] = [[] for _ in (*true_turns, None)]
    for channel, word in words:
        middle = (word.start_ms + word.end_ms) / 2
        distances = [
            max(0.0, t.start_ms - middle, middle - t.end_ms)
            if own.get(t.speaker, channel) == channel
            else math.inf
            for t in true_turns
        ]  # fmt: skip
        best = min(range(len(true_turns)), key=distances.__getitem__, default=-1)
        is_near = best >= 0 and distances[best] < NEAR_MS
        placed[best if is_near else -1].append((word.start_ms, word.text))
    return [[text for _, text in sorted(own_words, key=lambda pair: pair[0])] for own_words in placed]


def _share_out(turn: Turn) -> list[Word]:
    """The words of a turn without word times, each with its share of the turn."""
    texts = turn.text.split()
    step = (turn.end_ms - turn.start_ms) / max(1, len(texts))
    bounds = [round(turn.start_ms + step * i) for i in range(len(texts) + 1)]
    return [Word(text, a, b) for text, (a, b) in zip(texts, itertools.pairwise(bounds), strict=True)]


def carry_over(said: Sequence[str], heard: Sequence[str]) -> dict[int, list[int]]:
    """For each position in the words said, the positions in the words heard that stand for it."""
    # "[POSTCODE]" must not pair with the word postcode.
    plain = [MASK if PLACEHOLDER.search(w) else bare(w) for w in heard]
    matcher = SequenceMatcher(None, [bare(w) for w in said], plain, autojunk=False)
    places: dict[int, list[int]] = {}
    for _, a, b, c, d in matcher.get_opcodes():
        for i in range(a, b):
            first = c + (i - a) * (d - c) // (b - a)
            last = c + math.ceil((i - a + 1) * (d - c) / (b - a))
            places[i] = list(range(first, max(last, first)))
    return places


def digits_in(words: Sequence[str]) -> str:
    """All digits said in some words."""
    digits, at = "", 0
    while at < len(words):
        run = spoken_digits(words, at)
        digits, at = (digits + run[0], at + run[1]) if run else (digits, at + 1)
    return digits


def is_intelligible(kind: str, said: str, heard: Sequence[str]) -> bool:
    """Whether what was heard still tells the datum.

    Of a number at least INTELLIGIBLE of its digits survive in order; a house number is there whole; of a name one of
    its capitalised words is alike (NAME_LIKENESS, a name of two letters exactly); other data are alike as text.
    """
    from rapidfuzz import fuzz

    if not heard:
        return False
    true_digits, digits = digits_in(said.split()), digits_in(heard)
    if kind in ("bsn", "phone", "iban", "postcode", "birth_date"):
        blocks = SequenceMatcher(None, true_digits, digits, autojunk=False).get_matching_blocks()
        return sum(block.size for block in blocks) >= INTELLIGIBLE * max(1, len(true_digits))
    if kind == "house_number":
        return true_digits in digits
    if kind == "person_name":
        pairs = [(bare(a), bare(b)) for a in said.split() for b in heard if a[:1].isupper()]
        return any(a == b if len(a) <= 2 else fuzz.ratio(a, b) >= NAME_LIKENESS for a, b in pairs)
    plain = ["".join(bare(word) for word in words) for words in (said.split(), heard)]
    return fuzz.ratio(*plain) >= 100 * INTELLIGIBLE
