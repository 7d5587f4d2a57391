"""Pages of the unit book."""

from examapp.unitbook.admin_routes import chasing
from examapp.unitbook.admin_routes.frame import admin_blueprint

__all__ = ["admin_blueprint", "chasing"]
