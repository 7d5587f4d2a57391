"""The three requests of an upload in pieces, as views of the owning room hang them in: JSON in, JSON out, the page's script speaks them.

`POST …?name=&size=` begins, `PUT …/<token>?offset=` brings a piece, `POST …/<token>` ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from flask import Response, jsonify, request
from sqlalchemy.orm import Session

from examapp.core import clock
from examapp.core.db import transaction
from examapp.core.errors import DomainError
from examapp.core.numbers import sent_number
from examapp.core.uploads.limits import FileRefusedError
from examapp.core.uploads.models import FileKind, StoredFile
from examapp.core.uploads.resuming import MOST_BYTES_A_PIECE, add_piece, begin_upload, finish_upload


def begin(*, room: str, by_id: int, kinds: Collection[FileKind]) -> Response:
    """Begin or go on: answers `{token, received, piece}`, the last the most bytes a piece."""

    def act(session: Session) -> dict[str, Any]:
        name, size = request.args.get("name", ""), request.args.get("size", 0, type=sent_number)
        upload = begin_upload(session, room=room, name=name, size=size, by_id=by_id, now=clock.now(), kinds=kinds)
        return {"token": upload.token, "received": upload.received, "piece": MOST_BYTES_A_PIECE // 8}

    return _answer(act)


def add(token: str, *, room: str, by_id: int) -> Response:
    """Take a piece: answers `{received}`."""

    def act(session: Session) -> dict[str, Any]:
        if (request.content_length or 0) > MOST_BYTES_A_PIECE:
            raise FileRefusedError("一段内容太大。请刷新页面后重新上传。")
        upload = add_piece(
            session,
            token=token,
            room=room,
            by_id=by_id,
            offset=request.args.get("offset", -1, type=sent_number),
            piece=request.get_data(cache=False),
            now=clock.now(),
        )
        return {"received": upload.received}

    return _answer(act)


def finish(token: str, *, room: str, by_id: int, then: Callable[[Session, StoredFile], dict[str, Any]]) -> Response:
    """End an upload: `then` puts the stored file where it belongs, in the same transaction, and says what the page is told."""

    def act(session: Session) -> dict[str, Any]:
        return then(session, finish_upload(session, token=token, room=room, by_id=by_id, now=clock.now()))

    return _answer(act)


def _answer(act: Callable[[Session], dict[str, Any]]) -> Response:
    try:
        with transaction() as session:
            told = act(session)
        return jsonify(told)
    except DomainError as error:
        response = jsonify({"error": error.code, "message": error.text, **error.extra})
        response.status_code = error.status
        return response
