"""Each hazard of hostile input (H07 to H13) in a file of each format of questions: refused, said, or harmless, and never a crash."""

import io
import json
import struct
import zlib

import pytest
from PIL import Image as Pillow

from examapp.content.questions.rules import Prepared, UnfitQuestionError, prepare
from examapp.documents.archives import UnreadableFileError
from question_bank.formats.registry import FORMATS, read_file
from tests.architecture.proofs import is_test
from tests.architecture.source import ROOT
from tests.helpers.markup_attacks import dangers
from tests.question_bank.books import word
from tests.question_bank.carriers import (
    CARRIERS,
    OPTION,
    PICTURE,
    STEM,
    ods,
    ods_xml,
    packed,
    page,
    pictured,
    pool,
    replaced,
    rows,
)
from tests.question_bank.hazards import FAMILIES, HAZARDS, named_in, page_of_hazards

ALL = pytest.mark.parametrize("form", CARRIERS)
TEXTS = ("examtext", "aiken", "csv", "missingword", "moodle-cloze", "gift", "text", "json", "csc-exam", "json2qti")
PICTURED = ("excel", "docx", "moodle-xml", "qti-1.2", "qti-2.1", "qti-2.2", "qti-3.0")


def texts_of(question):
    return [question.stem, *question.options, question.explanation]


def taken(content, name):
    """Read a file and prepare its questions for the bank: those that it would store, and why the others are not."""
    kept: list[Prepared] = []
    reasons: list[str] = []
    try:
        result = read_file(content, name)
    except UnreadableFileError as error:
        return kept, [str(error)]
    for item in result.imported:
        try:
            kept.append(prepare(item.question))
        except UnfitQuestionError as error:
            reasons.append(error.text)
    reasons += [item.note.reason for item in result.needing_review] + [note.reason for note in result.rejected]
    return kept, reasons


def test_every_format_has_a_carrier():
    assert {each.name for each in FORMATS} - {name.partition(",")[0] for name in CARRIERS} == {"pdf", "qti"}


@ALL
def test_h12_invisible_and_turning_signs_go_out(form):
    content, name = CARRIERS[form]("谁\u202e作\u200b出\u2066决\ufeff定？", "县\u200d政府")
    kept, _ = taken(content, name)
    shown = [(part["stem"], *part["options"]) for one in kept for part in one.content["parts"]]
    assert shown and not [
        text for texts in shown for text in texts if set(text) & set("\u202e\u200b\u2066\ufeff\u200d")
    ]
    assert all(STEM in stem and any(OPTION in option for option in options) for stem, *options in shown), shown


@ALL
@pytest.mark.parametrize("texts", [("长" * 100_000, OPTION), (STEM, "长" * 100_000)], ids=["stem", "option"])
def test_h08_h12_endless_text_in_any_place_is_said_and_never_stored(form, texts):
    kept, reasons = taken(*CARRIERS[form](*texts))
    assert not kept and reasons and all(reason.endswith("。") for reason in reasons)


@ALL
def test_h12_text_of_nothing_is_no_question(form):
    kept, _ = taken(*CARRIERS[form]("\u3000\u200b\u00a0", OPTION))
    assert [one.question.stem for one in kept if not one.question.stem.strip(" _\u3000")] == []


MARKUP = (
    '谁<script>alert(1)</script><img src="x" onerror="alert(1)"/><a href="javascript:alert(1)">甲</a><svg onload="alert(1)"></svg>'
    '<iframe src="https://evil.example/"></iframe><p style="background:url(//evil.example)" onclick="alert(1)">定？</p>'
)


@ALL
def test_h11_markup_in_a_file_is_text_or_harmless(form):
    for texts in ((MARKUP, OPTION), (STEM, MARKUP)):
        kept, reasons = taken(*CARRIERS[form](*texts))
        assert kept or reasons
        for one in kept:
            part = one.content["parts"][0]
            assert [danger for text in (part["stem"], *part["options"]) for danger in dangers(text)] == []


@pytest.mark.parametrize("form", TEXTS)
@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-16"])
def test_h07_text_in_any_usual_encoding_is_read_the_same(form, encoding):
    content, name = CARRIERS[form](STEM, OPTION)
    text = json.dumps(json.loads(content), ensure_ascii=False) if name.endswith(".json") else content.decode()
    kept, reasons = taken(text.encode(encoding), name)
    assert [STEM in one.question.stem and OPTION in one.question.options for one in kept] == [True], reasons


@pytest.mark.parametrize("form", [*TEXTS, "web-page", "spreadsheet-xml", "moodle-xml", "blackboard", "blackboard-6"])
@pytest.mark.parametrize("damage", [b"\xff", b"\xe8\xb0", b"\xed\xa0\x80", b"\xc0\xaf"])
def test_h07_wrong_bytes_are_never_stored_as_if_they_were_words(form, damage):
    """One byte too many, half a character, a lone surrogate, a byte longer than need be: in the stem of a UTF-8 file."""
    content, name = CARRIERS[form](STEM, OPTION)
    text = json.dumps(json.loads(content), ensure_ascii=False).encode() if name.endswith(".json") else content
    assert "谁作".encode() in text
    kept, reasons = taken(text.replace("谁作".encode(), "谁".encode() + damage + "作".encode()), name)
    assert [one.question.stem for one in kept if STEM not in one.question.stem] == [], reasons
    assert kept or reasons


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
ROOTS = {
    "excel": "<sst ", "ods": "<office:document-content ", "spreadsheet-xml": "<Workbook ", "docx": "<w:document ", "docx, paragraphs": "<w:document ", "moodle-xml": "<quiz>",
    "blackboard-6": "<questestinterop>", "blackboard": "<POOL>", "qti-1.2": "<questestinterop ", "qti-2.1": "<assessmentItem ", "qti-2.2": "<assessmentItem ", "qti-3.0": "<qti-assessment-item ",
}  # fmt: skip
"""By format the element in whose file the texts stand."""


@pytest.mark.parametrize("form", ROOTS)
def test_h09_entities_of_xml_are_not_followed(form):
    content, name = CARRIERS[form]("REF", OPTION)
    hostile = replaced(content, {ROOTS[form]: ENTITIES + ROOTS[form], "REF": "&b;&c;"})
    assert hostile != replaced(content, {"REF": "&b;&c;"}), "the root element is another one"
    kept, reasons = taken(hostile, name)
    stored = [text for one in kept for text in texts_of(one.question)]
    assert not [text for text in stored if "root:" in text or "aaaa" in text]
    assert form == "excel" or any("不支持的 XML" in reason for reason in reasons), (stored, reasons)


def test_h09_entities_of_a_page_are_rejected_or_stay_what_they_are():
    for file in ((ENTITIES + page(rows("&b;&c;"))).encode(), page(rows(f"{ENTITIES}&b;&c;")).encode()):
        kept, reasons = taken(file, "a.html")
        assert kept or any("不支持的 XML" in reason for reason in reasons)
        assert not [one for one in kept if "root:" in one.question.stem or one.question.stem.count("a" * 10) > 1]


DEEP = 100_000
_DEEP = {
    "xml": lambda: (b"<quiz>" * DEEP + b"</quiz>" * DEEP, "a.xml"),
    "page": lambda: (page(rows("<div>" * DEEP + STEM)).encode(), "a.html"),
    "json": lambda: (b'[{"question": ' + b"[" * DEEP + b"]" * DEEP + b"}]", "a.json"),
    "json objects": lambda: (b'{"questions": ' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}", "a.json"),
    "docx": lambda: (replaced(word([STEM, "A. 甲", "B. 乙", "答案：A"]), {"<w:body>": "<w:body>" + "<w:sdt><w:sdtContent>" * DEEP, "</w:body>": "</w:sdtContent></w:sdt>" * DEEP + "</w:body>"}), "a.docx"),
    "ods": lambda: (ods(ods_xml(rows("<text:span>" * DEEP + STEM + "</text:span>" * DEEP))), "a.ods"),
    "excel": lambda: (replaced(CARRIERS["excel"](STEM, OPTION)[0], {"<sheetData>": "<ext>" * DEEP + "<sheetData>"}), "a.xlsx"),
    "moodle-xml": lambda: (replaced(CARRIERS["moodle-xml"](STEM, OPTION)[0], {"</quiz>": "<category>" * DEEP + "</category>" * DEEP + "</quiz>"}), "a.xml"),
    "qti": lambda: (replaced(CARRIERS["qti-3.0"](STEM, OPTION)[0], {STEM: "<span>" * DEEP + STEM + "</span>" * DEEP}), "a.zip"),
    "blackboard": lambda: (pool("REF", OPTION).replace(b"REF", b"<TEXT>" * DEEP + b"</TEXT>" * DEEP), "a.dat"),
    "text": lambda: (("（" * DEEP + STEM + "）" * DEEP + "\nA. 甲\nB. 乙\n答案：A\n").encode(), "a.txt"),
    "gift": lambda: (("{" * DEEP + STEM + "}" * DEEP).encode(), "a.gift"),
}  # fmt: skip


@pytest.mark.parametrize("what", _DEEP)
def test_h09_what_is_nested_a_hundred_thousand_deep_is_said_and_ends_no_process(what, reader_of_files):
    content, name = _DEEP[what]()
    try:
        result = reader_of_files.read(content, name, "auto")
    except UnreadableFileError as error:
        assert str(error).endswith("。") and "规定的时间" not in str(error) and "读到一半出错" not in str(error)
    else:
        assert all(len(text) < 50_000 for item in result.imported for text in texts_of(item.question))


def test_h08_word_document_with_macros_is_not_opened():
    content = packed(("word/vbaProject.bin", b"\xd0\xcf\x11\xe0"), into=word([STEM, "A. 甲", "B. 乙", "答案：A"]))
    with pytest.raises(UnreadableFileError, match=r"宏.*请另存为"):
        read_file(content, "a.docm")


def test_table_of_hazards_in_the_document_names_tests_that_are_there():
    cells = [cell for row in HAZARDS.values() for cell in row.values()]
    assert [test for cell in cells for test in named_in(cell) if not is_test(test)] == []
    assert [family for row in HAZARDS.values() for family in row if family not in FAMILIES] == []
    assert (ROOT / "docs" / "conformance.md").read_text("utf-8").endswith(page_of_hazards())


def claimed_png():
    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


def photograph():
    """Return a JPEG that tells where it was taken, with a script behind it."""
    source = Pillow.new("RGB", (40, 20), "red")
    exif = source.getexif()
    exif[0x010E], exif[0x8825] = "WHERE-SECRET", {1: "N", 2: (39.0, 54.0, 20.0)}
    target = io.BytesIO()
    source.save(target, "JPEG", exif=exif, comment=b"WHERE-SECRET")
    return target.getvalue() + b"<script>alert(1)</script>PK\x03\x04"


BAD_PICTURES = {
    "claims 50,000 by 50,000": claimed_png(), "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "nothing": b"", "cut": PICTURE[:40], "polyglot": b"\xff\xd8\xff\xe0" + b"<script>alert(1)</script>" * 40,
}  # fmt: skip


@pytest.mark.parametrize("form", PICTURED)
def test_h13_picture_of_a_file_is_kept_without_its_secrets_or_lost_by_name(form):
    (good,), _ = taken(*pictured(form, PICTURE))
    assert len(good.pictures) == 1
    (photo,), _ = taken(*pictured(form, photograph()))
    assert [b"SECRET" in one.content or b"<script" in one.content for one in photo.pictures] == [False]
    for what, picture in BAD_PICTURES.items():
        result = read_file(*pictured(form, picture))
        items = [(one.question, "", [note.reason for note in one.dropped]) for one in result.imported]
        items += [(one.question, one.note.reason, [one.note.reason]) for one in result.needing_review]
        for question, note, lost in items:
            prepared = prepare(question, review_note=note)
            said = [*prepared.dropped, *lost, *(one.reason for one in result.remarks)]
            assert not prepared.pictures and any("图" in each for each in said), (what, said)
        assert result.found, what
