"""Forms of the reports: shape only."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectField
from wtforms.fields.choices import SelectChoice

from examapp.org.models import Tree
from examapp.reports.rules import CONTENT_NAMES, Scope

FORMAT_NAMES = {"xlsx": "Excel 表格（xlsx）", "csv": "文本表格（csv）"}


class ExportForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """What to export, and how."""

    content = SelectField("导出内容", choices=[SelectChoice(*pair) for pair in CONTENT_NAMES.items()])
    format = SelectField("文件格式", choices=[SelectChoice(*pair) for pair in FORMAT_NAMES.items()])
    tree = HiddenField(default=Tree.REGION)
    scope = HiddenField(default=Scope.THIS)
