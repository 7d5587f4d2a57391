"""Work done at the same moment in several threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from examapp.db.session import transaction
from examapp.errors import DomainError


def together(app, count, work):
    """Run `work(session)` in as many threads, each with a connection of its own; give results and errors."""
    barrier = threading.Barrier(count)

    def run(_n):
        with app.app_context():
            barrier.wait()
            try:
                with transaction() as session:
                    return work(session)
            except DomainError as error:
                return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
