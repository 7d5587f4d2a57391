"""Which tests of the features prove a row of hostile input besides those of this folder; a deployment test finds each of them."""

from __future__ import annotations

ELSEWHERE = {
    "H01": (
        "tests/attempts/test_saving.py::test_broken_json_is_a_400_and_changes_nothing",
        "tests/architecture/test_contract.py::test_generated_requests_get_documented_answers_and_no_5xx",
    ),
    "H02": ("tests/attempts/test_saving.py::test_bad_change_is_rejected_alone_and_the_good_one_is_saved",),
    "H03": ("tests/matrix/test_matrix.py::test_each_cell_is_as_the_policy_says_and_not_yours_is_not_found",),
    "H04": (
        "tests/race/test_attempts.py::test_fifty_parallel_starts_make_one_attempt",
        "tests/attempts/test_state_machine.py::test_protocol_agrees_with_the_model",
    ),
    "H05": (
        "tests/people/test_people.py::test_extra_fields_change_nothing",
        "tests/exams/test_exam_pages.py::test_fields_that_the_form_does_not_have_change_nothing",
        "tests/questions/test_back_office.py::test_fields_that_the_form_does_not_have_change_nothing",
    ),
    "H06": (
        "tests/reports/test_in_office.py::test_h06_no_name_in_a_workbook_is_a_formula",
        "tests/people/test_roster_import.py::test_formulas_in_names_come_back_as_text",
    ),
    "H07": (
        "tests/people/test_roster_import.py::test_csv_of_any_encoding_and_divider_is_read",
        "tests/people/test_roster_import.py::test_titles_aliases_merged_cells_and_numbers_of_a_workbook_are_read",
        "tests/people/test_roster_import.py::test_an_id_number_stored_as_a_number_is_rejected_not_mangled",
        "tests/people/test_roster_import.py::test_a_workbook_too_long_is_told_the_way_round_and_csv_takes_more",
        "tests/people/test_roster_import.py::test_importing_twice_changes_nothing",
    ),
    "H08": (
        "tests/question_bank/test_hostile_files.py::test_archive_bombs_are_rejected_before_they_are_unpacked",
        "tests/question_bank/test_child.py::test_file_that_takes_too_much_is_rejected",
        "tests/question_bank/test_heavy_files.py::test_workbook_of_very_many_sheets_is_rejected",
    ),
    "H09": ("tests/question_bank/test_hostile_files.py::test_unsafe_xml_is_not_supported",),
    "H10": (
        "tests/question_bank/test_hostile_files.py::test_archives_that_leave_their_folder_or_hide_files_are_rejected",
        "tests/question_bank/test_hostile_files.py::test_header_that_lies_about_its_size_is_rejected",
        "tests/question_bank/test_hostile_files.py::test_name_with_a_nul_is_rejected",
    ),
    "H11": (
        "tests/questions/test_hostile.py::test_no_vector_survives_in_any_text_of_a_question",
        "tests/questions/test_hostile.py::test_vectors_through_the_editor_are_harmless_on_every_page",
    ),
    "H12": (
        "tests/questions/test_hostile.py::test_invisible_and_direction_turning_signs_are_taken_out",
        "tests/questions/test_hostile.py::test_endless_text_is_rejected_and_a_long_word_stored_whole",
    ),
    "H13": (
        "tests/questions/test_hostile.py::test_picture_that_is_none_is_rejected_at_once",
        "tests/questions/test_hostile.py::test_position_of_the_photographer_and_what_hides_behind_a_picture_are_dropped",
    ),
    "H14": (
        "tests/people/test_captcha.py::test_sixty_failed_accounts_bring_the_captcha_and_fifty_nine_do_not",
        "tests/people/test_sign_in.py::test_a_colleague_cannot_lock_the_owner_out_of_a_known_device",
        "tests/people/test_sign_in.py::test_a_password_too_long_is_rejected_before_any_hash",
    ),
    "H15": ("tests/people/test_sign_in.py::test_old_page_signs_in_again_with_the_token_of_an_ended_session",),
    "H16": (
        "tests/people/test_sessions_end.py::test_a_copied_cookie_is_dead_at_the_next_request_after",
        "tests/people/test_sign_in.py::test_a_cookie_fixed_before_signing_in_is_worth_nothing",
        "tests/people/test_sign_in.py::test_two_people_in_one_browser_do_not_mix",
    ),
    "H17": ("tests/people/test_sign_in.py::test_next_leads_only_to_own_pages",),
    "H18": (
        "tests/attempts/test_saving.py::test_more_than_a_hundred_saves_in_five_seconds_are_slowed_down_and_none_is_lost",
        "tests/exams/test_exam_pages.py::test_no_page_shows_a_persons_paper_before_the_exam",
    ),
    "H19": (
        "tests/browser/test_exam_page.py::test_signing_out_leaves_nothing_of_the_exam_on_the_device",
        "tests/people/test_surface.py::test_going_back_after_signing_out_shows_nothing",
    ),
    "H20": ("tests/core/test_limits.py::test_a_log_that_cannot_be_written_costs_no_request",),
    "H21": ("tests/core/test_concurrency_limiter.py::test_slow_sender_holds_no_slot",),
    "H22": (
        "tests/exams/test_exam_pages.py::test_a_used_question_and_a_drawn_paper_stay_as_they_are_during_the_exam",
        "tests/exams/test_exam_pages.py::test_overlapping_windows_are_allowed_and_pointed_out",
    ),
    "H23": ("tests/people/test_roster_import.py::test_rights_lost_meanwhile_stop_the_import",),
    "H24": ("tests/people/test_people.py::test_a_broken_seal_is_masked_and_no_fault",),
}
