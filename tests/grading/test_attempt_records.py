"""The paper on record: for a reason, audited; a receipt is genuine or not, and whose it is only who may know learns."""

from __future__ import annotations

from examapp.delivery.attempts.models import Attempt
from examapp.platform.audit.models import AuditEvent
from question_bank.model import Kind
from tests.helpers.grading import take_exam


def test_a_paper_is_seen_for_a_reason_that_is_kept(world, session):
    world.question(Kind.SINGLE_CHOICE, key=("A",))
    exam = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 1, "2"),)), results_policy="never", keys_policy="never")
    candidate_client = take_exam(world, exam, right="A")
    attempt = session.get(Attempt, candidate_client.attempt["id"])
    address = f"/admin/attempts/{attempt.id}/record"
    security = world.api(world.admin("security_admin"))
    assert attempt.receipt_number not in security.get(address).text
    assert security.post(address, data={"reason": " "}).status_code == 422
    assert session.query(AuditEvent).filter_by(act="attempts.show_record").count() == 0
    page = security.post(address, data={"reason": "本人申请复核"}).text
    for label in (attempt.receipt_number, attempt.receipt_sha256, "首次评分", "本人选的", "收到的每次修改（1 次）"):
        assert label in page
    event = session.query(AuditEvent).filter_by(act="attempts.show_record").one()
    assert (event.person_id, event.details["reason"]) == (candidate_client.person.id, "本人申请复核")
    assert world.api(world.admin("unit_admin", world.unit("某局"))).get(address).status_code == 404


def test_a_receipt_says_whose_it_is_to_the_person_and_to_the_units_admin_only(world, session):
    world.question(Kind.SINGLE_CHOICE, key=("A",))
    exam = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 1, "2"),)))
    unit = world.unit("甲局")
    candidate_client = take_exam(world, exam, right="A", unit=unit)
    candidate_client.person.name = "欧阳某某"
    session.flush()
    number = session.get(Attempt, candidate_client.attempt["id"]).receipt_number
    own, admin, other = candidate_client.api, world.api(world.admin("unit_admin", unit)), world.api(world.person())
    for client, is_named in ((own, True), (admin, True), (other, False)):
        page = client.get("/receipts", query_string={"number": number.lower()}).text
        assert "这张回执是真的" in page and ("欧阳某某" in page) is is_named
    assert "没有这个编号的回执" in other.get("/receipts", query_string={"number": "000000001-FFFFFF"}).text
