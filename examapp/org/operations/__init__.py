"""Writes about units: one at a time by hand, or many from a file."""

from __future__ import annotations

from examapp.org.operations.importing import UnitFileError, import_units
from examapp.org.operations.units import (
    UnitFacts,
    UnitRefusedError,
    close_unit,
    create_unit,
    edit_unit,
    reopen_unit,
)

__all__ = [
    "UnitFacts",
    "UnitFileError",
    "UnitRefusedError",
    "close_unit",
    "create_unit",
    "edit_unit",
    "import_units",
    "reopen_unit",
]
