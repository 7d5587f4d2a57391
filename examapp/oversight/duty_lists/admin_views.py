"""The back office's pages of the responsibility system."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.documents.spreadsheets import Cell, SheetColumn, SheetLayout, as_text
from examapp.errors import NotFoundError
from examapp.learning.study_events.admin_views import send_sheets
from examapp.learning.study_events.rules import KIND_NAMES, EventFigures, events_by_kind
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.access.rules import Role, access_of
from examapp.organisation.accounts.guards import menu_entry, my_access, my_grants, requires
from examapp.organisation.units.models import Unit
from examapp.oversight.duty_lists import actions, queries, rules
from examapp.oversight.duty_lists.forms import SendBackForm, VersionForm
from examapp.oversight.duty_lists.models import DutyList
from examapp.oversight.duty_lists.queries import DutyScope, ItemRow, LedgerRow, key_days
from examapp.oversight.event_statistics.queries import list_events_off_list
from examapp.oversight.own_duties.queries import people_answering, unit_page
from examapp.oversight.statistics_definitions.rules import SCOPE_NAMES
from examapp.points import for_people
from examapp.web.params import chosen_page, chosen_year, posted_year, sent_number
from examapp.web.submit import check_form, request_transaction, submit

PERMISSIONS = {
    "duties:list:write": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE},
    "duties:list:approve": {Role.PUBLICITY_OFFICE},
}


if TYPE_CHECKING:
    from examapp.documents.docx import WordDocument

admin_blueprint = Blueprint("duties_admin", __name__, url_prefix="/admin/duties")
WRITE, APPROVE = "duties:list:write", "duties:list:approve"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def current_duty_scope() -> DutyScope:
    """Give how far who is signed in may write and approve lists."""
    return DutyScope(write=my_access(WRITE), approve=access_of(APPROVE, my_grants()))


def add_table(
    document: WordDocument, heads: Sequence[str], rows: Sequence[Sequence[Cell]], widths: Sequence[int]
) -> None:
    """Write the cells of a workbook's table into a Word document; a column that holds a number stands at the right."""
    are_numbers = [any(isinstance(row[place], int | Decimal) for row in rows) for place in range(len(heads))]
    document.table(list(zip(heads, widths, are_numbers, strict=True)), ([_text(cell) for cell in row] for row in rows))


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return for_people(cell)
    return str(cell) if isinstance(cell, int) else as_text(cell)


def send_word(document: WordDocument, name: str) -> Response:
    """Send a Word document."""
    return send_file(BytesIO(document.to_bytes()), mimetype=DOCX, as_attachment=True, download_name=name)


@admin_blueprint.get("/")
@menu_entry("普法责任制", position=200, group="普法责任制")
@requires(WRITE)
def overview() -> str:
    """List the units within one's access scope with their lists of a year, and what waits for approval."""
    session, duty_scope, year, page = read_session(), current_duty_scope(), chosen_year(), chosen_page()
    return render_template(
        "duties/overview.html",
        year=year,
        period=rules.period_of(year, queries.list_periods(session)),
        rows=queries.list_overview(session, year, duty_scope.write, today=clock.today(), page=page),
        figures=queries.count_lists(session, year, duty_scope.write, today=clock.today()),
        page=page,
        pages_count=-(-queries.count_units(session, year, duty_scope.write) // queries.PAGE),
        proposed=queries.list_proposed(session, duty_scope.approve) if duty_scope.approve else [],
        is_office=duty_scope.is_office,
        common=queries.find_list(session, None, year) if duty_scope.is_office else None,
        state_names=rules.LIST_STATE_NAMES,
    )


@admin_blueprint.post("/open")
@requires(WRITE)
def open_list() -> Response:
    """Open a unit's list of a year, or the common one, empty or from last year's."""
    year = posted_year()
    with request_transaction("清单已建好。请添加事项，或从表格导入。") as context:
        duty_list = actions.open_list(
            context,
            unit_id=request.form.get("unit_id", type=sent_number),
            year=year,
            duty_scope=current_duty_scope(),
            is_copied=request.form.get("copied") == "1",
        )
        list_id = duty_list.id
    return redirect(url_for(".show_list", list_id=list_id))


@admin_blueprint.get("/lists/<int:list_id>")
@requires(WRITE)
def show_list(list_id: int) -> str:
    """Show a list with how far each item has come, and what may be done with it."""
    session, duty_scope = read_session(), current_duty_scope()
    duty_list = queries.get_list(session, list_id, duty_scope)
    unit, rows = queries.unit_of(session, duty_list), queries.item_rows(session, list_id, today=clock.today())
    return render_template(
        "duties/list.html",
        duty_list=duty_list,
        unit=unit,
        rows=rows,
        unknown=_unknown_people(unit, rows) if unit else [],
        is_editable=duty_list.state == rules.DutyListState.DRAFT,
        may_approve=duty_scope.approve is not None,
        send_back=SendBackForm(data={"version": duty_list.version}),
        state_names=rules.LIST_STATE_NAMES,
        kind_names=rules.ITEM_KIND_NAMES,
        progress_names=rules.PROGRESS_NAMES,
        progress_states=rules.PROGRESS_STATES,
        key_day_name=partial(rules.key_day_name, names=key_days(session)),
    )


def _unknown_people(unit: Unit, rows: Sequence[ItemRow]) -> list[int]:
    """Give the numbers of the items of which somebody named as responsible is not found on the unit's roster."""
    found = people_answering(read_session(), [(row.item, unit) for row in rows])
    return [row.number for row in rows if len(found[row.item.id]) < len(rules.names_in(row.item.person))]


@admin_blueprint.post("/lists/<int:list_id>/propose")
@requires(WRITE)
def propose_list(list_id: int) -> Response:
    """Hand a list to the office."""
    form = VersionForm()
    check_form(form, back=url_for(".show_list", list_id=list_id))
    with submit(back=url_for(".show_list", list_id=list_id)) as context:
        actions.propose_list(context, list_id=list_id, version=form.version.data, duty_scope=current_duty_scope())
    return _back(list_id, "清单已报送，请等普法办审核。")


@admin_blueprint.post("/lists/<int:list_id>/take-back")
@requires(WRITE)
def take_back_list(list_id: int) -> Response:
    """Take a proposed list back for changes."""
    with submit(back=url_for(".show_list", list_id=list_id)) as context:
        actions.take_back_list(context, list_id=list_id, duty_scope=current_duty_scope())
    return _back(list_id, "清单已撤回，可以修改。改好后请重新报送。")


@admin_blueprint.post("/lists/<int:list_id>/publish")
@requires(APPROVE)
def publish_list(list_id: int) -> Response:
    """Approve a list and publish it."""
    form = VersionForm()
    check_form(form, back=url_for(".show_list", list_id=list_id))
    with submit(back=url_for(".show_list", list_id=list_id)) as context:
        actions.publish_list(context, list_id=list_id, version=form.version.data, duty_scope=current_duty_scope())
    return _back(list_id, "清单已审核公布。")


@admin_blueprint.post("/lists/<int:list_id>/send-back")
@requires(APPROVE)
def send_back_list(list_id: int) -> Response:
    """Give a list back to its unit with a reason."""
    form = SendBackForm()
    check_form(form, back=url_for(".show_list", list_id=list_id))
    with submit(back=url_for(".show_list", list_id=list_id)) as context:
        actions.send_back_list(
            context,
            list_id=list_id,
            version=form.version.data,
            remark=form.remark.data,
            duty_scope=current_duty_scope(),
        )
    return _back(list_id, "清单已退回单位修改。")


def _back(list_id: int, text: str) -> Response:
    flash(text, "success")
    return redirect(url_for(".show_list", list_id=list_id))


_HEADS = (
    "序号",
    "事项",
    "责任人",
    "完成时限",
    "日期",
    "形式",
    "地点",
    "受众人数",
    "宣传的法律法规",
    "开展情况",
    "备注",
)
_WIDTHS = (6, 28, 14, 14, 14, 14, 14, 10, 24, 40, 14)
_SIGNATURES = "单位（盖章）：{issuer}　　　　负责人（签字）：　　　　　　　　填报人：　　　　　　　　　　年　　月　　日"


def _unit_list(list_id: int) -> tuple[Unit, DutyList, list[LedgerRow], list[EventFigures]]:
    """Give the unit, list, ledger and the events that stand on no item, of a list within the access scope; the common list has none."""
    session = read_session()
    duty_list = queries.get_list(session, list_id, current_duty_scope())
    unit = queries.unit_of(session, duty_list)
    if unit is None:
        raise NotFoundError
    events = list_events_off_list(session, unit.id, duty_list.year)
    return unit, duty_list, list(queries.iter_ledger(session, list_id)), events


def _sums(rows: Sequence[LedgerRow], events: Sequence[EventFigures]) -> tuple[int, int]:
    done = [row.record for row in rows if row.record is not None]
    reached = [*(record.reached for record in done), *(event.present + event.outside for event in events)]
    return len(reached), sum(reached)


@admin_blueprint.get("/lists/<int:list_id>/ledger")
@requires(WRITE)
def show_ledger(list_id: int) -> str:
    """Show a unit's ledger of a year."""
    unit, duty_list, rows, events = _unit_list(list_id)
    count, reached = _sums(rows, events)
    return render_template(
        "duties/ledger.html",
        duty_list=duty_list,
        unit=unit,
        rows=rows,
        events=events,
        kind_names=KIND_NAMES,
        count=count,
        reached=reached,
    )


@admin_blueprint.get("/lists/<int:list_id>/ledger.xlsx")
@requires(WRITE)
def export_ledger(list_id: int) -> Response:
    """Give a unit's ledger as a workbook."""
    unit, duty_list, rows, events = _unit_list(list_id)
    title = _title(unit, duty_list)
    sheet = SheetLayout(
        name="台账",
        title=title,
        columns=[SheetColumn(head=head, width=width) for head, width in zip(_HEADS, _WIDTHS, strict=True)],
        rows=_all_cells(rows, events),
        closing=["", _SIGNATURES.format(issuer=unit.issuer)],
    )
    return send_sheets([sheet], f"{title}.xlsx")


@admin_blueprint.get("/lists/<int:list_id>/ledger.docx")
@requires(WRITE)
def export_ledger_word(list_id: int) -> Response:
    """Give a unit's ledger as a Word document to sign and seal."""
    from examapp.documents.docx import WordDocument

    unit, duty_list, rows, events = _unit_list(list_id)
    title, (count, reached) = _title(unit, duty_list), _sums(rows, events)
    summary = f"共 {count} 条履职记录，受众 {reached} 人次；截至 {clock.local(clock.now()):%Y年%-m月%-d日}。"
    document = WordDocument(is_landscape=True)
    document.title(title)
    document.paragraph(summary)
    add_table(document, _HEADS, _all_cells(rows, events), _WIDTHS)
    document.paragraph(_SIGNATURES.format(issuer=unit.issuer))
    return send_word(document, f"{title}.docx")


def _title(unit: Unit, duty_list: DutyList) -> str:
    return f"{unit.name}{duty_list.year}年普法责任制台账"


def _all_cells(rows: Sequence[LedgerRow], events: Sequence[EventFigures]) -> list[list[Cell]]:
    first = max((row.number for row in rows), default=0) + 1
    return [
        *(_cells(row) for row in rows),
        *(_event_cells(number, event) for number, event in enumerate(events, first)),
    ]


def _event_cells(number: int, event: EventFigures) -> list[Cell]:
    done_on, law = clock.day_of(event.starts_at), "、".join(event.laws)
    reached = event.present + event.outside
    return [number, "（未对应清单事项）", "", None, done_on, KIND_NAMES[event.kind], event.place, reached, law, event.theme, "学法活动"]  # fmt: skip


def _cells(row: LedgerRow) -> list[Cell]:
    item, deed = row.item, row.record
    done: list[Cell] = (
        ["", "", "", None, "", ""]
        if deed is None
        else [deed.done_on, deed.form, deed.place, deed.reached, deed.law, deed.text]
    )
    return [row.number, item.content, item.person, item.due_on, *done, "已撤下" if item.withdrawn_at else ""]


@admin_blueprint.get("/units/<int:unit_id>")
@requires(WRITE)
def show_unit_year(unit_id: int) -> str:
    """Show a unit's year: duties, what was done, participation, score."""
    session, year, now = read_session(), chosen_year(), clock.now()
    unit = get_unit_within(session, unit_id, current_duty_scope().write)
    page = unit_page(session, unit, year, now=now)
    return render_template(
        "duties/unit_year.html",
        page=page,
        events=events_by_kind(page.events),
        period=rules.period_of(year, queries.list_periods(session)),
        as_of=now,
        scope_names=SCOPE_NAMES,
        progress_names=rules.PROGRESS_NAMES,
        progress_states=rules.PROGRESS_STATES,
        kind_names=rules.ITEM_KIND_NAMES,
    )
