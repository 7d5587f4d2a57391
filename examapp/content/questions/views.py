"""Pictures of questions, for every signed-in user."""

from __future__ import annotations

import re

from flask import Blueprint, Response, request

from examapp.content.questions.queries import get_media
from examapp.db.session import read_session
from examapp.errors import NotFoundError
from examapp.organisation.accounts.guards import signed_in

blueprint = Blueprint("questions", __name__)
_DIGEST = re.compile(r"[0-9a-f]{64}")


@blueprint.get("/media/<sha256>")
@signed_in
def show_media(sha256: str) -> Response:
    """Return a picture; its address is the digest of its content, so the browser may cache it, privately."""
    if not _DIGEST.fullmatch(sha256):
        raise NotFoundError
    if request.if_none_match.contains(sha256):
        response = Response(status=304)
    else:
        media = get_media(read_session(), sha256)
        response = Response(media.content, content_type=media.media_type)
    response.set_etag(sha256)
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
