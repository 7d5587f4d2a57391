"""Post forms of pages with the CSRF token that they carry."""

from __future__ import annotations

import re

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


def token_of(page) -> str:
    """Give the CSRF token of the first form of a page that was answered."""
    return _TOKEN.search(page.get_data(as_text=True))[1]


def token(client, path="/practice/") -> str:
    """Get a page, and give the CSRF token of its first form."""
    return token_of(client.get(path))


def post(client, path, fields=None, *, page=None):
    """Post fields with the token of a page; that of the posted path unless another page is named."""
    return client.post(path, data={"csrf_token": token(client, page or path), **(fields or {})})
