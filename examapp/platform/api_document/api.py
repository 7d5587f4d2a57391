"""The OpenAPI document of the API: its calls, with the structs and typed dicts that their bodies are made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, TypedDict

from flask import Blueprint, Response
from msgspec.json import schema_components

from examapp.content.blueprints.queries import PaperBody
from examapp.delivery.attempts import api as attempts
from examapp.delivery.attempts import rules as attempt_rules
from examapp.delivery.corrections import api as corrections
from examapp.delivery.results import api as results
from examapp.learning.practice import api as practice
from examapp.organisation.accounts.guards import public
from examapp.organisation.sign_in import api as sign_in
from examapp.organisation.units.models import Tree
from examapp.oversight.report_exports import api as exports
from examapp.oversight.statistics_definitions.rules import Scope
from examapp.web.json_io import EmptyBody, json_response

_Json = dict[str, Any]
_UNSAFE = (400, 403, 413, 415)


class ErrorBody(TypedDict):
    """A rejection: its code for programs, a Chinese sentence for people."""

    error: str
    message: str


class DocumentedCall(NamedTuple):
    """A call: the bodies of its answers by status (none, one, or one of several), and the statuses of its rejections."""

    method: str
    path: str
    name: str
    summary: str
    answers: dict[int, tuple[Any, ...]]
    rejections: tuple[int, ...]
    body: Any = None
    query: tuple[_Json, ...] = ()


def _query(name: str, **schema: Any) -> _Json:
    return {"name": name, "in": "query", "required": False, "schema": schema}


_AS = _query("as", type="string", enum=["organiser"])
_FIGURES = (
    _query("unit", type="integer", minimum=1),
    _query("depth", type="integer", minimum=0, maximum=9, default=1),
    _query("tree", type="string", enum=list(Tree), default="region"),
    _query("scope", type="string", enum=list(Scope)),
    *(_query(name, type="string", maxLength=50) for name in ("rank", "position")),
    *(_query(name, type="string", format="date") for name in ("since", "until")),
)
_ATTEMPT = (attempts.AttemptBody,)
_SUBMITTED = (attempts.SubmittedBody,)
CALLS = (
    DocumentedCall("get", "/session", "show_session", "谁已登录", {200: (sign_in.SessionBody,)}, (403,)),
    DocumentedCall("post", "/session", "begin_session", "在页面上重新登录", {200: (sign_in.SessionBody,), 403: (sign_in.CaptchaErrorBody,)}, (400, 413, 415, 429), sign_in.SignInRequest),
    DocumentedCall("get", "/exams", "list_exams", "我的考试", {200: (list[attempts.ExamBody],)}, (403,), query=(_AS,)),
    DocumentedCall("post", "/exams/{exam_id}/attempts", "start", "开始作答，或取回进行中的作答", {200: _ATTEMPT, 201: _ATTEMPT, 202: (attempts.QueuedBody,)}, (*_UNSAFE, 409), EmptyBody),
    DocumentedCall("get", "/attempts/{attempt_id}", "get_attempt", "作答现状", {200: _ATTEMPT}, (403,)),
    DocumentedCall("get", "/attempts/{attempt_id}/paper", "get_paper", "试卷", {200: (PaperBody,)}, (403,)),
    DocumentedCall("post", "/attempts/{attempt_id}/epoch", "take_over", "本设备接手作答", {200: (attempts.EpochBody,)}, (*_UNSAFE, 409), EmptyBody),
    DocumentedCall("put", "/attempts/{attempt_id}/answers", "save_answers", "保存", {200: (attempts.SavedBody,)}, (*_UNSAFE, 409, 429), attempt_rules.SaveRequest),
    DocumentedCall("put", "/attempts/{attempt_id}/marks", "mark_unsure", "标记存疑", {204: ()}, (*_UNSAFE, 409), attempt_rules.UnsureMarks),
    DocumentedCall("post", "/attempts/{attempt_id}/events", "record_events", "记录切屏等事件", {204: ()}, _UNSAFE, attempt_rules.EventsRequest),
    DocumentedCall("post", "/attempts/{attempt_id}/submission", "hand_in", "交卷", {200: _SUBMITTED, 201: _SUBMITTED}, (*_UNSAFE, 409), attempt_rules.SubmissionRequest),
    DocumentedCall("get", "/attempts/{attempt_id}/result", "get_result", "成绩", {200: (results.HiddenResultBody, results.ResultBody), 202: (results.GradingBody,)}, (403, 409)),
    DocumentedCall("post", "/corrections", "request_correction", "试算一次更正；带上试算指纹即提交审批", {200: (corrections.DryRunBody,), 201: (corrections.CorrectionBody,)}, (*_UNSAFE, 409), corrections.CorrectionRequest),
    DocumentedCall("get", "/corrections/{correction_id}", "get_correction", "一次更正", {200: (corrections.CorrectionBody,)}, (403,)),
    DocumentedCall("post", "/corrections/{correction_id}/check", "check_correction", "审核更正", {200: (corrections.CorrectionBody,)}, (*_UNSAFE, 409), EmptyBody),
    DocumentedCall("post", "/corrections/{correction_id}/approve", "approve_correction", "批准更正并执行", {200: (corrections.CorrectionBody,)}, (*_UNSAFE, 409), EmptyBody),
    DocumentedCall("post", "/corrections/{correction_id}/reject", "reject_correction", "退回更正", {200: (corrections.CorrectionBody,)}, (*_UNSAFE, 409), EmptyBody),
    DocumentedCall("put", "/practice/items/{item_id}/answer", "answer_item", "回答一道练习题", {200: (practice.PracticeAnsweredBody,)}, (*_UNSAFE, 409, 422), practice.PracticeAnswer),
    DocumentedCall("post", "/practice/runs/{run_id}/submission", "hand_in_mock", "交一份模拟卷", {200: (practice.MockResultBody,)}, (*_UNSAFE, 409), practice.MockSubmission),
    DocumentedCall("get", "/exams/{exam_id}/participation", "show_participation", "参考情况", {200: (exports.ParticipationBody,)}, (400, 403), query=_FIGURES),
    DocumentedCall("post", "/exams/{exam_id}/exports", "request_export", "申请导出；含完整号码的先等另一人同意", {202: (exports.ExportRequestedBody, exports.ApprovalRequestedBody)}, (*_UNSAFE, 409), exports.ExportRequest),
    DocumentedCall("get", "/exports/{export_id}", "show_export", "导出进度", {200: (exports.ExportBody,)}, (403,)),
    DocumentedCall("get", "/exports/{export_id}/file", "download_export", "下载文件", {200: ()}, (403, 409)),
)  # fmt: skip

api_blueprint = Blueprint("document_api", __name__, url_prefix="/api/v1")


@api_blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    """Give the contract as an OpenAPI 3.1 document; it holds nothing that is not public."""
    return json_response(DOCUMENT)


_Schemas = dict[str, _Json]
"""The schema of each body, by the body's name."""


def _make_document() -> _Json:
    schemas, components = _make_schemas()
    paths: _Json = {}
    for call in CALLS:
        paths.setdefault(f"/api/v1{call.path}", {})[call.method] = _describe_call(call, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "学法考试平台 作答协议", "version": "1"},
        "security": [{"session": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "session"}},
        },
    }


def _make_schemas() -> tuple[_Schemas, _Json]:
    """Make the schemas of all bodies, and the components that they refer to."""
    bodies = [
        ErrorBody,
        *(body for call in CALLS for bodies in call.answers.values() for body in bodies),
        *(call.body for call in CALLS if call.body),
    ]
    schemas, components = schema_components(bodies, ref_template="#/components/schemas/{name}")
    return {str(body): schema for body, schema in zip(bodies, schemas, strict=True)}, components


def _describe_call(call: DocumentedCall, schemas: _Schemas) -> _Json:
    rejections = sorted({401, 404, 503, *call.rejections})
    operation = {
        "operationId": call.name,
        "summary": call.summary,
        "parameters": [*_path_parameters(call.path), *call.query],
        "responses": {
            **{
                str(status): {"description": "拒绝", "content": _content([ErrorBody], schemas)} for status in rejections
            },
            **{str(status): _describe_answer(bodies, schemas) for status, bodies in call.answers.items()},
        },
    }
    if call.body is not None:
        operation["requestBody"] = {
            "required": call.body is not EmptyBody,
            "content": _content([call.body], schemas),
        }
    return operation


def _path_parameters(path: str) -> list[_Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _describe_answer(bodies: Sequence[Any], schemas: _Schemas) -> _Json:
    return {"description": "OK", **({"content": _content(bodies, schemas)} if bodies else {})}


def _content(bodies: Sequence[Any], schemas: _Schemas) -> _Json:
    """Describe a body that has one of these shapes."""
    found = [schemas[str(body)] for body in bodies]
    return {"application/json": {"schema": found[0] if len(found) == 1 else {"oneOf": found}}}


DOCUMENT = _make_document()
