"""Forms of the reports: shape only."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, HiddenField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from examapp.organisation.units.models import Tree
from examapp.oversight.report_files.actions import FORMAT_LABELS, formats_of
from examapp.oversight.report_files.rules import ReportRequest
from examapp.oversight.statistics_definitions.rules import (
    CONTENT_NAMES,
    NUMBERS_NAMES,
    TEMPLATE_FORMATS,
    PiiDisclosure,
    Plan,
    Scope,
)
from examapp.oversight.statistics_scope.rules import ReportFilter
from examapp.web.forms import FlaskForm


class ExportForm(FlaskForm):
    """What to export, and how."""

    content = SelectField("导出内容", choices=[SelectChoice(*pair) for pair in CONTENT_NAMES.items()])
    format = SelectField("文件格式", choices=[SelectChoice(*pair) for pair in FORMAT_LABELS.items()])
    numbers = SelectField(
        "个人号码", choices=[SelectChoice(*pair) for pair in NUMBERS_NAMES.items()], default=PiiDisclosure.NONE
    )
    reason = StringField("用途（含完整号码时必填）", validators=[Length(max=200, message="用途最多 200 字。")])
    group = HiddenField(default="")
    """Of whom a list is; empty for everybody."""
    tree = HiddenField(default=Tree.REGION)
    scope = HiddenField(default=Scope.THIS)

    def to_request(self, exam_id: int, unit_id: int, filters: ReportFilter) -> ReportRequest:
        """Return the request of a validated form; a format that the content does not have becomes its usual one."""
        formats = formats_of(self.content.data)
        return ReportRequest(
            exam_id=exam_id,
            unit_id=unit_id,
            content=self.content.data,
            format=self.format.data if self.format.data in formats else formats[0],
            tree=Tree(self.tree.data),
            scope=Scope(self.scope.data),
            filters=filters,
            numbers=PiiDisclosure(self.numbers.data),
            reason=self.reason.data or "",
        )


class ReportTemplateForm(FlaskForm):
    """A new version of a report's form."""

    content = SelectField(
        "用于",
        choices=[SelectChoice(name, CONTENT_NAMES[name]) for name in TEMPLATE_FORMATS],
        validators=[InputRequired("请选择模板用于哪种报表。")],
    )
    file = FileField(
        "模板文件（通报为 docx，成绩汇总表为 xlsx）", validators=[FileRequired("请选择要上传的模板文件。")]
    )
    note = StringField("说明", validators=[Length(max=200, message="说明最多 200 字。")])


class ScheduleForm(FlaskForm):
    """What is made at a moment by itself."""

    content = SelectField("内容", choices=[SelectChoice(*pair) for pair in CONTENT_NAMES.items()])
    format = SelectField("格式", choices=[SelectChoice(*pair) for pair in FORMAT_LABELS.items()])
    is_on = BooleanField("自动生成")

    def __init__(self, plan: Plan | None = None) -> None:
        super().__init__(obj=plan)
