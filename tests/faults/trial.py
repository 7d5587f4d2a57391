"""One row of the drill: a load, a fault, healing, and the verdict in figures."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.faults import invariants
from tests.faults.candidates import DrillCandidate, GivenUpError, Load, connect, make_load
from tests.faults.deployment import DrillDeployment
from tests.faults.invariants import InvariantFindings
from tests.faults.ledger import Ledger

GRADES_WITHIN_S = 90.0


@dataclass(slots=True)
class Result:
    """A line of the table."""

    row: str
    fault: str
    acknowledged: int = 0
    lost: int = 0
    silence_s: float = 0.0
    recovery_s: float | None = None
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    seed: int = 1

    @property
    def is_held(self) -> bool:
        return not self.faults

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Trial:
    """What a row works with; it notes what did not hold and goes on."""

    def __init__(self, site: DrillDeployment, load: Load, *, is_short: bool) -> None:
        self.site, self.load, self.is_short = site, load, is_short
        self.ledger: Ledger = load.ledger
        self.faults: list[str] = []
        self.notes: list[str] = []
        self.broken_at = self.healed_at = time.monotonic()
        self.found = InvariantFindings()
        self.kills = 0
        self.slowest_return_s = 0.0
        self.earlier: list[int] = []
        """Attempts of exams that these candidates sat before in this row."""

    def seconds(self, full: float, short: float) -> float:
        """Give how long something lasts: in the full drill, in the short one."""
        return short if self.is_short else full

    def expect(self, holds: object, text: str) -> None:
        """Note what must hold and does not."""
        if not holds:
            self.faults.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def take_exam(self, seconds: float, *, rate: float = 1.0) -> None:
        """Let all sit for some seconds before the fault."""
        self.load.take_exam(rate=rate)
        time.sleep(seconds)

    @contextlib.contextmanager
    def broken(self) -> Iterator[None]:
        """The time of the fault: from now to its healing."""
        self.broken_at = time.monotonic()
        try:
            yield
        finally:
            self.healed_at = time.monotonic()

    def other_devices(self, count: int) -> list[DrillCandidate]:
        """Give further browsers of the same people, which sit beside the first."""
        port, rng = self.site.port, random.Random(count)
        others = [
            DrillCandidate(c.login_name, c.password, connect(port), self.ledger, rng)
            for c in self.load.candidates[:count]
        ]
        self.load.others += others
        return others

    def watch(self, seconds: float, act: Callable[[], object] | None = None, *, every_s: float = 1.0) -> None:
        """Let time pass, doing something again and again."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if act is not None:
                act()
            time.sleep(min(every_s, max(0.0, deadline - time.monotonic())))

    # What rows measure

    def recovery_s(self) -> float | None:
        """From the healing to the first acknowledged save that was sent after it."""
        first = self.ledger.first_save_after(self.healed_at)
        return None if first is None else first - self.healed_at

    def expect_only_503(self) -> None:
        """No reply of the server's but 503 may say that it failed, from the fault on."""
        odd = [r for r in self.ledger.failures(since=self.broken_at) if r.status not in {0, 503}]
        self.expect(
            not odd,
            f"{len(odd)} replies with {sorted({r.status for r in odd})}: {odd[0].what} {odd[0].note}" if odd else "",
        )

    def expect_no_long_wait(self, limit_s: float) -> None:
        """No request from the fault on may have taken longer."""
        slowest = max(self.ledger.select(since=self.broken_at), key=lambda r: r.seconds, default=None)
        if slowest is not None:
            self.note(f"slowest request {slowest.seconds:.1f} s ({slowest.what})")
            self.expect(
                slowest.seconds <= limit_s, f"{slowest.what} took {slowest.seconds:.1f} s, more than {limit_s:g}"
            )

    def expect_no_forced_sign_in(self) -> None:
        self.expect(not self.ledger.forced_sign_ins, f"{self.ledger.forced_sign_ins} candidates had to sign in again")

    # The end of every row

    def rest(self) -> None:
        """Let all come to rest, and see that what was acknowledged is there: a hand-in would bring the whole sheet once more."""
        with self._noting("coming to rest"):
            self.load.rest()
        time.sleep(1)
        self._check([c.attempt_id for c in self.load.candidates])

    def _check(self, attempts: list[int]) -> None:
        with self.site.database() as connection:
            checked = invariants.check(connection, self.ledger, attempts)
        self.ledger.odd.clear()
        self.found.lost += checked.lost
        for name, text in checked.broken.items():
            self.found.broken[name] += text

    def finish(
        self, *, hand_in_share: float = 1.0, spread_s: float = 0.0, grades_within_s: float = GRADES_WITHIN_S
    ) -> InvariantFindings:
        """Let all come to rest, replay, hand in, wait for the grades, and check every invariant."""
        people = self.load.candidates
        found = self.found
        self.rest()
        pending = sum(len(c.pending) for c in people if not c.is_closed)
        self.expect(not pending, f"{pending} answers were never acknowledged")
        live = [c for c in people if not c.is_closed]
        self._replay(found, live[: self._sample()])
        with self._noting("handing in"):
            self.load.all("hand_in", of=live[: round(len(live) * hand_in_share)], spread_s=spread_s)
        ids = [*self.earlier, *(c.attempt_id for c in people)]
        with self.site.database() as connection:
            waited, late = invariants.wait_for_grades(connection, ids, within_s=grades_within_s)
            for text in late:
                found.add("I5", text)
            self._replay(found, [c for c in people if c.receipt][: self._sample()])
        self._check(ids)
        self.expect_no_forced_sign_in()
        self.note(f"all graded after {waited:.0f} s")
        self.faults += found.lines()
        return found

    def _sample(self) -> int:
        return max(6, len(self.load.candidates) // 10)

    def _replay(self, found: InvariantFindings, sample: list[DrillCandidate]) -> None:
        ids = [c.attempt_id for c in sample]
        with self.site.database() as connection:
            before = invariants.snapshot(connection, ids)
            with self._noting("replaying"):
                self.load.all("replay", of=sample)
                self.load.all("hand_in", of=[c for c in sample if c.receipt])
            invariants.compare(found, before, invariants.snapshot(connection, ids))

    @contextlib.contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        try:
            yield
        except (GivenUpError, TimeoutError) as error:
            self.faults.append(f"{what}: {type(error).__name__} {error}")


@contextlib.contextmanager
def trial(
    site: DrillDeployment,
    *,
    people: int,
    seed: int,
    exam: tuple[int, int] = (3600, 60),
    is_short: bool = False,
    port: int | None = None,
) -> Iterator[Trial]:
    """Sign candidates in and let them start an exam."""
    names = site.people["login_names"][:people]
    load = make_load(port=port or site.port, login_names=names, password=site.people["password"], seed=seed)
    try:
        load.begin(site.new_exam(*exam))
        yield Trial(site, load, is_short=is_short)
    finally:
        load.close()
