"""The bank as the office keeps it: the list, the editor, imports."""

from examapp.questions.admin_routes import editing, importing, listing
from examapp.questions.admin_routes.frame import admin_blueprint

__all__ = ["admin_blueprint", "editing", "importing", "listing"]
