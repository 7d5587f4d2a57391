"""Give a stored file out: with ranges, so that a video can be moved about in, and so that nothing in it can act."""

from __future__ import annotations

from flask import Response, send_file

from examapp.core.errors import NotFoundError
from examapp.core.uploads.models import FileKind, StoredFile
from examapp.core.uploads.places import kept_path

_SHOWN_IN_PAGES = frozenset({FileKind.IMAGE, FileKind.MP3, FileKind.MP4})


def serve_file(file: StoredFile) -> Response:
    """Answer a request for a file that the owning room has allowed; raises NotFoundError where its bytes are gone.

    Pictures, sound and film are shown in pages, all else is handed over to be saved. The browser keeps it for this person only.
    """
    path = kept_path(file.token)
    if not path.exists():
        raise NotFoundError("这个文件已不在服务器上。请联系管理员重新上传。")
    response = send_file(
        path,
        mimetype=file.media_type,
        as_attachment=FileKind(file.kind) not in _SHOWN_IN_PAGES,
        download_name=file.name,
        conditional=True,
        etag=file.sha256,
        last_modified=file.stored_at,
        max_age=3600,
    )
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
