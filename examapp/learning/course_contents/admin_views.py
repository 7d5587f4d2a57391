"""The office's and the unit admins' pages of training."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.errors import NotFoundError
from examapp.learning.course_contents import actions
from examapp.learning.courses.queries import get_course
from examapp.organisation.accounts.guards import my_access, my_user, requires
from examapp.platform.audit.actions import ActionContext
from examapp.uploads import views
from examapp.uploads.actions import store_file
from examapp.uploads.models import FileKind, StoredFile
from examapp.web.submit import request_transaction, submit

admin_blueprint = Blueprint("training_admin", __name__, url_prefix="/admin/training")

_WRITE = "training:course:write"
FILE_KINDS = frozenset({FileKind.IMAGE, FileKind.PDF, FileKind.MP3, FileKind.MP4})
_PATH = "/<int:course_id>/chapters/<int:chapter_id>/files"


@admin_blueprint.post(f"{_PATH}/begin")
@requires(_WRITE)
def begin_file(course_id: int, chapter_id: int) -> Response:
    """Begin to send a file of so many bytes; one too large is rejected before a byte is sent."""
    _ensure_chapter_of_course(course_id, chapter_id)
    return views.begin(room=actions.ROOM, by_id=my_user().person_id, kinds=FILE_KINDS)


@admin_blueprint.put(f"{_PATH}/<token>")
@requires(_WRITE)
def add_to_file(course_id: int, chapter_id: int, token: str) -> Response:
    """Take the next piece."""
    _ensure_chapter_of_course(course_id, chapter_id)
    return views.add(token, room=actions.ROOM, by_id=my_user().person_id)


@admin_blueprint.post(f"{_PATH}/<token>/finish")
@requires(_WRITE)
def finish_file(course_id: int, chapter_id: int, token: str) -> Response:
    """Check the whole file and hang it on the chapter."""

    def then(context: ActionContext, file: StoredFile) -> dict[str, Any]:
        _attach(context, course_id, chapter_id, file)
        return {"name": file.name}

    return views.finish(token, room=actions.ROOM, by_id=my_user().person_id, then=then)


@admin_blueprint.post(_PATH)
@requires(_WRITE)
def put_file(course_id: int, chapter_id: int) -> Response:
    """Take a small file at once, where the page's script does not run."""
    sent = request.files.get("file")
    name, content = (sent.filename or "", sent.read()) if sent else ("", b"")
    with submit("文件已上传。") as context:
        file = store_file(
            context.session,
            room=actions.ROOM,
            name=name,
            content=content,
            by_id=my_user().person_id,
            now=clock.now(),
            kinds=FILE_KINDS,
        )
        _attach(context, course_id, chapter_id, file)
    return redirect(url_for(".edit_chapter", course_id=course_id, chapter_id=chapter_id))


@admin_blueprint.post(f"{_PATH}/<token>/delete")
@requires(_WRITE)
def drop_file(course_id: int, chapter_id: int, token: str) -> Response:
    """Take a file from the chapter."""
    with request_transaction("文件已删除。") as context:
        actions.detach_file(context, course_id=course_id, chapter_id=chapter_id, token=token, access=my_access(_WRITE))
    return redirect(url_for(".edit_chapter", course_id=course_id, chapter_id=chapter_id))


def _attach(context: ActionContext, course_id: int, chapter_id: int, file: StoredFile) -> None:
    actions.attach_file(context, course_id=course_id, chapter_id=chapter_id, file=file, access=my_access(_WRITE))


def _ensure_chapter_of_course(course_id: int, chapter_id: int) -> None:
    course = get_course(read_session(), course_id, my_access(_WRITE))
    if all(chapter.id != chapter_id for chapter in course.chapters):
        raise NotFoundError
