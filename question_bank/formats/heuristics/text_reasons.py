"""Part a key from the reason that stands behind it on its line: `A（见第六十条）`, `选C。第六十条。`, `错误，应为30日`."""

import re
from collections.abc import Sequence

from question_bank.formats.heuristics.answers import BLANK, fold, looks_like_key, read_truth

_KEYED = re.compile(
    r"(?:故|应|本题)?选?\s*(?P<key>[A-HＡ-Ｈ](?:\s*[、,，]\s*[A-HＡ-Ｈ](?![A-Za-z项])){1,7}|[A-HＡ-Ｈ]{1,8}|正确|错误|[对错√×✓✗✔✘])\s*"
    r"(?:[(（【\[](?P<wrapped>.+)[)）】\]]\s*[。.]?|(?P<strong>[。；;]|[—–]{1,2}|\n)\s*(?P<rest>.+)|(?P<weak>[.．、：:,，]|\s)\s*(?P<more>.+))",
    re.DOTALL,
)
_GIVES_REASON = re.compile(r"第.{1,8}条|规定|[法因应须据故]|解析|理由|不[是能得属]|没有|属于|可以")
_NO_REASON = re.compile(
    r"^(?:[或也和与及、,，/]|[A-HＡ-Ｈ](?!项|选项|[A-Za-zＡ-Ｚａ-ｚ]))|争议|待[定查核]|不确定|存疑|原答案|改为|更正|有误|[?？]\s*$"
)
"""What stands behind a key that is not sure, or not all of it."""
_KEY_PLACE = re.compile(r"\s*[(（]\s*[)）]\s*[。.]?$")
_ASKS = re.compile(r"^(?:请)?(?:简述|试述|论述|说明|谈谈|比较|分析|阐述|概述|列举|回答|为什么|如何|怎样|什么)")
MIN_REASON = 6
"""Characters of a reason behind a mere space, dot or comma: fewer may be the words of an option."""


def part_reason(answer: str, options: Sequence[str]) -> tuple[str, str] | None:
    """Return the key that begins an answer and the reason behind it; None where what follows may be an option's words, or puts the key in doubt."""
    match = None if looks_like_key(answer) else _KEYED.fullmatch(answer.strip())
    if match is None or _is_crossed(match["wrapped"] or ""):
        return None
    reason = (match["wrapped"] or match["rest"] or match["more"]).strip()
    is_short = len(reason) < MIN_REASON or not _GIVES_REASON.search(reason)
    if is_short and match["weak"] and (options or match["weak"] not in "，,：:"):
        return None
    said, texts = fold(reason), [fold(option) for option in options]
    is_option = any(text and (said.startswith(text) or text.startswith(said)) for text in texts)
    if not said or is_option or looks_like_key(reason) or _NO_REASON.search(reason):
        return None
    return match["key"], reason


def part_truth(answer: str, stem: str) -> tuple[str, str] | None:
    """Return the word and the reason of an answer such as `错误，应为三十日`, where the stem states something; None where it asks for words or has blanks."""
    stem = _KEY_PLACE.sub("", stem.rstrip())
    parted = (
        None
        if BLANK.search(stem) or stem.endswith(("？", "?", "：", ":")) or _ASKS.match(stem)
        else part_reason(answer, ())
    )
    return parted if parted and read_truth(parted[0]) is not None else None


def _is_crossed(text: str) -> bool:
    """Return whether a bracket within a wrapped text closes before it opens: the wrapping is two brackets, not one."""
    depth = 0
    for sign in text:
        depth += (sign in "(（") - (sign in ")）")
        if depth < 0:
            return True
    return False
