"""Every table and column that holds personal data has a note in its feature's models.py, and the document says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from examapp.config import Settings
from examapp.db.personal_data import list_personal_data
from examapp.db.session import Base
from examapp.platform.privacy.rules import Terms, register_markdown

DOCS = Path(__file__).parents[2] / "docs"
TABLES = Base.metadata.tables
NOTED = {category.table: category for category in list_personal_data()}
REPORTING = (
    "person",
    "account",
    "address",
    "mobile",
    "id_number",
    "name_key",
    "device",
    "reviewer",
    "actor",
    "speaker",
    "leader",
)


def points_at_people(column):
    return any(key.column.table.name in {"persons", "accounts"} for key in column.foreign_keys)


@pytest.mark.parametrize("category", NOTED.values(), ids=NOTED)
def test_every_column_of_a_table_with_personal_data_has_a_note(category):
    columns = set(TABLES[category.table].columns.keys())
    missing = columns - set(category.shown) - set(category.hidden)
    assert not missing, (
        f'{category.table}: give these columns info=shown("标签") or a reason such as info=TECHNICAL in models.py: {sorted(missing)}'
    )
    assert not set(category.shown) & set(category.hidden)
    assert category.purpose
    assert category.seen_by
    if category.owner:
        assert category.owner in columns
        assert not category.order or category.order in category.shown


@pytest.mark.parametrize("name", sorted(set(TABLES) - set(NOTED)))
def test_a_table_without_a_note_holds_nothing_about_a_person(name):
    """But for who handled something (`…_by_id`), which every table of the office's work may hold."""
    message = [
        column.name
        for column in TABLES[name].columns
        if not column.name.endswith("_by_id")
        and (points_at_people(column) or any(word in column.name for word in REPORTING))
    ]
    assert not message, (
        f"{name} holds personal data in {message}: give its class in models.py a __personal_data__, and each column a note"
        " (examapp/db/personal_data.py)"
    )


def test_the_document_is_the_register():
    text = (DOCS / "personal-data.md").read_text("utf-8")
    assert register_markdown(Terms.from_settings(Settings())) in text, (
        "write it again: register_markdown(Terms.from_settings(Settings()))"
    )
