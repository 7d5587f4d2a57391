"""A person from outside reads drafts through a link: only these, for seven days, never an author, by name."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from examapp import clock
from examapp.content.external_reviews.models import ReviewTicket
from examapp.content.question_editing.actions import add_questions
from examapp.content.questions.models import BankQuestion, QuestionState
from examapp.platform.audit.actions import ActionContext, Actor
from examapp.platform.audit.models import AuditEvent
from examapp.platform.audit.rules import detail_label
from tests.helpers.questions import single

PAGE = "/admin/questions/tickets/"


@pytest.fixture
def scene(app, world, session, monkeypatch):
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], external_review=True))
    writer = world.admin("publicity_office", name="赵六")
    context = ActionContext(session, Actor(person_id=writer.id), clock.now())
    questions = [single(stem=f"第{n}题由谁决定？") for n in range(3)]
    return world.api(writer), add_questions(context, questions=questions, state=QuestionState.DRAFT)


def link_of(page):
    return re.search(r'value="https?://[^/]+(/external-review/[^"]+)"', page).group(1)


def fields_of(page):
    stamp = re.search(r'name="stamp" value="([^"]+)"', page).group(1)
    csrf = re.search(r"name=\"csrf_token\" value=\"([^\"]+)\"", page).group(1)
    seen = ["1"] * page.count('name="seen"')
    return {"stamp": stamp, "seen": seen, "declared": "1", "csrf_token": csrf}


def test_a_named_reviewer_from_outside_passes_a_draft_or_says_what_is_wrong(scene, app, session):
    office, (first, second, third) = scene
    wanted = {"reviewer": "赵 六", "workplace": "某所", "limit": "2"}
    page = office.post(PAGE, data=wanted).text
    beside = re.search(r'id="reviewer-error">(.*?)</div>', page, re.DOTALL)
    assert beside and "不能当外部审核人" in beside[1], "beside the name"
    link = link_of(office.post(PAGE, data=wanted | {"reviewer": "钱律师"}).text)
    token = link.rpartition("/")[2].encode()
    assert token not in session.query(ReviewTicket).one().digest
    outside = app.test_client()
    page = outside.get(link, follow_redirects=True).text
    assert "还有 2 题" in page and "主菜单" not in page
    address = f"/external-review/questions/{first}"
    page = outside.get(address).text
    assert "机器核对" in page and "相近的题" not in page and "主菜单" not in page
    assert outside.get(f"/external-review/questions/{third}").status_code == 404, "not on the ticket"
    fields = fields_of(page)
    del fields["declared"]
    assert "先勾选声明" in outside.post(address, data=fields | {"verdict": "passed"}, follow_redirects=True).text
    answer = outside.post(address, data=fields_of(page) | {"verdict": "passed"})
    assert answer.location.endswith(f"/{second}")
    page = outside.get(answer.location).text
    rejected = outside.post(answer.location, data=fields_of(page) | {"verdict": "doubted"}, follow_redirects=True).text
    assert "写明哪里有疑问" in rejected
    outside.post(answer.location, data=fields_of(page) | {"verdict": "doubted", "remark": "两个选项都对"})
    states = [session.get(BankQuestion, each).state for each in (first, second, third)]
    assert states == ["reviewed", "draft", "draft"]
    assert "两个选项都对" in office.get(PAGE).text
    events = session.query(AuditEvent).filter_by(act="questions.review_by_ticket").all()
    assert [event.details["verdict"] for event in events] == ["passed", "doubted"]
    assert ["审核意见 通过" in detail_label(event.details) for event in events] == [True, False], "as the page says it"
    assert "审核意见 有疑问" in detail_label(events[1].details)
    assert events[0].details["reviewer"] == "钱律师"


def test_a_link_ends_by_time_by_revocation_and_with_the_setting(scene, app, session, monkeypatch):
    office, (first, *_) = scene
    link = link_of(office.post(PAGE, data={"reviewer": "钱律师", "workplace": "某所", "limit": "9"}).text)
    ticket = session.query(ReviewTicket).one()
    assert ticket.expires_at - ticket.created_at == timedelta(days=7)
    assert "没有可以送外部审核" in office.post(PAGE, data={"reviewer": "孙", "workplace": "某", "limit": "9"}).text
    outside = app.test_client()
    assert outside.get(link).status_code == 302
    page = outside.get(f"/external-review/questions/{first}").text
    office.get(link)
    own_fields = fields_of(office.get(f"/external-review/questions/{first}").text) | {"verdict": "passed"}
    own = office.post(f"/external-review/questions/{first}", data=own_fields, follow_redirects=True)
    assert "您是这道题的命题人" in own.text and session.get(BankQuestion, first).state == "draft"
    ticket.expires_at = clock.now()
    session.flush()
    assert outside.get("/external-review/").status_code == 404
    ticket.expires_at += timedelta(days=7)
    session.flush()
    assert outside.get("/external-review/").status_code == 200
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], external_review=False))
    assert outside.get("/external-review/").status_code == 404
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], external_review=True))
    office.post(f"{PAGE}{ticket.id}/revoke")
    answer = outside.post(f"/external-review/questions/{first}", data=fields_of(page) | {"verdict": "passed"})
    assert answer.status_code == 404 and session.get(BankQuestion, first).state == "draft"
    assert outside.get(link).status_code == 404
