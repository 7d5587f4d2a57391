"""While somebody sits an exam that counts, no other exam starts for that human: by both accounts, and on the page too."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exams.models import ExamAudience
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank
from tests.conftest import NOON

MOBILE = b"the digest of one mobile number"


@pytest.fixture
def bank(world):
    make_bank(world)
    return world.blueprint(KINDS)


@pytest.mark.parametrize("kind", ["annual", "mock", "enforcement_qualification"])
def test_no_other_exam_starts_beside_one_that_counts_and_the_rejection_names_it(world, bank, papers, kind):
    person = world.person()
    running = CandidateClient(world, world.exam(bank, title="年度考试"), person)
    running.start()
    other = CandidateClient(world, world.exam(bank, kind=kind, attempts_allowed=None), person)
    rejected = other.start()
    body = rejected.get_json()
    assert (rejected.status_code, body["error"]) == (409, "other_attempt_in_progress")
    assert body["attempt_id"] == running.attempt["id"]
    assert "“年度考试”" in body["message"]
    page = other.api.get(f"/exams/{other.exam_id}").text
    assert "您正在参加“年度考试”" in page
    assert f'href="/exams/{running.exam_id}"' in page
    assert "开始考试</a>" not in page
    assert world.session.query(Attempt).count() == 1
    assert running.start().status_code == 200
    running.attempt = {"id": body["attempt_id"]}
    running.hand_in()
    assert other.start().status_code == 201


@pytest.mark.parametrize("address", ["/exams/{other}", "/practice/search"])
def test_a_page_asks_once_for_what_is_in_progress(world, bank, statements, address):
    person = world.person()
    CandidateClient(world, world.exam(bank), person).start()
    other = CandidateClient(world, world.exam(bank), person)
    page = address.format(other=other.exam_id)
    assert other.api.get(page).status_code in {200, 409}
    with statements() as seen:
        other.api.get(page)
    assert sum("counting_attempts" in statement for statement in seen) == 1, seen


def test_a_mock_in_progress_blocks_no_exam_that_counts_and_may_still_be_handed_in(world, bank, papers):
    person = world.person()
    mock = CandidateClient(world, world.exam(bank, kind="mock"), person)
    assert mock.start().status_code == 201
    counting = CandidateClient(world, world.exam(bank), person)
    assert counting.start().status_code == 201
    assert mock.hand_in().status_code == 201
    assert mock.api.get(f"/api/v1/attempts/{mock.attempt['id']}").status_code == 200


def test_an_attempt_whose_time_is_over_blocks_nothing(world, bank, papers, fixed_clock):
    person = world.person()
    over = CandidateClient(world, world.exam(bank, duration_s=600), person)
    over.start()
    fixed_clock.at(NOON + timedelta(seconds=661))
    assert CandidateClient(world, world.exam(bank), person).start().status_code == 201


def test_a_second_account_of_the_same_human_is_rejected_too_and_a_colleague_is_not(world, bank, papers):
    first, second = (world.person(name="张三", mobile_index=MOBILE) for _ in range(2))
    colleague = world.person(name="李四", mobile_index=MOBILE)
    namesake = world.person(name="张三")
    exam, other = world.exam(bank, title="年度考试"), world.exam(bank)
    running = CandidateClient(world, exam, first)
    running.start()
    for wanted in (exam, other):
        rejected = CandidateClient(world, wanted, second).start()
        assert (rejected.status_code, rejected.get_json()["error"]) == (409, "other_attempt_in_progress")
        assert "另一个账号" in rejected.get_json()["message"]
    for other_human in (colleague, namesake):
        assert CandidateClient(world, exam, other_human).start().status_code == 201
    page = world.client(second).get(f"/exams/{other.id}").text
    assert "您用另一个账号正在参加“年度考试”" in page
    assert "开始考试</a>" not in page


def test_an_exam_of_others_is_as_one_that_is_not_there(world, bank):
    """Finding 13: the page of a planned exam gave its plan of kinds and points to everybody."""
    mine, theirs = world.unit(), world.unit()
    exam = world.exam(bank, opens_in=timedelta(days=3))
    world.save(ExamAudience(exam_id=exam.id, unit_id=theirs.id, ranks=[]))
    outsider, own = world.client(world.person(mine)), world.client(world.person(theirs))
    for path in (f"/exams/{exam.id}", f"/exams/{exam.id}/sit"):
        assert outsider.get(path).status_code == 404
        assert own.get(path).status_code == 200
    assert exam.id not in [row["id"] for row in outsider.get("/api/v1/exams").get_json()]
