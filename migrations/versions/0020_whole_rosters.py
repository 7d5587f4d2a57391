"""an import may hold a unit's whole roster"""

from alembic import op
import sqlalchemy as sa


revision = "0020_whole_rosters"
down_revision = "0019_planned_moves"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        "roster_imports", sa.Column("is_whole", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )


def downgrade():
    op.drop_column("roster_imports", "is_whole")
