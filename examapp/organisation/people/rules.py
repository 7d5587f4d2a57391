"""Rules of persons, pure: roles and access scope, sign-in, numbers, and the roster file."""

from __future__ import annotations

import re
import secrets
import unicodedata
from datetime import date, datetime, timedelta

import pyotp

_ID_NUMBER = re.compile(r"\d{17}[\dX]")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_MOBILE = re.compile(r"1[3-9]\d{9}")
_PART_OF_A_NUMBER = re.compile(r"\d{7}")


def normalise_id_number(typed: str) -> str:
    """Write an ID number in its one form: half width, no spaces or dashes, a capital X."""
    return re.sub(r"[\s\-'‘’`]", "", unicodedata.normalize("NFKC", typed)).upper()


def id_check_character(digits: str) -> str:
    """Give the check character of an ID number's first 17 digits (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, _ID_WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def normalise_mobile(typed: str) -> str:
    """Write a mobile number in its one form: eleven digits, without the country's code."""
    bare = re.sub(r"[\s\-()']", "", unicodedata.normalize("NFKC", typed))
    return re.sub(r"^(\+|00)?86(?=1\d{10}$)", "", bare)


def holds_number(text: str) -> bool:
    """Tell whether words may hold somebody's ID number or mobile, or a good part of one: they stand in no address and no log."""
    return _PART_OF_A_NUMBER.search(text) is not None


def is_id_number(text: str) -> bool:
    """Tell whether a normalised text has an ID number's shape; its check is another matter."""
    return _ID_NUMBER.fullmatch(text) is not None


def is_mobile(text: str) -> bool:
    """Tell whether a normalised text is a mobile number of the mainland."""
    return _MOBILE.fullmatch(text) is not None


_SCIENTIFIC = re.compile(r"\d(\.\d+)?E\+?\d+")


def find_id_number_issue(number: str) -> str | None:
    """Say in Chinese what is wrong with a normalised ID number, None where it may stand (GB 11643-1999)."""
    if _SCIENTIFIC.fullmatch(number):
        return "身份证号已被 Excel 变成科学计数，尾数丢失。请把该列设为“文本”格式，重新填写 18 位号码。"
    if len(number) != 18:
        return f"身份证号应为 18 位，现在是 {len(number)} 位。"
    if not is_id_number(number):
        return "身份证号应为 17 位数字加 1 位校验码（数字或 X），请核对。"
    if not _is_day(number[6:14]):
        return "身份证号中的出生日期不存在，请核对第 7 至 14 位。"
    expected = id_check_character(number[:17])
    return None if number[17] == expected else f"身份证号校验位不对，应为 {expected}，请核对前 17 位。"


def find_mobile_issue(number: str) -> str | None:
    """Say in Chinese what is wrong with a normalised mobile number, None where it may stand."""
    return None if is_mobile(number) else "手机号应为 11 位数字，以 1 开头，请核对。"


def mask_id_number(number: str) -> str:
    """Show of an ID number what tells two people of one village apart, and no more."""
    return f"{number[:6]}********{number[-4:]}" if len(number) == 18 else "****"


def mask_mobile(number: str) -> str:
    """Show the beginning and the end of a mobile number."""
    return f"{number[:3]}****{number[-4:]}" if len(number) == 11 else "****"


def _is_day(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


ID_NUMBER_PURPOSE = "id_number"
MOBILE_PURPOSE = "mobile"
"""What blind indexes are keyed for."""


def first_password_binding(person_id: int) -> str:
    """Name the one row that a sealed first password belongs to."""
    return f"person:{person_id}:first_password"


def id_number_binding(person_id: int) -> str:
    """Name the one row that a sealed ID number belongs to."""
    return f"person:{person_id}:id_number"


def mobile_binding(person_id: int) -> str:
    """Name the one row that a sealed mobile number belongs to."""
    return f"person:{person_id}:mobile"


def import_file_binding(import_id: int) -> str:
    """Name the one roster import that a sealed file belongs to."""
    return f"roster_import:{import_id}:file"


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
