"""Say of each item what a response may be, not which kind it is; let a section of a blueprint choose how its kind is scored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036_ordering"
down_revision = "0032_audit_chain"
branch_labels = None
depends_on = None

_TABLES = ("papers", "attempts")
_UP = """
UPDATE {table} SET response_schema = (
  SELECT coalesce(string_agg(letter || CASE
    WHEN letter IN ('S', 'T') THEN number || '1' WHEN letter = 'M' THEN number || number ELSE '0' || number END, '' ORDER BY n), '')
  FROM (SELECT n, substr(response_schema, 2 * n - 1, 1) AS letter, substr(response_schema, 2 * n, 1) AS number
    FROM generate_series(1, length(response_schema) / 2) AS n) AS item)
"""
_DOWN = """
UPDATE {table} SET response_schema = (
  SELECT coalesce(string_agg(letter || CASE WHEN options = '0' THEN size ELSE options END, '' ORDER BY n), '')
  FROM (SELECT n, substr(response_schema, 3 * n - 2, 1) AS letter, substr(response_schema, 3 * n - 1, 1) AS options,
      substr(response_schema, 3 * n, 1) AS size
    FROM generate_series(1, length(response_schema) / 3) AS n) AS item)
"""


def upgrade() -> None:
    """Rename `shape` to `response_schema` and write three characters an item instead of two; add a section's scoring rule."""
    for table in _TABLES:
        op.alter_column(table, "shape", new_column_name="response_schema")
        op.execute(_UP.format(table=table))
    op.add_column("blueprint_sections", sa.Column("scoring", sa.Text(), nullable=False, server_default=""))
    op.alter_column("blueprint_sections", "scoring", server_default=None)


def downgrade() -> None:
    """Go back to two characters an item; a section's scoring rule is lost."""
    op.drop_column("blueprint_sections", "scoring")
    for table in _TABLES:
        op.execute(_DOWN.format(table=table))
        op.alter_column(table, "response_schema", new_column_name="shape")
