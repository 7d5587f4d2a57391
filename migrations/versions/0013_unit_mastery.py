"""how units stand by law and knowledge point, added up some times a day"""

import sqlalchemy as sa
from alembic import op

revision = "0013_unit_mastery"
down_revision = "0012_change_lists"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("harvested_attempts", sa.Column("exam_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key("fk_harvested_attempts_exam_id", "harvested_attempts", "exams", ["exam_id"], ["id"])
    op.execute("UPDATE harvested_attempts AS h SET exam_id = a.exam_id FROM attempts AS a WHERE a.id = h.attempt_id")
    op.alter_column("harvested_attempts", "exam_id", nullable=False)
    op.create_table(
        "unit_mastery",
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("right_count", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("answered >= right_count AND right_count >= 0", name=op.f("ck_unit_mastery_right_count")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_unit_mastery_unit_id")),
        sa.PrimaryKeyConstraint("unit_id", "kind", "name", name=op.f("pk_unit_mastery")),
    )


def downgrade():
    op.drop_table("unit_mastery")
    op.drop_column("harvested_attempts", "exam_id")
