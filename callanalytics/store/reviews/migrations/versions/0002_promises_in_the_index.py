"""Promises in the index."""

import sqlalchemy as sa
from alembic import op

from callanalytics.store.reviews.tables import UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One step on."""
    op.create_table(
        "indexed_promises",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("promise_index", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=True),
        sa.Column("number_confirmed", sa.Boolean(), nullable=True),
        sa.Column("start_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["indexed_calls.call_id"], name=op.f("fk_indexed_promises_call_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", "promise_index", name=op.f("pk_indexed_promises")),
    )
    with op.batch_alter_table("indexed_promises", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_indexed_promises_due_at"), ["due_at"], unique=False)
    op.execute("DELETE FROM indexed_parts")  # so that all parts are read again, now with their promises


def downgrade() -> None:
    """One step back."""
    with op.batch_alter_table("indexed_promises", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_indexed_promises_due_at"))

    op.drop_table("indexed_promises")
