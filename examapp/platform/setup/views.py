"""The shapes of the first set-up and of the exam-day decisions."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import asdict, replace

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField, PasswordField, SelectChoice, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from examapp import clock
from examapp.config import DEFAULT_ORGANISATION
from examapp.db.session import read_session, transaction
from examapp.errors import DomainError, NotFoundError
from examapp.organisation.access.rules import ROLE_NAMES, Role
from examapp.organisation.accounts.actions import judge_set_up_code
from examapp.organisation.accounts.guards import (
    cipher,
    hasher,
    menu_entry,
    password_profile,
    public,
    requires,
    sign_in_policy,
)
from examapp.organisation.accounts.rules import MAX_SIGN_IN_DAYS, SignInPolicy, find_password_issue
from examapp.organisation.captcha.rules import office_of
from examapp.platform.backups.queries import view_backups
from examapp.platform.security_checklist.queries import backup_at
from examapp.platform.setup.actions import (
    Administrator,
    SetUp,
    load_content,
    set_sign_in_policy,
    set_site_texts,
    set_up,
)
from examapp.platform.setup.queries import find_content_load, find_site_texts, has_accounts
from examapp.platform.setup.rules import CONTENT_PARTS
from examapp.web.forms import FlaskForm, IntegerField
from examapp.web.pages import SiteTexts, show_site_texts
from examapp.web.submit import request_transaction


def _strip(value: str | None) -> str | None:
    return value.strip() if value else value


def _text(label: str, missing: str, limit: int, description: str = "") -> StringField:
    return StringField(
        label,
        filters=[_strip],
        description=description,
        validators=[InputRequired(missing), Length(min=1, max=limit, message=f"请填写，最多 {limit} 字。")],
    )


def _optional(label: str, limit: int) -> StringField:
    return StringField(
        label, filters=[_strip], validators=[Optional(), Length(max=limit, message=f"最多 {limit} 字。")]
    )


def content_field() -> SelectMultipleField:
    """Offer the content that ships with the application, by one tick each."""
    return SelectMultipleField(
        "随平台提供的内容", choices=[SelectChoice(key, names[0]) for key, names in CONTENT_PARTS.items()]
    )


class ContentForm(FlaskForm):
    """What of the shipped content to load."""

    content = content_field()


class SiteTextsForm(FlaskForm):
    """How the site and its office are called."""

    site_name = _text("平台名称", "请填写平台名称。", 40, "显示在每页的抬头和浏览器标签上。前面自动加县名。")
    organisation = _text(
        "落款单位", "请填写落款单位。", 40, "写在通知、通报、海报和页面底部，如“青禾县普法工作办公室”。"
    )
    help_line = _optional("咨询电话", 60)


class SignInPolicyForm(FlaskForm):
    """How long candidates stay signed in."""

    days = IntegerField(
        "考生登录后保留几天",
        description="到期后须重新输入密码。有管理角色的人最多 7 天，不受这里延长；另有“无操作须重新登录”的限制。",
        validators=[
            InputRequired("请填写天数。"),
            NumberRange(1, MAX_SIGN_IN_DAYS, f"请填写 1 至 {MAX_SIGN_IN_DAYS} 的整数。"),
        ],
    )
    is_kept_for_exam = BooleanField("有考试还没结束的考生，登录保留到考试结束")


class SetUpForm(FlaskForm):
    """The set-up code, the county, who sits there, and the three administrators where they are known already."""

    setup_code = _text(
        "设置码", "请填写设置码。", 64, "启动程序时显示在服务器的窗口里，也在数据目录的 setup_code 文件中。"
    )
    county_name = _text("县（区、市）名称", "请填写县的名称。", 50, "例如：青禾县")
    county_code = _text(
        "单位编码", "请填写单位编码。", 32, "本县在单位编码中的代码，例如行政区划代码。以后导入名册按代码认单位。"
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
    content = content_field()


PERMISSIONS = {
    "setup:content:load": {Role.PUBLICITY_OFFICE},
    "setup:text:write": {Role.PUBLICITY_OFFICE},
}

blueprint = Blueprint("setup", __name__)
_OTHERS = (
    (Role.SYSTEM_ADMIN, "system"),
    (Role.SECURITY_ADMIN, "security"),
    (Role.AUDIT_ADMIN, "audit"),
)


@blueprint.route("/setup", methods=["GET", "POST"])
@public
def first_set_up() -> AnyResponse:
    """Walk the first administrator through the set-up; nothing is here once an account exists or without a set-up code."""
    if not current_app.config["SETTINGS"].setup_code:
        raise NotFoundError
    if has_accounts(read_session()):
        return redirect("/")
    form = SetUpForm()
    if request.method == "POST" and form.validate() and _is_sound(form):
        response = _set_up(form)
        if response is not None:
            return response
    return Response(
        render_template("admin/setup.html", form=form, parts=CONTENT_PARTS, ticked=_ticked(form)),
        422 if form.errors else 200,
    )


def _ticked(form: SetUpForm) -> Collection[str]:
    return form.content.data or () if request.method == "POST" else CONTENT_PARTS


def _is_sound(form: SetUpForm) -> bool:
    """Check what one field alone does not show; faults are written beside their fields."""
    if rejection := _find_code_rejection(form.setup_code.data):
        form.setup_code.errors = [rejection.text]
    elif issue := find_password_issue(
        form.password.data, login_name=form.login_name.data, name=form.name.data or "", profile=password_profile()
    ):
        form.password.errors = [issue]
    elif form.password.data != form.repeated.data:
        form.repeated.errors = ["两次输入的密码不一样，请重新输入。"]
    for role, prefix in _OTHERS:
        name, login_name = form[f"{prefix}_name"], form[f"{prefix}_login"]
        if bool(name.data) != bool(login_name.data):
            (login_name if name.data else name).errors = [f"{ROLE_NAMES[role]}的姓名和登录名要一起填，或都不填。"]
    return not form.errors


def _find_code_rejection(typed: str) -> DomainError | None:
    """Judge the set-up code; wrong ones are counted by address, so that nobody finds it by trying."""
    is_right = hmac.compare_digest(typed.encode(), current_app.config["SETTINGS"].setup_code.encode())
    user = cipher().blind_index(office_of(request.remote_addr), purpose="setup_code")
    with transaction() as session:
        return judge_set_up_code(session, user, is_right=is_right, address=request.remote_addr, now=clock.now())


def _texts_of(county: str) -> dict[str, str] | None:
    """Name the office after its county; nothing where the environment names it."""
    texts: SiteTexts = current_app.extensions["site_texts"]
    if texts.organisation != DEFAULT_ORGANISATION:
        return None
    return asdict(replace(texts, organisation=f"{county}普法办公室"))


def _set_up(form: SetUpForm) -> Response | None:
    plan = SetUp(
        county_name=form.county_name.data,
        county_code=form.county_code.data,
        first=Administrator(name=form.name.data, login_name=form.login_name.data, role=Role.PUBLICITY_OFFICE),
        password_hash=hasher().hash(form.password.data),
        others=[
            Administrator(name=form[f"{prefix}_name"].data, login_name=form[f"{prefix}_login"].data, role=role)
            for role, prefix in _OTHERS
            if form[f"{prefix}_name"].data
        ],
        content=form.content.data or (),
        site_texts=_texts_of(form.county_name.data),
    )
    try:
        with transaction() as session:
            handed = set_up(session, plan, cipher=cipher(), address=request.remote_addr, now=clock.now())
    except DomainError as rejection:
        form.login_name.errors = [rejection.text]
        return None
    page = render_template(
        "admin/setup_done.html",
        handed=handed,
        role_names=ROLE_NAMES,
        login_name=form.login_name.data,
        is_loading=bool(plan.content),
    )
    return Response(page)


@blueprint.route("/admin/site-texts", methods=["GET", "POST"])
@menu_entry("平台设置", position=222, group="单位与人员")
@requires("setup:text:write", everywhere=True)
def change_site_texts() -> tuple[str, int] | AnyResponse:
    """Show and change how the site and its office are called."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 – Flask's way to the application itself
    form = SiteTextsForm(obj=_stored_texts())
    if form.validate_on_submit():
        texts = {name: form[name].data or "" for name in ("site_name", "organisation", "help_line")}
        with request_transaction("已保存。其他人打开的页面在十几秒内改用新的名称。") as context:
            set_site_texts(context, texts)
        show_site_texts(app, SiteTexts(**texts))
        return redirect(url_for(".change_site_texts"), 303)
    return _settings_page(form, SignInPolicyForm(formdata=None, obj=sign_in_policy()))


@blueprint.post("/admin/sign-in-policy")
@requires("setup:text:write", everywhere=True)
def change_sign_in_policy() -> tuple[str, int] | AnyResponse:
    """Change how long candidates stay signed in."""
    form = SignInPolicyForm()
    if not form.validate_on_submit():
        return _settings_page(SiteTextsForm(formdata=None, obj=_stored_texts()), form)
    policy = SignInPolicy(days=form.days.data, is_kept_for_exam=form.is_kept_for_exam.data)
    with request_transaction("已保存考生登录的保留时间，十几秒内生效。已经登录的也照此办理。") as context:
        set_sign_in_policy(context, policy)
    current_app.extensions["sign_in_policy"] = policy
    return redirect(url_for(".change_site_texts"), 303)


def _stored_texts() -> SiteTexts:
    """Give the texts as they are stored: this process may not have heard of them yet, and what a form shows is saved again."""
    stored = find_site_texts(read_session().connection())
    texts: SiteTexts = SiteTexts(**stored) if stored else current_app.extensions["site_texts"]
    return texts


def _settings_page(form: SiteTextsForm, policy_form: SignInPolicyForm) -> tuple[str, int]:
    page = render_template(
        "admin/site_texts.html",
        form=form,
        policy_form=policy_form,
        backup_at=backup_at(current_app.config["SETTINGS"]),
        backups=view_backups(read_session(), now=clock.now()),
    )
    return page, 422 if form.errors or policy_form.errors else 200


@blueprint.get("/admin/content/")
@requires("setup:content:load")
def show_content() -> str:
    """Show how far the loading of the shipped content is, and offer it again."""
    return render_template("admin/content.html", row=find_content_load(read_session()), parts=CONTENT_PARTS)


@blueprint.post("/admin/content/")
@requires("setup:content:load")
def load_shipped_content() -> AnyResponse:
    """Load what was ticked of the shipped content, in the background."""
    form = ContentForm()
    if form.validate_on_submit() and form.content.data:
        with request_transaction() as context:
            load_content(context, parts=form.content.data)
    else:
        flash("请勾选要装入的内容。", "danger")
    return redirect(url_for(".show_content"))
