"""What axe finds on a page against WCAG 2.0 to 2.2, levels A and AA, whatever weight it gives it; what it calls good practice is left aside."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "rules": {"target-size": {"enabled": True}},  # the one criterion of 2.2 that axe can look at, and off as it comes
}


def violations(page: Page) -> list[str]:
    """List what breaks a criterion, with the first places."""
    found = Axe().run(page, options=_OPTIONS).response["violations"]
    return [f"{page.url} {one['id']}: {[node['html'][:160] for node in one['nodes']][:2]}" for one in found]
