"""cards of the mistake book, the practice pool, what units lack after an exam"""

import sqlalchemy as sa
from alembic import op

revision = "0004_memory"
down_revision = "0004_reminders"
branch_labels = None
depends_on = None

_CARDS_OF_MISTAKES = """
INSERT INTO review_cards (person_id, question_id, part, is_right, lapses, answered_at, due_at, stability, difficulty, item_id)
SELECT DISTINCT ON (person_id, question_id, part) person_id, question_id, part, is_right, CASE WHEN is_right THEN 0 ELSE 1 END, answered_at,
  CASE WHEN is_right THEN NULL ELSE answered_at + interval '1 day' END, CASE WHEN is_right THEN NULL ELSE 0.212 END,
  CASE WHEN is_right THEN NULL ELSE 6.4133 END, id
FROM practice_items WHERE answered_at IS NOT NULL
ORDER BY person_id, question_id, part, answered_at DESC, id DESC
"""
"""What was last answered wrong is due a day after, with the model's values for a first wrong answer."""


def upgrade():
    op.add_column("practice_items", sa.Column("is_unsure", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "review_cards",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.SmallInteger(), nullable=False),
        sa.Column("is_right", sa.Boolean(), nullable=False),
        sa.Column("lapses", sa.SmallInteger(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stability", sa.Numeric(precision=12, scale=4), nullable=True),
        sa.Column("difficulty", sa.Numeric(precision=6, scale=4), nullable=True),
        sa.Column("item_id", sa.BigInteger(), nullable=True),
        sa.Column("exam_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(due_at IS NULL) = (stability IS NULL)", name=op.f("ck_review_cards_scheduled")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_review_cards_person_id")),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name=op.f("fk_review_cards_question_id")),
        sa.PrimaryKeyConstraint("person_id", "question_id", "part", name=op.f("pk_review_cards")),
    )
    op.create_index("ix_review_cards_person_id_due_at", "review_cards", ["person_id", "due_at"], unique=False)
    op.execute(_CARDS_OF_MISTAKES)
    op.create_table(
        "due_counts",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_due_counts_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_due_counts")),
    )
    op.create_table(
        "harvested_attempts",
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("harvested_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name=op.f("fk_harvested_attempts_attempt_id")),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_harvested_attempts")),
    )
    op.create_table(
        "unit_weaknesses",
        sa.Column("exam_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sitters", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("right_count", sa.Integer(), nullable=False),
        sa.CheckConstraint("asked >= right_count AND right_count >= 0", name=op.f("ck_unit_weaknesses_right_count")),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name=op.f("fk_unit_weaknesses_exam_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_unit_weaknesses_unit_id")),
        sa.PrimaryKeyConstraint("exam_id", "unit_id", "kind", "name", name=op.f("pk_unit_weaknesses")),
    )
    op.create_table(
        "practice_marks",
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("marked_by_id", sa.BigInteger(), nullable=True),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name=op.f("fk_practice_marks_question_id")),
        sa.PrimaryKeyConstraint("question_id", name=op.f("pk_practice_marks")),
    )
    op.create_table(
        "practice_holds",
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("exam_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name=op.f("fk_practice_holds_exam_id")),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name=op.f("fk_practice_holds_question_id")),
        sa.PrimaryKeyConstraint("question_id", "exam_id", name=op.f("pk_practice_holds")),
    )
    op.create_index("ix_practice_holds_exam_id", "practice_holds", ["exam_id"], unique=False)


def downgrade():
    for table in (
        "practice_holds",
        "practice_marks",
        "unit_weaknesses",
        "harvested_attempts",
        "due_counts",
        "review_cards",
    ):
        op.drop_table(table)
    op.drop_column("practice_items", "is_unsure")
