"""From what the bank stores back to a question: for export, and for the editor."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from question_bank.kinds.registry import kind_of
from question_bank.model import Citation, Difficulty, Image, Kind, Question

_TAG = re.compile(r"<(?!br>)[^>]*>")
_MEDIA = re.compile(r"/media/([0-9a-f]{64})")
_OWN_IMAGE = re.compile(r'<img src="/media/([0-9a-f]{64})"[^>]*>')


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A question as its rows say it."""

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
    """Give the question as formats write it; `media` brings the pictures by digest.

    For the editor (`is_editable`) pictures of plain texts become marks `[图片:<digest>]` and none is brought along.
    """
    citations = stored.citations or {}
    pairs = zip(stored.content["parts"], stored.key_parts, strict=True)
    parts = tuple(
        _part(part, key, citations.get(number), media or {}, is_editable) for number, (part, key) in enumerate(pairs, 1)
    )
    common: dict[str, Any] = {
        "code": stored.code,
        "difficulty": Difficulty(stored.difficulty) if stored.difficulty else None,
        "knowledge_points": tuple(stored.knowledge_points),
        "tags": (stored.topic,) if stored.topic else (),
    }
    if kind_of(stored.kind).is_part:
        return replace(parts[0], **common)
    (material,), is_html = _texts([stored.content["material"]], media or {}, is_editable)
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


def _part(
    part: Mapping[str, Any],
    key: Mapping[str, Any],
    citation: Citation | None,
    media: Mapping[str, Image],
    is_editable: bool,
) -> Question:
    raw = [part["stem"], key["explanation"], *part["options"]]
    (stem, explanation, *options), is_html = _texts(raw, media, is_editable)
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


def _texts(raw: Sequence[str], media: Mapping[str, Image], is_editable: bool) -> tuple[list[str], bool]:
    """Give texts as plain where none of them needs markup, else all as HTML."""
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
