"""Texts as chats, 问卷星 and programs of other makers write them."""

from question_bank.formats.registry import read_file
from tests.question_bank.judging import judge_shape


def read(text, name="题.txt"):
    return read_file(text.encode(), name)


def keyed(result):
    assert result.needing_review == []
    return [(one.question.stem, one.question.options, one.question.key) for one in result.imported]


def test_numbers_in_keycaps_and_pictures_around_lines_of_a_chat_are_read():
    text = "🎉🎉【每日一题】🎉\n📢今天的题来啦👇\n\n" + "".join(
        f"{n}️⃣ 第{place}条规定的是（ ）\nA：甲\nB：乙\n✅正确答案：{key}\n\n"
        for n, place, key in ((1, "三", "A"), (2, "四", "B"))
    )
    assert keyed(read(text)) == [
        ("第三条规定的是（ ）", ("甲", "乙"), ("A",)),
        ("第四条规定的是（ ）", ("甲", "乙"), ("B",)),
    ]


def test_right_option_marked_before_its_letter_is_the_key():
    assert keyed(read("1. 由谁决定？\n*A. 县政府\nB. 乡政府\n\n2. 何时公布？\nA. 三日内\n✅B. 五日内\n")) == [
        ("由谁决定？", ("县政府", "乡政府"), ("A",)),
        ("何时公布？", ("三日内", "五日内"), ("B",)),
    ]


def test_points_behind_the_end_of_a_stem_are_points_and_within_it_words():
    found = read("1.[单选题] 由谁决定？(2.0分)\nA.甲\nB.乙\n答案：A\n2.[判断题] 闯红灯一次记（6分）\n答案：正确\n")
    assert [(one.question.stem, one.question.points) for one in found.imported] == [
        ("由谁决定？", 2),
        ("闯红灯一次记（6分）", None),
    ]


def test_rule_of_markdown_is_no_part_of_an_explanation():
    text = "# 题\n\n" + "".join(
        f"**{n}. 由谁{n}决定？**\n\n- A. 甲\n- B. 乙\n\n**答案：A**\n\n**解析：** 依法。\n\n---\n\n" for n in (1, 2)
    )
    assert [one.question.explanation for one in read(text).imported] == ["依法。", "依法。"]


def test_numbered_chinese_text_with_english_labels_is_no_aiken():
    found = read(
        "[多选题]\n1) 种类有( )。\na) 甲\nb) 乙\nc) 丙\nAnswer: A-C\n\n2) 措施有( )。\na) 甲\nb) 乙\nc) 丙\nAnswer: a,b\n"
    )
    assert keyed(found) == [
        ("种类有（ ）。", ("甲", "乙", "丙"), ("A", "B", "C")),
        ("措施有（ ）。", ("甲", "乙", "丙"), ("A", "B")),
    ]


def test_answers_below_the_heading_of_a_second_part_are_given_out():
    found = read(
        "第一部分 试题\n1. 由谁决定？\nA. 甲\nB. 乙\n2. 何时公布？\nA. 甲\nB. 乙\n第二部分 答案与解析\n1.【答案】A\n【解析】第一条。\n2.【答案】B\n【解析】第二条。\n"
    )
    assert [(one.question.key, one.question.explanation) for one in found.imported] == [
        (("A",), "第一条。"),
        (("B",), "第二条。"),
    ]
    assert not found.differs_from_census


def test_letter_that_stands_twice_before_a_bracket_requires_review():
    found = read("1) 由谁决定？\nA)甲\nB)乙\nB)A级许可\n答案：AB\n2) 何时公布？\nA)甲\nB)乙\n答案：A\n")
    assert [one.note.code for one in found.needing_review] == ["repeated_option"]
    assert judge_shape(1_002_513).wrong == []


def test_kind_and_points_behind_a_stem_are_none_of_its_words():
    found = read(
        "1.由谁决定（ ）。[单选题]（分值：5）\nA.甲\nB.乙\n正确答案：A\n\n"
        "2.法律面前人人平等。[判断题]（分值：2）\n正确\n错误\n正确答案：错误\n\n"
        "3.法律有例外。[判断题]（分值：2分）\n错误\n正确\n正确答案：正确\n"
    )
    assert [(one.stem, one.kind, one.key, one.points) for one in (item.question for item in found.imported)] == [
        ("由谁决定（ ）。", "single_choice", ("A",), 5),
        ("法律面前人人平等。", "true_false", ("B",), 2),
        ("法律有例外。", "true_false", ("A",), 2),
    ]


def test_letter_that_answers_signs_on_lines_of_their_own_is_read_by_their_order():
    found = read("1.法律有例外。[判断题]（分值：2）\n错误\n正确\n答案：A\n2.由谁决定？\nA.甲\nB.乙\n答案：A\n")
    assert [one.question.key for one in found.imported] == [("B",), ("A",)]


def test_line_that_stands_apart_behind_a_key_is_said_to_be_the_explanation():
    text = "1. 由谁决定？\nA. 甲\nB. 乙\n答案：A\n\n这一条常考\n"
    assert [note.code for one in read(text).imported for note in one.dropped] == ["stray_text"]
    assert not read(text.replace("\n\n这一条", "\n这一条")).imported[0].dropped
    closed = read(text.replace("这一条常考", "来源：某县司法局\n点赞、在看、转发"))
    assert (closed.imported[0].question.explanation, [note.code for note in closed.remarks]) == ("", ["trailer"])
