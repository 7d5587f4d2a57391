"""Pages of the back office: units, people, roles, first passwords, roster imports; one module each."""

from __future__ import annotations

import examapp.people.admin_routes.imports
import examapp.people.admin_routes.passwords
import examapp.people.admin_routes.people
import examapp.people.admin_routes.reveal
import examapp.people.admin_routes.roles
import examapp.people.admin_routes.rosters
import examapp.people.admin_routes.tickets
import examapp.people.admin_routes.units  # noqa: F401 – each module hangs its views on the blueprints
from examapp.people.admin_routes.frame import admin_blueprint, units_blueprint

__all__ = ["admin_blueprint", "units_blueprint"]
