"""The one policy table: who may call which view, and of which things. Written by hand, not read from the code that it judges.

Every view of the house has its row. Roles are letters:

    C candidate of the unit · U its unit admin · T admin of it by the sector tree · L its leader · P office of the whole county ·
    Q office of the unit's subtree · S system, Y security, A audit administrator · - nobody signed in

A word beside a path's argument names the kind of thing it stands for, and KINDS says whose things of that kind may be touched.
What is out of reach must answer exactly as what is not there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

EVERYBODY = "-CULTPQSYA"
SIGNED_IN = "CULTPQSYA"
NOBODY = ""
"""Gone: a device to take off where none is set up, the first set-up once an account exists; codes without a gateway and another house's word without its settings, as in the scene."""
REVIEWER = "C"
"""Whom the office has named to review the sheets of an assessment: in the scene the candidate."""
ROLES = SIGNED_IN
WIDE = "PSYA"
"""Who reaches the whole county where the permission is held at all; the others reach their unit."""
MEMBERS = "CULTQ"
"""Whose own place is the unit."""


class Whose(StrEnum):
    """Which things of a kind a caller with the permission may touch."""

    SHARED = "shared"
    """All."""
    REACH = "reach"
    """Those of units within reach."""
    OWN = "own"
    """One's own."""
    OWN_OR_WIDE = "own_or_wide"
    """One's own, and everybody's for who reaches everything."""
    AUDIENCE = "audience"
    """Those meant for one's own unit."""
    LEARNER = "learner"
    """Those meant for who is on the roster of one's own unit: in the scene the candidate."""
    DECIDER = "decider"
    """Those of whole numbers of units within reach: for the office and, over all, the security administrator."""
    ASKER_OR_DECIDER = "asker_or_decider"
    """One's own, and those that one may decide."""


KINDS = {
    "person": Whose.REACH,
    "unit": Whose.REACH,
    "second_factor_holder": Whose.REACH,
    "grant": Whose.REACH,
    "request_to_decide": Whose.DECIDER,
    "request_to_see": Whose.ASKER_OR_DECIDER,
    "own_request": Whose.OWN,
    "regrade": Whose.SHARED,
    "planned_move": Whose.REACH,
    "exam": Whose.SHARED,
    "exam_within": Whose.REACH,
    "exam_to_sit": Whose.SHARED,
    "attempt": Whose.OWN,
    "sheet": Whose.OWN,
    "sheet_within": Whose.REACH,
    "late_save": Whose.REACH,
    "draft_changes": Whose.REACH,
    "draft_change": Whose.REACH,
    "sent_changes": Whose.REACH,
    "sent_change": Whose.REACH,
    "exemption": Whose.REACH,
    "own_exemption": Whose.OWN,
    "exemption_reason": Whose.SHARED,
    "rehearsal": Whose.SHARED,
    "duty_list": Whose.REACH,
    "duty_item": Whose.REACH,
    "duty_record": Whose.REACH,
    "unit_code": Whose.SHARED,
    "own_holding": Whose.SHARED,
    "law": Whose.SHARED,
    "law_day": Whose.SHARED,
    "law_version": Whose.SHARED,
    "law_version_2": Whose.SHARED,
    "blueprint": Whose.SHARED,
    "question": Whose.SHARED,
    "question_kind": Whose.SHARED,
    "question_import": Whose.SHARED,
    "duplicate_search": Whose.SHARED,
    "picture": Whose.SHARED,
    "roster_import": Whose.OWN_OR_WIDE,
    "result_import": Whose.OWN_OR_WIDE,
    "result_row": Whose.OWN_OR_WIDE,
    "export": Whose.OWN,
    "sign_in": Whose.OWN,
    "feedback": Whose.REACH,
    "office_notice": Whose.REACH,
    "notice": Whose.AUDIENCE,
    "course": Whose.REACH,
    "chapter": Whose.REACH,
    "course_to_learn": Whose.LEARNER,
    "chapter_to_learn": Whose.LEARNER,
    "practice_item": Whose.OWN,
    "run": Whose.OWN,
    "course_file": Whose.REACH,
    "question_to_practise": Whose.SHARED,
    "assessment": Whose.SHARED,
    "score_item": Whose.SHARED,
    "reviewer": Whose.SHARED,
    "score_sheet": Whose.REACH,
    "sealed_sheet": Whose.REACH,
    "sheet_version": Whose.SHARED,
    "sheet_to_review": Whose.OWN,
    "record_file": Whose.REACH,
    "study_event": Whose.REACH,
    "event_for_me": Whose.LEARNER,
    "record_file_to_remove": Whose.REACH,
    "event_file": Whose.REACH,
    "event_file_to_drop": Whose.REACH,
    "event_file_for_me": Whose.LEARNER,
    "attendee": Whose.REACH,
    "certificate": Whose.OWN,
    "certificate_plan": Whose.SHARED,
    "certificate_template": Whose.SHARED,
    "certificate_job": Whose.OWN,
    "report_template": Whose.SHARED,
    "report_content": Whose.SHARED,
    "form_purpose": Whose.SHARED,
    "report_moment": Whose.SHARED,
}
"""Exams, questions, papers and laws are the county's: who holds the permission for them holds it for all of them. A candidate who is not meant by a
published exam reads so (409 `not_eligible` of the protocol)."""


SAME_FOR_ALL = {"training.draw_question", "training_admin.put_file", "training.start_mock"}
"""Views that lead back with a word about the request itself before they look for the thing: missing, another's or one's own alike."""


HOLDERS = {
    "org:unit:read": "UTLPQSY", "org:unit:write": "PQS", "people:person:read": "UTPQSY", "people:person:write": "UTPQS",
    "people:roster:import": "UTPQ", "people:number:reveal": "UTPQ", "people:change:propose": "UTPQ", "people:change:approve": "PQ",
    "people:password:issue": "UTPQS", "people:role:grant": "Y", "people:role:approve": "SY",
    "people:approval:read": "UTPQSY", "questions:key:approve": "PQ", "attempts:reopening:approve": "PQY", "reports:number:approve": "PQY", "unitbook:call:export": "UTPQ",
    "laws:law:write": "PQ", "questions:question:read": "PQ", "questions:question:write": "PQ", "questions:question:review": "PQ",
    "questions:bank:import": "PQ", "questions:bank:export": "PQ", "papers:blueprint:read": "PQ", "papers:blueprint:write": "PQ",
    "exams:exam:read": "UTLPQ", "exams:exam:write": "PQ", "exams:exemption:request": "UTPQ", "exams:exemption:approve": "PQ",
    "attempts:attempt:manage": "PQ", "grading:result:import": "PQ", "training:course:write": "PQ", "reports:participation:read": "UTLPQ", "reports:score:export": "UTPQ",
    "reports:template:write": "PQ", "reports:number:export": "PQ",
    "records:event:write": "UTPQ", "records:certificate:read": "UTPQ", "records:certificate:write": "PQ",
    "duties:list:write": "UTPQ", "duties:list:approve": "PQ", "messages:notice:write": "PQ", "messages:feedback:answer": "PQ",
    "audit:event:read": "A", "admin:setting:write": "S", "privacy:retention:run": "S", "admin:security:read": "SY",
}  # fmt: skip
"""Which roles hold which permission."""


@dataclass(frozen=True, slots=True)
class Row:
    """Who may call a view, and the kinds of things that its path names."""

    roles: str
    things: dict[str, str] = field(default_factory=dict)


def may(roles: str, **things: str) -> Row:
    """Write a row."""
    return Row(roles, things)


POLICY: dict[str, Row] = {
    # admin
    "admin.home": may(SIGNED_IN),
    "admin.my_exams": may(SIGNED_IN),
    # admin_admin
    "admin_admin.show_settings": may("S"),
    # approvals_admin
    "approvals_admin.approve": may("PQSY", approval_id="request_to_decide"),
    "approvals_admin.list_requests": may("UTPQSY"),
    "approvals_admin.refuse": may("PQSY", approval_id="request_to_decide"),
    "approvals_admin.show_request": may("UTPQSY", approval_id="request_to_see"),
    "approvals_admin.withdraw": may("UTPQSY", approval_id="own_request"),
    # checklist_admin
    "checklist_admin.show_checklist": may("SY"),
    # attempts
    "attempts.before_start": may(SIGNED_IN, exam_id="exam_to_sit"),
    "attempts.exam_worker": may(EVERYBODY),
    "attempts.offline_shell": may(EVERYBODY),
    "attempts.sit": may(SIGNED_IN, exam_id="exam_to_sit"),
    # attempts_api
    "attempts_api.get_attempt": may(SIGNED_IN, attempt_id="attempt"),
    "attempts_api.get_attempt_paper": may(SIGNED_IN, attempt_id="attempt"),
    "attempts_api.hand_in": may(SIGNED_IN, attempt_id="attempt"),
    "attempts_api.list_exams": may(SIGNED_IN),
    "attempts_api.mark_unsure": may(SIGNED_IN, attempt_id="attempt"),
    "attempts_api.record_events": may(SIGNED_IN, attempt_id="attempt"),
    "attempts_api.save_answers": may(SIGNED_IN, attempt_id="attempt"),
    "attempts_api.start": may(SIGNED_IN, exam_id="exam_to_sit"),
    "attempts_api.take_over": may(SIGNED_IN, attempt_id="attempt"),
    # audit_admin
    "audit_admin.export_log": may("A"),
    "audit_admin.list_log": may("A"),
    # document_api
    "document_api.openapi": may(EVERYBODY),
    # duties
    "duties.show_public_list": may(EVERYBODY, unit_code="unit_code"),
    # duties_admin
    "duties_admin.change_item": may("UTPQ", item_id="duty_item"),
    "duties_admin.correct_deed": may("UTPQ", record_id="duty_record"),
    "duties_admin.create_item": may("UTPQ", list_id="duty_list"),
    "duties_admin.export_ledger": may("UTPQ", list_id="duty_list"),
    "duties_admin.export_list": may("UTPQ", list_id="duty_list"),
    "duties_admin.import_list": may("UTPQ", list_id="duty_list"),
    "duties_admin.list_periods": may("P"),
    "duties_admin.open_list": may("UTPQ"),
    "duties_admin.overview": may("UTPQ"),
    "duties_admin.propose_list": may("UTPQ", list_id="duty_list"),
    "duties_admin.publish_list": may("PQ", list_id="duty_list"),
    "duties_admin.record_deed": may("UTPQ", item_id="duty_item"),
    "duties_admin.remove_item": may("UTPQ", item_id="duty_item"),
    "duties_admin.send_back_list": may("PQ", list_id="duty_list"),
    "duties_admin.show_calendar": may("UTPQ"),
    "duties_admin.show_item": may("UTPQ", item_id="duty_item"),
    "duties_admin.show_ledger": may("UTPQ", list_id="duty_list"),
    "duties_admin.show_list": may("UTPQ", list_id="duty_list"),
    "duties_admin.take_back_list": may("UTPQ", list_id="duty_list"),
    "duties_admin.withdraw_deed": may("UTPQ", record_id="duty_record"),
    # duties: the yearly assessment
    "duties.list_reviews": may(SIGNED_IN),
    "duties.my_duties": may(SIGNED_IN),
    "duties.review_sheet": may(REVIEWER, sheet_id="sheet_to_review"),
    "duties.vote": may(SIGNED_IN),
    "duties_admin.add_reviewer": may("P", assessment_id="assessment"),
    "duties_admin.appeal": may("UTPQ", sheet_id="score_sheet"),
    "duties_admin.attach_file": may("UTPQ", record_id="duty_record"),
    "duties_admin.change_assessment": may("P", assessment_id="assessment"),
    "duties_admin.change_table_item": may("P", assessment_id="assessment", item_id="score_item"),
    "duties_admin.conclude_all": may("P", assessment_id="assessment"),
    "duties_admin.conclude_sheet": may("PQ", sheet_id="score_sheet"),
    "duties_admin.create_assessment": may("P"),
    "duties_admin.create_table_item": may("P", assessment_id="assessment"),
    "duties_admin.decide_points": may("PQ", sheet_id="sealed_sheet"),
    "duties_admin.export_ledger_word": may("UTPQ", list_id="duty_list"),
    "duties_admin.export_results": may("UTPQ", assessment_id="assessment"),
    "duties_admin.export_sheet": may("UTPQ", sheet_id="score_sheet"),
    "duties_admin.export_sheet_word": may("UTPQ", sheet_id="score_sheet"),
    "duties_admin.export_summary": may("UTPQ", assessment_id="assessment"),
    "duties_admin.fetch_file": may("UTPQ", record_id="duty_record", token="record_file"),
    "duties_admin.move_table_item": may("P", assessment_id="assessment", item_id="score_item"),
    "duties_admin.open_assessment": may("P", assessment_id="assessment"),
    "duties_admin.record_event": may("UTPQ", event_id="study_event"),
    "duties_admin.remind_of_item": may("UTPQ", item_id="duty_item"),
    "duties_admin.remove_file": may("UTPQ", record_id="duty_record", token="record_file_to_remove"),
    "duties_admin.remove_reviewer": may("P", assessment_id="assessment", person_id="reviewer"),
    "duties_admin.score_oneself": may("UTPQ", sheet_id="score_sheet"),
    "duties_admin.send_back_sheet": may("PQ", sheet_id="score_sheet"),
    "duties_admin.show_assessment": may("UTPQ"),
    "duties_admin.show_revision": may("UTPQ", sheet_id="sealed_sheet", number="sheet_version"),
    "duties_admin.show_score_table": may("P", assessment_id="assessment"),
    "duties_admin.show_sheet": may("UTPQ", sheet_id="score_sheet"),
    "duties_admin.show_unit_year": may("UTPQ", unit_id="unit"),
    # examday_admin
    "examday_admin.grade_again": may("PQ", attempt_id="sheet_within"),
    "examday_admin.judge": may("PQ", save_id="late_save"),
    "examday_admin.list_exams": may("PQ"),
    "examday_admin.reopen": may("PQ", attempt_id="sheet_within"),
    "examday_admin.request_rehearsal": may("PQ"),
    "examday_admin.show_board": may("PQ", exam_id="exam"),
    "examday_admin.tell_who_sit": may("PQ", exam_id="exam"),
    "examday_admin.show_rehearsal_progress": may("PQ", rehearsal_id="rehearsal"),
    # exams
    "exams.fetch_my_proof": may(SIGNED_IN, exemption_id="own_exemption"),
    "exams.list_mine": may(SIGNED_IN),
    "exams.print_mine": may(SIGNED_IN, exemption_id="own_exemption"),
    "exams.request_mine": may(SIGNED_IN),
    "exams.withdraw_mine": may(SIGNED_IN, exemption_id="own_exemption"),
    # exams_admin
    "exams_admin.add_reason": may("PQ"),
    "exams_admin.approve_exemption": may("PQ", exemption_id="exemption"),
    "exams_admin.cancel_exam": may("PQ", exam_id="exam_within"),
    "exams_admin.change_release": may("PQ", exam_id="exam_within"),
    "exams_admin.change_reason": may("PQ", reason_id="exemption_reason"),
    "exams_admin.close_exam": may("PQ", exam_id="exam_within"),
    "exams_admin.create_exam": may("PQ"),
    "exams_admin.edit_exam": may("PQ", exam_id="exam_within"),
    "exams_admin.extend": may("PQ", exam_id="exam_within"),
    "exams_admin.fetch_proof": may("UTPQ", exemption_id="exemption"),
    "exams_admin.list_exams": may("UTLPQ"),
    "exams_admin.offer_reason": may("PQ", reason_id="exemption_reason"),
    "exams_admin.print_exemption": may("UTPQ", exemption_id="exemption"),
    "exams_admin.prolong_window": may("PQ", exam_id="exam_within"),
    "exams_admin.publish_exam": may("PQ", exam_id="exam_within"),
    "exams_admin.refuse_exemption": may("PQ", exemption_id="exemption"),
    "exams_admin.register_exam": may("PQ", exam_id="exam_within"),
    "exams_admin.request_exemption": may("UTPQ"),
    "exams_admin.retire_reason": may("PQ", reason_id="exemption_reason"),
    "exams_admin.show_exam": may("UTLPQ", exam_id="exam_within"),
    "exams_admin.show_exemptions": may("UTPQ"),
    "exams_admin.show_reasons": may("PQ"),
    "exams_admin.show_readiness": may("UTLPQ", exam_id="exam_within"),
    "exams_admin.withdraw_exam": may("PQ", exam_id="exam_within"),
    "exams_admin.withdraw_exemption": may("UTPQ", exemption_id="exemption"),
    # grading
    "grading.list_mistakes": may(SIGNED_IN),
    "grading.show_receipt": may(SIGNED_IN, attempt_id="sheet"),
    "grading.show_result": may(SIGNED_IN, attempt_id="sheet"),
    # grading_admin
    "grading_admin.download_regrade": may("PQ", regrade_id="regrade"),
    "grading_admin.list_regrades": may("PQ"),
    "grading_admin.show_regrade": may("PQ", regrade_id="regrade"),
    "grading_admin.show_regrade_progress": may("PQ", regrade_id="regrade"),
    # grading_api
    "grading_api.get_result": may(SIGNED_IN, attempt_id="sheet"),
    # health
    "health.healthz": may(EVERYBODY),
    "health.metrics": may(EVERYBODY),
    "health.readyz": may(EVERYBODY),
    # laws
    "laws.list_laws": may(SIGNED_IN),
    "laws.show_version": may(SIGNED_IN, law="law", version="law_day"),
    # laws_admin
    "laws_admin.compare": may("PQ", old_id="law_version", new_id="law_version_2"),
    "laws_admin.import_texts": may("PQ"),
    "laws_admin.list_laws": may("PQ"),
    "laws_admin.set_dates": may("PQ", version_id="law_version"),
    # messages
    "messages.list_all_notices": may(SIGNED_IN),
    "messages.show_notice": may(SIGNED_IN, notice_id="notice"),
    "messages.write_feedback": may(SIGNED_IN),
    # messages_admin
    "messages_admin.answer_feedback": may("PQ", feedback_id="feedback"),
    "messages_admin.change_notice": may("PQ", notice_id="office_notice"),
    "messages_admin.list_feedback": may("PQ"),
    "messages_admin.list_notices": may("PQ"),
    "messages_admin.publish_notice": may("PQ", notice_id="office_notice"),
    "messages_admin.show_notice": may("PQ", notice_id="office_notice"),
    "messages_admin.withdraw_notice": may("PQ", notice_id="office_notice"),
    "messages_admin.write_notice": may("PQ"),
    # org_admin
    "org_admin.close_unit": may("PQS", unit_id="unit"),
    "org_admin.create_unit": may("PQS"),
    "org_admin.edit_unit": may("PQS", unit_id="unit"),
    "org_admin.list_units": may("UTLPQSY"),
    "org_admin.reopen_unit": may("PQS", unit_id="unit"),
    # papers_admin
    "papers_admin.archive_blueprint": may("PQ", blueprint_id="blueprint"),
    "papers_admin.copy_blueprint": may("PQ", blueprint_id="blueprint"),
    "papers_admin.create_blueprint": may("PQ"),
    "papers_admin.edit_blueprint": may("PQ", blueprint_id="blueprint"),
    "papers_admin.list_blueprints": may("PQ"),
    "papers_admin.preview_paper": may("PQ", blueprint_id="blueprint"),
    "papers_admin.show_blueprint": may("PQ", blueprint_id="blueprint"),
    # people
    "people.ask_reset_code": may(NOBODY),
    "people.enter_code": may(EVERYBODY),
    "people.finish_identity": may(NOBODY),
    "people.lead_to_identity": may(NOBODY),
    "people.show_second_factor": may("UTLPQSYA"),
    "people.take_off_second_factor": may(NOBODY),
    "people.use_reset_code": may(NOBODY),
    "people.change_password": may(SIGNED_IN),
    "people.end_other_sign_ins": may(SIGNED_IN),
    "people.end_sign_in": may(SIGNED_IN, sign_in_id="sign_in"),
    "people.list_sign_ins": may(SIGNED_IN),
    "people.sign_in": may(EVERYBODY),
    "people.sign_in_by_ticket": may(EVERYBODY),
    "people.sign_out": may(SIGNED_IN),
    "people.set_elder_mode": may(EVERYBODY),
    # privacy
    "privacy_admin.show_retention": may("S"),
    "privacy_admin.run_retention": may("S"),
    "privacy.show_notice": may(EVERYBODY),
    "privacy.show_own": may(SIGNED_IN),
    "privacy.show_own_rows": may(SIGNED_IN, table="own_holding"),
    "privacy.take_copy": may(SIGNED_IN),
    # people_admin
    "people_admin.appoint_deputy": may("Y", person_id="person"),
    "people_admin.approve_difference": may("UTPQ", import_id="roster_import"),
    "people_admin.cancel_planned": may("UTPQS", person_id="person", planned_id="planned_move"),
    "people_admin.choose_roster": may("UTPQSY"),
    "people_admin.export_roster": may("UTPQSY", unit_id="unit"),
    "people_admin.show_roster": may("UTPQSY", unit_id="unit"),
    "people_admin.confirm_import": may("UTPQ", import_id="roster_import"),
    "people_admin.create_person": may("UTPQS"),
    "people_admin.disable_account": may("UTPQS", person_id="person"),
    "people_admin.download_annotated": may("UTPQ", import_id="roster_import"),
    "people_admin.edit_person": may("UTPQS", person_id="person"),
    "people_admin.enable_account": may("UTPQS", person_id="person"),
    "people_admin.export_first_passwords": may("UTPQS", unit_id="unit"),
    "people_admin.grant_role": may("Y", person_id="person"),
    "people_admin.issue_tickets": may("UTPQS"),
    "people_admin.leave_person": may("UTPQS", person_id="person"),
    "people_admin.list_first_passwords": may("UTPQS"),
    "people_admin.list_imports": may("UTPQ"),
    "people_admin.list_people": may("UTPQSY"),
    "people_admin.list_ticket_people": may("UTPQS"),
    "people_admin.reset_second_factor": may("UTPQS", person_id="second_factor_holder"),
    "people_admin.reset_password": may("UTPQS", person_id="person"),
    "people_admin.reveal": may("UTPQ", person_id="person"),
    "people_admin.revoke_role": may("Y", person_id="person", grant_id="grant"),
    "people_admin.search_ticket_people": may("UTPQS"),
    "people_admin.show_import": may("UTPQ", import_id="roster_import"),
    "people_admin.show_person": may("UTPQSY", person_id="person"),
    "people_admin.show_progress": may("UTPQ", import_id="roster_import"),
    "people_admin.transfer_person": may("UTPQS", person_id="person"),
    # people_api
    "people_api.begin_session": may(EVERYBODY),
    "people_api.show_session": may(SIGNED_IN),
    # questions
    "questions.show_media": may(SIGNED_IN, sha256="picture"),
    # questions_admin
    "questions_admin.act_on_ticked": may("PQ"),
    "questions_admin.add_question": may("PQ", kind="question_kind"),
    "questions_admin.apply_bulk": may("PQ"),
    "questions_admin.choose_export": may("PQ"),
    "questions_admin.choose_kind": may("PQ"),
    "questions_admin.compare_question_versions": may("PQ", question_id="question"),
    "questions_admin.confirm_import": may("PQ", import_id="question_import"),
    "questions_admin.correct_key": may("PQ", question_id="question"),
    "questions_admin.delete_question": may("PQ", question_id="question"),
    "questions_admin.discard_import": may("PQ", import_id="question_import"),
    "questions_admin.download_notes": may("PQ", import_id="question_import"),
    "questions_admin.download_template": may("PQ"),
    "questions_admin.duplicates_progress": may("PQ", search_id="duplicate_search"),
    "questions_admin.edit_question": may("PQ", question_id="question"),
    "questions_admin.export_questions": may("PQ"),
    "questions_admin.import_progress": may("PQ", import_id="question_import"),
    "questions_admin.keep_moved": may("PQ"),
    "questions_admin.keep_under_new_law": may("PQ", question_id="question"),
    "questions_admin.list_duplicates": may("PQ"),
    "questions_admin.list_imports": may("PQ"),
    "questions_admin.list_law_changes": may("PQ"),
    "questions_admin.list_questions": may("PQ"),
    "questions_admin.preview": may("PQ"),
    "questions_admin.preview_bulk": may("PQ"),
    "questions_admin.retire_under_new_law": may("PQ", question_id="question"),
    "questions_admin.review_queue": may("PQ"),
    "questions_admin.search_duplicates": may("PQ"),
    "questions_admin.set_state": may("PQ", question_id="question"),
    "questions_admin.set_states": may("PQ"),
    "questions_admin.settle_duplicate": may("PQ"),
    "questions_admin.show_coverage": may("PQ"),
    "questions_admin.show_import": may("PQ", import_id="question_import"),
    "questions_admin.show_law_change": may("PQ", question_id="question"),
    "questions_admin.show_question": may("PQ", question_id="question"),
    "questions_admin.undo_import": may("PQ", import_id="question_import"),
    "questions_admin.upload_picture": may("PQ"),
    # records: study in the room, the record of study, certificates
    "records.check_me_in": may(SIGNED_IN, event_id="event_for_me"),
    "records.download_certificate": may(SIGNED_IN, certificate_id="certificate"),
    "records.my_event_file": may(SIGNED_IN, event_id="event_for_me", file_id="event_file_for_me"),
    "records.my_events": may(SIGNED_IN),
    "records.my_record": may(SIGNED_IN),
    "records.show_my_event": may(SIGNED_IN, event_id="event_for_me"),
    "records.verify": may(EVERYBODY),
    "records_admin.add_file": may("UTPQ", event_id="study_event"),
    "records_admin.cancel_event": may("UTPQ", event_id="study_event"),
    "records_admin.create_plan": may("P"),
    "records_admin.create_template": may("P"),
    "records_admin.download_job": may("UTPQ", job_id="certificate_job"),
    "records_admin.drop_file": may("UTPQ", event_id="study_event", file_id="event_file_to_drop"),
    "records_admin.edit_event": may("UTPQ", event_id="study_event"),
    "records_admin.edit_template": may("P", template_id="certificate_template"),
    "records_admin.end_check_in": may("UTPQ", event_id="study_event"),
    "records_admin.event_file": may("UTPQ", event_id="study_event", file_id="event_file"),
    "records_admin.export_study": may("UTPQ", unit_id="unit"),
    "records_admin.export_unit_records": may("UTPQ", unit_id="unit"),
    "records_admin.issue": may("P", plan_id="certificate_plan"),
    "records_admin.job_progress": may("UTPQ", job_id="certificate_job"),
    "records_admin.list_events": may("UTPQ"),
    "records_admin.list_plans": may("UTPQ"),
    "records_admin.list_study_people": may("UTLPQ", unit_id="unit"),
    "records_admin.list_templates": may("P"),
    "records_admin.open_check_in": may("UTPQ", event_id="study_event"),
    "records_admin.plan_event": may("UTPQ"),
    "records_admin.print_unit": may("UTPQ", plan_id="certificate_plan"),
    "records_admin.put_down": may("UTPQ", event_id="study_event"),
    "records_admin.reopen_event": may("UTPQ", event_id="study_event"),
    "records_admin.room_code_progress": may("UTPQ", event_id="study_event"),
    "records_admin.sample": may("P", template_id="certificate_template"),
    "records_admin.settle_event": may("UTPQ", event_id="study_event"),
    "records_admin.show_courses": may("UTLPQ"),
    "records_admin.show_event": may("UTPQ", event_id="study_event"),
    "records_admin.show_plan": may("UTPQ", plan_id="certificate_plan"),
    "records_admin.show_record": may("UTLPQ", person_id="person"),
    "records_admin.show_room": may("UTPQ", event_id="study_event"),
    "records_admin.show_study": may("UTLPQ", unit_id="unit"),
    "records_admin.show_unit_records": may("UTLPQ", unit_id="unit"),
    "records_admin.study": may("UTLPQ"),
    "records_admin.take_back": may("UTPQ", event_id="study_event", person_id="attendee"),
    # reports_admin
    "reports_admin.download_export": may("UTPQ", export_id="export"),
    "reports_admin.list_exports": may("UTPQ"),
    "reports_admin.list_people": may("UTLPQ", exam_id="exam", unit_id="unit"),
    "reports_admin.participation": may("UTLPQ"),
    "reports_admin.request_export": may("UTPQ", exam_id="exam", unit_id="unit"),
    "reports_admin.show_exam": may("UTLPQ", exam_id="exam"),
    "reports_admin.show_export": may("UTPQ", export_id="export"),
    "reports_admin.show_person": may("UTLPQ", exam_id="exam", unit_id="unit", person_id="person"),
    "reports_admin.show_progress": may("UTLPQ", exam_id="exam", unit_id="unit"),
    "reports_admin.show_score_sheet": may("UTPQ", exam_id="exam", unit_id="unit"),
    "reports_admin.show_unit": may("UTLPQ", exam_id="exam", unit_id="unit"),
    # reports_api
    "reports_api.download_export": may("UTPQ", export_id="export"),
    "reports_api.request_export": may("UTPQ", exam_id="exam"),
    "reports_api.show_export": may("UTPQ", export_id="export"),
    "reports_api.show_participation": may("UTLPQ", exam_id="exam"),
    # reports: the county's forms, and looking deeper
    "reports_designs.add_form": may("P"),
    "reports_designs.set_schedule": may("P", moment="report_moment"),
    "reports_designs.show_forms": may("P"),
    "reports_designs.show_shipped": may("P", content="report_content", purpose="form_purpose"),
    "reports_designs.show_version": may("P", template_id="report_template", purpose="form_purpose"),
    "reports_designs.use_form": may("P", template_id="report_template"),
    "reports_designs.use_shipped": may("P", content="report_content"),
    "reports_insight.compare": may("UTLPQ", exam_id="exam", unit_id="unit"),
    "reports_insight.show_weak": may("UTLPQ", exam_id="exam", unit_id="unit"),
    # setup
    "setup.first_set_up": may(NOBODY),
    # training
    "training.answer": may(SIGNED_IN, item_id="practice_item"),
    "training.draw_next": may(SIGNED_IN, item_id="practice_item"),
    "training.list_mistakes": may(SIGNED_IN),
    "training.my_courses": may(SIGNED_IN),
    "training.practise": may(SIGNED_IN),
    "training.read_chapter": may(SIGNED_IN, chapter_id="chapter_to_learn"),
    "training.show_course": may(SIGNED_IN, course_id="course_to_learn"),
    "training.show_item": may(SIGNED_IN, item_id="practice_item"),
    "training.show_run": may(SIGNED_IN, run_id="run"),
    "training.start_exercise": may(SIGNED_IN, chapter_id="chapter_to_learn"),
    "training.draw_daily": may(SIGNED_IN),
    "training.draw_question": may(SIGNED_IN, question_id="question_to_practise"),
    "training.keep_note": may(SIGNED_IN, item_id="practice_item"),
    "training.search_all": may(SIGNED_IN),
    "training.show_file": may(SIGNED_IN, token="course_file"),
    "training.show_map": may(SIGNED_IN),
    "training.show_notes": may(SIGNED_IN),
    "training.show_taken": may(SIGNED_IN, run_id="run"),
    "training.start_mock": may("C", exam_id="exam_to_sit"),
    "training.take_along": may(SIGNED_IN, chapter_id="chapter_to_learn"),
    # training_api
    "training_api.answer_item": may(SIGNED_IN, item_id="practice_item"),
    # training_admin
    "training_admin.add_to_file": may("PQ", course_id="course", chapter_id="chapter", token="course_file"),
    "training_admin.begin_file": may("PQ", course_id="course", chapter_id="chapter"),
    "training_admin.choose_courses": may("PQ", exam_id="exam_within"),
    "training_admin.confirm_articles": may("PQ", course_id="course", chapter_id="chapter"),
    "training_admin.drop_file": may("PQ", course_id="course", chapter_id="chapter", token="course_file"),
    "training_admin.finish_file": may("PQ", course_id="course", chapter_id="chapter", token="course_file"),
    "training_admin.mark_pool": may("P"),
    "training_admin.name_people": may("PQ", course_id="course"),
    "training_admin.put_file": may("PQ", course_id="course", chapter_id="chapter"),
    "training_admin.show_gates": may("UTLPQ"),
    "training_admin.show_pool": may("P"),
    "training_admin.show_unit_map": may("UTLPQ"),
    "training_admin.take_shipped_courses": may("P"),
    "training_admin.add_chapter": may("PQ", course_id="course"),
    "training_admin.copy_course": may("PQ", course_id="course"),
    "training_admin.create_course": may("PQ"),
    "training_admin.delete_chapter": may("PQ", course_id="course", chapter_id="chapter"),
    "training_admin.edit_chapter": may("PQ", course_id="course", chapter_id="chapter"),
    "training_admin.edit_course": may("PQ", course_id="course"),
    "training_admin.list_courses": may("PQ"),
    "training_admin.make_law_course": may("PQ"),
    "training_admin.publish_course": may("PQ", course_id="course"),
    "training_admin.show_course": may("PQ", course_id="course"),
    "training_admin.withdraw_course": may("PQ", course_id="course"),
    # unitbook_admin
    "unitbook_admin.add_change": may("UTPQ", list_id="draft_changes"),
    "unitbook_admin.approve_change": may("PQ", list_id="sent_changes", line_id="sent_change"),
    "unitbook_admin.approve_changes": may("PQ", list_id="sent_changes"),
    "unitbook_admin.discard_changes": may("UTPQ", list_id="draft_changes"),
    "unitbook_admin.draft_changes": may("UTPQ"),
    "unitbook_admin.list_changes": may("UTPQ"),
    "unitbook_admin.print_changes": may("UTPQ", list_id="sent_changes"),
    "unitbook_admin.refuse_change": may("PQ", list_id="sent_changes", line_id="sent_change"),
    "unitbook_admin.remove_change": may("UTPQ", list_id="draft_changes", line_id="draft_change"),
    "unitbook_admin.return_changes": may("PQ", list_id="sent_changes"),
    "unitbook_admin.show_changes": may("UTPQ", list_id="sent_changes"),
    "unitbook_admin.submit_changes": may("UTPQ", list_id="draft_changes"),
    "unitbook_admin.take_back_changes": may("UTPQ", list_id="sent_changes"),
    "unitbook_admin.accept_correction": may("PQ", exam_id="exam_within"),
    "unitbook_admin.declare_freeze": may("PQ", exam_id="exam_within"),
    "unitbook_admin.lift_freeze": may("PQ", exam_id="exam_within"),
    "unitbook_admin.choose_unit_change": may("PQ"),
    "unitbook_admin.list_unit_changes": may("PQ"),
    "unitbook_admin.merge_unit": may("PQ", unit_id="unit"),
    "unitbook_admin.rename_unit": may("PQ", unit_id="unit"),
    "unitbook_admin.split_unit": may("PQ", unit_id="unit"),
    "unitbook_admin.show_freeze": may("UTLPQ", exam_id="exam", unit_id="unit"),
    "unitbook_admin.approve_results": may("PQ", import_id="result_import"),
    "unitbook_admin.list_results": may("PQ"),
    "unitbook_admin.settle_result": may("PQ", import_id="result_import", row_id="result_row"),
    "unitbook_admin.show_results": may("PQ", import_id="result_import"),
    "unitbook_admin.show_results_progress": may("PQ", import_id="result_import"),
    "unitbook_admin.undo_results": may("PQ", import_id="result_import"),
    "unitbook_admin.chase": may("UTLPQ", exam_id="exam", unit_id="unit"),
    "unitbook_admin.chase_exam": may("UTLPQ", exam_id="exam"),
    "unitbook_admin.export_calls": may("UTPQ", exam_id="exam", unit_id="unit"),
    "unitbook_admin.remind": may("UTPQ", exam_id="exam", unit_id="unit"),
}
