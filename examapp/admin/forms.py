"""The shapes of the first set-up and of the exam-day decisions."""

from __future__ import annotations

from wtforms import BooleanField, PasswordField, RadioField, SelectChoice, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from examapp.core.forms import FlaskForm, IntegerField


def _strip(value: str | None) -> str | None:
    return value.strip() if value else value


def _text(label: str, missing: str, most: int, description: str = "") -> StringField:
    return StringField(
        label,
        filters=[_strip],
        description=description,
        validators=[InputRequired(missing), Length(min=1, max=most, message=f"请填写，最多 {most} 字。")],
    )


def _optional(label: str, most: int) -> StringField:
    return StringField(label, filters=[_strip], validators=[Optional(), Length(max=most, message=f"最多 {most} 字。")])


class SetUpForm(FlaskForm):
    """The set-up code, the county, who sits there, and the three administrators where they are known already."""

    setup_code = _text(
        "设置码", "请填写设置码。", 64, "启动程序时显示在服务器的窗口里，也在数据目录的 setup_code 文件中。"
    )
    county_name = _text("县（区、市）名称", "请填写县的名称。", 50, "例如：青禾县")
    county_code = _text(
        "单位代码", "请填写单位代码。", 32, "本县在单位编码中的代码，例如行政区划代码。以后导入名册按代码认单位。"
    )
    name = _text("您的姓名", "请填写您的姓名。", 60)
    login_name = _text("您的登录名", "请填写登录名。", 64, "一般用工号，不含空格。")
    password = PasswordField(
        "密码", validators=[InputRequired("请填写密码。"), Length(max=128, message="密码最多 128 位。")]
    )
    repeated = PasswordField("再输一次密码", validators=[InputRequired("请再输一次密码。")])
    system_name = _optional("系统管理员姓名", 60)
    system_login = _optional("系统管理员登录名", 64)
    security_name = _optional("安全管理员姓名", 60)
    security_login = _optional("安全管理员登录名", 64)
    audit_name = _optional("审计管理员姓名", 60)
    audit_login = _optional("审计管理员登录名", 64)


class ReopenForm(FlaskForm):
    """Minutes and reason for opening a closed attempt again."""

    minutes = IntegerField(
        "打开后可以作答几分钟",
        [InputRequired("请填写分钟数。"), NumberRange(1, 240, "应为 1 至 240 分钟。")],
        default=10,
    )
    reason = StringField("原因", [DataRequired("请填写原因，如「误点交卷，监考人证实」。"), Length(max=200)])
    is_known = BooleanField("答案已公布，仍要申请")


class SittingNoticeForm(FlaskForm):
    """What those who sit are told; an empty one takes back what was said."""

    words = StringField(
        "通知内容",
        [Length(max=120, message="最多 120 字，请写短一些。")],
        description="显示在每个正在作答的人的页面上，一分钟之内送到。清空后保存即撤下。",
    )


class JudgeForm(FlaskForm):
    """The decision about late answers, and its reason."""

    decision = RadioField(
        "处理意见",
        [InputRequired("请选择采纳或不采纳。")],
        choices=[
            SelectChoice("accept", "采纳：并入答卷，重新评分"),
            SelectChoice("reject", "不采纳：成绩不变"),
        ],
    )
    reason = StringField("理由", [DataRequired("请填写理由，如「本单位 10:02 至 10:14 停电」。"), Length(max=200)])
