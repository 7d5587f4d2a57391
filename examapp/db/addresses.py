"""The database's address: one host or several of one cluster, as the program, its commands and PostgreSQL's own programs take it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psycopg
from sqlalchemy.engine import URL, make_url

TIME_LIMITS = {"lock_timeout": "2s", "statement_timeout": "30s", "idle_in_transaction_session_timeout": "60s"}
"""Of every session of the program: nothing may hold a connection, or a lock that saves wait for, without end."""
_ATTRIBUTE = "target_session_attrs"
_PRIMARY = "read-write"
_CONNECT_TIMEOUT_S = 2
"""The least that libpq takes."""
_LOOK = """
SELECT pg_is_in_recovery(), extract(epoch FROM clock_timestamp())::float8, (SELECT system_identifier FROM pg_control_system()),
  EXISTS (SELECT FROM pg_stat_wal_receiver)
"""
_DISTRUST = ("certificate verify failed", "does not match host name")
"""What libpq says of a host whose certificate has run out, is nobody's that is trusted, or is another host's."""


class HostState(StrEnum):
    """What one host of the address is now."""

    PRIMARY = "primary"
    STANDBY = "standby"
    STALLED = "stalled"
    """A standby that answers and receives nothing: its disk is full, or it does not reach the primary."""
    AWAY = "away"
    """It does not answer, or lets this account not in."""
    DISTRUSTED = "distrusted"
    """Its certificate has run out, or does not hold for it."""
    FOREIGN = "foreign"
    """A database of another cluster: what is written there is in none of ours."""


@dataclass(frozen=True, slots=True)
class DatabaseHost:
    """One host of the address, as it answered; `clock_offset_s` is its clock minus this machine's."""

    name: str
    state: HostState
    clock_offset_s: float = 0.0

    @property
    def has_answered(self) -> bool:
        """Whether it could be asked, so that its clock is known."""
        return self.state not in {HostState.AWAY, HostState.DISTRUSTED}


def database_address(database_url: str) -> URL:
    """Parse a database URL; where it names several hosts, only the primary is connected to, unless the URL says otherwise."""
    url = make_url(database_url)
    if len(_hosts(url)) > 1 and _ATTRIBUTE not in url.query:
        url = url.update_query_dict({_ATTRIBUTE: _PRIMARY})
    return url


def connect_arguments(database_url: str) -> dict[str, Any]:
    """Build libpq's parameters of a database URL, for `psycopg.connect` and for PostgreSQL's own programs."""
    url = database_address(database_url)
    return dict(url.get_dialect()().create_connect_args(url)[1])


def host_names(database_url: str) -> list[str]:
    """List the hosts of a database URL, each with its port where one is given; a socket's folder counts as a host."""
    return [f"{host}:{port}" if port else host for host, port in _hosts(make_url(database_url))]


def _hosts(url: URL) -> list[tuple[str, str]]:
    fields = url.get_dialect()().create_connect_args(url)[1]
    hosts, ports = (str(fields.get(name, "")).split(",") for name in ("host", "port"))
    return list(zip(hosts, ports * len(hosts) if len(ports) == 1 else ports, strict=True))


def inspect_hosts(database_url: str) -> list[DatabaseHost]:
    """Ask each host of an address with several what it is; empty for an address with one. A silent host costs two seconds."""
    fields, hosts = connect_arguments(database_url), _hosts(make_url(database_url))
    if len(hosts) < 2:
        return []
    found, clusters = [], {}
    for (host, port), name in zip(hosts, host_names(database_url), strict=True):
        one = fields | {"host": host, "port": port, _ATTRIBUTE: "any", "connect_timeout": _CONNECT_TIMEOUT_S}
        try:
            with psycopg.connect(**one, autocommit=True) as connection:
                is_standby, at, clusters[name], receives = connection.execute(_LOOK).fetchone() or (
                    True,
                    0.0,
                    None,
                    True,
                )
        except psycopg.Error as error:
            is_distrusted = any(text in str(error) for text in _DISTRUST)
            found.append(DatabaseHost(name, HostState.DISTRUSTED if is_distrusted else HostState.AWAY))
        else:
            standby = HostState.STANDBY if receives else HostState.STALLED
            found.append(DatabaseHost(name, standby if is_standby else HostState.PRIMARY, at - time.time()))
    return _mark_foreign(found, clusters)


def _mark_foreign(found: list[DatabaseHost], clusters: dict[str, Any]) -> list[DatabaseHost]:
    """Mark the hosts of another cluster than the first host that answered; two primaries of one cluster stay as they are."""
    ours = next(iter(clusters.values()), None)
    return [
        DatabaseHost(host.name, HostState.FOREIGN, host.clock_offset_s)
        if clusters.get(host.name, ours) != ours
        else host
        for host in found
    ]
