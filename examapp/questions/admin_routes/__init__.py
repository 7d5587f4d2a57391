"""The bank as the office keeps it: the list, the editor, imports, review, changed laws, the bank as a whole."""

from examapp.questions.admin_routes import bulk, comparing, editing, importing, law_changes, listing, overview
from examapp.questions.admin_routes.frame import admin_blueprint

__all__ = [
    "admin_blueprint",
    "bulk",
    "comparing",
    "editing",
    "importing",
    "law_changes",
    "listing",
    "overview",
]
