"""Which rooms the house has: each hangs its views and commands into the application here."""

from __future__ import annotations

from flask import Blueprint, Flask

from examapp.admin import admin_routes as admin_admin_routes
from examapp.admin import cli as admin_cli
from examapp.admin import models as _admin
from examapp.admin import routes as admin_routes
from examapp.admin import tasks as _admin_tasks
from examapp.admin.api import document as document_api
from examapp.attempts import api as attempts_api
from examapp.attempts import models as _attempts
from examapp.attempts import routes as attempts_routes
from examapp.audit import cli as audit_cli
from examapp.audit import models as _audit
from examapp.audit import tasks as _audit_tasks
from examapp.core import process_reports as _process_reports
from examapp.core.uploads import models as _uploads
from examapp.demo import cli as demo_cli
from examapp.duties import admin_routes as duties_admin_routes
from examapp.duties import models as _duties
from examapp.duties import routes as duties_routes
from examapp.duties import tasks as _duties_tasks
from examapp.exams import admin_routes as exams_admin_routes
from examapp.exams import models as _exams
from examapp.exams import routes as exams_routes
from examapp.exams import tasks as _exam_tasks
from examapp.grading import admin_routes as grading_admin_routes
from examapp.grading import api as grading_api
from examapp.grading import cli as grading_cli
from examapp.grading import models as _grading
from examapp.grading import routes as grading_routes
from examapp.grading import tasks as _grading_tasks
from examapp.laws import admin_routes as laws_admin_routes
from examapp.laws import cli as laws_cli
from examapp.laws import models as _laws
from examapp.laws import routes as laws_routes
from examapp.messages import models as _messages
from examapp.messages import tasks as _message_tasks
from examapp.org import cli as org_cli
from examapp.org import models as _org
from examapp.papers import admin_routes as papers_admin_routes
from examapp.papers import models as _papers
from examapp.people import admin_routes as people_admin
from examapp.people import api as people_api
from examapp.people import cli as people_cli
from examapp.people import models as _people
from examapp.people import routes as people_routes
from examapp.people import tasks as _people_tasks
from examapp.privacy import admin_routes as privacy_admin_routes
from examapp.privacy import models as _privacy
from examapp.privacy import routes as privacy_routes
from examapp.privacy import tasks as _privacy_tasks
from examapp.questions import admin_routes as questions_admin_routes
from examapp.questions import cli as questions_cli
from examapp.questions import models as _questions
from examapp.questions import routes as questions_routes
from examapp.questions import tasks as _question_tasks
from examapp.records import admin_routes as records_admin_routes
from examapp.records import models as _records
from examapp.records import routes as records_routes
from examapp.records import tasks as _record_tasks
from examapp.reports import admin_routes as reports_admin
from examapp.reports import api as reports_api
from examapp.reports import models as _reports
from examapp.reports import tasks as _report_tasks
from examapp.reports.admin_routes import designs as reports_designs
from examapp.reports.admin_routes import insight as reports_insight
from examapp.training import admin_routes as training_admin_routes
from examapp.training import api as training_api
from examapp.training import cli as training_cli
from examapp.training import models as _training
from examapp.training import routes as training_routes
from examapp.training import tasks as _training_tasks
from examapp.unitbook import admin_routes as unitbook_admin_routes
from examapp.unitbook import models as _unitbook
from examapp.unitbook import tasks as _unitbook_tasks

MODELS = (
    _process_reports,
    _uploads,
    _audit,
    _messages,
    _org,
    _people,
    _laws,
    _questions,
    _papers,
    _exams,
    _attempts,
    _grading,
    _training,
    _reports,
    _unitbook,
    _records,
    _duties,
    _privacy,
    _admin,
)
"""Every room's tables, so that the schema is whole whatever is imported."""

TASKS = (
    _audit_tasks,
    _message_tasks,
    _people_tasks,
    _exam_tasks,
    _question_tasks,
    _grading_tasks,
    _training_tasks,
    _report_tasks,
    _duties_tasks,
    _record_tasks,
    _privacy_tasks,
    _unitbook_tasks,
    _admin_tasks,
)
"""Every room's tasks, so that a worker knows them."""

BLUEPRINTS: tuple[Blueprint, ...] = (
    audit_cli.cli_blueprint,
    people_routes.blueprint,
    people_api.api_blueprint,
    people_admin.admin_blueprint,
    people_admin.units_blueprint,
    people_cli.cli_blueprint,
    org_cli.cli_blueprint,
    attempts_routes.blueprint,
    attempts_api.api_blueprint,
    grading_routes.blueprint,
    grading_api.api_blueprint,
    document_api.api_blueprint,
    grading_admin_routes.admin_blueprint,
    grading_cli.cli_blueprint,
    training_routes.blueprint,
    training_api.api_blueprint,
    training_admin_routes.admin_blueprint,
    training_cli.cli_blueprint,
    demo_cli.cli_blueprint,
    laws_routes.blueprint,
    laws_admin_routes.admin_blueprint,
    laws_cli.cli_blueprint,
    questions_routes.blueprint,
    questions_admin_routes.admin_blueprint,
    questions_cli.blueprint,
    reports_admin.admin_blueprint,
    reports_designs.designs_blueprint,
    reports_insight.insight_blueprint,
    reports_api.api_blueprint,
    unitbook_admin_routes.admin_blueprint,
    records_routes.blueprint,
    records_admin_routes.admin_blueprint,
    duties_routes.blueprint,
    duties_admin_routes.admin_blueprint,
    privacy_routes.blueprint,
    privacy_admin_routes.admin_blueprint,
    admin_routes.blueprint,
    admin_routes.health_blueprint,
    admin_routes.messages_blueprint,
    admin_routes.reporting_blueprint,
    admin_routes.setup_blueprint,
    admin_admin_routes.admin_blueprint,
    admin_admin_routes.messages_admin_blueprint,
    admin_admin_routes.approvals_admin_blueprint,
    admin_admin_routes.audit_admin_blueprint,
    admin_admin_routes.checklist_admin_blueprint,
    admin_admin_routes.examday_admin_blueprint,
    admin_cli.cli_blueprint,
    papers_admin_routes.admin_blueprint,
    exams_admin_routes.admin_blueprint,
    exams_routes.blueprint,
)
"""Every room's views, API and commands."""


def register(app: Flask) -> None:
    """Register every room's blueprints."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
