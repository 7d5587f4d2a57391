"""Which features there are: their tables, tasks and blueprints."""

from __future__ import annotations

from flask import Blueprint, Flask

from examapp.content.blueprints import admin_views as blueprint_admin_views
from examapp.content.blueprints import models as blueprint_models
from examapp.content.laws import admin_views as law_admin_views
from examapp.content.laws import cli as law_cli
from examapp.content.laws import models as law_models
from examapp.content.laws import views as law_views
from examapp.content.question_editing import admin_views as question_editing_admin_views
from examapp.content.question_imports import admin_views as question_import_admin_views
from examapp.content.question_imports import cli as question_import_cli
from examapp.content.question_imports import tasks as question_import_tasks
from examapp.content.question_law_changes import admin_views as question_law_change_admin_views
from examapp.content.question_review import admin_views as question_review_admin_views
from examapp.content.question_search import admin_views as question_search_admin_views
from examapp.content.questions import admin_views as question_admin_views
from examapp.content.questions import models as question_models
from examapp.content.questions import views as question_views
from examapp.delivery.attempts import api as attempt_api
from examapp.delivery.attempts import models as attempt_models
from examapp.delivery.attempts import views as attempt_views
from examapp.delivery.corrections import admin_views as correction_admin_views
from examapp.delivery.exam_candidates import tasks as candidate_tasks
from examapp.delivery.exam_publication import admin_views as exam_publication_admin_views
from examapp.delivery.exams import admin_views as exam_admin_views
from examapp.delivery.exams import models as exam_models
from examapp.delivery.exemptions import admin_views as exemption_admin_views
from examapp.delivery.exemptions import views as exemption_views
from examapp.delivery.external_results import admin_views as external_result_admin_views
from examapp.delivery.external_results import models as external_result_models
from examapp.delivery.grading import cli as grading_cli
from examapp.delivery.grading import models as grading_models
from examapp.delivery.grading import tasks as grading_tasks
from examapp.delivery.results import api as result_api
from examapp.delivery.results import views as result_views
from examapp.learning.certificates import admin_views as certificate_admin_views
from examapp.learning.certificates import models as certificate_models
from examapp.learning.certificates import tasks as certificate_tasks
from examapp.learning.certificates import views as certificate_views
from examapp.learning.course_contents import admin_views as course_content_admin_views
from examapp.learning.course_editing import admin_views as course_editing_admin_views
from examapp.learning.course_editing import cli as course_editing_cli
from examapp.learning.courses import models as course_models
from examapp.learning.practice import api as practice_api
from examapp.learning.practice import models as practice_models
from examapp.learning.practice import views as practice_views
from examapp.learning.practice_pool import admin_views as practice_pool_admin_views
from examapp.learning.spaced_repetition import models as memory_models
from examapp.learning.spaced_repetition import tasks as memory_tasks
from examapp.learning.study import views as study_views
from examapp.learning.study_events import admin_views as study_event_admin_views
from examapp.learning.study_events import models as study_event_models
from examapp.learning.study_events import views as study_event_views
from examapp.learning.study_gates import admin_views as study_gate_admin_views
from examapp.organisation.data_keys import cli as data_key_cli
from examapp.organisation.mfa import views as mfa_views
from examapp.organisation.password_reset import admin_views as password_reset_admin_views
from examapp.organisation.password_reset import views as password_reset_views
from examapp.organisation.passwords import views as password_views
from examapp.organisation.people import models as person_models
from examapp.organisation.roles import admin_views as role_admin_views
from examapp.organisation.roster import admin_views as roster_admin_views
from examapp.organisation.roster import tasks as roster_tasks
from examapp.organisation.roster_change_requests import admin_views as roster_change_request_admin_views
from examapp.organisation.roster_change_requests import models as roster_change_request_models
from examapp.organisation.roster_imports import admin_views as roster_import_admin_views
from examapp.organisation.roster_moves import admin_views as roster_move_admin_views
from examapp.organisation.sign_in import api as sign_in_api
from examapp.organisation.sign_in import oidc as sign_in_oidc
from examapp.organisation.sign_in import views as sign_in_views
from examapp.organisation.units import admin_views as unit_admin_views
from examapp.organisation.units import cli as unit_cli
from examapp.organisation.units import models as unit_models
from examapp.oversight.assessment_results import admin_views as assessment_result_admin_views
from examapp.oversight.assessment_results import views as assessment_result_views
from examapp.oversight.assessment_tables import admin_views as assessment_table_admin_views
from examapp.oversight.assessments import admin_views as assessment_admin_views
from examapp.oversight.assessments import models as assessment_models
from examapp.oversight.duty_calendar import admin_views as duty_calendar_admin_views
from examapp.oversight.duty_items import admin_views as duty_item_admin_views
from examapp.oversight.duty_lists import admin_views as duty_list_admin_views
from examapp.oversight.duty_lists import models as duty_list_models
from examapp.oversight.duty_records import admin_views as duty_record_admin_views
from examapp.oversight.own_duties import tasks as own_duty_tasks
from examapp.oversight.own_duties import views as own_duty_views
from examapp.oversight.reminders import admin_views as reminder_admin_views
from examapp.oversight.reminders import models as reminder_models
from examapp.oversight.report_exports import api as report_export_api
from examapp.oversight.report_exports import models as report_export_models
from examapp.oversight.report_exports import tasks as report_export_tasks
from examapp.oversight.report_templates import admin_views as report_template_admin_views
from examapp.oversight.report_templates import models as report_template_models
from examapp.oversight.roster_snapshots import admin_views as roster_snapshot_admin_views
from examapp.oversight.statistics import admin_views as statistics_admin_views
from examapp.oversight.statistics import models as statistics_models
from examapp.oversight.statistics_scope import admin_views as scope_admin_views
from examapp.oversight.study_progress import admin_views as study_progress_admin_views
from examapp.oversight.unit_mergers import admin_views as unit_merger_admin_views
from examapp.oversight.unit_mergers import models as unit_merger_models
from examapp.oversight.unit_mergers import tasks as unit_merger_tasks
from examapp.platform.api_document import api as api_document_api
from examapp.platform.approvals import admin_views as approval_admin_views
from examapp.platform.audit import cli as audit_cli
from examapp.platform.audit import models as audit_models
from examapp.platform.audit import tasks as audit_tasks
from examapp.platform.audit_log import admin_views as audit_log_admin_views
from examapp.platform.backups import cli as backup_cli
from examapp.platform.dashboard import views as dashboard_views
from examapp.platform.demo import cli as demo_cli
from examapp.platform.exam_day_board import admin_views as exam_day_board_admin_views
from examapp.platform.feedback import admin_views as feedback_admin_views
from examapp.platform.feedback import views as feedback_views
from examapp.platform.health import views as health_views
from examapp.platform.notices import models as notice_models
from examapp.platform.outgoing_messages import tasks as message_tasks
from examapp.platform.privacy import admin_views as privacy_admin_views
from examapp.platform.privacy import models as privacy_models
from examapp.platform.privacy import tasks as privacy_tasks
from examapp.platform.privacy import views as privacy_views
from examapp.platform.rehearsals import cli as rehearsal_cli
from examapp.platform.rehearsals import tasks as rehearsal_tasks
from examapp.platform.security_checklist import admin_views as security_checklist_admin_views
from examapp.platform.setup import cli as setup_cli
from examapp.platform.setup import models as setup_models
from examapp.platform.setup import views as setup_views
from examapp.uploads import models, views
from examapp.web import metrics

MODELS = (
    blueprint_models,
    law_models,
    question_models,
    attempt_models,
    exam_models,
    external_result_models,
    grading_models,
    certificate_models,
    course_models,
    practice_models,
    memory_models,
    study_event_models,
    person_models,
    roster_change_request_models,
    unit_models,
    assessment_models,
    duty_list_models,
    reminder_models,
    report_export_models,
    report_template_models,
    statistics_models,
    unit_merger_models,
    audit_models,
    notice_models,
    privacy_models,
    setup_models,
    models,
    metrics,
)
"""The modules that hold tables, so that the schema is whole whatever is imported."""

TASKS = (
    question_import_tasks,
    candidate_tasks,
    grading_tasks,
    certificate_tasks,
    memory_tasks,
    roster_tasks,
    own_duty_tasks,
    report_export_tasks,
    unit_merger_tasks,
    audit_tasks,
    message_tasks,
    privacy_tasks,
    rehearsal_tasks,
)
"""The modules that hold tasks, so that a worker knows them."""

VIEWS = (
    blueprint_admin_views,
    law_admin_views,
    law_cli,
    law_views,
    question_editing_admin_views,
    question_import_admin_views,
    question_import_cli,
    question_law_change_admin_views,
    question_review_admin_views,
    question_search_admin_views,
    question_admin_views,
    question_views,
    attempt_api,
    attempt_views,
    correction_admin_views,
    exam_publication_admin_views,
    exam_admin_views,
    exemption_admin_views,
    exemption_views,
    external_result_admin_views,
    grading_cli,
    result_api,
    result_views,
    certificate_admin_views,
    certificate_views,
    course_content_admin_views,
    course_editing_admin_views,
    course_editing_cli,
    practice_api,
    practice_views,
    practice_pool_admin_views,
    study_views,
    study_event_admin_views,
    study_event_views,
    study_gate_admin_views,
    data_key_cli,
    mfa_views,
    password_reset_admin_views,
    password_reset_views,
    password_views,
    role_admin_views,
    roster_admin_views,
    roster_change_request_admin_views,
    roster_import_admin_views,
    roster_move_admin_views,
    sign_in_api,
    sign_in_oidc,
    sign_in_views,
    unit_admin_views,
    unit_cli,
    assessment_result_admin_views,
    assessment_result_views,
    assessment_table_admin_views,
    assessment_admin_views,
    duty_calendar_admin_views,
    duty_item_admin_views,
    duty_list_admin_views,
    duty_record_admin_views,
    own_duty_views,
    reminder_admin_views,
    report_export_api,
    report_template_admin_views,
    roster_snapshot_admin_views,
    statistics_admin_views,
    scope_admin_views,
    study_progress_admin_views,
    unit_merger_admin_views,
    api_document_api,
    approval_admin_views,
    audit_cli,
    audit_log_admin_views,
    backup_cli,
    dashboard_views,
    demo_cli,
    exam_day_board_admin_views,
    feedback_admin_views,
    feedback_views,
    health_views,
    privacy_admin_views,
    privacy_views,
    rehearsal_cli,
    security_checklist_admin_views,
    setup_cli,
    setup_views,
    views,
)
"""The modules that put views and commands on the blueprints."""


BLUEPRINTS: tuple[Blueprint, ...] = (
    audit_cli.cli_blueprint,
    password_views.blueprint,
    sign_in_api.api_blueprint,
    unit_admin_views.admin_blueprint,
    unit_admin_views.units_blueprint,
    data_key_cli.cli_blueprint,
    unit_cli.cli_blueprint,
    attempt_views.blueprint,
    attempt_api.api_blueprint,
    result_views.blueprint,
    result_api.api_blueprint,
    api_document_api.api_blueprint,
    correction_admin_views.admin_blueprint,
    grading_cli.cli_blueprint,
    practice_views.blueprint,
    practice_api.api_blueprint,
    course_content_admin_views.admin_blueprint,
    course_editing_cli.cli_blueprint,
    demo_cli.cli_blueprint,
    law_views.blueprint,
    law_admin_views.admin_blueprint,
    law_cli.cli_blueprint,
    question_views.blueprint,
    question_admin_views.admin_blueprint,
    question_import_cli.blueprint,
    statistics_admin_views.admin_blueprint,
    report_template_admin_views.designs_blueprint,
    scope_admin_views.insight_blueprint,
    report_export_api.api_blueprint,
    roster_change_request_admin_views.admin_blueprint,
    study_event_views.blueprint,
    study_event_admin_views.admin_blueprint,
    own_duty_views.blueprint,
    duty_list_admin_views.admin_blueprint,
    privacy_views.blueprint,
    privacy_admin_views.admin_blueprint,
    dashboard_views.blueprint,
    health_views.blueprint,
    feedback_views.blueprint,
    setup_views.blueprint,
    security_checklist_admin_views.admin_blueprint,
    feedback_admin_views.admin_blueprint,
    approval_admin_views.admin_blueprint,
    audit_log_admin_views.admin_blueprint,
    security_checklist_admin_views.checklist_blueprint,
    exam_day_board_admin_views.admin_blueprint,
    setup_cli.cli_blueprint,
    blueprint_admin_views.admin_blueprint,
    exam_admin_views.admin_blueprint,
    exemption_views.blueprint,
)
"""Every room's views, API and commands."""


def register(app: Flask) -> None:
    """Register every room's blueprints."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
