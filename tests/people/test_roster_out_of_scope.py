"""A roster file tells nobody which ID numbers the county knows beyond the importer's access scope."""

from datetime import timedelta

import pytest

from examapp.organisation.people.models import Person
from examapp.organisation.people.rules import id_check_character
from examapp.organisation.roster_reconciliation.actions import MAX_FILES_A_DAY, MAX_HELD_A_DAY
from examapp.platform.audit.models import AuditEvent
from tests.conftest import NOON
from tests.helpers.roster_import import HEAD, check, csv_bytes, last_import, result_rows, take_over, unit, upload


def number(day, serial):
    first = f"430527198{day % 10}01{day % 28 + 1:02d}{serial:03d}"
    return first + id_check_character(first)


@pytest.fixture
def unit_admin(world, county):
    return world.api(world.admin("unit_admin", unit(world, "甲局")))


def lines(world, act):
    return world.session.query(AuditEvent).filter_by(act=f"people.{act}").order_by(AuditEvent.id).all()


@pytest.mark.slow
def test_of_twenty_thousand_guesses_at_an_id_number_the_right_one_looks_like_all_others(
    world, county, office, unit_admin
):  # fmt: skip
    right = number(7, 421)
    take_over(world, office, csv_bytes([HEAD, ["Z1", "外人", "乙局", "", "", right, ""]]))
    guesses = list(dict.fromkeys(number(day, serial) for day in range(21) for serial in range(953)))
    assert right in guesses and len(guesses) > 19_000
    for half in (guesses[:10_000], guesses[10_000:]):  # longer files would be put down on the disk by the test's client
        for shape, row in (
            ("numbered", lambda n, guess: [f"X{n}", "某人", guess]),
            ("", lambda _, guess: ["", "某人", guess]),
        ):
            rows = [["工号", "姓名", "身份证号"], *(row(n, guess) for n, guess in enumerate(half))]
            job = check(world, unit_admin, csv_bytes(rows), unit_id=unit(world, "甲局").id)
            assert job.state == "done"
            assert job.summary["counts"] == {"new": len(half), "changed": 0, "unchanged": 0, "refused": 0}, shape
            assert job.summary["problems"] == []
            assert {row[-1] for row in result_rows(unit_admin, job)[1:]} == {"将新增"}
    noted = lines(world, "check_outside_numbers")
    assert [line.details for line in noted] == [{"rows": 1}, {"rows": 1}]
    assert noted[0].actor_id == job.created_by_id


def test_a_change_to_a_number_known_elsewhere_looks_like_any_change_and_is_held_back(
    world, county, office, unit_admin
):  # fmt: skip
    take_over(
        world, office,
        csv_bytes([HEAD, ["A1", "张三", "甲局", "", "", number(1, 1), ""], ["Z1", "外人", "乙局", "", "", number(2, 2), ""]]),
    )  # fmt: skip
    content = csv_bytes(
        [HEAD, ["A1", "张三", "甲局", "科长", "", number(2, 2), ""], ["A2", "李四", "甲局", "", "", number(3, 3), ""], ["A3", "王五", "甲局", "", "", number(4, 4), ""]]
    )  # fmt: skip
    job = check(world, unit_admin, content, unit_id=unit(world, "甲局").id)
    assert job.summary["counts"] == {"new": 2, "changed": 1, "unchanged": 0, "refused": 0}
    job = take_over(world, unit_admin, content, unit_id=unit(world, "甲局").id)
    assert job.summary["counts"] == {"new": 2, "changed": 0, "unchanged": 0, "refused": 1}
    (problem,) = job.summary["problems"]
    assert problem["line"] == 2 and "报普法办" in problem["reason"]
    assert world.session.query(Person).filter_by(staff_number="A1").one().position == ""
    assert [line.details["rows"] for line in lines(world, "hold_outside_numbers")] == [1]


def test_a_file_that_names_many_people_of_other_units_is_not_taken_over_at_all(
    world, county, office, unit_admin
):  # fmt: skip
    known = [number(n % 21, n) for n in range(MAX_HELD_A_DAY + 1)]
    take_over(
        world, office, csv_bytes([HEAD, *([f"Z{n}", "外人", "乙局", "", "", known[n], ""] for n in range(len(known)))])
    )
    here = unit(world, "甲局").id
    rows = [[f"X{n}", "某人", "甲局", "", "", known[n], ""] for n in range(len(known))]
    job = take_over(world, unit_admin, csv_bytes([HEAD, *rows]), unit_id=here)
    assert job.state == "failed" and "报普法办" in job.message
    for n in range(2):
        job = take_over(world, unit_admin, csv_bytes([HEAD, *rows[n::2]]), unit_id=here)
        assert job.state == ("done" if n == 0 else "failed"), "a day's share is one for all files together"
    assert world.session.query(Person).filter(Person.staff_number.startswith("X")).count() == 0


def test_a_unit_admin_brings_in_so_many_files_a_day_and_the_office_any_number(
    world, county, fixed_clock, office, unit_admin
):  # fmt: skip
    content, here = csv_bytes([HEAD, ["A1", "张三", "甲局", "", "", "", ""]]), unit(world, "甲局").id
    for _ in range(MAX_FILES_A_DAY):
        assert upload(unit_admin, content, unit_id=here).status_code == 303
    answer = upload(unit_admin, content, unit_id=here)
    assert answer.status_code == 429 and "报普法办" in answer.text
    assert upload(office, content).status_code == 303
    fixed_clock.at(NOON + timedelta(hours=25))
    admin = world.api(world.session.get(Person, last_import(world).created_by_id))
    assert upload(admin, content).status_code == 303
