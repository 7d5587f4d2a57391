"""The one start path: two statements where the paper was made ahead, the same attempt where it was not, and no dead sign-in let in."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest

from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exam_candidates.actions import prepare_papers
from examapp.delivery.exams.models import ExamExtension, ExamSession
from examapp.organisation.people.models import Account, RoleGrant, SignIn
from examapp.security.rate_limits import gate
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank
from tests.conftest import NOON


@pytest.fixture
def exam(world):
    make_bank(world)
    return world.exam(world.blueprint(KINDS))


def people(world, exam, count):
    """People whose papers lie ready."""
    candidate_clients = [CandidateClient(world, exam, world.person()) for _ in range(count)]
    prepare_papers(world.session, exam.id, now=NOON)
    world.session.commit()
    return candidate_clients


def test_a_start_or_a_place_in_the_queue_costs_two_statements_and_the_paper_one(world, exam, statements):
    first, second, third = people(world, exam, 3)
    first.start()
    first.paper()
    with statements() as seen:
        assert second.start().status_code == 201
    assert len(seen) == 2, seen
    second.paper()  # its questions are at hand now
    with statements() as seen:
        assert second.paper()["sections"]
    assert len(seen) == 1, seen
    gate.set_up(per_second=0.5, tokens=0)
    with statements() as seen:
        assert third.start().status_code == 202
    assert len(seen) == 2, seen
    gate.set_up(per_second=40)


@pytest.mark.parametrize("fields", [{}, {"grace_s": 5}, {"is_full_duration": True}, {"duration_s": 7200}])
def test_the_attempt_is_the_same_whether_its_paper_was_made_ahead_or_at_the_start(world, fields):
    make_bank(world)
    unit = world.unit()
    exam = world.exam(world.blueprint(KINDS), **fields)
    for opens, closes in ((-30, 40), (50, 90)):
        instants = {"opens_at": NOON + timedelta(minutes=opens), "closes_at": NOON + timedelta(minutes=closes)}
        world.save(ExamSession(exam_id=exam.id, name=f"{opens}", **instants))
    extension = {"request_key": "1", "seconds": 90, "reason": "停电", "granted_at": NOON}
    world.save(ExamExtension(exam_id=exam.id, unit_id=unit.id, **extension))
    ahead = CandidateClient(world, exam, world.person(unit))
    prepare_papers(world.session, exam.id, now=NOON)
    world.session.commit()
    newcomer = CandidateClient(world, exam, world.person(unit))
    first, second = ahead.start(), newcomer.start()
    assert first.status_code == second.status_code == 201
    assert _without(first.get_json(), "id") == _without(second.get_json(), "id")
    rows = {row.person_id: row for row in world.session.query(Attempt)}
    of_ahead, of_newcomer = (
        {c.key: getattr(rows[s.person.id], c.key) for c in Attempt.__table__.columns} for s in (ahead, newcomer)
    )
    own = ("id", "person_id", "paper_id")
    assert _without(of_ahead, *own) == _without(of_newcomer, *own)
    assert of_ahead["paper_id"] != of_newcomer["paper_id"]


def _without(row, *keys):
    return {key: value for key, value in row.items() if key not in keys}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (lambda world: world.session.query(SignIn).update({"ended_at": NOON}), 401, "sign_in_required"),
        (lambda world: world.session.query(SignIn).update({"awaits_code": True}), 401, "sign_in_required"),
        (lambda world: world.session.query(Account).update({"disabled_at": NOON}), 401, "sign_in_required"),
        (
            lambda world: world.session.query(Account).update({"must_change_password": True}),
            403,
            "password_change_required",
        ),
    ],
)
def test_whose_sign_in_is_dead_neither_starts_nor_reads_the_paper(world, exam, change, status, code):
    candidate_client, other = people(world, exam, 2)
    candidate_client.start()
    change(world)
    world.session.commit()
    for answer in (
        other.start(),
        other.api.get(candidate_client.url("/paper")),
        candidate_client.api.get(candidate_client.url("/paper")),
    ):
        assert (answer.status_code, answer.get_json()["error"]) == (status, code)
    assert world.session.query(Attempt).count() == 1


def test_the_page_that_comes_back_costs_three_statements(world, exam, statements):
    (candidate_client,) = people(world, exam, 1)
    candidate_client.start()
    candidate_client.save((1, 1, ["A"]))
    with statements() as seen:
        again = candidate_client.start()
    assert (again.status_code, again.get_json()["answers"][0]["response"]) == (200, ["A"])
    assert len(seen) == 3, seen


def test_a_paper_is_given_after_the_hand_in_too_but_not_to_an_idle_administrator(world, exam, fixed_clock):
    candidate_client, other = people(world, exam, 2)
    unit_id, person_id = other.person.unit_id, other.person.id
    world.save(RoleGrant(person_id=person_id, role="leader", unit_id=unit_id, tree="region", granted_at=NOON))
    for each in (candidate_client, other):
        assert each.start().status_code == 201
    fixed_clock.at(NOON + timedelta(minutes=45))
    assert other.api.get(other.url("/paper")).status_code == 200, "nobody is signed out during an exam"
    for each in (candidate_client, other):
        assert each.hand_in().status_code == 201
    fixed_clock.at(NOON + timedelta(minutes=90))
    assert candidate_client.paper()["sections"]
    assert other.api.get(other.url("/paper")).status_code == 401


def test_the_paper_of_another_is_as_one_that_is_not_there(world, exam):
    candidate_client, other = people(world, exam, 2)
    candidate_client.start()
    foreign, missing = other.api.get(candidate_client.url("/paper")), other.api.get("/api/v1/attempts/99999999/paper")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.get_json() == missing.get_json()


def test_an_administrator_who_was_idle_too_long_starts_nothing(world, exam, fixed_clock):
    (candidate_client,) = people(world, exam, 1)
    unit_id, person_id = candidate_client.person.unit_id, candidate_client.person.id
    world.save(RoleGrant(person_id=person_id, role="leader", unit_id=unit_id, tree="region", granted_at=NOON))
    fixed_clock.at(NOON + timedelta(minutes=59))
    assert candidate_client.start().status_code == 401
    assert world.session.query(Attempt).count() == 0


def test_a_sign_in_past_its_days_starts_nothing(world, exam, fixed_clock):
    (candidate_client,) = people(world, exam, 1)
    world.session.query(SignIn).update({"started_at": NOON - timedelta(days=7)})
    world.session.commit()
    assert candidate_client.start().status_code == 401
    assert world.session.query(Attempt).count() == 0


def test_a_paper_is_the_same_compressed_or_not_and_the_second_time(world, exam):
    (candidate_client,) = people(world, exam, 1)
    candidate_client.start()
    plain = candidate_client.api.get(candidate_client.url("/paper"))
    first, second = (
        candidate_client.api.get(candidate_client.url("/paper"), headers={"Accept-Encoding": "gzip"}) for _ in range(2)
    )
    assert plain.content_encoding is None
    assert first.content_encoding == "gzip"
    assert gzip.decompress(first.data) == gzip.decompress(second.data) == plain.data
    assert [item["item"] for section in plain.get_json()["sections"] for item in section["items"]] == [1, 2, 3, 4, 5]
    assert {name.strip() for name in first.headers["Vary"].split(",")} == {"Accept-Encoding", "Cookie"}
