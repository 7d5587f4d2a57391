"""In whose name papers go out: a unit's in its own, as its administrators have set it, the county's in that of its office."""

import io

import pytest
from docx import Document
from openpyxl import load_workbook

from examapp.organisation.units.models import Unit
from examapp.oversight.campaigns.models import Campaign
from examapp.oversight.duty_lists.models import DutyList
from examapp.platform.audit.models import AuditEvent
from tests.conftest import NOON
from tests.helpers.reports import export, pdf_text
from tests.reports.county import ReportCounty

OFFICE = "县普法办公室"


@pytest.fixture
def county(world):
    county = ReportCounty(world)
    county.fill_with_every_odd_case()
    return county


def save(client, unit, name):
    client.get("/admin/org/issuer")
    token = client.get("/api/v1/session").get_json()["csrf_token"]
    return client.post(f"/admin/org/units/{unit.id}/issuer", data={"csrf_token": token, "issuer_name": name})


def docx_text(content):
    return "\n".join(paragraph.text for paragraph in Document(io.BytesIO(content)).paragraphs)


def test_a_unit_issues_its_papers_in_its_own_name(county, world, session):
    admin = world.admin("unit_admin", county.town)
    client, api = world.client(admin), world.api(admin)

    def printed(unit=county.town):
        circular, table = (export(api, county, unit, content, "docx") for content in ("circular", "participation"))
        return docx_text(circular), docx_text(table), pdf_text(export(api, county, unit, "score_sheet", "pdf"))

    for text in printed():
        assert county.town.name in text.replace("\n", "") and OFFICE not in text
    assert "各内设机构，各所属单位：" in printed()[0]
    assert client.get("/admin/org/issuer").location == f"/admin/org/units/{county.town.id}/issuer"
    assert save(client, county.town, "青云镇人民政府办公室").status_code == 303
    circular, table, sheet = printed()
    assert circular.rstrip().splitlines()[-2].strip() == "青云镇人民政府办公室"
    assert "制表单位：青云镇人民政府办公室　　制表日期：" in table
    assert "单位（盖章）：青云镇人民政府办公室" in sheet.replace("\n", "")
    path = f"/admin/reports/exams/{county.exam.id}/units/{county.town.id}/score-sheet"
    assert "单位（盖章）：青云镇人民政府办公室" in client.get(path).text
    event = session.query(AuditEvent).filter_by(act="org.set_issuer_name").one()
    assert (event.object_id, event.details["issuer_name"]) == (county.town.id, "青云镇人民政府办公室")
    assert save(client, county.town, "").status_code == 303
    assert session.get(Unit, county.town.id).issuer == county.town.name


def test_the_countys_papers_carry_the_countys_name(county, world, session):
    county.town.issuer_name = "镇里的落款"
    office = world.api(world.admin())
    for unit in (county.top, county.town):
        circular = docx_text(export(office, county, unit, "circular", "docx"))
        assert circular.rstrip().splitlines()[-2].strip() == OFFICE and "镇里的落款" not in circular
        assert "各乡镇人民政府，各有关单位：" in circular
    assert f"制表单位：{OFFICE}" in docx_text(export(office, county, county.town, "participation", "docx"))
    assert "镇里的落款" not in pdf_text(export(office, county, county.town, "score_sheet", "pdf"))


def test_a_unit_takes_no_others_name_and_sets_no_others(county, world):
    client = world.client(world.admin("unit_admin", county.town))
    for name in (county.top.name, OFFICE, "长" * 41):
        answer = save(client, county.town, name)
        assert answer.status_code == 422 and "error-summary" in answer.text
    for unit_id in (county.top.id, 999_999):
        assert client.get(f"/admin/org/units/{unit_id}/issuer").status_code == 404
    assert save(client, county.top, "县里").status_code == 404
    for role in ("publicity_office", "leader"):
        other = world.client(world.admin(role, county.town))
        assert other.get(f"/admin/org/units/{county.town.id}/issuer").status_code == 404


def closing_of(content):
    """The last line of each sheet of a workbook."""
    return [[row[0] for row in sheet.iter_rows(values_only=True)][-1] for sheet in load_workbook(io.BytesIO(content))]


def test_tables_of_the_duties_say_who_made_them(county, world):
    town, made = county.town, {"created_at": NOON, "updated_at": NOON}
    town.issuer_name = "青云镇普法办"
    duty_list = world.save(DutyList(unit_id=town.id, year=2026, state="published", published_at=NOON, **made))
    campaign = world.save(Campaign(name="宪法宣传周", year=2026, starts_on=NOON.date(), ends_on=NOON.date(), **made))
    documents = ("reports/summary.docx?year=2026", f"campaigns/{campaign.id}/summary.docx")
    workbooks = (
        f"/admin/records/events/totals.xlsx?year=2026&unit={town.id}",
        f"/admin/records/study/units/{town.id}.xlsx?year=2026",
        f"/admin/records/units/{town.id}.xlsx?year=2026",
    )
    for reader, name in ((world.admin("unit_admin", town), "青云镇普法办"), (world.admin(), OFFICE)):
        client = world.api(reader)
        for path in documents:
            assert f"制表单位：{name}　　制表日期：" in docx_text(client.get(f"/admin/duties/{path}").data), path
        for path in workbooks:
            closings = closing_of(client.get(path).data)
            assert all(line.startswith(f"制表单位：{name}　　制表日期：") for line in closings), (path, closings)
        ledger = closing_of(client.get(f"/admin/duties/lists/{duty_list.id}/ledger.xlsx").data)
        assert ledger[0].startswith("单位（盖章）：青云镇普法办　")  # the unit's own, whoever prints it
