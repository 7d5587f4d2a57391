"""lists of changes of the roster that units submit"""

import sqlalchemy as sa
from alembic import op

revision = "0012_change_lists"
down_revision = "0012_relearning"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "roster_change_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("submitted_by_id", sa.BigInteger(), nullable=True),
        sa.Column("submitted_at", _INSTANT, nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", _INSTANT, nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'approved', 'withdrawn')", name=op.f("ck_change_lists_state")
        ),
        sa.CheckConstraint(
            "state NOT IN ('submitted', 'approved') OR submitted_at IS NOT NULL", name=op.f("ck_change_lists_submitted")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_change_lists_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_lists")),
    )
    op.create_index(op.f("ix_change_lists_unit_id"), "roster_change_requests", ["unit_id"])
    op.create_table(
        "roster_change_items",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("staff_number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rank", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("to_unit_id", sa.BigInteger(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", _INSTANT, nullable=True),
        sa.Column("applied_at", _INSTANT, nullable=True),
        sa.CheckConstraint(
            "kind IN ('join', 'transfer_in', 'transfer_out', 'secondment', 'retire', 'leave', 'correction')",
            name=op.f("ck_change_lines_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'approved', 'applied', 'refused')", name=op.f("ck_change_lines_state")
        ),
        sa.CheckConstraint("(state = 'applied') = (applied_at IS NOT NULL)", name=op.f("ck_change_lines_applied")),
        sa.ForeignKeyConstraint(["list_id"], ["roster_change_requests.id"], name=op.f("fk_change_lines_list_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_change_lines_person_id")),
        sa.ForeignKeyConstraint(["to_unit_id"], ["units.id"], name=op.f("fk_change_lines_to_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_lines")),
    )
    op.create_index(op.f("ix_change_lines_list_id"), "roster_change_items", ["list_id"])
    op.create_index(
        "ix_change_lines_due", "roster_change_items", ["effective_on"], postgresql_where=sa.text("state = 'approved'")
    )


def downgrade():
    op.drop_table("roster_change_items")
    op.drop_table("roster_change_requests")
