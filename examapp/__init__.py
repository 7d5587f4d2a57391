"""The online exam and training platform for legal education; `create_app` builds it.

The rooms are loaded by the first call: who only starts, watches or migrates (core/supervisor.py, core/schema.py) never pays the two seconds
and 100 MB that they take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from examapp.core.lazily import Lazy

if TYPE_CHECKING:
    from flask import Flask

    from examapp.config import Settings

_application = Lazy("examapp.application")


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application from its settings; raises SettingsError where a setting would be dangerous."""
    app: Flask = _application.create_app(settings)
    return app
