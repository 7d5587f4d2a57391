"""From a question as people bring it to what the bank stores: clean HTML, keys apart, words to search, a digest."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from examapp.core.errors import DomainError
from examapp.core.html import clean_html, html_to_text, normalise, text_to_html
from examapp.core.pictures import Picture, UnfitImageError, encode_picture
from question_bank.model import CHOICE_KINDS, OPTION_LETTERS, TRUE_FALSE_OPTIONS, Kind, Question

TOPICS = (
    "宪法与国家机构",
    "国家安全",
    "行政法",
    "民商法",
    "刑法与政务处分",
    "高质量发展",
    "公共安全与应急",
    "社会治理与民生",
    "党内法规与普法",
)
"""The syllabus's parts, in its order."""
LONGEST_TEXT = 20_000
"""Characters of one stem, option or explanation."""
MOST_OPTIONS = 12
_WITH_OPTIONS = frozenset({Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE})
_OWN_IMAGE_MARK = re.compile(r"\[图片:([0-9a-f]{64})\]")
_BANK_IMAGE = re.compile(
    r"""(<img\b[^>]*?\bsrc\s*=\s*)(?:"bank:([^"]*)"|'bank:([^']*)'|bank:([^"'\s>]+))""", re.IGNORECASE
)


class UnfitQuestionError(DomainError):
    """A question that the bank cannot hold; the message says why and what to do."""

    code = "unfit_question"
    status = 400
    message = "这道题不完整，请补全后再保存。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A question ready to be stored."""

    question: Question
    content: dict[str, Any]
    key_parts: list[dict[str, Any]]
    search_text: str
    digest: str
    pictures: tuple[Picture, ...] = field(default=(), repr=False)
    losses: tuple[str, ...] = ()
    doubt: str = ""


def prepare(question: Question, *, doubt: str = "") -> Prepared:
    """Make of a question what is stored; raises UnfitQuestionError, and names pictures that could not be kept.

    With a `doubt` the key may be missing or make no sense: a person will set it.
    """
    pictures, losses = _pictures(question)
    parts = question.parts if question.kind is Kind.CASE else (question,)
    if not parts:
        raise UnfitQuestionError("案例题没有小题，请至少写一道小题。")
    content = {
        "material": _html(question.stem, question, pictures, "案例材料") if question.kind is Kind.CASE else None,
        "parts": [_part(part, pictures, is_key_needed=not doubt) for part in parts],
    }
    named = html.unescape(_texts(question))
    if loose := [p for name, p in pictures.items() if f"bank:{name}" not in named]:
        _append(content, loose)
    return Prepared(
        question=question,
        content=content,
        key_parts=[_key(part, pictures) for part in parts],
        search_text=search_text(content),
        digest=content_digest(content),
        pictures=tuple(pictures.values()),
        losses=tuple(losses),
        doubt=doubt,
    )


def _pictures(question: Question) -> tuple[dict[str, Picture], list[str]]:
    kept: dict[str, Picture] = {}
    losses: list[str] = []
    for image in (image for one in (question, *question.parts) for image in one.images):
        try:
            kept[image.name] = encode_picture(image.content)
        except UnfitImageError as error:
            losses.append(f"图片「{image.name}」没有保留：{error.text}")
    return kept, losses


def _texts(question: Question) -> str:
    each = (question, *question.parts)
    return "\n".join(text for one in each for text in (one.stem, *one.options, one.explanation))


def _append(content: dict[str, Any], pictures: list[Picture]) -> None:
    """Show below the first text what no text names."""
    shown = "".join(f'<p><img src="{picture.address}" alt="题图"></p>' for picture in pictures)
    if content["material"] is not None:
        content["material"] += shown
    else:
        content["parts"][0]["stem"] += shown


def _part(part: Question, pictures: Mapping[str, Picture], *, is_key_needed: bool) -> dict[str, Any]:
    check_shape(part)
    if is_key_needed:
        check_key(part)
    options = TRUE_FALSE_OPTIONS if part.kind is Kind.TRUE_FALSE else part.options
    return {
        "kind": str(part.kind),
        "stem": _html(part.stem, part, pictures, "题干"),
        "options": [_html(option, part, pictures, "选项") for option in options] if part.kind in CHOICE_KINDS else [],
        "blanks": len(part.blanks) if part.kind is Kind.FILL_BLANK else None,
    }


def check_shape(part: Question) -> None:
    """Refuse a part that cannot be sat, whatever its key; raises UnfitQuestionError."""
    if part.kind is Kind.CASE:
        raise UnfitQuestionError("案例题的小题不能再是案例题，请改为其他题型。")
    if part.kind in _WITH_OPTIONS and not 2 <= len(part.options) <= MOST_OPTIONS:
        raise UnfitQuestionError(f"选项应为 2 至 {MOST_OPTIONS} 个，现有 {len(part.options)} 个。")


def check_key(part: Question) -> None:
    """Refuse a key that cannot be graded by; raises UnfitQuestionError."""
    if part.kind is Kind.FILL_BLANK and not (part.blanks and all(part.blanks)):
        raise UnfitQuestionError("填空题每个空都要有答案，请补上。")
    if part.kind not in CHOICE_KINDS:
        return
    count = 2 if part.kind is Kind.TRUE_FALSE else len(part.options)
    if not part.key or any(letter not in OPTION_LETTERS[:count] for letter in part.key):
        raise UnfitQuestionError("答案没有填写，或不在选项之中，请核对答案。")
    if part.kind is not Kind.MULTIPLE_CHOICE and len(part.key) != 1:
        raise UnfitQuestionError("单选题和判断题只能有一个答案，请核对题型或答案。")


def _html(text: str, owner: Question, pictures: Mapping[str, Picture], what: str, *, may_be_empty: bool = False) -> str:
    if len(text) > LONGEST_TEXT and len(html_to_text(text) if owner.is_html else text) > LONGEST_TEXT:
        raise UnfitQuestionError(f"{what}超过 {LONGEST_TEXT} 个字，请精简后再导入。")
    shown = clean_html(_BANK_IMAGE.sub(_own_address(pictures), text)) if owner.is_html else plain_html(text)
    if not may_be_empty and not html_to_text(shown) and "<img" not in shown:
        raise UnfitQuestionError(f"{what}是空的，请补上内容。")
    return shown


def plain_html(text: str) -> str:
    """Show plain text as HTML; `[图片:<digest>]` stands for a picture that the bank has."""
    return _OWN_IMAGE_MARK.sub(r'<img src="/media/\1" alt="题图">', text_to_html(text.strip()))


def _own_address(pictures: Mapping[str, Picture]) -> Callable[[re.Match[str]], str]:
    def replaced(found: re.Match[str]) -> str:
        picture = pictures.get(html.unescape(found[2] or found[3] or found[4] or ""))
        return f'{found[1]}"{picture.address if picture else ""}"'

    return replaced


def _key(part: Question, pictures: Mapping[str, Picture]) -> dict[str, Any]:
    def plain(text: str) -> str:
        return html_to_text(clean_html(text)) if part.is_html else normalise(text).strip()

    is_choice = part.kind in CHOICE_KINDS
    return {
        "key": sorted(set(part.key)) if is_choice else [plain(text) for text in part.key],
        "blanks": [[plain(variant) for variant in blank] for blank in part.blanks],
        "explanation": _html(part.explanation, part, pictures, "解析", may_be_empty=True),
    }


def search_text(content: Mapping[str, Any]) -> str:
    """Give the words of a version's content, for substring search."""
    texts = [content["material"] or ""]
    for part in content["parts"]:
        texts += [part["stem"], *(part["options"] if part["kind"] != Kind.TRUE_FALSE else [])]
    return "\n".join(html_to_text(text) for text in texts if text)


def content_digest(content: Mapping[str, Any]) -> str:
    """Give a digest that is equal where kinds, stems and options say the same, spaces and markup aside."""
    words = [
        [part["kind"], _bare(part["stem"]), [_bare(option) for option in part["options"]]] for part in content["parts"]
    ]
    plain = json.dumps([_bare(content["material"] or ""), words], ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def _bare(text: str) -> str:
    pictures = "".join(re.findall(r"/media/[0-9a-f]{64}", text))
    return re.sub(r"\s+", "", html_to_text(text)) + pictures


def items_of(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give a version's parts as items of the delivery protocol's paper, options in stored order: for previews."""
    return [
        {
            "item": number,
            "kind": part["kind"],
            "points": None,
            "stem": part["stem"],
            "material": content["material"],
            "blanks": part["blanks"],
            "options": [
                {"key": letter, "text": text} for letter, text in zip(OPTION_LETTERS, part["options"], strict=False)
            ],
        }
        for number, part in enumerate(content["parts"], 1)
    ]
