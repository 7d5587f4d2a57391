"""Files that people bring: known kinds only, by content; in pieces with breaks; given out with ranges; swept when left."""

from __future__ import annotations

import io
import os
import random
import zipfile
import zlib
from datetime import timedelta

import pypdf
import pytest

from examapp.documents.pdf import PdfDocument
from examapp.errors import NotFoundError
from examapp.uploads.actions import (
    add_piece,
    begin_upload,
    drop_file,
    finish_upload,
    get_file,
    kept_path,
    part_path,
    store_file,
    sweep_uploads,
)
from examapp.uploads.models import FileKind, PendingUpload, StoredFile
from examapp.uploads.rules import InvalidFileError, WrongOffsetError
from examapp.uploads.views import serve_file
from tests.conftest import NOON
from tests.helpers.files import PDF, box, film, picture

ROOM = "training"


def sound(frames: int = 8) -> bytes:
    frame = b"\xff\xfb\x90\x00"
    return b"ID3\x04\0\0\0\0\0\x0a" + b"\0" * 10 + (frame + b"\0" * (417 - 4)) * frames


def office(main: str, *more: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in ("[Content_Types].xml", main, *more):
            archive.writestr(name, "<x/>")
    return target.getvalue()


def store(session, name, content, **more):
    return store_file(session, room=ROOM, name=name, content=content, by_id=1, now=NOON, **more)


@pytest.mark.parametrize(
    ("name", "content", "kind", "media_type"),
    [
        ("讲义.pdf", PDF, "pdf", "application/pdf"),
        ("表.xlsx", office("xl/workbook.xml"), "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("文.docx", office("word/document.xml"), "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("录音.MP3", sound(), "mp3", "audio/mpeg"),
        ("录像.mp4", film(), "mp4", "video/mp4"),
        ("录音.m4a", film().replace(b"isom", b"M4A "), "mp4", "audio/mp4"),
        ("图.gif", picture(), "image", "image/png"),
    ],
)  # fmt: skip
def test_a_known_kind_is_kept_under_its_true_type(session, name, content, kind, media_type):
    kept = store(session, name, content)
    assert (kept.kind, kept.media_type) == (kind, media_type)
    assert kept_path(kept.token).stat().st_size == kept.size > 0
    assert get_file(session, kept.token, room=ROOM) is kept
    with pytest.raises(NotFoundError):
        get_file(session, kept.token, room="duties")


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("程序.exe", b"MZ", "不能上传这种文件"),
        ("没有后缀", PDF, "不能上传这种文件"),
        ("图.svg", b"<svg/>", "不能上传这种文件"),
        ("空.pdf", b"", "空的"),
        ("网页.pdf", b"<html><script>alert(1)</script>%PDF-1.7 startxref %%EOF", "不是 PDF"),
        ("截断.pdf", PDF[:20], "不完整"),
        ("脚本.pdf", PDF.replace(b"<<>>", b"<</OpenAction<</S/JavaScript>>>>"), "脚本"),
        ("改名.docx", office("xl/workbook.xml"), "不是 docx"),
        ("不是.xlsx", b"PK\x03\x04 nothing", "不是 xlsx"),
        ("宏.xlsx", office("xl/workbook.xml", "xl/vbaProject.bin"), "宏"),
        ("越界.docx", office("word/document.xml", "../../x"), "不是 docx"),
        ("声.mp3", b"RIFF" + b"\0" * 900, "不是 MP3"),
        ("声.mp3", sound(1)[:-200], "不完整"),
        ("影.mp4", film()[:-100], "不完整"),
        ("影.mp4", box(b"ftyp", b"isom\0\0\0\0") + box(b"mdat", b"x"), "不完整"),
        ("影.mp4", b"<html>" + b" " * 900, "不是 MP4"),
        ("图.png", b"\x89PNG broken", "图片"),
    ],
)
def test_what_is_not_what_its_name_says_is_rejected_and_nothing_stays(session, name, content, text):
    with pytest.raises(InvalidFileError, match=text):
        store(session, name, content)
    assert session.query(StoredFile).count() == 0


def pdf_object(body: bytes) -> bytes:
    return PDF.replace(b"<<>>", body)


def packed(objects: bytes, entries: bytes = b"/Type/ObjStm/N 1/First 4", *, pack=zlib.compress) -> bytes:
    data = pack(b"2 0 " + objects)
    return pdf_object(b"<<%s/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data))


SCRIPT = b"<</S/JavaScript/JS(app.alert(1))>>"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (pdf_object(b"<</S/J#61vaScript>>"), "脚本"),
        (pdf_object(b"<</S/#4A#61#76#61#53#63#72#69#70#74/#4a#53 (x)>>"), "脚本"),
        (pdf_object(b"<</S/Rendition/JS 4 0 R>>"), "脚本"),
        (pdf_object(b"<</#4Caunch (x)>>"), "脚本"),
        (pdf_object(b"<</Names<</EmbeddedFiles 3 0 R>>>>"), "脚本"),
        (pdf_object(b"<</AcroForm<</XFA 3 0 R>>>>"), "脚本"),
        (packed(SCRIPT), "脚本"),
        (packed(SCRIPT.replace(b"v", b"#76")), "脚本"),
        (packed(SCRIPT, b"/Type/Obj#53tm/N 1/First 4"), "脚本"),
        (packed(SCRIPT, b"/Type/XObject/Subtype/Image"), "脚本"),
        (packed(SCRIPT, b"/Type/ObjStm/N 1/First 4/X(endobj)"), "脚本"),
        (packed(SCRIPT, b"/Type/ObjStm/N 1/First 4/X(endobj)", pack=lambda data: data.hex().encode()), "看不清楚"),
        (packed(SCRIPT, b"/Type/ObjStm/N 1/First 4/DecodeParms<</Predictor 12>>"), "看不清楚"),
        (packed(SCRIPT, pack=lambda data: data.hex().encode()), "看不清楚"),
        (packed(SCRIPT, pack=lambda data: zlib.compress(data)[:-4] + b"\0\0\0\0"), "脚本"),
        (packed(b"x" * 70_000_000), "庞大"),
        (PDF.replace(b"startxref", b"trailer<</Encrypt 5 0 R>>startxref"), "密码"),
        (PDF.replace(b"startxref", b"trailer<</#45ncrypt 5 0 R>>startxref"), "密码"),
    ],
)  # fmt: skip
def test_a_pdf_that_acts_hides_that_in_no_name_and_no_packing(session, content, text):
    with pytest.raises(InvalidFileError, match=text):
        store(session, "讲义.pdf", content)


def test_everyday_pdfs_come_in_whatever_their_pictures_hold_by_chance(session):
    noise = b"/JS\x01" + random.Random(1).randbytes(3_000_000)
    with_noise = pdf_object(b"<</Subtype/Image/Length 9>>\nstream\n" + noise + b"\nendstream")
    book = PdfDocument(title="讲义", made_at=NOON)
    book.paragraph("什么是 JavaScript")
    reader, writer = pypdf.PdfReader(io.BytesIO(book.to_bytes())), pypdf.PdfWriter()
    writer.append(reader)
    target = io.BytesIO()
    writer.write(target)
    for content in (with_noise, book.to_bytes(), target.getvalue(), packed(b"<</Type/Page/Names 3 0 R>>")):
        assert store(session, "讲义.pdf", content).kind == "pdf"


def test_an_archive_that_swells_is_rejected(session):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("word/document.xml", b"\0" * 30_000_000)
    with pytest.raises(InvalidFileError, match="解压"):
        store(session, "大.docx", target.getvalue())


def test_a_picture_is_drawn_again_without_what_hung_on_it(session):
    kept = store(session, "图.png", picture() + b"<script>alert(1)</script>")
    assert b"script" not in kept_path(kept.token).read_bytes()


def test_a_name_loses_its_path_and_what_cannot_be_seen(session):
    assert store(session, "..\\..\\C:/秘\u202e密/讲义\u200b.PDF", PDF).name == "讲义.pdf"
    assert store(session, "/.pdf.pdf", PDF).name == "pdf.pdf"


def test_only_the_kinds_that_the_owner_takes_come_in(session):
    with pytest.raises(InvalidFileError, match="可以上传：PDF"):
        store(session, "录像.mp4", film(), kinds={FileKind.PDF})


def begin(session, name="录像.mp4", size=None, by_id=7, now=NOON):
    return begin_upload(session, room=ROOM, name=name, size=size or len(film()), by_id=by_id, now=now)


def test_two_gigabytes_are_rejected_before_a_byte_is_sent(session):
    with pytest.raises(InvalidFileError, match="不能超过 500 MB，这个文件有 2048 MB"):
        begin(session, size=2 * 1024**3)
    assert session.query(PendingUpload).count() == 0


def test_an_upload_goes_on_where_it_broke_off_and_is_whole_in_the_end(session):
    content = film()
    upload = begin(session)

    def add(offset, piece):
        return add_piece(session, token=upload.token, room=ROOM, by_id=7, offset=offset, piece=piece, now=NOON)

    add(0, content[:2000])
    with pytest.raises(InvalidFileError, match="还没有传完"):
        finish_upload(session, token=upload.token, room=ROOM, by_id=7, now=NOON)
    with pytest.raises(WrongOffsetError) as rejected:
        add(0, content[:2000])
    assert rejected.value.extra == {"received": 2000}
    assert begin(session).token == upload.token
    with pytest.raises(InvalidFileError, match="不符"):
        add(2000, content)
    with pytest.raises(NotFoundError):
        add_piece(session, token=upload.token, room=ROOM, by_id=8, offset=2000, piece=b"x", now=NOON)
    add(2000, content[2000:])
    kept = finish_upload(session, token=upload.token, room=ROOM, by_id=7, now=NOON)
    assert kept_path(kept.token).read_bytes() == content
    assert part_path(upload.token).exists(), "until the commit a rollback may ask for it again"
    with pytest.raises(NotFoundError):
        finish_upload(session, token=upload.token, room=ROOM, by_id=7, now=NOON)


def test_at_most_five_uploads_at_once(session):
    for number in range(5):
        begin(session, name=f"{number}.mp4")
    with pytest.raises(InvalidFileError, match="最多上传 5 个"):
        begin(session, name="6.mp4")
    assert begin(session, name="6.mp4", by_id=8).received == 0


def test_a_range_is_given_alone_and_nothing_in_a_file_can_act(app, session):
    kept = store(session, "录像.mp4", film())
    with app.test_request_context(headers={"Range": "bytes=4-7"}):
        answer = serve_file(kept)
        answer.direct_passthrough = False
        assert (answer.status_code, answer.get_data()) == (206, b"ftyp")
        assert answer.headers["Content-Range"] == f"bytes 4-7/{kept.size}"
        assert answer.headers["Content-Disposition"].startswith("inline")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        answer.close()
    with app.test_request_context():
        saved = serve_file(store(session, "讲义.pdf", PDF))
        assert saved.headers["Content-Disposition"].startswith("attachment")
        saved.close()
    kept_path(kept.token).unlink()
    with app.test_request_context(), pytest.raises(NotFoundError, match="重新上传"):
        serve_file(kept)


def test_what_was_left_for_a_day_is_swept_and_what_is_kept_stays(session):
    kept = store(session, "讲义.pdf", PDF)
    left = begin(session, now=NOON - timedelta(days=2))
    going_on = begin(session, name="2.mp4")
    stray = kept_path("ff" * 16)
    stray.write_bytes(b"x")
    paths = [kept_path(kept.token), part_path(left.token), part_path(going_on.token), stray]
    for path in paths:
        os.utime(path, (NOON.timestamp() - 2 * 86400,) * 2)
    assert sweep_uploads(session, now=NOON) >= 2
    assert [path.exists() for path in paths] == [True, False, True, False]
    drop_file(session, kept)
    assert session.query(StoredFile).count() == 0


@pytest.mark.parametrize(
    "token", ["../../../audit-head.json", "../../audit-head.json", "/etc/passwd", "AA" * 16, "ab\n" + "c" * 29, ""]
)
def test_a_token_that_somebody_has_written_into_the_database_leads_to_no_other_file(app, session, token):
    kept, upload = store(session, "讲义.pdf", PDF), begin(session)
    kept.token = upload.token = token
    session.flush()
    head = app.config["SETTINGS"].data_path / "audit-head.json"
    before = head.read_bytes()
    with app.test_request_context():
        for act in (
            lambda: serve_file(kept),
            lambda: drop_file(session, kept),
            lambda: add_piece(session, token=token, room=ROOM, by_id=7, offset=0, piece=b"x", now=NOON),
            lambda: finish_upload(session, token=token, room=ROOM, by_id=7, now=NOON),
        ):
            with pytest.raises(NotFoundError, match="登记已被改动"):
                act()
    assert head.read_bytes() == before
