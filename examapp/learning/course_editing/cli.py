"""The courses on the command line: `flask --app wsgi training load-courses`."""

from __future__ import annotations

import click
from flask import Blueprint

from examapp import clock
from examapp.db.session import transaction
from examapp.learning.course_editing.actions import load_courses
from examapp.platform.audit.actions import SYSTEM, ActionContext
from question_bank.coursetext import read_courses

cli_blueprint = Blueprint("training_cli", __name__, cli_group="training")


@cli_blueprint.cli.command("load-courses")
@click.option("--year", type=click.IntRange(2000, 2100), help="计入哪个年度，默认今年。")
@click.option("--elective", is_flag=True, help="作为选修课，默认必修。")
@click.option("--draft", is_flag=True, help="只装入草稿，由普法办看过再发布。")
def load(year: int | None, *, elective: bool, draft: bool) -> None:
    """Load the courses that ship with the program; those of the year that are there already stay as they are."""
    with transaction() as session:
        loaded = load_courses(
            ActionContext(session, SYSTEM, clock.now()),
            read_courses(),
            year=year or clock.today().year,
            is_required=not elective,
            publishes=not draft,
        )
    for course in loaded:
        state = "已装入" if course.is_new else "已有，没有改动"
        click.echo(f"{course.title}：{state}{f'（草稿：{course.issue}）' if course.issue else ''}")
