"""Two workers with the same export, with true commits: one file in effect, progress visible from outside while it is built."""

import threading

from examapp import clock
from examapp.db.session import db, read_session, transaction
from examapp.jobs import runner
from examapp.organisation.access.rules import AccessScope
from examapp.oversight.report_exports import actions as report_export_actions
from examapp.oversight.report_exports.models import Export
from examapp.oversight.report_files import actions as report_file_actions
from examapp.oversight.report_files.rules import ReportRequest
from examapp.platform.audit.actions import ActionContext, Actor
from tests.reports.county import ReportCounty


def test_two_workers_make_one_file_and_progress_is_seen_meanwhile(race_app, race_world, monkeypatch):
    county = ReportCounty(race_world)
    county.fill_with_every_odd_case()
    admin = race_world.admin()
    export = race_world.save(
        Export(
            exam_id=county.exam.id,
            unit_id=county.top.id,
            content="scores",
            format="csv",
            created_by_id=admin.id,
            created_at=clock.now(),
        )
    )
    race_world.commit()
    export_id = export.id
    monkeypatch.setattr(report_file_actions, "_STEP", 5)
    progress, seen, built = runner.JobRun.progress, [], []

    def note(self, done, total):
        progress(self, done, total)
        seen.append(done)

    write = report_file_actions.write
    monkeypatch.setattr(runner.JobRun, "progress", note)
    monkeypatch.setattr(report_file_actions, "write", lambda *a, **k: built.append(1) or write(*a, **k))
    errors = []

    def work():
        try:
            race_app.extensions["celery"].tasks["jobs.run"](export_id)
        except Exception as error:  # noqa: BLE001 – whatever it is, the test shows it
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with race_app.app_context():
        row = read_session().get_one(Export, export_id)
        assert (errors, row.state, row.done, row.total, len(built)) == ([], "done", 25, 25, 1)
        assert row.file.count(b"\r\n") == 26
        db.session.rollback()
    assert seen == [0, 5, 10, 15, 20, 25]


def test_two_presses_at_once_are_one_line_of_the_ledger(race_app, race_world):
    county = ReportCounty(race_world)
    county.fill_with_every_odd_case()
    admin = race_world.admin()
    race_world.commit()
    actor, exam_id, unit_id = Actor(person_id=admin.id), county.exam.id, county.top.id
    report_request = ReportRequest(exam_id=exam_id, unit_id=unit_id, content="participation", format="pdf")
    found, errors, now = [], [], clock.now()

    def press():
        with race_app.app_context():
            try:
                with transaction() as session:
                    access = AccessScope(is_everything=True)
                    found.append(
                        report_export_actions.request_export(
                            ActionContext(session, actor, now), report_request, access=access
                        ).id
                    )
            except Exception as error:  # noqa: BLE001 – whatever it is, the test shows it
                errors.append(error)

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with race_app.app_context():
        rows = read_session().query(Export).all()
        assert (errors, len(found), len(set(found)), len(rows), rows[0].state) == ([], 4, 1, 1, "done")
        first = rows[0].file
        rows[0].state, rows[0].file, rows[0].lease_expires_at = "running", None, now
        db.session.commit()
        race_app.extensions["celery"].tasks["jobs.sweep"]()
        db.session.expire_all()
        again = read_session().get_one(Export, found[0])
        assert (again.state, again.file == first, again.run_count) == ("done", True, 2), (
            "as after a kill -9 of the worker"
        )
        db.session.rollback()
