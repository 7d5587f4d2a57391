"""What a hostile client of the delivery protocol sends (H02, H04, H18)."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from examapp.delivery.attempts.models import Answer, AnswerChange, Attempt
from tests.attempts.candidate_clients import KINDS as ITEMS
from tests.attempts.candidate_clients import CandidateClient, make_bank, make_exam_with_candidates
from tests.conftest import NOON

BAD_CHANGES = [
    (99, ["A"], "unknown_item"),
    (1, ["Z"], "unknown_option"),
    (1, ["A", "B"], "too_many_options"),
    (3, ["A", "A"], "repeated_option"),
    (5, ["一", "二"], "wrong_count"),
    (5, ["长" * 4001], "too_long"),
    (5, ["坏\u0000字"], "bad_text"),
]


def test_h02_what_the_paper_does_not_have_is_rejected_item_by_item_by_save_and_hand_in_alike(world):
    candidate_client = make_exam_with_candidates(world)
    for item, response, code in BAD_CHANGES:
        body = candidate_client.save((item, 1, response), (2, 1, ["B"])).get_json()
        assert body["refused"] == {str(item): code}
        assert body["acked"] == {"2": 1}
    assert candidate_client.answers() == {2: ["B"]}
    sheet = [(item, 2, response) for item, response, _ in BAD_CHANGES if item != 1]
    handed = candidate_client.hand_in(*sheet, (2, 2, ["C"]))
    assert handed.status_code == 201
    assert set(handed.get_json()["refused"]) == {"99", "3", "5"}
    assert candidate_client.answers() == {2: ["C"]}


def test_h02_ten_thousand_changes_and_numbers_beyond_two_to_the_53_are_rejected_whole(world):
    candidate_client = make_exam_with_candidates(world)
    many = {"epoch": 1, "changes": [{"item": 1, "seq": n + 1, "response": ["A"]} for n in range(10_000)]}
    assert candidate_client.api.put(candidate_client.url("/answers"), json=many).status_code in {400, 413}
    assert candidate_client.save((1, 2**53, ["A"])).status_code == 400
    assert candidate_client.save((1, 2**53 - 1, ["A"])).get_json()["acked"] == {"1": 2**53 - 1}
    assert candidate_client.save((1, 1, ["B"])).get_json()["acked"] == {"1": 2**53 - 1}
    assert candidate_client.answers() == {1: ["A"]}


def test_h04_no_call_in_the_wrong_order_moves_an_attempt_back(world, fixed_clock):
    make_bank(world)
    exam = world.exam(world.blueprint(ITEMS), attempts_allowed=1)
    candidate_client = CandidateClient(world, exam, world.person())
    candidate_client.attempt = {"id": 987_654_321}
    assert candidate_client.save((1, 1, ["A"])).status_code == 404, "before the start there is nothing to save into"
    assert candidate_client.hand_in().status_code == 404
    assert [candidate_client.start().status_code for _ in range(3)] == [201, 200, 200]
    candidate_client.save((1, 1, ["A"]))
    first = candidate_client.hand_in((2, 1, ["B"]))
    receipt = first.get_json()["receipt"]
    assert first.status_code == 201
    for _ in range(2):
        assert rejection(candidate_client.save((1, 9, ["C"]))) == (409, "already_submitted")
        assert rejection(candidate_client.api.post(candidate_client.url("/epoch"))) == (409, "already_submitted")
        assert rejection(
            candidate_client.api.put(candidate_client.url("/marks"), json={"epoch": 1, "unsure": [1]})
        ) == (
            409,
            "already_submitted",
        )
        again = candidate_client.hand_in((1, 9, ["D"]), epoch=1)
        assert (again.status_code, again.get_json()["receipt"]) == (200, receipt)
        assert rejection(candidate_client.api.post(f"/api/v1/exams/{exam.id}/attempts")) == (409, "no_attempts_left")
    fixed_clock.at(NOON + timedelta(days=2))
    assert rejection(candidate_client.api.post(f"/api/v1/exams/{exam.id}/attempts"))[0] == 409
    attempt = world.session.get(Attempt, candidate_client.attempt["id"])
    assert (attempt.state, attempt.number) == ("submitted", 1)
    assert candidate_client.answers() == {1: ["A"], 2: ["B"]}


def rejection(answer):
    return answer.status_code, answer.get_json()["error"]


def test_h18_no_paper_before_the_start_and_no_validator_tells_what_an_answer_holds(world):
    make_bank(world)
    early = CandidateClient(world, world.exam(world.blueprint(ITEMS), opens_in=timedelta(hours=1)), world.person())
    assert rejection(early.start()) == (409, "not_open_yet")
    assert not world.session.query(Attempt).count()
    candidate_client = make_exam_with_candidates(world)
    for path in ("", "/paper", "/result"):
        headers = candidate_client.api.get(candidate_client.url(path)).headers
        assert not {"ETag", "Last-Modified"} & set(headers.keys()), path
        assert headers["Cache-Control"] == "no-store"


def test_h18_the_options_order_of_another_is_worth_nothing_and_a_replayed_reply_changes_nothing(world):
    make_bank(world)
    exam = world.exam(world.blueprint(ITEMS))
    mine, theirs = CandidateClient(world, exam, world.person()), CandidateClient(world, exam, world.person())
    mine.start(), theirs.start()
    for path in ("/paper", "", "/result"):
        answer = mine.api.get(f"/api/v1/attempts/{theirs.attempt['id']}{path}")
        missing = mine.api.get(f"/api/v1/attempts/987654321{path}")
        assert (answer.status_code, answer.data) == (404, missing.data)
    saved = {"epoch": 1, "changes": [{"item": 1, "seq": 5, "response": ["B"]}]}
    first = mine.api.put(mine.url("/answers"), json=saved).get_json()
    mine.save((1, 6, ["C"]))
    replayed = mine.api.put(mine.url("/answers"), json=saved).get_json()
    assert (first["acked"], replayed["acked"]) == ({"1": 5}, {"1": 6})
    forged = theirs.api.put(theirs.url("/answers"), json=first)
    assert forged.status_code == 400, "a reply is no request"
    assert mine.answers() == {1: ["C"]}
    assert theirs.answers() == {}
    assert world.session.scalar(select(func.count()).select_from(Answer)) == 1
    assert world.session.scalar(select(func.count()).select_from(AnswerChange)) == 2
