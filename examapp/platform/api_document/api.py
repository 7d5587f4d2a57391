"""The shapes of the delivery protocol's bodies, as JSON Schema."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from examapp.organisation.accounts.guards import public
from examapp.oversight.report_files.actions import RENDERERS
from examapp.web.json_io import answer
from question_bank.kinds.registry import PART_KINDS

_Json = dict[str, Any]


def _object(required: str, /, **properties: _Json) -> _Json:
    return {"type": "object", "properties": properties, "required": required.split()}


def _list(of: _Json, **limits: int) -> _Json:
    return {"type": "array", "items": of, **limits}


def _maybe(schema: _Json) -> _Json:
    return {"anyOf": [schema, {"type": "null"}]}


_TEXT: _Json = {"type": "string"}
_SHORT: _Json = {"type": "string", "maxLength": 50}
_DAY: _Json = {"type": "string", "format": "date"}
_FLAG: _Json = {"type": "boolean"}
_ID: _Json = {"type": "integer", "minimum": 1}
_COUNT: _Json = {"type": "integer", "minimum": 0}
_SEQ: _Json = {"type": "integer", "minimum": 1, "maximum": 2**53 - 1}
_EPOCH: _Json = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
_INSTANT: _Json = {"type": "string", "format": "date-time"}
_DECIMAL: _Json = {"type": "string", "pattern": r"^-?\d+\.\d\d$"}
_RESPONSE = _list(_TEXT)
_UNIT = _object("id name", id=_ID, name=_TEXT)
_RECEIPT = _object(
    "number submitted_at answered total sha256 forced",
    number=_TEXT, submitted_at=_INSTANT, answered=_COUNT, total=_COUNT, sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"}, forced=_FLAG,
)  # fmt: skip
_CHANGE = _object("item seq response", item=_COUNT, seq=_SEQ, response=_RESPONSE)
_KIND: _Json = {
    "type": "string",
    "enum": [str(kind) for kind in PART_KINDS],
}
_PAPER_ITEM = _object(
    "item kind points stem material blanks options",
    item=_ID, kind=_KIND, points=_DECIMAL, stem=_TEXT, material=_maybe(_TEXT), blanks=_maybe(_ID),
    options=_list(_object("key text", key=_TEXT, text=_TEXT)),
)  # fmt: skip
_RESULT_ITEM = _object(
    "item response points key explanation article",
    item=_ID, response=_RESPONSE, points=_DECIMAL, key=_RESPONSE, explanation=_TEXT, article=_TEXT,
)  # fmt: skip
_FIGURE_ROW = _object(
    "unit_id code name parent_id roster exempt deferred eligible participated passed excellent participation_rate pass_rate "
    "pass_of_eligible_rate excellence_rate mean_points",
    unit_id=_ID, code=_TEXT, name=_TEXT, parent_id=_maybe(_ID), roster=_COUNT, exempt=_COUNT, deferred=_COUNT, eligible=_COUNT,
    participated=_COUNT, passed=_COUNT, excellent=_COUNT, participation_rate=_maybe(_DECIMAL), pass_rate=_maybe(_DECIMAL),
    pass_of_eligible_rate=_maybe(_DECIMAL), excellence_rate=_maybe(_DECIMAL), mean_points=_maybe(_DECIMAL),
)  # fmt: skip
_EXPORT_STATE: _Json = {"type": "string", "enum": ["waiting", "running", "ready", "failed", "expired"]}
_EXAM = _object(
    "id title kind opens_at closes_at duration_s attempts_used attempts_allowed state",
    id=_ID, title=_TEXT, kind=_TEXT, opens_at=_INSTANT, closes_at=_INSTANT, duration_s=_ID, attempts_used=_COUNT,
    attempts_allowed=_maybe(_ID), state={"type": "string", "enum": ["upcoming", "open", "closed"]},
)  # fmt: skip

SHAPES: _Json = {
    "Error": _object("error message", error=_TEXT, message=_TEXT),
    "Empty": {"type": "object"},
    "SignIn": _object("login_name password", login_name=_TEXT, password=_TEXT, captcha_id=_TEXT, captcha=_TEXT),
    "CaptchaError": _object("error message", error=_TEXT, message=_TEXT, captcha_id=_TEXT, image={"type": "string", "contentEncoding": "base64"}),
    "Session": _object(
        "person csrf_token server_time", person=_object("id name unit", id=_ID, name=_TEXT, unit=_UNIT), csrf_token=_TEXT, server_time=_INSTANT
    ),
    "Exams": _list(_EXAM),
    "Queued": _object("state place wait_s", state={"const": "queued"}, place=_COUNT, wait_s=_COUNT),
    "Attempt": _object(
        "id exam_id number state started_at deadline_at server_time epoch next_save_ms answers unsure receipt",
        id=_ID, exam_id=_ID, number=_ID, state={"type": "string", "enum": ["in_progress", "submitted", "graded"]}, started_at=_INSTANT,
        deadline_at=_INSTANT, server_time=_INSTANT, epoch=_EPOCH, next_save_ms=_COUNT,
        answers=_list(_object("item epoch seq response", item=_ID, epoch=_EPOCH, seq=_SEQ, response=_RESPONSE)), unsure=_list(_ID),
        receipt=_maybe(_RECEIPT),
    ),
    "Paper": _object("sections", sections=_list(_object("title instructions items", title=_TEXT, instructions=_TEXT, items=_list(_PAPER_ITEM)))),
    "Epoch": _object("epoch", epoch=_EPOCH),
    "Save": _object("epoch changes", epoch=_EPOCH, changes=_list(_CHANGE, maxItems=200)),
    "Saved": _object(
        "acked refused epoch server_time deadline_at next_save_ms notice",
        acked={"type": "object", "additionalProperties": _SEQ}, refused={"type": "object", "additionalProperties": _TEXT}, epoch=_EPOCH,
        server_time=_INSTANT, deadline_at=_INSTANT, next_save_ms=_COUNT, notice=_maybe(_TEXT),
    ),
    "Marks": _object("epoch unsure", epoch=_EPOCH, unsure=_list(_ID)),
    "Events": _object(
        "events",
        events=_list(
            _object(
                "n type", n=_COUNT, type={"type": "string", "enum": ["focus_loss", "screen_off", "offline", "resume"]},
                client_at=_maybe(_INSTANT), duration_ms=_maybe(_COUNT),
            ),
            maxItems=200,
        ),
    ),
    "Submission": _object("epoch answers", epoch=_EPOCH, answers=_list(_CHANGE, maxItems=1000)),
    "Submitted": _object("receipt refused", receipt=_RECEIPT, refused={"type": "object", "additionalProperties": _TEXT}),
    "PracticeAnswer": _object("response", response=_RESPONSE, unsure=_FLAG),
    "PracticeAnswered": _object("is_new server_time", is_new=_FLAG, server_time=_INSTANT),
    "Grading": _object("state", state={"const": "grading"}),
    "Result": {
        "oneOf": [
            _object("state published publish_at", state=_TEXT, published={"const": False}, publish_at=_maybe(_INSTANT)),
            _object(
                "state published points points_possible percent band passed items",
                state=_TEXT, published={"const": True}, points=_DECIMAL, points_possible=_DECIMAL, percent=_DECIMAL,
                band={"type": "string", "enum": ["excellent", "good", "pass", "fail"]}, passed=_FLAG, items=_maybe(_list(_RESULT_ITEM)),
            ),
        ]
    },
    "Participation": _object("as_of definitions rows", as_of=_INSTANT, definitions={}, rows=_list(_FIGURE_ROW)),
    "ExportRequest": _object(
        "unit content format", unit=_ID, content={"type": "string", "enum": ["scores", "participation", "absent", "score_sheet", "circular"]},
        format={"type": "string", "enum": list(RENDERERS)}, rank=_SHORT, position=_SHORT, since=_DAY, until=_DAY, group=_TEXT, tree={"type": "string", "enum": ["region", "sector"]},
        scope={"type": "string", "enum": ["this", "final"]}, numbers={"type": "string", "enum": ["none", "masked", "whole"]}, reason=_TEXT,
    ),
    "ExportAsked": {
        "oneOf": [
            _object("export", export=_object("id state", id=_ID, state=_EXPORT_STATE)),
            _object("approval", approval=_object("id state", id=_ID, state={"const": "waiting"})),
        ]
    },
    "Export": _object("id state done total message", id=_ID, state=_EXPORT_STATE, done=_COUNT, total=_COUNT, message=_TEXT),
}  # fmt: skip


def error_answers(statuses: tuple[int, ...]) -> _Json:
    """Describe refusals: each a body of code and sentence."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {str(status): {"description": "拒绝", "content": content} for status in sorted(set(statuses))}


api_blueprint = Blueprint("document_api", __name__, url_prefix="/api/v1")


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


_EXAM_PARAMETER, _ATTEMPT, _EXPORT = _path_id("exam_id"), _path_id("attempt_id"), _path_id("export_id")
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
            parameters=(_EXAM_PARAMETER,), body="Empty", is_body_required=False,
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
        "get": _call("show_participation", "参考情况", {200: "Participation"}, (400, 403), parameters=(_EXAM_PARAMETER, *_FIGURES))
    },
    "/api/v1/exams/{exam_id}/exports": {
        "post": _call("request_export", "申请导出；含完整号码的先等另一人同意", {202: "ExportAsked"}, (*_UNSAFE, 409), parameters=(_EXAM_PARAMETER,), body="ExportRequest")
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
