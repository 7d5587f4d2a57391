"""`make drill-ha`: what two machines and a witness keep when one of them dies; JSON a row. `python -m tests.faults.high_availability [--rows A1,A9]`.

The same candidates sit through all rows; what was acknowledged is compared with the database after each, before any hand-in: also what was
answered again since. The site's address names both hosts (A10); A1 goes through HAProxy, as other programs do. A9 is the control and comes
last: without the synchronous standby it must lose an answer, or the drill has failed. Root only.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.archive import fingerprints, wait_until_archived
from tests.faults.candidates import make_load
from tests.faults.cluster import DATABASE_URL, Cluster
from tests.faults.deployment import DeploymentError, DrillDeployment
from tests.faults.machines import ADDRESSES, cables_laid, run_on_site
from tests.faults.trial import Result, Trial
from tests.helpers.processes import wait_until

_INSIDE = "--inside"
_LIMIT_S = 30.0
"""RTO: nothing acknowledged for at most so long."""
_SHORT_S = 8.0
Act = Callable[["HaTrial"], None]
_ROWS: dict[str, tuple[str, Act]] = {}


class HaTrial(Trial):
    """A row's load and the cluster that it breaks."""

    cluster: Cluster
    worst_s = 0.0
    """The longest silence of the faults of this row so far."""

    def silence_s(self) -> float:
        """Measure the longest time from the fault on in which no save of anybody was acknowledged."""
        ends = sorted(r.began_at + r.seconds for r in self.ledger.select("save") if r.status == 200)
        moments = [self.broken_at, *(end for end in ends if end > self.broken_at)]
        return max((later - earlier for earlier, later in itertools.pairwise(moments)), default=float("inf"))

    def until_saved(self, seconds: float = 60.0) -> None:
        """Wait until saves that were sent after the fault's begin are acknowledged again, and some seconds more."""
        deadline, since = time.monotonic() + seconds, time.monotonic()
        while self.ledger.first_save_after(since) is None and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(3)

    def count_acknowledged(self, what: str = "save") -> int:
        """Count the saves that were acknowledged so far."""
        return sum(r.status == 200 for r in self.ledger.select(what))

    def expect_named(self, machine: str, states: set[str], text: str) -> None:
        """See that the site names a machine's database in its figures and by `flask province status`, twenty looks one after the other."""
        host = f"{ADDRESSES[machine]}:5432"
        began = time.monotonic()
        if not wait_until(lambda: self._state_of(host) in states, within_s=90, every_s=0.5):
            self.expect(False, f"/metrics says that {host} is {self._state_of(host)}")
            return
        self.note(f"named in /metrics after {time.monotonic() - began:.0f} s: {self._state_of(host)}")
        found = []
        for _ in range(20):
            time.sleep(0.5)
            found.append(self._state_of(host))
        self.note(f"then {', '.join(f'{found.count(state)}× {state}' for state in sorted(set(found)))}")
        self.expect(set(found) <= states, f"/metrics calls {host} {set(found) - states} meanwhile")
        code, said = self.site.flask("province", "status")
        self.expect(code == 1 and host in said and text in said, f"province status ({code}): {said[-300:]}")

    def expect_not_named(self, machine: str) -> None:
        host = f"{ADDRESSES[machine]}:5432"
        said = wait_until(lambda: host not in self.site.flask("province", "status")[1], within_s=30)
        self.expect(said and self._state_of(host) == "standby", f"{host} is named still: {self._state_of(host)}")

    def _state_of(self, host: str) -> str:
        found = re.search(
            rf'^examapp_database_host{{host="{re.escape(host)}",state="(\w+)"}} 1',
            self.site.text("/metrics"),
            re.MULTILINE,
        )
        return found[1] if found else ""

    def expect_new_timeline(self, before: int) -> None:
        """See that the primary is on a later timeline: what was acknowledged is compared with it alone, so nothing may stand on the old one only."""
        now = self.cluster.timeline()
        self.note(f"timeline {before} → {now}")
        self.expect(now > before, f"the primary is on timeline {now} as before")

    def expect_silence(self, limit_s: float) -> None:
        found = self.silence_s()
        self.worst_s = max(self.worst_s, found)
        self.note(f"nothing acknowledged for {found:.1f} s")
        self.expect(found <= limit_s, f"nothing was acknowledged for {found:.1f} s, more than {limit_s:g}")


def row(name: str, fault: str) -> Callable[[Act], Act]:
    def registered(act: Act) -> Act:
        _ROWS[name] = fault, act
        return act

    return registered


def _cut_power_five_times(t: HaTrial) -> None:
    for _ in range(5):
        leader = t.cluster.leader()
        with t.broken():
            t.cluster.cut_power(leader)
            t.until_saved()
        t.expect_silence(_LIMIT_S)
        t.expect(t.cluster.leader() == t.cluster.other(leader), "the other machine is not the primary")
        t.cluster.switch_on(leader)
        back = time.monotonic()
        t.cluster.expect(t.cluster.is_healthy, "the dead machine did not come back", within_s=120)
        t.note(f"back as the synchronous standby in {time.monotonic() - back:.0f} s")
    t.note(f"worst {t.worst_s:.1f} s")


@row("A1", "主库断电（五次），断电的机器随后作为备库回来；经 HAProxy")
def power_cut(t: HaTrial) -> None:
    with t.cluster.balancer() as address:
        t.site.restart(DATABASE_URL=address)
        t.until_saved()
        _cut_power_five_times(t)
        t.load.rest()
    t.site.restart(DATABASE_URL=DATABASE_URL)


@row("A10", "同 A1；DATABASE_URL 写两台主机，不经 HAProxy")
def power_cut_without_balancer(t: HaTrial) -> None:
    _cut_power_five_times(t)


@row("A2", "只杀数据库，机器还在")
def postgres_killed(t: HaTrial) -> None:
    with t.broken():
        t.cluster.kill_postgres(t.cluster.leader())
        t.until_saved()
    t.expect_silence(_SHORT_S)


@row("A3", "主库冻结 40 秒后恢复")
def stalled(t: HaTrial) -> None:
    leader, before = t.cluster.leader(), t.cluster.timeline()
    with t.broken():
        with t.cluster.stalled(leader):
            t.watch(40)
        t.cluster.expect(lambda: t.cluster.is_in_recovery(leader), "the thawed primary is not in recovery")
        t.until_saved()
    t.expect_silence(_LIMIT_S)
    t.expect_new_timeline(before)


@row("A4", "主库与见证机、备库断开，网站仍能看到它")
def cut_off(t: HaTrial) -> None:
    leader, before = t.cluster.leader(), t.cluster.timeline()
    with t.broken():
        t.cluster.separate(leader, t.cluster.other(leader), "w")
        t.until_saved()
        t.cluster.expect(lambda: t.cluster.is_in_recovery(leader), "the primary that was cut off is not in recovery")
        t.cluster.join(leader, t.cluster.other(leader), "w")
    t.expect_silence(_LIMIT_S)
    t.expect_new_timeline(before)


@row("A5", "备库断电")
def standby_dies(t: HaTrial) -> None:
    standby = t.cluster.other(t.cluster.leader())
    with t.broken():
        t.cluster.cut_power(standby)
        t.watch(12)
        t.until_saved()
        t.cluster.switch_on(standby)
    t.expect_silence(_SHORT_S)


@row("A6", "见证机断电")
def witness_dies(t: HaTrial) -> None:
    with t.broken():
        t.cluster.cut_power("w")
        t.watch(20)
        t.cluster.switch_on("w")
    failed = t.ledger.failures(since=t.broken_at)
    t.expect(not failed, f"{len(failed)} requests failed")
    t.expect_silence(_SHORT_S)


@row("A7", "备库先断电，主库单独运行后也断电，旧的备库先通电")
def stale_one_first(t: HaTrial) -> None:
    leader = t.cluster.leader()
    stale = t.cluster.other(leader)
    with t.broken():
        t.cluster.cut_power(stale)
        t.cluster.expect(lambda: not t.cluster.awaited(), "commits still wait for the standby that is dead")
        before = t.count_acknowledged()
        t.watch(10)
        alone = t.count_acknowledged() - before
        t.note(f"{alone} saves acknowledged by the one that was alone")
        t.expect(alone, "nothing was acknowledged by the one that was alone: nobody is stale")
        t.cluster.cut_power(leader)
        t.cluster.switch_on(stale)
        leaders: set[str] = set()
        t.watch(30, lambda: leaders.add(t.cluster.leader()))
        t.expect(leaders == {""}, "the machine that lacks acknowledged answers was made the primary")
        t.expect(
            t.cluster.is_in_recovery(stale),
            "the stale machine's database does not run: it could not have been promoted",
        )
        t.cluster.switch_on(leader)
        t.until_saved()
    t.expect(t.cluster.leader() == leader, "the machine that has everything is not the primary")
    t.cluster.expect(t.cluster.is_healthy, "the stale machine did not become the standby again", within_s=120)


@row("A8", "计划内切换")
def switchover(t: HaTrial) -> None:
    leader = t.cluster.leader()
    with t.broken():
        t.cluster.ask(leader, "/switchover", "POST", {"leader": leader, "candidate": t.cluster.other(leader)})
        t.until_saved()
    t.expect(t.cluster.leader() == t.cluster.other(leader), "the primary is where it was")
    t.expect_silence(_SHORT_S)


@row("A11", "主库断电后归档继续；只用归档恢复，逐表与主库相同")
def archive_goes_on(t: HaTrial) -> None:
    leader = t.cluster.leader()
    t.cluster.run_pgbackrest(leader, "--type=full", "backup")
    with t.broken():
        t.cluster.cut_power(leader)
        t.until_saved()
    t.expect_silence(_LIMIT_S)
    new = t.cluster.leader()
    t.expect(new == t.cluster.other(leader), "the other machine is not the primary")
    t.cluster.run_pgbackrest(new, "check")
    t.load.rest()
    t.site.cut_power()  # nothing writes any more, so that both can be compared as they are
    with t.cluster.connect("examapp") as connection:
        archived, running = wait_until_archived(connection), fingerprints(connection)
        with t.cluster.archive.restored("w") as restored:
            found = fingerprints(restored)
    differ = sorted(name for name in running.keys() | found.keys() if running.get(name) != found.get(name))
    rows = sum(count for count, _ in running.values())
    t.note(f"{len(running)} tables, {rows} rows, restored to {archived}; {len(differ)} differ")
    t.expect(len(running) > 100, f"only {len(running)} tables were compared")
    t.expect(not differ, f"restored otherwise than on the primary: {differ[:5]}")
    t.site.start()
    t.cluster.switch_on(leader)
    t.cluster.expect(t.cluster.is_healthy, "the dead machine did not come back", within_s=120)
    t.cluster.run_pgbackrest(new, "--type=full", "backup")


@row("A12", "备库在运行，但收不到主库的数据：点名，考试照常")
def standby_stalls(t: HaTrial) -> None:
    leader = t.cluster.leader()
    standby = t.cluster.other(leader)
    with t.broken():
        t.cluster.separate(leader, standby)
        t.expect_named(standby, {"stalled"}, "没有在接收")
        t.cluster.join(leader, standby)
    t.cluster.expect(t.cluster.is_healthy, "the standby does not receive again", within_s=120)
    t.expect_silence(_SHORT_S)
    t.expect_not_named(standby)


@row("A13", "备库磁盘写满：点名，考试照常；清理后自动追上")
def standby_out_of_disk(t: HaTrial) -> None:
    standby = t.cluster.other(t.cluster.leader())
    t.cluster.cut_power(standby)
    t.cluster.expect(lambda: not t.cluster.awaited(), "commits still wait for the standby that is off")
    place = t.cluster.put_on_small_disk(standby, free_mb=400)
    t.cluster.switch_on(standby)
    t.cluster.expect(t.cluster.awaited, "the standby does not run on the small disk", within_s=120)
    ballast = place / "ballast"
    with t.broken():
        with ballast.open("wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        t.cluster.write_wal(segments=12)
        t.expect_named(standby, {"stalled", "away"}, "数据库主机")
        ballast.unlink()
    t.expect_silence(_SHORT_S)
    t.cluster.expect(t.cluster.awaited, "the standby did not catch up with room on its disk", within_s=180)
    t.expect_not_named(standby)


@row("A9", "对照：异步复制，两机之间断线 1 秒后主库断电，必须丢失")
def control(t: HaTrial) -> None:
    t.cluster.set_synchronous(is_synchronous=False)
    leader = t.cluster.leader()
    t.watch(3)
    with t.broken():
        t.cluster.separate(leader, t.cluster.other(leader))
        t.watch(1)
        t.cluster.cut_power(leader)
        t.cluster.join(leader, t.cluster.other(leader))
        t.until_saved()
    t.expect_silence(_LIMIT_S)


def main() -> int:
    """Lay the cables and run the rows on the site's machine; 2 where this one does not allow it."""
    if _INSIDE in sys.argv:
        return _run_rows(_options())
    _options()
    try:
        with cables_laid():
            return run_on_site("tests.faults.high_availability", _INSIDE, *sys.argv[1:]).returncode
    except DeploymentError as error:
        print(error, file=sys.stderr)
        return 2


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(_INSIDE, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=lambda text: text.split(","), default=[], help="such as A1,A9")
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--rate", type=float, default=1.0, help="stretches the pauses between two saves")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--logs", type=Path, help="a folder that keeps what Patroni, etcd and PostgreSQL wrote")
    return parser.parse_args()


def _run_rows(options: argparse.Namespace) -> int:
    chosen = [name for name in _ROWS if not options.rows or name in options.rows]
    results = []
    with Cluster(options.logs) as cluster, DrillDeployment(DATABASE_URL=DATABASE_URL, STARTS_PER_SECOND="1000") as site:
        site.settle(options.people, [(3600, 60)])
        names = site.people["login_names"]
        load = make_load(port=site.port, login_names=names, password=site.people["password"], seed=options.seed)
        try:
            load.begin(site.new_exam(3600, 60))
            for name in chosen:
                results.append(_run_row(name, cluster, HaTrial(site, load, is_short=False), options))
                print(json.dumps(results[-1].as_json(), ensure_ascii=False), flush=True)
        finally:
            load.close()
    held = sum(result.is_held for result in results)
    print(f"{held} of {len(results)} rows held")
    return 0 if held == len(chosen) else 1


def _run_row(name: str, cluster: Cluster, t: HaTrial, options: argparse.Namespace) -> Result:
    fault, act = _ROWS[name]
    began, acknowledged, t.cluster = time.monotonic(), t.ledger.acknowledgements, cluster
    try:
        cluster.expect(cluster.is_healthy, "not healthy before the row", within_s=120)
        t.take_exam(6, rate=options.rate)
        act(t)
    except (DeploymentError, OSError) as error:
        t.faults.append(f"{type(error).__name__}: {str(error)[-1500:]}")
    t.rest()
    lost = t.found.broken.pop("I1", [])
    if name == "A9":
        t.expect(lost, "the control lost nothing: this drill could not see a loss")
        t.note(f"lost, as it must: {len(lost)}")
    else:
        t.faults += [f"I1: {len(lost)}× {lost[0]}"] if lost else []
    t.faults += t.found.lines() if name != "A9" else []
    return Result(
        name, fault, t.ledger.acknowledgements - acknowledged, len(lost), round(max(t.worst_s, t.silence_s()), 1), None, t.faults, t.notes,
        round(time.monotonic() - began, 1), options.seed,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
