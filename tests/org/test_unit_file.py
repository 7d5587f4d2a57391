"""Units from a file."""

from __future__ import annotations

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
        (("01,某县,县,99,,",), "第 2 行：没有编码为「99」"), (("01,,县,,,",), "都要填"), (("01,某县,省,,,",), "没有「省」这种类别"),
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
