"""Files on records: nobody must, who wants may, and only within the access scope."""

from __future__ import annotations

from io import BytesIO

from examapp.oversight.duty_lists.models import DutyRecord, DutyRecordFile
from examapp.uploads.actions import kept_path
from examapp.uploads.models import StoredFile
from tests.duties.making import picture, put


def recorded(duties, unit=None):
    item = duties.items(duties.published(unit or duties.unit))[0]
    deed = {"done_on": "2026-11-01", "form": "学习", "reached": "3"}
    assert duties.office.post(f"/admin/duties/items/{item.id}/records/new", data=deed).status_code == 302
    return duties.session.query(DutyRecord).filter_by(item_id=item.id).one().id


def test_a_file_is_hung_on_a_record_fetched_and_taken_off(duties):
    record_id = recorded(duties)
    assert put(duties.admin, record_id, "现场.png", picture()).status_code == 302
    file = duties.session.query(StoredFile).one()
    url = f"/admin/duties/records/{record_id}/files/{file.token}"
    answer = duties.admin.get(url)
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    answer.close()
    path = kept_path(file.token)
    page = duties.admin.get(f"/admin/duties/items/{duties.session.get_one(DutyRecord, record_id).item_id}").text
    assert "现场.png" in page
    assert duties.admin.post(f"{url}/remove").status_code == 302
    assert duties.admin.get(url).status_code == 404
    assert duties.admin.post(f"{url}/remove").status_code == 404
    assert duties.session.query(DutyRecordFile).count() == 0
    path.unlink(missing_ok=True)


def test_what_is_no_such_file_or_one_too_many_is_rejected(duties):
    record_id = recorded(duties)
    put(duties.admin, record_id, "现场.png", BytesIO(b"no picture"))
    put(duties.admin, record_id, "坏.exe", BytesIO(b"MZ"))
    duties.admin.post(f"/admin/duties/records/{record_id}/files")
    assert duties.session.query(StoredFile).count() == 0
    for number in range(7):
        put(duties.admin, record_id, f"{number}.png", picture())
    assert duties.session.query(DutyRecordFile).count() == 6


def test_files_of_others_are_not_found(duties):
    record_id = recorded(duties, duties.other)
    put(duties.office, record_id, "现场.png", picture())
    token = duties.session.query(StoredFile).one().token
    own = recorded(duties)
    for path in (f"{record_id}/files/{token}", f"{own}/files/{token}", f"{own}/files/none"):
        assert duties.admin.get(f"/admin/duties/records/{path}").status_code == 404, path
    assert put(duties.admin, record_id, "现场.png", picture()).status_code == 404
    assert duties.admin.post(f"/admin/duties/records/{record_id}/files/{token}/remove").status_code == 404
