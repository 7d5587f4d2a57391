"""The courses that ship with the program, taken in by the office with one press."""

from __future__ import annotations

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from examapp.core import clock
from examapp.core.db import transaction
from examapp.core.errors import NotFoundError
from examapp.core.permissions import Permission
from examapp.people.access import actor, my_reach, requires
from examapp.training.admin_routes.frame import admin_blueprint
from examapp.training.operations.shipped import load_courses
from question_bank.coursetext import read_courses

_WRITE = Permission.TRAINING_WRITE


@admin_blueprint.post("/shipped")
@requires(_WRITE)
def take_shipped_courses() -> Response:
    """Take the shipped courses in as drafts of this year; those that are there stay as they are. They are for everybody: so is the reach."""
    if not my_reach(_WRITE).is_everything:
        raise NotFoundError
    with transaction() as session:
        loaded = load_courses(
            session,
            read_courses(),
            year=clock.today().year,
            is_required=True,
            publishes=False,
            actor=actor(),
            now=clock.now(),
        )
    if taken := sum(course.is_new for course in loaded):
        flash(f"已装入 {taken} 门随附课程，都是草稿。请逐门核对学分、期限和学习范围后发布。", "success")
    else:
        flash("随附课程今年都已装入，没有改动。", "info")
    return redirect(url_for(".list_courses"))
