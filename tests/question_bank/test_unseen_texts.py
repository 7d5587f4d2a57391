"""Free texts in further forms: each was once read wrongly, in doubt without need, or not at all."""

import pytest

from question_bank.formats.registry import read_file
from question_bank.model import Kind

OPTIONS = "A. 甲\nB. 乙\nC. 丙\n"
THREE = "1. 谁制定法律？\nA. 全国人大\nB. 国务院\n\n2. 哪些是权利？\nA. 选举\nB. 纳税\nC. 言论\n\n3. 宪法是根本法。\n"
FIVE = "".join(f"{number}. 第{number}个问题问谁？\n{OPTIONS}\n" for number in range(1, 6))


def read(text, answers=None):
    return read_file(text.encode(), "题.txt", answers=(answers.encode(), "答案.txt") if answers else None)


def keys(reading):
    assert reading.found == len(reading.imported)
    return ["".join(item.question.key) for item in reading.imported]


@pytest.mark.parametrize("number", ["({})", "（{}）", "题{}：", "Q{}. ", "单选题{}. ", "{}。", "(单选题){}."])
def test_questions_are_counted_in_many_ways(number):
    reading = read(f"{number.format(1)}谁作出决定？\n{OPTIONS}答案：A\n{number.format(2)}谁复议？\n{OPTIONS}答案：B\n")
    assert keys(reading) == ["A", "B"]
    assert [item.question.stem for item in reading.imported] == ["谁作出决定？", "谁复议？"]


@pytest.mark.parametrize(
    "label",
    [
        "答案是A",
        "答案为A",
        "正确答案为：A",
        "正确选项：A",
        "（答案：A）",
        "答案→A",
        "标答：A",
        "故选A",
        "选A",
        "A",
        "答案：A  分值：2",
    ],
)
def test_answers_are_labelled_in_many_ways_and_never_glued_to_the_last_option(label):
    reading = read(f"1. 谁作出决定？\n{OPTIONS}{label}\n\n2. 谁复议？\n{OPTIONS}{label}\n")
    assert keys(reading) == ["A", "A"]
    assert all(item.question.options == ("甲", "乙", "丙") for item in reading.imported)


def test_answer_glued_to_the_last_option_is_taken_off():
    reading = read("1.哪些？A.甲B.乙C.丙答案：AB\n2.又是哪些？A、甲B、乙C、丙答案：A、C\n")
    assert [item.question.options[2] for item in reading.imported] == ["丙", "丙"]
    assert [item.question.key for item in reading.imported] == [("A", "B"), ("A", "C")]


@pytest.mark.parametrize("bracket", ["【A】", "[A]", "〔A〕", "__A__"])
def test_key_in_the_stem_stands_in_any_bracket(bracket):
    assert keys(read(f"1. 决定由{bracket}作出。\n{OPTIONS}\n2. 由谁办理{bracket}。\n{OPTIONS}")) == ["A", "A"]


def test_words_below_a_key_explain_it_and_leave_the_options_alone():
    reading = read(
        f"1. 谁作出决定？\n{OPTIONS}答案：B\n《处罚法》对此有规定。\n\n2. 谁复议？\n{OPTIONS}答案：A\n解析 见条文。\n"
    )
    assert keys(reading) == ["B", "A"]
    assert [item.question.explanation for item in reading.imported] == ["《处罚法》对此有规定。", "见条文。"]
    assert all(item.question.options == ("甲", "乙", "丙") for item in reading.imported)


def test_truth_behind_the_sentence_is_its_key():
    assert keys(read("1. 行政机关应当公开。  正确\n2. 机关不受监督。 错误\n3. 应当听取意见。（√）\n")) == [
        "A",
        "B",
        "A",
    ]


@pytest.mark.parametrize("options", ["A甲 B乙 C丙", "A。甲\nB。乙\nC。丙"])
def test_options_without_a_sign_are_seen_by_their_key(options):
    reading = read(f"1. 谁作出决定？\n{options}\n答案：B\n\n2. 谁复议？\n{options}\n答案：C\n")
    assert keys(reading) == ["B", "C"]
    assert {item.question.kind for item in reading.imported} == {Kind.SINGLE_CHOICE}


def test_choices_in_a_section_of_cases_stay_choices():
    reading = read(
        "四、案例分析题\n材料一\n张某不服罚款。\n1. 复议机关是谁？\nA. 县政府\nB. 市公安局\n答案：A\n2. 为什么？\n答案：因为法律规定。\n"
    )
    assert [item.question.kind for item in reading.imported] == [Kind.SINGLE_CHOICE, Kind.SHORT_ANSWER]


def test_material_serves_all_questions_up_to_the_next():
    part = "1. 谁决定？\nA. 甲\nB. 乙\n答案：A\n2. 期限？\nA. 甲\nB. 乙\n答案：B\n"
    reading = read(f"案例一：张某不服罚款。\n{part}案例二：李某开店。\n{part.replace('1.', '3.').replace('2.', '4.')}")
    assert [item.question.stem.split("\n")[0] for item in reading.imported] == ["张某不服罚款。"] * 2 + [
        "李某开店。"
    ] * 2
    assert all(item.question.options == ("甲", "乙") for item in reading.imported)


@pytest.mark.parametrize(
    "answers",
    [
        "| 题号 | 1 | 2 | 3 |\n|---|---|---|---|\n| 答案 | A | AC | 对 |\n",
        "题号,答案,解析\n1,A,立法法\n2,AC,宪法\n3,对,略\n",
        "A\nAC\n对\n",
    ],
)
def test_second_file_is_a_table_or_keys_alone(answers):
    assert keys(read(THREE, answers)) == ["A", "AC", "A"]


def test_keys_alone_are_not_dealt_out_where_their_count_differs():
    with pytest.raises(Exception, match="没有认出任何答案"):
        read(THREE, "A\nB\n")


def test_range_of_numbers_may_stand_in_brackets():
    assert keys(read(FIVE, "（1-5）ABCBA")) == list("ABCBA")


def test_table_of_numbers_and_keys_needs_no_words_before_its_rows():
    assert keys(read(FIVE + "参考答案\n1 2 3 4 5\nA B C B A\n")) == list("ABCBA")
