"""figures per unit that are kept, and marks of what has changed since

Whoever changes a table that figures are made of is not asked to remember it: the database marks the person, the unit or the exam itself.
"""

from alembic import op
import sqlalchemy as sa


revision = "0025_kept_figures"
down_revision = "0024_figures_from_index"
branch_labels = None
depends_on = None

# Table; column that is marked; what it is taken from (ROW is the old or the new row); columns whose change matters, empty for all.
MARKED = (
    ("persons", "unit_id", "ROW.unit_id", ("unit_id", "state", "rank")),
    ("units", "unit_id", "ROW.id", ("region_path", "sector_path")),
    ("attempts", "person_id", "ROW.person_id", ("exam_id", "person_id", "number", "state", "submitted_at")),
    (
        "grades",
        "person_id",
        "(SELECT person_id FROM attempts WHERE id = ROW.attempt_id)",
        ("attempt_id", "is_current", "points", "percent", "band", "is_passed"),
    ),
    ("external_results", "person_id", "ROW.person_id", ()),
    ("exemptions", "person_id", "ROW.person_id", ()),
    ("makeup_eligibilities", "person_id", "ROW.person_id", ()),
    ("roster_snapshot_people", "unit_id", "ROW.unit_id", ("exam_id", "person_id", "unit_id", "excuse")),
    ("exam_audiences", "exam_id", "ROW.exam_id", ()),
)


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "stats_invalidations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("exam_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("num_nonnulls(exam_id, unit_id, person_id) = 1", name=op.f("ck_figure_marks_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure_marks")),
    )
    op.create_table(
        "unit_stats_cache",
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("exam_id", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("roster", "exempt", "deferred", "participated", "passed", "good", "excellent", "graded", "in_progress", "excused_sat")
        ),
        sa.Column("points_total", sa.Numeric(14, 2), nullable=False),
        sa.PrimaryKeyConstraint("ground", "unit_id", name=op.f("pk_kept_figures")),
    )  # fmt: skip
    op.create_index("ix_kept_figures_exam_id", "unit_stats_cache", ["exam_id"])
    op.add_column("exams", sa.Column("cached_roster_keys", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))
    for table, column, value, columns in MARKED:
        _mark(table, column, value, columns)


def _mark(table, column, value, columns):
    old, new = value.replace("ROW", "OLD"), value.replace("ROW", "NEW")
    op.execute(
        f"""
        CREATE FUNCTION invalidate_stats_of_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP <> 'INSERT' THEN
            INSERT INTO stats_invalidations ({column}) SELECT marked FROM (SELECT {old} AS marked) AS found WHERE marked IS NOT NULL;
          END IF;
          IF TG_OP <> 'DELETE' AND (TG_OP = 'INSERT' OR {new} IS DISTINCT FROM {old}) THEN
            INSERT INTO stats_invalidations ({column}) SELECT marked FROM (SELECT {new} AS marked) AS found WHERE marked IS NOT NULL;
          END IF;
          RETURN NULL;
        END $$
        """
    )
    op.execute(
        f"CREATE TRIGGER invalidate_stats AFTER INSERT OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION invalidate_stats_of_{table}()"
    )
    of = f"OF {', '.join(columns)} " if columns else ""
    whole = columns or ("*",)
    changed = " IS DISTINCT FROM ".join(f"ROW({', '.join(f'{row}.{c}' for c in whole)})" for row in ("OLD", "NEW"))
    op.execute(
        f"CREATE TRIGGER invalidate_changed_stats AFTER UPDATE {of}ON {table} FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION invalidate_stats_of_{table}()"
    )


def downgrade():
    for table, *_ in MARKED:
        op.execute(f"DROP TRIGGER invalidate_stats ON {table}")
        op.execute(f"DROP TRIGGER invalidate_changed_stats ON {table}")
        op.execute(f"DROP FUNCTION invalidate_stats_of_{table}()")
    op.drop_column("exams", "cached_roster_keys")
    op.drop_table("unit_stats_cache")
    op.drop_table("stats_invalidations")
