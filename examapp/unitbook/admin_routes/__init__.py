"""Pages of the unit book."""

from examapp.unitbook.admin_routes import change_lists, chasing, freezing, mergers, outside_results
from examapp.unitbook.admin_routes.frame import admin_blueprint

__all__ = ["admin_blueprint", "change_lists", "chasing", "freezing", "mergers", "outside_results"]
