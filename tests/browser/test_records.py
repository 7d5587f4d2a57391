"""Study in the room, study records and certificates as people see them: pages fit phone and desk, and axe finds nothing serious."""

from __future__ import annotations

import secrets
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from examapp import clock
from examapp.db.session import transaction
from examapp.jobs.runner import run_job
from examapp.learning.certificates.actions import request_job
from examapp.learning.certificates.models import Certificate, CertificatePlan, CertificateTemplate, PlanCourse
from examapp.learning.certificates.rules import DEFAULT_BODY, check_code
from examapp.learning.courses.models import ChapterProgress, CourseCompletion
from examapp.learning.study_events.models import Attendance, StudyEvent
from examapp.organisation.access.rules import AccessScope
from examapp.platform.audit.actions import ActionContext, Actor
from tests.helpers.browser_pages import look_at_all
from tests.helpers.courses import course

pytestmark = pytest.mark.browser


@pytest.fixture
def studied(live):
    """A unit that holds two events and whose people study: one of them has finished a course and holds its certificate."""
    world, now = live.world, clock.now()

    unit = world.unit("云溪县民政局")
    studied = SimpleNamespace(
        unit=unit,
        office=world.admin("publicity_office", name="普法办小林"),
        admin=world.admin("unit_admin", unit, name="法治联络员小周"),
        learner=world.person(unit, name="欧阳建国", position="办公室主任"),
    )
    others = [world.person(unit, name=name) for name in ("王淑芬", "李明", "赵大海")]
    row = course(world, chapters=3)
    for chapter in row.chapters:
        world.save(
            ChapterProgress(
                chapter_id=chapter.id, person_id=studied.learner.id, pages_opened=2, read_at=now, passed_at=now
            )
        )
    world.save(
        CourseCompletion(
            course_id=row.id,
            person_id=studied.learner.id,
            year=clock.today().year,
            is_required=True,
            credits=Decimal(20),
            completed_at=now,
        )
    )
    studied.room, studied.held = (_event(world, studied, now, state=state) for state in ("planned", "held"))
    for person in (studied.learner, *others):
        world.save(
            Attendance(event_id=studied.held.id, person_id=person.id, unit_id=studied.unit.id, way="code", noted_at=now)
        )
    studied.plan_id = _plan(world, row, now)
    studied.ids = {"unit": studied.unit.id, "room": studied.room.id, "held": studied.held.id}
    world.commit()
    _issue(studied.plan_id, studied.office.id)
    return studied


def _event(world, studied, now, *, state):
    is_open = state == "planned"
    return world.save(
        StudyEvent(
            unit_id=studied.unit.id,
            kind="study_group",
            theme="学习贯彻新修订的治安管理处罚法，规范基层执法程序",
            laws="治安管理处罚法、行政处罚法",
            speaker="县委党校 李教授",
            place="局机关三楼会议室",
            audience="班子成员、各股室负责人",
            summary="结合三起案例讲听证程序。",
            starts_at=now - timedelta(minutes=10),
            ends_at=now + timedelta(hours=1),
            state=state,
            code_seed=secrets.token_bytes(20),
            code_opened_at=now if is_open else None,
            code_closes_at=now + timedelta(hours=1) if is_open else None,
            created_at=now,
            updated_at=now,
        )
    )


def _plan(world, row, now):
    template = world.save(
        CertificateTemplate(
            name="学法结业证",
            heading="结业证书",
            body=DEFAULT_BODY,
            signer="云溪县普法办公室",
            created_at=now,
            updated_at=now,
        )
    )
    plan = CertificatePlan(
        title="2026年度国家工作人员学法课程", prefix="XF2026", template_id=template.id, created_at=now
    )
    plan.courses.append(PlanCourse(course_id=row.id))
    return world.save(plan).id


def _issue(plan_id, office_id):
    everything, now = AccessScope(is_everything=True), clock.now()
    with transaction() as session:
        job = request_job(
            ActionContext(session, Actor(person_id=office_id), now), plan_id=plan_id, purpose="issue", access=everything
        )
        job_id = job.id
    run_job(job_id)


def test_the_pages_of_records_fit_and_axe_finds_nothing(live, device, studied):
    (certificate,) = live.read(Certificate)
    code = check_code(certificate.digest).replace(" ", "")
    unit, room, held = studied.ids["unit"], studied.ids["room"], studied.ids["held"]
    paths = {
        studied.learner: ["/study/record", "/study/events/", f"/study/events/{room}", f"/verify?n={certificate.number}&c={code}"],
        studied.admin: [
            "/admin/records/study", f"/admin/records/study/units/{unit}/people?all=1", "/admin/records/study/courses",
            f"/admin/records/units/{unit}", f"/admin/records/people/{studied.learner.id}", "/admin/records/events",
            f"/admin/records/events/{room}", f"/admin/records/events/{room}/room", f"/admin/records/events/{held}", f"/admin/duties/events/{held}",
            "/admin/records/events/new", f"/admin/records/certificates/{studied.plan_id}",
        ],
        studied.office: ["/admin/records/certificates", "/admin/records/certificates/new", "/admin/records/certificates/templates"],
    }  # fmt: skip
    assert [issue for person, places in paths.items() for issue in look_at_all(live, device(person), places)] == []
