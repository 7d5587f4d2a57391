"""One's own sign-ins: seen, ended from afar; and the idle limit of administrators, which cuts no exam (H16)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp.organisation.accounts.rules import SignInPolicy, device_label
from examapp.organisation.people.models import RoleGrant, SignIn
from examapp.platform.audit.models import AuditEvent
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank, make_exam_with_candidates
from tests.conftest import NOON
from tests.helpers.accounts import setting
from tests.helpers.forms import token_of


def post(client, path):
    return client.post(path, data={"csrf_token": token_of(client.get("/sign-ins"))})


def test_one_of_ones_own_sign_ins_is_ended_from_afar(world):
    person = world.person()
    here, there = world.client(person), world.client(person)
    old = world.session.query(SignIn).order_by(SignIn.id.desc()).first()
    page = here.get("/sign-ins")
    assert page.text.count("<tr>") == 3
    assert "本机" in page.text
    assert post(here, f"/sign-ins/{old.id}/end").status_code == 303
    assert there.get("/api/v1/session").status_code == 401
    assert here.get("/api/v1/session").status_code == 200
    event = world.session.query(AuditEvent).one()
    assert (event.act, event.object_id, event.person_id) == ("people.end_sign_in", old.id, person.id)
    assert post(here, f"/sign-ins/{old.id}/end").status_code == 404, "it has ended"


def test_anothers_sign_in_is_not_found(world):
    mine, theirs = world.person(), world.person()
    client = world.client(mine)
    victim = world.client(theirs)
    foreign = world.session.query(SignIn).order_by(SignIn.id.desc()).first()
    assert post(client, f"/sign-ins/{foreign.id}/end").status_code == 404
    assert post(client, "/sign-ins/999999/end").status_code == 404
    assert victim.get("/api/v1/session").status_code == 200
    assert "退出其他全部登录" not in client.get("/sign-ins").text


def test_all_others_are_ended_at_once(world):
    person = world.person()
    here, *others = [world.client(person) for _ in range(4)]
    outsider = world.client(world.person())
    assert post(here, "/sign-ins/end-others").status_code == 303
    assert [client.get("/api/v1/session").status_code for client in (here, *others, outsider)] == [
        200,
        401,
        401,
        401,
        200,
    ]


def test_an_administrator_signs_in_again_after_half_an_hour_without_work(world, fixed_clock):
    client = world.client(world.admin("publicity_office"))
    for minutes in (29, 58, 87):
        fixed_clock.at(NOON + timedelta(minutes=minutes))
        assert client.get("/").status_code == 200, "work goes on"
    fixed_clock.at(NOON + timedelta(minutes=87 + 31))
    answer = client.get("/admin/people/")
    assert (answer.status_code, answer.location.startswith("/login")) == (302, True)
    assert client.get("/api/v1/session").status_code == 401


def test_what_a_page_fetches_by_itself_is_no_work(world, fixed_clock):
    client = world.client(world.admin("publicity_office"))
    for minutes in (20, 30):
        fixed_clock.at(NOON + timedelta(minutes=minutes))
        assert client.get("/api/v1/session").status_code == 200
    fixed_clock.at(NOON + timedelta(minutes=31))
    assert client.get("/api/v1/session").status_code == 401


def test_a_candidate_has_no_idle_limit_and_costs_no_write(world, fixed_clock, statements):
    client = world.client(world.person())
    fixed_clock.at(NOON + timedelta(hours=5))
    with statements() as seen:
        assert client.get("/api/v1/session").status_code == 200
    assert len(seen) == 1


def test_the_idle_limit_never_cuts_a_running_exam(world, fixed_clock, session):
    candidate_client = make_exam_with_candidates(world)
    world.save(
        RoleGrant(
            person_id=candidate_client.person.id,
            role="unit_admin",
            unit_id=candidate_client.person.unit_id,
            tree="region",
            granted_at=NOON,
        )
    )
    fixed_clock.at(NOON + timedelta(minutes=45))
    assert candidate_client.api.get(f"/api/v1/attempts/{candidate_client.attempt['id']}").status_code == 200
    assert candidate_client.api.get("/").status_code == 200
    other = world.client(world.admin("unit_admin"))
    fixed_clock.at(NOON + timedelta(minutes=45 + 31))
    assert other.get("/sign-ins").status_code == 302


def test_a_sign_in_ends_after_a_week_however_often_its_cookie_was_written_again(world, fixed_clock):
    person = world.person()
    old = world.client(person)
    fixed_clock.at(NOON + timedelta(days=6, hours=23))
    for _ in range(2):
        assert old.get("/sign-ins").text.count("<tr>") == 2
    young = world.client(person)
    fixed_clock.at(NOON + timedelta(days=7))
    assert old.get("/api/v1/session").status_code == 401
    assert old.get("/sign-ins").location.startswith("/login")
    assert young.get("/sign-ins").text.count("<tr>") == 2, "what opens no door is no longer listed"


@pytest.fixture
def set_policy(app, monkeypatch):
    """Sets how long candidates stay signed in."""
    return lambda **policy: monkeypatch.setitem(app.extensions, "sign_in_policy", SignInPolicy(**policy))


def test_a_candidate_stays_signed_in_as_long_as_is_set_and_nobody_with_a_role_longer_than_a_week(
    world, fixed_clock, set_policy, app, monkeypatch
):
    setting(app, monkeypatch, admin_idle_minutes=0)
    set_policy(days=20)
    person, official = world.person(), world.admin("unit_admin")
    client, officials = world.client(person), world.client(official)
    for days, statuses in ((6, [200, 200]), (7, [200, 401]), (19, [200, 401]), (20, [401, 401])):
        fixed_clock.at(NOON + timedelta(days=days))
        assert [one.get("/api/v1/session").status_code for one in (client, officials)] == statuses, days
    set_policy(days=2)
    short, officials = world.client(person), world.client(official)
    fixed_clock.at(NOON + timedelta(days=22))
    assert [one.get("/api/v1/session").status_code for one in (short, officials)] == [401, 401]


def test_a_sign_in_is_kept_until_the_exam_of_its_holder_closes(world, fixed_clock, set_policy, statements):
    set_policy(is_kept_for_exam=True)
    assert "用完请点“退出登录”" in world.client().get("/login").text
    person, other, official = world.person(), world.person(state="off_roster"), world.admin("unit_admin")
    world.exam(opens_in=timedelta(days=10), lasts=timedelta(days=5))
    world.exam(kind="mock", lasts=timedelta(days=50))
    client, others, officials = world.client(person), world.client(other), world.client(official)
    with statements() as seen:
        assert client.get("/api/v1/session").status_code == 200
    assert len(seen) == 1, "a young sign-in asks for no exam"
    fixed_clock.at(NOON + timedelta(days=14))
    assert [one.get("/api/v1/session").status_code for one in (client, others, officials)] == [200, 401, 401]
    assert client.get("/sign-ins").text.count("<tr>") == 2
    fixed_clock.at(NOON + timedelta(days=15))
    assert client.get("/api/v1/session").status_code == 401, "the exam has closed"


def test_a_kept_sign_in_begins_its_exam_and_ends_by_every_act_that_ends_one(world, fixed_clock, set_policy):
    set_policy(is_kept_for_exam=True)
    make_bank(world)
    exam = world.exam(world.blueprint(KINDS), lasts=timedelta(days=70))
    here = CandidateClient(world, exam, world.person())
    person, path = here.person, f"/api/v1/exams/{here.exam_id}/attempts"
    shared, lost = world.api(person), world.api(person)
    fixed_clock.at(NOON + timedelta(days=12))
    assert post(shared, "/logout").status_code == 303
    copied = world.session.query(SignIn).filter(SignIn.ended_at.is_(None)).order_by(SignIn.id.desc()).first()
    assert post(here.api, f"/sign-ins/{copied.id}/end").status_code == 303
    assert [one.post(path).status_code for one in (shared, lost)] == [401, 401]
    assert here.api.get(f"/exams/{here.exam_id}/sit").status_code == 200
    assert here.start().status_code == 201
    assert here.hand_in().status_code == 201
    fixed_clock.at(NOON + timedelta(days=60))
    assert here.api.get("/api/v1/session").status_code == 401, "no sign-in lives longer"


def test_the_age_of_a_sign_in_never_cuts_a_running_exam(world, fixed_clock, session):
    """But begins none: not on the page, nor by the call that starts in two statements."""
    candidate_client = make_exam_with_candidates(world)
    path = f"/api/v1/attempts/{candidate_client.attempt['id']}"
    session.query(SignIn).update({"started_at": NOON - timedelta(days=40)})
    session.flush()
    assert candidate_client.api.get(path).status_code == 200
    assert candidate_client.save((1, 1, ["A"])).status_code == 200
    assert candidate_client.api.get("/sign-ins").text.count("<tr>") == 2, "it is alive, and so it is listed"
    assert candidate_client.hand_in().status_code == 201
    assert candidate_client.api.get("/api/v1/session").status_code == 401
    assert candidate_client.api.post(f"/api/v1/exams/{candidate_client.exam_id}/attempts").status_code == 401


@pytest.mark.parametrize(
    ("agent", "text"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/78", "Windows 电脑，Chrome 内核浏览器"),
        ("", "其他设备"),
        ("iPhone MicroMessenger", "苹果手机，微信"),
    ],
)
def test_devices_are_named_as_people_know_them(agent, text):
    assert device_label(agent) == text
