"""Where operators report what became of messages, and what people answered; not of the exam's API: each speaks in its own shape."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

from flask import Blueprint, Response, current_app, request
from flask.blueprints import BlueprintSetupState

from examapp import clock
from examapp.db.session import transaction
from examapp.errors import BadRequestError, NotFoundError
from examapp.organisation.accounts.guards import cipher, public
from examapp.platform.message_channels.actions import note_report, unsubscribe_by_reply
from examapp.platform.message_channels.queries import people_of_mobile
from examapp.platform.message_operators.rules import REPORT_READERS, is_unsubscribing, text_of
from examapp.web.json_io import decode, json_response, read_raw
from examapp.web.params import read_whole

api_blueprint = Blueprint("message_reports", __name__, url_prefix="/messages")
_MAX_BYTES, _MAX_ROWS = 256 * 1024, 1000
_FRESH = timedelta(minutes=5)
_MAX_STAMP = 99_999_999_999
_ANSWERS: dict[str, Any] = {"aliyun": {"code": 0, "msg": "接收成功"}, "tencent": {"result": 0, "errmsg": "OK"}}
_MOBILE_FIELDS = {"aliyun": ("phone_number", "content"), "tencent": ("mobile", "text")}


@api_blueprint.record_once
def _exempt(state: BlueprintSetupState) -> None:
    """Ask for no form token: operators have no session; a secret address or a signature stands instead."""
    state.app.extensions["csrf"].exempt(api_blueprint)


@api_blueprint.post("/reports/<channel>/<token>")
@public
def take_reports(channel: str, token: str) -> Response:
    """Take delivery reports of an operator at the secret address; a doubled one changes nothing."""
    _ensure_token(channel, token)
    return _note(channel, _read_rows(read_raw(_MAX_BYTES)))


@api_blueprint.post("/reports/http")
@public
def take_signed_reports() -> Response:
    """Take delivery reports of the county's own gateway, signed as its messages are: over the time and the body."""
    body = read_raw(_MAX_BYTES)
    _ensure_signature(body)
    return _note("http", _read_rows(body))


@api_blueprint.post("/replies/<channel>/<token>")
@public
def take_replies(channel: str, token: str) -> Response:
    """Take what people answered: who asks for no more is not reminded any more."""
    _ensure_token(channel, token)
    mobile_field, text_field = _MOBILE_FIELDS[channel]
    rows = _read_rows(read_raw(_MAX_BYTES))
    mobiles = {text_of(row, mobile_field) for row in rows if is_unsubscribing(text_of(row, text_field))}
    with transaction() as session:
        people = [person for mobile in mobiles for person in people_of_mobile(session, mobile, cipher=cipher())]
        unsubscribe_by_reply(session, people, now=clock.now())
    return json_response(_ANSWERS[channel])


def _note(channel: str, rows: Sequence[Mapping[str, Any]]) -> Response:
    price = current_app.config["SETTINGS"].sms_price
    with transaction() as session:
        for row in rows:
            note_report(session, channel, REPORT_READERS[channel](row), price=price, now=clock.now())
    return json_response(_ANSWERS.get(channel, {"ok": True}))


def _read_rows(body: bytes) -> Sequence[Mapping[str, Any]]:
    """Read one object or a list of them; raises BadRequestError for more than an operator sends at once."""
    is_one = body.lstrip().startswith(b"{")
    rows = decode(b"[" + body + b"]" if is_one else body, list[dict[str, Any]])
    if len(rows) > _MAX_ROWS:
        raise BadRequestError
    return rows


def _ensure_token(channel: str, token: str) -> None:
    """Raise NotFoundError unless this is an operator with an address of its own, and the address is the one that was set."""
    wanted = current_app.config["SETTINGS"].message_callback_token
    if channel not in _ANSWERS or not wanted or not hmac.compare_digest(wanted.encode(), token.encode()):
        raise NotFoundError


def _ensure_signature(body: bytes) -> None:
    """Raise NotFoundError unless the body is signed by the gateway's secret, within five minutes."""
    secret, stamp = current_app.config["SETTINGS"].message_gateway_secret, request.headers.get("X-Timestamp", "")
    sent_at = read_whole(stamp, limit=_MAX_STAMP)
    is_fresh = sent_at is not None and abs(clock.now().timestamp() - sent_at) <= _FRESH.total_seconds()
    signature = hmac.new(secret.encode(), stamp.encode() + b"." + body, sha256).hexdigest()
    given = request.headers.get("X-Signature", "")
    if not secret or not is_fresh or not hmac.compare_digest(f"sha256={signature}".encode(), given.encode()):
        raise NotFoundError
