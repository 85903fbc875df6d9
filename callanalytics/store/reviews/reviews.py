"""The review store: what people say of calls, beside what the machine said.  Nothing said is ever overwritten.

SQLite in OUT, or PostgreSQL by URL.  Every change is one transaction, so a server that is killed leaves a save whole
or not at all; a save that comes again with its token is known and kept once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Engine, create_engine, delete, event, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session as Orm

from callanalytics.config import Config, masked
from callanalytics.errors import StoreError
from callanalytics.records import CallResult, CriterionRow, PromiseRow, Status
from callanalytics.store.reviews.tables import (
    Answer,
    CallState,
    Contest,
    Finished,
    Gate,
    How,
    IndexedCall,
    IndexedCriterion,
    IndexedPromise,
    Judgement,
    PlanAction,
    PromiseAnswer,
    PromiseJudgement,
    Reason,
    RoleSwap,
    Sample,
    SampleCall,
    SampleKind,
    Table,
    arrow_schemas,
)
from callanalytics.texts import Message

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T", bound=Table)
FILE = "reviews.sqlite"
WAIT_S = 15  # for another save
MIGRATING = 20261128  # names the lock of PostgreSQL under which the schema is brought up to date
SAID: tuple[type[Any], ...] = (Judgement, Finished, Contest, RoleSwap, PromiseJudgement)
# Where a call leaves traces; what refers to its row of the index goes before that row.
EVERYWHERE: tuple[type[Any], ...] = (*SAID, SampleCall, IndexedPromise, IndexedCriterion, IndexedCall)


@dataclass(frozen=True, slots=True)
class Said:
    """A person's answer on a criterion; a correction has a reason."""

    criterion: str
    answer: Answer
    reason: Reason | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SaidOfPromise:
    """A person's answer on a promise; `promise_index` None is one that the machine missed."""

    promise_index: int | None
    start_ms: int
    answer: PromiseAnswer
    type: str
    due_at: datetime | None = None
    registered: bool | None = None
    kept: bool | None = None
    note: str = ""


class Reviews:
    """The review store of one OUT."""

    def __init__(self, engine: Engine, where: Path | str) -> None:
        self._engine = engine
        self._saving = engine.execution_options(immediate=True)
        self._where = where

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Orm]:
        """A transaction that reads.  Raises StoreError when the database does not answer."""
        with self._told(), Orm(self._engine, expire_on_commit=False) as orm:
            yield orm

    @contextmanager
    def saving(self) -> Iterator[Orm]:
        """A transaction that is kept as a whole when its block ends, and not at all when that fails."""
        with self._told(), Orm(self._saving, expire_on_commit=False) as orm, orm.begin():
            yield orm

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OperationalError:
            # The driver's own words may hold what was to be saved.
            reason = Message("errors.review_store_does_not")
            raise StoreError(path=self._where, reason=reason) from None

    def _save_once(self, *rows: Table) -> bool:
        """Add these rows, whole or not at all; false when their token was saved before."""
        try:
            with self.saving() as orm:
                orm.add_all(rows)
        except IntegrityError:
            # Any other constraint that is broken here is a mistake of ours: only then is the token unknown.
            if not self._is_known(rows):
                raise
            return False
        return True

    def _is_known(self, rows: Sequence[Any]) -> bool:
        with self.reading() as orm:
            return all(
                orm.scalar(select(func.count()).select_from(type(row)).where(type(row).token == row.token))
                for row in rows
            )

    # --- what people say ----------------------------------------------------------------------------------------

    def judge(
        self,
        user_id: int,
        result: CallResult,
        said: Sequence[Said],
        token: str,
        how: How = "single",
        sample_id: int | None = None,
    ) -> bool:
        """Keep a person's answers beside the machine's verdicts in `result`; false when `token` was saved before."""
        machine = {row.criterion: row for row in result.criteria}
        return self._save_once(
            *(
                Judgement(
                    call_id=result.call.call_id,
                    user_id=user_id,
                    how=how,
                    machine_status=machine[one.criterion].status,
                    machine_probability=machine[one.criterion].probability,
                    scorecard_version=result.call.scorecard_version,
                    scoring=result.call.scoring_fingerprint or "",
                    sample_id=sample_id,
                    made_at=datetime.now(UTC),
                    token=token,
                    **asdict(one),
                )
                for one in said
                if one.criterion in machine
            )
        )

    def finish(
        self,
        user_id: int,
        call_id: str,
        items: Mapping[str, str],
        normalized_score: float | None,
        token: str,
        sample_id: int | None = None,
    ) -> bool:
        """Keep that a person is done with a call and what its card came to; `sample_id` for blind scoring alone."""
        return self._save_once(
            Finished(
                call_id=call_id,
                user_id=user_id,
                sample_id=sample_id,
                items=dict(items),
                normalized_score=normalized_score,
                made_at=datetime.now(UTC),
                token=token,
            )
        )

    def contest(self, user_id: int, call_id: str, criterion: str | None, note: str, token: str) -> bool:
        """Keep that the agent does not agree."""
        return self._save_once(
            Contest(
                call_id=call_id,
                criterion=criterion,
                user_id=user_id,
                note=note,
                made_at=datetime.now(UTC),
                token=token,
            )
        )

    def settle(self, user_id: int, contest_id: int, outcome: str) -> bool:
        """Settle a contest as upheld or declined; false when it was settled before or does not exist."""
        with self.saving() as orm:
            done = orm.execute(
                update(Contest)
                .where(Contest.id == contest_id, Contest.settled_at.is_(None))
                .values(settled_at=datetime.now(UTC), settled_by=user_id, outcome=outcome)
            )
            return bool(done.rowcount)  # type: ignore[attr-defined]

    def judge_promise(self, user_id: int, call_id: str, said: SaidOfPromise, token: str) -> bool:
        """Keep a person's answer on a promise."""
        made = datetime.now(UTC)
        return self._save_once(
            PromiseJudgement(call_id=call_id, user_id=user_id, made_at=made, token=token, **asdict(said))
        )

    def swap_roles(self, user_id: int, call_id: str, token: str) -> bool:
        """Keep that a person swapped agent and citizen."""
        return self._save_once(RoleSwap(call_id=call_id, user_id=user_id, made_at=datetime.now(UTC), token=token))

    def plan(self, user_id: int, action: str, hypothesis: str, item: str, starts_on: date, token: str) -> bool:
        """Add a line to the PDCA log."""
        return self._save_once(
            PlanAction(
                action=action,
                hypothesis=hypothesis,
                item=item,
                starts_on=starts_on,
                user_id=user_id,
                made_at=datetime.now(UTC),
                token=token,
            )
        )

    def conclude(self, action_id: int, conclusion: str) -> bool:
        """Close a line of the PDCA log with what was learnt; false when it was closed before."""
        with self.saving() as orm:
            done = orm.execute(
                update(PlanAction)
                .where(PlanAction.id == action_id, PlanAction.closed_at.is_(None))
                .values(closed_at=datetime.now(UTC), conclusion=conclusion)
            )
            return bool(done.rowcount)  # type: ignore[attr-defined]

    def open_gate(self, user_id: int, criterion: str, is_live: bool, figures: Mapping[str, Any]) -> None:
        """Let a criterion go live, or take it back, with the figures of that moment."""
        made = datetime.now(UTC)
        with self.saving() as orm:
            orm.add(Gate(criterion=criterion, live=is_live, figures=dict(figures), user_id=user_id, made_at=made))

    def draw(
        self,
        user_id: int,
        name: str,
        kind: SampleKind,
        call_ids: Sequence[str],
        seed: int,
        filters: Mapping[str, Any] | None = None,
        is_blind: bool = False,
    ) -> int:
        """Keep a sample of calls in the order given; returns its id."""
        with self.saving() as orm:
            sample = Sample(
                name=name,
                kind=kind,
                blind=is_blind,
                filters=dict(filters or {}),
                seed=seed,
                user_id=user_id,
                made_at=datetime.now(UTC),
            )
            orm.add(sample)
            orm.flush()
            rows = [{"sample_id": sample.id, "call_id": c, "position": i} for i, c in enumerate(call_ids)]
            if rows:
                orm.execute(insert(SampleCall), rows)
            return sample.id

    # --- what was said ------------------------------------------------------------------------------------------

    def answers(self, call_id: str, sample_id: int | None = None) -> list[Judgement]:
        """Return the newest answer of each person on each criterion of a call, oldest first.

        Those of blind scoring in the sample given, or, without one, all that were not given blind.
        """
        one = Judgement.sample_id == sample_id if sample_id is not None else Judgement.how != "blind"
        with self.reading() as orm:
            found = orm.scalars(select(Judgement).where(Judgement.call_id == call_id, one).order_by(Judgement.id))
            newest = {(row.criterion, row.user_id): row for row in found}
        return sorted(newest.values(), key=lambda row: row.id)

    def rows_about(self, table: type[T], call_id: str) -> list[T]:
        """Return the rows of a table about a call, oldest first."""
        rows: Any = table
        with self.reading() as orm:
            return list(orm.scalars(select(table).where(rows.call_id == call_id).order_by(rows.id)))

    def states(self, call_ids: Collection[str]) -> dict[str, CallState]:
        """Return where each call stands: contested until that is settled, reviewed, or as the machine left it."""
        states: dict[str, CallState] = dict.fromkeys(call_ids, "machine")
        with self.reading() as orm:
            done = select(Finished.call_id).where(Finished.call_id.in_(call_ids), Finished.sample_id.is_(None))
            states |= dict.fromkeys(orm.scalars(done), "reviewed")
            open_ones = select(Contest.call_id).where(Contest.call_id.in_(call_ids), Contest.settled_at.is_(None))
            states |= dict.fromkeys(orm.scalars(open_ones), "contested")
        return states

    def gates(self, criterion: str | None = None) -> list[Gate]:
        """Return every decision that a criterion goes live or is taken back, oldest first."""
        wanted = select(Gate).order_by(Gate.id)
        with self.reading() as orm:
            return list(orm.scalars(wanted if criterion is None else wanted.where(Gate.criterion == criterion)))

    def as_arrow(self) -> dict[str, pa.Table]:
        """Return what people said as tables for analysts; persons are numbers there, and words typed stay behind."""
        import pyarrow as pa

        tables = {}
        with self.reading() as orm:
            for name, schema in arrow_schemas().items():
                rows = orm.execute(select(*(Table.metadata.tables[name].c[column] for column in schema.names)))
                plain = [
                    {key: json.dumps(value) if isinstance(value, dict) else value for key, value in row.items()}
                    for row in rows.mappings()
                ]
                tables[name] = pa.Table.from_pylist(plain, schema=schema)
        return tables

    # --- what has to go -----------------------------------------------------------------------------------------

    def call_ids(self) -> set[str]:
        """Return the calls of which anything stands here."""
        with self.reading() as orm:
            return {c for table in EVERYWHERE for c in orm.scalars(select(table.call_id).distinct())}

    def forget(self, call_ids: Collection[str]) -> None:
        """Make every trace of these calls go."""
        with self.saving() as orm:
            for some in _some(call_ids):
                for table in EVERYWHERE:
                    orm.execute(delete(table).where(table.call_id.in_(some)))

    def forget_words(self, call_ids: Collection[str]) -> None:
        """Make the notes on these calls go: they may repeat what was said in them."""
        with self.saving() as orm:
            for some in _some(call_ids):
                for table in (Judgement, PromiseJudgement, Contest):
                    orm.execute(update(table).where(table.call_id.in_(some)).values(note=""))

    def said_before(self, before: datetime) -> set[str]:
        """Return the calls of which something was said before a moment."""
        with self.reading() as orm:
            return {c for table in SAID for c in orm.scalars(select(table.call_id).where(table.made_at < before))}

    def purge(self, before: datetime, call_ids: Collection[str]) -> None:
        """Remove what was said of these calls before a moment."""
        with self.saving() as orm:
            for some in _some(call_ids):
                for table in SAID:
                    orm.execute(delete(table).where(table.made_at < before, table.call_id.in_(some)))


def open_reviews(config: Config, output: Path) -> Reviews:
    """Return the review store of OUT, made when absent, its schema brought up to date.

    Raises StoreError when the database does not answer or is newer than this program.
    """
    url = config.review.database or f"sqlite:///{(output / FILE).absolute()}"
    where: Path | str = masked(config.review.database) or output / FILE
    try:
        if not config.review.database:
            os.close(os.open(output / FILE, os.O_RDWR | os.O_CREAT, 0o600))
        engine = create_engine(url, connect_args={"timeout": WAIT_S} if url.startswith("sqlite") else {})
        if engine.dialect.name == "sqlite":
            _use_own_transactions(engine)
        _migrate(engine)
    except (OSError, SQLAlchemyError, ImportError) as error:
        kind = type(error).__name__
        reason = Message("errors.review_store_cannot_opened", kind=kind)
        raise StoreError(path=where, reason=reason) from None
    return Reviews(engine, where)


def existing_reviews(config: Config, output: Path | str) -> Reviews | None:
    """Return the review store of OUT if there is one.  Raises StoreError as `open_reviews`."""
    if config.review.database or (isinstance(output, Path) and (output / FILE).exists()):
        return open_reviews(config, output if isinstance(output, Path) else Path())
    return None


def _use_own_transactions(engine: Engine) -> None:
    """Let SQLite begin transactions when we say so, and make what is deleted unreadable.

    Python's driver begins one only at the first change; two who read first and then save would each refuse the other.
    docs.sqlalchemy.org/en/20/dialects/sqlite.html#serializable-isolation-savepoints-transactional-ddl
    """

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("foreign_keys=ON", "secure_delete=ON", "synchronous=FULL", "trusted_schema=OFF"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        is_saving = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_saving else "BEGIN")


def _migrate(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config as Alembic

    alembic = Alembic()
    alembic.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with engine.execution_options(immediate=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})
        alembic.attributes["connection"] = connection
        command.upgrade(alembic, "head")


def _some(call_ids: Collection[str], most: int = 500) -> Iterator[list[str]]:
    """Ids in portions that a statement can hold."""
    ordered = sorted(call_ids)
    return (ordered[i : i + most] for i in range(0, len(ordered), most))


# --- what people's answers make of a card ---------------------------------------------------------------------------


def corrected(
    result: CallResult, answers: Sequence[Judgement], undesired: Collection[str]
) -> tuple[CriterionRow, ...]:
    """Return the machine's rows with the newest answers of people in their place; "unclear" is the machine's uncertain.

    `answers` oldest first, as `Reviews.answers` gives them; `undesired` are the criteria that are met when not found.
    """
    said = {row.criterion: row.answer for row in answers}
    rows = []
    for row in result.criteria:
        answer = said.get(row.criterion, row.status)
        status: Status = "uncertain" if answer == "unclear" else answer  # type: ignore[assignment]
        if status == row.status:
            rows.append(row)
            continue
        is_found = status == ("not_met" if row.criterion in undesired else "met")
        rows.append(replace(row, status=status, applicable=status != "not_applicable", detected=is_found))
    return tuple(rows)


def confirmed(promises: Sequence[PromiseRow], said: Sequence[PromiseJudgement]) -> tuple[PromiseRow, ...]:
    """The promises with people's answers in place: rejected ones gone, the rest corrected.  `said` oldest first."""
    newest = {row.start_ms: row for row in said}
    kept = []
    for promise in promises:
        answer = newest.get(promise.start_ms)
        if answer is None:
            kept.append(promise)
        elif answer.answer != "rejected":
            kept.append(replace(promise, type=answer.type, due_at=due_that_counts(promise.due_at, answer)))
    return tuple(kept)


def due_that_counts(machine: datetime | None, said: PromiseJudgement | None) -> datetime | None:
    """Return the deadline of a promise as store/counted_promises.sql has it: a person may take the date away."""
    if said is None or said.answer == "rejected":
        return machine
    return said.due_at or machine if said.answer == "confirmed" else said.due_at
