"""The only door to Flask-Login: who is signed in, what a view asks for, and what a permission reaches.

Every view carries exactly one of `@public`, `@signed_in`, `@requires(permission)`; a house test walks the map of addresses and fails on
one without, and at run time such a view is refused.
"""

from __future__ import annotations

from examapp.people.access.current import (
    BY_STATEMENT,
    PasswordChangeRequiredError,
    SignInRequiredError,
    access_rule,
    actor,
    are_keys_shut,
    begin_session,
    end_session,
    find_signed_in_person,
    hasher,
    init_access,
    is_password_expired,
    is_sitting,
    may,
    may_everywhere,
    me,
    me_and_ready,
    my_grants,
    my_reach,
    password_profile,
    public,
    requires,
    sealer,
    shows_keys,
    signed_in,
    signed_in_with_any_password,
)
from examapp.people.access.handing_out import note_files
from examapp.people.access.refusals import keep_refusal, note_refusals
from examapp.people.access.signing_in import (
    PasswordTooLongError,
    ask_reset,
    awaits_code,
    find_challenge,
    pass_code,
    sign_in_by_reset_code,
    sign_in_by_ticket,
    sign_in_with,
)
from examapp.people.rules import digest

__all__ = [
    "BY_STATEMENT",
    "PasswordChangeRequiredError",
    "PasswordTooLongError",
    "SignInRequiredError",
    "access_rule",
    "actor",
    "are_keys_shut",
    "ask_reset",
    "awaits_code",
    "begin_session",
    "digest",
    "end_session",
    "find_challenge",
    "find_signed_in_person",
    "hasher",
    "init_access",
    "is_password_expired",
    "is_sitting",
    "keep_refusal",
    "may",
    "may_everywhere",
    "me",
    "me_and_ready",
    "my_grants",
    "my_reach",
    "note_files",
    "note_refusals",
    "pass_code",
    "password_profile",
    "public",
    "requires",
    "sealer",
    "shows_keys",
    "sign_in_by_reset_code",
    "sign_in_by_ticket",
    "sign_in_with",
    "signed_in",
    "signed_in_with_any_password",
]
