"""Pages that the long walk over the demo county does not look at, and the test that does; what is read but is no page stands apart."""

from __future__ import annotations

_RARE = "tests/browser/test_rare_pages.py::"
_OFFICE = "tests/browser/test_rare_pages_of_office.py::"
NOT_IN_THE_WALK = {  # not opened by following links: they have a test of their own, or are gone by then
    "attempts.take_exam": "tests/browser/test_accessibility.py::test_the_version_for_older_eyes_has_no_fault_that_axe_finds",
    "attempts.offline_shell": "tests/browser/test_exam_page.py::test_axe_finds_nothing",
    "setup.first_set_up": f"{_RARE}test_the_first_set_up",
    "training.take_mock": "tests/browser/test_ways_through_the_paper.py::test_a_mock_paper_is_the_exam_page_and_is_handed_in_with_blanks",
}
ON_DEMAND = {  # the demo county holds nothing for them
    "approvals_admin.show_request": f"{_OFFICE}test_an_attempt_to_be_opened_again",
    "corrections_admin.show_correction": f"{_OFFICE}test_a_key_corrected_by_three_and_what_that_moved",
    "corrections_admin.annul_attempt": f"{_OFFICE}test_a_key_corrected_by_three_and_what_that_moved",
    "examday_admin.judge": f"{_OFFICE}test_answers_that_came_late",
    "examday_admin.reopen": f"{_OFFICE}test_an_attempt_to_be_opened_again",
    "laws_admin.compare": f"{_OFFICE}test_a_law_that_moved_under_its_questions",
    "questions_admin.read_drafts": f"{_OFFICE}test_drafts_that_are_read_in_full",
    "questions_admin.show_law_change": f"{_OFFICE}test_a_law_that_moved_under_its_questions",
    "questions_admin.compare_question_versions": f"{_OFFICE}test_a_question_in_two_versions",
    "messages_admin.change_notice": f"{_RARE}test_a_notice_that_is_not_sent_yet",
    "people.ask_reset_code": f"{_RARE}test_a_forgotten_password_and_the_code_for_a_new_one",
    "people.use_reset_code": f"{_RARE}test_a_forgotten_password_and_the_code_for_a_new_one",
    "people_admin.reveal": f"{_RARE}test_numbers_that_are_shown_for_a_reason",
    "training.show_item": f"{_RARE}test_an_exercise_from_its_first_question_to_its_end",
    "training.show_run": f"{_RARE}test_an_exercise_from_its_first_question_to_its_end",
    "training.show_taken": f"{_RARE}test_an_exercise_from_its_first_question_to_its_end",
    "training_admin.add_chapter": f"{_RARE}test_an_exercise_from_its_first_question_to_its_end",
    "duties_admin.create_table_item": f"{_RARE}test_an_assessment_that_is_being_made",
    "duties_admin.change_table_item": f"{_RARE}test_an_assessment_that_is_being_made",
    "duties_admin.decide_points": f"{_RARE}test_a_sheet_that_is_disputed",
    "duties_admin.show_revision": f"{_RARE}test_a_sheet_that_is_disputed",
    "duties_admin.record_event": "tests/browser/test_records.py::test_the_pages_of_records_fit_and_axe_finds_nothing",
    "records_admin.show_room": "tests/browser/test_records.py::test_the_pages_of_records_fit_and_axe_finds_nothing",
}
"""Each page, and the test that makes what it shows and looks at it."""
SHOWN_ONCE = {  # in answer to a form, not to be opened by an address
    "people/passwords_sheet.html": f"{_RARE}test_what_is_shown_once",
    "people/tickets_sheet.html": f"{_RARE}test_what_is_shown_once",
    "people/password_reset.html": f"{_RARE}test_what_is_shown_once",
    "people/recovery_codes.html": f"{_RARE}test_a_device_for_one_time_passwords",
}
"""Each template that only answers a form, and the test that looks at it."""
NO_PAGES = {
    "questions.show_media": "a picture",
    "reports_designs.show_version": "a file; the page that lists the versions: test_rare_pages_of_office.py",
    "corrections_admin.download_correction": "a file",
    "records.my_event_file": "a file",
    "records_admin.event_file": "a file",
    "records_admin.download_job": "a file",
    "duties_admin.fetch_file": "a file",
    "messages.fetch_notice_file": "a file",
    "messages_admin.fetch_notice_file": "a file",
    "training.show_file": "a file",
    "people.show_turn": "JSON for the lobby",
    "people.lead_to_identity": "leads away, to the identity provider",
    "people.finish_identity": "leads on, from the identity provider",
}
"""Pictures, files and ways for which the demo county holds nothing either."""
