"""Somebody without an account who floods the sign-in from one address on many kept connections: a process of its own, so that it slows no measure down."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.wires import EntryPoint

ROOT = Path(__file__).parents[2]
_CONNECTIONS = 100
_BEGUN = 200
"""Replies after which the flood is at its height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """What is sent: from where, with the session's cookie or without, one name or always another."""

    source: str
    keeps_cookie: bool
    is_one_name: bool


@contextlib.contextmanager
def flood(entry_point: EntryPoint, how: Flood) -> Iterator[Counter[str]]:
    """Flood until the end of the block; the counter then holds how many replies had which status."""
    text = [
        str(entry_point.port),
        str(int(entry_point.is_tls)),
        how.source,
        str(int(how.keeps_cookie)),
        str(int(how.is_one_name)),
    ]
    counted: Counter[str] = Counter()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.hostile.flood", *text], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # fmt: skip
        try:
            assert process.stdout.readline() == "begun\n"
            yield counted
        finally:
            said, _ = process.communicate("stop\n", timeout=30)
            counted.update(json.loads(said or "{}"))


async def _play(port: int, how: Flood, *, is_tls: bool) -> None:
    seen: Counter[str] = Counter()
    context = ssl._create_unverified_context() if is_tls else None
    lines = [asyncio.create_task(_keep_asking(port, context, how, number, seen)) for number in range(_CONNECTIONS)]
    while seen.total() < _BEGUN:  # noqa: ASYNC110 – a counter is looked at, not set
        await asyncio.sleep(0.05)
    print("begun", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for line in lines:
        line.cancel()
    print(json.dumps(seen))


async def _keep_asking(port: int, context: ssl.SSLContext | None, how: Flood, number: int, seen: Counter[str]) -> None:
    while True:
        with contextlib.suppress(OSError, EOFError):
            await _ask_on_one_line(port, context, how, number, seen)
        await asyncio.sleep(0.1)


async def _ask_on_one_line(
    port: int, context: ssl.SSLContext | None, how: Flood, number: int, seen: Counter[str]
) -> None:
    host = "exam.test" if context else None
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=host, local_addr=(how.source, 0)
    )
    cookie, sent = b"", 0
    try:
        while True:
            name = "NOBODYX" if how.is_one_name else f"NOBODY{number}X{sent}"
            body = json.dumps({"login_name": name, "password": "wrongwrong"}).encode()
            head = b"POST /api/v1/session HTTP/1.1\r\nHost: exam.test\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
            writer.write(head % len(body) + (b"Cookie: " + cookie + b"\r\n" if cookie else b"") + b"\r\n" + body)
            reply = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(re.search(rb"(?i)content-length: (\d+)", reply)[1]))
            seen[reply[9:12].decode()] += 1
            sent += 1
            given = re.search(rb"(?i)\r\nset-cookie: ([^;\r]+)", reply)
            if given and how.keeps_cookie:
                cookie = given[1]
    finally:
        writer.close()


if __name__ == "__main__":
    _port, _is_tls, _source, _keeps, _one = sys.argv[1:]
    asyncio.run(
        _play(
            int(_port),
            Flood(source=_source, keeps_cookie=_keeps == "1", is_one_name=_one == "1"),
            is_tls=_is_tls == "1",
        )
    )
