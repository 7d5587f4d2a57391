"""Failures counted by address, and the captcha that an address with many of them brings: given out sealed, good for one try."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.errors import DomainError
from examapp.organisation.captcha.rules import (
    ADDRESS_WINDOW,
    CAPTCHA_LIFE,
    CAPTCHA_WAIT,
    MAX_WAITED_REQUESTS,
    draw_captcha,
    is_captcha_answer,
    new_captcha_answer,
    office_of,
)
from examapp.organisation.people.models import AddressFailure, UsedCaptcha
from examapp.security.ciphers import DecryptionError, FieldCipher

_BINDING = "captcha"


class CaptchaRequiredError(DomainError):
    """Many accounts failed from this address: an unknown device has to solve a captcha first."""

    code = "captcha_required"
    status = 403
    message = "同一网络刚才登录出错的人较多，请按图片填写验证码再登录。看不清的，验证码留空，等 30 秒后再点“登录”。"


class WrongCaptchaError(CaptchaRequiredError):
    """The digits are wrong, too old or used before."""

    message = "验证码不对或已过期，请按新的图片填写。看不清的，验证码留空，等 30 秒后再点“登录”。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A captcha as it goes out: the sealed token that comes back with the answer, and the picture (PNG)."""

    token: str
    picture: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptchaSolution:
    """What came back."""

    token: str = ""
    answer: str = ""


def new_challenge(*, cipher: FieldCipher, now: datetime) -> Challenge:
    """Make a captcha; nothing is stored, since the token holds the answer sealed."""
    answer = new_captcha_answer()
    plain = json.dumps([secrets.token_hex(16), answer, now.timestamp()])
    encrypted = cipher.seal(plain, associated_data=_BINDING)
    return Challenge(token=base64.urlsafe_b64encode(encrypted).decode(), picture=draw_captcha(answer))


def use_solution(
    session: Session, solution: CaptchaSolution, *, address: str | None, cipher: FieldCipher, now: datetime
) -> bool:
    """Tell whether a solution lets one try pass: the right digits, or none after a wait; used up either way."""
    opened = _open(solution.token, cipher)
    if opened is None:
        return False
    nonce, answer, made_at = opened
    is_waiting = not solution.answer.strip()
    if not now - CAPTCHA_LIFE < made_at <= now or (is_waiting and not _may_wait(session, made_at, address, now)):
        return False
    is_first_use = session.execute(
        insert(UsedCaptcha)
        .values(nonce=nonce, used_at=now, address=office_of(address), is_waited=is_waiting)
        .on_conflict_do_nothing()
        .returning(UsedCaptcha.nonce)
    ).scalar()
    return is_first_use is not None and (is_waiting or is_captcha_answer(solution.answer, answer))


def _open(token: str, cipher: FieldCipher) -> tuple[bytes, str, datetime] | None:
    try:
        encrypted = base64.urlsafe_b64decode(token[:400].encode("ascii", "replace"))
        nonce, answer, made_at = json.loads(cipher.decrypt(encrypted, associated_data=_BINDING))
    except (DecryptionError, binascii.Error, ValueError):
        return None
    return bytes.fromhex(nonce), answer, datetime.fromtimestamp(made_at, UTC)


def _may_wait(session: Session, made_at: datetime, address: str | None, now: datetime) -> bool:
    if now - made_at < CAPTCHA_WAIT:
        return False
    recently = (
        select(func.count())
        .select_from(UsedCaptcha)
        .where(
            UsedCaptcha.address == office_of(address), UsedCaptcha.is_waited, UsedCaptcha.used_at > now - CAPTCHA_WAIT
        )
    )
    return session.execute(recently).scalar_one() < MAX_WAITED_REQUESTS


def note_address_failure(session: Session, name_key: bytes, *, address: str | None, now: datetime) -> None:
    """Write down that a login name, known or not, failed from an address; one row a name."""
    session.execute(
        insert(AddressFailure)
        .values(address=office_of(address), name_key=name_key, failed_at=now)
        .on_conflict_do_update(index_elements=["address", "name_key"], set_={"failed_at": now})
    )


def forget_old_failures(session: Session, *, now: datetime) -> None:
    """Delete what no longer counts."""
    session.execute(delete(AddressFailure).where(AddressFailure.failed_at <= now - ADDRESS_WINDOW))
    session.execute(delete(UsedCaptcha).where(UsedCaptcha.used_at <= now - CAPTCHA_LIFE))
