"""The back office's pages of the responsibility system."""

from __future__ import annotations

from examapp.duties.admin_routes import calendar, items, lists, periods, records, tables
from examapp.duties.admin_routes.frame import admin_blueprint

__all__ = ["admin_blueprint", "calendar", "items", "lists", "periods", "records", "tables"]
