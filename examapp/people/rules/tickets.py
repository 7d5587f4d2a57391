"""The code of a one-use sign-in ticket: twelve characters that can be read from paper."""

from __future__ import annotations

import secrets
import unicodedata
from datetime import timedelta

TICKET_LIFE = timedelta(hours=24)
RENEWAL_WINDOW = timedelta(minutes=30)
"""How long after a sign-in by ticket its holder may set a new password without the forgotten one."""
TICKET_PURPOSE = "sign_in_ticket"
RESET_CODE_LIFE = timedelta(minutes=10)
RESET_WINDOW = timedelta(minutes=15)
MOST_RESETS_OF_AN_ACCOUNT = 3
"""Codes sent to one phone within the window."""
MOST_RESETS_OF_AN_ADDRESS = 60
"""Requests from one address within the window, from which on unknown devices solve a captcha: an office is one address."""
_CHARACTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_LENGTH = 12


def new_ticket_code() -> str:
    """Make a code: none of 0 O 1 I L, and 59 bits that nobody guesses."""
    return "".join(secrets.choice(_CHARACTERS) for _ in range(_LENGTH))


def new_reset_code() -> str:
    """Make a code that is read from a phone: eight digits, good for ten minutes and few tries."""
    return "".join(secrets.choice("0123456789") for _ in range(8))


def reset_code_key(account_id: int, typed: str) -> str:
    """Give what a reset code is found by: it counts for its account alone."""
    plain = unicodedata.normalize("NFKC", typed[:40])
    return f"reset:{account_id}:{''.join(plain.split())}"


def clean_ticket_code(typed: str) -> str | None:
    """Give a typed code as it was made, whatever its case, width, spaces and hyphens; None where it cannot be one."""
    plain = unicodedata.normalize("NFKC", typed[:80]).upper()
    code = "".join(character for character in plain if character not in " -–—\t\u3000")
    return code if len(code) == _LENGTH and set(code) <= set(_CHARACTERS) else None


def spaced_ticket_code(code: str) -> str:
    """Write a code in groups of four, as it stands on paper."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))
