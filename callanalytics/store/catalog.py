"""OUT as a database: every dataset, what people said of the calls in review, and both joined, as views of DuckDB.

SQL that runs here can read these views and nothing else, and write nothing: DuckDB itself opens no file.  The rows
come from Arrow datasets that were opened before, and its access to files, network, extensions and Python's variables
is shut and locked before anybody's query runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callanalytics.config import Config
from callanalytics.errors import InputError
from callanalytics.intervals import Z95
from callanalytics.records import DATASETS, arrow_schema
from callanalytics.store.datasets import Store
from callanalytics.tables import criterion_ids
from callanalytics.texts import Message

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MEMORY = "2GB"  # a query that wants more fails: what it reads may not be spilled to a disk outside OUT
REPEAT_DAYS = 14
COUNTED = Path(__file__).with_name("counted_promises.sql")

# The tables of the review store that analysts see (columns: review/tables.py), with what a row of each is.
REVIEWS = {
    "judgements": "what a person said of a criterion in a call; the newest of a person counts",
    "finished": "a person was done with a call; items is what the card then came to, as JSON",
    "contests": "an agent does not agree with a review; open until settled_at",
    "promise_judgements": "what a person said of a promise, or a promise that the machine missed",
    "role_swaps": "a person said that agent and citizen were taken for each other",
    "plan_actions": "the PDCA log",
    "gates": "a criterion went live or was taken back; the newest line counts",
    "samples": "calls drawn to be reviewed, or scored blind",
    "sample_calls": "the calls of the samples",
}

# Derived views in the order in which they build on each other: name -> (what a row is, columns, SELECT).
# {repeat_days}, {counted_promises} and {items} are filled in, {items} with each item of the scorecard beside its
# column of `calls`.
DERIVED: dict[str, tuple[str, dict[str, str], str]] = {
    "reviewed_criteria": (
        "a call x criterion: what the machine says and what people say; blind judgements of samples never count",
        {
            "call_id": "identifier of the call",
            "date": "date of the call where it was made",
            "criterion": "identifier of the criterion",
            "applicable": "whether the machine says that the criterion applied",
            "detected": "whether the machine found the behaviour",
            "status": "the machine's status: met, not_met, not_applicable or uncertain",
            "probability": "the machine's probability that the behaviour occurred",
            "source": "rule, model, both or metric",
            "human_status": "newest answer of a person: met, not_met, not_applicable or unclear; null without one",
            "how": "single (looked at by itself) or rest (accepted with all the rest)",
            "reason": "why the person corrected the machine",
            "reviewers": "people who gave an answer",
            "disagree": "whether the newest answers of people differ",
            "judged_at": "when the newest answer was given",
            "final_status": "the person's answer, else, or when it is unclear, the machine's status",
            "state": "contested while an open contest is about it, reviewed with a person's answer, else machine",
        },
        """
        WITH last_words AS (  -- of each person
            SELECT * FROM judgements WHERE how <> 'blind'
            QUALIFY row_number() OVER (PARTITION BY call_id, criterion, user_id ORDER BY made_at DESC, id DESC) = 1
        ), people AS (
            SELECT call_id, criterion, answer, how, reason, made_at,
                count(*) OVER called AS reviewers,
                min(answer) OVER called <> max(answer) OVER called AS disagree
            FROM last_words
            WINDOW called AS (PARTITION BY call_id, criterion)
            QUALIFY row_number() OVER (PARTITION BY call_id, criterion ORDER BY made_at DESC, id DESC) = 1
        ), open_contests AS (SELECT call_id, criterion FROM contests WHERE settled_at IS NULL)
        SELECT c.call_id, c.date, c.criterion, c.applicable, c.detected, c.status, c.probability, c.source,
            p.answer AS human_status, p.how, p.reason, coalesce(p.reviewers, 0) AS reviewers,
            coalesce(p.disagree, false) AS disagree, p.made_at AS judged_at,
            coalesce(nullif(p.answer, 'unclear'), c.status) AS final_status,
            CASE WHEN c.call_id IN (SELECT call_id FROM open_contests WHERE criterion IS NULL)
                    OR (c.call_id, c.criterion) IN (SELECT (call_id, criterion) FROM open_contests
                        WHERE criterion IS NOT NULL) THEN 'contested'
                WHEN p.answer IS NOT NULL THEN 'reviewed' ELSE 'machine' END AS state
        FROM criteria c LEFT JOIN people p USING (call_id, criterion)
        """,
    ),
    "call_states": (
        "a call: machine, reviewed (somebody finished it, not blind) or contested (an open contest)",
        {"call_id": "identifier of the call", "state": "machine, reviewed or contested"},
        """
        SELECT call_id,
            CASE WHEN call_id IN (SELECT call_id FROM contests WHERE settled_at IS NULL) THEN 'contested'
                WHEN call_id IN (SELECT call_id FROM reviews_of_calls) THEN 'reviewed' ELSE 'machine' END AS state
        FROM calls
        """,
    ),
    "items": (
        "a call x item of the scorecard of now",
        {
            "call_id": "identifier of the call",
            "date": "date of the call where it was made",
            "item": "identifier of the item",
            "machine_status": "the machine's status: met, not_met, not_applicable or uncertain",
            "final_status": "what the newest review of the call came to, else the machine's status",
            "state": "of the call: machine, reviewed or contested",
        },
        """
        WITH statuses AS (
            SELECT call_id, date, one.item, one.status AS machine_status
            FROM (SELECT call_id, date, unnest([{items}]) AS one FROM calls) WHERE one.status IS NOT NULL
        ), newest AS (
            SELECT call_id, items FROM reviews_of_calls
            QUALIFY row_number() OVER (PARTITION BY call_id ORDER BY made_at DESC, id DESC) = 1
        )
        SELECT call_id, s.date, s.item, s.machine_status,
            coalesce(json_extract_string(newest.items, '$."' || s.item || '"'), s.machine_status) AS final_status, state
        FROM statuses s JOIN call_states USING (call_id) LEFT JOIN newest USING (call_id)
        """,
    ),
    "register": (
        "a promise to a citizen, as the machine heard it or a person wrote it down, with the newest answer of a person",
        {
            "call_id": "identifier of the call",
            "date": "date of the call where it was made",
            "queue": "queue the call came in on",
            "topic": "main reason of the call",
            "promise_index": "position in `promises`; null when the machine (of now) has no such promise",
            "type": "callback, action, letter_or_email or visit, as the machine heard it",
            "by": 'who is to do it, as said (write it as "by" in SQL)',
            "deadline_text": "the deadline as said",
            "due_at": "the deadline as the machine resolved it",
            "number_confirmed": "for a callback: whether the number was checked",
            "quote": "the promise as said, redacted",
            "start_ms": "start, ms from the start of the call",
            "answer": "newest answer of a person: confirmed, corrected, rejected or missed; null without one",
            "final_type": "type by the person's answer, else the machine's",
            "final_due_at": "deadline by the person's answer, else the machine's",
            "registered": "whether it stands in the municipality's own system, by the person",
            "kept": "whether it was kept, by the person",
            "judged_at": "when the newest answer was given",
            "is_rejected": "whether the person says that it is no promise",
        },
        """
        SELECT call_id, c.date, c.queue, c.topic, promise_index, p.type, p."by", p.deadline_text, p.due_at,
            p.number_confirmed, p.quote, n.start_ms, n.answer, n.final_type, n.final_due_at, n.registered, n.kept,
            n.judged_at, n.is_rejected
        FROM ({counted_promises}) n JOIN calls c USING (call_id) LEFT JOIN promises p USING (call_id, promise_index)
        """,
    ),
    "repeat_calls": (
        "a citizen's call after another call of the same caller about the same topic, {repeat_days} days ago at most; "
        "calls that the municipality made are no repeats; needs caller_ref",
        {
            "call_id": "identifier of the call",
            "date": "date of the call where it was made",
            "queue": "queue the call came in on",
            "topic": "main reason of both calls; never onbekend",
            "previous_call_id": "the caller's last call about it before this one",
            "days_between": "calendar days between them, 0 on the same day",
            "promise_before": "promises of the register in the previous call",
        },
        """
        WITH known AS (
            SELECT call_id, date, queue, topic, direction, started_at,
                lag(call_id) OVER earlier AS previous_call_id, lag(started_at) OVER earlier AS previous_at
            FROM calls
            WHERE caller_ref IS NOT NULL AND started_at IS NOT NULL AND topic <> 'onbekend'
            WINDOW earlier AS (PARTITION BY caller_ref, topic ORDER BY started_at, call_id)
        )
        SELECT call_id, date, queue, topic, previous_call_id,
            date_diff('day', previous_at::DATE, started_at::DATE) AS days_between,
            (SELECT count(*) FROM register r WHERE r.call_id = previous_call_id AND NOT is_rejected) AS promise_before
        FROM known
        WHERE direction IS DISTINCT FROM 'outbound' AND started_at - previous_at <= INTERVAL {repeat_days} DAY
        """,
    ),
}

# The 95 % interval of a share (Wilson 1927): wilson_low(hits, n), wilson_high(hits, n); null without cases.
_MIDDLE, _HALF = "(k / n + {z2} / (2 * n))", "{z} * sqrt(k / n * (1 - k / n) / n + {z2} / (4 * n * n))"
MACROS = (
    f"wilson_low(k, n) AS CASE WHEN n > 0 THEN greatest(0.0, ({_MIDDLE} - {_HALF}) / (1 + {{z2}} / n)) END",
    f"wilson_high(k, n) AS CASE WHEN n > 0 THEN least(1.0, ({_MIDDLE} + {_HALF}) / (1 + {{z2}} / n)) END",
)


def counted_promises(promises: str = "promises") -> str:
    """Return the SELECT that says what counts of each promise in a table of promises, people's answers in place."""
    return COUNTED.read_text(encoding="utf-8").replace("{promises}", promises)


@contextmanager
def open_catalog(
    config: Config, output: Path | str, reviews: Mapping[str, pa.Table] | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB in memory with a view per dataset of OUT, per table of the review store, and per entry of DERIVED.

    Every view is there with all its columns, empty when there is nothing yet.  Columns of criteria and items that the
    scorecard of now lacks are not in `calls`; `criteria` has all rows.  `date` is a DATE, null when nobody said when
    the call began; times print in the municipality's zone.  While it is open `compact` lets the files be.
    `reviews` are the tables of the review store by name.  Raises StoreError without an OUT, InputError for an OUT in
    object storage.
    """
    import duckdb

    from callanalytics.store.reviews.tables import arrow_schemas

    if not isinstance(output, Path):
        raise InputError(path=output, reason=Message("errors.sql_reads_folder_machine"))
    criteria, items = criterion_ids(config), tuple(config.scorecard.items)
    store = Store(output, criteria, items, config.storage)
    store.check_is_there()
    sql = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": ""})
    try:
        with store.reading():
            sql.execute("SET TimeZone = ?", [config.municipality.timezone])
            for dataset in DATASETS:
                _add_dataset(sql, output, dataset, arrow_schema(dataset, criteria, items))
            for name, schema in arrow_schemas().items():
                table = (reviews or {}).get(name, schema.empty_table())
                _add_view(sql, name, table.select(schema.names).cast(schema), REVIEWS[name], {})
            _add_derived(sql, items)
            _shut(sql)
            yield sql
    finally:
        sql.close()


def find_views(sql: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """The views of a catalog with what a row of each is: what joins others first, then datasets, then reviews."""
    rows = sql.execute("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal AND NOT temporary").fetchall()
    order = [*DERIVED, *DATASETS, *REVIEWS]
    return sorted(rows, key=lambda row: order.index(row[0]) if row[0] in order else len(order))


def find_columns(sql: duckdb.DuckDBPyConnection, view: str = "") -> list[tuple[str, str, str, str | None]]:
    """View, name, type and meaning of every column, of one view alone when it is given."""
    rows = sql.execute(
        "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE NOT internal "
        "AND table_name NOT LIKE 'stored_%' ORDER BY table_name, column_index"
    ).fetchall()
    return [row for row in rows if view in ("", row[0])]


def read_reviews(config: Config, output: Path | str) -> dict[str, pa.Table]:
    """The tables of OUT's review store by name; none when nobody has reviewed yet.

    Raises StoreError when there is a store that can't be read.
    """
    from callanalytics.store.reviews.reviews import existing_reviews

    reviews = existing_reviews(config, output)
    if reviews is None:
        return {}
    try:
        return reviews.as_arrow()
    finally:
        reviews.close()


def _add_dataset(sql: duckdb.DuckDBPyConnection, output: Path, dataset: str, schema: pa.Schema) -> None:
    import pyarrow as pa
    from pyarrow import dataset as arrow

    date = pa.field("date", pa.date32(), metadata={"description": "date of the call where it was made, or of the run"})
    schema = schema.append(date)
    files = [str(path) for path in sorted((output / dataset).glob("date=*/*.parquet"))]
    # As a view would read it, but a column that older files lack is null, and nobody but Arrow opens the files.
    source: Any = schema.empty_table()
    if files:
        source = arrow.dataset(
            files,
            schema=schema,
            format="parquet",
            partitioning=arrow.partitioning(pa.schema([date]), flavor="hive"),
            partition_base_dir=str(output / dataset),
        )
    comments = {field.name: field.metadata[b"description"].decode() for field in schema}
    _add_view(sql, dataset, source, " ".join((DATASETS[dataset].__doc__ or "").split()), comments)


def _add_derived(sql: duckdb.DuckDBPyConnection, items: tuple[str, ...]) -> None:
    for macro in MACROS:
        sql.execute(f"CREATE MACRO {macro.format(z=Z95, z2=Z95**2)}")
    # A call's reviews: scoring blind for a sample is none.
    sql.execute(
        "CREATE VIEW reviews_of_calls AS SELECT * FROM finished "
        "WHERE sample_id IS NULL OR sample_id IN (SELECT id FROM samples WHERE NOT blind)"
    )
    sql.execute("COMMENT ON VIEW reviews_of_calls IS 'rows of finished that are reviews: not scored blind'")
    pairs = ", ".join(f"""{{'item': '{item}', 'status': "item_{item}"}}""" for item in items)
    pairs = pairs or "{'item': '', 'status': NULL::VARCHAR}"
    for name, (text, columns, select) in DERIVED.items():
        filled = select.replace("{items}", pairs).replace("{repeat_days}", str(REPEAT_DAYS))
        filled = filled.replace("{counted_promises}", counted_promises())
        sql.execute(f"CREATE VIEW {name} AS {filled}")
        _comment(sql, name, text.replace("{repeat_days}", str(REPEAT_DAYS)), columns)


def _add_view(sql: duckdb.DuckDBPyConnection, name: str, source: Any, text: str, columns: dict[str, str]) -> None:
    sql.register(f"stored_{name}", source)
    sql.execute(f"CREATE VIEW {name} AS SELECT * FROM stored_{name}")
    _comment(sql, name, text, columns)


def _comment(sql: duckdb.DuckDBPyConnection, name: str, text: str, columns: dict[str, str]) -> None:
    quoted = text.replace("'", "''")
    sql.execute(f"COMMENT ON VIEW {name} IS '{quoted}'")
    for column, meaning in columns.items():
        quoted = meaning.replace("'", "''")
        sql.execute(f"""COMMENT ON COLUMN {name}."{column}" IS '{quoted}'""")


def _shut(sql: duckdb.DuckDBPyConnection) -> None:
    """From now on: no file, no network, no extension, no variable of Python, and no way to allow one again."""
    for setting in ("python_enable_replacements", "enable_external_access", "autoinstall_known_extensions"):
        sql.execute(f"SET {setting} = false")
    sql.execute("SET lock_configuration = true")
