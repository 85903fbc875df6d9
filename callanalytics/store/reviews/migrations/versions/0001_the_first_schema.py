"""the first schema."""

import sqlalchemy as sa
from alembic import op

from callanalytics.store.reviews.tables import UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One step on."""
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempts_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_attempts_who"), ["who"], unique=False)

    op.create_table(
        "indexed_calls",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("queue", sa.String(), nullable=True),
        sa.Column("direction", sa.String(), nullable=True),
        sa.Column("agent_ref", sa.String(), nullable=True),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("scorable", sa.Boolean(), nullable=False),
        sa.Column("normalized_score", sa.Double(), nullable=True),
        sa.Column("compliance_status", sa.String(), nullable=True),
        sa.Column("uncertainty", sa.Double(), nullable=False),
        sa.Column("uncertain", sa.Integer(), nullable=False),
        sa.Column("recording", sa.String(), nullable=False),
        sa.Column("recording_sha256", sa.String(), nullable=False),
        sa.Column("scoring", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_indexed_calls")),
    )
    with op.batch_alter_table("indexed_calls", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_indexed_calls_agent_ref"), ["agent_ref"], unique=False)
        batch_op.create_index(batch_op.f("ix_indexed_calls_day"), ["day"], unique=False)
        batch_op.create_index(batch_op.f("ix_indexed_calls_part"), ["part"], unique=False)
        batch_op.create_index(batch_op.f("ix_indexed_calls_queue"), ["queue"], unique=False)
        batch_op.create_index(batch_op.f("ix_indexed_calls_topic"), ["topic"], unique=False)
        batch_op.create_index(batch_op.f("ix_indexed_calls_uncertainty"), ["uncertainty"], unique=False)

    op.create_table(
        "indexed_parts",
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("mark", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("part", name=op.f("pk_indexed_parts")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("password", sa.String(), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("agent_ref", sa.String(length=32), nullable=True),
        sa.Column("lang", sa.String(length=2), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("disabled_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_table(
        "contests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("criterion", sa.String(length=60), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("settled_at", UtcTime(), nullable=True),
        sa.Column("settled_by", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["settled_by"], ["users.id"], name=op.f("fk_contests_settled_by")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_contests_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contests")),
        sa.UniqueConstraint("token", name=op.f("uq_contests_token")),
    )
    with op.batch_alter_table("contests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contests_call_id"), ["call_id"], unique=False)

    op.create_table(
        "gates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("criterion", sa.String(length=60), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_gates_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gates")),
    )
    with op.batch_alter_table("gates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gates_criterion"), ["criterion"], unique=False)

    op.create_table(
        "indexed_criteria",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("criterion", sa.String(length=60), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["indexed_calls.call_id"], name=op.f("fk_indexed_criteria_call_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", "criterion", name=op.f("pk_indexed_criteria")),
    )
    with op.batch_alter_table("indexed_criteria", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_indexed_criteria_criterion_status"), ["criterion", "status"], unique=False)

    op.create_table(
        "plan_actions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("hypothesis", sa.String(), nullable=False),
        sa.Column("item", sa.String(length=60), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("closed_at", UtcTime(), nullable=True),
        sa.Column("conclusion", sa.String(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_plan_actions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_actions")),
        sa.UniqueConstraint("token", name=op.f("uq_plan_actions_token")),
    )
    op.create_table(
        "promise_judgements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("promise_index", sa.Integer(), nullable=True),
        sa.Column("start_ms", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(length=20), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=True),
        sa.Column("registered", sa.Boolean(), nullable=True),
        sa.Column("kept", sa.Boolean(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_promise_judgements_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise_judgements")),
        sa.UniqueConstraint("token", name=op.f("uq_promise_judgements_token")),
    )
    with op.batch_alter_table("promise_judgements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_promise_judgements_call_id"), ["call_id"], unique=False)

    op.create_table(
        "role_swaps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_role_swaps_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_swaps")),
        sa.UniqueConstraint("token", name=op.f("uq_role_swaps_token")),
    )
    with op.batch_alter_table("role_swaps", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_role_swaps_call_id"), ["call_id"], unique=False)

    op.create_table(
        "samples",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("closed_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_samples_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_samples")),
    )
    op.create_table(
        "sessions",
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("seen_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_sessions")),
    )
    op.create_table(
        "finished",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=True),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("normalized_score", sa.Double(), nullable=True),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_finished_sample_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_finished_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finished")),
        sa.UniqueConstraint("token", name=op.f("uq_finished_token")),
    )
    with op.batch_alter_table("finished", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_finished_call_id"), ["call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_finished_made_at"), ["made_at"], unique=False)

    op.create_table(
        "judgements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("criterion", sa.String(length=60), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(length=20), nullable=False),
        sa.Column("how", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("machine_status", sa.String(length=20), nullable=False),
        sa.Column("machine_probability", sa.Double(), nullable=False),
        sa.Column("scorecard_version", sa.String(), nullable=False),
        sa.Column("scoring", sa.String(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=True),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_judgements_sample_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_judgements_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judgements")),
        sa.UniqueConstraint("token", "criterion", name=op.f("uq_judgements_token_criterion")),
    )
    with op.batch_alter_table("judgements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_judgements_call_id"), ["call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_judgements_criterion_made_at"), ["criterion", "made_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_judgements_made_at"), ["made_at"], unique=False)

    op.create_table(
        "sample_calls",
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sample_id"], ["samples.id"], name=op.f("fk_sample_calls_sample_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sample_id", "call_id", name=op.f("pk_sample_calls")),
    )
    with op.batch_alter_table("sample_calls", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sample_calls_call_id"), ["call_id"], unique=False)


def downgrade() -> None:
    """One step back."""
    with op.batch_alter_table("sample_calls", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sample_calls_call_id"))

    op.drop_table("sample_calls")
    with op.batch_alter_table("judgements", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_judgements_made_at"))
        batch_op.drop_index(batch_op.f("ix_judgements_criterion_made_at"))
        batch_op.drop_index(batch_op.f("ix_judgements_call_id"))

    op.drop_table("judgements")
    with op.batch_alter_table("finished", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_finished_made_at"))
        batch_op.drop_index(batch_op.f("ix_finished_call_id"))

    op.drop_table("finished")
    op.drop_table("sessions")
    op.drop_table("samples")
    with op.batch_alter_table("role_swaps", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_role_swaps_call_id"))

    op.drop_table("role_swaps")
    with op.batch_alter_table("promise_judgements", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_promise_judgements_call_id"))

    op.drop_table("promise_judgements")
    op.drop_table("plan_actions")
    with op.batch_alter_table("indexed_criteria", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_indexed_criteria_criterion_status"))

    op.drop_table("indexed_criteria")
    with op.batch_alter_table("gates", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gates_criterion"))

    op.drop_table("gates")
    with op.batch_alter_table("contests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contests_call_id"))

    op.drop_table("contests")
    op.drop_table("users")
    op.drop_table("indexed_parts")
    with op.batch_alter_table("indexed_calls", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_indexed_calls_uncertainty"))
        batch_op.drop_index(batch_op.f("ix_indexed_calls_topic"))
        batch_op.drop_index(batch_op.f("ix_indexed_calls_queue"))
        batch_op.drop_index(batch_op.f("ix_indexed_calls_part"))
        batch_op.drop_index(batch_op.f("ix_indexed_calls_day"))
        batch_op.drop_index(batch_op.f("ix_indexed_calls_agent_ref"))

    op.drop_table("indexed_calls")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempts_who"))
        batch_op.drop_index(batch_op.f("ix_attempts_at"))

    op.drop_table("attempts")
