"""rights: approvals, deputies, second factors, former passwords, reset requests"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010_rights"
down_revision = "0009_mock_papers"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table, column in (("accounts", "has_second_factor"), ("login_tokens", "is_reset_code"), ("sign_ins", "awaits_code")):
        op.add_column(table, sa.Column(column, sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("role_grants", sa.Column("deputy_of_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key("fk_role_grants_deputy_of_id", "role_grants", "role_grants", ["deputy_of_id"], ["id"])
    op.create_index("ix_role_grants_deputy_of_id", "role_grants", ["deputy_of_id"])
    op.create_table(
        "approvals",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_by_id", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", _INSTANT, nullable=False),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", _INSTANT, nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'approved', 'refused', 'withdrawn')", name="ck_approvals_state"),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'refused') OR decided_by_id <> requested_by_id", name="ck_approvals_two_persons"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
    )
    op.create_index(
        "uq_approvals_waiting", "approvals", ["act", "request_key"], unique=True, postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_index("ix_approvals_requested_at", "approvals", ["requested_at"])
    op.create_table(
        "second_factors",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("confirmed_at", _INSTANT, nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("first_failure_at", _INSTANT, nullable=True),
        sa.Column("locked_until", _INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_second_factors_account_id"),
        sa.PrimaryKeyConstraint("account_id", name="pk_second_factors"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("code_index", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", _INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_recovery_codes_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_codes"),
    )
    op.create_index("uq_recovery_codes_account_id_code_index", "recovery_codes", ["account_id", "code_index"], unique=True)
    op.create_table(
        "former_passwords",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("set_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_former_passwords_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_former_passwords"),
    )
    op.create_index("ix_former_passwords_account_id", "former_passwords", ["account_id"])
    op.create_table(
        "reset_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("handled_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reset_requests"),
    )
    op.create_index("ix_reset_requests_unsent", "reset_requests", ["id"], postgresql_where=sa.text("handled_at IS NULL"))
    op.create_index("ix_reset_requests_address_asked_at", "reset_requests", ["address", "asked_at"])
    op.create_index("ix_reset_requests_account_id", "reset_requests", ["account_id"])


def downgrade():
    for table in ("reset_requests", "former_passwords", "recovery_codes", "second_factors", "approvals"):
        op.drop_table(table)
    op.drop_index("ix_role_grants_deputy_of_id", "role_grants")
    op.drop_constraint("fk_role_grants_deputy_of_id", "role_grants")
    op.drop_column("role_grants", "deputy_of_id")
    for table, column in (("accounts", "has_second_factor"), ("login_tokens", "is_reset_code"), ("sign_ins", "awaits_code")):
        op.drop_column(table, column)
