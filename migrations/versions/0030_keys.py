"""one rule for keys and starts while somebody sits: functions that every statement asks; the tick for keys that are out"""

import sqlalchemy as sa
from alembic import op

revision = "0030_keys"
down_revision = "0029_sitting_notice"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    # Rows of the same human: the row itself, and those of the same name and the same mobile number. An ID number stands in one row only.
    op.execute("""
        CREATE FUNCTION same_person(who bigint) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
          SELECT who
          UNION ALL
          SELECT other.id FROM persons AS own
          JOIN persons AS other ON other.mobile_index = own.mobile_index AND other.name = own.name AND other.id <> own.id
          WHERE own.id = who
        $$
    """)
    op.execute("""
        CREATE FUNCTION counting_attempts(who bigint, at timestamptz)
        RETURNS TABLE (attempt_id bigint, exam_id bigint, person_id bigint) LANGUAGE sql STABLE AS $$
          SELECT a.id, a.exam_id, a.person_id FROM attempts AS a JOIN exams AS e ON e.id = a.exam_id
          WHERE a.person_id IN (SELECT same_person(who)) AND a.state = 'in_progress' AND a.closes_at > at AND e.kind <> 'mock'
        $$
    """)
    # Volatile: the look comes after the lock and sees what was committed before it. Of two starts of one person the second waits.
    op.execute("""
        CREATE FUNCTION may_start(who bigint, in_exam bigint, at timestamptz) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
          PERFORM pg_advisory_xact_lock(hashtextextended('examapp start', (SELECT min(s) FROM same_person(who) AS s)));
          RETURN NOT EXISTS (
            SELECT FROM counting_attempts(who, at) AS c WHERE c.exam_id <> in_exam OR c.person_id <> who
          );
        END
        $$
    """)
    for table in ("exam_extensions", "attempt_reopenings"):
        op.add_column(table, sa.Column("is_after_keys", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("exams", sa.Column("were_keys_out", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "ix_practice_items_answered",
        "practice_items",
        ["person_id", "answered_at"],
        postgresql_where=sa.text("answered_at IS NOT NULL"),
    )


def downgrade():
    op.drop_index("ix_practice_items_answered", table_name="practice_items")
    op.drop_column("exams", "were_keys_out")
    for table in ("exam_extensions", "attempt_reopenings"):
        op.drop_column(table, "is_after_keys")
    op.execute("DROP FUNCTION may_start(bigint, bigint, timestamptz)")
    op.execute("DROP FUNCTION counting_attempts(bigint, timestamptz)")
    op.execute("DROP FUNCTION same_person(bigint)")
