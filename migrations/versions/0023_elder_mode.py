"""the version for older eyes goes with the account"""

import sqlalchemy as sa
from alembic import op

revision = "0023_elder_mode"
down_revision = "0022_unit_changes"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("accounts", sa.Column("has_elder_mode", sa.Boolean(), nullable=True))


def downgrade():
    op.drop_column("accounts", "has_elder_mode")
