"""The back office's pages of exams and exemptions."""

from examapp.exams.admin_routes import exemptions as _exemptions
from examapp.exams.admin_routes import reasons as _reasons
from examapp.exams.admin_routes import running as _running
from examapp.exams.admin_routes.exams import admin_blueprint

PAGES = (_exemptions, _reasons, _running)
"""Parts that hang their views into the blueprint when imported."""

__all__ = ["PAGES", "admin_blueprint"]
