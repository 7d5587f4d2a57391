"""what was corrected is found each minute without reading all keys and grades"""

from alembic import op

revision = "0021_corrections_found"
down_revision = "0020_whole_rosters"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_index("ix_answer_keys_corrected", "answer_keys", ["question_version_id"], postgresql_where="number > 1")
    op.create_index("ix_grades_graded_anew", "grades", ["attempt_id"], postgresql_where="is_current AND number > 1")


def downgrade():
    op.drop_index("ix_grades_graded_anew", "grades")
    op.drop_index("ix_answer_keys_corrected", "answer_keys")
