"""Hostile sign-ins, rosters, administrators' mistakes and forged jobs (H07, H14, H22, H23)."""

from __future__ import annotations

import inspect
import io
import pickle

import pytest
from kombu.exceptions import ContentDisallowed
from kombu.serialization import loads, prepare_accept_content
from sqlalchemy import func

from examapp.content.questions.models import BankQuestion
from examapp.delivery.attempts.models import Attempt
from examapp.organisation.people.models import Person, RosterImport
from question_bank.model import Kind
from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.hostile.walks import count_rows
from tests.people.conftest import give_password, sign_in  # noqa: F401 – a fixture


def test_h14_an_unknown_name_and_a_wrong_password_cost_one_hash_each_and_as_many_exchanges(
    app, world, give_password, statements, monkeypatch
):
    """What tells an account would be another answer, another number of hashes, or more exchanges with the database."""
    give_password(world.person(staff_number="A10001"))
    hashes, verify = [], type(app.extensions["hasher"]).verify
    hasher = app.extensions["hasher"]
    monkeypatch.setattr(hasher, "verify", lambda *arguments: hashes.append(1) or verify(hasher, *arguments))
    reply = {}
    for name in ("A10001", "NOBODY", "' OR 1=1 --", "*)(uid=*", "a\x00b", "𠮷" * 30):
        client = world.client()
        client.get("/login")
        before = len(hashes)
        with statements() as seen:
            answer = sign_in(client, name, "wrong-password")
        reply[name] = (answer.status_code, len(hashes) - before, "登录名或密码不对" in answer.text, len(seen))
    assert {outcome[:3] for outcome in reply.values()} == {(422, 1, True)}, reply
    likely = {name: outcome[3] for name, outcome in reply.items() if name.isalnum()}  # others can be nobody's name
    assert len(set(likely.values())) == 1, reply


def test_h22_a_unit_moved_and_a_person_transferred_during_the_exam_keep_the_attempt_where_it_was_sat(world):
    candidate_client = make_exam_with_candidates(world)
    first = candidate_client.person.unit_id
    office = world.api(world.admin("publicity_office"))
    other = world.unit("乙局")
    candidate_client.save((1, 1, ["A"]))
    moved = office.post(
        f"/admin/people/{candidate_client.person.id}/transfer",
        data={"unit_id": other.id, "on": "2026-11-24", "note": "调动"},
    )
    assert moved.status_code in {302, 303}
    assert world.session.get(Person, candidate_client.person.id).unit_id == other.id
    assert candidate_client.save((2, 1, ["B"])).status_code == 200
    assert candidate_client.hand_in().status_code == 201
    assert world.session.get(Attempt, candidate_client.attempt["id"]).unit_id == first
    assert candidate_client.answers() == {1: ["A"], 2: ["B"]}


def test_h22_a_question_in_use_is_not_deleted_and_a_drawn_paper_does_not_change(world):
    candidate_client = make_exam_with_candidates(world)
    before = candidate_client.paper()
    office = world.api(world.admin("publicity_office"))
    ids = [question.id for question in world.session.query(BankQuestion).filter_by(kind=str(Kind.SINGLE_CHOICE))]
    for number in ids:
        office.post(f"/admin/questions/{number}/delete")
        office.post(f"/admin/questions/{number}/state", data={"state": "retired"})
    left = world.session.query(BankQuestion).filter_by(kind=str(Kind.SINGLE_CHOICE)).all()
    assert len(left) == 2, "the third was in no paper"
    assert {question.state for question in left} == {"retired"}
    assert candidate_client.paper() == before


class Evil:
    """What a pickle would run."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


def test_h23_a_pickled_message_is_rejected_unread_and_json_alone_is_taken(app):
    celery = app.extensions["celery"]
    accepted = prepare_accept_content(celery.conf.accept_content)
    assert accepted == {"application/json"}
    body = pickle.dumps(Evil())
    for kind in ("application/x-python-serialize", "pickle", "application/x-yaml"):
        with pytest.raises(ContentDisallowed):
            loads(body, kind, "binary", accept=accepted)
    assert celery.conf.result_accept_content in (None, ["json"])


def test_h23_a_forged_job_with_numbers_that_nothing_has_does_nothing(app, world):
    """Every task by its own arguments: the row is the truth, and where there is none, or it is done, nothing happens."""
    celery, tried = app.extensions["celery"], 0
    connection = world.session.connection()
    before = count_rows(connection)
    for name, task in sorted(celery.tasks.items()):
        wanted = [p for p in inspect.signature(task.run).parameters.values() if p.default is p.empty]
        if name.startswith("celery.") or not wanted:
            continue
        for number in (987_654_321, 0, -1):
            values = [[number] if "list" in str(one.annotation) else number for one in wanted]
            task(*values)
            tried += 1
    assert tried >= 9
    assert count_rows(world.session.connection()) == before


def test_h07_a_roster_in_every_dress_is_read_or_rejected_by_row_and_twice_changes_nothing(app, world):
    unit = world.unit("甲局", code="H7")
    office = world.api(world.admin("publicity_office"))
    rows = [
        ["工号", "姓名", "单位", "身份证号"],
        ["=1+1", "=cmd|'/c calc'!A1", "甲局", ""],
        ["00017", "𠮷" * 8, "甲局", "4.30527E+17"],
        ["00018", "李\u202e四", "甲局", "430527199001010015"],
        ["00018", "王五", "甲局", ""],
    ]
    text = "\r\n".join(";".join(row) for row in rows)
    for encoding in ("gbk", "gb18030", "utf-8-sig", "utf-16"):
        content = text.encode(encoding, "replace")
        for _ in range(2):
            answer = office.post(
                "/admin/people/imports", data={"file": (io.BytesIO(content), "册.csv"), "unit_id": str(unit.id)}
            )
            app.extensions["celery"].tasks["jobs.run"](world.session.query(func.max(RosterImport.id)).scalar())
            page = office.get(answer.headers["Location"]).get_data(as_text=True)
            assert "第 3 行" in page and "第 4 行" in page, encoding
            assert "4.30527E+17" not in [person.name for person in world.session.query(Person)]
    assert not world.session.query(Person).filter(Person.staff_number.in_(["00017", "00018"])).count(), (
        "nothing before the preview is confirmed"
    )
