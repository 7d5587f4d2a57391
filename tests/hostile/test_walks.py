"""Hostile requests to every view of the application, not to a sample (H01, H03, H05, H15, H16, H17, H24)."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update

from examapp.organisation.people.models import Account, Person
from examapp.platform.audit.models import AuditEvent
from tests.hostile.walks import UNSAFE, all_calls, count_rows, roles_of
from tests.matrix.calls import BODIES as GOOD_BODIES
from tests.matrix.calls import FORMS, body_of, cells_of, is_allowed, path_of
from tests.matrix.conftest import stage  # noqa: F401 – a fixture
from tests.matrix.policy import POLICY, ROLES

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
"""Files are handed out from the disk, and the test's client forgets to close them."""

BODIES = {
    "nothing": b"",
    "nul": b'{"epoch":1,"changes":[\x00]}',
    "written nul": b'{"epoch":"\\u0000","login_name":"\\u0000","password":"x","unit":"\\u0000"}',
    "lone surrogate": b'{"epoch":1,"changes":[{"item":1,"seq":1,"response":["\\ud800"]}],"login_name":"\\udfff"}',
    "2^63": b'{"epoch":9223372036854775808,"changes":[],"unsure":[],"events":9223372036854775808,"unit":9223372036854775808}',
    "2^40": b'{"epoch":1099511627776,"changes":[],"unsure":[1099511627776],"unit":1099511627776,"content":"scores","format":"csv"}',
    "negative": b'{"epoch":-1,"changes":[],"answers":[],"unsure":[-1],"unit":-1,"events":[-1]}',
    "half": b'{"epoch":1.5,"changes":[],"answers":[],"unsure":[1.5],"unit":1.5}',
    "true for a number": b'{"epoch":true,"changes":[],"answers":[],"unsure":[true],"unit":true}',
    "text for a number": b'{"epoch":"1","changes":[],"answers":[],"unsure":["1"],"unit":"1"}',
    "NaN": b'{"epoch":NaN,"changes":[],"answers":[],"unsure":[],"unit":NaN}',
    "Infinity": b'{"epoch":-Infinity,"changes":[],"answers":[],"unsure":[],"unit":Infinity}',
    "null": b"null",
    "list": b"[]",
    "text": b'"x"',
    "number": b"1e999",
    "twice": b'{"epoch":1,"epoch":1,"changes":[],"unit":1,"unit":2}',
    "deep": b"[" * 30_000,
    "deep object": b'{"a":' * 10_000,
    "deep within": b'{"changes":' + b"[" * 2000 + b"]" * 2000 + b"}",
    "many digits": b'{"epoch":' + b"9" * 20_000 + b"}",
    "bad utf-8": b'{"epoch":1,"login_name":"\xff\xfe"}',
    "utf-16": '{"epoch":1}'.encode("utf-16"),
    "cut off": b'{"epoch":1,"changes":[{"item":1',
    "two": b'{"epoch":1}{"epoch":1}',
    "5 MB": b'{"epoch":1,"x":"' + b"x" * 5_000_000 + b'"}',
}
WITHOUT_FIELDS = {"attempts_api.start", "attempts_api.take_over"}
"""Calls that have no field: what they are sent must do no harm; the takeover does not even look at it."""


def json_calls(app, scenario):
    return [call for call in all_calls(app, scenario) if call.is_api and call.method in UNSAFE]


def is_short_rejection(answer) -> bool:
    body = answer.get_json(silent=True) or {}
    message = body.get("message", "")
    return 400 <= answer.status_code < 500 and "error" in body and 0 < len(message) <= 80 and not message.isascii()


def test_h01_broken_json_is_rejected_in_a_short_chinese_sentence_on_every_call_and_changes_no_row(app, stage):
    issues, calls = [], json_calls(app, stage.scenario)
    before = count_rows(stage.connection)
    for call in calls:
        for name, body in BODIES.items():
            with stage.call():
                answer = stage.scenario.clients[call.role].open(
                    call.path, method=call.method, data=body, content_type="application/json"
                )
            is_done = call.endpoint in WITHOUT_FIELDS and answer.status_code in {200, 201}
            if not is_done and not is_short_rejection(answer):
                issues.append(f"{call} {name}: {answer.status_code} {answer.text[:120]}")
            if answer.status_code >= 500:
                issues.append(f"{call} {name}: broke")
    assert len(calls) >= 9
    assert count_rows(stage.connection) == before
    assert not issues, "\n".join(issues)


def test_h01_other_encodings_and_media_types_are_rejected_on_every_call(app, stage):
    bomb = gzip.compress(b" " * 10_000_000)
    hostile = [({"Content-Encoding": "gzip"}, "application/json"), ({}, "text/plain"), ({}, "application/xml")]
    issues = []
    for call in json_calls(app, stage.scenario):
        if call.endpoint == "attempts_api.take_over":
            continue
        for headers, kind in hostile:
            with stage.call():
                answer = stage.scenario.clients[call.role].open(
                    call.path, method=call.method, data=bomb, content_type=kind, headers=headers
                )
            if answer.status_code not in {413, 415}:
                issues.append(f"{call} {kind} {headers}: {answer.status_code} {answer.text[:100]}")
    assert not issues, "\n".join(issues)


def parts(few, rest):
    """The few are a part of every CI run, the rest of `make test-long`."""
    return [pytest.param(few, marks=pytest.mark.slow, id="few"), pytest.param(rest, marks=pytest.mark.long, id="rest")]


@pytest.mark.parametrize("roles", parts("CU", ROLES.replace("C", "").replace("U", "")))
def test_h03_what_is_not_ones_own_is_rejected_as_what_is_missing_by_the_same_statements_and_is_noted(app, stage, roles):
    """The bodies and statements of every cell are the matrix's; here, that each rejection of a person leaves its line in the log."""
    issues, rejected = [], 0
    for call in all_calls(app, stage.scenario):
        row = POLICY.get(call.endpoint)
        if row is None or not row.things or call.method != "GET":
            continue
        seen = {}
        for role, relation in cells_of(call.endpoint):
            if role not in roles or is_allowed(call.endpoint, role, relation):
                continue
            rule = next(r.rule for r in app.url_map.iter_rules() if r.endpoint == call.endpoint and "GET" in r.methods)
            path = path_of(rule, stage.scenario, row.things, role, relation)
            if path is None:
                continue
            with stage.call() as statements:
                answer = stage.scenario.clients[role].get(path)
                notes = stage.connection.execute(
                    select(AuditEvent.actor_id).where(AuditEvent.act == "people.deny_access")
                ).all()
            rejected += 1
            if answer.status_code != 404 or len(notes) != 1 or notes[0][0] is None:
                issues.append(f"{role} {relation} {path}: {answer.status_code}, {len(notes)} lines in the log")
            seen.setdefault(role, set()).add(tuple(statements))
        issues += [
            f"{role} {call.endpoint}: {len(kinds)} ways of statements" for role, kinds in seen.items() if len(kinds) > 1
        ]
    assert rejected > 75 * len(roles)
    assert not issues, "\n".join(issues[:40])


EXTRA = {
    "id": "1", "state": "graded", "role": "system_admin", "roles": "system_admin", "unit_id": "1", "person_id": "1", "score": "100", "points": "100", "passed": "1",
    "deadline": "2099-01-01", "deadline_at": "2099-01-01T00:00:00+08:00", "is_admin": "1", "password_hash": "x", "must_change_password": "", "disabled_at": "", "approved_by_id": "1",
    "created_by_id": "1", "granted_at": "2020-01-01", "session_epoch": "0", "owner_id": "1", "reviewed_by_id": "1", "actor_id": "1", "has_second_factor": "", "epoch": "1",
}  # fmt: skip


READS_ONCE = {"papers_admin.export_paper"}
"""Views that keep questions, parsed, in the process: they are called once more, first."""


@pytest.mark.slow
def test_h05_fields_beside_the_form_change_no_answer_and_no_row_of_any_view(app, stage):
    """Each act with and without fields that no form has: the same answer, the same statements, and so the same rows."""
    issues, tried = [], 0
    for call in all_calls(app, stage.scenario):
        if call.method not in UNSAFE or call.endpoint == "people.sign_out":
            continue
        asked = asked_fields(stage, call)
        extra = {name: value for name, value in EXTRA.items() if name not in asked}
        client, outcomes = stage.scenario.clients[call.role], []
        for more in ({"x": "1"}, {"x": "1"}, extra)[call.endpoint not in READS_ONCE :]:
            good = (
                body_of(GOOD_BODIES, call.endpoint, stage.scenario)
                if call.is_api
                else body_of(FORMS, call.endpoint, stage.scenario)
            )
            body = {"json": {**more, **good}} if call.is_api else {"data": {**more, **good}}
            cookies = dict(client._cookies)
            with stage.call() as seen:
                answer = client.open(call.path, method=call.method, **body)
            client._cookies = cookies
            outcomes.append(
                (answer.status_code, shape(answer.headers.get("Location", "")), [s.split(" WHERE ")[0] for s in seen])
            )
        tried += 1
        outcomes = outcomes[-2:]
        if outcomes[0] != outcomes[1]:
            issues.append(
                f"{call}: {outcomes[0][:2]} became {outcomes[1][:2]}, {set(outcomes[0][2]) ^ set(outcomes[1][2])}"
            )
    assert tried > 120
    assert not issues, "\n".join(issues)


ON_ANOTHER_PAGE = {"unit_management_admin.settle_result": {"person_id"}}
"""Fields of forms that stand on another page than the address they are sent to."""


def asked_fields(stage, call) -> set[str]:
    """Give the fields that a page itself asks for: those may well be sent."""
    known = set(body_of(FORMS, call.endpoint, stage.scenario)) | set(
        body_of(GOOD_BODIES, call.endpoint, stage.scenario)
    )
    known |= ON_ANOTHER_PAGE.get(call.endpoint, set())
    if call.is_api:
        return known
    with stage.call():
        page = stage.scenario.clients[call.role].get(call.path)
    return known | set(re.findall(r'name="([^"]+)"', page.text if page.status_code == 200 else ""))


def shape(location: str) -> str:
    """Give an address without the numbers of rows that a rolled-back act has used up."""
    return re.sub(r"\d+", "N", location)


WITHOUT_SESSION = {
    "message_reports.take_replies",
    "message_reports.take_reports",
    "message_reports.take_signed_reports",
    "people_api.begin_session",
}
"""Calls that no browser's session makes: operators sign or know a secret address, a client signs in."""


@pytest.mark.slow
def test_h15_without_a_token_of_this_session_no_act_of_any_view_is_done(app, stage, monkeypatch):
    """No token, a foreign page's token, and the token of another session, with a foreign Origin: rejected before anything is read."""
    foreign = stage.scenario.clients["P"].environ_base["HTTP_X_CSRFTOKEN"]
    issues, tried = [], 0
    before = count_rows(stage.connection)
    for call in all_calls(app, stage.scenario):
        if call.method not in UNSAFE or call.endpoint in WITHOUT_SESSION:
            continue
        role = "C" if call.role == "P" and "C" in roles_of(app, call.endpoint) else call.role
        client = stage.scenario.clients[role]
        own = client.environ_base.pop("HTTP_X_CSRFTOKEN")
        try:
            for token in ("", "x", foreign if role != "P" else own[::-1]):
                headers = {"Origin": "https://evil.example", "X-CSRFToken": token}
                body = {"json": {}} if call.is_api else {"data": {"csrf_token": token}}
                with stage.call():
                    answer = client.open(call.path, method=call.method, headers=headers, **body)
                tried += 1
                if answer.status_code != 403:
                    issues.append(f"{call} token {token[:8]!r}: {answer.status_code}")
                if "Access-Control-Allow-Origin" in answer.headers:
                    issues.append(f"{call}: lets foreign pages read")
        finally:
            client.environ_base["HTTP_X_CSRFTOKEN"] = own
    assert tried > 400
    assert count_rows(stage.connection) == before
    assert not issues, "\n".join(issues[:40])


def test_h16_a_cookie_from_before_signing_out_opens_no_view(app, stage):
    issues = []
    for role in "CP":
        client = stage.scenario.clients[role]
        with stage.call():
            cookies = dict(client._cookies)
            token = client.environ_base["HTTP_X_CSRFTOKEN"]
            assert client.post("/logout", data={"csrf_token": token}).status_code == 303
            client._cookies = dict(cookies)
            for call in all_calls(app, stage.scenario):
                if call.method != "GET" or "-" in roles_of(app, call.endpoint):
                    continue
                answer = client.get(call.path)
                is_withheld = answer.status_code in {401, 404} or answer.headers.get("Location", "").startswith(
                    "/login"
                )
                if not is_withheld:
                    issues.append(f"{role} {call.path}: {answer.status_code}")
                client._cookies = dict(cookies)
        client._cookies = cookies
    assert not issues, "\n".join(issues)


EVIL = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "javascript",
    "X-Forwarded-For": "203.0.113.99",
    "X-Real-IP": "203.0.113.99",
    "Forwarded": "for=203.0.113.99;host=evil.example",
    "X-Original-URL": "/admin/audit/",
    "X-Rewrite-URL": "/admin/audit/",
    "X-HTTP-Method-Override": "DELETE",
}


@pytest.mark.slow
def test_h17_no_forged_header_and_no_next_shows_in_any_answer_or_address(app, stage):
    issues = []
    for call in all_calls(app, stage.scenario):
        if call.method != "GET":
            continue
        for role in {call.role, "-"}:
            client = stage.scenario.clients[role]
            with stage.call():
                plain = client.get(call.path)
            with stage.call():
                for cookie in list(client._cookies.values()):
                    client.set_cookie(cookie.key, cookie.value, domain="evil.example")
                answer = client.get(f"{call.path}?next=//evil.example/x", headers=EVIL)
                addresses = stage.connection.scalars(select(AuditEvent.address)).all()
            location = urlsplit(answer.headers.get("Location", ""))
            if location.netloc or location.path.startswith("//"):
                issues.append(f"{role} {call.path} leads to {answer.headers['Location']}")
            # The metrics are shut to who comes from afar.
            if answer.status_code != plain.status_code and call.endpoint != "health.metrics":
                issues.append(f"{role} {call.path}: {plain.status_code} became {answer.status_code}")
            text = answer.get_data(as_text=True) if answer.mimetype.startswith(("text/", "application/json")) else ""
            if re.search(r"(?:href|src|action)=\"(?:https?:)?//evil", text):
                issues.append(f"{role} {call.path} links to the forged host")
            if "203.0.113.99" in addresses:
                issues.append(f"{role} {call.path} believes the forged address")
    assert not issues, "\n".join(issues)


@pytest.mark.slow
def test_h17_no_forged_header_shows_in_what_an_act_answers_or_in_a_redirect_of_the_router(app, stage, monkeypatch):
    """Where the site's address is set: paper that an act prints names it, and an address without its last `/` leads on by its path."""
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], site_url="https://xuefa.example"))
    issues, named, led = [], 0, 0
    for call in all_calls(app, stage.scenario):
        if call.is_api or call.endpoint == "people.sign_out":
            continue
        path = call.path.rstrip("/") or "/"
        if call.method not in UNSAFE and path == call.path:
            continue
        client = stage.scenario.clients[call.role]
        body = {"data": body_of(FORMS, call.endpoint, stage.scenario)} if call.method in UNSAFE else {}
        cookies = dict(client._cookies)
        with stage.call():
            for cookie in list(client._cookies.values()):
                client.set_cookie(cookie.key, cookie.value, domain="evil.example")
            answer = client.open(path, method=call.method, headers=EVIL, **body)
        client._cookies = cookies
        location = urlsplit(answer.headers.get("Location", ""))
        led += answer.status_code == 308
        text = answer.get_data(as_text=True) if answer.mimetype.startswith(("text/", "application/json")) else ""
        named += "https://xuefa.example/" in text
        if location.netloc or location.path.startswith("//") or "evil.example" in text:
            issues.append(f"{call} {path}: {answer.status_code} {answer.headers.get('Location')}")
    assert not issues, "\n".join(issues)
    assert named >= 1
    assert led >= 10


@pytest.mark.parametrize("kinds", parts(("swapped",), ("unknown", "no seal")))
def test_h24_numbers_swapped_between_rows_bent_or_under_a_lost_key_break_no_page(app, stage, kinds):
    """Every page that is read, by a role that may, while no seal of anybody holds: masked in words, never a fault."""
    sealed = app.extensions["cipher"].seal("430527199001010014", associated_data="somebody else")
    unknown = b"k9" + sealed[sealed.index(b"\0") :] if b"\0" in sealed else b"k9" + sealed
    issues, masked = [], 0
    seals = {
        "swapped": sealed,
        "unknown": unknown,
        "no seal": b"\xff" * 200,
    }  # a bent and an empty one: people/test_keys.py
    for broken in (seals[kind] for kind in kinds):
        with stage.call():
            stage.connection.execute(update(Person).values(id_number_encrypted=broken, mobile_encrypted=broken))
            stage.connection.execute(update(Account).values(first_password_encrypted=broken))
            for call in all_calls(app, stage.scenario):
                if call.method != "GET" or call.endpoint.startswith("health."):
                    continue
                answer = stage.scenario.clients[call.role].get(call.path)
                masked += "无法显示" in answer.get_data(as_text=True) if answer.mimetype == "text/html" else 0
                if answer.status_code >= 500:
                    issues.append(f"{call} under {broken[:8]!r}: {answer.status_code}")
    assert not issues, "\n".join(issues)
    assert masked >= 2 * len(kinds)
