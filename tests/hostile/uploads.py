"""Every place that takes a file: where it stands in the code, the view it belongs to, and a form that is right but for the file."""

from __future__ import annotations

import ast
import inspect
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask_wtf import FlaskForm
from PIL import Image
from sqlalchemy import delete, update
from wtforms import FileField, MultipleFileField

from examapp.delivery.exams.models import Exemption
from examapp.oversight.duty_lists.models import DutyList
from tests.architecture.source import ROOT, nodes_of
from tests.helpers.report_templates import docx
from tests.question_bank.books import book

LAW = "测试法\n（2021年1月22日通过）\n第一条　为了测试，制定本法。\n第二条　本法自公布之日起施行。\n"
QUESTIONS = "1. 我国的根本法是（　）。\nA. 宪法\nB. 刑法\n答案：A\n"


def picture() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(target, "PNG")
    return target.getvalue()


def edition() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("edition.txt", "2027 年版")
        archive.writestr("questions/题.txt", "## x-0001 判断题 易\n题干：对吗？\n答案：错误\n解析：不对。\n")
    return target.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadView:
    """A view that takes a file. `good` is a file that it takes, which proves that `fields` lets it come to reading one."""

    endpoint: str
    good: tuple[str, Callable[[], bytes]]
    field: str = "file"
    role: str = "P"
    fields: Callable[[Any], dict[str, Any]] = lambda _scenario: {}
    prepare: Callable[[Any], object] = lambda _connection: None
    """Puts things into the state in which a file is asked for."""

    @property
    def name(self) -> str:
        return f"{self.endpoint} {self.field}"


ROSTER = ("名册.csv", "工号,姓名\nH08-1,张三\n".encode)
PICTURE = ("图.png", picture)


def exemption(scenario) -> dict[str, Any]:
    return {
        "exam_id": str(scenario.things["exam"]["same"]),
        "kind": "exemption",
        "reason": "长期病假",
        "details": "病假",
    }


PLACES = {
    "oversight/duty_records/admin_views.py attach_file": [
        UploadView(endpoint="duties_admin.attach_file", good=PICTURE)
    ],
    "oversight/duty_items/admin_views.py import_list": [
        UploadView(
            endpoint="duties_admin.import_list",
            prepare=lambda connection: connection.execute(update(DutyList).values(state="draft")),
            good=("清单.xlsx", lambda: book(("清单", [["序号", "内容清单", "责任领导"], [1, "宪法", "李四"]]))),
        )
    ],
    "delivery/exemptions/admin_views.py request_exemption": [
        UploadView(
            endpoint="exams_admin.request_exemption",
            good=PICTURE,
            prepare=lambda connection: connection.execute(delete(Exemption)),
            fields=lambda scenario: exemption(scenario) | {"staff_number": scenario.peer_number},
        )
    ],
    "delivery/exemptions/views.py request_mine": [
        UploadView(
            endpoint="exams.request_mine",
            good=PICTURE,
            role="C",
            prepare=lambda connection: connection.execute(delete(Exemption)),
            fields=exemption,
        ),
    ],
    "content/laws/admin_views.py import_texts": [
        UploadView(endpoint="laws_admin.import_texts", field="files", good=("测试法(2021-01-22).txt", LAW.encode))
    ],
    "organisation/units/admin_views.py import_units": [
        UploadView(
            endpoint="org_admin.import_units",
            good=("单位.csv", "单位名称,类别\nH13科,内设机构\n".encode),
            fields=lambda scenario: {"parent_id": str(scenario.here_id)},
        )
    ],
    "organisation/roles/admin_views.py import_roles": [
        UploadView(
            endpoint="people_admin.import_roles",
            role="Y",
            good=("角色.csv", "单位,姓名,角色\nMA,同事,单位管理员\n".encode),
        )
    ],
    "platform/feedback/admin_views.py attach_notice_file": [
        UploadView(endpoint="messages_admin.attach_notice_file", good=PICTURE)
    ],
    "organisation/roster_imports/admin_views.py list_imports": [
        UploadView(
            endpoint="people_admin.list_imports",
            good=ROSTER,
            fields=lambda scenario: {"unit_id": str(scenario.here_id)},
        )
    ],
    "content/question_editing/admin_views.py _take_picture": [
        UploadView(
            endpoint=f"questions_admin.{view}",
            field="picture",
            good=PICTURE,
            fields=lambda _scenario: {"act": "picture"},
        )
        for view in ("add_question", "edit_question")
    ],
    "content/question_editing/admin_views.py upload_picture": [
        UploadView(endpoint="questions_admin.upload_picture", field="picture", good=PICTURE)
    ],
    "platform/bank_updates/admin_views.py list_updates": [
        UploadView(endpoint="bank_updates_admin.list_updates", good=("2027.zip", edition))
    ],
    "content/question_assignments/admin_views.py upload_file": [
        UploadView(
            endpoint="question_assignments_admin.upload_file",
            role="U",
            good=("题.txt", QUESTIONS.encode),
        )
    ],
    "content/question_imports/admin_views.py list_imports": [
        UploadView(
            endpoint="questions_admin.list_imports",
            good=("题.txt", QUESTIONS.encode),
            fields=lambda _scenario: {"format": "auto"},
        ),
        UploadView(
            endpoint="questions_admin.list_imports",
            field="answers",
            good=("答案.txt", lambda: b"1. A\n"),
            fields=lambda _scenario: {"format": "auto", "file": (io.BytesIO(QUESTIONS.encode()), "题.txt")},
        ),
    ],
    "learning/certificates/admin_views.py _edit_template": [
        UploadView(
            endpoint=f"records_admin.{view}",
            field="seal",
            good=PICTURE,
            fields=lambda _scenario: {
                "name": "H13",
                "heading": "证书",
                "body": "【姓名】合格。",
                "signer": "某县普法办",
            },
        )
        for view in ("create_template", "edit_template")
    ],
    "learning/study_events/admin_views.py add_file": [UploadView(endpoint="records_admin.add_file", good=PICTURE)],
    "oversight/report_templates/admin_views.py add_form": [
        UploadView(
            endpoint="reports_designs.add_form",
            good=("模板.docx", lambda: docx("应考 {{ 应考 }} 人")),
            fields=lambda _scenario: {"content": "circular", "note": ""},
        )
    ],
    "learning/course_contents/admin_views.py put_file": [UploadView(endpoint="training_admin.put_file", good=PICTURE)],
    "learning/course_contents/admin_views.py add_to_file": [
        UploadView(endpoint="training_admin.add_to_file", field="pieces", good=PICTURE)
    ],
    "delivery/external_results/admin_views.py list_results": [
        UploadView(
            endpoint="unit_management_admin.list_results",
            good=("成绩.csv", "工号,姓名,成绩\nH08-1,张三,88\n".encode),
            fields=lambda scenario: {
                "exam_id": str(scenario.things["exam"]["same"]),
                "source": "省平台",
                "taken_on": "2026-11-20",
                "possible": "100",
            },
        )
    ],
}
"""By the function that reads the file or makes the form with its field; a test holds that each of them is here."""
UPLOADS = {upload.name: upload for uploads in PLACES.values() for upload in uploads}


def file_fields() -> dict[tuple[str, str], set[str]]:
    """Find the fields for files of every form, by feature and class."""
    found: dict[tuple[str, str], set[str]] = {}
    for form in _below(FlaskForm):
        fields = {
            name
            for name, made in inspect.getmembers(form)
            if issubclass(getattr(made, "field_class", object), FileField | MultipleFileField)
        }
        if fields and form.__module__.startswith("examapp."):
            found[form.__module__.split(".")[1], form.__name__] = fields
    return found


def places_in_code() -> set[str]:
    """Find the functions that read a file or a piece of one, or that make a form with a field for one and read what was sent."""
    forms = file_fields()
    found = set()
    for path in sorted((ROOT / "examapp").rglob("*.py")):
        place = path.relative_to(ROOT / "examapp")
        names = {name for room, name in forms if room == place.parts[0]}
        for function in nodes_of(path):
            if isinstance(function, ast.FunctionDef) and any(_takes_file(node, names) for node in ast.walk(function)):
                found.add(f"{place} {function.name}")
    return found


def _takes_file(node: ast.AST, forms: set[str]) -> bool:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in forms | {"views.add"}
    return isinstance(node, ast.Attribute) and ast.unparse(node) in {"request.files", "request.stream"}


def _below(parent: type) -> Iterator[type]:
    for child in parent.__subclasses__():
        yield child
        yield from _below(child)
