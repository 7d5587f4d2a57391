"""Which rows there are, how each is run, and which a machine here cannot inject."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.deployment import DrillDeployment
from tests.faults.trial import Result, Trial, trial

_HEAD, _TAIL = 200, 800
Site = Callable[[dict[str, str]], contextlib.AbstractContextManager[DrillDeployment]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRow:
    """One fault: what is done to the site while candidates sit."""

    id: str
    fault: str
    act: Callable[[Trial], None]
    exam: tuple[int, int] = (3600, 60)
    people: int = 300
    site: Site | None = None
    """Makes a deployment of the row's own; None: the shared one will do."""

    def run(self, site: DrillDeployment, *, seed: int, people: int | None = None, is_short: bool = False) -> Result:
        """Run the row on a site; every fault that is found stands in the result."""
        began = time.monotonic()
        result = Result(self.id, self.fault, seed=seed)
        with trial(
            site, people=min(people or self.people, self.people), seed=seed, exam=self.exam, is_short=is_short
        ) as running:
            try:
                self.act(running)
                result.lost = running.finish().lost
            except Exception as error:  # noqa: BLE001 – a row that breaks off is red, and the next one is run
                running.faults.append(f"the row broke off: {type(error).__name__} {_ends_of(str(error))}")
                traceback.print_exc()
            result.acknowledged = running.ledger.acknowledgements
            result.silence_s, result.recovery_s = running.ledger.longest_silence_s(), running.recovery_s()
            result.faults, result.notes = running.faults, running.notes
        result.seconds = time.monotonic() - began
        return result


def _ends_of(text: str) -> str:
    """Give how a long message begins and how it ends: a log's last lines say why."""
    kept = " ".join(text.replace("\0", "").split())
    return kept if len(kept) <= _HEAD + _TAIL else f"{kept[:_HEAD]} … {kept[-_TAIL:]}"


ROWS: dict[str, FaultRow] = {}
NOT_INJECTED: dict[str, str] = {}
"""Rows that are not drilled here, and why."""
NOT_INJECTED |= {
    "F23": "needs a page in a real browser: tests/browser (make test-browser)",
    "F24 (page)": "what the page shows at the deadline: tests/browser; the server's side is the row F24",
    "F27, F28 at 8,000": "the full waves are measured by make bench; here at the size of the drill",
    "F30": "the restore drill has a command of its own (docs/operations)",
}


def row(row_id: str, fault: str, **fields: object) -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
    """Register a row."""

    def register(act: Callable[[Trial], None]) -> Callable[[Trial], None]:
        ROWS[row_id] = FaultRow(id=row_id, fault=fault, act=act, **fields)  # type: ignore[arg-type]
        return act

    return register
