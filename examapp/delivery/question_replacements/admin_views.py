"""The page on which the office replaces a bad question in papers not yet started."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from examapp.db.session import read_session
from examapp.delivery.exams.admin_views import admin_blueprint
from examapp.delivery.exams.queries import get_organiser_exam
from examapp.delivery.question_replacements import actions
from examapp.organisation.accounts.guards import my_access, requires
from examapp.web.forms import FlaskForm
from examapp.web.submit import status_of, submit

_WRITE = "exams:exam:write"


class ReplacementForm(FlaskForm):
    """Which question, and why."""

    code = StringField("题号", validators=[InputRequired("请填写题号。"), Length(max=40, message="题号太长，请核对。")])
    reason = StringField(
        "原因", validators=[InputRequired("请写明换题的原因。"), Length(max=300, message="最多 300 个字。")]
    )


@admin_blueprint.route("/<int:exam_id>/replacements", methods=["GET", "POST"])
@requires(_WRITE)
def replace_question(exam_id: int) -> Response | tuple[str, int]:
    """Replace a question in the papers of an exam that nobody has started."""
    access = my_access(_WRITE)
    exam, form = get_organiser_exam(read_session(), exam_id, access), ReplacementForm()
    if form.validate_on_submit():
        with submit(form=form, field="code") as context:
            done = actions.replace_question(
                context, exam_id=exam_id, code=form.code.data, reason=form.reason.data, access=access
            )
            text = f"已停用这道题，{done.replaced} 份还没开始的试卷正在重新抽题。"
            begun = f"另有 {done.begun} 份已经开始，没有改动，考后请在题目页点“更正成绩”处理。" if done.begun else ""
        if not form.is_rejected:
            flash(text + begun, "success")
            return redirect(url_for("exams_admin.show_exam", exam_id=exam_id), 303)
    return render_template("exams/replace.html", exam=exam, form=form), status_of(form)
