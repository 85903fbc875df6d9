"""The whole way of a call, readable in one screen: recording -> words -> turns -> roles -> redacted -> scored.

A `Worker` holds the models of one process.  It takes calls in groups, because recognition fills its batches from all
of them; every call still comes out on its own, as a CallResult or as the reason why not.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from threading import Lock
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from callanalytics.call.audio import Recording, decode_recording
from callanalytics.call.diarize import Diarizer
from callanalytics.call.features import measure
from callanalytics.call.memory import give_back, keep_no_dumps, share_heap
from callanalytics.call.roles import RoleModel, assign_roles
from callanalytics.call.speech import Activity, SpeechDetector
from callanalytics.call.transcribe import Hypothesis, Track, Transcriber
from callanalytics.call.turns import assign_speakers, find_events, join_turns
from callanalytics.config import Config, project_root
from callanalytics.errors import CallError
from callanalytics.privacy.pseudonyms import Pseudonyms
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
from callanalytics.redaction.redactor import Redactor
from callanalytics.scoring import load_detector
from callanalytics.scoring.phrases import CriteriaFiles
from callanalytics.scoring.scorer import ScoredTranscript, Scorer
from callanalytics.spans import length, merge
from callanalytics.store.bucket import local_copy
from callanalytics.texts import Message

MIN_SPEECH_MS = 3000  # less speech than this is no conversation
MIN_LANGUAGE_PROBABILITY = 0.05  # below it the recogniser hears another language; bad Dutch lines stay above 0.1
UNDER_WAY = 2  # shards of a worker at a time, so that no lane waits for the last batch of one
HEAVY = {"speech", "transcribe", "diarize"}  # stages
T = TypeVar("T")
ShardOutcome = tuple[list[CallResult | CallError], dict[str, int]]  # of a shard: results in order, ms per stage
NEVER = datetime.fromtimestamp(0, UTC)  # a worker keeps no time: the engine fills it in


@dataclass(frozen=True, slots=True)
class DecodedCall:
    """A decoded call, before anything is recognised."""

    call: CallSource
    recording: Recording
    activity: Activity

    @property
    def tracks(self) -> list[Track]:
        """Return one per channel."""
        return [Track(s, spans) for s, spans in zip(self.recording.samples, self.activity.speech, strict=True)]

    @property
    def is_mixed(self) -> bool:
        """Return whether the parties share a channel."""
        return self.recording.layout != "stereo"

    @property
    def speech(self) -> tuple[tuple[int, int], ...]:
        """Spans in which anybody speaks."""
        return merge([span for channel in self.activity.speech for span in channel], 0)


@dataclass(frozen=True, slots=True)
class TextModels:
    """What reads words: models that are of use only once something is recognised."""

    role_model: RoleModel
    redact: Redactor
    score: Scorer

    @classmethod
    def load(cls, config: Config, files: CriteriaFiles | None) -> TextModels:
        """Raises ConfigError and InputError for what can't be used."""
        roles = RoleModel(project_root() / "models" / "roles", config.roles.min_confidence)
        return cls(roles, Redactor(config), Scorer(config, load_detector(config, files)))


class Worker:
    """All stages with their models, loaded once; call it with any number of calls.

    It works in lanes, a thread of one core each: recordings are decoded, batches of windows recognised and speakers
    told apart side by side.  That is faster than all cores on one batch, whose many small steps wait for each other.
    """

    def __init__(self, config: Config, threads: int = 0, files: CriteriaFiles | None = None) -> None:
        """`threads` is the number of lanes, 0 means all cores; `files` the phrase files if they were read before.

        Raises the errors of the stages' constructors, those of `TextModels.load` when it is called.
        """
        share_heap()
        keep_no_dumps()
        self._config = config
        self._lane_count = threads or os.cpu_count() or 1
        self._lanes = ThreadPoolExecutor(self._lane_count, "lane")
        self._pseudonym = Pseudonyms(config.privacy)
        self._find_speech = SpeechDetector(config.speech)
        self._transcribe = Transcriber(config.recognition, config.models, config.municipality, self._lane_count)
        # What is loaded beside the first recordings, one after the other: Python can't import related libraries in
        # two threads at a time.
        self._loader = ThreadPoolExecutor(1, "loader")
        self._files = files
        self._loaded: Future[TextModels] | None = None
        self._clock: dict[str, float] = {}
        self._keeping, self._analyzing = Lock(), Lock()
        self.on_step: Callable[[float], object] = lambda decoded_s: None  # a sign of life; seconds of what was decoded

    @cached_property
    def _diarize(self) -> Diarizer:
        # Only mono recordings need it, and it takes as long to load as everything else together.
        return Diarizer(self._config.diarization, self._config.models)

    @property
    def _text_models(self) -> Future[TextModels]:
        with self._keeping:
            if self._loaded is None:
                self._loaded = self._loader.submit(TextModels.load, self._config, self._files)
            return self._loaded

    def stream(
        self, upcoming: Callable[[], list[CallSource] | None]
    ) -> Iterator[tuple[list[CallSource], ShardOutcome]]:
        """Shards of calls with their outcomes, in order, until `upcoming` has none.

        UNDER_WAY of them are worked on at a time.
        """
        running: deque[tuple[list[CallSource], Future[ShardOutcome]]] = deque()
        with ThreadPoolExecutor(UNDER_WAY, "shard") as pool:
            try:
                while True:
                    while len(running) < UNDER_WAY and (shard := upcoming()):
                        running.append((shard, pool.submit(self, shard)))
                    if not running:
                        return
                    shard, future = running.popleft()
                    yield shard, future.result()
            except BaseException:
                # Nobody wants the rest: without it the process would go on for minutes after Ctrl-C.
                self._lanes.shutdown(wait=False, cancel_futures=True)
                self._lanes = ThreadPoolExecutor(self._lane_count, "lane")
                raise

    def __call__(self, calls: Sequence[CallSource]) -> ShardOutcome:
        """Return the result or the error of each call, in the order given, and the time spent per stage in ms."""
        decoding = [self._lanes.submit(self._attempt, partial(self.decode, call)) for call in calls]
        attempts = [future.result() for future in decoding]
        decoded = [one for one in attempts if isinstance(one, DecodedCall)]
        speakers = {
            d.call.call_id: self._loader.submit(self._start_diarizing, d) for d in decoded if d.is_mixed and d.speech
        }
        # Beside the first words: mostly the import of libraries.  Beside the decoding of a recording, which asks for
        # Python's lock with every packet, it would make that ten times slower.
        text_models = self._text_models
        hypotheses = self._transcribe_all(decoded)
        text_models.result()  # outside of a call's stages: what is wrong with it is wrong for every call
        results: list[CallResult | CallError] = []
        for one in attempts:
            if isinstance(one, CallError):
                results.append(one)
                continue
            said = hypotheses[one.call.call_id]
            segments = speakers[one.call.call_id].result().result() if one.call.call_id in speakers else []
            if isinstance(said, CallError):
                results.append(said)
            elif isinstance(segments, CallError):
                results.append(segments)
            else:
                with self._analyzing:  # language models keep state, and two threads of Python are no faster
                    results.append(self._attempt(partial(self.analyze, one, said, segments)))
        with self._keeping:
            spent, self._clock = self._clock, {}
        return results, {stage: round(seconds * 1000) for stage, seconds in spent.items()}

    def decode(self, call: CallSource) -> DecodedCall:
        """Decode a call and find where somebody speaks."""
        with local_copy(call.path, call.call_id, self._config.storage) as path, self._stage(call, "decode"):
            recording = decode_recording(path, call.call_id, self._config.audio)
            if call.sha256 not in (None, recording.sha256):
                reason = Message("errors.recording_changed_while_read")
                raise CallError(call_id=call.call_id, stage="decode", reason=reason, state="failed")
        self.on_step(recording.duration_ms / 1000)
        with self._stage(call, "speech"):
            return DecodedCall(call, recording, self._find_speech(recording))

    def _start_diarizing(self, decoded: DecodedCall) -> Future[list[Segment] | CallError]:
        """Load the diarizer if need be, then pass the call on to a lane, so that none waits for the loading."""

        def load() -> Diarizer:
            with self._stage(decoded.call, "load"):
                return self._diarize

        loaded = self._attempt(load)
        if isinstance(loaded, CallError):
            failed: Future[list[Segment] | CallError] = Future()
            failed.set_result(loaded)
            return failed
        return self._lanes.submit(self._attempt, partial(self.diarize, decoded))

    def diarize(self, decoded: DecodedCall) -> list[Segment]:
        """Return who speaks when in a call whose parties share a channel; nobody at two places at once."""
        with self._stage(decoded.call, "diarize"):
            _, exclusive = self._diarize(decoded.recording.samples[0], decoded.activity.speech[0])
            return exclusive

    def analyze(
        self, decoded: DecodedCall, hypotheses: Sequence[Hypothesis], segments: Sequence[Segment]
    ) -> CallResult:
        """Everything after recognition and diarization; `hypotheses` has one entry per channel."""
        call, holds, text_models = decoded.call, decoded.activity.holds, self._text_models.result()
        speech, duration_ms = decoded.speech, decoded.recording.duration_ms
        with self._stage(call, "turns"):
            turns = self._turns(decoded, hypotheses, segments)
        with self._stage(call, "roles"):
            turns, assignment = assign_roles(text_models.role_model, turns, self._channel_roles(decoded))
            events = find_events(turns, holds, speech, duration_ms, self._config.turns)
        with self._stage(call, "redact"):
            transcript = Transcript(call.call_id, call.started_at, tuple(turns), holds, tuple(events), duration_ms)
            redacted = text_models.redact(transcript).transcript
        reason = self._why_not_scorable(decoded, hypotheses, turns)
        with self._stage(call, "score"):
            verdict = ScoredTranscript() if reason else text_models.score(redacted)
        with self._stage(call, "features"):
            measures = measure(turns, events, speech, holds, duration_ms)
        may_tell_agents = self._config.privacy.agents_may_be_told_apart
        agent_channels = [t.channel for t in turns if t.role == "agent" and t.channel is not None]
        row = CallRow(
            call_id=call.call_id,
            started_at=call.started_at,
            duration_ms=duration_ms,
            queue=call.queue,
            direction=call.direction,
            agent_ref=self._pseudonym("agent", call.agent_id if may_tell_agents else None),
            caller_ref=self._pseudonym("caller", call.caller_ref),
            wait_s=call.wait_s,
            recording=call.recording,
            recording_sha256=decoded.recording.sha256,
            layout=decoded.recording.layout,
            agent_channel=max(set(agent_channels), key=agent_channels.count) if agent_channels else None,
            role_confidence=round(assignment.confidence, 4),
            language_probability=_language(hypotheses),
            **asdict(measures),
            **verdict.columns,
            scorable=reason is None,
            not_scorable_reason=reason,
            schema_version=SCHEMA_VERSION,
            pipeline_fingerprint="",
            scoring_fingerprint="",
            scorecard_version=self._config.scorecard.version,
            run_id="",
            processed_at=NEVER,
        )
        zone = ZoneInfo(self._config.municipality.timezone)
        return CallResult(
            call=row,
            turns=tuple(_turn_row(call.call_id, turn) for turn in redacted.turns),
            criteria=verdict.criteria,
            promises=verdict.promises,
            events=tuple(EventRow(call.call_id, e.type, e.by, e.start_ms, e.end_ms) for e in events),
            items=verdict.items,
            local_date=call.started_at.astimezone(zone).date().isoformat() if call.started_at else None,
        )

    def _transcribe_all(self, decoded: Sequence[DecodedCall]) -> dict[str, list[Hypothesis] | CallError]:
        """Recognise all calls together; when that fails, one by one, so that only the call at fault is lost."""

        def in_lanes(work: Callable[..., T], batches: Iterable[Any]) -> Iterable[T]:
            return self._lanes.map(partial(self._recognised, work), batches)

        try:
            # The models that tell speakers apart take as much memory as half the batch saves.
            is_tight = "_diarize" in self.__dict__ or any(h.is_mixed for h in decoded)
            flat = self._transcribe([track for h in decoded for track in h.tracks], in_lanes, is_tight=is_tight)
        except Exception:
            if len(decoded) == 1:
                call = decoded[0].call
                reason = Message("errors.speech_recognition_broke_down")
                error = CallError(call_id=call.call_id, stage="transcribe", reason=reason, state="failed")
                return {call.call_id: error}
            return {k: v for h in decoded for k, v in self._transcribe_all([h]).items()}
        found = iter(flat)
        return {h.call.call_id: [next(found) for _ in h.tracks] for h in decoded}

    def _turns(self, decoded: DecodedCall, hypotheses: Sequence[Hypothesis], segments: Sequence[Segment]) -> list[Turn]:
        if decoded.is_mixed:
            return join_turns(assign_speakers(hypotheses[0].words, segments), self._config.turns)
        labels = {f"channel {i}": i for i in range(len(hypotheses))}
        words = [(w, f"channel {i}") for i, h in enumerate(hypotheses) for w in h.words]
        return join_turns(words, self._config.turns, labels)

    def _channel_roles(self, decoded: DecodedCall) -> dict[int, Role] | None:
        if decoded.is_mixed:
            return None
        known = decoded.call.agent_channel
        if known is None and self._config.audio.agent_channel != "auto":
            known = int(self._config.audio.agent_channel)
        return None if known is None else {known: "agent"}

    def _why_not_scorable(
        self, decoded: DecodedCall, hypotheses: Sequence[Hypothesis], turns: Sequence[Turn]
    ) -> str | None:
        if decoded.recording.is_silent:
            return "silent"
        speech_ms = length(decoded.speech)
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
    def _stage(self, call: CallSource, name: str) -> Iterator[None]:
        """Keep the time, and turn whatever goes wrong into the call's error: one bad recording costs one row."""
        with self._clocked(name):
            try:
                yield
            except CallError:
                raise
            except Exception as error:
                # The error's own text may hold what was said, so only its kind is told.
                reason = Message("errors.unexpected_try_again_report", error=type(error).__name__)
                raise CallError(call_id=call.call_id, stage=name, reason=reason, state="failed") from None

    @contextmanager
    def _clocked(self, name: str) -> Iterator[None]:
        """Add to the time of a stage; the memory that a heavy one leaves goes back to the system."""
        started = time.perf_counter()
        try:
            yield
        finally:
            if name in HEAVY:
                give_back()
            seconds = time.perf_counter() - started
            with self._keeping:
                self._clock[name] = self._clock.get(name, 0.0) + seconds
            self.on_step(0.0)

    def _recognised(self, work: Callable[[Any], T], batch: Any) -> T:
        with self._clocked("transcribe"):
            return work(batch)

    @staticmethod
    def _attempt(work: Callable[[], T]) -> T | CallError:
        try:
            return work()
        except CallError as error:
            return error


def _language(hypotheses: Sequence[Hypothesis]) -> float | None:
    """Mean probability over the channels that speak, weighed by their words."""
    known = [(h.language_probability, len(h.words)) for h in hypotheses if h.language_probability is not None]
    total = sum(n for _, n in known)
    return round(sum(p * n for p, n in known) / total, 4) if total else None


def _turn_row(call_id: str, turn: Turn) -> TurnRow:
    words = tuple(StoredWord(w.text, w.start_ms, w.end_ms, w.confidence) for w in turn.words)
    return TurnRow(
        call_id, turn.turn_index, turn.role, turn.channel, turn.speaker, turn.start_ms, turn.end_ms, turn.text, words
    )

