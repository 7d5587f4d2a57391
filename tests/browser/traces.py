"""What a running site leaves behind besides its database: messages of the queue, keys of Valkey, logs, files; read with escapes and base64 undone."""

from __future__ import annotations

import base64
import binascii
import contextlib
import html
import json
import re
import socket
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from redis import Redis

_HEX = re.compile(rb"(?:\\x[0-9a-fA-F]{2})+")
_UNICODE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
_DATABASE = "postgres"
"""The folder of the database's own files in a data folder."""


class Listener:
    """Hears every command that reaches Valkey, and so every message at the moment it is sent: `with Listener(url) as heard: …`."""

    def __init__(self, url: str) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(urlsplit(url).path)
        self._said = bytearray()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._line.sendall(b"MONITOR\r\n")
        assert self._line.recv(5) == b"+OK\r\n"
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._line.close()

    @property
    def recorded(self) -> str:
        """All that was said, readable."""
        return plain(bytes(self._said))

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while part := self._line.recv(65_536):
                self._said += part


def kept_in_valkey(url: str) -> str:
    """Give every key that Valkey holds, with all that is in it."""
    with Redis.from_url(url) as redis:
        return "\n".join(plain(key) + " " + plain(_value(redis, key)) for key in redis.scan_iter())


def _value(redis: Redis, key: bytes) -> bytes:
    read: dict[Any, Callable[[], Any]] = {
        b"string": lambda: [redis.get(key)],
        b"list": lambda: redis.lrange(key, 0, -1),
        b"set": lambda: redis.smembers(key),
        b"zset": lambda: redis.zrange(key, 0, -1),
        b"hash": lambda: [part for pair in redis.hgetall(key).items() for part in pair],
        b"stream": lambda: [json.dumps(str(entry)).encode() for entry in redis.xrange(key)],
        b"none": list,
    }
    return b"\n".join(part or b"" for part in read[redis.type(key)]())


def files_of(folder: Path, *, of_database: bool) -> Iterator[Path]:
    """Give the files of a site's data folder: those of its database, or all others."""
    for path in folder.rglob("*"):
        if path.is_file() and ((folder / _DATABASE) in path.parents) == of_database:
            yield path


def found_in_files(paths: Iterable[Path], secrets: Iterable[str]) -> list[str]:
    """Say which of these words stands in which file."""
    wanted, found = list(secrets), []
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            text = plain(path.read_bytes())
            found += [f"{path}: {word}" for word in wanted if word in text]
    return found


def plain(content: bytes | str) -> str:
    r"""Give a content as somebody would read it who takes the trouble: `\x`, `\u`, `&#`, base64 and archives undone."""
    raw = content.encode("utf-8", "replace") if isinstance(content, str) else content
    if raw.startswith(b"PK\x03\x04"):
        with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(BytesIO(raw)) as archive:
            return "\n".join(plain(archive.read(name)) for name in archive.namelist())
    raw = _HEX.sub(lambda match: bytes.fromhex(match[0].replace(b"\\x", b"").decode()), raw)
    text = raw.decode("utf-8", "replace")
    text = html.unescape(_UNICODE.sub(lambda match: json.loads(f'"{match[0]}"'), text))
    return text + "".join(f"\n{inner}" for inner in _decoded(text))


def _decoded(text: str) -> Iterator[str]:
    for match in _BASE64.finditer(text):
        with contextlib.suppress(binascii.Error, UnicodeDecodeError, ValueError):
            inner = base64.b64decode(match[0] + "=" * (-len(match[0]) % 4)).decode()
            yield _UNICODE.sub(lambda escaped: json.loads(f'"{escaped[0]}"'), inner)
