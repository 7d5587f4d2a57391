"""The three requests of an upload in pieces, as the views of the owning feature include them: JSON in, JSON out, the page's script speaks them.

`POST …?name=&size=` begins, `PUT …/<token>?offset=` brings a piece, `POST …/<token>` ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from flask import Response, jsonify, request, send_file

from examapp.errors import DomainError, NotFoundError
from examapp.platform.audit.actions import ActionContext
from examapp.uploads.actions import MAX_BYTES_A_PIECE, add_piece, begin_upload, finish_upload, kept_path
from examapp.uploads.models import FileKind, StoredFile
from examapp.uploads.rules import InvalidFileError
from examapp.web.params import sent_number
from examapp.web.submit import request_transaction


def begin(*, room: str, by_id: int, kinds: Collection[FileKind]) -> Response:
    """Begin or go on: answers `{token, received, piece}`, the last the most bytes a piece."""

    def act(context: ActionContext) -> dict[str, Any]:
        name, size = request.args.get("name", ""), request.args.get("size", 0, type=sent_number)
        upload = begin_upload(
            context.session, room=room, name=name, size=size, by_id=by_id, now=context.now, kinds=kinds
        )
        return {"token": upload.token, "received": upload.received, "piece": MAX_BYTES_A_PIECE // 8}

    return _answer(act)


def add(token: str, *, room: str, by_id: int) -> Response:
    """Take a piece: answers `{received}`."""

    def act(context: ActionContext) -> dict[str, Any]:
        if (request.content_length or 0) > MAX_BYTES_A_PIECE:
            raise InvalidFileError("一段内容太大。请刷新页面后重新上传。")
        upload = add_piece(
            context.session,
            token=token,
            room=room,
            by_id=by_id,
            offset=request.args.get("offset", -1, type=sent_number),
            piece=request.get_data(cache=False),
            now=context.now,
        )
        return {"received": upload.received}

    return _answer(act)


def finish(
    token: str, *, room: str, by_id: int, then: Callable[[ActionContext, StoredFile], dict[str, Any]]
) -> Response:
    """End an upload: `then` puts the stored file where it belongs, in the same transaction, and says what the page is told."""

    def act(context: ActionContext) -> dict[str, Any]:
        return then(context, finish_upload(context.session, token=token, room=room, by_id=by_id, now=context.now))

    return _answer(act)


def _answer(act: Callable[[ActionContext], dict[str, Any]]) -> Response:
    try:
        with request_transaction() as context:
            reply = act(context)
        return jsonify(reply)
    except DomainError as error:
        response = jsonify({"error": error.code, "message": error.text, **error.extra})
        response.status_code = error.status
        return response


_SHOWN_IN_PAGES = frozenset({FileKind.IMAGE, FileKind.MP3, FileKind.MP4})


def serve_file(file: StoredFile) -> Response:
    """Answer a request for a file that the owning feature has allowed; raises NotFoundError where its bytes are gone.

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
