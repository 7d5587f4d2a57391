"""What a file is to hold, and what it says of itself: its name, the lines above its table, its mark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from sqlalchemy.orm import Session

from examapp.clock import local
from examapp.delivery.evidence.queries import find_fingerprint
from examapp.delivery.exams.models import ExemptionKind
from examapp.delivery.grading.rules import BAND_NAMES, Band
from examapp.documents.spreadsheets import Cell, SheetColumn
from examapp.organisation.issuers.queries import issuer_line
from examapp.organisation.people.queries import numbers_of
from examapp.organisation.units.models import AREA_KINDS
from examapp.oversight.report_files.rules import ReportRequest, file_name_of
from examapp.oversight.statistics_definitions.rules import (
    CONTENT_NAMES,
    DEFINITIONS,
    SCOPE_DEFINITIONS,
    SCOPE_NAMES,
    Counts,
    PiiDisclosure,
    UnitNode,
    UnitStatsRow,
    rollup,
)
from examapp.oversight.statistics_people.queries import PersonRow, iter_people, iter_scores
from examapp.oversight.statistics_scope.queries import PeopleFilter, ReportContext
from examapp.oversight.statistics_scope.rules import GROUP_NAMES, NO_FILTER
from examapp.security.ciphers import FieldCipher


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSpec:
    """What a file is to hold: the unit is the first of the nodes, the others are below it."""

    request: ReportRequest
    report_context: ReportContext
    nodes: Sequence[UnitNode]
    watermark: str = ""
    """Who asked for it, and when; a line at the head or foot of each page, save in a circular."""
    issuer: str = ""
    """The office or unit in whose name it goes out (落款)."""
    is_of_unit: bool = False
    """Whether a unit issues it, not the county's office."""
    template: bytes | None = None
    """The office's own template; None for the shipped one."""
    cipher: FieldCipher | None = None
    """Decrypts ID numbers and mobiles, where they are to be in the file."""

    @property
    def wanted(self) -> PeopleFilter:
        """The people of these units whom the filter leaves, whatever their group."""
        return PeopleFilter.of(self.request.filters, unit_ids=[node.unit_id for node in self.nodes])


def file_name(order: ReportSpec) -> str:
    """Give the name under which the file is saved."""
    parts = [
        order.report_context.exam.title,
        order.nodes[0].name,
        CONTENT_NAMES[order.request.content],
        SCOPE_NAMES[order.report_context.scope],
    ]
    parts += ["已筛选"] if order.request.filters != NO_FILTER else []
    name = "-".join([*parts, f"{local(order.report_context.as_of):%Y%m%d%H%M}"])
    return f"{file_name_of(name)}.{order.request.format}"


def parts_of(nodes: Sequence[UnitNode]) -> dict[str, str]:
    """Say by unit code under which unit directly below the first node a unit hangs, as `101 县财政局`."""
    by_id = {node.unit_id: node for node in nodes}
    top, found = nodes[0], {nodes[0].code: f"{nodes[0].code} {nodes[0].name}"}
    for node in nodes[1:]:
        below = node
        while below.parent_id is not None and below.parent_id != top.unit_id:
            below = by_id[below.parent_id]
        found[node.code] = f"{below.code} {below.name}"
    return found


def remarks(report_context: ReportContext, top: UnitNode, filter_label: str = "") -> list[str]:
    """Give the lines that stand above every table: unit, scope, as-of time, roster, whom it is filtered to, definitions."""
    return [
        f"单位：{top.name}　　统计范围：{SCOPE_NAMES[report_context.scope]}　　统计时间：{local(report_context.as_of):%Y-%m-%d %H:%M:%S}　　名册：{roster_label(report_context, top)}",
        *([f"范围：{filter_label}。"] if filter_label else []),
        SCOPE_DEFINITIONS[report_context.scope]
        + "".join(DEFINITIONS[name] for name in ("eligible", "participated", "nothing")),
    ]


def roster_label(report_context: ReportContext, top: UnitNode) -> str:
    """Say which roster a unit's figures stand on and when, which version of the results where they were corrected, and, of the county, which units they do not cover."""
    exam, text = report_context.exam, f"截至{local(report_context.as_of):%Y年%-m月%-d日 %H:%M}的在册人员"
    if report_context.snapshot_due_at is not None:
        text = f"{local(report_context.snapshot_due_at):%Y年%-m月%-d日 %H:%M}冻结的名单"
        text += f"，已采纳更正 {exam.corrections} 条" if exam.corrections else ""
    if exam.result_version > 1:
        text += f"；成绩第 {exam.result_version} 版，更正 {exam.result_version - 1} 次"
    if top.kind in AREA_KINDS and report_context.uncovered:
        text += f"；不含没有上级单位的{'、'.join(report_context.uncovered)}"
    return f"{text}；{report_context.cells}" if report_context.cells else text


def stamp_of(order: ReportSpec) -> dict[str, Cell]:
    """Give what each row of a csv says at its end, for its head is its first line: as-of time, roster, whom it is filtered to."""
    filter_label = order.request.filters.text
    stamp: dict[str, Cell] = {
        "统计时间": order.report_context.as_of,
        "名册": roster_label(order.report_context, order.nodes[0]),
    }
    return stamp | ({"范围": filter_label} if filter_label else {})


def mark_of(order: ReportSpec) -> str:
    """Give what stands at the head of each page of a form of the office's own: whose copy, and whom alone it holds, whether the form says so or not."""
    return "；".join(part for part in (order.watermark, order.request.filters.text) if part)


_ALL_LEVELS = 99
_BATCH = 1000
"""So many people's numbers are opened at once."""
NOTHING = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRows:
    """A table to write: its columns, a stream of rows and how many they are, the lines below."""

    columns: Sequence[SheetColumn]
    rows: Iterable[Sequence[Cell]]
    total: int
    closing: Sequence[str] = ()
    signatures: Sequence[str] = ()
    is_portrait: bool = False


def whole_of(counts: dict[int, Counts]) -> Counts:
    """Add all units up."""
    return sum(counts.values(), Counts())


PARTICIPATION_COLUMNS = (
    SheetColumn(head="层级", width=6),
    SheetColumn(head="单位编码", width=16),
    SheetColumn(head="单位", width=30),
    *(
        SheetColumn(head=head, width=9, is_number=True)
        for head in ("名册人数", "免考", "缓考", "应考", "参考", "未参考", "合格", "良好", "优秀", "不合格")
    ),
    *(
        SheetColumn(head=head, width=11, is_number=True)
        for head in ("参考率（%）", "合格率（%）", "通过率（%）", "优秀率（%）", "平均分")
    ),
    SheetColumn(head="统计范围", width=12),
)


def _rate(value: Decimal | None) -> Cell:
    return NOTHING if value is None else value


def participation_cells(row: UnitStatsRow, scope_name: str) -> list[Cell]:
    """Give a row of the participation table as it stands in every file."""
    c = row.counts
    return [
        row.depth, row.unit.code, row.unit.name, c.roster, c.exempt, c.deferred, c.eligible, c.participated, c.absent, c.passed, c.good,
        c.excellent, c.failed,        _rate(c.participation_rate), _rate(c.pass_rate), _rate(c.pass_of_eligible_rate), _rate(c.excellence_rate), _rate(c.mean_points),
        scope_name,
    ]  # fmt: skip


def _participation(_session: Session, order: ReportSpec, counts: dict[int, Counts]) -> TableRows:
    rows = rollup(order.nodes, counts, depth=_ALL_LEVELS)
    scope_name = SCOPE_NAMES[order.report_context.scope]
    return TableRows(
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
    SheetColumn(head="工号", width=14),
    SheetColumn(head="姓名", width=12),
    SheetColumn(head="单位编码", width=12),
    SheetColumn(head="单位", width=26),
    SheetColumn(head="作答时单位", width=22),
    SheetColumn(head="职务", width=12),
    SheetColumn(head="职级", width=12),
    SheetColumn(head="情况", width=14),
    SheetColumn(head="作答次数", width=9, is_number=True),
    SheetColumn(head="成绩", width=9, is_number=True),
    SheetColumn(head="卷面总分", width=9, is_number=True),
    SheetColumn(head="等次", width=9),
    SheetColumn(head="交卷时间", width=20),
    SheetColumn(head="统计范围", width=9),
)


def status_label(row: PersonRow, *, is_over: bool) -> str:
    """Say how a person stands: excused, absent, begun, handed in; 缺考 only once nobody can begin any more."""
    if row.excuse is not None:
        kind = "免考" if row.excuse == ExemptionKind.EXEMPTION else "缓考"
        return f"{kind}（已参加，另列）" if row.has_submitted else kind
    if row.has_submitted:
        return "其他平台成绩" if row.source else "系统强制交卷" if row.is_forced else "已交卷"
    if row.started_at is not None:
        return "已开始未交卷"
    return "缺考" if is_over else "未开始"


def band_label(row: PersonRow) -> str:
    """Name the band; empty without a hand-in."""
    if row.band is not None:
        return BAND_NAMES[Band(row.band)]
    return "正在评分" if row.has_submitted else ""


def score_cells(row: PersonRow, report_context: ReportContext) -> list[Cell]:
    """Give a row of the score list as it stands in every file."""
    return [
        row.staff_number, row.name, row.unit_code, row.unit_name, row.unit_name_at_attempt or "", row.position, row.rank,
        status_label(row, is_over=report_context.is_over),
        row.attempts, row.points, row.points_possible, band_label(row), row.submitted_at, SCOPE_NAMES[report_context.scope],
    ]  # fmt: skip


NUMBER_COLUMNS = (SheetColumn(head="身份证号", width=20), SheetColumn(head="手机号", width=14))


def _scores(session: Session, order: ReportSpec, counts: dict[int, Counts]) -> TableRows:
    total, group = whole_of(counts), order.request.filters.group
    people = iter_people(session, order.report_context, order.wanted, group=group or "roster")
    of_group = [f"以上为{GROUP_NAMES[group]} {getattr(total, group)} 人。同一范围全部人员："] if group else []
    has_numbers = order.request.numbers is not PiiDisclosure.NONE and order.cipher is not None
    rows: Iterable[Sequence[Cell]] = (score_cells(row, order.report_context) for row in people)
    return TableRows(
        columns=[*SCORE_COLUMNS, *NUMBER_COLUMNS] if has_numbers else SCORE_COLUMNS,
        rows=_with_numbers(session, order, people) if has_numbers else rows,
        total=getattr(total, group or "roster"),
        closing=[*of_group, totals_label(total), "免考、缓考人员列在最后，不计入应考、参考。", *_notes(total)],
    )


def _with_numbers(session: Session, order: ReportSpec, people: Iterator[PersonRow]) -> Iterator[Sequence[Cell]]:
    assert order.cipher is not None
    while batch := list(islice(people, _BATCH)):
        ids = [row.person_id for row in batch]
        numbers = numbers_of(session, ids, order.cipher, is_whole=order.request.numbers is PiiDisclosure.WHOLE)
        for row in batch:
            yield [*score_cells(row, order.report_context), *numbers.get(row.person_id, ("", ""))]


def totals_label(total: Counts) -> str:
    """Give the totals in one line, rates over nothing as –."""
    rates = {"参考率": total.participation_rate, "合格率": total.pass_rate, "优秀率": total.excellence_rate}
    text = [f"{name} {NOTHING if rate is None else f'{rate}%'}" for name, rate in rates.items()]
    return "　".join(
        [
            (
                f"名册 {total.roster} 人，免考 {total.exempt} 人，缓考 {total.deferred} 人，应考 {total.eligible} 人，参考 {total.participated} 人，"
                f"合格 {total.passed} 人，良好 {total.good} 人，优秀 {total.excellent} 人，不合格 {total.failed} 人；"
            ),
            *text,
            f"平均分 {_rate(total.mean_points)}。",
        ]
    )


ABSENT_COLUMNS = (
    SheetColumn(head="工号", width=14),
    SheetColumn(head="姓名", width=12),
    SheetColumn(head="单位编码", width=12),
    SheetColumn(head="单位", width=30),
    SheetColumn(head="职务", width=14),
    SheetColumn(head="职级", width=14),
    SheetColumn(head="情况", width=16),
    SheetColumn(head="开始作答时间", width=20),
    SheetColumn(head="统计范围", width=9),
)


def _absent(session: Session, order: ReportSpec, counts: dict[int, Counts]) -> TableRows:
    total, scope_name, group = (
        whole_of(counts),
        SCOPE_NAMES[order.report_context.scope],
        order.request.filters.group or "absent",
    )
    people = iter_people(session, order.report_context, order.wanted, group=group)
    return TableRows(
        columns=ABSENT_COLUMNS,
        rows=(
            [
                r.staff_number,
                r.name,
                r.unit_code,
                r.unit_name,
                r.position,
                r.rank,
                status_label(r, is_over=order.report_context.is_over),
                r.started_at,
                scope_name,
            ]
            for r in people
        ),
        total=getattr(total, group),
        closing=[f"应考 {total.eligible} 人，参考 {total.participated} 人，未参考 {total.absent} 人。"],
    )


SHEET_COLUMNS = (
    SheetColumn(head="序号", width=6, is_number=True),
    SheetColumn(head="姓名", width=12),
    SheetColumn(head="单位", width=26),
    SheetColumn(head="职务", width=14),
    SheetColumn(head="成绩", width=9, is_number=True),
    SheetColumn(head="等次", width=9),
    SheetColumn(head="备注", width=18),
)


def issuer_lines(order: ReportSpec) -> list[str]:
    """Say at a table's end in whose name it was made, and on which day; nothing where nobody is named."""
    if not order.issuer:
        return []
    return [issuer_line(order.issuer, order.report_context.as_of)]


def signature_lines(order: ReportSpec) -> tuple[str, ...]:
    """Give the lines to sign and seal below a score sheet: with the unit's name on its own, blank on one that the county's office hands to a unit."""
    seal = f"{order.issuer}　　　　　　　　" if order.is_of_unit else "　　　　　　　　　　　　　　　　"
    return (
        "",
        "填表人：　　　　　　　　　　　　　　单位负责人（签字）：　　　　　　　　　　　　",
        "",
        f"单位（盖章）：{seal}　　　　年　　　月　　　日",
    )


def sheet_remark(row: PersonRow, *, is_over: bool) -> str:
    """Say on the score sheet what the score does not say by itself."""
    text = status_label(row, is_over=is_over)
    return "" if text == "已交卷" else text


def evidence_notes(session: Session, report_context: ReportContext) -> list[str]:
    """Say by which digest the evidence pack of the results on a score sheet is known, so that a seal on paper binds it; nothing where none was made."""
    exam = report_context.exam
    digest = find_fingerprint(session, exam.id, exam.result_version)
    return [f"证据包（成绩第 {exam.result_version} 版）清单校验值 SHA-256：{digest}"] if digest else []


def _score_sheet(session: Session, order: ReportSpec, counts: dict[int, Counts]) -> TableRows:
    total = whole_of(counts)
    people = iter_scores(session, order.report_context, order.wanted)
    return TableRows(
        columns=SHEET_COLUMNS,
        rows=(
            [
                number,
                r.name,
                r.unit_name,
                r.position,
                r.points,
                band_label(r),
                sheet_remark(r, is_over=order.report_context.is_over),
            ]
            for number, r in enumerate(people, 1)
        ),
        total=total.roster,
        closing=[totals_label(total), *_notes(total), *evidence_notes(session, order.report_context)],
        signatures=signature_lines(order),
        is_portrait=True,
    )


TABLES: dict[str, Callable[[Session, ReportSpec, dict[int, Counts]], TableRows]] = {
    "participation": _participation,
    "scores": _scores,
    "absent": _absent,
    "score_sheet": _score_sheet,
}
"""How the table of each content is made; a circular is none."""
