"""Hostile files at every place that takes one (H07 to H10, H13)."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import socket
import stat
import struct
import subprocess
import sys
import textwrap
import zipfile
import zlib
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import select

from examapp.jobs.models import Job
from tests.hostile.uploads import PLACES, UPLOADS, file_fields, places_in_code
from tests.hostile.walks import address, count_rows
from tests.matrix.calls import calls_of
from tests.matrix.conftest import stage  # noqa: F401 – a fixture
from tests.question_bank.books import book

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
"""A large upload lies in a file of its own, which the test's client forgets to close."""
ESCAPED = "hostile-escape-8d1f"


def zipped(*entries):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return target.getvalue()


def workbook_with(*entries):
    """A workbook with more in it than a workbook has."""
    target = io.BytesIO(book(("Sheet1", [["工号", "姓名"], ["1", "张三"]])))
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return target.getvalue()


def lying():
    content = zipped(("xl/workbook.xml", "x" * 1000), ("word/document.xml", "y"))
    place = content.index(b"PK\x01\x02")
    return content[: place + 24] + struct.pack("<I", 0xFFFFFFF0) + content[place + 28 :]


def claimed_png():
    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))


LINK = zipfile.ZipInfo("xl/link")
LINK.external_attr = (stat.S_IFLNK | 0o777) << 16
LAUGHS = '<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><w>&c;</w>'
SHEET_BOMB = b"<worksheet><sheetData>" + b"<row><c><v>1</v></c></row>" * 2_000_000

FILES = {
    "a bomb.xlsx": lambda: workbook_with(("xl/worksheets/sheet2.xml", b"0" * 120_000_000)),
    "rows.xlsx": lambda: workbook_with(("xl/worksheets/sheet9.xml", SHEET_BOMB)),
    "many.xlsx": lambda: workbook_with(*((f"xl/worksheets/s{n}.xml", "") for n in range(10_000))),
    "slip.xlsx": lambda: workbook_with((f"../../../../../../../../tmp/{ESCAPED}", "x"), (f"/tmp/{ESCAPED}", "x")),
    "slip.zip": lambda: zipped((f"../../../{ESCAPED}", "x")),
    "link.docx": lambda: zipped(("word/document.xml", "<w/>"), (LINK, "/etc/passwd")),
    "nested.xlsx": lambda: zipped(("a.zip", zipped(("b.zip", zipped(("c", b"\0" * 10_000_000)))))),
    "laughs.docx": lambda: zipped(("[Content_Types].xml", LAUGHS), ("word/document.xml", LAUGHS)),
    "laughs.xlsx": lambda: zipped(("[Content_Types].xml", LAUGHS), ("xl/workbook.xml", LAUGHS)),
    "laughs.xml": LAUGHS.encode,
    "lying.xlsx": lying,
    "cut.xlsx": lambda: book(("S", [["工号", "姓名"]]))[:-30],
    "renamed.xls": lambda: zipped(("nothing", "here")),
    "ole.xlsx": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 5000,
    "macro.xlsm": lambda: workbook_with(("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0" + b"\0" * 500)),
    "page.xls": lambda: b"<html><script>alert(1)</script><table><tr><td>a</td></tr></table></html>",
    "program.pdf": lambda: b"MZ\x90\x00" + b"\0" * 500,
    "image.png": claimed_png,
    "image.svg": lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "image.heic": lambda: b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
    "polyglot.jpg": lambda: b"\xff\xd8\xff\xe0" + b"<script>alert(1)</script>" * 40,
    "nothing.csv": lambda: b"",
    "nul.txt": lambda: b"\x00" * 4000,
    "wide.csv": lambda: b"," * 2_000_000 + b"\n",
}


@cache
def content_of(file_name):
    """Make a hostile file, once in a process: some take a second."""
    return FILES[file_name]()


READ_BUT_NO_FILES = {"web/json_io.py read_raw", "web/forms.py wrap_formdata"}
"""What reads a request's stream and looks for JSON in it, and what passes files on to a form's fields."""
SHOWN = {
    "delivery/exemptions/queries.py get_exemption_form",
    "content/laws/admin_views.py list_laws",
    "oversight/report_templates/admin_views.py show_forms",
    "oversight/report_templates/admin_views.py _page",
}
"""What makes such a form only to show it, or another thing of its name."""


def test_every_place_that_takes_a_file_is_tried(app):
    """By the code: who reads `request.files`, a piece of an upload, or makes a form with a field for files."""
    assert places_in_code() - READ_BUT_NO_FILES - SHOWN == set(PLACES), "name the place in tests/hostile/uploads.py"
    tried = {(app.view_functions[one.endpoint].__module__.split(".")[1], one.field) for one in UPLOADS.values()}
    fields = {(room, name) for (room, _form), names in file_fields().items() for name in names}
    assert fields - tried == set(), "name the field in tests/hostile/uploads.py"


def run_job(app, connection, names):
    """Let the worker do what the upload has left to do."""
    waiting = select(Job.id).where(Job.state == "queued", Job.file_name.in_(names))
    for number in connection.scalars(waiting):
        app.extensions["celery"].tasks["jobs.run"](number)


def send(app, stage, upload, name, content):
    """Send a file to a view within the form that it belongs to; gives the answer, and the page that it leads to."""
    endpoint = "training_admin.put_file" if upload.field == "pieces" else upload.endpoint
    rule = next(rule for known, rule, method in calls_of(app) if known == endpoint and method == "POST")
    path, client = address(rule, endpoint, stage.scenario, upload.role), stage.scenario.clients[upload.role]
    if upload.field == "pieces":
        answer = send_in_pieces(client, path, name, content)
    else:
        answer = client.post(path, data={upload.field: (io.BytesIO(content), name), **upload.fields(stage.scenario)})
    names = [name.rpartition("/")[2], "题.txt"]
    run_job(app, stage.connection, names)
    page = client.get(answer.headers["Location"]).get_data(as_text=True) if answer.status_code in {302, 303} else ""
    return answer, page


def send_in_pieces(client, path, name, content):
    """Begin, send what fits into one piece, and end, as the page's script does; gives the first rejection, or the last answer."""
    answer = client.post(f"{path}/begin", query_string={"name": name, "size": len(content)})
    if answer.status_code != 200:
        return answer
    reply = answer.get_json()
    answer = client.put(f"{path}/{reply['token']}?offset=0", data=content[: reply["piece"]])
    return answer if answer.status_code != 200 else client.post(f"{path}/{reply['token']}/finish")


ADDS_NO_ROW = {"records_admin.edit_template", "org_admin.import_units"}
"""What changes a row, or shows first what a file would do."""


def text_of(answer) -> str:
    """Give what a page says, without what stands around it."""
    page = re.sub(r"(?s).*<main|</main>.*", "", answer.get_data(as_text=True))
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())[:400]


@pytest.mark.parametrize("name", sorted(UPLOADS))
def test_a_good_file_is_taken_where_the_hostile_ones_are_sent(app, stage, name):
    """So that what is rejected below is rejected for the file, and not for a field that was missing."""
    upload = UPLOADS[name]
    file_name, make = upload.good
    with stage.call():
        upload.prepare(stage.connection)
        before = count_rows(stage.connection)
        answer, page = send(app, stage, upload, file_name, make())
        assert answer.status_code in {200, 201, 302, 303}, text_of(answer)
        assert count_rows(stage.connection) != before or upload.endpoint in ADDS_NO_ROW, page[-1500:] or text_of(answer)


@pytest.mark.slow
@pytest.mark.begins
@pytest.mark.usefixtures("shared_reader")
@pytest.mark.parametrize("name", sorted(UPLOADS))
def test_h08_h10_h13_hostile_files_are_rejected_in_words_and_leave_nothing(app, stage, name):
    upload, issues = UPLOADS[name], []
    for file_name in FILES:
        content = content_of(file_name)
        with stage.call():
            upload.prepare(stage.connection)
            before = count_rows(stage.connection)
            answer, page = send(app, stage, upload, file_name, content)
            grown = {table: count for table, count in count_rows(stage.connection).items() if count != before[table]}
            if answer.status_code >= 500:
                issues.append(f"{file_name}: {answer.status_code}")
            if page and not any(word in page for word in REJECTIONS):
                issues.append(f"{file_name}: no word why {page[-700:]}")
            if set(grown) - JOBS:
                issues.append(f"{file_name}: left {grown}")
    assert not issues, "\n".join(issues)
    assert not [
        place for place in (Path("/tmp") / ESCAPED, Path.cwd() / ESCAPED, Path.cwd().parent / ESCAPED) if place.exists()
    ]


REJECTIONS = ("不支持", "不能", "不是", "无法", "没有", "请", "太大", "读不", "error-summary", "认不", "空的")
JOBS = {
    "jobs", "law_imports", "roster_imports", "question_imports", "roster_import_rows", "question_import_rows", "result_imports", "result_import_rows", "pending_uploads",
    "bank_updates", "question_assignment_files",
}  # fmt: skip
"""What an upload may leave: the job, which tells why nothing came of it."""

XML = [
    '<!DOCTYPE q [<!ENTITY x SYSTEM "{file}">]><quiz><question type="multichoice"><questiontext><text>&x;</text></questiontext></question></quiz>',
    '<!DOCTYPE q [<!ENTITY % x SYSTEM "{http}"> %x;]><quiz/>',
    '<!DOCTYPE questestinterop SYSTEM "{http}"><questestinterop/>',
    '<!DOCTYPE quiz PUBLIC "-//X" "{file}"><quiz/>',
    '<quiz xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{file}" parse="text"/></quiz>',
    '<?xml-stylesheet type="text/xsl" href="{http}"?><quiz xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="x {http}"/>',
    '<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="a" title="b"><itemBody><img src="{file}"/><object data="{http}"/></itemBody></assessmentItem>',
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:xi="http://www.w3.org/2001/XInclude"><w:body><xi:include href="{file}"/></w:body></w:document>',
]
READER = textwrap.dedent(
    """
    import base64, json, sys
    from question_bank.formats import registry
    from examapp.documents.archives import UnreadableFileError

    cases = [(name, base64.b64decode(content)) for name, content in json.load(sys.stdin)]
    for _format in registry.FORMATS:  # what is loaded at first use is loaded before the ear is put on
        try:
            _format.read(b"<quiz/>", name="x.xml")
        except UnreadableFileError:
            pass
    heard = []
    def hear(event, arguments):
        if event in {"open", "os.open"} and isinstance(arguments[0], str):
            heard.append(arguments[0])
        elif event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "urllib.")):
            heard.append(event)
    sys.addaudithook(hear)
    told = []
    for name, content in cases:
        for format in [registry.AUTO, *[one.name for one in registry.FORMATS]]:
            try:
                reading = registry.read_file(content, name, format)
                told.append(repr(reading))
            except UnreadableFileError as error:
                told.append(str(error))
    json.dump({"heard": [one for one in heard if not one.endswith((".py", ".pyc", ".so"))], "told": told}, sys.stdout)
    """
)


def test_h09_xml_opens_no_file_and_no_connection_in_any_format(tmp_path):
    """A pipe that nobody writes to would hang anyone who opens it; a listening socket would hear who connects; an audit hook hears Python's own."""
    pipe = tmp_path / "secret.txt"
    os.mkfifo(pipe)
    with socket.socket() as ear:
        ear.bind(("127.0.0.1", 0))
        ear.listen()
        ear.settimeout(0.2)
        addresses = {"file": pipe.as_uri(), "http": f"http://127.0.0.1:{ear.getsockname()[1]}/evil.dtd"}
        cases = []
        for number, pattern in enumerate(XML):
            text = pattern
            for name, value in addresses.items():
                text = text.replace("{" + name + "}", value)
            cases += [
                (f"{number}.xml", text.encode()),
                (f"{number}.zip", zipped(("imsmanifest.xml", text), ("item.xml", text))),
                (
                    f"{number}.docx",
                    zipped(
                        ("[Content_Types].xml", text),
                        ("word/document.xml", text),
                        ("word/_rels/document.xml.rels", text),
                    ),
                ),
                (
                    f"{number}.xlsx",
                    zipped(
                        ("[Content_Types].xml", text), ("xl/workbook.xml", text), ("xl/worksheets/sheet1.xml", text)
                    ),
                ),
            ]
        sent = json.dumps([(name, encode(content)) for name, content in cases])
        done = subprocess.run(
            [sys.executable, "-c", READER],
            input=sent,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=Path(__file__).parents[2],
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        reply = json.loads(done.stdout)
        with pytest.raises(TimeoutError):
            ear.accept()
    assert reply["heard"] == []
    assert len(reply["told"]) >= 500
    assert not [text for text in reply["told"] if "root:" in text]


def encode(content: bytes) -> str:
    return base64.b64encode(content).decode()
