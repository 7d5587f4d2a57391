"""Pages of organisers and the office: events, certificates, who has studied what."""

from examapp.records.admin_routes import certificates, events, study
from examapp.records.admin_routes.frame import admin_blueprint

__all__ = ["admin_blueprint", "certificates", "events", "study"]
