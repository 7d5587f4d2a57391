"""The job engine: one life cycle of all background jobs, by a kind of job of the tests' own."""

import threading
from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy import func, select

from examapp import clock, registry
from examapp.content.questions.models import DuplicateSearch
from examapp.db.session import Base, db, read_session, transaction
from examapp.errors import ConflictError
from examapp.jobs import actions, runner
from examapp.jobs import registry as job_registry
from examapp.jobs.models import Job
from examapp.jobs.runner import JobRun, RunLaterError, run_job
from examapp.platform.audit.models import AuditEvent
from tests.conftest import NOON


class UnfitError(ConflictError):
    """What a handler raises for the user."""

    code = "unfit"


@pytest.fixture
def handler(monkeypatch):
    """Let the kind of duplicate searches be handled by what the test says."""
    failed = []

    def declare(function, **fields):
        monkeypatch.setattr(job_registry, "_kinds", dict(job_registry._kinds))
        kind = job_registry.JobKind(
            name=DuplicateSearch.KIND, label="试验", on_failed=lambda _session, job_id: failed.append(job_id), **fields
        )
        job_registry.job_handler(kind)(function)
        return failed

    return declare


def enqueue(session, **fields):
    job = DuplicateSearch(pairs=[], created_at=clock.now(), **fields)
    session.add(job)
    session.flush()
    return job


def sweep(world):
    world.app.extensions["celery"].tasks["jobs.sweep"]()


def complete(run: JobRun):
    with transaction() as session:
        run.complete(session, message="好了", total=7)


def test_every_kind_of_job_has_a_table_and_a_handler():
    assert registry.MODULES
    classes = {mapper.class_.KIND for mapper in Base.registry.mappers if issubclass(mapper.class_, Job)} - {""}
    assert classes == {kind.name for kind in job_registry.list_kinds()}
    assert all(
        kind.label and 0 < kind.time_limit_s <= job_registry.MAX_TIME_LIMIT_S for kind in job_registry.list_kinds()
    )


def test_a_job_is_run_once_and_its_run_is_counted_before_the_work(world, session, handler):
    seen = []

    def work(run):
        row = session.get(Job, run.id, populate_existing=True)
        seen.append((row.state, row.run_count, row.lease_expires_at))
        complete(run)

    handler(work)
    job = enqueue(session)
    assert run_job(job.id) and not run_job(job.id)
    session.expire_all()
    assert seen == [("running", 1, NOON + actions.LEASE)]
    assert (job.state, job.done, job.total, job.message, job.lease_expires_at) == ("done", 7, 7, "好了", None)


@pytest.mark.parametrize(
    ("error", "state", "code", "message"),
    [
        (UnfitError("第 3 行没有姓名。"), "failed", "unfit", "第 3 行没有姓名。"),
        (SoftTimeLimitExceeded(), "failed", "time_limit", "处理时间过长，已停止。"),
        (RunLaterError(delay_s=5), "queued", "", ""),
        (ZeroDivisionError(), "queued", "", ""),
    ],
)
def test_how_a_handler_ends_decides_what_becomes_of_its_job(session, handler, error, state, code, message):
    def work(_run):
        raise error

    failed = handler(work)
    job = enqueue(session)
    run_job(job.id)
    session.expire_all()
    assert (job.state, job.error_code, job.message) == (state, code, message)
    assert failed == ([job.id] if state == "failed" else [])
    assert job.run_count == (0 if isinstance(error, RunLaterError) else 1)


def test_a_handler_that_breaks_off_is_tried_three_times_and_then_quarantined(world, session, handler, fixed_clock):
    failed = handler(lambda _run: 1 / 0, quarantined="停下了。")
    job = enqueue(session)
    for minute in range(1, 8):
        fixed_clock.at(NOON + timedelta(minutes=minute))
        sweep(world)
    session.expire_all()
    assert (job.state, job.run_count, job.message, failed) == ("quarantined", 3, "停下了。", [job.id])


def test_a_run_is_dead_when_its_lease_has_expired_and_not_before(world, session, handler, fixed_clock):
    handler(complete)
    job = enqueue(session)
    claim = actions.claim(session, job.id, now=NOON)
    fixed_clock.at(NOON + timedelta(seconds=59))
    sweep(world)
    assert actions.renew_lease(session, claim, now=clock.now())
    fixed_clock.at(NOON + timedelta(minutes=1, seconds=58))
    sweep(world)
    session.expire_all()
    assert (job.state, job.run_count) == ("running", 1)
    fixed_clock.at(NOON + timedelta(minutes=2))
    sweep(world)
    session.expire_all()
    assert (job.state, job.run_count) == ("done", 2)
    with pytest.raises(actions.JobLostError):
        actions.complete(session, claim, now=clock.now())
    assert not actions.renew_lease(session, claim, now=clock.now())


def test_the_heartbeat_renews_the_lease_while_the_handler_works(race_world, handler, monkeypatch):
    """With true commits: the thread writes through a connection of its own."""
    monkeypatch.setattr(runner, "HEARTBEAT_S", 0.01)
    renewed, renew = threading.Event(), actions.renew_lease

    def note(*args, **fields):
        is_held = renew(*args, **fields)
        renewed.set()
        return is_held

    def work(run):
        assert renewed.wait(30), "no heartbeat"
        complete(run)

    monkeypatch.setattr(actions, "renew_lease", note)
    handler(work)
    job_id = enqueue(race_world.session).id
    race_world.commit()
    assert run_job(job_id)
    assert read_session().get_one(Job, job_id).state == "done"
    db.session.rollback()


def test_two_workers_claim_a_job_once(race_app, race_world, handler):
    ran = []

    def work(run):
        ran.append(run.id)
        complete(run)

    handler(work)
    job_id = enqueue(race_world.session).id
    race_world.commit()

    def run():
        with race_app.app_context():
            run_job(job_id)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert ran == [job_id]


def test_a_cancelled_run_stops_at_its_next_progress_and_writes_nothing(session, handler):
    after = []

    def work(run):
        with transaction() as inner:
            actions.cancel(inner, run.id, now=clock.now())
        run.progress(1, 2)
        after.append(run.id)

    failed = handler(work)
    job = enqueue(session)
    run_job(job.id)
    session.expire_all()
    assert (job.state, job.done, after, failed) == ("cancelled", 0, [], [job.id])


def test_the_operator_sees_what_is_not_done_cancels_it_and_runs_it_again(world, session, handler):
    handler(complete)
    running, stuck = enqueue(session), enqueue(session, state="quarantined", run_count=3, message="停下了。")
    failed = enqueue(session, state="failed", message="第 3 行没有姓名。")
    actions.claim(session, running.id, now=NOON)
    session.expire_all()
    operator = world.client(world.admin("system_admin"))
    page = operator.get("/admin/settings/jobs").text
    assert page.count("试验") == 3 and "停下了。" in page and "第 3 行没有姓名。" in page
    token = operator.get("/api/v1/session").get_json()["csrf_token"]

    def press(job, act):
        answer = operator.post(
            f"/admin/settings/jobs/{job.id}/{act}", data={"csrf_token": token}, follow_redirects=True
        )
        session.expire_all()
        return answer.text

    assert "已取消" in press(running, "cancel") and running.state == "cancelled"
    assert "已重新排队" in press(stuck, "retry")
    run_job(stuck.id)
    session.expire_all()
    assert (stuck.state, stuck.run_count) == ("done", 1)
    assert "不能重新运行" in press(failed, "retry") and failed.state == "failed"
    assert "不能取消" in press(failed, "cancel")
    acts = session.scalars(select(AuditEvent.act).where(AuditEvent.act.startswith("jobs.")).order_by(AuditEvent.id))
    assert list(acts) == ["jobs.cancel", "jobs.retry"]
    assert world.client(world.admin()).get("/admin/settings/jobs").status_code == 404


def test_progress_is_for_the_owner_and_for_who_may_see_the_others_of_the_kind(world, session, handler):
    owner, office = world.person(), world.admin("publicity_office")
    handler(complete, viewer="questions:question:read")
    job = enqueue(session, created_by_id=owner.id, total=9)
    shown = {"state": "waiting", "done": 0, "total": 9, "message": ""}
    assert world.api(owner).get(f"/jobs/{job.id}").get_json() == shown
    assert world.api(office).get(f"/jobs/{job.id}").get_json() == shown
    assert world.api(world.person()).get(f"/jobs/{job.id}").status_code == 404
    assert world.api(owner).get("/jobs/999999").status_code == 404
    assert session.scalar(select(func.count()).select_from(Job)) == 1
