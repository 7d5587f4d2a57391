"""the year's key dates as the office keeps them; what was merged into a unit is found quickly"""

from alembic import op
import sqlalchemy as sa


revision = "0026_key_days"
down_revision = "0025_kept_figures"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "duty_key_days",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.CheckConstraint("month BETWEEN 1 AND 12 AND day BETWEEN 1 AND 31", name=op.f("ck_duty_key_days_day")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_key_days")),
        sa.UniqueConstraint("month", "day", name=op.f("uq_duty_key_days_month_day")),
    )
    op.create_index("ix_units_successor_id", "units", ["successor_id"], postgresql_where="successor_id IS NOT NULL")


def downgrade():
    op.drop_index("ix_units_successor_id", "units")
    op.drop_table("duty_key_days")
