"""What is wrong with a site is said in all three places: on the checklist, in its figures, and by `flask province status`."""

from __future__ import annotations

import contextlib
import socketserver
import ssl
import threading
from dataclasses import replace

import pytest

from examapp import clock
from examapp.db.addresses import DatabaseHost, HostState, database_address, inspect_hosts
from examapp.db.session import read_session
from examapp.platform.health import views as health
from examapp.platform.province import cli
from examapp.platform.province.rules import Link
from examapp.platform.security_checklist import queries
from examapp.platform.security_checklist.queries import certificate_end, find_site_points
from examapp.platform.security_checklist.rules import Level
from tests.helpers.mail_server import make_certificate


@contextlib.contextmanager
def tls_server(certificate, is_database=False):
    """A server that shows its certificate to who asks as a browser does, or as PostgreSQL's clients do; gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Greeting(socketserver.BaseRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError):
                if is_database:
                    self.request.recv(8)
                    self.request.sendall(b"S")
                with context.wrap_socket(self.request, server_side=True) as wrapped:
                    wrapped.recv(1)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Greeting)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def said(race_app, race_world, monkeypatch):
    """Give what each place says of the site with other settings: red points, figures, the status and its exit code."""

    def look(**settings):
        monkeypatch.setitem(race_app.config, "SETTINGS", replace(race_app.config["SETTINGS"], **settings))
        points = find_site_points(read_session(), race_app.config["SETTINGS"], now=clock.now())
        red = {point.name: point.found for point in points if point.level is Level.BAD}
        figures = race_app.test_client().get("/metrics").text
        status = race_app.test_cli_runner().invoke(args=["province", "status"])
        assert status.exit_code == 1
        return red, figures, status.output

    return look


def test_one_of_two_hosts_is_wrong(said, servers):
    url = database_address(servers.settings("race").database_url)
    two = url.update_query_dict({"host": ("/nowhere", str(url.query["host"]))}).render_as_string(hide_password=False)
    red, figures, status = said(database_url=two)
    assert red == {"数据库主机 /nowhere": "连不上"}
    assert 'examapp_database_host{host="/nowhere",state="away"} 1.0' in figures
    assert "本站 数据库主机 /nowhere：连不上" in status


def test_a_cell_holds_rows_of_another_range(said):
    red, figures, status = said(cell=3)
    assert red == {"分区编号": "有问题"}
    assert "examapp_cell_ids_wrong 1.0" in figures
    assert "本站 分区编号" in status
    assert "flask cell begin 3" in status


@pytest.mark.parametrize(
    ("host", "name", "found"),
    [
        (DatabaseHost("b", HostState.STANDBY, 120.0), "各台机器的时钟", "最多相差 120 秒"),
        (DatabaseHost("b", HostState.STALLED), "数据库主机 b", "没有在接收"),
    ],
)
def test_clocks_are_apart_or_a_standby_receives_nothing(said, monkeypatch, host, name, found):
    hosts = [DatabaseHost("a", HostState.PRIMARY, 0.1), host]
    for module in (queries, health):
        monkeypatch.setattr(module, "inspect_hosts", lambda _url: hosts)
    red, figures, status = said()
    assert list(red) == [name]
    assert found in red[name]
    assert f'examapp_database_host{{host="b",state="{host.state}"}} 1.0' in figures
    assert f'examapp_database_clock_offset_seconds{{host="b"}} {host.clock_offset_s}' in figures
    assert f"本站 {name}" in status


def test_a_certificate_has_run_out(said, tmp_path, monkeypatch):
    expired = make_certificate(tmp_path / "expired.pem", days=-1)
    monkeypatch.setenv("SSL_CERT_FILE", str(expired))
    with tls_server(expired) as port:
        red, figures, status = said(https=True, site_url=f"https://localhost:{port}")
    assert red == {"https 证书": "已过期"}
    assert "examapp_certificate_seconds -86" in figures
    assert "本站 https 证书：已过期" in status
    valid = make_certificate(tmp_path / "valid.pem")
    with tls_server(valid) as port:
        assert certificate_end(f"https://localhost:{port}") is None, "of somebody whom nobody trusts"
        monkeypatch.setenv("SSL_CERT_FILE", str(valid))
        assert certificate_end(f"https://localhost:{port}") > clock.now()


def test_a_database_whose_certificate_has_run_out_is_told_from_one_that_is_away(tmp_path, servers):
    expired = make_certificate(tmp_path / "expired.pem", days=-1)
    with tls_server(expired, is_database=True) as port:
        address = f"postgresql+psycopg://u@/x?host=localhost:{port}&host=localhost:1&sslmode=verify-full&sslrootcert={expired}"
        assert [host.state for host in inspect_hosts(address)] == [HostState.DISTRUSTED, HostState.AWAY]


@pytest.mark.parametrize(
    ("host", "is_named", "exit_code"),
    [
        (DatabaseHost("b", HostState.STANDBY), False, 0),
        (DatabaseHost("b", HostState.STANDBY, 5.0), False, 0),
        (DatabaseHost("b", HostState.STALLED), True, 1),
        (DatabaseHost("b", HostState.AWAY), True, 1),
    ],
    ids=["well", "to_be_looked_at", "stalled", "away"],
)
def test_status_exits_with_1_for_a_red_point_of_the_site_though_every_link_is_well(
    race_app, race_world, monkeypatch, host, is_named, exit_code
):
    now = clock.now()
    link = Link(
        name="examapp_up_1", label="甲县（分区 1）", cell=1, is_enabled=True, is_working=True, received_at=now, beat_at=now,
        waiting_tables=0, errors=0, conflicts=0,
    )  # fmt: skip
    monkeypatch.setattr(cli, "list_links", lambda _session: [link])
    monkeypatch.setattr(cli, "list_slots", lambda _session: [("examapp_down_1", True, "reserved", 0)])
    monkeypatch.setattr(queries, "inspect_hosts", lambda _url: [DatabaseHost("a", HostState.PRIMARY), host])
    status = race_app.test_cli_runner().invoke(args=["province", "status"])
    assert "正常　甲县（分区 1）" in status.output
    assert ("异常　本站 数据库主机 b" in status.output) is is_named
    assert status.exit_code == exit_code
