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


FILL_IN = (
    '<item ident="f1"><itemmetadata><qtimetadata><qtimetadatafield><fieldlabel>question_type</fieldlabel>'
    "<fieldentry>fill_in_multiple_blanks_question</fieldentry></qtimetadatafield></qtimetadata></itemmetadata>"
    '<presentation><material><mattext texttype="text/html">{}</mattext></material>{}</presentation><resprocessing><outcomes>'
    '<decvar maxvalue="100" minvalue="0" varname="SCORE"/></outcomes>{}</resprocessing></item>'
)


def gap(name, answers, *, way="", algorithm="", right=1):
    """Return a blank as New Quizzes export it, its identifier in the stem and the right word beside the response, and its scoring."""
    extra = f' scoring_algorithm="{algorithm}" answer_type="{way}"' if way else ""
    labels = "".join(
        f'<response_label ident="{name}-{at}"{extra}><material><mattext texttype="text/plain">{text}</mattext></material></response_label>'
        for at, text in enumerate(answers, 1)
    )
    beside = f"<material><mattext>{answers[right - 1]}</mattext></material>"
    test = f'<conditionvar><varequal respident="response_{name}">{name}-{right}</varequal></conditionvar>'
    return (
        f'<response_lid ident="response_{name}">{beside}<render_choice>{labels}</render_choice></response_lid>',
        f'<respcondition>{test}<setvar varname="SCORE" action="Add">50</setvar></respcondition>',
    )


def fill_in(stem, *gaps):
    body = FILL_IN.format(stem, "".join(one for one, _ in gaps), "".join(score for _, score in gaps))
    return read_file(CANVAS.format("assessment", "a", f'<section ident="s">{body}</section>').encode(), "quiz.xml")


def test_written_blanks_of_new_quizzes_are_found_by_the_identifiers_of_their_responses():
    typed = gap("a1-b2", ["三十日"], way="openEntry", algorithm="TextEquivalence")
    other = gap("c3-d4", ["县政府"], way="openEntry", algorithm="TextContainsAnswer")
    (found,) = fill_in("在[a1-b2]内由[c3-d4]决定。", typed, other).imported
    assert (found.question.kind, found.question.blanks) == ("fill_blank", (("三十日",), ("县政府",)))
    assert found.question.stem == "在____内由____决定。" and [note.code for note in found.dropped] == ["loose_matching"]
    (spans,) = fill_in('在&lt;span id="blank_a1-b2"&gt;&lt;/span&gt;内决定。', typed).imported
    assert "____" in spans.question.stem and spans.question.blanks == (("三十日",),)


@pytest.mark.parametrize("way", ["dropdown", "wordbank"])
def test_chosen_blanks_of_new_quizzes_keep_what_may_be_chosen(way):
    texts = ["警告", "罚款", "拘留"]
    (one,) = fill_in("可以[x]。", gap("x", texts, way=way, algorithm="Equivalence", right=2)).imported
    assert (one.question.kind, one.question.options, one.question.key) == ("single_choice", tuple(texts), ("B",))
    both = [gap(name, texts, way=way, algorithm="Equivalence", right=at) for at, name in enumerate("xy", 2)]
    (case,) = fill_in("先[x]，再[y]。", *both).imported
    assert [part.key for part in case.question.parts] == [("B",), ("C",)]


def test_blanks_of_new_quizzes_that_cannot_be_judged_or_placed_are_said():
    pattern = gap("x", ["^三十?日$"], way="openEntry", algorithm="TextRegex")
    assert [item.note.code for item in fill_in("在[x]内。", pattern).needing_review] == ["pattern_answer"]
    typed = gap("x", ["三十日"], way="openEntry", algorithm="TextEquivalence")
    assert [item.note.code for item in fill_in("在[x]或[x]内。", typed).needing_review] == ["gap_repeated"]
    (moved,) = fill_in("在几日内？", typed).imported
    assert [note.code for note in moved.dropped] == ["gaps_moved"] and moved.question.blanks == (("三十日",),)
