import io
import zipfile
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examapp.documents.archives import UnreadableFileError
from question_bank.formats import excel
from question_bank.model import Citation, Difficulty, Kind, Question
from tests.helpers.drawn_examples import some_of
from tests.question_bank.books import book


def read(*sheets):
    return excel.read(book(*sheets), name="题库.xlsx")


SAMPLES = [
    Question(
        kind=Kind.SINGLE_CHOICE,
        stem="=1+1 等于",
        options=("+2", "-2", "@3", "4"),
        key=("A",),
        explanation="甲\n乙",
        difficulty=Difficulty.HARD,
        citation=Citation(law="中华人民共和国行政处罚法", article="第六十条", version="2021-01-22"),
        knowledge_points=("程序", "期限 与 送达"),
        points=Decimal("2.50"),
        code="001",
        tags=("新法", "重点 难点"),
    ),
    Question(
        kind=Kind.MULTIPLE_CHOICE, stem="甲", options=tuple("一二三四五六七八九"), key=("A", "I"), tags=("一个 标签",)
    ),
    Question(kind=Kind.TRUE_FALSE, stem="乙", options=("正确", "错误"), key=("B",)),
    Question(kind=Kind.FILL_BLANK, stem="甲____乙____", blanks=(("一", "壹"), ("二；三",))),
    Question(kind=Kind.FILL_BLANK, stem="共____日", blanks=(("3", "三"),)),
    Question(kind=Kind.SHORT_ANSWER, stem="简述", key=("一是甲；\n二是乙。",)),
    Question(
        kind=Kind.CASE,
        stem="某县材料",
        parts=(
            Question(kind=Kind.SINGLE_CHOICE, stem="小题一", options=("一", "二"), key=("B",)),
            Question(kind=Kind.TRUE_FALSE, stem="小题二", options=("正确", "错误"), key=("A",)),
        ),
    ),
    Question(
        kind=Kind.CASE,
        stem="又一材料",
        code="c-2",
        parts=(Question(kind=Kind.SHORT_ANSWER, stem="怎么办", key=("依法办",)),),
    ),
]


def test_what_is_written_is_read_back_the_same():
    written = excel.write(SAMPLES)
    reading = excel.read(written.content, name="a.xlsx")
    assert [one.question for one in reading.imported] == SAMPLES
    assert (written.dropped, reading.needing_review, reading.rejected) == ([], [], [])


def test_no_formula_lives_in_what_is_written():
    with zipfile.ZipFile(io.BytesIO(excel.write(SAMPLES).content)) as archive:
        assert not any(
            b"<f>" in archive.read(name) or b"<f " in archive.read(name)
            for name in archive.namelist()
            if "worksheets" in name
        )


def test_what_cannot_be_written_is_named():
    question = Question(
        kind=Kind.SINGLE_CHOICE,
        stem="<p>看<b>图</b><img src='bank:a.png'></p>",
        options=("<p>一</p>", "<p>二</p>"),
        key=("A",),
        is_html=True,
    )
    long = Question(kind=Kind.SHORT_ANSWER, stem="长", key=("字" * 40_000,))
    written = excel.write([question, long])
    assert [note.code for note in written.dropped] == ["formatting", "too_long"]
    assert excel.read(written.content, name="a.xlsx").imported[0].question.options == ("一", "二")


word = st.text(st.characters(categories=["L", "N", "P", "Z"], max_codepoint=0xFFFF), min_size=1, max_size=12).map(
    lambda text: f"字{text}字"
)


@settings(max_examples=some_of(40), suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(word, st.lists(word, min_size=2, max_size=8, unique=True), st.data()), min_size=1, max_size=4)
)
def test_choice_questions_of_any_words_come_back_with_their_keys(drawn):
    questions = [
        Question(
            kind=Kind.SINGLE_CHOICE,
            stem=stem,
            options=tuple(options),
            key=("ABCDEFGH"[data.draw(st.integers(0, len(options) - 1))],),
        )
        for stem, options, data in drawn
    ]
    reading = excel.read(excel.write(questions).content, name="a.xlsx")
    assert [one.question.key for one in reading.imported] == [question.key for question in questions]


def test_the_template_is_empty_and_offers_every_kind():
    with pytest.raises(UnreadableFileError):
        excel.read(book(("填写说明", [["列名", "怎么填", "例子"], ["题干", "必填", "x"]])), name="a.xlsx")
    reading = excel.read(excel.template(), name="模板.xlsx")
    assert (reading.found, [note.code for note in reading.remarks]) == (0, ["sheet_not_kept"])


def sheet_bomb(xml):
    target = io.BytesIO(book(("s", [["题型", "题干", "答案"], ["判断题", "甲", "对"]])))
    made = io.BytesIO()
    with zipfile.ZipFile(target) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, xml if name == "xl/worksheets/sheet1.xml" else old.read(name))
    return made.getvalue()


def sheet_xml(rows):
    return (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        + rows
        + b"</sheetData></worksheet>"
    )


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (
            b"".join(
                b'<row r="%d"><c r="A%d"><v>%d</v></c></row>' % (n, n, n * 7919 % 65537) for n in range(1, 20_050)
            ),
            "20000 行",
        ),
        (b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', "范围过大"),
        (b'<row r="1"><c r="A1"><v>1</v></c></row>' * 1_500_000, "压缩比"),
    ],
)
def test_a_sheet_that_is_too_large_is_rejected_before_it_is_parsed(rows, reason):
    content = sheet_bomb(sheet_xml(rows))
    with pytest.raises(UnreadableFileError, match=reason):
        excel.read(content, name="a.xlsx")


def test_a_sheet_that_hides_in_another_folder_is_counted_too():
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book(("s", [["题型", "题干", "答案"], ["判断题", "甲", "对"]])))) as old,
        zipfile.ZipFile(made, "w") as new,
    ):
        for name in old.namelist():
            content = old.read(name).replace(b"worksheets/sheet1.xml", b"elsewhere/one.dat")
            new.writestr(name.replace("worksheets/sheet1.xml", "elsewhere/one.dat"), content)
    assert excel.read(made.getvalue(), name="a.xlsx").found == 1
    far = sheet_xml(
        b'<row r = "1"><c r = "A1"><v>1</v></c></row><row r="1048576"><c r = "XFD1048576"><v>1</v></c></row>'
    )
    hidden = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made.getvalue())) as old, zipfile.ZipFile(hidden, "w") as new:
        for name in old.namelist():
            new.writestr(name, far if name == "xl/elsewhere/one.dat" else old.read(name))
    with pytest.raises(UnreadableFileError, match="范围过大"):
        excel.read(hidden.getvalue(), name="a.xlsx")


def test_nested_archives_and_renamed_files_are_rejected():
    def with_file(name, content=b"x"):
        made = io.BytesIO(book(("s", [["题型", "题干", "答案"], ["判断题", "甲", "对"]])))
        with zipfile.ZipFile(made, "a") as archive:
            archive.writestr(name, content)
        return made.getvalue()

    for content, name, reason in [
        (with_file("xl/embeddings/a.zip"), "a.xlsx", "压缩包"),
        (with_file("../a.xml"), "a.xlsx", "以外"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.xlsx", "另存为"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.xls", "xls"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "a.xls", "网页"),
        (b"PK\x03\x04broken", "a.xlsx", "损坏"),
        (b"", "a.xlsx", "Excel"),
        (b"abc", "a.xlsx", "Excel"),
    ]:
        with pytest.raises(UnreadableFileError, match=reason):
            excel.read(content, name=name)
    macros = excel.read(with_file("xl/vbaProject.bin"), name="a.xlsm")
    assert len(macros.imported) == 1 and "宏没有运行" in macros.remarks[0].reason


@settings(max_examples=some_of(60), suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=8))
def test_a_damaged_workbook_never_crashes(place, junk):
    content = bytearray(excel.write(SAMPLES[:2]).content)
    place %= len(content)
    content[place : place + len(junk)] = junk
    try:
        excel.read(bytes(content), name="a.xlsx")
    except UnreadableFileError as error:
        assert str(error)


@pytest.mark.slow
def test_ten_thousand_questions_are_all_there():
    head = ["题型", "题干", "选项A", "选项B", "选项C", "选项D", "答案"]
    rows = [head] + [
        ["单选题", f"第 {n} 题的题干", f"甲{n}", f"乙{n}", f"丙{n}", f"丁{n}", "ABCD"[n % 4]] for n in range(10_000)
    ]
    reading = read(("s", rows))
    assert len(reading.imported) == 10_000
    assert all(one.question.key == ("ABCD"[n % 4],) for n, one in enumerate(reading.imported))
