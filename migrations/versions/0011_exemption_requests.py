"""exemptions: reasons that the office edits, and a paper that proves one"""

import sqlalchemy as sa
from alembic import op

revision = "0011_exemption_requests"
down_revision = "0011_chain_keys"
branch_labels = None
depends_on = None

_REASONS = (
    "距退休不足两年，本人书面申请",
    "长期病假",
    "长期学习培训或外派",
    "合同制工作人员",
    "执行安全保卫或应急任务",
    "其他",
)


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    reasons = op.create_table(
        "exemption_reasons",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("needs_details", sa.Boolean(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exemption_reasons")),
        sa.UniqueConstraint("words", name=op.f("uq_exemption_reasons_words")),
    )
    op.bulk_insert(reasons, [{"words": words, "needs_details": words == "其他"} for words in _REASONS])
    op.add_column("exemptions", sa.Column("file_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_exemptions_file_id"), "exemptions", "stored_files", ["file_id"], ["id"])
    op.create_index(op.f("ix_exemptions_person_id"), "exemptions", ["person_id"])


def downgrade():
    op.drop_index(op.f("ix_exemptions_person_id"), "exemptions")
    op.drop_constraint(op.f("fk_exemptions_file_id"), "exemptions")
    op.drop_column("exemptions", "file_id")
    op.drop_table("exemption_reasons")
