"""Units from a file."""

from __future__ import annotations

import io

import pytest

from examapp.documents.tables import read_grids
from examapp.organisation.units.actions import UnitFileError, import_units
from examapp.organisation.units.models import Unit
from examapp.organisation.units.rules import UNIT_HEADS
from examapp.platform.audit.actions import SYSTEM, ActionContext
from tests.conftest import NOON

HEAD = "单位编码,单位名称,类别,上级单位编码,主管系统编码,统一社会信用代码"


def take_over(world, *lines):
    grids = read_grids("\n".join([HEAD, *lines]).encode("gbk"), name="单位.csv", aliases=UNIT_HEADS)
    return import_units(ActionContext(world.session, SYSTEM, NOON), grids)


def test_units_are_taken_over_in_any_order_and_twice_the_same(world):
    lines = (
        "0101,司法局,县直单位,01,S1,91350100M000100Y43",
        "S1,司法系统,系统,,,",
        "01,某县,县,,,",
        "010101,办公室,内设机构,0101,,",
    )
    assert take_over(world, *lines) == {"new": 4, "changed": 0}
    assert take_over(world, *lines) == {"new": 0, "changed": 0}
    units = {unit.code: unit for unit in world.session.query(Unit)}
    assert units["010101"].region_path == f"/{units['01'].id}/{units['0101'].id}/{units['010101'].id}/"
    assert units["0101"].sector_path == f"/{units['S1'].id}/{units['0101'].id}/"
    assert take_over(world, "0101,县司法局,县直单位,01,S1,") == {"new": 0, "changed": 1}


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (("01,某县,县,,,", "01,某县,县,,,"), "重复"), (("01,某县,县,02,,", "02,甲,县,01,,"), "绕成了圈"),
        (("01,某县,县,,,", "02,乙县,县,,,"), "第 3 行：请选择上级单位"), (("01,某县,县,01,,",), "绕成了圈"),
        (("01,某县,县,99,,",), "第 2 行：没有编码为“99”"), (("01,某县,县,,,", "02,甲,县直单位,99,,", "03,乙,内设机构,02,,"), "第 4 行：上级单位在第 3 行，请先改好那一行"),
        (("01,某县,县,,,", "02,甲,县直单位,03,,", "03,乙,县直单位,02,,"), "第 3、4 行：上级单位绕成了圈"), (("01,,县,,,",), "都要填"), (("01,某县,国,,,",), "没有“国”这种类别"),
        (("01,某县,县,,,91350100M000100Y44",), "最后一位应为 3"), ((), "没有找到单位表"),
    ],
)  # fmt: skip
def test_a_faulty_unit_file_names_the_row(world, lines, text):
    with pytest.raises(UnitFileError, match=text):
        take_over(world, *lines)


def test_the_command_takes_a_file(app, world, tmp_path):
    file = tmp_path / "units.csv"
    file.write_text(f"{HEAD}\n01,某县,县,,,\n", encoding="utf-8")
    result = app.test_cli_runner().invoke(args=["org", "import-units", str(file)])
    assert "已新增 1 个单位" in result.output
    file.write_text("没有表头\n", encoding="utf-8")
    result = app.test_cli_runner().invoke(args=["org", "import-units", str(file)])
    assert result.exit_code == 1
    assert "没有找到单位表" in result.output


@pytest.fixture
def office(world):
    world.unit("某县", kind="county", code="01")
    return world.api(world.admin("publicity_office"))


def send(client, text, *, parent_id, **fields):
    return client.post("/admin/org/units/import", data={"text": text, "parent_id": parent_id, **fields})


def test_pasted_units_are_counted_first_and_created_by_a_second_click(world, office):
    county = world.session.query(Unit).filter_by(code="01").one()
    assert "检查单位表" in office.get("/admin/org/units/import").get_data(as_text=True)
    table = "单位名称\t类别\t上级单位\n司法局\t县直单位\t\n办公室\t内设机构\t司法局\n城关镇\t乡镇\t某县"
    page = send(office, table, parent_id=county.id)
    assert page.status_code == 200 and "导入这些单位" in page.get_data(as_text=True)
    assert world.session.query(Unit).filter_by(name="司法局").count() == 0
    assert send(office, table, parent_id=county.id, is_confirmed="1").status_code == 303
    bureau, section, town = (
        world.session.query(Unit).filter_by(name=name).one() for name in ("司法局", "办公室", "城关镇")
    )
    assert (bureau.parent_id, section.parent_id, town.parent_id) == (county.id, bureau.id, county.id)
    assert len({bureau.code, section.code, town.code}) == 3
    bureau.uscc = "91350100M000100Y43"
    world.session.flush()
    again = send(office, table.replace("\n办公室\t内设机构\t司法局", ""), parent_id=county.id)
    assert "都已登记" in again.get_data(as_text=True)


def test_a_column_of_names_is_enough(world, office):
    county = world.session.query(Unit).filter_by(code="01").one()
    assert send(office, "教育局\n卫健局\n", parent_id=county.id, is_confirmed="1").status_code == 303
    names = {unit.name for unit in world.session.query(Unit).filter_by(parent_id=county.id)}
    assert {"教育局", "卫健局"} <= names


def test_a_file_with_one_wrong_row_creates_nothing_and_can_be_put_right_in_the_page(world, office):
    file = (io.BytesIO(f"{HEAD}\n0101,司法局,县直单位,01,,\n0102,教育局,学校,01,,\n".encode()), "单位.csv")
    answer = send(office, "", parent_id="0", file=file, is_confirmed="1")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "第 3 行：没有“学校”这种类别" in page and "0102\t教育局" in page
    assert world.session.query(Unit).filter(Unit.code.startswith("010")).count() == 0
    assert "请选择文件" in send(office, " ", parent_id="0").get_data(as_text=True)


def test_who_reaches_only_a_part_imports_nothing(world):
    part = world.unit("某局")
    assert world.api(world.admin("unit_admin", unit=part)).get("/admin/org/units/import").status_code in {403, 404}
