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
_commands = supervisor.part_commands


def _commands_with_issues(settings: Settings) -> dict[str, list[str]]:
    return {name: [_ENTRIES.get(word, word) for word in text] for name, text in _commands(settings).items()}


if __name__ == "__main__":
    extra = POSTGRES_SETTINGS.get(os.environ.get(SETTING, ""))
    vars(supervisor)["part_commands"] = _commands_with_issues
    vars(supervisor)["start_postgres"] = partial(start_postgres, extra=extra)
    sys.exit(supervisor.main())
