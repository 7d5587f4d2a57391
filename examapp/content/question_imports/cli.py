"""Commands of the question bank: `flask --app wsgi bank import | export | check`."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from flask import Blueprint, current_app

from examapp import clock
from examapp.content.question_imports.actions import import_reading, undo_import
from examapp.content.question_imports.tasks import check_due_laws
from examapp.content.question_intake.rules import (
    describe_reading,
    list_gist_issues,
    measure_copied,
    measure_gists,
    missing_articles,
    uncited_articles,
)
from examapp.content.question_law_changes.queries import list_laws_with_flags
from examapp.content.question_search.queries import QuestionFilter, iter_questions
from examapp.content.questions.models import QuestionState
from examapp.db.session import read_session as database_reading
from examapp.db.session import transaction
from examapp.documents.archives import UnreadableFileError
from examapp.errors import DomainError
from examapp.platform.audit.actions import SYSTEM, ActionContext
from examapp.web.params import sent_number
from question_bank.formats import registry
from question_bank.model import Note, ParseResult
from question_bank.quality import Measure, check_file, measure_bank
from question_bank.sandbox import ChildReader

blueprint = Blueprint("questions_cli", __name__, cli_group="bank")

_NO_BANKS = frozenset(
    {".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".bmp", ".ico", ".css", ".js", ".xsd", ".mp3", ".mp4", ".ogg"}
    | {".wav", ".vtt", ".pdf", ".html", ".htm"}
)
"""Ends of files that lie beside questions and are none; skipped while a folder is walked, never where they are named."""
_MANIFEST = "imsmanifest.xml"
_MAX_PACKED = 2000
_QUESTIONS_THEN_ANSWERS = (
    ("_questions", "_answers"),
    ("题目", "答案"),
    ("试题", "答案"),
    ("", "答案"),
    ("", "_answers"),
)


@blueprint.cli.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "format_name", default=registry.AUTO, help="题库格式，默认自动识别。")
@click.option("--answers", type=click.Path(path_type=Path), help="答案在另一个文件里时，答案文件的路径。")
@click.option("--state", type=click.Choice(["draft", "active"]), default="draft", help="导入后的状态。")
@click.option("--dry-run", is_flag=True, help="只读不存，不需要数据库。")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出全部结果。")
def import_files(  # noqa: PLR0917 – click gives them all by name
    paths: tuple[Path, ...], format_name: str, answers: Path | None, state: str, dry_run: bool, as_json: bool
) -> None:
    """Read question files, folders too; store what can be imported. Exit code 0 only where every file could be read."""
    if state == "active" and not dry_run and not current_app.config["SETTINGS"].review_alone:
        reason = "导入的题要先存为草稿，由另一个人审核后启用；只有一名审核人的单位可设置 REVIEW_ALONE=1。"
        raise click.UsageError(reason)
    files = list(_files(paths))
    beside = {path: answers or _answers_beside(path, files) for path in files}
    with ChildReader() as reader:
        entries = [
            _as_answers(path)
            if path in beside.values()
            else _import(reader, path, format_name, beside[path], None if dry_run else QuestionState(state))
            for path in files
        ]
    if as_json:
        click.echo(json.dumps({"files": entries}, ensure_ascii=False))
    else:
        for entry in entries:
            click.echo("\n".join(_lines(entry)))
    sys.exit(1 if any("error" in entry for entry in entries) or not entries else 0)


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from _files_within(path)
        else:
            yield path


def _files_within(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder; one with a manifest is an unpacked package, represented by the manifest."""
    if (folder / _MANIFEST).is_file():
        yield folder / _MANIFEST
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files_within(path)
        elif path.is_file() and path.suffix.lower() not in _NO_BANKS:
            yield path


def _content(path: Path) -> bytes:
    """Return a file's bytes; for the manifest of an unpacked package, the package zipped again."""
    if path.name != _MANIFEST:
        return _bytes_of(path)
    files = [each for each in sorted(path.parent.rglob("*")) if each.is_file()]
    if len(files) > _MAX_PACKED or sum(each.stat().st_size for each in files) > registry.MAX_BYTES:
        raise UnreadableFileError("这个文件夹太大，不像一个题库包。请先压缩成 zip 再导入。")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for each in files:
            archive.write(each, each.relative_to(path.parent).as_posix())
    return packed.getvalue()


def _bytes_of(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise UnreadableFileError("这不是文件。请检查路径。")
    if path.stat().st_size > registry.MAX_BYTES:
        raise UnreadableFileError(registry.TOO_LARGE)
    return path.read_bytes()


def _answers_beside(path: Path, files: list[Path]) -> Path | None:
    """Find the file with the keys of this one by their names (`三月题目.txt`, `三月答案.txt`), among the given files and in the same folder."""
    for questions, answers in _QUESTIONS_THEN_ANSWERS:
        if path.stem.endswith(questions) and not path.stem.endswith(("答案", "_answers")):
            other = path.with_stem(f"{path.stem.removesuffix(questions)}{answers}")
            if other != path and (other in files or (questions and other.is_file())):
                return other
    return None


def _as_answers(path: Path) -> dict[str, Any]:
    note = {"where": path.name, "reason": "用作另一个文件的答案，里面没有题目。", "code": "answers"}
    return {**_nothing(path), "format": "answers", "remarks": [note]}


def _import(
    reader: ChildReader, path: Path, format_name: str, answers: Path | None, state: QuestionState | None
) -> dict[str, Any]:
    """Read one file, and store it in the state given, if any."""
    try:
        second = (_bytes_of(answers), answers.name) if answers else None
        content = _content(path)
        found = reader.read(content, path.name, format_name, answers=second)
    except OSError as error:
        return _unreadable(path, f"文件打不开：{error.strerror}。请检查路径。")
    except UnreadableFileError as error:
        return _unreadable(path, str(error))
    if answers:
        found.remarks.append(Note(answers.name, "答案取自这个文件，按题号对上。", "answers"))
    entry = {"path": str(path), **describe_reading(found)}
    return entry if state is None else entry | _store(found, content, path.name, state)


def _unreadable(path: Path, reason: str) -> dict[str, Any]:
    return {**_nothing(path), "error": reason}


def _nothing(path: Path) -> dict[str, Any]:
    empty: dict[str, Any] = {"loss": [], "doubtful": [], "refused": [], "remarks": [], "questions": []}
    return {"path": str(path), "format": None, "found": 0, "census": None, "imported": 0, **empty}


def _store(found: ParseResult, content: bytes, name: str, state: QuestionState) -> dict[str, Any]:
    with transaction() as session:
        row, taken = import_reading(
            ActionContext(session, SYSTEM, clock.now()), reading=found, content=content, file_name=name, state=state
        )
        import_id = row.id
    return {
        "import": import_id,
        "stored": len(taken.ids),
        "existing": taken.existing,
        "loss": [*describe_reading(found)["loss"], *taken.dropped],
        "refused": [*describe_reading(found)["refused"], *taken.rejected],
    }


def _lines(entry: dict[str, Any]) -> Iterator[str]:
    if "error" in entry:
        yield f"{entry['path']}：读不了。{entry['error']}"
        return
    counts = f"共 {entry['found']} 题，可导入 {entry['imported']}，待核对 {len(entry['doubtful'])}，未导入 {len(entry['refused'])}"
    stored = (
        f"；存入 {entry['stored']}，库中已有 {entry['existing']}（撤销：bank undo {entry['import']}）"
        if "stored" in entry
        else ""
    )
    yield f"{entry['path']}（{entry['format']}）：{counts}{stored}"
    if (census := entry["census"]) and census["differs"]:
        yield f"  请先核对：按题号、选项等另行清点，文件里像是有 {census['count']} 题，读出 {entry['found']} 题"
    for word, name in (("未导入", "refused"), ("待核对", "doubtful"), ("有损失", "loss")):
        yield from (f"  {word} {note['where']}：{note['reason']}" for note in entry[name])


@blueprint.cli.command("undo")
@click.argument("import_id", type=sent_number)
def undo(import_id: int) -> None:
    """Undo an import as one act: delete questions never used, retire used ones."""
    try:
        with transaction() as session:
            deleted, retired = undo_import(ActionContext(session, SYSTEM, clock.now()), import_id=import_id)
    except DomainError as error:
        raise click.ClickException(error.text) from error
    click.echo(f"已撤销：删除 {deleted} 题，停用 {retired} 题（已用于试卷）。")


@blueprint.cli.command("export")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--format", "format_name", default="excel", type=click.Choice(registry.format_names(writable=True)))
@click.option(
    "--state", default="all", help="只导出这种状态的题（draft、reviewed、active、retired）；默认 all 为全部。"
)
@click.option("--law", default="", help="只导出引用这部法律的题。")
def export_bank(out: Path, format_name: str, state: str, law: str) -> None:
    """Write the bank's questions to a file; print what the format could not hold."""
    wanted = QuestionFilter(state="" if state == "all" else state, law=law)
    questions = list(iter_questions(database_reading(), wanted))
    written = registry.write_file(questions, format_name)
    out.write_bytes(written.content)
    missing = sum(note.code == "not_written" for note in written.dropped)
    unwritten = f"，{missing} 题该格式写不下、没有写入" if missing else ""
    dropped_count = len(written.dropped) - missing
    click.echo(f"已导出 {len(questions) - missing} 题到 {out}{unwritten}，有 {dropped_count} 处内容该格式无法表示。")
    for note in written.dropped:
        click.echo(f"  {note.where}：{note.reason}")


@blueprint.cli.command("check")
@click.argument("folder", default="question_bank/content", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--laws",
    envvar="EXAMAPP_LAWS",
    type=click.Path(exists=True, path_type=Path),
    help="法律文本的文件夹，用来核对版本和条号。",
)
def check_content(folder: Path, laws: Path | None) -> None:
    """Check the shipped questions: print one line a finding, then one line a measure of the whole; exit code 1 where any fails."""
    found = 0
    for path in sorted(folder.glob("*.txt")):
        for finding in (*check_file(path), *uncited_articles(path), *(missing_articles(path, laws) if laws else ())):
            click.echo(f"{path.name}：{finding}")
            found += 1
    for finding in list_gist_issues(folder / "gists", laws) if laws else ():
        click.echo(f"条文要点：{finding}")
        found += 1
    try:
        measures = list(measure_bank(folder, today=clock.today(), laws=laws))
        if (folder / "gists").is_dir():
            measures.append(measure_gists(folder))
        if laws:
            measures.append(measure_copied(folder, laws))
    except ValueError as error:
        measures = [Measure("题目可读", False, str(error)[:200])]
    for measure in measures:
        click.echo(str(measure))
    found += sum(1 for measure in measures if not measure.is_good)
    click.echo(f"检查完毕，{found} 处问题。")
    sys.exit(1 if found else 0)


@blueprint.cli.command("check-laws")
def check_changed_laws() -> None:
    """Flag the questions under which an imported law has changed, now and without a worker; print what waits for a reviewer."""
    flagged = check_due_laws()
    waiting = list_laws_with_flags(database_reading())
    click.echo(f"新标记 {flagged} 处依据。")
    for row in waiting:
        click.echo(f"  {row.law}（{row.old_on} → {row.new_on or '已废止'}）：{sum(row.counts.values())} 处待处理")
