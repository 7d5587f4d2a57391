"""Exports: one file in effect, only for those within the access scope, and no formula in any cell."""

import csv
import io
import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from examapp import clock
from examapp.delivery.evidence.models import EvidencePack
from examapp.delivery.exams.models import MakeupEligibility
from examapp.jobs import runner
from examapp.organisation.people.models import RoleGrant
from examapp.organisation.people.rules import id_number_binding, mobile_binding
from examapp.organisation.units.models import Tree
from examapp.oversight.report_exports import actions as report_export_actions
from examapp.oversight.report_exports.models import Export
from examapp.oversight.report_files import actions as report_file_actions
from examapp.oversight.report_files.actions import RENDERERS
from examapp.platform.audit.models import AuditEvent
from examapp.platform.notices.models import OutgoingMessage
from examapp.web.metrics import Minute, write_report
from tests.helpers.grading import applied_correction
from tests.helpers.reports import run

HOSTILE = [
    "=cmd|'/C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\nx",
    "＝1",
    '引"号',
    "换\n行",
    "表情😀",
    "𠮷野",
    "长" * 60,
    "'单引",
    "1E5",
    "000123",
]


def ask(client, exam, unit, content="scores", format_="xlsx", **more):
    return client.post(
        f"/api/v1/exams/{exam.id}/exports", json={"unit": unit.id, "content": content, "format": format_, **more}
    )


def make(session, county, person, **fields):
    """An export whose enqueue was lost."""
    export = Export(
        exam_id=county.exam.id,
        unit_id=county.top.id,
        created_by_id=person.id,
        created_at=clock.now(),
        **({"content": "scores", "format": "xlsx"} | fields),
    )
    session.add(export)
    session.flush()
    return export


def acts(session):
    return [
        event.act
        for event in session.scalars(select(AuditEvent).order_by(AuditEvent.id))
        if event.act.startswith("reports.")
    ]


def test_export_is_asked_for_built_and_downloaded_with_audit_lines(county, world, session):
    county.fill_with_every_odd_case()
    client = world.api(world.admin())
    answer = ask(client, county.exam, county.top)
    assert answer.status_code == 202 and set(answer.get_json()) == {"export"}
    export_id = answer.get_json()["export"]["id"]
    state = client.get(f"/api/v1/exports/{export_id}").get_json()
    assert state == {"id": export_id, "state": "ready", "done": 25, "total": 25, "message": ""}
    file = client.get(f"/api/v1/exports/{export_id}/file")
    assert (
        file.status_code == 200
        and "attachment" in file.headers["Content-Disposition"]
        and file.headers["Cache-Control"] != "public"
    )
    assert acts(session) == ["reports.request_export", "reports.download_export"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"unit": 1},
        {"unit": "1", "content": "scores", "format": "xlsx"},
        {"unit": True, "content": "scores", "format": "xlsx"},
        {"unit": 1, "content": "everything", "format": "xlsx"},
        {"unit": 1, "content": "scores", "format": "pdf"},
        {"unit": -1, "content": "scores", "format": "csv"},
        {"unit": 2**70, "content": "scores", "format": "csv"},
        {"unit": 1, "content": None, "format": "csv"},
        {"unit": 1.5, "content": "scores", "format": "csv"},
        {"unit": 1, "content": "scores", "format": "csv", "tree": "x"},
        {"unit": 1, "content": "score_sheet", "format": "csv"},
    ],
)
def test_badly_shaped_requests_are_rejected(county, world, session, body):
    answer = world.api(world.admin()).post(f"/api/v1/exams/{county.exam.id}/exports", json=body)
    assert answer.status_code == 400 and answer.get_json()["error"] == "bad_request"
    assert session.scalars(select(Export)).all() == []


@pytest.mark.parametrize(
    "query",
    ["depth=-1", "depth=x", "depth=100", "depth=１", "tree=up", "unit=1.5", "unit=-1", "scope=all", f"unit={2**63}"],
)
def test_badly_shaped_questions_are_rejected(county, world, query):
    answer = world.api(world.admin()).get(f"/api/v1/exams/{county.exam.id}/participation?{query}")
    assert answer.status_code == 400


def test_every_row_of_a_csv_says_as_of_when_and_on_which_roster(county, world):
    county.fill_with_every_odd_case()
    client = world.api(world.admin())
    for content in ("scores", "participation", "absent"):
        export_id = ask(client, county.exam, county.top, content, "csv").get_json()["export"]["id"]
        text = client.get(f"/api/v1/exports/{export_id}/file").data.decode("utf-8-sig")
        head, *rows = csv.reader(io.StringIO(text))
        assert head[-3:] == ["统计范围", "统计时间", "名册"] and len(rows) > 5
        stamp = ["2026-11-24 12:00:00", "截至2026年11月24日 12:00的在册人员"]
        assert {tuple(row[-2:]) for row in rows} == {tuple(stamp)} and {len(row) for row in rows} == {len(head)}


def test_hostile_names_stay_text_in_every_format(county, world):
    for number, name in enumerate(HOSTILE):
        county.attempt(
            world.person(county.bureau, name=name, staff_number=f"H{number:03d}", position="=1+1"), points="61"
        )
    client = world.api(world.admin())
    for content in ("scores", "score_sheet"):
        export_id = ask(client, county.exam, county.top, content).get_json()["export"]["id"]
        data = client.get(f"/api/v1/exports/{export_id}/file").data
        sheet = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet and b"<hyperlink" not in sheet
        cells = [cell for row in load_workbook(io.BytesIO(data)).active.iter_rows() for cell in row]
        assert all(cell.data_type != "f" for cell in cells)
        assert {str(cell.value).replace("_x000D_", "\r") for cell in cells if cell.value is not None} >= {
            n for n in HOSTILE if n != "\rx"
        }
    export_id = ask(client, county.exam, county.top, format_="csv").get_json()["export"]["id"]
    rows = list(
        csv.DictReader(
            io.StringIO(client.get(f"/api/v1/exports/{export_id}/file").data.decode("utf-8-sig"), newline="")
        )
    )
    starts = ("=", "+", "-", "@", "\t", "\r", "\n", "＝")
    for name, row in zip(HOSTILE, rows, strict=True):
        assert row["姓名"] == (f"'{name}" if name.startswith(starts) else name) and row["职务"] == "'=1+1"


def test_no_export_holds_id_numbers_or_mobiles(county, world):
    world.person(
        county.bureau,
        id_number_encrypted=b"sealed-id",
        id_number_index=b"i",
        mobile_encrypted=b"sealed-mobile",
        mobile_index=b"m",
    )
    client = world.api(world.admin())
    for content in ("scores", "absent", "score_sheet"):
        export_id = ask(client, county.exam, county.top, content).get_json()["export"]["id"]
        head = [
            cell.value
            for row in load_workbook(
                io.BytesIO(client.get(f"/api/v1/exports/{export_id}/file").data)
            ).active.iter_rows()
            for cell in row
        ]
        assert not any(word in str(value) for value in head for word in ("身份证", "手机", "sealed"))


def test_building_twice_gives_one_file(county, world, session):
    county.fill_with_every_odd_case()
    export = make(session, county, world.admin())
    run(world, "jobs.run", export.id)
    session.refresh(export)
    first, finished = export.file, export.finished_at
    assert export.state == "done" and first
    run(world, "jobs.run", export.id)
    session.refresh(export)
    assert (export.file, export.finished_at, export.run_count) == (first, finished, 1)


def test_lost_export_is_found_by_the_sweep_and_set_aside_after_three_tries(county, world, session, fixed_clock):
    admin = world.admin()
    lost, poison = (
        make(session, county, admin),
        make(session, county, admin, state="running", run_count=3, lease_expires_at=clock.now()),
    )
    fixed_clock.at(clock.now() + timedelta(minutes=2))
    run(world, "jobs.sweep")
    session.refresh(lost)
    session.refresh(poison)
    assert lost.state == "done"
    assert poison.state == "quarantined" and "重新导出" in poison.message and poison.file is None


def test_what_waits_in_a_line_that_moves_is_not_enqueued_again_until_it_waits_too_long(
    county, world, session, fixed_clock
):
    waiting = make(session, county, world.admin())
    fixed_clock.at(clock.now() + timedelta(minutes=1))
    moving = make(session, county, world.admin(), state="done", started_at=clock.now() - timedelta(seconds=5))
    run(world, "jobs.sweep")
    session.refresh(waiting)
    assert waiting.state == "queued"
    fixed_clock.at(clock.now() + timedelta(minutes=5))
    moving.started_at = clock.now() - timedelta(seconds=5)
    session.flush()
    run(world, "jobs.sweep")
    session.refresh(waiting)
    assert waiting.state == "done"


def test_who_waits_is_told_how_many_files_come_before(county, world, session):
    admin, other = world.admin(), world.admin()
    make(session, county, other, state="running", lease_expires_at=clock.now(), run_count=1)
    make(session, county, other, state="done")
    first, second = make(session, county, other), make(session, county, admin)
    said = world.api(admin).get(f"/api/v1/exports/{second.id}").get_json()
    assert (said["state"], said["message"]) == ("waiting", "排队中，前面还有 2 份")
    for export in session.scalars(select(Export).where(Export.id <= first.id)):
        export.state, export.lease_expires_at = "cancelled", None
    assert world.api(admin).get(f"/api/v1/exports/{second.id}").get_json()["message"] == "排队中"


@pytest.mark.parametrize(("saves", "rests"), [(0, 0), (59, 0), (9000, 1)])
def test_a_worker_rests_after_a_file_while_candidates_save(county, world, session, monkeypatch, saves, rests):
    worked = []
    monkeypatch.setattr(report_export_actions, "rest_s", lambda worked_s: worked.append(worked_s) or 0)
    write_report(session, "here:1", Minute(saves=saves), now=clock.now())
    export = make(session, county, world.admin())
    run(world, "jobs.run", export.id)
    run(world, "jobs.run", export.id)  # a doubled message finds nothing to do, and nothing to rest from
    session.refresh(export)
    assert export.state == "done" and len(worked) == rests
    assert all(0 < seconds < 30 for seconds in worked)


def test_the_rest_is_a_dozen_times_the_work_and_never_long():
    assert [report_export_actions.rest_s(worked) for worked in (0.01, 0.02, 30.0)] == pytest.approx([0.12, 0.24, 0.35])


def test_file_expires_after_seven_days(county, world, session, fixed_clock):
    admin = world.admin()
    client = world.api(admin)
    export_id = ask(client, county.exam, county.top).get_json()["export"]["id"]
    fixed_clock.at(clock.now() + timedelta(days=7))
    client = world.api(admin)  # an administrator's sign-in ends by itself meanwhile
    assert client.get(f"/api/v1/exports/{export_id}/file").status_code == 409
    run(world, "reports.sweep")
    assert client.get(f"/api/v1/exports/{export_id}").get_json()["state"] == "expired"
    assert session.scalars(select(Export.file).where(Export.id == export_id)).one() is None
    assert "已过期" in client.get("/admin/reports/exports").text


def test_worker_looks_up_the_reach_again(county, world, session):
    admin = world.admin("unit_admin", county.bureau)
    export = make(session, county, admin)
    run(world, "jobs.run", export.id)
    session.refresh(export)
    assert export.state == "failed" and export.file is None


def test_export_is_ones_own_and_follows_the_reach_of_now(county, world, session):
    world.person(county.bureau)  # whom the exam concerns
    office, other = world.admin(), world.admin()
    unit_admin = world.admin("unit_admin", county.bureau)
    client = world.api(unit_admin)
    export_id = ask(client, county.exam, county.bureau).get_json()["export"]["id"]
    missing = client.get("/api/v1/exports/999999")
    for outsider in (office, other):
        for path in (f"/api/v1/exports/{export_id}", f"/api/v1/exports/{export_id}/file"):
            answer = world.api(outsider).get(path)
            assert (answer.status_code, answer.data) == (404, missing.data)
    assert client.get(f"/api/v1/exports/{export_id}/file").status_code == 200
    session.query(RoleGrant).filter_by(person_id=unit_admin.id).update({"unit_id": county.town.id})
    assert client.get(f"/api/v1/exports/{export_id}/file").status_code == 404


def test_progress_is_noted_in_steps(county, world, session, monkeypatch):

    county.fill_with_every_odd_case()
    monkeypatch.setattr(report_file_actions, "_STEP", 10)
    export = make(session, county, world.admin())
    noted, progress = [], runner.JobRun.progress
    monkeypatch.setattr(
        runner.JobRun, "progress", lambda self, *counts: noted.append(counts) or progress(self, *counts)
    )
    run(world, "jobs.run", export.id)
    session.refresh(export)
    assert noted == [(0, 25), (10, 25), (20, 25)] and export.done == export.total == 25 and export.tree == Tree.REGION


def test_same_request_on_the_same_data_is_one_file_and_a_new_grade_makes_another(county, world, session):
    county.fill_with_every_odd_case()
    client = world.api(world.admin())
    first, again = (ask(client, county.exam, county.top).get_json()["export"]["id"] for _ in range(2))
    assert first == again and acts(session) == ["reports.request_export"]
    other = ask(client, county.exam, county.top, "absent").get_json()["export"]["id"]
    county.attempt(county.people["absent"], points="70")
    later = ask(client, county.exam, county.top).get_json()["export"]["id"]
    assert len({first, other, later}) == 3
    assert ask(world.api(world.admin()), county.exam, county.top).get_json()["export"]["id"] not in {first, later}


def test_a_file_from_before_a_correction_is_marked_and_made_again_for_who_still_has_the_right(
    county, world, session, fixed_clock
):
    county.fill_with_every_odd_case()
    stays, leaves = world.admin(), world.admin()
    clients = [world.api(person) for person in (stays, leaves)]
    for client in clients:
        ask(client, county.exam, county.top)
    session.query(RoleGrant).filter_by(person_id=leaves.id).delete()
    fixed_clock.at(fixed_clock.instant + timedelta(hours=1))
    applied_correction(world, county.exam, at=clock.now())
    for _ in range(2):
        world.app.extensions["celery"].tasks["reports.sweep"]()
    old, _, new = session.query(Export).order_by(Export.id)
    assert (new.created_by_id, new.schedule_key) == (stays.id, f"correction:{old.id}")
    assert [message.person_id for message in session.query(OutgoingMessage)] == [stays.id]
    page = world.api(stays).get("/admin/reports/exports").text
    assert page.count("已被更正") == 1 and page.count("成绩更正后自动重新生成") == 1


def test_the_score_sheet_says_by_which_digest_the_evidence_pack_is_known(county, world, session):
    county.fill_with_every_odd_case()
    client, digest = world.api(world.admin()), "ab" * 32
    page = f"/admin/reports/exams/{county.exam.id}/units/{county.top.id}/score-sheet"

    def cells():
        export_id = ask(client, county.exam, county.top, "score_sheet").get_json()["export"]["id"]
        sheet = load_workbook(io.BytesIO(client.get(f"/api/v1/exports/{export_id}/file").data)).active
        return " ".join(str(cell.value) for row in sheet.iter_rows() for cell in row)

    assert digest not in client.get(page).text + cells()
    pack = {"state": "done", "manifest_sha256": digest, "created_by_id": world.admin().id, "created_at": clock.now()}
    world.save(EvidencePack(exam_id=county.exam.id, result_version=1, **pack))
    assert digest in client.get(page).text and digest in cells()
    county.exam.result_version = 2
    session.flush()
    assert digest not in client.get(page).text, "a pack of former results seals none of today"


def test_the_report_of_a_make_up_is_made_again_when_others_may_sit_it(county, world):
    makeup = county.makeup(closed=False)
    one, other = world.person(county.bureau, name="甲"), world.person(county.bureau, name="乙")
    client = world.api(world.admin())

    def names():
        export_id = ask(client, makeup, county.top, "absent", "csv").get_json()["export"]["id"]
        file = client.get(f"/api/v1/exports/{export_id}/file").data.decode("utf-8-sig")
        return export_id, [row["姓名"] for row in csv.DictReader(io.StringIO(file))]

    seen = [names()]
    for person in (one, other):
        county.eligible_for(makeup, person)
        seen.append(names())
    world.session.query(MakeupEligibility).filter_by(person_id=one.id).update({"person_id": world.person(county.town, name="丙").id})  # fmt: skip
    seen.append(names())
    assert [people for _, people in seen] == [[], ["甲"], ["甲", "乙"], ["乙", "丙"]]
    assert len({export_id for export_id, _ in seen}) == 4 and names() == seen[-1]


@pytest.mark.parametrize(
    ("content", "format_"),
    [("score_sheet", "pdf"), ("circular", "docx"), ("scores", "xlsx"), ("participation", "docx")],
)
def test_every_run_writes_the_same_bytes_while_the_data_are_the_same(
    county, world, session, fixed_clock, content, format_
):
    county.fill_with_every_odd_case()
    client = world.api(world.admin())
    export_id = ask(client, county.exam, county.top, content, format_).get_json()["export"]["id"]
    export = session.get_one(Export, export_id)
    session.refresh(export)
    first, digest = export.file, export.sha256
    assert first and export.as_of == export.created_at and "导出" in export.watermark
    export.state, export.file = "queued", None
    session.flush()
    fixed_clock.at(clock.now() + timedelta(minutes=10))
    run(world, "jobs.run", export_id)
    session.refresh(export)
    assert (export.file, export.sha256, export.as_of) == (first, digest, export.created_at)


def test_whole_numbers_need_the_right_a_reason_and_a_second_person_and_are_masked_else(county, world, session):
    cipher = world.app.extensions["cipher"]
    person = world.person(county.bureau, name="有号")
    person.id_number_encrypted = cipher.seal("430527199001010014", associated_data=id_number_binding(person.id))
    person.mobile_encrypted = cipher.seal("13800000001", associated_data=mobile_binding(person.id))
    session.flush()
    office, unit_admin = world.api(world.admin()), world.api(world.admin("unit_admin", county.bureau))

    def cells(client, **more):
        answer = ask(client, county.exam, county.bureau, **more)
        if answer.status_code != 202:
            return answer
        data = client.get(f"/api/v1/exports/{answer.get_json()['export']['id']}/file").data
        return {str(cell.value) for row in load_workbook(io.BytesIO(data)).active.iter_rows() for cell in row}

    masked = cells(unit_admin, numbers="masked")
    assert "430527199001010014" not in masked and "13800000001" not in masked
    assert any("*" in cell and cell.startswith("430") for cell in masked)
    assert cells(unit_admin, numbers="whole", reason="上级核对名册用").status_code == 404
    assert cells(office, numbers="whole").get_json()["error"] == "reason_needed"
    assert cells(office, numbers="some").status_code == 400
    report_request = {"numbers": "whole", "reason": "上级核对名册用"}
    asked = ask(office, county.exam, county.bureau, **report_request).get_json()["approval"]
    assert ask(office, county.exam, county.bureau, **report_request).status_code == 409
    assert session.query(Export).filter_by(numbers="whole").count() == 0
    elsewhere = world.api(world.admin("publicity_office", county.town))
    assert elsewhere.post(f"/admin/approvals/{asked['id']}/approve").status_code == 404
    security = world.api(world.admin("security_admin"))
    page = security.get("/admin/approvals/").text
    assert "上级核对名册用" in page and "含完整身份证号" in page
    for text in ("已同意", "已经处理过"):
        assert text in security.post(f"/admin/approvals/{asked['id']}/approve", follow_redirects=True).text
    export = session.query(Export).filter_by(numbers="whole").one()
    data = office.get(f"/api/v1/exports/{export.id}/file").data
    whole = {str(cell.value) for row in load_workbook(io.BytesIO(data)).active.iter_rows() for cell in row}
    assert {"430527199001010014", "13800000001"} <= whole and export.approval_id == asked["id"]
    assert security.get(f"/api/v1/exports/{export.id}/file").status_code == 404
    line = session.scalars(
        select(AuditEvent).where(AuditEvent.act == "reports.request_export").order_by(AuditEvent.id)
    ).all()[-1]
    assert line.details["numbers"] == "whole" and line.details["reason"] == "上级核对名册用"


def test_a_list_too_long_for_paper_is_rejected_with_the_way_round_it(county, world, monkeypatch):

    county.fill_with_every_odd_case()
    monkeypatch.setitem(RENDERERS, "docx", replace(RENDERERS["docx"], max_rows=10))
    client = world.api(world.admin())
    export_id = ask(client, county.exam, county.top, "score_sheet", "docx").get_json()["export"]["id"]
    state = client.get(f"/api/v1/exports/{export_id}").get_json()
    assert state["state"] == "failed" and "请选择 Excel" in state["message"]


def test_an_opendocument_file_holds_no_formula_and_the_same_bytes_each_time(county, world):
    county.fill_with_every_odd_case()
    client = world.api(world.admin())
    form = client.get(f"/admin/reports/exams/{county.exam.id}/units/{county.top.id}").text
    assert "OpenDocument 表格（ods）" in form
    export_id = ask(client, county.exam, county.top, "scores", "ods").get_json()["export"]["id"]
    answer = client.get(f"/api/v1/exports/{export_id}/file")
    assert answer.mimetype == "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert (
            archive.infolist()[0].filename == "mimetype" and archive.infolist()[0].compress_type == zipfile.ZIP_STORED
        )
        content = archive.read("content.xml").decode()
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert "table:formula" not in content and "人best of three" in content
    assert ask(client, county.exam, county.top, "circular", "ods").status_code == 400


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_an_opendocument_file(county, world, tmp_path):
    county.fill_with_every_odd_case()
    client = world.api(world.admin())
    export_id = ask(client, county.exam, county.top, "scores", "ods").get_json()["export"]["id"]
    (tmp_path / "scores.ods").write_bytes(client.get(f"/api/v1/exports/{export_id}/file").data)
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "csv"]
    subprocess.run([*command, "--outdir", str(tmp_path), str(tmp_path / "scores.ods")], check=True, timeout=120)
    rows = list(csv.reader((tmp_path / "scores.csv").read_text("utf-8").splitlines()))
    header = next(row for row in rows if "成绩" in row)
    best = next(row for row in rows if "人best of three" in row)
    assert Decimal(best[header.index("成绩")]) == 92
