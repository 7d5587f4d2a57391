"""The paper on record of one attempt, for a reason and audited; and receipts, genuine or not."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from examapp import clock
from examapp.db.session import read_session
from examapp.delivery.attempt_records import queries
from examapp.delivery.exams.actions import may_hold
from examapp.delivery.exams.models import SCORING_RULE_NAMES
from examapp.delivery.grading.rules import BAND_NAMES
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import may, my_access, my_user, requires, shows_keys, signed_in
from examapp.platform.audit.actions import record
from examapp.web.forms import FlaskForm
from examapp.web.submit import request_transaction, status_of
from question_bank.kinds.registry import KIND_NAMES

PERMISSIONS = {
    # See anybody's paper with answers and keys, for a reason that is kept.
    "attempts:record:read": {Role.PUBLICITY_OFFICE, Role.SECURITY_ADMIN},
    # See whose a receipt is.
    "attempts:receipt:read": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE, Role.SECURITY_ADMIN},
}
AUDIT_ACTS = {"attempts.show_record": "查看答卷"}
admin_blueprint = Blueprint("attempt_records_admin", __name__)
_READ, _RECEIPT = "attempts:record:read", "attempts:receipt:read"


class AttemptRecordForm(FlaskForm):
    """Why somebody's paper is looked at."""

    reason = StringField(
        "查看理由",
        validators=[
            DataRequired("请写明查看这份答卷的理由，例如：成绩复核申请。"),
            Length(max=300, message="最多 300 个字。"),
        ],
    )


@admin_blueprint.route("/admin/attempts/<int:attempt_id>/record", methods=["GET", "POST"])
@requires(_READ)
@shows_keys
def show_record(attempt_id: int) -> tuple[str, int]:
    """Show the paper on record, to read or print, once the reason was given; leaves an audit line each time."""
    session, access = read_session(), my_access(_READ)
    found = queries.get_attempt_record(session, attempt_id, access)
    form = AttemptRecordForm()
    if not form.validate_on_submit():
        return render_template("grading/record_reason.html", found=found, form=form), status_of(form)
    with request_transaction() as context:
        details = {"reason": form.reason.data.strip()}
        record(
            context,
            "attempts.show_record",
            object_type="attempt",
            object_id=attempt_id,
            person_id=found.attempt.person_id,
            details=details,
        )
    page = render_template(
        "grading/record.html",
        found=found,
        reason=form.reason.data.strip(),
        event_names=queries.EVENT_NAMES,
        band_names=BAND_NAMES,
        scoring_names=SCORING_RULE_NAMES,
        kind_names={str(kind): name for kind, name in KIND_NAMES.items()},
        may_annul=may("grading:correction:request") and may_hold(session, found.exam.audiences, access),
        now=clock.now(),
    )
    return page, 200


@admin_blueprint.get("/receipts")
@signed_in
def find_receipt() -> str:
    """Tell whether a receipt is genuine; whose it is only to oneself, and to who manages the person's unit."""
    number = request.args.get("number", "").strip().upper()[:40]
    access = my_access(_RECEIPT) if may(_RECEIPT) else None
    found = queries.find_receipt(read_session(), number, access) if number else None
    is_named = found is not None and (found.is_within or found.person_id == my_user().person_id)
    return render_template(
        "grading/receipt_lookup.html",
        number=number,
        found=found,
        is_named=is_named,
        may_read=is_named and found is not None and found.is_within and may(_READ),
    )
