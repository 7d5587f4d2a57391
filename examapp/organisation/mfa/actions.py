"""An administrator's one-time-password device: set up, confirmed, asked for at sign-in, taken off; a code is good once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from examapp.errors import ConflictError, DomainError, NotFoundError
from examapp.organisation.accounts.actions import (
    SignInResult,
    WaitBeforeSignInError,
    end_sign_ins,
    note_rejected_sign_in,
)
from examapp.organisation.accounts.models import RecoveryCode, SecondFactor
from examapp.organisation.accounts.queries import find_signed_in
from examapp.organisation.accounts.rules import Failures, digest
from examapp.organisation.passwords.actions import ensure_not_privileged, is_allowed
from examapp.organisation.people.models import Account, Person, SignIn
from examapp.organisation.people.rules import (
    HALF_SIGN_IN_LIFE,
    RECOVERY_PURPOSE,
    clean_recovery_code,
    matching_step,
    new_recovery_codes,
    new_secret,
    second_factor_binding,
)
from examapp.platform.audit.actions import ActionContext, Actor, record
from examapp.security.ciphers import DecryptionError, FieldCipher

AUDIT_ACTS = {
    "people.fail_second_factor": "动态口令错误",
    "people.pass_second_factor": "动态口令通过",
    "people.remove_second_factor": "停用动态口令",
    "people.set_second_factor": "启用动态口令",
}
AUDIT_DETAILS = {"by": "方式"}

_SET_UP_LIFE = timedelta(minutes=30)


class SecondFactorRequiredError(DomainError):
    """The password was right; the one-time code comes next."""

    code = "second_factor_required"
    status = 403
    message = "还要输入动态口令。请打开登录页完成登录，再回到这里。"


class WrongCodeError(DomainError):
    """The code does not fit, or was used before."""

    code = "wrong_code"
    status = 401
    message = "动态口令不对或已用过。请等手机上换了新的一组数字再输；也可以用一个恢复码。"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    is_right: bool
    by: str = ""


def begin_set_up(session: Session, account_id: int, *, cipher: FieldCipher, now: datetime) -> str:
    """Give the secret to show as a QR code; it counts once confirmed. Raises ConflictError where a device is in use."""
    _lock_account(session, account_id)
    row = session.get(SecondFactor, account_id, populate_existing=True)
    binding = second_factor_binding(account_id)
    if row is not None and row.confirmed_at is not None:
        raise ConflictError("动态口令已经启用。要换手机，请先停用再重新启用。")
    if row is not None and now - row.made_at < _SET_UP_LIFE and (secret := _find_secret(row, cipher)):
        return secret
    secret = new_secret()
    if row is None:
        row = SecondFactor(account_id=account_id, secret_encrypted=b"", made_at=now)
        session.add(row)
    row.secret_encrypted, row.made_at = cipher.seal(secret, associated_data=binding), now
    session.flush()
    return secret


def confirm(context: ActionContext, account_id: int, typed: str, *, sign_in_id: int, cipher: FieldCipher) -> list[str]:
    """Put the device in force with a first code from it and give the recovery codes, once; other browsers are signed out.

    Raises WrongCodeError, ConflictError.
    """
    session, now = context.session, context.now
    account = _lock_account(session, account_id)
    row = session.get(SecondFactor, account_id, populate_existing=True)  # meant: one's own account
    if row is None or row.confirmed_at is not None:
        raise ConflictError("动态口令已经启用，或这一页已过期。请刷新页面。")
    secret = _find_secret(row, cipher)
    step = matching_step(secret, typed, now=now, last_step=0) if secret else None
    if step is None:
        raise WrongCodeError("动态口令不对。请核对手机时间是否准确，再输入手机上现在显示的 6 位数字。")
    row.confirmed_at, row.last_step, account.has_second_factor = now, step, True
    codes = new_recovery_codes()
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    session.add_all(
        RecoveryCode(account_id=account_id, code_index=cipher.blind_index(code, purpose=RECOVERY_PURPOSE))
        for code in codes
    )
    end_sign_ins(session, account_id, now=now, but=sign_in_id)
    _note(context, "people.set_second_factor", account)
    return codes


def pass_code(
    session: Session, token: str, typed: str, *, cipher: FieldCipher, address: str | None, now: datetime
) -> SignInResult:
    """Complete a half sign-in by a one-time or recovery code and give it a new token; wrong ones are counted and wait."""
    row = session.scalar(
        select(SignIn)
        .where(
            SignIn.token_digest == digest(token),
            SignIn.awaits_code,
            SignIn.ended_at.is_(None),
            SignIn.started_at > now - HALF_SIGN_IN_LIFE,
        )
        .with_for_update()
    )
    if row is None:
        return SignInResult(rejection=NotFoundError("登录已超时，请重新输入登录名和密码。"))
    account, factor = _lock_account(session, row.account_id), _lock_factor(session, row.account_id)
    if account.disabled_at is not None or factor is None:
        return SignInResult(rejection=NotFoundError("登录已超时，请重新输入登录名和密码。"))
    if wait := _failures(factor).wait_s(now=now, is_known_device=False):
        note_rejected_sign_in(
            session,
            WaitBeforeSignInError.code,
            account_id=account.id,
            person_id=account.person_id,
            address=address,
            now=now,
        )
        return SignInResult(rejection=WaitBeforeSignInError(wait))
    context = ActionContext(session, Actor(person_id=account.person_id, address=address), now)
    proof = _prove(session, factor, typed, cipher=cipher, now=now)
    if not proof.is_right:
        return _count_failure(context, account, factor)
    factor.failures, factor.first_failure_at, factor.locked_until = 0, None, None
    new_token = secrets.token_urlsafe(24)
    row.token_digest, row.awaits_code = digest(new_token), False
    session.flush()
    _note(context, "people.pass_second_factor", account, by=proof.by)
    return SignInResult(token=new_token, user=find_signed_in(session, digest(new_token)))


def take_off(context: ActionContext, account_id: int, typed: str, *, cipher: FieldCipher) -> None:
    """Take one's own device off with a code of it or a recovery code; raises WrongCodeError, WaitBeforeSignInError."""
    session, now = context.session, context.now
    account, factor = _lock_account(session, account_id), _lock_factor(session, account_id)
    if factor is None:
        raise NotFoundError
    if wait := _failures(factor).wait_s(now=now, is_known_device=False):
        raise WaitBeforeSignInError(wait)
    if not _prove(session, factor, typed, cipher=cipher, now=now).is_right:
        raise WrongCodeError
    _remove(context, account)


def count_wrong_code(context: ActionContext, account_id: int) -> None:
    """Count a wrong code that was typed to take the device off; in a transaction of its own, since the act itself was rejected."""
    account, factor = _lock_account(context.session, account_id), _lock_factor(context.session, account_id)
    if factor is not None:
        _count_failure(context, account, factor)


def reset_second_factor(context: ActionContext, person: Person, *, may_touch_guarded: bool, reason: str = "") -> bool:
    """Take a lost device off another one's account: its holder signs in by password and sets a new one up; all sign-ins end.

    False where a second person has been asked first.
    """
    session = context.session
    ensure_not_privileged(context, person, may_touch_guarded=may_touch_guarded)
    account_id = session.scalar(select(Account.id).where(Account.person_id == person.id, Account.has_second_factor))
    if account_id is None or person.id == context.actor.person_id:
        raise NotFoundError
    if not is_allowed(context, "people.remove_second_factor", person, reason=reason):
        return False
    account = _lock_account(session, account_id)
    end_sign_ins(session, account_id, now=context.now)
    _remove(context, account)
    return True


def _remove(context: ActionContext, account: Account) -> None:
    account.has_second_factor = False
    context.session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    context.session.execute(delete(SecondFactor).where(SecondFactor.account_id == account.id))
    _note(context, "people.remove_second_factor", account)


def _prove(session: Session, factor: SecondFactor, typed: str, *, cipher: FieldCipher, now: datetime) -> _Proof:
    secret = _find_secret(factor, cipher)
    step = matching_step(secret, typed, now=now, last_step=factor.last_step) if secret else None
    if step is not None:
        factor.last_step = step
        return _Proof(is_right=True, by="device")
    code = clean_recovery_code(typed)
    if code is None:
        return _Proof(is_right=False)
    recovery = session.scalar(
        select(RecoveryCode)
        .where(
            RecoveryCode.account_id == factor.account_id,
            RecoveryCode.code_index.in_(cipher.blind_indexes(code, purpose=RECOVERY_PURPOSE)),
            RecoveryCode.used_at.is_(None),
        )
        .with_for_update()
    )
    if recovery is None:
        return _Proof(is_right=False)
    recovery.used_at = now
    return _Proof(is_right=True, by="recovery_code")


def _count_failure(context: ActionContext, account: Account, factor: SecondFactor) -> SignInResult:
    after = _failures(factor).after_another(now=context.now)
    factor.failures, factor.first_failure_at, factor.locked_until = after.count, after.first_at, after.locked_until
    _note(context, "people.fail_second_factor", account)
    wait = after.wait_s(now=context.now, is_known_device=False)
    return SignInResult(rejection=WaitBeforeSignInError(wait) if wait else WrongCodeError())


def _failures(factor: SecondFactor) -> Failures:
    return Failures(count=factor.failures, first_at=factor.first_failure_at, locked_until=factor.locked_until)


def _find_secret(factor: SecondFactor, cipher: FieldCipher) -> str | None:
    """Find the device's secret, None where it cannot be decrypted: a recovery code is still accepted then."""
    try:
        return cipher.decrypt(factor.secret_encrypted, associated_data=second_factor_binding(factor.account_id))
    except DecryptionError:
        return None


def _lock_account(session: Session, account_id: int) -> Account:
    return session.scalars(
        select(Account).where(Account.id == account_id).with_for_update().execution_options(populate_existing=True)
    ).one()


def _lock_factor(session: Session, account_id: int) -> SecondFactor | None:
    return session.scalar(
        select(SecondFactor)
        .where(SecondFactor.account_id == account_id, SecondFactor.confirmed_at.is_not(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _note(context: ActionContext, act: str, account: Account, *, by: str | None = None) -> None:
    record(
        context,
        act,
        object_type="account",
        object_id=account.id,
        person_id=account.person_id,
        details={"by": by} if by else None,
    )
