"""a notice to those who sit stands in the exam's row"""

import sqlalchemy as sa
from alembic import op

revision = "0029_sitting_notice"
down_revision = "0028_leavers_and_archives"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("exams", sa.Column("sitting_notice", sa.Text(), server_default="", nullable=False))


def downgrade():
    op.drop_column("exams", "sitting_notice")
