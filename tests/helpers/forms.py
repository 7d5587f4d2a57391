"""Post forms of pages with the CSRF token that they carry."""

from __future__ import annotations

import re


def value_of(page, name) -> str:
    """Give what the first field of that name in a page that was answered holds."""
    return re.search(rf'name="{name}"[^>]*value="([^"]+)"', page.text)[1]


def token_of(page) -> str:
    """Give the CSRF token of the first form of a page that was answered."""
    return value_of(page, "csrf_token")


def token(client, path="/practice/") -> str:
    """Get a page, and give the CSRF token of its first form."""
    return token_of(client.get(path))


def post(client, path, fields=None, *, page=None):
    """Post fields with the token of a page; that of the posted path unless another page is named."""
    return client.post(path, data={"csrf_token": token(client, page or path), **(fields or {})})
