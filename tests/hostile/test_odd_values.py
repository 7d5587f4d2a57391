"""Values of other kinds in every field of every call of the API: refused with a code and a sentence, never an error of ours."""

from __future__ import annotations

import pytest

from tests.attempts.sitting import make_sitting

ODD = (
    "null", "true", "false", "0", "-1", "1", "1.5", "1e999", '""', '"A"', '"\\u0000"', '"\\ud83d"', "[]", "{}", "[1]", '["A"]', "[null]", "[[]]",
    "[{}]", '{"a":1}', "2147483648", "9223372036854775807", "9223372036854775808", "1" + "0" * 400, '"' + "x" * 5000 + '"',
    '"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"', '"１２"', '[["A"]]',
)  # fmt: skip
_CHANGE = {"item": "1", "seq": "1", "response": '["A"]'}
_CALLS = {
    "attempts_api.start": ("S", "POST", "/exams/{exam}/attempts", "@body", {"body": "{}"}),
    "attempts_api.save_answers": (
        "S", "PUT", "/attempts/{attempt}/answers", '{"epoch":@epoch,"changes":[{"item":@item,"seq":@seq,"response":@response}]}',
        {"epoch": "1", **_CHANGE},
    ),
    "attempts_api.save_answers changes": (
        "S", "PUT", "/attempts/{attempt}/answers", '{"epoch":1,"changes":@changes}', {"changes": "[]"},
    ),
    "attempts_api.mark_unsure": (
        "S", "PUT", "/attempts/{attempt}/marks", '{"epoch":@epoch,"unsure":@unsure}', {"epoch": "1", "unsure": "[1]"},
    ),
    "attempts_api.record_events": (
        "S", "POST", "/attempts/{attempt}/events", '{"events":[{"n":@n,"type":@type,"client_at":@at,"duration_ms":@ms}]}',
        {"n": "1", "type": '"offline"', "at": "null", "ms": "null"},
    ),
    "attempts_api.record_events events": (
        "S", "POST", "/attempts/{attempt}/events", '{"events":@events}', {"events": "[]"},
    ),
    "attempts_api.take_over": ("S", "POST", "/attempts/{attempt}/epoch", "@body", {"body": "{}"}),
    "attempts_api.hand_in": (
        "S", "POST", "/attempts/{attempt}/submission", '{"epoch":@epoch,"answers":@answers}', {"epoch": "1", "answers": "[]"},
    ),
    "training_api.answer_item": (
        "S", "PUT", "/practice/items/1/answer", '{"response":@response,"unsure":@unsure}', {"response": '["A"]', "unsure": "false"},
    ),
    "reports_api.request_export": (
        "O", "POST", "/exams/{exam}/exports",
        '{"unit":@unit,"content":@content,"format":@format,"numbers":@numbers,"reason":@reason,"tree":@tree,"scope":@scope}',
        {
            "unit": "{unit}", "content": '"scores"', "format": '"csv"', "numbers": '"none"', "reason": '"r"', "tree": '"region"',
            "scope": "null",
        },
    ),
    "people_api.begin_session": (
        "-", "POST", "/session", '{"login_name":@name,"password":@word,"captcha_id":@id,"captcha":@captcha}',
        {"name": '"x"', "word": '"y"', "id": '""', "captcha": '""'},
    ),
}  # fmt: skip


@pytest.fixture
def scene(world, monkeypatch):
    monkeypatch.setattr("examapp.core.pace.check", lambda _saver: None)
    sitter = make_sitting(world, attempts_allowed=None)
    office = world.api(world.admin("publicity_office"))
    clients = {"S": sitter.api, "O": office, "-": world.client()}
    numbers = {"exam": sitter.exam_id, "attempt": sitter.attempt["id"], "unit": sitter.person.unit_id}
    return clients, numbers


@pytest.mark.parametrize("call", _CALLS)
def test_an_odd_value_in_any_field_is_refused_in_words(scene, call):
    clients, numbers = scene
    who, method, path, body, usual = _CALLS[call]
    url = "/api/v1" + path.format(**numbers)
    answered = []
    for field in usual:
        for odd in ODD:
            sent = body
            for name, value in {**usual, field: odd}.items():
                sent = sent.replace(f"@{name}", value.replace("{unit}", str(numbers["unit"])))
            reply = clients[who].open(url, method=method, data=sent.encode(), content_type="application/json")
            answered.append((field, odd[:40], reply.status_code, reply.get_json(silent=True)))
    assert [row for row in answered if row[2] >= 500] == []
    assert [row for row in answered if row[2] >= 400 and not (row[3] or {}).get("message")] == []
    assert any(row[2] == 400 for row in answered), "no odd value was refused: is the body read at all?"


def test_every_call_that_takes_a_body_is_tried(app):
    taking = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and rule.methods & {"POST", "PUT", "PATCH"}
    }
    tried = {call.split()[0] for call in _CALLS}
    without_body = {"people_api.end_session"}
    assert taking - without_body == tried
