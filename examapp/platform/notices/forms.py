"""The shape of opinions, answers and notices."""

from __future__ import annotations

from wtforms import BooleanField, HiddenField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from examapp.platform.notices.rules import MAX_FEEDBACK_LENGTH, MAX_NOTICE_LENGTH, MAX_TITLE_LENGTH
from examapp.web.forms import FlaskForm


def _strip(value: str | None) -> str | None:
    return value.strip() if value else value


def _filled(text: str) -> InputRequired:
    return InputRequired(text)


def _not_blank(text: str) -> Length:
    return Length(min=1, message=text)


class FeedbackForm(FlaskForm):
    """An opinion or a question, and the page it was written on."""

    text = TextAreaField(
        "意见、建议或问题",
        filters=[_strip],
        validators=[
            _filled("请写下您的意见。"),
            _not_blank("请写下您的意见。"),
            Length(max=MAX_FEEDBACK_LENGTH, message=f"最多 {MAX_FEEDBACK_LENGTH} 字，请分几次写。"),
        ],
        render_kw={"rows": 5, "maxlength": MAX_FEEDBACK_LENGTH},
    )
    page = HiddenField()


class FeedbackAnswerForm(FlaskForm):
    """The office's answer."""

    answer = TextAreaField(
        "答复",
        filters=[_strip],
        validators=[
            _filled("请写下答复内容。"),
            _not_blank("请写下答复内容。"),
            Length(max=MAX_FEEDBACK_LENGTH, message=f"最多 {MAX_FEEDBACK_LENGTH} 字。"),
        ],
        render_kw={"rows": 5, "maxlength": MAX_FEEDBACK_LENGTH},
    )


class NoticeForm(FlaskForm):
    """A notice in plain text; the choices of units are what the writer reaches."""

    title = StringField(
        "标题",
        filters=[_strip],
        validators=[
            _filled("请填写标题。"),
            _not_blank("请填写标题。"),
            Length(max=MAX_TITLE_LENGTH, message=f"标题最多 {MAX_TITLE_LENGTH} 字。"),
        ],
    )
    text = TextAreaField(
        "正文",
        filters=[_strip],
        validators=[
            _filled("请填写正文。"),
            _not_blank("请填写正文。"),
            Length(max=MAX_NOTICE_LENGTH, message=f"正文最多 {MAX_NOTICE_LENGTH} 字。"),
        ],
        render_kw={"rows": 12},
    )
    unit_ids = SelectMultipleField("发给", coerce=str, validators=[InputRequired("请至少勾选一个单位。")])
    asks_receipt = BooleanField("请各单位管理员签收")
    is_for_admins = BooleanField("只发给单位管理员和领导，考生不显示")
