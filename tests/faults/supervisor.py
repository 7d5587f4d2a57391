"""`python -m tests.faults.supervisor`: the supervisor of `make run`, whose parts load the program through the entries in tests/faults."""

from __future__ import annotations

import os
import sys
from functools import partial

from examapp.config import Settings
from examapp.ops import supervisor
from examapp.ops.embedded_servers import start_postgres
from tests.faults import SETTING
from tests.faults.injection import POSTGRES_SETTINGS

_ENTRIES = {
    "wsgi:app": "tests.faults.wsgi:app",
    "wsgi": "tests.faults.wsgi",
    "examapp.celery_app:celery": "tests.faults.celery_app:celery",
}
_parts = supervisor._parts


def _parts_with_faults(settings: Settings) -> list[supervisor.Part]:
    parts = _parts(settings)
    for part in parts:
        part.command = [_ENTRIES.get(word, word) for word in part.command]
    return parts


if __name__ == "__main__":
    extra = POSTGRES_SETTINGS.get(os.environ.get(SETTING, ""))
    supervisor._parts = _parts_with_faults
    vars(supervisor)["start_postgres"] = partial(start_postgres, extra=extra)
    sys.exit(supervisor.main())
