"""What a file is to hold, and what it says of itself: its name, the lines above its table, its mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from examapp.core.clock import local
from examapp.core.crypto import Sealer
from examapp.core.spreadsheets import Cell
from examapp.org.models import Tree
from examapp.reports.queries.basis import Basis
from examapp.reports.queries.ground import PeopleFilter
from examapp.reports.rules import (
    CONTENT_NAMES,
    DEFINITIONS,
    EVERYONE,
    SCOPE_DEFINITIONS,
    SCOPE_NAMES,
    Narrowing,
    Numbers,
    UnitNode,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a file is to hold: the unit is the first of the nodes, the others are below it."""

    basis: Basis
    nodes: Sequence[UnitNode]
    tree: Tree
    content: str
    format: str
    watermark: str = ""
    """Whose copy it is, and when it was asked for; pale behind the text of what can be printed."""
    issuer: str = ""
    """The office in whose name a circular goes out."""
    template: bytes | None = None
    """The office's own form of it; None for the shipped one."""
    narrowing: Narrowing = EVERYONE
    numbers: Numbers = Numbers.NONE
    sealer: Sealer | None = None
    """Opens ID numbers and mobiles, where they are to stand in it."""

    @property
    def wanted(self) -> PeopleFilter:
        """The people of these units whom the narrowing leaves, whatever their group."""
        return PeopleFilter.of(self.narrowing, unit_ids=[node.unit_id for node in self.nodes])


def file_name(order: Order) -> str:
    """Give the name under which the file is saved."""
    parts = [order.basis.exam.title, order.nodes[0].name, CONTENT_NAMES[order.content], SCOPE_NAMES[order.basis.scope]]
    parts += ["已筛选"] if order.narrowing != EVERYONE else []
    name = "-".join([*parts, f"{local(order.basis.as_of):%Y%m%d%H%M}"])
    return "".join("_" if c in '\\/:*?"<>|\r\n\t' else c for c in name) + f".{order.format}"


def remarks(basis: Basis, unit_name: str, narrowed: str = "") -> list[str]:
    """Give the lines that stand above every table: unit, scope, as-of time, roster, whom it is narrowed to, definitions."""
    return [
        f"单位：{unit_name}　　口径：{SCOPE_NAMES[basis.scope]}　　统计时间：{local(basis.as_of):%Y-%m-%d %H:%M:%S}　　名册：{roster_words(basis)}",
        *([f"范围：{narrowed}。"] if narrowed else []),
        SCOPE_DEFINITIONS[basis.scope] + "".join(DEFINITIONS[name] for name in ("eligible", "participated", "nothing")),
    ]


def roster_words(basis: Basis) -> str:
    """Say which roster the figures stand on, and when."""
    if basis.frozen_at is None:
        return f"现行，截至 {local(basis.as_of):%Y-%m-%d %H:%M}"
    words = f"{local(basis.frozen_at):%Y-%m-%d %H:%M} 冻结"
    return f"{words}，已采纳更正 {basis.exam.corrections} 条" if basis.exam.corrections else words


def stamp_of(order: Order) -> dict[str, Cell]:
    """Give what each row of a csv says at its end, for its head is its first line: as-of time, roster, whom it is narrowed to."""
    narrowed = order.narrowing.words
    stamp: dict[str, Cell] = {"统计时间": order.basis.as_of, "名册": roster_words(order.basis)}
    return stamp | ({"范围": narrowed} if narrowed else {})


def mark_of(order: Order) -> str:
    """Give what stands at the head of each page of a form of the office's own: whose copy, and whom alone it holds, whether the form says so or not."""
    return "；".join(part for part in (order.watermark, order.narrowing.words) if part)
