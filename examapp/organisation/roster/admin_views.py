"""Pages of the back office: the roster, one person, and what happens to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.db.session import read_session
from examapp.documents.html import normalise
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import get_unit_within, list_role_grants
from examapp.organisation.access.rules import NO_ACCESS, ROLE_NAMES, Role
from examapp.organisation.accounts.guards import cipher, may, menu_entry, my_access, requires
from examapp.organisation.dual_control.queries import list_open_about
from examapp.organisation.dual_control.rules import ACCOUNT_ACTS
from examapp.organisation.mfa import actions as mfa_actions
from examapp.organisation.passwords.actions import is_separated
from examapp.organisation.people.models import Person
from examapp.organisation.people.queries import (
    PAGE_SIZE,
    PeopleListFilter,
    find_account,
    get_person_within,
    guarded_role_of,
    list_moves,
    list_planned,
    masked_numbers,
)
from examapp.organisation.people.queries import list_people as people_of
from examapp.organisation.people.rules import normalise_id_number, normalise_mobile
from examapp.organisation.roster import actions
from examapp.organisation.roster.actions import MAX_A_DAY, PersonFacts, reveal_numbers
from examapp.organisation.roster.forms import LEAVE_KINDS, STATE_NAMES, LeaveForm, PersonForm, RevealForm, TransferForm
from examapp.organisation.roster_moves import actions as roster_move_actions
from examapp.organisation.roster_moves.actions import SECONDMENT, Move, move_person
from examapp.organisation.units.admin_views import (
    READ,
    SECOND_PERSON_REQUESTED,
    WRITE,
    address_of_search,
    admin_blueprint,
    may_touch_guarded,
    unit_choices,
    units_within,
)
from examapp.platform.audit.actions import ActionContext
from examapp.web.params import chosen_page, read_whole
from examapp.web.query_encryption import requested_search_text
from examapp.web.submit import request_transaction, submit

PERMISSIONS = {
    "people:person:read": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE, Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN},
    "people:person:write": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE, Role.SYSTEM_ADMIN},
    # One person's whole ID number and mobile on the screen, with a reason.
    "people:number:reveal": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE},
}


_MOVE_NAMES = {
    "join": "登记",
    "transfer": "调动",
    "secondment": "借调",
    "secondment_end": "借调期满返回",
    "return": "重新登记",
    "off_roster": "移出名册（不参加考试）",
    "on_roster": "列入名册",
    "assign": "调整单位（不在名册）",
    "merge": "单位合并划转",
    "split": "单位分设划转",
} | LEAVE_KINDS


@admin_blueprint.route("/", methods=["GET", "POST"])
@menu_entry("人员", position=180, group="单位与人员")
@requires(READ)
def list_people() -> str | AnyResponse:
    """Show the people within the access scope, filtered by what the address says, or by a number that was posted."""
    if request.method == "POST" and (address := address_of_search("people_admin.list_people", "state", "account")):
        return address
    access, session = my_access(READ), read_session()
    units = units_within(session, access)
    unit_id = read_whole(request.values.get("unit")) or 0
    chosen = PeopleListFilter(
        text=normalise(requested_search_text()).strip()[:60],
        unit=get_unit_within(session, unit_id, access) if unit_id else None,
        state=request.values.get("state", "") if request.values.get("state") in STATE_NAMES else "",
        account=request.values.get("account", ""),
    )
    page = chosen_page()
    rows, total = people_of(session, access, chosen, cipher=cipher(), page=page)
    return render_template(
        "people/people.html",
        rows=rows,
        total=total,
        page=page,
        page_count=-(-total // PAGE_SIZE),
        chosen=chosen,
        units=units,
        state_names=STATE_NAMES,
    )


@admin_blueprint.get("/<int:person_id>")
@requires(READ)
def show_person(person_id: int) -> str:
    """Show one person: facts, account, roles, moves; numbers masked."""
    session = read_session()
    person = get_person_within(session, person_id, my_access(READ))
    id_number, mobile = masked_numbers(person, cipher())
    return render_template(
        "people/person.html",
        person=person,
        id_number=id_number,
        mobile=mobile,
        account=find_account(session, person.id),
        moves=list_moves(session, person.id),
        planned=list_planned(session, person.id),
        grants=list_role_grants(session, person.id, now=clock.now()),
        state_names=STATE_NAMES,
        move_names=_MOVE_NAMES,
        role_names=ROLE_NAMES,
        may_write=_is_within_scope(person, "people:person:write"),
        may_reveal=_is_within_scope(person, "people:number:reveal"),
        may_issue=_is_within_scope(person, "people:password:issue"),
        needs_system_admin=_needs_system_admin(session, person.id),
        **_second_person(session, person.id),
    )


def _needs_system_admin(session: Session, person_id: int) -> bool:
    """Tell whether the person's roles keep the account to a system administrator."""
    access = my_access(WRITE) if may(WRITE) else NO_ACCESS
    guarded = guarded_role_of(person_id, now=clock.now(), access=access)
    return not may_touch_guarded() and bool(session.scalar(select(guarded)))


def _second_person(session: Session, person_id: int) -> dict[str, Any]:
    """Give what the page says of acts on the account that need two persons: whether it is such a one, and what was asked for."""
    now = clock.now()
    is_one_of_three = may_touch_guarded() and is_separated(session, person_id, now=now)
    asked = list_open_about(session, person_id, ACCOUNT_ACTS, now=now) if is_one_of_three else []
    return {"is_one_of_three": is_one_of_three, "asked": asked, "account_acts": ACCOUNT_ACTS}


def _is_within_scope(person: Person, permission: str) -> bool:
    unit = person.unit
    return may(permission) and my_access(permission).covers(region_path=unit.region_path, sector_path=unit.sector_path)


@admin_blueprint.route("/new", methods=["GET", "POST"])
@requires(WRITE)
def create_person() -> AnyResponse:
    """Take a person on."""
    form = PersonForm()
    form.unit_id.choices = unit_choices(units_within(read_session(), my_access(WRITE)))
    if form.validate_on_submit():
        with submit(f"已登记“{form.name.data}”。初始密码在“初始密码”页面打印。", form=form) as context:
            unit = get_unit_within(context.session, form.unit_id.data, my_access(WRITE))
            person = actions.create_person(context, _facts(form), unit, cipher=cipher(), on=clock.today())
            person_id = person.id
        if not form.is_rejected:
            return redirect(url_for("people_admin.show_person", person_id=person_id), 303)
    return _form_page(form, None)


@admin_blueprint.route("/<int:person_id>/edit", methods=["GET", "POST"])
@requires(WRITE)
def edit_person(person_id: int) -> AnyResponse:
    """Change what is written down about a person; the unit changes by a transfer."""
    person = get_person_within(read_session(), person_id, my_access(WRITE))
    form = PersonForm(data={name: getattr(person, name) for name in ("name", "staff_number", "position", "rank")})
    del form.unit_id
    if request.method == "GET":
        form.is_on_roster.data = person.state != "off_roster"
    if form.validate_on_submit():
        with submit("已保存。", form=form) as context:
            actions.edit_person(
                context,
                get_person_within(context.session, person_id, my_access(WRITE)),
                _facts(form),
                cipher=cipher(),
                may_touch_guarded=may_touch_guarded(),
            )
        if not form.is_rejected:
            return redirect(url_for("people_admin.show_person", person_id=person_id), 303)
    return _form_page(form, person)


def _facts(form: PersonForm) -> PersonFacts:
    return PersonFacts(
        staff_number=form.staff_number.data,
        name=form.name.data,
        rank=form.rank.data or "",
        position=form.position.data or "",
        id_number=normalise_id_number(form.id_number.data or "") or None,
        mobile=normalise_mobile(form.mobile.data or "") or None,
        is_on_roster=form.is_on_roster.data,
    )


def _form_page(form: PersonForm, person: Person | None) -> AnyResponse:
    numbers = masked_numbers(person, cipher()) if person else ("", "")
    page = render_template("people/person_form.html", form=form, person=person, numbers=numbers)
    return Response(page, 422 if form.errors else 200)


@admin_blueprint.route("/<int:person_id>/transfer", methods=["GET", "POST"])
@requires(WRITE)
def transfer_person(person_id: int) -> AnyResponse:
    """Move a person to another unit, or take one back who had left."""
    person = get_person_within(read_session(), person_id, my_access(WRITE))
    form = TransferForm(on=clock.today())
    form.unit_id.choices = unit_choices(units_within(read_session(), my_access(WRITE)))
    if request.method == "GET":
        form.unit_id.data = person.unit_id
    if form.validate_on_submit() and _act(form, person_id, _transfer, "已办理。以前的成绩不受影响。"):
        return redirect(url_for("people_admin.show_person", person_id=person_id), 303)
    page = render_template("people/transfer.html", form=form, person=person, is_return=person.state == "left")
    return Response(page, 422 if form.errors else 200)


@admin_blueprint.route("/<int:person_id>/leave", methods=["GET", "POST"])
@requires(WRITE)
def leave_person(person_id: int) -> AnyResponse:
    """Take a person off the roster."""
    person = get_person_within(read_session(), person_id, my_access(WRITE))
    form = LeaveForm(on=clock.today())
    if form.validate_on_submit() and _act(form, person_id, _leave, "已办理。账号已停用，以前的成绩仍保留。"):
        return redirect(url_for("people_admin.show_person", person_id=person_id), 303)
    page = render_template("people/leave.html", form=form, person=person)
    return Response(page, 422 if form.errors else 200)


def _act(
    form: TransferForm | LeaveForm, person_id: int, move_of: Callable[[Session, Person, Any], Move], text: str
) -> bool:
    """Move a person within the access scope, today or on its day; a rejection is written beside its field."""
    with submit(form=form, field="on") as context:
        person = get_person_within(context.session, person_id, my_access(WRITE))
        is_done = move_person(context, person, move_of(context.session, person, form))
    if form.is_rejected:
        return False
    flash(text if is_done else f"已登记，{form.on.data.isoformat()} 自动生效。生效前可在本页撤销。", "success")
    return True


def _transfer(session: Session, person: Person, form: TransferForm) -> Move:
    to = get_unit_within(session, form.unit_id.data, my_access(WRITE))
    kind = "return" if person.state == "left" else form.kind.data
    until = form.until.data if kind == SECONDMENT else None
    return Move(kind=kind, to=to, on=form.on.data, until=until, note=form.note.data or "")


def _leave(_session: Session, _person: Person, form: LeaveForm) -> Move:
    return Move(kind=form.kind.data, to=None, on=form.on.data, note=form.note.data or "")


@admin_blueprint.post("/<int:person_id>/planned/<int:planned_id>/cancel")
@requires(WRITE)
def cancel_planned(person_id: int, planned_id: int) -> AnyResponse:
    """Take back a move whose day has not come."""
    with submit("已撤销，到时不再变动。") as context:
        person = get_person_within(context.session, person_id, my_access(WRITE))
        roster_move_actions.cancel_planned(context, person, planned_id)
    return redirect(url_for("people_admin.show_person", person_id=person_id), 303)


@admin_blueprint.post("/<int:person_id>/disable")
@requires(WRITE)
def disable_account(person_id: int) -> AnyResponse:
    """Close an account at once."""
    return _set_open(person_id, is_open=False)


@admin_blueprint.post("/<int:person_id>/enable")
@requires(WRITE)
def enable_account(person_id: int) -> AnyResponse:
    """Open an account again."""
    return _set_open(person_id, is_open=True)


@admin_blueprint.post("/<int:person_id>/second-factor/off")
@requires(WRITE)
def reset_second_factor(person_id: int) -> AnyResponse:
    """Take a lost one-time-password device off an administrator's account."""
    return _touch_account(
        person_id,
        mfa_actions.reset_second_factor,
        "动态口令已停用，正在使用的登录已全部退出。本人登录后可重新启用。",
    )


def _set_open(person_id: int, *, is_open: bool) -> AnyResponse:
    def act(context: ActionContext, person: Person, **by: Any) -> bool:
        if person.state == "left" or find_account(context.session, person_id) is None:
            raise NotFoundError
        return actions.set_account_open(context, person, is_open=is_open, **by)

    return _touch_account(person_id, act, "账号已启用。" if is_open else "账号已停用，正在使用的登录已全部退出。")


def _touch_account(person_id: int, act: Callable[..., bool], text: str) -> AnyResponse:
    """Do something to a person's account, or ask a second person for it where it is one of the three administrators'."""
    back = url_for("people_admin.show_person", person_id=person_id)
    with submit(back=back) as context:
        is_done = act(
            context,
            get_person_within(context.session, person_id, my_access(WRITE)),
            may_touch_guarded=may_touch_guarded(),
            reason=request.form.get("reason", ""),
        )
    flash(text if is_done else SECOND_PERSON_REQUESTED, "success")
    return redirect(back, 303)


@admin_blueprint.route("/<int:person_id>/numbers", methods=["GET", "POST"])
@requires("people:number:reveal")
def reveal(person_id: int) -> str | Response:
    """Ask why; then show the numbers on this one answer, which no address and no cache holds."""
    form, access = RevealForm(), my_access("people:number:reveal")
    person = get_person_within(read_session(), person_id, access)
    numbers = None
    if form.validate_on_submit():
        with request_transaction() as context:
            numbers = reveal_numbers(context, person, reason=form.text(), cipher=cipher())
    return render_template("people/reveal.html", person=person, form=form, numbers=numbers, limit=MAX_A_DAY)
