"""messages on their way out to the gateway"""

import sqlalchemy as sa
from alembic import op

revision = "0003_outgoing"
down_revision = "0003_laws_take_effect"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "outgoing_messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("once_key", sa.Text(), nullable=False),
        sa.Column("is_urgent", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'sent', 'failed', 'expired')", name=op.f("ck_outgoing_messages_state")
        ),
        sa.CheckConstraint("sent_on IS NULL OR NOT is_urgent", name=op.f("ck_outgoing_messages_urgent_takes_no_day")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_messages")),
        sa.UniqueConstraint("once_key", name=op.f("uq_outgoing_messages_once_key")),
    )
    op.create_index(
        "uq_outgoing_messages_one_a_day",
        "outgoing_messages",
        ["person_id", "sent_on"],
        unique=True,
        postgresql_where=sa.text("sent_on IS NOT NULL"),
    )
    op.create_index(
        "ix_outgoing_messages_due",
        "outgoing_messages",
        ["try_at"],
        postgresql_where=sa.text("state IN ('waiting', 'sending')"),
    )
    op.create_index("ix_outgoing_messages_created_at", "outgoing_messages", ["created_at"])


def downgrade():
    op.drop_table("outgoing_messages")
