"""The shapes of the delivery protocol's bodies, as JSON Schema."""

from __future__ import annotations

from typing import Any

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
        format={"type": "string", "enum": ["xlsx", "csv", "docx", "pdf"]}, rank=_SHORT, position=_SHORT, since=_DAY, until=_DAY, group=_TEXT, tree={"type": "string", "enum": ["region", "sector"]},
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
