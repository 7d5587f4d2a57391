"""results from other platforms, and their imports with a review list"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015_outside_results"
down_revision = "0014_frozen_rosters"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("exams", sa.Column("has_outside_results", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "external_results",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("exam_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("points", sa.Numeric(7, 2), nullable=False),
        sa.Column("points_possible", sa.Numeric(7, 2), nullable=False),
        sa.Column("percent", sa.Numeric(7, 2), nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("is_passed", sa.Boolean(), nullable=False),
        sa.Column("taken_at", _INSTANT, nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("recorded_by_id", sa.BigInteger(), nullable=True),
        sa.Column("undone_at", _INSTANT, nullable=True),
        sa.Column("replaced_by_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "points >= 0 AND points <= points_possible AND points_possible > 0", name=op.f("ck_outside_results_points")
        ),
        sa.CheckConstraint("band IN ('excellent', 'good', 'pass', 'fail')", name=op.f("ck_outside_results_band")),
        sa.CheckConstraint(
            "replaced_by_id IS NULL OR undone_at IS NOT NULL", name=op.f("ck_outside_results_replaced")
        ),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name=op.f("fk_outside_results_exam_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_outside_results_person_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_outside_results_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_results")),
    )
    op.create_index(
        "uq_outside_results_standing",
        "external_results",
        ["exam_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_index("ix_outside_results_import_id", "external_results", ["import_id"])
    op.create_index("ix_outside_results_replaced_by_id", "external_results", ["replaced_by_id"])
    op.create_table(
        "result_imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("exam_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.Column("points_possible", sa.Numeric(7, 2), nullable=False),
        sa.Column("remarks", postgresql.JSONB(), nullable=False),
        sa.Column("approved_by_id", sa.BigInteger(), nullable=True),
        sa.Column("approved_at", _INSTANT, nullable=True),
        sa.Column("taken_count", sa.Integer(), nullable=False),
        sa.Column("undone_by_id", sa.BigInteger(), nullable=True),
        sa.Column("undone_at", _INSTANT, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("started_at", _INSTANT, nullable=True),
        sa.Column("finished_at", _INSTANT, nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'ready', 'failed', 'expired')", name=op.f("ck_result_imports_state")
        ),
        sa.CheckConstraint("done >= 0 AND total >= 0 AND tries >= 0", name=op.f("ck_result_imports_counts")),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name=op.f("fk_result_imports_exam_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_imports")),
    )
    op.create_index(op.f("ix_result_imports_exam_id"), "result_imports", ["exam_id"])
    op.create_table(
        "result_import_rows",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit_name", sa.Text(), nullable=False),
        sa.Column("staff_number", sa.Text(), nullable=False),
        sa.Column("id_tail", sa.Text(), nullable=False),
        sa.Column("points", sa.Numeric(7, 2), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("candidates", postgresql.JSONB(), nullable=False),
        sa.Column("is_decided", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('matched', 'same', 'doubtful', 'unmatched', 'absent', 'faulty', 'skipped')",
            name=op.f("ck_result_import_rows_outcome"),
        ),
        sa.CheckConstraint(
            "outcome <> 'matched' OR (person_id IS NOT NULL AND points IS NOT NULL)",
            name=op.f("ck_result_import_rows_matched"),
        ),
        sa.ForeignKeyConstraint(["import_id"], ["result_imports.id"], name=op.f("fk_result_import_rows_import_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_result_import_rows_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_import_rows")),
    )
    op.create_index("ix_result_import_rows_import_id", "result_import_rows", ["import_id", "outcome"])


def downgrade():
    op.drop_table("result_import_rows")
    op.drop_table("result_imports")
    op.drop_table("external_results")
    op.drop_column("exams", "has_outside_results")
