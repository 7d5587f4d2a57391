"""The office words certificates and gives them a seal; and plans what they are given for."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.errors import DomainError
from examapp.learning.certificates.models import CertificatePlan, CertificateTemplate, PlanCourse
from examapp.learning.certificates.queries import get_template, list_exams_with_results
from examapp.learning.certificates.rules import find_body_issue, is_prefix
from examapp.learning.courses.models import Course, CourseState
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {"records.create_plan": "新建证书发放", "records.save_template": "修改证书模板"}
AUDIT_OBJECTS = {"certificate_plan": "证书发放", "certificate_template": "证书模板"}

MAX_SEAL_BYTES = 2 * 1024 * 1024
_SEAL_SIDE = 800
_MAX_PIXELS = 40_000_000


class InvalidCertificateError(DomainError):
    """A template or plan cannot stand so; the message says what to do."""

    code = "certificate_refused"
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a template says."""

    name: str
    heading: str
    body: str
    signer: str


def save_template(
    context: ActionContext, *, template_id: int | None, wording: Wording, seal: bytes | None
) -> CertificateTemplate:
    """Write a template, new or known; a new seal takes the old one's place. Raises InvalidCertificateError.

    What has been issued keeps its words; the seal stands on every print that is made from now on.
    """
    session, now = context.session, context.now
    if issue := find_body_issue(wording.body):
        raise InvalidCertificateError(issue)
    other = session.scalar(select(CertificateTemplate.id).where(CertificateTemplate.name == wording.name))
    if other is not None and other != template_id:
        raise InvalidCertificateError("已有同名的模板，请换一个名称。")
    if template_id is None:
        template = CertificateTemplate(created_at=now)
        session.add(template)
    else:
        template = get_template(session, template_id)
    for name, value in asdict(wording).items():
        setattr(template, name, value)
    if seal is not None:
        template.seal = _clean_seal(seal)
    template.updated_at = now
    session.flush()
    record(context, "records.save_template", object_type="certificate_template", object_id=template.id, details={"has_new_seal": seal is not None})  # fmt: skip
    return template


def _clean_seal(raw: bytes) -> bytes:
    """Make the picture again as PNG of at most 800 pixels' side, with its transparency and nothing else of the file."""
    from PIL import Image

    if len(raw) > MAX_SEAL_BYTES:
        raise InvalidCertificateError("印章图片不能超过 2 MB，请缩小后重新上传。")
    try:
        with Image.open(io.BytesIO(raw), formats=["PNG", "JPEG"]) as image:
            if image.width * image.height > _MAX_PIXELS:
                raise InvalidCertificateError("印章图片的尺寸太大，请缩小到 2000 × 2000 以内再上传。")
            picture = image.convert("RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise InvalidCertificateError("印章图片打不开。请上传 PNG 或 JPG 图片。") from None
    picture.thumbnail((_SEAL_SIDE, _SEAL_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings:
    """What a plan is made of: an exam, or courses."""

    title: str
    prefix: str
    template_id: int
    exam_id: int | None
    course_ids: tuple[int, ...] = ()


def create_plan(context: ActionContext, *, settings: PlanSettings) -> CertificatePlan:
    """Plan certificates for an exam or for a set of courses; raises InvalidCertificateError."""
    session = context.session
    _check_plan(session, settings)
    plan = CertificatePlan(
        title=settings.title,
        prefix=settings.prefix,
        template_id=get_template(session, settings.template_id).id,
        exam_id=settings.exam_id,
        created_by_id=context.actor.person_id,
        created_at=context.now,
        courses=[PlanCourse(course_id=course_id) for course_id in sorted(set(settings.course_ids))],
    )
    session.add(plan)
    session.flush()
    record(context, "records.create_plan", object_type="certificate_plan", object_id=plan.id)
    return plan


def _check_plan(session: Session, settings: PlanSettings) -> None:
    if not is_prefix(settings.prefix):
        raise InvalidCertificateError("编号开头用 2 至 12 位大写字母和数字，如 XF2026。")
    if session.scalar(select(CertificatePlan.id).where(CertificatePlan.prefix == settings.prefix)) is not None:
        raise InvalidCertificateError("这个编号开头已经用过，请换一个，以免编号重复。")
    if (settings.exam_id is None) == (not settings.course_ids):
        raise InvalidCertificateError("请选一场考试，或者选若干门课程，二者选一。")
    if settings.exam_id is not None:
        known = {exam.id for exam in list_exams_with_results(session)}
        if settings.exam_id not in known:
            raise InvalidCertificateError("这场考试不能发证：只有已发布的正式考试才能发证，补考随主考发证。")
        return
    found = session.scalars(
        select(Course.id).where(Course.id.in_(settings.course_ids), Course.state != CourseState.DRAFT)
    ).all()
    if set(found) != set(settings.course_ids):
        raise InvalidCertificateError("所选课程里有还没发布的。请先发布课程，再来发证。")
