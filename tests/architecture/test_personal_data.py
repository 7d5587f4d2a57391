"""The register names every column of every table that holds personal data, and the documents say the same.

A new table or column is put into `examapp/platform/privacy/rules.py and examapp/platform/data_inventory/rules.py`; then docs/personal-data.md is written anew by `register_markdown(Terms.from_settings(Settings()))`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from examapp import registry
from examapp.config import Settings
from examapp.db.session import Base
from examapp.platform.privacy.rules import BY_TABLE, HOLDINGS, STAFF_TABLES, WITHOUT_PERSONS, Terms, register_markdown

DOCS = Path(__file__).parents[2] / "docs"
FEATURES = registry.MODULES
"""Every feature, so that the metadata is whole."""
TABLES = Base.metadata.tables
TELLING = (
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


def test_every_table_is_classified_once():
    kinds = [set(BY_TABLE), set(STAFF_TABLES), set(WITHOUT_PERSONS)]
    assert len(HOLDINGS) == len(BY_TABLE)
    assert set.union(*kinds) == set(TABLES), (
        "put a new table into examapp/platform/privacy/rules.py and examapp/platform/data_inventory/rules.py"
    )
    assert sum(len(kind) for kind in kinds) == len(TABLES), "one place for each"


@pytest.mark.parametrize("holding", HOLDINGS, ids=lambda holding: holding.table)
def test_every_column_is_shown_to_its_owner_or_has_a_reason(holding):
    assert {*holding.shown, *holding.hidden} == set(TABLES[holding.table].columns.keys())
    assert not set(holding.shown) & set(holding.hidden)
    assert all(holding.hidden.values())
    assert holding.purpose
    assert holding.seen_by
    if holding.owner:
        assert holding.owner in TABLES[holding.table].columns
        assert not holding.order or holding.order in holding.shown


@pytest.mark.parametrize("name", sorted(STAFF_TABLES | WITHOUT_PERSONS))
def test_no_other_table_holds_anything_about_a_person(name):
    for column in TABLES[name].columns:
        is_staff = name in STAFF_TABLES and column.name.endswith("_by_id")
        assert is_staff or not points_at_people(column), f"{name}.{column.name}"
        assert is_staff or not column.name.endswith("_by_id"), f"{name}.{column.name} belongs to STAFF_TABLES"
        assert not any(word in column.name for word in TELLING), f"{name}.{column.name}"


def test_the_document_is_the_register():
    text = (DOCS / "personal-data.md").read_text("utf-8")
    assert register_markdown(Terms.from_settings(Settings())) in text, (
        "write it anew: register_markdown(Terms.from_settings(Settings()))"
    )
