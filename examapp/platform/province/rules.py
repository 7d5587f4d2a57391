"""What goes down from the province and up from its cells: tables, columns, rows; and how a link between two sites stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from examapp.organisation.units.rules import BEHIND, CELL_RANGE


class Direction(StrEnum):
    """Which way rows go; a part of the names of publications, subscriptions and slots."""

    DOWN = "down"
    """From the province to every cell."""
    UP = "up"
    """From a cell to the province."""


@dataclass(frozen=True, slots=True)
class SentTable:
    """A table whose rows go to the other side: these columns of the rows in the sender's range of ids."""

    name: str
    range_column: str
    """A column of the primary key whose value lies in the range of the site that made the row; empty where all rows go."""
    columns: tuple[str, ...]

    def row_filter(self, direction: Direction) -> str:
        """Write the condition of the rows that go this way, in SQL; empty for all."""
        if self.name == "heartbeats":
            return f"name = '{PROVINCE_BEAT}'" if direction is Direction.DOWN else f"name LIKE '{CELL_BEAT}%'"
        return f"{self.range_column} {_SIGN[direction]} {CELL_RANGE}" if self.range_column else ""


_SIGN = {Direction.DOWN: "<", Direction.UP: ">="}
PROVINCE_BEAT, CELL_BEAT = "province", "cell:"
"""Names in `heartbeats` of what the schedule of a site writes every ten seconds, for the other side to see how far it has got."""
_AHEAD = timedelta(seconds=5)


def _table(name: str, range_column: str, columns: str) -> SentTable:
    return SentTable(name, range_column, tuple(columns.split()))


_UNITS = _table("units", "id", "id code name uscc kind parent_id sector_parent_id region_path sector_path closed_at successor_id created_at issuer_name")  # fmt: skip
_SESSIONS = _table("exam_sessions", "id", "id exam_id name opens_at closes_at")
_BEATS = _table("heartbeats", "", "name beat_at")
_EXAM = (
    "id title kind state main_exam_id instructions opens_at closes_at duration_s lateness_s is_full_duration grace_s attempts_allowed "
    "counting_rule scoring_rule pass_percent good_percent excellent_percent results_policy results_at keys_policy keys_at focus_loss_limit "
    "has_pledge study_gate has_snapshot_at_close exam_notice created_by_id created_at updated_at published_at"
)
SENT: dict[Direction, tuple[SentTable, ...]] = {
    Direction.DOWN: (
        _UNITS,
        _table("laws", "id", "id name topic created_at"),
        _table("law_versions", "id", "id law_id version_on effective_on repealed_on note preamble created_at"),
        _table("law_articles", "id", "id law_version_id position label heading text"),
        _table("article_gists", "id", "id law_version_id position label text"),
        _table("knowledge_points", "id", "id name"),
        _table("media", "", "sha256 media_type content width height created_at"),
        _table("questions", "id", "id code kind state difficulty law_name topic review_note law_change current_version_id created_by_id reviewed_by_id created_at updated_at"),
        _table("question_versions", "id", "id question_id number content search_text digest created_by_id created_at"),
        _table("answer_keys", "id", "id question_version_id number parts reason created_by_id created_at"),
        _table("citations", "id", "id question_version_id part law_version_id articles"),
        _table("question_knowledge_points", "question_id", "question_id knowledge_point_id"),
        _table("question_searches", "question_id", "question_id text grams"),
        _table("blueprints", "id", "id name is_shuffled created_by_id created_at updated_at archived_at"),
        _table("blueprint_sections", "id", "id blueprint_id position title instructions kind count scoring part_count points_each laws knowledge_points topics codes difficulties"),
        _table("exams", "id", f"{_EXAM} blueprint_id"),
        _SESSIONS,
        _table("exam_audiences", "id", "id exam_id unit_id sector_unit_id ranks person_id blueprint_id"),
        _BEATS,
    ),
    Direction.UP: (
        _UNITS,
        _table("persons", "id", "id staff_number name unit_id state rank position created_at updated_at"),
        _table("exams", "id", f"{_EXAM} snapshot_due_at snapshot_created_at has_external_results corrections result_version anonymised_at"),
        _SESSIONS,
        _table("exam_audiences", "id", "id exam_id unit_id sector_unit_id ranks person_id"),
        _table("attempts", "id", "id exam_id person_id number paper_id unit_id state started_at deadline_at closes_at epoch submitted_at is_forced receipt_number receipt_sha256 answered total quarantined_at is_annulled"),
        _table("grades", "id", "id attempt_id number is_current points points_possible percent band is_passed reason graded_at"),
        _table("external_results", "id", "id exam_id person_id unit_id import_id source points points_possible percent band is_passed taken_at recorded_at undone_at replaced_by_id"),
        _table("exemptions", "id", "id exam_id person_id kind requested_at approved_at rejected_at withdrawn_at"),
        _table("makeup_eligibilities", "person_id", "exam_id person_id reason"),
        _table("roster_snapshot_units", "unit_id", "exam_id unit_id code name kind parent_id sector_parent_id region_path sector_path closed_at"),
        _table("roster_snapshot_people", "person_id", "exam_id person_id unit_id rank position excuse"),
        _BEATS,
    ),
}  # fmt: skip
"""Every column by name: what stands here leaves a site, and nothing else does."""

_LOCAL_KEYS = {Direction.DOWN: (("exam_audiences", "unit_id"), ("exam_audiences", "sector_unit_id"), ("exam_audiences", "person_id")), Direction.UP: (("attempts", "paper_id"), ("exam_audiences", "person_id"))}  # fmt: skip
"""Foreign keys of received rows to rows that stay elsewhere: papers in the cells; units and people of other cells that an audience names."""
OWNERS = {
    "persons": "unit_id", "attempts": "person_id", "grades": "attempt_id", "external_results": "person_id", "exemptions": "person_id", "exam_sessions": "exam_id",
    "exam_audiences": "exam_id", "question_versions": "question_id", "answer_keys": "question_version_id", "citations": "question_version_id",
    "law_versions": "law_id", "law_articles": "law_version_id", "article_gists": "law_version_id", "blueprint_sections": "blueprint_id",
}  # fmt: skip
"""The column by which a row is a part of another: a site adds no part to a received row either, whose number the other side may take too."""
SHARED_KEYS = (("persons", "staff_number"), ("units", "code"), ("units", "uscc"), ("attempts", "receipt_number"))
"""Unique in each cell; at the province unique among its own rows alone, so that no two cells can stop each other."""
OWN_NAMES = (
    ("laws", "name"),
    ("knowledge_points", "name"),
    ("questions", "code"),
    ("units", "code"),
    ("media", "sha256"),
)
"""Unique columns of what goes down: a cell's own row of the same name would stop what comes from the province."""


def local_keys(direction: Direction) -> tuple[tuple[str, str], ...]:
    """Give the foreign keys, as table and column, that do not hold at the receiver."""
    return _LOCAL_KEYS[direction]


def name_of_link(direction: Direction, cell: int) -> str:
    """Name the subscription and its slot, alike on both sides."""
    return f"examapp_{direction}_{cell}"


def received_tables(*, is_province: bool) -> frozenset[str]:
    """Give the tables in which a site may hold rows of another range."""
    return frozenset(table.name for table in SENT[Direction.UP if is_province else Direction.DOWN])


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A subscription of this database, as the server and the last sign of life say."""

    name: str
    label: str
    """The other side, for people: the province, or a cell by its highest unit."""
    cell: int
    is_enabled: bool
    is_working: bool
    """Whether its worker runs now; between two tries of one that cannot go on it does not."""
    received_at: datetime | None
    """When anything last came from the other side."""
    beat_at: datetime | None
    """Up to which instant of the other side everything is here."""
    waiting_tables: int
    """Whose first copy is not complete."""
    errors: int
    conflicts: int
    """Rows that could not be stored since a row with the same unique value was there."""

    @property
    def is_up(self) -> bool:
        """Whether it brings a cell's rows to the province."""
        return self.name == name_of_link(Direction.UP, self.cell)

    def lag(self, now: datetime) -> timedelta | None:
        """Give how far behind this site is; None while nothing has come yet."""
        return None if self.beat_at is None else now - self.beat_at

    def is_behind(self, now: datetime) -> bool:
        """Tell whether what is here is older than a minute, or nothing has come yet."""
        lag = self.lag(now)
        return lag is None or lag > BEHIND

    def list_issues(self, now: datetime) -> Iterator[str]:
        """Say in Chinese what is wrong with it and what to do."""
        lag = self.lag(now)
        if not self.is_enabled:
            yield f"订阅已停用。请在本站数据库执行 ALTER SUBSCRIPTION {self.name} ENABLE。"
        if self.waiting_tables:
            yield f"还有 {self.waiting_tables} 张表没有复制完，请稍候再看；一直不减少的，看数据库日志。"
        if self.is_behind(now) and self.conflicts:
            yield (
                f"有 {self.conflicts} 次因编号或名称重复写不进去，复制停在那一行。请看本站数据库日志中 {self.name} 的 CONFLICT 一行，"
                "在对方或本站改掉重复的那一条，复制会自己继续。"
            )
        elif self.is_behind(now) and self.errors:
            yield f"接收出错 {self.errors} 次。请看本站数据库日志中 {self.name} 的错误，改正后会自己继续。"
        if self.is_behind(now) and not self.conflicts:
            yield "对方联系不上，或它的定时任务没有运行。请检查网络、数据库证书是否过期、对方数据库和 celery beat；恢复后会自己补齐。"
        if lag is not None and lag < -_AHEAD:
            yield f"对方的时钟快 {-lag.total_seconds():.0f} 秒。请在两边启用 chrony 对时。"
