"""What the organiser's pages share: the blueprint, numbers in the address, downloads."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

from flask import Blueprint, request, send_file
from werkzeug.wrappers import Response

from examapp.core import clock
from examapp.core.db import reading
from examapp.core.forms import FlaskForm
from examapp.core.numbers import read_page, read_year
from examapp.core.permissions import Permission
from examapp.core.spreadsheets import Sheet, write_xlsx
from examapp.exams.queries.organiser import list_units_within
from examapp.people.access import my_reach

admin_blueprint = Blueprint("records_admin", __name__, url_prefix="/admin/records")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def chosen_page() -> int:
    """Give the page in the address, from 1."""
    return read_page(request.args.get("page"))


def chosen_year() -> int:
    """Give the year in the address, the present one where there is none or a wrong one."""
    return read_year(request.args.get("year")) or clock.today().year


def page_count(total: int, size: int) -> int:
    """Give how many pages so many lines fill."""
    return max(-(-total // size), 1)


def status_of(form: FlaskForm) -> int:
    """Give the status of a page that shows a form: 422 after it was sent and refused."""
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.is_submitted() else HTTPStatus.OK


def unit_choices(permission: Permission) -> list[tuple[int, str]]:
    """List the units within a permission's reach for a select."""
    return [(unit.id, unit.name) for unit in list_units_within(reading(), my_reach(permission))]


def send_sheets(sheets: Iterable[Sheet], name: str) -> Response:
    """Send sheets as a workbook."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.xlsx"
        write_xlsx(path, sheets)
        content = BytesIO(path.read_bytes())
    return send_file(content, mimetype=_XLSX, as_attachment=True, download_name=name)


def send_pdf(content: bytes, name: str) -> Response:
    """Send a PDF as a file to keep."""
    return send_file(BytesIO(content), mimetype="application/pdf", as_attachment=True, download_name=name)
