"""privacy: anonymous persons, exams made anonymous, and runs that let data go"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018_retention"
down_revision = "0017_audit_archives"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_constraint(op.f("ck_persons_state"), "persons", type_="check")
    op.create_check_constraint(
        op.f("ck_persons_state"), "persons", "state IN ('on_roster', 'off_roster', 'left', 'anonymous')"
    )
    op.add_column("exams", sa.Column("anonymised_at", _INSTANT, nullable=True))
    op.create_table(
        "retention_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("ran_at", _INSTANT, nullable=False),
        sa.Column("started_by_id", sa.BigInteger(), nullable=True),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_retention_runs"),
    )


def downgrade():
    op.drop_table("retention_runs")
    op.drop_column("exams", "anonymised_at")
    op.drop_constraint(op.f("ck_persons_state"), "persons", type_="check")
    op.create_check_constraint(op.f("ck_persons_state"), "persons", "state IN ('on_roster', 'off_roster', 'left')")
