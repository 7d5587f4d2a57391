"""The shape of what the office types and uploads about laws."""

from __future__ import annotations

from flask_wtf.file import FileRequired, MultipleFileField
from wtforms.validators import Optional

from examapp.core.forms import DateField, FlaskForm


class UploadLawsForm(FlaskForm):
    """Files of laws' texts."""

    files = MultipleFileField("法律文本", validators=[FileRequired("请选择文件。")])


class DatesForm(FlaskForm):
    """From when a version is in force, and until when."""

    effective_on = DateField("施行日期", validators=[Optional()])
    repealed_on = DateField("废止日期", validators=[Optional()])
