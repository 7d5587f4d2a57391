"""A rehearsal (演练): a whole synthetic sitting on this machine, against a shadow database that is made for it and dropped after it.

A database of its own is the safe choice: whatever the synthetic candidates do, no row of the county's own database can move, since no
process of the rehearsal is connected to it. It runs on the same PostgreSQL server and the same processors, with the same program and
settings, so the figures are this deployment's own.
"""

from examapp.admin.operations.rehearsing.records import (
    RehearsalRefusedError,
    begin_rehearsal,
    conclude_rehearsal,
    fail_rehearsal,
    list_lost_rehearsals,
    request_rehearsal,
)
from examapp.admin.operations.rehearsing.running import rehearse
from examapp.admin.operations.rehearsing.shadow import RehearsalError

__all__ = [
    "RehearsalError",
    "RehearsalRefusedError",
    "begin_rehearsal",
    "conclude_rehearsal",
    "fail_rehearsal",
    "list_lost_rehearsals",
    "rehearse",
    "request_rehearsal",
]
