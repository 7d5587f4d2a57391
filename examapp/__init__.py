"""The online exam and training platform for legal education; `create_app` builds it.

The features are imported by the first call: a process that only starts, watches or migrates (ops/supervisor.py, db/schema.py) does not
load them, which would take 2 s and 100 MB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from examapp.config import Settings

if TYPE_CHECKING:
    from flask import Flask


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application from its settings; raises SettingsError where a setting would be dangerous."""
    from examapp.app import create_app

    return create_app(settings)
