"""Gists of articles (条文要点) in the project's own words: read the shipped files; compare a gist with its article.

A file is a law: `@law`, `@version`, `@effective`, `@reviewed` (the day of the second reading), then a line an article: `第三条：……`.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

FOLDER = Path(__file__).parent / "content" / "gists"
MAX_LENGTH = 120
MAX_COPIED = 25
"""A gist shares no run of so many characters with its article."""
_RUN = 4
"""Characters that a text shares with a source before they count as copied: shorter runs are terms."""
_SETTING = re.compile(r"@(law|version|effective|reviewed)\s+(\S+)")
_ENTRY = re.compile(r"(第[零一二三四五六七八九十百千]+条(?:之[一二三四五六七八九十]+)?)：(.+)")
_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_SECTIONS = {"万": 10_000, "亿": 100_000_000}
_NUMBER = re.compile(r"\d+(?:\.\d+)?[万亿]?|[零〇一二两三四五六七八九十百千万亿]+")
_NO_NUMBER = re.compile(r"一(?![年月日天周次倍人名元个十百千万])|[十百千万亿](?=[分方般])|万一")
"""`一` counts only with a unit behind it: 一般, 统一 and 一律 are no numbers."""
_ITEM = re.compile(r"[（(][一二三四五六七八九十]+[)）]")


class UnreadableGistsError(Exception):
    """A file of gists has another form; the message names the file and the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LawGists:
    """The gists of one version of a law, by article."""

    law: str
    version_on: date
    effective_on: date
    reviewed_on: date | None
    by_label: dict[str, str]


def read_gists(folder: Path = FOLDER) -> list[LawGists]:
    """Read all files of a folder; raises UnreadableGistsError."""
    return [_read_file(path.read_text("utf-8"), path.name) for path in sorted(folder.glob("*.txt"))]


def _read_file(text: str, name: str) -> LawGists:
    settings: dict[str, str] = {}
    by_label: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        if setting := _SETTING.fullmatch(line.strip()):
            settings[setting[1]] = setting[2]
        elif (entry := _ENTRY.fullmatch(line.strip())) and entry[1] not in by_label:
            by_label[entry[1]] = entry[2]
        else:
            raise UnreadableGistsError(f"{name}: {number}: {line[:40]}")
    try:
        return LawGists(
            law=settings["law"],
            version_on=date.fromisoformat(settings["version"]),
            effective_on=date.fromisoformat(settings["effective"]),
            reviewed_on=date.fromisoformat(settings["reviewed"]) if "reviewed" in settings else None,
            by_label=by_label,
        )
    except (KeyError, ValueError) as error:
        raise UnreadableGistsError(f"{name}: {error}") from error


def iter_gist_issues(gist: str, article: str) -> Iterator[str]:
    """Yield in Chinese what is wrong with a gist beside the official text of its article."""
    if len(gist) > MAX_LENGTH:
        yield f"要点有 {len(gist)} 字，应不超过 {MAX_LENGTH} 字"
    if foreign := foreign_numbers(gist, article):
        yield f"要点中的数字条文里没有：{'、'.join(foreign)}"
    bare, own = _bare(article), _bare(gist)
    if any(own[start : start + MAX_COPIED] in bare for start in range(len(own) - MAX_COPIED + 1)):
        yield f"要点有连续 {MAX_COPIED} 字与条文相同，应换成自己的话"


def foreign_numbers(text: str, source: str) -> list[str]:
    """List the numbers of a text that its source does not name, in order; how either writes them does not matter."""
    found = _numbers_of(_NO_NUMBER.sub("，", text)) - _numbers_of(_ITEM.sub("，", source))
    return [f"{value:g}" for value in sorted(found)]


def copied_share(text: str, source: str) -> float:
    """Return which share of a text, 0 to 1, stands in its source in runs of four characters or more; signs and spaces do not count."""
    own, theirs = (re.sub(r"\W", "", _bare(each)) for each in (text, source))
    starts = (at for at in range(len(own) - _RUN + 1) if own[at : at + _RUN] in theirs)
    return len({at + step for at in starts for step in range(_RUN)}) / (len(own) or 1)


def shape_and_numbers(text: str) -> tuple[str, list[float]]:
    """Return a text with `#` for each number, and the numbers in order; 百分之五 alone counts as its value."""
    bare = _bare(text)
    numbers = [_value_of(found[0]) for found in _NUMBER.finditer(bare)]
    if len(numbers) == 2 * bare.count("分之"):
        numbers = [part / whole for whole, part in zip(numbers[::2], numbers[1::2], strict=True)]
    return _NUMBER.sub("#", bare), numbers


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def _numbers_of(text: str) -> set[float]:
    """Read the numbers of a text, in digits or in Chinese: 十五日, 15日 and 百分之十五 all name 15."""
    return {_value_of(found[0]) for found in _NUMBER.finditer(unicodedata.normalize("NFKC", text))}


def _value_of(text: str) -> float:
    if text[0].isdigit() and text[0].isascii():
        scale = _SECTIONS.get(text[-1], 1)
        return float(text.rstrip("万亿")) * scale
    total = section = digit = 0
    for sign in text:
        if sign in _SECTIONS:
            total = (total + section + digit or 1) * _SECTIONS[sign]
            section = digit = 0
        elif sign in _UNITS:
            section += (digit or 1) * _UNITS[sign]
            digit = 0
        else:
            digit = digit * 10 + _DIGITS[sign]
    return float(total + section + digit)
