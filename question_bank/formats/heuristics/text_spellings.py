"""Write the lines of a question text in the one spelling that the patterns know, before they are read."""

import re
import unicodedata

from question_bank.formats.heuristics import kind_names
from question_bank.formats.heuristics.platform_spellings import unify_platforms

_SIGNS = str.maketrans(
    {"∶": "：", "﹕": "：", "︰": "：", "［": "[", "］": "]", "｛": "{", "｝": "}", "﹙": "（", "﹚": "）"}
)
_SPACED_LABEL = re.compile(
    r"(?m)^(?P<before>[ \t\u3000]*[【\[〔〖(（]?[ \t\u3000]*(?:正确|参考|标准)?)(?P<a>[答解题难])[ \t\u3000]{1,4}(?P<b>[案析干度])(?=[ \t\u3000]*[】\]〕〗)）:：])"
)
"""A label with a space between its two characters, as `答　案：`."""
_WIDE_START = re.compile(r"(?m)^[ \t\u3000]*[（(【\[第题]?[Ａ-Ｚａ-ｚ０-９]{1,5}(?=[^Ａ-Ｚａ-ｚ０-９]|$)")
"""A number, letter or key in full width that begins a line."""
_HALF = str.maketrans({chr(code + 0xFEE0): chr(code) for code in (*range(48, 58), *range(65, 91), *range(97, 123))})
_LABELS = frozenset({"答案", "解析", "题干", "难度"})
_KEY_FIRST = re.compile(
    r"(?m)^(?P<space>[ \t\u3000]*)(?:[(（][ \t\u3000]*(?P<key>[A-H]{0,8}|[√×✓✗✔✘TFYNVXvx对错是否]|正确|错误)[ \t\u3000]*[)）]"
    r"|[【\[][ \t\u3000]*(?P<boxed>[√×✓✗✔✘对错是否TFVXYN]|正确|错误)[ \t\u3000]*[】\]])"
    r"[ \t\u3000]*(?:(?P<number>\d{1,4})[ \t\u3000]*[.、．]|[(（](?P<wrapped>\d{1,4})[)）])[ \t\u3000]*(?P<rest>(?:\d{1,12}(?![\d.．、])|[^\d\s.．、])[^\n]{6,})$"
)
_RECORD = re.compile(
    r"(?m)^(?:[ \t\u3000]*(?:第[ \t]*(?P<word>\d{1,4})[ \t]*题|(?P<mark>\d{1,4})[ \t]*[.、．]?)[ \t\u3000]*[:：]?[ \t\u3000]*\n)?[ \t\u3000]*[【\[]?(?:试题类型|题目类型|试题题型|题型|类型)[】\]]?[ \t\u3000]*[:：]?[ \t\u3000]*(?P<kind>[^\n:：]{2,8}?)[ \t\u3000]*\n(?P<gap>(?:[ \t\u3000]*\n)?)"
    r"[ \t\u3000]*[【\[]?(?:试题内容|题目内容|试题题干|题干|题目|试题)[】\]]?[ \t\u3000]*[:：]?[ \t\u3000]*(?P<stem>[^\n]+)$"
)
_OPTION_NAME = re.compile(r"(?m)^[ \t\u3000]*(?P<letter>[A-H])[ \t\u3000]*选项[ \t\u3000]*[:：][ \t\u3000]*")
_KEYCAPS = re.compile(r"(?m)^[ \t\u3000]*(?P<digits>(?:\d\ufe0f?\u20e3)+|\U0001f51f)[ \t\u3000]*[.、．]?[ \t\u3000]*")
"""A number in keys of a telephone, as chats show them: `1️⃣`."""
_PICTOGRAPHS = r"(?:[\U0001f000-\U0001faff\u2600-\u260f\u2614-\u26ff\u2728\u2753-\u2757\u270f\u27a1\u2b05-\u2b55](?:[\ufe0f\u200d]|[\U0001f3fb-\U0001f3ff])*[ \t\u3000]*)+"
"""Pictures of chats that say nothing; ticks and crosses are none of them."""
_PICTURED = re.compile(rf"(?m)^[ \t\u3000]*{_PICTOGRAPHS}(?=\S)|[ \t\u3000]*{_PICTOGRAPHS}$")
_TICKED_LABEL = re.compile(r"(?m)^[ \t\u3000]*[✅✔☑]\ufe0f?[ \t\u3000]*(?=[【\[]?(?:正确|参考|标准)?(?:答案|选项))")
_TICKED_FIRST = re.compile(
    r"(?m)^[ \t\u3000]*(?:[✅✔☑√]\ufe0f?[ \t\u3000]*|[*＊](?![ \t]))(?P<option>[A-HＡ-Ｈ][ \t]*[.、．:：)）][^\n]*)$"
)
_CHECKED = re.compile(
    r"(?m)^[ \t\u3000]*(?:[-*+][ \t]+\[(?P<box>[ xX√])\]|(?P<square>[☐☑]))[ \t\u3000]*(?P<option>[A-H][ \t]*[.、．:：)）][^\n]*)$"
)
"""An option in a list of boxes, as Markdown ticks them."""
_OWN_ANSWERS = re.compile(
    r"(?m)^[ \t\u3000]*[本该此](?:章|节|单元|部分|期|次|卷|套|讲|课|周|篇)的?(?=(?:参考|正确|标准)?答案)"
)
"""Whose answers follow, before their label: `本章参考答案：`."""
_OPTION_LINE = re.compile(r"(?m)^[ \t\u3000]*[A-HＡ-Ｈ][ \t]*[.、．:：)）]")
"""The right option marked before its letter, and one that is not: where all are marked, the mark is a list's."""


def unify_spellings(text: str) -> str:
    """Return a text with the signs, labels and named fields of its lines in their common spelling; no line comes or goes."""
    text = _SPACED_LABEL.sub(_joined_label, _without_pictographs(text).translate(_SIGNS))
    text = _OWN_ANSWERS.sub("", _CHECKED.sub(_checked, text))
    if _OPTION_LINE.search(text):
        text = _TICKED_FIRST.sub(r"\g<option> √", text)
    text = unify_platforms(_WIDE_START.sub(lambda match: match[0].translate(_HALF), text))
    text = _OPTION_NAME.sub(r"\g<letter>. ", text)
    return _KEY_FIRST.sub(_key_last, _number_records(text))


def _checked(match: re.Match[str]) -> str:
    return f"{match['option'].rstrip()}{' √' if (match['box'] or match['square']).strip(' ☐') else ''}"


def _without_pictographs(text: str) -> str:
    """Return a text from a chat with numbers in keycaps written as `1.`, and without the pictures around its lines."""
    if text.isascii():
        return text
    text = _KEYCAPS.sub(lambda match: f"{''.join(re.findall(r'[0-9]', match['digits'])) or '10'}. ", text)
    return _PICTURED.sub("", _TICKED_LABEL.sub("", text))


def _joined_label(match: re.Match[str]) -> str:
    label = f"{match['a']}{match['b']}"
    return f"{match['before']}{label}" if label in _LABELS else match[0]


def _key_last(match: re.Match[str]) -> str:
    """Return `（B）1. 题干` as `1. 题干（B）`; empty brackets before the number are dropped."""
    key = match["key"] or match["boxed"]
    number = f"{match['number']}. " if match["number"] else f"（{match['wrapped']}）"
    return f"{match['space']}{number}{match['rest']}{f'（{key}）' if key else ''}"


def _number_records(text: str) -> str:
    """Number the questions that `题型：` and `题目：` open, where each has both; a number on the line above them is theirs."""
    count = 0

    def numbered(match: re.Match[str]) -> str:
        nonlocal count
        kind = unicodedata.normalize("NFKC", match["kind"])
        if kind_names.kind_of(kind) is None and not kind_names.is_choice_name(kind):
            return match[0]
        number, count = match["word"] or match["mark"], count + 1
        above = f"\n{match['gap']}" if number else match["gap"]
        return f"{above}\n{number or count}. 【{match['kind'].strip()}】{match['stem']}"

    return _RECORD.sub(numbered, text) if len(_RECORD.findall(text)) > 1 else text
