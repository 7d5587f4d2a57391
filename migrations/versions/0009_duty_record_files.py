"""files on fulfilment records"""

import sqlalchemy as sa
from alembic import op

revision = "0009_duty_record_files"
down_revision = "0010_rights"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "duty_record_files",
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_files.id"], name=op.f("fk_duty_record_files_file_id")),
        sa.ForeignKeyConstraint(["record_id"], ["duty_records.id"], name=op.f("fk_duty_record_files_record_id")),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_duty_record_files")),
    )
    op.create_index(op.f("ix_duty_record_files_record_id"), "duty_record_files", ["record_id"], unique=False)


def downgrade():
    op.drop_index(op.f("ix_duty_record_files_record_id"), table_name="duty_record_files")
    op.drop_table("duty_record_files")
