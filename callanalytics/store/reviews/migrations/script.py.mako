"""${message}."""

from callanalytics.store.reviews.migrations import apply_sql, drop_tables

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Go one step on."""
    apply_sql(revision)


def downgrade() -> None:
    """Go one step back."""
    drop_tables(revision)
