"""The demo county's certificates: a template with a seal, a plan for last year's exam and one for courses; the workers issue them."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from examapp.audit.operations import Actor
from examapp.core import clock
from examapp.core.lazily import Lazy
from examapp.demo.operations.county import County
from examapp.demo.operations.exams import DemoExams
from examapp.people.rules import Reach
from examapp.records.operations.certificates import request_job
from examapp.records.operations.templates import PlanSettings, Wording, create_plan, save_template
from examapp.records.rules.certificates import DEFAULT_BODY
from examapp.training.models import Course

images, draws, fonts, font = (
    Lazy("PIL.Image"),
    Lazy("PIL.ImageDraw"),
    Lazy("PIL.ImageFont"),
    Lazy("examapp.core.pdf_font"),
)
_RED = (190, 20, 24, 230)
_SIDE = 400
_COURSES = 2


def add_certificates(
    session: Session, county: County, exams: DemoExams, courses: Sequence[Course], *, now: datetime
) -> None:
    """Write template and plans, and lay out the jobs of issuing: rows that the workers find once they run."""
    actor, year = Actor(person_id=county.office_id), clock.local(now).year
    wording = Wording(name="学法用法合格证", heading="合格证书", body=DEFAULT_BODY, signer="云溪县普法办公室")
    template = save_template(session, template_id=None, wording=wording, seal=_seal(), actor=actor, now=now)
    plans = (
        PlanSettings(
            title=exams.last_year.title, prefix=f"XF{year - 1}", template_id=template.id, exam_id=exams.last_year.id
        ),
        PlanSettings(
            title=f"{year}年度必修课程（第一批）",
            prefix=f"KC{year}",
            template_id=template.id,
            exam_id=None,
            course_ids=tuple(course.id for course in courses[:_COURSES]),
        ),
    )
    for settings in plans:
        plan = create_plan(session, settings=settings, actor=actor, now=now)
        request_job(session, plan_id=plan.id, kind="issue", reach=Reach(is_everything=True), actor=actor, now=now)


def _seal() -> bytes:
    """Draw a seal that says that it is none: a ring, a star, and 演示专用."""
    picture = images.new("RGBA", (_SIDE, _SIDE))
    pen, middle = draws.Draw(picture), _SIDE / 2
    pen.ellipse((8, 8, _SIDE - 8, _SIDE - 8), outline=_RED, width=12)
    points = [
        (middle + radius * math.sin(math.pi * n / 5), middle - 30 - radius * math.cos(math.pi * n / 5))
        for n in range(10)
        for radius in ((80, 31)[n % 2],)
    ]
    pen.polygon(points, fill=_RED)
    pen.text((middle, 305), "演示专用", font=fonts.truetype(str(font.font_path()), 52, index=2), fill=_RED, anchor="mm")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
