"""A bad question leaves the papers that nobody has started; those begun stay as they are, and are counted."""

from __future__ import annotations

import pytest

from examapp.content.blueprints.models import Paper
from examapp.content.blueprints.queries import items_of
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exam_candidates.actions import prepare_papers
from examapp.delivery.exams.models import PreparedPaper
from examapp.delivery.question_replacements.actions import replace_barred_questions
from examapp.platform.audit.models import AuditEvent
from question_bank.model import Kind
from tests.attempts.candidate_clients import CandidateClient
from tests.conftest import NOON


@pytest.fixture
def office(world):
    return world.api(world.admin("publicity_office"))


def versions_in(session, paper_ids):
    return {paper_id: {item.version_id for item in items_of(session.get(Paper, paper_id))} for paper_id in paper_ids}


def test_papers_not_started_are_drawn_again_and_a_start_goes_on(world, session, office):
    bad, *_ = [world.question(Kind.SINGLE_CHOICE, key=("A",)) for _ in range(3)]
    exam = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)))
    people = [world.person() for _ in range(12)]
    prepare_papers(session, exam.id, now=NOON)
    held = {row.person_id: row.paper_id for row in session.query(PreparedPaper).filter_by(exam_id=exam.id)}
    holding = {
        person_id: paper
        for person_id, paper in held.items()
        if bad.current_version_id in versions_in(session, [paper])[paper]
    }
    begun = CandidateClient(world, exam, next(person for person in people if person.id in holding))
    begun.start()
    page = office.post(
        f"/admin/exams/{exam.id}/replacements", data={"code": bad.code, "reason": "题干有错"}, follow_redirects=True
    ).text
    assert f"{len(holding) - 1} 份还没开始" in page and "另有 1 份已经开始" in page
    assert bad.state == "retired"
    assert session.get(Attempt, begun.attempt["id"]).paper_id == holding[begun.person.id]
    prepare_papers(session, exam.id, now=NOON)
    now_held = {row.person_id: row.paper_id for row in session.query(PreparedPaper).filter_by(exam_id=exam.id)}
    assert set(now_held) == set(held)
    for person_id, paper in now_held.items():
        assert person_id == begun.person.id or bad.current_version_id not in versions_in(session, [paper])[paper]
        assert person_id in holding or paper == held[person_id], "a paper without the question is left alone"
    event = session.query(AuditEvent).filter_by(act="exams.replace_question").one()
    assert (event.details["replaced"], event.details["begun"]) == (len(holding) - 1, 1)


def test_what_cannot_be_replaced_is_said_and_nothing_is_changed(world, session, office):
    only = world.question(Kind.SINGLE_CHOICE, key=("A",))
    unused = world.question(Kind.TRUE_FALSE)
    exam = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 1, "2"),)))
    world.person()
    prepare_papers(session, exam.id, now=NOON)
    address = f"/admin/exams/{exam.id}/replacements"
    for code, message in (("NONE-1", "没有这个编号"), (unused.code, "不需要换"), (only.code, "题库不够")):
        assert message in office.post(address, data={"code": code, "reason": "有错"}).text
    session.expire_all()
    assert (only.state, unused.state) == ("active", "active")
    exam.closes_at = NOON
    session.flush()
    assert "已经结束的" in office.post(address, data={"code": only.code, "reason": "有错"}).text


def held_by(session, exam):
    return {row.person_id: row.paper_id for row in session.query(PreparedPaper).filter_by(exam_id=exam.id)}


def test_barred_questions_leave_papers_by_themselves_unless_the_bank_does_not_suffice(world, session, office):
    bad, *others = [world.question(Kind.SINGLE_CHOICE, key=("A",)) for _ in range(3)]
    exam = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)))
    people = [world.person() for _ in range(12)]
    prepare_papers(session, exam.id, now=NOON)
    assert replace_barred_questions(session, exam.id, now=NOON) is None, "nothing is barred"
    held = held_by(session, exam)
    version = bad.current_version_id
    holding = {person for person, paper in held.items() if version in versions_in(session, [paper])[paper]}
    begun = CandidateClient(world, exam, next(person for person in people if person.id in holding))
    begun.start()
    bad.law_change = "changed"
    others[0].state = "draft"
    session.flush()
    assert replace_barred_questions(session, exam.id, now=NOON) is None
    assert replace_barred_questions(session, exam.id, now=NOON) is None, "tried again, told once"
    assert held_by(session, exam) == held, "a start finds its paper though the bank does not suffice"
    page = office.get(f"/admin/exams/{exam.id}").text
    assert "暂时没有换" in page and bad.code in page and page.count("题库不够，没有换") == 1
    assert "题库不够没有换" in office.get("/").text
    others[0].state = "active"
    session.flush()
    done = replace_barred_questions(session, exam.id, now=NOON)
    assert (done.replaced, done.begun) == (len(holding) - 1, 1)
    prepare_papers(session, exam.id, now=NOON)
    assert set(held_by(session, exam)) == set(held)
    for person, paper in held_by(session, exam).items():
        assert person == begun.person.id or version not in versions_in(session, [paper])[paper]
    assert replace_barred_questions(session, exam.id, now=NOON) is None
    page = office.get(f"/admin/exams/{exam.id}").text
    assert "换题记录" in page and "暂时没有换" not in page
    assert "已开始的试卷里有停用的题" in office.get("/").text
