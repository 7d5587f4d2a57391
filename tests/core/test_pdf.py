"""PDF: the words are found in it, one font is embedded with what occurs only, heads repeat, lines break as Chinese lines do."""

import io
from datetime import UTC, datetime
from typing import Any, cast

import pypdf
import pytest

from examapp.documents.pdf import LANDSCAPE, OFFICIAL, PdfColumn, PdfDocument
from examapp.documents.pdf_font import SONG, break_lines, break_title, has_all, printable, width_of

MADE_AT = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
HEADS = [
    PdfColumn(text="序号", width=5, align="right"),
    PdfColumn(text="姓名", width=10),
    PdfColumn(text="备注", width=20),
]


def sheet(rows=3, **how):
    document = PdfDocument(title="成绩汇总表", made_at=MADE_AT, **how)
    document.title("绥安县成绩汇总表")
    document.paragraph("参考率 95.32%，“合格”含良好。", is_indented=True)
    count = document.table(HEADS, ([str(n), f"人{n}", "免考"] for n in range(1, rows + 1)))
    assert count == rows
    document.signatures(["填表人：", "单位（盖章）："])
    return document.to_bytes()


def page_texts(data):
    """The text of every page without spaces and the first bytes of two-byte codes: pypdf puts them between glyphs."""
    return ["".join(page.extract_text().replace("\0", "").split()) for page in pypdf.PdfReader(io.BytesIO(data)).pages]


def fonts(data):
    resources = [cast("Any", page["/Resources"])["/Font"] for page in pypdf.PdfReader(io.BytesIO(data)).pages]
    return {font.get_object()["/BaseFont"]: font.get_object() for page in resources for font in page.values()}


def test_all_words_are_found_in_one_embedded_subset_of_the_font():
    data = sheet()
    text = page_texts(data)[0]
    for expected in (
        "绥安县成绩汇总表",
        "参考率95.32%，“合格”含良好。",
        "序号姓名备注",
        "1人1免考",
        "单位（盖章）：",
        "第1页",
    ):
        assert expected in text
    (font,) = fonts(data).values()
    descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
    assert "NotoSansCJKSC" in font["/BaseFont"] and "/FontFile3" in descriptor and len(data) < 40_000


def test_heads_repeat_on_every_page_and_no_row_is_lost():
    pages = page_texts(sheet(rows=120, layout=LANDSCAPE))
    assert len(pages) > 3 and all("序号姓名备注" in page for page in pages[:-1])
    assert all(sum(page.count(f"人{n}免考") for page in pages) == 1 for n in range(1, 121))


def test_same_content_makes_the_same_bytes_after_other_documents():
    first = sheet(watermark="张三 2026-11-24")
    sheet(rows=60)
    assert sheet(watermark="张三 2026-11-24") == first


def test_watermark_stands_on_every_page():
    assert all("张三2026-11-24" in page for page in page_texts(sheet(rows=90, watermark="张三 2026-11-24")))


def test_a_footnote_stands_once_on_every_page():
    pages = page_texts(sheet(rows=90, footnote="张三 2026-11-24 导出"))
    assert len(pages) > 1 and [page.count("张三2026-11-24导出") for page in pages] == [1] * len(pages)


def test_official_document_has_its_margins_and_page_numbers():
    document = PdfDocument(title="通报", made_at=MADE_AT, layout=OFFICIAL)
    for _ in range(40):
        document.paragraph("各乡镇人民政府，县直各单位：现将有关情况通报如下。", is_indented=True)
    data = document.to_bytes()
    pages, names = page_texts(data), list(fonts(data))
    assert len(names) == 1 and "NotoSerifSC" in names[0], "set in a Song"
    assert len(pages) > 1 and [f"—{n}—" in page for n, page in enumerate(pages, 1)] == [True] * len(pages)


def test_signs_that_the_font_has_not_become_a_box_and_rare_names_stay():
    assert printable("𠮷野\t🙂\x00") == "𠮷野 □□"
    assert has_all("叕赟昇喆\n", SONG) and not has_all("𠮷野", SONG)


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        (
            "关于2025年度国家工作人员学法用法考试参考情况的通报",
            ["关于2025年度国家工作人员", "学法用法考试参考情况的通报"],
        ),
        ("2025年度国家工作人员学法用法考试成绩汇总表", ["2025年度国家工作人员", "学法用法考试成绩汇总表"]),
        ("县司法局成绩汇总表", ["县司法局成绩汇总表"]),
    ],
)
def test_a_title_is_broken_by_its_sense(title, lines):
    assert break_title(title, width=442, size_pt=22) == lines


@pytest.mark.parametrize("width", range(24, 140, 9))
def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one(width):
    text = "单位（盖章）：参考率95.32%，“合格”含良好；《行政处罚法》。"
    lines = break_lines(text, width=width, size_pt=12)
    assert "".join(lines) == text
    if width >= 60:
        assert all(line[0] not in "，。；：）》”%" and line[-1] not in "（《“" for line in lines), lines
        assert all(width_of(line, 12) <= width for line in lines)
