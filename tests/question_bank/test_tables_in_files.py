import csv
import io
import json
import os
from pathlib import Path

import docx as word
import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st

from examapp.documents.archives import UnreadableFileError
from question_bank.formats import csv_table, docx, json_bank
from question_bank.model import Kind
from tests.helpers.drawn_examples import some_of

ROWS = '题型,题干,选项A,选项B,选项C,答案,解析,难度,标签\n单选题,甲,一,二,三,B,因为,易,x\n多选题,"乙,\n第二行",一,二,三,A|C,,难,\n判断题,丙,,,,√,,,\n'


def fixture(path):
    root = os.environ.get("EXAMAPP_FIXTURES")
    if not root:
        pytest.skip("EXAMAPP_FIXTURES is not set: the real files are not at hand")
    return (Path(root) / path).read_bytes()


def keys(reading):
    return [(one.question.kind, one.question.key or one.question.blanks) for one in reading.imported]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("divider", [",", ";", "\t"])
def test_csv_in_every_encoding_and_with_every_divider(encoding, divider):
    content = ROWS.replace("乙,", "乙").replace(",", divider).encode(encoding)
    assert csv_table.looks_like(content, "a.csv")
    reading = csv_table.read(content, name="a.csv")
    assert keys(reading) == [
        (Kind.SINGLE_CHOICE, ("B",)),
        (Kind.MULTIPLE_CHOICE, ("A", "C")),
        (Kind.TRUE_FALSE, ("A",)),
    ]
    assert [one.where for one in reading.imported] == ["第 2 行", "第 3 行", "第 5 行"]


def test_csv_without_a_question_table_says_what_is_missing():
    with pytest.raises(UnreadableFileError, match="题干"):
        csv_table.read("姓名,单位\n甲,乙\n".encode(), name="a.csv")


@settings(max_examples=some_of(100))
@given(st.binary(max_size=200))
def test_no_bytes_crash_the_csv_reader(junk):
    for content in (junk, ROWS.encode() + junk):
        try:
            csv_table.read(content, name="a.csv")
        except UnreadableFileError as error:
            assert str(error)


@pytest.mark.parametrize(
    ("name", "count", "needing_review"),
    [("mcq_mult_nje.csv", 463, 0), ("mcq_sing_lbk.csv", 275, 0), ("mcq_sing_pfe.csv", 170, 1)],
)
def test_the_law_evaluation_sets_keep_every_key(name, count, needing_review):
    content = fixture(f"banks/disc-law-eval/objective/{name}")
    reading = csv_table.read(content, name=name)
    assert (reading.found, len(reading.needing_review), len(reading.rejected)) == (count, needing_review, 0)
    wanted = {row["input"].strip(): row["output"] for row in _dicts(content)}
    assert [
        one.question.stem
        for one in reading.imported
        if "".join(one.question.key) != wanted.get(one.question.stem, "".join(one.question.key))
    ] == []


def _dicts(content):
    return csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))


def bytes_of(document):
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def listed(document, form, text):
    """The number of a new Word list in that form."""
    numbering = document.part.numbering_part.element
    number = str(900 + len(numbering))
    abstract = OxmlElement("w:abstractNum")
    abstract.set(qn("w:abstractNumId"), number)
    level = OxmlElement("w:lvl")
    level.set(qn("w:ilvl"), "0")
    for tag, value in (("w:start", "1"), ("w:numFmt", form), ("w:lvlText", text)):
        element = OxmlElement(tag)
        element.set(qn("w:val"), value)
        level.append(element)
    abstract.append(level)
    numbering.insert(0, abstract)
    entry = OxmlElement("w:num")
    entry.set(qn("w:numId"), number)
    link = OxmlElement("w:abstractNumId")
    link.set(qn("w:val"), number)
    entry.append(link)
    numbering.append(entry)
    return number


def add(document, text, number=None):
    paragraph = document.add_paragraph(text)
    if number:
        properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
        properties.get_or_add_ilvl().val = 0
        properties.get_or_add_numId().val = int(number)
    return paragraph


def test_numbers_and_letters_that_word_counts_itself_are_seen():
    document = word.Document()
    questions = listed(document, "decimal", "%1.")
    for stem, key in (("甲", "B"), ("乙", "A")):
        add(document, stem, questions)
        letters = listed(document, "upperLetter", "%1.")
        add(document, "一", letters)
        add(document, "二", letters)
        add(document, f"答案：{key}")
    reading = docx.read(bytes_of(document), name="a.docx")
    assert [(one.question.code, one.question.options, one.question.key) for one in reading.imported] == [
        ("1", ("一", "二"), ("B",)),
        ("2", ("一", "二"), ("A",)),
    ]


def test_question_tables_answer_tables_and_text_in_one_document():
    document = word.Document()
    for line in ("1. 甲", "A. 一", "B. 二", "2. 乙", "A. 一", "B. 二", "参考答案"):
        add(document, line)
    table = document.add_table(rows=2, cols=3)
    for row, texts in zip(table.rows, (("题号", "1", "2"), ("答案", "B", "A")), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    table = document.add_table(rows=2, cols=4)
    for row, wording in zip(
        table.rows, (("题型", "题干", "答案", "解析"), ("判断题", "丙", "错", "因为")), strict=True
    ):
        for cell, text in zip(row.cells, wording, strict=True):
            cell.text = text
    reading = docx.read(bytes_of(document), name="a.docx")
    assert sorted((one.question.stem, one.question.key) for one in reading.imported) == [
        ("丙", ("B",)),
        ("乙", ("A",)),
        ("甲", ("B",)),
    ]
    assert reading.found == 3


def test_underlined_gaps_are_blanks_and_pictures_are_named_as_dropped(tmp_path):
    document = word.Document()
    paragraph = add(document, "1. 处罚由")
    paragraph.add_run("      ").underline = True
    paragraph.add_run("管辖。")
    add(document, "答案：行政机关")
    paragraph = add(document, "2. 看图")
    drawing = OxmlElement("w:drawing")
    paragraph.add_run()._r.append(drawing)
    for line in ("A. 一", "B. 二", "答案：A"):
        add(document, line)
    reading = docx.read(bytes_of(document), name="a.docx")
    assert reading.imported[0].question.blanks == (("行政机关",),)
    assert [note.code for note in reading.imported[1].dropped] == ["image"]
    assert reading.imported[1].where == "第 3 段"


def test_answers_may_stand_in_a_second_document():
    questions, answers = word.Document(), word.Document()
    for line in ("1. 甲", "A. 一", "B. 二"):
        add(questions, line)
    add(answers, "1.B")
    reading = docx.read(bytes_of(questions), name="a.docx", answers=(bytes_of(answers), "b.docx"))
    assert keys(reading) == [(Kind.SINGLE_CHOICE, ("B",))]


def test_old_and_broken_documents_say_what_to_do():
    for content, reason in (
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "另存为 .docx"),
        (b"PK\x03\x04x", "损坏"),
        (b"abc", "Word"),
        (bytes_of(word.Document()), "没有文字"),
    ):
        with pytest.raises(UnreadableFileError, match=reason):
            docx.read(content, name="a.docx")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda items: items,
        lambda items: {"name": "库", "questions": items},
        lambda items: [{"name": "库", "questions": items}],
        lambda items: {"app": "x", "banks": [{"questions": items}]},
    ],
)
def test_json_in_all_its_wrappings(wrap):
    items = [
        {
            "type": "single",
            "question": "甲",
            "options": [{"key": "A", "text": "一"}, {"key": "B", "text": "二"}],
            "answer": ["B"],
        },
        {"type": "multiple", "question": "乙", "options": {"A": "一", "B": {"text": "二"}}, "answer": "A,B"},
        {"type": "judge", "question": "丙", "answer": "正确"},
        {"type": "blank", "question": "丁____戊____", "answer": ["一；二"], "blankAnswers": [["一", "壹"], ["二"]]},
        {"type": "short", "question": "己", "answer": ["依法、及时办理。"]},
        {"type": "single", "question": "庚", "options": ["一", "二"], "answer": ["C"]},
        {"type": "match", "typeLabel": "匹配题", "question": "辛", "options": ["一", "二"], "answer": ["A", "B"]},
    ]
    content = json.dumps(wrap(items), ensure_ascii=False).encode()
    assert json_bank.looks_like(content, "a.json")
    reading = json_bank.read(content, name="a.json")
    assert keys(reading) == [
        (Kind.SINGLE_CHOICE, ("B",)),
        (Kind.MULTIPLE_CHOICE, ("A", "B")),
        (Kind.TRUE_FALSE, ("A",)),
        (Kind.FILL_BLANK, (("一", "壹"), ("二",))),
        (Kind.SHORT_ANSWER, ("依法、及时办理。",)),
    ]
    assert [one.note.code for one in reading.needing_review] == ["key_outside_options"]
    assert [note.code for note in reading.rejected] == ["kind_not_sat"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"{", "第 1 行"), (b"[" * 100_000, "嵌套|有错"), (b"[]", "没有找到"), (b'{"a": 1}', "没有找到"), (b"", "空")],
)
def test_broken_json_says_why(content, reason):
    with pytest.raises(UnreadableFileError, match=reason):
        json_bank.read(content, name="a.json")


def test_the_driving_bank_keeps_every_key():
    content = fixture("banks/shiroha-c1-json/c1-full.json")
    reading = json_bank.read(content, name="c1-full.json")
    wanted = {item["id"]: item["answerKeys"] for item in json.loads(content)["questions"]}
    assert {one.question.code: list(one.question.key) for one in reading.imported} == wanted
    assert reading.found == 393
