"""One-time passwords by the clock (TOTP, RFC 6238) and the recovery codes that stand in for the device once."""

from __future__ import annotations

import secrets
import unicodedata
from datetime import datetime, timedelta

import pyotp

HALF_SIGN_IN_LIFE = timedelta(minutes=10)
"""How long a right password waits for its code."""
RECOVERY_PURPOSE = "recovery_code"
_STEP_S = 30
_WINDOW = 1
"""Half minutes before and after: a phone's clock is seldom exact."""
_RECOVERY_CODES = 8
_CHARACTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_RECOVERY_LENGTH = 10


def second_factor_binding(account_id: int) -> str:
    """Give the row that a sealed secret is bound to."""
    return f"second_factor:{account_id}"


def new_secret() -> str:
    """Make a secret of 160 bits in base 32, as authenticator programs read it."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, *, login_name: str, site_name: str) -> str:
    """Give the address that the QR code holds."""
    return pyotp.TOTP(secret).provisioning_uri(name=login_name, issuer_name=site_name)


def matching_step(secret: str, typed: str, *, now: datetime, last_step: int) -> int | None:
    """Give the half minute whose code was typed, None where none fits or one of this or a later half minute was accepted before."""
    code = "".join(unicodedata.normalize("NFKC", typed[:20]).split())
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        return None
    present, totp = int(now.timestamp()) // _STEP_S, pyotp.TOTP(secret)
    fitting = [
        step
        for step in range(present - _WINDOW, present + _WINDOW + 1)
        if secrets.compare_digest(totp.generate_otp(step), code)
    ]
    return next((step for step in fitting if step > last_step), None)


def new_recovery_codes() -> list[str]:
    """Make the codes for paper: 49 bits each, none of 0 O 1 I L."""
    return ["".join(secrets.choice(_CHARACTERS) for _ in range(_RECOVERY_LENGTH)) for _ in range(_RECOVERY_CODES)]


def clean_recovery_code(typed: str) -> str | None:
    """Give a typed recovery code as it was made, None where it cannot be one."""
    plain = unicodedata.normalize("NFKC", typed[:40]).upper()
    code = "".join(character for character in plain if character not in " -–\t\u3000")
    return code if len(code) == _RECOVERY_LENGTH and set(code) <= set(_CHARACTERS) else None
