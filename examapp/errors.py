"""Rejections: one base class, and one handler that answers pages and JSON alike, in Chinese, with what to do next."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

import structlog
from flask import Blueprint, Response, current_app, g, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

log = structlog.get_logger()
blueprint = Blueprint("errors", __name__)

_RETRY_AFTER_S = 3
_AWAY_STATES = ("08", "25", "40", "53", "55", "57", "58", "XX")
"""SQLSTATE classes that pass by themselves: connection, a state no transaction goes on from, deadlock, resources, lock timeout, shutdown, system, internal."""
_RECEIVED = "QR001"
"""What a trigger raises where a site of a province would change a row that belongs to another (`flask province subscribe`)."""


class DomainError(Exception):
    """A rejection that a person can act upon: a code for programs, a sentence in Chinese for people."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    message: ClassVar[str] = "这项操作现在不能进行。"

    def __init__(self, message: str | None = None, **extra: Any) -> None:
        super().__init__(message or self.message)
        self.extra = extra

    @property
    def text(self) -> str:
        """The sentence for people."""
        return str(self.args[0])


class NotFoundError(DomainError):
    """What does not exist and what is not yours are the same answer."""

    code = "not_found"
    status = 404
    message = "没有找到您要的内容。请从首页重新进入。"


class BadRequestError(DomainError):
    """The request's shape is wrong."""

    code = "bad_request"
    status = 400
    message = "请求的内容不完整或格式不对，请刷新页面后重试。"


class ActiveAttemptError(DomainError):
    """Keys and explanations rest while the person has an attempt in progress in an exam that counts."""

    code = "sitting_now"
    message = "您正在考试，练习、题库和答案解析暂时不能使用。请交卷后再来。"


class TryAgainError(DomainError):
    """A passing fault of ours; the caller repeats the call after `Retry-After`."""

    code = "try_again"
    status = 503
    message = "服务器正忙，请稍等几秒再试。"


class ConflictError(DomainError):
    """Somebody else, or an earlier press of the same button, has changed the thing meanwhile."""

    code = "conflict"
    message = "内容已被他人修改，请刷新页面后再操作。"


NO_COOKIE = "浏览器没有保存登录信息（Cookie）。请再登录一次；仍然不行的，请关闭无痕模式，或在浏览器设置中允许 Cookie。"
_HTTP_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "not_found",
    413: "too_large",
    415: "not_json",
    429: "slow_down",
}
_HTTP_MESSAGES = {
    400: BadRequestError.message,
    403: "您没有办理这项业务的权限。如需办理，请联系本单位管理员。",
    404: NotFoundError.message,
    405: NotFoundError.message,
    413: "提交的内容太大，请减小后重试。",
    415: "只接受 JSON 格式的内容。",
}


def wants_json() -> bool:
    """Tell whether the caller speaks JSON: every path below `/api/`."""
    return request.path.startswith("/api/")


def error_response(
    code: str, status: int, message: str, extra: dict[str, Any] | None = None, *, is_script: bool = False
) -> Response:
    """Answer a rejection as JSON or as a page, by the path that was called; to a page's own script always as JSON."""
    if is_script or wants_json():
        response = jsonify({"error": code, "message": message, **(extra or {})})
    else:
        response = Response(render_template("error.html", status=status, message=message, extra=extra or {}))
    response.status_code = status
    if status in {429, 503}:
        response.headers["Retry-After"] = str((extra or {}).get("retry_after", _RETRY_AFTER_S))
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.app_errorhandler(DomainError)
def handle_domain_error(error: DomainError) -> Response:
    """Answer a DomainError; its code stays with the request, for what looks after rejections."""
    g.rejection = error.code
    return error_response(error.code, error.status, error.text, error.extra)


@blueprint.app_errorhandler(CSRFError)
def handle_csrf_error(_error: CSRFError) -> Response:
    """Answer a missing or foreign form token; a page whose browser kept no cookie at all would fail again after every reload."""
    if current_app.config["SESSION_COOKIE_NAME"] not in request.cookies and not wants_json():
        return error_response("csrf_failed", 403, NO_COOKIE)
    return error_response("csrf_failed", 403, "页面已过期，请刷新后重试。您已保存的内容不受影响。")


@blueprint.app_errorhandler(HTTPException)
def handle_http_error(error: HTTPException) -> Response:
    """Answer what the router or a parser rejected."""
    if error.response is not None or (error.code or 500) < 400:
        return Response(error.get_response().get_data(), error.code or 302, dict(error.get_response().headers))
    status = 404 if error.code == 405 else (error.code or 500)
    message = _HTTP_MESSAGES.get(status, "服务器没有能够完成这项操作，请稍后再试。")
    return error_response(_HTTP_CODES.get(status, "refused"), status, message)


@blueprint.app_errorhandler(PoolTimeoutError)
@blueprint.app_errorhandler(DBAPIError)
def handle_database_error(error: Exception) -> Response:
    """Answer 503 while the database is away, never a 200 without a commit, and 400 to what no column can hold (NUL, a number past 2^63).

    Anything else is a fault of ours.
    """
    if isinstance(error, PoolTimeoutError) or _is_away(error):
        log.warning("database_away", error=type(error).__name__)
        return error_response(TryAgainError.code, 503, TryAgainError.message)
    if isinstance(error, DataError):
        log.warning("value_refused", endpoint=request.endpoint)
        return error_response(BadRequestError.code, BadRequestError.status, BadRequestError.message)
    if getattr(getattr(error, "orig", None), "sqlstate", "") == _RECEIVED:
        return error_response(
            ConflictError.code, ConflictError.status, "这条数据来自省里或别的分区，只能在那里修改，改后会自动传到本站。"
        )
    return handle_unexpected(error)


def _is_away(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return (
        error.connection_invalidated
        or state.startswith(_AWAY_STATES)
        or (not state and isinstance(error, OperationalError | InterfaceError))
    )


@blueprint.app_errorhandler(Exception)
def handle_unexpected(error: Exception) -> Response:
    """Answer a fault of ours with a number that support can find in the log."""
    reference = secrets.token_hex(4)
    log.error("unexpected_error", reference=reference, exc_info=error)
    return error_response(
        "internal", 500, f"系统出了点问题，已自动记录（编号 {reference}）。请稍后重试，或将编号告诉管理员。"
    )
