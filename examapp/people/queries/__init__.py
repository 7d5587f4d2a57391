"""Reads about persons: signing in, reach, the roster, first passwords, and imports."""

from __future__ import annotations

from examapp.people.queries.reach import get_unit_within, list_grants, within
from examapp.people.queries.signing_in import (
    AccountToCheck,
    SignedIn,
    find_account_to_check,
    find_signed_in,
    get_password_hash,
)

__all__ = [
    "AccountToCheck",
    "SignedIn",
    "find_account_to_check",
    "find_signed_in",
    "get_password_hash",
    "get_unit_within",
    "list_grants",
    "within",
]
