"""Passwords: changed by their holder, issued again by an administrator."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from examapp.errors import ConflictError, DomainError
from examapp.organisation.access.queries import list_grants
from examapp.organisation.access.rules import NO_ACCESS, UNIT_ROLES, access_of
from examapp.organisation.accounts.actions import end_sign_ins
from examapp.organisation.accounts.models import FormerPassword
from examapp.organisation.accounts.rules import (
    FIRST_PASSWORD_CHARACTERS,
    FIRST_PASSWORD_LENGTH,
    FORMER_PASSWORDS,
    is_common,
)
from examapp.organisation.dual_control import actions as dual_control_actions
from examapp.organisation.dual_control.queries import find_allowed
from examapp.organisation.dual_control.rules import ACCOUNT_ACTS
from examapp.organisation.people.models import Account, Approval, Person, RoleGrant
from examapp.organisation.people.queries import guarded_role_of, separated_role_of
from examapp.organisation.people.rules import first_password_binding
from examapp.organisation.units.models import Tree, Unit
from examapp.platform.audit.actions import ActionContext, record
from examapp.security.ciphers import FieldCipher
from examapp.security.password_hashing import NO_HASH

AUDIT_ACTS = {
    "people.change_password": "修改密码",
    "people.export_first_passwords": "导出初始密码",
    "people.deny_access": "访问被拒绝（不存在或无权）",
    "people.revoke_role": "收回角色",
    "people.download_file": "下载文件",
}
AUDIT_OBJECTS = {"page": "页面", "role_grant": "角色授权"}
AUDIT_DETAILS = {
    "assessment_id": "考核",
    "blueprint_id": "组卷规则",
    "campaign_id": "专项宣传",
    "certificate_id": "证书",
    "chapter_id": "章节",
    "correction_id": "更正",
    "event_id": "学法活动",
    "exam_id": "考试",
    "exemption_id": "免考、缓考申请",
    "export_id": "导出",
    "file_id": "附件",
    "first_year": "规划期起始年度",
    "import_id": "导入",
    "job_id": "任务",
    "list_id": "清单",
    "notice_id": "通知",
    "pack_id": "证据包",
    "record_id": "履职记录",
    "report_id": "述法报告",
    "sheet_id": "评分表",
    "template_id": "模板",
    "address": "网址",
    "deputy_of_id": "代理的授权",
    "ends_at": "到期",
    "role": "角色",
    "view": "页面",
    "things": "对象",
    "why": "原因",
}
AUDIT_VALUES = {
    "guarded_account": "对方有管理角色",
    "same_person": "申请人或涉及的本人审批",
    # Views that give files.
    "audit_admin.export_log": "审计记录",
    "corrections_admin.download_correction": "更正前后对照",
    "duties.export_my_report": "本人的述法报告",
    "duties_admin.export_campaign": "专项宣传汇总（Word）",
    "duties_admin.export_evaluation": "规划期评估（Word）",
    "duties_admin.export_ledger": "普法台账",
    "duties_admin.export_ledger_word": "普法台账（Word）",
    "duties_admin.export_list": "普法责任清单",
    "duties_admin.export_report": "述法报告（Word）",
    "duties_admin.export_reports": "述法汇总（Word）",
    "duties_admin.export_results": "考核结果表",
    "duties_admin.export_sheet": "考核评分表",
    "duties_admin.export_sheet_word": "考核评分表（Word）",
    "duties_admin.export_summary": "考核情况汇总",
    "duties_admin.export_yearly_summary": "年度总结（Word）",
    "duties_admin.fetch_file": "履职记录的附件",
    "evidence_admin.download_pack": "考试证据包",
    "exams.fetch_my_proof": "本人的证明材料",
    "exams_admin.fetch_proof": "免考、缓考证明材料",
    "laws.show_version": "法律条文",
    "messages.fetch_notice_file": "通知附件",
    "messages_admin.fetch_notice_file": "通知附件",
    "papers_admin.export_paper": "试卷（Word）",
    "people_admin.download_annotated": "名册检查结果",
    "people_admin.download_roster_template": "名册模板",
    "people_admin.export_first_passwords": "初始密码",
    "people_admin.export_roster": "历史名册",
    "privacy.take_copy": "本人的个人信息",
    "questions_admin.download_notes": "试题导入核对表",
    "questions_admin.download_returned": "试题补正表",
    "questions_admin.download_template": "试题模板",
    "questions_admin.export_questions": "试题",
    "records.download_certificate": "本人的证书",
    "records.my_event_file": "学法活动资料",
    "records_admin.download_job": "成批证书",
    "records_admin.event_file": "学法活动资料",
    "records_admin.export_study": "学习情况",
    "records_admin.export_totals": "普法活动统计",
    "records_admin.export_unit_records": "单位学法档案",
    "records_admin.print_unit": "单位的证书",
    "reports_admin.download_export": "导出的报表",
    "reports_api.download_export": "导出的报表（接口）",
    "reports_designs.show_shipped": "随产品提供的报表模板",
    "reports_designs.show_version": "报表模板",
    "training.show_file": "课程资料",
    "training.take_along": "课程章节（离线）",
    "unit_management_admin.export_calls": "电话名单",
}


class GuardedAccountError(DomainError):
    """The account belongs to an administrator, which this one may not change."""

    code = "guarded_account"
    status = 403
    message = "这个人有管理角色，账号只能由系统管理员处理。请与系统管理员联系。"


def ensure_not_privileged(context: ActionContext, person: Person, *, may_touch_guarded: bool) -> None:
    """Reject to touch the account of a holder of a guarded role, or of a role beyond the actor's own access scope; raises GuardedAccountError."""
    if may_touch_guarded:
        return
    access = None
    if context.actor.person_id is not None:
        access = (
            access_of("people:person:write", list_grants(context.session, context.actor.person_id, now=context.now))
            or NO_ACCESS
        )
    if context.session.scalar(select(guarded_role_of(person.id, now=context.now, access=access))):
        raise GuardedAccountError


def change_password(
    context: ActionContext, account_id: int, *, old_hash: str, new_hash: str, sign_in_id: int, keeps_history: bool
) -> None:
    """Put a new password of the holder's own in force: the first one is forgotten, all other browsers are signed out.

    `old_hash` is the one that the old password was compared with; raises ConflictError where it has changed since. With `keeps_history`
    the old and the new hash join the last ones, none of which may come back; so does a password from before the profile was chosen.
    """
    session, now = context.session, context.now
    account = session.scalars(
        select(Account).where(Account.id == account_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if account.password_hash != old_hash:
        raise ConflictError("密码刚刚已被修改或重置，请用新密码重新登录。")
    account.password_hash, account.first_password_encrypted = new_hash, None
    account.must_change_password, account.password_changed_at = False, now
    account.failures, account.first_failure_at, account.locked_until = 0, None, None
    if keeps_history:
        _remember(session, account_id, old_hash, new_hash, now=now)
    end_sign_ins(session, account_id, now=now, but=sign_in_id)
    record(
        context,
        "people.change_password",
        object_type="account",
        object_id=account_id,
        person_id=context.actor.person_id,
    )


def _remember(session: Session, account_id: int, old_hash: str, new_hash: str, *, now: datetime) -> None:
    of_account = select(FormerPassword.password_hash).where(FormerPassword.account_id == account_id)
    known = {NO_HASH, *session.scalars(of_account)}
    for password_hash in (old_hash, new_hash):
        if password_hash not in known:
            session.add(FormerPassword(account_id=account_id, password_hash=password_hash, set_at=now))
            session.flush()
    last = select(FormerPassword.id).where(FormerPassword.account_id == account_id)
    kept = last.order_by(FormerPassword.id.desc()).limit(FORMER_PASSWORDS)
    session.execute(
        delete(FormerPassword).where(FormerPassword.account_id == account_id, FormerPassword.id.not_in(kept))
    )


def new_first_password() -> str:
    """Make a random first password that can be read from paper: ten characters, none of 0 O 1 l I."""
    while True:
        password = "".join(secrets.choice(FIRST_PASSWORD_CHARACTERS) for _ in range(FIRST_PASSWORD_LENGTH))
        if (
            any(c.isdigit() for c in password)
            and any(c.islower() for c in password)
            and any(map(str.isupper, password))
            and not is_common(password)
        ):
            return password


def open_account(person: Person, *, cipher: FieldCipher) -> Account:
    """Make the account of a person who has an id: signed in to by staff number, with a sealed first password."""
    return Account(
        person_id=person.id,
        login_name=person.staff_number,
        password_hash=NO_HASH,
        first_password_encrypted=cipher.seal(new_first_password(), associated_data=first_password_binding(person.id)),
        must_change_password=True,
    )


def note_first_passwords_given_out(context: ActionContext, unit_id: int, *, count: int) -> None:
    """Write down that somebody has taken a unit's first passwords with him."""
    record(context, "people.export_first_passwords", object_type="unit", object_id=unit_id, details={"count": count})


def in_force(now: datetime) -> ColumnElement[bool]:
    """Give the condition that a grant is in force."""
    return or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now)


def end_grants(context: ActionContext, grant_ids: Sequence[int]) -> list[RoleGrant]:
    """End grants that are in force, and their deputies' with them; gives all that ended, each with its line in the log."""
    if not grant_ids:
        return []
    meant = or_(RoleGrant.id.in_(grant_ids), RoleGrant.deputy_of_id.in_(grant_ids))
    ended = context.session.scalars(
        select(RoleGrant)
        .where(meant, in_force(context.now))
        .order_by(RoleGrant.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for grant in ended:
        grant.ends_at = context.now
        note_grant(context, "people.revoke_role", grant)
    context.session.flush()
    return list(ended)


def end_grants_of(context: ActionContext, person_id: int) -> None:
    """End all roles of who leaves the roster: coming back, a person is asked for and approved again."""
    held = context.session.scalars(
        select(RoleGrant.id).where(RoleGrant.person_id == person_id, in_force(context.now))
    ).all()
    end_grants(context, held)


def end_grants_left_behind(context: ActionContext, moves: Mapping[int, tuple[int | None, int]]) -> None:
    """End the roles over a unit that their holders have left; `moves` says for each person from which unit to which.

    A role stays that reaches the new unit too, and one over a unit that has nothing to do with the one that was left.
    """
    held = context.session.execute(
        select(RoleGrant.id, RoleGrant.person_id, RoleGrant.tree, Unit)
        .join(Unit, RoleGrant.unit_id == Unit.id)
        .where(RoleGrant.person_id.in_(moves), RoleGrant.role.in_(UNIT_ROLES), in_force(context.now))
    ).all()
    behind = [
        row.id for row in held if _is_left_behind(context.session, row.Unit, Tree(row.tree), *moves[row.person_id])
    ]
    end_grants(context, behind)


def _is_left_behind(session: Session, over: Unit, tree: Tree, left_id: int | None, to_id: int) -> bool:
    left = session.get(Unit, left_id) if left_id is not None else None
    path, to_path = over.path_in(tree), session.get_one(Unit, to_id).path_in(tree)
    left_path = left.path_in(tree) if left is not None else None
    if path is None or left_path is None:
        return over.id == left_id
    is_of_the_left = left_path.startswith(path) or path.startswith(left_path)
    return is_of_the_left and not (to_path or "").startswith(path)


def note_grant(context: ActionContext, act: str, grant: RoleGrant) -> None:
    """Write down what became of a role."""
    record(
        context,
        act,
        object_type="role_grant",
        object_id=grant.id,
        person_id=grant.person_id,
        details={
            "role": grant.role,
            "unit_id": grant.unit_id,
            "tree": grant.tree,
            "ends_at": grant.ends_at.isoformat() if grant.ends_at else None,
            "deputy_of_id": grant.deputy_of_id,
        },
    )


_OPEN_FOR = timedelta(days=1)
"""How long the requester may do what was allowed: once."""


def is_separated(session: Session, person_id: int, *, now: datetime) -> bool:
    """Tell whether a person holds one of the three roles."""
    return bool(session.scalar(select(separated_role_of(person_id, now=now))))


def is_allowed(context: ActionContext, act: str, person: Person, *, reason: str) -> bool:
    """Tell whether an act on a person's account may be done now, and use the consent up; asks for it where it is missing.

    Everybody but the three needs none. Raises AlreadyRequestedError while the same request waits.
    """
    session, now = context.session, context.now
    if not is_separated(session, person.id, now=now):
        return True
    found = find_allowed(session, act, str(person.id), person_id=context.actor.person_id or 0, now=now)
    if found is not None:
        session.refresh(found, with_for_update=True)
        if found.expires_at > now:
            found.expires_at = now
            session.flush()
            return True
    dual_control_actions.ask(context, act, request_key=str(person.id), person_id=person.id, details={}, reason=reason)
    return False


def allow(approval: Approval, *, now: datetime) -> None:
    """Let the requester do once, within a day, what a second person has allowed."""
    if approval.act not in ACCOUNT_ACTS:
        raise LookupError(approval.act)
    approval.expires_at = now + _OPEN_FOR


def set_elder_mode(session: Session, account_id: int, *, is_wanted: bool) -> None:
    """Keep whether an account's holder wants the version for older eyes (适老版)."""
    session.execute(update(Account).where(Account.id == account_id).values(has_elder_mode=is_wanted))
