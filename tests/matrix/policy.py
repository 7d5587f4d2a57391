"""The one policy table: who may call which view, and of which things. Written by hand, not read from the code that it judges.

Every view of the house has its row; one without is held to its permission's holders alone, and few may be. Roles are letters:

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
    """Those meant for candidates of one's own unit."""


KINDS = {
    "person": Whose.REACH,
    "unit": Whose.REACH,
    "second_factor_holder": Whose.REACH,
    "grant": Whose.REACH,
    "role_request": Whose.SHARED,
    "own_role_request": Whose.OWN,
    "exam": Whose.SHARED,
    "exam_within": Whose.REACH,
    "exam_to_sit": Whose.SHARED,
    "attempt": Whose.OWN,
    "sheet": Whose.OWN,
    "sheet_within": Whose.REACH,
    "late_save": Whose.REACH,
    "exemption": Whose.REACH,
    "rehearsal": Whose.SHARED,
    "duty_list": Whose.REACH,
    "duty_item": Whose.REACH,
    "duty_record": Whose.REACH,
    "unit_code": Whose.SHARED,
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
}
"""Exams, questions, papers and laws are the county's: who holds the permission for them holds it for all of them. A candidate who is not meant by a
published exam reads so (409 `not_eligible` of the protocol)."""


SAME_FOR_ALL = {"training.draw_question", "training_admin.put_file"}
"""Views that lead back with a word about the request itself before they look for the thing: missing, another's or one's own alike."""


HOLDERS = {
    "org:unit:read": "UTLPQSY", "org:unit:write": "PQS", "people:person:read": "UTPQSY", "people:person:write": "UTPQS",
    "people:roster:import": "UTPQ", "people:password:issue": "UTPQS", "people:role:grant": "Y", "people:role:approve": "SY",
    "laws:law:write": "PQ", "questions:question:read": "PQ", "questions:question:write": "PQ", "questions:question:review": "PQ",
    "questions:bank:import": "PQ", "questions:bank:export": "PQ", "papers:blueprint:read": "PQ", "papers:blueprint:write": "PQ",
    "exams:exam:read": "UTLPQ", "exams:exam:write": "PQ", "exams:exemption:request": "UTPQ", "exams:exemption:approve": "PQ",
    "attempts:attempt:manage": "PQ", "training:course:write": "PQ", "reports:participation:read": "UTLPQ", "reports:score:export": "UTPQ",
    "reports:template:write": "PQ", "reports:number:export": "PQ",
    "records:event:write": "UTPQ", "records:certificate:read": "UTPQ", "records:certificate:write": "PQ",
    "duties:list:write": "UTPQ", "duties:list:approve": "PQ", "messages:notice:write": "PQ", "messages:feedback:answer": "PQ",
    "audit:event:read": "A", "admin:setting:write": "S",
}  # fmt: skip
"""Which roles hold which permission; what a view without a row of its own yet is judged by."""
MOST_WITHOUT_ROW = 103
"""Views that may wait for their row while others build them; it only ever goes down."""


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
    # examday_admin
    "examday_admin.grade_again": may("PQ", attempt_id="sheet_within"),
    "examday_admin.judge": may("PQ", save_id="late_save"),
    "examday_admin.list_exams": may("PQ"),
    "examday_admin.reopen": may("PQ", attempt_id="sheet_within"),
    "examday_admin.request_rehearsal": may("PQ"),
    "examday_admin.show_board": may("PQ", exam_id="exam"),
    "examday_admin.show_rehearsal_progress": may("PQ", rehearsal_id="rehearsal"),
    # exams_admin
    "exams_admin.approve_exemption": may("PQ", exemption_id="exemption"),
    "exams_admin.cancel_exam": may("PQ", exam_id="exam_within"),
    "exams_admin.change_release": may("PQ", exam_id="exam_within"),
    "exams_admin.close_exam": may("PQ", exam_id="exam_within"),
    "exams_admin.create_exam": may("PQ"),
    "exams_admin.edit_exam": may("PQ", exam_id="exam_within"),
    "exams_admin.extend": may("PQ", exam_id="exam_within"),
    "exams_admin.list_exams": may("UTLPQ"),
    "exams_admin.prolong_window": may("PQ", exam_id="exam_within"),
    "exams_admin.publish_exam": may("PQ", exam_id="exam_within"),
    "exams_admin.refuse_exemption": may("PQ", exemption_id="exemption"),
    "exams_admin.request_exemption": may("UTPQ"),
    "exams_admin.show_exam": may("UTLPQ", exam_id="exam_within"),
    "exams_admin.show_exemptions": may("UTPQ"),
    "exams_admin.show_readiness": may("UTLPQ", exam_id="exam_within"),
    "exams_admin.withdraw_exam": may("PQ", exam_id="exam_within"),
    "exams_admin.withdraw_exemption": may("UTPQ", exemption_id="exemption"),
    # grading
    "grading.list_mistakes": may(SIGNED_IN),
    "grading.show_receipt": may(SIGNED_IN, attempt_id="sheet"),
    "grading.show_result": may(SIGNED_IN, attempt_id="sheet"),
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
    # people_admin
    "people_admin.appoint_deputy": may("Y", person_id="person"),
    "people_admin.approve_role": may("SY", approval_id="role_request"),
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
    "people_admin.list_role_requests": may("SY"),
    "people_admin.list_ticket_people": may("UTPQS"),
    "people_admin.refuse_role": may("SY", approval_id="role_request"),
    "people_admin.reset_second_factor": may("UTPQS", person_id="second_factor_holder"),
    "people_admin.reset_password": may("UTPQS", person_id="person"),
    "people_admin.revoke_role": may("Y", person_id="person", grant_id="grant"),
    "people_admin.show_import": may("UTPQ", import_id="roster_import"),
    "people_admin.show_person": may("UTPQSY", person_id="person"),
    "people_admin.show_progress": may("UTPQ", import_id="roster_import"),
    "people_admin.transfer_person": may("UTPQS", person_id="person"),
    "people_admin.withdraw_role": may("Y", approval_id="own_role_request"),
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
    # reports_admin
    "reports_admin.download_export": may("UTPQ", export_id="export"),
    "reports_admin.list_corrections": may("UTLPQ", exam_id="exam", unit_id="unit"),
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
    "unitbook_admin.chase": may("UTLPQ", exam_id="exam", unit_id="unit"),
    "unitbook_admin.chase_exam": may("UTLPQ", exam_id="exam"),
    "unitbook_admin.export_calls": may("UTPQ", exam_id="exam", unit_id="unit"),
    "unitbook_admin.remind": may("UTPQ", exam_id="exam", unit_id="unit"),
}
