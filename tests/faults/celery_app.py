"""The workers' entry of a drill's site: the ordinary one, with the guarantee that DRILL_INJECTED_FAULT names taken away."""

from __future__ import annotations

from examapp.celery_app import app, celery
from tests.faults.injection import disable_named

__all__ = ["app", "celery"]
disable_named(app)
