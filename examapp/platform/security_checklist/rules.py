"""The security checklist: what is looked at on the running deployment, when it is good, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from examapp.clock import local
from examapp.config import Mode, PasswordProfile, Settings
from examapp.db.addresses import DatabaseHost, HostState
from examapp.organisation.accounts.rules import SIGN_IN_LIFE, SignInPolicy
from examapp.platform.province.rules import Link
from examapp.platform.setup.rules import DURABILITY_ISSUES, list_secret_issues

BACKUP_GOOD, BACKUP_BAD = timedelta(hours=26), timedelta(days=3)
"""A backup is made every night: one that is missed shows the next morning."""
VERIFY_GOOD, VERIFY_BAD = timedelta(days=2), timedelta(days=8)
SEAL_GOOD, SEAL_BAD = timedelta(minutes=15), timedelta(hours=6)
CERTIFICATE_GOOD, CERTIFICATE_BAD = timedelta(days=30), timedelta(days=7)
MIN_KEPT_DAYS = 200
_CLOCK_GOOD_S, _CLOCK_BAD_S = 2.0, 30.0
_HOST_LABELS = {
    HostState.PRIMARY: ("主库", ""),
    HostState.STANDBY: ("备库", ""),
    HostState.STALLED: (
        "备库，没有在接收",
        "请检查这台机器的磁盘空间和它到主库的网络；恢复以前，主库再坏就没有接替的。",
    ),
    HostState.DISTRUSTED: (
        "证书已过期或不可信",
        "请为这台数据库换上新证书（docker/county 的 tls 目录），再 patronictl reload；恢复以前，程序不会连它。",
    ),
    HostState.AWAY: (
        "连不上",
        "请检查这台机器、它的数据库和磁盘空间，或改正 DATABASE_URL 中的主机；恢复以前，另一台也坏时就会停机。",
    ),
    HostState.FOREIGN: ("是另一套数据库", "请改正 DATABASE_URL：写到那里的数据不在本站的数据库里。"),
}


class Level(StrEnum):
    """How a point stands: red must be mended, amber should be looked at."""

    GOOD = "good"
    LOOK = "look"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the list: what was looked at, how it stands, what was found, and what to do."""

    name: str
    level: Level
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistFindings:
    """What was found on the deployment; None where it could not be found out or never was."""

    hosts: Sequence[DatabaseHost]
    """The hosts of the database's address; empty where it names one."""
    cell_issue: str
    """What is wrong with the ranges of ids; empty where all ids are of this cell."""
    links: Sequence[Link]
    """The subscriptions to other sites of the province; empty where it is no part of one."""
    shared_numbers: Sequence[tuple[str, list[int]]]
    """The first staff numbers that stand in several cells, with the cells."""
    database: Mapping[str, str]
    has_demo_accounts: bool
    holders: Mapping[str, int]
    """How many persons hold each of the three administrators' roles now."""
    administrators: int
    without_second_factor: int
    backup_at: datetime | None
    backup_failed_at: datetime | None
    """When a backup last came to no good end."""
    sealed_at: datetime | None
    unchained: int
    verified_at: datetime | None
    chain_issues: int
    """How many lines of the log the last check found changed, removed or inserted."""
    head_issue: str
    """What is wrong with the kept head of the chain at this moment; empty where it is on the chain."""
    opened_at: datetime | None
    unopened: int
    """How many sealed values the last check could not open."""
    log_at: datetime | None
    certificate_ends_at: datetime | None
    may_change_log: bool
    sign_in_policy: SignInPolicy = field(default_factory=SignInPolicy)
    """How long candidates stay signed in, as the office has set it."""


def judge(settings: Settings, found: ChecklistFindings, *, now: datetime) -> list[Point]:
    """Judge every point, red ones first, in an order that stays the same otherwise."""
    points = [
        *_settings(settings),
        _sign_ins(found.sign_in_policy),
        *_database(found),
        *judge_site(
            settings,
            hosts=found.hosts,
            cell_issue=found.cell_issue,
            certificate_ends_at=found.certificate_ends_at,
            now=now,
        ),
        *_links(found, now=now),
        *_people(settings, found),
        _backup(found, now=now),
        *_audit(settings, found, now=now),
        _aged(
            "运行日志",
            found.log_at,
            now,
            (timedelta(days=1), timedelta(days=3)),
            "请检查日志目录是否可写、磁盘是否已满，或日志是否由系统服务另行收集。",
        ),
    ]
    order = [Level.BAD, Level.LOOK, Level.GOOD]
    return sorted(points, key=lambda point: order.index(point.level))


def judge_site(
    settings: Settings,
    *,
    hosts: Sequence[DatabaseHost],
    cell_issue: str,
    certificate_ends_at: datetime | None,
    now: datetime,
) -> list[Point]:
    """Judge what `flask province status` says of its own site too: the database's hosts and clocks, the ranges of ids, the certificate."""
    return [
        *_hosts(hosts),
        *_cell(settings, cell_issue),
        _certificate(settings, certificate_ends_at, now=now),
    ]


def _point(name: str, found: str, advice: str, *, is_good: bool, otherwise: Level = Level.LOOK) -> Point:
    """Make a point that is green, or of another level and with what to do then."""
    return Point(name, Level.GOOD if is_good else otherwise, found, "" if is_good else advice)


def _settings(settings: Settings) -> list[Point]:
    is_production = settings.app_mode is Mode.PRODUCTION
    issues = list_secret_issues(settings)
    has_strict_passwords = settings.password_profile is PasswordProfile.DENGBAO
    minutes = settings.admin_idle_minutes
    return [
        _point(
            "运行方式",
            "正式" if is_production else "试用或测试",
            "正式考试前，请按运维手册以 APP_MODE=production 部署。",
            is_good=is_production,
        ),
        _point(
            "密钥",
            "有问题" if issues else "已设置，且不是示例值",
            "".join(issues),
            is_good=not issues,
            otherwise=Level.BAD,
        ),
        _point(
            "首次设置页",
            "设置码仍在" if settings.setup_code else "已关闭",
            "设置已完成，请删去环境变量 SETUP_CODE。",
            is_good=not (settings.setup_code and is_production),
        ),
        _point(
            "日志级别",
            settings.log_level,
            "DEBUG 只用于排查，请改回 INFO。",
            is_good=settings.log_level != "DEBUG",
        ),
        _point(
            "密码规则",
            "等保（四类字符、历史、定期更换）" if has_strict_passwords else "长度与常见密码检查",
            "等保三级测评通常要求复杂度和定期更换，可设 PASSWORD_PROFILE=dengbao。",
            is_good=has_strict_passwords,
        ),
        _point(
            "管理员无操作退出",
            f"{minutes} 分钟" if minutes else "不限",
            "请把 ADMIN_IDLE_MINUTES 设为 30 或更短。",
            is_good=0 < minutes <= 30,
        ),
    ]


def _sign_ins(policy: SignInPolicy) -> Point:
    return _point(
        "考生登录保留",
        f"{policy.days} 天" + ("，并保留到考试结束" if policy.is_kept_for_exam else ""),
        f"考试期间可以这样；考完请普法办在“平台设置”里改回 {SIGN_IN_LIFE.days} 天。",
        is_good=policy.days <= SIGN_IN_LIFE.days and not policy.is_kept_for_exam,
    )


def _database(found: ChecklistFindings) -> list[Point]:
    points = []
    for name, advice in DURABILITY_ISSUES.items():
        is_on = found.database.get(name, "off") != "off"
        points.append(
            _point(f"数据库 {name}", "已打开" if is_on else "已关闭", advice, is_good=is_on, otherwise=Level.BAD)
        )
    points.append(
        _point(
            "演示账号",
            "有，口令公开" if found.has_demo_accounts else "没有",
            "请换用空数据库，不要在演示库上办正式考试。",
            is_good=not found.has_demo_accounts,
            otherwise=Level.BAD,
        )
    )
    return points


def _hosts(hosts: Sequence[DatabaseHost]) -> list[Point]:
    """Judge the hosts of the database one by one, and their clocks: deadlines follow the clock of whichever is the primary."""
    points = []
    for host in hosts:
        label, advice = _HOST_LABELS[host.state]
        points.append(Point(f"数据库主机 {host.name}", Level.BAD if advice else Level.GOOD, label, advice))
    offsets = [host.clock_offset_s for host in hosts if host.has_answered]
    if offsets:
        apart = max([*offsets, 0.0]) - min([*offsets, 0.0])
        level = Level.BAD if apart > _CLOCK_BAD_S else Level.LOOK if apart > _CLOCK_GOOD_S else Level.GOOD
        advice = "" if level is Level.GOOD else "请在各台机器上启用 chrony 对时：切换主机后，考试的截止时刻会跳变。"
        points.append(Point("各台机器的时钟", level, f"最多相差 {apart:.0f} 秒", advice))
    primaries = sum(host.state is HostState.PRIMARY for host in hosts)
    if hosts and primaries != 1:
        advice = "只能有一个主库。请执行 patronictl list 查看，按运维手册“两台机器和一台见证机”处理。"
        points.append(Point("主库", Level.BAD, f"有 {primaries} 个", advice))
    return points


def _cell(settings: Settings, issue: str) -> list[Point]:
    if not settings.cell and not issue:
        return []
    found = "有问题" if issue else f"第 {settings.cell} 分区"
    return [_point("分区编号", found, issue, is_good=not issue, otherwise=Level.BAD)]


def _links(found: ChecklistFindings, *, now: datetime) -> list[Point]:
    """Judge what comes from each other site of the province: away, stopped by a row with the same name, its clock."""
    points = []
    for link in found.links:
        issues, lag = list(link.list_issues(now)), link.lag(now)
        text = f"{max(lag.total_seconds(), 0):.0f} 秒前的数据" if lag is not None else "还没有收到"
        points.append(Point(f"来自{link.label}", Level.BAD if issues else Level.GOOD, text, "".join(issues)))
    for number, cells in found.shared_numbers:
        said = f"工号 {number} 在分区 {'、'.join(map(str, cells))} 都有"
        points.append(
            Point(
                "重复的工号", Level.LOOK, said, "各自有效，汇总时是不同的人；是同一个人的，请由其中一个分区办理调出。"
            )
        )
    return points


def _people(settings: Settings, found: ChecklistFindings) -> list[Point]:
    names = {"system_admin": "系统管理员", "security_admin": "安全管理员", "audit_admin": "审计管理员"}
    unfilled = [text for role, text in names.items() if not found.holders.get(role)]
    return [
        _point(
            "三员配备",
            "、".join(f"{text} {found.holders.get(role, 0)} 人" for role, text in names.items()),
            f"请由安全管理员为 {'、'.join(unfilled)} 授权，三种角色由不同的人担任。",
            is_good=not unfilled,
            otherwise=Level.BAD,
        ),
        _second_factor(settings, found),
    ]


def _second_factor(settings: Settings, found: ChecklistFindings) -> Point:
    name = "管理员动态口令"
    if settings.second_factor == "off":
        advice = "等保三级要求管理员用两种方式鉴别身份，请设 SECOND_FACTOR=required。"
        return Point(name, Level.BAD, "已停用", advice)
    return _point(
        name,
        f"{found.administrators} 名管理员中 {found.without_second_factor} 名没有启用",
        "请通知他们在“动态口令”页启用；设 SECOND_FACTOR=required 后，不启用不能办理业务。",
        is_good=not found.without_second_factor,
    )


def _backup(found: ChecklistFindings, *, now: datetime) -> Point:
    advice = "每晚执行一次 flask backup base，并确认定时任务在运行（systemctl list-timers examapp-backup.timer）；备份放在另一块磁盘上。"
    point = _aged("数据库备份", found.backup_at, now, (BACKUP_GOOD, BACKUP_BAD), advice)
    failed_at = found.backup_failed_at
    if failed_at is None or (found.backup_at is not None and found.backup_at > failed_at):
        return point
    message = f"最近一次备份没有成功（{local(failed_at):%m-%d %H:%M}）；{point.found}"
    mend = "请看 journalctl -u examapp-backup 中的原因（多为磁盘已满或账号没有 REPLICATION），处理后执行 systemctl start examapp-backup。"
    return Point(point.name, Level.BAD, message, mend)


def _audit(settings: Settings, found: ChecklistFindings, *, now: datetime) -> list[Point]:
    days = settings.keep_audit_days
    seal = _aged(
        "审计记录防篡改校验", found.sealed_at, now, (SEAL_GOOD, SEAL_BAD), "请检查后台任务（worker、beat）是否在运行。"
    )
    if found.unchained == 0 and found.sealed_at is not None:
        seal = Point(seal.name, Level.GOOD, f"没有等待上链的记录，{seal.found}")
    if found.head_issue:
        seal = Point(seal.name, Level.BAD, "链首对不上，已停止上链", found.head_issue)
    verify_advice = (
        "每天自动校验一次。请检查后台任务（worker、beat）是否在运行，或手工执行 flask audit verify。",
        "请保留数据库现状，执行 flask audit verify 查看是哪些记录，并与备份核对。",
    )
    keys_advice = (
        "每天自动核对一次。请检查后台任务（worker、beat）是否在运行，或手工执行 flask keys check。",
        "请执行 flask keys check 查看是哪些，核对 DATA_KEYS 是否齐全；齐全的，从备份中恢复。",
    )
    return [
        seal,
        _checked("审计记录校验", found.verified_at, found.chain_issues, now, verify_advice),
        _checked("加密数据核对", found.opened_at, found.unopened, now, keys_advice),
        _point(
            "审计记录保存期",
            f"{days} 天",
            "不得少于 200 天，请改 KEEP_AUDIT_DAYS。",
            is_good=days >= MIN_KEPT_DAYS,
            otherwise=Level.BAD,
        ),
        _point(
            "审计记录防改",
            "程序的数据库账号能修改或删除" if found.may_change_log else "程序的数据库账号不能修改、删除",
            "请按运维手册收回程序账号对审计表的修改、删除权。",
            is_good=not found.may_change_log,
        ),
    ]


def _certificate(settings: Settings, ends_at: datetime | None, *, now: datetime) -> Point:
    if not settings.https:
        level = Level.BAD if settings.app_mode is Mode.PRODUCTION else Level.LOOK
        return Point("https", level, "没有启用", "请在 nginx 上配置证书，并设 HTTPS=1；否则口令在网络上以明文传送。")
    if ends_at is None:
        return Point(
            "https 证书", Level.LOOK, "没有查到", "请设 SITE_URL 为网站对外的 https 地址，并确认本机能访问它。"
        )
    left = ends_at - now
    level = Level.BAD if left < CERTIFICATE_BAD else Level.LOOK if left < CERTIFICATE_GOOD else Level.GOOD
    found = f"还有 {max(left.days, 0)} 天到期" if left > timedelta(0) else "已过期"
    return Point("https 证书", level, found, "" if level is Level.GOOD else "请尽快换上新证书，并重新加载 nginx。")


def _aged(name: str, at: datetime | None, now: datetime, limits: tuple[timedelta, timedelta], advice: str) -> Point:
    """Judge by age: green while young, amber, and red once too old or never done."""
    if at is None:
        return Point(name, Level.BAD, "尚未执行", advice)
    age, (good, bad) = now - at, limits
    level = Level.GOOD if age <= good else Level.LOOK if age <= bad else Level.BAD
    return Point(name, level, _age_label(age), "" if level is Level.GOOD else advice)


def _checked(name: str, at: datetime | None, issues: int, now: datetime, advice: tuple[str, str]) -> Point:
    """Judge a check that runs by itself: red where it found something, else by its age."""
    to_run, to_mend = advice
    if at is not None and issues:
        return Point(name, Level.BAD, f"发现 {issues} 处问题，{_age_label(now - at)}", to_mend)
    return _aged(name, at, now, (VERIFY_GOOD, VERIFY_BAD), to_run)


def _age_label(age: timedelta) -> str:
    minutes = max(int(age.total_seconds()) // 60, 0)
    if minutes < 60:
        return f"最近一次在 {minutes} 分钟前"
    return f"最近一次在 {minutes // 60} 小时前" if minutes < 48 * 60 else f"最近一次在 {minutes // 1440} 天前"
