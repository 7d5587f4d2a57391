"""Reads about persons: signing in, reach, the roster, first passwords, and imports."""

from __future__ import annotations

from examapp.people.queries.imports import (
    get_import,
    list_imports,
)
from examapp.people.queries.people import (
    PAGE_SIZE,
    UNREADABLE,
    FirstPassword,
    PeopleFilter,
    UnitRow,
    count_by_unit,
    find_account,
    find_mobiles,
    find_name,
    get_person_within,
    guarded_role_of,
    list_first_passwords,
    list_moves,
    list_people,
    list_unit_rows,
    masked_numbers,
    numbers_of,
)
from examapp.people.queries.reach import (
    get_unit_within,
    list_grants,
    within,
)
from examapp.people.queries.roles import (
    count_waiting_roles,
    list_grants_to_stand_in_for,
    list_role_grants,
    list_waiting_roles,
)
from examapp.people.queries.signing_in import (
    LIVE_SIGN_IN,
    AccountToCheck,
    SignedIn,
    find_account_to_check,
    find_signed_in,
    get_password_hash,
    is_captcha_due,
    list_live_sign_ins,
    may_renew_password,
)

__all__ = [
    "LIVE_SIGN_IN",
    "PAGE_SIZE",
    "UNREADABLE",
    "AccountToCheck",
    "FirstPassword",
    "PeopleFilter",
    "SignedIn",
    "UnitRow",
    "count_by_unit",
    "count_waiting_roles",
    "find_account",
    "find_account_to_check",
    "find_mobiles",
    "find_name",
    "find_signed_in",
    "get_import",
    "get_password_hash",
    "get_person_within",
    "get_unit_within",
    "guarded_role_of",
    "is_captcha_due",
    "list_first_passwords",
    "list_grants",
    "list_grants_to_stand_in_for",
    "list_imports",
    "list_live_sign_ins",
    "list_moves",
    "list_people",
    "list_role_grants",
    "list_unit_rows",
    "list_waiting_roles",
    "masked_numbers",
    "may_renew_password",
    "numbers_of",
    "within",
]
