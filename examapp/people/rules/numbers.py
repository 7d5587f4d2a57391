"""ID numbers and mobile numbers: their one form, their check, and what they are sealed for."""

from __future__ import annotations

import re
import unicodedata

_ID_NUMBER = re.compile(r"\d{17}[\dX]")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_MOBILE = re.compile(r"1[3-9]\d{9}")


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


def is_id_number(text: str) -> bool:
    """Tell whether a normalised text has an ID number's shape; its check is another matter."""
    return _ID_NUMBER.fullmatch(text) is not None


def is_mobile(text: str) -> bool:
    """Tell whether a normalised text is a mobile number of the mainland."""
    return _MOBILE.fullmatch(text) is not None


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
