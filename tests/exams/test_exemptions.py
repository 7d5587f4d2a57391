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
def scenario(world):
    unit = world.unit("本局")
    admin = world.admin("unit_admin", unit)
    return {
        "exam": world.exam(title="年度考试"),
        "unit": unit,
        "person": world.person(unit, name="李四", staff_number="B001"),
        "admin": world.client(admin),
        "office": world.client(world.admin("publicity_office")),
    }


def ask(scenario, **changes):
    return send(
        scenario["admin"],
        f"{LIST}/new",
        {
            "exam_id": scenario["exam"].id,
            "staff_number": "B001",
            "kind": "exemption",
            "reason": "长期病假",
            "details": "附医院证明",
        }
        | changes,
    )


def test_an_exemption_is_asked_for_approved_and_counts(world, session, scenario):
    assert ask(scenario).status_code == 302
    row = session.query(Exemption).one()
    assert (row.reason, row.kind, row.approved_at) == ("长期病假：附医院证明", "exemption", None)
    assert "已有申请" in text_of(ask(scenario))
    assert send(scenario["admin"], f"{LIST}/{row.id}/approve").status_code == 404
    page = text_of(scenario["office"].get(LIST))
    for text in ("李四", "本局", "长期病假：附医院证明", "待审批", "同意"):
        assert text in page
    assert send(scenario["office"], f"{LIST}/{row.id}/approve").status_code == 302
    assert not find_candidate_exam(session, scenario["exam"].id, scenario["person"].id).is_eligible
    send(scenario["admin"], f"{LIST}/{row.id}/withdraw")
    assert "请联系普法办" in text_of(scenario["admin"].get(LIST))
    send(scenario["office"], f"{LIST}/{row.id}/withdraw")
    assert find_candidate_exam(session, scenario["exam"].id, scenario["person"].id).is_eligible
    acts = [
        event.act
        for event in session.query(AuditEvent).filter_by(person_id=scenario["person"].id).order_by(AuditEvent.id)
    ]
    assert acts == ["exams.request_exemption", "exams.approve_exemption", "exams.withdraw_exemption"]


def test_a_rejection_needs_a_reason_and_another_request_may_follow(world, session, scenario):
    ask(scenario, kind="deferral")
    row = session.query(Exemption).one()
    send(scenario["office"], f"{LIST}/{row.id}/refuse")
    assert "请写明理由" in text_of(scenario["office"].get(LIST))
    send(scenario["office"], f"{LIST}/{row.id}/refuse", {"answer": "请先补交证明"})
    page = text_of(scenario["admin"].get(f"{LIST}?status=refused"))
    assert "请先补交证明" in page
    assert "未同意" in page
    send(scenario["office"], f"{LIST}/{row.id}/approve")
    assert "已经处理过" in text_of(scenario["office"].get(LIST))
    assert find_candidate_exam(session, scenario["exam"].id, scenario["person"].id).is_eligible
    assert ask(scenario).status_code == 302
    assert session.query(Exemption).count() == 2


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"staff_number": "没有"}, "没有找到“没有”"),
        ({"staff_number": ""}, "请填写姓名或工号"),
        ({"exam_id": ""}, "请选择考试"),
        ({"exam_id": "999999"}, "考试"),
        ({"reason": "其他", "details": ""}, "请写明具体情况"),
        ({"reason": "不想考"}, "原因"),
        ({"kind": "gift"}, "申请"),
    ],
)
def test_a_request_that_cannot_stand_is_rejected_in_words(world, session, scenario, changes, text):
    answer = ask(scenario, **changes)
    assert answer.status_code == 422
    assert text in text_of(answer)
    assert session.query(Exemption).count() == 0


def test_a_person_is_named_by_name_and_where_several_have_it_by_unit_too(world, session, scenario):
    twin = world.person(world.unit("办公室", parent=scenario["unit"]), name="李四", staff_number="B002")
    rejected = ask(scenario, staff_number="李四")
    assert rejected.status_code == 422
    text = text_of(rejected)
    assert "李四（本局，工号 B001）" in text and "李四（办公室，工号 B002）" in text
    assert ask(scenario, staff_number="李四 办公室").status_code == 302
    assert session.query(Exemption).one().person_id == twin.id
    twin.state = "left"
    session.flush()
    assert ask(scenario, staff_number="李四").status_code == 302
    assert session.query(Exemption).filter_by(person_id=scenario["person"].id).count() == 1
    assert "没有找到" in text_of(ask(scenario, staff_number="本局"))


def test_fields_beside_the_form_do_not_approve(world, session, scenario):
    """H05."""
    ask(scenario, approved_at="2026-01-01", approved_by_id="1", person_id="1", unit_id="1")
    row = session.query(Exemption).one()
    assert (row.approved_at, row.approved_by_id, row.person_id) == (None, None, scenario["person"].id)


def test_what_lies_outside_the_reach_is_not_there(world, session, scenario):
    """H03."""
    outsider = world.person(world.unit("别局"), name="王五", staff_number="C001")
    assert "没有找到“C001”" in text_of(ask(scenario, staff_number="C001"))
    row = world.save(
        Exemption(
            exam_id=scenario["exam"].id,
            person_id=outsider.id,
            kind="exemption",
            reason="其他：事由",
            requested_at=clock.now(),
        )
    )
    assert "王五" not in text_of(scenario["admin"].get(LIST))
    assert send(scenario["admin"], f"{LIST}/{row.id}/withdraw").status_code == 404
    assert send(scenario["admin"], f"{LIST}/999999/withdraw").status_code == 404
    assert world.client(scenario["person"]).get(LIST).status_code == 404


def test_nobody_decides_on_their_own_request(world, session, scenario):
    officer = world.admin("publicity_office", name="赵六")
    row = world.save(
        Exemption(
            exam_id=scenario["exam"].id,
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


def test_a_long_list_comes_in_pages_and_filters_stand_in_the_address(world, session, scenario):
    for _ in range(55):
        person = world.person(scenario["unit"], login=False)
        world.save(
            Exemption(
                exam_id=scenario["exam"].id,
                person_id=person.id,
                kind="exemption",
                reason="长期病假",
                requested_at=clock.now(),
            )
        )
    page = text_of(scenario["office"].get(f"{LIST}?exam={scenario['exam'].id}&status=pending"))
    assert "共 55 份" in page
    assert "第 1 页，共 2 页" in page
    assert f"exam={scenario['exam'].id}&amp;status=pending&amp;page=2" in page
    assert scenario["office"].get(f"{LIST}?exam=abc&status=nonsense&page=-4").status_code == 200
    assert scenario["office"].get(f"{LIST}?page=99999999999999999999").status_code == 200
