"""The audit administrator reads, searches and takes away the log; every act in the code has its words."""

import csv
import io
import re
from datetime import timedelta
from urllib.parse import unquote

from examapp.platform.audit.actions import WRITTEN_AT
from examapp.platform.audit.models import AuditEvent
from examapp.platform.audit.rules import ACT_LABELS
from tests.helpers.audit_log import note

ACT = re.compile(r"[a-z]+\.[a-z_]+")


def test_the_log_says_who_did_what_to_what_when_and_from_where(world, session, fixed_clock):
    office = world.admin("publicity_office", world.unit("司法局"), name="王主任")
    note(session, fixed_clock.instant, actor=office, count=3)
    page = world.client(world.admin("audit_admin")).get("/admin/audit/").text
    for text in (
        "王主任（司法局）",
        ACT_LABELS["exams.publish_exam"],
        "考试 7",
        "10.1.2.3",
        "2026年11月24日 12:00",
        "数量 3",
    ):
        assert text in page


def test_only_the_audit_administrator_reads_the_log(world):
    for role in ("publicity_office", "unit_admin", "leader", "system_admin", "security_admin"):
        client = world.client(world.admin(role))
        assert client.get("/admin/audit/").status_code == 404
        assert client.get("/admin/audit/export.csv").status_code == 404
    assert world.client().get("/admin/audit/").status_code == 302


def test_the_log_is_filtered_by_act_person_and_day(world, session, fixed_clock):
    one, two = world.admin(name="甲一"), world.admin(name="乙二")
    note(session, fixed_clock.instant, actor=one)
    note(session, fixed_clock.instant - timedelta(days=2), act="exams.close_exam", actor=two, person=one)
    note(session, fixed_clock.instant, act="grading.quarantine")
    client = world.client(world.admin("audit_admin"))

    def lines(**filters):
        return client.get("/admin/audit/", query_string=filters).text.count("<tr><td>")

    assert lines() == 3
    assert lines(act="exams.close_exam") == 1
    assert lines(q="甲一") == 2
    assert lines(q=two.staff_number) == 1
    assert lines(since="2026-11-24") == 2
    assert lines(until="2026-11-23") == 1
    assert lines(since="2026-11-22", until="2026-11-22") == 1
    assert lines(since="not a day", page="-3") == 3
    assert lines(q="没有这个人") == 0


def test_who_is_looked_for_in_the_log_stands_in_no_address(world, session, fixed_clock):
    """The search is posted; its own address, the export's and the other pages' carry the words sealed."""
    one, number = world.admin(name="甲一"), "13800000001"
    for count in range(60):
        note(session, fixed_clock.instant, actor=one, count=count)
    note(session, fixed_clock.instant, act="exams.close_exam", actor=one)
    client = world.api(world.admin("audit_admin"))
    found = client.post("/admin/audit/", data={"q": "甲一", "act": "exams.publish_exam", "until": "2026-11-24"})
    assert (found.status_code, "act=exams.publish_exam" in found.location) == (303, True)
    page = client.get(found.location)
    assert "共 60 条" in page.text
    addresses = [unquote(one) for one in (found.location, *re.findall(r'(?:href|action)="([^"]*)"', page.text))]
    assert len([address for address in addresses if "s=" in address]) >= 3
    assert not [address for address in addresses if "甲一" in address]
    second = next(address for address in addresses if "page=2" in address).replace("&amp;", "&")
    assert client.get(second).text.count("<tr><td>") == 10
    export = next(address for address in addresses if "export.csv" in address).replace("&amp;", "&")
    assert len(client.get(export).data.decode("utf-8-sig").splitlines()) == 61
    whole = client.post("/admin/audit/", data={"q": number})
    assert (whole.status_code, number in "".join(re.findall(r'(?:href|action)="([^"]*)"', whole.text))) == (200, False)


def test_an_auditor_of_one_county_reads_no_other(world, session, fixed_clock):
    ours, theirs = world.unit("甲县", kind="county"), world.unit("乙县", kind="county")
    note(session, fixed_clock.instant, actor=world.person(ours, name="甲县人"))
    note(session, fixed_clock.instant, actor=world.person(theirs, name="乙县人"))
    page = world.client(world.admin("audit_admin", ours)).get("/admin/audit/").text
    assert "甲县人" in page
    assert "乙县人" not in page


def test_the_csv_holds_the_same_lines_no_formula_and_is_logged_itself(world, session, fixed_clock):
    note(session, fixed_clock.instant, actor=world.person(name="=cmd|'/c calc'!A1"))
    note(session, fixed_clock.instant, act="exams.close_exam")
    answer = world.client(world.admin("audit_admin")).get("/admin/audit/export.csv?act=exams.publish_exam")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0][:3] == ["时间", "操作人", "操作"]
    assert len(rows) == 2
    assert rows[1][1].startswith("'=cmd")
    event = session.query(AuditEvent).filter_by(act="audit.export_events").one()
    assert (event.act, event.details) == ("audit.export_events", {"rows": 1})


def test_long_logs_have_pages_and_few_statements(world, session, fixed_clock, statements):
    person = world.person()
    for number in range(60):
        note(session, fixed_clock.instant + timedelta(seconds=number), actor=person)
    client = world.client(world.admin("audit_admin"))
    assert "第 1 页，共 2 页" in client.get("/admin/audit/").text
    with statements() as seen:
        assert client.get("/admin/audit/?page=2").text.count("<tr><td>") == 10
    assert len(seen) <= 6


def test_acts_made_up_for_the_past_leave_lines_of_the_day_they_were_written(session, fixed_clock):
    """As the demo county's: a line with an old date would be taken for forged."""
    session.info[WRITTEN_AT] = fixed_clock.instant
    note(session, fixed_clock.instant - timedelta(days=400))
    del session.info[WRITTEN_AT]
    assert session.query(AuditEvent).one().at == fixed_clock.instant
