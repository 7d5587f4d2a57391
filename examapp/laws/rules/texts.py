"""Read a law's text as it lies in files: plain text or Markdown, with title, dates, chapters and articles."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePath

from examapp.core.errors import DomainError
from examapp.core.html import normalise
from examapp.laws.rules.naming import ARTICLE, article_label, article_position, iso_day, law_name, number_of

_HEADING = re.compile(r"^(?:#{2,6}\s*)?(第[零〇一二三四五六七八九十百\d]+(?:分编|编|章|节)(?:[\s　]+.*)?|附\s*则)$")
_MARKDOWN_HEADING = re.compile(r"^#{2,6}\s*(.*)$")
_LEVELS = ("编", "分编", "章", "节")
_ARTICLE_LINE = re.compile(rf"^\*{{0,2}}({ARTICLE.pattern})\*{{0,2}}[\s　]+(.*)$")
_ITEM_LINE = re.compile(r"^(条目([一二三四五六七八九十百]+))[\s　]+(.*)$")
"""An amendment's items, as one source writes them."""
_FIELD = re.compile(r"^(公布/修正日期|公布日期|施行日期|版本日期)[：:]\s*(.*)$")
_PASSED = re.compile(r"通过|修订|修正|公布|发布|批准")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ANNEX = re.compile(r"^(?:#{1,6}\s*)?附件(?:[一二三四五六七八九十\d]|[:：]|$)")
MOST_BYTES = 8 * 1024 * 1024


class UnreadableLawError(DomainError):
    """A file that holds no law's text; the message says what to do."""

    code = "unreadable_law"
    status = 400
    message = "文件里没有找到法律条文。条文应写成「第一条　……」，每条另起一行。"


@dataclass(slots=True)
class ReadArticle:
    """An article: its label, the chapter and section it stands in, its text with a line a paragraph."""

    label: str
    position: int
    heading: str
    text: str


@dataclass(slots=True, kw_only=True)
class LawText:
    """A law's text as a file gives it; `remarks` say in Chinese what was not certain."""

    name: str
    version_on: date
    effective_on: date | None
    preamble: str = ""
    articles: list[ReadArticle] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def read_law_text(content: bytes, file_name: str) -> LawText:
    """Read a text or Markdown file; raises UnreadableLawError without articles, a title or a version's date."""
    if len(content) > MOST_BYTES:
        raise UnreadableLawError("文件超过 8 MB，不像一部法律的文本。请核对后再导入。")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", "replace")
    lines = _COMMENT.sub("", normalise(text.replace("\r\n", "\n").replace("\r", "\n"))).split("\n")
    reader = _Reader(file_name)
    for line in lines:
        reader.take(line.strip(" \t　"))
    return reader.result()


class _Reader:
    """Takes a file's lines one by one."""

    def __init__(self, file_name: str) -> None:
        self._stem = PurePath(file_name).stem
        self._title = ""
        self._dates: dict[str, str] = {}
        self._info: list[str] = []
        self._headings: dict[str, str] = {}
        self._preamble: list[str] = []
        self._articles: list[ReadArticle] = []
        self._remarks: list[str] = []
        self._is_annex = False
        self._is_body = False

    def take(self, line: str) -> None:
        if not line or self._is_annex:
            return
        if not self._title:
            self._title = line.lstrip("# ")
        elif found := _FIELD.match(line):
            self._dates[found[1]] = found[2]
        elif article := _ARTICLE_LINE.match(line):
            label = article_label(article[1])
            self._add(label, article_position(label), article[4])
        elif item := _ITEM_LINE.match(line):
            self._add(item[1], number_of(item[2]) * 100, item[3])
        elif _ANNEX.match(line):
            self._is_annex = True
            self._remarks.append("附件没有导入，只导入了条文。")
        elif heading := _HEADING.match(line):
            self._enter(re.sub(r"[\s　]+", " ", heading[1]))
        elif heading := _MARKDOWN_HEADING.match(line):
            self._enter(heading[1].strip())
        elif line.startswith("# "):
            self._headings = {"编": line.removeprefix("# ")}
        else:
            self._take_words(line)

    def _enter(self, heading: str) -> None:
        self._is_body = True
        found = re.match(r"第[^编章节分]+(分编|编|章|节)", heading)
        level = found[1] if found else "章"
        for lower in _LEVELS[_LEVELS.index(level) :]:
            self._headings.pop(lower, None)
        if heading:
            self._headings[level] = heading

    def _take_words(self, line: str) -> None:
        if self._articles:
            self._articles[-1].text += f"\n{line}"
        elif self._is_body or not self._is_info(line):
            self._preamble.append(line)
        else:
            self._info.append(line)

    def _is_info(self, line: str) -> bool:
        is_dated = iso_day(line) is not None and (_PASSED.search(line) or "施行" in line)
        return bool(is_dated) or line.startswith(("数据标注时效", "制定机关", "目录", "（"))

    def _add(self, label: str, position: int, text: str) -> None:
        if any(article.label == label for article in self._articles[-400:]):
            self._remarks.append(f"{label}出现两次，只保留第一次出现的。")
            return
        heading = " / ".join(self._headings[level] for level in _LEVELS if level in self._headings)
        self._articles.append(ReadArticle(label, position, heading, text.strip()))

    def result(self) -> LawText:
        if not self._articles:
            raise UnreadableLawError
        name = law_name(re.sub(r"[（(]\d{4}-\d{2}-\d{2}[)）]$", "", self._title))
        version_on = self._version_on()
        if version_on is None:
            raise UnreadableLawError("没有找到版本日期。请在文件名里写明，如「行政处罚法(2021-01-22).txt」。")
        return LawText(
            name=name,
            version_on=version_on,
            effective_on=self._effective_on(version_on),
            preamble="\n".join(self._preamble),
            articles=self._articles,
            remarks=self._remarks,
        )

    def _version_on(self) -> date | None:
        named = re.search(r"[（(](\d{4}-\d{2}-\d{2})[)）]", self._stem)
        dates = [iso_day(line) for line in self._info if _PASSED.search(line)]
        said = [day for day in dates if day is not None]
        return iso_day(named[1] if named else self._dates.get("版本日期")) or (max(said) if said else None)

    def _effective_on(self, version_on: date) -> date | None:
        said = [iso_day(line) for line in self._info if "施行" in line and not _PASSED.search(line)]
        if re.search(r"自(?:公布|发布)之日起(?:施行|实施)", self._articles[-1].text):
            said.append(version_on)
        own = re.search(r"自(\d{4}年\d{1,2}月\d{1,2}日)起施行", self._articles[-1].text)
        candidates = [iso_day(self._dates.get("施行日期")), *said, iso_day(own[1]) if own else None]
        later = [day for day in candidates if day is not None and day >= version_on]
        if later:
            return later[0]
        if any(candidates):
            self._remarks.append("文件中的施行日期早于版本日期，是首次施行的日期，没有采用；请补填本版本的施行日期。")
        return None
