"""Certificates of a whole county: issued, and drawn into one PDF, as the worker's two jobs do it one after the other."""

from __future__ import annotations

import io
import json
import time

from PIL import Image, ImageDraw
from sqlalchemy import text

from benchmarks.alone import application_alone
from benchmarks.figures import Figure, at_most
from benchmarks.training import ADD_PEOPLE, PEOPLE
from examapp import clock
from examapp.db.session import db, transaction
from examapp.jobs.runner import run_job
from examapp.learning.certificates.models import CertificateJob, CertificatePlan, CertificateTemplate, PlanCourse
from examapp.learning.certificates.rules import DEFAULT_BODY
from examapp.learning.courses.models import Course

_COMPLETE = text("""
INSERT INTO course_completions (course_id, person_id, year, is_required, credits, completed_at)
SELECT :course_id, id, 2026, true, 5, now() FROM persons
""")


def measure() -> list[Figure]:
    """Issue 8,000 certificates for a course, and draw them."""
    with application_alone() as app, app.app_context():
        plan_id = _prepare()
        issued, _ = _run(plan_id, "issue")
        drawn, size = _run(plan_id, "pdf")
        db.session.remove()
    return [
        at_most("8,000 certificates issued and drawn by a worker", issued + drawn, 300, "s"),
        at_most("of these, drawing them into one PDF", drawn, 240, "s"),
        at_most("8,000 certificates as one PDF", size / 1e6, 100, "MB"),
    ]


def _prepare() -> int:
    now = clock.now()
    with transaction() as session:
        session.execute(ADD_PEOPLE, {"people": PEOPLE})
        course = Course(title="宪法", year=2026, credits=5, state="published", created_at=now, updated_at=now)
        template = CertificateTemplate(
            name="结业证",
            heading="结业证书",
            body=DEFAULT_BODY,
            signer="绥安县普法办公室",
            seal=_seal(),
            created_at=now,
            updated_at=now,
        )
        session.add_all([course, template])
        session.flush()
        plan = CertificatePlan(title="2026年度学法课程", prefix="XF2026", template_id=template.id, created_at=now)
        plan.courses.append(PlanCourse(course_id=course.id))
        session.add(plan)
        session.execute(_COMPLETE, {"course_id": course.id})
        session.flush()
        return plan.id


def _seal() -> bytes:
    picture = Image.new("RGBA", (600, 600), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((20, 20, 580, 580), outline=(200, 20, 20, 200), width=18)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _run(plan_id: int, kind: str) -> tuple[float, int]:
    with transaction() as session:
        job = CertificateJob(
            purpose=kind, plan_id=plan_id, site_url="https://xuefa.example", created_by_id=1, created_at=clock.now()
        )
        session.add(job)
        session.flush()
        job_id = job.id
    began = time.perf_counter()
    run_job(job_id)
    took = time.perf_counter() - began
    with transaction() as session:
        job = session.get_one(CertificateJob, job_id)
        assert job.is_done, job.message
        assert f"{PEOPLE} 张" in job.message, job.message
        return took, len(job.file or b"")


if __name__ == "__main__":
    print(json.dumps([figure.as_json() for figure in measure()], ensure_ascii=False, indent=1))
