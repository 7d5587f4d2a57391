"""Compare every law once more, so that versions that are to take effect later flag their questions on their day and not before.

Revision ID: 0003_laws_take_effect
Revises: 0002_uploads
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_laws_take_effect"
down_revision = "0002_uploads"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep the amendment note of a law's text; have the sweep compare the laws that have a day still to come."""
    op.add_column("law_versions", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.execute(
        "UPDATE laws SET unchecked_since = now() WHERE unchecked_since IS NULL AND EXISTS (SELECT FROM law_versions"
        " WHERE law_id = laws.id AND (effective_on > current_date OR repealed_on > current_date))"
    )


def downgrade() -> None:
    """Drop the note; the old program compares all laws at once."""
    op.drop_column("law_versions", "note")
