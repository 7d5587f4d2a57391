"""The office's own forms: checked at upload with the place named, previewed, versioned, put into use and taken back."""

import io
import re

import pypdf
import pytest
from docx import Document
from openpyxl import Workbook, load_workbook

from examapp import clock
from examapp.oversight.report_exports.models import Export
from examapp.oversight.report_templates import render_docx as report_template_render_docx
from examapp.oversight.report_templates import render_xlsx as report_template_render_xlsx
from examapp.oversight.report_templates.models import ReportTemplate
from examapp.platform.audit.models import AuditEvent
from tests.helpers.report_templates import PAGE, docx, token, upload
from tests.helpers.reports import docx_rows, export, from_page, pdf_text


def xlsx(*rows):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (docx("应考 {{ 应考人 }} 人"), "“应考人”不是可用的占位名"),
        (docx("{{ 单位.__class__ }}"), "前面只能是循环的名称"),
        (docx("{{ 单位|upper }}"), "不支持的写法"),
        (docx("{{ 单位() }}"), "不支持的写法"),
        (docx("{% for x in 单位 %}{{ x }}{% endfor %}"), "只能按“各单位”循环"),
        (docx("{% for 行 in 各单位 %}{{ 行.名次 }}{% endfor %}"), "“名次”不是可用的占位名"),
        (docx("{{ 应考"), "大括号写法不完整"),
        (docx("没有占位名"), "没有任何占位名"),
        (b"PK not a file", "不是 docx 文件"),
    ],
)
def test_unfit_circular_is_rejected_with_the_place_named(county, world, session, file, text):
    answer = upload(world.client(world.admin()), "circular", file)
    assert answer.status_code == 400 and text in answer.text
    assert session.query(ReportTemplate).count() == 0


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (xlsx(["{{ 行.身份证号 }}"]), "“身份证号”不是可用的占位名"),
        (xlsx(["{{ 人.姓名 }}"]), "请写成 行.姓名"),
        (xlsx(["{{ 单位 }}"]), "没有人员行"),
        (xlsx(["{{ 行.姓名 }}", "{% for x in y %}"]), "大括号写法不对"),
    ],
)
def test_unfit_workbook_is_rejected_with_the_place_named(county, world, file, text):
    answer = upload(world.client(world.admin()), "score_sheet", file, "表.xlsx")
    assert answer.status_code == 400 and text in answer.text


def test_full_rates_stay_on_one_line_beside_long_names_of_units():
    unit = dict.fromkeys(report_template_render_docx.UNIT_PLACES, "100") | {"单位": "县公共资源交易管理中心"}
    unit |= {name: "100.00%" for name in report_template_render_docx.UNIT_PLACES if name.endswith("率")}
    texts = dict.fromkeys(report_template_render_docx.PLACES, "无") | unit | {"各单位": [unit] * 3}
    file = report_template_render_docx.as_pdf(report_template_render_docx.fill(None, texts), made_at=clock.now())
    lines = pypdf.PdfReader(io.BytesIO(file)).pages[0].extract_text().replace("\0", "").splitlines()
    rows = ["".join(line.split()) for line in lines if line.startswith(unit["单位"])]
    assert rows == [unit["单位"] + "100" * 5 + "100.00%" * 3] * 3, lines


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
    shipped = pdf_text(export(api, county, county.top, "circular", "pdf"))
    assert "参考情况的通报" in shipped
    for _ in range(2):
        assert client.post(f"{PAGE}/{row.id}/use", data={"csrf_token": token(client)}).status_code == 303
    own = pdf_text(export(api, county, county.top, "circular", "pdf"))
    assert f"本县{county.exam.title}情况" in own and "应考21人" in own and "教育局；青山乡；" in own
    for _ in range(2):
        assert client.post(f"{PAGE}/circular/shipped", data={"csrf_token": token(client)}).status_code == 303
    assert pdf_text(export(api, county, county.top, "circular", "pdf")) == shipped
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


MARK = "管理员 2026-11-24 12:00 导出"


def heads_of(page):
    return [page.oddHeader, page.evenHeader, page.firstHeader]


@pytest.mark.slow
def test_every_file_for_paper_says_whose_copy_it_is_by_the_shipped_forms(county, world):
    county.fill_with_every_odd_case()
    api = world.api(world.admin(name="管理员"))
    for content in ("participation", "scores", "absent", "score_sheet"):
        page = load_workbook(io.BytesIO(export(api, county, county.top, content, "xlsx"))).active
        assert page.oddHeader.center.text == MARK and page.cell(page.max_row, 1).value == MARK, content
    for content in ("participation", "absent", "score_sheet", "circular"):
        document = Document(io.BytesIO(export(api, county, county.top, content, "docx")))
        mark = "" if content == "circular" else MARK
        assert [p.text for p in document.sections[0].header.paragraphs] == [mark], content
        assert any("参考" in p.text for p in document.paragraphs) and len(document.tables) == 1
        assert len(document.tables[0].rows) > 1 and "{" not in "".join(p.text for p in document.paragraphs)
        for sheet in pypdf.PdfReader(io.BytesIO(export(api, county, county.top, content, "pdf"))).pages:
            written = "".join(sheet.extract_text().replace("\0", "").split())
            assert written.count("".join(MARK.split())) == (content != "circular"), f"{content}: one line, none across"


def test_an_own_circular_keeps_its_heads_and_says_below_them_whom_it_holds_on_every_kind_of_page(
    county, world, session
):
    form = Document(io.BytesIO(docx("应考 {{ 应考 }} 人")))
    form.add_section()
    first, second = form.sections
    first.header.paragraphs[0].text = "{{ 单位 }}普法办"
    second.header.is_linked_to_previous = False
    second.header.paragraphs[0].text = "第二节"
    second.different_first_page_header_footer = True
    form.settings.odd_and_even_pages_header_footer = True
    buffer = io.BytesIO()
    form.save(buffer)
    world.person(county.bureau, rank="一级科员")
    admin = world.admin(name="管理员")
    client, api = world.client(admin), world.api(admin)
    assert upload(client, "circular", buffer.getvalue()).status_code == 303
    use = f"{PAGE}/{session.query(ReportTemplate).one().id}/use"
    client.post(use, data={"csrf_token": token(client)})
    address = f"/admin/reports/exams/{county.exam.id}/units/{county.top.id}?rank=一级科员"
    files = [from_page(api, address, "circular", "docx")[0]]
    held = "只统计职级为“一级科员”的人员"
    first, second = Document(io.BytesIO(files[0])).sections
    assert [p.text for p in first.header.paragraphs] == ["绥安县普法办", held]
    assert [p.text for p in second.header.paragraphs] == ["第二节", held]
    for section in (first, second):
        assert [p.text for p in section.first_page_header.paragraphs] == [held]
        assert [p.text for p in section.even_page_header.paragraphs] == [held]
    row = session.query(Export).one()
    row.state, row.file = "queued", None
    session.flush()
    world.app.extensions["celery"].tasks["jobs.run"](row.id)
    session.refresh(row)
    assert row.file == files[0], "the same bytes"


@pytest.mark.parametrize(("own", "kept"), [("", ""), ("县普法办&D", "县普法办&D\n"), ("长" * 240, "")])
def test_an_own_score_sheet_has_the_mark_in_the_head_of_every_page(county, world, session, own, kept):
    county.attempt(world.person(county.bureau, name="乙"), points="88.50")
    book = load_workbook(io.BytesIO(xlsx(["{{ 行.姓名 }}", "{{ 行.成绩 }}"])))
    book.active.oddHeader.center.text = own
    buffer = io.BytesIO()
    book.save(buffer)
    admin = world.admin(name="A&B")
    client, api = world.client(admin), world.api(admin)
    assert upload(client, "score_sheet", buffer.getvalue(), "表.xlsx").status_code == 303
    use = f"{PAGE}/{session.query(ReportTemplate).one().id}/use"
    client.post(use, data={"csrf_token": token(client)})
    page = load_workbook(io.BytesIO(export(api, county, county.bureau, "score_sheet", "xlsx"))).active
    assert [list(cells) for cells in page.iter_rows(values_only=True)] == [["乙", 88.5]]
    mark = "A&&B 2026-11-24 12:00 导出"
    assert [head.center.text for head in heads_of(page)] == [f"{kept}{mark}", mark, mark]
    assert all(len(str(head)) < 256 for head in heads_of(page))
    in_word = export(api, county, county.bureau, "score_sheet", "docx")
    assert docx_rows(in_word)[0]["等次"] == "良好", "only xlsx follows the form"


def test_the_page_says_which_formats_follow_a_form(county, world):
    page = world.client(world.admin()).get(PAGE).text
    assert "启用的模板用于：Word 文档（docx）、PDF（打印、盖章）。导出人和时间记在审计记录里，不写在通报上。" in page
    others = re.search("启用的模板只用于：Excel 表格（xlsx）。导出为(.+?)时仍是随产品提供的样式", page)[1]
    assert others == "OpenDocument 表格（ods）、PDF（打印、盖章）、Word 文档（docx）"


def test_a_form_that_says_nothing_of_whom_it_holds_says_it_in_the_head(county, world, session):
    county.attempt(world.person(county.bureau, name="乙", rank="一级科员"), points="88.50")
    world.person(county.bureau, name="丙", rank="二级科员")
    admin = world.admin(name="管理员")
    client, api = world.client(admin), world.api(admin)
    forms = {"score_sheet": xlsx(["{{ 行.姓名 }}"]), "circular": docx("应考 {{ 应考 }} 人")}
    for content, file in forms.items():
        assert upload(client, content, file, f"表.{'xlsx' if content == 'score_sheet' else 'docx'}").status_code == 303
        row = session.query(ReportTemplate).filter_by(content=content).one()
        client.post(f"{PAGE}/{row.id}/use", data={"csrf_token": token(client)})
    address = f"/admin/reports/exams/{county.exam.id}/units/{county.bureau.id}?rank=一级科员"
    text = f"{MARK}；只统计职级为“一级科员”的人员"
    page = load_workbook(io.BytesIO(from_page(api, address, "score_sheet", "xlsx")[0])).active
    assert page.oddHeader.center.text == text and page["A1"].value == "乙" and page.max_row == 1
    document = Document(io.BytesIO(from_page(api, address, "circular", "docx")[0]))
    assert document.sections[0].header.paragraphs[0].text == text.removeprefix(f"{MARK}；")
    assert document.paragraphs[0].text == "应考 1 人"


def test_shipped_forms_are_fit_and_may_be_taken_as_they_are(county, world):
    client = world.client(world.admin())
    for content, name, made in (
        ("circular", "a.docx", report_template_render_docx.shipped_template()),
        ("score_sheet", "a.xlsx", report_template_render_xlsx.shipped_form()),
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
