"""The scene's things of a year's work: the assessment, events of study, certificates, the forms of reports."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from examapp import clock
from examapp.learning.certificates.models import Certificate, CertificateJob, CertificatePlan, CertificateTemplate
from examapp.learning.study_events.models import Attendance, EventMaterial, StudyEvent
from examapp.oversight.assessments.models import (
    Assessment,
    AssessmentItem,
    AssessmentReviewer,
    AssessmentRevision,
    AssessmentSheet,
)
from examapp.oversight.duty_lists.models import DutyRecordFile
from examapp.oversight.report_templates.actions import form_file
from examapp.oversight.report_templates.models import ReportTemplate

_OFFICES = "UTPQ"


def add_yearly_things(scene) -> None:
    """An open assessment with a vote, one sheet a unit handed in and one sealed; another year that the candidate reviews; files of deeds."""
    save, now = scene.world.save, clock.now()
    assessment = _assessment(scene, 2026, vote_until=clock.today() + timedelta(days=9))
    item = save(_item(assessment))
    save(_item(assessment, indicator="vote"))
    sealed_year = _assessment(scene, 2025)
    save(_item(sealed_year))
    reviewed_year = _assessment(scene, 2024)
    save(_item(reviewed_year))
    scene.put("assessment", assessment.id)
    scene.put("score_item", item.id)
    save(AssessmentReviewer(assessment_id=assessment.id, person_id=scene.peer.id, added_at=now))
    save(AssessmentReviewer(assessment_id=reviewed_year.id, person_id=scene.people["C"].id, added_at=now))
    scene.put("reviewer", scene.peer.id)
    units = (scene.here, scene.there)
    sheets = [save(_sheet(assessment, unit, state="submitted")) for unit in units]
    scene.put("score_sheet", *[sheet.id for sheet in sheets])
    sealed = [save(_sheet(sealed_year, unit, state="sealed", total=8, band="优秀")) for unit in units]
    for sheet in sealed:
        save(AssessmentRevision(sheet_id=sheet.id, number=1, lines=[], total=8, band="优秀", made_at=now))
    scene.put("sealed_sheet", *[sheet.id for sheet in sealed])
    scene.put("sheet_version", 1)
    to_review = save(_sheet(reviewed_year, scene.there, state="submitted"))
    scene.put("sheet_to_review", sheets[0].id, sheets[1].id, own={"C": to_review.id})
    for kind in ("record_file", "record_file_to_remove"):  # what is removed is gone from the disk too
        tokens = []
        for record_id in (scene.things["duty_record"]["same"], scene.things["duty_record"]["other"]):
            file = scene.file("duties")
            save(DutyRecordFile(record_id=record_id, file_id=file.id))
            tokens.append(file.token)
        scene.put(kind, *tokens, missing="none")


def _assessment(scene, year, **fields):
    row = Assessment(
        year=year, title=f"{year} 年考核", state="open", bands=[["优秀", "0"]], created_at=clock.now(), updated_at=clock.now(), **fields
    )  # fmt: skip
    return scene.world.save(row)


def _item(assessment, **fields):
    return AssessmentItem(
        assessment_id=assessment.id, position=1, section="考核", content="普法组织", points=10, full_from=100, **fields
    )


def _sheet(assessment, unit, **fields):
    return AssessmentSheet(assessment_id=assessment.id, unit_id=unit.id, updated_at=clock.now(), **fields)


def add_study_things(scene) -> None:
    """An event a unit with its code on the wall, a file and who was there; certificates, and a job for who may print them."""
    save, now = scene.world.save, clock.now()
    events = [save(_event(unit)) for unit in (scene.here, scene.there)]
    ids = [event.id for event in events]
    scene.put("study_event", *ids)
    scene.put("event_for_me", *ids)
    files, dropped = [], []
    for event, person in zip(events, (scene.peer, scene.stranger), strict=True):
        file = scene.file("records")
        save(EventMaterial(event_id=event.id, file_id=file.id))
        files.append(file.id)
        dropped.append(scene.file("records").id)
        save(EventMaterial(event_id=event.id, file_id=dropped[-1]))
        save(Attendance(event_id=event.id, person_id=person.id, unit_id=person.unit_id, way="list", noted_at=now))
    scene.put("event_file", *files)
    scene.put("event_file_for_me", *files)
    scene.put("event_file_to_drop", *dropped)
    scene.put("attendee", scene.peer.id, scene.stranger.id)
    words = {"heading": "合格证", "signer": "某县普法办"}
    template = save(CertificateTemplate(name="模板", body="{姓名}合格。", created_at=now, updated_at=now, **words))
    plan = save(
        CertificatePlan(title="年度考试", prefix="M", template_id=template.id, exam_id=scene.exam.id, created_at=now)
    )
    scene.put("certificate_template", template.id)
    scene.put("certificate_plan", plan.id)
    people = (scene.peer, scene.stranger, scene.people["C"])
    mine = [save(_certificate(plan, person, number, words)).id for number, person in enumerate(people, 1)]
    scene.put("certificate", mine[0], mine[1], own={"C": mine[2]})

    def job(person, unit):
        fields = {"file": b"%PDF-", "file_name": "证书.pdf", "state": "done", "expires_at": now + timedelta(days=1)}
        return save(
            CertificateJob(
                purpose="pdf", plan_id=plan.id, unit_id=unit.id, created_by_id=person.id, created_at=now, **fields
            )
        ).id

    own = {role: job(scene.people[role], scene.here) for role in _OFFICES}
    scene.put("certificate_job", job(scene.peer, scene.here), job(scene.stranger, scene.there), own=own)


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


def _certificate(plan, person, number, words):
    return Certificate(
        plan_id=plan.id, person_id=person.id, number=f"M-{number:06d}", name=person.name, unit_id=person.unit_id, unit_name="甲局",
        words="合格。", result="合格", issued_on=clock.today(), salt="s", digest="d" * 64, issued_at=clock.now(), **words,
    )  # fmt: skip


def add_report_forms(scene) -> None:
    """A version of the circular's form, and the words by which forms and schedules are named."""
    row = ReportTemplate(
        content="circular", number=1, file=form_file(None, "circular"), file_name="通报.docx", created_at=clock.now()
    )
    scene.put("report_template", scene.world.save(row).id)
    assert scene.world.session.scalars(select(ReportTemplate.id)).one()
    scene.put("report_content", "circular", missing="none")
    scene.put("form_purpose", "file", missing="none")
    scene.put("report_moment", "monday", missing="none")
