"""How a question fared in an exam stands beside it in the bank."""

from datetime import timedelta

from sqlalchemy import select

from examapp import clock
from examapp.content.questions.models import QuestionUse, QuestionVersion
from examapp.delivery.grading import tasks as grading_tasks
from examapp.delivery.grading.actions import tally_questions
from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.conftest import NOON
from tests.helpers.grading import right_answers


def test_bank_shows_how_often_a_question_was_asked_and_answered_rightly(world, session, fixed_clock):
    candidate_client = make_exam_with_candidates(world)
    candidate_client.hand_in(*right_answers(world, candidate_client)[:2])
    grading_tasks.sweep_once()
    assert (tally_questions(session, now=clock.now()), tally_questions(session, now=clock.now())) == (1, 0)
    uses = session.scalars(select(QuestionUse)).all()
    assert [(use.asked, sorted({use.exam_title})) for use in uses] == [(1, ["测试考试"])] * 5
    assert sorted((use.right_count, str(use.share)) for use in uses) == [(0, "0.00")] * 3 + [(1, "100.00")] * 2
    question_id = session.get_one(QuestionVersion, uses[0].question_version_id).question_id
    office = world.api(world.admin("publicity_office"))
    page = office.get(f"/admin/questions/{question_id}").get_data(as_text=True)
    assert "使用情况" in page and "测试考试" in page


def test_exam_is_counted_again_after_new_grades_only(world, session, fixed_clock):
    candidate_client = make_exam_with_candidates(world)
    candidate_client.hand_in()
    grading_tasks.sweep_once()
    fixed_clock.at(NOON + timedelta(minutes=1))
    assert tally_questions(session, now=clock.now()) == 1
    session.query(QuestionUse).update({"counted_at": NOON - timedelta(hours=1)})
    assert tally_questions(session, now=clock.now()) == 1
    assert session.scalars(select(QuestionUse.asked).distinct()).all() == [1]
