"""The Parquet datasets under OUT: publish atomically, know what is published, repair after a kill.

A part is what one batch of calls brought: files of the same name in several datasets.  Publishing writes every file
beside its place, fsyncs it, then renames: details (turns, criteria, promises, events) first, calls last.  So a call
that can be read in `calls` has all its details, and details without their call are the trace of a kill: `recover`
removes them at the next start, under the lock.  What is published is the ledger; there is no other.

`places` knows how a file gets to its place and who may write; here a part is known by date=.../name.parquet.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from callanalytics.config import Storage
from callanalytics.errors import StoreError
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
from callanalytics.store.bucket import Bucket
from callanalytics.store.disk import Disk
from callanalytics.store.place import Place, Writer
from callanalytics.store.shelf import Shelf
from callanalytics.texts import Message

DETAILS = ("turns", "criteria", "promises", "events", "score_history")
UNKNOWN_DATE = "__HIVE_DEFAULT_PARTITION__"  # what readers of Hive partitions take for null
PROGRESS = ".progress.json"
ERASING = ".erasing.json"
HOLDS = "legal_holds.json"
REPORTS = "reports"
FORECAST_PARTS = 50
AT_ONCE = 64  # calls held as Python values; a merged part may hold a day
ROW_GROUP = 4096
CALL_KB = 60  # of the development calls of three minutes, 43
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Published:
    """Where a published call lies, and what it was made from."""

    recording_sha256: str
    fingerprint: str
    scoring: str  # fingerprint of the scores; "" in an OUT of before there was one
    part: str
    processed_at: Any


@dataclass(slots=True)
class Compacted:
    """What `compact` did: parts before and after, dates that readers did not let go of."""

    before: int
    after: int = 0
    held: int = 0


class Store:
    """OUT, opened for writing by one run at a time."""

    def __init__(
        self,
        root: Path | str,
        criteria: Sequence[str] = (),
        items: Sequence[str] = (),
        storage: Storage | None = None,
    ) -> None:
        """`root` is a folder, or the URL of one in the object storage of `storage`.

        `criteria` and `items` are the ids of the scorecard's columns in `calls`.
        """
        self.root = root
        self._place = place_of(root, storage)
        self._criteria, self._items = tuple(criteria), tuple(items)
        self._parts: dict[str, str] = {}  # published call -> its part

    def is_there(self) -> bool:
        """Return whether there is an OUT."""
        return self._place.is_there()

    def check_is_there(self) -> None:
        """Raises StoreError when there is no OUT."""
        if not self.is_there():
            raise StoreError(path=self.root, reason=Message("errors.no_such_folder_give"))

    def open(self) -> None:
        """Make OUT when absent, take its lock, repair what a killed run left.

        Raises StoreLocked while another run holds it, StoreError when OUT can't be written.
        """
        self._place.lock()
        self._finish_erasing()
        self._recover()

    def close(self) -> None:
        """Give the lock back."""
        self._place.unlock()

    def check_space(self, calls: int, min_free_mb: int) -> None:
        """Raises StoreError when OUT's disk is unlikely to hold what this many calls will write.

        The newest parts tell how much a call takes, before there are any CALL_KB.
        """
        free = self._place.free_bytes()
        if not calls or free is None:
            return
        newest = sorted(set(self._parts.values()), key=lambda part: PurePosixPath(part).name)[-FORECAST_PARTS:]
        written = sum(self._place.size(f"{dataset}/{part}") for dataset in (*DETAILS, "calls") for part in newest)
        held = sum(part in newest for part in self._parts.values())
        call_bytes = written / held if held else CALL_KB * 1000
        needed_mb = round(1.5 * calls * call_bytes / 1e6) + min_free_mb
        free_mb = round(free / 1e6)
        if free_mb < needed_mb:
            reason = Message("errors.calls_want_mb_mb", calls=calls, needed=needed_mb, free=free_mb)
            raise StoreError(path=self.root, reason=reason)

    def published(self) -> dict[str, Published]:
        """Return every published call by id."""
        found: dict[str, Published] = {}
        columns = ["call_id", "recording_sha256", "pipeline_fingerprint", "scoring_fingerprint", "processed_at"]
        for part in self._place.parts("calls"):
            for row in self._place.table(f"calls/{part}", columns).to_pylist():
                found[row["call_id"]] = Published(
                    row["recording_sha256"],
                    row["pipeline_fingerprint"],
                    row.get("scoring_fingerprint", ""),
                    part,
                    row["processed_at"],
                )
        return found

    def calls(self) -> list[dict[str, Any]]:
        """When each published call was and what it was made from: part of its row of calls."""
        columns = ["call_id", "started_at", "processed_at", "queue", "recording", "recording_sha256"]
        parts = self._place.parts("calls")
        return [row for part in parts for row in self._place.table(f"calls/{part}", columns).to_pylist()]

    def count(self, dataset: str) -> int:
        """Return the rows of a dataset."""
        parts = self._place.parts(dataset)
        column = "run_id" if dataset == "runs" else "call_id"
        return sum(self._place.table(f"{dataset}/{part}", [column]).num_rows for part in parts)

    def texts(self) -> Iterator[str]:
        """Yield what was said in every turn that is kept."""
        for part in self._place.parts("turns"):
            yield from self._place.table(f"turns/{part}", ["text"])["text"].to_pylist()

    def calls_with_text(self) -> set[str]:
        """Return the calls whose turns are kept."""
        tables = [self._place.table(f"turns/{part}", ["call_id"]) for part in self._place.parts("turns")]
        return {call_id for table in tables for call_id in table["call_id"].unique().to_pylist()}

    def results(self, call_ids: Collection[str]) -> Iterator[list[CallResult]]:
        """Yield what is published of these calls, at most AT_ONCE at a time."""
        for part in sorted({self._parts[call_id] for call_id in call_ids if call_id in self._parts}):
            tables = {dataset: self._place.table(f"{dataset}/{part}") for dataset in (*DETAILS, "calls")}
            here = sorted(call_id for call_id in call_ids if self._parts.get(call_id) == part)
            for some in (here[i : i + AT_ONCE] for i in range(0, len(here), AT_ONCE)):
                details = {name: _by_call(table, some) for name, table in tables.items()}
                yield [
                    to_result(row, {name: details[name].get(call_id, []) for name in DETAILS}, _date_of(part))
                    for call_id, (row,) in details["calls"].items()
                ]

    def failures(self) -> list[dict[str, Any]]:
        """Return every row of failures."""
        return [row for _, rows in self._all("failures") for row in rows]

    def runs(self) -> list[dict[str, Any]]:
        """Return every row of runs, oldest first."""
        return sorted((row for _, rows in self._all("runs") for row in rows), key=lambda row: row["started_at"])

    def count_calls(self) -> tuple[int, int]:
        """Return how many calls are published, and how many of them can't be scored."""
        tables = [self._place.table(f"calls/{part}", ["scorable"]) for part in self._place.parts("calls")]
        scorable = [one for table in tables for one in table["scorable"].to_pylist()]
        return len(scorable), scorable.count(False)

    def _all(self, dataset: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Yield each part of a dataset with its rows."""
        for part in self._place.parts(dataset):
            yield part, self._place.table(f"{dataset}/{part}").to_pylist()

    def publish(self, results: Sequence[CallResult], part_id: str) -> None:
        """Make these calls readable, all of each at once; rows of the same calls from before give way."""
        ids = [result.call.call_id for result in results]
        replaced = {call_id: self._parts[call_id] for call_id in ids if call_id in self._parts}
        files: list[tuple[str, Writer]] = []
        for dataset in (*DETAILS, "calls"):
            by_date: dict[str, list[dict[str, Any]]] = {}
            for result in results:
                by_date.setdefault(result.local_date or UNKNOWN_DATE, []).extend(to_rows(result, dataset))
            for date, rows in sorted(by_date.items()):
                if rows or dataset == "calls":
                    files.append(self._file(dataset, f"date={date}/{part_id}.parquet", rows))
        self._place.put(files)
        self._drop_calls(replaced)
        for result in results:
            date = result.local_date or UNKNOWN_DATE
            self._parts[result.call.call_id] = f"date={date}/{part_id}.parquet"
        self._forget_failures(ids)

    def publish_failure(self, row: FailureRow) -> None:
        """Write why a call failed; an earlier reason gives way.  A call published before stays published."""
        name = f"failure-{_safe(row.call_id)}-{_safe(row.recording)}.parquet"
        part = f"date={row.failed_at.date().isoformat()}/{name}"
        self._place.put([self._file("failures", part, [asdict(row)])])
        for old in self._place.parts("failures"):
            if old.endswith(f"/{name}") and old != part:
                self._place.delete(f"failures/{old}")

    def release(self, is_chosen: Callable[[dict[str, Any]], bool]) -> list[str]:
        """Let the next run try these failures again, whatever they failed of; returns their call ids."""
        released: list[str] = []
        for part, rows in self._all("failures"):
            chosen = [row for row in rows if is_chosen(row)]
            if not chosen:
                continue
            released += [row["call_id"] for row in chosen]
            for row in chosen:
                row |= {"state": "failed", "attempts": 0}
            self._place.put([self._file("failures", part, rows)])
        return released

    def compact(self) -> Compacted:
        """Merge the parts of every date into one, its rows in the order of the calls' ids.

        Not in object storage, where no folder can be replaced as a whole.
        """
        import pyarrow as pa

        assert isinstance(self._place, Disk)
        by_date: dict[str, list[str]] = {}
        for part in self._place.parts("calls"):
            by_date.setdefault(_date_of(part), []).append(part)
        done = Compacted(before=sum(map(len, by_date.values())))
        for date, parts in by_date.items():
            name = f"merged-{secrets.token_hex(4)}.parquet"
            files: dict[str, list[tuple[str, Writer]]] = {}
            for dataset in (*DETAILS, "calls"):
                found = [self._place.table(f"{dataset}/{part}") for part in parts] if len(parts) > 1 else []
                tables = [table for table in found if table is not None]
                merged = [pa.concat_tables(tables, promote_options="default").sort_by("call_id")] if tables else []
                files[dataset] = [(name, _writer(table)) for table in merged]
            if len(parts) > 1 and self._place.swap(date, files):
                self._parts |= {c: f"date={date}/{name}" for c, part in self._parts.items() if part in parts}
                done.after += 1
            else:
                done.after += len(parts)
                done.held += len(parts) > 1
        return done

    def marks(self) -> dict[str, str]:
        """Return the parts of `calls` with what differs once one is replaced.  Not in object storage."""
        assert isinstance(self._place, Disk)
        return self._place.marks("calls")

    def rows_of(self, part: str, dataset: str = "calls", columns: list[str] | None = None) -> list[dict[str, Any]]:
        """Return the rows of a dataset in a part; none when it has gone."""
        table = self._place.table(f"{dataset}/{part}", columns)
        return [] if table is None else table.to_pylist()

    def promises_of(self, call_id: str, part: str) -> list[PromiseRow]:
        """The promises of a call from its part; none when it is not there, or no longer.  Not in object storage."""
        assert isinstance(self._place, Disk)
        return [_of(PromiseRow, row) for row in self._place.rows(f"promises/{part}", call_id)]

    def read_call(self, call_id: str, part: str) -> CallResult | None:
        """Return a call from its part, None when it is not there, or no longer.  Not in object storage."""
        assert isinstance(self._place, Disk)
        rows = {name: self._place.rows(f"{name}/{part}", call_id) for name in ("calls", *DETAILS)}
        if not rows["calls"]:
            return None
        return to_result(rows["calls"][0], rows, _date_of(part))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While this lasts `compact` lets the files be."""
        if isinstance(self._place, Disk):
            with self._place.reading():
                yield
        else:
            yield

    def publish_run(self, row: RunRow) -> None:
        """Write the row of a run."""
        part = f"date={row.started_at.date().isoformat()}/run-{row.run_id}.parquet"
        self._place.put([self._file("runs", part, [asdict(row)])])

    def write_report(self, row: RunRow, page: str) -> None:
        """Write the row of a run as OUT/reports/<run_id>.json, and its page as .html beside it."""
        self._put(f"{REPORTS}/{row.run_id}.json", _to_json(asdict(row)))
        self._put(f"{REPORTS}/{row.run_id}.html", page)

    def erase(self, call_ids: Collection[str], texts: Collection[str] = ()) -> None:
        """Make every trace of these calls go, and what was said in those of `texts`.

        What is to go is written down first, so that a kill leaves nothing half erased after the next `open`.
        """
        if not call_ids and not texts:
            return
        where = {call_id: self._parts.get(call_id, "") for call_id in call_ids}
        quiet = {call_id: self._parts[call_id] for call_id in texts if call_id in self._parts}
        self._put(ERASING, _to_json({"calls": where, "texts": quiet}))
        self._finish_erasing()

    def _finish_erasing(self) -> None:
        text = self._place.text(ERASING)
        if text is None:
            return
        pending = json.loads(text)
        # The row of `calls` first: nobody reads a call that has lost some of its details.
        for dataset in ("calls", *DETAILS):
            self._rewrite(dataset, pending["calls"], _without)
        for dataset in ("turns", "criteria", "promises"):
            self._rewrite(dataset, pending["texts"], partial(_without_text, dataset))
        gone = set(pending["calls"])
        self._forget_failures(gone)
        self._forget_in_reports(gone)
        self._parts = {call_id: part for call_id, part in self._parts.items() if call_id not in gone}
        self._place.delete(ERASING)

    def _rewrite(self, dataset: str, where: dict[str, str], change: Callable[[Any, set[str]], Any]) -> None:
        """Change the parts of a dataset that hold these calls; a part without rows goes."""
        by_part: dict[str, set[str]] = {}
        for call_id, part in where.items():
            by_part.setdefault(part, set()).add(call_id)
        for part, ids in by_part.items():
            table = self._place.table(f"{dataset}/{part}") if part else None
            if table is None:
                continue
            changed = change(table, ids)
            if changed.num_rows:
                self._place.put([(f"{dataset}/{part}", _writer(changed))])
            else:
                self._place.delete(f"{dataset}/{part}")

    def _forget_in_reports(self, call_ids: set[str]) -> None:
        """Make the pages of runs anew that name these calls."""
        from callanalytics.store.run_page import run_page

        if not call_ids:
            return
        failures = self.failures()
        for name in self._place.files(REPORTS):
            page = self._place.text(f"{REPORTS}/{name}") or ""
            if not name.endswith(".html") or not any(escape(call_id) in page for call_id in call_ids):
                continue
            run_id = PurePosixPath(name).stem
            rows = [_to_run(row) for row in self.runs() if row["run_id"] == run_id]
            if rows:
                left = [_of(FailureRow, row) for row in failures if row["run_id"] == run_id]
                self._put(f"{REPORTS}/{name}", run_page(rows[0], left, "en" if 'lang="en"' in page else "nl"))
            else:
                self._place.delete(f"{REPORTS}/{name}")

    def holds(self) -> dict[str, str]:
        """Return the calls under legal hold with the day it began: nothing of them is erased or purged."""
        text = self._place.text(HOLDS)
        return {} if text is None else dict(json.loads(text))

    def set_holds(self, holds: dict[str, str]) -> None:
        """Put calls under legal hold, these and no others."""
        self._put(HOLDS, _to_json(holds))

    @property
    def place(self) -> Place:
        """Return where the files of OUT lie."""
        return self._place

    def write_progress(self, state: dict[str, Any]) -> None:
        """Keep how far this run is where `progress` finds it."""
        self._put(PROGRESS, _to_json(state))

    def progress(self) -> dict[str, Any] | None:
        """Return how far the last run is or was when it ended; None before the first."""
        text = self._place.text(PROGRESS)
        return None if text is None else dict(json.loads(text))

    def is_being_written(self) -> bool:
        """Return whether a run holds OUT now."""
        return self._place.is_locked()

    def _put(self, name: str, text: str) -> None:
        """A text file of OUT, replaced as a whole."""
        self._place.put([(name, lambda stream: stream.write(text.encode()))])

    def _file(self, dataset: str, part: str, rows: list[dict[str, Any]]) -> tuple[str, Writer]:
        """Return the file of a part in a dataset, by name, and what writes it."""
        import pyarrow as pa

        schema = arrow_schema(dataset, self._criteria, self._items)
        return f"{dataset}/{part}", _writer(pa.Table.from_pylist(rows, schema=schema))

    def _drop_calls(self, where: dict[str, str]) -> None:
        """Rewrite parts without these calls, which stand in newer parts.

        The calls last: as long as an old row is there, `_recover` knows that its details may be there too.
        """
        for dataset in (*DETAILS, "calls"):
            self._rewrite(dataset, where, _without)

    def _forget_failures(self, call_ids: Collection[str]) -> None:
        starts = {f"failure-{_safe(call_id)}" for call_id in call_ids}
        for part in self._place.parts("failures"):
            if PurePosixPath(part).name.rsplit("-", 1)[0] not in starts:
                continue
            if self._place.table(f"failures/{part}", ["call_id"])["call_id"][0].as_py() in call_ids:
                self._place.delete(f"failures/{part}")

    def _recover(self) -> None:
        """Finish what a kill interrupted: details whose calls never came, calls that gave way to newer rows."""
        committed = set(self._place.parts("calls"))
        for dataset in DETAILS:
            for part in self._place.parts(dataset):
                if part not in committed:
                    self._place.delete(f"{dataset}/{part}")
        newest: dict[str, tuple[Any, str]] = {}
        stale: list[tuple[str, str]] = []
        for part in sorted(committed):
            for row in self._place.table(f"calls/{part}", ["call_id", "processed_at"]).to_pylist():
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
        failed = [(row["call_id"], row["failed_at"]) for row in self.failures()]
        self._forget_failures({call_id for call_id, at in failed if call_id in newest and newest[call_id][0] >= at})


def place_of(root: Path | str, storage: Storage | None = None) -> Place:
    """Return the place a folder or a URL names."""
    if isinstance(root, Path):
        return Disk(root)
    assert storage
    return Shelf(Bucket(root, storage))


def _without(table: Any, call_ids: set[str]) -> Any:
    """Return the rows of a table but those of these calls."""
    import pyarrow.compute as pc

    return table.filter(pc.invert(_is_of(table, call_ids)))


def _without_text(dataset: str, table: Any, call_ids: set[str]) -> Any:
    """Return a table in which nothing stands of what was said in these calls."""
    import pyarrow as pa

    if dataset == "turns":
        return _without(table, call_ids)
    rows = table.to_pylist()
    for row in rows:
        if row["call_id"] in call_ids and dataset == "criteria":
            row["evidence"] = [one | {"quote": ""} for one in row["evidence"] or ()]
        elif row["call_id"] in call_ids:
            row |= {"quote": "", "deadline_text": None, "by": None}
    return pa.Table.from_pylist(rows, schema=table.schema)


def _of(kind: type[Row], row: dict[str, Any]) -> Row:
    """Return a stored row as its dataclass; columns an older version lacked are None."""
    return kind(**{field.name: row.get(field.name) for field in fields(kind)})  # type: ignore[arg-type]


def _to_run(row: dict[str, Any]) -> RunRow:
    return replace(
        _of(RunRow, row), wall_ms_by_stage=dict(row["wall_ms_by_stage"]), versions=dict(row["versions"])
    )


def to_result(call: dict[str, Any], details: dict[str, list[dict[str, Any]]], date: str) -> CallResult:
    """Return the stored rows of a call as the values they were made from; columns an older version lacked are empty."""
    turns = []
    for row in sorted(details["turns"], key=lambda row: row["turn_index"]):
        words = tuple(StoredWord(**word) for word in row["words"] or ())
        turns.append(replace(_of(TurnRow, row), words=words, speaker=row.get("speaker") or ""))
    history = [
        replace(_of(ScoreHistoryRow, row), criteria=tuple(OldStatus(**one) for one in row["criteria"]))
        for row in details["score_history"]
    ]
    criteria = [
        replace(_of(CriterionRow, row), evidence=tuple(Evidence(**one) for one in row["evidence"] or ()))
        for row in details["criteria"]
    ]
    item = "item_"
    return CallResult(
        call=replace(_of(CallRow, call), topics=tuple(TopicShare(**one) for one in call.get("topics") or ())),
        turns=tuple(turns),
        criteria=tuple(criteria),
        promises=tuple(_of(PromiseRow, row) for row in details["promises"]),
        events=tuple(_of(EventRow, row) for row in details["events"]),
        score_history=tuple(history),
        items={name.removeprefix(item): status for name, status in call.items() if name.startswith(item)},
        local_date=None if date == UNKNOWN_DATE else date,
    )


def _to_json(values: dict[str, Any]) -> str:
    return json.dumps(values, indent=1, default=lambda value: value.isoformat())


def _writer(table: Any) -> Writer:
    import pyarrow.parquet as pq

    return lambda stream: pq.write_table(table, stream, compression="zstd", row_group_size=ROW_GROUP)


def _is_of(table: Any, call_ids: Collection[str]) -> Any:
    """Return which rows are of these calls."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.is_in(table["call_id"], value_set=pa.array(sorted(call_ids), pa.string()))


def _by_call(table: Any | None, call_ids: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of these calls; none of a dataset that has no such part."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in table.filter(_is_of(table, call_ids)).to_pylist() if table else ():
        rows.setdefault(row["call_id"], []).append(row)
    return rows


def _date_of(part: str) -> str:
    return part.split("/", 1)[0].removeprefix("date=")


def _safe(text: str) -> str:
    """Return a file name's part from an id: never a path, never longer than the file system takes."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:16]
