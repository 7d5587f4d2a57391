"""Two database machines and a witness as network namespaces: etcd and Patroni with the files of docker/county, and the functions that break them.

A power cut is the cable's end first, then SIGKILL for all that runs on the machine: nobody says goodbye. Root only.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import psycopg
import yaml

from examapp.ops.ordinary_user import as_ordinary_user, give_to_ordinary_user, postgres_program
from tests.faults.archive import CONFIG_VARIABLE, WalArchive
from tests.faults.deployment import ROOT, DeploymentError
from tests.faults.machines import ADDRESSES, HUB, PREFIX, ip, kill_all, on_machine, pids_of, program_named
from tests.faults.sites import Disk
from tests.helpers.processes import wait_until

_PASSWORD = "drill"
_READY_S = 90.0
DATABASE_URL = (
    f"postgresql+psycopg://postgres:{_PASSWORD}@/examapp?host={ADDRESSES['a']}:5432&host={ADDRESSES['b']}:5432"
)


class Cluster:
    """The two machines and the witness."""

    def __init__(self, logs: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="examha-"))
        self.logs = logs
        self.folder.chmod(0o755)
        self.archive = WalArchive(self.folder)
        self.is_cut: set[str] = set()
        self._disks: dict[str, Disk] = {}

    def __enter__(self) -> Self:
        try:
            for name in ("a", "b", "w"):
                self.switch_on(name)
            self.expect(self.is_healthy, "the cluster did not come up", within_s=_READY_S)
            with self.connect("postgres") as connection:
                connection.execute("CREATE DATABASE examapp ENCODING 'UTF8' TEMPLATE template0")
            self._create_stanza()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in ("a", "b", "w"):
            kill_all(name)
        if self.logs:
            self.logs.mkdir(parents=True, exist_ok=True)
            for log in self.folder.glob("*/*.log"):
                shutil.copyfile(log, self.logs / f"{log.parent.name}-{log.name}")
        for name, disk in self._disks.items():
            subprocess.run(["umount", str(self._place(name))], check=False, capture_output=True)
            disk.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Power and cables

    def switch_on(self, name: str) -> None:
        """Plug a machine in and start what it runs."""
        ip("-n", PREFIX + HUB, "link", "set", f"to-{name}", "up")
        self.is_cut.discard(name)
        self._run(name, "etcd", self._etcd(name))
        if name != "w":
            self._run(name, "patroni", [program_named("patroni"), str(self._patroni_file(name))])

    def cut_power(self, *names: str) -> None:
        for name in names:
            ip("-n", PREFIX + HUB, "link", "set", f"to-{name}", "down")
            self.is_cut.add(name)
        for name in names:
            kill_all(name)

    @contextlib.contextmanager
    def stalled(self, name: str) -> Any:
        """Freeze a machine with all that runs on it, and thaw it at the end."""
        kill_all(name, signal.SIGSTOP)
        try:
            yield
        finally:
            kill_all(name, signal.SIGCONT)

    def separate(self, name: str, *others: str) -> None:
        """Let no packet pass between a machine and others; the site still sees it."""
        for other in others:
            ip("-n", PREFIX + name, "route", "add", "blackhole", f"{ADDRESSES[other]}/32")
            ip("-n", PREFIX + other, "route", "add", "blackhole", f"{ADDRESSES[name]}/32")

    def join(self, name: str, *others: str) -> None:
        for other in others:
            ip("-n", PREFIX + name, "route", "del", "blackhole", f"{ADDRESSES[other]}/32")
            ip("-n", PREFIX + other, "route", "del", "blackhole", f"{ADDRESSES[name]}/32")

    def kill_postgres(self, name: str) -> None:
        """Kill PostgreSQL alone, all its processes; Patroni lives."""
        for pid in pids_of(name):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().strip() == "postgres":
                    os.kill(pid, signal.SIGKILL)

    # Beside the machines

    def run_pgbackrest(self, name: str, *arguments: str) -> None:
        """Run pgBackRest on a machine of the cluster."""
        self.archive.run(name, self._place(name), *arguments)

    def _create_stanza(self) -> None:
        """Create the archive; the primary's first tries to archive hold its lock for moments until it is there."""

        def is_created() -> bool:
            try:
                self.run_pgbackrest(self.leader(), "stanza-create")
            except DeploymentError as error:
                if "unable to acquire lock" in str(error):
                    return False
                raise
            return True

        self.expect(is_created, "the archive's lock was never free")

    @contextlib.contextmanager
    def balancer(self) -> Iterator[str]:
        """Run HAProxy with docker/county/haproxy.cfg on the site's machine; gives the address that leads to the primary."""
        text, path = (ROOT / "docker" / "county" / "haproxy.cfg").read_text("utf-8"), self.folder / "haproxy.cfg"
        for number, name in enumerate("ab", start=1):
            text = text.replace(f"10.0.0.{number}:", f"{ADDRESSES[name]}:")
        path.write_text(text)
        process = subprocess.Popen([program_named("haproxy"), "-db", "-f", str(path)], stderr=subprocess.DEVNULL)
        try:
            yield f"postgresql+psycopg://postgres:{_PASSWORD}@127.0.0.1:5000/examapp"
        finally:
            process.kill()
            process.wait()

    def put_on_small_disk(self, name: str, free_mb: int) -> Path:
        """Move a machine that is switched off onto a disk with little room, for the rest of the drill; gives its folder."""
        place = self._place(name)
        used = int(
            subprocess.run(["du", "-sm", str(place)], check=True, capture_output=True, text=True).stdout.split()[0]
        )
        disk = self._disks[name] = Disk(round(1.1 * used) + free_mb)
        disk.mount()
        subprocess.run(["cp", "--archive", f"{place}/.", str(disk.mounted)], check=True)
        subprocess.run(["chown", f"--reference={place}", str(disk.mounted)], check=True)
        subprocess.run(["mount", "--bind", str(disk.mounted), str(place)], check=True)
        return place

    # Looking

    def members(self) -> dict[str, str]:
        """Give each machine's role as any living Patroni tells it, only of machines that run."""
        for name in ("a", "b"):
            with contextlib.suppress(OSError, ValueError):
                found = self.ask(name, "/cluster")["members"]
                return {one["name"]: one["role"] for one in found if one["state"] in {"running", "streaming"}}
        return {}

    def leader(self) -> str:
        """Give the machine whose PostgreSQL takes writes and whom Patroni calls the leader; empty where there is none."""
        for name in ("a", "b"):
            with contextlib.suppress(OSError, ValueError):
                if name not in self.is_cut and self.ask(name, "/primary")["role"] in {"primary", "master"}:
                    return name
        return ""

    def other(self, name: str) -> str:
        return "b" if name == "a" else "a"

    def is_healthy(self, standby: str = "sync_standby") -> bool:
        return sorted(self.members().values()) == sorted(["leader", standby])

    def is_in_recovery(self, name: str) -> bool | None:
        """Ask one machine's own PostgreSQL; None where it does not answer."""
        with contextlib.suppress(psycopg.Error), self.connect("postgres", name) as connection:
            return bool((connection.execute("SELECT pg_is_in_recovery()").fetchone() or [True])[0])
        return None

    def expect(self, condition: Any, text: str, *, within_s: float = 60.0) -> None:
        if not wait_until(condition, within_s=within_s, every_s=0.25):
            raise DeploymentError(f"{text}: {self.members()}\n{self._tails()}")

    def connect(self, database: str, *names: str) -> psycopg.Connection[Any]:
        hosts = ",".join(ADDRESSES[name] for name in names or ("a", "b"))
        fields: dict[str, Any] = {} if names else {"target_session_attrs": "read-write"}
        return psycopg.connect(
            host=hosts,
            user="postgres",
            password=_PASSWORD,
            dbname=database,
            autocommit=True,
            connect_timeout=3,
            **fields,
        )

    def ask(self, name: str, path: str, method: str = "GET", body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask a Patroni; raises OSError where it does not answer or answers otherwise than 200."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://{ADDRESSES[name]}:8008{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=2 if method == "GET" else 60) as reply:
            text = reply.read()
        return json.loads(text) if text[:1] == b"{" else {"text": text.decode()}

    def set_synchronous(self, *, is_synchronous: bool) -> None:
        self.ask(self.leader(), "/config", "PATCH", {"synchronous_mode": is_synchronous})
        role = "sync_standby" if is_synchronous else "replica"
        self.expect(lambda: self.is_healthy(role), f"no {role}")
        self.expect(lambda: bool(self.awaited()) is is_synchronous, "PostgreSQL does not do what Patroni says")

    def timeline(self) -> int:
        """Give the timeline on which the primary writes."""
        with self.connect("postgres") as connection:
            row = connection.execute("SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int").fetchone()  # fmt: skip
        return int(row[0]) if row else 0

    def write_wal(self, segments: int) -> None:
        """Begin so many new segments of WAL on the primary, without a wait for the standby."""
        with self.connect("examapp") as connection:
            connection.execute("SET synchronous_commit = local")
            for _ in range(segments):
                connection.execute("SELECT pg_logical_emit_message(true, 'drill', 'x')")
                connection.execute("SELECT pg_switch_wal()")

    def awaited(self) -> str:
        """Give for which standby a commit on the primary waits; empty for none."""
        with self.connect("postgres") as connection:
            return str((connection.execute("SHOW synchronous_standby_names").fetchone() or [""])[0])

    # What runs on a machine

    def _run(self, name: str, program: str, command: list[str]) -> None:
        place = self._place(name)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "PATRONI", "ETCD"))}
        environment[CONFIG_VARIABLE] = str(place / "pgbackrest.conf")
        with (place / f"{program}.log").open("ab") as log:
            subprocess.Popen(on_machine(name, as_ordinary_user(command, place)), stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment, cwd=place, start_new_session=True)  # fmt: skip

    def _place(self, name: str) -> Path:
        place = self.folder / name
        if not place.exists():
            place.mkdir()
            give_to_ordinary_user(place)
        return place

    def _etcd(self, name: str) -> list[str]:
        peer, client = f"http://{ADDRESSES[name]}:2380", f"http://{ADDRESSES[name]}:2379"
        everybody = ",".join(f"{one}=http://{ADDRESSES[one]}:2380" for one in ("a", "b", "w"))
        return [
            program_named("etcd"), "--name", name, "--data-dir", str(self._place(name) / "etcd"), "--listen-peer-urls", peer, "--listen-client-urls", client,
            "--initial-advertise-peer-urls", peer, "--advertise-client-urls", client, "--initial-cluster", everybody, "--initial-cluster-state", "new",
            "--heartbeat-interval", "100", "--election-timeout", "1000", "--log-level", "warn",
        ]  # fmt: skip

    def _patroni_file(self, name: str) -> Path:
        """Write docker/county/patroni.yml with the addresses and folders of this drill, without TLS, which the wheel's PostgreSQL has not."""
        content = yaml.safe_load((ROOT / "docker" / "county" / "patroni.yml").read_text("utf-8"))
        place, address = self._place(name), ADDRESSES[name]
        shared = content["bootstrap"]["dcs"]["postgresql"]
        for setting in ("ssl", "ssl_cert_file", "ssl_key_file"):
            del shared["parameters"][setting]
        shared["parameters"]["shared_buffers"] = "64MB"
        self.archive.configure(place, place / "data")
        account = {"password": _PASSWORD}
        content |= {
            "name": name,
            "restapi": {"listen": f"{address}:8008", "connect_address": f"{address}:8008"},
            "etcd3": {"hosts": [f"{ADDRESSES[one]}:2379" for one in ("a", "b", "w")]},
        }
        content["postgresql"] |= {
            "listen": f"{address}:5432", "connect_address": f"{address}:5432", "data_dir": str(place / "data"), "use_unix_socket": False,
            "bin_dir": str(postgres_program("postgres").parent), "pgpass": str(place / "pgpass"), "parameters": {"unix_socket_directories": str(place)},
            "pg_hba": ["local all postgres trust", "host replication replicator 10.77.0.0/24 scram-sha-256", "host all all 10.77.0.0/24 scram-sha-256"],
            "authentication": {role: account | {"username": user} for role, user in (("superuser", "postgres"), ("replication", "replicator"), ("rewind", "rewinder"))},
        }  # fmt: skip
        path = place / "patroni.yml"
        path.write_text(yaml.safe_dump(content))
        return path

    def _tails(self) -> str:
        logs = sorted(self.folder.glob("*/*.log"))
        return "\n".join(f"{log.parent.name}/{log.name}: {log.read_text('utf-8', 'replace')[-500:]}" for log in logs)
