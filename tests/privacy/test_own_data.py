"""A person reads and takes away all that is held about them, and nothing of anybody else, no key, no result before its time."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import openpyxl
import pytest

from examapp.db.personal_data import list_personal_data
from examapp.delivery.grading import tasks as grading_tasks
from examapp.organisation.people.models import Account
from examapp.platform.audit.models import AuditEvent
from examapp.platform.notices.models import Feedback
from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.conftest import NOON
from tests.helpers.accounts import ID, give_numbers

OWNED = [category.table for category in list_personal_data() if category.owner]


@pytest.fixture
def mine(app, world):
    return give_numbers(world, world.person(world.unit("甲局"), name="张三"), cipher=app.extensions["cipher"])


def copy(client, ending="json"):
    answer = client.get(f"/my/data/copy.{ending}")
    assert answer.status_code == 200
    return answer


def rows_of(client, table):
    data_categories = {one["table"]: one for one in json.loads(copy(client).data)["holdings"]}
    return data_categories[table]["rows"]


def test_everything_the_register_names_is_in_the_copy(world, mine, session):
    client = world.client(mine)
    content = json.loads(copy(client).data)
    assert [one["table"] for one in content["holdings"]] == OWNED
    (row,) = rows_of(client, "persons")
    assert row["name"] == "张三"
    assert row["unit_id"] == "甲局"
    assert (row["id_number"], row["mobile"]) == (ID, "13800000001")
    assert session.query(AuditEvent).filter_by(act="privacy.copy_own_data", person_id=mine.id).count() == 2


def test_no_secret_and_no_column_without_words_is_in_the_copy(world, mine, app, session):

    account = session.query(Account).filter_by(person_id=mine.id).one()
    account.password_hash = "CANARY-hash"
    session.flush()
    text = copy(world.client(mine)).text
    assert "CANARY-hash" not in text
    for category in list_personal_data():
        if category.owner:
            part = next(one for one in json.loads(text)["holdings"] if one["table"] == category.table)
            for row in part["rows"]:
                assert not set(row) & set(category.hidden), category.table


def test_nothing_of_anybody_else_is_shown(world, mine, session):
    other = world.person(name="李四")
    session.add(Feedback(person_id=other.id, page="/", text="CANARY 别人的意见", created_at=NOON))
    session.add(Feedback(person_id=mine.id, page="/", text="我的意见", created_at=NOON))
    session.flush()
    client = world.client(mine)
    for page in (copy(client).text, client.get("/my/data/feedbacks").text):
        assert "我的意见" in page
        assert "CANARY" not in page
    assert "李四" not in copy(client).text


def test_pages_say_how_much_there_is_and_mask_the_numbers(world, mine, statements):
    client = world.client(mine)
    with statements() as seen:
        page = client.get("/my/data").text
    assert len(seen) <= 6
    assert "1 条" in page
    rows = client.get("/my/data/persons").text
    assert "110105********002X" in rows
    assert ID not in rows
    for table in OWNED:
        assert client.get(f"/my/data/{table}").status_code == 200, table
    for table in ("exports", "answer_keys", "none"):
        assert client.get(f"/my/data/{table}").status_code == 404, table
    assert "/my/data" in client.get("/").text, "by the foot of every page"


def test_a_result_is_in_the_copy_when_it_is_out_and_not_before(world, fixed_clock, session):
    candidate_client = make_exam_with_candidates(world, results_policy="at_close", keys_policy="at_close")
    candidate_client.hand_in((1, 1, ["A"]))
    grading_tasks.sweep_once()
    client = world.client(candidate_client.person)
    assert len(rows_of(client, "attempts")) == 1
    assert rows_of(client, "answers")[0]["response"] == ["A"]
    assert rows_of(client, "grades") == []
    assert "没有" in client.get("/my/data/grades").text
    page = client.get("/my/data").text
    assert "成绩" in page[page.index("没有您的记录的项目") :]
    fixed_clock.at(NOON + timedelta(days=2))
    client = world.client(candidate_client.person)
    (grade,) = rows_of(client, "grades")
    assert set(grade) >= {"points", "band", "is_passed"}
    assert "key_ids" not in grade


def test_the_workbook_reads_in_chinese_with_numbers_as_text(world, mine):
    book = openpyxl.load_workbook(io.BytesIO(copy(world.client(mine), "xlsx").data))
    assert book.sheetnames[0] == "个人信息清单"
    sheet = book["登记资料"]
    cells = [cell for row in sheet.iter_rows(values_only=True) for cell in row if cell]
    assert ID in cells
    assert "在册" in cells
    assert "on_roster" not in cells
    assert book["个人信息清单"].max_row >= len(list_personal_data())
