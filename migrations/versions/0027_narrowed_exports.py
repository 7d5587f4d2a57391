"""whom an export is narrowed to"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027_narrowed_exports"
down_revision = "0026_key_days"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("exports", sa.Column("narrowing", postgresql.JSONB(), server_default="{}", nullable=False))


def downgrade():
    op.drop_column("exports", "narrowing")
