"""How long any page of any role is on a deployment of the demo county."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.browser.walk import DOCUMENTS, MAX_HEIGHT, height_of, pages_from, sign_in


@pytest.mark.long
def test_no_page_is_longer_than_people_scroll(visitors, accounts, walk):
    too_long = {}
    for role in sorted(accounts):
        page = visitors.visitor()
        sign_in(page, accounts[role])
        for path in pages_from(page, walk, ["/"]):
            for width in (360, 1280):
                page.set_viewport_size({"width": width, "height": 800})
                height = height_of(page)
                if height > MAX_HEIGHT and walk.endpoint(urlsplit(path).path) not in DOCUMENTS:
                    too_long[f"{role} {path} at {width} px"] = height
        page.context.close()
    assert too_long == {}, too_long
    assert visitors.issues == []
