"""Who has an attempt under way is told so first on the home page and on every other page, whatever else is open."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import url_for

from examapp import clock
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exams.models import ExamSession, Exemption, MakeupEligibility
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank

HOUR = timedelta(hours=1)
PAGES = (
    "attempts.before_start",
    "admin.my_exams",
    "training.my_courses",
    "training.practise",
    "training.list_mistakes",
    "messages.list_all_notices",
)


def begin(world, person, *, opens_in=-HOUR, **fields):
    """Let somebody start an exam; gives it."""
    exam = world.exam(world.blueprint(KINDS), opens_in=opens_in, **{"title": "正在考的考试"} | fields)
    candidate_client = CandidateClient(world, exam, person)
    assert candidate_client.start().status_code == 201
    return exam


@pytest.fixture
def person(world):
    make_bank(world)
    return world.person()


def only_try(world, session, person):
    begin(world, person)
    world.exam(title="别的考试", attempts_allowed=3)


def attempts_left_and_another_closes_first(world, session, person):
    begin(world, person, attempts_allowed=3, lasts=10 * HOUR)
    world.exam(title="别的考试", lasts=2 * HOUR, attempts_allowed=3)


def any_number_of_attempts(world, session, person):
    begin(world, person, attempts_allowed=None, lasts=10 * HOUR)
    world.exam(title="别的考试", lasts=2 * HOUR)


def a_mock_is_open(world, session, person):
    begin(world, person)
    world.exam(title="模拟考试", kind="mock", attempts_allowed=None)


def mock_is_submitted_and_an_exam_is_open(world, session, person):
    begin(world, person, kind="mock", attempts_allowed=None)
    world.exam(title="别的考试", attempts_allowed=3)


def an_exam_with_sessions(world, session, person):
    now = clock.now()
    exam = world.exam(world.blueprint(KINDS), title="正在考的考试", lasts=10 * HOUR)
    for name, begins in (("上午场", -HOUR), ("下午场", 3 * HOUR)):
        world.save(ExamSession(exam_id=exam.id, name=name, opens_at=now + begins, closes_at=now + begins + 2 * HOUR))
    assert CandidateClient(world, exam, person).start().status_code == 201
    world.exam(title="别的考试", lasts=2 * HOUR)


def a_make_up(world, session, person):
    main = world.exam(title="主考", opens_in=-20 * HOUR, lasts=10 * HOUR)
    exam = world.exam(world.blueprint(KINDS), title="正在考的考试", kind="makeup", main_exam_id=main.id)
    world.save(MakeupEligibility(exam_id=exam.id, person_id=person.id, reason="absent"))
    assert CandidateClient(world, exam, person).start().status_code == 201
    world.exam(title="别的考试", lasts=2 * HOUR)


def the_window_has_closed_meanwhile(world, session, person):
    exam = begin(world, person, is_full_duration=True, lasts=2 * HOUR)
    exam.closes_at = clock.now() - timedelta(minutes=1)
    session.commit()
    world.exam(title="别的考试", attempts_allowed=3)


def excused_meanwhile(world, session, person):
    exam = begin(world, person)
    now = clock.now()
    world.save(Exemption(exam_id=exam.id, person_id=person.id, reason="病假", requested_at=now, approved_at=now))
    world.exam(title="别的考试", attempts_allowed=3)


def only_grace_is_left(world, session, person):
    begin(world, person, attempts_allowed=2)
    attempt = session.query(Attempt).filter_by(person_id=person.id).one()
    attempt.deadline_at, attempt.closes_at = clock.now() - timedelta(seconds=5), clock.now() + timedelta(seconds=55)
    session.commit()
    world.exam(title="别的考试", attempts_allowed=3)


SHAPES = (
    only_try, attempts_left_and_another_closes_first, any_number_of_attempts, a_mock_is_open, mock_is_submitted_and_an_exam_is_open,
    an_exam_with_sessions, a_make_up, the_window_has_closed_meanwhile, excused_meanwhile, only_grace_is_left,
)  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_what_is_being_sat_stands_first_on_the_home_page_whatever_else_is_open(world, session, person, shape):
    shape(world, session, person)
    exam_id = session.query(Attempt).filter_by(person_id=person.id).one().exam_id
    page = world.client(person).get("/").text
    first = page[page.index('class="sheet exam-now"') : page.index("</section>")]
    assert "正在考的考试" in first and "您有考试正在作答" in first
    assert f'href="/exams/{exam_id}/sit">继续答题</a>' in first
    assert "别的考试" not in page and "开始考试" not in page


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_the_list_of_own_exams_leads_back_into_the_paper(world, session, person, shape):
    shape(world, session, person)
    exam_id = session.query(Attempt).filter_by(person_id=person.id).one().exam_id
    page = world.client(person).get("/exams").text
    own = page[page.index(f'id="exam-{exam_id}"') :]
    own = own[: own.index("</section>")]
    assert f'href="/exams/{exam_id}/sit">继续答题</a>' in own
    assert "查看并进入考试" not in own


def test_the_time_that_is_left_is_said(world, fixed_clock, person):
    begin(world, person)
    fixed_clock.instant += timedelta(minutes=19)
    assert "剩余 41 分钟" in world.client(person).get("/").text
    assert "您有考试正在作答：正在考的考试，<strong>剩余 41 分钟</strong>" in world.client(person).get("/study/").text


def test_every_page_of_this_person_says_so_and_no_page_of_another(world, person):
    exam = begin(world, person)
    client, other = world.client(person), world.client(world.person())
    bar = f'href="/exams/{exam.id}/sit">继续答题</a>'
    with world.app.test_request_context():
        paths = [url_for(page, exam_id=exam.id) if "before" in page else url_for(page) for page in PAGES]
        at_rest = {url_for("training.list_mistakes")}  # it shows keys
        paths += [url_for("people.list_sign_ins"), url_for("privacy.show_own"), url_for("messages.write_feedback")]
    for path in paths:
        found = client.get(path, follow_redirects=True)
        assert found.status_code == (409 if path in at_rest else 200), path
        assert bar in found.text, path
        assert bar not in other.get(path, follow_redirects=True).text, path
    assert bar in client.get("/no-such-page").text
    assert "live-bar" not in client.get(f"/exams/{exam.id}/sit").text
    assert "live-bar" not in world.app.test_client().get("/login").text


def test_an_exam_that_counts_is_named_before_a_mock_that_is_sat_beside_it(world, person):
    mock = begin(world, person, title="模拟考试", kind="mock", attempts_allowed=None, duration_s=600)
    exam = begin(world, person)
    page = world.client(person).get("/").text
    assert page.index(f"/exams/{exam.id}/sit") < page.index(f"/exams/{mock.id}/sit")
    page = world.client(person).get("/study/").text
    assert page.index(f"/exams/{exam.id}/sit") < page.index(f"/exams/{mock.id}/sit")


def test_after_the_hand_in_nothing_is_said_any_more(world, person):
    exam = world.exam(world.blueprint(KINDS))
    candidate_client = CandidateClient(world, exam, person)
    candidate_client.start()
    assert candidate_client.hand_in((1, 1, ["A"])).status_code == 201
    client = world.client(person)
    assert "继续答题" not in client.get("/").text + client.get("/no-such-page").text + client.get("/exams").text


def test_the_bar_costs_one_statement(world, statements, person):
    begin(world, person)
    client = world.client(person)
    with statements() as seen:
        assert client.get("/exams").status_code == 200
    assert sum("counting_attempts" in statement for statement in seen) == 1
