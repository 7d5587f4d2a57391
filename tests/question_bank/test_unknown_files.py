"""A file that cannot be read says what it is, why, and what to do; a zip of several files is read file by file."""

import io
import zipfile

import pytest

from examapp.documents.archives import UnreadableFileError
from question_bank.formats.registry import read_file
from tests.question_bank.books import book

TEXT = "1. 谁批准？\nA. 县政府\nB. 县公安局\n答案：B\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def zipped(*entries):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "parts"),
    [
        (b"\x89PNG\r\n\x1a\n\x00", "题.png", ("图片", "识别文字")),
        (b"\xff\xd8\xff\xe0\x00", "题.doc", ("图片", "识别文字")),
        (b"Rar!\x1a\x07\x00", "题.rar", ("RAR", "zip")),
        (OLE + "PowerPoint Document".encode("utf-16-le"), "题.ppt", ("演示文稿", "粘贴")),
        (OLE + "Workbook".encode("utf-16-le"), "题.dat", ("旧版 Excel", ".xls")),
        (zipped(("ppt/presentation.xml", "<p/>")), "题.pptx", ("演示文稿", "粘贴")),
        (zipped(("Index/Document.iwa", "x")), "题.pages", ("苹果", "导出")),
        (zipped(("a.bin", "x")), "题.zip", ("压缩包", "a.bin")),
        ("今天天气很好。".encode(), "话.txt", ("文本文件", "题号")),
        (b"\x00\x01\x02\x03", "坏.bin", ("不是文字", "确认")),
    ],
)
def test_unreadable_file_says_what_it_is_and_what_to_do(content, name, parts):
    with pytest.raises(UnreadableFileError) as raised:
        read_file(content, name)
    assert all(word in str(raised.value) for word in (*parts, "请", f"“{name}”")), str(raised.value)


def test_zip_of_several_files_is_read_file_by_file_with_the_name_in_each_place():
    workbook = book(("S", [["题干", "选项A", "选项B", "答案"], ["谁？", "甲", "乙", "A"], ["缺？", "甲", "乙", ""]]))
    content = zipped(
        ("一月/题.txt", TEXT), ("二月.xlsx", workbook), ("__MACOSX/._题.txt", "x"), ("~$二月.xlsx", "x"), ("照片.png", b"\x89PNG")
    )  # fmt: skip
    reading = read_file(content, "全部.zip")
    assert (reading.format, [one.where for one in reading.imported]) == (
        "collection",
        ["一月/题.txt：第 1 行", "二月.xlsx：工作表“S” 第 2 行"],
    )
    assert [one.note.where.split("：")[0] for one in reading.needing_review] == ["二月.xlsx"]
    assert [(note.where, note.code) for note in reading.remarks] == [("照片.png", "file_unreadable")]


def test_zip_within_a_zip_and_a_zip_without_questions_are_rejected():
    with pytest.raises(UnreadableFileError, match="都没有读到题目"):
        read_file(zipped(("a.txt", "今天天气很好。")), "a.zip")
    nested = zipped(("a.txt", TEXT), ("b.txt", zipped(("c.txt", TEXT))))
    assert [note.where for note in read_file(nested, "a.zip").remarks] == ["b.txt"]


def test_names_written_by_windows_are_shown_as_written():
    content = zipped(("题库.txt".encode("gb18030").decode("cp437"), TEXT))
    assert read_file(content, "a.zip").imported[0].where.startswith("题库.txt：")
