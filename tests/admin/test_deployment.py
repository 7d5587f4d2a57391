"""The files of a real deployment say the same as the code: parts, flags, queues, settings."""

import re
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import get_args

import pytest
import yaml

from examapp.config import Settings, settings_table
from examapp.jobs.registry import QueueName
from examapp.ops.web_server import web_command

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"


def test_the_settings_table_of_the_handbook_is_the_codes():
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert settings_table() in text, "put settings_table() of examapp.config into docs/operations.md"


def test_the_image_serves_as_the_supervisor_does():
    entry = (DOCKER / "entrypoint.sh").read_text()
    assert f"exec python {' '.join(web_command()[1:])}\n" in entry


def test_every_queue_has_its_worker():
    queues = set(get_args(QueueName))
    compose = (DOCKER / "compose.yml").read_text()
    assert set(re.findall(r"command: \[worker, (\w+)\]", compose)) == queues
    target = (DOCKER / "systemd" / "examapp.target").read_text()
    assert set(re.findall(r"examapp-worker@(\w+)\.service", target)) == queues


def test_every_part_checks_before_it_starts():
    entry = (DOCKER / "entrypoint.sh").read_text()
    for part in ("web", "worker", "beat", "sweeper"):
        case = re.search(rf"^  {part}\)\n(.*?);;", entry, re.DOTALL | re.MULTILINE).group(1)
        assert "check-start" in case
    units = sorted((DOCKER / "systemd").glob("examapp-*.service"))
    started = [unit.name for unit in units if "check-start" in unit.read_text()]
    assert started == [
        "examapp-beat.service",
        "examapp-sweeper.service",
        "examapp-web.service",
        "examapp-worker@.service",
    ]


def test_the_two_nginx_files_differ_only_in_places():
    def rules(path):
        lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
        places = (
            "server 172",
            "server 127",
            "access_log /",
            "error_log",
            "listen 443 ssl",
            "http2 on",
            "user ",
        )
        return [line for line in lines if line and not line.startswith(places)]

    assert rules(DOCKER / "nginx.conf") == rules(DOCKER / "systemd" / "nginx.conf")


def test_nginx_finds_the_web_service_where_the_compose_file_puts_it():
    """By address: open-source nginx before 1.27 looks a name up only when it starts."""
    compose = yaml.safe_load((DOCKER / "compose.yml").read_text())
    address = compose["services"]["web"]["networks"]["default"]["ipv4_address"]
    assert f"server {address}:8000 " in (DOCKER / "nginx.conf").read_text()
    (pool,) = compose["networks"]["default"]["ipam"]["config"]
    assert ip_address(address) in ip_network(pool["subnet"])
    assert ip_address(address) not in ip_network(pool["ip_range"]), "another service could be given it"


def test_every_image_is_pinned():
    images = {one.get("image", "") for one in yaml.safe_load((DOCKER / "compose.yml").read_text())["services"].values()}
    assert all(re.search(r":(\d|\$\{EXAMAPP_VERSION)", image) for image in images), images


def test_the_stores_are_set_to_lose_nothing():
    compose = (DOCKER / "compose.yml").read_text()
    assert 'appendonly, "yes"' in compose and "--maxmemory-policy, noeviction" in compose
    for unsafe in ("fsync=off", "synchronous_commit=off", "full_page_writes=off"):
        assert unsafe not in compose


def test_no_secret_has_a_value_in_the_example():
    example = (DOCKER / "env.example").read_text()
    for name in ("SECRET_KEY", "DATA_KEYS", "SETUP_CODE", "METRICS_TOKEN", "POSTGRES_PASSWORD", "PROGRAM_PASSWORD"):
        assert re.search(rf"^{name}=$", example, re.MULTILINE)
    known = {name.upper() for name in Settings.__dataclass_fields__} | {
        "POSTGRES_PASSWORD",
        "PROGRAM_PASSWORD",
        "POSTGRES_SHARED_BUFFERS",
    }
    assert set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE)) <= known


def test_only_migrations_hold_the_owner_of_the_tables():
    """What each service of the compose file is given: the program's account everywhere, the owner's address and password in `migrate` alone."""
    text = (DOCKER / "compose.yml").read_text()
    services = yaml.safe_load(text)["services"]
    owner = re.search(r"POSTGRES_USER: (\w+)", text)[1]
    parts = {
        name: one["environment"] for name, one in services.items() if str(one.get("image", "")).startswith("examapp:")
    }
    assert len(parts) == 8
    for name, environment in parts.items():
        assert "PROGRAM_PASSWORD" in environment["DATABASE_URL"], name
        assert f"//{owner}:" not in environment["DATABASE_URL"], name
        assert environment["POSTGRES_PASSWORD"] == "", f"{name} is handed the owner's password with env_file"
    assert [name for name, environment in parts.items() if "OWNER_DATABASE_URL" in environment] == ["migrate"]
    assert f"//{owner}:${{POSTGRES_PASSWORD" in parts["migrate"]["OWNER_DATABASE_URL"]


@pytest.mark.parametrize("script", ["entrypoint.sh", "backup.sh"])
def test_the_scripts_are_sound_shell(script):
    assert subprocess.run(["sh", "-n", str(DOCKER / script)], check=False).returncode == 0


def test_an_unknown_part_is_rejected_in_chinese():
    answer = subprocess.run(
        ["sh", str(DOCKER / "entrypoint.sh"), "kitchen"], capture_output=True, text=True, check=False
    )
    assert (answer.returncode, "未知的部分" in answer.stderr) == (64, True)
