"""Back-office pages of the frame: the office's inbox and notices, the exam-day board, requests for two persons, the audit log, the settings."""

from examapp.admin.admin_routes.approvals import admin_blueprint as approvals_admin_blueprint
from examapp.admin.admin_routes.audit import admin_blueprint as audit_admin_blueprint
from examapp.admin.admin_routes.checklist import admin_blueprint as checklist_admin_blueprint
from examapp.admin.admin_routes.examday import admin_blueprint as examday_admin_blueprint
from examapp.admin.admin_routes.messages import admin_blueprint as messages_admin_blueprint
from examapp.admin.admin_routes.settings import admin_blueprint

__all__ = [
    "admin_blueprint",
    "approvals_admin_blueprint",
    "audit_admin_blueprint",
    "checklist_admin_blueprint",
    "examday_admin_blueprint",
    "messages_admin_blueprint",
]
