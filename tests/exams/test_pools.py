"""No exam that counts shares its questions with one that shows keys while it runs: said at publication, both ways round."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp.delivery.exams.models import ExamAudience, ExamState
from question_bank.model import Kind
from tests.helpers.exam_forms import act


@pytest.fixture
def blueprints(world):
    """Two blueprints over one law, and one over another."""
    for law in ("宪法", "民法典"):
        for _ in range(3):
            world.question(law=law)
    world.person()
    made = []
    for laws in (["宪法"], ["宪法"], ["民法典"]):
        blueprint = world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),))
        blueprint.sections[0].laws = laws
        made.append(blueprint)
    world.session.commit()
    return made


@pytest.fixture
def office(world):
    return world.api(world.admin("publicity_office"))


@pytest.mark.parametrize("kinds", [("mock", "annual"), ("annual", "mock")])
def test_a_shared_pool_is_rejected_with_the_others_name_in_both_directions(world, session, office, blueprints, kinds):
    published, draft = kinds
    keys = {"mock": "at_once", "annual": "at_close"}
    world.exam(blueprints[0], title="先发布的一场", kind=published, keys_policy=keys[published])
    exam = world.exam(blueprints[1], state="draft", kind=draft, keys_policy=keys[draft])
    act(office, exam, "publish")
    session.expire_all()
    assert exam.state == ExamState.DRAFT
    page = office.get(f"/admin/exams/{exam.id}").text
    assert "“先发布的一场”" in page
    assert "有 3 道题相同" in page
    exam.blueprint_id = blueprints[2].id
    session.commit()
    act(office, exam, "publish")
    session.expire_all()
    assert exam.state == ExamState.PUBLISHED


@pytest.mark.parametrize(
    "fields",
    [
        {"keys_policy": "at_close"},
        {"keys_policy": "never"},
        {"results_policy": "at_close"},
        {"lasts": timedelta(minutes=30)},
        {"state": "draft"},
    ],
)
def test_a_mock_that_gives_nothing_away_may_share(world, session, office, blueprints, fields):
    world.exam(blueprints[0], **{"kind": "mock", "keys_policy": "at_once", **fields})
    exam = world.exam(blueprints[1], state="draft")
    act(office, exam, "publish")
    session.expire_all()
    assert exam.state == ExamState.PUBLISHED


def test_a_part_of_the_audience_with_a_blueprint_of_its_own_is_looked_at(world, session, office, blueprints):
    world.exam(blueprints[0], kind="mock", keys_policy="at_once", title="模拟")
    exam = world.exam(blueprints[2], state="draft")
    world.save(ExamAudience(exam_id=exam.id, ranks=["一级科员"], blueprint_id=blueprints[1].id))
    act(office, exam, "publish")
    session.expire_all()
    assert exam.state == ExamState.DRAFT


def test_a_published_mock_cannot_be_made_to_show_its_keys_at_once_beside_an_exam_that_counts(
    world, session, office, blueprints
):
    mock = world.exam(blueprints[0], kind="mock", keys_policy="at_close")
    world.exam(blueprints[1], title="年度考试")
    form = {"results_policy": "at_once", "keys_policy": "at_once"}
    page = office.post(f"/admin/exams/{mock.id}/release", data=form)
    assert "“年度考试”" in page.text
    session.expire_all()
    assert mock.keys_policy == "at_close"
