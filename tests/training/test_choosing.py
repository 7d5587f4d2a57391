"""The question of the day obliges nobody; search finds what may be practised, without keys; favourites and notes are one's own."""

from __future__ import annotations

import html
import json
import re
from datetime import date, timedelta

import pytest

from examapp import clock
from examapp.content.laws.models import Law, LawArticle, LawVersion
from examapp.delivery.attempts.models import Attempt
from examapp.learning.courses.models import ChapterProgress, CourseCompletion, PracticeItem
from examapp.learning.practice.models import DailyQuestion, PracticeHold, QuestionNote
from examapp.learning.spaced_repetition.models import ReviewCard
from question_bank.model import Kind
from tests.helpers.accounts import setting
from tests.helpers.practice import post


@pytest.fixture
def learner(world):
    person = world.person()
    client = world.client(person)
    client.person = person
    return client


def item_of(session, answer):
    return session.get(PracticeItem, int(answer.location.rsplit("/", 1)[1]))


def test_the_question_of_the_day_is_the_same_for_all_and_another_tomorrow_or_when_held_back(
    world, session, learner, fixed_clock
):
    ids = {world.question().id for _ in range(8)}
    first = post(learner, "/practice/daily")
    chosen = item_of(session, first).question_id
    assert chosen in ids
    post(learner, first.location, {"response": "A"})
    assert post(learner, "/practice/daily").location == first.location
    other = world.client(world.person())
    assert item_of(session, post(other, "/practice/daily")).question_id == chosen
    exam = world.exam(world.blueprint())
    world.save(PracticeHold(question_id=chosen, exam_id=exam.id))
    third = world.client(world.person())
    assert item_of(session, post(third, "/practice/daily")).question_id != chosen
    days = set()
    for n in range(1, 5):
        fixed_clock.at(fixed_clock.instant + timedelta(days=1))
        days.add(item_of(session, post(world.client(learner.person), "/practice/daily")).question_id)
        assert session.query(DailyQuestion).count() == 1 + n
    assert len(days) > 1


def test_without_questions_there_is_none_of_the_day(world, learner):
    answer = post(learner, "/practice/daily")
    assert "没有符合条件的题目" in learner.get(answer.location).get_data(as_text=True)


def test_search_finds_articles_in_force_and_questions_that_may_be_practised(world, session, learner):
    found = world.question(stem="听证程序应当告知哪些权利？", explanation="不能在搜索里出现的解析")
    held = world.question(stem="听证程序的保密题？")
    exam = world.exam(world.blueprint())
    world.save(PracticeHold(question_id=held.id, exam_id=exam.id))
    law = world.save(Law(name="行政处罚法", created_at=clock.now()))
    for year, text in ((2017, "旧的听证程序"), (2021, "新的听证程序 <b>100%</b>"), (2030, "将来的听证程序")):
        version = world.save(
            LawVersion(
                law_id=law.id, version_on=date(year, 1, 1), effective_on=date(year, 7, 1), created_at=clock.now()
            )
        )
        world.save(LawArticle(law_version_id=version.id, position=1, label="第六十三条", text=text))
    page = learner.get("/practice/search?q=听证程序").get_data(as_text=True)
    assert "新的听证程序 &lt;b&gt;" in page
    assert "旧的" not in page
    assert "将来的" not in page
    assert "告知哪些权利" in page
    assert "保密题" not in page
    assert "解析" not in page
    assert "没有找到相关的法条" in learner.get("/practice/search?q=紫色长颈鹿").get_data(as_text=True)
    assert learner.get("/practice/search?q=%25").status_code == 200
    assert learner.get("/practice/search?q=" + "甲" * 500).status_code == 200
    answer = post(learner, f"/practice/questions/{found.id}")
    assert item_of(session, answer).question_id == found.id
    rejected = post(learner, f"/practice/questions/{held.id}")
    assert "现在不能练习" in learner.get(rejected.location).get_data(as_text=True)


def test_favourites_and_notes_are_kept_for_oneself_and_taken_away(world, session, learner):
    question = world.question(stem="要收藏的题？")
    path = post(learner, f"/practice/questions/{question.id}").location
    post(learner, path, {"response": "A"})
    note = {"favourite": "1", "note": "记住 <i>三十日</i>"}
    assert post(learner, f"{path}/note", note).status_code == 302
    page = learner.get("/practice/notes").get_data(as_text=True)
    assert "要收藏的题" in page
    assert "记住 &lt;i&gt;" in page
    assert "已收藏" in learner.get(path).get_data(as_text=True)
    outsider = world.client(world.person())
    assert post(outsider, f"{path}/note", note).status_code == 404
    assert "还没有收藏" in outsider.get("/practice/notes").get_data(as_text=True)
    long = post(learner, f"{path}/note", {"note": "长" * 501})
    assert "最多 500 字" in learner.get(long.location).get_data(as_text=True)
    assert post(learner, f"{path}/note", {}).status_code == 302
    assert session.query(QuestionNote).count() == 0


def test_no_page_of_practice_counts_days_or_ranks_people(world, learner):
    world.question()
    for path in ("/practice/", "/practice/mistakes", "/practice/map", "/practice/notes", "/study/"):
        page = learner.get(path).get_data(as_text=True)
        assert not re.search("打卡|连续.{0,4}天|排名|排行|学习时长 *[0-9]", page), path


def test_a_mock_paper_follows_an_exams_blueprint_with_questions_that_may_be_practised(world, session, learner):
    for _ in range(8):
        world.question(key=("A",))
    held = world.question(key=("A",))
    exam = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)), opens_in=timedelta(days=2))
    world.save(PracticeHold(question_id=held.id, exam_id=exam.id))
    assert exam.title in learner.get("/practice/").get_data(as_text=True)
    path = post(learner, f"/practice/mocks/{exam.id}").location
    assert post(learner, f"/practice/mocks/{exam.id}").location == path
    page = learner.get(path).get_data(as_text=True)
    paper = json.loads(html.unescape(re.search("data-paper='([^']+)'", page)[1]))
    assert [(item["item"], item["kind"], item["points"]) for item in paper["sections"][0]["items"]] == [
        (1, "single_choice", "2.00"),
        (2, "single_choice", "2.00"),
    ]
    assert "正确答案" not in page
    assert "理由" not in page
    items = session.query(PracticeItem).order_by(PracticeItem.id).all()
    assert held.id not in {item.question_id for item in items}
    sent, answers = (
        path.rsplit("/", 1)[1],
        [{"item": 2, "response": ["ABCD"[items[1].order.index("A")]], "unsure": True}],
    )
    api, url = world.api(learner.person), f"/api/v1/practice/runs/{sent}/submission"
    assert world.api(world.person()).post(url, json={"answers": answers}).status_code == 404
    assert api.post(url, json={"answers": [{"item": 0, "response": []}]}).status_code == 400
    for given in (answers, [{"item": 1, "response": ["A"]}]):
        reply = api.post(url, json={"answers": given})
        assert (reply.status_code, reply.get_json()["right_count"], reply.get_json()["total"]) == (200, 1, 2)
    result = learner.get(path, follow_redirects=True).get_data(as_text=True)
    assert "2 题答对 1 题" in result
    assert "单选题，未答" in result
    assert 'aria-current="page" href="/practice/"' in result
    assert [(item.response, item.is_right, item.is_unsure) for item in items] == [
        ([], False, False),
        (answers[0]["response"], True, True),
    ]
    assert session.query(ReviewCard).count() == 2
    assert session.query(ChapterProgress).count() == 0
    assert session.query(CourseCompletion).count() == 0
    assert session.query(Attempt).count() == 0
    assert post(learner, f"/practice/mocks/{exam.id}").location != path
    assert world.client(world.person()).get(path).status_code == 404


def test_a_mock_paper_that_was_left_open_is_dropped_for_a_fresh_one(world, session, learner):
    for _ in range(4):
        world.question(key=("A",))
    exam = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)), opens_in=timedelta(days=2))
    old = post(learner, f"/practice/mocks/{exam.id}").location
    fresh = post(learner, f"/practice/mocks/{exam.id}", {"again": "1"}).location
    assert fresh != old
    assert learner.get(old).status_code == 404
    assert session.query(PracticeItem).count() == 2
    gone = world.api(learner.person).post(
        f"/api/v1/practice/runs/{old.rsplit('/', 1)[1]}/submission", json={"answers": []}
    )
    assert gone.status_code == 404


def test_a_mock_paper_is_handed_in_whole_where_the_days_limit_falls_into_it(world, session, learner, monkeypatch):
    for _ in range(6):
        world.question(key=("A",))
    exam = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)), opens_in=timedelta(days=2))
    setting(world.app, monkeypatch, practice_answers_a_day=1)
    replies = []
    for _ in range(2):
        run = post(learner, f"/practice/mocks/{exam.id}").location.rsplit("/", 1)[1]
        replies.append(world.api(learner.person).post(f"/api/v1/practice/runs/{run}/submission", json={"answers": []}))
    assert [reply.status_code for reply in replies] == [200, 409]
    assert "到了每天 1 题的上限" in replies[1].get_json()["message"]
    assert session.query(PracticeItem).filter(PracticeItem.answered_at.is_not(None)).count() == 2


def test_a_mock_paper_is_rejected_where_the_pool_is_too_small_or_the_exam_is_another_peoples(world, session, learner):
    for _ in range(2):
        world.question(key=("A",))
    exam = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 3, "2"),)), opens_in=timedelta(days=2))
    rejected = post(learner, f"/practice/mocks/{exam.id}")
    assert "不够组一份模拟卷" in learner.get(rejected.location).get_data(as_text=True)
    world.question(key=("A",))
    draft = world.exam(world.blueprint(), state="draft")
    assert post(learner, f"/practice/mocks/{draft.id}").status_code == 404
    assert post(learner, "/practice/mocks/999999").status_code == 404
    assert session.query(PracticeItem).count() == 0
