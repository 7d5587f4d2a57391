"""Exports opened by a real office program (H06): no formula cell, every name as it was."""

from __future__ import annotations

import re
import shutil
import subprocess
from xml.etree import ElementTree as ET

import pytest

from examapp.documents.spreadsheets import SheetColumn, SheetLayout, write_csv, write_xlsx
from examapp.oversight.report_templates.render_xlsx import fill_form, shipped_form

NAMES = [
    "=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", '引"号', "换\n行", "🙂表情", "𠮷野家", "名" * 60, "430527199001010014", "'带撇号",
]  # fmt: skip
OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Opens a file in LibreOffice and gives its cells as (value type, formula, text)."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed (apt-get install libreoffice-calc)")
    folder = tmp_path_factory.mktemp("office")

    def open_in_office(path):
        command = [
            office,
            "--headless",
            f"-env:UserInstallation=file://{folder}/profile",
            "--convert-to",
            "fods",
            "--outdir",
            str(folder),
        ]
        if path.suffix == ".csv":
            command.append("--infilter=CSV:44,34,76,1,,0,false,true,false")
        subprocess.run([*command, str(path)], check=True, capture_output=True, timeout=120)
        tree = ET.parse(folder / f"{path.stem}.fods")
        return [_cell(cell) for cell in tree.iter(f"{{{TABLE}}}table-cell") if cell.findall(f"{{{TEXT}}}p")]

    return open_in_office


def _cell(cell):
    text = "\n".join(_text(paragraph) for paragraph in cell.findall(f"{{{TEXT}}}p"))
    return cell.get(f"{{{OFFICE}}}value-type"), cell.get(f"{{{TABLE}}}formula"), text


def _text(paragraph) -> str:
    text = paragraph.text or ""
    for part in paragraph:
        text += (
            "\t"
            if part.tag == f"{{{TEXT}}}tab"
            else " " * int(part.get(f"{{{TEXT}}}c", "1"))
            if part.tag == f"{{{TEXT}}}s"
            else "".join(part.itertext())
        )
        text += part.tail or ""
    return text


def test_h06_no_name_in_a_workbook_is_a_formula(opened, tmp_path):
    path = tmp_path / "names.xlsx"
    write_xlsx(
        path, [SheetLayout(name="成绩", columns=[SheetColumn(head="姓名", width=20)], rows=[[name] for name in NAMES])]
    )
    cells = opened(path)
    assert all(formula is None and kind == "string" for kind, formula, _ in cells)
    assert [text for _, _, text in cells[1:]] == NAMES


def test_no_name_in_a_csv_is_a_formula(opened, tmp_path):
    path = tmp_path / "names_csv.csv"
    write_csv(path, [SheetColumn(head="姓名", width=20)], [[name] for name in NAMES])
    cells = opened(path)
    assert all(formula is None for _, formula, _ in cells)
    plain = [re.sub(r"^'(?=[=+\-@\t\r\n＝＋－＠0-9])", "", text) for _, _, text in cells[1:]]
    assert [p.replace("\t", "") for p in plain] == [n.replace("\t", "") for n in NAMES]


def test_filled_score_sheet_form_opens_with_its_rows_in_order(opened, tmp_path):
    path = tmp_path / "sheet.xlsx"
    people = [[n, f"人{n}", "教育局", "科员", None, "", "未开始"] for n in range(1, 4)]
    path.write_bytes(fill_form(shipped_form(), {"考试名称": "年度考试", "单位": "教育局", "应考": "3"}, people))
    cells = opened(path)
    texts = [text for _, _, text in cells]
    assert texts[0] == "年度考试成绩汇总表" and all(formula is None for _, formula, _ in cells)
    assert [text for text in texts if text.startswith("人")] == ["人1", "人2", "人3"]
    assert texts.index("人3") < next(n for n, text in enumerate(texts) if text.startswith("应考 3 人"))
