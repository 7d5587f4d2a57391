import os
from decimal import Decimal
from pathlib import Path

import pytest

from examapp.documents.archives import UnreadableFileError
from question_bank.formats import moodle_text, moodle_xml
from question_bank.model import Citation, Difficulty, Image, Kind, Question


def fixtures() -> Path:
    root = os.environ.get("EXAMAPP_FIXTURES")
    if not root:
        pytest.skip("EXAMAPP_FIXTURES is unset: the fixtures folder is not here")
    return Path(root) / "questions"


def read(text: str):
    return moodle_xml.read(text.encode(), name="x.xml")


def quiz(inner: str, kind: str = "multichoice") -> str:
    return f'<quiz><question type="{kind}"><questiontext><text>题干</text></questiontext>{inner}</question></quiz>'


def test_every_moodle_file_is_read_and_kinds_not_sat_are_rejected_by_name():
    kinds = {}
    for path in sorted((fixtures() / "moodle-xml").rglob("*.xml")):
        reading = moodle_xml.read(path.read_bytes(), name=path.name)
        assert not reading.needing_review, path
        assert all(note.code == "kind_not_sat" for note in reading.rejected), path
        kinds[path.parts[-4] if path.name.startswith("test") else path.name] = [
            r.question.kind for r in reading.imported
        ]
    assert kinds["multichoice"] == [Kind.MULTIPLE_CHOICE]
    assert kinds["truefalse"] == [Kind.TRUE_FALSE]
    assert kinds["shortanswer"] == [Kind.FILL_BLANK]
    assert kinds["essay"] == [Kind.SHORT_ANSWER]
    assert kinds["ordering"] == [Kind.ORDERING]
    assert kinds["ddmarker"] == kinds["numerical"] == kinds["match"] == []


def test_csc_files_keep_tags_and_scores():
    essay = (
        moodle_xml.read((fixtures() / "moodle-xml/csc-exam/essay-quiz.xml").read_bytes(), name="x").imported[0].question
    )
    assert (essay.points, essay.tags) == (Decimal(5), ("tagi1", "tagi2"))


def test_broken_cloze_is_rejected_and_the_whole_one_is_a_case():
    folder = fixtures() / "other/moodle-cloze-txt"
    codes = {
        p.name: [n.code for n in moodle_text.read_cloze(p.read_bytes(), name=p.name).rejected]
        for p in folder.glob("broken*")
    }
    assert codes == {"broken_multianswer_2.txt": ["no_full_answer"], "broken_multianswer_4.txt": ["no_gaps"]}
    whole = moodle_text.read_cloze((folder / "questions.multianswer.txt").read_bytes(), name="q").imported[0].question
    assert [part.key for part in whole.parts] == [("A",), ("B",), ("A",), ("B",), ()]
    assert whole.parts[4].blanks == (("Paris",),)


def test_missing_word_weights_are_not_read_as_words():
    path = fixtures() / "other/moodle-missingword/question.missingword3.txt"
    got = moodle_text.read_missing_word(path.read_bytes(), name=path.name).imported[0].question
    assert (got.options, got.key) == (("the best answer", "a good answer", "a wrong one"), ("A",))


def test_choice_whose_fractions_are_all_zero_needs_review():
    reading = read(
        quiz(
            '<single>true</single><answer fraction="0"><text>a</text></answer><answer fraction="0"><text>b</text></answer>'
        )
    )
    assert [d.note.code for d in reading.needing_review] == ["no_key"]


def test_true_false_follows_the_words_not_the_places():
    inner = '<answer fraction="100"><text>false</text></answer><answer fraction="0"><text>true</text></answer>'
    assert read(quiz(inner, "truefalse")).imported[0].question.key == ("B",)


def test_exact_number_becomes_a_blank_and_a_tolerance_is_rejected():
    inner = '<answer fraction="100"><text>42</text><tolerance>{}</tolerance></answer>'
    assert [dropped_item.code for dropped_item in read(quiz(inner.format(0), "numerical")).imported[0].dropped] == [
        "numeric_as_text"
    ]
    assert read(quiz(inner.format("0.5"), "numerical")).rejected[0].code == "kind_not_sat"


def test_pictures_come_along_and_missing_ones_are_named():
    text = """<quiz><question type="essay"><questiontext format="html"><text><![CDATA[<p><img src="@@PLUGINFILE@@/a%20b.png">
    <img src="@@PLUGINFILE@@/none.png"></p>]]></text><file name="a b.png" path="/" encoding="base64">UE5H</file></questiontext>
    <graderinfo format="html"><text>&lt;p&gt;答&lt;/p&gt;</text></graderinfo></question></quiz>"""
    got = read(text).imported[0]
    assert got.question.images == (Image(name="a_b.png", media_type="image/png", content=b"PNG"),)
    assert 'src="bank:a_b.png"' in got.question.stem
    assert got.question.key == ("答",)
    assert [dropped_item.code for dropped_item in got.dropped] == ["image_missing"]


def test_broken_xml_is_rejected_with_its_line():
    with pytest.raises(UnreadableFileError, match="第 2 行"):
        read("<quiz>\n<question></quiz>")


def test_export_then_import_gives_the_same_questions():
    picture = Image(name="a.png", media_type="image/png", content=b"\x89PNG")
    questions = [
        Question(kind=Kind.SINGLE_CHOICE, stem="1<2 & 3\n第二行", options=("甲", "<b>"), key=("B",), explanation="因为",
                 citation=Citation(law="宪法", article="第一条"), knowledge_points=("总纲",), difficulty=Difficulty.HARD,
                 tags=("t",), code="Q-1", points=Decimal("2.5")),
        Question(kind=Kind.MULTIPLE_CHOICE, stem="多选", options=("甲", "乙", "丙"), key=("A", "B", "C")),
        Question(kind=Kind.TRUE_FALSE, stem="判断", options=("正确", "错误"), key=("B",)),
        Question(kind=Kind.FILL_BLANK, stem="第____条", blanks=(("一", "1*"),)),
        Question(kind=Kind.FILL_BLANK, stem="第____条第____款", blanks=(("一}", '"1'), ("二#~=",))),
        Question(kind=Kind.SHORT_ANSWER, stem="简答", key=("要点一\n要点二",)),
        Question(kind=Kind.SINGLE_CHOICE, stem='<p>看图 <img src="bank:a.png"></p>', options=("<i>1</i>", "2"), key=("B",),
                 is_html=True, images=(picture,)),
    ]  # fmt: skip
    written = moodle_xml.write(questions)
    reading = read(written.content.decode())
    assert written.dropped == []
    assert [r.question for r in reading.imported] == questions


def test_case_is_not_written_and_said_so():
    case = Question(kind=Kind.CASE, stem="案情", parts=(Question(kind=Kind.SHORT_ANSWER, stem="问", key=("答",)),))
    assert [dropped_item.code for dropped_item in moodle_xml.write([case]).dropped] == ["not_written"]


def test_aiken_file_of_moodle_is_read():
    path = fixtures() / "aiken/moodle-core/questions.aiken.txt"
    got = [
        (r.question.kind, r.question.key) for r in moodle_text.read_aiken(path.read_bytes(), name=path.name).imported
    ]
    assert got == [(Kind.SINGLE_CHOICE, ("B",)), (Kind.TRUE_FALSE, ("A",))]


def test_aiken_leaves_missing_and_foreign_keys_to_review_and_rejects_text_without_options():
    text = "甲？\nA. x\nB. y\n\n乙？\nA. x\nB. y\nANSWER: D\n\n丙\nANSWER: A\n"
    reading = moodle_text.read_aiken(text.encode(), name="x.txt")
    assert [d.note.code for d in reading.needing_review] == ["no_key", "key_outside_options"]
    assert [(n.code, n.where) for n in reading.rejected] == [("malformed", "第 10 行")]


def test_aiken_export_then_import_gives_the_same_questions_and_names_the_rest():
    questions = [
        Question(kind=Kind.SINGLE_CHOICE, stem="甲？\n续", options=("x", "y", "z"), key=("C",)),
        Question(kind=Kind.TRUE_FALSE, stem="乙", options=("正确", "错误"), key=("A",)),
    ]
    written = moodle_text.write_aiken([*questions, Question(kind=Kind.SHORT_ANSWER, stem="丙")])
    assert [r.question for r in moodle_text.read_aiken(written.content, name="x").imported] == questions
    assert [dropped_item.code for dropped_item in written.dropped] == ["not_written"]
