"""The office's and the unit admins' pages of training."""

from examapp.training.admin_routes.courses import list_courses
from examapp.training.admin_routes.files import put_file
from examapp.training.admin_routes.frame import admin_blueprint
from examapp.training.admin_routes.gates import show_gates
from examapp.training.admin_routes.mastery import show_unit_map
from examapp.training.admin_routes.pool import show_pool
from examapp.training.admin_routes.shipped import take_shipped_courses

__all__ = [
    "admin_blueprint",
    "list_courses",
    "put_file",
    "show_gates",
    "show_pool",
    "show_unit_map",
    "take_shipped_courses",
]
