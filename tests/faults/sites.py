"""Deployments of their own for rows that need more than a shared one: a disk that can lose power or fill up, a queue behind a proxy, poison."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from examapp.ops.embedded_servers import make_run_folder, start_valkey
from examapp.ops.start_checks import listening
from examapp.ops.web_server import web_command
from tests.faults.deployment import ROOT, DeploymentError, DrillDeployment
from tests.faults.proxy import Proxy
from tests.helpers.processes import free_port, wait_until

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


@contextlib.contextmanager
def second_web_server(site: DrillDeployment) -> Iterator[tuple[int, Callable[[], subprocess.Popen[bytes]]]]:
    """The web server of a second machine on a site's database: its port, and what begins it again where it was ended."""
    port, folder, running = free_port(), site.folder / "second", list[subprocess.Popen[bytes]]()
    folder.mkdir(exist_ok=True)
    own = {"PORT": str(port), "DATA_DIR": str(folder), "UPLOADS_DIR": str(Path(site.data) / "uploads")}
    environment = site.environment_of("web") | own

    def begin() -> subprocess.Popen[bytes]:
        if not running or running[-1].poll() is not None:
            with (folder / "web.log").open("ab") as log:
                running.append(subprocess.Popen(web_command(), cwd=ROOT, env=environment, stdout=log, stderr=log))
            if not wait_until(lambda: site.status("/readyz", port=port) == 200, within_s=60):
                raise DeploymentError(f"the second web server: {(folder / 'web.log').read_text()[-2000:]}")
        return running[-1]

    try:
        begin()
        yield port, begin
    finally:
        for process in running:
            process.terminate()
            process.wait(30)


@contextlib.contextmanager
def nginx_over(*servers: str) -> Iterator[int]:
    """An nginx before one or two web servers, with the upstream of docker/county and what it says beside it; gives its port."""
    program, own = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin"), free_port()
    if program is None:
        raise DeploymentError("nginx is not installed (apt-get install nginx)")
    folder = Path(tempfile.mkdtemp(prefix="examnginx-"))
    upstream = (ROOT / "docker" / "county" / "nginx-upstream.conf").read_text("utf-8")
    for number, server in enumerate(servers, start=1):
        upstream = upstream.replace(f"10.0.0.{number}:8000", server)
    upstream = re.sub(r"(?m)^ *server 10\.0\.0\..*\n", "", upstream)
    (folder / "nginx.conf").write_text(f"""
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {upstream}
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
  proxy_connect_timeout 3s; proxy_read_timeout 35s; proxy_next_upstream error;
  server {{ listen 127.0.0.1:{own}; location / {{ proxy_pass http://examapp; }} }}
}}
""")
    process = subprocess.Popen([program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "start.log")])
    try:
        if not wait_until(lambda: listening(own), within_s=20):
            raise DeploymentError(f"nginx does not listen: {(folder / 'start.log').read_text()[-1000:]}")
        yield own
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)
