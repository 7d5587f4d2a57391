"""A province and two cells on three real PostgreSQL servers, with the real migrations: content goes down, roster and results come up."""

from __future__ import annotations

import re
import subprocess

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from benchmarks.sites import link, sites_of_province, wait_until
from examapp import clock
from examapp.db.session import db, transaction
from examapp.errors import handle_database_error
from examapp.ops.ordinary_user import postgres_program
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import Tree
from examapp.oversight.statistics.actions import refresh_unit_stats
from examapp.oversight.statistics.queries import get_unit_table
from examapp.oversight.statistics_scope.queries import get_report_context
from examapp.platform.cells.queries import list_sequences
from examapp.platform.cells.rules import find_cell_issue
from examapp.platform.province.tasks import beat_schedule_process
from tests.factories import World
from tests.helpers.province import add_people, hand_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("province")]
SPAN = 10**12


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    with sites_of_province(tmp_path_factory.mktemp("province"), cells=2) as sites:
        yield sites


def counts_of(site, unit_id, exam_id=1):
    with site.app.app_context():
        session = db.session()
        context = get_report_context(session, exam_id, scope=None, now=clock.now())
        table = get_unit_table(
            session, context, unit_id, tree=Tree.REGION, depth=3, access=AccessScope(is_everything=True)
        )
        found = [(row.unit.unit_id, row.counts) for row in table.rows]
        db.session.remove()
        return found, context.cells


def restart(site, **settings):
    site.sql("CHECKPOINT")
    site.kill()
    site.start_again(**settings)


def beat(site):
    with site.app.app_context():
        beat_schedule_process(site.settings)


def has(site, statement, count):
    return lambda: site.sql(statement) == [(count,)]


def test_a_province_and_its_cells(sites):
    province, first, second = sites
    assert province.flask("province", "subscribe", first.address)[0] == 1, "nothing is published yet"
    with province.app.app_context(), transaction() as session:
        world = World(province.app, session)
        world.unit("某省", kind="province", code="P")
        for _ in range(4):
            world.question()
        world.exam(world.blueprint())
    check_that_a_server_takes_no_more_cells_than_it_keeps_the_progress_of(*sites)
    link(sites)
    for cell in (first, second):
        wait_until(has(cell, "SELECT count(*) FROM exams", 1))
        wait_until(has(cell, "SELECT count(*) FROM answer_keys", 4))
        wait_until(has(cell, "SELECT count(*) FROM units", 1))
        add_people(cell, 6)
        assert hand_in(cell, 4) == 4, "papers are drawn from what came down"
    assert province.sql("SELECT count(*) FROM question_versions WHERE used_at IS NULL") == [(0,)], (
        "a cell may have them in papers: none is edited in place"
    )
    for cell in (first, second):
        wait_until(has(province, f"SELECT count(*) FROM grades WHERE id / {SPAN} = {cell.cell}", 4))
        beat(cell)
    beat(province)
    wait_until(lambda: province.flask("province", "status")[0] == 0)
    wait_until(lambda: first.flask("province", "status")[0] == 0)
    check_figures(province, [first, second])
    check_that_nothing_secret_is_there(province)
    check_that_the_reader_reads_the_listed_columns_alone(first)
    check_that_the_programs_role_sees_how_links_stand(province)
    check_that_received_rows_are_not_changed(province, first)
    check_that_the_provinces_rows_are_no_foreign_ones(first)
    check_changes_and_kept_figures(province, [first, second])
    check_roster_snapshots(province, [first, second])
    check_a_cell_that_is_away(province, first, second)
    check_a_conflict(province, first, second)
    check_that_a_site_is_not_linked_with_its_own_cluster(province)
    check_that_foreign_rows_and_equal_names_are_rejected(province, first, second)


def check_that_a_server_takes_no_more_cells_than_it_keeps_the_progress_of(province, first, second):
    for site in (province, first, second):
        assert site.flask("province", "publish")[0] == 0
    restart(province, max_active_replication_origins="5")
    for _ in range(2):
        code, said = province.flask("province", "subscribe", first.address)
        assert code == 0, said
    code, said = province.flask("province", "subscribe", second.address)
    assert code == 1
    assert "max_active_replication_origins" in said
    wait_until(has(province, "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'", 0))
    restart(province, max_active_replication_origins="6")


def check_figures(province, cells):
    for cell in cells:
        root = cell.cell * SPAN + 1
        assert counts_of(cell, root)[0] == counts_of(province, root)[0]
        assert counts_of(cell, root)[0][0][1].roster == 6
        assert counts_of(cell, root)[0][0][1].participated == 4
    assert counts_of(cells[0], 1)[1] == "只含本分区（甲县）的人员", "under the province's name too"
    whole, said = counts_of(province, 1)
    assert (whole[0][1].roster, whole[0][1].participated) == (12, 8)
    assert said.startswith("各分区的数据截至")


def check_that_nothing_secret_is_there(province):
    dump = subprocess.run(
        [postgres_program("pg_dump"), "-h", province.run_folder, "-U", "postgres", "--data-only", "examapp"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "甲1" in dump, "the roster is there"
    for secret in ("SEALED-ID", "SEALED-MOBILE", "PASSWORD-HASH", "THE-ANSWER", "THE-SHEET", "HEALTH-REASON"):
        assert secret not in dump
        assert secret.encode().hex() not in dump


def check_that_the_reader_reads_the_listed_columns_alone(cell):
    with psycopg.connect(cell.address.replace("+psycopg", "")) as reader:
        assert reader.execute("SELECT count(name) FROM persons").fetchone() == (6,)
        reader.commit()
        for query in (
            "SELECT id_number_encrypted FROM persons",
            "SELECT * FROM answers",
            "SELECT sheet FROM grades",
            "SELECT password_hash FROM accounts",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(query)
            reader.rollback()


def check_that_the_programs_role_sees_how_links_stand(site):
    with psycopg.connect(
        site.address.replace("+psycopg", "")
    ) as ordinary:  # no more rights to the catalogue than the program's role
        for view in (
            "pg_stat_subscription",
            "pg_stat_subscription_stats",
            "pg_subscription_rel",
            "pg_replication_slots",
        ):
            ordinary.execute(f"SELECT * FROM {view}")
        assert ordinary.execute("SELECT oid, subdbid, subname, subenabled FROM pg_subscription").fetchall()
        last = "SELECT count(*) FROM pg_stat_subscription WHERE pid IS NOT NULL AND last_msg_receipt_time IS NOT NULL"
        assert ordinary.execute(last).fetchone() > (0,)


def check_that_received_rows_are_not_changed(province, cell):
    at_province = (
        "UPDATE persons SET name = '改' WHERE id > 1",
        "DELETE FROM attempts",
        "INSERT INTO exemptions (exam_id, person_id, kind, reason, answer, requested_at) SELECT 1, max(id), 'exemption', '', '', now() FROM persons",
    )
    in_cell = (
        "UPDATE exams SET title = '改' WHERE id = 1",
        "INSERT INTO exam_audiences (exam_id, ranks) VALUES (1, '[]')",
        "INSERT INTO answer_keys (question_version_id, number, parts, reason, created_at) SELECT min(id), 2, '[]', '', now() FROM question_versions",
    )
    for site, statements in ((province, at_province), (cell, in_cell)):
        for statement in statements:
            with pytest.raises(psycopg.DatabaseError, match="belongs to another site"):
                site.sql(statement)
    cell.sql("UPDATE exams SET has_external_results = false WHERE id = 1")  # a column of its own
    with province.app.app_context(), pytest.raises(DBAPIError) as rejection, transaction() as session:
        session.execute(text("DELETE FROM attempts"))
    assert handle_database_error_in(province, rejection.value) == 409


def handle_database_error_in(site, error):
    with site.app.test_request_context("/"):
        return handle_database_error(error).status_code


def check_that_the_provinces_rows_are_no_foreign_ones(cell):
    with cell.app.app_context():
        session = db.session()
        assert find_cell_issue(list_sequences(session, with_rows=True), cell.cell) == "", (
            "a start is not stopped by what came down"
        )
        db.session.remove()


def check_changes_and_kept_figures(province, cells):
    with province.app.app_context(), transaction() as session:
        assert refresh_unit_stats(session, now=clock.now(), min_people=0) == 1
    for cell in cells:
        people = "SELECT id FROM persons ORDER BY id LIMIT 1 OFFSET"
        cell.sql(f"UPDATE persons SET state = 'left' WHERE id = ({people} 5)")
        cell.sql(
            f"INSERT INTO exemptions (exam_id, person_id, kind, reason, answer, requested_at, approved_at) SELECT 1, ({people} 4), 'exemption', 'HEALTH-REASON', '', now(), now()"
        )
        cell.sql("UPDATE grades SET is_current = false WHERE id = (SELECT min(id) FROM grades)")
        cell.sql(
            "INSERT INTO grades (attempt_id, number, is_current, points, points_possible, percent, band, is_passed, item_points, key_ids, rules, sheet, reason, graded_at)"
            " SELECT attempt_id, 2, true, 0, points_possible, 0, 'fail', false, item_points, key_ids, rules, sheet, 'again', now() FROM grades ORDER BY id LIMIT 1"
        )
        wait_until(has(province, f"SELECT count(*) FROM grades WHERE id / {SPAN} = {cell.cell}", 5))
        received = f"SELECT count(*) FROM exemptions WHERE reason = '' AND id / {SPAN} = {cell.cell}"
        wait_until(has(province, received, 1))
        root = cell.cell * SPAN + 1
        assert counts_of(cell, root)[0] == counts_of(province, root)[0], "what is kept is marked by what is received"
        assert counts_of(province, root)[0][0][1].passed == 3


def check_roster_snapshots(province, cells):
    province.sql(
        "UPDATE exams SET opens_at = now() - interval '2 days', closes_at = now() - interval '1 minute' WHERE id = 1"
    )
    province.run_task("roster_snapshots.create", 1)  # does nothing there
    province.run_task("province.follow_snapshots")
    assert province.sql("SELECT snapshot_created_at IS NULL FROM exams") == [(True,)], "no cell has frozen its roster"
    for cell in cells:
        wait_until(has(cell, "SELECT count(*) FROM exams WHERE closes_at < now()", 1))
        cell.run_task("roster_snapshots.create", 1)
        cell.sql("UPDATE persons SET state = 'left'")  # counts for no frozen roster
    for cell in cells:
        wait_until(
            has(province, f"SELECT count(*) FROM roster_snapshot_people WHERE person_id / {SPAN} = {cell.cell}", 5)
        )
    province.run_task("roster_snapshots.create", 1)  # does nothing there
    province.run_task("province.follow_snapshots")
    for cell in cells:
        root = cell.cell * SPAN + 1
        assert counts_of(cell, root)[0] == counts_of(province, root)[0]
        assert counts_of(province, root)[0][0][1].roster == 5
    assert counts_of(province, 1)[0][0][1].roster == 10


def check_a_cell_that_is_away(province, first, second):
    first.sql("UPDATE heartbeats SET beat_at = now() - interval '90 seconds' WHERE name LIKE 'cell:%'")
    wait_until(lambda: province.flask("province", "status")[0] == 1)
    first.kill()
    code, said = province.flask("province", "status")
    assert code == 1
    assert "甲县（分区 1）" in said
    assert "联系不上" in said
    assert "甲县（分区 1）只到" in counts_of(province, 1)[1], (
        "the table is there, and names whom it has nothing newer of"
    )
    first.start_again()
    second.sql("UPDATE persons SET name = '后来' WHERE id = (SELECT min(id) FROM persons)")
    wait_until(has(province, "SELECT count(*) FROM persons WHERE name = '后来'", 1))
    first.sql("UPDATE persons SET name = '回来' WHERE id = (SELECT min(id) FROM persons)")
    wait_until(has(province, "SELECT count(*) FROM persons WHERE name = '回来'", 1))
    beat(first)
    wait_until(lambda: province.flask("province", "status")[0] == 0)


def check_a_conflict(province, first, second):
    number = "SELECT staff_number FROM persons ORDER BY id LIMIT 1"
    ((taken,),) = first.sql(number)
    second.sql("UPDATE persons SET staff_number = %s WHERE id = (SELECT min(id) FROM persons)", taken)
    wait_until(has(province, f"SELECT count(*) FROM persons WHERE staff_number = '{taken}'", 2))
    code, said = province.flask("province", "status")
    assert code == 0, "the same number in two cells is two people"
    assert f"工号 {taken} 在分区 1、2 都有" in said
    # As if somebody had put the uniqueness back: that cell stops and is named, the other goes on.
    second.sql("UPDATE persons SET staff_number = 'B0' WHERE id = (SELECT min(id) FROM persons)")
    wait_until(has(province, f"SELECT count(*) FROM persons WHERE staff_number = '{taken}'", 1))
    province.sql("CREATE UNIQUE INDEX by_hand ON persons (staff_number)")
    second.sql("UPDATE persons SET staff_number = %s WHERE id = (SELECT min(id) FROM persons)", taken)
    second.sql("UPDATE heartbeats SET beat_at = now() - interval '90 seconds' WHERE name LIKE 'cell:%'")
    wait_until(lambda: "重复 0 次" not in province.flask("province", "status")[1].split("分区 2")[1].split("\n")[0])
    province.sql("UPDATE heartbeats SET beat_at = now() - interval '90 seconds' WHERE name = 'cell:2'", as_replica=True)
    code, said = province.flask("province", "status")
    assert code == 1
    assert "写不进去" in said
    figures = province.app.test_client().get("/metrics").text
    assert re.search(r'^examapp_link_conflicts\{link="examapp_up_2"\} [1-9]', figures, re.MULTILINE)
    first.sql("UPDATE persons SET name = '不受影响' WHERE id = (SELECT min(id) FROM persons)")
    wait_until(has(province, "SELECT count(*) FROM persons WHERE name = '不受影响'", 1))
    province.sql("DROP INDEX by_hand")
    beat(second)
    wait_until(lambda: province.flask("province", "status")[0] == 0)


def check_that_a_site_is_not_linked_with_its_own_cluster(province):
    code, said = province.flask("province", "subscribe", province.address)
    assert code == 1
    assert "系统标识相同" in said


def check_that_foreign_rows_and_equal_names_are_rejected(province, first, second):
    second.sql(
        "INSERT INTO persons (id, staff_number, name, unit_id, state, rank, position, created_at, updated_at) SELECT 5000000000001, 'X', 'X', 1, 'left', '', '', now(), now()"
    )
    code, said = province.flask("province", "subscribe", second.address)
    assert code == 1
    assert "persons" in said
    first.sql("INSERT INTO knowledge_points (name) VALUES ('同名')")
    province.sql("INSERT INTO knowledge_points (name) VALUES ('同名')")
    code, said = first.flask("province", "subscribe", province.address)
    assert code == 1
    assert "同名" in said
