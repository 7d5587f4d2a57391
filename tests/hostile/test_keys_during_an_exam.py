"""Every view of the application while somebody sits an exam that counts: no key of any question is shown by any of them (finding 1 and its class)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp.clock import clock
from examapp.content.blueprints.queries import clear_paper_caches
from examapp.db.session import db
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.grading import tasks as grading_tasks
from examapp.organisation.people.models import Person
from tests.conftest import NOON
from tests.hostile.leak_markers import LeakMarkerWorld, leak_markers_of
from tests.hostile.walks import all_calls, roles_of
from tests.matrix.conftest import make_stage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
LATER = NOON + timedelta(days=2)
"""When the scene's exams are over and their keys are out; what is sat then is another one."""
ROLES = "CULTPQSYA"
SINGING = {"grading_api.get_result", "grading.show_result", "questions_admin.export_questions"}
"""Views that give keys once nobody sits."""


@pytest.fixture(autouse=True)
def other_contents():
    """What this process keeps of question versions is another scene's."""
    clear_paper_caches()
    yield
    clear_paper_caches()


@pytest.fixture(scope="module")
def county(app, tmp_path_factory):
    """The scene of the access matrix over planted questions; in it everybody sits one more exam, two days later."""
    folder = tmp_path_factory.mktemp("seed")
    with make_stage(app, lambda app, session: LeakMarkerWorld(app, session, folder)) as stage:
        grading_tasks.sweep_once()
        ids = {role: stage.scenario.clients[role].get("/api/v1/session").get_json()["person"]["id"] for role in ROLES}
        stage.scenario.world.session = db.session()
        stage.running = [_take_exam(stage.scenario.world, role, person_id) for role, person_id in ids.items()]
        stage.scenario.world.session.commit()
        db.session.remove()
        yield stage


def _take_exam(world, role, person_id):
    """Let a person sit an exam of their own two days from now: the row that a start writes."""
    person = world.session.get(Person, person_id)
    first = world.session.query(Attempt).first()
    fields = {"opens_in": timedelta(days=1, hours=23), "lasts": timedelta(hours=2)}
    exam = world.exam(title=f"{role} 的考试", **fields)
    attempt = Attempt(
        exam_id=exam.id, person_id=person.id, number=1, paper_id=first.paper_id, unit_id=person.unit_id, state="in_progress", started_at=LATER,
        deadline_at=LATER + timedelta(hours=1), closes_at=LATER + timedelta(hours=1, seconds=60), epoch=1, response_schema=first.response_schema, unsure=[],
        is_forced=False, total=5, grading_retry_count=0,
    )  # fmt: skip
    return world.save(attempt).id


def found_by(app, county, *, only=None):
    """Walk every GET of the application, or only some, as every role; gives what each call let out, and how many answers were pages."""
    out, shown = {}, 0
    for call in all_calls(app, county.scenario, every_role=True):
        if call.method != "GET" or call.role == "-" or call.role not in roles_of(app, call.endpoint):
            continue
        if only is not None and call.endpoint not in only:
            continue
        client = county.scenario.clients[call.role]
        cookies = dict(client._cookies)
        with county.call(), clock.set_to(lambda: LATER):
            answer = client.get(call.path)
            shown += answer.status_code == 200
            if text := leak_markers_of(answer):
                out[f"{call} {call.path}"] = text
        client._cookies = cookies
    return out, shown


def test_no_get_of_the_application_gives_a_key_to_anyone_in_an_exam_whatever_their_role(app, county):
    out, shown = found_by(app, county)
    assert not out, "\n".join(out)
    assert shown > 300


def test_the_same_walk_finds_keys_once_nobody_sits(app, county):
    """That the walk can go red: results, the list of mistakes and the bank sing as soon as the attempts are over."""
    before = county.connection.begin_nested()
    try:
        county.connection.exec_driver_sql(
            "UPDATE attempts SET closes_at = started_at, deadline_at = started_at WHERE id = ANY(%s)", (county.running,)
        )
        out, _ = found_by(app, county, only=SINGING)
    finally:
        before.rollback()
    assert {line.split()[2] for line in out} == SINGING
