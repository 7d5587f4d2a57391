"""Words that somebody typed into a search, as they stand in an address: sealed, since browsers and whatever lies in between keep addresses."""

from __future__ import annotations

import base64

from flask import current_app, request

from examapp.security.ciphers import FieldCipher

_BOUND_TO = "address"


def encrypt_query_param(words: str) -> str:
    """Seal words for an address; empty ones stay empty."""
    return base64.urlsafe_b64encode(_sealer().seal(words, bound_to=_BOUND_TO)).decode().rstrip("=") if words else ""


def decrypt_query_param(token: str) -> str:
    """Open what `veil` made; empty where it is none, or its key has been put away."""
    try:
        envelope = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return ""
    return _sealer().open_if_sound(envelope, bound_to=_BOUND_TO) or ""


def words_asked() -> str:
    """Give the words of a search that this request was sent with: plain in a form (`q`), sealed in an address (`s`)."""
    return request.values.get("q", "") or decrypt_query_param(request.args.get("s", ""))


def _sealer() -> FieldCipher:
    sealer: FieldCipher = current_app.extensions["sealer"]
    return sealer
