"""A PDF with text is read line by line; what is scanned or stands in columns is said, never guessed."""

import re

import pytest

from examapp.documents.archives import UnreadableFileError
from examapp.documents.pdf_pages import PageText, read_pdf_pages
from question_bank.formats.pdf_text import read_pages
from question_bank.formats.registry import read_file

FIRST = [
    "某县普法考试题库", "一、单项选择题", "1. 行政处罚由违法行为发生地的县级以上地方人民政府具有行政处罚权", "的行政机关管辖，这种说法的依据是？",
    "A. 行政处罚法", "B. 行政许可法", "答案：A", "- 1 -",
]  # fmt: skip
SECOND = ["某县普法考试题库", "2. 谁批准？", "A. 县政府", "B. 县公安局", "答案：B", "- 2 -"]
THIRD = ["某县普法考试题库", "3. 谁复核？", "A. 甲", "B. 乙", "答案：A", "- 3 -"]


def read(*pages):
    return read_pages(pages, name="题.pdf")


def test_wrapped_lines_are_joined_headers_and_page_numbers_left_out():
    reading = read(PageText(FIRST), PageText(SECOND), PageText(THIRD))
    assert not reading.needing_review and not reading.rejected
    stems = [one.question.stem for one in reading.imported]
    assert stems[0].endswith("具有行政处罚权的行政机关管辖，这种说法的依据是？") and stems[1:] == [
        "谁批准？",
        "谁复核？",
    ]
    assert [one.question.key for one in reading.imported] == [("A",), ("B",), ("A",)]
    assert [one.where for one in reading.imported] == ["第 1 页第 3 行", "第 2 页第 2 行", "第 3 页第 2 行"]
    assert reading.imported[2].question.options == ("甲", "乙")


def test_scanned_pages_are_named_and_a_scanned_file_is_rejected():
    reading = read(PageText(FIRST), PageText([""], has_picture=True), PageText(THIRD))
    assert (reading.remarks[0].where, reading.remarks[0].code) == ("第 2 页", "scanned_page")
    with pytest.raises(UnreadableFileError, match="2 页是扫描的图片"):
        read(PageText([], has_picture=True), PageText(["  "], has_picture=True))


def test_questions_of_a_page_in_columns_are_doubted():
    reading = read(PageText(FIRST), PageText(SECOND), PageText(THIRD, is_ordered=False))
    assert [one.question.stem[:3] for one in reading.imported] == ["行政处"]
    assert {one.note.code for one in reading.needing_review} == {"text_order"} and len(reading.needing_review) == 2


def written(*texts, image=False):
    """Write a PDF of one page: texts with their places in points."""
    stream = "BT /F1 12 Tf " + " ".join(f"1 0 0 1 {x} {y} Tm ({text}) Tj" for x, y, text in texts) + " ET"
    stream += " q 595 0 0 842 0 0 cm /I Do Q" if image else ""
    picture = "/XObject << /I 6 0 R >>" if image else ""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> {picture} >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>\nstream\n0\nendstream",
    ]
    content, places = "%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n{text}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer << /Root 1 0 R /Size {len(objects) + 1} >>\nstartxref\n{len(content)}\n%%EOF"
    return (content + end).encode()


def test_text_order_and_scans_are_seen_in_real_files():
    down = written((50, 700, "one"), (50, 600, "two"), (50, 500, "three"))
    columns = written((50, 700, "one"), (50, 500, "two"), (300, 700, "three"))
    foot_first = written((290, 30, "7"), (50, 700, "one"), (50, 600, "two"))
    for content, is_ordered in ((down, True), (columns, False), (foot_first, True)):
        assert read_pdf_pages(content)[0].is_ordered is is_ordered
    with pytest.raises(UnreadableFileError, match="1 页是扫描的图片"):
        read_file(written(image=True), "扫描.pdf")
    for content in (down[:200], b"%PDF-1.7 \x00\xff"):
        with pytest.raises(UnreadableFileError, match="请"):
            read_file(content, "坏.pdf")


def test_questions_of_a_file_are_counted_in_its_lines_without_the_reader():
    lines = [
        "1. Who decides (B)",
        "A. county",
        "B. town",
        "2. Who pays (A)",
        "A. county",
        "B. town",
        "A. a further one",
    ]
    placed = [(50, 700 - 20 * at, re.sub(r"([()])", r"\\\1", line)) for at, line in enumerate(lines)]
    whole, one_more = (read_file(written(*part), "a.pdf") for part in (placed[:6], placed))
    assert (whole.census, len(whole.imported), whole.differs_from_census) == (2, 2, False)
    assert one_more.census == 3 and one_more.differs_from_census
