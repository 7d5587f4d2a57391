"""Words that somebody typed into a search, as they stand in an address: sealed, since browsers and whatever lies in between keep addresses."""

from __future__ import annotations

import base64

from flask import current_app, request

from examapp.security.ciphers import FieldCipher

_BOUND_TO = "address"


def encrypt_query_param(text: str, *, bound_to: str = _BOUND_TO) -> str:
    """Seal words for an address or a hidden field; empty ones stay empty. Only the same `bound_to` opens them again."""
    return (
        base64.urlsafe_b64encode(_query_cipher().seal(text, associated_data=bound_to)).decode().rstrip("=")
        if text
        else ""
    )


def decrypt_query_param(token: str, *, bound_to: str = _BOUND_TO) -> str:
    """Open what `encrypt_query_param` made with the same `bound_to`; empty where it is none, or its key has been put away."""
    try:
        envelope = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return ""
    return _query_cipher().open_if_sound(envelope, associated_data=bound_to) or ""


def requested_search_text() -> str:
    """Give the words of a search that this request was sent with: plain in a form (`q`), sealed in an address (`s`)."""
    return request.values.get("q", "") or decrypt_query_param(request.args.get("s", ""))


def _query_cipher() -> FieldCipher:
    cipher: FieldCipher = current_app.extensions["cipher"]
    return cipher
