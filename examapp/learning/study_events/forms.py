"""Forms of events, templates and plans: shape only."""

from __future__ import annotations

from collections.abc import Iterable

from flask_wtf.file import FileField
from wtforms import BooleanField, SelectField, SelectMultipleField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from examapp.clock import from_local
from examapp.learning.certificate_templates.actions import PlanSettings, Wording
from examapp.learning.certificates.rules import DEFAULT_BODY
from examapp.learning.study_events.actions import EventSettings
from examapp.learning.study_events.rules import KIND_NAMES, MAX_OUTSIDE
from examapp.web.forms import DateTimeLocalField, FlaskForm, IntegerField
from examapp.web.params import read_id, sent_number

_MINUTE = "%Y-%m-%dT%H:%M"


def _choices(pairs: Iterable[tuple[int, str]]) -> list[SelectChoice]:
    return [SelectChoice(str(value), text) for value, text in pairs]


class EventForm(FlaskForm):
    """An event of legal education."""

    unit_id = SelectField("组织单位", [InputRequired("请选择组织单位。")], coerce=sent_number)
    kind = SelectField(
        "形式",
        [InputRequired("请选择形式。")],
        choices=[SelectChoice(value, text) for value, text in KIND_NAMES.items()],
    )
    theme = StringField("主题", [DataRequired("请填写主题。"), Length(max=200, message="主题最多 200 字。")])
    laws = StringField("学习的法律法规", [Length(max=300, message="最多 300 字。")])
    speaker = StringField("主讲人", [Length(max=100, message="最多 100 字。")])
    place = StringField("地点", [Length(max=200, message="最多 200 字。")])
    audience = StringField("参加范围", [Length(max=200, message="最多 200 字。")])
    starts_at = DateTimeLocalField("开始时间", [InputRequired("请填写开始时间。")], format=_MINUTE)
    ends_at = DateTimeLocalField("结束时间", [InputRequired("请填写结束时间。")], format=_MINUTE)
    outside_count = IntegerField(
        "群众和服务对象（人）",
        [Optional(), NumberRange(0, MAX_OUTSIDE, "人数应为 0 以上的整数。")],
        default=0,
    )
    is_distinct = BooleanField("已核对，与上面提示的不是同一场")
    summary = TextAreaField(
        "情况说明", [Optional(), Length(max=2000, message="说明最多 2000 字。")], render_kw={"rows": 4}
    )

    def validate_ends_at(self, field: DateTimeLocalField) -> None:
        """Reject an end that does not follow the beginning."""
        if field.data and self.starts_at.data and field.data <= self.starts_at.data:
            raise ValidationError("结束时间要晚于开始时间。")

    def offer(self, units: Iterable[tuple[int, str]]) -> None:
        """Fill the select of units."""
        self.unit_id.choices = _choices(units)

    def settings(self) -> EventSettings:
        """Give the event as it was filled in."""
        text = {
            name: (getattr(self, name).data or "").strip()
            for name in ("theme", "laws", "speaker", "place", "audience", "summary")
        }
        return EventSettings(
            kind=self.kind.data,
            starts_at=from_local(self.starts_at.data),
            ends_at=from_local(self.ends_at.data),
            outside_count=self.outside_count.data or 0,
            is_distinct=self.is_distinct.data,
            **text,
        )


class CertificateTemplateForm(FlaskForm):
    """How a certificate is worded."""

    name = StringField(
        "模板名称", [DataRequired("请填写模板名称。"), Length(max=100, message="名称最多 100 字。")], default="合格证书"
    )
    heading = StringField(
        "证书标题", [DataRequired("请填写标题。"), Length(max=20, message="标题最多 20 字。")], default="合格证书"
    )
    body = TextAreaField(
        "证书文字",
        [DataRequired("请填写证书文字。"), Length(max=300, message="文字最多 300 字。")],
        default=DEFAULT_BODY,
        render_kw={"rows": 5},
    )
    signer = StringField("落款单位", [DataRequired("请填写落款单位。"), Length(max=40, message="落款最多 40 字。")])
    seal = FileField("印章图片")

    def wording(self) -> Wording:
        """Give the words as they were filled in."""
        return Wording(
            name=self.name.data.strip(),
            heading=self.heading.data.strip(),
            body=self.body.data.replace("\r\n", "\n").strip(),
            signer=self.signer.data.strip(),
        )

    def seal_bytes(self) -> bytes | None:
        """Give the uploaded picture, None where there is none."""
        upload = self.seal.data
        return upload.read() if upload and upload.filename else None


class PlanForm(FlaskForm):
    """What certificates are given for."""

    title = StringField("证书上的项目名称", [DataRequired("请填写名称。"), Length(max=60, message="名称最多 60 字。")])
    prefix = StringField("编号开头", [DataRequired("请填写编号开头。"), Length(max=12, message="最多 12 位。")])
    template_id = SelectField("用哪个模板", [InputRequired("请先建一个证书模板。")], coerce=sent_number)
    exam_id = SelectField("为哪场考试发证", coerce=read_id)
    course_ids = SelectMultipleField("为学完哪些课程发证", coerce=sent_number)

    def offer(
        self,
        *,
        templates: Iterable[tuple[int, str]],
        exams: Iterable[tuple[int, str]],
        courses: Iterable[tuple[int, str]],
    ) -> None:
        """Fill the selects."""
        self.template_id.choices = _choices(templates)
        self.exam_id.choices = [SelectChoice("", "（按课程发证）"), *_choices(exams)]
        self.course_ids.choices = _choices(courses)

    def settings(self) -> PlanSettings:
        """Give the plan as it was filled in."""
        return PlanSettings(
            title=self.title.data.strip(),
            prefix=self.prefix.data.strip().upper(),
            template_id=self.template_id.data,
            exam_id=self.exam_id.data,
            course_ids=tuple(self.course_ids.data or ()),
        )
