"""Units, hanging in the region tree and, optionally, in the sector tree."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.session import Base, Id, Str, UtcDateTime


class UnitKind(StrEnum):
    """What a unit is."""

    PROVINCE = "province"
    PREFECTURE = "prefecture"
    COUNTY = "county"
    DEPARTMENT = "department"
    TOWNSHIP = "township"
    INSTITUTION = "institution"
    SUB_UNIT = "sub_unit"
    SECTOR = "sector"
    """A node of the sector tree alone: a system (教育系统) or a supervising bureau outside the county."""


class Tree(StrEnum):
    """The two trees: region (块) and sector (条)."""

    REGION = "region"
    SECTOR = "sector"


AREA_KINDS = (UnitKind.PROVINCE, UnitKind.PREFECTURE, UnitKind.COUNTY)
"""From the highest down; the one at the root is what reports over the whole cover."""
UNIT_KIND_NAMES = {
    UnitKind.PROVINCE: "省",
    UnitKind.PREFECTURE: "地市",
    UnitKind.COUNTY: "县",
    UnitKind.DEPARTMENT: "县直单位",
    UnitKind.TOWNSHIP: "乡镇",
    UnitKind.INSTITUTION: "事业单位",
    UnitKind.SUB_UNIT: "内设机构",
    UnitKind.SECTOR: "系统",
}


class Unit(Base):
    """A unit (单位). Paths are the ids from the root down, `/1/17/203/`, so that a subtree is one prefix."""

    __tablename__ = "units"
    __table_args__ = (
        CheckConstraint("region_path LIKE '/%/'", name="region_path"),
        CheckConstraint("sector_path IS NULL OR sector_path LIKE '/%/'", name="sector_path"),
        Index("ix_units_region_path", "region_path", postgresql_ops={"region_path": "text_pattern_ops"}),
        Index("ix_units_successor_id", "successor_id", postgresql_where="successor_id IS NOT NULL"),
        Index("ix_units_sector_path", "sector_path", postgresql_ops={"sector_path": "text_pattern_ops"}),
    )

    id: Mapped[Id]
    code: Mapped[Str] = mapped_column(unique=True)
    name: Mapped[Str]
    uscc: Mapped[Str | None] = mapped_column(unique=True)
    """Unified social credit code, 18 characters, GB 32100."""
    kind: Mapped[Str]
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"), index=True)
    sector_parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"), index=True)
    region_path: Mapped[Str]
    """For a node of the sector tree alone: `/id/`, a tree of its own."""
    sector_path: Mapped[Str | None]
    closed_at: Mapped[UtcDateTime | None]
    successor_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    """Of a closed unit: the one that took its people over."""
    created_at: Mapped[UtcDateTime]
    issuer_name: Mapped[Str | None]
    """In what name the unit issues its papers (落款), as its administrators have set it; None for its own name."""

    @property
    def issuer(self) -> str:
        """The name in which the unit issues its papers."""
        return self.issuer_name or self.name

    def path_in(self, tree: Tree) -> str | None:
        """Give the unit's path in a tree, None where it does not hang in it."""
        return self.region_path if tree is Tree.REGION else self.sector_path
