"""The files of figures: tables with title, definitions and as-of time, as xlsx and csv; no ID number, no mobile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from examapp.core import word_documents
from examapp.core.clock import local
from examapp.core.crypto import Sealer
from examapp.core.spreadsheets import Cell, Column, Sheet, write_csv, write_xlsx
from examapp.exams.models import ExemptionKind
from examapp.grading.rules import BAND_NAMES, Band
from examapp.org.models import Tree
from examapp.people.queries import numbers_of
from examapp.reports.operations import circular, printing, sheet_form
from examapp.reports.queries.basis import Basis
from examapp.reports.queries.figures import counts_by_unit
from examapp.reports.queries.ground import PeopleFilter
from examapp.reports.queries.lists import PersonRow, iter_people, iter_scores
from examapp.reports.rules import (
    CONTENT_NAMES,
    DEFINITIONS,
    EVERYONE,
    GROUP_NAMES,
    SCOPE_DEFINITIONS,
    SCOPE_NAMES,
    Counts,
    Narrowing,
    Numbers,
    UnitNode,
    UnitRow,
    rollup,
)

Progress = Callable[[int, int], None]
_STEP = 1000
"""Rows between two notes of progress."""
_ALL_LEVELS = 99
NOTHING = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a file is to hold: the unit is the first of the nodes, the others are below it."""

    basis: Basis
    nodes: Sequence[UnitNode]
    tree: Tree
    content: str
    format: str
    watermark: str = ""
    """Whose copy it is, and when it was asked for; pale behind the text of what can be printed."""
    issuer: str = ""
    """The office in whose name a circular goes out."""
    template: bytes | None = None
    """The office's own form of it; None for the shipped one."""
    narrowing: Narrowing = EVERYONE
    numbers: Numbers = Numbers.NONE
    sealer: Sealer | None = None
    """Opens ID numbers and mobiles, where they are to stand in it."""

    @property
    def wanted(self) -> PeopleFilter:
        """The people of these units whom the narrowing leaves, whatever their group."""
        return PeopleFilter.of(self.narrowing, unit_ids=[node.unit_id for node in self.nodes])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]
    total: int
    closing: Sequence[str] = ()
    signatures: Sequence[str] = ()
    is_portrait: bool = False


def write(session: Session, path: Path, order: Order, *, note_progress: Progress) -> int:
    """Write the file, people streamed in one query; gives the number of rows. Raises TooLongForPaperError."""
    counts = counts_by_unit(session, order.basis, order.wanted)
    if order.content == "circular":
        return write_circular(path, order, counts)
    table = _TABLES[order.content](session, order, counts)
    printing.refuse_too_long(order.format, table.total)
    rows = _tracked(table.rows, table.total, note_progress)
    sheet = Sheet(
        name=CONTENT_NAMES[order.content],
        columns=table.columns,
        rows=rows,
        title=f"{order.basis.exam.title}{CONTENT_NAMES[order.content]}",
        remarks=remarks(order.basis, order.nodes[0].name, order.narrowing.words),
        closing=table.closing,
        is_portrait=table.is_portrait,
        watermark=order.watermark,
        made_at=order.basis.as_of,
    )
    if order.format == "csv":
        stamp = _stamp(order)
        columns = [*table.columns, *(Column(head=head) for head in stamp)]
        write_csv(path, columns, ([*cells, *stamp.values()] for cells in rows))
    elif order.format == "pdf":
        made_at = order.basis.as_of
        printing.write_pdf(path, sheet, made_at=made_at, watermark=order.watermark, signatures=table.signatures)
    elif order.format == "docx":
        printing.write_docx(path, sheet, watermark=order.watermark, signatures=table.signatures)
    elif order.content == "score_sheet" and order.template is not None:
        path.write_bytes(_by_own_form(order, counts, rows))
    else:
        write_xlsx(path, [replace(sheet, closing=[*table.closing, *table.signatures])])
    return table.total


def _stamp(order: Order) -> dict[str, Cell]:
    """Give what each row of a csv says at its end, for its head is its first line: as-of time, roster, whom it is narrowed to."""
    narrowed = order.narrowing.words
    stamp: dict[str, Cell] = {"统计时间": order.basis.as_of, "名册": roster_words(order.basis)}
    return stamp | ({"范围": narrowed} if narrowed else {})


def _by_own_form(order: Order, counts: dict[int, Counts], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Fill the office's own workbook with the score sheet's rows; it is held in memory, so it has the limit of Word."""
    assert order.template is not None
    printing.refuse_too_long("docx", _sum(counts).roster)
    units = rollup(order.nodes, counts, depth=0)
    words = _words_of(order, units)
    people = [[printing.as_form_value(cell) for cell in cells] for cells in rows]
    return sheet_form.fill_form(order.template, words, people, mark=_mark(order))


def _mark(order: Order) -> str:
    """Give what stands at the head of each page of a form of the office's own: whose copy, and whom alone it holds, whether the form says so or not."""
    return "；".join(part for part in (order.watermark, order.narrowing.words) if part)


def _words_of(order: Order, rows: Sequence[UnitRow]) -> dict[str, Any]:
    roster, narrowed = roster_words(order.basis), order.narrowing.words
    return circular.words_of(order.basis, rows, issuer=order.issuer, roster_words=roster, narrowed=narrowed)


def write_circular(path: Path, order: Order, counts: dict[int, Counts]) -> int:
    """Write the circular (通报) on a unit as Word or PDF: the template with its figures; gives how many units it names."""
    rows = rollup(order.nodes, counts, depth=1)
    words = _words_of(order, rows)
    docx = word_documents.marked(circular.fill(order.template, words), _mark(order))
    if order.format == "pdf":
        path.write_bytes(circular.as_pdf(docx, made_at=order.basis.as_of, watermark=order.watermark))
    else:
        path.write_bytes(docx)
    return len(rows)


def file_name(order: Order) -> str:
    """Give the name under which the file is saved."""
    parts = [order.basis.exam.title, order.nodes[0].name, CONTENT_NAMES[order.content], SCOPE_NAMES[order.basis.scope]]
    parts += ["已筛选"] if order.narrowing != EVERYONE else []
    name = "-".join([*parts, f"{local(order.basis.as_of):%Y%m%d%H%M}"])
    return "".join("_" if c in '\\/:*?"<>|\r\n\t' else c for c in name) + f".{order.format}"


def remarks(basis: Basis, unit_name: str, narrowed: str = "") -> list[str]:
    """Give the lines that stand above every table: unit, scope, as-of time, roster, whom it is narrowed to, definitions."""
    return [
        f"单位：{unit_name}　　口径：{SCOPE_NAMES[basis.scope]}　　统计时间：{local(basis.as_of):%Y-%m-%d %H:%M:%S}　　名册：{roster_words(basis)}",
        *([f"范围：{narrowed}。"] if narrowed else []),
        SCOPE_DEFINITIONS[basis.scope] + "".join(DEFINITIONS[name] for name in ("eligible", "participated", "nothing")),
    ]


def roster_words(basis: Basis) -> str:
    """Say which roster the figures stand on, and when."""
    if basis.frozen_at is None:
        return f"现行，截至 {local(basis.as_of):%Y-%m-%d %H:%M}"
    words = f"{local(basis.frozen_at):%Y-%m-%d %H:%M} 冻结"
    return f"{words}，已采纳更正 {basis.exam.corrections} 条" if basis.exam.corrections else words


def _tracked(rows: Iterable[Sequence[Cell]], total: int, note_progress: Progress) -> Iterator[Sequence[Cell]]:
    note_progress(0, total)
    for done, row in enumerate(rows, 1):
        if done % _STEP == 0:
            note_progress(done, total)
        yield row


def _sum(counts: dict[int, Counts]) -> Counts:
    return sum(counts.values(), Counts())


PARTICIPATION_COLUMNS = (
    Column(head="层级", width=6),
    Column(head="单位编码", width=14),
    Column(head="单位", width=30),
    *(
        Column(head=head, width=9, is_number=True)
        for head in ("名册人数", "免考", "缓考", "应考", "参考", "未参考", "合格", "优秀")
    ),
    *(
        Column(head=head, width=11, is_number=True)
        for head in ("参考率（%）", "合格率（%）", "通过率（%）", "优秀率（%）", "平均分")
    ),
    Column(head="口径", width=7),
)


def _rate(value: Decimal | None) -> Cell:
    return NOTHING if value is None else value


def participation_cells(row: UnitRow, scope_name: str) -> list[Cell]:
    """Give a row of the participation table as it stands in every file."""
    c = row.counts
    return [
        row.depth, row.unit.code, row.unit.name, c.roster, c.exempt, c.deferred, c.eligible, c.participated, c.absent, c.passed, c.excellent,
        _rate(c.participation_rate), _rate(c.pass_rate), _rate(c.pass_of_eligible_rate), _rate(c.excellence_rate), _rate(c.mean_points),
        scope_name,
    ]  # fmt: skip


def _participation(_session: Session, order: Order, counts: dict[int, Counts]) -> _Table:
    rows = rollup(order.nodes, counts, depth=_ALL_LEVELS)
    scope_name = SCOPE_NAMES[order.basis.scope]
    return _Table(
        columns=PARTICIPATION_COLUMNS,
        rows=[participation_cells(row, scope_name) for row in rows],
        total=len(rows),
        closing=["每行含其全部下级单位；第一行为合计。", *_notes(rows[0].counts)],
    )


def _notes(total: Counts) -> list[str]:
    notes = []
    if total.excused_sat:
        notes.append(f"另有免考、缓考人员 {total.excused_sat} 人参加了考试，不计入应考和参考。")
    if total.ungraded:
        notes.append(f"有 {total.ungraded} 份答卷正在评分，平均分按已评出的 {total.graded} 份计算。")
    return notes


SCORE_COLUMNS = (
    Column(head="工号", width=14),
    Column(head="姓名", width=12),
    Column(head="单位编码", width=12),
    Column(head="单位", width=26),
    Column(head="作答时单位", width=22),
    Column(head="职务", width=12),
    Column(head="职级", width=12),
    Column(head="情况", width=14),
    Column(head="作答次数", width=9, is_number=True),
    Column(head="成绩", width=9, is_number=True),
    Column(head="卷面总分", width=9, is_number=True),
    Column(head="等次", width=9),
    Column(head="交卷时间", width=20),
    Column(head="口径", width=7),
)


def status_words(row: PersonRow) -> str:
    """Say how a person stands: excused, absent, begun, handed in."""
    if row.excuse is not None:
        kind = "免考" if row.excuse == ExemptionKind.EXEMPTION else "缓考"
        return f"{kind}（已参加，另列）" if row.has_sat else kind
    if row.has_sat:
        return "其他平台成绩" if row.source else "到时强制交卷" if row.is_forced else "已交卷"
    return "未开始" if row.started_at is None else "已开始未交卷"


def band_words(row: PersonRow) -> str:
    """Name the band; empty without a hand-in."""
    if row.band is not None:
        return BAND_NAMES[Band(row.band)]
    return "正在评分" if row.has_sat else ""


def score_cells(row: PersonRow, scope_name: str) -> list[Cell]:
    """Give a row of the score list as it stands in every file."""
    return [
        row.staff_number, row.name, row.unit_code, row.unit_name, row.sat_unit_name or "", row.position, row.rank, status_words(row),
        row.attempts, row.points, row.points_possible, band_words(row), row.submitted_at, scope_name,
    ]  # fmt: skip


NUMBER_COLUMNS = (Column(head="身份证号", width=20), Column(head="手机号", width=14))


def _scores(session: Session, order: Order, counts: dict[int, Counts]) -> _Table:
    total, scope_name, group = _sum(counts), SCOPE_NAMES[order.basis.scope], order.narrowing.group
    people = iter_people(session, order.basis, order.wanted, group=group or "roster")
    of_group = [f"以上为{GROUP_NAMES[group]} {getattr(total, group)} 人。同一范围全部人员："] if group else []
    has_numbers = order.numbers is not Numbers.NONE and order.sealer is not None
    rows: Iterable[Sequence[Cell]] = (score_cells(row, scope_name) for row in people)
    return _Table(
        columns=[*SCORE_COLUMNS, *NUMBER_COLUMNS] if has_numbers else SCORE_COLUMNS,
        rows=_with_numbers(session, order, people, scope_name) if has_numbers else rows,
        total=getattr(total, group or "roster"),
        closing=[*of_group, totals_words(total), "免考、缓考人员列在最后，不计入应考、参考。", *_notes(total)],
    )


def _with_numbers(
    session: Session, order: Order, people: Iterator[PersonRow], scope_name: str
) -> Iterator[Sequence[Cell]]:
    assert order.sealer is not None
    while batch := list(islice(people, _STEP)):
        ids = [row.person_id for row in batch]
        numbers = numbers_of(session, ids, order.sealer, is_whole=order.numbers is Numbers.WHOLE)
        for row in batch:
            yield [*score_cells(row, scope_name), *numbers.get(row.person_id, ("", ""))]


def totals_words(total: Counts) -> str:
    """Give the totals in one line, rates over nothing as –."""
    rates = {"参考率": total.participation_rate, "合格率": total.pass_rate, "优秀率": total.excellence_rate}
    words = [f"{name} {NOTHING if rate is None else f'{rate}%'}" for name, rate in rates.items()]
    return "　".join(
        [
            (
                f"名册 {total.roster} 人，免考 {total.exempt} 人，缓考 {total.deferred} 人，应考 {total.eligible} 人，参考 {total.participated} 人，"
                f"合格 {total.passed} 人，优秀 {total.excellent} 人；"
            ),
            *words,
            f"平均分 {_rate(total.mean_points)}。",
        ]
    )


ABSENT_COLUMNS = (
    Column(head="工号", width=14),
    Column(head="姓名", width=12),
    Column(head="单位编码", width=12),
    Column(head="单位", width=30),
    Column(head="职务", width=14),
    Column(head="职级", width=14),
    Column(head="情况", width=16),
    Column(head="开始作答时间", width=20),
    Column(head="口径", width=7),
)


def _absent(session: Session, order: Order, counts: dict[int, Counts]) -> _Table:
    total, scope_name, group = _sum(counts), SCOPE_NAMES[order.basis.scope], order.narrowing.group or "absent"
    people = iter_people(session, order.basis, order.wanted, group=group)
    return _Table(
        columns=ABSENT_COLUMNS,
        rows=(
            [
                r.staff_number,
                r.name,
                r.unit_code,
                r.unit_name,
                r.position,
                r.rank,
                status_words(r),
                r.started_at,
                scope_name,
            ]
            for r in people
        ),
        total=getattr(total, group),
        closing=[f"应考 {total.eligible} 人，参考 {total.participated} 人，未参考 {total.absent} 人。"],
    )


SHEET_COLUMNS = (
    Column(head="序号", width=6, is_number=True),
    Column(head="姓名", width=12),
    Column(head="单位", width=26),
    Column(head="职务", width=14),
    Column(head="成绩", width=9, is_number=True),
    Column(head="等次", width=9),
    Column(head="备注", width=18),
)
SIGNATURE_LINES = (
    "",
    "填表人：　　　　　　　　　　　　　　单位负责人（签字）：　　　　　　　　　　　　",
    "",
    "单位（盖章）：　　　　　　　　　　　　　　　　　　　　年　　　月　　　日",
)


def sheet_remark(row: PersonRow) -> str:
    """Say on the score sheet what the score does not say by itself."""
    words = status_words(row)
    return "" if words == "已交卷" else words


def _score_sheet(session: Session, order: Order, counts: dict[int, Counts]) -> _Table:
    total = _sum(counts)
    people = iter_scores(session, order.basis, order.wanted)
    return _Table(
        columns=SHEET_COLUMNS,
        rows=(
            [number, r.name, r.unit_name, r.position, r.points, band_words(r), sheet_remark(r)]
            for number, r in enumerate(people, 1)
        ),
        total=total.roster,
        closing=[totals_words(total), *_notes(total)],
        signatures=SIGNATURE_LINES,
        is_portrait=True,
    )


_TABLES: dict[str, Callable[[Session, Order, dict[int, Counts]], _Table]] = {
    "participation": _participation,
    "scores": _scores,
    "absent": _absent,
    "score_sheet": _score_sheet,
}
