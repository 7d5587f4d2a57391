"""The rows F01–F32 of the fault table, by what breaks; a row notes what did not hold."""

from tests.faults.rows import clocks, database, network, queue, waves, web
from tests.faults.rows.register import NOT_INJECTED, ROWS, FaultRow

__all__ = ["NOT_INJECTED", "ROWS", "FaultRow", "clocks", "database", "network", "queue", "waves", "web"]
