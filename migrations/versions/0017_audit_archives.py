"""audit: where archived lines have gone"""

import sqlalchemy as sa
from alembic import op

revision = "0017_audit_archives"
down_revision = "0016_two_persons"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "audit_archives",
        sa.Column("last_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_number", sa.BigInteger(), nullable=False),
        sa.Column("last_digest", sa.LargeBinary(), nullable=False),
        sa.Column("through_event_id", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("last_number", name="pk_audit_archives"),
    )


def downgrade():
    op.drop_table("audit_archives")
