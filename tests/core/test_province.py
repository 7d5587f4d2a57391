"""What leaves a site of a province: a list, and no column that is not on it; how a link is judged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from examapp.db.personal_data import MAY_HOLD_CODE, ON_OWN_PAGE, SEALED, UNREADABLE, WITH_KEYS
from examapp.db.session import Base
from examapp.jobs.registry import beat_schedule, province_tasks
from examapp.organisation.units.rules import cells_label
from examapp.platform.province.rules import OWN_NAMES, OWNERS, SENT, SHARED_KEYS, Direction, Link, local_keys
from tests.conftest import NOON

TABLES = Base.metadata.tables
SECRET = [SEALED, UNREADABLE, WITH_KEYS, ON_OWN_PAGE, MAY_HOLD_CODE]
KEPT_BY_CELLS = {
    "persons": {"id_number_encrypted", "id_number_index", "mobile_encrypted", "mobile_index"},
    "exams": {"blueprint_id", "cached_roster_keys", "were_keys_out"},
    "exam_audiences": {"blueprint_id"},
    "attempts": {"response_schema", "unsure", "grading_retry_count", "grading_began_at"},
    "grades": {"item_points", "key_ids", "rules", "ruling_ids", "mark_ids", "sheet", "graded_by_id", "correction_id"},
    "external_results": {"recorded_by_id"},
    "exemptions": {"reason", "requested_by_id", "approved_by_id", "answer", "file_id"},
}
KEPT_BY_PROVINCE = {
    "laws": {"unchecked_since"},
    "questions": {"import_id"},
    "question_versions": {"used_at"},
    "exams": {
        "snapshot_due_at", "snapshot_created_at", "has_external_results", "corrections", "result_version", "anonymised_at", "cached_roster_keys", "were_keys_out",
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("direction", "kept"), [(Direction.UP, KEPT_BY_CELLS), (Direction.DOWN, KEPT_BY_PROVINCE)], ids=["up", "down"]
)
def test_every_column_of_a_sent_table_is_sent_or_kept_on_purpose(direction, kept):
    for table in SENT[direction]:
        columns = set(TABLES[table.name].columns.keys())
        new = columns - set(table.columns) - kept.get(table.name, set())
        assert not new, (
            f"{table.name}: does {sorted(new)} go {direction}? Add it to SENT of province/rules.py, or to the columns kept back in this test"
        )
        assert set(table.columns) <= columns
        assert not set(table.columns) & kept.get(table.name, set()), "kept back, and sent all the same"
        if table.range_column:
            assert TABLES[table.name].columns[table.range_column].primary_key, (
                "a filter of rows may name key columns alone"
            )


def test_nothing_sealed_no_password_and_no_answer_leaves_a_cell():
    sent = {table.name: table for table in SENT[Direction.UP]}
    assert not sent.keys() & {
        "answers", "answer_history", "attempt_events", "quarantined_saves", "item_marks", "papers", "prepared_papers", "accounts", "sign_ins", "login_tokens",
        "second_factors", "roster_imports", "stored_files", "audit_events", "answer_keys", "question_versions",
    }  # fmt: skip
    leaking = [
        f"{name}.{column.name}"
        for name, table in sent.items()
        for column in TABLES[name].columns
        if column.name in table.columns and column.info in SECRET
    ]
    assert leaking == []


def test_what_figures_are_made_of_goes_up_and_every_named_column_is_there(session):
    sent = {table.name for table in SENT[Direction.UP]}
    marking = session.scalars(
        text("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'invalidate%'")
    )
    assert set(marking) - sent == set(), "figures are made of this table: send it up"
    named = [*OWNERS.items(), *OWN_NAMES, *SHARED_KEYS, *local_keys(Direction.UP), *local_keys(Direction.DOWN)]
    assert [f"{table}.{column}" for table, column in named if column not in TABLES[table].columns] == []


def test_a_province_closes_grades_snapshots_and_writes_to_nobody_of_its_cells():
    assert province_tasks & beat_schedule.keys() >= {"reports.refresh_unit_stats", "province.follow_snapshots"}
    touching = ("grading.", "exams.", "roster_snapshots.", "people.apply", "reminders.", "records.", "privacy.", "evidence.", "training.sweep_c", "training.sweep_e")  # fmt: skip
    assert [name for name in province_tasks if name.startswith(touching)] == []


def link(**changes):
    fields: dict[str, Any] = {
        "name": "examapp_up_3", "label": "南山县（分区 3）", "cell": 3, "is_enabled": True, "is_working": True, "received_at": NOON,
        "beat_at": NOON - timedelta(seconds=8), "waiting_tables": 0, "errors": 0, "conflicts": 0,
    }  # fmt: skip
    return Link(**fields | changes)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, None),
        ({"errors": 4, "conflicts": 3}, None),
        ({"is_enabled": False}, "ENABLE"),
        ({"waiting_tables": 2}, "2 张表"),
        ({"beat_at": None}, "联系不上"),
        ({"beat_at": NOON - timedelta(seconds=61)}, "联系不上"),
        ({"beat_at": NOON - timedelta(minutes=5), "conflicts": 3}, "重复"),
        ({"beat_at": NOON - timedelta(minutes=5), "errors": 3}, "出错 3 次"),
        ({"beat_at": NOON + timedelta(minutes=2)}, "时钟快 120 秒"),
    ],
)
def test_a_link_is_judged_by_what_has_come(changes, named):
    issues = list(link(**changes).list_issues(NOON))
    assert (named in "".join(issues)) if named else not issues


def test_figures_name_the_cell_that_is_away_and_until_when_it_was_heard():
    at = NOON.timestamp()
    assert cells_label([], now=NOON) == ""
    assert (
        cells_label([(1, "甲县", at - 5, True), (2, "乙县", at - 9, True)], now=NOON)
        == f"各分区的数据截至 {'11:59:51'}"
    )
    said = cells_label([(1, "甲县", at - 5, True), (2, "乙县", at - 300, True), (3, None, None, True)], now=NOON)
    assert "乙县（分区 2）只到 2026-11-24 11:55:00" in said
    assert "分区 3）还没有收到" in said
    assert "甲县" not in said
    assert cells_label([(2, "乙县", at, False)], now=NOON) == "只含本分区（乙县）的人员"


def test_a_site_that_is_no_part_of_a_province_is_told_what_to_set(app):
    for arguments in (["publish"], ["subscribe", "postgresql://x/y"]):
        said = app.test_cli_runner().invoke(args=["province", *arguments])
        assert said.exit_code == 1
        assert "PROVINCE=1" in said.output
