"""Headings, fields, reasons and signatures that stand around questions, and ticks beside 正确 and 错误: none of them becomes a part of a question."""

import pytest

from question_bank.formats.registry import read_file
from question_bank.model import Kind
from tests.question_bank.books import word
from tests.question_bank.carriers import replaced

CHOICE = "{}谁作出决定？\nA. 县政府\nB. 乡政府\nC. 村委会\n答案：{}\n"


def read(text, name="题.txt"):
    return read_file(text.encode(), name)


def texts_of(reading):
    return [(item.question.stem, item.question.key, item.question.explanation) for item in reading.imported]


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ("正确 √\n错误", "A"), ("正确\n错误 √", "B"), ("对\n错√", "B"), ("√ 正确\n错误", "A"), ("□ 正确  ☑ 错误", "B"), ("正确（√）\n错误（ ）", "A"),
        ("正确 ×\n错误 √", "B"), ("错误 √\n正确", "B"), ("正确（ ）  错误（√）", "B"),
    ],
)  # fmt: skip
def test_tick_beside_the_word_for_true_or_false_is_the_key_of_its_line(lines, key):
    for heading in ("", "判断题\n"):
        reading = read(f"{heading}1. 行政法规由国务院制定\n{lines}\n\n2. 说“处罚错误”就可以不执行。\n答案：错误\n")
        assert [item.question.kind for item in reading.imported] == [Kind.TRUE_FALSE] * 2
        assert texts_of(reading)[0][:2] == ("行政法规由国务院制定", ("A",) if key == "A" else ("B",))


@pytest.mark.parametrize("lines", ["正确 ×\n错误", "正确 √\n错误 √", "正确\n错误"])
def test_true_or_false_with_no_single_tick_has_no_key(lines):
    assert not read(f"判断题\n1. 行政法规由国务院制定\n{lines}\n").imported


@pytest.mark.parametrize(
    ("answer", "key", "reason"),
    [
        ("A（见治安管理处罚法的规定。）", "A", "见治安管理处罚法的规定。"), ("选C。法条：第六十条。", "C", "法条：第六十条。"), ("B，根据行政处罚法第三十六条", "B", "根据行政处罚法第三十六条"),
        ("A、B。第六十条", "AB", "第六十条"), ("AB——应当两级决定", "AB", "应当两级决定"), ("C 依据行政处罚法第三条", "C", "依据行政处罚法第三条"),
    ],
)  # fmt: skip
def test_reason_behind_a_key_is_the_explanation(answer, key, reason):
    question = read(CHOICE.format("1. ", answer)).imported[0].question
    assert ("".join(question.key), question.explanation) == (key, reason)


@pytest.mark.parametrize(
    "answer", ["A（村委会）", "A.村委会", "A（或B）", "A。B也可以", "A（有争议）", "A 村委会", "A（原答案为B）"]
)
def test_text_behind_a_key_that_makes_it_unsure_is_no_reason(answer):
    reading = read(CHOICE.format("1. ", answer))
    assert not reading.imported
    assert len(reading.needing_review) == 1


def test_reason_behind_the_word_of_a_true_or_false_question_is_the_explanation():
    reading = read(
        "判断题\n1. 期限为十日。\n答案：错误，应为三十日\n2. 期限为三日。\n答案：×（应为五日）\n3. 谁都可以申请。\n答案：对。第三条\n"
    )
    assert [(key, reason) for _, key, reason in texts_of(reading)] == [(("B",), "应为三十日"), (("B",), "应为五日"), (("A",), "第三条")]  # fmt: skip


def test_reasons_in_a_list_of_answers_are_explanations():
    reading = read(
        CHOICE.format("1. ", "").replace("答案：\n", "")
        + "2. 期限为十日。（ ）\n参考答案\n1. B（见第三条规定）\n2. 错误，应为三十日\n"
    )
    assert [(key, reason) for _, key, reason in texts_of(reading)] == [(("B",), "见第三条规定"), (("B",), "应为三十日")]


@pytest.mark.parametrize("name", ["分类", "所属科目", "出题单位", "录入时间"])
def test_field_below_every_question_is_never_its_explanation(name):
    reading = read(
        "\n".join(
            CHOICE.format(f"{number}. 第{number}问，", "A") + f"难度：易\n{name}：法律常识\n" for number in range(1, 5)
        )
    )
    assert [item.question.explanation for item in reading.imported] == [""] * 4
    is_kept = all("法律常识" in item.question.tags for item in reading.imported)
    assert is_kept or all("field_left_out" in [note.code for note in item.dropped] for item in reading.imported)


def test_label_of_a_law_is_a_part_of_the_explanation_however_often_it_stands():
    reading = read(
        "\n".join(
            CHOICE.format(f"{number}. 第{number}问，", "A") + "法条：行政处罚法第三条\n" for number in range(1, 5)
        )
    )
    assert {item.question.explanation for item in reading.imported} == {"法条：行政处罚法第三条"}
    assert not any(item.dropped for item in reading.imported)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("（一） 宪法类", "（二） 行政法类"),
        ("第一节 总则", "第二节 处罚"),
        ("中华人民共和国宪法", "信访工作条例"),
        ("（一）宪法", "（二）公务员法"),
    ],
)
def test_heading_above_a_number_that_begins_again_is_no_explanation(first, second):
    blocks = [CHOICE.format(f"{number}. ", "A") + reason for number, reason in ((1, ""), (2, "解析：应当如此。\n"))]
    text = f"一、 单项选择题\n{first}\n{blocks[0]}{blocks[1]}{second}\n{blocks[0]}{blocks[1]}"
    for reading in (read(text), read_file(word(text.split("\n")), "题.docx")):
        assert [item.question.explanation for item in reading.imported] == ["", "应当如此。", "", "应当如此。"]
        assert not [note for note in reading.remarks if note.code == "text_left_out"]


def test_points_of_an_answer_in_words_are_no_headings():
    reading = read(
        "简答题\n1. 简述普法的要求。\n答案：（一）加强领导\n1. 明确责任\n2. 保障经费\n（二）注重实效\n1. 开展考核\n2. 简述普法的对象。\n答案：全体公民\n"
    )
    answers = [item.question.key[0] for item in reading.imported]
    assert "注重实效" in answers[0]
    assert answers[-1] == "全体公民"


def test_line_without_a_label_behind_few_keys_is_said():
    text = "".join(
        CHOICE.format(f"{number}. 第{number}问，", "A") + ("附注文字一行\n" if number == 3 else "")
        for number in range(1, 6)
    )
    assert [[note.code for note in item.dropped] for item in read(text).imported] == [[], [], ["stray_text"], [], []]


@pytest.mark.parametrize(
    "ending",
    [
        "某县司法局\n2026年11月20日",
        "（某县普法办公室\n二〇二六年十一月二十日）",
        "END\n来源：某县司法局\n编辑：小王  审核：老李\n点赞、在看、转发",
        "命题人：王某",
    ],
)
def test_signature_at_the_end_is_said_and_belongs_to_no_question(ending):
    body = CHOICE.format("1. ", "A") + "2. 期限为十日。\n答案：正确\n"
    for text in (
        f"{body}{ending}\n",
        f"{body.replace('答案：A', '').replace('答案：正确', '（ ）')}参考答案\n1. A\n2. √\n{ending}\n",
    ):
        reading = read(text)
        assert [question[1:] for question in texts_of(reading)] == [(("A",), ""), (("A",), "")]
        assert [note.code for note in reading.remarks] == ["trailer"]


@pytest.mark.parametrize(
    "line",
    [
        "6.12348公共法律服务热线由谁办？",
        "6．12345热线由谁办？",
        "6　．24小时内由谁办？",
        "6 . 12309热线由谁办？",
        "6.110由谁办？",
    ],
)
def test_number_right_before_digits_of_the_stem_is_the_questions(line):
    text = (
        "".join(CHOICE.format(f"{number}. 第{number}问，", "A") for number in range(1, 6))
        + CHOICE.replace("{}谁作出决定？", line).format("B")
        + CHOICE.format("7. ", "C")
    )
    reading = read(text)
    assert len(reading.imported) == 7
    assert reading.imported[5].question.stem == line[1:].lstrip("．. 　")


@pytest.mark.parametrize(
    "head", ["一、单项选择题：", "（一）单选题（每题2分）：", "第一部分 单选题 ", "【单选题】", "单选题答案："]
)
def test_answers_stand_on_the_line_of_their_sections_name(head):
    body = CHOICE.replace("答案：{}\n", "")
    text = (
        f"一、单项选择题\n{body.format('1、由')}{body.format('2、应由')}二、判断题\n1、期限为十日。\n2、谁都可以申请。\n三、填空题\n1、期限为____日。\n2、权力属于____。\n"
        f"参考答案\n{head}1、D 2、B\n{head.replace('一', '二').replace('单项选择', '判断').replace('单选', '判断')}1、对 2、错\n三、填空题：1、三十  2、人民\n"
    ).replace("C. 村委会", "C. 村委会\nD. 居委会")
    keys = [item.question.key or item.question.blanks for item in read(text).imported]
    assert keys == [("D",), ("B",), ("A",), ("B",), (("三十",),), (("人民",),)]


@pytest.mark.parametrize("answer", ["（答案：B）", "【答案：B】", "(正确答案:B)。", "（答案B）"])
def test_answer_in_brackets_behind_the_last_option_is_none_of_its_words(answer):
    reading = read(
        f"1.（单选）由谁决定（ ）。A.县政府 B.乡政府 C.村委会{answer}\n2.（单选）由谁执行（ ）。A.县政府 B.乡政府 C.村委会{answer}\n"
    )
    assert [(item.question.options[-1], item.question.key) for item in reading.imported] == [("村委会", ("B",))] * 2


def test_letters_of_several_options_before_their_texts_are_the_key():
    text = "1. (多选题)由谁决定（ ）\nA. 县政府\nB. 乡政府\nC. 村委会\n我的答案: C:村委会;正确答案: {}:县政府;村委会;\n"
    assert read(text.format("AC")).imported[0].question.key == ("A", "C")
    assert not read(text.format("AB")).imported


def test_parts_in_round_brackets_belong_to_the_material_in_round_brackets_above_them():
    case = "（{}）2024年3月，某局接到举报，当场查获过期面粉12袋，决定罚款。\n（1）执法人员不得少于（ ）\nA. 一人\nB. 两人\n答案：B\n（2）王某有权陈述和申辩。\n答案：正确\n"
    reading = read(f"一、单选题\n{CHOICE.format('1. ', 'A')}二、案例分析题\n{case.format('一')}{case.format('二')}")
    assert [item.question.key for item in reading.imported] == [("A",), ("B",), ("A",), ("B",), ("A",)]
    assert all("过期面粉" in item.question.stem for item in reading.imported[1:])
    assert not reading.differs_from_census


def test_columns_of_ticks_in_a_table_of_word_are_answers():
    rows = [
        ["序号", "题目", "正确", "错误"],
        ["1", "行政法规由国务院制定。", "√", ""],
        ["2", "谁都可以处罚。", "", "√"],
        ["3", "应当公开。", "√", "√"],
    ]
    reading = read_file(word(["判断题", rows]), "题.docx")
    assert [item.question.key for item in reading.imported] == [("A",), ("B",)]
    assert [item.note.code for item in reading.needing_review] == ["no_key"]


def test_points_below_a_label_are_counted_as_no_questions():
    text = "简答题\n\n一、设定主体有哪些？\n参考答案：\n1.法律；\n2.行政法规；\n3.地方性法规。\n\n二、公民的义务有哪些？\n参考答案：\n1.维护国家统一；\n2.遵守宪法和法律。\n"
    reading = read(text)
    assert (len(reading.imported), reading.differs_from_census) == (2, False)


def test_labels_with_the_word_for_question_before_them_are_facts_of_it():
    text = "1.(单选题) 由谁决定（ ）\nA.县政府\nB.乡政府\n正确答案：A\n试题难度：难\n试题分数：2\n\n2.(填空题) 人人____。\n正确答案：平等\n试题难度：易\n试题分数：2\n\n3.(填空题) 权力属于____。\n正确答案：人民\n提示：宪法第二条\n试题分数：2\n"
    questions = [item.question for item in read(text).imported]
    assert [(one.blanks, one.explanation, str(one.points)) for one in questions] == [((), "", "2"), ((("平等",),), "", "2"), ((("人民",),), "提示：宪法第二条", "2")]  # fmt: skip


@pytest.mark.parametrize("number", ["1-{} ", "1-{}、", "2.{} ", "1—{}　"])
def test_number_with_the_chapter_before_it_is_no_part_of_the_stem(number):
    reading = read(
        "\n".join(CHOICE.format(number.format(at), "A") for at in range(1, 4)).replace("谁作出决定", "由谁决定")
    )
    assert [item.question.stem for item in reading.imported] + [item.question.stem for item in reading.needing_review] == ["由谁决定？"] * 3  # fmt: skip


@pytest.mark.parametrize("line", ["得分\n评卷人", "答案在这里，往下拉↓↓↓\n↓", "公务员法"])
def test_line_between_two_questions_is_no_part_of_either(line):
    reading = read(f"行政处罚法\n{CHOICE.format('1. ', 'A')}{line}\n{CHOICE.format('2. 应由', 'B')}")
    assert [item.question.explanation for item in reading.imported] == ["", ""]


def test_answers_below_each_chapter_are_given_to_its_questions():
    body = "1. 由谁{}？\nA. 县政府\nB. 乡政府\n2. 谁都可以{}。\n本章参考答案：1．B  2．×\n"
    reading = read(
        f"第一章 总则\n{body.format('决定', '决定')}第二章 执行\n{body.format('执行', '执行').replace('1．B', '1．A')}"
    )
    assert [item.question.key for item in reading.imported] == [("B",), ("B",), ("A",), ("B",)]


@pytest.mark.parametrize(("no", "yes"), [("- [ ] ", "- [x] "), ("☐ ", "☑ "), ("   - [ ] ", "   - [X] ")])
def test_ticked_box_before_an_option_is_its_key(no, yes):
    reading = read(
        "\n".join(
            f"{number}. 由谁{act}（ ）\n{no}A. 县政府\n{yes}B. 乡政府\n{no}C. 村委会\n"
            for number, act in ((1, "决定"), (2, "执行"))
        )
    )
    assert [(item.question.options, item.question.key) for item in reading.imported] == [(("县政府", "乡政府", "村委会"), ("B",))] * 2  # fmt: skip


def test_raised_figure_of_word_stays_raised():
    plain = word(["1. 面积不超过（ ）mXX", "A. 10XX", "B. 105", "答案：A"])
    raised = replaced(plain, {"mXX": 'm</w:t></w:r><w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>2', "10XX": '10</w:t></w:r><w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>5'})  # fmt: skip
    question = read_file(raised, "题.docx").imported[0].question
    assert (question.stem, question.options) == ("面积不超过（ ）m²", ("10⁵", "105"))


def test_text_box_beside_a_paragraph_is_said_and_no_part_of_it():
    box = "</w:t></w:r><w:r><w:pict><v:shape xmlns:v='urn:schemas-microsoft-com:vml'><v:textbox><w:txbxContent><w:p><w:r><w:t>温馨提示：仅供内部学习。</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict></w:r><w:r><w:t>"  # fmt: skip
    plain = word(["1. 由谁决定XX（ ）", "A. 县级以上地方各级人民政府XX", "B. 乡政府", "答案：A"])
    reading = read_file(replaced(plain, {"XX": box}), "题.docx")
    question = reading.imported[0].question
    assert (question.stem, question.options) == ("由谁决定（ ）", ("县级以上地方各级人民政府", "乡政府"))
    assert [(note.where, note.code) for note in reading.remarks] == [("第 1 段", "text_box"), ("第 2 段", "text_box")]


def test_keys_of_all_parts_on_one_line_are_counted_as_no_question():
    case = "案例{}\n【案情】某局当场查获过期面粉12袋，决定罚款。\n【问题】\n1．执法人员不得少于（ ）\nA. 一人\nB. 两人\n2．王某有权陈述和申辩。\n【答案】1．B；2．正确\n"
    reading = read(f"{case.format(1)}{case.format(2)}")
    assert (len(reading.imported), reading.census) == (4, 4)
    assert not any("【" in item.question.stem for item in reading.imported)
