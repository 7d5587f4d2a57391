"""Numbers that a file holds are bounded before they are used: 5,000 digits, `²` and places far outside are read, said or refused, and never crash."""

import io
import zipfile

import pytest

from examapp.documents.archives import UnreadableFileError
from examapp.documents.tables import read_grids
from question_bank.formats.registry import read_file, write_file
from question_bank.model import FIRST_NUMBERED, PICTURE, Kind, Question
from tests.question_bank.books import book, word

LONG = "1" * 5000
SINGLE = Question(kind=Kind.SINGLE_CHOICE, stem="谁作出决定？", options=("县政府", "乡政府"), key=("B",))
BLANK = Question(kind=Kind.FILL_BLANK, stem="期限为____日。", blanks=(("三十",),))
TEXT = "1. 谁作出决定？\nA. 县政府\nB. 乡政府\n\n2. 谁进行复议？\nA. 县政府\nB. 乡政府\n\n"


def changed(content, old, new):
    """Return a file with a text replaced, in every part where it is a package."""
    if not content.startswith(b"PK"):
        return content.replace(old.encode(), new.encode())
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as made:
        for name in source.namelist():
            made.writestr(name, source.read(name).replace(old.encode(), new.encode()))
    return target.getvalue()


def written(question, form, old, new):
    return changed(write_file([question], form).content, old, new)


def pool(position):
    answers = "".join(f'<ANSWER id="a{n}" position="{position}"><TEXT>甲{n}</TEXT></ANSWER>' for n in range(2))
    question = f'<QUESTION_MULTIPLECHOICE id="q"><BODY><TEXT>谁？</TEXT></BODY>{answers}<GRADABLE><CORRECTANSWER answer_id="a1"/></GRADABLE></QUESTION_MULTIPLECHOICE>'
    return f'<POOL><QUESTIONLIST><QUESTION id="q" class="QUESTION_MULTIPLECHOICE"/></QUESTIONLIST>{question}</POOL>'.encode()


ROWS = [["题型", "题干", "选项A", "选项B", "答案"], ["单选题", "谁作出决定？", "县政府", "乡政府", "B"]]
FILES = {
    "row of a table of answers": (f"{TEXT}参考答案\n题号 {LONG} 2 3\n答案 A B C\n".encode(), "a.txt"),
    "numbers alone": (f"{TEXT}参考答案\n1 2 {LONG}\nA B C\n".encode(), "a.txt"),
    "numeral that is none": ("三二十、简述处罚的种类。\n答案：警告。\n".encode(), "a.txt"),
    "difficulty": (f"题型,题干,选项A,选项B,答案,难度\n单选题,谁？,甲,乙,A,001{LONG}\n".encode(), "a.csv"),
    "code": ("编号,题型,题干,选项A,选项B,答案\n²,单选题,谁？,甲,乙,A\n".encode(), "a.csv"),
    "blank of our own text": (written(BLANK, "examtext", "答案1：", f"答案{LONG}："), "a.txt"),
    "span in Word": (changed(word([ROWS]), "<w:tc>", '<w:tc><w:tcPr><w:gridSpan w:val="²"/></w:tcPr>'), "a.docx"),
    "picture's number": (word([*TEXT.split("\n"), f"{PICTURE}{chr(FIRST_NUMBERED + 7)}"]), "a.docx"),
    "number at a picture": (
        changed(word(TEXT.split("\n")), "<w:r>", '<w:r><w:drawing bank-picture="9999999"/>'),
        "a.docx",
    ),
    "Blackboard": (pool(LONG), "a.dat"),
    "QTI": (written(SINGLE, "qti-2.1", 'maxChoices="1"', f'maxChoices="{LONG}"'), "a.zip"),
    "gap in QTI": (written(BLANK, "qti-2.1", 'expectedLength="', f'expectedLength="{LONG}'), "a.zip"),
    "points in QTI 1.2": (written(SINGLE, "qti-1.2", ">100</setvar>", '>9E999999</setvar><setvar action="Add" varname="SCORE">9E999999</setvar>'), "a.zip"),
    "style of a workbook": (
        changed(book(("题", ROWS)), "<fonts ", '<numFmts count="1"><numFmt numFmtId="²" formatCode="0"/></numFmts><fonts '),
        "a.xlsx",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_number_without_bound_does_not_crash_a_reader(name):
    content, file = FILES[name]
    try:
        result = read_file(content, file)
    except UnreadableFileError as error:
        assert str(error).endswith("。")
    else:
        assert result.found


def test_number_that_is_none_is_shown_as_it_is():
    content = changed(book(("册", [["工号", "姓名"], [12, "张三"]])), "<v>12</v>", "<v>nan</v>")
    (grid,) = read_grids(content, name="册.xlsx", aliases={"工号": ["工号"], "姓名": ["姓名"]})
    assert len(grid.rows) == 2
