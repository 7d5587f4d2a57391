"""Ranges of ids: an empty database takes its cell's, one with rows of another range does not, and a start compares."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from examapp.platform.cells.queries import list_sequences
from examapp.platform.cells.rules import IdSequence, find_cell_issue, list_foreign_tables
from tests.conftest import NOON
from tests.helpers.audit_log import note


def test_an_empty_database_takes_the_range_of_its_cell_once(app, session):
    begin = lambda cell: app.test_cli_runner().invoke(args=["cell", "begin", str(cell)])
    first = begin(3)
    assert first.exit_code == 0, first.output
    assert begin(3).exit_code == 0, "safe to repeat"
    note(session, NOON)
    ids = session.scalars(text("SELECT id FROM audit_events ORDER BY id")).all()
    assert ids[0] == 3 * 10**12 + 1
    assert find_cell_issue(list_sequences(session), 3) == ""
    assert "flask cell begin" not in find_cell_issue(list_sequences(session), 4)
    session.execute(
        text(
            "INSERT INTO units (id, code, name, kind, region_path, created_at) VALUES (7, 'X', '外来单位', 'county', '/7/', now())"
        )
    )
    assert "units。" in find_cell_issue(list_sequences(session, with_rows=True), 3), (
        "a row that was brought from elsewhere is named"
    )
    other = begin(4)
    assert other.exit_code == 1
    assert "audit_events" in other.output
    assert begin(0).exit_code == begin(1000).exit_code == 2


@pytest.mark.parametrize(
    ("cell", "found", "is_foreign"),
    [
        (3, IdSequence("a", "id", "s", 1), False),
        (3, IdSequence("a", "id", "s", 1, 1, 1), True),
        (3, IdSequence("a", "id", "s", 1, 3 * 10**12 + 1, 3 * 10**12 + 9), False),
        (3, IdSequence("a", "id", "s", 1, 3 * 10**12 + 1, 4 * 10**12 + 9), True),
        (3, IdSequence("exemption_reasons", "id", "s", 7, 1, 6), False),
    ],
)
def test_rows_of_another_range_are_named(cell, found, is_foreign):
    assert bool(list_foreign_tables([found], cell)) is is_foreign


def test_a_start_in_another_cells_database_is_rejected_in_words():
    ours, theirs = IdSequence("a", "id", "s", 3 * 10**12 + 5), IdSequence("b", "id", "s", 5)
    assert find_cell_issue([ours], 3) == find_cell_issue([theirs], 0) == ""
    assert "flask cell begin 3" in find_cell_issue([theirs], 3)
    assert "分区 3" in find_cell_issue([ours], 0)
    assert "如 b" in find_cell_issue([ours, theirs], 3)
