"""From a redacted transcript to a scored call, without audio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, cast

from callanalytics.config import Config
from callanalytics.records import (
    CallResult,
    CriterionRow,
    Event,
    EventType,
    OldStatus,
    PromiseRow,
    Role,
    ScoreHistoryRow,
    Status,
    TopicShare,
    Transcript,
    Turn,
    Word,
)
from callanalytics.scoring import load_detector
from callanalytics.scoring.detector import Detector
from callanalytics.scoring.plainness import measure_plainness
from callanalytics.scoring.promises import promises_in
from callanalytics.scoring.scorecard import score_items
from callanalytics.scoring.topics import UNKNOWN, load_topics


@dataclass(frozen=True, slots=True)
class ScoredTranscript:
    """What the words of a call come to; without arguments, that of a call that can't be scored.

    The fields up to `compliance_status` are columns of `calls`.
    """

    topic: str = UNKNOWN
    topic_probability: float = 0.0
    topics: tuple[TopicShare, ...] = ()
    topic_sensitive: bool = False
    readability_agent: float | None = None
    sentence_words_agent: float | None = None
    score: float | None = None
    potential_score: float | None = None
    normalized_score: float | None = None
    compliance_status: Status | None = None
    items: Mapping[str, Status] = field(default_factory=dict)
    criteria: tuple[CriterionRow, ...] = ()
    promises: tuple[PromiseRow, ...] = ()

    @property
    def columns(self) -> dict[str, Any]:
        """Return the columns of `calls` that come from what was said."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("items", "criteria", "promises")}


class Scorer:
    """Scorecard, promises, topics and plain language, loaded once: all that comes from words and not from sound."""

    def __init__(self, config: Config, detector: Detector | None = None) -> None:
        """`detector` is the scorecard of `config` if it was loaded before.

        Raises ConfigError for a mistake in the phrase files, the topics or the items.
        """
        self._config = config
        self.detector = detector or load_detector(config)
        self._find_topic = load_topics(config)
        self._signals = frozenset(c.id for c in self.detector.files.criteria if c.polarity == "signal")

    def __call__(self, transcript: Transcript) -> ScoredTranscript:
        """Evidence and promises quote the transcript as given, so it has to be redacted before."""
        said = self.detector.read(transcript)
        criteria = self.detector.judge(said)
        promises = promises_in(said, self.detector, self._config)
        scores = score_items(criteria, promises, self._config.scorecard, self._signals)
        topic = self._find_topic(transcript)
        plainness = measure_plainness(transcript.turns, "agent")
        return ScoredTranscript(
            topic=topic.main,
            topic_probability=topic.probability,
            topics=topic.topics,
            topic_sensitive=topic.is_sensitive,
            readability_agent=plainness.readability,
            sentence_words_agent=plainness.sentence_words,
            score=scores.score,
            potential_score=scores.potential_score,
            normalized_score=scores.normalized_score,
            compliance_status=scores.compliance_status,
            items=scores.items,
            criteria=criteria,
            promises=promises,
        )


def stored_transcript(result: CallResult) -> Transcript:
    """Return a stored call's transcript, put together again as `Worker.analyze` had it."""
    turns = tuple(
        Turn(
            t.turn_index, cast("Role", t.role), t.start_ms, t.end_ms, t.text,
            tuple(Word(w.text, w.start_ms, w.end_ms, w.confidence) for w in t.words), t.channel, t.speaker,
        )
        for t in result.turns
    )  # fmt: skip
    events = tuple(Event(cast("EventType", e.type), e.by, e.start_ms, e.end_ms) for e in result.events)
    holds = tuple((event.start_ms, event.end_ms) for event in events if event.type == "hold")
    return Transcript(result.call.call_id, result.call.started_at, turns, holds, events, result.call.duration_ms)


def rescored(result: CallResult, scorer: Scorer, config: Config) -> CallResult:
    """Return the stored call with the scores that `scorer` gives its stored words; everything else stands.

    What was not scorable stays so.
    """
    row, transcript = result.call, stored_transcript(result)
    verdict = ScoredTranscript() if row.not_scorable_reason else scorer(transcript)
    return replace(
        result,
        call=replace(row, **verdict.columns, scorecard_version=config.scorecard.version),
        criteria=verdict.criteria,
        promises=verdict.promises,
        items=verdict.items,
    )


def superseded(old: CallResult, now: datetime) -> ScoreHistoryRow:
    """Return the scores of a call as they are kept when others take their place at `now`."""
    row = old.call
    return ScoreHistoryRow(
        call_id=row.call_id,
        scorecard_version=row.scorecard_version,
        scoring_fingerprint=row.scoring_fingerprint or "",
        score=row.score,
        potential_score=row.potential_score,
        normalized_score=row.normalized_score,
        compliance_status=row.compliance_status,
        criteria=tuple(OldStatus(c.criterion, c.status, c.probability) for c in old.criteria),
        superseded_at=now,
    )
