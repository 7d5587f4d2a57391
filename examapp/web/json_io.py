"""JSON bodies: requests decoded strictly into structs, replies encoded; the structs and typed dicts are what the OpenAPI document is made from."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec
from flask import Response, request
from msgspec import Meta, Struct

from examapp.clock import local
from examapp.errors import BadRequestError, DomainError

T = TypeVar("T")
Id = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
DecimalText = Annotated[str, Meta(pattern=r"^-?\d+\.\d\d$")]
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


class EmptyBody(Struct):
    """A body of which nothing is read."""


def json_response(payload: Any, status: int = 200) -> Response:
    """Encode a reply; decimals become strings."""
    return Response(msgspec.json.encode(payload), status, content_type=_JSON)


def compressed_json_response(body: bytes) -> Response:
    """Give JSON that is already compressed by gzip; a client that does not accept it so gets it plain."""
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return Response(gzip.decompress(body), content_type=_JSON)
    return Response(body, content_type=_JSON, headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})


def instant(value: datetime) -> str:
    """Write an instant as ISO 8601 with the county's offset."""
    return local(value).isoformat(timespec="milliseconds")


def read_body(shape: type[T], *, max_bytes: int, may_be_empty: bool = False) -> T:
    """Decode the request's body, one JSON object; raises NotJsonError, TooLargeError and what `decode` raises."""
    body = read_raw(max_bytes)
    if may_be_empty and not body.strip():
        return msgspec.convert({}, shape)
    environ = request.environ
    is_json = environ.get("CONTENT_TYPE") == _JSON or request.mimetype == _JSON
    if not is_json or environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in {"", "identity"}:
        raise NotJsonError
    return decode(body, shape)


def read_raw(max_bytes: int) -> bytes:
    """Read the request's body; raises TooLargeError, after what is over was read and dropped."""
    length = request.content_length
    if length is None or length <= max_bytes:
        body = request.stream.read(max_bytes + 1)
        if len(body) <= max_bytes:
            return body
    dropped = 0
    while dropped < MAX_DROPPED_BYTES and (chunk := request.stream.read(_CHUNK)):
        dropped += len(chunk)
    raise TooLargeError


def decode(body: bytes, shape: type[T]) -> T:
    """Decode JSON into a struct; other fields than its own are ignored.

    Raises BadRequestError for another shape, and for what msgspec's own decoder would let pass or the database could not hold: duplicate
    keys, NaN, lone surrogates.
    """
    try:
        text = body.decode("utf-8")
        value = _STRICT.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        return msgspec.convert(value, shape)
    except (ValueError, RecursionError, msgspec.ValidationError):
        raise BadRequestError from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate keys")
    return value


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(name)


_STRICT = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_reject_constant)
