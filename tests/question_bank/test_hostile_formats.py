"""Hostile files of every family: packages that burst or leave their folder, bytes that mean nothing (H08, H10)."""

import stat
import zipfile

import pytest

from examapp.documents.archives import UnreadableFileError
from question_bank import office
from question_bank.formats.registry import FORMATS, read_file
from tests.question_bank.books import book, word
from tests.question_bank.carriers import CARRIERS, TYPE, ods, ods_xml, packed, pool, rows

ROWS = rows()

POOL = "<questestinterop><assessment title='题'><section><item/></section></assessment></questestinterop>"
PACKAGES = {
    "a.xlsx": book(("题", ROWS)), "a.docx": word([ROWS]), "a.ods": ods(ods_xml(ROWS)),
    "a.odt": packed(("mimetype", TYPE + "text"), ("content.xml", "<a/>")), "qti.zip": packed(("imsmanifest.xml", "<manifest/>")),
    "pool.zip": packed(("res00001.dat", POOL)), "old-pool.zip": packed(("a.dat", pool("谁？", "甲"))), "qti12.zip": CARRIERS["qti-1.2"]("谁？", "甲")[0], "qti30.zip": CARRIERS["qti-3.0"]("谁？", "甲")[0],
     "several.zip": packed(("甲.txt", "1. 谁？\nA. 甲\nB. 乙\n答案：A\n"), ("乙.csv", "题干,答案\n谁？,甲\n")),
}  # fmt: skip
LINK = zipfile.ZipInfo("link")
LINK.external_attr = (stat.S_IFLNK | 0o777) << 16
ENTRIES: dict[str, tuple[str | zipfile.ZipInfo, str | bytes]] = {
    "bomb": ("bomb.xml", b"\0" * 6_000_000), "slip": ("../../x.xml", "a"), "root": ("/etc/x.xml", "a"), "drive": ("C:/x.xml", "a"), "link": (LINK, "/etc/passwd"),
}  # fmt: skip


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("name", PACKAGES)
def test_package_of_any_family_that_bursts_or_leaves_its_folder_is_rejected(name, entry, monkeypatch):
    monkeypatch.setattr(office, "_convert", lambda *_: pytest.fail("LibreOffice was given the package"))
    content = packed(ENTRIES[entry], into=PACKAGES[name])
    with pytest.raises(UnreadableFileError, match=r"请.*。$"):
        read_file(*office.to_word(content, name)[:2])


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
