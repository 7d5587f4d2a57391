"""Pages of single items: add, change, take off."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import DomainError
from examapp.duties import queries
from examapp.duties.admin_routes.frame import WRITE, admin_blueprint, my_hands, status_of
from examapp.duties.forms import AnswerableForm, ItemForm, item_form
from examapp.duties.models import DutyItem, DutyList
from examapp.duties.operations import items
from examapp.duties.rules import ItemKind
from examapp.people.access import actor, requires


@admin_blueprint.route("/lists/<int:list_id>/items/new", methods=["GET", "POST"])
@requires(WRITE)
def create_item(list_id: int) -> Response | tuple[str, int]:
    """Add an item to a list."""
    duty_list = queries.get_list(reading(), list_id, my_hands())
    form, problem = ItemForm(), ""
    if form.validate_on_submit():
        try:
            with transaction() as session:
                items.create_item(
                    session,
                    list_id=list_id,
                    duty=form.duty(),
                    answerable=form.answerable(),
                    hands=my_hands(),
                    actor=actor(),
                    now=clock.now(),
                )
            return _saved(list_id, "事项已添加。")
        except DomainError as error:
            problem = error.text
    return _page(form, duty_list, None, problem)


@admin_blueprint.route("/items/<int:item_id>/edit", methods=["GET", "POST"])
@requires(WRITE)
def change_item(item_id: int) -> Response | tuple[str, int]:
    """Change an item."""
    item = queries.get_item(reading(), item_id, my_hands())
    duty_list = queries.get_list(reading(), item.list_id, my_hands())
    is_whole = duty_list.unit_id is None or item.kind == ItemKind.OWN
    form, problem, list_id = item_form(item, is_whole=is_whole), "", duty_list.id
    if form.validate_on_submit():
        try:
            with transaction() as session:
                items.change_item(
                    session,
                    item_id=item_id,
                    version=form.version.data or 0,
                    duty=form.duty(),
                    answerable=form.answerable(),
                    hands=my_hands(),
                    actor=actor(),
                    now=clock.now(),
                )
            return _saved(list_id, "事项已保存。")
        except DomainError as error:
            problem = error.text
    return _page(form, duty_list, item, problem)


def _page(form: AnswerableForm, duty_list: DutyList, item: DutyItem | None, problem: str) -> tuple[str, int]:
    page = render_template("duties/item.html", form=form, duty_list=duty_list, item=item, problem=problem)
    return page, status_of(form)


@admin_blueprint.post("/items/<int:item_id>/remove")
@requires(WRITE)
def remove_item(item_id: int) -> Response:
    """Take an item off its list."""
    list_id = queries.get_item(reading(), item_id, my_hands()).list_id
    with transaction() as session:
        is_kept = items.remove_item(session, item_id=item_id, hands=my_hands(), actor=actor(), now=clock.now())
    words = "事项已撤下。已有履职记录，台账中仍保留。" if is_kept else "事项已删除。"
    return _saved(list_id, words)


def _saved(list_id: int, words: str) -> Response:
    flash(words, "success")
    return redirect(url_for(".show_list", list_id=list_id))
