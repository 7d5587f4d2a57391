"""Opinions reach the office's inbox, are answered there, and the answer is seen by who wrote."""

from examapp.platform.audit.models import AuditEvent
from examapp.platform.notices.models import Feedback
from tests.helpers.forms import token_of
from tests.helpers.messages import post


def test_an_opinion_is_written_answered_and_seen(world, session):
    county = world.unit("某县", kind="county")
    person = world.person(world.unit("财政局", parent=county), name="李四")
    client = world.client(person)
    page = client.get("/feedback?page=/exams/7")
    assert 'value="/exams/7"' in page.text
    assert post(client, "/feedback?page=/exams/7", text="第 3 题有两个答案", page="/exams/7").status_code == 303
    feedback = session.query(Feedback).one()
    assert (feedback.person_id, feedback.page, feedback.text) == (person.id, "/exams/7", "第 3 题有两个答案")
    assert "等待答复" in client.get("/feedback").text

    office = world.client(world.admin("publicity_office", county))
    inbox = office.get("/admin/messages/feedback")
    assert "李四" in inbox.text and "财政局" in inbox.text and "待答复（1）" in inbox.text
    answered = post(office, f"/admin/messages/feedback/{feedback.id}", answer="已改正，谢谢。")
    assert answered.status_code == 303
    assert "已答复，对方已看" not in office.get("/admin/messages/feedback").text

    assert "已改正，谢谢。" in client.get("/").text
    assert "已改正，谢谢。" in client.get("/feedback").text
    assert "已改正，谢谢。" not in client.get("/").text
    assert "已答复，对方已看" in office.get("/admin/messages/feedback").text
    acts = [event.act for event in session.query(AuditEvent).order_by(AuditEvent.id)]
    assert acts == ["messages.write_feedback", "messages.answer_feedback"]


def test_an_empty_opinion_is_rejected_beside_its_field(world, session):
    client = world.client(world.person())
    answer = post(client, "/feedback", text="   ")
    assert answer.status_code == 422
    assert "请写下您的意见" in answer.text
    assert session.query(Feedback).count() == 0


def test_a_foreign_page_is_not_kept(world, session):
    client = world.client(world.person())
    post(client, "/feedback", text="好", page="https://evil.example/")
    post(client, "/feedback", text="好", page="//evil.example/")
    assert {feedback.page for feedback in session.query(Feedback)} == {""}


def test_markup_in_an_opinion_stays_words(world):
    client = world.client(world.person())
    post(client, "/feedback", text="<script>alert(1)</script>")
    assert "<script>alert" not in client.get("/feedback").text
    assert "&lt;script&gt;" in client.get("/feedback").text


def test_the_twenty_first_waiting_opinion_is_rejected(world, session, fixed_clock):
    person = world.person()
    for _ in range(20):
        world.save(Feedback(person_id=person.id, text="x", created_at=fixed_clock.instant))
    answer = post(world.client(person), "/feedback", text="又一条")
    assert answer.status_code == 409
    assert "等待答复" in answer.text
    assert session.query(Feedback).count() == 20


def test_nobody_sees_or_answers_opinions_from_outside_his_reach(world, session, fixed_clock):
    ours, theirs = world.unit("甲县", kind="county"), world.unit("乙县", kind="county")
    feedback = world.save(
        Feedback(person_id=world.person(theirs).id, text="乙县的意见", created_at=fixed_clock.instant)
    )
    office = world.client(world.admin("publicity_office", ours))
    assert "乙县的意见" not in office.get("/admin/messages/feedback").text
    path = f"/admin/messages/feedback/{feedback.id}"
    missing = office.get("/admin/messages/feedback/999999")
    assert office.get(path).status_code == missing.status_code == 404
    token = token_of(office.get("/"))
    assert office.post(path, data={"csrf_token": token, "answer": "x"}).status_code == 404
    assert session.get(Feedback, feedback.id).answer is None
    assert world.client(world.person(ours)).get("/admin/messages/feedback").status_code == 404


def test_a_second_answer_is_rejected_and_the_first_stands(world, session, fixed_clock):
    county = world.unit(kind="county")
    feedback = world.save(Feedback(person_id=world.person(county).id, text="问", created_at=fixed_clock.instant))
    path = f"/admin/messages/feedback/{feedback.id}"
    one, two = (world.client(world.admin("publicity_office", county)) for _ in range(2))
    token = token_of(two.get(path))
    post(one, path, answer="第一个答复")
    rejected = two.post(path, data={"csrf_token": token, "answer": "第二个答复"})
    assert rejected.status_code == 409
    session.expire_all()
    assert session.get(Feedback, feedback.id).answer == "第一个答复"


def test_unanswered_opinions_stand_first_the_longest_waiting_on_top(world, fixed_clock):
    from datetime import timedelta

    county = world.unit(kind="county")
    person = world.person(county)
    for hours, text, is_answered in ((3, "最早的", False), (1, "刚才的", False), (2, "答过的", True)):
        at = fixed_clock.instant - timedelta(hours=hours)
        world.save(
            Feedback(
                person_id=person.id, text=text, created_at=at, answered_at=at if is_answered else None, answer="好"
            )
        )
    page = world.client(world.admin("publicity_office", county)).get("/admin/messages/feedback").text
    assert page.index("最早的") < page.index("刚才的") < page.index("答过的")


def test_the_inbox_costs_few_statements_however_full(world, statements, fixed_clock):
    county = world.unit(kind="county")
    person = world.person(county)
    for number in range(40):
        world.save(Feedback(person_id=person.id, text=f"意见{number}", created_at=fixed_clock.instant))
    client = world.client(world.admin("publicity_office", county))
    with statements() as seen:
        assert client.get("/admin/messages/feedback").status_code == 200
    assert len(seen) <= 6
