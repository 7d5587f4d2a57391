"""Which entries the menu shows, which of them is the present page's, and how long something lasts in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from examapp import clock
from examapp.organisation.access.rules import MenuEntry

HOME = MenuEntry(label="首页", endpoint="admin.home")


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuLink:
    """A menu entry as the page shows it."""

    label: str
    href: str
    is_current: bool


def entries_for(menu: Sequence[MenuEntry], *, is_candidate: bool, may: Callable[[str], bool]) -> list[MenuEntry]:
    """Give the entries that are shown with these permissions, the home page first; of two with one label the first."""
    shown = [
        entry
        for entry in menu
        if (is_candidate and not entry.permissions) or any(may(permission) for permission in entry.permissions)
    ]
    first = {entry.label: entry for entry in reversed(shown)}
    return [HOME, *(entry for entry in shown if first[entry.label] is entry)]


_SHOWN_UNDER = {"/study/events": "/study/record"}
"""Pages that belong to another entry than the one their address begins with."""


def mark_current(found: Sequence[tuple[MenuEntry, str]], *, path: str) -> list[MenuLink]:
    """Mark the entry whose address is the longest beginning of the present path; the home page only on itself."""
    path = next((entry for own, entry in _SHOWN_UNDER.items() if _is_within(path, own)), path)
    fitting = [href for _, href in found if _is_within(path, href)]
    current = max(fitting, key=len, default="")
    return [MenuLink(label=entry.label, href=href, is_current=href == current) for entry, href in found]


MENU_GROUPS = ("考试", "题库", "学习", "单位与人员", "普法责任制", "系统")
"""The groups of the menu, in order; an entry without a group is one by itself."""
_MAX_FLAT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuGroup:
    """Links under one head; a single link stands for itself."""

    label: str
    links: list[MenuLink]

    @property
    def is_current(self) -> bool:
        """Whether the present page is one of these."""
        return any(link.is_current for link in self.links)


def group_links(found: Sequence[tuple[MenuEntry, str]], *, path: str) -> list[MenuGroup]:
    """Give the menu: each entry by itself where they fit into a row, else the home page and the groups."""
    links = mark_current(found, path=path)
    is_flat = len(links) <= _MAX_FLAT
    groups: dict[str, list[MenuLink]] = {}
    for (entry, _), link in zip(found, links, strict=True):
        groups.setdefault(entry.label if is_flat else entry.group or entry.label, []).append(link)
    places = {} if is_flat else {label: place for place, label in enumerate(MENU_GROUPS, 1)}
    ordered = sorted(groups.items(), key=lambda group: places.get(group[0], 0))
    return [MenuGroup(label=some[0].label if len(some) == 1 else label, links=some) for label, some in ordered]


def _is_within(path: str, href: str) -> bool:
    bare = href.split("?", maxsplit=1)[0].rstrip("/")
    return path == (bare or "/") or (bool(bare) and path.startswith(f"{bare}/"))


def time_left_label(until: datetime, *, now: datetime) -> str:
    """Say how long an attempt still lasts: `剩余 2 小时 5 分钟`, `剩余 41 分钟`, `剩余不到 1 分钟`, `作答时间已到`."""
    seconds = int((until - now).total_seconds())
    hours, minutes = divmod(seconds // 60, 60)
    if seconds <= 0:
        return "作答时间已到"
    if seconds < 60:
        return "剩余不到 1 分钟"
    return f"剩余 {hours} 小时 {minutes} 分钟" if hours else f"剩余 {minutes} 分钟"


def moment_label(instant: datetime) -> str:
    """Say an instant of this season as people say it: `11月30日 18:00`."""
    return f"{clock.local(instant):%-m月%-d日 %H:%M}"
