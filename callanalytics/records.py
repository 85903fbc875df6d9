"""The values that cross modules, and the Arrow schemas of the datasets derived from them.

Times inside a call are integer milliseconds from its start, half-open [start_ms, end_ms), so equality is exact.
A row class is a dataset: its fields are the columns, `column(...)` carries each column's description, and
`arrow_schema` turns both into the schema that `store` writes and `callanalytics schema` prints.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 2  # 2: turns.speaker, calls.scoring_fingerprint, items, topics, score_history

Role = Literal["agent", "citizen", "ivr", "unknown"]
Layout = Literal["stereo", "mono", "dual_mono"]
Status = Literal["met", "not_met", "not_applicable", "uncertain"]
EventType = Literal["hold", "dead_air", "overlap", "interruption", "transfer"]
Span = tuple[int, int]  # start_ms, end_ms


# --- values on the way from recording to rows -----------------------------------------------------------------------


FailureState = Literal["failed", "final", "quarantined"]


@dataclass(frozen=True, slots=True)
class CallSource:
    """One recording to process and what is known about it before anyone listens.

    `recording` is the path as the user gave it, `path` where it can be opened: a file's path, or a URL of object
    storage.  `started_at` is null when nobody said when the call began: promises then keep their words but get no date.
    """

    call_id: str
    recording: str
    path: str
    started_at: datetime | None = None
    agent_id: str | None = None
    queue: str | None = None
    direction: str | None = None
    agent_channel: int | None = None
    caller_ref: str | None = None
    wait_s: float | None = None
    sha256: str | None = None  # of the recording when the run was planned; of an object in storage not known
    modified_at: datetime | None = None  # of an object in storage: when it was last written


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word with the recogniser's own probability."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch in which one speaker speaks; `speaker` is a label without meaning outside its call."""

    speaker: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says until another takes over or a long pause falls.

    `words` may be empty for a transcript made elsewhere; `start_ms`/`end_ms` then stand for all of `text`.
    """

    turn_index: int
    role: Role
    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] = ()
    channel: int | None = None
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A timed event of the call; `by` is the role that caused it, "" when nobody in particular did."""

    type: EventType
    by: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Transcript:
    """A call as text: the input of redaction, criteria, promises and topics, and of `callanalytics score`."""

    call_id: str
    started_at: datetime | None
    turns: tuple[Turn, ...]
    holds: tuple[Span, ...] = ()
    events: tuple[Event, ...] = ()
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where in the call something was found; `quote` is redacted text."""

    turn_index: int
    role: str
    start_ms: int
    end_ms: int
    quote: str
    alternative: str | None = None  # for jargon: what to say instead


def column(description: str, **kwargs: Any) -> Any:
    """A dataclass field that is a column with this description in the Arrow schema."""
    return field(metadata={"description": description}, **kwargs)


# --- rows: one class per dataset ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredWord:
    """A word of a stored turn, its text redacted."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True, slots=True)
class TopicShare:
    """A topic that a call is likely about."""

    topic: str
    probability: float


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call: measures, topic and score.  `arrow_schema` adds a column per item and two per criterion."""

    call_id: str = column("identifier of the call")
    started_at: datetime | None = column("start of the call, UTC; null when nobody gave it")
    duration_ms: int = column("length of the recording in decoded samples")
    queue: str | None = column("queue the call came in on")
    direction: str | None = column("inbound or outbound")
    agent_ref: str | None = column("keyed hash (HMAC-SHA-256) of the agent's id")
    caller_ref: str | None = column("keyed hash (HMAC-SHA-256) of the caller's reference")
    wait_s: float | None = column("seconds the caller waited before the call was answered")
    recording: str = column("recording as named in the input")
    recording_sha256: str = column("sha256 of the recording's bytes")
    layout: str = column("stereo (a party per channel), mono, or dual_mono (two identical channels)")
    agent_channel: int | None = column("channel that carries the agent, null when the layout has none")
    role_confidence: float = column("probability that the roles are right; low values mean roles stay unknown")
    language_probability: float | None = column("the recogniser's probability that Dutch is spoken")
    asr_confidence: float | None = column("mean probability of the recognised words")
    speech_ms: int = column("time in which at least one party speaks")
    talk_ms_agent: int = column("time the agent side speaks")
    talk_ms_citizen: int = column("time the citizen speaks")
    talk_ratio_agent: float | None = column("agent's share of the time agent and citizen speak")
    non_talk_ms: int = column("time in which nobody speaks, holds included")
    max_non_talk_ms: int = column("longest stretch in which nobody speaks outside holds")
    hold_ms: int = column("time on hold")
    hold_count: int = column("number of holds")
    overlap_ms: int = column("time agent and citizen speak at once")
    interruptions_agent: int = column("times the agent interrupts the citizen")
    interruptions_citizen: int = column("times the citizen interrupts the agent")
    wpm_agent: float | None = column("agent's words a minute of own speech")
    wpm_citizen: float | None = column("citizen's words a minute of own speech")
    response_latency_ms_agent: int | None = column("median pause between the citizen's turn and the agent's answer")
    readability_agent: float | None = column(
        "Flesch-Douma reading ease of the agent's sentences, 206.84 - 77 x syllables per word - 0.93 x words per "
        "sentence (W.H. Douma 1960): higher is easier, 80 or more is easy; a sentence ends at a mark or with the turn; "
        "null below 50 words"
    )
    sentence_words_agent: float | None = column(
        "the agent's words per sentence, sentences under 3 words left out; null below 50 words"
    )
    turns_agent: int = column("number of turns of the agent side")
    turns_citizen: int = column("number of turns of the citizen")
    topic: str = column("main reason of the call, onbekend when unsure")
    topic_probability: float = column("probability of the topic; of the likeliest one when topic is onbekend")
    topics: tuple[TopicShare, ...] = column("all topics that are likely, the main one first")
    topic_sensitive: bool = column("whether a sensitive topic (care, debt, youth, ...) may be among them")
    scorable: bool = column("whether the call could be scored")
    not_scorable_reason: str | None = column("why it could not be scored")
    score: float | None = column("points gained on the applicable, decided items of the scorecard")
    potential_score: float | None = column("points that could have been gained on them")
    normalized_score: float | None = column("score / potential_score, 0 to 1")
    compliance_status: str | None = column(
        "met, not_met, uncertain or not_applicable: what the law asks for, apart from the score; null when not scored"
    )
    schema_version: int = column("version of these columns")
    pipeline_fingerprint: str = column("hash of all that made the words and measures of this row")
    scoring_fingerprint: str = column("what made the scores, a hash each: card, phrases, models, topics, municipality")
    scorecard_version: str = column("version of the scorecard")
    run_id: str = column("run that wrote this row")
    processed_at: datetime = column("when the row was made, UTC")


@dataclass(frozen=True, slots=True)
class TurnRow:
    """A turn of a call, redacted."""

    call_id: str = column("identifier of the call")
    turn_index: int = column("position of the turn in the call, from 0")
    role: str = column("agent, citizen, ivr or unknown")
    channel: int | None = column("channel of the recording, null for mono")
    speaker: str = column("label that tells the speakers of this call apart, without meaning outside it")
    start_ms: int = column("start of the turn, ms from the start of the call")
    end_ms: int = column("end of the turn, ms from the start of the call")
    text: str = column("what was said, personal data replaced by placeholders")
    words: tuple[StoredWord, ...] = column("the words with their times and the recogniser's probability")


@dataclass(frozen=True, slots=True)
class CriterionRow:
    """A criterion applied to a call, with the evidence."""

    call_id: str = column("identifier of the call")
    criterion: str = column("identifier of the criterion")
    applicable: bool = column("whether the criterion applied to this call")
    detected: bool = column("whether the behaviour was found")
    status: str = column("met, not_met, not_applicable or uncertain")
    probability: float = column("probability that the behaviour occurred")
    source: str = column("rule, model, both or metric")
    evidence: tuple[Evidence, ...] = column("moments that support the status")
    scorecard_version: str = column("version of the scorecard")


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """Something the agent side promised the citizen."""

    call_id: str = column("identifier of the call")
    promise_index: int = column("position of the promise in the call, from 0")
    type: str = column("callback, action, letter_or_email or visit")
    by: str | None = column("who is to do it, as said, redacted")
    deadline_text: str | None = column("the deadline as said")
    due_at: datetime | None = column("the deadline resolved from the start of the call, UTC; null when vague or absent")
    number_confirmed: bool | None = column("for a callback: whether the number was checked")
    quote: str = column("the promise as said, redacted")
    start_ms: int = column("start, ms from the start of the call")
    end_ms: int = column("end, ms from the start of the call")


@dataclass(frozen=True, slots=True)
class EventRow:
    """A timed event of a call."""

    call_id: str = column("identifier of the call")
    type: str = column("hold, dead_air, overlap, interruption or transfer")
    by: str = column("role that caused it, empty when nobody in particular did")
    start_ms: int = column("start, ms from the start of the call")
    end_ms: int = column("end, ms from the start of the call")


@dataclass(frozen=True, slots=True)
class OldStatus:
    """What an earlier scorecard said of a criterion."""

    criterion: str
    status: str
    probability: float


@dataclass(frozen=True, slots=True)
class ScoreHistoryRow:
    """What an earlier scorecard made of a call; `rescore` keeps it when a new one takes its place."""

    call_id: str = column("identifier of the call")
    scorecard_version: str = column("version of the scorecard that was superseded")
    scoring_fingerprint: str = column("what had made these scores")
    score: float | None = column("points gained")
    potential_score: float | None = column("points that could have been gained")
    normalized_score: float | None = column("score / potential_score, 0 to 1")
    compliance_status: str | None = column("met, not_met, uncertain or not_applicable")
    criteria: tuple[OldStatus, ...] = column("every criterion with its status and probability")
    superseded_at: datetime = column("when a new scorecard took its place, UTC")


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A call that could not be processed."""

    call_id: str = column("identifier of the call")
    recording: str = column("recording as named in the input")
    recording_sha256: str | None = column("sha256 of the recording's bytes, null when it could not be read")
    stage: str = column("step that failed")
    error: str = column("kind of error")
    message: str = column("what went wrong and what mends it")
    attempts: int = column("times it was tried under this fingerprint")
    state: str = column(
        "failed: the next run tries again; final: it would end the same; quarantined: it ended its process twice"
    )
    pipeline_fingerprint: str = column("hash of configuration, models and rules that was tried")
    run_id: str = column("run that wrote this row")
    failed_at: datetime = column("when it failed, UTC")


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run of the engine."""

    run_id: str = column("identifier of the run")
    started_at: datetime = column("start, UTC")
    finished_at: datetime = column("end, UTC")
    found: int = column("recordings found")
    resumed: int = column("calls already published under this fingerprint")
    published: int = column("calls published by this run")
    failed: int = column("calls that failed in this run")
    standing: int = column("calls that failed before and would again: not tried")
    duplicates: int = column("recordings with the same content as another one that has its row")
    left: int = column("calls not reached: still being written, stopped, or past --until or --limit")
    audio_ms: int = column("length of the recordings processed")
    wall_ms: int = column("wall time of the run")
    wall_ms_by_stage: dict[str, int] = column("time spent per stage, added over lanes and workers")
    versions: dict[str, str] = column("versions of the software and models used")
    pipeline_fingerprint: str = column("hash of configuration, models and rules")


DATASETS: dict[str, type] = {
    "calls": CallRow,
    "turns": TurnRow,
    "criteria": CriterionRow,
    "promises": PromiseRow,
    "events": EventRow,
    "score_history": ScoreHistoryRow,
    "failures": FailureRow,
    "runs": RunRow,
}


@dataclass(frozen=True, slots=True)
class CallResult:
    """Everything the engine writes about one call."""

    call: CallRow
    turns: tuple[TurnRow, ...] = ()
    criteria: tuple[CriterionRow, ...] = ()
    promises: tuple[PromiseRow, ...] = ()
    events: tuple[EventRow, ...] = ()
    score_history: tuple[ScoreHistoryRow, ...] = ()
    items: Mapping[str, Status] = field(default_factory=dict)  # by item of the scorecard
    local_date: str | None = None  # date of the call where it was made, the partition it goes to
    wall_ms: dict[str, int] = field(default_factory=dict)


# --- Arrow ----------------------------------------------------------------------------------------------------------


def arrow_type(hint: Any) -> pa.DataType:
    """The Arrow type of a Python type hint used in a row class."""
    import pyarrow as pa

    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = [a for a in typing.get_args(hint) if a is not type(None)]
    simple = {
        str: pa.string(),
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        datetime: pa.timestamp("ms", tz="UTC"),
    }
    if hint in simple:
        return simple[hint]
    if typing.get_origin(hint) is tuple:
        return pa.list_(arrow_type(typing.get_args(hint)[0]))
    if typing.get_origin(hint) is dict:
        return pa.map_(*(arrow_type(a) for a in typing.get_args(hint)))
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return pa.struct([pa.field(f.name, arrow_type(hints[f.name])) for f in dataclasses.fields(hint)])
    raise TypeError(f"no Arrow type for {hint}")


@lru_cache
def arrow_schema(dataset: str, criteria: tuple[str, ...] = (), items: tuple[str, ...] = ()) -> pa.Schema:
    """The schema of a dataset; `items` and `criteria` are the ids of the scorecard's columns in `calls`."""
    import pyarrow as pa

    row = DATASETS[dataset]
    hints = typing.get_type_hints(row)
    fields = [
        pa.field(f.name, arrow_type(hints[f.name]), metadata={"description": f.metadata["description"]})
        for f in dataclasses.fields(row)
    ]
    if dataset == "calls":
        for name in items:
            description = f"status of the item {name}: met, not_met, not_applicable or uncertain"
            fields.append(pa.field(f"item_{name}", pa.string(), metadata={"description": description}))
        for name in criteria:
            status = {"description": f"status of {name}: met, not_met, not_applicable or uncertain"}
            probability = {"description": f"probability that {name} occurred"}
            fields.append(pa.field(f"criterion_{name}", pa.string(), metadata=status))
            fields.append(pa.field(f"probability_{name}", pa.float64(), metadata=probability))
    return pa.schema(fields, metadata={"schema_version": str(SCHEMA_VERSION), "description": (row.__doc__ or "")})


def to_rows(result: CallResult, dataset: str) -> list[dict[str, Any]]:
    """One call's rows of a dataset as dictionaries; `calls` gains the scorecard's columns."""
    rows: Sequence[Any] = (result.call,) if dataset == "calls" else getattr(result, dataset)
    dicts = [dataclasses.asdict(row) for row in rows]
    if dataset == "calls":
        dicts[0].update({f"item_{name}": status for name, status in result.items.items()})
        for hit in result.criteria:
            dicts[0][f"criterion_{hit.criterion}"] = hit.status
            dicts[0][f"probability_{hit.criterion}"] = hit.probability
    return dicts

PLACEHOLDERS = {
    "person_name": "[NAME]",
    "bsn": "[BSN]",
    "phone": "[PHONE]",
    "iban": "[IBAN]",
    "email": "[EMAIL]",
    "postcode": "[POSTCODE]",
    "house_number": "[HOUSE_NUMBER]",
    "birth_date": "[BIRTH_DATE]",
    "licence_plate": "[PLATE]",
    "document_number": "[DOCUMENT]",
    "case_number": "[CASE_NUMBER]",
    "special": "[SPECIAL]",
}

PLACEHOLDER = re.compile("|".join(map(re.escape, PLACEHOLDERS.values())))
