"""`make run`: one command that starts everything, restarts what exits, and ends everything it started.

It starts PostgreSQL and Valkey of our own if no addresses are given, migrates, serves the site (the demo county is loaded meanwhile), and
watches web server, workers, schedule and sweeper. Ctrl-C or SIGTERM ends all of them; SIGHUP brings a new version of the program in during
an exam. If it is killed, the kernel signals its children, and the next start ends what is left.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import FrameType
from typing import TextIO
from urllib.error import HTTPError

from examapp.config import Settings, SettingsError, read_settings
from examapp.db import program_role
from examapp.ops.child_processes import start_process, watched
from examapp.ops.embedded_servers import Server, make_run_folder, start_postgres, start_valkey
from examapp.ops.ordinary_user import EmbeddedServerError
from examapp.ops.start_checks import NotFreeError, check_port, end_leftovers, lock_data_folder
from examapp.ops.web_server import web_command

_PYTHON = sys.executable
_ENVIRONMENT_FILE = "site.env"
_POLL_S = 0.5
_RESTART_PAUSE_S = 1.0
_STOP_TIMEOUT_S = 20.0
_WEB_START_TIMEOUT_S = 60.0
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Requests our own site, whatever proxy the environment names for other addresses."""
_MIGRATE = [_PYTHON, "-m", "examapp.db.schema"]


@dataclass(slots=True)
class Part:
    """A part of the running site: its command, and its process while it runs."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    is_reloading: bool = False
    """Signalled to end so that it is restarted; no cause for alarm."""


@dataclass(slots=True)
class Site:
    """All that was started, in order."""

    settings: Settings
    environment: dict[str, str]
    part_environment: dict[str, str] = field(default_factory=dict)
    """Variables of the parts that differ from those of commands run beside the site."""
    servers: dict[str, Server] = field(default_factory=dict)
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

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    def on_hangup(_signal: int, _frame: FrameType | None) -> None:
        if has_terminal and not os.isatty(0):  # the window was closed: nobody could end the site any more
            raise KeyboardInterrupt
        is_reload_requested.set()

    for number, handler in ((signal.SIGTERM, interrupt), (signal.SIGINT, interrupt), (signal.SIGHUP, on_hangup)):
        signal.signal(number, handler)
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
    """Build a site that is not started yet from the environment's settings and this installation's secrets."""
    return Site(_with_secrets(read_settings({"APP_MODE": "tryout"} | dict(os.environ))), {})


def _with_secrets(settings: Settings) -> Settings:
    """Complete the settings by secrets of this installation: generated once, kept in the data folder."""
    folder = settings.data_path
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        "SECRET_KEY": settings.secret_key or _stored_secret(folder / "secret_key", secrets.token_hex(32)),
        "DATA_KEYS": settings.data_keys or _stored_secret(folder / "data_keys", "k1:" + secrets.token_hex(32)),
        "APP_MODE": settings.app_mode,
        "SETUP_CODE": settings.setup_code or _stored_secret(folder / "setup_code", secrets.token_hex(4)),
    }
    return read_settings(dict(os.environ) | values)


def _stored_secret(path: Path, fresh: str) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(fresh)
    return path.read_text().strip()


def start(site: Site) -> None:
    """Start servers and parts in order; raises NotFreeError before anything is written, CalledProcessError or EmbeddedServerError."""
    _check_start(site)
    _start_servers(site)
    site.environment = _environment(site)
    _write_environment(site)
    _run(site, _MIGRATE)
    _restrict(site)
    for part in _parts(site.settings):
        site.parts.append(part)
        _start_part(site, part)
        if part.name == "web":
            _wait_for_web(site, part)
    say(f"\n网站地址：http://{_shown_host(site.settings)}:{site.settings.port}/    （按 Ctrl-C 结束）")
    if site.settings.demo:
        _load_demo(site)
    else:
        say(f"首次使用请打开上面的地址加 /setup，按提示建立管理员账号。设置码：{site.settings.setup_code}")


def _check_start(site: Site) -> None:
    settings = site.settings
    site.lock = lock_data_folder(settings.data_path, f"http://{_shown_host(settings)}:{settings.port}/")
    if ended := end_leftovers(settings.data_path):
        say(f"上一次运行没有正常结束，留下了 {ended} 个进程，已先结束它们。")
    try:
        check_port(settings.host, settings.port)
    except NotFreeError:
        site.lock.close()
        site.lock = None
        raise


def _load_demo(site: Site) -> None:
    """Load the demo county; the site runs on where that fails."""
    try:
        _run(site, [_PYTHON, "-m", "flask", "--app", "wsgi", "demo", "load"])
    except subprocess.CalledProcessError:
        say(
            "演示数据没有装入，网站照常运行。请看上面的说明（常见的是磁盘已满），处理后按 Ctrl-C 再执行 make run，会重新装入。"
        )


def _wait_for_web(site: Site, web: Part) -> None:
    """Wait until the web server answers, 60 s at most, so that no worker's start delays it. The watch deals with one that does not come up."""
    deadline = time.monotonic() + _WEB_START_TIMEOUT_S
    while web.process is not None and web.process.poll() is None and time.monotonic() < deadline:
        if _does_answer(site.settings):
            return
        time.sleep(_POLL_S / 5)


def _does_answer(settings: Settings) -> bool:
    address = f"http://{_shown_host(settings)}:{settings.port}/healthz"
    try:
        _NO_PROXY.open(address, timeout=5).close()
    except HTTPError:  # an answer too: without a sweeper it is not healthy yet
        return True
    except OSError:
        return False
    return True


def _shown_host(settings: Settings) -> str:
    return "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 – compared, not bound


def _start_servers(site: Site) -> None:
    if not (site.settings.database_url and site.settings.redis_url):
        site.run_folder = make_run_folder()
    if not site.settings.database_url:
        _start_server(site, "postgres")
    if not site.settings.redis_url:
        _start_server(site, "valkey")


def _start_server(site: Site, name: str) -> None:
    data, folder = site.settings.data_path, site.run_folder
    if folder is not None:
        postgres = name == "postgres"
        site.servers[name] = start_postgres(data, folder) if postgres else start_valkey(data, folder)  # fmt: skip


def _environment(site: Site) -> dict[str, str]:
    settings, servers = site.settings, site.servers
    return dict(os.environ) | {
        "APP_MODE": settings.app_mode,
        "SECRET_KEY": settings.secret_key,
        "DATA_KEYS": settings.data_keys,
        "SETUP_CODE": settings.setup_code,
        "DATABASE_URL": settings.database_url or servers["postgres"].url,
        "REDIS_URL": settings.redis_url or servers["valkey"].url,
        "DATA_DIR": str(settings.data_path),
        "PYTHONUNBUFFERED": "1",
    }


def _write_environment(site: Site) -> None:
    """Write what a command beside the site needs (`make rehearse`, `make backup`) into a file that only its owner may read."""
    path = site.settings.data_path / _ENVIRONMENT_FILE
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    names = [f.name.upper() for f in fields(Settings)]
    path.write_text("".join(f"{name}={shlex.quote(site.environment[name])}\n" for name in names if name in site.environment))  # fmt: skip


def _parts(settings: Settings) -> list[Part]:
    celery = [_PYTHON, "-m", "celery", "--app", "examapp.celery_app:celery"]
    data = settings.data_path
    beat = [*celery, "beat", "--loglevel", "WARNING", "--schedule", str(data / "beat-schedule"), "--pidfile="]
    return [
        Part("web", web_command()),
        Part("sweeper", watched(data / "sweeper.alive", [_PYTHON, "-m", "flask", "--app", "wsgi", "sweep"])),
        # saves and hand-ins come before grading, and that before reports
        *(Part(queue, watched(data / f"{queue}.alive", ["nice", "-n", nice, *celery, *_worker(queue)]))
          for queue, nice in (("grading", "5"), ("reports", "10"), ("imports", "10"))),
        Part("beat", watched(data / "beat.alive", beat)),
    ]  # fmt: skip


def _worker(queue: str) -> list[str]:
    return [
        "worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat", "--queues", queue,
        "--concurrency", "1", "--hostname", f"{queue}@%h",
    ]  # fmt: skip


def _run(site: Site, command: list[str]) -> None:
    subprocess.run(command, env=site.environment | {"LOG_LEVEL": "WARNING"}, check=True)


def _restrict(site: Site) -> None:
    """Let the parts run under a role that cannot change the log, where the database is our own; commands beside the site keep the owner's."""
    if "postgres" in site.servers:
        url = site.environment["DATABASE_URL"]
        program_role.restrict(url, program_role.PROGRAM_ROLE, is_to_be_made=True)
        site.part_environment = {"DATABASE_URL": program_role.as_program(url)}


def _start_part(site: Site, part: Part) -> None:
    log = site.settings.data_path / "logs" / f"{part.name}.log"
    log.parent.mkdir(exist_ok=True)
    part.process = start_process(part.command, log=log, environment=site.environment | site.part_environment)
    part.started_at = time.monotonic()


def _watch(site: Site, is_reload_requested: threading.Event) -> None:
    while True:
        time.sleep(_POLL_S)
        if is_reload_requested.is_set():
            is_reload_requested.clear()
            reload_parts(site)
        _restart_servers(site)
        for part in site.parts:
            code = part.process.poll() if part.process else None
            if part.process is not None and code is not None and time.monotonic() - part.started_at > _RESTART_PAUSE_S:
                if not part.is_reloading:
                    log = f"{site.settings.data_path}/logs/{part.name}.log"
                    say(f"「{part.name}」意外退出（{code}），已重新启动。日志：{log}")
                part.is_reloading = False
                _kill_group(part.process)  # a dead leader may leave children behind that hold the port
                _start_part(site, part)


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
        if part.process is not None and part.process.poll() is None:
            part.process.send_signal(signal.SIGHUP if part.name == "web" else signal.SIGTERM)
            part.is_reloading = part.name != "web"
    say("网页进程正在逐个更换，后台进程做完手上的任务后重新启动。")


def _restart_servers(site: Site) -> None:
    for name, server in site.servers.items():
        if server.process.poll() is not None:
            say(f"「{name}」意外退出（{server.process.returncode}），已重新启动。")
            try:
                _start_server(site, name)
            except EmbeddedServerError as error:
                say(f"「{name}」还没有起来，稍后再试：{error}")


def stop(site: Site) -> None:
    """End all that was started and still runs; do nothing if the data folder was not ours."""
    if site.lock is None:
        return
    say("\n正在结束……")
    running = [part.process for part in reversed(site.parts) if part.process and part.process.poll() is None]
    for process in running:
        process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + _STOP_TIMEOUT_S
    for process in running:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, deadline - time.monotonic()))
        _kill_group(process)
    for name, number in (("valkey", signal.SIGTERM), ("postgres", signal.SIGINT)):
        if name in site.servers:
            site.servers[name].stop(number)
    if site.run_folder is not None:
        shutil.rmtree(site.run_folder, ignore_errors=True)
    (site.settings.data_path / _ENVIRONMENT_FILE).unlink(missing_ok=True)
    site.lock.close()
    site.lock = None
    say("已全部结束。")


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what a part may have left behind: each part leads a process group of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
