"""The back office's pages of the responsibility system."""

from __future__ import annotations

from examapp.duties.admin_routes import (
    assessments,
    calendar,
    events,
    files,
    items,
    key_days,
    ledgers,
    lists,
    periods,
    records,
    results,
    sheets,
    tables,
    yearly,
)
from examapp.duties.admin_routes.frame import admin_blueprint

__all__ = [
    "admin_blueprint",
    "assessments",
    "calendar",
    "events",
    "files",
    "items",
    "key_days",
    "ledgers",
    "lists",
    "periods",
    "records",
    "results",
    "sheets",
    "tables",
    "yearly",
]
