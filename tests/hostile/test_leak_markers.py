"""Keys and explanations before their time: a leak marker in each of them, and every way out of the application watched (H18)."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import func, select, text, update

from examapp.clock import clock
from examapp.content.blueprints.queries import clear_paper_caches
from examapp.content.questions.models import AnswerKey
from examapp.db.session import Base, db
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.grading.queries import clear_key_cache
from examapp.delivery.grading.tasks import grade_waiting
from examapp.learning.spaced_repetition.tasks import look_at_exams
from examapp.organisation.units.models import Unit
from examapp.oversight.report_exports.models import Export
from examapp.oversight.report_files.actions import formats_of
from examapp.oversight.statistics_definitions.rules import CONTENT_NAMES
from tests.conftest import NOON
from tests.hostile.leak_markers import LAW, LeakMarkerWorld, leak_markers_in, leak_markers_of
from tests.hostile.walks import all_calls, roles_of
from tests.matrix.calls import BODIES, FORMS, body_of, plain
from tests.matrix.conftest import make_stage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
"""Files are handed out from the disk, and the test's client forgets to close them."""
READERS = "CU"
"""Candidates and unit admins; who writes questions sees their keys."""
_SCRIPT = re.compile(r"""src="(/[^"#]*)""")
_STATIC = Path(__file__).parents[2] / "examapp" / "static"


@pytest.fixture(scope="module")
def county(app, tmp_path_factory):
    """The scene of the access matrix with exams over planted questions: one under way, one handed in, graded and shown without keys."""
    folder = tmp_path_factory.mktemp("seed")
    with make_stage(app, lambda app, session: LeakMarkerWorld(app, session, folder)) as stage:
        grade_waiting(max_batches=5)
        look_at_exams()
        world = stage.scenario.world
        world.session = db.session()
        stage.scenario.clients["resting"] = world.api(world.person(world.session.get(Unit, stage.scenario.here_id)))
        world.session.commit()
        db.session.remove()
        yield stage


@pytest.fixture(autouse=True)
def other_contents():
    """What this process keeps of question versions is another scene's."""
    clear_paper_caches()
    yield
    clear_paper_caches()


def body_for(call, scenario):
    if call.method == "GET":
        return {}
    if call.is_api:
        return {"json": body_of(BODIES, call.endpoint, scenario)}
    return {"data": body_of(FORMS, call.endpoint, scenario)}


def answers_of(stage, call):
    """Make a call; gives its answer, and the page that an act leads to."""
    client = stage.scenario.clients[call.role]
    cookies = dict(client._cookies)
    with stage.call():
        answer = client.open(call.path, method=call.method, **body_for(call, stage.scenario))
        yield answer
        if answer.status_code in {302, 303} and answer.headers["Location"].startswith("/"):
            yield client.get(answer.headers["Location"])
    client._cookies = cookies


def test_h18_no_answer_page_header_or_script_holds_a_key_before_its_release(app, county, lines):
    """Every view by every method for who must not know; the log of all that, and the scripts that the pages name."""
    issues, shown, links = [], 0, set()
    for call in all_calls(app, county.scenario, every_role=True):
        if call.role not in READERS or call.role not in roles_of(app, call.endpoint):
            continue
        for answer in answers_of(county, call):
            issues += [f"{call} {call.path}: {word}" for word in leak_markers_of(answer)]
            if answer.status_code == 200:
                shown += 1
                links |= set(_SCRIPT.findall(answer.text)) if answer.mimetype == "text/html" else set()
    client = county.scenario.clients["C"]
    for link in sorted(links):
        with county.call():
            issues += [f"{link}: {word}" for word in leak_markers_of(client.get(link.replace("&amp;", "&")))]
    issues += [f"{path.name}: {word}" for path in _STATIC.rglob("*.*") for word in leak_markers_in(path.read_bytes())]
    issues += [f"the log: {word}" for word in leak_markers_in("\n".join(lines()))]
    assert shown > 150
    assert len(links) >= 5
    assert not issues, "\n".join(issues[:40])


def test_h18_no_export_holds_a_key_before_its_release(app, county):
    """Every report in every format for a unit admin, built as a worker builds it; and what a candidate takes away about themselves."""
    client, scenario = county.scenario.clients["U"], county.scenario
    path = f"/admin/reports/exams/{scenario.things['exam']['same']}/units/{scenario.here_id}/exports"
    tried = 0
    for content in CONTENT_NAMES:
        for format_ in formats_of(content):
            with county.call():
                form = {"content": content, "format": format_, "tree": "region", "scope": "this"}
                assert client.post(path, data=form).status_code == 303
                number = county.connection.scalar(select(func.max(Export.id)))
                app.extensions["celery"].tasks["jobs.run"](number)
                file = client.get(f"/admin/reports/exports/{number}/file")
                assert (file.status_code, leak_markers_of(file)) == (200, set()), form
                assert len(file.get_data()) > 100
            tried += 1
    for ending in ("xlsx", "json"):
        with county.call():
            assert leak_markers_of(scenario.clients["C"].get(f"/my/data/copy.{ending}")) == set()
    assert tried >= 10


def test_h18_no_practice_gives_away_what_a_coming_exam_asks(county):
    """Somebody who sits nothing answers all that practice, the mock paper and the search give; the exams' questions are held back."""
    client = county.scenario.clients["resting"]
    with county.call():
        for form_data in ({}, {"law": LAW}, {"kind": "fill_blank"}):
            for _ in range(12):
                drawn = client.post("/practice/", data=form_data)
                assert drawn.status_code in {302, 303}
                assert leak_markers_of(client.get(drawn.location)) == set()
                client.post(drawn.location, data={"response": ["A"]})
                assert leak_markers_of(client.get(drawn.location)) == set()
        for path in ("/practice/mistakes", "/practice/search?q=宪法", "/practice/"):
            assert leak_markers_of(client.get(path)) == set()


def test_h18_no_table_but_that_of_the_keys_and_no_key_of_the_queue_holds_a_key(app, county):
    holders = {
        table.name
        for table in Base.metadata.sorted_tables
        if county.connection.scalar(
            text(f'SELECT count(*) FROM "{table.name}" t WHERE t::text LIKE :word'), {"word": "%canary7e41%"}
        )
    }
    assert holders == {"answer_keys"}
    with Redis.from_url(app.config["SETTINGS"].redis_url) as redis:
        kept = b"\n".join(redis.dump(name) or b"" for name in redis.scan_iter())
    assert leak_markers_in(kept) == set()


def test_h18_another_key_changes_no_byte_of_any_answer_before_its_release(app, county):
    """What needs no leak marker: letters of choices too. The same calls under the keys and under other ones: bodies and headers are the same."""
    calls = [
        call
        for call in all_calls(app, county.scenario, every_role=True)
        if call.role in READERS
        and call.role in roles_of(app, call.endpoint)
        and (call.method == "GET" or call.endpoint.startswith("attempts_api."))
    ]
    before = [spoken(county, call) for call in calls]
    swapped = county.connection.begin_nested()
    try:
        other = [{"key": ["B"], "blanks": [["别的"]], "explanation": "别的解析，长短也不同"}]
        county.connection.execute(text("ALTER TABLE answer_keys DISABLE TRIGGER reject_change"))
        county.connection.execute(update(AnswerKey).values(parts=other))
        clear_key_cache()
        after = [spoken(county, call) for call in calls]
    finally:
        swapped.rollback()
        clear_key_cache()
    differing = {str(call): call for call, one, two in zip(calls, before, after, strict=True) if one != two}
    reply = {wording for wording, call in differing.items() if spoken(county, call) == spoken(county, call)}
    assert not reply, f"these answers depend on the key: {sorted(reply)}"
    restless = {call.endpoint for call in differing.values()}
    assert restless <= RESTLESS, f"these differ from call to call and cannot be compared: {sorted(restless - RESTLESS)}"
    assert len(calls) > 150


RESTLESS = {"attempts_api.hand_in", "attempts_api.start", "health.metrics", "people.show_second_factor"}
"""Views whose answers differ from call to call by themselves: new numbers of rows and receipts, counts, a new secret."""
_SIGNED = re.compile(r"[\w-]{16,}(?:\.[\w-]+)*")
"""Tokens and digests, new with every answer."""


def spoken(stage, call):
    client = stage.scenario.clients[call.role]
    cookies = dict(client._cookies)
    with stage.call():
        answer = client.open(call.path, method=call.method, **body_for(call, stage.scenario))
        is_text = answer.mimetype.startswith(("text/", "application/json"))
        body = _SIGNED.sub("", plain(answer, call.path)) if is_text else ""
        said = (
            answer.status_code,
            body,
            answer.headers.get("Content-Length") if is_text else None,
            answer.headers.get("ETag"),
        )
    client._cookies = cookies
    return said


def test_h18_after_the_release_the_leak_markers_sing(county):
    """That all of this can go red: the same pages a day after the exam, and the back office at once."""
    client, scenario = county.scenario.clients["C"], county.scenario
    attempt_id = scenario.own["sheet"]["C"]
    pages = (f"/attempts/{attempt_id}/result", f"/api/v1/attempts/{attempt_id}/result")
    with county.call():
        for path in pages:
            assert client.get(path).status_code == 200
            assert leak_markers_of(client.get(path)) == set()
    with county.call(), clock.set_to(lambda: NOON + timedelta(days=2)):
        for path in pages:
            assert len(leak_markers_of(client.get(path))) >= 5, path
    assert county.connection.scalar(select(Attempt.state).where(Attempt.id == attempt_id)) == "graded"
