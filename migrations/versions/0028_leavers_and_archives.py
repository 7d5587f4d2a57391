"""who left the roster holds no role any more"""

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


def downgrade():
    """Roles that have ended stay ended."""
