"""Roster files, their upload and their result."""

from __future__ import annotations

import csv
import io

import openpyxl

from examapp.organisation.people.models import RosterImport
from examapp.organisation.units.models import Unit

HEAD = ["工号", "姓名", "单位", "职务", "职级", "身份证号", "手机号"]


def csv_bytes(rows, *, encoding="utf-8", divider=","):
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=divider, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode(encoding)


def unit(world, name):

    return world.session.query(Unit).filter_by(name=name).one()


def upload(client, content, name="名册.csv", unit_id=0, **fields):
    token = client.environ_base["HTTP_X_CSRFTOKEN"]
    return client.post(
        "/admin/people/imports",
        data={"file": (io.BytesIO(content), name), "unit_id": unit_id, "csrf_token": token, **fields},
    )


def last_import(world):
    return world.session.query(RosterImport).order_by(RosterImport.id.desc()).first()


def check(world, client, content, name="名册.csv", **fields):
    """Upload and let the worker check; the import's row."""
    answer = upload(client, content, name, **fields)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return last_import(world)


def take_over(world, client, content, name="名册.csv", *, rows="all", **fields):
    job = check(world, client, content, name, **fields)
    client.post(f"/admin/people/imports/{job.id}/confirm", data={"rows": rows})
    return last_import(world)


def result_rows(client, job):
    answer = client.get(f"/admin/people/imports/{job.id}/file")
    if job.summary["ending"] == "csv":
        return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    return [[cell.value for cell in row] for row in openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows()]
