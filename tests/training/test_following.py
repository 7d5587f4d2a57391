"""Corrections are followed: cards, the mistake book, exercises and units' sums say what is true by the newest key and the newest grade."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examapp import clock
from examapp.content.questions.models import AnswerKey
from examapp.delivery.grading.models import Grade
from examapp.delivery.grading.tasks import grade_waiting
from examapp.learning.courses.models import ChapterProgress, CourseCompletion, ExerciseRun, PracticeItem
from examapp.learning.spaced_repetition.actions import write_cards
from examapp.learning.spaced_repetition.models import HarvestedAttempt, ReviewCard, UnitWeakness
from examapp.learning.spaced_repetition.rules import PartAnswer, remember
from examapp.learning.spaced_repetition.tasks import look_at_exams
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank
from tests.conftest import NOON
from tests.helpers.courses import begin, course, read, take_exam
from tests.helpers.grading import correct as correct_by_three
from tests.helpers.grading import take_exam as take_graded_exam
from tests.helpers.grading import wrong_question
from tests.helpers.practice import draw, post, right_response


@pytest.fixture
def learner(world):
    person = world.person()
    client = world.client(person)
    client.person = person
    return client


def correct(world, question, key, *, state="active"):
    """Give a question another key; where it was reviewed it is active again."""
    version = question.current_version
    before = world.session.query(AnswerKey).filter_by(question_version_id=version.id).count()
    parts = [{"key": list(key), "blanks": [], "explanation": "更正"}]
    world.save(AnswerKey(question_version_id=version.id, number=before + 1, parts=parts, created_at=clock.now()))
    question.state = state
    world.session.flush()


def cards(session, **fields):
    session.expire_all()
    return session.query(ReviewCard).filter_by(**fields).order_by(ReviewCard.question_id).all()


def test_a_corrected_key_takes_an_answer_out_of_the_mistake_book_once_it_was_reviewed(world, session, learner):
    question = world.question(key=("A",))
    item, path = draw(learner, session)
    post(learner, path, {"response": right_response(item, "B")})
    assert [(card.is_right, card.lapses) for card in cards(session)] == [(False, 1)]
    correct(world, question, "B", state="draft")
    look_at_exams()
    assert [(card.is_right, card.lapses) for card in cards(session)] == [(False, 1)], "one person alone changes nothing"
    question.state = "active"
    session.flush()
    look_at_exams()
    look_at_exams()
    assert [(card.is_right, card.lapses, card.due_at) for card in cards(session)] == [(True, 0, None)]
    assert session.get(PracticeItem, item.id).is_right
    assert "错题本是空的" in learner.get("/practice/mistakes").get_data(as_text=True)
    correct(world, question, "C")
    look_at_exams()
    assert [(card.is_right, card.lapses) for card in cards(session)] == [(False, 1)]
    assert session.get(PracticeItem, item.id).key_number == 3


def test_a_corrected_key_passes_an_exercise_and_takes_no_passed_one_away(world, session, learner):
    questions = [world.question(key=("A",)) for _ in range(2)]
    (failed, passed), row = (world.person(), world.person()), course(world)
    chapter = row.chapters[0]
    clients = [world.client(person) for person in (failed, passed)]
    for client, is_right in zip(clients, (False, True), strict=True):
        read(client, chapter)
        take_exam(client, session, begin(client, chapter).location, right=is_right)
    wrong = session.query(PracticeItem).filter_by(person_id=failed.id).all()
    for item in wrong:
        item.response = right_response(item, "B")
    session.flush()
    assert session.query(CourseCompletion).count() == 1
    for question in questions:
        correct(world, question, "B")
    look_at_exams()
    session.expire_all()
    runs = {run.person_id: (run.right_count, run.is_passed) for run in session.query(ExerciseRun)}
    assert runs == {failed.id: (2, True), passed.id: (0, True)}
    progress = session.query(ChapterProgress).filter_by(person_id=failed.id).one()
    assert progress.passed_at is not None
    assert session.query(CourseCompletion).count() == 2
    assert all(not card.is_right for card in cards(session, person_id=passed.id))


def test_an_attempt_graded_again_changes_the_cards_and_the_units_sums_and_nothing_twice(
    world, session, learner, fixed_clock, statements
):
    make_bank(world)
    exam = world.exam(world.blueprint(KINDS), keys_policy="at_close")
    candidate_count = [
        CandidateClient(world, exam, person) for person in (learner.person, world.person(learner.person.unit))
    ]
    for candidate_client in candidate_count:
        candidate_client.start()
        candidate_client.hand_in()
    grade_waiting(max_batches=1)
    fixed_clock.at(fixed_clock.instant + timedelta(days=2))
    look_at_exams()
    before = {(card.person_id, card.question_id): card.due_at for card in cards(session)}
    assert len(before) == 10
    old = session.query(Grade).filter_by(attempt_id=candidate_count[0].attempt["id"]).one()
    old.is_current = False
    session.flush()
    points = list(old.item_points)
    points[3] = "1.00"
    world.save(
        Grade(
            attempt_id=old.attempt_id,
            number=2,
            points=1,
            points_possible=old.points_possible,
            percent=old.percent,
            band=old.band,
            is_passed=False,
            item_points=points,
            key_ids=old.key_ids,
            rules=old.rules,
            sheet=old.sheet,
            reason="correction",
            graded_at=clock.now(),
        )
    )
    look_at_exams()
    look_at_exams()
    changed = [card for card in cards(session) if card.is_right]
    assert [(card.person_id, card.lapses, card.due_at) for card in changed] == [(learner.person.id, 0, None)]
    same = {(card.person_id, card.question_id): card.due_at for card in cards(session) if not card.is_right}
    assert same == {place: due for place, due in before.items() if place in same}
    assert len(same) == 9
    sums = session.query(UnitWeakness).one()
    assert (sums.candidate_count, sums.asked, sums.right_count) == (2, 10, 1)
    assert session.get(HarvestedAttempt, old.attempt_id).grade_id != old.id
    page = world.client(learner.person).get("/practice/mistakes").get_data(as_text=True)
    assert "其中考试错题 4 题" in page


def test_writing_cards_again_changes_no_card_that_no_correction_touched(world, session, learner, fixed_clock):
    for _ in range(3):
        world.question(key=("A",))
    for day in range(6):
        fixed_clock.at(NOON + timedelta(days=3 * day))
        client = world.client(learner.person)
        item, path = draw(client, session)
        response = right_response(item, "A" if day % 3 else "B")
        post(client, path, {"response": response, **({"unsure": "y"} if day == 4 else {})})

    def rows():
        return [
            (c.question_id, c.is_right, c.lapses, c.answered_at, c.due_at, c.stability, c.difficulty, c.item_id)
            for c in cards(session)
        ]

    before = rows()
    assert any(row[4] for row in before)
    write_cards(session, {(learner.person.id, row[0], 0) for row in before})
    assert rows() == before


_MOMENTS = st.integers(min_value=0, max_value=400)
_ANSWERS = st.lists(
    st.builds(
        lambda at, wait, is_right, is_unsure: PartAnswer(
            at=NOON + timedelta(days=at),
            known_at=NOON + timedelta(days=at + wait),
            is_right=is_right,
            is_unsure=is_unsure,
        ),
        _MOMENTS,
        st.integers(min_value=0, max_value=30),
        st.booleans(),
        st.booleans(),
    ),
    max_size=12,
)


@given(_ANSWERS)
def test_a_card_is_what_its_answers_make_it(answers):
    card = remember(answers)
    if card is None:
        assert not answers
        return
    assert card.last in answers
    assert card.lapses <= sum(not answer.is_right for answer in answers)
    if not any(not answer.is_right or answer.is_unsure for answer in answers):
        assert card.memory is None
    if not card.last.is_right:
        assert card.memory is not None
        assert card.lapses >= 1
    if card.memory is not None:
        assert card.memory.due_at > card.last.at


def test_a_key_that_three_persons_correct_after_an_exam_reaches_the_mistake_book_by_itself(world, session):
    world.question(key=("A",))
    world.question(key=("B",))
    exam = world.exam(world.blueprint(), kind="mock", results_policy="at_once", keys_policy="at_once")
    by_old = take_graded_exam(world, exam, right="A")
    look_at_exams()
    question = wrong_question(world)
    assert [card.is_right for card in cards(session, question_id=question.id)] == [True]
    correct_by_three([world.api(world.admin("publicity_office", name=name)) for name in "甲乙丙"], question, exam)
    look_at_exams()
    (card,) = cards(session, question_id=question.id)
    assert (card.person_id, card.is_right, card.lapses, card.exam_id) == (by_old.person.id, False, 1, exam.id)
    assert card.due_at is not None
