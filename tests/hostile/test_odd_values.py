"""Odd values at every place of the body, and in every word of the address, of every call of the API, by the OpenAPI document: never an error of ours.

A call that is added to the API is in the document (tests/architecture/test_contract.py), and with that here.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.hostile.shapes import body_shape, operation_of, places_in, text_of, usual, with_odd
from tests.hostile.walks import all_calls, roles_of
from tests.matrix.conftest import stage  # noqa: F401 – a fixture

pytestmark = pytest.mark.slow
ODD = (
    "null", "true", "false", "0", "-1", "1", "1.5", "1e999", '""', '"A"', '"\\u0000"', '"\\ud83d"', "[]", "{}", "[1]", '["A"]', "[null]", "[[]]",
    "[{}]", '{"a":1}', "2147483648", "9223372036854775807", "9223372036854775808", "1" + "0" * 400, "9" * 5000, '"' + "9" * 5000 + '"',
    '"' + "x" * 5000 + '"', '"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"', '"0001-01-01"', '"１２"', '[["A"]]', "[1,1]",
)  # fmt: skip
PHRASES = (
    "",
    "\x00",
    b"\xed\xa0\xbd",
    "-1",
    "1.5",
    "²",
    "１２",
    "9223372036854775808",
    "9" * 5000,
    "x" * 5000,
    "0001-01-01",
    "9999-12-31",
)
WRITING = {"POST", "PUT", "PATCH"}
WITHOUT_BODY = {"people_api.end_session"}
REJECTED_AS_USUAL = {
    "people_api.begin_session": "there is no account of that name",
    "training_api.answer_item": "the candidate of the scene sits an exam",
    "training_api.hand_in_mock": "the candidate of the scene sits an exam",
    "attempts_api.start": "the candidate of the scene sits another exam",
    "corrections_api.request_correction": "the usual body names no attempt that the scene has",
    "corrections_api.check_correction": "the scene's correction was rejected already",
    "corrections_api.approve_correction": "the scene's correction was rejected already",
    "corrections_api.reject_correction": "the scene's correction was rejected already",
}
"""Calls whose usual body is rejected, each with its reason: what is behind the rejection is not reached here."""
GIVEN = {"item": 1, "response": ["A"], "group": "absent"}
"""What the document cannot know, by the name of a field: a sound value for it."""


def calls_of_the_api(app):
    """Give endpoint and rule of every call of the API with a body, and of every one with words in its address."""
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods or ()):
            if rule.rule.startswith("/api/") and method in WRITING | {"GET"}:
                yield rule.endpoint, rule.rule, method


def call_of(app, scenario, endpoint, method):
    """Give a call as one who may make it makes it; as nobody where everybody may."""
    call = next(call for call in all_calls(app, scenario) if (call.endpoint, call.method) == (endpoint, method))
    return replace(call, role="-") if "-" in roles_of(app, endpoint) else call


def send(stage, call, **more):
    client = stage.scenario.clients[call.role]
    cookies = dict(client._cookies)
    with stage.call():
        answer = client.open(call.path, method=call.method, **more)
        answer.close()
    client._cookies = cookies
    return answer


def issues_of(answered):
    """Say what is wrong with answers: an error of ours, a rejection without a sentence."""
    for what, odd, answer in answered:
        reply = answer.get_json(silent=True) if answer.is_json else None
        if answer.status_code >= 500 or (answer.status_code >= 400 and not (reply or {}).get("message")):
            yield f"{what} {odd[:40]!r}: {answer.status_code}"


@pytest.fixture(autouse=True)
def unpaced(monkeypatch):
    monkeypatch.setattr("examapp.security.rate_limits.check", lambda _saver: None)


def test_an_odd_value_at_any_place_of_any_body_is_rejected_in_words(app, stage):
    issues, tried = [], {}
    for endpoint, rule, method in calls_of_the_api(app):
        shape = body_shape(operation_of(rule, method))
        if method not in WRITING or shape is None:
            continue
        call, body = (
            call_of(app, stage.scenario, endpoint, method),
            usual(shape, GIVEN | {"unit": stage.scenario.here_id}),
        )
        sound = send(stage, call, json=body).status_code
        if (sound >= 400) != (endpoint in REJECTED_AS_USUAL):
            issues.append(f"{call}: a body as the document has it is answered {sound}")
        answered = [
            (f"{call} {'.'.join(map(str, place)) or 'body'}", odd, send(stage, call, data=with_odd(body, place, odd).encode(), content_type="application/json"))
            for place in places_in(body)
            for odd in ODD
        ]  # fmt: skip
        issues += issues_of(answered)
        if 400 not in {answer.status_code for _, _, answer in answered}:
            issues.append(f"{call}: no odd value was refused: is the body read at all?")
        tried[endpoint] = len(answered)
    assert not issues, "\n".join(issues)
    taking = {endpoint for endpoint, _, method in calls_of_the_api(app) if method in WRITING}
    assert taking - WITHOUT_BODY == set(tried), tried


def test_an_odd_word_in_any_address_of_the_api_is_rejected_in_words(app, stage):
    issues, tried = [], 0
    for endpoint, rule, method in calls_of_the_api(app):
        names = text_of(operation_of(rule, method))
        if method != "GET" or not names:
            continue
        call = call_of(app, stage.scenario, endpoint, method)
        answered = [
            (f"{call} {name}", repr(odd), send(stage, call, query_string={name: odd}))
            for name in names
            for odd in PHRASES
        ]
        answered += [
            (f"{call} all", repr(odd), send(stage, call, query_string=dict.fromkeys(names, odd))) for odd in PHRASES
        ]
        issues += issues_of(answered)
        tried += len(answered)
    assert not issues, "\n".join(issues)
    assert tried > 100
