"""What people bring cannot hurt who looks at it: HTML, pictures, invisible and endless text (reliability H11, H12, H13)."""

import io
import re
import struct
import zlib
from typing import Any, cast

import pytest
from PIL import Image as Pillow
from sqlalchemy import select

from examapp import clock
from examapp.content.question_editing.actions import add_question
from examapp.content.question_intake.actions import take_over
from examapp.content.questions.models import BankQuestion, Media, QuestionState, QuestionVersion
from examapp.content.questions.rules import UnfitQuestionError
from examapp.documents.images import UnfitImageError, encode_picture
from examapp.platform.audit.actions import SYSTEM, ActionContext
from question_bank import model
from tests.helpers.markup_attacks import VECTORS, dangers
from tests.helpers.question_forms import SINGLE
from tests.helpers.questions import picture, single, version_of


def page_dangers(page):
    """List what a whole page has that could act or reach out: handlers, foreign scripts, frames, addresses that are not our own paths."""
    from lxml import html as parser

    found: list[Any] = []
    for element in parser.document_fromstring(page).iter():
        attributes: dict[str, str] = dict(cast("Any", element.attrib))
        if element.tag in {"iframe", "object", "embed", "svg", "math", "style", "base"} or (
            element.tag == "script" and not element.get("src", "").startswith("/static/")
        ):
            found.append(element.tag)
        found += [
            f"{name}={value}"
            for name, value in attributes.items()
            if name.startswith("on") or name in {"style", "srcset", "formaction"}
        ]
        found += [
            attributes[name]
            for name in ("src", "href", "action")
            if not re.match(r"/(?!/)|#|\?|$", attributes.get(name, ""))
        ]
    return found


def test_there_are_enough_vectors():
    assert len(set(VECTORS)) >= 140


@pytest.mark.parametrize("is_html", [True, False])
def test_no_vector_survives_in_any_text_of_a_question(session, is_html):
    for vector in VECTORS:
        text = f"字{vector}"
        question = single(stem=text, options=(text, "乙", "丙", "丁"), explanation=text, is_html=is_html)
        case = model.Question(kind=model.Kind.CASE, stem=text, parts=(question,), is_html=is_html)
        content = version_of(
            session, add_question(ActionContext(session, SYSTEM, clock.now()), question=case, state=QuestionState.DRAFT)
        ).content
        part = content["parts"][0]
        for shown in (content["material"], part["stem"], part["options"][0]):
            assert dangers(shown) == [], (vector, shown)


def test_vectors_through_the_editor_are_harmless_on_every_page(world, session):
    office = world.api(world.admin("publicity_office"))
    attack = "字" + "".join(VECTORS[-40:]) + "{{7*7}}{% raw %}${7*7}"
    for is_html in ("y", ""):
        data = SINGLE | {
            "parts-0-stem": attack,
            "parts-0-options-0": attack,
            "parts-0-explanation": attack,
            "knowledge_points": '"><script>alert(1)</script>',
            "is_html": is_html,
            "law": "<i onclick=x>法",
            "parts-0-articles": "第一条<script>",
        }
        assert office.post("/admin/questions/new/single_choice", data=data).status_code == 302
        question = session.scalars(select(BankQuestion).order_by(BankQuestion.id.desc())).first()
        for path in ("", "/edit", "/key"):
            page = office.get(f"/admin/questions/{question.id}{path}").get_data(as_text=True)
            assert page_dangers(page) == []
            assert "49" not in re.sub(r"<[^>]+>", "", page.split("paper-stem", 1)[-1].split("</article>", 1)[0])
        assert page_dangers(office.get("/admin/questions/?q=字").get_data(as_text=True)) == []


def test_vectors_through_an_import_are_harmless_in_preview_and_bank(world, session):
    office = world.api(world.admin("publicity_office"))
    aiken = "".join(f"字{vector.replace(chr(10), ' ')}谁？\nA. 甲\nB. 乙\nANSWER: A\n\n" for vector in VECTORS[:60])
    answer = office.post(
        "/admin/questions/imports/",
        data={"file": (io.BytesIO(aiken.encode()), "<img src=x onerror=alert(1)>.txt"), "format": "auto"},
    )
    page = office.get(answer.location).get_data(as_text=True)
    assert "<img src=x" not in page and "onerror=alert(1)&gt;.txt" in page
    office.post(f"{answer.location}/confirm", data={"state": "active"})
    for content in session.scalars(select(QuestionVersion.content)):
        assert dangers(content["parts"][0]["stem"]) == []


def test_invisible_and_direction_turning_signs_are_taken_out(session):
    stem = version_of(
        session,
        add_question(
            ActionContext(session, SYSTEM, clock.now()),
            question=single(stem="谁\u202e决\u200b定\u2066？\ufeff\x07"),
            state=QuestionState.DRAFT,
        ),
    ).content["parts"][0]["stem"]
    assert stem == "谁决定？"


@pytest.mark.parametrize("stem", ["\u3000 \n", "\u200b\u200d", "<p> </p>", "<p>&nbsp;</p>", "<script>x</script>"])
def test_text_of_nothing_is_rejected(session, stem):
    for is_html in (True, False):
        if not is_html and "<" in stem:
            continue
        with pytest.raises(UnfitQuestionError, match="空的"):
            add_question(
                ActionContext(session, SYSTEM, clock.now()),
                question=single(stem=stem, is_html=is_html),
                state=QuestionState.DRAFT,
            )


def test_endless_text_is_rejected_and_a_long_word_stored_whole(session):
    with pytest.raises(UnfitQuestionError, match="精简"):
        add_question(
            ActionContext(session, SYSTEM, clock.now()), question=single(stem="长" * 100_000), state=QuestionState.DRAFT
        )
    with pytest.raises(UnfitQuestionError, match="精简"):
        add_question(
            ActionContext(session, SYSTEM, clock.now()),
            question=single(stem=f"<p>{'长' * 100_000}</p>", is_html=True),
            state=QuestionState.DRAFT,
        )
    assert (
        len(
            version_of(
                session,
                add_question(
                    ActionContext(session, SYSTEM, clock.now()),
                    question=single(stem="长" * 9000),
                    state=QuestionState.DRAFT,
                ),
            ).search_text
        )
        > 9000
    )


def _claimed_png(width, height):
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(head)) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    data = zlib.compress(b"\x00" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk
        + struct.pack(">I", len(data))
        + b"IDAT"
        + data
        + struct.pack(">I", zlib.crc32(b"IDAT" + data))
    )


@pytest.mark.parametrize("content", [
    b"", b"\x00", _claimed_png(50_000, 50_000), _claimed_png(100, 100), b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", b"GIF89a/*<script>alert(1)</script>*/", b"%PDF-1.7", b"\xff\xd8\xff\xe0" + b"\x00" * 100, b"BM" + b"\x00" * 100,
    b"P6 50000 50000 255\n", b"x" * (8 * 1024 * 1024 + 1), picture(size=(5, 5), encoding="TIFF"), picture(size=(5, 5), encoding="BMP"),
])  # fmt: skip
def test_picture_that_is_none_is_rejected_at_once(world, content):
    with pytest.raises(UnfitImageError):
        encode_picture(content)


def test_position_of_the_photographer_and_what_hides_behind_a_picture_are_dropped():
    source = Pillow.new("RGB", (40, 20), "red")
    exif = source.getexif()
    exif[0x0112], exif[0x010E] = 6, "GPS-SECRET"
    target = io.BytesIO()
    source.save(target, "JPEG", exif=exif, comment=b"HIDDEN")
    kept = encode_picture(target.getvalue() + b"<script>alert(1)</script>PK\x03\x04")
    assert (kept.width, kept.height) == (20, 40)
    assert not any(secret in kept.content for secret in (b"GPS-SECRET", b"HIDDEN", b"<script", b"Exif"))
    assert encode_picture(picture(mode="RGBA")).media_type == "image/png"
    for name in ("GIF", "WEBP"):
        assert encode_picture(picture(encoding=name)).media_type == "image/png"


def test_large_picture_is_made_smaller():
    kept = encode_picture(picture(size=(6000, 3000)))
    assert (kept.width, kept.height) == (2000, 1000)


def test_bad_picture_is_rejected_in_words_over_http(world, session):
    office = world.api(world.admin("publicity_office"))
    for content in (_claimed_png(50_000, 50_000), b"<svg/>", b""):
        answer = office.post("/admin/questions/pictures", data={"picture": (io.BytesIO(content), "a.png")})
        assert answer.status_code == 400 and "请" in answer.get_data(as_text=True)
    assert office.post("/admin/questions/pictures", data={}).status_code == 400
    assert session.scalars(select(Media)).all() == []


def test_bad_picture_in_a_file_is_a_named_loss(world, session):
    from question_bank.model import ParseResult, ReadQuestion

    image = model.Image(name="a.svg", media_type="image/svg+xml", content=b"<svg onload='alert(1)'/>")
    question = single(stem='<p>图</p><img src="bank:a.svg">', is_html=True, images=(image,))
    taken = take_over(
        ActionContext(session, SYSTEM, clock.now()),
        reading=ParseResult("x", imported=[ReadQuestion(question, "第 1 行")]),
        state=QuestionState.DRAFT,
    )
    assert len(taken.ids) == 1 and taken.dropped[0]["where"] == "第 1 行" and "a.svg" in taken.dropped[0]["reason"]
