"""A whole paper, and everything somebody can try for its keys between its start and its end: none comes out (finding 1)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp.clock import clock
from examapp.content.blueprints.models import Paper
from examapp.content.blueprints.queries import items_of
from examapp.content.questions.models import QuestionVersion
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.grading import tasks as grading_tasks
from examapp.learning.courses.models import PracticeItem
from examapp.organisation.people.models import RoleGrant
from tests.attempts.candidate_clients import KINDS, CandidateClient
from tests.conftest import NOON
from tests.factories import World
from tests.hostile.leak_markers import LAW, LeakMarkerWorld, leak_markers_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Snoop:
    """Somebody who sits the annual exam and tries every other view for its keys; remembers the leak markers that came out."""

    def __init__(self, world, person, twin, things) -> None:
        self.world, self.person, self.things = world, person, things
        self.clients = [world.api(person), world.api(twin)]
        self.learned: set[str] = set()
        self.attempts_made = 0

    def smell(self, answer):
        self.attempts_made += 1
        self.learned |= leak_markers_of(answer)
        return answer

    def mocks(self, count):
        """Start and hand in the mock as often as it lets one, and read the results of all one's attempts."""
        for client in self.clients:
            for _ in range(count):
                started = self.smell(client.post(f"/api/v1/exams/{self.things['mock'].id}/attempts"))
                assert started.status_code == 409
                assert started.get_json()["error"] == "other_attempt_in_progress"
        for client in self.clients:
            for attempt_id in self.things["old"]:
                self.smell(client.get(f"/api/v1/attempts/{attempt_id}/result"))
                self.smell(client.get(f"/attempts/{attempt_id}/result"))

    def study(self):
        for client in self.clients:
            for path in (
                "/practice/",
                "/practice/daily",
                "/practice/mistakes",
                f"/practice/mocks/{self.things['mock'].id}",
            ):
                answer = self.smell(client.post(path, data={"law": LAW}))
                if answer.status_code in {302, 303} and answer.location.startswith("/"):
                    self.smell(client.post(answer.location, data={"response": ["A"]}))
                    self.smell(client.get(answer.location))
            for item_id in self.things["items"]:
                self.smell(client.get(f"/practice/items/{item_id}"))
                self.smell(client.post(f"/practice/items/{item_id}", data={"response": ["A"]}))
                self.smell(client.put(f"/api/v1/practice/items/{item_id}/answer", json={"response": ["A"]}))
                self.smell(client.get(f"/practice/items/{item_id}"))
            for question_id in self.things["questions"]:
                drawn = self.smell(client.post(f"/practice/questions/{question_id}"))
                self.smell(client.get(drawn.location))
            for path in (
                "/practice/", "/practice/mistakes", "/practice/notes", "/practice/map", f"/practice/search?q={LAW}", "/study/",
                "/my/data/practice_items", "/my/data/grades", "/my/data/copy.json", "/my/data/copy.xlsx", "/",
            ):  # fmt: skip
                self.smell(client.get(path))

    def office(self):
        for client in self.clients:
            self.smell(client.get("/admin/questions/"))
            for format_ in ("text", "excel", "csv", "gift"):
                self.smell(client.get(f"/admin/questions/export?format={format_}&bare=1"))
            for question_id in self.things["questions"]:
                self.smell(client.get(f"/admin/questions/{question_id}"))
                self.smell(client.get(f"/admin/questions/{question_id}/edit"))

    def everywhere(self):
        self.mocks(2)
        self.study()
        self.office()


def test_nobody_learns_a_key_of_their_paper_between_start_and_end_by_any_door(app, session, tmp_path, monkeypatch):
    """90 mocks, practice, search, mistakes, results, daily question, exercise, bank and export, early close, a second account: 0 keys."""
    monkeypatch.setattr("examapp.jobs.publisher.publish", lambda *_args, **_fields: None)
    world = LeakMarkerWorld(app, session, tmp_path)
    blueprint = world.blueprint(KINDS)
    twins = [world.person(name="张三", mobile_index=b"number") for _ in range(2)]
    for person in twins:
        world.save(RoleGrant(person_id=person.id, role="publicity_office", tree="region", granted_at=clock.now()))
    person, twin = twins
    mock = World.exam(world, blueprint, kind="mock", keys_policy="at_once", attempts_allowed=None)
    annual = world.exam(blueprint, title="年度考试", attempts_allowed=None)
    old = []
    for one in twins:
        candidate_client = CandidateClient(world, mock, one)
        candidate_client.start()
        candidate_client.hand_in()
        old.append(candidate_client.attempt["id"])
    grading_tasks.sweep_once()
    items = [practise(world, one, response) for one in twins for response in (["A"], None)]
    questions = [version.question_id for version in session.query(QuestionVersion).limit(12)]
    things = {"mock": mock, "old": old, "items": items, "questions": questions}
    snoop = Snoop(world, person, twin, things)
    snoop.office()
    assert len(snoop.learned) >= 12, "the doors stand open before the start"
    snoop.learned.clear()

    running = CandidateClient(world, annual, person)
    assert running.start().status_code == 201
    other = CandidateClient(world, annual, world.person())
    other.start()
    done = CandidateClient(world, annual, world.person())
    done.start()
    done.hand_in()
    grading_tasks.sweep_once()
    snoop.mocks(90)
    snoop.everywhere()
    closing = world.api(world.admin("publicity_office"))
    assert closing.post(f"/admin/exams/{annual.id}/close").status_code == 302
    with clock.set_to(lambda: NOON + timedelta(minutes=30)):
        snoop.everywhere()
        assert done.result().get_json()["items"] is None
        assert leak_markers_of(done.api.get(f"/attempts/{done.attempt['id']}/result")) == set()
        running.hand_in()
        grading_tasks.sweep_once()
        assert running.result().get_json()["items"] is None
    paper = session.get(Paper, session.get(Attempt, running.attempt["id"]).paper_id)
    assert len(items_of(paper)) == 5
    assert snoop.attempts_made > 500
    assert snoop.learned == set()


def practise(world, person, response):
    """A question of the planted law that somebody has drawn, and answered where a response is given."""
    version = world.session.query(QuestionVersion).first()
    row = PracticeItem(
        person_id=person.id, question_id=version.question_id, question_version_id=version.id, part=0, order="ABCD", wanted={},
        drawn_at=clock.now(), response=response or [], answered_at=clock.now() if response else None, is_right=False if response else None,
    )  # fmt: skip
    return world.save(row).id


def test_keys_are_law_texts_apart(app, session, tmp_path):
    """Law texts stay open while somebody sits."""
    world = LeakMarkerWorld(app, session, tmp_path)
    candidate_client = CandidateClient(world, world.exam(world.blueprint(KINDS)), world.person())
    candidate_client.start()
    assert candidate_client.api.get("/laws/").status_code == 200
