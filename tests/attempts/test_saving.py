from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from examapp.delivery.attempts.models import Answer, AnswerChange, Attempt, AttemptEvent, QuarantinedSave
from examapp.organisation.people.models import Account, SignIn
from examapp.platform.audit.models import AuditEvent
from examapp.security import rate_limits
from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.conftest import NOON


@pytest.fixture
def candidate_client(world):
    return make_exam_with_candidates(world)


def test_saved_answer_is_acked_and_read_back(candidate_client):
    answer = candidate_client.save((1, 1, ["A"]), (3, 2, ["A", "C"]), (5, 3, ["三十日"]))
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["acked"] == {"1": 1, "3": 2, "5": 3}
    assert body["refused"] == {}
    assert body["next_save_ms"] == 2000
    assert candidate_client.answers() == {1: ["A"], 3: ["A", "C"], 5: ["三十日"]}


def test_higher_seq_replaces_and_lower_or_equal_changes_nothing(candidate_client, world):
    candidate_client.save((1, 5, ["A"]))
    assert candidate_client.save((1, 6, ["B"])).get_json()["acked"] == {"1": 6}
    assert candidate_client.save((1, 4, ["C"])).get_json()["acked"] == {"1": 6}
    assert candidate_client.save((1, 6, ["B"])).get_json()["acked"] == {"1": 6}
    assert candidate_client.answers() == {1: ["B"]}
    history = world.session.query(AnswerChange).order_by(AnswerChange.id).all()
    assert [(change.seq, change.response) for change in history] == [(5, ["A"]), (6, ["B"])]


def test_equal_seq_with_another_response_is_rejected_but_another_order_of_options_is_the_same(candidate_client):
    candidate_client.save((1, 5, ["A"]), (3, 6, ["A", "C"]))
    body = candidate_client.save((1, 5, ["B"]), (3, 6, ["C", "A"])).get_json()
    assert body["refused"] == {"1": "seq_conflict"}
    assert body["acked"] == {"3": 6}
    assert candidate_client.answers()[1] == ["A"]


@pytest.mark.parametrize(
    ("item", "response", "code"),
    [
        (99, ["A"], "unknown_item"), (2**31 - 1, ["A"], "unknown_item"), (0, ["A"], "unknown_item"), (1, ["E"], "unknown_option"), (1, ["a"], "unknown_option"), (1, ["Ａ"], "unknown_option"),
        (4, ["C"], "unknown_option"), (1, ["A", "B"], "too_many_options"), (4, ["A", "B"], "too_many_options"), (3, ["A", "A"], "repeated_option"),
        (5, [], "wrong_count"), (5, ["一", "二"], "wrong_count"), (5, ["长" * 4001], "too_long"), (5, ["坏\x00字"], "bad_text"), (5, ["\x1b[0m"], "bad_text"),
    ],
)  # fmt: skip
def test_bad_change_is_rejected_alone_and_the_good_one_is_saved(candidate_client, item, response, code):
    body = candidate_client.save((item, 1, response), (2, 2, ["B"])).get_json()
    assert body["refused"] == {str(item): code}
    assert body["acked"] == {"2": 2}
    assert candidate_client.answers() == {2: ["B"]}


def test_empty_list_clears_a_choice(candidate_client):
    candidate_client.save((1, 1, ["A"]))
    assert candidate_client.save((1, 2, [])).get_json()["acked"] == {"1": 2}
    assert candidate_client.answers() == {1: []}


def test_same_item_twice_in_a_batch_ends_with_the_higher_seq(candidate_client, world):
    body = candidate_client.save((1, 2, ["B"]), (1, 1, ["A"]), (1, 3, ["Z"])).get_json()
    assert body["acked"] == {"1": 2}
    assert body["refused"] == {"1": "unknown_option"}
    assert candidate_client.answers() == {1: ["B"]}
    assert [change.seq for change in world.session.query(AnswerChange).order_by(AnswerChange.id)] == [1, 2]


def test_epoch_below_is_taken_over_with_the_content_set_aside_and_above_is_bad(candidate_client, world):
    assert candidate_client.api.post(candidate_client.url("/epoch")).get_json() == {"epoch": 2}
    late = candidate_client.save((1, 9, ["A"]), epoch=1)
    assert (late.status_code, late.get_json()["error"], late.get_json()["epoch"]) == (409, "taken_over", 2)
    assert candidate_client.save((1, 9, ["A"]), epoch=1).status_code == 409
    assert world.session.query(QuarantinedSave).one().changes == [[1, 9, ["A"]]]
    assert candidate_client.save((1, 1, ["A"]), epoch=3).status_code == 400
    assert candidate_client.save((1, 1, ["B"]), epoch=2).get_json()["acked"] == {"1": 1}
    assert candidate_client.answers() == {1: ["B"]}


def test_new_epoch_wins_over_a_high_seq_of_the_old_one(candidate_client):
    candidate_client.save((1, 500, ["A"]))
    candidate_client.api.post(candidate_client.url("/epoch"))
    assert candidate_client.save((1, 1, ["C"]), epoch=2).get_json()["acked"] == {"1": 1}
    assert candidate_client.answers() == {1: ["C"]}


def test_grace_takes_saves_and_after_it_the_attempt_is_closed_with_what_was_saved(candidate_client, world, fixed_clock):
    deadline = NOON + timedelta(hours=1)
    fixed_clock.at(deadline + timedelta(seconds=59))
    assert candidate_client.save((1, 1, ["A"])).status_code == 200
    fixed_clock.at(deadline + timedelta(seconds=60))
    late = candidate_client.save((1, 2, ["B"]))
    assert (late.status_code, late.get_json()["error"]) == (409, "deadline_passed")
    state = candidate_client.look()
    assert state["state"] == "graded" or state["state"] == "submitted"
    assert state["receipt"]["forced"] is True
    assert state["receipt"]["submitted_at"] == "2026-11-24T13:00:00.000+08:00"
    assert state["receipt"]["answered"] == 1
    assert candidate_client.answers() == {1: ["A"]}
    assert world.session.query(QuarantinedSave).one().reason == "deadline_passed"


def test_save_after_hand_in_is_rejected(candidate_client):
    candidate_client.hand_in((1, 1, ["A"]))
    late = candidate_client.save((1, 2, ["B"]))
    assert (late.status_code, late.get_json()["error"]) == (409, "already_submitted")
    assert candidate_client.answers() == {1: ["A"]}


def test_marks_are_kept_and_bad_marks_rejected(candidate_client):
    assert (
        candidate_client.api.put(candidate_client.url("/marks"), json={"epoch": 1, "unsure": [3, 1]}).status_code == 204
    )
    assert candidate_client.look()["unsure"] == [1, 3]
    assert (
        candidate_client.api.put(candidate_client.url("/marks"), json={"epoch": 1, "unsure": [77]}).status_code == 400
    )
    assert (
        candidate_client.api.put(candidate_client.url("/marks"), json={"epoch": 1, "unsure": ["1"]}).status_code == 400
    )
    assert candidate_client.look()["unsure"] == [1, 3]


def test_events_are_recorded_once(candidate_client, world):
    event = {"n": 1, "type": "focus_loss", "client_at": "2026-11-24T12:00:00+08:00", "duration_ms": 800}
    for _ in range(2):
        assert (
            candidate_client.api.post(
                candidate_client.url("/events"), json={"events": [event, event | {"n": 2, "client_at": None}]}
            ).status_code
            == 204
        )
    assert world.session.query(AttemptEvent).count() == 2
    assert (
        candidate_client.api.post(
            candidate_client.url("/events"), json={"events": [event | {"type": "cheating"}]}
        ).status_code
        == 400
    )


def test_who_leaves_the_page_too_often_is_handed_in_where_the_exam_says_so(world, candidate_client):
    held = make_exam_with_candidates(world, focus_loss_limit=1)
    for attempts in (candidate_client, held):
        assert attempts.save((1, 1, ["A"])).status_code == 200
        for number, kind in enumerate(("focus_loss", "screen_off", "screen_off", "offline", "focus_loss"), 1):
            assert attempts.look()["state"] == "in_progress"
            event = {"n": number, "type": kind, "client_at": None, "duration_ms": 900}
            for _ in range(2):
                assert attempts.api.post(attempts.url("/events"), json={"events": [event]}).status_code == 204
    assert candidate_client.look()["state"] == "in_progress"
    closed = held.look()
    assert (closed["state"], closed["receipt"]["forced"], closed["receipt"]["answered"]) == ("submitted", True, 1)
    assert held.save((1, 2, ["B"])).get_json()["error"] == "deadline_passed"
    assert "离开页面超过规定次数" in world.client(held.person).get(f"/attempts/{held.attempt['id']}/receipt").text
    assert world.session.query(AuditEvent).filter_by(act="attempts.close_for_leaving").one().details == {
        "left": 2,
        "limit": 1,
    }


BODIES = [
    b"", b"[", b"null", b"[]", b'"text"', b'{"epoch":1}', b'{"epoch":1,"epoch":1,"changes":[]}', b'{"epoch":NaN,"changes":[]}', b'{"epoch":1.5,"changes":[]}',
    b'{"epoch":true,"changes":[]}', b'{"epoch":"1","changes":[]}', b'{"epoch":0,"changes":[]}', b'{"epoch":-1,"changes":[]}', b'{"epoch":9223372036854775808,"changes":[]}',
    b'{"epoch":1,"changes":{}}', b'{"epoch":1,"changes":[null]}', b'{"epoch":1,"changes":[{"item":1,"seq":1,"response":"A"}]}',
    b'{"epoch":1,"changes":[{"item":1,"seq":1,"response":[1]}]}', b'{"epoch":1,"changes":[{"item":1,"seq":0,"response":["A"]}]}',
    b'{"epoch":1,"changes":[{"item":1,"seq":9007199254740992,"response":["A"]}]}', b'{"epoch":1,"changes":[{"item":-1,"seq":1,"response":["A"]}]}',
    b'{"epoch":1,"changes":[{"item":1099511627776,"seq":1,"response":["A"]}]}', b'{"epoch":1,"changes":[{"item":1,"seq":1,"response":["\\ud800"]}]}',
    b"\xff\xfe", b"[" * 60_000, b'{"a":' * 10_000, b'{"epoch":1,"changes":[\x00]}',
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_broken_json_is_a_400_and_changes_nothing(candidate_client, world, body):
    answer = candidate_client.api.put(candidate_client.url("/answers"), data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.get_json()["error"] == "bad_request"
    assert world.session.query(Answer).count() == 0


def test_too_many_changes_too_large_bodies_and_other_media_types_are_rejected(candidate_client):
    many = {"epoch": 1, "changes": [{"item": 1, "seq": n + 1, "response": ["A"]} for n in range(201)]}
    assert candidate_client.api.put(candidate_client.url("/answers"), json=many).status_code == 400
    large = candidate_client.api.put(
        candidate_client.url("/answers"), data=b" " * (64 * 1024 + 1), content_type="application/json"
    )
    assert (large.status_code, large.get_json()["error"]) == (413, "too_large")
    text = candidate_client.api.put(candidate_client.url("/answers"), data="{}", content_type="text/plain")
    assert (text.status_code, text.get_json()["error"]) == (415, "not_json")
    zipped = candidate_client.api.put(
        candidate_client.url("/answers"),
        data=b"{}",
        content_type="application/json",
        headers={"Content-Encoding": "gzip"},
    )
    assert zipped.status_code == 415


def test_more_than_a_hundred_saves_in_five_seconds_are_slowed_down_and_none_is_lost(candidate_client):
    codes = [candidate_client.save((1, n + 1, ["A"])).status_code for n in range(101)]
    assert codes[:100] == [200] * 100
    assert codes[100] == 429
    rejected = candidate_client.save((1, 200, ["B"]))
    assert (rejected.get_json()["error"], rejected.get_json()["next_save_ms"]) == ("slow_down", 2000)
    assert "Retry-After" in rejected.headers
    assert candidate_client.answers() == {1: ["A"]}


def test_extra_fields_change_nothing(candidate_client, world):
    body = {"epoch": 1, "changes": [], "score": 100, "state": "graded", "deadline": "2030-01-01", "unit_id": 7}
    assert candidate_client.api.put(candidate_client.url("/answers"), json=body).status_code == 200
    attempt = world.session.get(Attempt, candidate_client.attempt["id"])
    assert (attempt.state, attempt.deadline_at) == ("in_progress", NOON + timedelta(hours=1))


def test_unsafe_call_without_the_form_token_is_rejected(candidate_client):
    del candidate_client.api.environ_base["HTTP_X_CSRFTOKEN"]
    answer = candidate_client.save((1, 1, ["A"]))
    assert (answer.status_code, answer.get_json()["error"]) == (403, "csrf_failed")


def test_one_save_costs_one_statement(candidate_client, statements):
    with statements() as seen:
        assert candidate_client.save((1, 1, ["A"]), (2, 2, ["B"])).status_code == 200
    assert len(seen) == 1, seen


@pytest.mark.parametrize(
    ("end", "status", "code"),
    [
        (update(SignIn).values(ended_at=NOON), 401, "sign_in_required"),
        (update(Account).values(disabled_at=NOON), 401, "sign_in_required"),
        (update(Account).values(must_change_password=True), 403, "password_change_required"),
    ],
    ids=["ended", "disabled", "first_password"],
)
def test_save_needs_a_live_sign_in(candidate_client, world, end, status, code):
    world.session.execute(end)
    answer = candidate_client.save((1, 1, ["A"]))
    assert (answer.status_code, answer.get_json()["error"]) == (status, code)
    assert world.session.scalar(select(func.count()).select_from(Answer)) == 0


def test_save_without_a_cookie_is_asked_to_sign_in(candidate_client):
    candidate_client.api.delete_cookie("session")
    assert candidate_client.save((1, 1, ["A"])).status_code == 401


def test_an_outsiders_calls_neither_block_nor_slow_those_in_an_exam(world):
    candidate_client = make_exam_with_candidates(world)
    outsider = world.api(world.person())
    rate_limits._recent.clear()
    body = {"epoch": 1, "changes": []}
    for _ in range(105):
        assert outsider.put(candidate_client.url("/answers"), json=body).status_code == 404
    for number in range(50):
        assert outsider.put(f"/api/v1/attempts/{10**9 + number}/answers", json=body).status_code == 404
    assert candidate_client.save((1, 1, ["A"])).status_code == 200
    assert len(rate_limits._recent) == 1


def test_a_save_is_one_statement_whatever_becomes_of_its_changes(candidate_client, statements):
    candidate_client.save((1, 5, ["A"]), (2, 6, ["B"]))
    with statements() as seen:
        body = candidate_client.save((1, 7, ["B"]), (2, 6, ["C"]), (2, 5, ["B"]), (99, 8, ["A"])).get_json()
    assert (body["acked"], body["refused"]) == ({"1": 7, "2": 6}, {"2": "seq_conflict", "99": "unknown_item"})
    assert len(seen) == 2, "one more for the second change of the same item"
    with statements() as seen:
        assert candidate_client.save((1, 7, ["B"]), (2, 1, ["A"])).get_json()["acked"] == {"1": 7, "2": 6}
    assert len(seen) == 1, seen
