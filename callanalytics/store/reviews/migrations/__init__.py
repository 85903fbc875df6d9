"""Alembic migrations of the review store: each runs the SQL file of its number, which never changes again."""

from __future__ import annotations

import re
from pathlib import Path

VERSIONS = Path(__file__).parent / "versions"
TYPES = {
    "sqlite": {"id": "INTEGER", "time": "DATETIME", "double": "DOUBLE"},
    "postgresql": {"id": "SERIAL", "time": "TIMESTAMP WITH TIME ZONE", "double": "DOUBLE PRECISION"},
}


def apply_sql(revision: str) -> None:
    """Run the statements of a revision in the dialect of the database."""
    from alembic import op

    text = _read(revision).format(**TYPES[op.get_context().dialect.name])
    for statement in text.removesuffix(";\n").split(";\n"):
        # SQLite keeps the text of a statement: with the spacing of SQLAlchemy all databases hold the same.
        op.execute(statement.replace(",\n    ", ", \n\t").replace("(\n    ", "(\n\t"))


def drop_tables(revision: str) -> None:
    """Drop the tables that a revision made, those that refer to others first."""
    from alembic import op

    for table in reversed(re.findall(r"^CREATE TABLE (\w+)", _read(revision), re.MULTILINE)):
        op.drop_table(table)


def _read(revision: str) -> str:
    """Return a revision's SQL without its comments."""
    text = (VERSIONS / f"{revision}.sql").read_text(encoding="utf-8")
    return re.sub(r"^--.*\n+", "", text, flags=re.MULTILINE)
