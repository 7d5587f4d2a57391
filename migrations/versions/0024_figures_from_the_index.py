"""figures read a grade's points from its index, not from the wide row"""

from alembic import op

revision = "0024_figures_from_index"
down_revision = "0023_elder_mode"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_index(
        "uq_grades_of_figures",
        "grades",
        ["attempt_id"],
        unique=True,
        postgresql_where="is_current",
        postgresql_include=["points", "points_possible", "percent", "band", "is_passed"],
    )
    op.drop_index("uq_grades_current", "grades")
    op.execute("ALTER INDEX uq_grades_of_figures RENAME TO uq_grades_current")


def downgrade():
    op.create_index("uq_grades_plain", "grades", ["attempt_id"], unique=True, postgresql_where="is_current")
    op.drop_index("uq_grades_current", "grades")
    op.execute("ALTER INDEX uq_grades_plain RENAME TO uq_grades_current")
