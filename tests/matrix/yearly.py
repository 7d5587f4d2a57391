"""The scene's things of a year's work: the assessment, events of study, certificates, the forms of reports."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from examapp import clock
from examapp.content.explained_cases.models import ExplainedCase
from examapp.learning.certificates.models import Certificate, CertificateJob, CertificatePlan, CertificateTemplate
from examapp.learning.study_events.models import Attendance, EventMaterial, StudyEvent
from examapp.oversight.assessments.models import (
    Assessment,
    AssessmentItem,
    AssessmentReviewer,
    AssessmentRevision,
    AssessmentSheet,
)
from examapp.oversight.campaigns.models import Campaign, CampaignUnit
from examapp.oversight.duty_lists.models import DutyItem, DutyRecordFile
from examapp.oversight.duty_reports.models import DutyReport
from examapp.oversight.report_templates.actions import form_file
from examapp.oversight.report_templates.models import ReportTemplate

_OFFICES = "UTPQ"


def add_yearly_things(scenario) -> None:
    """An open assessment with a vote, one sheet a unit handed in and one sealed; another year that the candidate reviews; files of deeds."""
    save, now = scenario.world.save, clock.now()
    assessment = _assessment(scenario, 2026, vote_until=clock.today() + timedelta(days=9))
    item = save(_item(assessment))
    save(_item(assessment, indicator="vote"))
    sealed_year = _assessment(scenario, 2025)
    save(_item(sealed_year))
    reviewed_year = _assessment(scenario, 2024)
    save(_item(reviewed_year))
    scenario.put("assessment", assessment.id)
    scenario.put("score_item", item.id)
    save(AssessmentReviewer(assessment_id=assessment.id, person_id=scenario.peer.id, added_at=now))
    save(AssessmentReviewer(assessment_id=reviewed_year.id, person_id=scenario.people["C"].id, added_at=now))
    scenario.put("reviewer", scenario.peer.id)
    units = (scenario.here, scenario.there)
    sheets = [save(_sheet(assessment, unit, state="submitted")) for unit in units]
    scenario.put("score_sheet", *[sheet.id for sheet in sheets])
    sealed = [save(_sheet(sealed_year, unit, state="sealed", total=8, band="优秀")) for unit in units]
    for sheet in sealed:
        save(AssessmentRevision(sheet_id=sheet.id, number=1, lines=[], total=8, band="优秀", made_at=now))
    scenario.put("sealed_sheet", *[sheet.id for sheet in sealed])
    scenario.put("sheet_version", 1)
    to_review = save(_sheet(reviewed_year, scenario.there, state="submitted"))
    scenario.put("sheet_to_review", sheets[0].id, sheets[1].id, own={"C": to_review.id})
    days = {"starts_on": clock.today(), "ends_on": clock.today(), "created_at": now, "updated_at": now}
    campaign = save(Campaign(year=2026, name="宪法宣传周", **days))
    for unit in units:
        save(CampaignUnit(campaign_id=campaign.id, unit_id=unit.id))
    scenario.put("campaign", campaign.id)
    scenario.put("plan_period", 2026)
    text = dict.fromkeys(("title", "laws", "facts", "holding", "lesson"), "王某")
    written = {"created_at": now, "updated_at": now, **text}
    scenario.put("explained_case", *[save(ExplainedCase(unit_id=unit.id, **written)).id for unit in units])
    owed = {"due_on": clock.today(), "updated_at": now, "texts": {}}
    reports = [save(DutyReport(unit_id=unit.id, year=2026, kind="unit", **owed)).id for unit in units]
    own = save(DutyReport(unit_id=units[0].id, year=2026, kind="leader", person_id=scenario.people["C"].id, **owed)).id
    scenario.put("duty_report", *reports)
    scenario.put("own_duty_report", *reports, own={"C": own})
    list_ids = [
        scenario.world.session.get(DutyItem, scenario.things["duty_item"][which]).list_id for which in ("same", "other")
    ]
    candidate = scenario.people["C"]
    duty: dict[str, Any] = {"position": 9, "kind": "own", "content": "国家安全法", "created_at": now, "updated_at": now}
    items = [save(DutyItem(list_id=list_id, person="无此人", **duty)).id for list_id in list_ids]
    named = DutyItem(list_id=list_ids[0], person=f"{candidate.name}（{candidate.staff_number}）", **duty)
    scenario.put("own_duty_item", *items, own={"C": save(named).id})
    for kind in ("record_file", "record_file_to_remove"):  # what is removed is gone from the disk too
        tokens = []
        for record_id in (scenario.things["duty_record"]["same"], scenario.things["duty_record"]["other"]):
            file = scenario.file("duties")
            save(DutyRecordFile(record_id=record_id, file_id=file.id))
            tokens.append(file.token)
        scenario.put(kind, *tokens, missing="none")


def _assessment(scenario, year, **fields):
    row = Assessment(
        year=year, title=f"{year} 年考核", state="open", bands=[["优秀", "0"]], created_at=clock.now(), updated_at=clock.now(), **fields
    )  # fmt: skip
    return scenario.world.save(row)


def _item(assessment, **fields):
    return AssessmentItem(
        assessment_id=assessment.id, position=1, section="考核", content="普法组织", points=10, full_from=100, **fields
    )


def _sheet(assessment, unit, **fields):
    return AssessmentSheet(assessment_id=assessment.id, unit_id=unit.id, updated_at=clock.now(), **fields)


def add_study_things(scenario) -> None:
    """An event a unit with its code on the wall, a file and who was there; certificates, and a job for who may print them."""
    save, now = scenario.world.save, clock.now()
    events = [save(_event(unit)) for unit in (scenario.here, scenario.there)]
    ids = [event.id for event in events]
    scenario.put("study_event", *ids)
    scenario.put("event_for_me", *ids)
    files, dropped = [], []
    for event, person in zip(events, (scenario.peer, scenario.outsider), strict=True):
        file = scenario.file("records")
        save(EventMaterial(event_id=event.id, file_id=file.id))
        files.append(file.id)
        dropped.append(scenario.file("records").id)
        save(EventMaterial(event_id=event.id, file_id=dropped[-1]))
        save(Attendance(event_id=event.id, person_id=person.id, unit_id=person.unit_id, way="list", noted_at=now))
    scenario.put("event_file", *files)
    scenario.put("event_file_for_me", *files)
    scenario.put("event_file_to_drop", *dropped)
    scenario.put("attendee", scenario.peer.id, scenario.outsider.id)
    text = {"heading": "合格证", "signer": "某县普法办"}
    template = save(CertificateTemplate(name="模板", body="{姓名}合格。", created_at=now, updated_at=now, **text))
    plan = save(
        CertificatePlan(title="年度考试", prefix="M", template_id=template.id, exam_id=scenario.exam.id, created_at=now)
    )
    scenario.put("certificate_template", template.id)
    scenario.put("certificate_plan", plan.id)
    people = (scenario.peer, scenario.outsider, scenario.people["C"])
    mine = [save(_certificate(plan, person, number, text)).id for number, person in enumerate(people, 1)]
    scenario.put("certificate", mine[0], mine[1], own={"C": mine[2]})

    def job(person, unit):
        fields = {"file": b"%PDF-", "file_name": "证书.pdf", "state": "done", "expires_at": now + timedelta(days=1)}
        return save(
            CertificateJob(
                purpose="pdf", plan_id=plan.id, unit_id=unit.id, created_by_id=person.id, created_at=now, **fields
            )
        ).id

    own = {role: job(scenario.people[role], scenario.here) for role in _OFFICES}
    scenario.put("certificate_job", job(scenario.peer, scenario.here), job(scenario.outsider, scenario.there), own=own)


def _event(unit):
    now = clock.now()
    return StudyEvent(
        unit_id=unit.id,
        kind="lecture",
        theme="学法",
        starts_at=now - timedelta(minutes=30),
        ends_at=now + timedelta(minutes=30),
        code_seed=b"s" * 32,
        code_opened_at=now - timedelta(minutes=30),
        code_closes_at=now + timedelta(minutes=30),
        created_at=now,
        updated_at=now,
    )


def _certificate(plan, person, number, text):
    return Certificate(
        plan_id=plan.id, person_id=person.id, number=f"M-{number:06d}", name=person.name, unit_id=person.unit_id, unit_name="甲局",
        text="合格。", result="合格", issued_on=clock.today(), salt="s", digest="d" * 64, issued_at=clock.now(), **text,
    )  # fmt: skip


def add_report_forms(scenario) -> None:
    """A version of the circular's form, and the words by which forms and schedules are named."""
    row = ReportTemplate(
        content="circular", number=1, file=form_file(None, "circular"), file_name="通报.docx", created_at=clock.now()
    )
    scenario.put("report_template", scenario.world.save(row).id)
    assert scenario.world.session.scalars(select(ReportTemplate.id)).one()
    scenario.put("report_content", "circular", missing="none")
    scenario.put("form_purpose", "file", missing="none")
    scenario.put("report_moment", "monday", missing="none")
