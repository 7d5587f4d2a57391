"""practice answers and harvested attempts know the key and the grade that they stand on"""

import sqlalchemy as sa
from alembic import op

revision = "0012_relearning"
down_revision = "0011_exemption_requests"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("practice_items", sa.Column("key_number", sa.SmallInteger(), server_default="1", nullable=False))
    op.add_column("harvested_attempts", sa.Column("grade_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key("fk_harvested_attempts_grade_id", "harvested_attempts", "grades", ["grade_id"], ["id"])
    op.add_column("harvested_attempts", sa.Column("person_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key("fk_harvested_attempts_person_id", "harvested_attempts", "persons", ["person_id"], ["id"])
    op.execute("UPDATE harvested_attempts AS h SET person_id = a.person_id FROM attempts AS a WHERE a.id = h.attempt_id")
    op.execute(
        "UPDATE harvested_attempts AS h SET grade_id = g.id FROM grades AS g WHERE g.attempt_id = h.attempt_id AND g.is_current"
    )
    op.alter_column("harvested_attempts", "person_id", nullable=False)
    op.create_index("ix_harvested_attempts_person_id", "harvested_attempts", ["person_id"])
    op.create_index("ix_practice_items_question_version_id", "practice_items", ["question_version_id"])


def downgrade():
    op.drop_index("ix_practice_items_question_version_id", "practice_items")
    op.drop_column("harvested_attempts", "person_id")
    op.drop_column("harvested_attempts", "grade_id")
    op.drop_column("practice_items", "key_number")
