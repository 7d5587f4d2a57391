"""Pools of Blackboard 6 and later: each kind with its key, what is not supported by name."""

import io
import zipfile

from question_bank.formats.registry import read_file
from question_bank.model import Kind


def material(text):
    return f"<flow class='FORMATTED_TEXT_BLOCK'><material><mat_extension><mat_formattedtext type='HTML'>{text}</mat_formattedtext></mat_extension></material></flow>"


def item(kind, stem, labels=(), right="", more=""):
    options = "".join(f"<flow_label class='Block'><response_label ident='{name}'><flow_mat>{material(text)}</flow_mat></response_label></flow_label>" for name, text in labels)  # fmt: skip
    response = f"<response_lid ident='response'><render_choice>{options}</render_choice></response_lid>"
    return (
        f"<item><itemmetadata><bbmd_questiontype>{kind}</bbmd_questiontype><qmd_absolutescore_max>2.0</qmd_absolutescore_max></itemmetadata>"
        f"<presentation><flow class='Block'><flow class='QUESTION_BLOCK'>{material(stem)}</flow><flow class='RESPONSE_BLOCK'>{response}</flow></flow></presentation>"
        f"<resprocessing><respcondition title='correct'><conditionvar>{right}</conditionvar></respcondition>"
        f"<respcondition title='incorrect'><conditionvar><other/></conditionvar></respcondition></resprocessing>{more}</item>"
    )


def equal(text):
    return f"<varequal respident='response' case='No'>{text}</varequal>"


AB = (("a1", "县政府"), ("b2", "县公安局"), ("c3", "丙"))
TRUTH = (("true", "true"), ("false", "false"))
ITEMS = [
    item(
        "Multiple Choice",
        "谁批准？",
        AB,
        equal("b2"),
        f"<itemfeedback ident='correct'>{material('因为')}</itemfeedback>",
    ),
    item("Multiple Answer", "哪些？", AB, f"<and>{equal('a1')}<not>{equal('b2')}</not>{equal('c3')}</and>"),
    item("True/False", "可以当场收缴。", TRUTH, equal("false")),
    item("Either/Or", "对吗？", (("yes_no.true", ""), ("yes_no.false", "")), equal("yes_no.true")),
    item("Fill in the Blank", "由____管辖。", (), equal("县政府") + equal("县人民政府")),
    item(
        "Essay",
        "简述。",
        (),
        "",
        f"<itemfeedback ident='solution'><solution><solutionmaterial>{material('依法办。')}</solutionmaterial></solution></itemfeedback>",
    ),
    item("Matching", "连线。", AB, equal("a1")),
    item("Multiple Choice", "指向哪里？", AB, equal("zz")),
]
POOL = f"<?xml version='1.0' encoding='UTF-8'?><questestinterop><assessment title='题库'><section>{''.join(ITEMS)}</section></assessment></questestinterop>".encode()


def package():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("imsmanifest.xml", "<manifest/>")
        archive.writestr("res00001.dat", POOL)
        archive.writestr("res00002.dat", "<x/>")
    return target.getvalue()


def test_pool_alone_and_in_a_package_keeps_each_key():
    for content, name in ((POOL, "res00001.dat"), (package(), "pool.zip")):
        reading = read_file(content, name)
        found = [
            (one.question.kind, one.question.stem, one.question.key or one.question.blanks) for one in reading.imported
        ]
        assert found == [
            (Kind.SINGLE_CHOICE, "谁批准？", ("B",)),
            (Kind.MULTIPLE_CHOICE, "哪些？", ("A", "C")),
            (Kind.TRUE_FALSE, "可以当场收缴。", ("B",)),
            (Kind.TRUE_FALSE, "对吗？", ("A",)),
            (Kind.FILL_BLANK, "由____管辖。", (("县政府", "县人民政府"),)),
            (Kind.SHORT_ANSWER, "简述。", ("依法办。",)),
        ]
        first = reading.imported[0].question
        assert (reading.format, first.explanation, first.points) == ("blackboard-6", "因为", 2)
        assert [note.code for note in reading.rejected] == ["kind_not_sat"]
        assert [one.note.code for one in reading.needing_review] == ["key_outside_options"]
