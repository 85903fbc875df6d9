"""The Parquet datasets under OUT: publish atomically, know what is published, repair after a kill.

A part is what one batch of calls brought: files of the same name in several datasets.  Publishing writes every file
beside its place, fsyncs it, then renames: details (turns, criteria, promises, events) first, calls last.  So a call
that can be read in `calls` has all its details, and details without their call are the trace of a kill: `recover`
removes them at the next start, under the lock.  What is published is the ledger; there is no other.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

from callanalytics.errors import StoreError, StoreLocked
from callanalytics.records import (
    CallResult,
    CallRow,
    CriterionRow,
    EventRow,
    Evidence,
    FailureRow,
    OldStatus,
    PromiseRow,
    RunRow,
    ScoreHistoryRow,
    StoredWord,
    TopicShare,
    TurnRow,
    arrow_schema,
    to_rows,
)

DETAILS = ("turns", "criteria", "promises", "events", "score_history")
UNKNOWN_DATE = "__HIVE_DEFAULT_PARTITION__"  # what readers of Hive partitions take for null
STAGING = ".staging"
PROGRESS = ".progress.json"
CALL_KB = 60  # of the development calls of three minutes, 43
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Published:
    """Where a published call lies, and what it was made from."""

    recording_sha256: str
    fingerprint: str
    scoring: str  # fingerprint of the scores; "" in an OUT of before there was one
    part: Path  # of the dataset calls
    processed_at: Any


class Store:
    """OUT, opened for writing by one run at a time."""

    def __init__(self, root: Path, criteria: Sequence[str] = (), items: Sequence[str] = ()) -> None:
        """`criteria` and `items` are the ids of the scorecard's columns in `calls`."""
        self.root = root
        self._criteria, self._items = tuple(criteria), tuple(items)
        self._lock: IO[str] | None = None
        self._parts: dict[str, Path] = {}  # published call -> its part of the dataset calls

    def open(self) -> None:
        """Make OUT when absent, take its lock, repair what a killed run left.

        Raises StoreLocked while another run holds it, StoreError when OUT can't be written.
        """
        try:
            lock = os.fdopen(os.open(_make_folder(self.root) / ".lock", os.O_WRONLY | os.O_CREAT, 0o600), "w")
        except OSError as error:
            raise StoreError(path=self.root, reason=f"{error.strerror}; choose a folder you may write to.") from None
        try:
            # The kernel drops this lock when the process ends, however it ends.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise StoreLocked(path=self.root) from None
        self._lock = lock
        shutil.rmtree(self.root / STAGING, ignore_errors=True)
        self._recover()

    def close(self) -> None:
        """Give the lock back."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def check_space(self, calls: int, min_free_mb: int) -> None:
        """Raises StoreError when OUT's disk is unlikely to hold what this many calls will write.

        What is published tells how much a call takes, else CALL_KB.
        """
        if not calls:
            return
        files = [path.stat().st_size for name in (*DETAILS, "calls") for path in (self.root / name).rglob("*.parquet")]
        call_bytes = sum(files) / len(self._parts) if self._parts else CALL_KB * 1000
        needed_mb = round(1.5 * calls * call_bytes / 1e6) + min_free_mb
        free_mb = round(shutil.disk_usage(self.root).free / 1e6)
        if free_mb < needed_mb:
            reason = f"{calls} calls want {needed_mb} MB there, {free_mb} MB are free; make room or take another disk."
            raise StoreError(path=self.root, reason=reason)

    def published(self) -> dict[str, Published]:
        """Every published call by id."""
        found: dict[str, Published] = {}
        columns = ["call_id", "recording_sha256", "pipeline_fingerprint", "scoring_fingerprint", "processed_at"]
        for part in sorted((self.root / "calls").glob("date=*/*.parquet")):
            for row in _read(part, columns).to_pylist():
                found[row["call_id"]] = Published(
                    row["recording_sha256"],
                    row["pipeline_fingerprint"],
                    row.get("scoring_fingerprint", ""),
                    part,
                    row["processed_at"],
                )
        return found

    def results(self, call_ids: Collection[str]) -> Iterator[list[CallResult]]:
        """What is published of these calls, a part at a time."""
        for part in sorted({self._parts[call_id] for call_id in call_ids if call_id in self._parts}):
            details: dict[str, dict[str, list[dict[str, Any]]]] = {}
            for dataset in (*DETAILS, "calls"):
                details[dataset] = _rows_by_call(self.root / dataset / part.parent.name / part.name)
            date = part.parent.name.removeprefix("date=")
            yield [
                to_result(row, {name: details[name].get(call_id, []) for name in DETAILS}, date)
                for call_id, (row,) in details["calls"].items()
                if call_id in call_ids and self._parts[call_id] == part
            ]

    def failures(self) -> list[dict[str, Any]]:
        """Every row of failures."""
        parts = sorted((self.root / "failures").glob("date=*/*.parquet"))
        return [row for part in parts for row in _read(part).to_pylist()]

    def runs(self) -> list[dict[str, Any]]:
        """Every row of runs, oldest first."""
        parts = (self.root / "runs").glob("date=*/*.parquet")
        rows = [row for part in parts for row in _read(part).to_pylist()]
        return sorted(rows, key=lambda row: row["started_at"])

    def publish(self, results: Sequence[CallResult], part_id: str) -> None:
        """Make these calls readable, all of each at once; rows of the same calls from before give way."""
        ids = [result.call.call_id for result in results]
        replaced = {call_id: self._parts[call_id] for call_id in ids if call_id in self._parts}
        staged: list[tuple[Path, Path]] = []
        for dataset in (*DETAILS, "calls"):
            by_date: dict[str, list[dict[str, Any]]] = {}
            for result in results:
                by_date.setdefault(result.local_date or UNKNOWN_DATE, []).extend(to_rows(result, dataset))
            for date, rows in sorted(by_date.items()):
                if rows or dataset == "calls":
                    staged.append(self._stage(dataset, date, part_id, rows))
        self._rename(staged)
        self._drop_calls(replaced)
        for result in results:
            date = result.local_date or UNKNOWN_DATE
            self._parts[result.call.call_id] = self._path("calls", date, part_id)
        for call_id in ids:
            self._forget_failure(call_id)

    def publish_failure(self, row: FailureRow) -> None:
        """Write why a call failed; an earlier reason gives way.  A call published before stays published."""
        name = f"failure-{_safe(row.call_id)}-{_safe(row.recording)}"
        date = row.failed_at.date().isoformat()
        self._rename([self._stage("failures", date, name, [asdict(row)])])
        for old in (self.root / "failures").glob(f"date=*/{name}.parquet"):
            if old.parent.name != f"date={date}":
                old.unlink()

    def release(self, is_chosen: Callable[[dict[str, Any]], bool]) -> list[str]:
        """Let the next run try these failures again, whatever they failed of; returns their call ids."""
        released: list[str] = []
        for path in sorted((self.root / "failures").glob("date=*/*.parquet")):
            rows = _read(path).to_pylist()
            chosen = [row for row in rows if is_chosen(row)]
            if not chosen:
                continue
            released += [row["call_id"] for row in chosen]
            for row in chosen:
                row |= {"state": "failed", "attempts": 0}
            self._rename([self._stage("failures", path.parent.name.removeprefix("date="), path.stem, rows)])
        return released

    def publish_run(self, row: RunRow) -> None:
        """Write the row of a run."""
        self._rename([self._stage("runs", row.started_at.date().isoformat(), f"run-{row.run_id}", [asdict(row)])])

    def write_report(self, row: RunRow, page: str) -> None:
        """Write the row of a run as OUT/reports/<run_id>.json, and its page as .html beside it."""
        self._put(f"reports/{row.run_id}.json", _to_json(asdict(row)))
        self._put(f"reports/{row.run_id}.html", page)

    def write_progress(self, state: dict[str, Any]) -> None:
        """Keep how far this run is where `progress` finds it."""
        self._put(PROGRESS, _to_json(state))

    def progress(self) -> dict[str, Any] | None:
        """How far the last run is or was when it ended; null before the first."""
        try:
            return dict(json.loads((self.root / PROGRESS).read_text()))
        except FileNotFoundError:
            return None

    def is_being_written(self) -> bool:
        """Whether a run holds OUT now."""
        try:
            with (self.root / ".lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def _put(self, name: str, text: str) -> None:
        """A text file of OUT, replaced as a whole."""
        path = self.root / name
        self._rename([(self._write(path.name, lambda stream: stream.write(text.encode())), path)])

    def _stage(self, dataset: str, date: str, name: str, rows: list[dict[str, Any]]) -> tuple[Path, Path]:
        """Write rows to a file beside OUT's datasets and make sure they are on disk: (staged, final)."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = arrow_schema(dataset, self._criteria, self._items)
        table = pa.Table.from_pylist(rows, schema=schema)
        staged = self._write(
            f"{dataset}.{date}.{name}.parquet", lambda stream: pq.write_table(table, stream, compression="zstd")
        )
        return staged, self._path(dataset, date, name)

    def _path(self, dataset: str, date: str, name: str) -> Path:
        return self.root / dataset / f"date={date}" / f"{name}.parquet"

    def _write(self, name: str, write: Callable[[IO[bytes]], object]) -> Path:
        """A file in the staging folder, on disk."""
        try:
            staged = _make_folder(self.root / STAGING) / name
            with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
                write(stream)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise StoreError(path=self.root, reason=f"{error.strerror}; nothing that is published is lost.") from None
        return staged

    def _rename(self, staged: Iterable[tuple[Path, Path]]) -> None:
        folders = set()
        for source, final in staged:
            try:
                os.replace(source, _make_folder(final.parent) / final.name)
            except OSError as error:
                raise StoreError(path=self.root, reason=f"{error.strerror}; nothing published is lost.") from None
            folders.add(final.parent)
        for folder in folders:
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def _drop_calls(self, where: dict[str, Path]) -> None:
        """Rewrite parts without these calls, which stand in newer parts.

        The calls last: as long as an old row is there, `_recover` knows that its details may be there too.
        """
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        by_part: dict[Path, set[str]] = {}
        for call_id, part in where.items():
            by_part.setdefault(part, set()).add(call_id)
        for part, ids in by_part.items():
            for dataset in (*DETAILS, "calls"):
                path = self.root / dataset / part.parent.name / part.name
                if not path.exists():
                    continue
                table = _read(path)
                kept = table.filter(pc.invert(pc.is_in(table["call_id"], value_set=_strings(ids))))
                if not kept.num_rows:
                    path.unlink()
                    continue
                name = f"rewrite.{dataset}.{part.parent.name}.{path.name}"
                staged = self._write(name, partial(pq.write_table, kept, compression="zstd"))
                self._rename([(staged, path)])

    def _forget_failure(self, call_id: str) -> None:
        for path in (self.root / "failures").glob(f"date=*/failure-{_safe(call_id)}-*.parquet"):
            if _read(path, ["call_id"])["call_id"][0].as_py() == call_id:
                path.unlink()

    def _recover(self) -> None:
        """Finish what a kill interrupted: details whose calls never came, calls that gave way to newer rows."""
        committed = {(p.parent.name, p.name) for p in (self.root / "calls").glob("date=*/*.parquet")}
        for dataset in DETAILS:
            for path in (self.root / dataset).glob("date=*/*.parquet"):
                if (path.parent.name, path.name) not in committed:
                    path.unlink()
        newest: dict[str, tuple[Any, Path]] = {}
        stale: list[tuple[str, Path]] = []
        for part in sorted((self.root / "calls").glob("date=*/*.parquet")):
            table = _read(part, ["call_id", "processed_at"])
            for row in table.to_pylist():
                entry = (row["processed_at"], part)
                other = newest.get(row["call_id"])
                if other is None or entry[0] >= other[0]:
                    newest[row["call_id"]] = entry
                    if other:
                        stale.append((row["call_id"], other[1]))
                else:
                    stale.append((row["call_id"], part))
        for call_id, part in stale:
            self._drop_calls({call_id: part})
        self._parts = {call_id: part for call_id, (_, part) in newest.items()}
        for row in self.failures():
            entry_ = newest.get(row["call_id"])
            if entry_ and entry_[0] >= row["failed_at"]:
                self._forget_failure(row["call_id"])


def to_result(call: dict[str, Any], details: dict[str, list[dict[str, Any]]], date: str) -> CallResult:
    """The stored rows of a call as the values they were made from; columns an older version lacked are empty."""

    def of(kind: type[Row], row: dict[str, Any]) -> Row:
        known = {field.name: row.get(field.name) for field in fields(kind)}  # type: ignore[arg-type]
        return kind(**known)

    turns = []
    for row in sorted(details["turns"], key=lambda row: row["turn_index"]):
        words = tuple(StoredWord(**word) for word in row["words"] or ())
        turns.append(replace(of(TurnRow, row), words=words, speaker=row.get("speaker") or ""))
    history = [
        replace(of(ScoreHistoryRow, row), criteria=tuple(OldStatus(**one) for one in row["criteria"]))
        for row in details["score_history"]
    ]
    criteria = [
        replace(of(CriterionRow, row), evidence=tuple(Evidence(**one) for one in row["evidence"] or ()))
        for row in details["criteria"]
    ]
    item = "item_"
    return CallResult(
        call=replace(of(CallRow, call), topics=tuple(TopicShare(**one) for one in call.get("topics") or ())),
        turns=tuple(turns),
        criteria=tuple(criteria),
        promises=tuple(of(PromiseRow, row) for row in details["promises"]),
        events=tuple(of(EventRow, row) for row in details["events"]),
        score_history=tuple(history),
        items={name.removeprefix(item): status for name, status in call.items() if name.startswith(item)},
        local_date=None if date == UNKNOWN_DATE else date,
    )


def _to_json(values: dict[str, Any]) -> str:
    return json.dumps(values, indent=1, default=lambda value: value.isoformat())


def _read(path: Path, columns: Sequence[str] | None = None) -> Any:
    """The table of one file, with those of `columns` that it has; the columns of its folder's name are left out."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:  # a third of the time of read_table, which looks for a whole dataset
        known = None if columns is None else [name for name in columns if name in file.schema_arrow.names]
        return file.read(known)


def _rows_by_call(path: Path) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    if path.exists():
        for row in _read(path).to_pylist():
            rows.setdefault(row["call_id"], []).append(row)
    return rows


def _make_folder(path: Path) -> Path:
    """The folder, made with what is missing above it; only its owner may look into what is made here."""
    if not path.is_dir():
        _make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
    return path


def _strings(values: Iterable[str]) -> Any:
    import pyarrow as pa

    return pa.array(sorted(values), pa.string())


def _safe(text: str) -> str:
    """A file name's part from an id: never a path, never longer than the file system takes."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:16]
