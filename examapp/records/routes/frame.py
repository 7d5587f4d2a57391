"""The blueprint that these pages share, and how a PDF is sent."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, send_file
from werkzeug.wrappers import Response

blueprint = Blueprint("records", __name__)


def send_pdf(content: bytes, name: str) -> Response:
    """Send a PDF as a file to keep."""
    return send_file(BytesIO(content), mimetype="application/pdf", as_attachment=True, download_name=name)
