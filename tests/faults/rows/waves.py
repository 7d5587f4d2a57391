"""The rows of waves and of time: all at once, and closing by the server."""

from __future__ import annotations

import time

from tests.faults.rows.register import row
from tests.faults.trial import Trial


@row("F24", "到时断网：由服务器按已保存的答案交卷", exam=(25, 4))
def closed_by_the_server(t: Trial) -> None:
    t.sit(8)
    t.rest()
    with t.broken():
        offline = t.load.candidates[::2]
        t.load.all("hand_in", of=t.load.candidates[1::2])
        time.sleep(24)
    for candidate in offline[:5]:
        candidate.choose()
    t.load.all("save", of=offline[:5])
    t.expect(all(c.is_closed for c in offline[:5]), "a save after deadline and grace was taken")
    for candidate in offline[:5]:
        candidate.pending.clear()
    with t.site.database() as connection:
        ids = [c.attempt_id for c in offline[:5]]
        aside = connection.execute(
            "SELECT count(*) FROM set_aside_saves WHERE attempt_id = ANY(%s)", (ids,)
        ).fetchone()[0]
        closed = connection.execute(
            "SELECT count(*) FROM attempts WHERE id = ANY(%s) AND is_forced", ([c.attempt_id for c in offline],)
        ).fetchone()[0]
    t.expect(aside == 5, f"{aside} of 5 late saves were set aside")
    t.expect(closed == len(offline), f"{closed} of {len(offline)} attempts were closed at their deadline")
    for candidate in offline:
        candidate.is_closed = True
