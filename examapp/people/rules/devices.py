"""A browser's name as people know it."""

from __future__ import annotations

_SYSTEMS = (
    ("HarmonyOS", "鸿蒙设备"),
    ("iPhone", "苹果手机"),
    ("iPad", "苹果平板"),
    ("Android", "安卓手机"),
    ("Windows", "Windows 电脑"),
    ("Mac OS", "苹果电脑"),
    ("Linux", "Linux 电脑"),
)
_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("QQBrowser", "QQ 浏览器"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome 内核浏览器"),
    ("Safari", "Safari"),
)


def device_words(user_agent: str) -> str:
    """Say what a browser is, from how it names itself: `Windows 电脑，Edge`."""
    system = next((words for mark, words in _SYSTEMS if mark in user_agent), "其他设备")
    browser = next((words for mark, words in _BROWSERS if mark in user_agent), "")
    return f"{system}，{browser}" if browser else system
