"""The OpenAPI document agrees with the code: every call of the API is in it, and generated requests never break the server."""

from __future__ import annotations

import re

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from tests.attempts.sitting import make_sitting

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


@pytest.mark.slow
def test_generated_requests_get_documented_answers_and_no_5xx(app, world):
    sitter = make_sitting(world, attempts_allowed=None)
    office = world.api(world.admin("publicity_office"))
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)

    for operation in schema.get_all_operations():
        case_strategy = operation.ok().as_strategy()

        @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def run(case):
            client = (
                office
                if case.operation.path.startswith(("/api/v1/exports", "/api/v1/exams/{exam_id}/p"))
                else sitter.api
            )
            path = case.formatted_path
            if "attempt_id" in case.operation.path and len(str(case.body)) % 2:
                path = re.sub(r"attempts/\d+", f"attempts/{sitter.attempt['id']}", path)
            body = {} if case.body is schemathesis.core.NOT_SET else {"json": case.body}
            answer = client.open(path, method=case.method, query_string=case.query, **body)
            assert answer.status_code < 500, (case.method, path, case.body)
            documented = case.operation.definition.raw["responses"]
            assert str(answer.status_code) in documented, (
                case.method,
                path,
                answer.status_code,
                answer.get_data(as_text=True),
            )

        from hypothesis import given

        given(case_strategy)(run)()
