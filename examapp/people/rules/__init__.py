"""Rules of persons, pure: roles and reach, sign-in, numbers, and the roster file."""

from __future__ import annotations

from examapp.people.rules.numbers import (
    ID_NUMBER_PURPOSE,
    MOBILE_PURPOSE,
    first_password_binding,
    id_check_character,
    id_number_binding,
    is_id_number,
    is_mobile,
    mobile_binding,
    normalise_id_number,
    normalise_mobile,
)
from examapp.people.rules.roles import (
    ROLE_NAMES,
    ROLE_PERMISSIONS,
    SEPARATED_ROLES,
    Grant,
    Reach,
    Role,
    reach_of,
)
from examapp.people.rules.signing_in import (
    FAILURE_WINDOW,
    LONGEST_PASSWORD,
    MOST_FAILURES,
    MOST_FAILURES_OF_A_KNOWN_DEVICE,
    SHORTEST_PASSWORD,
    Failures,
    clean_login_name,
    digest,
    password_fault,
    safe_next,
)

__all__ = [
    "FAILURE_WINDOW",
    "ID_NUMBER_PURPOSE",
    "LONGEST_PASSWORD",
    "MOBILE_PURPOSE",
    "MOST_FAILURES",
    "MOST_FAILURES_OF_A_KNOWN_DEVICE",
    "ROLE_NAMES",
    "ROLE_PERMISSIONS",
    "SEPARATED_ROLES",
    "SHORTEST_PASSWORD",
    "Failures",
    "Grant",
    "Reach",
    "Role",
    "clean_login_name",
    "digest",
    "first_password_binding",
    "id_check_character",
    "id_number_binding",
    "is_id_number",
    "is_mobile",
    "mobile_binding",
    "normalise_id_number",
    "normalise_mobile",
    "password_fault",
    "reach_of",
    "safe_next",
]
