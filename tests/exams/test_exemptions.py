"""A unit asks for exemptions, the office decides."""

from __future__ import annotations

import pytest

from examapp import clock
from examapp.delivery.exam_candidates.queries import find_candidate_exam
from examapp.delivery.exams.models import Exemption
from examapp.platform.audit.models import AuditEvent
from tests.helpers.forms import post

LIST = "/admin/exams/exemptions"


def text_of(answer):
    return answer.get_data(as_text=True)


def send(client, path, fields=None):
    return post(client, path, fields, page=f"{LIST}/new")


@pytest.fixture
def scene(world):
    unit = world.unit("本局")
    admin = world.admin("unit_admin", unit)
    return {
        "exam": world.exam(title="年度考试"),
        "unit": unit,
        "person": world.person(unit, name="李四", staff_number="B001"),
        "admin": world.client(admin),
        "office": world.client(world.admin("publicity_office")),
    }


def ask(scene, **changes):
    return send(
        scene["admin"],
        f"{LIST}/new",
        {
            "exam_id": scene["exam"].id,
            "staff_number": "B001",
            "kind": "exemption",
            "reason": "长期病假",
            "details": "附医院证明",
        }
        | changes,
    )


def test_an_exemption_is_asked_for_approved_and_counts(world, session, scene):
    assert ask(scene).status_code == 302
    row = session.query(Exemption).one()
    assert (row.reason, row.kind, row.approved_at) == ("长期病假：附医院证明", "exemption", None)
    assert "已有申请" in text_of(ask(scene))
    assert send(scene["admin"], f"{LIST}/{row.id}/approve").status_code == 404
    page = text_of(scene["office"].get(LIST))
    for words in ("李四", "本局", "长期病假：附医院证明", "待审批", "同意"):
        assert words in page
    assert send(scene["office"], f"{LIST}/{row.id}/approve").status_code == 302
    assert not find_candidate_exam(session, scene["exam"].id, scene["person"].id).is_eligible
    send(scene["admin"], f"{LIST}/{row.id}/withdraw")
    assert "请联系普法办" in text_of(scene["admin"].get(LIST))
    send(scene["office"], f"{LIST}/{row.id}/withdraw")
    assert find_candidate_exam(session, scene["exam"].id, scene["person"].id).is_eligible
    acts = [
        event.act for event in session.query(AuditEvent).filter_by(person_id=scene["person"].id).order_by(AuditEvent.id)
    ]
    assert acts == ["exams.request_exemption", "exams.approve_exemption", "exams.withdraw_exemption"]


def test_a_refusal_needs_a_reason_and_another_request_may_follow(world, session, scene):
    ask(scene, kind="deferral")
    row = session.query(Exemption).one()
    send(scene["office"], f"{LIST}/{row.id}/refuse")
    assert "请写明理由" in text_of(scene["office"].get(LIST))
    send(scene["office"], f"{LIST}/{row.id}/refuse", {"answer": "请先补交证明"})
    page = text_of(scene["admin"].get(f"{LIST}?status=refused"))
    assert "请先补交证明" in page
    assert "未同意" in page
    send(scene["office"], f"{LIST}/{row.id}/approve")
    assert "已经处理过" in text_of(scene["office"].get(LIST))
    assert find_candidate_exam(session, scene["exam"].id, scene["person"].id).is_eligible
    assert ask(scene).status_code == 302
    assert session.query(Exemption).count() == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"staff_number": "没有"}, "没有找到这个工号"),
        ({"staff_number": ""}, "请填写人员工号"),
        ({"exam_id": ""}, "请选择考试"),
        ({"exam_id": "999999"}, "考试"),
        ({"reason": "其他", "details": ""}, "请写明具体情况"),
        ({"reason": "不想考"}, "原因"),
        ({"kind": "gift"}, "申请"),
    ],
)
def test_a_request_that_cannot_stand_is_refused_in_words(world, session, scene, changes, words):
    answer = ask(scene, **changes)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert session.query(Exemption).count() == 0


def test_fields_beside_the_form_do_not_approve(world, session, scene):
    """H05."""
    ask(scene, approved_at="2026-01-01", approved_by_id="1", person_id="1", unit_id="1")
    row = session.query(Exemption).one()
    assert (row.approved_at, row.approved_by_id, row.person_id) == (None, None, scene["person"].id)


def test_what_lies_outside_the_reach_is_not_there(world, session, scene):
    """H03."""
    stranger = world.person(world.unit("别局"), name="王五", staff_number="C001")
    assert "没有找到这个工号" in text_of(ask(scene, staff_number="C001"))
    row = world.save(
        Exemption(
            exam_id=scene["exam"].id,
            person_id=stranger.id,
            kind="exemption",
            reason="其他：事由",
            requested_at=clock.now(),
        )
    )
    assert "王五" not in text_of(scene["admin"].get(LIST))
    assert send(scene["admin"], f"{LIST}/{row.id}/withdraw").status_code == 404
    assert send(scene["admin"], f"{LIST}/999999/withdraw").status_code == 404
    assert world.client(scene["person"]).get(LIST).status_code == 404


def test_nobody_decides_on_their_own_request(world, session, scene):
    officer = world.admin("publicity_office", name="赵六")
    row = world.save(
        Exemption(
            exam_id=scene["exam"].id,
            person_id=officer.id,
            kind="exemption",
            reason="长期病假",
            requested_at=clock.now(),
        )
    )
    client = world.client(officer)
    send(client, f"{LIST}/{row.id}/approve")
    assert "不能审批自己的申请" in text_of(client.get(LIST))
    session.expire_all()
    assert row.approved_at is None


def test_a_long_list_comes_in_pages_and_filters_stand_in_the_address(world, session, scene):
    for _ in range(55):
        person = world.person(scene["unit"], login=False)
        world.save(
            Exemption(
                exam_id=scene["exam"].id,
                person_id=person.id,
                kind="exemption",
                reason="长期病假",
                requested_at=clock.now(),
            )
        )
    page = text_of(scene["office"].get(f"{LIST}?exam={scene['exam'].id}&status=pending"))
    assert "共 55 份" in page
    assert "第 1 页，共 2 页" in page
    assert f"exam={scene['exam'].id}&amp;status=pending&amp;page=2" in page
    assert scene["office"].get(f"{LIST}?exam=abc&status=nonsense&page=-4").status_code == 200
    assert scene["office"].get(f"{LIST}?page=99999999999999999999").status_code == 200
