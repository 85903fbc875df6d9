"""Turns and events to the numbers of a call.  Pure.

Times are milliseconds; talk time is the length of words and the short gaps between them, so that a pause for thought
of more than `GAP_MS` isn't talk.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from callanalytics.records import Event, Span, Turn
from callanalytics.spans import merge

GAP_MS = 500


@dataclass(frozen=True, slots=True)
class Features:
    """The measures of the dataset `calls`; None where the call gives no ground for a number."""

    asr_confidence: float | None
    speech_ms: int
    talk_ms_agent: int
    talk_ms_citizen: int
    talk_ratio_agent: float | None
    non_talk_ms: int
    max_non_talk_ms: int
    hold_ms: int
    hold_count: int
    overlap_ms: int
    interruptions_agent: int
    interruptions_citizen: int
    wpm_agent: float | None
    wpm_citizen: float | None
    response_latency_ms_agent: int | None
    turns_agent: int
    turns_citizen: int


def measure(
    turns: Sequence[Turn], events: Sequence[Event], speech: Sequence[Span], holds: Sequence[Span], duration_ms: int
) -> Features:
    """Return all measures of a call; `speech` are the spans in which anybody speaks."""
    talk = {role: talk_spans([t for t in turns if t.role == role]) for role in ("agent", "citizen")}
    agent_ms, citizen_ms = _length(talk["agent"]), _length(talk["citizen"])
    busy = merge([*speech], 0)
    quiet = [
        (a_end, b_start) for (_, a_end), (b_start, _) in zip([(0, 0), *busy], [*busy, (duration_ms, 0)], strict=True)
    ]
    outside_holds = [length for span in quiet if (length := span[1] - span[0] - _shared(span, holds)) > 0]
    confidences = [w.confidence for t in turns for w in t.words]
    both_ms = agent_ms + citizen_ms
    return Features(
        asr_confidence=round(sum(confidences) / len(confidences), 4) if confidences else None,
        speech_ms=_length(busy),
        talk_ms_agent=agent_ms,
        talk_ms_citizen=citizen_ms,
        talk_ratio_agent=round(agent_ms / both_ms, 4) if both_ms else None,
        non_talk_ms=duration_ms - _length(busy),
        max_non_talk_ms=max(outside_holds, default=0),
        hold_ms=_length(holds),
        hold_count=len(holds),
        overlap_ms=_length(merge([(e.start_ms, e.end_ms) for e in events if e.type == "overlap"], 0)),
        interruptions_agent=sum(e.type == "interruption" and e.by == "agent" for e in events),
        interruptions_citizen=sum(e.type == "interruption" and e.by == "citizen" for e in events),
        wpm_agent=_words_a_minute(turns, "agent", agent_ms),
        wpm_citizen=_words_a_minute(turns, "citizen", citizen_ms),
        response_latency_ms_agent=_response_latency(turns),
        turns_agent=sum(t.role == "agent" for t in turns),
        turns_citizen=sum(t.role == "citizen" for t in turns),
    )


def talk_spans(turns: Sequence[Turn]) -> tuple[Span, ...]:
    """Spans in which the speakers of these turns talk."""
    return merge([(w.start_ms, w.end_ms) for t in turns for w in t.words], GAP_MS)


def _length(spans: Sequence[Span]) -> int:
    return sum(end - start for start, end in spans)


def _shared(span: Span, others: Sequence[Span]) -> int:
    return sum(max(0, min(span[1], end) - max(span[0], start)) for start, end in others)


def _words_a_minute(turns: Sequence[Turn], role: str, talk_ms: int) -> float | None:
    """Words by minutes of own talk; None below 5 s, where the number says nothing."""
    words = sum(len(t.words) for t in turns if t.role == role)
    return round(words / talk_ms * 60_000, 1) if talk_ms >= 5000 else None


def _response_latency(turns: Sequence[Turn]) -> int | None:
    """Median pause from the end of a citizen's turn to the agent's next; an answer that overlaps counts as 0."""
    pauses = [
        max(0, answer.start_ms - said.end_ms)
        for said, answer in itertools.pairwise(turns)
        if said.role == "citizen" and answer.role == "agent"
    ]
    return round(median(pauses)) if pauses else None
