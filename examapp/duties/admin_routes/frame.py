"""What the responsibility pages share: the blueprint, the year in the address, whose hands act, downloads."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from decimal import Decimal
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

from flask import Blueprint, Response, request, send_file

from examapp.core import clock
from examapp.core.errors import BadRequestError
from examapp.core.forms import FlaskForm
from examapp.core.numbers import read_page, read_year
from examapp.core.permissions import Permission
from examapp.core.points import for_people
from examapp.core.spreadsheets import Cell, Sheet, as_words, write_xlsx
from examapp.core.word_documents import WordDocument
from examapp.duties.queries import Hands
from examapp.people.access import my_grants, my_reach
from examapp.people.rules import reach_of

admin_blueprint = Blueprint("duties_admin", __name__, url_prefix="/admin/duties")
WRITE, APPROVE = Permission.DUTIES_WRITE, Permission.DUTIES_APPROVE
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def my_hands() -> Hands:
    """Give how far who is signed in may write and approve lists."""
    return Hands(write=my_reach(WRITE), approve=reach_of(APPROVE, my_grants()))


def chosen_year() -> int:
    """Give the year in the address, the present one where there is none or a wrong one."""
    return read_year(request.args.get("year"), most=2099) or clock.today().year


def chosen_page() -> int:
    """Give the page in the address, from 1."""
    return read_page(request.args.get("page"))


def posted_year() -> int:
    """Give the year that a form names; raises BadRequestError."""
    year = read_year(request.form.get("year"), most=2099)
    if year is None:
        raise BadRequestError
    return year


def check_form(form: FlaskForm) -> None:
    """Refuse a press of a button whose form is not whole, in the form's own words."""
    if not form.validate_on_submit():
        raise BadRequestError(next((error for errors in form.errors.values() for error in errors), None))


def status_of(form: FlaskForm) -> int:
    """Give the status of a page that shows a form: 422 after it was sent and refused."""
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.is_submitted() else HTTPStatus.OK


def send_sheets(sheets: Iterable[Sheet], name: str) -> Response:
    """Send sheets as a workbook."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.xlsx"
        write_xlsx(path, sheets)
        content = BytesIO(path.read_bytes())
    return send_file(content, mimetype=XLSX, as_attachment=True, download_name=name)


def add_table(
    document: WordDocument, heads: Sequence[str], rows: Sequence[Sequence[Cell]], widths: Sequence[int]
) -> None:
    """Write the cells of a workbook's table into a Word document; a column that holds a number stands at the right."""
    are_numbers = [any(isinstance(row[place], int | Decimal) for row in rows) for place in range(len(heads))]
    document.table(list(zip(heads, widths, are_numbers, strict=True)), ([_words(cell) for cell in row] for row in rows))


def _words(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return for_people(cell)
    return str(cell) if isinstance(cell, int) else as_words(cell)


def send_word(document: WordDocument, name: str) -> Response:
    """Send a Word document."""
    return send_file(BytesIO(document.to_bytes()), mimetype=DOCX, as_attachment=True, download_name=name)
