"""Promises in the index."""

from callanalytics.store.reviews.migrations import apply_sql, drop_tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Go one step on."""
    apply_sql(revision)


def downgrade() -> None:
    """Go one step back."""
    drop_tables(revision)
