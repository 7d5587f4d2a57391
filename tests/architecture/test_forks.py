"""What a process forked from a running one shares with it: no connection, so that neither ends the other's transactions."""

from __future__ import annotations

import os
import warnings

from sqlalchemy import create_engine, text

from examapp.db.watchdog import ConnectionWatchdog

_BACKEND = text("SELECT pg_backend_pid()")


def test_a_forked_process_talks_to_the_database_on_a_line_of_its_own(servers):
    engine = create_engine(servers.settings("postgres").database_url, pool_size=1, max_overflow=0, pool_timeout=2)
    ConnectionWatchdog().install(engine)
    with engine.connect() as held:
        ours = held.execute(_BACKEND).scalar_one()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads is what Celery does
            child = os.fork()
        if child == 0:
            is_apart = False
            try:
                with engine.connect() as own:
                    is_apart = own.execute(_BACKEND).scalar_one() != ours
            finally:
                os._exit(0 if is_apart else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert held.execute(_BACKEND).scalar_one() == ours
    engine.dispose()
