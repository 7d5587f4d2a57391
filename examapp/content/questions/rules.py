"""Prepare a question for the database: clean HTML, separate keys, search text, digest."""

from __future__ import annotations

import hashlib
import html
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from examapp.documents.html import clean_html, html_to_text, normalise, text_to_html
from examapp.documents.images import Picture, UnfitImageError, encode_picture
from examapp.errors import DomainError
from question_bank import validation
from question_bank.kinds.base import Issue, Severity
from question_bank.kinds.registry import kind_of, parts_of
from question_bank.model import OPTION_LETTERS, Citation, Difficulty, Image, Kind, Question

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
    dropped: tuple[str, ...] = ()
    review_note: str = ""


def prepare(question: Question, *, review_note: str = "") -> Prepared:
    """Return what is stored of a question; raises UnfitQuestionError, and names pictures that could not be kept.

    With a `review_note` the key may be missing or make no sense: a person will set it.
    """
    pictures, dropped = _pictures(question)
    _ensure_valid(validation.find_issue(validation.iter_issues(question), Severity.REJECT))
    if not review_note:
        check_key(question)
    is_part = kind_of(question.kind).is_part
    parts = parts_of(question)
    content = {
        "material": None if is_part else _html(question.stem, question, pictures, "案例材料"),
        "parts": [_part(part, pictures) for part in parts],
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
        dropped=tuple(dropped),
        review_note=review_note,
    )


def _pictures(question: Question) -> tuple[dict[str, Picture], list[str]]:
    kept: dict[str, Picture] = {}
    dropped: list[str] = []
    for image in (image for one in (question, *question.parts) for image in one.images):
        try:
            kept[image.name] = encode_picture(image.content)
        except UnfitImageError as error:
            dropped.append(f"图片“{image.name}”没有保留：{error.text}")
    return kept, dropped


def _texts(question: Question) -> str:
    each = (question, *question.parts)
    return "\n".join(text for one in each for text in (one.stem, *one.options, one.explanation))


def _append(content: dict[str, Any], pictures: list[Picture]) -> None:
    """Append to the first text the pictures that no text names."""
    shown = "".join(f'<p><img src="{picture.address}" alt="题图"></p>' for picture in pictures)
    if content["material"] is not None:
        content["material"] += shown
    else:
        content["parts"][0]["stem"] += shown


def _part(part: Question, pictures: Mapping[str, Picture]) -> dict[str, Any]:
    kind = kind_of(part.kind)
    return {
        "kind": str(part.kind),
        "stem": _html(part.stem, part, pictures, "题干"),
        "options": [_html(option, part, pictures, "选项") for option in kind.options_of(part)],
        "blanks": len(part.blanks) if kind.has_blanks else None,
    }


def check_key(question: Question) -> None:
    """Raise UnfitQuestionError for a key that cannot be graded by."""
    _ensure_valid(validation.find_issue(validation.iter_key_issues(question), Severity.REVIEW))


def _ensure_valid(issue: Issue | None) -> None:
    if issue is not None:
        raise UnfitQuestionError(issue.reason)


def _html(text: str, owner: Question, pictures: Mapping[str, Picture], what: str, *, may_be_empty: bool = False) -> str:
    shown = clean_html(_BANK_IMAGE.sub(_own_address(pictures), text)) if owner.is_html else plain_html(text)
    if not may_be_empty and not html_to_text(shown) and "<img" not in shown:
        raise UnfitQuestionError(f"{what}是空的，请补上内容。")
    return shown


def plain_html(text: str) -> str:
    """Return plain text as HTML; `[图片:<digest>]` is replaced by a picture of the bank."""
    return _OWN_IMAGE_MARK.sub(r'<img src="/media/\1" alt="题图">', text_to_html(text.strip()))


def _own_address(pictures: Mapping[str, Picture]) -> Callable[[re.Match[str]], str]:
    def replaced(found: re.Match[str]) -> str:
        picture = pictures.get(html.unescape(found[2] or found[3] or found[4] or ""))
        return f'{found[1]}"{picture.address if picture else ""}"'

    return replaced


def _key(part: Question, pictures: Mapping[str, Picture]) -> dict[str, Any]:
    def plain(text: str) -> str:
        return html_to_text(clean_html(text)) if part.is_html else normalise(text).strip()

    kind = kind_of(part.kind)
    units = kind.units_of(plain(part.stem), len(part.blanks))
    return {
        "key": kind.stored_key(part, plain=plain),
        "blanks": [[plain(variant) for variant in blank] for blank in part.blanks],
        **({"units": units} if any(units) else {}),
        "explanation": _html(part.explanation, part, pictures, "解析", may_be_empty=True),
    }


def search_text(content: Mapping[str, Any]) -> str:
    """Return the texts of a version's content, for substring search."""
    texts = [content["material"] or ""]
    for part in content["parts"]:
        texts += [part["stem"], *(part["options"] if kind_of(part["kind"]).has_options else [])]
    return "\n".join(html_to_text(text) for text in texts if text)


def content_digest(content: Mapping[str, Any]) -> str:
    """Return a digest that is equal where kinds, stems and options say the same, spaces and markup aside."""
    text = [
        [part["kind"], _bare(part["stem"]), [_bare(option) for option in part["options"]]] for part in content["parts"]
    ]
    plain = json.dumps([_bare(content["material"] or ""), text], ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def _bare(text: str) -> str:
    pictures = "".join(re.findall(r"/media/[0-9a-f]{64}", text))
    return re.sub(r"\s+", "", html_to_text(text)) + pictures


def items_of(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a version's parts as items of the delivery protocol's paper, options in stored order: for previews."""
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


_MAX_INDEXED_LENGTH = 6000
"""Characters of a question that are indexed; longer ones are cut."""


def searchable(code: str, text: str) -> str:
    """Return the text that is searched: number and texts in lower case, half width, without spaces."""
    return _searchable(f"{code}\n{text}")[:_MAX_INDEXED_LENGTH]


def grams_of(text: str) -> list[str]:
    """List the characters and pairs of characters of a searchable text, each once; none across a line."""
    lines = text.split("\n")
    pairs = {line[i : i + 2] for line in lines for i in range(len(line) - 1)}
    return sorted({character for line in lines for character in line} | pairs)


def wanted_grams(word: str) -> list[str]:
    """List the grams that a text with this word must have: the word itself where it has one or two characters."""
    bare = _searchable(word).replace("\n", "")
    return [bare] if len(bare) <= 2 else sorted({bare[i : i + 2] for i in range(len(bare) - 1)})


def search_terms(text: str) -> list[str]:
    """List the substrings that a person typed, divided by spaces; five at most."""
    return [word for word in (_searchable(part).replace("\n", "") for part in text.split()) if word][:5]


def _searchable(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[^\S\n]+", "", folded)


_TAG = re.compile(r"<(?!br>)[^>]*>")
_MEDIA = re.compile(r"/media/([0-9a-f]{64})")
_OWN_IMAGE = re.compile(r'<img src="/media/([0-9a-f]{64})"[^>]*>')


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A question as its rows hold it."""

    code: str
    kind: str
    difficulty: str | None
    topic: str
    content: Mapping[str, Any]
    key_parts: Sequence[Mapping[str, Any]]
    knowledge_points: Sequence[str] = ()
    citations: Mapping[int, Citation] | None = None
    """By part, from 1."""


def to_question(stored: Stored, *, media: Mapping[str, Image] | None = None, is_editable: bool = False) -> Question:
    """Return the question as formats write it; `media` holds the pictures by digest.

    For the editor (`is_editable`) pictures of plain texts become marks `[图片:<digest>]` and none is brought along.
    """
    citations = stored.citations or {}
    pairs = zip(stored.content["parts"], stored.key_parts, strict=True)
    parts = tuple(
        _stored_part(part, key, citations.get(number), media or {}, is_editable)
        for number, (part, key) in enumerate(pairs, 1)
    )
    common: dict[str, Any] = {
        "code": stored.code,
        "difficulty": Difficulty(stored.difficulty) if stored.difficulty else None,
        "knowledge_points": tuple(stored.knowledge_points),
        "tags": (stored.topic,) if stored.topic else (),
    }
    if kind_of(stored.kind).is_part:
        return replace(parts[0], **common)
    (material,), is_html = _stored_texts([stored.content["material"]], media or {}, is_editable)
    images = _images([stored.content["material"]], media or {})
    return Question(
        kind=Kind(stored.kind),
        stem=material,
        parts=parts,
        is_html=is_html,
        images=images,
        citation=citations.get(1),
        **common,
    )


def _stored_part(
    part: Mapping[str, Any],
    key: Mapping[str, Any],
    citation: Citation | None,
    media: Mapping[str, Image],
    is_editable: bool,
) -> Question:
    raw = [part["stem"], key["explanation"], *part["options"]]
    (stem, explanation, *options), is_html = _stored_texts(raw, media, is_editable)
    return Question(
        kind=Kind(part["kind"]),
        stem=stem,
        options=tuple(options),
        key=tuple(key["key"]),
        blanks=tuple(tuple(variants) for variants in key["blanks"]),
        explanation=explanation,
        citation=citation,
        is_html=is_html,
        images=_images(raw, media),
    )


def _stored_texts(raw: Sequence[str], media: Mapping[str, Image], is_editable: bool) -> tuple[list[str], bool]:
    """Return texts as plain where none of them needs markup, else all as HTML."""
    marked = [_OWN_IMAGE.sub(r"[图片:\1]", text) for text in raw] if is_editable else list(raw)
    if not any(_TAG.search(text) for text in marked):
        return [html.unescape(text.replace("<br>", "\n")) for text in marked], False
    if is_editable:
        return list(raw), True
    return [_MEDIA.sub(lambda found: f"bank:{_name(found[1], media)}", text) for text in raw], True


def _name(digest: str, media: Mapping[str, Image]) -> str:
    return media[digest].name if digest in media else digest


def _images(raw: Sequence[str], media: Mapping[str, Image]) -> tuple[Image, ...]:
    names = dict.fromkeys(_MEDIA.findall("\n".join(raw)))
    return tuple(media[name] for name in names if name in media)


def media_of(content: Mapping[str, Any], key_parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """List the digests of the pictures that a question shows."""
    texts = [content["material"] or "", *(key["explanation"] for key in key_parts)]
    texts += [text for part in content["parts"] for text in (part["stem"], *part["options"])]
    return list(dict.fromkeys(_MEDIA.findall("\n".join(texts))))
