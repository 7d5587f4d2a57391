"""The census counts what a file seems to hold without reading it, and agrees with the reader where nothing vanished."""

from dataclasses import replace

import pytest

from question_bank.formats.registry import read_file, write_file
from question_bank.model import Kind, Question
from tests.question_bank import clerks, shapes
from tests.question_bank.books import word
from tests.question_bank.judging import judge_office, judge_shape

SINGLE = Question(kind=Kind.SINGLE_CHOICE, stem="谁作出决定？", options=("县政府", "乡政府", "村委会"), key=("B",))
TRUTH = Question(kind=Kind.TRUE_FALSE, stem="处罚应当公开。", options=("正确", "错误"), key=("A",))
ANSWERED = Question(kind=Kind.SHORT_ANSWER, stem="简述处罚的种类。", key=("1. 警告和罚款。\n2. 没收财物。",))
CASE = Question(kind=Kind.CASE, stem="某局罚款三万元。", parts=(SINGLE, TRUTH))
QUESTIONS = [*(replace(SINGLE, stem=f"谁作出第{number}号决定？") for number in range(12)), TRUTH, ANSWERED]


@pytest.mark.parametrize(
    ("form", "suffix", "cases"),
    [
        ("excel", ".xlsx", [CASE]),
        ("csv", ".csv", [CASE]),
        ("examtext", ".txt", [CASE]),
        ("moodle-xml", ".xml", []),
        ("qti-1.2", ".zip", []),
        ("qti-2.1", ".zip", [CASE]),
        ("qti-3.0", ".zip", [CASE]),
        ("gift", ".gift", []),
        ("text", ".txt", []),
        ("docx", ".docx", []),
    ],
)
def test_census_agrees_with_the_reader_in_every_family(form, suffix, cases):
    result = read_file(write_file([*QUESTIONS, *cases], form).content, f"题库{suffix}")
    assert result.census is not None and not result.differs_from_census, (result.census, result.found)


def test_question_that_vanished_in_reading_differs_from_the_census():
    text = "1. 谁作出决定？\nA. 县政府\nB. 乡政府\n答案：A\n\n{}\nA. 县政府\nB. 乡政府\n"
    whole = read_file(text.format("2. 谁进行复议？\n").encode(), "题.txt")
    assert (whole.census, whole.found, whole.differs_from_census) == (2, 2, False)
    result = replace(whole, imported=whole.imported[:1], needing_review=[])
    assert result.differs_from_census


def test_lists_within_questions_sections_and_keys_are_not_counted_as_questions():
    text = (
        "一、单选题\n1. 谁作出决定？\nA. 县政府\nB. 乡政府\n\n2. 谁进行复议？\nA. 县政府\nB. 乡政府\n\n"
        "二、简答题\n3. 简述处罚的种类。\n答案：\n1. 警告和罚款。\n2. 没收财物。\n3. 其他的处罚。\n4. 简述程序。\n答案：先调查，后决定。\n"
        "\n参考答案\n1.A 2.B\n"
    )
    assert read_file(text.encode(), "题.txt").census == 4


def test_file_without_signs_has_no_census():
    result = read_file("谁作出____决定？{=县}".encode(), "multianswer.txt", "missingword")
    assert result.census is None and not result.differs_from_census


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ('[{"stem": "谁作出决定？", "options": ["县政府", "乡政府"], "answer": "A"}]', "题.json"),
        (
            "<html><body><table><tr><td>题干</td><td>答案</td></tr><tr><td>应当公开</td><td>正确</td></tr></table></body></html>",
            "题.xls",
        ),
        ("<html><body><p>1. 谁作出决定？</p><p>A. 县政府</p><p>B. 乡政府</p><p>答案：A</p></body></html>", "题.html"),
    ],
)
def test_records_and_web_pages_are_counted_too(content, name):
    assert read_file(content.encode(), name).census == 1


def test_lists_of_a_labelled_text_are_no_questions_and_a_question_that_lost_its_number_is_one():
    text = "1. 简述处罚的种类。\n答案：\n1. 警告。\n2. 罚款。\n3. 拘留处罚。\n\n2. 谁作出决定？\nA. 县政府\nB. 乡政府\n答案：A\n\n谁进行复议？\nA. 县政府\nB. 乡政府\n答案：A\n\n4. 谁来听证？\nA. 县政府\nB. 乡政府\n答案：A\n"
    assert read_file(text.encode(), "题.txt").census == 4


def test_tables_of_word_are_counted_by_row_by_name_or_as_lines():
    rows = [["题型", "题干", "选项A", "选项B", "答案"], ["单选题", "谁作出决定？", "县政府", "乡政府", "A"]]
    upright = [["题干", "谁进行复议？"], ["选项A", "县政府"], ["选项B", "乡政府"], ["答案", "B"]]
    marked = [["A. 县政府", "B. 乡政府"], ["C. 市政府", "D. 村委会"]]
    assert read_file(word([rows]), "题.docx").census == 1
    assert read_file(word([upright, upright]), "题.docx").census == 2
    assert read_file(word(["1. 谁作出决定？", marked, "2. 谁来听证？", marked]), "题.docx").census == 2


def test_each_question_lost_from_a_file_of_an_office_differs_from_the_census_and_none_lost_does_not():
    whole = [judge_shape(seed) for seed in range(len(shapes.SHAPES), 2 * len(shapes.SHAPES)) if seed % 3]
    whole += [judge_office(office, seed) for office in clerks.OFFICES for seed in (101, 102)]
    for verdict in whole:
        result = verdict.result
        assert result.census == result.found == len(verdict.bank), verdict
        for place in range(len(result.imported)):
            left = [*result.imported[:place], *result.imported[place + 1 :]]
            assert replace(result, imported=left).differs_from_census
