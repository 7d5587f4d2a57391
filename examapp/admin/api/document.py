"""The OpenAPI document of the delivery protocol, served at `/api/v1/openapi.json`; a test generates requests from it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from examapp.admin.api.shapes import SHAPES, error_answers
from examapp.core.jsonapi import answer
from examapp.people.access import public

api_blueprint = Blueprint("document_api", __name__, url_prefix="/api/v1")

_Json = dict[str, Any]


@api_blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    """Give the contract as an OpenAPI 3.1 document; it holds nothing that is not public."""
    return answer(DOCUMENT)


def _reference(shape: str) -> _Json:
    return {"$ref": f"#/components/schemas/{shape}"}


def _json_of(shape: str) -> _Json:
    return {"application/json": {"schema": _reference(shape)}}


def _path_id(name: str) -> _Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}


def _query(name: str, schema: _Json) -> _Json:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _call(
    name: str,
    summary: str,
    answers: dict[int, str | None],
    refusals: tuple[int, ...] = (),
    *,
    parameters: tuple[_Json, ...] = (),
    body: str | None = None,
    is_body_required: bool = True,
) -> _Json:
    """Describe one call: its answers by status (None for an empty one), and the statuses of its refusals."""
    given = {
        str(status): {"description": "OK", **({"content": _json_of(shape)} if shape else {})}
        for status, shape in answers.items()
    }
    call: _Json = {
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": given | error_answers((401, 404, 503, *refusals)),
    }
    if body is not None:
        call["requestBody"] = {"required": is_body_required, "content": _json_of(body)}
    return call


_EXAM, _ATTEMPT, _EXPORT = _path_id("exam_id"), _path_id("attempt_id"), _path_id("export_id")
_ITEM = _path_id("item_id")
_UNSAFE = (400, 403, 413, 415)
_AS = _query("as", {"type": "string", "enum": ["organiser"]})
_FIGURES = (
    _query("unit", {"type": "integer", "minimum": 1}),
    _query("depth", {"type": "integer", "minimum": 0, "maximum": 9, "default": 1}),
    _query("tree", {"type": "string", "enum": ["region", "sector"], "default": "region"}),
    _query("scope", {"type": "string", "enum": ["this", "final"]}),
    *(_query(name, {"type": "string", "maxLength": 50}) for name in ("rank", "position")),
    *(_query(name, {"type": "string", "format": "date"}) for name in ("since", "until")),
)

_PATHS: _Json = {
    "/api/v1/session": {
        "get": _call("show_session", "谁已登录", {200: "Session"}, (403,)),
        "post": _call("begin_session", "在页面上重新登录", {200: "Session", 403: "CaptchaError"}, (400, 413, 415, 429), body="SignIn"),
    },
    "/api/v1/exams": {"get": _call("list_exams", "我的考试", {200: "Exams"}, (403,), parameters=(_AS,))},
    "/api/v1/exams/{exam_id}/attempts": {
        "post": _call(
            "start", "开始作答，或取回进行中的作答", {200: "Attempt", 201: "Attempt", 202: "Queued"}, (*_UNSAFE, 409),
            parameters=(_EXAM,), body="Empty", is_body_required=False,
        )
    },
    "/api/v1/attempts/{attempt_id}": {"get": _call("get_attempt", "作答现状", {200: "Attempt"}, (403,), parameters=(_ATTEMPT,))},
    "/api/v1/attempts/{attempt_id}/paper": {"get": _call("get_paper", "试卷", {200: "Paper"}, (403,), parameters=(_ATTEMPT,))},
    "/api/v1/attempts/{attempt_id}/epoch": {
        "post": _call(
            "take_over", "本设备接手作答", {200: "Epoch"}, (*_UNSAFE, 409), parameters=(_ATTEMPT,), body="Empty", is_body_required=False
        )
    },
    "/api/v1/attempts/{attempt_id}/answers": {
        "put": _call("save_answers", "保存", {200: "Saved"}, (*_UNSAFE, 409, 429), parameters=(_ATTEMPT,), body="Save")
    },
    "/api/v1/attempts/{attempt_id}/marks": {
        "put": _call("mark_unsure", "标记存疑", {204: None}, (*_UNSAFE, 409), parameters=(_ATTEMPT,), body="Marks")
    },
    "/api/v1/attempts/{attempt_id}/events": {
        "post": _call("record_events", "记录切屏等事件", {204: None}, _UNSAFE, parameters=(_ATTEMPT,), body="Events")
    },
    "/api/v1/attempts/{attempt_id}/submission": {
        "post": _call("hand_in", "交卷", {200: "Submitted", 201: "Submitted"}, (*_UNSAFE, 409), parameters=(_ATTEMPT,), body="Submission")
    },
    "/api/v1/attempts/{attempt_id}/result": {
        "get": _call("get_result", "成绩", {200: "Result", 202: "Grading"}, (403, 409), parameters=(_ATTEMPT,))
    },
    "/api/v1/practice/items/{item_id}/answer": {
        "put": _call("answer_item", "回答一道练习题", {200: "PracticeAnswered"}, (*_UNSAFE, 409, 422), parameters=(_ITEM,), body="PracticeAnswer")
    },
    "/api/v1/exams/{exam_id}/participation": {
        "get": _call("show_participation", "参考情况", {200: "Participation"}, (400, 403), parameters=(_EXAM, *_FIGURES))
    },
    "/api/v1/exams/{exam_id}/exports": {
        "post": _call("request_export", "申请导出；含完整号码的先等另一人同意", {202: "ExportAsked"}, (*_UNSAFE, 409), parameters=(_EXAM,), body="ExportRequest")
    },
    "/api/v1/exports/{export_id}": {"get": _call("show_export", "导出进度", {200: "Export"}, (403,), parameters=(_EXPORT,))},
    "/api/v1/exports/{export_id}/file": {
        "get": _call("download_export", "下载文件", {200: None}, (403, 409), parameters=(_EXPORT,))
    },
}  # fmt: skip

DOCUMENT: _Json = {
    "openapi": "3.1.0",
    "info": {"title": "学法考试平台 作答协议", "version": "1"},
    "security": [{"session": []}],
    "paths": _PATHS,
    "components": {
        "schemas": SHAPES,
        "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "session"}},
    },
}
