"""reminders of exams that people are shown on the site"""

import sqlalchemy as sa
from alembic import op

revision = "0004_reminders"
down_revision = "0003_outgoing"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "exam_reminders",
        sa.Column("exam_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("reminded_on", sa.Date(), nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("reminded_by_id", sa.BigInteger(), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name=op.f("fk_exam_reminders_exam_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_exam_reminders_person_id")),
        sa.PrimaryKeyConstraint("exam_id", "person_id", "reminded_on", name=op.f("pk_exam_reminders")),
    )
    op.create_index("ix_exam_reminders_person_id", "exam_reminders", ["person_id", "exam_id"])


def downgrade():
    op.drop_table("exam_reminders")
