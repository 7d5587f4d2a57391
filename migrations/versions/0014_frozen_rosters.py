"""frozen rosters of exams, and the corrections that were accepted since"""

from alembic import op
import sqlalchemy as sa


revision = "0014_frozen_rosters"
down_revision = "0013_unit_mastery"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("exams", sa.Column("frozen_taken_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("exams", sa.Column("corrections", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "roster_snapshot_units",
        sa.Column("exam_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("sector_parent_id", sa.BigInteger(), nullable=True),
        sa.Column("region_path", sa.Text(), nullable=False),
        sa.Column("sector_path", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name=op.f("fk_frozen_units_exam_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_frozen_units_unit_id")),
        sa.PrimaryKeyConstraint("exam_id", "unit_id", name=op.f("pk_frozen_units")),
    )
    op.create_table(
        "roster_snapshot_people",
        sa.Column("exam_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("excuse", sa.Text(), nullable=True),
        sa.CheckConstraint("excuse IN ('exemption', 'deferral')", name=op.f("ck_frozen_people_excuse")),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name=op.f("fk_frozen_people_exam_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_frozen_people_person_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_frozen_people_unit_id")),
        sa.PrimaryKeyConstraint("exam_id", "person_id", name=op.f("pk_frozen_people")),
    )
    op.create_index("ix_frozen_people_person_id", "roster_snapshot_people", ["person_id"])
    op.create_table(
        "roster_corrections",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("exam_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("old_unit_id", sa.BigInteger(), nullable=True),
        sa.Column("old_excuse", sa.Text(), nullable=True),
        sa.Column("new_unit_id", sa.BigInteger(), nullable=True),
        sa.Column("new_excuse", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("accepted_by_id", sa.BigInteger(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name=op.f("fk_roster_corrections_exam_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_roster_corrections_person_id")),
        sa.ForeignKeyConstraint(["old_unit_id"], ["units.id"], name=op.f("fk_roster_corrections_old_unit_id")),
        sa.ForeignKeyConstraint(["new_unit_id"], ["units.id"], name=op.f("fk_roster_corrections_new_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_corrections")),
    )
    op.create_index("ix_roster_corrections_exam_id", "roster_corrections", ["exam_id"])


def downgrade():
    op.drop_table("roster_corrections")
    op.drop_table("roster_snapshot_people")
    op.drop_table("roster_snapshot_units")
    op.drop_column("exams", "corrections")
    op.drop_column("exams", "frozen_taken_at")
