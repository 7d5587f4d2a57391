"""Texts with what survey and teaching platforms print around questions, and lists of keys without numbers."""

import pytest

from question_bank.formats.registry import read_file

KEYED = [("由谁决定（ ）。", ("甲", "乙"), ("A",)), ("向谁申请（ ）。", ("丙", "丁"), ("B",))]


def read(text, name="题.txt"):
    return read_file(text.encode(), name)


def keyed(result):
    assert result.needing_review == []
    return [(one.question.stem, one.question.options, one.question.key) for one in result.imported]


def explained(result):
    return [one.question.explanation for one in result.imported]


@pytest.mark.parametrize("mark", ["A、", "A. ", ""])
def test_options_behind_circles_with_the_right_one_named_are_read_with_and_without_letters(mark):
    other = mark.replace("A", "B")
    text = (
        f"1、由谁决定（ ）。 [单选题] *\n○{mark}甲(正确答案)\n○{other}乙\n\n"
        f"2、向谁申请（ ）。 [多选题] *\n□{mark}丙 (正确答案)\n□{other}丁 (正确答案)\n\n"
        "3、人人平等。 [判断题] *\n○对\n○错 (正确答案)\n"
    )
    found = read(text)
    assert keyed(found)[:2] == [KEYED[0], ("向谁申请（ ）。", ("丙", "丁"), ("A", "B"))]
    assert keyed(found)[2][2] == ("B",)
    assert [one.question.kind for one in found.imported] == ["single_choice", "multiple_choice", "true_false"]


def test_own_answer_and_points_that_a_platform_prints_are_no_part_of_the_question():
    text = "".join(
        f"{n}. (单选题, 5.0分) {stem}\nA. {a}\nB. {b}\n我的答案: {own};\n正确答案: {right};\n0分\n答案解析：见条文\n\n"
        for n, stem, a, b, own, right in (
            (1, "由谁决定（ ）。", "甲", "乙", "B:乙", "A:甲"),
            (2, "向谁申请（ ）。", "丙", "丁", "B:丁", "B:丁"),
        )
    )
    assert keyed(read(text)) == KEYED
    assert explained(read(text)) == ["见条文", "见条文"]


def test_letters_alone_on_lines_stand_before_the_texts_below_them():
    text = "".join(
        f"{n}\n{stem}(10.0分)\n10.0 分\nA、\n{a}\nB、\n{b}\n正确答案： {key} 我的答案：A\n\n"
        for n, (stem, (a, b), (key,)) in enumerate(KEYED, 1)
    )
    assert keyed(read(text)) == KEYED
    assert [one.question.points for one in read(text).imported] == [10, 10]


@pytest.mark.parametrize(
    "line",
    [
        "（解析：见《民法典》第1043条（新））",
        "『答案解析』见《民法典》第1043条（新）",
        "(答案解析:见《民法典》第1043条（新）)",
    ],
)
def test_explanation_in_brackets_is_no_part_of_the_last_option(line):
    found = read(f"1. 由谁决定（A）。\nA. 甲\nB. 乙\n{line}\n2. 向谁申请（B）。\nA. 丙\nB. 丁\n{line}\n")
    assert keyed(found) == KEYED
    assert explained(found) == ["见《民法典》第1043条（新）"] * 2


@pytest.mark.parametrize("numbers", [("【例1】", "【例2】"), ("1-1. ", "1-2. "), ("2—1、", "2—2、")])
def test_numbers_of_examples_and_of_chapters_begin_questions(numbers):
    text = "".join(
        f"{number}{stem}\nA.{a}\nB.{b}\n『正确答案』{key}\n"
        for number, (stem, (a, b), (key,)) in zip(numbers, KEYED, strict=True)
    )
    assert keyed(read(text)) == KEYED


@pytest.mark.parametrize(("one", "two"), [("①", "②"), ("（1）", "（2）")])
def test_options_and_keys_by_number_are_read_as_letters(one, two):
    text = f"1、由谁决定（ ）。\n{one}甲\n{two}乙\n答案：{one}\n2、向谁申请（ ）。\n{one}丙\n{two}丁\n答案：{two}\n"
    assert keyed(read(text)) == KEYED
    stays = read(text.replace(f"\n{one}丙\n{two}丁\n答案：{two}", f"\n{one}丙\n{two}丁\nA.{one}\nB.{two}\n答案：B"))
    assert stays.imported[-1].question.options == (one, two)


@pytest.mark.parametrize("keys", ["判断题答案：√×√", "判断题答案：\n√×√", "判断题参考答案: √ × √"])
def test_keys_of_a_kind_without_numbers_are_given_in_order_where_they_are_as_many(keys):
    text = f"一、单选题\n1、由谁决定（ ）。\nA、甲\nB、乙\n2、向谁申请（ ）。\nA、丙\nB、丁\n二、判断题\n1、人人平等。（ ）\n2、可以委托个人。（ ）\n3、法律有例外。（ ）\n\n单选题答案：AB\n{keys}\n"
    found = read(text)
    assert keyed(found)[:2] == KEYED
    assert [one.question.key for one in found.imported[2:]] == [("A",), ("B",), ("A",)]
    assert read(text.replace("√", "", 1).replace("√ ", "", 1)).imported == []


def test_answers_of_blanks_listed_behind_all_questions_are_given_by_number():
    text = "填空题\n1. 宪法日是每年____。\n2. 权力属于____，由____行使。\n3. 共____编。\n\n参考答案：\n1. 12月4日\n2. 人民、代表\n3. 7\n"
    assert [one.question.blanks for one in read(text).imported] == [
        (("12月4日",),),
        (("人民",), ("代表",)),
        (("7",),),
    ]


def test_bracket_alone_in_a_fill_in_section_is_a_blank_though_it_holds_a_number():
    found = read("一、填空题\n1、民法典共（7）编，1260条。\n2、宪法日是每年（12月4日）。\n")
    assert [one.question.blanks for one in found.imported] == [(("7",),), (("12月4日",),)]


def test_explanation_behind_a_dash_in_a_list_of_answers_is_no_part_of_the_key():
    text = "1. 由谁决定（ ）。\nA. 甲\nB. 乙\n2. 向谁申请（ ）。\nA. 丙\nB. 丁\n## 答案\n1. **A** —— 见第三条\n2. **B** —— 见第四条\n"
    assert keyed(read(text)) == KEYED
    assert explained(read(text)) == ["见第三条", "见第四条"]


def test_table_of_answers_that_candidates_fill_in_is_no_question():
    text = "单选题（请将答案填入下表）\n题号 1 2\n答案\n\n1. 由谁决定（ ）。\nA. 甲\nB. 乙\n2. 向谁申请（ ）。\nA. 丙\nB. 丁\n\n【答案及解析】\n1. 答案：A\n2. 答案：B\n"
    assert keyed(read(text)) == KEYED
    assert read(text).rejected == []


def test_chapter_becomes_a_tag_and_no_part_of_the_explanation():
    text = "1、由谁决定（ ）。\nA、甲\nB、乙\n答案：A\n解析：无\n章节：第一章\n\n2、向谁申请（ ）。\nA、丙\nB、丁\n答案：B\n难度系数：0.8\n"
    found = read(text)
    assert keyed(found) == KEYED
    assert explained(found) == ["", ""]
    assert found.imported[0].question.tags == ("第一章",)
    assert [note.code for note in found.imported[1].dropped] == ["difficulty"]


def test_last_line_of_a_chat_is_left_out_and_another_one_is_said():
    text = "".join(
        f"{n}、{stem}\nA、{a}\nB、{b}\n答案：{key}\n\n" for n, (stem, (a, b), (key,)) in enumerate(KEYED * 2, 1)
    )
    assert explained(read(f"{text}如果需要更多题目，请告诉我！\n")) == [""] * 4
    said = read(f"{text}本题库由办公室整理\n").imported
    assert [[note.code for note in one.dropped] for one in said][-1] == ["stray_text"]


def test_long_option_among_short_ones_is_doubted_only_where_it_may_hold_more():
    question = "1.应当（ ）。\nA.执行\nB.告知当事人拟作出的处罚内容及事实、理由、依据\nC.收缴\nD.通知{}\n答案：B\n"
    assert keyed(read(question.format("居委会")))[0][2] == ("B",)
    assert read(question.format("居委会并报上一级机关备案后当场执行本机关的处罚决定")).imported
    last = "1.应当（ ）。\nA.执行\nB.收缴\nC.告知当事人拟作出的处罚内容及事实、理由、依据\n答案：B\n"
    assert [one.note.code for one in read(last).needing_review] == ["long_option"]
