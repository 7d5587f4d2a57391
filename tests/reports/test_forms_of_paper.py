"""The office's own forms: checked at upload with the place named, previewed, versioned, put into use and taken back."""

import io
import re

import pytest
from docx import Document
from openpyxl import Workbook, load_workbook

from examapp.audit.models import AuditEvent
from examapp.reports.models import ReportTemplate
from examapp.reports.operations import circular, sheet_form
from tests.reports.test_figures import export, pdf_words

PAGE = "/admin/reports/forms"


def docx(*paragraphs, table=None):
    document = Document()
    for text in paragraphs:
        document.add_paragraph(text)
    for row in table or []:
        cells = document.add_table(rows=1, cols=len(row)).rows[0].cells
        for cell, text in zip(cells, row, strict=True):
            cell.text = text
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def xlsx(*rows):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def token(client):
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(PAGE).text).group(1)


def upload(client, content, file, name="模板.docx"):
    data = {"csrf_token": token(client), "content": content, "note": "", "file": (io.BytesIO(file), name)}
    return client.post(PAGE, data=data, content_type="multipart/form-data")


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (docx("应考 {{ 应考人 }} 人"), "「应考人」不是可用的占位名"),
        (docx("{{ 单位.__class__ }}"), "前面只能是循环的名称"),
        (docx("{{ 单位|upper }}"), "不支持的写法"),
        (docx("{{ 单位() }}"), "不支持的写法"),
        (docx("{% for x in 单位 %}{{ x }}{% endfor %}"), "只能按「各单位」循环"),
        (docx("{% for 行 in 各单位 %}{{ 行.名次 }}{% endfor %}"), "「名次」不是可用的占位名"),
        (docx("{{ 应考"), "大括号写法不完整"),
        (docx("没有占位名"), "没有任何占位名"),
        (b"PK not a file", "不是 docx 文件"),
    ],
)
def test_unfit_circular_is_refused_with_the_place_named(county, world, session, file, words):
    answer = upload(world.client(world.admin()), "circular", file)
    assert answer.status_code == 400 and words in answer.text
    assert session.query(ReportTemplate).count() == 0


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (xlsx(["{{ 行.身份证号 }}"]), "「身份证号」不是可用的占位名"),
        (xlsx(["{{ 人.姓名 }}"]), "请写成 行.姓名"),
        (xlsx(["{{ 单位 }}"]), "没有人员行"),
        (xlsx(["{{ 行.姓名 }}", "{% for x in y %}"]), "大括号写法不对"),
    ],
)
def test_unfit_workbook_is_refused_with_the_place_named(county, world, file, words):
    answer = upload(world.client(world.admin()), "score_sheet", file, "表.xlsx")
    assert answer.status_code == 400 and words in answer.text


def test_own_circular_is_previewed_put_into_use_and_taken_back(county, world, session):
    county.fill_with_every_odd_case()
    admin = world.admin()
    client, api = world.client(admin), world.api(admin)
    file = docx(
        "本县 {{ 考试名称 }} 情况",
        "应考 {{ 应考 }} 人，参考率 {{ 参考率 }}",
        "{% for 行 in 各单位 %}{{ 行.单位 }}；{% endfor %}",
    )
    assert upload(client, "circular", file).status_code == 303
    (row,) = session.query(ReportTemplate).all()
    preview = client.get(f"{PAGE}/{row.id}/preview").data
    assert "应考 117 人" in "".join(p.text for p in Document(io.BytesIO(preview)).paragraphs)
    assert client.get(f"{PAGE}/{row.id}/pdf").data[:5] == b"%PDF-" and client.get(f"{PAGE}/{row.id}/file").data == file
    shipped = pdf_words(export(api, county, county.top, "circular", "pdf"))
    assert "参考情况的通报" in shipped
    for _ in range(2):
        assert client.post(f"{PAGE}/{row.id}/use", data={"csrf_token": token(client)}).status_code == 303
    own = pdf_words(export(api, county, county.top, "circular", "pdf"))
    assert f"本县{county.exam.title}情况" in own and "应考21人" in own and "教育局；青山乡；" in own
    for _ in range(2):
        assert client.post(f"{PAGE}/circular/shipped", data={"csrf_token": token(client)}).status_code == 303
    assert pdf_words(export(api, county, county.top, "circular", "pdf")) == shipped
    assert [(t.number, t.is_current) for t in session.query(ReportTemplate).order_by(ReportTemplate.number)] == [
        (1, False),
        (2, True),
    ]
    acts = [e.act for e in session.query(AuditEvent).order_by(AuditEvent.id) if "_template" in e.act]
    assert acts == ["reports.add_template", "reports.use_template", "reports.add_template"]


def test_own_score_sheet_repeats_its_row_for_everybody_and_no_name_is_a_formula(county, world, session):
    world.person(county.bureau, name="=1+1", staff_number="A1")
    county.attempt(world.person(county.bureau, name="乙", staff_number="A2"), points="88.50")
    admin = world.admin()
    client, api = world.client(admin), world.api(admin)
    file = xlsx(["{{ 单位 }}的表"], ["{{ 行.序号 }}", "{{ 行.姓名 }}", "{{ 行.成绩 }}"], ["参考 {{ 参考 }} 人"])
    assert upload(client, "score_sheet", file, "表.xlsx").status_code == 303
    row = session.query(ReportTemplate).one()
    client.post(f"{PAGE}/{row.id}/use", data={"csrf_token": token(client)})
    page = load_workbook(io.BytesIO(export(api, county, county.bureau, "score_sheet", "xlsx"))).active
    rows = [list(cells) for cells in page.iter_rows(values_only=True)]
    assert rows == [["教育局的表", None, None], [1, "=1+1", None], [2, "乙", 88.5], ["参考 1 人", None, None]]
    assert all(cell.data_type != "f" for cells in page.iter_rows() for cell in cells)


def test_shipped_forms_are_fit_and_may_be_taken_as_they_are(county, world):
    client = world.client(world.admin())
    for content, name, made in (
        ("circular", "a.docx", circular.shipped_template()),
        ("score_sheet", "a.xlsx", sheet_form.shipped_form()),
    ):
        file = client.get(f"{PAGE}/{content}/shipped/file").data
        assert file == made and upload(client, content, file, name).status_code == 303
        assert client.get(f"{PAGE}/{content}/shipped/preview").data[:2] == b"PK"
    assert client.get(f"{PAGE}/score_sheet/shipped/pdf").status_code == 404
    assert client.get(f"{PAGE}/everything/shipped/file").status_code == 404


def test_only_the_office_sees_the_forms(county, world):
    client = world.client(world.admin("unit_admin", county.bureau))
    for path in ("", "/circular/shipped/file", "/1/preview"):
        assert client.get(PAGE + path).status_code == 404
