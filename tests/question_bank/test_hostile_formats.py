"""Hostile files of every family: packages that burst or leave their folder, XML with entities, invisible signs (H08 to H10, H12)."""

import io
import json
import stat
import zipfile

import pytest

from examapp.documents.archives import UnreadableFileError
from question_bank import office
from question_bank.formats.registry import FORMATS, read_file
from tests.question_bank.books import book, word

ROWS = [["题型", "题干", "选项A", "选项B", "答案"], ["单选题", "谁作出决定？", "县政府", "乡政府", "B"]]
NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)
SPREADSHEET = "urn:schemas-microsoft-com:office:spreadsheet"
TYPE = "application/vnd.oasis.opendocument."


def ods(rows):
    cells = "".join(
        f"<table:table-row>{''.join(f'<table:table-cell><text:p>{cell}</text:p></table:table-cell>' for cell in row)}</table:table-row>"
        for row in rows
    )
    return f'<office:document-content {NAMES}><office:body><office:spreadsheet><table:table table:name="题">{cells}</table:table></office:spreadsheet></office:body></office:document-content>'


def sheet_xml(rows):
    cells = "".join(f"<Row>{''.join(f'<Cell><Data>{cell}</Data></Cell>' for cell in row)}</Row>" for row in rows)
    return f'<Workbook xmlns="{SPREADSHEET}" xmlns:ss="{SPREADSHEET}"><Worksheet ss:Name="题"><Table>{cells}</Table></Worksheet></Workbook>'


def page(rows):
    cells = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<html><head><meta charset="utf-8"></head><body><table>{cells}</table></body></html>'


def packed(*entries, into=b""):
    """Return a package with these entries, behind those that it has."""
    target = io.BytesIO(into)
    with zipfile.ZipFile(target, "a" if into else "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else None)
    return target.getvalue()


POOL = "<questestinterop><assessment title='题'><section><item/></section></assessment></questestinterop>"
PACKAGES = {
    "a.xlsx": book(("题", ROWS)), "a.docx": word([ROWS]), "a.ods": packed(("mimetype", TYPE + "spreadsheet"), ("content.xml", ods(ROWS))),
    "a.odt": packed(("mimetype", TYPE + "text"), ("content.xml", "<a/>")), "qti.zip": packed(("imsmanifest.xml", "<manifest/>")),
    "pool.zip": packed(("res00001.dat", POOL)), "several.zip": packed(("甲.txt", "1. 谁？\nA. 甲\nB. 乙\n答案：A\n"), ("乙.csv", "题干,答案\n谁？,甲\n")),
}  # fmt: skip
LINK = zipfile.ZipInfo("link")
LINK.external_attr = (stat.S_IFLNK | 0o777) << 16
ENTRIES = {
    "bomb": ("bomb.xml", b"\0" * 30_000_000), "slip": ("../../x.xml", "a"), "root": ("/etc/x.xml", "a"), "drive": ("C:/x.xml", "a"), "link": (LINK, "/etc/passwd"),
}  # fmt: skip


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("name", PACKAGES)
def test_package_of_any_family_that_bursts_or_leaves_its_folder_is_rejected(name, entry, monkeypatch):
    monkeypatch.setattr(office, "_convert", lambda *_: pytest.fail("LibreOffice was given the package"))
    content = packed(ENTRIES[entry], into=PACKAGES[name])
    with pytest.raises(UnreadableFileError, match=r"请.*。$"):
        read_file(*office.to_word(content, name)[:2])


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
INVISIBLE = "谁\u202e作\u200b出\u2066决\ufeff定？"


def with_entities(make, suffix):
    """Return a file whose XML declares entities and uses them in a stem."""
    text = ENTITIES + make([ROWS[0], ["单选题", "&b;&c;", "县政府", "乡政府", "B"]])
    return packed(("mimetype", TYPE + "spreadsheet"), ("content.xml", text)) if suffix == ".ods" else text.encode()


@pytest.mark.parametrize(
    ("make", "suffix"), [(ods, ".ods"), (sheet_xml, ".xml"), (lambda _: POOL, ".dat"), (page, ".html")]
)
def test_entities_are_rejected_or_stay_what_they_are(make, suffix):
    try:
        result = read_file(with_entities(make, suffix), f"a{suffix}")
    except UnreadableFileError as error:
        assert "不支持的 XML" in str(error)
    else:
        stems = [item.question.stem for item in result.imported]
        assert suffix == ".html" and stems and "root:" not in stems[0] and "aaaa" not in stems[0]


def test_entities_in_word_are_rejected():
    content = packed(
        *(
            (name, ENTITIES + text.decode() if name == "word/document.xml" else text)
            for name, text in entries_of(word([ROWS]))
        )
    )
    with pytest.raises(UnreadableFileError, match="不支持的 XML"):
        read_file(content, "a.docx")


def entries_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


ODD = [ROWS[0], ["单选题", INVISIBLE, "县\u200d政府", "乡政府", "B"]]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (book(("题", ODD)), "a.xlsx"),
        (word([ODD]), "a.docx"),
        (packed(("mimetype", TYPE + "spreadsheet"), ("content.xml", ods(ODD))), "a.ods"),
        (sheet_xml(ODD).encode(), "a.xml"),
        (page(ODD).encode(), "a.html"),
        ("\n".join(map(",".join, ODD)).encode(), "a.csv"),
        (json.dumps([{"题干": INVISIBLE, "选项": ["县\u200d政府", "乡政府"], "答案": "B"}]).encode(), "a.json"),
        (f"1. {INVISIBLE}\nA. 县\u200d政府\nB. 乡政府\n答案：B\n".encode(), "a.txt"),
    ],
)
def test_invisible_signs_go_out_of_questions_of_any_family(content, name):
    (item,) = read_file(content, name).imported
    assert (item.question.stem.rstrip("？"), item.question.options) == ("谁作出决定", ("县政府", "乡政府"))


NONSENSE = [
    b"", b"\x00\x01", b"\xff\xfe\xff", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18, b"<a>" * 5000, b"[1]", b'[{"\xe9\xa2\x98\xe5\xb9\xb2": 1}]', b"{" * 1000, b"%PDF-1.4\n%%EOF",
    b"<html><table><tr><td>", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), b"MIME-Version: 1.0\n\n", packed(("content.xml", "<x")), packed(("a.dat", b"\0")),
]  # fmt: skip


@pytest.mark.parametrize("reader", FORMATS, ids=lambda reader: reader.name)
def test_nonsense_never_crashes_a_reader(reader):
    for content in NONSENSE:
        reader.looks_like(content, f"x{reader.suffix}")
        try:
            result = reader.read(content, name=f"x{reader.suffix}")
        except UnreadableFileError as error:
            assert str(error).endswith("。"), content
        else:
            assert result.found == len(result.imported) + len(result.needing_review) + len(result.rejected)
