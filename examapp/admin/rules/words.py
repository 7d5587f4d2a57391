"""How a home page says a window: in days, hours and the day's name, as people say it."""

from __future__ import annotations

from datetime import datetime

from examapp.core import clock


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
