import io
import stat
import struct
import zipfile
import zlib

import pytest

from examapp.documents.archives import MAX_PACKAGE_ENTRIES, UnreadableFileError, open_archive
from examapp.documents.safe_xml import parse_xml
from question_bank.formats.registry import get_format

READERS = [
    get_format(name)
    for name in (
        "aiken", "blackboard", "moodle-cloze", "csc-exam", "gift", "json2qti", "missingword", "moodle-xml", "qti", "qti-1.2",
    )
]  # fmt: skip


def zipped(*entries, **options):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content, **options)
    return target.getvalue()


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">]><quiz>&lol3;</quiz>"""
QUADRATIC = b'<!DOCTYPE q [<!ENTITY a "' + b"x" * 50_000 + b'">]><quiz a="' + b"&a;" * 5000 + b'"/>'


@pytest.mark.parametrize(
    "content",
    [
        LAUGHS,
        QUADRATIC,
        b'<!DOCTYPE q [<!ENTITY x SYSTEM "file:///etc/passwd">]><quiz>&x;</quiz>',
        b'<!DOCTYPE q [<!ENTITY x SYSTEM "http://127.0.0.1:1/x">]><quiz>&x;</quiz>',
        b'<!DOCTYPE quiz SYSTEM "http://127.0.0.1:1/evil.dtd"><quiz/>',
        b'<!-- a --><!DOCTYPE quiz PUBLIC "-//X" "file:///etc/passwd"><quiz/>',
        b'<!DOCTYPE questestinterop SYSTEM "ims_qtiasiv1p2.dtd" [<!ENTITY x SYSTEM "file:///etc/passwd">]><questestinterop>&x;</questestinterop>',
        b'<quiz xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></quiz>',
        b'<quiz a="' + b"x" * 1_000_000 + b'"/>',
        b'<?xml version="1.0" encoding="UTF-7"?>+ADw-quiz/+AD4-',
        b"+/v8-+ADw-quiz/+AD4-",
        '<?xml version="1.0" encoding="utf-32"?><quiz/>'.encode("utf-32"),
        b'<?xml version="1.0" encoding="cp037"?><quiz/>',
        LAUGHS.decode().encode("utf-16"),
    ],
    ids=range(14),
)
def test_unsafe_xml_is_not_supported(content):
    with pytest.raises(UnreadableFileError, match="不支持的 XML"):
        parse_xml(content)


def test_doctype_of_the_standard_is_skipped_with_lines_kept():
    root = parse_xml(
        b'<!DOCTYPE questestinterop SYSTEM "ims_qtiasiv1p2.dtd" [\n<!ELEMENT a (b)>\n]>\n<questestinterop/>'
    )
    assert root.sourceline == 4


def test_doctype_within_cdata_is_only_text():
    assert parse_xml(b"<quiz><![CDATA[<!DOCTYPE html>]]></quiz>").text == "<!DOCTYPE html>"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030"])
def test_chinese_xml_is_read_in_its_encoding(encoding):
    declared = encoding.removesuffix("-sig")
    assert parse_xml(f'<?xml version="1.0" encoding="{declared}"?><a>中文</a>'.encode(encoding)).text == "中文"


def test_archives_that_leave_their_folder_or_hide_files_are_rejected():
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    for content, reason in [
        (zipped(("../../x", "a")), "以外"), (zipped(("/etc/x", "a")), "以外"), (zipped(("a\\..\\..\\x", "a")), "以外"),
        (zipped(("C:/x", "a")), "以外"), (zipped((link, "/etc/passwd")), "链接"), (zipped(("a.xml", "1"), ("A.xml", "2")), "重名"),
        (zipped(("a.xml", "1"), ("./a.xml", "2")), "重名"),
    ]:  # fmt: skip
        with pytest.raises(UnreadableFileError, match=reason):
            open_archive(content)


def test_archive_bombs_are_rejected_before_they_are_unpacked():
    with pytest.raises(UnreadableFileError, match="压缩比"):
        open_archive(zipped(("a", b"\0" * 5_000_000)))
    many = zipped(*((str(n), "") for n in range(2001)))
    with pytest.raises(UnreadableFileError, match="2000"):
        open_archive(many)
    assert len(open_archive(many, max_entries=MAX_PACKAGE_ENTRIES).names) == 2001
    with pytest.raises(UnreadableFileError, match="20000"):
        open_archive(zipped(*((str(n), "") for n in range(20_001))), max_entries=MAX_PACKAGE_ENTRIES)
    with pytest.raises(UnreadableFileError, match="压缩比"):
        open_archive(zipped(*((str(n), b"\0" * 1_000_000) for n in range(90))))
    with pytest.raises(UnreadableFileError, match="100 MB"):
        open_archive(zipped(*((f"{n}", b"\0" * 30_000_000) for n in range(4))))


def test_header_that_lies_about_its_size_is_rejected():
    content = zipped(("a.xml", b"x" * 1000))
    place = content.index(b"PK\x01\x02")
    lying = content[: place + 24] + struct.pack("<I", 10) + content[place + 28 :]
    with pytest.raises(UnreadableFileError):
        open_archive(lying).read("a.xml")
    huge = content[: place + 24] + struct.pack("<I", 0xFFFFFFF0) + content[place + 28 :]
    with pytest.raises(UnreadableFileError):
        open_archive(huge)


def test_name_with_a_nul_is_rejected():
    content = zipped(("aXb.xml", "1")).replace(b"aXb.xml", b"a\x00b.xml")
    with pytest.raises(UnreadableFileError, match="不合法"):
        open_archive(content)


def test_encrypted_and_overlapping_archives_are_rejected():
    content = bytearray(zipped(("a.xml", "1")))
    place = content.index(b"PK\x01\x02")
    content[place + 8] |= 1
    with pytest.raises(UnreadableFileError, match="密码"):
        open_archive(bytes(content))


SAMPLES = [
    b"", b" ", b"\x00\x01\x02", b"\xff\xfe\xff", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18, b"<", b"<a>" * 5000, b"{}", b"[]", b"[1]", b'{"questions": 5}',
    b'{"questions": [null, {"type": "MultipleChoiceQuestion", "options": 3}, {"type": "EssayQuestion", "tags": 1}]}', b"{" * 1000, b"}{", b"::a::{=",
    b"x{=%999999999999%a}", b"x{#=:}", b"x{#..}", b"ANSWER: A", b"A. \nANSWER: Z", b"{1:MC:}", b"{1:SA:=\\}", b"<quiz/>", b"<POOL/>",
    b'<quiz><question/><question type="multichoice"/><question type="numerical"><answer fraction="NaN"/></question></quiz>',
    b'<quiz><question type="multichoice"><questiontext><text>a</text></questiontext><answer fraction="Infinity"/><answer fraction="x"/></question></quiz>',
    b"<questestinterop><item/><item><presentation/></item></questestinterop>",
    b'<questestinterop><item><presentation><response_lid ident="r"/></presentation></item></questestinterop>',
    b'<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="a" title="b"/>',
    b'<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="a" title="b"><itemBody><choiceInteraction responseIdentifier="R"/></itemBody></assessmentItem>',
    zipped(("imsmanifest.xml", "<manifest/>")), zipped(("imsmanifest.xml", "<x")), zipped(("a.dat", b"\0")), zlib.compress(b"a"),
]  # fmt: skip


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_nonsense_is_read_or_rejected_but_never_crashes(reader):
    for content in SAMPLES:
        reader.looks_like(content, "x.bin")
        try:
            reading = reader.read(content, name="x.bin")
        except UnreadableFileError as error:
            assert str(error).endswith("。"), content
        else:
            assert reading.found == len(reading.imported) + len(reading.needing_review) + len(reading.rejected)
