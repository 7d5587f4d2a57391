"""Pictures of questions, for whoever is signed in."""

from __future__ import annotations

import re

from flask import Blueprint, Response, request

from examapp.core.db import reading
from examapp.core.errors import NotFoundError
from examapp.people.access import signed_in
from examapp.questions.queries import get_media

blueprint = Blueprint("questions", __name__)
_DIGEST = re.compile(r"[0-9a-f]{64}")


@blueprint.get("/media/<sha256>")
@signed_in
def show_media(sha256: str) -> Response:
    """Give a picture; its address is its content's digest, so the browser may keep it, for this person only."""
    if not _DIGEST.fullmatch(sha256):
        raise NotFoundError
    if request.if_none_match.contains(sha256):
        response = Response(status=304)
    else:
        media = get_media(reading(), sha256)
        response = Response(media.content, content_type=media.media_type)
    response.set_etag(sha256)
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
