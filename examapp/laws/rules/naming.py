"""How laws and their articles are named: one spelling for each, whatever a file wrote."""

from __future__ import annotations

import re
from datetime import date

_DIGITS = "零一二三四五六七八九"
_UNITS = ((1000, "千"), (100, "百"), (10, "十"))
_NUMBER = r"[零〇一二三四五六七八九十百千两\d０-９]+"
ARTICLE = re.compile(rf"第({_NUMBER})条(?:之({_NUMBER}))?")
_PLAIN_DIGITS = str.maketrans("０１２３４５６７８９〇两", "0123456789零二")
_FULL_NAME = "中华人民共和国"


def law_name(text: str) -> str:
    """Give the short name of a law: without 《》, without 中华人民共和国, without a year behind it."""
    name = re.sub(r"[《》〈〉\s]", "", text)
    name = re.sub(r"[（(]\d{4}[^）)]*[）)]$", "", name)
    return name.replace(_FULL_NAME, "") or name


def article_labels(text: str) -> list[str]:
    """List the articles that a citation names, each once, as `第三十二条` or `第一百二十条之一`."""
    labels = [_label(number, branch) for number, branch in ARTICLE.findall(text)]
    return list(dict.fromkeys(labels))


def article_label(text: str) -> str:
    """Give the one spelling of an article's name: 第32条之1 is `第三十二条之一`; the text as it is where it names none."""
    found = ARTICLE.match(text)
    return _label(found[1], found[2] or "") if found else text


def article_position(label: str) -> int:
    """Give where an article stands in its law, branches behind their article."""
    found = ARTICLE.match(label)
    return number_of(found[1]) * 100 + (number_of(found[2]) if found[2] else 0) if found else 0


def _label(number: str, branch: str) -> str:
    return f"第{chinese_number(number_of(number))}条" + (f"之{chinese_number(number_of(branch))}" if branch else "")


def number_of(text: str) -> int:
    """Read a whole number below ten thousand, in digits or in Chinese."""
    text = text.translate(_PLAIN_DIGITS)
    if text.isdigit():
        return int(text)
    total = current = 0
    units = {sign: value for value, sign in _UNITS}
    for sign in text:
        if sign in units:
            total += (current or 1) * units[sign]
            current = 0
        elif sign.isdigit():
            current = current * 10 + int(sign)
        else:
            current = _DIGITS.index(sign)
    return total + current


def chinese_number(value: int) -> str:
    """Write a whole number below ten thousand as laws do: 三十二, 一百零五, 一千二百六十."""
    words, rest, is_gap = "", value, False
    for unit, sign in _UNITS:
        digit, rest = divmod(rest, unit)
        if digit:
            words += ("零" if is_gap else "") + _DIGITS[digit] + sign
            is_gap = False
        elif words:
            is_gap = True
    if rest or not words:
        words += ("零" if is_gap and words else "") + _DIGITS[rest]
    return words.removeprefix("一") if words.startswith("一十") else words


def iso_day(text: str | None) -> date | None:
    """Read a day written as 2021-01-22, 2021年1月22日 or 2021/1/22; None for anything else."""
    found = re.search(r"(\d{4})\s*[-年/.]\s*(\d{1,2})\s*[-月/.]\s*(\d{1,2})", text or "")
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None
