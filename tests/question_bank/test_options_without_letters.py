"""Options without letters, labels below options, and lines between two papers or two cases, as offices and platforms write them."""

from __future__ import annotations

from question_bank.formats.registry import read_file
from question_bank.model import Kind


def questions_of(content: str, name: str = "题库.txt"):
    return [item.question for item in read_file(content.encode(), name).imported]


def test_a_label_in_brackets_behind_the_options_is_no_part_of_the_last_one():
    one, two = questions_of(
        "（1）限制人身自由的行政处罚，只能由（）设定。\nA．法律\nB．行政法规\n【题型】单选题\n【答案】A\n【难度】难\n\n"
        "（2）秸秆可以在田间随意焚烧。\n【题型】判断题\n【答案】错误\n"
    )
    assert list(one.options) == ["法律", "行政法规"]
    assert (two.kind, two.stem) == (Kind.TRUE_FALSE, "秸秆可以在田间随意焚烧。")


def test_a_number_above_kind_and_stem_is_the_questions_and_no_explanation_is_none():
    asked = questions_of(
        "第1题\n题型：单选题\n题目：附加刑是（ ）。\n选项A：管制\n选项B：罚金\n正确答案：B\n答案解析：无\n\n"
        "第2题\n题型：判断题\n题目：纳税是公民的基本义务。\n正确答案：正确\n答案解析：宪法第五十六条。\n"
    )
    assert [(one.stem, one.explanation) for one in asked] == [
        ("附加刑是（ ）。", ""),
        ("纳税是公民的基本义务。", "宪法第五十六条。"),
    ]


def test_circled_lines_are_options_where_the_answer_is_in_their_words_or_signs():
    single, several, by_sign = questions_of(
        "1. 任何单位和个人（ ）买卖枪支。\n①经村委会同意可以\n②未经许可不得\n答案：未经许可不得\n\n"
        "2. 国家安全包括（ ）。\n①网络安全\n②邻里纠纷\n③政治安全\n答案：网络安全、政治安全\n\n"
        "3. 上诉期限为（ ）。\n①十日\n②十五日\n答案：②\n"
    )
    assert [(one.kind, one.key) for one in (single, several, by_sign)] == [
        (Kind.SINGLE_CHOICE, ("B",)),
        (Kind.MULTIPLE_CHOICE, ("A", "C")),
        (Kind.SINGLE_CHOICE, ("B",)),
    ]


def test_lines_marked_as_the_right_answer_and_their_siblings_are_options():
    single, truth = questions_of(
        "1. 醉酒驾驶机动车的，以（ ）定罪处罚。 [单选题]\n在道路上驾驶机动车追逐竞驶情节恶劣的犯罪\n交通肇事罪\n危险驾驶罪（正确答案）\n\n"
        "2. 非法吸收公众存款只是违约行为。 [判断题]\n对\n错（正确答案）\n"
    )
    assert list(single.options) == [
        "在道路上驾驶机动车追逐竞驶情节恶劣的犯罪",
        "交通肇事罪",
        "危险驾驶罪",
    ]
    assert single.key == ("C",)
    assert (truth.kind, truth.key) == (Kind.TRUE_FALSE, ("B",))


def test_the_second_case_of_a_section_goes_with_its_own_questions():
    asked = questions_of(
        "案例分析题\n案例一\n孙某多次殴打钱某，并扣留其身份证。\n1. （简答题）钱某可以向哪些单位求助？\n答案：公安机关、妇女联合会。\n"
        "案例二\n赵某在网上编造饭店使用地沟油的帖子。\n1. （简答题）赵某侵犯了饭店的什么权利？\n答案：名誉权。\n"
    )
    assert [(one.stem, one.key) for one in asked] == [
        ("孙某多次殴打钱某，并扣留其身份证。\n钱某可以向哪些单位求助？", ("公安机关、妇女联合会。",)),
        ("赵某在网上编造饭店使用地沟油的帖子。\n赵某侵犯了饭店的什么权利？", ("名誉权。",)),
    ]


def test_a_second_papers_title_is_no_explanation_of_the_first_ones_last_question():
    paper = "法律知识测试（{}卷）\n一、单选题\n1. 附加刑是（ ）。\nA. 管制\nB. 罚金\n二、判断题\n1. 法律溯及既往是一般原则。（ ）\n{}卷参考答案\n一、单选题：1.B\n二、判断题：1.×\n"
    asked = questions_of(paper.format("A", "A") + "\n" + paper.format("B", "B").replace("管制", "拘役"))
    assert [one.explanation for one in asked] == ["", "", "", ""]


def test_a_question_behind_its_label_keeps_none_of_it():
    (asked,) = questions_of("1.问：简述遗嘱的形式。\n答：自书、代书、打印、录音录像、口头、公证遗嘱。\n")
    assert asked.stem == "简述遗嘱的形式。"


def test_answers_of_a_table_that_are_all_one_and_nought_are_true_and_false():
    rows = [f"PD{number},第{number}条说法正确。,{number % 2}" for number in range(1, 7)]
    asked = questions_of("\n".join(["编号,题目,答案（1对0错）", *rows, ""]), "导出.csv")
    assert [(one.kind, one.key) for one in asked] == [(Kind.TRUE_FALSE, ("A",)), (Kind.TRUE_FALSE, ("B",))] * 3
