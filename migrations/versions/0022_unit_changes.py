"""mergers, splits and new names of units"""

from alembic import op
import sqlalchemy as sa


revision = "0022_unit_changes"
down_revision = "0021_corrections_found"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "unit_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("other_unit_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_name", sa.Text(), nullable=False),
        sa.Column("other_name", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_by_id", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('merge', 'split', 'rename')", name=op.f("ck_unit_changes_kind")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_unit_changes_unit_id")),
        sa.ForeignKeyConstraint(["other_unit_id"], ["units.id"], name=op.f("fk_unit_changes_other_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_changes")),
    )
    op.create_index("ix_unit_changes_unit_id", "unit_changes", ["unit_id"])


def downgrade():
    op.drop_table("unit_changes")
