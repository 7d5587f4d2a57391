"""Evidence packs: ask for one, see what was made, download one's own."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, current_app, redirect, render_template, send_file, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField, StringField
from wtforms.validators import InputRequired, Length

from examapp.db.session import read_session
from examapp.delivery.evidence import actions, queries
from examapp.delivery.exams.queries import get_exam
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import my_user, requires, shows_keys
from examapp.web.forms import FlaskForm
from examapp.web.submit import request_transaction, status_of, submit

PERMISSIONS = {
    # Ask for the evidence pack of an exam, and download it.
    "grading:pack:export": {Role.PUBLICITY_OFFICE},
    # Allow one.
    "grading:pack:approve": {Role.SECURITY_ADMIN},
}
admin_blueprint = Blueprint("evidence_admin", __name__, url_prefix="/admin/evidence")
_EXPORT = "grading:pack:export"


class PackForm(FlaskForm):
    """What a pack is for."""

    reason = StringField(
        "用途", validators=[InputRequired("请写明用途，例如：上级抽查。"), Length(max=300, message="最多 300 个字。")]
    )
    has_names = BooleanField("附上姓名对照")


@admin_blueprint.route("/exams/<int:exam_id>", methods=["GET", "POST"])
@requires(_EXPORT, everywhere=True)
@shows_keys
def show_packs(exam_id: int) -> Response | tuple[str, int]:
    """Show the packs of an exam, and ask for one."""
    session = read_session()
    exam, form = get_exam(session, exam_id), PackForm()
    if form.validate_on_submit():
        with submit("申请已提交。安全管理员同意后开始制作，做好后回到本页下载。", form=form) as context:
            actions.request_pack(context, exam_id, reason=form.reason.data, has_names=form.has_names.data)
        if not form.is_rejected:
            return redirect(url_for("evidence_admin.show_packs", exam_id=exam_id), 303)
    public_key = actions.signer_from(current_app.config["SETTINGS"]).public_key().public_bytes_raw().hex()
    page = render_template(
        "evidence/packs.html", exam=exam, form=form, packs=queries.list_packs(session, exam_id), public_key=public_key
    )
    return page, status_of(form)


@admin_blueprint.get("/<int:pack_id>/file")
@requires(_EXPORT, everywhere=True)
@shows_keys
def download_pack(pack_id: int) -> Response:
    """Hand out one's own pack; leaves an audit line."""
    with request_transaction() as context:
        pack = queries.get_own_pack(context.session, pack_id, my_user().person_id)
        content, name = actions.download_pack(context, pack), pack.file_name
    return send_file(BytesIO(content), download_name=name, as_attachment=True, max_age=0)
