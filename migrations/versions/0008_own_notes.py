"""favourites and notes, the question of the day"""

import sqlalchemy as sa
from alembic import op

revision = "0006_own_notes"
down_revision = "0005_course_contents"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "question_notes",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("is_favourite", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("is_favourite OR note <> ''", name=op.f("ck_question_notes_something")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_question_notes_person_id")),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name=op.f("fk_question_notes_question_id")),
        sa.PrimaryKeyConstraint("person_id", "question_id", name=op.f("pk_question_notes")),
    )
    op.create_table(
        "daily_questions",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name=op.f("fk_daily_questions_question_id")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_daily_questions")),
    )


def downgrade():
    op.drop_table("daily_questions")
    op.drop_table("question_notes")
