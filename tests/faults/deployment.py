"""A deployment of its own for drills: started through `make run`'s supervisor in temporary folders, killed, frozen, and ended whole."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg
from celery import Celery
from redis import Redis

from examapp.db.addresses import connect_arguments
from tests.faults import SETTING
from tests.helpers.processes import free_port, wait_until

ROOT = Path(__file__).parents[2]
_READY_S = 120.0
_PR_SET_PDEATHSIG = 1

_PARTS: dict[str, Callable[[str], bool]] = {
    "web": lambda line: "examapp.ops.web_server" in line,
    "grading": lambda line: "celery" in line and "worker" in line and "grading@" in line,
    "reports": lambda line: "celery" in line and "worker" in line and "reports@" in line,
    "imports": lambda line: "celery" in line and "worker" in line and "imports@" in line,
    "messages": lambda line: "celery" in line and "worker" in line and "messages@" in line,
    "beat": lambda line: "celery" in line and " beat " in line,
    "sweeper": lambda line: line.endswith(" sweep"),
    "postgres": lambda line: "postgres -D" in line and "setpriv" not in line,
    "valkey": lambda line: "valkey-server" in line or "redis-server" in line,
}


class DeploymentError(Exception):
    """The deployment did not do what the drill rests upon."""


def _end_with_the_drill() -> None:
    """Let the kernel tell the supervisor to end when the drill dies, so that nothing is left running."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class DrillDeployment:
    """The running site, and the functions that break it."""

    disk: Any = None
    queue_proxy: Any = None
    queue_url = ""
    poison: Any = None
    clocks: Any = None

    def __init__(self, *, data: Any = None, **settings: Any) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="examdrill-"))
        self.data = data or self.folder / "data"
        self.settings = settings
        self.people: dict[str, Any] = {}
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._seen: dict[int, float] = {}
        self._urls: dict[str, str] = {}
        self._exams: dict[tuple[int, int], list[int]] = {}

    # Start and end

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the site and wait until it serves."""
        own = {
            "PORT": str(self.port),
            "DATA_DIR": str(self.data),
            "DEMO": "0",
            "APP_MODE": "tryout",
            "LOG_LEVEL": "WARNING",
        }
        kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL", SETTING}}
        with (self.folder / "supervisor.log").open("ab") as log:
            self._supervisor = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.faults.supervisor" if SETTING in self.settings else "examapp.ops.supervisor",
                ],
                cwd=ROOT,
                env=kept | own | self.settings,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_the_drill,  # noqa: PLW1509 – one call into libc, no lock is taken
            )
        if (
            not wait_until(
                lambda: self._supervisor.poll() is not None or self.is_ready(), within_s=_READY_S, every_s=0.25
            )
            or not self.is_ready()
        ):
            raise DeploymentError(
                f"The site did not become ready.\n{(self.folder / 'supervisor.log').read_text()[-3000:]}"
            )
        self._remember()
        self._urls = self.environment_of("web")

    def stop(self) -> None:
        """End everything that was started, in good order first, then surely."""
        self._remember()
        if self._supervisor is not None and self._supervisor.poll() is None:
            for process in self._alive():
                with contextlib.suppress(psutil.Error):
                    process.send_signal(signal.SIGCONT)
            self._supervisor.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._supervisor.wait(30)
        self.cut_power()
        shutil.rmtree(self.folder, ignore_errors=True)

    def cut_power(self) -> None:
        """Kill every process of the site at once, the supervisor too."""
        self._remember()
        if self._supervisor is not None and self._supervisor.poll() is None:
            self._supervisor.kill()
            self._supervisor.wait()
        for _ in range(5):
            alive = self._alive()
            for process in alive:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            psutil.wait_procs(alive, timeout=3)
        self._seen = {}
        sockets = Path(self._urls.get("DATABASE_URL", "").rpartition("host=")[2])
        if sockets.name.startswith("examapp-"):
            shutil.rmtree(sockets, ignore_errors=True)

    def restart(self, **settings: str) -> None:
        """Kill all of it, and start it again with other settings."""
        self.cut_power()
        self.settings |= settings
        self.start()

    def _remember(self) -> None:
        """Keep the ids of all processes below the supervisor, so that none is left when it dies before them."""
        roots = [self._supervisor.pid] if self._supervisor is not None and self._supervisor.poll() is None else []
        for pid in [*roots, *self._seen]:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if pid in self._seen and process.create_time() != self._seen[pid]:
                    continue
                for child in process.children(recursive=True):
                    self._seen[child.pid] = child.create_time()

    def _alive(self) -> list[psutil.Process]:
        found = []
        for pid, created in self._seen.items():
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if process.create_time() == created and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    # Looking

    def is_ready(self, path: str = "/readyz") -> bool:
        """Tell whether the site answers 200."""
        return self.status(path) == 200

    def status(self, path: str, timeout_s: float = 6.0, *, port: int = 0) -> int:
        """Give the status of a page, 0 where there is no answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=timeout_s) as reply:
                return int(reply.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except (OSError, ValueError, http.client.HTTPException):
            return 0

    def text(self, path: str) -> str:
        """Give a page's text, empty where there is none."""
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as reply:  # fmt: skip
            return str(reply.read().decode())
        return ""

    def part(self, name: str) -> psutil.Process:
        """Give the leading process of a part; raises DeploymentError where it does not run."""
        found = wait_until(lambda: self.find_part(name), within_s=20)
        if not found:
            raise DeploymentError(f"{name} does not run")
        return found

    def find_part(self, name: str) -> psutil.Process | None:
        for child in psutil.Process(self._supervisor.pid).children():
            with contextlib.suppress(psutil.Error):
                if _PARTS[name](" ".join(child.cmdline())) and child.status() != psutil.STATUS_ZOMBIE:
                    return child
        return None

    def workers(self) -> list[psutil.Process]:
        """Give the web worker processes."""
        with contextlib.suppress(psutil.Error):
            return [worker for server in self.part("web").children() for worker in server.children()]
        return []

    def environment_of(self, name: str) -> dict[str, str]:
        return self.part(name).environ()

    def database(self) -> psycopg.Connection[Any]:
        """Connect to the site's database beside the site, as the owner of its tables."""
        fields = connect_arguments(self._urls["DATABASE_URL"]) | {"user": "postgres"}
        return psycopg.connect(**fields, autocommit=True, connect_timeout=5)

    def redis(self) -> Redis:
        return Redis.from_url(self._urls["REDIS_URL"], socket_timeout=3)

    @contextlib.contextmanager
    def traced(self, name: str, call: str, injection: str) -> Iterator[None]:
        """Let a system call of a part fail or lag (strace -e inject)."""
        leader = self.part(name)
        pids = [str(process.pid) for process in [leader, *leader.children(recursive=True)]]
        command = [
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            f"trace={call}",
            "-e",
            f"inject={call}:{injection}",
            *(f"-p{pid}" for pid in pids),
        ]
        tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            tracer.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                tracer.wait(10)
            tracer.kill()
            tracer.wait()

    def postgres_log(self) -> str:
        return (self.data / "postgres.log").read_text("utf-8", "replace")

    @contextlib.contextmanager
    def further_sweepers(self, count: int) -> Iterator[None]:
        """Run sweepers beside (or instead of) the site's own."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "sweep"]
        with (self.folder / "sweepers.log").open("ab") as log:
            running = [
                subprocess.Popen(command, cwd=ROOT, env=self._urls, stdout=log, stderr=log) for _ in range(count)
            ]
        try:
            yield
        finally:
            for process in running:
                process.kill()
                process.wait()

    def celery(self, url: str = "") -> Celery:
        """Give a publisher to the site's queues."""
        url = url or self._urls["REDIS_URL"]
        if url.startswith("unix://"):
            url = f"redis+socket://{url.removeprefix('unix://').partition('?')[0]}?virtual_host=0"
        return Celery("drill", broker=url, set_as_current=False)

    @contextlib.contextmanager
    def second_grader(self) -> Iterator[None]:
        """Run a further grading worker beside the site's own."""
        command = [part.replace("grading@", "second@") for part in self.part("grading").cmdline()]
        with (self.folder / "second.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self._urls, stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def log(self, name: str) -> str:
        path = self.data / "logs" / f"{name}.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    # Breaking

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Signal a part with all its children."""
        self._remember()
        leader = self.part(name)
        for process in [leader, *leader.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)

    @contextlib.contextmanager
    def stalled(self, name: str) -> Iterator[None]:
        """Stop a part with all its children as they are (SIGSTOP), and let them go on at the end."""
        self._remember()
        leader = self.part(name)
        stopped = [leader, *leader.children(recursive=True)]
        for process in stopped:
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in reversed(stopped):
                with contextlib.suppress(psutil.Error):
                    process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def held(self, *names: str) -> Iterator[None]:
        """Keep parts dead: the supervisor is stopped meanwhile, so that it starts nothing again."""
        supervisor = psutil.Process(self._supervisor.pid)
        leaders = [(name, self.part(name)) for name in names]
        supervisor.send_signal(signal.SIGSTOP)
        try:
            for _, leader in leaders:
                family = [leader, *leader.children(recursive=True)]
                for process in family:
                    with contextlib.suppress(psutil.Error):
                        process.kill()
            yield
        finally:
            supervisor.send_signal(signal.SIGCONT)

    # The county

    def county(self, *text: str) -> dict[str, Any]:
        """Run the county's script with the site's environment."""
        finished = subprocess.run(
            [sys.executable, "-m", "tests.faults.county", *text],
            cwd=ROOT,
            env=self._urls,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if finished.returncode != 0:
            raise DeploymentError(finished.stderr[-3000:])
        return json.loads(finished.stdout.splitlines()[-1])

    def flask(self, *text: str, **settings: str) -> tuple[int, str]:
        """Run a command of the application in the site's environment; gives its exit code and what it said."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *text]
        done = subprocess.run(
            command, cwd=ROOT, env=self._urls | settings, capture_output=True, text=True, timeout=120, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def settle(self, people: int, exams: list[tuple[int, int]] | None = None) -> None:
        """Make units, people, a bank, a blueprint, and exams of these durations and graces, for `new_exam`."""
        exams = exams or []
        response = self.county(str(people), *(f"{duration}:{grace}" for duration, grace in exams))
        if people:
            self.people = response
        for shape, exam_id in zip(exams, response["exam_ids"], strict=True):
            self._exams.setdefault(shape, []).append(exam_id)

    def new_exam(self, duration_s: int = 3600, grace_s: int = 60) -> int:
        """Give the id of a published exam that nobody has begun, all its papers made."""
        shape = (duration_s, grace_s)
        if not self._exams.get(shape):
            self.settle(0, [shape])
        return self._exams[shape].pop()
