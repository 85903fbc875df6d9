"""What the review store keeps.  SQLite or PostgreSQL; `migrations` makes the schema, a test holds the two together.

What people say of a call is only ever added: the machine's verdict lies in OUT, beside it every judgement by whoever
gave it, and the newest of a person counts.  `token` is made by the page that a save comes from: a save that is sent
twice, because a server died before it answered, is kept once.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import JSON, DateTime, ForeignKey, Index, MetaData, String, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    import pyarrow as pa

UserRole = Literal["reviewer", "lead", "privacy_officer", "admin", "agent"]
Answer = Literal["met", "not_met", "not_applicable", "unclear"]
Reason = Literal[
    "wrong_recognition", "wrong_speaker", "rule_too_strict", "rule_too_loose", "definition_unclear", "other"
]
How = Literal["single", "rest", "blind"]  # looked at by itself, accepted with all the rest, without the machine's value
CallState = Literal["machine", "reviewed", "contested"]
SampleKind = Literal["random", "stratified", "uncertain", "compliance", "monthly", "chosen"]
PromiseAnswer = Literal["confirmed", "corrected", "rejected", "missed"]


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite, which knows no zones, gets it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """What is stored."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """What is read."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Table(DeclarativeBase):
    """What all tables share: names for constraints, so that migrations can speak of them, and types."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcTime, dict[str, Any]: JSON}  # noqa: RUF012  # SQLAlchemy's way to say it


class User(Table):
    """A person who may log in."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    password: Mapped[str | None]  # argon2id; null for who comes in by the proxy alone
    role: Mapped[str] = mapped_column(String(20))
    agent_ref: Mapped[str | None] = mapped_column(String(32))  # of an agent, who sees the own calls alone
    lang: Mapped[str] = mapped_column(String(2), default="nl")
    made_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Session(Table):
    """A log-in that lasts; of its token the SHA-256 alone is kept."""

    __tablename__ = "sessions"
    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    csrf: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class Attempt(Table):
    """A log-in that failed: the name that was tried and where from, both hashed."""

    __tablename__ = "attempts"
    id: Mapped[int] = mapped_column(primary_key=True)
    who: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(index=True)


class IndexedPart(Table):
    """A Parquet part of OUT whose calls are in the index, and how it looked then."""

    __tablename__ = "indexed_parts"
    part: Mapped[str] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(String(80))


class IndexedCall(Table):
    """A published call as the work list needs it.  Made from OUT, and made again when OUT changes."""

    __tablename__ = "indexed_calls"
    call_id: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(index=True)
    started_at: Mapped[datetime | None]
    day: Mapped[date] = mapped_column(index=True)  # of the call where it was made, else of its processing
    queue: Mapped[str | None] = mapped_column(index=True)
    direction: Mapped[str | None]
    agent_ref: Mapped[str | None] = mapped_column(index=True)
    topic: Mapped[str] = mapped_column(index=True)
    sensitive: Mapped[bool]
    duration_ms: Mapped[int]
    scorable: Mapped[bool]
    normalized_score: Mapped[float | None]
    compliance_status: Mapped[str | None]
    uncertainty: Mapped[float] = mapped_column(index=True)  # 0 to 1: mean 4 p (1 - p) over what applies
    uncertain: Mapped[int]  # criteria with the status uncertain
    recording: Mapped[str]
    recording_sha256: Mapped[str]
    scoring: Mapped[str]  # scoring_fingerprint


class IndexedCriterion(Table):
    """What the machine says of a criterion in a call."""

    __tablename__ = "indexed_criteria"
    call_id: Mapped[str] = mapped_column(ForeignKey("indexed_calls.call_id", ondelete="CASCADE"), primary_key=True)
    criterion: Mapped[str] = mapped_column(String(60), primary_key=True)
    status: Mapped[str] = mapped_column(String(20))
    probability: Mapped[float]
    __table_args__ = (Index(None, "criterion", "status"),)


class IndexedPromise(Table):
    """A promise that the machine found.  Its words stay in OUT, where they go when their term is over."""

    __tablename__ = "indexed_promises"
    call_id: Mapped[str] = mapped_column(ForeignKey("indexed_calls.call_id", ondelete="CASCADE"), primary_key=True)
    promise_index: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    number_confirmed: Mapped[bool | None]
    start_ms: Mapped[int]


class Judgement(Table):
    """What a person says of a criterion in a call, beside what the machine said then."""

    __tablename__ = "judgements"
    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(index=True)
    criterion: Mapped[str] = mapped_column(String(60))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    answer: Mapped[str] = mapped_column(String(20))
    how: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(30))  # of a correction
    note: Mapped[str] = mapped_column(default="")  # in the reviewer's words, redacted before it is kept
    machine_status: Mapped[str] = mapped_column(String(20))
    machine_probability: Mapped[float]
    scorecard_version: Mapped[str]
    scoring: Mapped[str]
    sample_id: Mapped[int | None] = mapped_column(ForeignKey("samples.id"))
    made_at: Mapped[datetime] = mapped_column(index=True)
    token: Mapped[str] = mapped_column(String(64))
    __table_args__ = (UniqueConstraint("token", "criterion"), Index(None, "criterion", "made_at"))


class Finished(Table):
    """A person is done with a call: what its card comes to with the people's answers in the place of the machine's."""

    __tablename__ = "finished"
    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    sample_id: Mapped[int | None] = mapped_column(ForeignKey("samples.id"))  # of blind scoring: no review of the call
    items: Mapped[dict[str, Any]]  # status by item
    normalized_score: Mapped[float | None]
    made_at: Mapped[datetime] = mapped_column(index=True)
    token: Mapped[str] = mapped_column(String(64), unique=True)


class Contest(Table):
    """An agent does not agree with a call's review; open until somebody settles it."""

    __tablename__ = "contests"
    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(index=True)
    criterion: Mapped[str | None] = mapped_column(String(60))  # null: the whole call
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))  # who wrote it down
    note: Mapped[str]
    made_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    outcome: Mapped[str | None] = mapped_column(String(10))  # upheld or declined
    token: Mapped[str] = mapped_column(String(64), unique=True)


class RoleSwap(Table):
    """A person said that agent and citizen were taken for each other, and the call was scored again."""

    __tablename__ = "role_swaps"
    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime]
    token: Mapped[str] = mapped_column(String(64), unique=True)


class PromiseJudgement(Table):
    """What a person says of a promise in the register, or a promise that the machine missed."""

    __tablename__ = "promise_judgements"
    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(index=True)
    promise_index: Mapped[int | None]  # null: missed by the machine
    start_ms: Mapped[int]  # of the promise; tells whether a new scorecard speaks of the same one
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    answer: Mapped[str] = mapped_column(String(20))
    type: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime | None]
    registered: Mapped[bool | None]  # whether the promise stands in the municipality's own system
    kept: Mapped[bool | None]
    note: Mapped[str] = mapped_column(default="")
    made_at: Mapped[datetime]
    token: Mapped[str] = mapped_column(String(64), unique=True)


class Sample(Table):
    """Calls drawn to be reviewed, or to be scored blind by two people and more."""

    __tablename__ = "samples"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    blind: Mapped[bool]
    filters: Mapped[dict[str, Any]]
    seed: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class SampleCall(Table):
    """A call of a sample, in the order in which it was drawn."""

    __tablename__ = "sample_calls"
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True)
    call_id: Mapped[str] = mapped_column(primary_key=True, index=True)
    position: Mapped[int]


class PlanAction(Table):
    """A line of the PDCA log: what the team does, what it expects of it, on which item of the card."""

    __tablename__ = "plan_actions"
    id: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str]
    hypothesis: Mapped[str]
    item: Mapped[str] = mapped_column(String(60))
    starts_on: Mapped[date]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    conclusion: Mapped[str] = mapped_column(default="")
    token: Mapped[str] = mapped_column(String(64), unique=True)


class Gate(Table):
    """A criterion goes live, or is taken back, with the figures on which that was decided.  The newest line counts."""

    __tablename__ = "gates"
    id: Mapped[int] = mapped_column(primary_key=True)
    criterion: Mapped[str] = mapped_column(String(60), index=True)
    live: Mapped[bool]
    figures: Mapped[dict[str, Any]]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime]


# What analysts see.  Persons are numbers there, and the notes that people typed stay behind.
SHOWN = (Judgement, Finished, Contest, RoleSwap, PromiseJudgement, PlanAction, Gate, Sample, SampleCall)
HIDDEN = {"token", "note"}


@lru_cache
def arrow_schemas() -> dict[str, pa.Schema]:
    """The tables that analysts see, by name; JSON is text."""
    import pyarrow as pa

    kinds = {
        int: pa.int64(),
        float: pa.float64(),
        str: pa.string(),
        bool: pa.bool_(),
        object: pa.string(),
        datetime: pa.timestamp("ms", tz="UTC"),
        date: pa.date32(),
    }

    def arrow_type(column: Any) -> pa.DataType:
        return pa.timestamp("ms", tz="UTC") if isinstance(column.type, UtcTime) else kinds[column.type.python_type]

    return {
        table.__tablename__: pa.schema(
            [(column.name, arrow_type(column)) for column in table.__table__.columns if column.name not in HIDDEN]
        )
        for table in SHOWN
    }
