"""The first schema."""

from callanalytics.store.reviews.migrations import apply_sql, drop_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Go one step on."""
    apply_sql(revision)


def downgrade() -> None:
    """Go one step back."""
    drop_tables(revision)
