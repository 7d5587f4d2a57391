"""The online exam and training platform for legal education; `create_app` builds it.

The rooms are loaded by the first call: who only starts, watches or migrates (ops/supervisor.py, db/schema.py) never pays the two seconds
and 100 MB that they take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from examapp.config import Settings
from examapp.lazy_import import LazyModule

if TYPE_CHECKING:
    from flask import Flask


_application = LazyModule("examapp.app")


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application from its settings; raises SettingsError where a setting would be dangerous."""
    app: Flask = _application.create_app(settings)
    return app
