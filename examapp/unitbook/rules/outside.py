"""Files of results from other platforms: what their sealed bytes are bound to."""

from __future__ import annotations


def result_file_binding(import_id: int) -> str:
    """Name the row that a file is sealed for."""
    return f"result_import:{import_id}:file"
