"""Templates of reports: Word files, and how the office uploads them."""

from __future__ import annotations

import io

from docx import Document

from tests.helpers import forms

PAGE = "/admin/reports/forms"


def docx(*paragraphs, table=None):
    """Make a Word file of paragraphs and a table."""
    document = Document()
    for text in paragraphs:
        document.add_paragraph(text)
    for row in table or []:
        cells = document.add_table(rows=1, cols=len(row)).rows[0].cells
        for cell, text in zip(cells, row, strict=True):
            cell.text = text
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def token(client):
    """Give the CSRF token of the page of templates."""
    return forms.token(client, PAGE)


def upload(client, content, file, name="模板.docx"):
    """Upload a template for a report."""
    data = {"csrf_token": token(client), "content": content, "note": "", "file": (io.BytesIO(file), name)}
    return client.post(PAGE, data=data, content_type="multipart/form-data")
