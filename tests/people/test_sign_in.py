"""Signing in and out, by the page and by the protocol (H05, H14–H17)."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examapp.db.session import db
from examapp.organisation.accounts.rules import FAILURE_WINDOW, Failures, safe_next
from examapp.organisation.people.models import Account, SignIn, UnknownSignIn
from tests.conftest import NOON
from tests.helpers.forms import token_of
from tests.people.conftest import PASSWORD, sign_in


@pytest.fixture
def official(world, give_password):
    person = world.person(world.unit("司法局"), name="李四", staff_number="A10001")
    give_password(person)
    return person


def test_right_password_signs_in_and_wrong_one_is_explained(world, official):
    client = world.client()
    wrong = sign_in(client, "A10001", "not it at all")
    assert wrong.status_code == 422
    assert "登录名或密码不对" in wrong.get_data(as_text=True)
    right = sign_in(client, "A10001")
    assert (right.status_code, right.location) == (303, "/")
    body = client.get("/api/v1/session").get_json()
    assert body["person"] == {"id": official.id, "name": "李四", "unit": {"id": official.unit_id, "name": "司法局"}}
    assert body["csrf_token"]
    assert datetime.fromisoformat(body["server_time"]) == NOON


def test_who_comes_at_the_time_he_was_told_goes_before_newcomers(
    app, world, official, monkeypatch, fixed_clock, no_line
):
    hasher = app.extensions["hasher"]
    client = world.client()
    with monkeypatch.context() as crowd:
        crowd.setattr(hasher.queue, "taken", -(-hasher.queue.capacity // 2))
        busy = sign_in(client, "A10001")
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "2")
        early = [sign_in(client, "A10001") for _ in range(30)]
        assert {(page.status_code, page.headers["Retry-After"]) for page in early} == {(503, "2")}, (
            "the same time again"
        )
        assert int(sign_in(world.client(), "A10001").headers["Retry-After"]) <= 3, "who comes early puts nobody off"
        fixed_clock.at(NOON + timedelta(seconds=2))
        assert sign_in(client, "A10001").status_code == 303
    with client.session_transaction() as session:
        assert "come_at" not in session, "and is a newcomer next time"


def test_an_appointment_that_was_missed_is_worth_nothing(app, world, official, monkeypatch, fixed_clock):
    hasher = app.extensions["hasher"]
    client = world.client()
    with monkeypatch.context() as crowd:
        crowd.setattr(hasher.queue, "taken", -(-hasher.queue.capacity // 2))
        sign_in(client, "A10001")
        fixed_clock.at(NOON + timedelta(minutes=3))
        assert sign_in(client, "A10001").status_code == 503


def test_nobody_gets_401_json_and_no_redirect(world):
    answer = world.client().get("/api/v1/session")
    assert (answer.status_code, answer.get_json()["error"]) == (401, "sign_in_required")


def test_an_unknown_name_and_a_wrong_password_look_alike(world, official, statements):
    unknown = sign_in(world.client(), "NOBODY")
    wrong = sign_in(world.client(), "A10001", "wrong")
    strip = lambda page, name: page.get_data(as_text=True).replace(token_of(page), "").replace(name, "")
    assert unknown.status_code == wrong.status_code
    assert strip(unknown, "NOBODY") == strip(wrong, "A10001")


def test_lower_case_full_width_mobile_and_id_number_are_login_names_too(app, world, official):
    cipher = app.extensions["cipher"]
    official.mobile_index = cipher.blind_index("13800000001", purpose="mobile")
    official.id_number_index = cipher.blind_index("11010519491231002X", purpose="id_number")
    world.session.flush()
    for name in ("a10001", "Ａ１０００１ ", "138 0000 0001"[:3] + "00000001", "11010519491231002x"):
        assert sign_in(world.client(), name).status_code == 303, name


def test_a_mobile_number_that_two_share_signs_in_neither(app, world, official, give_password):
    index = app.extensions["cipher"].blind_index("13800000001", purpose="mobile")
    other = world.person(mobile_index=index)
    give_password(other)
    official.mobile_index = index
    world.session.flush()
    assert sign_in(world.client(), "13800000001").status_code == 422
    assert sign_in(world.client(), other.staff_number).status_code == 303


@pytest.mark.parametrize("name", ["a\x00b", "' OR 1=1 --", "*)(uid=*))(|(uid=*", "\x1b[31m", "𠮷" * 60, "<script>"])
def test_hostile_names_are_just_wrong(world, name):
    assert sign_in(world.client(), name).status_code == 422
    answer = world.client().post("/api/v1/session", json={"login_name": name, "password": "x"})
    assert (answer.status_code, answer.get_json()["error"]) == (401, "wrong_credentials")


def test_a_password_too_long_is_rejected_before_any_hash(app, world, official, monkeypatch):
    def never(*_):
        raise AssertionError("hashed")

    monkeypatch.setattr(app.extensions["hasher"], "verify", never)
    assert sign_in(world.client(), "A10001", "x" * 129).status_code == 400
    assert sign_in(world.client(), "A10001", "x" * 1_000_000).status_code == 400
    answer = world.client().post("/api/v1/session", json={"login_name": "A10001", "password": "x" * 129})
    assert (answer.status_code, answer.get_json()["error"]) == (400, "bad_request")


def test_full_queue_says_when_to_try_again_and_reads_nothing(world, official, no_place, statements):
    with statements() as seen:
        answer = world.client().post("/api/v1/session", json={"login_name": "A10001", "password": PASSWORD})
    assert len(seen) == 0
    by_script = sign_in(world.client(), "A10001", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.get_json()["error"]) == (503, "try_again")
    assert (by_script.status_code, by_script.get_json()["error"]) == (503, "try_again")
    page = sign_in(world.client(), "A10001")
    assert page.status_code == 503
    pauses = [int(response.headers["Retry-After"]) for response in (answer, by_script, page)]
    assert pauses == sorted(pauses), "one after the other"
    assert pauses[0] == 2


def test_the_page_s_script_is_told_where_to_go(world, official):
    response = sign_in(world.client(), "A10001", headers={"Accept": "application/json"})
    assert (response.status_code, response.get_json()) == (200, {"to": "/"})
    wrong = sign_in(world.client(), "A10001", "wrong", headers={"Accept": "application/json"})
    assert (wrong.status_code, wrong.mimetype) == (422, "text/html")


def test_fifth_failure_brings_a_delay_and_the_tenth_a_lock(world, official, fixed_clock):
    client = world.client()
    for _ in range(4):
        assert sign_in(client, "A10001", "wrong").status_code == 422
    fifth = sign_in(client, "A10001", "wrong")
    assert (fifth.status_code, fifth.headers["Retry-After"]) == (429, "5")
    assert sign_in(client, "A10001").status_code == 429, "even the right one has to wait"
    seconds = 0
    for _ in range(5):
        seconds += 61
        fixed_clock.at(NOON + timedelta(seconds=seconds))
        locked = sign_in(client, "A10001", "wrong")
    assert locked.headers["Retry-After"] == "900"
    assert "15 分钟" in locked.get_data(as_text=True)
    assert sign_in(client, "A10001").status_code == 429
    fixed_clock.at(NOON + timedelta(seconds=seconds + 901))
    assert sign_in(client, "A10001").status_code == 303


def test_a_colleague_cannot_lock_the_owner_out_of_a_known_device(world, official, fixed_clock):
    owner, colleague = world.client(), world.client()
    assert sign_in(owner, "A10001").status_code == 303
    account = world.session.query(Account).filter_by(person_id=official.id).one()
    account.failures, account.first_failure_at, account.locked_until = 10, NOON, NOON + timedelta(minutes=15)
    world.session.flush()
    assert sign_in(colleague, "A10001").status_code == 429
    owner.post("/logout", data={"csrf_token": owner.get("/api/v1/session").get_json()["csrf_token"]})
    assert sign_in(owner, "A10001").status_code == 303
    forged = world.client()
    forged.set_cookie("device", f"[{account.id}].forged")
    account.failures, account.first_failure_at, account.locked_until = 10, NOON, NOON + timedelta(minutes=15)
    world.session.flush()
    assert sign_in(forged, "A10001").status_code == 429


def test_unknown_names_are_delayed_like_accounts(world):
    client = world.client()
    codes = [sign_in(client, "NOBODY", "wrong").status_code for _ in range(6)]
    assert codes == [422, 422, 422, 422, 429, 429]
    assert world.session.query(UnknownSignIn).one().failures == 5


def test_an_unknown_name_counts_in_whatever_case_it_is_typed_as_an_account_does(world, official):
    for name in ("NOBODY", "A10001"):
        codes = [sign_in(world.client(), way, "wrong").status_code for way in (name, name.lower(), name.title()) * 2]
        assert codes == [422, 422, 422, 422, 429, 429], name


def test_a_name_with_a_wait_due_costs_no_hash_and_answers_alike(app, world, official, statements, monkeypatch):
    """H14: of the name that is locked anybody may ask as often as he likes, known or not, right password or wrong."""
    for name in ("A10001", "NOBODY"):
        for _ in range(5):
            sign_in(world.client(), name, "wrong")
    compared = []
    monkeypatch.setattr(app.extensions["hasher"], "verify", lambda *_: compared.append(1))
    seen = {}
    for name, password in (("A10001", "wrong"), ("A10001", PASSWORD), ("NOBODY", "wrong")):
        client = world.client()
        token = token_of(client.get("/login"))
        with statements() as asked:
            page = client.post("/login", data={"login_name": name, "password": password, "csrf_token": token})
        text = page.get_data(as_text=True).replace(token_of(page), "").replace(name, "")
        answer = world.client().post("/api/v1/session", json={"login_name": name, "password": password})
        seen[name, password] = page.status_code, text, len(asked), answer.status_code, answer.get_json()
    assert len({repr(one) for one in seen.values()}) == 1
    assert next(iter(seen.values()))[::3] == (429, 429)
    assert not compared


def test_one_hash_of_a_name_waits_at_a_time_and_the_owners_device_is_never_behind_an_outsider(app, world, official):
    """While a password is compared, another for the same name is told to come again, before any hash."""
    owner, hasher = world.client(), app.extensions["hasher"]
    sign_in(owner, "A10001")
    owner.post("/logout", data={"csrf_token": owner.get("/api/v1/session").get_json()["csrf_token"]})
    argon2, codes = hasher._argon2, []

    class SlowHash:
        """A hash during which others sign in."""

        def verify(self, stored, password):
            hasher._argon2 = argon2
            codes.extend(
                sign_in(client, name).status_code
                for client, name in ((world.client(), "A10001"), (world.client(), "a10001"), (owner, "A10001"))
            )
            return argon2.verify(stored, password)

    hasher._threads.submit(int).result()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hasher, "_threads", type("Here", (), {"submit": staticmethod(_at_once)}))
        patched.setattr(hasher, "_argon2", SlowHash())
        assert sign_in(world.client(), "A10001").status_code == 303
    assert codes == [503, 503, 303]


def _at_once(work, *given):
    done = Future()
    done.set_result(work(*given))
    return done


def test_failures_long_ago_do_not_count(world, official, fixed_clock):
    for minute in range(12):
        fixed_clock.at(NOON + timedelta(minutes=4 * minute))
        assert sign_in(world.client(), "A10001", "wrong").status_code == 422


def test_signing_out_kills_a_copied_cookie(world, official):
    client = world.client()
    sign_in(client, "A10001")
    copied = client.get_cookie("session").value
    token = client.get("/api/v1/session").get_json()["csrf_token"]
    answer = client.post("/logout", data={"csrf_token": token})
    assert (answer.status_code, answer.headers["Clear-Site-Data"]) == (303, '"storage"')
    thief = world.client()
    thief.set_cookie("session", copied)
    assert thief.get("/api/v1/session").status_code == 401
    assert world.session.query(SignIn).one().ended_at == NOON


def test_a_cookie_fixed_before_signing_in_is_worth_nothing(world, official):
    victim = world.client()
    victim.get("/login")
    fixed = victim.get_cookie("session").value
    sign_in(victim, "A10001")
    assert victim.get_cookie("session").value != fixed
    attacker = world.client()
    attacker.set_cookie("session", fixed)
    assert attacker.get("/api/v1/session").status_code == 401


def test_two_people_in_one_browser_do_not_mix(world, official, give_password):
    other = world.person(name="王五", staff_number="A10002")
    give_password(other)
    client = world.client()
    sign_in(client, "A10001")
    first = client.get_cookie("session").value
    again = client.post("/api/v1/session", json={"login_name": "A10002", "password": PASSWORD})
    assert again.get_json()["person"]["name"] == "王五"
    old = world.client()
    old.set_cookie("session", first)
    assert old.get("/api/v1/session").status_code == 401


def test_disabled_account_is_dead_at_once(world, official):
    client = world.client()
    sign_in(client, "A10001")
    world.session.query(Account).filter_by(person_id=official.id).one().disabled_at = NOON
    world.session.flush()
    assert client.get("/api/v1/session").status_code == 401
    assert "已停用" in sign_in(client, "A10001").get_data(as_text=True)
    assert "登录名或密码不对" in sign_in(client, "A10001", "wrong").get_data(as_text=True)


def test_old_page_signs_in_again_with_the_token_of_an_ended_session(world, official):
    client = world.client()
    sign_in(client, "A10001")
    token = client.get("/api/v1/session").get_json()["csrf_token"]
    world.session.query(SignIn).update({"ended_at": NOON})
    headers = {"X-CSRFToken": token, "Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    body = {"login_name": "A10001", "password": PASSWORD, "role": "system_admin", "unit_id": 1}
    answer = client.post("/api/v1/session", json=body, headers=headers)
    assert answer.status_code == 200
    assert answer.get_json()["csrf_token"] != token
    client.environ_base["HTTP_X_CSRFTOKEN"] = answer.get_json()["csrf_token"]
    assert client.get("/api/v1/session").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}, {"Origin": "http://["}],
)
def test_foreign_origin_cannot_sign_in(world, official, headers):
    answer = world.client().post(
        "/api/v1/session", json={"login_name": "A10001", "password": PASSWORD}, headers=headers
    )
    assert (answer.status_code, answer.get_json()["error"]) == (403, "csrf_failed")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"[]", 400), (b"null", 400), (b'{"login_name":1,"password":"x"}', 400), (b'{"login_name":"a"}', 400),
        (b'{"login_name":"a","login_name":"b","password":"x"}', 400), (b'{"login_name":"\\ud800","password":"x"}', 400),
        (b'{"login_name":NaN,"password":"x"}', 400), (b"[" * 10_000, 400), (b"\xff\xfe", 400), (b"[" * 100_000, 413),
    ],
)  # fmt: skip
def test_broken_json_is_rejected_in_words(world, body, status):
    answer = world.client().post("/api/v1/session", data=body, content_type="application/json")
    assert answer.status_code == status
    assert answer.get_json()["message"]
    assert world.client().post("/api/v1/session", data=body, content_type="text/plain").status_code in {413, 415}


def test_form_without_a_token_explains_itself(world, official):
    answer = world.client().post("/login", data={"login_name": "A10001", "password": PASSWORD})
    assert answer.status_code == 403
    assert "请关闭无痕模式，或在浏览器设置中允许 Cookie" in answer.get_data(as_text=True)


def test_a_form_from_an_older_page_is_not_taken_for_a_browser_without_cookies(world, official):
    client = world.client()
    client.get("/login")
    answer = client.post("/login", data={"login_name": "A10001", "password": PASSWORD, "csrf_token": "old"})
    assert answer.status_code == 403
    assert "停留时间过长" in answer.get_data(as_text=True) and "Cookie" not in answer.get_data(as_text=True)


def test_a_form_whose_session_is_gone_leads_to_the_sign_in_and_back(world, official):
    client = world.client()
    answer = client.post("/practice/items/1", data={"response": "A"})
    assert (answer.status_code, answer.location) == (302, "/login?next=/practice/items/1")
    assert client.post("/practice/daily").location == "/login", "what has no page to come back to leads home"
    assert client.post("/api/v1/exams/1/attempts").status_code == 401


def test_signed_in_visitor_of_the_sign_in_page_goes_where_the_address_leads(world, official):
    client = world.client(official)
    assert client.get("/login").location == "/"
    assert client.get("/login?next=/study/record").location == "/study/record"
    assert client.get("/login?next=//evil.example").location == "/"


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil",
        "/a\nb",
        "javascript:1",
        "/login",
        "/api/v1/session",
    ],
)
def test_next_leads_only_to_own_pages(world, official, path):
    assert safe_next(path) == "/"
    client = world.client()
    client.get("/login", query_string={"next": path})
    token = token_of(client.get("/login"))
    answer = client.post(
        "/login", query_string={"next": path}, data={"login_name": "A10001", "password": PASSWORD, "csrf_token": token}
    )
    assert answer.location == "/"


def test_next_of_an_own_page_is_kept(world, official):
    assert sign_in(world.client(), "A10001", path="/login?next=/exams/7%3Fa%3D1").location == "/exams/7?a=1"


def test_forged_host_and_forwarded_headers_change_neither_links_nor_address(world, official):
    client = world.client()
    token = token_of(client.get("/login"))
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "6.6.6.6", "X-Real-IP": "6.6.6.6"}
    answer = client.post(
        "/login", data={"login_name": "A10001", "password": PASSWORD, "csrf_token": token}, headers=forged
    )
    assert answer.location == "/"
    assert world.session.query(SignIn).one().address == "127.0.0.1"


def test_extra_fields_of_the_form_are_ignored(world, official):
    assert (
        sign_in(world.client(), "A10001", role="system_admin", unit_id="1", must_change_password="0").status_code == 303
    )


def test_signing_in_costs_few_statements(world, official, statements):
    client = world.client()
    token = token_of(client.get("/login"))
    with statements() as seen:
        client.post("/login", data={"login_name": "A10001", "password": PASSWORD, "csrf_token": token})
    assert len(seen) <= 6


def test_the_signed_in_person_is_one_statement(world, official, statements):
    client = world.client(official)
    client.get("/api/v1/session")
    with statements() as seen:
        client.get("/api/v1/session")
    assert len(seen) == 1


def test_no_transaction_is_open_while_a_password_is_compared(app, world, official, monkeypatch):
    seen = []
    hasher = app.extensions["hasher"]
    verify = type(hasher).verify

    def watched(stored, password, caller):
        seen.append(db.session().in_transaction())
        return verify(hasher, stored, password, caller)

    monkeypatch.setattr(hasher, "verify", watched)
    for name in ("A10001", "NOBODY"):
        sign_in(world.client(), name)
        world.client(official).post("/api/v1/session", json={"login_name": name, "password": PASSWORD})
    assert seen == [False] * 4


def test_an_unknown_name_costs_a_hash_as_a_known_one_does(app, world, official, monkeypatch):
    compared = []
    hasher = app.extensions["hasher"]
    verify = type(hasher).verify
    monkeypatch.setattr(
        hasher, "verify", lambda stored, password, _caller: compared.append(stored) or verify(hasher, stored, password)
    )
    for name in ("NOBODY", "a\x00b", "A10001"):
        sign_in(world.client(), name, "wrong")
    assert len(compared) == 3
    argon2 = hasher._argon2
    monkeypatch.setattr(
        hasher,
        "_argon2",
        type(
            "Counting",
            (),
            {"verify": lambda _self, stored, password: compared.append("argon2") or argon2.verify(stored, password)},
        )(),
    )
    sign_in(world.client(), "NOBODY", "wrong")
    assert compared[-1] == "argon2"


@given(st.lists(st.integers(0, 400), max_size=120))
def test_tries_of_an_unknown_device_that_are_judged_are_few_whatever_the_pace(steps):
    failures, now, judged = Failures(), NOON, []
    for pause in steps:
        now += timedelta(seconds=pause)
        if failures.wait_s(now=now, is_known_device=False) == 0:
            failures = failures.after_another(now=now)
            judged.append(now)
    for start in judged:
        assert sum(start <= instant < start + FAILURE_WINDOW for instant in judged) <= 19, "two windows that meet"


def test_locks_are_said_in_seconds_then_minutes():
    failures = Failures()
    waits = []
    for _ in range(10):
        failures = failures.after_another(now=NOON)
        waits.append(failures.wait_s(now=NOON, is_known_device=False))
    assert waits == [0, 0, 0, 0, 5, 10, 20, 40, 60, 900]
    assert failures.wait_s(now=NOON, is_known_device=True) == 0
    for _ in range(20):
        failures = failures.after_another(now=NOON)
    assert failures.wait_s(now=NOON, is_known_device=True) == 900, "a known device has its bound too"
