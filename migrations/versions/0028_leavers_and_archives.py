"""who left the roster holds no role any more; what says that lines of the log were archived is signed"""

import sqlalchemy as sa
from alembic import op

revision = "0028_leavers_and_archives"
down_revision = "0027_narrowed_exports"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("""
        WITH left_behind AS (
          SELECT g.id FROM role_grants AS g JOIN persons AS p ON p.id = g.person_id
          WHERE p.state = 'left' AND (g.ends_at IS NULL OR g.ends_at > now())
        )
        UPDATE role_grants SET ends_at = now()
        WHERE (id IN (SELECT id FROM left_behind) OR deputy_of_id IN (SELECT id FROM left_behind))
          AND (ends_at IS NULL OR ends_at > now())
    """)
    op.add_column("audit_archives", sa.Column("digest", sa.LargeBinary(), nullable=True))
    op.add_column("audit_archives", sa.Column("key_id", sa.Text(), nullable=True))


def downgrade():
    """Take the signatures away; roles that have ended stay ended."""
    op.drop_column("audit_archives", "key_id")
    op.drop_column("audit_archives", "digest")
