"""Keys that are set apart by colour or type are read where the file has no other, and only where they are plain."""

import html
import io
import random

import docx as word
import pytest
import xlsxwriter
from docx.enum.text import WD_COLOR_INDEX
from docx.shared import RGBColor

from question_bank.formats.registry import read_file
from tests.question_bank import shapes
from tests.question_bank.judging import judge
from tests.question_bank.shapes import LETTERS, SECTIONS, Written

STYLES = ("color", "highlight", "bold", "underline")
CSS = {
    "color": "color:#C00000",
    "highlight": "background:yellow",
    "bold": "font-weight:bold",
    "underline": "text-decoration:underline",
}


def set_apart(run, style):
    if style == "color":
        run.font.color.rgb = RGBColor(0xC0, 0, 0)
    elif style == "highlight":
        run.font.highlight_color = WD_COLOR_INDEX.YELLOW
    elif style == "bold":
        run.font.bold = True
    else:
        run.font.underline = True


def document(paragraphs):
    """A Word document; a paragraph is a list of texts, each with its style or none."""
    made = word.Document()
    for pieces in paragraphs:
        paragraph = made.add_paragraph()
        for text, style in pieces:
            run = paragraph.add_run(text)
            if style:
                set_apart(run, style)
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


def lines_of(bank, style, *, one_line):
    """Lines of a bank without answers, as pieces with their styles."""
    lines = []
    for kind in dict.fromkeys(one.kind for one in bank):
        lines.append([(SECTIONS[kind], "")])
        for number, one in enumerate((each for each in bank if each.kind == kind), 1):
            lines.append([(f"{number}、{one.stem}", "")])
            options = [
                (f"{letter}．{text}", style if letter in one.key else "")
                for letter, text in zip(LETTERS, one.options, strict=False)
            ]
            if one_line:
                lines.append([piece for option in options for piece in (option, ("    ", ""))])
            else:
                lines += [[option] for option in options]
    return lines


def page(lines):
    written = "".join(
        "<p>"
        + "".join(f"<span style='{CSS.get(style, '')}'>{html.escape(text)}</span>" for text, style in line)
        + "</p>"
        for line in lines
    )
    return f"<html><body>{written}</body></html>".encode()


def sheet(bank, style):
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        made = book.add_worksheet()
        form = {"color": {"font_color": "#FF0000"}, "highlight": {"bg_color": "#FFFF00"}, "bold": {"bold": True}, "underline": {"underline": 1}}  # fmt: skip
        apart, head = book.add_format(form[style]), book.add_format({"bold": True, "bg_color": "#DDDDDD"})
        for column, name in enumerate(("题型", "题目", *LETTERS[:5])):
            made.write(0, column, name, head)
        for row, one in enumerate(bank, 1):
            made.write(row, 0, SECTIONS[one.kind])
            made.write(row, 1, one.stem)
            for column, text in enumerate(one.options):
                made.write(row, 2 + column, text, *((apart,) if LETTERS[column] in one.key else ()))
    return target.getvalue()


@pytest.mark.parametrize("style", STYLES)
def test_emphasised_options_of_word_excel_and_pages_are_the_keys(style):
    verdicts = []
    for seed in range(6):
        random_ = random.Random(seed)
        bank = shapes.draw(random_, of=("single", "multiple"))
        lines = lines_of(bank, style, one_line=seed % 2 == 1)
        files = (
            Written("题.docx", document(lines)),
            Written("题.html", page(lines)),
            Written("题.xlsx", sheet(bank, style)),
        )
        verdicts += [judge(bank, written, f"{seed} {written.name}") for written in files]
    assert [one for verdict in verdicts for one in verdict.wrong] == []
    assert sum(verdict.is_whole for verdict in verdicts) >= 15


QUESTIONS = [(f"{number}、第{number}道题由谁决定？", ("县政府", "县公安局", "乡政府")) for number in range(1, 6)]


def read(marked, *, answers=None, style="color"):
    """Read five questions whose options at these places are emphasised."""
    lines = []
    for at, (stem, options) in enumerate(QUESTIONS):
        lines.append([(stem, "")])
        lines += [[(f"{LETTERS[n]}. {text}", style if n in marked[at] else "")] for n, text in enumerate(options)]
        lines += [[(f"答案：{answers[at]}", "")]] if answers else []
    return read_file(document(lines), "题.docx")


def test_remark_says_by_what_the_keys_were_read():
    reading = read([{0}, {1}, {2}, {0}, {1}])
    assert [one.question.key for one in reading.imported] == [("A",), ("B",), ("C",), ("A",), ("B",)]
    assert "5 道题以彩色字" in reading.remarks[-1].reason and reading.remarks[-1].code == "emphasised_keys"


def test_answers_in_words_stand_against_emphasis():
    reading = read([{0}, {0}, {0}, {0}, {0}], answers="BBBBB")
    assert {one.question.key for one in reading.imported} == {("B",)} and not reading.remarks


@pytest.mark.parametrize(
    "marked", [[{0, 1, 2}] * 5, [{0}, {1}, set(), set(), set()]], ids=["all options", "two questions"]
)
def test_emphasis_that_tells_no_options_apart_gives_no_key(marked):
    reading = read(marked, style="bold")
    assert not reading.imported and {one.note.code for one in reading.needing_review} == {"no_key"}
    assert len(reading.needing_review) == 5


def test_underlined_words_of_a_fill_in_question_are_its_blanks():
    lines = [
        [("填空题", "")],
        [("1．国家宪法日是每年的", ""), ("12月", "underline"), ("4日", "underline"), ("。", "")],
        [
            ("2．国家的一切权力属于", ""),
            ("人民", "underline"),
            ("，机关是", ""),
            ("人民代表大会", "underline"),
            ("。", ""),
        ],
    ]
    reading = read_file(document(lines), "题.docx")
    found = [(one.question.stem, [blank[0] for blank in one.question.blanks]) for one in reading.imported]
    assert found == [
        ("国家宪法日是每年的____。", ["12月4日"]),
        ("国家的一切权力属于____，机关是____。", ["人民", "人民代表大会"]),
    ]
