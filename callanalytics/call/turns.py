"""Join timed words to speakers and read the turns: who speaks, who overlaps whom, where nobody speaks.

Pure: no models, files or clock.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from callanalytics.config import Turns as TurnSettings
from callanalytics.records import Event, Segment, Span, Turn, Word
from callanalytics.spans import merge


def assign_speakers(words: Sequence[Word], segments: Sequence[Segment]) -> list[tuple[Word, str]]:
    """Give each word the speaker it overlaps most, else the one nearest in time; "" when nobody speaks at all.

    Segments must be sorted by start and exclusive.   hello@0-1 yes@1-2  with  A@0-1 B@1-2   ->   A:"hello" B:"yes"
    """
    starts = [s.start_ms for s in segments]
    joined = []
    for word in words:
        first = max(0, bisect.bisect_right(starts, word.start_ms) - 1)
        last = bisect.bisect_left(starts, word.end_ms)
        near = segments[max(0, first - 1) : last + 1] or segments[-1:]
        best = max(near, key=lambda s: (_shared(word, s), -_distance(word, s)), default=None)
        joined.append((word, best.speaker if best else ""))
    return joined


def _shared(word: Word, segment: Segment) -> int:
    return max(0, min(word.end_ms, segment.end_ms) - max(word.start_ms, segment.start_ms))


def _distance(word: Word, segment: Segment) -> int:
    return max(0, segment.start_ms - word.end_ms, word.start_ms - segment.end_ms)


def join_turns(
    words: Iterable[tuple[Word, str]], settings: TurnSettings, channels: dict[str, int] | None = None
) -> list[Turn]:
    """Words with their speakers to turns in time order, roles still unknown.

    A turn ends where another speaker takes the floor or its speaker pauses longer than `pause_ms`.  A listener's
    backchannel ("ja", "hmhm") inside another's turn becomes a turn of its own and doesn't cut the other's in two.
    """
    by_speaker: dict[str, list[Word]] = {}
    for word, speaker in sorted(words, key=lambda pair: (pair[0].start_ms, pair[0].end_ms)):
        by_speaker.setdefault(speaker, []).append(word)
    runs = [
        (speaker, run)
        for speaker, said in by_speaker.items()
        for run in _split(said, lambda a, b: b.start_ms - a.end_ms > settings.pause_ms)
    ]
    floor = sorted(
        (word.start_ms, word.end_ms, speaker)
        for speaker, run in runs
        if not is_backchannel([w.text for w in run], settings.backchannels)
        for word in run
    )
    starts = [start for start, _, _ in floor]
    turns = []
    for speaker, run in runs:
        for part in _split(run, partial(_is_taken, floor, starts, speaker)):
            turns.append(
                Turn(
                    turn_index=0,
                    role="unknown",
                    start_ms=part[0].start_ms,
                    end_ms=max(w.end_ms for w in part),
                    text=" ".join(w.text for w in part),
                    words=tuple(part),
                    channel=(channels or {}).get(speaker),
                    speaker=speaker,
                )
            )
    turns.sort(key=lambda t: (t.start_ms, t.end_ms, t.speaker))
    return [replace(turn, turn_index=i) for i, turn in enumerate(turns)]


def _split(words: Sequence[Word], is_boundary: Callable[[Word, Word], bool]) -> list[list[Word]]:
    parts: list[list[Word]] = []
    for word in words:
        if parts and not is_boundary(parts[-1][-1], word):
            parts[-1].append(word)
        else:
            parts.append([word])
    return parts


def _is_taken(floor: list[tuple[int, int, str]], starts: list[int], speaker: str, word: Word, following: Word) -> bool:
    """Return whether somebody else says a word of substance in the pause between two words of this speaker.

    Half of it must lie in the pause: where both speak at once, each goes on with a turn of its own.
    """
    between = floor[bisect.bisect_left(starts, word.end_ms - 1000) : bisect.bisect_right(starts, following.start_ms)]
    return any(
        other != speaker and 2 * (min(end_ms, following.start_ms) - max(start_ms, word.end_ms)) >= end_ms - start_ms
        for start_ms, end_ms, other in between
    )


def is_backchannel(words: Sequence[str], backchannels: Sequence[str]) -> bool:
    """Return whether these words only say "I am listening": at most three, all of the list."""
    bare = [re.sub(r"\W", "", word.lower()) for word in words]
    return len(bare) <= 3 and all(word in backchannels for word in bare)


def find_events(
    turns: Sequence[Turn], holds: Sequence[Span], speech: Sequence[Span], duration_ms: int, settings: TurnSettings
) -> list[Event]:
    """Holds, dead air, overlaps, interruptions and transfers of a call whose roles are known, sorted by start.

    `speech` are the spans in which anybody speaks.  Sources of the thresholds: domain.md section 2.
    - dead air: nobody speaks for `dead_air_ms` between the first and the last turn, outside holds;
    - overlap: agent and citizen speak at once;
    - interruption: somebody starts `interruption_overlap_ms` or more into what the other says, overlaps it for as
      long, says `interruption_min_words` words or more that are no backchannel, and the other goes on for
      `interruption_after_ms` or more;
    - transfer: another voice takes the agent's side.
    """
    events = [Event("hold", "agent", start, end) for start, end in holds]
    if turns:
        first, last = min(t.start_ms for t in turns), max(t.end_ms for t in turns)
        busy = merge([*speech, *holds, (0, first), (last, duration_ms)], 0)
        events += [
            Event("dead_air", "", a_end, b_start)
            for (_, a_end), (b_start, _) in itertools.pairwise(busy)
            if b_start - a_end >= settings.dead_air_ms
        ]
    events += _find_overlaps(turns)
    events += _find_interruptions(turns, settings)
    events += _find_transfers(turns)
    return sorted(events, key=lambda e: (e.start_ms, e.end_ms, e.type, e.by))


def _pairs(turns: Sequence[Turn]) -> Iterable[tuple[Turn, Turn]]:
    """Turns of agent and citizen that overlap, as (earlier, later)."""
    for i, earlier in enumerate(turns):
        for later in turns[i + 1 :]:
            if later.start_ms >= earlier.end_ms:
                break
            if {earlier.role, later.role} == {"agent", "citizen"}:
                yield earlier, later


def _find_overlaps(turns: Sequence[Turn]) -> list[Event]:
    return [
        Event("overlap", later.role, start, end)
        for earlier, later in _pairs(turns)
        for start, end in _both_speak(earlier, later)
    ]


def _both_speak(a: Turn, b: Turn) -> tuple[Span, ...]:
    spans = [
        (max(v.start_ms, w.start_ms), min(v.end_ms, w.end_ms))
        for v in a.words
        for w in b.words
        if v.start_ms < w.end_ms and w.start_ms < v.end_ms
    ]
    return merge(spans, 200)


def _find_interruptions(turns: Sequence[Turn], settings: TurnSettings) -> list[Event]:
    found = []
    for other, intruder in _pairs(turns):
        if len(intruder.words) < settings.interruption_min_words or is_backchannel(
            [w.text for w in intruder.words], settings.backchannels
        ):
            continue
        overlap_ms = min(other.end_ms, intruder.end_ms) - intruder.start_ms
        is_in_the_middle = intruder.start_ms - other.start_ms >= settings.interruption_overlap_ms
        goes_on = other.end_ms - intruder.start_ms >= settings.interruption_after_ms
        if is_in_the_middle and overlap_ms >= settings.interruption_overlap_ms and goes_on:
            found.append(Event("interruption", intruder.role, intruder.start_ms, min(other.end_ms, intruder.end_ms)))
    return found


def _find_transfers(turns: Sequence[Turn]) -> list[Event]:
    """Return a transfer where another speaker label takes the agent's role and the first doesn't come back."""
    agents = [t for t in turns if t.role == "agent" and t.speaker]
    labels = list(dict.fromkeys(t.speaker for t in agents))
    events = []
    for before, after in itertools.pairwise(labels):
        left = max(t.end_ms for t in agents if t.speaker == before)
        came = min(t.start_ms for t in agents if t.speaker == after)
        if came >= left:
            events.append(Event("transfer", "agent", left, came))
    return events
