"""Texts as people type them, where a question was once lost, merged with its neighbour, or given another's key."""

import pytest

from question_bank.formats.registry import read_file
from question_bank.model import Kind


def read_text(text, answers=None):
    return read_file(text.encode(), "题.txt", answers=(answers.encode(), "答案.txt") if answers else None)


def keys_of(reading):
    return [item.question.key for item in reading.imported]


def test_stem_that_asks_for_the_right_answer_heads_no_answer_section():
    reading = read_text(
        "一、单选题，每题只有一个正确答案\n1.甲题\nA.一 B.二\n答案：A\n2.乙题，请选出正确答案\nA.一 B.二\n答案：B\n"
        "二、多选题，每题有两个以上正确答案\n1.丙题\nA.一 B.二 C.三\n答案：AB\n"
    )
    assert reading.found == 3
    assert keys_of(reading) == [("A",), ("B",), ("A", "B")]


def test_heading_with_a_colon_is_a_heading():
    reading = read_text(
        "单项选择题：\n1、题一（ ）A.甲 B.乙\n判断题：\n1、题二（ ）\n2、题三（ ）\n答案：\n单选：1.B\n判断：1-2 √×\n"
    )
    assert [item.question.kind for item in reading.imported] == [
        Kind.SINGLE_CHOICE,
        Kind.TRUE_FALSE,
        Kind.TRUE_FALSE,
    ]
    assert keys_of(reading) == [("B",), ("A",), ("B",)]


def test_stem_with_an_empty_bracket_begins_again_behind_options_though_no_heading_says_so():
    reading = read_text("1、题一（ ）\nA.甲\nB.乙\n2、题二（ ）\nA.甲\nB.乙\n1、题三应当公开。（ ）\n")
    assert [item.question.stem for item in reading.needing_review] == ["题一（ ）", "题二（ ）", "题三应当公开。（ ）"]


def test_options_that_begin_with_the_letters_of_companies_stay_options():
    reading = read_text("1.关于A、B两公司，正确的是（ ）\nA.A公司违约 B.B公司违约 C.都违约\n答案：C\n")
    assert reading.imported[0].question.options == ("A公司违约", "B公司违约", "都违约")


def test_letter_key_without_options_is_never_the_word_of_a_blank():
    reading = read_text("1.下列正确的是（ ）\n甲一、乙二\n答案：C\n2.题（ ）\nA.一 B.二\n答案：A\n")
    assert [item.note.code for item in reading.needing_review] == ["options_missing"]


def test_name_in_brackets_is_no_key_where_an_empty_bracket_stands():
    reading = read_text("1.张三(A)打伤李四，应（ ）\nA.拘留 B.罚款\n2.甲（A）应当（ ）\nA.一 B.二\n答案：B\n")
    assert [item.question.stem for item in reading.imported] == ["甲（A）应当（ ）"]
    assert [item.note.code for item in reading.needing_review] == ["no_key"]


@pytest.mark.parametrize("label", ["【连线】", "[配对]", "【拖拽题】"])
def test_kind_that_is_not_sat_is_rejected_by_its_label(label):
    reading = read_text(f"1.{label}请作答\n答案：1-A\n2.应当公开。（√）\n")
    assert [note.code for note in reading.rejected] == ["kind_not_sat"]
    assert reading.found == 2


def test_keys_may_stand_in_a_markdown_table_behind_a_label():
    reading = read_text(
        "1.甲\nA.一\nB.二\n2.乙\nA.一\nB.二\n\n答案：\n| 题号 | 1 | 2 |\n|---|---|---|\n| 答案 | B | A |\n"
    )
    assert keys_of(reading) == [("B",), ("A",)]


def test_truth_may_stand_in_square_brackets():
    assert keys_of(read_text("判断题\n1.甲是。【错】\n2.乙是。[对]\n")) == [("B",), ("A",)]


def test_ranges_and_single_numbers_may_share_a_line():
    reading = read_text("1.甲\nA.一 B.二\n2.乙\nA.一 B.二\n3.丙。\n", answers="1-2：BA  3：√\n")
    assert keys_of(reading) == [("B",), ("A",), ("A",)]


def test_words_listed_behind_one_label_go_to_their_questions_and_not_into_one():
    reading = read_text(
        "填空题\n1.根本法是____。\n2.期限为____日。\n3.由____和____组成。\n答案：1.宪法 2.60 3.甲、乙\n"
    )
    assert [item.question.blanks for item in reading.imported] == [(("宪法",),), (("60",),), (("甲",), ("乙",))]


def test_numbered_words_that_do_not_fit_the_blanks_are_doubted():
    reading = read_text("填空题\n1.甲____。\n答案：一\n2.乙____。\n答案：1.宪法 2.法律\n")
    assert reading.needing_review[0].note.code == "blanks_mismatch"


def test_aiken_letters_that_leave_one_out_are_doubted():
    reading = read_file(b"Skips\nA. x\nC. y\nANSWER: C\n\nGood\nA. x\nB. y\nANSWER: B\n", "a.txt")
    assert [item.note.code for item in reading.needing_review] == ["option_missing"]
    assert keys_of(reading) == [("B",)]


def test_more_right_options_than_may_be_chosen_are_doubted():
    item = (
        '<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="i" title="i" adaptive="false" timeDependent="false">'
        '<responseDeclaration identifier="RESPONSE" cardinality="multiple" baseType="identifier"><correctResponse>'
        "<value>A</value><value>B</value></correctResponse></responseDeclaration><itemBody>"
        '<choiceInteraction responseIdentifier="RESPONSE" maxChoices="1"><prompt>谁？</prompt><simpleChoice identifier="A">甲</simpleChoice>'
        '<simpleChoice identifier="B">乙</simpleChoice></choiceInteraction></itemBody></assessmentItem>'
    )
    reading = read_file(item.encode(), "i.xml")
    assert [item.note.code for item in reading.needing_review] == ["two_keys"]


@pytest.mark.parametrize(
    "keys", ["1-3 ABC", "1.A 2.B 3.C", "题号\t1\t2\t3\n答案\tA\tB\tC", "单选题号\t1\t2\t3\n答案\tA\tB\tC"]
)
def test_keys_below_the_last_options_belong_to_all_though_nothing_heads_them(keys):
    stems = "".join(f"{number}. 这是第几题，“{number}”（ ）\nA.一 B.二 C.三\n" for number in (1, 2, 3))
    assert keys_of(read_text(f"一、单选题\n{stems}{keys}\n")) == [("A",), ("B",), ("C",)]


def test_rows_of_numbers_say_of_which_section_they_are():
    reading = read_text(
        "一、单选题\n1.甲（ ）\nA.一 B.二\n2.乙（ ）\nA.一 B.二\n二、判断题\n1.丙（ ）\n2.丁（ ）\n参考答案\n"
        "单选题号\t1\t2\n答案\tA\tB\n判断题号\t1\t2\n答案\t√\t×\n"
    )
    assert keys_of(reading) == [("A",), ("B",), ("A",), ("B",)]


ONE = "1.谁管？\nA.甲 B.乙\n答案：A\n2.多久？\nA.一 B.二\n答案：B\n"


@pytest.mark.parametrize(
    "head",
    [
        "材料：某镇强拆王某房屋。\n根据材料回答1-2题。",
        "一、案例题\n（一）某镇强拆王某房屋，王某不服。\n根据上述材料，回答1-2题。",
        "一、案例题\n（一）某镇强拆王某房屋，王某不服。",
        "一、案例题\n【案例一】\n某镇强拆王某房屋。\n请回答1-2题",
        "一、案例分析题（每小题5分）\n某镇强拆王某房屋，未作催告。",
    ],
)
def test_text_that_questions_share_is_kept_with_each_of_them(head):
    reading = read_text(f"{head}\n{ONE}")
    assert keys_of(reading) == [("A",), ("B",)]
    assert all(item.question.stem.split("\n")[0].count("某镇强拆王某房屋") == 1 for item in reading.imported)
    assert "每小题" not in reading.imported[0].question.stem


def test_second_case_of_a_section_is_no_explanation_of_the_first():
    reading = read_text(
        f"一、案例题\n（一）某镇强拆王某房屋，王某不服。\n{ONE}（二）李某酒后驾驶机动车被当场查获。\n3.谁罚？\nA.甲 B.乙\n答案：B\n"
    )
    assert reading.imported[1].question.explanation == ""
    assert reading.imported[2].question.stem == "李某酒后驾驶机动车被当场查获。\n谁罚？"


@pytest.mark.parametrize("options", ["A.一\nB.二\nC.三", "A.一 B.二\nC.三"])
def test_options_below_an_empty_answer_are_no_answer(options):
    reading = read_text(f"1.甲（ ）\n答案：\n{options}\n2.乙\nA.一 B.二\n答案：A\n")
    assert [item.note.code for item in reading.needing_review] == ["no_key"]
    assert reading.needing_review[0].question.options == ("一", "二", "三")


def test_record_without_a_key_is_a_question_of_its_own():
    rows = [
        f"35{number}\t第{number}句。（ ）\t正确答案：{key}\tA．错误\tB．正确"
        for number, key in enumerate(["B", "", "A"], 10)
    ]
    assert read_text("\n".join(rows)).found == 3


PAPER = """一、单项选择题（本大题共2小题，每小题2分。在备选项中只有一个符合题目要求，请将其选出。）
1．根本法是【    】
A．宪法            B．刑法
2．期限是【    】
A．甲            B．乙
二、判断题（正确的打“√”，错误的打“×”）
3．一律平等。【    】
三、填空题
4．自______年起施行。
"""
KEYS = "一、单项选择题（每小题2分）\n1．A    2．B\n二、判断题\n3．√\n三、填空题\n4．2021\n"


@pytest.mark.parametrize("head", ["参考答案及评分标准", "参考答案与评分细则", "试题答案及解析", "答案及评分说明"])
def test_paper_with_its_marking_scheme_is_counted_once(head):
    reading = read_text(f"{PAPER}\n{head}\n{KEYS}")
    assert [item.question.key or item.question.blanks for item in reading.imported] == [
        ("A",),
        ("B",),
        ("A",),
        (("2021",),),
    ]
    assert reading.found == 4


@pytest.mark.parametrize(
    "lines",
    [
        "正确答案：A 得分：2分",
        "我的答案：B\n正确答案：A",
        "【正确答案】A 【您的答案】B",
        "正确答案：A 我的答案：B 得分：0分",
    ],
)
def test_somebodys_answer_and_marks_are_no_part_of_a_question(lines):
    reading = read_text(f"1、题一？\nA 甲\nB 乙\n{lines}\n2、题二？\nA 甲\nB 乙\n正确答案：B\n")
    assert keys_of(reading) == [("A",), ("B",)]
    assert reading.imported[0].question.options == ("甲", "乙")


def test_section_of_a_new_kind_behind_an_answer_section_holds_questions():
    reading = read_text(
        "单选：\n1、甲（ ）。A、一B、二\n2、乙（ ）。A、一B、二\n答案：1、A；2、B\n判断：\n1、戊。\n2、己。\n答案：1、对；2、错\n"
    )
    assert [item.question.stem for item in reading.imported][-2:] == ["戊。", "己。"]


def test_small_letters_in_brackets_are_no_part_of_the_options():
    reading = read_text("Q1. 题一\n(a) 甲\n(b) 乙\nAnswer: b\nQ2. 题二\n(a) 甲\n(b) 乙\nAnswer: a\n")
    assert [item.question.options for item in reading.imported] == [("甲", "乙")] * 2


def test_labels_of_kind_and_points_are_no_part_of_the_stem():
    reading = read_text("1、[单选题][2分] 题一\nA、甲\nB、乙\n答案：A\n2、[不定项][3分] 题二\nA、甲\nB、乙\n答案：AB\n")
    assert [(item.question.stem, item.question.points) for item in reading.imported] == [("题一", 2), ("题二", 3)]


@pytest.mark.parametrize("options", ["选项A：甲\n选项B：乙", "选项：A、甲 B、乙"])
def test_fields_with_their_names_before_them_are_read(options):
    reading = read_text(f"题目：题一\n{options}\n答案：B\n解析：因为\n\n题目：题二\n{options}\n答案：A\n")
    assert [(item.question.stem, item.question.key) for item in reading.imported] == [
        ("题一", ("B",)),
        ("题二", ("A",)),
    ]


def test_options_may_stand_on_one_line_without_any_sign():
    reading = read_text("1 甲（ ）\nA 一 B 二 C 三 D 四\n2 乙（ ）\nA 一 B 二 C 三 D 四\n答案\n1. A 2. C\n")
    assert [item.question.options for item in reading.imported] == [("一", "二", "三", "四")] * 2
    assert keys_of(reading) == [("A",), ("C",)]


def test_list_of_keys_is_no_line_of_options():
    reading = read_text("1.甲\nA.一 B.二 C.三\n2.乙\nA.一 B.二 C.三\n3.丙\nA.一 B.二 C.三\n1. A 2. B 3. C\n")
    assert keys_of(reading) == [("A",), ("B",), ("C",)]


def test_points_behind_the_kind_are_no_part_of_the_stem():
    reading = read_text(
        "1．（2分）甲（ ）\nA．一 B．二\n【答案】A\n2．（多选，3分）乙（ ）\nA．一 B．二 C．三\n【答案】AB\n"
    )
    assert [(item.question.stem, item.question.points) for item in reading.imported] == [("甲（ ）", 2), ("乙（ ）", 3)]


SECTIONS = "一、单选题\n1. 谁作出决定？\nA. 县政府\nB. 乡政府\n2. 谁复议？\nA. 市政府\nB. 县政府\n二、判断题\n{}. 处罚应当公开。\n{}. 处罚可以保密。\n\n"
TRUTHS = "一、判断题（{}）\n1. 处罚应当公开。\n答案：{}\n2. 处罚可以保密。\n答案：{}\n"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("1. 谁作出决定？\n[甲]县政府\n[乙]乡政府\n[丙]村委会\n答案：乙\n", ["B"]),
        ("1. 谁作出决定？\n（甲）县政府　（乙）乡政府　（丙）村委会\n答案：甲、丙\n", ["AC"]),
        ("1. 谁作出决定？\n【甲】县政府\n【乙】乡政府\n答案：乡政府\n", ["B"]),
        (
            "1. 谁作出决定？\n[甲]县政府\n[乙]乡政府\n2. 谁复议？\n[甲]市政府\n[乙]县政府\n\n答案\n1. 乙\n2. 甲\n",
            ["B", "A"],
        ),
        ("1. 谁作出决定？\nA 市政府 B 县政府\n答案：B\n", ["B"]),
        ("1. 谁作出决定？ A 市政府 B 县政府\n2. 谁复议？ A 市政府 B 县政府\n\n答案\n1.A 2.B\n", ["A", "B"]),
        (TRUTHS.format("每题2分", "选1", "选0"), ["A", "B"]),
        (TRUTHS.format("正确的选1，错误的选2", "选1", "选2"), ["A", "B"]),
        (TRUTHS.format("正确的选０，错误的选１", "1", "0"), ["B", "A"]),
        (TRUTHS.format("正确选A，错误选B", "A", "B"), ["A", "B"]),
        (SECTIONS.format(1, 2) + "答案 一、A B\n二、√ ×\n", ["A", "B", "A", "B"]),
        (SECTIONS.format(3, 4) + "参考答案：一、AB 二、√×\n", ["A", "B", "A", "B"]),
    ],
)
def test_spelling_that_leaves_one_reading_is_read(text, keys):
    result = read_file(text.encode(), "题.txt")
    assert ["".join(item.question.key) for item in result.imported] == keys, result.needing_review
    assert all(len(item.question.options) > 1 for item in result.imported)


@pytest.mark.parametrize(
    "text",
    [
        "1. 谁作出决定？\n[甲]县政府\n[乙]乡政府\n答案：丙\n",
        "1. 在 A 级景区和 B 级景区，由谁决定？\n答案：A\n",
        TRUTHS.format("每题2分", "选1", "选1"),
        TRUTHS.format("错误的选1，正确的选0", "1", "0"),
        TRUTHS.format("正确的选0", "1", "0"),
        SECTIONS.format(1, 2) + "答案 一、A B\n二、√\n",
        SECTIONS.format(1, 2) + "答案 一、A B √ ×\n",
        SECTIONS.format(1, 2) + "答案 二、A B\n一、√ ×\n",
    ],
)
def test_spelling_that_leaves_two_readings_is_reviewed(text):
    result = read_file(text.encode(), "题.txt")
    assert not result.imported and result.needing_review


def test_listed_letter_for_a_question_without_options_is_its_answer_in_words_and_said():
    (item,) = read_file("1. 谁作出决定\n\n答案\n1. A\n".encode(), "题.txt").imported
    assert item.question.key == ("A",) and [note.code for note in item.dropped] == ["perhaps_options"]
