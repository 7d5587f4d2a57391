"""Deployments of their own for rows that need more than a shared one: a disk that can lose power or fill up, a queue behind a proxy, poison."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from examapp.ops.embedded_servers import make_run_folder, start_valkey
from tests.faults.deployment import DeploymentError, DrillDeployment
from tests.faults.proxy import Proxy

_EXT4_IOC_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = struct.pack("I", 2)


class Disk:
    """An ext4 file system in a file, whose power can be cut: what was not flushed to it is gone."""

    def __init__(self, size_mb: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="examdisk-"))
        self.image, self.mounted = self.folder / "disk.img", self.folder / "mounted"
        self.mounted.mkdir()
        with self.image.open("wb") as image:
            image.truncate(size_mb * 1024 * 1024)
        _call("mkfs.ext4", "-q", "-F", "-m", "0", str(self.image))

    def mount(self) -> None:
        _call("mount", "-o", "loop", str(self.image), str(self.mounted))
        self.mounted.chmod(0o755)

    def cut(self) -> None:
        """Stop the file system at once, as a power cut does; every later access fails until it is mounted again."""
        descriptor = os.open(self.mounted, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _EXT4_IOC_SHUTDOWN, _NO_LOG_FLUSH)
        finally:
            os.close(descriptor)

    def unmount(self) -> None:
        if (
            os.path.ismount(self.mounted)
            and subprocess.run(["umount", str(self.mounted)], check=False, capture_output=True).returncode
        ):
            _call("umount", "-l", str(self.mounted))

    def remove(self) -> None:
        self.unmount()
        shutil.rmtree(self.folder, ignore_errors=True)


def _call(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise DeploymentError(f"{command}: {done.stderr.strip()}")


@contextlib.contextmanager
def on_a_disk(settings: dict[str, str], size_mb: int = 1500) -> Iterator[DrillDeployment]:
    """A deployment whose data lie on a disk of their own (root only)."""
    disk = Disk(size_mb)
    try:
        disk.mount()
        with DrillDeployment(data=disk.mounted / "data", **settings) as site:
            site.disk = disk
            yield site
    finally:
        disk.remove()


@contextlib.contextmanager
def on_a_small_disk(settings: dict[str, str]) -> Iterator[DrillDeployment]:
    """A deployment on a disk that is soon full."""
    with on_a_disk(settings, size_mb=400) as site:
        yield site


@contextlib.contextmanager
def behind_a_proxy(settings: dict[str, str]) -> Iterator[DrillDeployment]:
    """A deployment that reaches its queue through the fault proxy."""
    folder, sockets = Path(tempfile.mkdtemp(prefix="examqueue-")), make_run_folder()
    valkey = start_valkey(folder, sockets)
    try:
        with (
            Proxy(str(sockets / "valkey.sock")) as proxy,
            DrillDeployment(REDIS_URL=f"redis://127.0.0.1:{proxy.port}/0", **settings) as site,
        ):
            site.queue_proxy, site.queue_url = proxy, valkey.url
            yield site
    finally:
        valkey.stop(signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(sockets, ignore_errors=True)


@contextlib.contextmanager
def with_poison(settings: dict[str, str]) -> Iterator[DrillDeployment]:
    """A deployment whose graders meet papers that end the process, eat the memory, or never end (see poison/sitecustomize.py)."""
    folder = Path(tempfile.mkdtemp(prefix="exampoison-"))
    (folder / "poisoned").touch()
    place = str(Path(__file__).with_name("poison"))
    try:
        with DrillDeployment(PYTHONPATH=place, DRILL_POISON=str(folder), **settings) as site:
            site.poison = folder
            yield site
    finally:
        shutil.rmtree(folder, ignore_errors=True)
