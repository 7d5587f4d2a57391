"""Pictures in workbooks and Word documents come along, each at the text that it lies on."""

from __future__ import annotations

import io
import zipfile

import docx as word
import pytest
from openpyxl import Workbook
from openpyxl.drawing.image import Image as SheetImage
from PIL import Image as Painted

from question_bank.formats.registry import read_file, write_file
from question_bank.model import Image, Kind, Question

HEADS = ["题型", "题干", "选项A", "选项B", "答案", "解析"]


def png(colour="red"):
    kept = io.BytesIO()
    Painted.new("RGB", (20, 10), colour).save(kept, "png")
    return kept.getvalue()


def workbook(rows, pictures):
    book = Workbook()
    for row in (HEADS, *rows):
        book.active.append(row)
    for cell, content in pictures:
        book.active.add_image(SheetImage(io.BytesIO(content)), cell)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def test_a_picture_of_a_workbook_stands_at_the_text_whose_cell_it_begins_in():
    rows = [["单选题", "看图 <1>，谁？", "甲", None, "B", "因为"], ["单选题", "谁来？", "甲", "乙", "A", None]]
    content = workbook(rows, [("B2", png()), ("D2", png("blue")), ("F2", png("green")), ("H3", png())])
    first, second = read_file(content, "题.xlsx").imported
    question = first.question
    names = [image.name for image in question.images]
    assert question.is_html and len(set(names)) == 3 and not first.dropped
    assert question.stem.startswith('看图 &lt;1&gt;，谁？<p><img src="bank:')
    assert question.options[0] == "甲" and question.options[1].startswith("（见图）<p><img")
    assert "bank:" in question.explanation and question.key == ("B",)
    assert "bank:" in second.question.stem, "a picture beside the row belongs to its stem"


def test_a_picture_that_wps_keeps_in_a_cell_comes_along():
    rows = [["单选题", '看图=DISPIMG("ID_9",1)，谁？', "甲", "乙", "A", None]]
    source = zipfile.ZipFile(io.BytesIO(workbook(rows, [])))
    kept = io.BytesIO()
    relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    with zipfile.ZipFile(kept, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
        target.writestr(
            "xl/cellimages.xml",
            f'<etc:cellImages xmlns:etc="http://www.wps.cn/officeDocument/2017/etCustomData" xmlns:xdr="{drawing}/spreadsheetDrawing" '
            f'xmlns:a="{drawing}/main" xmlns:r="{relationships}"><etc:cellImage><xdr:pic><xdr:nvPicPr><xdr:cNvPr id="1" name="ID_9"/>'
            '</xdr:nvPicPr><xdr:blipFill><a:blip r:embed="rId1"/></xdr:blipFill></xdr:pic></etc:cellImage></etc:cellImages>',
        )
        target.writestr(
            "xl/_rels/cellimages.xml.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="rId1" Type="{relationships}/image" Target="media/image1.png"/></Relationships>',
        )
        target.writestr("xl/media/image1.png", png())
    (read,) = read_file(kept.getvalue(), "题.xlsx").imported
    assert [image.content for image in read.question.images] == [png()] and not read.dropped
    assert read.question.stem.startswith("看图，谁？<p><img")


@pytest.mark.parametrize("is_last", [False, True])
def test_a_picture_of_a_word_document_stands_where_it_stood(is_last):
    document = word.Document()
    stem = document.add_paragraph("1. 看图")
    stem.add_run().add_picture(io.BytesIO(png()))
    stem.add_run("，谁？（B）")
    document.add_paragraph("A. 甲")
    option = document.add_paragraph("B. ")
    option.add_run().add_picture(io.BytesIO(png("blue")))
    if not is_last:
        document.add_paragraph("2. 另一题，谁？（A）")
        document.add_paragraph("A. 甲")
        document.add_paragraph("B. 乙")
    kept = io.BytesIO()
    document.save(kept)
    first, *others = read_file(kept.getvalue(), "题.docx").imported
    question = first.question
    assert question.key == ("B",) and not first.dropped and len(question.images) == 2
    assert question.stem.startswith('看图<img src="bank:') and "，谁？" in question.stem
    assert question.options[0] == "甲" and question.options[1].startswith("<img")
    assert all(not one.question.images and not one.question.is_html for one in others)


def test_pictures_survive_a_workbook_written_and_read_again():
    picture = Image(name="a.png", media_type="image/png", content=png())
    asked = Question(
        kind=Kind.SINGLE_CHOICE,
        stem='看图<p><img src="bank:a.png" alt="图"></p>',
        options=("甲", '乙<p><img src="bank:b.png" alt="图"></p>'),
        key=("B",),
        is_html=True,
        images=(picture, Image(name="b.png", media_type="image/png", content=png("blue"))),
    )
    written = write_file([asked], "excel")
    assert not written.dropped
    (read,) = read_file(written.content, "题.xlsx").imported
    assert [image.content for image in read.question.images] == [png(), png("blue")]
    assert "看图<p><img" in read.question.stem and "乙<p><img" in read.question.options[1]


def test_what_excel_cannot_show_is_a_named_loss():
    broken = Image(name="a.webp", media_type="image/webp", content=b"RIFF")
    asked = Question(kind=Kind.SHORT_ANSWER, stem="谁？", key=("甲",), images=(broken,))
    written = write_file([asked], "excel")
    assert [note.code for note in written.dropped] == ["image"] and "a.webp" in written.dropped[0].reason


def test_pictures_survive_a_word_document_written_and_read_again():
    pictures = (
        Image(name="a.png", media_type="image/png", content=png()),
        Image(name="b.png", media_type="image/png", content=png("blue")),
    )
    asked = Question(
        kind=Kind.SINGLE_CHOICE,
        stem='看图<p><img src="bank:a.png" alt="图"></p>，谁管？',
        options=("甲", '乙<img src="bank:b.png" alt="图">'),
        key=("B",),
        is_html=True,
        images=pictures,
    )
    case = Question(kind=Kind.CASE, stem="某局罚款。", parts=(asked,))
    written = write_file([asked, case], "docx")
    assert not written.dropped
    word.Document(io.BytesIO(written.content))
    case_again, again = (item.question for item in read_file(written.content, "题.docx").imported)
    for question in (again, case_again.parts[0]):
        assert sorted(image.content for image in question.images) == sorted(image.content for image in pictures)
        assert "<img" in question.stem and "<img" in question.options[1] and question.key == ("B",)


def test_picture_that_word_cannot_show_is_named():
    drawing = Image(name="a.svg", media_type="image/svg+xml", content=b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    asked = Question(
        kind=Kind.TRUE_FALSE,
        stem='看图<img src="bank:a.svg">，应当公开。',
        options=("正确", "错误"),
        key=("A",),
        is_html=True,
        images=(drawing,),
    )
    for question in (asked, Question(kind=Kind.CASE, stem="某局罚款。", parts=(asked,))):
        assert any("图片" in note.reason for note in write_file([question], "docx").dropped)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ('[html]<p>看图<img src="x.png"></p>{=甲 ~乙}', "a.gift"),
        ('题干,选项A,选项B,答案\n看图<img src="x.png">,甲,乙,A\n', "a.csv"),
    ],
)
def test_picture_that_a_text_only_names_is_a_named_loss(content, name):
    (read,) = read_file(content.encode(), name).imported
    assert {note.code for note in read.dropped} & {"image_missing", "formatting"}
