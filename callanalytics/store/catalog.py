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
VIEWS, COUNTED = (Path(__file__).with_name(name) for name in ("views.sql", "counted_promises.sql"))

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

# The views of views.sql, in the order in which they build on each other.
DERIVED = ("reviewed_criteria", "call_states", "items", "register", "repeat_calls")


def counted_promises(promises: str = "promises") -> str:
    """Return the SELECT that says what counts of each promise in a table of promises, people's answers in place."""
    return COUNTED.read_text(encoding="utf-8").replace("{promises}", promises)


@contextmanager
def open_catalog(
    config: Config, output: Path | str, reviews: Mapping[str, pa.Table] | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB in memory with a view per dataset of OUT, per table of the review store, and per entry of DERIVED.

    Every view is there with all its columns, empty when there is nothing yet.  Columns of criteria and items that the
    scorecard of now lacks are not in `calls`; `criteria` has all rows.  `date` is a DATE, None when nobody said when
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
    """Return the tables of OUT's review store by name; none when nobody has reviewed yet.

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
    # As a view would read it, but a column that older files lack is None, and nobody but Arrow opens the files.
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
    pairs = ", ".join(f"""{{'item': '{item}', 'status': "item_{item}"}}""" for item in items)
    values = {
        "{items}": pairs or "{'item': '', 'status': NULL::VARCHAR}",
        "{repeat_days}": str(REPEAT_DAYS),
        "{z}": str(Z95),
        "{z2}": str(Z95**2),
        "{counted_promises}": counted_promises(),
    }
    text = VIEWS.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(name, value)
    sql.execute(text)


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
