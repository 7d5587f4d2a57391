"""`make run`: one command that starts everything, restarts what exits, and ends everything it started.

It starts PostgreSQL and Valkey of our own if no addresses are given, migrates, serves the site (the demo county is loaded meanwhile), and
watches web server, workers, schedule and sweeper. Ctrl-C or SIGTERM ends all of them; SIGHUP brings a new version of the program in during
an exam. If it is killed, the kernel ends its children.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TextIO

from examapp.config import Settings, SettingsError, read_settings
from examapp.db import program_role
from examapp.ops.backup_requests import BACKUP_PART, variables_of
from examapp.ops.child_processes import end_processes, end_with_parent, start_process, watched
from examapp.ops.embedded_servers import Server, make_run_folder, start_postgres, start_valkey
from examapp.ops.ordinary_user import EmbeddedServerError
from examapp.ops.start_checks import NotFreeError, check_port, listening, lock_data_folder
from examapp.ops.web_server import web_command

_PYTHON = sys.executable
_ENVIRONMENT_FILE = "site.env"
_POLL_S = 0.5
_RESTART_PAUSE_S = 1.0
_WEB_START_TIMEOUT_S = 60.0
_MIGRATE = [_PYTHON, "-m", "examapp.db.schema"]


@dataclass(slots=True)
class Part:
    """A part of the running site: how to start it, and its process."""

    name: str
    begin: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes]
    started_at: float = field(default_factory=time.monotonic)
    is_reloading: bool = False
    """Signalled to end so that it is restarted; no cause for alarm."""

    @property
    def is_running(self) -> bool:
        """Whether its process runs."""
        return self.process.poll() is None

    def restart(self) -> None:
        """Start it again, without what a dead leader may have left behind, as children that hold the port."""
        self.is_reloading, self.started_at = False, time.monotonic()
        end_processes([self.process])
        self.process = self.begin()


@dataclass(slots=True)
class Site:
    """All that was started, in order."""

    settings: Settings
    environment: dict[str, str]
    part_environment: dict[str, str] = field(default_factory=dict)
    """Variables of the parts that differ from those of commands run beside the site."""
    servers: list[Part] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    run_folder: Path | None = None
    lock: TextIO | None = None
    """Held open while the data folder is this site's."""


def main() -> int:
    """Start the site and watch it until a signal says to stop."""
    try:
        site = site_from_environment()
    except (SettingsError, OSError) as error:
        say(f"没有启动，请检查设置和数据目录 DATA_DIR 的权限：\n{error}")
        return 1
    is_reload_requested = threading.Event()
    has_terminal = os.isatty(0)

    def on_signal(number: int, _frame: FrameType | None) -> None:
        # a hangup asks for a reload, unless the window was closed: then nobody could end the site any more
        if number != signal.SIGHUP or (has_terminal and not os.isatty(0)):
            raise KeyboardInterrupt
        is_reload_requested.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_signal)
    try:
        start(site)
        _watch(site, is_reload_requested)
    except KeyboardInterrupt:
        return 0
    except subprocess.CalledProcessError as error:
        say(f"启动没有成功：{' '.join(map(str, error.cmd))}。请看上面的说明和 {site.settings.data_path} 下的日志。")
    except (NotFreeError, EmbeddedServerError) as error:
        say(str(error))
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        stop(site)
    return 1


def say(text: str) -> None:
    """Print to the terminal."""
    print(text, flush=True)  # noqa: T201 – the supervisor speaks to a person


def site_from_environment() -> Site:
    """Build a site that is not started yet from the environment's settings and this installation's secrets, kept in the data folder."""
    given = {"APP_MODE": "tryout"} | dict(os.environ)
    settings = read_settings(given)
    settings.data_path.mkdir(parents=True, exist_ok=True)
    fresh = {"secret_key": secrets.token_hex(32), "data_keys": "k1:" + secrets.token_hex(32), "setup_code": secrets.token_hex(4)}  # fmt: skip
    stored = {
        name.upper(): getattr(settings, name) or _stored_secret(settings.data_path / name, value)
        for name, value in fresh.items()
    }
    return Site(read_settings(given | stored), {})


def _stored_secret(path: Path, fresh: str) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(fresh)
    return path.read_text().strip()


def start(site: Site) -> None:
    """Start servers and parts in order; raises NotFreeError before anything is written, CalledProcessError or EmbeddedServerError."""
    settings = site.settings
    address = f"http://{'127.0.0.1' if settings.host in {'0.0.0.0', '::'} else settings.host}:{settings.port}/"  # noqa: S104 – compared, not bound
    lock = lock_data_folder(settings.data_path, address)
    check_port(settings.host, settings.port)
    site.lock = lock
    _start_servers(site)
    _write_environment(site)
    _run(site, _MIGRATE)
    _restrict(site)
    (settings.data_path / "logs").mkdir(exist_ok=True)
    own = {} if settings.database_url else BACKUP_PART  # a database elsewhere is copied on its own machine
    for name, command in (part_commands(settings) | own).items():
        log = settings.data_path / "logs" / f"{name}.log"
        environment = variables_of(name, site.environment, site.part_environment, settings)
        begin = partial(start_process, command, log=log, environment=environment)
        part = Part(name, begin, begin())
        site.parts.append(part)
        deadline = time.monotonic() + (_WEB_START_TIMEOUT_S if name == "web" else 0.0)
        while part.is_running and time.monotonic() < deadline and not listening(settings.port):
            time.sleep(_POLL_S / 5)  # no worker's start delays it; the watch deals with one that does not come up
    say(f"\n网站地址：{address}    （按 Ctrl-C 结束）")
    if settings.demo:
        _load_demo(site)
    else:
        say(f"首次使用请打开上面的地址加 /setup，按提示建立管理员账号。设置码：{settings.setup_code}")


def _load_demo(site: Site) -> None:
    """Load the demo county; the site runs on where that fails."""
    try:
        _run(site, [_PYTHON, "-m", "flask", "--app", "wsgi", "demo", "load"])
    except subprocess.CalledProcessError:
        say(
            "演示数据没有装入，网站照常运行。请看上面的说明（常见的是磁盘已满），处理后按 Ctrl-C 再执行 make run，会重新装入。"
        )


def _start_servers(site: Site) -> None:
    """Start the servers of which no addresses are given, and complete the environment by theirs."""
    settings, data, folder = site.settings, site.settings.data_path, make_run_folder()
    names = ("app_mode", "secret_key", "data_keys", "setup_code", "database_url", "redis_url")
    given = {name.upper(): getattr(settings, name) for name in names}
    site.environment = dict(os.environ) | given | {"DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}
    site.run_folder = folder
    own = {"DATABASE_URL": partial(start_postgres, data, folder), "REDIS_URL": partial(start_valkey, data, folder)}
    for setting, begin in own.items():
        if not given[setting]:
            server = begin()
            site.environment[setting] = server.url
            site.servers.append(Part(server.name, partial(_process_of, begin), server.process))


def _process_of(begin: Callable[[], Server]) -> subprocess.Popen[bytes]:
    return begin().process


def _write_environment(site: Site) -> None:
    """Write what a command beside the site needs (`make rehearse`, `make backup`) into a file that only its owner may read."""
    path = site.settings.data_path / _ENVIRONMENT_FILE
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    names = [f.name.upper() for f in fields(Settings)]
    path.write_text("".join(f"{name}={shlex.quote(site.environment[name])}\n" for name in names if name in site.environment))  # fmt: skip


def part_commands(settings: Settings) -> dict[str, list[str]]:
    """Return the command of each part by its name: saves and submissions come before grading, and that before reports."""
    celery, data = [_PYTHON, "-m", "celery", "--app", "examapp.celery_app:celery"], settings.data_path
    worker = [*celery, "worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    beat = [*celery, "beat", "--loglevel", "WARNING", "--schedule", str(data / "beat-schedule"), "--pidfile="]
    queues = {
        queue: ["nice", "-n", nice, *worker, "--concurrency", "1", "--queues", queue, "--hostname", f"{queue}@%h"]
        for queue, nice in (("grading", "5"), ("reports", "10"), ("imports", "10"), ("messages", "10"))
    }
    others = {"sweeper": [_PYTHON, "-m", "flask", "--app", "wsgi", "sweep"], **queues, "beat": beat}
    return {"web": web_command()} | {name: watched(data / f"{name}.alive", command) for name, command in others.items()}


def _run(site: Site, command: list[str]) -> None:
    environment = site.environment | {"LOG_LEVEL": "WARNING"}
    subprocess.run(command, env=environment, check=True, preexec_fn=partial(end_with_parent, os.getpid()))


def _restrict(site: Site) -> None:
    """Let the parts run under a role that cannot change the log, where the database is our own; commands beside the site keep the owner's."""
    if not site.settings.database_url:
        url = site.environment["DATABASE_URL"]
        program_role.restrict(url, program_role.PROGRAM_ROLE, is_to_be_made=True)
        site.part_environment = {"DATABASE_URL": program_role.as_program(url)}


def _watch(site: Site, is_reload_requested: threading.Event) -> None:
    while True:
        time.sleep(_POLL_S)
        if is_reload_requested.is_set():
            is_reload_requested.clear()
            reload_parts(site)
        for part in [*site.servers, *site.parts]:
            if part.is_running or time.monotonic() - part.started_at < _RESTART_PAUSE_S:
                continue
            if not part.is_reloading:
                say(
                    f"“{part.name}”意外退出（{part.process.returncode}），已重新启动。日志在 {site.settings.data_path} 下。"
                )
            try:
                part.restart()
            except EmbeddedServerError as error:
                say(f"“{part.name}”还没有起来，稍后再试：{error}")


def reload_parts(site: Site) -> None:
    """Bring a new version of the program in without losing a request.

    The schema is migrated first (short locks only, the old program works on the new schema). The web server replaces its workers one by
    one: each finishes its requests, and connections wait meanwhile. The other parts finish their task and are restarted.
    """
    say("正在换上新版程序，不中断考试……")
    try:
        _run(site, _MIGRATE)
        _restrict(site)
    except subprocess.CalledProcessError:
        say("数据库结构没有升级成功，继续用原来的程序。请看上面的说明，处理后再执行一次。")
        return
    for part in site.parts:
        if part.is_running:
            part.process.send_signal(signal.SIGHUP if part.name == "web" else signal.SIGTERM)
            part.is_reloading = part.name != "web"
    say("网页进程正在逐个更换，后台进程做完手上的任务后重新启动。")


def stop(site: Site) -> None:
    """End all that was started and still runs; do nothing if the data folder was not ours."""
    if site.lock is None:
        return
    say("\n正在结束……")
    end_processes([part.process for part in reversed(site.parts)])
    for server in reversed(site.servers):
        end_processes([server.process], signal.SIGINT)
    if site.run_folder is not None:
        shutil.rmtree(site.run_folder, ignore_errors=True)
    (site.settings.data_path / _ENVIRONMENT_FILE).unlink(missing_ok=True)
    site.lock.close()
    site.lock = None
    say("已全部结束。")


if __name__ == "__main__":
    sys.exit(main())
