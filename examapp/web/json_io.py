"""JSON at the edge: read strictly, refused with a code, written fast."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

import orjson
from flask import Response, request

from examapp.clock import local
from examapp.errors import BadRequestError, DomainError

MAX_DROPPED_BYTES = 8 * 1024 * 1024
_CHUNK = 64 * 1024
_JSON = "application/json"


class TooLargeError(DomainError):
    """The body is over the limit; it was read and dropped, so that the answer reaches the caller."""

    code = "too_large"
    status = 413
    message = "提交的内容太大，请分几次提交。"


class NotJsonError(DomainError):
    """Another media type or an encoding."""

    code = "not_json"
    status = 415
    message = "只接受 JSON 格式的内容。"


def answer(payload: Any, status: int = 200) -> Response:
    """Answer with JSON; instants with the county's offset, decimals as strings."""
    body = orjson.dumps(payload, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    return Response(body, status, content_type=_JSON)


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)


def instant(value: datetime) -> str:
    """Write an instant as ISO 8601 with the county's offset."""
    return local(value).isoformat(timespec="milliseconds")


def read_object(*, most_bytes: int, may_be_empty: bool = False) -> dict[str, Any]:
    """Read the request's body as one JSON object.

    Raises NotJsonError, TooLargeError, or BadRequestError for what is unparsable, has duplicate keys, NaN, lone surrogates or is too
    deep.
    """
    body = _read_body(most_bytes)
    if may_be_empty and not body.strip():
        return {}
    environ = request.environ
    is_json = environ.get("CONTENT_TYPE") == _JSON or request.mimetype == _JSON
    if not is_json or environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in {"", "identity"}:
        raise NotJsonError
    value = parse(body)
    if not isinstance(value, dict):
        raise BadRequestError
    return value


def _read_body(most_bytes: int) -> bytes:
    length = request.content_length
    if length is None or length <= most_bytes:
        body = request.stream.read(most_bytes + 1)
        if len(body) <= most_bytes:
            return body
    dropped = 0
    while dropped < MAX_DROPPED_BYTES and (chunk := request.stream.read(_CHUNK)):
        dropped += len(chunk)
    raise TooLargeError


def parse(body: bytes) -> Any:
    """Parse JSON strictly; raises BadRequestError."""
    try:
        text = body.decode("utf-8")
        value = _STRICT.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise BadRequestError from None
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate keys")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_STRICT = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
