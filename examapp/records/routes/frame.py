"""The blueprint that these pages share, and how a PDF is sent."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, current_app, request, send_file
from werkzeug.wrappers import Response

blueprint = Blueprint("records", __name__)


def site_url() -> str:
    """Give the address that a printed code leads to: the setting SITE_URL, else where this page was asked for."""
    return str(current_app.config["SETTINGS"].site_url) or request.host_url


def send_pdf(content: bytes, name: str) -> Response:
    """Send a PDF as a file to keep."""
    return send_file(BytesIO(content), mimetype="application/pdf", as_attachment=True, download_name=name)
