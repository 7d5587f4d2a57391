"""mock papers of one's own"""

import sqlalchemy as sa
from alembic import op

revision = "0009_mock_papers"
down_revision = "0008_reports"
branch_labels = None
depends_on = None


def upgrade():
    op.alter_column("exercise_runs", "chapter_id", existing_type=sa.BigInteger(), nullable=True)
    op.add_column("exercise_runs", sa.Column("exam_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_exercise_runs_exam_id"), "exercise_runs", "exams", ["exam_id"], ["id"])
    op.create_check_constraint(
        op.f("ck_exercise_runs_of_one"), "exercise_runs", "(chapter_id IS NULL) <> (exam_id IS NULL)"
    )
    op.create_index(
        "uq_exercise_runs_open_mock",
        "exercise_runs",
        ["person_id", "exam_id"],
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL AND exam_id IS NOT NULL"),
    )


def downgrade():
    op.execute("DELETE FROM practice_items WHERE run_id IN (SELECT id FROM exercise_runs WHERE chapter_id IS NULL)")
    op.execute("DELETE FROM exercise_runs WHERE chapter_id IS NULL")
    op.drop_index("uq_exercise_runs_open_mock", table_name="exercise_runs")
    op.drop_constraint(op.f("ck_exercise_runs_of_one"), "exercise_runs", type_="check")
    op.drop_column("exercise_runs", "exam_id")
    op.alter_column("exercise_runs", "chapter_id", existing_type=sa.BigInteger(), nullable=False)
