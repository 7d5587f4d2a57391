"""Marks, pictures, rows, columns and signs that were dropped or misread without a word: each is read as meant, or said."""

import base64
import io
import zipfile

import pytest
import xlsxwriter

from examapp.documents.safe_xml import parse_xml, root_name
from question_bank.formats.docx_numbering import Numbering, W
from question_bank.formats.registry import detect, read_file, write_file
from question_bank.model import Kind, ParseResult, Question
from tests.question_bank.books import word

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 40).decode()
KEYED = "A. 一\nB. 二\n答案：A\n"
LISTED = ["1. 谁应当公开", "A. 一", "B. 二", "2. 谁应当复议", "A. 一", "B. 二"]


def read(text: str, name: str = "题库.txt") -> ParseResult:
    """Read a text as a file of that name."""
    return read_file(text.encode(), name)


def codes(result: ParseResult) -> set[str]:
    """Return the codes of what was said of the imported questions."""
    return {note.code for item in result.imported for note in item.dropped}


def only(result: ParseResult) -> Question:
    """Return the one question that was imported."""
    (item,) = result.imported
    return item.question


@pytest.mark.parametrize(
    ("written", "stem"),
    [
        ("面积10<sup>2</sup>米和H<sub>2</sub>O", "面积10²米和H₂O"),
        ("甲<br/>乙&nbsp;丙", "甲\n乙 丙"),
        ("见图![图](a.png)所示", "见图所示"),
    ],
)
def test_marks_of_web_pages_become_text_and_this_is_said(written, stem):
    result = read(f"题干,选项A,选项B,答案\n{written},一,二,A\n", "题.csv")
    assert only(result).stem == stem and "formatting" in codes(result)


def test_formulas_in_code_are_said_and_stars_of_names_stay():
    assert "markup_left" in codes(read("题干,选项A,选项B,答案\n求$\\frac{1}{2}$,一,二,A\n", "题.csv"))
    assert only(read(f"1. 张**和李**签订合同\n{KEYED}")).stem == "张**和李**签订合同"
    assert only(read(f"**1. 谁应当公开**\n{KEYED}")).stem == "谁应当公开"


def test_picture_and_sound_of_old_moodle_files():
    question = "<question type='truefalse'><questiontext format='html'><text>见图</text></questiontext>{}<answer fraction='100'><text>true</text></answer></question>"
    image = f"<image>图片/a.png</image><image_base64>{PNG}</image_base64>"
    found = only(read(f"<quiz>{question.format(image)}</quiz>", "题.xml"))
    assert found.images[0].name == "a.png" and "bank:a.png" in found.stem
    assert "image_missing" in codes(read(f"<quiz>{question.format('<image>a.png</image>')}</quiz>", "题.xml"))
    assert "media_dropped" in codes(read(f"<quiz>{question.format('<sound>a.mp3</sound>')}</quiz>", "题.xml"))


def test_annotated_and_enclosed_characters_of_word_are_kept():
    document = word(["1. X婪和Y", "A. 一", "B. 二", "答案：A"])
    ruby = "</w:t><w:ruby><w:rt><w:r><w:t>tān</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>贪</w:t></w:r></w:rubyBase></w:ruby><w:t>"
    field = r"</w:t></w:r><w:r><w:instrText> eq \o\ac(○,</w:instrText></w:r><w:r><w:instrText>3)</w:instrText></w:r><w:r><w:t>"
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    parts["word/document.xml"] = parts["word/document.xml"].replace("X", ruby).replace("Y", field)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    assert only(read_file(target.getvalue(), "题.docx")).stem == "贪（tān）婪和③"


def test_table_of_answers_below_a_document_gives_keys_and_reasons():
    for head in ([], ["参考答案"]):
        table = [["题号", "答案", "依据"], ["1", "A", "《行政处罚法》第八条第二款第一项的规定"], ["2", "B", "第九条"]]
        found = [item.question for item in read_file(word([*LISTED, *head, table]), "题.docx").imported]
        assert [(one.key, one.explanation) for one in found] == [(("A",), table[1][2]), (("B",), "第九条")]
    second = ("题号,答案,依据\n1,A,第八条\n2,B,第九条\n".encode(), "答案.csv")
    result = read_file("\n".join(LISTED).encode(), "题.txt", answers=second)
    assert [item.question.explanation for item in result.imported] == ["第八条", "第九条"]


def test_hidden_and_filtered_rows_are_said():
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(
            (["题干", "选项A", "选项B", "答案"], *([f"谁{n}", "一", "二", "A"] for n in "甲乙"))
        ):
            sheet.write_row(number, 0, row)
        sheet.set_row(2, None, None, {"hidden": True})
    result = read_file(target.getvalue(), "题.xlsx")
    assert [[note.code for note in item.dropped] for item in result.imported] == [[], ["hidden_row"]]


def test_material_on_the_first_row_of_its_group_serves_the_rows_that_speak_of_it():
    rows = "某县甲公司排污,甲公司应当,一,二,A\n,对甲公司可以,一,二,B\n,行政处罚由谁决定,一,二,B\n"
    result = read(f"材料,题干,选项A,选项B,答案\n{rows}", "题.csv")
    assert [len(item.question.parts) for item in result.imported] == [2, 0]
    assert codes(result) == {"material_shared", "material_unsure"}


def test_heads_that_only_their_cells_or_their_option_explain():
    (choice, _) = read("类别,题干,选项A,选项B,选项C,答案\n多选,甲,一,二,三,AB\n单选,乙,一,二,三,A\n", "题.csv").imported
    assert (choice.question.kind, choice.question.tags) == (Kind.MULTIPLE_CHOICE, ())
    assert only(read("类别,题干,选项A,选项B,答案\n宪法,甲,一,二,A\n", "题.csv")).tags == ("宪法",)
    heads = "题干,选项一,选项二,选项三,选项一是否正确,选项二是否正确,选项三是否正确"
    assert only(read(f"{heads}\n甲,一,二,三,√,,√\n", "题.csv")).key == ("A", "C")


def test_slash_between_words_parts_the_answers_that_a_blank_accepts():
    blanks = [
        only(read(f"题干,题型,答案\n属于____,填空,{one}\n", "题.csv")).blanks
        for one in ("人民/全体人民", "5元/吨", "km/h")
    ]
    assert blanks == [(("人民", "全体人民"),), (("5元/吨",),), (("km/h",),)]


@pytest.mark.parametrize(
    "lines", ["A. 一  C. 三\nB. 二  D. 四", "A. 一\nC. 三\nB. 二\nD. 四", "A. 一  C. 三  E. 五\nB. 二  D. 四  F. 六"]
)
def test_options_in_columns_that_are_read_downwards(lines):
    assert only(read(f"1. 谁应当公开\n{lines}\n答案：C\n")).options[:4] == ("一", "二", "三", "四")


@pytest.mark.parametrize("number", ["{}，", "①②③④⑤", "⑴⑵⑶⑷⑸", "⒈⒉⒊⒋⒌"])
def test_numbers_with_a_comma_or_in_a_circle(number):
    named = [number.format(place) if "{" in number else number[place - 1] for place in range(1, 5)]
    text = "".join(
        f"{one}{stem}\n{KEYED}"
        for one, stem in zip(named, ("谁公开", "24小时内谁复议", "谁处罚", "谁许可"), strict=True)
    )
    result = read(text)
    assert [item.question.stem for item in result.imported] == ["谁公开", "24小时内谁复议", "谁处罚", "谁许可"]


def test_two_questions_of_which_one_has_no_number_are_not_joined_in_silence():
    result = read("1. 简述职责。\n答案：一是宣传法律。\n\n简述程序。\n答案：先调查。\n\n2. 谁公开\n" + KEYED)
    assert "两处“答案”" in result.needing_review[0].note.reason


def test_table_a_question_in_word():
    table = [["题型", "单选题"], ["题干", "谁应当公开决定"], ["选项A", "一"], ["选项B", "二"], ["答案", "B"]]
    result = read_file(word([table, [*table[:1], ["题干", "谁应当复议决定"], *table[2:]]]), "题.docx")
    assert [(item.question.stem, item.question.key) for item in result.imported] == [
        ("谁应当公开决定", ("B",)),
        ("谁应当复议决定", ("B",)),
    ]


def test_number_of_a_style_based_on_a_list_s_is_read_in_word():
    w = f'xmlns:w="{W[1:-1]}"'
    level = '<w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    listed = f'<w:numbering {w}><w:abstractNum w:abstractNumId="0">{level}</w:abstractNum><w:num w:numId="7"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
    own = '<w:style w:styleId="a"><w:pPr><w:numPr><w:numId w:val="7"/></w:numPr></w:pPr></w:style>'
    based = "".join(
        f'<w:style w:styleId="{one}"><w:basedOn w:val="{base}"/></w:style>' for one, base in ("ba", "cb", "xy", "yx")
    )
    numbering = Numbering(parse_xml(listed.encode()), parse_xml(f"<w:styles {w}>{own}{based}</w:styles>".encode()))
    styled = f'<w:p {w}><w:pPr><w:pStyle w:val="{{}}"/></w:pPr></w:p>'
    assert [numbering.label(parse_xml(styled.format(one).encode())) for one in "cxc"] == ["1. ", "", "2. "]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- <quiz> --><a:POOL x='1'>", "POOL"),
        ("<?xml version='1.0' encoding='UTF-16'?><quiz/>".encode("utf-16"), "quiz"),
        (b"<!DOCTYPE questestinterop SYSTEM 'a.dtd' [<!ELEMENT a>]><questestinterop>", "questestinterop"),
        (b"no xml <quiz>", ""),
    ],
)
def test_xml_is_known_by_its_outermost_element(content, name):
    assert root_name(content) == name


def test_sign_of_another_family_within_an_xml_file_does_not_decide():
    xml = "<notes><![CDATA[<quiz><question type='essay'/></quiz>]]></notes>"
    assert detect(xml.encode(), "题.xml") is None
    own = write_file([Question(kind=Kind.SHORT_ANSWER, stem="<quiz>是什么", key=("一种元素",))], "moodle-xml").content
    assert detect(own, "题.xml") == "moodle-xml"


@pytest.mark.parametrize("content", [b"\x1f" * 45 + b"\x01", b" <!-- x --> " * 1500 + b"y", b"<!DOCTYPE [" * 1500])
def test_what_never_comes_to_an_element_has_no_name(content):
    """A pattern that goes back over the blanks would not end within a day."""
    assert root_name(content) == ""
