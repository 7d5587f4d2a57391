"""The shape of what people type about themselves and others; what needs the database is checked by the operations."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length, Optional

from examapp.people.rules import LONGEST_PASSWORD

_LONGEST_LOGIN_NAME = 64


class SignInForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """Login name and password; `captcha` is read where one is asked for."""

    login_name = StringField("登录名", validators=[InputRequired("请填写登录名。"), Length(max=_LONGEST_LOGIN_NAME)])
    password = PasswordField("密码", validators=[InputRequired("请填写密码。")])
    captcha = StringField("验证码", validators=[Optional()])


class ChangePasswordForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """The old password, where it is asked for, and the new one twice."""

    current_password = PasswordField(
        "现在的密码",
        validators=[InputRequired("请填写现在的密码。"), Length(max=LONGEST_PASSWORD, message="密码过长。")],
    )
    new_password = PasswordField("新密码", validators=[InputRequired("请填写新密码。")])
    repeated = PasswordField("再输一次新密码", validators=[InputRequired("请再输一次新密码。")])
