from datetime import timedelta

import pytest

from examapp.delivery.attempts.models import Attempt
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank, make_exam_with_candidates
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("papers")


@pytest.fixture
def exam(world):
    make_bank(world)
    return world.exam(world.blueprint(KINDS))


def test_first_start_is_created_and_the_second_gives_the_same_attempt(world, exam):
    candidate_client = CandidateClient(world, exam, world.person())
    first, second = candidate_client.start(), candidate_client.start()
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.get_json()["id"] == second.get_json()["id"]
    assert first.get_json()["number"] == 1
    assert first.get_json()["receipt"] is None
    assert first.get_json()["epoch"] == 1


def test_deadline_is_the_earlier_of_duration_and_window(world, fixed_clock):
    make_bank(world)
    blueprint = world.blueprint(KINDS)
    roomy = CandidateClient(world, world.exam(blueprint, duration_s=1800), world.person())
    short = CandidateClient(world, world.exam(blueprint, duration_s=7200, lasts=timedelta(hours=2)), world.person())
    assert roomy.start().get_json()["deadline_at"] == "2026-11-24T12:30:00.000+08:00"
    assert short.start().get_json()["deadline_at"] == "2026-11-24T13:00:00.000+08:00"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"opens_in": timedelta(hours=1)}, "not_open_yet"),
        ({"opens_in": timedelta(days=-2)}, "window_closed"),
        ({"lateness_s": 60}, "too_late_to_start"),
        ({"study_gate": {"credits": 40}}, "study_required"),
    ],
)
def test_start_outside_the_rules_is_rejected_with_its_code(world, fields, code):
    make_bank(world)
    answer = CandidateClient(world, world.exam(world.blueprint(KINDS), **fields), world.person()).start()
    assert answer.status_code == 409
    assert answer.get_json()["error"] == code
    assert world.session.query(Attempt).count() == 0


def test_who_is_not_on_the_roster_is_not_eligible(world, exam):
    assert CandidateClient(world, exam, world.person(state="off_roster")).start().get_json()["error"] == "not_eligible"


def test_draft_and_missing_exams_are_the_same_404(world):
    make_bank(world)
    draft = CandidateClient(world, world.exam(world.blueprint(KINDS), state="draft"), world.person()).start()
    api = world.api(world.person())
    missing = api.post("/api/v1/exams/99999999/attempts")
    assert draft.status_code == missing.status_code == 404
    assert draft.get_json() == missing.get_json()


def test_used_up_attempts_are_rejected_and_a_new_attempt_gets_the_next_number(world):
    make_bank(world)
    candidate_client = CandidateClient(world, world.exam(world.blueprint(KINDS), attempts_allowed=2), world.person())
    candidate_client.start()
    assert candidate_client.hand_in().status_code == 201
    assert candidate_client.start().get_json()["number"] == 2
    candidate_client.hand_in()
    assert candidate_client.start().get_json()["error"] == "no_attempts_left"


def test_overdue_attempt_is_closed_by_the_next_start(world, fixed_clock):
    candidate_client = make_exam_with_candidates(world, attempts_allowed=2)
    first = candidate_client.attempt["id"]
    candidate_client.save((1, 1, ["A"]))
    fixed_clock.at(NOON + timedelta(hours=2))
    assert candidate_client.start().get_json()["number"] == 2
    closed = world.session.get(Attempt, first)
    assert closed.is_forced
    assert closed.answered == 1
    assert closed.submitted_at == NOON + timedelta(hours=1)


def test_paper_reveals_no_key_and_has_the_protocols_shape(world):
    candidate_client = make_exam_with_candidates(world)
    paper = candidate_client.paper()
    items = [item for section in paper["sections"] for item in section["items"]]
    assert [item["item"] for item in items] == [1, 2, 3, 4, 5]
    assert [item["kind"] for item in items] == [
        "single_choice",
        "single_choice",
        "multiple_choice",
        "true_false",
        "fill_blank",
    ]
    assert set(items[0]) == {"item", "kind", "points", "stem", "material", "blanks", "options"}
    assert items[3]["options"] == [{"key": "A", "text": "正确"}, {"key": "B", "text": "错误"}]
    assert items[4]["blanks"] == 1
    text = candidate_client.api.get(candidate_client.url("/paper")).get_data(as_text=True)
    assert "三十日" not in text
    assert "理由" not in text


def test_another_persons_attempt_is_not_found_on_every_call(world):
    candidate_client = make_exam_with_candidates(world)
    outsider = world.api(world.person())
    calls = [
        outsider.get(candidate_client.url()),
        outsider.get(candidate_client.url("/paper")),
        outsider.get(candidate_client.url("/result")),
        outsider.post(candidate_client.url("/epoch")),
        outsider.put(candidate_client.url("/answers"), json={"epoch": 1, "changes": []}),
        outsider.put(candidate_client.url("/marks"), json={"epoch": 1, "unsure": []}),
        outsider.post(candidate_client.url("/events"), json={"events": []}),
        outsider.post(candidate_client.url("/submission"), json={"epoch": 1, "answers": []}),
    ]
    missing = outsider.get("/api/v1/attempts/99999999")
    assert {answer.status_code for answer in calls} == {404}
    assert all(answer.get_json() == missing.get_json() for answer in calls)


def test_nobody_gets_401_on_every_path_of_the_api(world):
    api = world.client()
    paths = ["/api/v1/session", "/api/v1/exams", "/api/v1/attempts/1", "/api/v1/nothing"]
    answers = [api.get(path) for path in paths] + [
        api.put("/api/v1/attempts/1/answers", json={}),
        api.post("/api/v1/exams/1/attempts"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.get_json()["error"] for answer in answers} == {"sign_in_required"}


def test_list_of_exams_tells_state_and_attempts(world, exam):
    upcoming = world.exam(world.blueprint(KINDS), title="下一场", opens_in=timedelta(days=1))
    closed = world.exam(world.blueprint(KINDS), title="上一场", opens_in=timedelta(days=-3))
    candidate_client = CandidateClient(world, exam, world.person())
    candidate_client.start()
    listed = {entry["id"]: entry for entry in candidate_client.api.get("/api/v1/exams").get_json()}
    assert (listed[exam.id]["state"], listed[exam.id]["attempts_used"], listed[exam.id]["attempts_allowed"]) == (
        "open",
        1,
        1,
    )
    assert listed[upcoming.id]["state"] == "upcoming"
    assert listed[closed.id]["state"] == "closed"


def test_organisers_list_is_only_for_organisers(world, exam):
    assert world.api(world.person()).get("/api/v1/exams?as=organiser").status_code == 404
    office = world.api(world.admin("publicity_office"))
    assert exam.id in {entry["id"] for entry in office.get("/api/v1/exams?as=organiser").get_json()}
