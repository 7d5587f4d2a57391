"""The background loading of the content that ships with the application."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from examapp import clock
from examapp.content.blueprints.actions import load_shipped_blueprints
from examapp.content.question_intake.actions import load_laws, load_seed_bank
from examapp.db.session import transaction
from examapp.jobs.registry import JobKind, job_handler
from examapp.jobs.runner import JobRun
from examapp.learning.course_editing.actions import load_courses
from examapp.oversight.duty_lists.actions import load_shipped_duties
from examapp.platform.audit.actions import ActionContext, Actor
from examapp.platform.setup.models import ContentLoad
from examapp.platform.setup.rules import CONTENT_PARTS
from question_bank.coursetext import read_courses

_BANK = Path(__file__).parents[3] / "question_bank"


@job_handler(
    JobKind(
        name=ContentLoad.KIND,
        label="装入随平台提供的内容",
        viewer="setup:content:load",
        quarantined="装了三次都没有装完，已停下；已装入的都在。请重新勾选没有装入的部分。",
    )
)
def load_content(run: JobRun) -> None:
    """Load what was ticked, part by part, each in a transaction of its own; a second run finds what the first loaded."""
    with transaction() as session:
        row = session.get_one(ContentLoad, run.id)
        parts, actor = [part for part in CONTENT_PARTS if part in row.parts], Actor(person_id=row.created_by_id)
    said = []
    for number, part in enumerate(parts):
        run.progress(number, len(parts))
        with transaction() as session:
            session.execute(text("SET LOCAL statement_timeout = 0"))
            said.append(f"{CONTENT_PARTS[part][0]}：{_load(ActionContext(session, actor, clock.now()), part)}")
    with transaction() as session:
        run.complete(session, total=len(parts), message="。".join(said) + "。")


def _load(context: ActionContext, part: str) -> str:
    session, year = context.session, clock.local(context.now).year
    if part == "questions":
        return f"新增 {len(load_seed_bank(session, _BANK / 'content', now=context.now))} 道"
    if part == "laws":
        return f"条文要点 {load_laws(session, _BANK / 'content', now=context.now)} 条"
    if part == "courses":
        texts = read_courses(_BANK / "courses")
        loaded = [
            one for one in load_courses(context, texts, year=year, is_required=False, publishes=True) if one.is_new
        ]
        drafts = sum(bool(one.issue) for one in loaded)
        return f"新增 {len(loaded)} 门" + (f"，其中 {drafts} 门练习题不够，留作草稿" if drafts else "")
    if part == "blueprints":
        return f"共 {len(load_shipped_blueprints(context))} 套"
    return (
        f"{year} 年共性清单草稿已建好"
        if load_shipped_duties(context, year=year)
        else f"{year} 年已有共性清单，没有改动"
    )
