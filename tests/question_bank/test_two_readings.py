"""A key that can be read in two ways is never chosen; what a file holds beside its questions is never dropped without a word."""

import io
import json
import zipfile

import openpyxl
import pytest
from openpyxl.drawing.image import Image as SheetImage
from PIL import Image

from question_bank.formats.registry import read_file
from tests.question_bank.judging import judge_shape

CHOICES = ["题型", "题干", "选项A", "选项B", "选项C", "选项D", "答案"]
PHRASES = ["甲", "乙", "丙", "丁"]


def workbook(*rows, joined=(), pictures=()):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    for area in joined:
        sheet.merge_cells(area)
    for cell in pictures:
        kept = io.BytesIO()
        Image.new("RGB", (20, 20), "red").save(kept, "png")
        kept.seek(0)
        sheet.add_image(SheetImage(kept), cell)
    content = io.BytesIO()
    book.save(content)
    return read_file(content.getvalue(), "题.xlsx")


def keys(reading):
    return [list(one.question.key) for one in reading.imported]


def review_notes(reading):
    return [one.note.code for one in reading.needing_review]


def test_answers_by_number_are_doubted_where_a_neighbour_says_zero():
    found = workbook(
        CHOICES,
        ["单选题", "谁？", *PHRASES, 0],
        ["单选题", "谁来？", *PHRASES, 3],
        ["多选题", "哪些？", *PHRASES, "0,2"],
    )
    assert keys(found) == [] and review_notes(found) == ["two_readings"] * 3
    assert keys(workbook(CHOICES, ["单选题", "谁？", *PHRASES, 1], ["多选题", "哪些？", *PHRASES, "1,3"])) == [
        ["A"],
        ["A", "C"],
    ]


def test_options_counted_from_zero_lose_none_and_leave_the_number_to_review():
    head = ["题型", "题干", "选项0", "选项1", "选项2", "答案"]
    found = workbook(head, ["单选题", "谁？", "甲", "乙", "丙", 1], ["单选题", "谁来？", "甲", "乙", "丙", "B"])
    assert review_notes(found) == ["two_readings"] and found.needing_review[0].question.options == ("甲", "乙", "丙")
    assert keys(found) == [["B"]]


def test_letters_within_options_that_contradict_their_columns_are_doubted():
    found = workbook(
        CHOICES,
        ["单选题", "谁？", "B.甲", "A.乙", "C.丙", "D.丁", "A"],
        ["单选题", "谁来？", "A.甲", "B.乙", "C.丙", "D.丁", "B"],
    )
    assert review_notes(found) == ["two_readings"] and keys(found) == [["B"]]


def test_key_in_the_stem_is_taken_out_where_it_agrees_and_doubted_where_not():
    found = workbook(
        CHOICES,
        ["单选题", "由谁（ B ）决定？", *PHRASES, "B"],
        ["单选题", "由谁（ B ）复核？", *PHRASES, "C"],
        ["判断题", "地球是方的。（×）", "", "", "", "", "错误"],
        ["判断题", "地球是圆的。（×）", "", "", "", "", "正确"],
    )
    assert [one.question.stem for one in found.imported] == ["由谁（ ）决定？", "地球是方的。（ ）"]
    assert review_notes(found) == ["two_readings"] * 2


@pytest.mark.parametrize(
    ("answer", "key"),
    [("A至C", ["A", "B", "C"]), ("A~C", ["A", "B", "C"]), ("A-D", ["A", "B", "C", "D"]), ("A-B", ["A", "B"])],
)
def test_span_of_letters_counts_where_it_can_mean_one_thing_only(answer, key):
    assert keys(workbook(CHOICES, ["多选题", "哪些？", *PHRASES, answer])) == [key]


def test_dash_between_two_letters_far_apart_is_doubted():
    assert len(workbook(CHOICES, ["多选题", "哪些？", *PHRASES, "A-C"]).needing_review) == 1


@pytest.mark.parametrize("sign", ["\n", "|", "；", "$", "^", "~", "/", "  ", "　", "##", "<br>"])
def test_options_in_one_cell_are_told_apart_by_every_clear_sign(sign):
    found = workbook(
        ["题型", "题干", "选项", "答案"], ["单选题", "谁？", sign.join(["甲机关", "乙机关", "丙机关"]), "C"]
    )
    assert [one.question.options for one in found.imported] == [("甲机关", "乙机关", "丙机关")] and keys(found) == [
        ["C"]
    ]


@pytest.mark.parametrize("sign", ["，", "、", " "])
def test_options_that_only_commas_divide_go_to_the_review_list(sign):
    found = workbook(
        ["题型", "题干", "选项", "答案"], ["单选题", "谁？", sign.join(["甲机关", "乙机关", "丙机关"]), "C"]
    )
    assert keys(found) == [] and review_notes(found) == ["options_unsure"]


def test_key_that_a_semicolon_within_an_option_may_shift_is_said():
    heads = ["题型", "题干", "选项", "答案"]
    sure = [["单选题", f"谁第{at}次？", "甲；乙；丙；丁", "B"] for at in range(9)]
    one = workbook(heads, ["单选题", "怎样处罚？", "责令改正；补种；警告", "B"])
    assert [[note.code for note in item.dropped] for item in one.imported] == [["options_by_sign"]]
    many = workbook(heads, *sure, ["单选题", "怎样处罚？", "责令改正；补种；警告", "B"])
    assert [bool(item.dropped) for item in many.imported] == [False] * 9 + [True]
    mixed = workbook(heads, *sure[:4], *(["单选题", f"怎样处罚{at}？", "甲\n乙丙\n丁", "B"] for at in range(4)))
    assert all(item.dropped for item in mixed.imported)
    assert not any(
        item.dropped for item in workbook(heads, *sure[:1], ["单选题", "谁？", "A.甲；乙；B.丙", "B"]).imported[1:]
    )


def test_key_in_an_explanation_is_taken_whole_and_held_against_the_answer():
    stem = "1. 谁？\nA.甲\nB.乙\nC.丙\n"
    for said, key in (
        ("故选A、B。", "AB"),
        ("故选A，B，C。", "ABC"),
        ("综上，故选C项", "C"),
        ("选择B。A项错误。", "B"),
    ):
        assert keys(read_file(f"{stem}解析：{said}\n".encode(), "题.txt")) == [list(key)]
    for said in ("选A不对。", "答案为A或B。", "故选A，B项错误。"):
        assert review_notes(read_file(f"{stem}解析：{said}\n".encode(), "题.txt")) == ["no_key"]
    assert review_notes(read_file(f"{stem}答案：A\n解析：甲不合法，故选B。\n".encode(), "题.txt")) == ["two_keys"]
    head = [*CHOICES, "解析"]
    assert review_notes(workbook(head, ["单选题", "谁？", *PHRASES, "A", "故本题选B。"])) == ["two_keys"]
    assert keys(workbook(head, ["单选题", "谁？", *PHRASES, "A", "选B的人多，应选A。"])) == [["A"]]


@pytest.mark.parametrize("said", ["正确的打×，错误的打√", "对的划“×”", "正确的选F"])
def test_signs_that_a_heading_turns_round_are_doubted(said):
    text = "一、判断题（{}）\n1、天蓝。（×）\n2、天黑。（√）\n"
    assert review_notes(read_file(text.format(said).encode(), "题.txt")) == ["two_readings"] * 2
    assert keys(read_file(text.format("正确的打√，错误的打×").encode(), "题.txt")) == [["B"], ["A"]]


def test_question_above_one_that_only_the_answers_number_is_doubted():
    text = "一、判断题\n1. 2小时以上的询问，应当录像\n\n可以延长10日。\n\n参考答案\n1.√  2.√\n"
    assert review_notes(read_file(text.encode(), "题.txt")) == ["number_gap"]


def test_letters_in_full_width_behind_the_signs_of_a_list_end_no_option_with_the_next_sign():
    found = read_file("1. 谁？\n- Ａ． 甲\n- B. 乙\n- Ｃ）丙\n**答案：Ｂ**\n".encode(), "题.md")
    assert found.imported[0].question.options == ("甲", "乙", "丙") and keys(found) == [["B"]]
    assert review_notes(read_file("1. 谁？\nA. 甲\nB. 乙\n（Ｃ） 丙\n答案：B\n".encode(), "题.md")) == ["letter_inside"]


def test_indented_row_of_numbers_is_no_explanation_of_the_question_above():
    text = "判断题\n1. 询问应当录像。\n2. 许可可以延长。\n\n参考答案\n题号\t1\n答案\t×\n　题号\t2\n答案\t√\n"
    found = read_file(text.encode(), "题.txt")
    assert keys(found) == [["B"], ["A"]] and not any(one.question.explanation for one in found.imported)


def test_answer_of_a_blank_that_may_be_two_is_said_and_its_number_dropped():
    rows = (["填空题", "一年有____个月", "12个/十二个"], ["填空题", "期限____日", "1、三十"])
    found = workbook(["题型", "题干", "答案"], *rows)
    assert [one.question.blanks for one in found.imported] == [(("12个/十二个",),), (("三十",),)]
    assert [[note.code for note in one.dropped] for one in found.imported] == [["blank_variants"], []]


def test_lines_below_a_stem_that_are_taken_for_options_are_said():
    text = "1. 根据行政处罚法，由谁\n决定处罚（ ）\n甲机关\n乙机关\n答案：B\n"
    assert review_notes(read_file(text.encode(), "题.txt")) == ["blank_in_option"]
    text = "1. 由谁决定处罚？\n甲机关\n乙机关\n答案：B\n"
    assert [[note.code for note in item.dropped] for item in read_file(text.encode(), "题.txt").imported] == [
        ["options_by_line"]
    ]


def test_lettered_options_in_one_cell_may_be_divided_by_the_sign_of_their_letters():
    found = workbook(["题型", "题干", "选项", "答案"], ["单选题", "谁？", "A、甲、B、乙、C、丙", "C"])
    assert found.imported[0].question.options == ("甲", "乙", "丙") and keys(found) == [["C"]]


def test_one_head_over_several_option_columns_covers_them_all():
    rows = (
        ["序号", "题目", "选项", "", "", "", "答案"],
        [1, "谁？", *PHRASES, "B"],
        [2, "哪些？", "甲", "乙", "丙", "", "AC"],
    )
    assert keys(workbook(*rows, joined=["C1:F1"])) == [["B"], ["A", "C"]]


def test_json_options_are_read_by_their_words_and_not_by_their_numbers():
    found = workbook(
        ["题型", "题干", "选项(JSON)", "参考答案"],
        ["单选题", "谁？", '[{"label":"甲","value":1},{"label":"乙","value":2}]', "B"],
    )
    assert found.imported[0].question.options == ("甲", "乙") and keys(found) == [["B"]]


def test_pictures_of_a_workbook_come_along_and_those_that_cannot_be_had_are_named_with_their_row():
    found = workbook(
        CHOICES,
        ["单选题", "看图，谁？", *PHRASES, "B"],
        ["单选题", '看图=DISPIMG("ID_1",1)，谁来？', *PHRASES, "A"],
        ["单选题", "没有图，谁？", *PHRASES, "A"],
        pictures=["B2", "K30"],
    )
    assert [[note.code for note in one.dropped] for one in found.imported] == [[], ["image"], []]
    assert [len(one.question.images) for one in found.imported] == [1, 0, 0]
    assert "DISPIMG" not in found.imported[1].question.stem and "第 3 行" in found.imported[1].dropped[0].where
    assert [note.code for note in found.remarks] == ["image"]


def test_unclosed_quote_of_a_csv_says_how_many_rows_it_swallowed():
    text = '题型,题干,选项A,选项B,答案\n单选题,"没关的引号,甲,乙,B\n单选题,第二题,甲,乙,A\n单选题,第三题,甲,乙,A\n'
    found = read_file(text.encode(), "题.csv")
    assert found.imported == [] and [note.code for note in found.remarks] == ["open_quote"]
    assert "2 行" in found.remarks[0].reason and found.remarks[0].where == "第 2 行"


@pytest.mark.parametrize(
    "text",
    [
        "谁？\na. 甲\nb. 乙\nanswer: b\n",
        "谁？\na)甲\nb)乙\nANSWER: B\n",
        "谁？\nA.甲\nB.乙\nANSWER: B\n",
        "下列：\na. 一\nb. 二\nA. 甲\nB. 乙\nANSWER: B\n",
    ],
)
def test_aiken_is_read_in_small_letters_and_without_spaces(text):
    found = read_file(text.encode(), "题.txt")
    assert found.format == "aiken" and keys(found) == [["B"]] and found.imported[0].question.options == ("甲", "乙")


def moodle(kind, inner):
    return read_file(
        f'<?xml version="1.0"?><quiz><question type="{kind}"><questiontext format="html"><text><![CDATA[<p>谁？</p>]]></text>'
        f"</questiontext>{inner}</question></quiz>".encode(),
        "题.xml",
    )


def answer(fraction, text):
    return f'<answer fraction="{fraction}" format="html"><text><![CDATA[<p>{text}</p>]]></text></answer>'


def test_short_answers_of_moodle_are_compared_without_their_markup():
    found = moodle("shortanswer", answer(100, "三十日") + answer(100, "30日"))
    assert found.imported[0].question.blanks == (("三十日", "30日"),)


def test_weights_that_do_not_make_a_whole_leave_the_key_to_review():
    found = moodle("multichoice", "<single>false</single>" + answer(50, "甲") + answer(25, "乙") + answer(0, "丙"))
    assert review_notes(found) == ["weights_odd"]


def test_cloze_is_known_by_its_other_name():
    text = "<question type='multianswer'><questiontext format='html'><text>由{1:MULTICHOICE:甲~=乙}决定</text></questiontext></question>"
    found = read_file(f'<?xml version="1.0"?><quiz>{text}</quiz>'.encode(), "题.xml")
    assert keys(found) == [["B"]]


ITEM = (
    '<?xml version="1.0"?><assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="i" title="t" adaptive="false"'
    ' timeDependent="false"><responseDeclaration identifier="RESPONSE" cardinality="single" baseType="identifier"><correctResponse><value>'
    'a</value></correctResponse></responseDeclaration><outcomeDeclaration identifier="SCORE" cardinality="single" baseType="float"/>'
    '<itemBody><choiceInteraction responseIdentifier="RESPONSE" shuffle="false" maxChoices="1"><prompt>谁？</prompt><simpleChoice'
    ' identifier="a">甲</simpleChoice><simpleChoice identifier="b">乙</simpleChoice></choiceInteraction></itemBody><responseProcessing>'
    '<responseCondition><responseIf><match><variable identifier="RESPONSE"/><baseValue baseType="identifier">{credited}</baseValue></match>'
    '<setOutcomeValue identifier="SCORE"><baseValue baseType="float">1</baseValue></setOutcomeValue></responseIf></responseCondition>'
    "</responseProcessing></assessmentItem>"
)


def test_scoring_that_credits_another_option_than_the_declared_one_is_doubted():
    assert review_notes(read_file(ITEM.format(credited="b").encode(), "题.xml")) == ["key_conflict"]
    assert keys(read_file(ITEM.format(credited="a").encode(), "题.xml")) == [["A"]]


def test_item_that_the_manifest_does_not_list_is_named():
    manifest = (
        '<?xml version="1.0"?><manifest xmlns="http://www.imsglobal.org/xsd/imscp_v1p1" identifier="m"><organizations/><resources>'
        '<resource identifier="r" type="imsqti_item_xmlv2p1" href="a.xml"><file href="a.xml"/></resource></resources></manifest>'
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("imsmanifest.xml", manifest)
        archive.writestr("a.xml", ITEM.format(credited="a"))
        archive.writestr("b.xml", ITEM.format(credited="a"))
    found = read_file(packed.getvalue(), "题.zip")
    assert keys(found) == [["A"]] and [(note.where, note.code) for note in found.remarks] == [("b.xml", "not_listed")]


def test_number_as_the_key_of_a_json_bank_is_doubted_and_a_letter_is_not():
    bank = [
        {"question": "谁？", "options": ["甲", "乙", "丙"], "answer": 1},
        {"question": "谁来？", "options": ["甲", "乙", "丙"], "answer": "B"},
        {"question": "第几年？", "options": ["2020", "2021"], "answer": 2021},
        {"question": "怪题？", "type": ["x"], "options": ["甲", "乙"], "answer": "A"},
    ]
    found = read_file(json.dumps(bank).encode(), "题.json")
    assert review_notes(found) == ["two_readings"] and keys(found) == [["B"], ["B"], ["A"]]


def test_questions_without_any_number_are_read_where_options_and_answer_follow():
    text = "行政处罚由哪个机关决定？\nA. 甲机关\nB. 乙机关\n答案：A\n\n谁可以申请复议？\nA. 甲\nB. 乙\n答案：B\n"
    assert keys(read_file(text.encode(), "题.txt")) == [["A"], ["B"]]
    assert keys(read_file(text.replace("\n\n", "\n").encode(), "题.txt")) == [["A"], ["B"]]


def test_truth_before_the_stem_is_its_key():
    found = read_file("判断题\n1.（ × ）太阳是方的。\n2、（√）太阳是圆的。\n".encode(), "题.txt")
    assert keys(found) == [["B"], ["A"]] and [one.question.stem for one in found.imported] == [
        "太阳是方的。",
        "太阳是圆的。",
    ]


def test_list_of_answers_behind_one_label_goes_to_all_its_questions():
    text = "判断题\n1. 第一件事。\n2. 第二件事。\n3. 第三件事。\n答案：1-3 √×√\n"
    assert keys(read_file(text.encode(), "题.txt")) == [["A"], ["B"], ["A"]]
    text = "1. 谁决定？\nA. 甲 B. 乙\n2. 谁复核？\nA. 甲 B. 乙\n答案：1.A 2.B\n"
    assert keys(read_file(text.encode(), "题.txt")) == [["A"], ["B"]]


PAIRS = "一、单选题\n1. 谁？\nA. 甲\nB. 乙\n2. 谁来？\nA. 甲\nB. 乙\n3. 谁去？\nA. 甲\nB. 乙\n二、判断题\n1. 天晴。\n2. 地平。\n"


def test_answer_of_a_section_goes_to_no_question_of_another():
    listed = "一、单选题\n1.A\n2.B\n3.A\n二、判断题\n1.×\n2.√\n3.×\n"
    found = read_file(PAIRS.encode(), "题.txt", answers=(listed.encode(), "答案.txt"))
    assert keys(found) == [["A"], ["B"], ["A"], ["B"]]
    assert review_notes(found) == ["number_gap"]
    assert [note.code for note in found.remarks] == ["answer_without_question"]


def test_keys_behind_a_number_given_twice_require_review_where_the_list_goes_further():
    text = "单选题\n" + "".join(
        f"{n}. 谁{name}？\nA. 甲\nB. 乙\n" for n, name in ((1, "来"), (2, "去"), (2, "坐"), (3, "立"))
    )
    found = read_file((text + "4. 谁行？\nA. 甲\nB. 乙\n答案\n1.A 2.B 3.A 4.B 5.A\n").encode(), "题.txt")
    assert keys(found) == [["A"]] and len(found.needing_review) == 4
    glued = "判断题\n1. 天晴。\n2. 地平。\n2.2小时以上应当录像。\n3. 水清。\n4. 山高。\n答案\n1.√ 2.× 3.√ 4.× 5.√\n"
    found = read_file(glued.encode(), "题.txt")
    assert keys(found) == [["A"]] and len(found.needing_review) == 3


@pytest.mark.parametrize("seed", [1_009_350, 1_023_078, 1_006_380])
def test_number_that_is_wrong_or_left_out_turns_no_key_in_silence(seed):
    assert judge_shape(seed).wrong == []


def test_decimal_that_may_be_a_number_before_digits_requires_review():
    found = read_file("判断题\n2.2小时以上的询问应当录像（×）\n3.公民有权申请许可。（√）\n".encode(), "题.txt")
    assert review_notes(found) == ["number_inside"] and keys(found) == [["A"]]
