"""The rows of waves and of time: all at once, and closing by the server."""

from __future__ import annotations

import io
import random
import time
import zipfile

from tests.faults.candidates import DrillCandidate, connect
from tests.faults.ledger import percentile
from tests.faults.rows.register import row
from tests.faults.trial import Trial
from tests.helpers.processes import wait_until


@row("F24", "到时断网：由服务器按已保存的答案交卷", exam=(18, 3))
def closed_by_the_server(t: Trial) -> None:
    t.take_exam(6)
    t.rest()
    offline = t.load.candidates[::2]
    with t.broken():
        t.load.all("hand_in", of=t.load.candidates[1::2])
        # the sweeper comes every fifteen seconds
        wait_until(lambda: _count_closed(t, offline) == len(offline), within_s=40, every_s=0.5)
    for candidate in offline[:5]:
        candidate.choose()
    t.load.all("save", of=offline[:5])
    t.expect(all(c.is_closed for c in offline[:5]), "a save after deadline and grace was taken")
    for candidate in offline[:5]:
        candidate.pending.clear()
    with t.site.database() as connection:
        ids = [c.attempt_id for c in offline[:5]]
        aside = connection.execute(
            "SELECT count(*) FROM quarantined_saves WHERE attempt_id = ANY(%s)", (ids,)
        ).fetchone()[0]
    closed = _count_closed(t, offline)
    t.expect(aside == 5, f"{aside} of 5 late saves were set aside")
    t.expect(closed == len(offline), f"{closed} of {len(offline)} attempts were closed at their deadline")
    for candidate in offline:
        candidate.is_closed = True


def _count_closed(t: Trial, offline: list[DrillCandidate]) -> int:
    """Count who was closed by the clock; as a table, no read of theirs."""
    ids = [c.attempt_id for c in offline]
    with t.site.database() as connection:
        return int(
            connection.execute("SELECT count(*) FROM attempts WHERE id = ANY(%s) AND is_forced", (ids,)).fetchone()[0]
        )


@row("F27", "开考浪潮（300 人规模；8000 人见 make bench）")
def start_wave(t: Trial) -> None:
    t.take_exam(4)
    with t.broken():
        half = t.other_devices(len(t.load.candidates) // 2)
        began = time.monotonic()
        t.load.all("sign_in", of=half)
        t.note(f"{len(half)} sign-ins at once in {time.monotonic() - began:.1f} s")
    saves = t.ledger.select("save", since=t.broken_at, until=t.healed_at)
    p99 = percentile(saves, 0.99)
    t.note(f"save p99 {p99 * 1000:.0f} ms meanwhile")
    t.expect(not t.ledger.failures("save"), "saves failed during the wave")
    t.expect(p99 <= 0.5, f"save p99 {p99:.2f} s during the wave")


@row("F28", "交卷浪潮（300 人规模；8000 人见 make bench）")
def hand_in_wave(t: Trial) -> None:
    t.take_exam(4)
    t.rest()
    with t.broken():
        began = time.monotonic()
        t.load.all("hand_in", spread_s=1, repeats=0)
        took = time.monotonic() - began
    t.note(f"all accepted in {took:.1f} s")
    t.expect(took <= 60, f"the wave took {took:.0f} s")


_JITTER_S = 0.03
"""What the p99 of some thousand saves differs by between two looks on two busy cores."""


@row("F29", "考试中反复导出")
def export_abuse(t: Trial) -> None:
    office = DrillCandidate(
        login_name=t.site.people["organiser"],
        password=t.site.people["password"],
        client=connect(t.site.port),
        ledger=t.ledger,
        rng=random.Random(1),
    )
    t.take_exam(6)
    before = percentile(t.ledger.select("save"), 0.99)
    others = t.load.candidates
    t.load.all("sign_in", of=[office])
    exam_id = t.load.get("exams", of=office)[0]["id"]
    with t.site.database() as connection:
        unit_id = connection.execute("SELECT id FROM units WHERE code = 'DRILL0'").fetchone()[0]
    with t.broken():
        exports = [t.load.get("export", exam_id, unit_id, of=office) for _ in range(20)]
        states = wait_until(lambda: _ended(t, office, exports), within_s=120, every_s=2)
        t.expect(states, "the exports did not end in two minutes")
    t.expect(all(state == "ready" for state in states or []), f"exports ended as {states}")
    files = [t.load.get("file", export, of=office) for export in exports[:3]]
    t.expect(
        all(zipfile.ZipFile(io.BytesIO(content)).testzip() is None for content in files), "an exported file is broken"
    )
    saves = t.ledger.select("save", since=t.broken_at, until=t.healed_at)
    after = percentile(saves, 0.99)
    t.note(f"save p99 {before * 1000:.0f} → {after * 1000:.0f} ms, {len(others)} sitting")
    t.expect(not t.ledger.failures("save"), "saves failed during the exports")
    if not t.is_short:
        t.expect(after <= before * 1.1 + _JITTER_S, f"save p99 grew from {before:.3f} to {after:.3f} s")
    office.client.close()


def _ended(t: Trial, office: DrillCandidate, exports: list[int]) -> list[str] | None:
    states = [t.load.get("export_state", export, of=office) for export in exports]
    return None if {"waiting", "running"} & set(states) else states


@row("F31", "停机补时：给一个单位延长，已自动交卷的重新打开", exam=(25, 4))
def compensation(t: Trial) -> None:
    t.take_exam(6)
    t.rest()
    with t.broken():
        time.sleep(30)
    with t.site.database() as connection:
        unit_id = connection.execute(
            "SELECT unit_id FROM attempts WHERE id = %s", (t.load.candidates[0].attempt_id,)
        ).fetchone()[0]
        exam_id = connection.execute(
            "SELECT exam_id FROM attempts WHERE id = %s", (t.load.candidates[0].attempt_id,)
        ).fetchone()[0]
        ids = [c.attempt_id for c in t.load.candidates]
        for _ in range(2):
            t.site.county("0", f"extend:{exam_id}:{unit_id}:600")
        count = "SELECT count(*) FROM attempts WHERE id = ANY(%s) AND state = 'in_progress'"
        wanted = connection.execute(
            "SELECT count(*) FROM attempts WHERE id = ANY(%s) AND unit_id = %s", (ids, unit_id)
        ).fetchone()[0]
        wait_until(lambda: connection.execute(count, (ids,)).fetchone()[0] >= wanted, within_s=40)
        reopened = {
            row[0]
            for row in connection.execute(
                "SELECT id FROM attempts WHERE id = ANY(%s) AND state = 'in_progress' AND unit_id = %s", (ids, unit_id)
            )
        }
        others = connection.execute(f"{count} AND unit_id <> %s", (ids, unit_id)).fetchone()[0]
        longest = connection.execute(
            "SELECT max(deadline_at - started_at) FROM attempts WHERE id = ANY(%s) AND unit_id = %s", (ids, unit_id)
        ).fetchone()[0]
    t.expect(len(reopened) == wanted, f"{len(reopened)} of {wanted} attempts of the unit were reopened")
    t.expect(not others, f"{others} attempts of other units were reopened")
    t.expect(longest.total_seconds() <= 25 + 600 + 31, f"the extension counted twice: {longest}")
    for candidate in t.load.candidates:
        candidate.is_closed = candidate.attempt_id not in reopened
    going_on = [c for c in t.load.candidates if not c.is_closed]
    for candidate in going_on:
        candidate.choose()
    t.load.all("save", of=going_on)
    t.expect(not [c for c in going_on if c.is_closed], "a reopened attempt took no save")
