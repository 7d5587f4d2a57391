"""Packages and files of other systems in further forms: each was once not known, or its questions not counted."""

import io
import zipfile

import pytest

from question_bank.formats.registry import read_file

MANIFEST = (
    '<?xml version="1.0"?><manifest xmlns="http://www.imsglobal.org/xsd/imscp_v1p1" identifier="m"><organizations/>'
    '<resources><resource identifier="a" type="{}" href="a.xml"><file href="a.xml"/></resource>{}</resources></manifest>'
)
ITEM = (
    '<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="x" title="t" adaptive="false" timeDependent="false">'
    '<responseDeclaration identifier="R" cardinality="single" baseType="identifier"><correctResponse><value>b</value></correctResponse></responseDeclaration>'
    '<itemBody><choiceInteraction responseIdentifier="R" shuffle="false" maxChoices="1"><prompt>谁？</prompt>'
    '<simpleChoice identifier="a">甲</simpleChoice><simpleChoice identifier="b">乙</simpleChoice></choiceInteraction></itemBody></assessmentItem>'
)
CANVAS = '<questestinterop xmlns="http://www.imsglobal.org/xsd/ims_qtiasiv1p2"><{0} ident="{1}" title="t">{2}</{0}></questestinterop>'
CANVAS_ITEM = (
    '<item ident="q7"><presentation><material><mattext>谁？</mattext></material><response_lid ident="r" rcardinality="Single"><render_choice>'
    '<response_label ident="1"><material><mattext>甲</mattext></material></response_label><response_label ident="2"><material><mattext>乙</mattext></material></response_label>'
    '</render_choice></response_lid></presentation><resprocessing><outcomes><decvar maxvalue="100" varname="SCORE"/></outcomes><respcondition>'
    '<conditionvar><varequal respident="r">2</varequal></conditionvar><setvar action="Set" varname="SCORE">100</setvar></respcondition></resprocessing></item>'
)
REFERENCE = '<section ident="root_section"><bankentry_item sourcebank_ref="b" item_ref="q7"/></section>'
EMPTY = CANVAS.format("assessment", "a", '<section ident="root_section"/>')


def zipped(**files):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return target.getvalue()


@pytest.mark.parametrize(
    "files",
    [
        {"items__a_xml": ITEM},
        {"imsmanifest_xml": MANIFEST.format("webcontent", ""), "a_xml": ITEM},
        {"imsmanifest_xml": MANIFEST.format("imsqti_assessment_xmlv2p1", ""), "a_xml": ITEM},
        {"x__quiz_xml": CANVAS.format("objectbank", "b", CANVAS_ITEM)},
    ],
    ids=["no manifest", "webcontent", "assessment type", "qti 1.2 without manifest"],
)
def test_zip_is_known_by_what_it_holds(files):
    (item,) = read_file(zipped(**files), "题库.zip").imported
    assert item.question.key == ("B",)


def test_reference_to_a_question_elsewhere_is_counted_and_rejected():
    reading = read_file(CANVAS.format("assessment", "a", REFERENCE).encode(), "a.xml")
    assert (reading.found, [note.code for note in reading.rejected]) == (1, ["question_elsewhere"])
    assert "bankentry_item" in reading.rejected[0].where


def test_reference_to_a_question_of_the_same_package_is_read_once():
    more = '<resource identifier="b" type="imsqti_xmlv1p2/imscc_xmlv1p1/question-bank" href="b.xml"><file href="b.xml"/></resource>'
    content = zipped(
        imsmanifest_xml=MANIFEST.format("imsqti_xmlv1p2/imscc_xmlv1p1/assessment", more),
        a_xml=CANVAS.format("assessment", "a", REFERENCE),
        b_xml=CANVAS.format("objectbank", "b", CANVAS_ITEM),
    )
    reading = read_file(content, "a.imscc")
    assert (reading.found, len(reading.imported)) == (1, 1)


def test_file_without_any_question_says_so():
    reading = read_file(EMPTY.encode(), "a.xml")
    assert reading.found == 0 and [note.code for note in reading.remarks] == ["no_questions"]


def test_gift_questions_with_titles_need_no_blank_line_between_them():
    reading = read_file(
        "::一::谁？{=甲 ~乙}\n::二::对吗？{F}\n::三::多行{\n=甲\n~乙\n}\n::四::首都是{=北京}。\n".encode(), "a.gift"
    )
    assert [item.question.key for item in reading.imported] == [("A",), ("B",), ("A",), ()]
