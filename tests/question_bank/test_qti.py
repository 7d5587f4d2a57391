import io
import os
import re
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from examapp.documents.archives import UnreadableFileError
from question_bank.formats import blackboard, json_exchange, qti12, qti_reader, qti_writer
from question_bank.formats.registry import read_file
from question_bank.model import Citation, Difficulty, Image, Kind, Question

ITEM = """<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="Q1" title="t" adaptive="false" timeDependent="false">
<responseDeclaration identifier="RESPONSE" cardinality="{cardinality}" baseType="{base}">{answer}</responseDeclaration>
<itemBody>{body}</itemBody>{processing}</assessmentItem>"""
CHOICES = """<choiceInteraction responseIdentifier="RESPONSE" shuffle="false" maxChoices="1"><prompt>问？</prompt>
<simpleChoice identifier="x">甲</simpleChoice><simpleChoice identifier="y">乙</simpleChoice></choiceInteraction>"""


def fixtures() -> Path:
    root = os.environ.get("EXAMAPP_FIXTURES")
    if not root:
        pytest.skip("EXAMAPP_FIXTURES is unset: the fixtures folder is not here")
    return Path(root) / "questions"


def item(
    body=CHOICES,
    answer="<correctResponse><value>y</value></correctResponse>",
    cardinality="single",
    base="identifier",
    processing="",
):
    return ITEM.format(cardinality=cardinality, base=base, answer=answer, body=body, processing=processing)


def read(text):
    return qti_reader.read(text.encode(), name="x.xml")


def test_formatted_texts_within_an_extension_keep_their_markup():
    def wrapped(text):
        return f'<material><mat_extension><mat_formattedtext type="HTML">{text}</mat_formattedtext></mat_extension></material>'

    labels = "".join(
        f'<response_label ident="{name}"><flow_mat>{wrapped(text)}</flow_mat></response_label>'
        for name, text in (("a", "&lt;p&gt;县&lt;/p&gt;"), ("b", "H&lt;sub&gt;2&lt;/sub&gt;O"))
    )
    scored = '<conditionvar><varequal respident="r">b</varequal></conditionvar><setvar action="Set" varname="SCORE">100</setvar>'
    found = read_file(
        f"""<questestinterop><assessment ident="a"><section ident="s"><item ident="i"><presentation><flow>{wrapped("&lt;b&gt;谁&lt;/b&gt;决定？")}
        <response_lid ident="r" rcardinality="Single"><render_choice>{labels}</render_choice></response_lid></flow></presentation>
        <resprocessing><respcondition>{scored}</respcondition></resprocessing></item></section></assessment></questestinterop>""".encode(),
        "a.xml",
    )
    (question,) = (item.question for item in found.imported)
    assert question.is_html and "<b>谁</b>决定？" in question.stem and question.key == ("B",)
    assert "县" in question.options[0] and question.options[1] == "H<sub>2</sub>O"


def full_questions():
    picture = Image(name="a.png", media_type="image/png", content=b"\x89PNG")
    return [
        Question(kind=Kind.SINGLE_CHOICE, stem="1<2 & 3\n第二行", options=("甲", "<b>", "丙"), key=("B",), explanation="因为\n所以",
                 citation=Citation(law="宪法", article="第一条", version="2018-03-11"), knowledge_points=("总纲",),
                 difficulty=Difficulty.HARD, tags=("t",), code="Q-1", points=Decimal("2.5")),
        Question(kind=Kind.MULTIPLE_CHOICE, stem="多选", options=("甲", "乙", "丙"), key=("A", "C"), code="题 7"),
        Question(kind=Kind.TRUE_FALSE, stem="判断", options=("正确", "错误"), key=("B",), explanation="不对"),
        Question(kind=Kind.FILL_BLANK, stem="第____条第___款", blanks=(("一", "1"), ("二",)), explanation="见条文"),
        Question(kind=Kind.FILL_BLANK, stem="我国的国体是什么", blanks=(("人民民主专政",),)),
        Question(kind=Kind.SHORT_ANSWER, stem="简答", key=("要点一\n要点二",), points=Decimal(10)),
        Question(kind=Kind.SHORT_ANSWER, stem="无参考答案"),
        Question(kind=Kind.SINGLE_CHOICE, stem='<p>看图 <img src="bank:a.png"></p>', options=("<i>1</i>", "2"), key=("B",),
                 is_html=True, images=(picture,)),
    ]  # fmt: skip


def case():
    return Question(kind=Kind.CASE, stem="案情：某甲……", points=Decimal(6), explanation="总说", parts=(
        Question(kind=Kind.SINGLE_CHOICE, stem="问一", options=("甲", "乙"), key=("A",), explanation="一说", points=Decimal(2), code="7-1",
                 difficulty=Difficulty.EASY, citation=Citation(law="宪法", article="第一条"), knowledge_points=("总纲",), tags=("t",)),
        Question(kind=Kind.MULTIPLE_CHOICE, stem="问二", options=("甲", "乙", "丙"), key=("B", "C"), points=Decimal(2)),
        Question(kind=Kind.TRUE_FALSE, stem="问三", options=("正确", "错误"), key=("B",)),
        Question(kind=Kind.SHORT_ANSWER, stem="问四", key=("答",), points=Decimal(2)),
    ))  # fmt: skip


@pytest.mark.parametrize("version", ["2.1", "2.2", "3.0"])
def test_export_then_import_gives_the_same_questions(version):
    questions = [*full_questions(), case()]
    written = qti_writer.write(questions, version)
    reading = qti_reader.read(written.content, name="x.zip")
    assert written.dropped == []
    assert reading.format == f"qti-{version}"
    assert [r.question for r in reading.imported] == questions


def test_qti_12_export_then_import_gives_the_same_questions_and_names_the_case():
    written = qti12.write([*full_questions(), case()])
    reading = qti12.read(written.content, name="x.zip")
    expected = [q if q.stem != "第____条第___款" else Question(kind=q.kind, stem="第____条第____款", blanks=q.blanks, explanation=q.explanation)
                for q in full_questions()]  # fmt: skip
    assert [r.question for r in reading.imported] == expected
    assert [dropped_item.code for dropped_item in written.dropped] == ["not_written"]


def test_single_item_in_version_3_is_read_as_itself():
    question = full_questions()[1]
    text = qti_writer._item(question, 1, "3.0").decode()
    assert "<qti-simple-choice identifier=" in text
    assert "response-identifier" in text
    assert read(text).imported[0].question == question


def test_case_with_a_fill_in_names_the_change():
    part = Question(kind=Kind.FILL_BLANK, stem="第__条", blanks=(("一",),))
    written = qti_writer.write([Question(kind=Kind.CASE, stem="案情", parts=(case().parts[0], part))])
    assert [dropped_item.code for dropped_item in written.dropped] == ["fill_in_case"]
    got = qti_reader.read(written.content, name="x.zip").imported[0].question
    assert [p.kind for p in got.parts] == [Kind.SINGLE_CHOICE, Kind.FILL_BLANK]
    assert got.parts[1].blanks == (("一",),)


def test_each_invalid_file_is_rejected_for_the_reason_in_its_name():
    reasons = {
        "noversion.xml": "版本", "InvalidArchive.zip": "损坏", "MalformedXMLItemInTheMiddle.zip": "Q02/qti.xml”不是合法的 XML：第 8 行",
        "MissingItemDependency.zip": "Q03/qti.xml”不在压缩包里", "MultipleMalformedXMLItem.zip": "不是合法的 XML：第",
        "NotValidableXMLTest.zip": "test.xml”不符合 QTI 规范.*myAttribute", "NotValidableXmlItem.zip": "Q01/qti.xml”不符合 QTI 规范.*myInvalid",
        "WrongManifestFileItemHref.zip": "缺少文件.*qti.xml", "WrongManifestFileTestAssetHref.zip": "缺少文件.*sign.png",
        "WrongManifestFileTestHref.zip": "缺少文件.*wrong/path/to/test.xml",
    }  # fmt: skip
    seen = set()
    for path in (fixtures() / "qti-invalid").rglob("*.*"):
        with pytest.raises(UnreadableFileError, match=reasons[path.name]):
            qti_reader.read(path.read_bytes(), name=path.name)
        seen.add(path.name)
    assert seen == reasons.keys()


def test_valid_packages_are_all_read_and_counts_add_up():
    for folder in ("qti21/tao-packages", "qti30", "qti-instructure"):
        for path in sorted((fixtures() / folder).rglob("*.zip")):
            try:
                reading = qti_reader.read(path.read_bytes(), name=path.name)
            except UnreadableFileError as error:
                assert path.name in {"lti.zip", "usageData.zip"}, (path, error)
                continue
            assert reading.found > 0, path
            assert {note.code for note in reading.rejected} <= {
                "kind_not_sat",
                "no_interaction",
                "item_missing",
                "xml_include",
            }, (path, reading.rejected)


def test_broken_xml_among_the_fixtures_is_rejected_with_its_line():
    broken = ["qti-instructure/items_2.2/audio-video.xml", "qti30/1edtech/results/full-example.xml", "qti30/1edtech/CAT/test.xml",
              "qti-instructure/items_1.2/choice_vary_points_by_answer_zero_points.xml"]  # fmt: skip
    for name in broken:
        module = qti12 if "1.2" in name else qti_reader
        with pytest.raises(UnreadableFileError, match=r"第 \d+ 行"):
            module.read((fixtures() / name).read_bytes(), name=name)


def plain_names(text: str) -> str:
    text = re.sub(r"(</?)qti-([a-z-]+)", lambda m: m[1] + re.sub("-(.)", lambda n: n[1].upper(), m[2]), text)
    return re.sub(r"\s(response|max|base)-([a-z])", lambda m: f" {m[1]}{m[2].upper()}", text)


def test_keys_of_single_choices_are_the_correct_responses_of_the_files():
    checked = 0
    for path in sorted(fixtures().rglob("*.xml")):
        content = path.read_bytes()
        if b"ssessment-item" not in content and b"assessmentItem" not in content:
            continue
        try:
            reading = qti_reader.read(content, name=path.name)
            root = etree.fromstring(re.sub(r"<\?xml.*?\?>", "", plain_names(content.decode("utf-8-sig"))).encode())
        except (UnreadableFileError, etree.XMLSyntaxError):
            continue
        interactions = root.findall(".//{*}choiceInteraction")
        if len(interactions) != 1 or len(reading.imported) != 1 or reading.imported[0].question.kind is Kind.CASE:
            continue
        question = reading.imported[0].question
        response = interactions[0].get("responseIdentifier")
        declaration = next(d for d in root.findall("{*}responseDeclaration") if d.get("identifier") == response)
        correct = {v.text.strip() for v in declaration.findall("{*}correctResponse/{*}value")}
        choices = interactions[0].findall(".//{*}simpleChoice")
        wanted = tuple("ABCDEFGHIJ"[i] for i, c in enumerate(choices) if c.get("identifier") in correct)
        if question.kind is Kind.TRUE_FALSE:
            word = {"A": "true", "B": "false"}[question.key[0]]
            assert (
                "".join(map(str, choices["ABCDEFGHIJ".index(wanted[0])].itertext())).strip().lower().startswith(word)
            ), path
        elif correct:
            assert question.key == wanted, path
        checked += 1
    assert checked > 80


def test_upgraded_pairs_read_alike():
    folder = fixtures() / "qti-convert-pairs/citolab/upgrader"
    pairs = 0
    for old in folder.glob("*.qti2.xml"):
        new = old.with_name(old.name.replace(".qti2.", ".qti3."))
        first, second = qti_reader.read(old.read_bytes(), name="a"), qti_reader.read(new.read_bytes(), name="b")
        assert [r.question.key for r in first.imported] == [r.question.key for r in second.imported], old.name
        assert [n.reason for n in first.rejected] == [n.reason for n in second.rejected], old.name
        pairs += 1
    assert pairs >= 4


def test_canvas_file_has_its_stated_answers():
    reading = qti12.read((fixtures() / "qti-instructure/all_canvas_simple_1.2.xml").read_bytes(), name="x")
    keys = {
        r.question.stem.split(",")[0]: (r.question.kind, r.question.key, r.question.blanks) for r in reading.imported
    }
    assert keys["Question 1"] == (Kind.SINGLE_CHOICE, ("A",), ())
    assert keys["Question 2"] == (Kind.TRUE_FALSE, ("A",), ())
    assert keys["Question 3"] == (Kind.FILL_BLANK, (), (("Blank", "blank"),))
    assert keys["Question 4"] == (Kind.FILL_BLANK, (), (("Multiple", "multiple"), ("Blanks", "blanks")))
    assert keys["Question 6"] == (Kind.SINGLE_CHOICE, ("A",), ())
    assert [note.code for note in reading.rejected] == ["kind_not_sat"] * 3
    assert [d.note.code for d in reading.needing_review] == ["blank_option"]
    assert reading.found == 10


def test_negative_weights_and_package_pictures_of_qti_12():
    reading = qti12.read((fixtures() / "qti-instructure/test_qti_1.2.zip").read_bytes(), name="x.zip")
    assert [r.question.key for r in reading.imported][:2] == [("B",), ("D",)]
    assert all(r.question.images for r in reading.imported[:2])


def test_choice_without_an_answer_needs_review_and_its_key_is_empty():
    reading = read(item(answer=""))
    assert (reading.needing_review[0].note.code, reading.needing_review[0].question.key) == ("no_key", ())


def test_answer_outside_the_options_needs_review():
    reading = read(item(answer="<correctResponse><value>z</value></correctResponse>"))
    assert reading.needing_review[0].note.code == "key_outside_options"


def test_mapping_that_contradicts_the_answer_needs_review():
    answer = (
        '<correctResponse><value>y</value></correctResponse><mapping><mapEntry mapKey="x" mappedValue="1"/></mapping>'
    )
    template = '<responseProcessing template="http://www.imsglobal.org/question/qti_v2p1/rptemplates/map_response"/>'
    assert read(item(answer=answer, processing=template)).needing_review[0].note.code == "key_conflict"
    assert read(item(answer=answer)).imported[0].question.key == ("B",)


def test_kinds_not_sat_are_rejected_by_name_with_their_place():
    body = '<p>排</p><matchInteraction responseIdentifier="RESPONSE"><simpleMatchSet/></matchInteraction>'
    note = read(item(body=body, answer="", cardinality="multiple")).rejected[0]
    assert (note.code, note.where) == ("kind_not_sat", "/assessmentItem（第 1 行）")
    assert "匹配题" in note.reason


def test_number_within_a_range_is_rejected_and_an_exact_one_is_a_blank():
    gap = '<p>1+1= <textEntryInteraction responseIdentifier="RESPONSE"/></p>'
    answer = "<correctResponse><value>2</value></correctResponse>"
    judged = ('<responseProcessing><responseCondition><responseIf><equal toleranceMode="absolute" tolerance="1 1">'
              '<variable identifier="RESPONSE"/><correct identifier="RESPONSE"/></equal></responseIf></responseCondition></responseProcessing>')  # fmt: skip
    exact = read(item(body=gap, answer=answer, base="float")).imported[0]
    assert (exact.question.blanks, [dropped_item.code for dropped_item in exact.dropped]) == (
        (("2",),),
        ["numeric_as_text"],
    )
    assert read(item(body=gap, answer=answer, base="float", processing=judged)).rejected[0].code == "kind_not_sat"
    assert (
        read(item(body=gap, answer=answer, base="string", processing=judged)).needing_review[0].note.code
        == "loose_scoring"
    )


def test_package_of_500_items_in_version_3_is_read_whole():
    questions = [
        Question(
            kind=Kind.SINGLE_CHOICE, stem=f"第 {n} 题", options=("甲", "乙", "丙", "丁"), key=("C",), explanation="因为"
        )
        for n in range(500)
    ]
    reading = qti_reader.read(qti_writer.write_qti30(questions).content, name="x.zip")
    assert [r.question for r in reading.imported] == questions


def test_formats_tell_their_own_files():
    package = qti_writer.write_qti21(full_questions()).content
    old = qti12.write(full_questions()).content
    assert qti_reader.looks_like(package, "x.zip")
    assert not qti12.looks_like(package, "x.zip")
    assert qti12.looks_like(old, "x.zip")
    assert not qti_reader.looks_like(old, "x.zip")
    assert not qti_reader.looks_like(b"<quiz></quiz>", "x.xml")


def test_package_with_a_missing_picture_in_its_manifest_is_rejected():
    content = qti_writer.write_qti21(full_questions()).content
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if not name.endswith("a.png"):
                new.writestr(name, old.read(name))
    with pytest.raises(UnreadableFileError, match=r"缺少文件.*a\.png"):
        qti_reader.read(target.getvalue(), name="x.zip")


def test_blackboard_pool_is_read_and_its_matching_rejected():
    path = fixtures() / "other/blackboard6/sample_blackboard_pool.dat"
    reading = blackboard.read(path.read_bytes(), name=path.name)
    assert [(r.question.kind, r.question.key) for r in reading.imported][:3] == [
        (Kind.TRUE_FALSE, ("A",)), (Kind.SINGLE_CHOICE, ("B",)), (Kind.MULTIPLE_CHOICE, ("A", "C")),
    ]  # fmt: skip
    assert [n.code for n in reading.rejected] == ["kind_not_sat"]
    assert reading.found == 6


def test_csc_exam_keeps_scores_tags_and_gaps():
    reading = json_exchange.read_csc_exam(
        (fixtures() / "other/csc-exam-json/questionImport.json").read_bytes(), name="x"
    )
    by_code = {r.question.code: r.question for r in reading.imported}
    assert reading.found == len(reading.imported) == 22
    assert by_code["5"].key == ("B",)
    assert by_code["23"].blanks == (("Pariisi",), ("Berliini",))
    assert by_code["22"].options == ("Tosi", "Epätosi")


def test_json2qti_takes_the_first_option_as_right_and_says_so():
    content = '{"测验": {"1+1=？": ["2", "3"]}}'.encode()
    assert json_exchange.looks_like_json2qti(content, "x.json")
    reading = json_exchange.read_json2qti(content, name="x")
    assert reading.imported[0].question.key == ("A",)
    assert reading.remarks[0].code == "first_is_right"
    assert not json_exchange.looks_like_json2qti(b'{"questions": [{"a": 1}]}', "x.json")


def test_broken_json_is_rejected_with_its_line():
    with pytest.raises(UnreadableFileError, match="第 2 行"):
        json_exchange.read_csc_exam(b'{\n"a": }', name="x")
    with pytest.raises(UnreadableFileError):
        json_exchange.read_csc_exam(b"[" * 100_000, name="x")


def test_exact_numbers_are_accepted_without_idle_zeros():
    gap = '<p>1+1= <textEntryInteraction responseIdentifier="RESPONSE"/></p>'
    answer = "<correctResponse><value>4.0</value></correctResponse>"
    assert read(item(body=gap, answer=answer, base="float")).imported[0].question.blanks == (("4", "4.0"),)


def test_gaps_that_share_their_answers_name_what_is_lost():
    body = '<p><textEntryInteraction responseIdentifier="RESPONSE"/> <textEntryInteraction responseIdentifier="RESPONSE"/></p>'
    mapping = '<mapping><mapEntry mapKey="a" mappedValue="1"/><mapEntry mapKey="b" mappedValue="1"/></mapping>'
    got = read(item(body=body, answer=mapping, base="string")).imported[0]
    assert [dropped_item.code for dropped_item in got.dropped] == ["gaps_interchangeable"]


def test_a_sample_answer_in_feedback_stays_out_of_the_stem():
    body = """<p>写一写</p><extendedTextInteraction responseIdentifier="RESPONSE"/><feedbackBlock outcomeIdentifier="F" identifier="s"
    showHide="show"><p>范文</p><endAttemptInteraction responseIdentifier="H" title="x"/></feedbackBlock>"""
    got = read(item(body=body, answer="", base="string")).imported[0].question
    assert (got.stem, got.explanation) == ("写一写", "范文")
