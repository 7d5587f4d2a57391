"""A unit writes a case and hands it in; the office takes it into the library once nobody can be known from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy.orm import Session

from examapp.content.explained_cases.models import ExplainedCase
from examapp.content.explained_cases.queries import get_case, suspected_names
from examapp.content.explained_cases.rules import CaseState, find_numbers
from examapp.errors import ConflictError, DomainError
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.access.rules import AccessScope
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {
    "cases.add": "新建以案释法案例",
    "cases.change": "修改以案释法案例",
    "cases.submit": "报送以案释法案例",
    "cases.publish": "以案释法案例入库",
    "cases.return": "退回以案释法案例",
}
AUDIT_OBJECTS = {"explained_case": "以案释法案例"}


class InvalidCaseError(DomainError):
    """A case cannot be taken so; the message says what to do."""

    code = "case_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseContent:
    """What the unit writes."""

    title: str
    laws: str
    facts: str
    holding: str
    lesson: str


def add_case(context: ActionContext, *, unit_id: int, content: CaseContent, access: AccessScope) -> ExplainedCase:
    """Keep a new case of a unit within the access scope as a draft; rejects numbers of persons."""
    get_unit_within(context.session, unit_id, access)
    _check(content)
    now = context.now
    case = ExplainedCase(
        unit_id=unit_id, version=1, created_by_id=context.actor.person_id, created_at=now, updated_at=now, **asdict(content)
    )  # fmt: skip
    context.session.add(case)
    context.session.flush()
    record(context, "cases.add", object_type="explained_case", object_id=case.id)
    return case


def _check(content: CaseContent) -> None:
    numbers = find_numbers("\n".join(asdict(content).values()))
    if numbers:
        raise InvalidCaseError(f"内容中有{'、'.join(numbers)}。请删去或改为“××”后再保存。")


def change_case(
    context: ActionContext, *, case_id: int, version: int, content: CaseContent, access: AccessScope
) -> ExplainedCase:
    """Change a draft that is still as the form showed it."""
    case = _draft(context.session, case_id, access)
    if case.version != version:
        raise ConflictError("案例刚才已被他人修改。请刷新页面，看过新的内容后再改。")
    _check(content)
    for name, value in asdict(content).items():
        setattr(case, name, value)
    case.version, case.updated_at = version + 1, context.now
    record(context, "cases.change", object_type="explained_case", object_id=case.id)
    return case


def _draft(session: Session, case_id: int, access: AccessScope) -> ExplainedCase:
    case = get_case(session, case_id, access, is_own=True, has_lock=True)
    if case.state != CaseState.DRAFT:
        raise ConflictError("案例已报送或已入库，不能再改。需要修改的，请普法办退回。")
    return case


def submit_case(context: ActionContext, *, case_id: int, access: AccessScope) -> None:
    """Hand a draft to the office."""
    case = _draft(context.session, case_id, access)
    case.state, case.remark, case.updated_at = CaseState.SUBMITTED, "", context.now
    case.version += 1
    record(context, "cases.submit", object_type="explained_case", object_id=case.id)


def publish_case(context: ActionContext, *, case_id: int, is_anonymised: bool, access: AccessScope) -> None:
    """Take a submitted case into the library; rejected until the reviewer confirms that no person can be known from it."""
    case = get_case(context.session, case_id, access, is_own=True, has_lock=True)
    if case.state != CaseState.SUBMITTED:
        raise ConflictError("案例不在待审核中。请刷新页面查看。")
    if not is_anonymised:
        names = suspected_names(context.session, case)
        found = f"内容中可能有真实姓名：{'、'.join(names)}。" if names else ""
        raise InvalidCaseError(f"{found}请核对当事人身份信息，确认已隐去并勾选后再入库；没有隐去的请退回。")
    case.state, case.is_anonymised = CaseState.PUBLISHED, True
    _reviewed(context, case)
    record(context, "cases.publish", object_type="explained_case", object_id=case.id)


def return_case(context: ActionContext, *, case_id: int, remark: str, access: AccessScope) -> None:
    """Give a case back to its unit with the reason, also one of the library: what was made of it stays."""
    case = get_case(context.session, case_id, access, is_own=True, has_lock=True)
    if case.state == CaseState.DRAFT:
        raise ConflictError("案例已在单位修改中，不用再退回。")
    if not remark:
        raise InvalidCaseError("请写明退回理由，让单位知道改什么。")
    case.state, case.is_anonymised, case.remark = CaseState.DRAFT, False, remark
    _reviewed(context, case)
    record(context, "cases.return", object_type="explained_case", object_id=case.id)


def _reviewed(context: ActionContext, case: ExplainedCase) -> None:
    case.reviewed_by_id, case.reviewed_at, case.updated_at = context.actor.person_id, context.now, context.now
    case.version += 1
