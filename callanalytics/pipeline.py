"""The whole way of a call, readable in one screen: recording -> words -> turns -> roles -> redacted -> scored.

A `Worker` holds the models of one process.  It takes calls in groups, because recognition fills its batches from all
of them; every call still comes out on its own, as a CallResult or as the reason why not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from callanalytics import __version__
from callanalytics.audio import Recording, decode_recording
from callanalytics.config import Config, hash_of, project_root
from callanalytics.criteria import load_detector
from callanalytics.criteria.promises import promises_in
from callanalytics.diarize import Diarizer
from callanalytics.dutch import dutch_fingerprint
from callanalytics.errors import CallError
from callanalytics.features import measure
from callanalytics.models import model_fingerprint, sha256_of
from callanalytics.pseudonyms import Pseudonyms
from callanalytics.records import (
    SCHEMA_VERSION,
    CallResult,
    CallRow,
    CallSource,
    EventRow,
    Role,
    Segment,
    StoredWord,
    Transcript,
    Turn,
    TurnRow,
)
from callanalytics.redact import Redactor
from callanalytics.roles import RoleModel, assign_roles
from callanalytics.speech import Activity, SpeechDetector, merge
from callanalytics.topics import load_topics
from callanalytics.transcribe import Hypothesis, Track, Transcriber
from callanalytics.turns import assign_speakers, find_events, join_turns

MIN_SPEECH_MS = 3000  # less speech than this is no conversation
MIN_LANGUAGE_PROBABILITY = 0.05  # below it the recogniser hears another language; bad Dutch lines stay above 0.1
T = TypeVar("T")
NEVER = datetime.fromtimestamp(0, UTC)  # a worker keeps no time: the engine fills it in


@dataclass(frozen=True, slots=True)
class Heard:
    """A decoded call, before anything is recognised."""

    call: CallSource
    recording: Recording
    activity: Activity

    @property
    def tracks(self) -> list[Track]:
        """One per channel."""
        return [Track(s, spans) for s, spans in zip(self.recording.samples, self.activity.speech, strict=True)]

    @property
    def speech(self) -> tuple[tuple[int, int], ...]:
        """Spans in which anybody speaks."""
        return merge([span for channel in self.activity.speech for span in channel], 0)


class Worker:
    """All stages with their models, loaded once; call it with any number of calls."""

    def __init__(self, config: Config, threads: int = 0) -> None:
        """`threads` 0 means all cores.  Raises the errors of the stages' constructors."""
        self._config = config
        self._threads = threads
        self._pseudonym = Pseudonyms(config.privacy)
        self._find_speech = SpeechDetector(config.speech)
        self._transcribe = Transcriber(config.recognition, config.models, config.municipality, threads)
        self._role_model = RoleModel(project_root() / "models" / "roles", config.roles.min_confidence)
        self._redact = Redactor(config)
        self._detect = load_detector(config)
        self._find_topic = load_topics(config)
        self._clock: dict[str, float] = {}
        self._current = ""

    @cached_property
    def _diarize(self) -> Diarizer:
        # Only mono recordings need it, and it takes as long to load as everything else together.
        return Diarizer(self._config.diarization, self._config.models, self._threads)

    def __call__(self, calls: Sequence[CallSource]) -> tuple[list[CallResult | CallError], dict[str, int]]:
        """The result or the error of each call, in the order given, and the wall time per stage in ms."""
        self._clock = {}
        heard = [self._attempt(call, partial(self.listen, call)) for call in calls]
        hypotheses = self._transcribe_all([h for h in heard if isinstance(h, Heard)])
        results: list[CallResult | CallError] = []
        for call, one in zip(calls, heard, strict=True):
            if isinstance(one, CallError):
                results.append(one)
                continue
            said = hypotheses[call.call_id]
            if isinstance(said, CallError):
                results.append(said)
            else:
                results.append(self._attempt(call, partial(self.understand, one, said)))
        return results, {stage: round(seconds * 1000) for stage, seconds in self._clock.items()}

    def listen(self, call: CallSource) -> Heard:
        """Decode a call and find where somebody speaks."""
        with self._stage("decode"):
            recording = decode_recording(call.path, call.call_id, self._config.audio)
        with self._stage("speech"):
            return Heard(call, recording, self._find_speech(recording))

    def understand(self, heard: Heard, hypotheses: Sequence[Hypothesis]) -> CallResult:
        """Everything after recognition; `hypotheses` has one entry per channel."""
        call, activity = heard.call, heard.activity
        with self._stage("diarize"):
            turns = self._turns(heard, hypotheses)
        with self._stage("roles"):
            turns, assignment = assign_roles(self._role_model, turns, self._channel_roles(heard))
            events = find_events(turns, activity.holds, heard.speech, heard.recording.duration_ms, self._config.turns)
        with self._stage("redact"):
            transcript = Transcript(
                call.call_id, call.started_at, tuple(turns), activity.holds, tuple(events), heard.recording.duration_ms
            )
            redacted = self._redact(transcript).transcript
        reason = self._why_not_scorable(heard, hypotheses, turns)
        with self._stage("score"):
            said = self._detect.read(redacted)
            criteria = () if reason else self._detect.judge(said)
            promises = () if reason else promises_in(said, self._detect, self._config)
            topic, probability = ("onbekend", 0.0) if reason else self._find_topic(redacted)
            score, potential, normalized = self._detect.score(criteria) if criteria else (None, None, None)
        measures = measure(turns, events, heard.speech, activity.holds, heard.recording.duration_ms)
        agent_channels = [t.channel for t in turns if t.role == "agent" and t.channel is not None]
        row = CallRow(
            call_id=call.call_id,
            started_at=call.started_at,
            duration_ms=heard.recording.duration_ms,
            queue=call.queue,
            direction=call.direction,
            agent_ref=self._pseudonym("agent", call.agent_id),
            caller_ref=self._pseudonym("caller", call.caller_ref),
            wait_s=call.wait_s,
            recording=call.recording,
            recording_sha256=heard.recording.sha256,
            layout=heard.recording.layout,
            agent_channel=max(set(agent_channels), key=agent_channels.count) if agent_channels else None,
            role_confidence=round(assignment.confidence, 4),
            language_probability=_language(hypotheses),
            **asdict(measures),
            topic=topic,
            topic_probability=round(probability, 4),
            scorable=reason is None,
            not_scorable_reason=reason,
            score=score,
            potential_score=potential,
            normalized_score=normalized,
            schema_version=SCHEMA_VERSION,
            pipeline_fingerprint="",
            scorecard_version=self._detect.version,
            run_id="",
            processed_at=NEVER,
        )
        zone = ZoneInfo(self._config.municipality.timezone)
        return CallResult(
            call=row,
            turns=tuple(_turn_row(call.call_id, turn) for turn in redacted.turns),
            criteria=criteria,
            promises=promises,
            events=tuple(EventRow(call.call_id, e.type, e.by, e.start_ms, e.end_ms) for e in events),
            local_date=call.started_at.astimezone(zone).date().isoformat() if call.started_at else None,
        )

    def _transcribe_all(self, heard: Sequence[Heard]) -> dict[str, list[Hypothesis] | CallError]:
        """Recognise all calls together; when that fails, one by one, so that only the call at fault is lost."""
        try:
            with self._stage("transcribe"):
                flat = self._transcribe([track for h in heard for track in h.tracks])
        except Exception:
            if len(heard) == 1:
                call = heard[0].call
                reason = "speech recognition broke down on it; try again, and report its format if it stays."
                return {call.call_id: CallError(call_id=call.call_id, stage="transcribe", reason=reason)}
            return {k: v for h in heard for k, v in self._transcribe_all([h]).items()}
        found = iter(flat)
        return {h.call.call_id: [next(found) for _ in h.tracks] for h in heard}

    def _turns(self, heard: Heard, hypotheses: Sequence[Hypothesis]) -> list[Turn]:
        if heard.recording.layout == "stereo":
            labels = {f"channel {i}": i for i in range(len(hypotheses))}
            words = [(w, f"channel {i}") for i, h in enumerate(hypotheses) for w in h.words]
            return join_turns(words, self._config.turns, labels)
        words_ = hypotheses[0].words
        exclusive: list[Segment] = []
        if words_:
            _, exclusive = self._diarize(heard.recording.samples[0], heard.activity.speech[0])
        return join_turns(assign_speakers(words_, exclusive), self._config.turns)

    def _channel_roles(self, heard: Heard) -> dict[int, Role] | None:
        if heard.recording.layout != "stereo":
            return None
        known = heard.call.agent_channel
        if known is None and self._config.audio.agent_channel != "auto":
            known = int(self._config.audio.agent_channel)
        return None if known is None else {known: "agent"}

    def _why_not_scorable(
        self, heard: Heard, hypotheses: Sequence[Hypothesis], turns: Sequence[Turn]
    ) -> str | None:
        if heard.recording.is_silent:
            return "silent"
        speech_ms = sum(end - start for start, end in heard.speech)
        if speech_ms == 0 or not turns:
            return "no_speech"
        if speech_ms < MIN_SPEECH_MS:
            return "too_short"
        language = _language(hypotheses)
        if language is not None and language < MIN_LANGUAGE_PROBABILITY:
            return "other_language"
        roles = {turn.role for turn in turns}
        if not {"agent", "citizen"} & roles:
            return "roles_unknown"
        return None if {"agent", "citizen"} <= roles else "one_party"

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        started, self._current = time.perf_counter(), name
        try:
            yield
        finally:
            self._clock[name] = self._clock.get(name, 0.0) + time.perf_counter() - started

    def _attempt(self, call: CallSource, work: Callable[[], T]) -> T | CallError:
        """One bad recording costs one row of failures, whatever is wrong with it."""
        try:
            return work()
        except CallError as error:
            return error
        except Exception as error:
            # The error's own text may hold what was said, so only its kind is told.
            reason = f"an unexpected {type(error).__name__}; try again, and report its format if it stays."
            return CallError(call_id=call.call_id, stage=self._current, reason=reason)


def _language(hypotheses: Sequence[Hypothesis]) -> float | None:
    """Mean probability over the channels that speak, weighed by their words."""
    heard = [(h.language_probability, len(h.words)) for h in hypotheses if h.language_probability is not None]
    total = sum(n for _, n in heard)
    return round(sum(p * n for p, n in heard if p is not None) / total, 4) if total else None


def _turn_row(call_id: str, turn: Turn) -> TurnRow:
    words = tuple(StoredWord(w.text, w.start_ms, w.end_ms, w.confidence) for w in turn.words)
    return TurnRow(call_id, turn.turn_index, turn.role, turn.channel, turn.start_ms, turn.end_ms, turn.text, words)


def fingerprint(config: Config) -> str:
    """Hash of everything that can change a row: settings, software, weights, trained models, rules, key.

    Needs no model in memory, so a run can tell at once what is left to do.
    """
    root = project_root()
    files = [
        *sorted((root / "models" / "roles").glob("*.skops")),
        *sorted(config.resolve(config.scorecard.criteria).glob("*.toml")),
        config.resolve(config.topics.path),
        *sorted((Path(__file__).parent / "lexicon").glob("*.txt")),
    ]
    return hash_of(
        __version__,
        config.fingerprint(),
        {name: model_fingerprint(name) for name in config.models.used},
        {file.name: sha256_of(file) for file in files},
        dutch_fingerprint(config),
        Pseudonyms(config.privacy).fingerprint,
    )
