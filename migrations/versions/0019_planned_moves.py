"""moves of the roster that wait for their day; who took a closed unit's people over"""

from alembic import op
import sqlalchemy as sa


revision = "0019_planned_moves"
down_revision = "0018_retention"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("units", sa.Column("successor_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_units_successor_id"), "units", "units", ["successor_id"], ["id"])
    op.create_table(
        "planned_moves",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("to_unit_id", sa.BigInteger(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("recorded_by_id", sa.BigInteger(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_planned_moves_person_id")),
        sa.ForeignKeyConstraint(["to_unit_id"], ["units.id"], name=op.f("fk_planned_moves_to_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planned_moves")),
    )
    op.create_index(
        "uq_planned_moves_waiting",
        "planned_moves",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_planned_moves_due", "planned_moves", ["effective_on"], postgresql_where=sa.text("ended_at IS NULL")
    )


def downgrade():
    op.drop_table("planned_moves")
    op.drop_constraint(op.f("fk_units_successor_id"), "units", type_="foreignkey")
    op.drop_column("units", "successor_id")
