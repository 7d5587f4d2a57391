"""`make drill-ha`: what two machines and a witness keep when one of them dies; JSON a row. `python -m tests.faults.high_availability [--rows A1,A9]`.

The same candidates sit through all rows; what was acknowledged is compared with the database after each, before any hand-in. A9 is the
control: without the synchronous standby it must lose an answer, or the drill has failed. Root only.
"""

from __future__ import annotations

import argparse
import fcntl
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.candidates import make_load
from tests.faults.cluster import DATABASE_URL, PREFIX, Cluster, lay_cables, take_cables_away
from tests.faults.deployment import DeploymentError, DrillDeployment
from tests.faults.trial import Result, Trial

_INSIDE = "--inside"
_LIMIT_S = 30.0
"""RTO: nothing acknowledged for at most so long."""
_SHORT_S = 8.0
Act = Callable[["HaTrial"], None]
_ROWS: dict[str, tuple[str, Act]] = {}


class HaTrial(Trial):
    """A row's load and the cluster that it breaks."""

    cluster: Cluster

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

    def expect_silence(self, limit_s: float) -> None:
        found = self.silence_s()
        self.note(f"nothing acknowledged for {found:.1f} s")
        self.expect(found <= limit_s, f"nothing was acknowledged for {found:.1f} s, more than {limit_s:g}")


def row(name: str, fault: str) -> Callable[[Act], Act]:
    def registered(act: Act) -> Act:
        _ROWS[name] = fault, act
        return act

    return registered


@row("A1", "主库断电（五次），断电的机器随后作为备库回来")
def power_cut(t: HaTrial, rounds: int = 5) -> None:
    worst = 0.0
    for _ in range(rounds):
        leader = t.cluster.leader()
        with t.broken():
            t.cluster.cut_power(leader)
            t.until_saved()
        t.expect_silence(_LIMIT_S)
        worst = max(worst, t.silence_s())
        t.expect(t.cluster.leader() == t.cluster.other(leader), "the other machine is not the primary")
        t.cluster.switch_on(leader)
        back = time.monotonic()
        t.cluster.expect(t.cluster.is_healthy, "the dead machine did not come back", within_s=120)
        t.note(f"back as the synchronous standby in {time.monotonic() - back:.0f} s")
    t.note(f"worst {worst:.1f} s")


@row("A2", "只杀数据库，机器还在")
def postgres_killed(t: HaTrial) -> None:
    with t.broken():
        t.cluster.kill_postgres(t.cluster.leader())
        t.until_saved()
    t.expect_silence(_SHORT_S)


@row("A3", "主库冻结 40 秒后恢复")
def stalled(t: HaTrial) -> None:
    leader = t.cluster.leader()
    with t.broken():
        with t.cluster.stalled(leader):
            t.watch(40)
        t.cluster.expect(lambda: t.cluster.is_in_recovery(leader), "the thawed primary is not in recovery")
        t.until_saved()
    t.expect_silence(_LIMIT_S)


@row("A4", "主库与见证机、备库断开，网站仍能看到它")
def cut_off(t: HaTrial) -> None:
    leader = t.cluster.leader()
    with t.broken():
        t.cluster.separate(leader, t.cluster.other(leader), "w")
        t.until_saved()
        t.expect(t.cluster.is_in_recovery(leader) is not False, "the primary that was cut off still takes writes")
        t.cluster.join(leader, t.cluster.other(leader), "w")
    t.expect_silence(_LIMIT_S)


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
        t.watch(15)
        t.cluster.cut_power(leader)
        t.cluster.switch_on(stale)
        t.watch(30)
        t.expect(t.cluster.leader() == "", "the machine that lacks acknowledged answers was made the primary")
        t.cluster.switch_on(leader)
        t.until_saved()
    t.expect(t.cluster.leader() == leader, "the machine that has everything is not the primary")


@row("A8", "计划内切换")
def switchover(t: HaTrial) -> None:
    leader = t.cluster.leader()
    with t.broken():
        t.cluster.ask(leader, "/switchover", "POST", {"leader": leader, "candidate": t.cluster.other(leader)})
        t.until_saved()
    t.expect(t.cluster.leader() == t.cluster.other(leader), "the primary is where it was")
    t.expect_silence(_SHORT_S)


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
    """Lay the cables and run the rows in the site's namespace; 2 where this machine does not allow it."""
    if os.geteuid() != 0:
        print("make drill-ha needs root: a machine is a network namespace.", file=sys.stderr)
        return 2
    if _INSIDE in sys.argv:
        return _run_rows(_options())
    with Path("/run/examapp-drill-ha.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        take_cables_away()  # of a drill that was killed
        try:
            lay_cables()
            command = [sys.executable, "-m", "tests.faults.high_availability", _INSIDE, *sys.argv[1:]]
            return subprocess.run(["ip", "netns", "exec", f"{PREFIX}site", *command], check=False).returncode
        except DeploymentError as error:
            print(error, file=sys.stderr)
            return 2
        finally:
            take_cables_away()


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
        name, fault, t.ledger.acknowledgements - acknowledged, len(lost), round(t.silence_s(), 1), None, t.faults, t.notes,
        round(time.monotonic() - began, 1), options.seed,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
