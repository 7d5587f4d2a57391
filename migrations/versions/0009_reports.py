"""the ledger of reports, their templates and their schedule"""

import sqlalchemy as sa
from alembic import op

revision = "0008_reports"
down_revision = "0007_assessment"
branch_labels = None
depends_on = None

LIVE = "key IS NOT NULL AND state IN ('waiting', 'running', 'ready')"


def upgrade():
    op.add_column("exports", sa.Column("key", sa.Text(), nullable=True))
    op.add_column("exports", sa.Column("data_version", sa.Text(), nullable=False, server_default=""))
    op.add_column("exports", sa.Column("watermark", sa.Text(), nullable=False, server_default=""))
    op.add_column("exports", sa.Column("numbers", sa.Text(), nullable=False, server_default="none"))
    op.add_column("exports", sa.Column("reason", sa.Text(), nullable=False, server_default=""))
    op.add_column("exports", sa.Column("template_id", sa.BigInteger(), nullable=True))
    op.add_column("exports", sa.Column("occasion", sa.Text(), nullable=True))
    op.add_column("exports", sa.Column("sha256", sa.Text(), nullable=False, server_default=""))
    for name in ("data_version", "watermark", "numbers", "reason", "sha256"):
        op.alter_column("exports", name, server_default=None)
    op.create_index("uq_exports_key", "exports", ["key"], unique=True, postgresql_where=sa.text(LIVE))
    op.create_index("uq_exports_occasion", "exports", ["occasion"], unique=True)
    op.create_check_constraint(op.f("ck_exports_numbers"), "exports", "numbers IN ('none', 'masked', 'whole')")
    op.create_table(
        "report_templates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=True),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_templates")),
        sa.UniqueConstraint("content", "number", name=op.f("uq_report_templates_content_number")),
    )
    op.create_index(
        "uq_report_templates_current",
        "report_templates",
        ["content"],
        unique=True,
        postgresql_where=sa.text("is_current"),
    )
    op.create_foreign_key(op.f("fk_exports_template_id"), "exports", "report_templates", ["template_id"], ["id"])
    op.create_table(
        "report_schedules",
        sa.Column("moment", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("changed_by_id", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("moment IN ('monday', 'close')", name=op.f("ck_report_schedules_moment")),
        sa.PrimaryKeyConstraint("moment", name=op.f("pk_report_schedules")),
    )


def downgrade():
    op.drop_table("report_schedules")
    op.drop_constraint(op.f("fk_exports_template_id"), "exports", type_="foreignkey")
    op.drop_table("report_templates")
    op.drop_constraint(op.f("ck_exports_numbers"), "exports", type_="check")
    op.drop_index("uq_exports_occasion", table_name="exports")
    op.drop_index("uq_exports_key", table_name="exports")
    for name in ("sha256", "occasion", "template_id", "reason", "numbers", "watermark", "data_version", "key"):
        op.drop_column("exports", name)
