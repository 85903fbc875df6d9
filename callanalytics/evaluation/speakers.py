"""Diarization errors, role accuracy and matched holds."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from callanalytics.evaluation.truth import TrueTurn
from callanalytics.intervals import share
from callanalytics.records import Segment, Span, Turn
from callanalytics.spans import merge

BRIDGE_MS = 700  # a pause between two words of a turn up to this long is speech of its speaker

COLLAR_S = 0.5  # pyannote.metrics takes both sides together: 250 ms on each side of a true boundary

HOLD_SHARE = 0.5  # of a true hold that a stored one must cover to have found it


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
        """Return all three together."""
        return self.missed_ms + self.false_alarm_ms + self.confusion_ms

    @property
    def rate(self) -> float | None:
        """Return the diarization error rate; None without true speech."""
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


def spoken_spans(turn: Turn) -> tuple[Span, ...]:
    """When the words of a turn are said, pauses up to BRIDGE_MS included; all of it when word times are unknown."""
    if not turn.words:
        return ((turn.start_ms, turn.end_ms),)
    return merge([(word.start_ms, word.end_ms) for word in turn.words], BRIDGE_MS)


def role_segments(turns: Sequence[Turn]) -> list[Segment]:
    """Return the stored turns as speaker segments, the role being the speaker."""
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


@dataclass(frozen=True, slots=True)
class HoldMatches:
    """True holds found and missed, stored holds that are none, and how far off the boundaries of the found are."""

    found: int = 0
    missed: int = 0
    false: int = 0
    boundary_errors_ms: tuple[int, ...] = ()  # absolute; a start and an end for each found


def match_holds(holds: Sequence[Span], true_holds: Sequence[Span]) -> HoldMatches:
    """Return a true hold is found by the stored hold that covers most of it, at least HOLD_SHARE; each counts once."""
    left, errors, found = list(holds), [], 0
    for true in true_holds:
        best = max(left, key=lambda hold: shared_ms(true, [hold]), default=None)
        if best is None or shared_ms(true, [best]) < HOLD_SHARE * (true[1] - true[0]):
            continue
        left.remove(best)
        found += 1
        errors += [abs(best[0] - true[0]), abs(best[1] - true[1])]
    return HoldMatches(found, len(true_holds) - found, len(left), tuple(errors))
