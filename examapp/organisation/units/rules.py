"""Rules of units: the check character of a credit code, the depth of a tree."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from examapp.clock import local

DEEPEST_LEVEL = 5
"""County → department or township → sub-units: five levels."""
CELL_RANGE = 10**12
"""Ids of a cell of a province: from its number times this on; a cell writes a thousand rows a second for thirty years in it."""
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_LENGTH = 18


def normalise_uscc(typed: str) -> str:
    """Write a unified social credit code in its one form: half width, capitals, no spaces."""
    return "".join(unicodedata.normalize("NFKC", typed).split()).upper()


def uscc_check_character(first_17: str) -> str:
    """Give the check character of a code's first 17 characters (GB 32100-2015, ISO 7064 MOD 31 with weights 3^i)."""
    total = sum(_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(first_17))
    return _ALPHABET[-total % 31]


def find_uscc_issue(code: str) -> str | None:
    """Say in Chinese what is wrong with a normalised code, None where it may stand."""
    if len(code) != _LENGTH:
        return f"统一社会信用代码应为 18 位，现在是 {len(code)} 位。"
    if wrong := [character for character in code if character not in _ALPHABET]:
        return f"统一社会信用代码中不会出现“{wrong[0]}”，请核对（常见的是把 0 写成 O、1 写成 I）。"
    expected = uscc_check_character(code[:17])
    return None if code[17] == expected else f"统一社会信用代码的校验位不对，最后一位应为 {expected}，请核对前 17 位。"


def level_of(path: str) -> int:
    """Give the level of a unit by its path: 1 for a root."""
    return path.count("/") - 1


UNIT_HEADS: dict[str, tuple[str, ...]] = {
    "code": ("单位编码", "单位代码", "编码", "机构编码"),
    "name": ("单位名称", "名称", "单位", "机构名称"),
    "kind": ("类别", "单位类别", "单位类型"),
    "parent": ("上级单位编码", "上级编码", "上级单位", "主管单位编码"),
    "sector_parent": ("主管系统编码", "系统编码", "主管系统", "所属系统"),
    "uscc": ("统一社会信用代码", "信用代码", "统一信用代码"),
}
"""Heads of a unit file, as people write them."""


BEHIND = timedelta(seconds=60)
"""From here on a site of a province whose last sign of life is older counts as away."""


def cells_label(cells: Sequence[tuple[int, str | None, float | None, bool]], *, now: datetime) -> str:
    """Say up to which instant a province has its cells' data, and by name which cell it has nothing newer of; empty without cells.

    Each cell with its number, its highest unit's name, the instant (seconds since 1970) up to which everything of it is here, and whether it
    is another site: a cell itself says that its figures are of its own people alone, whatever unit they stand under.
    """
    if not cells:
        return ""
    if own := [name for _, name, _, is_other in cells if not is_other]:
        return f"只含本分区（{own[0] or '还没有单位'}）的人员"
    beats = {(number, name or "还没有单位"): beat for number, name, beat, _ in cells}
    late = {one: beat for one, beat in beats.items() if beat is None or now.timestamp() - beat > BEHIND.total_seconds()}
    current = [beat for one, beat in beats.items() if one not in late and beat is not None]
    parts = [f"各分区的数据截至 {local(datetime.fromtimestamp(min(current), UTC)):%H:%M:%S}"] if current else []
    for (number, name), beat in late.items():
        until = f"只到 {local(datetime.fromtimestamp(beat, UTC)):%Y-%m-%d %H:%M:%S}" if beat else "还没有收到"
        parts.append(f"{name}（分区 {number}）{until}")
    return "；".join(parts)
