"""An ordering question from paper to result: its answer is all option keys in the order given."""

from __future__ import annotations

import pytest

from examapp.content.blueprints.models import Blueprint
from examapp.delivery.grading.models import Grade
from examapp.delivery.grading.tasks import grade_waiting
from examapp.learning.courses.models import PracticeItem
from question_bank.model import Kind
from tests.attempts.candidate_clients import CandidateClient, sheet_digest
from tests.helpers.forms import post, token_of

STEPS = ("C", "A", "D", "B")


@pytest.fixture
def candidate_client(world):
    """Somebody who sits one ordering question of six points and a single choice of four."""
    return start(world)


def start(world, scoring="", **exam_fields):
    world.question(Kind.ORDERING, key=STEPS)
    world.question(Kind.SINGLE_CHOICE, key=("B",))
    blueprint = world.blueprint(((Kind.ORDERING, 1, "6"), (Kind.SINGLE_CHOICE, 1, "4")), is_shuffled=False)
    blueprint.sections[0].scoring = scoring
    world.session.flush()
    candidate_client = CandidateClient(world, world.exam(blueprint, **exam_fields), world.person())
    candidate_client.start()
    return candidate_client


def right(candidate_client):
    """The right order in the letters of this person's paper, by the options' texts, which end with their stored letter."""
    options = candidate_client.paper()["sections"][0]["items"][0]["options"]
    return [next(o["key"] for o in options if o["text"].endswith(letter)) for letter in STEPS]


def grade(candidate_client, session):
    grade_waiting(max_batches=1)
    session.expire_all()
    return session.query(Grade).filter_by(attempt_id=candidate_client.attempt["id"]).one()


def test_paper_of_an_ordering_item_is_shuffled_also_where_options_are_not(world, session):
    shown = set()
    question = world.question(Kind.ORDERING, key=STEPS)
    blueprint = world.blueprint(((Kind.ORDERING, 1, "6"),), is_shuffled=False)
    for _ in range(12):
        candidate_client = CandidateClient(world, world.exam(blueprint), world.person())
        candidate_client.start()
        (item,) = candidate_client.paper()["sections"][0]["items"]
        assert (item["kind"], item["blanks"]) == ("ordering", None)
        assert [option["key"] for option in item["options"]] == list("ABCD")
        texts = [option["text"] for option in item["options"]]
        assert sorted(texts) == sorted(question.current_version.content["parts"][0]["options"])
        shown.add(tuple(texts))
    assert len(shown) > 1


def test_order_is_kept_as_given_replaced_by_another_and_cleared(candidate_client):
    assert candidate_client.save((1, 1, ["D", "A", "C", "B"])).get_json()["acked"] == {"1": 1}
    assert candidate_client.answers()[1] == ["D", "A", "C", "B"]
    assert candidate_client.save((1, 1, ["A", "D", "C", "B"])).get_json()["refused"] == {"1": "seq_conflict"}
    assert candidate_client.save((1, 1, ["D", "A", "C", "B"])).get_json()["acked"] == {"1": 1}
    candidate_client.save((1, 2, []))
    assert candidate_client.answers()[1] == []


@pytest.mark.parametrize(
    ("response", "rejection"),
    [
        (["A", "E"], "unknown_option"),
        (["A", "a"], "unknown_option"),
        (["A", "B", "A"], "repeated_option"),
        (["A", "B", "C", "D", "D"], "repeated_option"),
        (["A\0"], "bad_text"),
    ],
)
def test_order_that_is_none_is_rejected(candidate_client, response, rejection):
    assert candidate_client.save((1, 1, response)).get_json()["refused"] == {"1": rejection}
    assert candidate_client.answers() == {}


def test_part_of_an_order_is_a_draft_that_counts_as_not_answered(candidate_client, session):
    assert candidate_client.save((1, 1, ["D", "A"])).get_json()["acked"] == {"1": 1}
    assert candidate_client.answers()[1] == ["D", "A"]
    receipt = candidate_client.hand_in((2, 1, ["A"])).get_json()["receipt"]
    assert (receipt["answered"], receipt["total"]) == (1, 2)
    assert receipt["sha256"] == sheet_digest(candidate_client.attempt["id"], [[2, ["A"]]])
    assert grade(candidate_client, session).item_points[0] == "0.00"


def test_receipt_is_made_of_the_order_as_given(candidate_client):
    receipt = candidate_client.hand_in((1, 1, ["D", "B", "C", "A"]), (2, 1, ["A"])).get_json()["receipt"]
    assert (receipt["answered"], receipt["total"]) == (2, 2)
    assert receipt["sha256"] == sheet_digest(candidate_client.attempt["id"], [[1, ["D", "B", "C", "A"]], [2, ["A"]]])


@pytest.mark.parametrize(
    ("scoring", "swapped", "points"),
    [
        ("", (), "6.00"),
        ("", (0, 1), "0.00"),
        ("all_or_nothing", (0, 1), "0.00"),
        ("right_pairs", (), "6.00"),
        ("right_pairs", (0, 1), "5.00"),
        ("right_pairs", (0, 3), "1.00"),
    ],
)
def test_order_is_scored_by_the_rule_of_its_section(world, session, scoring, swapped, points):
    candidate_client = start(world, scoring)
    order = right(candidate_client)
    if swapped:
        first, second = swapped
        order[first], order[second] = order[second], order[first]
    candidate_client.hand_in((1, 1, order))
    assert grade(candidate_client, session).item_points == [points, "0.00"]


def test_result_shows_the_right_order_beside_the_own_one(world, session):
    candidate_client = start(world, kind="mock", keys_policy="at_once", results_policy="at_once")
    key = right(candidate_client)
    order = [key[1], key[0], *key[2:]]
    candidate_client.hand_in((1, 1, order))
    grade(candidate_client, session)
    answer = candidate_client.result().get_json()
    assert (answer["items"][0]["key"], answer["items"][0]["response"]) == (key, order)
    page = candidate_client.api.get(f"/attempts/{candidate_client.attempt['id']}/result").get_data(as_text=True)
    assert f"正确顺序：{' → '.join(key)}" in page
    assert f"您的顺序：{' → '.join(order)}" in page
    assert "您排在第 2 位" in page


def test_ordering_is_practised(world, session):
    world.question(Kind.ORDERING, key=STEPS)
    client = world.client(world.person())
    drawn = post(client, "/practice/")
    item = session.get(PracticeItem, int(drawn.location.rsplit("/", 1)[1]))
    key = [chr(65 + item.order.index(letter)) for letter in STEPS]
    page = client.get(drawn.location)
    assert 'data-field="ordering"' in page.text and "正确顺序" not in page.text
    half = client.post(drawn.location, data={"csrf_token": token_of(page), "response": key[:2]})
    assert half.status_code == 422 and "请给每个选项排好位置" in half.text
    sent = {"csrf_token": token_of(page), "response": key}
    solved = client.post(drawn.location, data=sent, follow_redirects=True).text
    assert "答对了" in solved
    assert f"正确顺序：{' → '.join(key)}" in solved
    session.refresh(item)
    assert (item.is_right, item.response) == (True, key)


def test_section_with_a_scoring_rule_is_set_and_told_before_the_start(world, session):
    world.question(Kind.ORDERING, key=STEPS)
    office = world.api(world.admin("publicity_office"))
    fields = {
        "name": "排序", "sections-0-title": "一、排序题", "sections-0-kind": "ordering", "sections-0-count": "1", "sections-0-points_each": "6",
        "sections-0-scoring": "right_pairs",
    }  # fmt: skip
    saved = office.post("/admin/papers/new", data=fields)
    assert saved.status_code == 302, saved.get_data(as_text=True)
    shown = office.get(saved.location).get_data(as_text=True)
    assert "按先后正确的对数占全部对数的比例得分" in shown
    other = office.post("/admin/papers/new", data=fields | {"sections-0-kind": "single_choice"})
    assert "按先后正确的对数" not in office.get(other.location).get_data(as_text=True)
    exam = world.exam(world.session.get(Blueprint, int(saved.location.rsplit("/", 1)[1])))
    before = world.client(world.person()).get(f"/exams/{exam.id}").get_data(as_text=True)
    assert "按先后正确的对数占全部对数的比例得分" in before
