"""What stands in the menu, for whom, and which entry the present page belongs to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from examapp import clock
from examapp.security.permissions import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place that the menu may lead to: shown with any of the permissions; for candidates where there is none."""

    label: str
    endpoint: str
    permissions: tuple[Permission, ...] = ()
    is_for_candidates: bool = False


HOME = Place(label="首页", endpoint="admin.home")
PLACES: tuple[Place, ...] = (
    Place(label="考试", endpoint="admin.my_exams", is_for_candidates=True),
    Place(label="学习", endpoint="training.my_courses", is_for_candidates=True),
    Place(label="练习", endpoint="training.practise", is_for_candidates=True),
    Place(label="错题", endpoint="training.list_mistakes", is_for_candidates=True),
    Place(label="学法档案", endpoint="records.my_record", is_for_candidates=True),
    Place(label="参考情况", endpoint="reports_admin.participation", permissions=(Permission.REPORTS_READ,)),
    Place(label="学习情况", endpoint="records_admin.study", permissions=(Permission.REPORTS_READ,)),
    Place(label="考试管理", endpoint="exams_admin.list_exams", permissions=(Permission.EXAMS_READ,)),
    Place(label="考试日", endpoint="examday_admin.list_exams", permissions=(Permission.ATTEMPTS_MANAGE,)),
    Place(label="组卷", endpoint="papers_admin.list_blueprints", permissions=(Permission.PAPERS_READ,)),
    Place(label="题库", endpoint="questions_admin.list_questions", permissions=(Permission.QUESTIONS_READ,)),
    Place(label="课程管理", endpoint="training_admin.list_courses", permissions=(Permission.TRAINING_WRITE,)),
    Place(label="学法活动", endpoint="records_admin.list_events", permissions=(Permission.EVENTS_WRITE,)),
    Place(label="证书", endpoint="records_admin.list_plans", permissions=(Permission.CERTIFICATES_READ,)),
    Place(label="法律法规", endpoint="laws_admin.list_laws", permissions=(Permission.LAWS_WRITE,)),
    Place(label="法律法规", endpoint="laws.list_laws", is_for_candidates=True),
    Place(label="单位", endpoint="org_admin.list_units", permissions=(Permission.UNITS_READ,)),
    Place(label="人员", endpoint="people_admin.list_people", permissions=(Permission.PEOPLE_READ,)),
    Place(
        label="审批",
        endpoint="approvals_admin.list_requests",
        permissions=(
            Permission.ROLES_APPROVE,
            Permission.ACCOUNTS_APPROVE,
            Permission.KEYS_APPROVE,
            Permission.REOPENINGS_APPROVE,
            Permission.NUMBERS_APPROVE,
        ),
    ),
    Place(label="普法责任制", endpoint="duties_admin.overview", permissions=(Permission.DUTIES_WRITE,)),
    Place(label="通知", endpoint="messages_admin.list_notices", permissions=(Permission.NOTICES_WRITE,)),
    Place(label="意见", endpoint="messages_admin.list_feedback", permissions=(Permission.FEEDBACK_ANSWER,)),
    Place(label="审计", endpoint="audit_admin.list_log", permissions=(Permission.AUDIT_READ,)),
    Place(label="安全检查单", endpoint="checklist_admin.show_checklist", permissions=(Permission.SECURITY_READ,)),
    Place(label="设置", endpoint="admin_admin.show_settings", permissions=(Permission.SETTINGS_WRITE,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A menu entry as the page shows it."""

    label: str
    href: str
    is_current: bool


def places_for(*, is_candidate: bool, may: Callable[[Permission], bool]) -> list[Place]:
    """Give the places that somebody with these permissions has business at, the home page first; of two with one label the first."""
    open_to = [
        place
        for place in PLACES
        if (place.is_for_candidates and is_candidate) or any(may(permission) for permission in place.permissions)
    ]
    return [HOME, *_first_of_each(open_to)]


def _first_of_each(places: Sequence[Place]) -> list[Place]:
    seen: dict[str, Place] = {}
    for place in places:
        seen.setdefault(place.label, place)
    return list(seen.values())


def mark_current(found: Sequence[tuple[Place, str]], *, path: str) -> list[Entry]:
    """Mark the entry whose address is the longest beginning of the present path; the home page only on itself."""
    fitting = [href for _, href in found if _is_within(path, href)]
    current = max(fitting, key=len, default="")
    return [Entry(label=place.label, href=href, is_current=href == current) for place, href in found]


def _is_within(path: str, href: str) -> bool:
    bare = href.split("?", maxsplit=1)[0].rstrip("/")
    return path == (bare or "/") or (bool(bare) and path.startswith(f"{bare}/"))


def remaining_words(until: datetime, *, now: datetime) -> str:
    """Say how long something still lasts: `还有 12 天`, `还有 5 小时`, `还有 20 分钟`."""
    seconds = int((until - now).total_seconds())
    days = (clock.day_of(until) - clock.day_of(now)).days
    if seconds <= 0:
        return "已截止"
    if days >= 2:
        return f"还有 {days} 天"
    if seconds >= 3600:
        return f"还有 {seconds // 3600} 小时"
    return f"还有 {max(1, seconds // 60)} 分钟"


def time_left_words(until: datetime, *, now: datetime) -> str:
    """Say how long an attempt still lasts: `剩余 2 小时 5 分钟`, `剩余 41 分钟`, `剩余不到 1 分钟`, `作答时间已到`."""
    seconds = int((until - now).total_seconds())
    hours, minutes = divmod(seconds // 60, 60)
    if seconds <= 0:
        return "作答时间已到"
    if seconds < 60:
        return "剩余不到 1 分钟"
    return f"剩余 {hours} 小时 {minutes} 分钟" if hours else f"剩余 {minutes} 分钟"


def moment_words(instant: datetime) -> str:
    """Say an instant of this season as people say it: `11 月 30 日 18:00`."""
    return f"{clock.local(instant):%-m 月 %-d 日 %H:%M}"
