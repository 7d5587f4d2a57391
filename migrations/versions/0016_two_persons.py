"""two persons for keys, reopenings and whole numbers: requests expire and belong to a unit; regrades"""

import sqlalchemy as sa
from alembic import op

revision = "0016_two_persons"
down_revision = "0015_outside_results"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_STATES = "state IN ('waiting', 'approved', 'refused', 'withdrawn'{more})"


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("approvals", sa.Column("unit_id", sa.BigInteger(), nullable=True))
    op.add_column("approvals", sa.Column("expires_at", _INSTANT, nullable=True))
    op.execute("UPDATE approvals SET expires_at = requested_at + interval '30 days'")
    op.alter_column("approvals", "expires_at", nullable=False)
    op.drop_constraint(op.f("ck_approvals_ck_approvals_state"), "approvals")
    op.create_check_constraint(op.f("ck_approvals_state"), "approvals", _STATES.format(more=", 'expired'"))
    op.create_table(
        "regrades",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("approval_id", sa.BigInteger(), nullable=False),
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("question_version_id", sa.BigInteger(), nullable=False),
        sa.Column("old_key_id", sa.BigInteger(), nullable=False),
        sa.Column("new_key_id", sa.BigInteger(), nullable=False),
        sa.Column("approved_by_id", sa.BigInteger(), nullable=False),
        sa.Column("last_attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("started_at", _INSTANT, nullable=True),
        sa.Column("finished_at", _INSTANT, nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'running', 'ready', 'failed', 'expired')", name=op.f("ck_regrades_state")),
        sa.CheckConstraint("done >= 0 AND total >= 0 AND tries >= 0", name=op.f("ck_regrades_counts")),
        sa.PrimaryKeyConstraint("id", name="pk_regrades"),
        sa.UniqueConstraint("approval_id", name="uq_regrades_approval_id"),
    )
    op.add_column("grades", sa.Column("regrade_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key("fk_grades_regrade_id", "grades", "regrades", ["regrade_id"], ["id"])
    op.create_index("ix_grades_regrade_id", "grades", ["regrade_id"], postgresql_where=sa.text("regrade_id IS NOT NULL"))
    op.add_column("exports", sa.Column("approval_id", sa.BigInteger(), nullable=True))


def downgrade():
    op.drop_column("exports", "approval_id")
    op.drop_index("ix_grades_regrade_id", "grades")
    op.drop_constraint("fk_grades_regrade_id", "grades")
    op.drop_column("grades", "regrade_id")
    op.drop_table("regrades")
    op.execute("UPDATE approvals SET state = 'withdrawn' WHERE state = 'expired'")
    op.drop_constraint(op.f("ck_approvals_state"), "approvals")
    op.create_check_constraint(op.f("ck_approvals_ck_approvals_state"), "approvals", _STATES.format(more=""))
    op.drop_column("approvals", "expires_at")
    op.drop_column("approvals", "unit_id")
