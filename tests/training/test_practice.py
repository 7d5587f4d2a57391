"""Practice draws on the server, shows the key only after an answer, and keeps what was wrong."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from examapp import clock
from examapp.content.questions.models import BankQuestion, QuestionVersion
from examapp.delivery.grading.tasks import grade_waiting
from examapp.learning.courses.models import Chapter, ChapterProgress, Course, PracticeItem
from examapp.learning.spaced_repetition.models import DueCount, ReviewCard, UnitWeakness
from examapp.learning.spaced_repetition.tasks import count_everybody, look_at_exams
from question_bank.model import Kind
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank
from tests.conftest import NOON
from tests.helpers.forms import token
from tests.helpers.practice import draw, post, right_response


@pytest.fixture
def learner(world):
    person = world.person()
    client = world.client(person)
    client.person = person
    return client


def test_the_key_is_shown_only_after_the_answer_and_the_first_answer_counts(world, session, learner):
    question = world.question(key=("B",), explanation="只在作答后出现的解析")
    item, path = draw(learner, session)
    before = learner.get(path).get_data(as_text=True)
    assert question.current_version.content["parts"][0]["stem"] in before
    assert "只在作答后出现的解析" not in before
    assert "正确答案" not in before
    wrong = next(letter for letter in "ABCD" if [letter] != right_response(item, "B"))
    assert post(learner, path, {"response": wrong}).status_code == 302
    after = learner.get(path).get_data(as_text=True)
    assert "答错了" in after
    assert "只在作答后出现的解析" in after
    again = post(learner, path, {"response": right_response(item, "B")[0]})
    assert "以第一次作答为准" in learner.get(again.location).get_data(as_text=True)
    session.expire_all()
    assert (item.is_right, item.response) == (False, [wrong])
    assert session.get(QuestionVersion, item.question_version_id).used_at is not None


@pytest.mark.parametrize(
    ("response", "text"),
    [
        ([], "请先作答"),
        (["Z"], "选项不对"),
        (["A", "B"], "选项不对"),
    ],
)
def test_an_answer_without_a_choice_is_rejected_and_shows_no_key(world, session, learner, response, text):
    world.question(explanation="解析在此")
    item, path = draw(learner, session)
    answer = post(learner, path, {"response": response})
    assert answer.status_code == 422
    assert text in answer.get_data(as_text=True)
    assert "解析在此" not in answer.get_data(as_text=True)
    session.expire_all()
    assert item.answered_at is None


def test_every_kind_is_graded_on_the_server(world, session, learner):
    world.question(Kind.MULTIPLE_CHOICE, key=("A", "C"))
    item, path = draw(learner, session, kind="multiple_choice")
    post(learner, path, {"response": right_response(item, "AC")})
    session.expire_all()
    assert item.is_right
    world.question(Kind.FILL_BLANK)
    item, path = draw(learner, session, kind="fill_blank")
    post(learner, path, {"response": " 30 日"})
    session.expire_all()
    assert item.is_right
    assert "三十日 / 30日" in learner.get(path).get_data(as_text=True)
    world.question(Kind.CASE, parts=[(Kind.TRUE_FALSE, ("B",), 2)])
    item, path = draw(learner, session, kind="case")
    assert item.order == "AB"
    post(learner, path, {"response": "A"})
    session.expire_all()
    assert item.is_right is False


def test_practice_keeps_to_what_was_chosen_and_says_when_nothing_fits(world, session, learner):
    wanted = world.question(law="民法典", topic="民事", difficulty="hard")
    world.question(law="行政处罚法")
    world.question(law="民法典", topic="民事", state="draft", difficulty="hard")
    world.question(Kind.CASE, law="民法典", parts=[(Kind.SHORT_ANSWER, ("答",), 0)])
    for _ in range(3):
        item, path = draw(learner, session, law="民法典")
        assert item.question_id == wanted.id
        post(learner, path, {"response": "A"})
        following = post(learner, f"{path}/next")
        assert session.get(PracticeItem, int(following.location.rsplit("/", 1)[1])).question_id == wanted.id
    answer = post(learner, "/practice/", {"law": "民法典", "difficulty": "easy"})
    assert "没有符合条件的题目" in learner.get(answer.location).get_data(as_text=True)
    answer = post(learner, "/practice/", {"law": "没有的法", "kind": "nonsense"})
    assert "没有符合条件的题目" in learner.get(answer.location).get_data(as_text=True)


def test_what_was_met_long_ago_comes_after_what_was_never_met(world, session, learner):
    ids = {world.question().id for _ in range(4)}
    met = set()
    for _ in ids:
        item, path = draw(learner, session)
        met.add(item.question_id)
        post(learner, path, {"response": "A"})
    assert met == ids


def test_another_persons_question_is_not_found(world, session, learner):
    world.question()
    _, path = draw(learner, session)
    outsider = world.client(world.person())
    assert outsider.get(path).status_code == 404
    assert post(outsider, path, {"response": "A"}).status_code == 404
    assert post(outsider, f"{path}/next").status_code == 404


def test_a_mistake_comes_back_the_next_day_and_then_later_and_later(world, session, learner, fixed_clock):
    world.question(key=("A",), explanation="应当记住的解析")
    item, path = draw(learner, session)
    wrong = next(letter for letter in "ABCD" if [letter] != right_response(item, "A"))
    post(learner, path, {"response": wrong})
    book = learner.get("/practice/mistakes").get_data(as_text=True)
    assert "今天该复习 <b>0</b> 题，共 1 题" in book
    assert "应当记住的解析" in book
    assert "错题本是空的" in world.client(world.person()).get("/practice/mistakes").get_data(as_text=True)
    assert "今天该复习的错题都练完了" in learner.get(post(learner, "/practice/mistakes").location).get_data(
        as_text=True
    )
    waits = []
    for _ in range(3):
        card = session.query(ReviewCard).one()
        waits.append((card.due_at - fixed_clock.instant).days)
        fixed_clock.at(card.due_at + timedelta(hours=9))
        client = world.client(learner.person)
        assert "今天该复习 <b>1</b> 题" in client.get("/practice/mistakes").get_data(as_text=True)
        assert "复习今天的 1 题错题" in client.get("/practice/").get_data(as_text=True)
        answer = post(client, "/practice/mistakes")
        item = session.get(PracticeItem, int(answer.location.rsplit("/", 1)[1]))
        post(client, answer.location, {"response": right_response(item, "A")})
        assert post(client, f"{answer.location}/next").location == "/practice/mistakes"
    assert waits[0] == 0
    assert waits[1] < waits[2], waits


def test_ahead_of_time_the_book_can_be_practised_and_unsure_ones_are_in_it(world, session, learner):
    world.question(key=("A",))
    item, path = draw(learner, session)
    post(learner, path, {"response": right_response(item, "A"), "unsure": "1"})
    assert "不太确定" in learner.get(path).get_data(as_text=True)
    card = session.query(ReviewCard).one()
    assert (card.is_right, card.lapses) == (True, 0)
    assert card.due_at > NOON
    answer = post(learner, "/practice/mistakes", {"ahead": "1"})
    assert session.get(PracticeItem, int(answer.location.rsplit("/", 1)[1])).question_id == card.question_id


def test_the_book_is_filtered_by_law_and_kind_and_practised_so(world, session, learner):
    laws = ("民法典", "行政处罚法")
    for law in laws:
        world.question(law=law, key=("A",))
        item, path = draw(learner, session, law=law)
        post(learner, path, {"response": next(letter for letter in "ABCD" if [letter] != right_response(item, "A"))})
    for law, other in (laws, laws[::-1]):
        book = learner.get("/practice/mistakes", query_string={"law": law, "kind": "single_choice"})
        text = book.get_data(as_text=True)
        assert "共 1 题" in text
        assert f'<span class="soft">{law}' in text
        assert f'<span class="soft">{other}' not in text
        drawn = post(learner, "/practice/mistakes", {"law": law, "ahead": "1"}).location
        asked = session.get(PracticeItem, int(drawn.rsplit("/", 1)[1]))
        assert session.get(BankQuestion, asked.question_id).law_name == law
    for nothing in ({"law": laws[0], "kind": "true_false"}, {"law": "没有的法"}):
        assert "没有符合条件的错题" in learner.get("/practice/mistakes", query_string=nothing).get_data(as_text=True)
    gone = learner.get("/practice/mistakes", query_string={"law": "没有的法"}).get_data(as_text=True)
    assert '<option value="没有的法" selected>' in gone, "what the list is filtered by is said"
    assert "共 2 题" in learner.get("/practice/mistakes?kind=nonsense").get_data(as_text=True)


def test_a_page_of_the_book_costs_as_many_statements_however_many_questions_it_shows(
    world, session, learner, statements
):
    counts = []
    for shown in range(1, 5):
        law = f"第{shown}号法"
        world.question(law=law, key=("A",))
        item, path = draw(learner, session, law=law)
        post(learner, path, {"response": next(letter for letter in "ABCD" if [letter] != right_response(item, "A"))})
        with statements() as seen:
            book = learner.get("/practice/mistakes").get_data(as_text=True)
        assert book.count('class="sheet practice mistake"') == shown
        counts.append(len(seen))
    assert len(set(counts)) == 1
    assert counts[0] <= 14


def test_a_mastered_question_leaves_the_book_and_a_new_mistake_brings_it_back(world, session, learner):
    world.question(key=("A",))
    item, path = draw(learner, session)
    wrong = next(letter for letter in "ABCD" if [letter] != right_response(item, "A"))
    post(learner, path, {"response": wrong})
    mistake = f"/practice/mistakes/{item.question_id}"
    outsider = world.client(world.person())
    assert post(outsider, f"{mistake}/remove").status_code == 404
    assert post(outsider, mistake).status_code == 404
    assert "共 1 题" in learner.get("/practice/mistakes").get_data(as_text=True)
    again = post(learner, mistake).location
    assert session.get(PracticeItem, int(again.rsplit("/", 1)[1])).question_id == item.question_id
    assert post(learner, f"{mistake}/remove").location == "/practice/mistakes"
    assert "错题本是空的" in learner.get("/practice/mistakes").get_data(as_text=True)
    assert post(learner, mistake).status_code == 404
    item = session.get(PracticeItem, int(again.rsplit("/", 1)[1]))
    post(learner, again, {"response": next(letter for letter in "ABCD" if [letter] != right_response(item, "A"))})
    assert "共 1 题" in learner.get("/practice/mistakes").get_data(as_text=True)


def test_what_was_right_and_sure_is_known_and_does_not_come_back(world, session, learner):
    world.question(key=("A",))
    item, path = draw(learner, session)
    post(learner, path, {"response": right_response(item, "A")})
    card = session.query(ReviewCard).one()
    assert (card.is_right, card.due_at) == (True, None)
    assert "错题本是空的" in learner.get("/practice/mistakes").get_data(as_text=True)


def test_mistakes_and_unsure_answers_of_an_exam_join_the_book_once_its_keys_are_released(
    world, session, learner, fixed_clock
):
    make_bank(world)
    exam = world.exam(world.blueprint(KINDS), keys_policy="at_close")
    candidate_client = CandidateClient(world, exam, learner.person)
    candidate_client.start()
    unit_id = learner.person.unit_id
    assert candidate_client.api.put(candidate_client.url("/marks"), json={"epoch": 1, "unsure": [4]}).status_code == 204
    candidate_client.hand_in((4, 1, ["B"]))
    grade_waiting(max_batches=1)
    look_at_exams()
    assert session.query(ReviewCard).count() == 0
    fixed_clock.at(fixed_clock.instant + timedelta(days=2))
    look_at_exams()
    look_at_exams()
    cards = session.query(ReviewCard).all()
    assert len(cards) == 5
    assert [card.lapses for card in cards if card.is_right] == [0]
    assert all(card.due_at is not None and card.exam_id == exam.id for card in cards)
    sums = {
        (row.kind, row.name): (row.candidate_count, row.asked, row.right_count) for row in session.query(UnitWeakness)
    }
    assert sums == {("law", "行政处罚法"): (1, 5, 1)}
    assert session.query(UnitWeakness).one().unit_id == unit_id
    client = world.client(learner.person)
    book = client.get("/practice/mistakes").get_data(as_text=True)
    assert "其中考试错题 5 题" in book
    assert book.count("当时的作答") == 5 and "正确答案" in book and "理由" in book
    assert session.query(PracticeItem).count() == 0, "looking draws no question"
    answer = post(client, "/practice/mistakes")
    assert session.get(PracticeItem, int(answer.location.rsplit("/", 1)[1])).wanted["is_mistakes"]


def test_a_later_practice_is_not_undone_by_an_older_exam(world, session, learner, fixed_clock):
    make_bank(world)
    exam = world.exam(world.blueprint(KINDS), keys_policy="at_close")
    candidate_client = CandidateClient(world, exam, learner.person)
    candidate_client.start()
    candidate_client.hand_in()
    grade_waiting(max_batches=1)
    fixed_clock.at(fixed_clock.instant + timedelta(hours=3))
    item, path = draw(learner, session, kind="true_false")
    post(learner, path, {"response": "B"})
    fixed_clock.at(fixed_clock.instant + timedelta(days=2))
    look_at_exams()
    card = session.query(ReviewCard).filter_by(question_id=item.question_id).one()
    assert (card.is_right, card.exam_id, card.due_at) == (True, None, None)


def test_the_nights_count_says_what_is_due_for_everybody(world, session, learner, fixed_clock):
    world.question(key=("A",))
    item, path = draw(learner, session)
    wrong = next(letter for letter in "ABCD" if [letter] != right_response(item, "A"))
    post(learner, path, {"response": wrong})
    count_everybody()
    assert [row.due for row in session.query(DueCount)] == [0]
    fixed_clock.at(NOON + timedelta(days=1))
    count_everybody()
    session.expire_all()
    assert [row.due for row in session.query(DueCount)] == [1]


def test_practice_rests_while_an_exam_is_sat(world, session, learner, fixed_clock):
    for _ in range(2):
        world.question()
    _, path = draw(learner, session)
    exam = world.exam(world.blueprint())
    api = world.api(learner.person)
    started = api.post(f"/api/v1/exams/{exam.id}/attempts", json={})
    assert started.status_code in {200, 201}, started.get_json()
    answer = post(learner, path, {"response": "A"})
    assert answer.status_code == 409
    assert "您正在考试" in answer.get_data(as_text=True)
    fixed_clock.at(NOON + timedelta(hours=2))
    assert post(learner, path, {"response": "A"}).status_code == 302


def test_a_question_and_its_answer_cost_few_statements(world, session, learner, statements):
    world.question()
    _, path = draw(learner, session)
    learner.get(path)
    with statements() as seen:
        learner.get(path)
    assert len(seen) <= 5, seen
    csrf = token(learner)
    with statements() as seen:
        learner.post(path, data={"csrf_token": csrf, "response": "A"})
    assert len(seen) <= 3, seen


def test_an_exercises_answer_costs_three_statements(world, session, learner, statements):
    for _ in range(4):
        world.question(key=("A",))
    chapter = exercise_chapter(world, learner.person)
    csrf = token(learner)
    run = learner.post(f"/study/chapters/{chapter.id}/exercise", data={"csrf_token": csrf}).location
    path = learner.get(run).location
    with statements() as seen:
        assert learner.post(path, data={"csrf_token": csrf, "response": "A"}).status_code == 302
    assert len(seen) <= 3, seen


def exercise_chapter(world, person):
    now = clock.now()
    course = world.save(
        Course(title="宪法学习", year=2026, credits=Decimal(20), state="published", created_at=now, updated_at=now)
    )
    chapter = world.save(
        Chapter(course_id=course.id, position=1, title="一", body="<p>甲</p>", exercise_count=3, pass_count=3)
    )
    world.save(ChapterProgress(chapter_id=chapter.id, person_id=person.id, pages_opened=1, read_at=now))
    return chapter
