"""files, articles, editions and audiences of courses"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005_course_contents"
down_revision = "0004_memory"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("courses", sa.Column("sector_unit_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_courses_sector_unit_id"), "courses", "units", ["sector_unit_id"], ["id"])
    op.add_column("courses", sa.Column("ranks", postgresql.JSONB(), server_default="[]", nullable=False))
    op.add_column("chapters", sa.Column("source", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "chapter_files",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("chapter_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["chapter_id"], ["chapters.id"], name=op.f("fk_chapter_files_chapter_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["file_id"], ["stored_files.id"], name=op.f("fk_chapter_files_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chapter_files")),
        sa.UniqueConstraint("chapter_id", "file_id", name=op.f("uq_chapter_files_chapter_id_file_id")),
    )
    op.create_index("ix_chapter_files_file_id", "chapter_files", ["file_id"], unique=False)
    op.create_table(
        "chapter_articles",
        sa.Column("chapter_id", sa.BigInteger(), nullable=False),
        sa.Column("law", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("law_version_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["chapter_id"], ["chapters.id"], name=op.f("fk_chapter_articles_chapter_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["law_version_id"], ["law_versions.id"], name=op.f("fk_chapter_articles_law_version_id")
        ),
        sa.PrimaryKeyConstraint("chapter_id", "law", "label", name=op.f("pk_chapter_articles")),
    )
    op.create_table(
        "course_editions",
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("published_by_id", sa.BigInteger(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_course_editions_course_id")),
        sa.PrimaryKeyConstraint("course_id", "number", name=op.f("pk_course_editions")),
    )
    op.create_table(
        "course_people",
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_course_people_course_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_course_people_person_id")),
        sa.PrimaryKeyConstraint("course_id", "person_id", name=op.f("pk_course_people")),
    )
    op.create_index("ix_course_people_person_id", "course_people", ["person_id"], unique=False)


def downgrade():
    for table in ("course_people", "course_editions", "chapter_articles", "chapter_files"):
        op.drop_table(table)
    op.drop_column("chapters", "source")
    op.drop_column("courses", "ranks")
    op.drop_column("courses", "sector_unit_id")
