"""Views of one question: preview as a candidate sees it, its article, its editor, its history."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from examapp.content.explained_cases.queries import find_published
from examapp.content.question_editing import actions
from examapp.content.question_editing.forms import (
    KeyForm,
    QuestionForm,
    StateForm,
    form_data,
    key_data,
    key_fields,
    question_of,
)
from examapp.content.question_law_changes.admin_views import under_new_law
from examapp.content.question_review import actions as question_review_actions
from examapp.content.question_search import queries as question_search_queries
from examapp.content.questions import queries as question_queries
from examapp.content.questions.admin_views import admin_blueprint, may_review_alone
from examapp.content.questions.models import QuestionState
from examapp.content.questions.rules import UnfitQuestionError, items_of, prepare
from examapp.db.session import read_session
from examapp.documents.images import UnfitImageError
from examapp.errors import NotFoundError
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import my_user, requires
from examapp.web.params import chosen_number, read_whole
from examapp.web.submit import request_transaction, submit
from question_bank.kinds.registry import PART_KINDS, find_kind, kind_of
from question_bank.model import Kind

PERMISSIONS = {"questions:question:write": {Role.PUBLICITY_OFFICE}}


_NO_REVIEW_NOTE = "preview"


@admin_blueprint.get("/<int:question_id>")
@requires("questions:question:read")
def show_question(question_id: int) -> str:
    """Show a question with its key, articles, versions and corrections; `?version=` shows an older one."""
    session = read_session()
    question = question_queries.get_question(session, question_id)
    version = question_queries.get_version(session, question, chosen_number("version"))
    versions = question_queries.list_versions(session, question.id)
    keys = question_queries.list_keys(session, [each.id for each in versions])
    people = [question.created_by_id, question.reviewed_by_id, *(each.created_by_id for each in versions)]
    people += [key.created_by_id for each in keys.values() for key in each]
    return render_template(
        "questions/show.html",
        question=question,
        version=version,
        items=items_of(version.content),
        keys=keys,
        versions=versions,
        cited=question_queries.list_cited(session, version.id),
        names=question_queries.names_of(session, people),
        is_own=question_queries.is_author(session, version, question, my_user().person_id),
        is_only_reviewer=may_review_alone(),
        is_used=any(each.used_at for each in versions),
        uses=question_queries.list_uses(session, [each.id for each in versions]),
        numbers={each.id: each.number for each in versions},
    )


@admin_blueprint.get("/new")
@requires("questions:question:write")
def choose_kind() -> str:
    """Ask for the kind of a new question."""
    return render_template("questions/new.html")


@admin_blueprint.route("/new/<kind>", methods=["GET", "POST"])
@requires("questions:question:write")
def add_question(kind: str) -> AnyResponse | str:
    """Write a new question."""
    if kind not in set(Kind):
        raise NotFoundError
    form = QuestionForm(data=_empty(Kind(kind)) | _from_case())
    if request.method == "GET" or _change_form(form):
        return _editor(form, title="新增题目")
    with submit("题目已存为草稿。请另一位同事审核后启用。", form=form) as context:
        added = actions.add_question(context, question=question_of(form), state=QuestionState.DRAFT)
        question_id = added.id
    if form.is_rejected:
        return _editor(form, title="新增题目")
    return redirect(url_for(".show_question", question_id=question_id))


def _from_case() -> dict[str, object]:
    """Give what a case of the library that the address names says: facts as material, holding with its source as explanation."""
    case = find_published(read_session(), chosen_number("case"))
    if case is None:
        return {}
    source = f"{case.holding}\n（来源：以案释法案例“{case.title}”）"
    part = {"kind": str(PART_KINDS[0]), "options": [""] * 4, "explanation": source}
    return {"material": case.facts, "law": case.laws.split("、")[0].strip("《》 "), "parts": [part]}


def _empty(kind: Kind) -> dict[str, object]:
    first = kind if kind_of(kind).is_part else PART_KINDS[0]
    return {"kind": str(kind), "parts": [{"kind": str(first), "options": [""] * 4}], "read_version": "0"}


@admin_blueprint.route("/<int:question_id>/edit", methods=["GET", "POST"])
@requires("questions:question:write")
def edit_question(question_id: int) -> AnyResponse | str:
    """Change a question: an unused draft in place, any other as its next version."""
    session = read_session()
    row = question_queries.get_question(session, question_id)
    version = question_queries.get_version(session, row)
    data = form_data(
        question_search_queries.read_question(session, row, version, is_editable=True),
        stamp=question_queries.stamp_of(row, version),
    )
    if request.args.get("under") == "new":
        data = under_new_law(data, question_id, session)
    form = QuestionForm(data=data)
    title = f"修改题目 {row.code}"
    cited = question_queries.list_cited(session, version.id)
    is_next = version.used_at is not None or row.state != QuestionState.DRAFT
    if request.method == "GET" or _change_form(form):
        return _editor(form, title=title, cited=cited, is_next=is_next)
    with submit("修改已保存。审核通过并启用后才会进入新的试卷。", form=form, shown=UnfitQuestionError) as context:
        actions.save_question(
            context,
            question_id=question_id,
            question=question_of(form),
            read_stamp=form.read_version.data or "",
        )
    if form.is_rejected:
        return _editor(form, title=title, cited=question_queries.list_cited(read_session(), version.id))
    return redirect(url_for(".show_question", question_id=question_id))


def _change_form(form: QuestionForm) -> bool:
    """Apply the buttons that change the form itself; return whether it is to be shown again."""
    act = request.form.get("act", "save")
    if act == "add_part":
        form.parts.append_entry({"kind": request.form.get("new_kind"), "options": [""] * 4})
    elif act == "drop_part" and len(form.parts) > 1:
        form.parts.pop_entry()
    elif act.startswith("add_option-"):
        part = read_whole(act.removeprefix("add_option-"), limit=len(form.parts) - 1)
        options = None if part is None else form.parts[part].form.options
        if options is not None and len(options) < options.max_entries:
            options.append_entry("")
    elif act == "picture":
        _take_picture(form)
    elif act == "save":
        return not form.validate_on_submit()
    return True


def _take_picture(form: QuestionForm) -> None:
    file = request.files.get("picture")
    if file is None or not file.filename:
        flash("请先选择图片文件，再点“上传图片”。", "danger")
        return
    try:
        with request_transaction() as context:
            picture = actions.upload_picture(context, content=file.read())
    except UnfitImageError as error:
        flash(error.text, "danger")
        return
    mark = f'<img src="{picture.address}">' if form.is_html.data else f"[图片:{picture.sha256}]"
    kind = find_kind(form.kind.data)
    target = form.parts[0].form.stem if kind is None or kind.is_part else form.material
    target.data = f"{target.data or ''}\n{mark}"
    flash("图片已上传，标记放在题干末尾，可以剪切到需要的位置。", "success")


def _editor(form: QuestionForm, *, title: str, cited: object = (), is_next: bool = False) -> str:
    session = read_session()
    return render_template(
        "questions/edit.html",
        form=form,
        title=title,
        rejection=form.problem,
        cited=cited,
        is_next=is_next,
        preview=_preview(form),
        laws=question_search_queries.list_law_names(session),
    )


def _preview(form: QuestionForm) -> Markup:
    try:
        content = prepare(replace(question_of(form), images=()), review_note=_NO_REVIEW_NOTE).content
    except (UnfitQuestionError, ValueError) as error:
        text = error.text if isinstance(error, UnfitQuestionError) else "请先选择题型。"
        return Markup(render_template("questions/_preview.html", items=[], rejection=text))  # noqa: S704 – a template of our own
    return Markup(render_template("questions/_preview.html", items=items_of(content), rejection=""))  # noqa: S704 – likewise


@admin_blueprint.post("/preview")
@requires("questions:question:write")
def preview() -> str:
    """Return a form's question as a candidate would see it, as an HTML fragment."""
    return _preview(QuestionForm())


@admin_blueprint.post("/pictures")
@requires("questions:question:write")
def upload_picture() -> Response:
    """Store a picture and return the marks for it in plain text and in HTML."""
    file = request.files.get("picture")
    if file is None:
        raise UnfitImageError("请先选择图片文件。")
    with request_transaction() as context:
        picture = actions.upload_picture(context, content=file.read())
    return jsonify({"mark": f"[图片:{picture.sha256}]", "html": f'<img src="{picture.address}">'})


_CORRECTED = "答案已更正，原答案留在历史记录中。题目已回到草稿，请另一位同事审核后再启用。"


@admin_blueprint.route("/<int:question_id>/key", methods=["GET", "POST"])
@requires("questions:question:write")
def correct_key(question_id: int) -> AnyResponse | str:
    """Correct the key of a question's version with a reason, one that papers hold by a correction of grades; the old key stays in the history."""
    session, number = read_session(), chosen_number("version")
    row = question_queries.get_question(session, question_id)
    version = question_queries.get_version(session, row, number)
    if version.used_at is not None:
        return redirect(url_for("corrections_admin.correct_item", question_id=question_id, version=number))
    shown = question_search_queries.read_question(session, row, version, is_editable=True)
    parts = shown.parts or (shown,)
    form = KeyForm(data={"parts": [key_data(part) for part in parts]})
    if form.validate_on_submit() and len(form.parts) == len(parts):
        pairs = [(kind_of(part.kind), key_fields(entry.form)) for part, entry in zip(parts, form.parts, strict=True)]
        with submit(form=form) as context:
            question_review_actions.correct_key(
                context,
                question_id=question_id,
                keys=[kind.key_of_fields(fields) for kind, fields in pairs],
                blanks=[kind.blanks_of_fields(fields) for kind, fields in pairs],
                reason=form.reason.data,
                number=number,
            )
        if not form.is_rejected:
            flash(_CORRECTED, "success")
            return redirect(url_for(".show_question", question_id=question_id))
    items = items_of(version.content)
    return render_template(
        "questions/key.html",
        question=row,
        form=form,
        items=items,
        version=version,
        rejection=form.problem,
    )


@admin_blueprint.post("/<int:question_id>/state")
@requires("questions:question:review")
def set_state(question_id: int) -> AnyResponse:
    """Set a question's state."""
    form = StateForm()
    if not form.validate_on_submit():
        raise NotFoundError
    state = QuestionState(form.state.data)
    back = url_for(".show_question", question_id=question_id)
    with submit(back=back) as context:
        row = question_review_actions.set_state(
            context, question_id=question_id, state=state, is_alone_allowed=may_review_alone()
        )
        code = row.code
    flash(f"题目 {code} 现在是“{question_review_actions.STATE_NAMES[state]}”。", "success")
    return redirect(back)


@admin_blueprint.post("/<int:question_id>/delete")
@requires("questions:question:write")
def delete_question(question_id: int) -> AnyResponse:
    """Delete a question that no paper holds."""
    with submit("题目已删除。", back=url_for(".show_question", question_id=question_id)) as context:
        question_review_actions.delete_question(context, question_id=question_id)
    return redirect(url_for(".list_questions"))
