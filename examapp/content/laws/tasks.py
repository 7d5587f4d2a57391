"""The background import of law texts."""

from __future__ import annotations

from examapp import clock
from examapp.content.laws.actions import LawImportSummary
from examapp.content.laws.models import LawImport
from examapp.content.laws.rules import iter_law_files
from examapp.db.session import transaction
from examapp.documents.archives import UnreadableFileError, open_archive
from examapp.jobs.registry import JobKind, job_handler
from examapp.jobs.runner import JobRun
from examapp.platform.audit.actions import ActionContext, Actor


@job_handler(
    JobKind(
        name=LawImport.KIND,
        label="导入法律文本",
        viewer="laws:law:write",
        quarantined="读了三次都没有读完，已停下。请分成几批重新上传；已读入的法律都在。",
    )
)
def import_laws(run: JobRun) -> None:
    """Import uploaded files one by one, each in a transaction of its own: what was read stays, and a second run corrects nothing."""
    with transaction() as session:
        row = session.get_one(LawImport, run.id)
        archive, actor = open_archive(row.content or b""), Actor(person_id=row.created_by_id)
    summary = LawImportSummary()
    for number, packed in enumerate(archive.names):
        name = packed.partition("/")[2]
        run.progress(number, len(archive.names))
        try:
            for inner, content in iter_law_files(name, archive.read(packed)):
                with transaction() as session:
                    summary.add_file(ActionContext(session, actor, clock.now()), name=inner, content=content)
                run.progress(number, len(archive.names))
        except UnreadableFileError as error:
            summary.files += 1
            summary.rejected.append((name, str(error)))
    with transaction() as session:
        row = session.get_one(LawImport, run.id)
        row.summary, row.content = summary.as_json(), None
        run.complete(session, total=len(archive.names), message=summary.text)
