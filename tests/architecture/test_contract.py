"""The OpenAPI document agrees with the code: every call of the API is in it, and generated requests never break the server."""

from __future__ import annotations

import itertools
import re

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from examapp.organisation.people.models import Person
from tests.attempts.candidate_clients import make_exam_with_candidates

SOUND = {"content": "scores", "format": "csv"}
WHOLE = {1: {}, 2: {"content": "scores", "numbers": "whole", "reason": "上级核对名册用"}}
"""What is sent along with every second and every third generated request for an export: nothing, and what a second person must allow."""
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def test_every_call_of_the_api_is_in_the_document_and_none_is_made_up(app):
    served = {
        (method.lower(), re.sub(r"<(?:int:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and rule.endpoint != "document_api.openapi"
        for method in (rule.methods or set()) & METHODS
    }
    paths = app.test_client().get("/api/v1/openapi.json").get_json()["paths"]
    written = {(method, path) for path, calls in paths.items() for method in calls}
    assert written == served


def issue_of(app, operation, answer) -> str:
    """Say in what an answer is not the documented one; empty where it is."""
    documented = operation["responses"].get(str(answer.status_code))
    if documented is None:
        return f"{answer.status_code} is not in the document: {answer.text[:200]}"
    if "content" not in documented:
        return ""
    schema = documented["content"]["application/json"]["schema"]
    components = app.test_client().get("/api/v1/openapi.json").get_json()["components"]
    check = jsonschema_rs.Draft202012Validator({**schema, "components": components})
    return "; ".join(str(error.message) for error in check.iter_errors(answer.get_json()))


def test_an_export_that_a_second_person_allows_answers_as_documented(app, world):
    """The request that waits, the same again, and one without a reason; beside it the plain export."""
    candidate_client = make_exam_with_candidates(world)
    unit = world.session.get(Person, candidate_client.person.id).unit_id
    office = world.api(world.admin("publicity_office"))
    path = "/api/v1/exams/{exam_id}/exports"
    operation = app.test_client().get("/api/v1/openapi.json").get_json()["paths"][path]["post"]
    plain = {"unit": unit, "content": "scores", "format": "csv"}
    whole = plain | {"numbers": "whole", "reason": "上级核对名册用"}
    answers = [
        office.post(path.format(exam_id=candidate_client.exam_id), json=body)
        for body in (plain, whole, whole, plain | {"numbers": "whole"})
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 409, 400]
    assert [issue_of(app, operation, answer) for answer in answers] == [""] * 4
    assert [set(answer.get_json()) for answer in answers[:2]] == [{"export"}, {"approval"}]


@pytest.mark.slow
@pytest.mark.begins
def test_generated_requests_get_documented_answers_and_no_5xx(app, world):
    candidate_client = make_exam_with_candidates(world, attempts_allowed=None)
    unit = world.session.get(Person, candidate_client.person.id).unit_id
    office = world.api(world.admin("publicity_office"))
    seen, turns = set(), itertools.count()
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)

    for operation in schema.get_all_operations():
        case_strategy = operation.ok().as_strategy()  # type: ignore[union-attr] # an invalid schema turns the test red

        @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def run(case):
            client = (
                office
                if any(part in case.operation.path for part in ("/exports", "/part", "/corrections"))
                else candidate_client.api
            )
            path = case.formatted_path
            if "attempt_id" in case.operation.path and len(str(case.body)) % 2:
                path = re.sub(r"attempts/\d+", f"attempts/{candidate_client.attempt['id']}", path)
            sent = case.body
            if path.endswith("/exports") and (turn := next(turns) % 5):
                drawn = sent if isinstance(sent, dict) and turn < 3 else SOUND  # two of five bodies are certainly sound
                path, sent = (
                    f"/api/v1/exams/{candidate_client.exam_id}/exports",
                    drawn | {"unit": unit} | WHOLE[turn % 2 + 1],
                )
            body = {} if sent is schemathesis.core.NOT_SET else {"json": sent}
            answer = client.open(path, method=case.method, query_string=case.query, **body)
            assert answer.status_code < 500, (case.method, path, case.body)
            issue = issue_of(app, case.operation.definition.raw, answer)
            assert not issue, (case.method, path, answer.status_code, issue)
            seen.update((answer.get_json(silent=True) or {}).keys() if path.endswith("/exports") else ())

        given(case_strategy)(run)()
    assert {"export", "approval", "error"} <= seen
