"""Where the processor time of a save goes: `make flame` draws docs/pictures/save-flame.svg, from samples taken while one process saves over and over.

The save is called through the whole WSGI application, against a real deployment. What stands below each other calls each other; the width
is the share of samples. Frames of one library that call each other are drawn as one, so that the picture can be read.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import signal
import sys
import time
from collections import Counter
from html import escape
from pathlib import Path
from types import CodeType, FrameType

from flask import Flask

from benchmarks.deployment import deploy, run_inside
from benchmarks.inside import _accounts, _client
from examapp import create_app
from examapp.security import rate_limits

_SECONDS, _EVERY_S = 12, 0.001
_WIDTH, _ROW, _MIN = 1180, 22, 0.004
_COLOURS = {"examapp": "#2f5d9b", "flask": "#7a9cc6", "sqlalchemy": "#c08a3e", "psycopg": "#a8503a", "other": "#8c8c8c"}
_PICTURE = Path("docs/pictures/save-flame.svg")


def main() -> int:
    """Deploy, sample, draw."""
    folder = Path(os.environ.get("DATA_DIR", ".data")).resolve() / "flame"
    folder.mkdir(parents=True, exist_ok=True)
    deployment = deploy(folder)
    try:
        stacks = {
            tuple(key.split(";")): count for key, count in run_inside(deployment, "benchmarks.flame", "inside").items()
        }
    finally:
        deployment.stop()
    _PICTURE.write_text(draw(stacks), "utf-8")
    print(f"{sum(stacks.values())} samples: {_PICTURE}")
    return 0


def inside() -> dict[str, int]:
    """Save for some seconds in this process; give how often each stack was seen, outermost first."""
    app = create_app()
    save = _saver(app)
    for _ in range(200):
        save()
    found: Counter[str] = Counter()
    signal.signal(signal.SIGPROF, lambda _signal, frame: _note(frame, found))
    signal.setitimer(signal.ITIMER_PROF, _EVERY_S, _EVERY_S)
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        save()
    signal.setitimer(signal.ITIMER_PROF, 0)
    return dict(found)


def _saver(app: Flask):
    accounts = _accounts(app)
    client = _client(app, accounts["candidates"]["login_names"][-7], accounts["candidates"]["password"])
    attempt = client.post(f"/api/v1/exams/{accounts['open_exam_id']}/attempts", json={}).get_json()
    epoch = client.post(f"/api/v1/attempts/{attempt['id']}/epoch").get_json()["epoch"]
    cookie, token = client.get_cookie("session").value, client.environ_base["HTTP_X_CSRFTOKEN"]
    fixed = {
        "REQUEST_METHOD": "PUT", "PATH_INFO": f"/api/v1/attempts/{attempt['id']}/answers", "SCRIPT_NAME": "", "QUERY_STRING": "",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json", "HTTP_COOKIE": f"session={cookie}", "HTTP_X_CSRFTOKEN": token, "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http", "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip
    counter = itertools.count(1)
    rate_limits.check = lambda saver: None  # noqa: ARG005 – one attempt stands for many here

    def save() -> None:
        seq = next(counter)
        change = {"item": 1 + seq % 65, "seq": seq, "response": ["A" if seq % 2 else "B"]}
        body = json.dumps({"epoch": epoch, "changes": [change]}).encode()
        seen: list[str] = []
        reply = app.wsgi_app(
            fixed | {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)},
            lambda status, *_: seen.append(status),
        )
        b"".join(reply)
        assert seen == ["200 OK"], seen

    return save


def _note(frame: FrameType | None, found: Counter[str]) -> None:
    """Count where the processor is just now; what waits for the database costs none and is not seen."""
    names = []
    while frame is not None:
        names.append(_name(frame.f_code))
        frame = frame.f_back
    names.reverse()
    start = next((place for place, name in enumerate(names) if "Turns.__call__" in name), None)
    if start is not None:
        found[";".join(name for name, _ in itertools.groupby(_folded(names[start:])))] += 1


def _name(code: CodeType) -> str:
    path = Path(code.co_filename)
    parts = path.parts
    room = parts[parts.index("site-packages") + 1] if "site-packages" in parts else ""
    if room:
        return room.removesuffix(".py")
    if "examapp" in parts:
        place = "/".join((*parts[len(parts) - parts[::-1].index("examapp") : -1], path.stem))
        return f"{place}: {code.co_qualname.replace('.<locals>', '')}"
    return "python"


def _folded(names: list[str]) -> list[str]:
    """One frame for libraries that call one another below the statement."""
    return ["psycopg" if name in {"psycopg", "psycopg_binary"} else name for name in names if name != "python"]


def draw(stacks: dict[tuple[str, ...], int]) -> str:
    """Draw stacks as a still picture: no script in it, text that can be searched."""
    total = sum(stacks.values())
    boxes: list[str] = []
    depth = max((len(stack) for stack in stacks), default=0)
    _draw_level(boxes, list(stacks.items()), level=0, left=0.0, total=total)
    height = (depth + 1) * _ROW + 30
    title = f"一次保存在网页进程里的处理器时间（{total} 次采样，宽度为占比；等待数据库不算）"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="#fff"/><text x="4" y="18" font-size="14">{title}</text>{"".join(boxes)}</svg>\n'
    )


def _draw_level(boxes: list[str], stacks: list, *, level: int, left: float, total: int) -> None:
    groups: dict[str, list] = {}
    for stack, count in stacks:
        if stack:
            groups.setdefault(stack[0], []).append((stack[1:], count))
    for name, below in sorted(groups.items()):
        count = sum(number for _, number in below)
        width = _WIDTH * count / total
        if count / total >= _MIN:
            boxes.append(_box(name, left, level, width, 100 * count / total))
            _draw_level(boxes, below, level=level + 1, left=left, total=total)
        left += width


def _box(name: str, left: float, level: int, width: float, share: float) -> str:
    room = "examapp" if ":" in name else name
    colour = _COLOURS.get(room, _COLOURS["other"])
    label = escape(f"{name} {share:.1f} %")
    shown = label if width > 7 * len(label) else (label[: int(width / 7)] if width > 30 else "")
    top = 28 + level * _ROW
    return (
        f'<g><title>{label}</title><rect x="{left:.1f}" y="{top}" width="{max(width - 0.6, 0.4):.1f}" height="{_ROW - 2}" fill="{colour}"/>'
        f'<text x="{left + 3:.1f}" y="{top + 14}" fill="#fff">{shown}</text></g>'
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["inside"]:
        print(json.dumps(inside()))
    else:
        sys.exit(main())
