"""Which test shows what becomes of each hazard of hostile input (H07 to H13) in each family of question files; `make conformance` prints it."""

from __future__ import annotations

FAMILIES = {
    "表格": "xlsx、xlsm、xls、et、ods、Excel 2003 XML、csv",
    "Word": "docx",
    "旧文档": "doc、wps、rtf、odt，由 LibreOffice 转换",
    "文本": "txt、粘贴的文字、Aiken、GIFT、Moodle cloze 和 missing word、本平台文本",
    "XML": "Moodle XML、QTI 1.2、2.1、2.2、3.0，Blackboard 的两种 .dat（单个文件和题库包）",
    "JSON": "JSON、JSONL、CSC Exam、json2qti",
    "网页": "html、mht，存成 .xls、.doc 的也是",
    "PDF": "有文字的 PDF",
    "压缩包": "几个文件的 zip",
}
_B, _I = "tests/question_bank/", "tests/questions/test_imports.py::"
_H, _F, _P = f"{_B}test_hazards.py::", f"{_B}test_hostile_formats.py::", f"{_B}test_hostile_files.py::"
_OFFICE, _PDF, _CHILD = f"{_B}test_office.py::", f"{_B}test_pdf_text.py::", f"{_B}test_child.py::"
_UPLOADS = "tests/hostile/test_files.py::"
_BYTES = f"{_H}test_h07_wrong_bytes_are_never_stored_as_if_they_were_words"
_ENCODED = f"{_H}test_h07_text_in_any_usual_encoding_is_read_the_same"
_BURST = f"{_F}test_package_of_any_family_that_bursts_or_leaves_its_folder_is_rejected"
_CHILDS = f"{_CHILD}test_file_that_takes_too_much_is_rejected"
_ENTITIES = f"{_H}test_h09_entities_of_xml_are_not_followed"
_NESTED = f"{_H}test_h09_what_is_nested_a_hundred_thousand_deep_is_said_and_ends_no_process"
_ENDLESS = f"{_H}test_h08_h12_endless_text_in_any_place_is_said_and_never_stored"
_NOTHING = f"{_H}test_h12_text_of_nothing_is_no_question"
_SIGNS = f"{_H}test_h12_invisible_and_turning_signs_go_out"
_MARKUP = f"{_H}test_h11_markup_in_a_file_is_text_or_harmless"
_PICTURE = f"{_H}test_h13_picture_of_a_file_is_kept_without_its_secrets_or_lost_by_name"
_NONSENSE = f"{_F}test_nonsense_never_crashes_a_reader"
_OPENS = f"{_UPLOADS}test_h09_xml_opens_no_file_and_no_connection_in_any_format"
_HANGS = f"{_OFFICE}test_program_that_hangs_is_killed_with_its_children_and_leaves_no_folder"
_STOPPED = f"{_OFFICE}test_libreoffice_that_stops_in_the_middle_is_killed_with_its_children"
_LONG = f"{_OFFICE}test_document_that_takes_too_long_is_given_up_and_nothing_of_libreoffice_is_left"
_MACRO = f"{_OFFICE}test_macro_runs_where_libreoffice_may_run_it_and_neither_with_our_settings_nor_in_a_conversion"
_AS_WORD = "同 Word"
"""What LibreOffice has converted is read as Word."""
_LINES = "同文本"
"""Words taken out of a PDF are read as lines of text."""


def _everywhere(test: str, **others: str) -> dict[str, str]:
    return dict.fromkeys(FAMILIES, test) | {"旧文档": _AS_WORD, "PDF": _LINES} | others


HAZARDS: dict[str, dict[str, str]] = {
    "H07 各种编码": {
        "表格": f"{_B}test_tables_in_files.py::test_csv_in_every_encoding_and_with_every_divider", "文本": _ENCODED, "XML": f"{_P}test_chinese_xml_is_read_in_its_encoding",
        "JSON": _ENCODED, "网页": f"{_B}test_office_families.py::test_file_is_read_by_what_it_is_and_not_by_its_name", "压缩包": f"{_B}test_unknown_files.py::test_names_written_by_windows_are_shown_as_written",
    },
    "H07 错的字节": {"表格": _BYTES, "文本": _BYTES, "XML": _BYTES, "JSON": _BYTES, "网页": _BYTES},
    "H07 隐藏的表和行、合并的单元格": {
        "表格": f"{_B}test_small_losses.py::test_hidden_and_filtered_rows_are_said", "网页": f"{_B}test_office_families.py::test_numbered_lists_and_merged_cells_of_a_page_keep_their_meaning",
        "Word": f"{_B}test_tables_in_files.py::test_question_tables_answer_tables_and_text_in_one_document",
    },
    "H07 日期和长数字": {
        "表格": f"{_B}test_odd_tables.py::test_no_digit_of_a_number_is_rounded_away", "Word": f"{_B}test_long_numbers.py::test_number_without_bound_does_not_crash_a_reader",
        "文本": f"{_B}test_long_numbers.py::test_number_without_bound_does_not_crash_a_reader", "XML": f"{_B}test_long_numbers.py::test_number_without_bound_does_not_crash_a_reader",
    },
    "H07 文件内和题库里的重复题": _everywhere(f"{_I}test_duplicates_in_the_file_and_in_the_bank_are_said_apart", PDF=f"{_I}test_duplicates_in_the_file_and_in_the_bank_are_said_apart"),
    "H08 压缩炸弹": {"表格": _BURST, "Word": _BURST, "旧文档": _BURST, "XML": _BURST, "压缩包": _BURST},
    "H08 行、列、表过多": {
        "表格": f"{_B}test_heavy_files.py::test_workbook_of_very_many_sheets_is_rejected", "文本": f"{_B}test_heavy_files.py::test_text_that_is_no_table_or_too_long_is_rejected",
        "网页": f"{_B}test_office_families.py::test_hostile_tables_are_rejected_with_a_reason",
    },
    "H08 巨大的单元格、题干、选项": _everywhere(_ENDLESS),
    "H08 压缩包套压缩包、改了扩展名": {
        "表格": f"{_B}test_excel_limits.py::test_nested_archives_and_renamed_files_are_rejected", "压缩包": f"{_B}test_unknown_files.py::test_zip_within_a_zip_and_a_zip_without_questions_are_rejected",
        "Word": f"{_B}test_tables_in_files.py::test_old_and_broken_documents_say_what_to_do", "网页": f"{_B}test_office_families.py::test_file_is_read_by_what_it_is_and_not_by_its_name",
    },
    "H08 宏不运行": {
        "表格": f"{_B}test_excel_limits.py::test_nested_archives_and_renamed_files_are_rejected", "旧文档": _MACRO, "Word": f"{_H}test_h08_word_document_with_macros_is_not_opened",
        "网页": f"{_B}test_office_families.py::test_file_is_read_by_what_it_is_and_not_by_its_name",
    },
    "H08 超时、超内存": _everywhere(_CHILDS, 旧文档=_LONG, PDF=_CHILDS),
    "H08 LibreOffice 卡住，连同子进程结束": {"旧文档": f"{_HANGS} {_STOPPED}"},
    "H09 XML 实体、外部 DTD、XInclude": {
        "表格": _ENTITIES, "Word": _ENTITIES, "旧文档": _AS_WORD, "XML": f"{_ENTITIES} {_P}test_unsafe_xml_is_not_supported", "网页": f"{_H}test_h09_entities_of_a_page_are_rejected_or_stay_what_they_are",
    },
    "H09 不打开别的文件，不连网": _everywhere(_OPENS, 旧文档=f"{_OFFICE}test_program_that_fails_is_a_damaged_file_and_runs_without_macros_and_links", PDF=_OPENS),
    "H09 嵌套十万层": _everywhere(_NESTED, 压缩包="同其中的文件"),
    "H10 路径越界、链接、重名、大小说谎": {
        "表格": _BURST, "Word": _BURST, "旧文档": _BURST, "XML": f"{_BURST} {_P}test_header_that_lies_about_its_size_is_rejected",
        "压缩包": f"{_BURST} {_P}test_archives_that_leave_their_folder_or_hide_files_are_rejected {_P}test_name_with_a_nul_is_rejected",
    },
    "H11 脚本、事件、远程图片": _everywhere(_MARKUP),
    "H12 不可见、改变方向的字符": _everywhere(_SIGNS),
    "H12 只有空白的题干": _everywhere(_NOTHING),
    "H13 图片：像素过大、SVG、HEIC、空、拍摄地点": {"表格": _PICTURE, "Word": _PICTURE, "旧文档": _AS_WORD, "XML": _PICTURE, "PDF": f"{_PDF}test_scanned_pages_are_named_and_a_scanned_file_is_rejected"},
    "乱的字节": _everywhere(_NONSENSE, 旧文档=f"{_OFFICE}test_program_that_fails_is_a_damaged_file_and_runs_without_macros_and_links", PDF=_NONSENSE),
    "在每个上传的地方": _everywhere(f"{_UPLOADS}test_h08_h10_h13_hostile_files_are_rejected_in_words_and_leave_nothing", 旧文档="同 Word", PDF=f"{_UPLOADS}test_h08_h10_h13_hostile_files_are_rejected_in_words_and_leave_nothing"),
}  # fmt: skip
"""By hazard and family: the tests, divided by spaces, or in words where another family's serve. A family that is not named cannot have the hazard."""


def named_in(cell: str) -> list[str]:
    """Return the ids of the tests in a cell; none where it says in words which other family's tests serve."""
    return [each for each in cell.split() if "::" in each]


def page_of_hazards() -> str:
    """Return the section of docs/conformance.md: a table of numbers, and below it the tests that they stand for."""
    numbers: dict[str, int] = {}
    for cells in HAZARDS.values():
        for cell in cells.values():
            for test in named_in(cell):
                numbers.setdefault(test, len(numbers) + 1)
    lines = [
        "## 恶意和损坏的文件", "",
        "每种危险（H07–H13）在每类题库文件里由哪个测试检查；数字见表下，空格表示这类文件不会有这种危险。", "",
        *(f"- {family}：{label}" for family, label in FAMILIES.items()), "",
        f"| 危险 | {' | '.join(FAMILIES)} |", f"|---|{'---|' * len(FAMILIES)}",
    ]  # fmt: skip
    for hazard, cells in HAZARDS.items():
        shown = (
            "、".join(str(numbers[test]) for test in named_in(cells.get(family, ""))) or cells.get(family, "")
            for family in FAMILIES
        )
        lines.append(f"| {hazard} | {' | '.join(shown)} |")
    return "\n".join([*lines, "", *(f"{number}. `{test}`" for test, number in numbers.items()), ""])
