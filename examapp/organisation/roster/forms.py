"""The shape of what people type about themselves, others and units; what needs the database is checked by the operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional, Regexp

from examapp.documents.html import normalise
from examapp.organisation.access.rules import ROLE_NAMES
from examapp.organisation.accounts.rules import MAX_PASSWORD_LENGTH, clean_login_name
from examapp.organisation.units.models import UNIT_KIND_NAMES
from examapp.web.forms import DateField, FlaskForm
from examapp.web.params import sent_number

_MAX_LOGIN_NAME_LENGTH = 64
LEAVE_KINDS = {"leave": "离职、调出本县", "retire": "退休"}
_TREES = {"region": "本单位及下级单位", "sector": "系统及所属单位"}
_CHOOSE = "请从列表中选择。"
_DAY = "日期请写成 2026-11-24 的样子。"
STATE_NAMES = {"on_roster": "在册", "off_roster": "不参加考试", "left": "已离开"}


def _tidy(value: str | None) -> str:
    return normalise(value or "").strip()


def _options(names: Mapping[Any, str]) -> list[SelectChoice]:
    return [SelectChoice(str(value), label) for value, label in names.items()]


class SignInForm(FlaskForm):
    """Login name and password; `captcha` is read where one is asked for."""

    login_name = StringField("登录名", validators=[InputRequired("请填写登录名。"), Length(max=_MAX_LOGIN_NAME_LENGTH)])
    password = PasswordField("密码", validators=[InputRequired("请填写密码。")])
    captcha = StringField("验证码", validators=[Optional(), Length(max=40, message="验证码过长。")])
    captcha_id = HiddenField(validators=[Optional()])


class TicketForm(FlaskForm):
    """The code of a one-use ticket."""

    code = StringField("代码", validators=[InputRequired("请填写登录码。"), Length(max=60, message="代码过长。")])


class ForgottenForm(FlaskForm):
    """Whose password is forgotten; `captcha` is read where one is asked for."""

    login_name = StringField("登录名", validators=[InputRequired("请填写登录名。"), Length(max=_MAX_LOGIN_NAME_LENGTH)])
    captcha = StringField("验证码", validators=[Optional(), Length(max=40, message="验证码过长。")])
    captcha_id = HiddenField(validators=[Optional()])


class ResetCodeForm(FlaskForm):
    """The code that came to the phone, with the name it was asked for."""

    login_name = StringField("登录名", validators=[InputRequired("请填写登录名。"), Length(max=_MAX_LOGIN_NAME_LENGTH)])
    code = StringField("手机验证码", validators=[InputRequired("请填写验证码。"), Length(max=40, message="内容过长。")])


class CodeForm(FlaskForm):
    """A one-time or recovery code."""

    code = StringField("动态口令", validators=[InputRequired("请填写动态口令。"), Length(max=40, message="内容过长。")])


class ChangePasswordForm(FlaskForm):
    """The old password, where it is asked for, and the new one twice."""

    current_password = PasswordField(
        "现在的密码",
        validators=[InputRequired("请填写现在的密码。"), Length(max=MAX_PASSWORD_LENGTH, message="密码过长。")],
    )
    new_password = PasswordField("新密码", validators=[InputRequired("请填写新密码。")])
    repeated = PasswordField("再输一次新密码", validators=[InputRequired("请再输一次新密码。")])


class UnitForm(FlaskForm):
    """A unit and its places in the two trees."""

    code = StringField(
        "单位编码",
        filters=[_tidy],
        validators=[
            DataRequired("请填写单位编码。"),
            Regexp(r"^[0-9A-Za-z._-]{1,32}$", message="编码只用数字、字母和 . _ -，最多 32 位。"),
        ],
    )
    name = StringField(
        "单位名称",
        filters=[_tidy],
        validators=[DataRequired("请填写单位名称。"), Length(max=100, message="最多 100 字。")],
    )
    kind = SelectField(
        "类别",
        validators=[InputRequired(_CHOOSE)],
        default="department",
        choices=_options(UNIT_KIND_NAMES),
        invalid_choice_message=_CHOOSE,
    )
    parent_id = SelectField(
        "上级单位（按层级）", coerce=sent_number, invalid_choice_message=_CHOOSE, invalid_value_message=_CHOOSE
    )
    sector_parent_id = SelectField(
        "主管部门（垂直系统）", coerce=sent_number, invalid_choice_message=_CHOOSE, invalid_value_message=_CHOOSE
    )
    uscc = StringField("统一社会信用代码", filters=[_tidy], validators=[Optional()])


class PersonForm(FlaskForm):
    """A person; the numbers are left as they stand where the fields are empty."""

    name = StringField(
        "姓名", filters=[_tidy], validators=[DataRequired("请填写姓名。"), Length(max=60, message="最多 60 字。")]
    )
    staff_number = StringField(
        "人员编号（工号，也是登录名）",
        filters=[_tidy],
        validators=[DataRequired("请填写人员编号。"), Length(max=32, message="最多 32 位。")],
    )
    unit_id = SelectField(
        "单位",
        validators=[InputRequired(_CHOOSE)],
        coerce=sent_number,
        invalid_choice_message=_CHOOSE,
        invalid_value_message=_CHOOSE,
    )
    position = StringField("职务", filters=[_tidy], validators=[Optional(), Length(max=60, message="最多 60 字。")])
    rank = StringField("职级", filters=[_tidy], validators=[Optional(), Length(max=30, message="最多 30 字。")])
    id_number = StringField("身份证号", filters=[_tidy], validators=[Optional(), Length(max=30, message="内容过长。")])
    mobile = StringField("手机号", filters=[_tidy], validators=[Optional(), Length(max=30, message="内容过长。")])
    is_on_roster = BooleanField("参加考试（列入名册）", default=True)

    def validate_staff_number(self, field: Field) -> None:
        """Hold the staff number to what may be typed as a login name."""
        if clean_login_name(field.data or "") != field.data:
            raise ValidationError("人员编号不能有空格和全角字符。")


class RevealForm(FlaskForm):
    """Why somebody wants to see a person's whole numbers."""

    purpose = SelectField(
        "查看原因",
        validators=[InputRequired(_CHOOSE)],
        choices=_options(
            {
                "": "请选择",
                "本人要求核对": "本人要求核对",
                "联系本人参加考试": "联系本人参加考试",
                "核对重复登记": "核对重复登记",
                "办理证书或证明": "办理证书或证明",
                "其他": "其他（请在下面写明）",
            }
        ),
        invalid_choice_message=_CHOOSE,
    )
    note = StringField("说明", filters=[_tidy], validators=[Length(max=200, message="最多 200 字。")])

    def validate_note(self, field: Field) -> None:
        """Ask for words where the reason is none of the usual ones."""
        if self.purpose.data == "其他" and len(field.data or "") < 4:
            raise ValidationError("请写明原因，至少 4 个字。")

    def text(self) -> str:
        """Give the reason as it goes into the log."""
        return f"{self.purpose.data}：{self.note.data}" if self.note.data else str(self.purpose.data)


class TransferForm(FlaskForm):
    """Where a person goes, since when."""

    unit_id = SelectField(
        "调入单位",
        validators=[InputRequired(_CHOOSE)],
        coerce=sent_number,
        invalid_choice_message=_CHOOSE,
        invalid_value_message=_CHOOSE,
    )
    kind = RadioField(
        "事项",
        choices=_options({"transfer": "调动", "secondment": "借调（期满回原单位）"}),
        invalid_choice_message=_CHOOSE,
        default="transfer",
    )
    on = DateField(
        "生效日期",
        invalid_value_message=_DAY,
        validators=[InputRequired("请填写日期，如 2026-11-24。")],
    )
    until = DateField("借调结束日期", invalid_value_message=_DAY, validators=[Optional()])
    note = StringField("备注", filters=[_tidy], validators=[Optional(), Length(max=200, message="最多 200 字。")])


class LeaveForm(FlaskForm):
    """Why and since when a person leaves the roster."""

    kind = RadioField("原因", choices=_options(LEAVE_KINDS), invalid_choice_message=_CHOOSE, default="leave")
    on = DateField(
        "生效日期",
        invalid_value_message="日期请写成 2026-11-24 的样子。",
        validators=[InputRequired("请填写日期，如 2026-11-24。")],
    )
    note = StringField("备注", filters=[_tidy], validators=[Optional(), Length(max=200, message="最多 200 字。")])


def _number_or_none(text: str) -> int | None:
    """Read the number of a choice; None for the one that asks to choose."""
    return sent_number(text) if text else None


class RoleForm(FlaskForm):
    """A role, over which unit's subtree, in which tree."""

    role = SelectField(
        "角色", validators=[InputRequired(_CHOOSE)], choices=_options(ROLE_NAMES), invalid_choice_message=_CHOOSE
    )
    unit_id = SelectField(
        "管理范围",
        validators=[InputRequired(_CHOOSE)],
        coerce=_number_or_none,
        invalid_choice_message=_CHOOSE,
        invalid_value_message=_CHOOSE,
    )
    tree = SelectField(
        "管理方式", validators=[InputRequired(_CHOOSE)], choices=_options(_TREES), invalid_choice_message=_CHOOSE
    )
    ends_on = DateField("到期日期", invalid_value_message=_DAY, validators=[Optional()])
    reason = StringField("授权理由", filters=[_tidy], validators=[Optional(), Length(max=200, message="最多 200 字。")])


class DeputyForm(FlaskForm):
    """Whose role a person stands in for, until when, and why."""

    deputy_of_id = SelectField(
        "代理谁的角色",
        validators=[InputRequired(_CHOOSE)],
        coerce=sent_number,
        invalid_choice_message=_CHOOSE,
        invalid_value_message=_CHOOSE,
    )
    ends_on = DateField("到期日期", invalid_value_message=_DAY, validators=[InputRequired("请填写到期日期。")])
    reason = StringField(
        "代理理由", filters=[_tidy], validators=[DataRequired("请填写理由，如休假、出差。"), Length(max=200)]
    )


class TableForm(FlaskForm):
    """A table, uploaded or pasted."""

    file = FileField("文件（Excel、WPS 表格或 csv）", validators=[Optional()])
    text = TextAreaField(
        "或粘贴表格", validators=[Length(max=200_000, message="内容过长，请上传文件。")], render_kw={"rows": 8}
    )


class RolesImportForm(TableForm):
    """Who gets which role over which unit, and why."""

    reason = StringField("授权理由", filters=[_tidy], validators=[Optional(), Length(max=200, message="最多 200 字。")])


class UnitsImportForm(TableForm):
    """A table of units, and the unit above the rows that name none."""

    parent_id = SelectField(
        "没写上级的单位，归入", coerce=sent_number, invalid_choice_message=_CHOOSE, invalid_value_message=_CHOOSE
    )
    is_confirmed = HiddenField(validators=[Optional()])


class RosterUploadForm(FlaskForm):
    """A roster file, and the unit that its people belong to where the file does not say."""

    file = FileField("名册文件", validators=[FileRequired("请选择文件。")])
    unit_id = SelectField(
        "单位",
        validators=[InputRequired(_CHOOSE)],
        coerce=sent_number,
        invalid_choice_message=_CHOOSE,
        invalid_value_message=_CHOOSE,
    )
    is_whole = BooleanField("用新名册核对：列出新增、调动、离开的人，由您逐项确认")
