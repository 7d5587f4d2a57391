"""Reports read back from every format."""

from __future__ import annotations

import csv
import html
import io
import re
from decimal import Decimal

import pypdf
from docx import Document
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook


def run(world, task, *ids):
    """Run a task of this very application: a test process may hold two."""
    world.app.extensions["celery"].tasks[task](*ids)


FIELDS = (
    "roster",
    "exempt",
    "deferred",
    "eligible",
    "participated",
    "passed",
    "good",
    "excellent",
    "failed",
    "participation_rate",
    "pass_rate",
    "pass_of_eligible_rate",
    "excellence_rate",
    "mean_points",
)


HEADS = dict(
    zip(
        FIELDS,
        (
            "名册人数",
            "免考",
            "缓考",
            "应考",
            "参考",
            "合格",
            "良好",
            "优秀",
            "不合格",
            "参考率（%）",
            "合格率（%）",
            "通过率（%）",
            "优秀率（%）",
            "平均分",
        ),
        strict=True,
    )
)


def figures_of(client, exam, unit, **query):
    answer = client.get(f"/api/v1/exams/{exam.id}/participation", query_string={"unit": unit.id, "depth": 5, **query})
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def export(client, county, unit, content, format_, **more):
    body = {"unit": unit.id, "content": content, "format": format_, **more}
    answer = client.post(f"/api/v1/exams/{county.exam.id}/exports", json=body)
    assert answer.status_code == 202, answer.get_json()
    export_id = answer.get_json()["export"]["id"]
    state = client.get(f"/api/v1/exports/{export_id}").get_json()
    assert state["state"] == "ready" and state["done"] == state["total"], state
    return client.get(f"/api/v1/exports/{export_id}/file").data


def xlsx_rows(content):
    rows = [list(row) for row in load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)]
    head = next(index for index, row in enumerate(rows) if "单位" in row)
    return [dict(zip(rows[head], row, strict=True)) for row in rows[head + 1 :] if row[1] is not None]


def csv_rows(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def ods_rows(content):
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    head = next(index for index, row in enumerate(rows) if "单位" in row)
    return [dict(zip(rows[head], row, strict=True)) for row in rows[head + 1 :] if row[1] != ""]


def docx_rows(content):
    """The tables of a Word document as rows of a spreadsheet would be."""
    rows = []
    for table in Document(io.BytesIO(content)).tables:
        head, *body = [[cell.text for cell in row.cells] for row in table.rows]
        rows += [dict(zip(head, cells, strict=True)) for cells in body]
    return rows


def pdf_text(content):
    """The text of a PDF without spaces, and without the first bytes of two-byte codes that pypdf leaves."""
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    return "".join("".join(page.extract_text().replace("\0", "").split()) for page in pages)


def as_api(name, value):
    if value in ("–", None):
        return None
    return str(Decimal(str(value)).quantize(Decimal("0.01"))) if name.endswith(("rate", "points")) else int(value)


def screen_rows(page):
    """The unit table of a page: code (or the total) to the texts of its cells."""
    rows = {}
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", page.split("report-table")[1].split("</table>")[0], re.DOTALL)[1:]:
        cells = [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
        roster, exempt, deferred, eligible, participated, absent, passed, good, excellent, failed, *rates = cells[1:]
        assert int(absent) == int(eligible) - int(participated)
        values = [
            roster,
            exempt,
            deferred,
            eligible,
            participated,
            passed,
            good,
            excellent,
            failed,
            *(rate.rstrip("%") for rate in rates),
        ]
        rows[cells[0].split()[0]] = {name: as_api(name, value) for name, value in zip(FIELDS, values, strict=True)}
    return rows


def assert_all_agree(county, client, naive, **query):
    """The API, the screen, xlsx, csv, ods, docx and PDF show what was counted in plain Python; gives the words of the paper."""
    rows = figures_of(client, county.exam, county.top, **query)["rows"]
    in_files = [
        {r["单位编码"]: r for r in read(export(client, county, county.top, "participation", kind, **query))}
        for kind, read in (("xlsx", xlsx_rows), ("csv", csv_rows), ("ods", ods_rows), ("docx", docx_rows))
    ]
    on_paper = pdf_text(export(client, county, county.top, "participation", "pdf", **query))
    page = f"/admin/reports/exams/{county.exam.id}/units/{county.top.id}"
    screen = screen_rows(client.get(page, query_string={"depth": 5, **query}).text)
    for row in rows:
        expected = naive[row["unit_id"]].as_api()
        assert {name: row[name] for name in FIELDS} == expected, row["name"]
        for file in in_files:
            assert {name: as_api(name, file[row["code"]][HEADS[name]]) for name in FIELDS} == expected
        cells = [in_files[0][row["code"]][head] for head in HEADS.values()]
        cells.insert(5, cells[3] - cells[4])
        text = "".join(f"{cell:.2f}" if index > 9 and cell != "–" else str(cell) for index, cell in enumerate(cells))
        assert row["code"] + row["name"] + text in on_paper
        assert screen["合计：绥安县" if row["code"] == "000" else row["code"]] == expected
    assert {row["unit_id"] for row in rows} >= {unit_id for unit_id, figures in naive.items() if figures.roster}
    return on_paper


def from_page(client, address, content, format_):
    """Press 导出 as the form of a page stands there; gives the file and the page of the export."""
    form = client.get(address).text.split('id="export"')[1]
    hidden = {
        re.search(r'name="(\w+)"', tag)[1]: html.unescape(re.search(r'value="([^"]*)"', tag)[1])
        for tag in re.findall(r'<input[^>]*type="hidden"[^>]*>', form)
    }
    assert f'value="{content}"' in form
    action = html.unescape(re.search(r'<form[^>]* action="([^"]+)"', form)[1])
    answer = client.post(action, data=hidden | {"content": content, "format": format_, "numbers": "none"})
    assert answer.status_code == 303
    return client.get(f"{answer.location}/file").data, client.get(answer.location).text


def unit_page(county, unit, part="", **query):
    extra = "".join(f"&{k}={v}" for k, v in query.items())
    return f"/admin/reports/exams/{county.exam.id}/units/{unit.id}{part}?x=1{extra}"


def main(answer):
    """What a page says, without the frame: the feedback link names the page's own address."""
    return answer.text.split("<main")[1].split("</main>")[0]
