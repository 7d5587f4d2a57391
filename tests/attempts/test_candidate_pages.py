"""What a candidate sees before the start, and the shell of the exam page."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

import examapp
from examapp.delivery.exams.models import ExamPledge, Exemption
from examapp.organisation.people.models import Account, RoleGrant, SignIn
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank
from tests.conftest import NOON
from tests.helpers.forms import token_of


@pytest.fixture
def exam(world):
    make_bank(world)
    return world.exam(world.blueprint(KINDS), attempts_allowed=2, instructions="<b>请独立完成</b>")


def page(world, person, path):
    return world.client(person).get(path)


def test_the_page_before_the_start_says_rules_points_and_window(world, exam):
    text = page(world, world.person(), f"/exams/{exam.id}").get_data(as_text=True)
    for wording in (
        "开始考试",
        "60 分钟",
        "还剩 2 次",
        "多选、少选、错选均不得分",
        "还有 23 小时",
        "&lt;b&gt;请独立完成",
    ):
        assert wording in text
    assert "12</td>" in text
    assert "题干" not in text


@pytest.mark.parametrize(
    ("opens_in", "lasts", "lateness_s", "wording"),
    [
        (timedelta(hours=2), timedelta(hours=4), None, "考试尚未开始"),
        (timedelta(hours=-5), timedelta(hours=4), None, "考试已经结束"),
        (timedelta(hours=-1), timedelta(hours=4), 1800, "已超过允许迟到的时间"),
    ],
)
def test_who_cannot_start_is_told_why_and_sees_no_button(world, opens_in, lasts, lateness_s, wording):
    make_bank(world)
    exam = world.exam(world.blueprint(KINDS), opens_in=opens_in, lasts=lasts, lateness_s=lateness_s)
    text = page(world, world.person(), f"/exams/{exam.id}").get_data(as_text=True)
    assert wording in text
    assert "#start" not in text


def test_the_page_counts_down_to_the_opening_where_nothing_else_keeps_the_start(world):
    make_bank(world)
    exam = world.exam(world.blueprint(KINDS), opens_in=timedelta(hours=2))
    text = page(world, world.person(), f"/exams/{exam.id}").get_data(as_text=True)
    assert 'data-opens-in="7200"' in text and f'data-href="/exams/{exam.id}/sit"' in text
    exam.study_gate = {"credits": "1"}
    world.session.flush()
    assert "data-opens-in" not in page(world, world.person(), f"/exams/{exam.id}").get_data(as_text=True)


def test_the_pledge_is_ticked_once_before_the_start_where_the_office_wants_it(world, exam):
    person = world.person()
    assert "我承诺" not in page(world, person, f"/exams/{exam.id}").get_data(as_text=True)
    exam.has_pledge = True
    world.session.flush()
    client = world.client(person)
    text = client.get(f"/exams/{exam.id}").get_data(as_text=True)
    assert "我承诺" in text and "#start" not in text
    fields = {"csrf_token": token_of(client.get(f"/exams/{exam.id}"))}
    answer = client.post(f"/exams/{exam.id}/pledge", data=fields, follow_redirects=True)
    assert "请先勾选诚信承诺书" in answer.get_data(as_text=True)
    for _ in range(2):
        answer = client.post(f"/exams/{exam.id}/pledge", data=fields | {"pledged": "1"})
        assert answer.location == f"/exams/{exam.id}/sit#start"
    assert world.session.query(ExamPledge).filter_by(exam_id=exam.id, person_id=person.id).count() == 1
    text = client.get(f"/exams/{exam.id}").get_data(as_text=True)
    assert "我承诺" not in text and "#start" in text
    exam.state = "draft"
    world.session.flush()
    assert client.post(f"/exams/{exam.id}/pledge", data=fields | {"pledged": "1"}).status_code == 404


def test_who_has_no_attempt_left_is_led_to_the_result(world, exam):
    exam.attempts_allowed = 1
    candidate_client = CandidateClient(world, exam, world.person())
    candidate_client.start()
    candidate_client.hand_in()
    text = page(world, candidate_client.person, f"/exams/{exam.id}").get_data(as_text=True)
    assert "本场考试次数已用完" in text
    assert f'href="/attempts/{candidate_client.attempt["id"]}/result">查看成绩' in text


def test_an_exempt_person_is_told_so(world, exam, fixed_clock):
    person = world.person()
    world.save(
        Exemption(
            exam_id=exam.id,
            person_id=person.id,
            reason="长期病假",
            requested_at=fixed_clock.instant,
            approved_at=fixed_clock.instant,
        )
    )
    text = page(world, person, f"/exams/{exam.id}").get_data(as_text=True)
    assert "不在这场考试的应考人员名单中" in text
    assert "#start" not in text


def test_a_live_attempt_is_gone_on_with_and_used_up_ones_are_listed(world, exam):
    candidate_client = CandidateClient(world, exam, world.person())
    candidate_client.start()
    text = candidate_client.api.get(f"/exams/{exam.id}").get_data(as_text=True)
    assert "继续答题" in text
    assert "#start" not in text
    candidate_client.hand_in()
    candidate_client.start()
    candidate_client.hand_in()
    text = candidate_client.api.get(f"/exams/{exam.id}").get_data(as_text=True)
    assert "本场考试次数已用完" in text
    assert text.count("/receipt") == 2
    assert "#start" not in text


def test_the_shell_holds_no_question_and_a_key_of_its_own_for_each_person(world, exam):
    candidate_client, other = CandidateClient(world, exam, world.person()), CandidateClient(world, exam, world.person())
    candidate_client.start()
    text = candidate_client.api.get(f"/exams/{exam.id}/sit").get_data(as_text=True)
    assert f'data-attempt-id="{candidate_client.attempt["id"]}"' in text
    assert "题干" not in text
    assert device_key(text) == device_key(candidate_client.api.get(f"/exams/{exam.id}/sit").get_data(as_text=True))
    assert device_key(text) != device_key(other.api.get(f"/exams/{exam.id}/sit").get_data(as_text=True))


def device_key(text):
    return text.split('data-device-key="')[1].split('"')[0]


def test_opening_the_shell_starts_nothing(world, exam):
    candidate_client = CandidateClient(world, exam, world.person())
    assert 'data-attempt-id=""' in candidate_client.api.get(f"/exams/{exam.id}/sit").get_data(as_text=True)
    assert candidate_client.start().status_code == 201


def test_an_unknown_exam_and_a_draft_are_the_same_404(world, exam):
    exam.state = "draft"
    world.session.flush()
    client = world.client(world.person())
    for path in (f"/exams/{exam.id}", f"/exams/{exam.id}/sit", "/exams/999999", "/exams/999999/sit"):
        assert client.get(path).status_code == 404


def test_pages_ask_for_a_sign_in_but_the_shell_of_a_reload_does_not(world, exam):
    client = world.client()
    assert client.get(f"/exams/{exam.id}/sit").status_code == 302
    assert client.get("/exams/offline").status_code == 200
    worker = client.get("/exam-worker.js")
    assert worker.content_type.startswith("text/javascript")
    assert "/exams/offline" in worker.get_data(as_text=True)


def test_a_phone_finds_the_manifest_and_its_icon(world):
    client = world.client()
    assert 'rel="manifest" href="/manifest.webmanifest"' in client.get("/login").get_data(as_text=True)
    answer = client.get("/manifest.webmanifest")
    assert answer.content_type.startswith("application/manifest+json")
    manifest = answer.get_json(force=True)
    assert (manifest["start_url"], manifest["display"]) == ("/", "standalone")
    assert manifest["icons"][0]["src"].endswith("/img/icon.svg")
    for icon in manifest["icons"][1:]:
        with Image.open(Path(examapp.__file__).parent / "static/img" / icon["src"].rpartition("/")[2]) as picture:
            assert (icon["sizes"], picture.format) == ("{}x{}".format(*picture.size), "PNG")
    assert {(icon["sizes"], icon.get("purpose")) for icon in manifest["icons"]} >= {
        ("192x192", "any"),
        ("512x512", "maskable"),
    }


def test_the_pages_before_the_paper_cost_few_statements(world, exam, statements):
    client, path = world.client(world.person()), f"/exams/{exam.id}"
    with statements() as seen:
        client.get(path)
    assert len(seen) <= 9
    with statements() as seen:
        client.get(f"{path}/sit")
    assert len(seen) == 1, seen


def test_the_shell_is_the_same_for_somebody_with_a_role(world, exam):
    """Anyone who holds a role is looked up by their session, anybody else by the page's own statement."""
    person, other = world.person(), world.person()
    world.save(RoleGrant(person_id=other.id, role="leader", unit_id=other.unit_id, tree="region", granted_at=NOON))
    pages = [page(world, one, f"/exams/{exam.id}/sit").get_data(as_text=True) for one in (person, other)]
    plain, of_role = (re.sub(r'data-(csrf|device-key|person-id|person-name)="[^"]*"', "", text) for text in pages)
    for one, text in ((person, plain), (other, of_role)):
        assert one.name in text
    assert plain.replace(person.name, "").replace(person.staff_number, "") == of_role.replace(other.name, "").replace(
        other.staff_number, ""
    )


def test_who_has_a_first_password_or_an_ended_sign_in_sees_no_shell(world, exam):
    client = world.client(world.person())
    world.session.query(Account).update({"must_change_password": True})
    world.session.commit()
    assert client.get(f"/exams/{exam.id}/sit").location == "/password"
    world.session.query(SignIn).update({"ended_at": NOON})
    world.session.commit()
    assert "/login?next=" in client.get(f"/exams/{exam.id}/sit").location


def test_large_print_is_the_accounts_choice_before_the_browsers(world, exam):
    client = world.client(world.person())
    client.set_cookie("elder", "1")
    assert 'class="elder"' in client.get(f"/exams/{exam.id}/sit").text
    world.session.query(Account).update({"has_elder_mode": False})
    world.session.commit()
    assert 'class="elder"' not in client.get(f"/exams/{exam.id}/sit").text
