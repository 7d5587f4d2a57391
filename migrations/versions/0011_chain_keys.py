"""audit: which key made a link of the chain"""

import os

import sqlalchemy as sa
from alembic import op

revision = "0011_chain_keys"
down_revision = "0010_records"
branch_labels = None
depends_on = None


def upgrade():
    """Name the oldest key in the links that stand: it made them all until now."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    oldest = os.environ.get("DATA_KEYS", "k1:").rpartition(",")[2].partition(":")[0].strip()
    default = sa.text(f"'{oldest}'") if oldest.isalnum() else sa.text("'k1'")
    op.add_column("audit_seals", sa.Column("key_id", sa.Text(), server_default=default, nullable=False))
    op.alter_column("audit_seals", "key_id", server_default=None)


def downgrade():
    op.drop_column("audit_seals", "key_id")
